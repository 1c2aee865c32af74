//! The basis in which the engine works. Columns of X are centred and scaled (and made orthogonal
//! where they are nearly dependent), the response likewise, and the columns of each random-effects
//! term are made orthonormal as far as its covariance structure allows. Results then depend neither
//! on units nor on a large constant added to the response or a covariate. All columns carry the
//! square roots of the prior weights.

use std::sync::Arc;

use crate::covariance::Freedom;
use crate::design::span::Span;
use crate::design::{Predictors, Term};
use crate::error::Result;
use crate::linalg::threads::{self, MANY_ROWS};
use crate::linalg::{small, Matrix};

/// A column that varies less than this around its mean is constant.
const CONSTANT: f64 = 1e-13;
/// Columns of Z with a smaller orthogonal part are left as they are: any basis serves.
const COLLINEAR_Z: f64 = 1e-8;

/// Sums of squares that neither overflow nor lose digits to underflow.
const SAFE_SQUARES: std::ops::Range<f64> = 1e-200..1e200;
/// Above this share of its sum of squares beside earlier columns a column keeps most of its digits.
const INDEPENDENT: f64 = 1e-6;

/// X (kept columns) = X̃ T, rows weighted.
#[derive(Debug, Clone)]
pub struct FixedBasis {
    /// Kept columns of X, ascending.
    pub kept: Vec<usize>,
    span: Span,
    /// T, rank × rank.
    pub transform: Matrix,
    /// Coefficients of the (weighted) constant in X̃, when X spans it.
    pub constant: Option<Vec<f64>>,
}

/// Response = centre + scale (X̃ γ₀ + ỹ): what ordinary least squares explains is taken out first, so
/// that no sum of squares is a small difference of large ones.
#[derive(Debug, Clone)]
pub struct ResponseBasis {
    pub centre: f64,
    pub scale: f64,
    /// γ₀, coefficients of ordinary least squares.
    pub explained: Vec<f64>,
    /// ỹ, rows weighted.
    pub values: Arc<[f64]>,
}

/// Z̃ = Z m for one term.
#[derive(Debug, Clone)]
pub struct TermBasis {
    /// m, k × k, upper triangular, column-major.
    pub transform: Vec<f64>,
    /// m^-1.
    pub inverse: Vec<f64>,
}

impl FixedBasis {
    /// Without `root_weights` the design's weights take no part.
    pub fn new(design: &Predictors, root_weights: Option<&[f64]>) -> Result<Self> {
        let (n, p) = (design.n_obs(), design.x.cols());
        let weights = root_weights.and(design.weights.as_deref());
        let intercept = (0..p).find(|&j| {
            let x = design.x.column(j);
            x[0] != 0.0 && x.iter().all(|&v| v == x[0])
        });
        let mut columns = Matrix::zeros(n, p, "the basis of X")?;
        let mut standardised: Vec<Standardised<'_>> = columns
            .data_mut()
            .chunks_exact_mut(n)
            .enumerate()
            .map(|(j, values)| Standardised {
                raw: design.x.column(j),
                centred: intercept.is_some_and(|i| i != j),
                values,
                centre: 0.0,
                scale: 0.0,
            })
            .collect();
        let fill = |column: &mut Standardised<'_>| column.fill(weights, root_weights);
        if n >= MANY_ROWS {
            threads::for_each(&mut standardised, fill);
        } else {
            standardised.iter_mut().for_each(fill);
        }
        let units: Vec<(f64, f64)> = standardised.iter().map(|c| (c.centre, c.scale)).collect();
        let (span, found) = Span::new(columns)?;
        let mut kept = Vec::new();
        let mut centres = Vec::new();
        let mut coefficients: Vec<Vec<f64>> = Vec::new();
        for (j, (own, (centre, scale))) in found.into_iter().zip(units).enumerate() {
            if let Some(mut own) = own {
                own.iter_mut().for_each(|c| *c *= scale);
                coefficients.push(own);
                centres.push(centre);
                kept.push(j);
            }
        }
        let rank = kept.len();
        let mut transform = Matrix::from_columns(rank, rank, vec![0.0; rank * rank]);
        for (j, own) in coefficients.iter().enumerate() {
            transform.column_mut(j)[..own.len()].copy_from_slice(own);
        }
        let explicit = intercept.and_then(|i| kept.iter().position(|&j| j == i));
        let constant = match explicit {
            Some(at) => {
                let value = design.x.column(kept[at])[0];
                let one: Vec<f64> = transform.column(at).iter().map(|c| c / value).collect();
                for (j, &centre) in centres.iter().enumerate() {
                    small::axpy(centre, &one, transform.column_mut(j));
                }
                Some(one)
            }
            None => {
                let mut one = vec![1.0; n];
                apply_weights(&mut one, root_weights);
                span.express(one)
            }
        };
        Ok(Self {
            kept,
            span,
            transform,
            constant,
        })
    }

    /// X̃, n × rank.
    #[must_use]
    pub fn columns(&self) -> &Matrix {
        self.span.columns()
    }

