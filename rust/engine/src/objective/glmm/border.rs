//! The fixed effects beside the random ones in a weighted system: Z'WX, and X'V^-1X with
//! `V^-1 = W - W Z Λ M^-1 Λ'Z'W`.

use crate::error::Result;
use crate::linalg::small;
use crate::model::generalized::PredictorRows;
use crate::objective::glmm::rows;
use crate::products::stacked::Stacked;
use crate::system::WeightedSystem;

/// Share of X'WX that keeps X'V^-1X positive definite where separated responses leave it only rounding.
const RIDGE: f64 = 1e-13;

/// X beside the random effects at some weights of the rows.
pub struct WeightedX {
    /// Z'WX.
    pub products: Stacked,
    /// X'WX.
    pub gram: Vec<f64>,
}

impl WeightedX {
    pub fn new(rows: &PredictorRows, system: &WeightedSystem<'_>, weights: &[f64]) -> Result<Self> {
        let p = rows.frame.fixed.rank();
        Ok(Self {
            products: system.project_weighted(Some(weights), &rows.x, p)?,
            gram: rows::gram_x(rows, weights),
        })
    }
}

/// The border of a system at its present weights.
pub struct Border {
    p: usize,
    x: WeightedX,
    /// ΛM^-1Λ'Z'WX.
    solved: Stacked,
    /// Lower factor of X'V^-1X.
    factor: Vec<f64>,
}

impl Border {
    /// `None` when X'V^-1X is not positive definite.
    pub fn new(
        rows: &PredictorRows,
        system: &WeightedSystem<'_>,
        weights: &[f64],
    ) -> Result<Option<Self>> {
        let x = WeightedX::new(rows, system, weights)?;
        Ok(Self::of_weighted(rows.frame.fixed.rank(), x, system))
    }

    /// The border of the same weights after a new factorisation.
    #[must_use]
    pub fn refactored(self, system: &WeightedSystem<'_>) -> Option<Self> {
        Self::of_weighted(self.p, self.x, system)
    }

    fn of_weighted(p: usize, x: WeightedX, system: &WeightedSystem<'_>) -> Option<Self> {
        let solved = system.system().solve(x.products.clone());
        let mut factor = x.gram.clone();
        small::axpy(-1.0, &x.products.gram(&solved), &mut factor);
        (0..p).for_each(|j| factor[j + j * p] += RIDGE * x.gram[j + j * p]);
        small::cholesky(&mut factor, p).then_some(Self {
            p,
            x,
            solved,
            factor,
        })
    }

    #[must_use]
    pub fn x(&self) -> &WeightedX {
        &self.x
    }

    /// ΛM^-1Λ'Z'WX.
    #[must_use]
    pub fn solved(&self) -> &Stacked {
        &self.solved
    }

    /// X'V^-1X, p × p.
    #[must_use]
    pub fn information(&self) -> Vec<f64> {
        let mut out = self.x.gram.clone();
        small::axpy(-1.0, &self.x.products.gram(&self.solved), &mut out);
        out
    }

    /// `q'Z'V^-1X` of columns q, (columns of q) × p, and `weighted` = Z'WZq.
    #[must_use]
    pub fn cross_information(&self, q: &Stacked, weighted: &Stacked) -> Vec<f64> {
        let mut out = q.gram(&self.x.products);
        small::axpy(-1.0, &weighted.gram(&self.solved), &mut out);
        out
    }

    /// The coefficients of the joint system for right-hand sides of the random and the fixed effects.
    #[must_use]
    pub fn coefficients(&self, random: &Stacked, fixed: &[f64]) -> Vec<f64> {
        let mut out = fixed.to_vec();
        small::axpy(-1.0, &self.solved.gram(random), &mut out);
        self.solve(&mut out, 1);
        out
    }

    /// Takes the share of the coefficients from the modes.
    pub fn take_modes(&self, gamma: &[f64], b: &mut Stacked) {
        subtract_times(&self.solved, gamma, b);
    }

    /// Takes it from their dual.
    pub fn take_dual(&self, gamma: &[f64], c: &mut Stacked) {
        subtract_times(&self.x.products, gamma, c);
    }

    /// (X'V^-1X)^-1 applied to m columns.
    fn solve(&self, columns: &mut [f64], m: usize) {
        small::solve_lower(&self.factor, columns, self.p, m);
        small::solve_lower_transposed(&self.factor, columns, self.p, m);
    }

    /// L^-T (row-major) and -ΛM^-1Λ'Z'WX L^-T for the factor L of X'V^-1X.
    #[must_use]
    pub fn scaled_effects(&self) -> (Vec<f64>, Stacked) {
        let p = self.p;
        let mut inverse = vec![0.0; p * p];
        (0..p).for_each(|i| inverse[i + i * p] = 1.0);
        // By columns L^-1, which by rows is its transpose.
        small::solve_lower(&self.factor, &mut inverse, p, p);
        let mut b = self.solved.clone();
        let mut row = vec![0.0; p];
        for values in b.leading.iter_mut().chain([&mut b.trailing]) {
            for out in values.chunks_exact_mut(p) {
                row.fill(0.0);
                for (&v, inverse) in out.iter().zip(inverse.chunks_exact(p)) {
                    small::axpy(-v, inverse, &mut row);
                }
                out.copy_from_slice(&row);
            }
        }
        (inverse, b)
    }

    /// Lower factor of X'V^-1X, p × p.
    #[must_use]
    pub fn into_factor(self) -> Vec<f64> {
        self.factor
    }
}

/// `out -= a v` for the columns of a.
fn subtract_times(a: &Stacked, v: &[f64], out: &mut Stacked) {
    let m = a.m;
    let targets = out.leading.iter_mut().chain([&mut out.trailing]);
    for (out, a) in targets.zip(a.leading.iter().chain([&a.trailing])) {
        for (out, row) in out.iter_mut().zip(a.chunks_exact(m)) {
            *out -= small::dot(row, v);
        }
    }
}