    /// X̃'X̃.
    #[must_use]
    pub fn gram(&self) -> &Matrix {
        self.span.gram()
    }

    #[must_use]
    pub fn rank(&self) -> usize {
        self.kept.len()
    }

    /// `T^-1 b` for m columns.
    #[must_use]
    pub fn solve(&self, mut b: Vec<f64>, m: usize) -> Vec<f64> {
        let mut t = self.transform.data().to_vec();
        small::solve_general(&mut t, &mut b, self.rank(), m);
        b
    }

    /// log |det T|.
    #[must_use]
    pub fn log_det(&self) -> f64 {
        let rank = self.rank();
        let mut t = self.transform.data().to_vec();
        small::solve_general(&mut t, &mut [], rank, 0);
        (0..rank).map(|i| t[i + i * rank].abs().ln()).sum()
    }
}

/// A column of X on its way into the basis.
struct Standardised<'a> {
    raw: &'a [f64],
    centred: bool,
    /// Weighted, of norm √n; zero for a constant that is to be centred.
    values: &'a mut [f64],
    centre: f64,
    scale: f64,
}

impl Standardised<'_> {
    fn fill(&mut self, weights: Option<&[f64]>, root_weights: Option<&[f64]>) {
        let mut shift = |centre: f64| {
            let pairs = self.values.iter_mut().zip(self.raw);
            pairs.for_each(|(out, v)| *out = v - centre);
            apply_weights(self.values, root_weights);
            root_sum_of_squares(self.values)
        };
        let mut norm = shift(0.0);
        if self.centred {
            let whole = norm;
            self.centre = weighted_mean(self.raw, weights);
            norm = shift(self.centre);
            if norm <= CONSTANT * whole {
                norm = 0.0;
            }
        }
        if norm == 0.0 {
            self.values.fill(0.0);
            return;
        }
        self.scale = norm / (self.raw.len() as f64).sqrt();
        let scale = self.scale;
        self.values.iter_mut().for_each(|v| *v /= scale);
    }
}

impl ResponseBasis {
    /// `None` when the fixed effects leave nothing but rounding error.
    #[must_use]
    pub fn new(
        mut values: Vec<f64>,
        design: &Predictors,
        root_weights: Option<&[f64]>,
        fixed: &FixedBasis,
    ) -> Option<Self> {
        if let Some(offset) = &design.offset {
            values.iter_mut().zip(offset).for_each(|(y, o)| *y -= o);
        }
        let centre = if fixed.constant.is_some() {
            weighted_mean(&values, design.weights.as_deref())
        } else {
            0.0
        };
        values.iter_mut().for_each(|v| *v -= centre);
        apply_weights(&mut values, root_weights);
        let whole = largest(&values);
        let mut explained = vec![0.0; fixed.rank()];
        fixed.span.orthogonalise(&mut values, &mut explained);
        let scale = largest(&values);
        if scale <= CONSTANT * whole || scale < f64::MIN_POSITIVE {
            return None;
        }
        values.iter_mut().for_each(|v| *v /= scale);
        explained.iter_mut().for_each(|v| *v /= scale);
        Some(Self {
            centre,
            scale,
            explained,
            values: values.into(),
        })
    }
}

impl TermBasis {
    /// Orthonormalises the columns of a term as far as its structure allows.
    #[must_use]
    pub fn new(term: &Term, root_weights: Option<&[f64]>) -> Self {
        Self::from_products(term, root_weights)
            .unwrap_or_else(|| Self::from_columns(term, root_weights))
    }

    /// By the Cholesky factor of Z'WZ, in one pass over the rows; `None` where columns are so nearly
    /// dependent, or so large or small, that it would lose their digits.
    fn from_products(term: &Term, root_weights: Option<&[f64]>) -> Option<Self> {
        let (n, k) = (term.codes.len(), term.k);
        let mut products = vec![0.0; k * k];
        for (i, z) in term.z.chunks_exact(k).enumerate() {
            let weight = root_weights.map_or(1.0, |w| w[i] * w[i]);
            for (j, column) in products.chunks_exact_mut(k).enumerate() {
                small::axpy(weight * z[j], z, column);
            }
        }
        restrict(&mut products, term.covariance.freedom(), k);
        let squares: Vec<f64> = (0..k).map(|j| products[j + j * k]).collect();
        if squares.iter().any(|s| !SAFE_SQUARES.contains(s)) || !small::cholesky(&mut products, k) {
            return None;
        }
        let independent = |(j, s): (usize, &f64)| products[j + j * k].powi(2) > INDEPENDENT * s;
        if !squares.iter().enumerate().all(independent) {
            return None;
        }
        // Z'WZ = LL', so that Z L^-T √n has orthogonal columns of norm √n.
        let size = (n as f64).sqrt();
        let mut transposed = vec![0.0; k * k];
        (0..k).for_each(|i| transposed[i + i * k] = size);
        small::solve_lower(&products, &mut transposed, k, k);
        let mut transform = vec![0.0; k * k];
        let mut inverse = vec![0.0; k * k];
        for j in 0..k {
            for i in 0..=j {
                transform[i + j * k] = transposed[j + i * k];
                inverse[i + j * k] = products[j + i * k] / size;
            }
        }
        Some(Self { transform, inverse })
    }

    fn from_columns(term: &Term, root_weights: Option<&[f64]>) -> Self {
        let (n, k) = (term.codes.len(), term.k);
        if term.covariance.freedom() == Freedom::Unit {
            return Self::of_unit(term, root_weights);
        }
        let size = (n as f64).sqrt();
        let mut transform = vec![0.0; k * k];
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(k);
        for j in 0..k {
            let mut column: Vec<f64> = term.z.iter().skip(j).step_by(k).copied().collect();
            apply_weights(&mut column, root_weights);
            let norm = root_sum_of_squares(&column);
            let mut own = vec![0.0; k];
            own[j] = 1.0;
            if norm > 0.0 {
                if term.covariance.freedom() == Freedom::Linear {
                    let raw = column.clone();
                    for (i, earlier) in columns.iter().enumerate() {
                        let c = small::dot(earlier, &column) / small::dot(earlier, earlier);
                        if c.is_finite() {
                            small::axpy(-c, earlier, &mut column);
                            small::axpy(-c, &transform[i * k..(i + 1) * k], &mut own);
                        }
                    }
                    if root_sum_of_squares(&column) < COLLINEAR_Z * norm {
                        column = raw;
                        own.fill(0.0);
                        own[j] = 1.0;
                    }
                }
                let scale = root_sum_of_squares(&column) / size;
                column.iter_mut().for_each(|v| *v /= scale);
                own.iter_mut().for_each(|v| *v /= scale);
            }
            transform[j * k..(j + 1) * k].copy_from_slice(&own);
            columns.push(column);
        }
        let mut inverse = vec![0.0; k * k];
        (0..k).for_each(|i| inverse[i + i * k] = 1.0);
        small::solve_general(&mut transform.clone(), &mut inverse, k, k);
        Self { transform, inverse }
    }

    /// One unit for all columns.
    fn of_unit(term: &Term, root_weights: Option<&[f64]>) -> Self {
        let (n, k) = (term.codes.len(), term.k);
        let mut all = term.z.to_vec();
        if let Some(weights) = root_weights {
            for (row, w) in all.chunks_exact_mut(k).zip(weights) {
                row.iter_mut().for_each(|z| *z *= w);
            }
        }
        let norm = root_sum_of_squares(&all);
        let scale = if norm > 0.0 {
            norm / ((n * k) as f64).sqrt()
        } else {
            1.0
        };
        let multiple = |value: f64| {
            let mut out = vec![0.0; k * k];
            (0..k).for_each(|i| out[i + i * k] = value);
            out
        };
        Self {
            transform: multiple(1.0 / scale),
            inverse: multiple(scale),
        }
    }

    /// A row of Z in this basis.
    pub fn map_row(&self, z: &[f64], weight: f64, out: &mut [f64]) {
        let k = z.len();
        for (j, out) in out.iter_mut().enumerate() {
            *out = weight * small::dot(&self.transform[j * k..=j * k + j], z);
        }
    }
}

/// Leaves of Z'WZ what the columns may be changed by.
fn restrict(products: &mut [f64], freedom: Freedom, k: usize) {
    if freedom == Freedom::Linear {
        return;
    }
    for e in (0..k * k).filter(|e| e % k != e / k) {
        products[e] = 0.0;
    }
    if freedom == Freedom::Unit {
        let mean = (0..k).map(|i| products[i + i * k]).sum::<f64>() / k as f64;
        (0..k).for_each(|i| products[i + i * k] = mean);
    }
}

/// Mean with the first value taken out, so that a large constant costs no digits.
fn weighted_mean(values: &[f64], weights: Option<&[f64]>) -> f64 {
    let first = values[0];
    match weights {
        None => {
            let n = values.len() as f64;
            first + sum_in_lanes(values, values, |v, _| v - first) / n
        }
        Some(w) => {
            let total = sum_in_lanes(w, w, |w, _| w);
            first + sum_in_lanes(values, w, |v, w| w * (v - first)) / total
        }
    }
}

fn sum_in_lanes(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let rest: f64 = rest.map(|(&a, &b)| term(a, b)).sum();
    for (a, b) in a.zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += term(a, b);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn apply_weights(column: &mut [f64], root_weights: Option<&[f64]>) {
    if let Some(w) = root_weights {
        column.iter_mut().zip(w).for_each(|(v, w)| *v *= w);
    }
}

fn largest(column: &[f64]) -> f64 {
    column.iter().fold(0.0, |m, v| v.abs().max(m))
}

/// Euclidean norm that neither overflows nor underflows.
fn root_sum_of_squares(column: &[f64]) -> f64 {
    let square = small::dot(column, column);
    if SAFE_SQUARES.contains(&square) {
        return square.sqrt();
    }
    let largest = largest(column);
    if largest == 0.0 {
        return 0.0;
    }
    largest
        * column
            .iter()
            .map(|v| (v / largest).powi(2))
            .sum::<f64>()
            .sqrt()
}
