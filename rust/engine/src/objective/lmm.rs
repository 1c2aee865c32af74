//! The profiled deviance of a linear mixed model (Bates, Mächler, Bolker & Walker 2015, section 3)
//! and its exact derivatives.
//!
//! With W = Z'V^-1Z (ML) or Z'PZ (REML), c = Z'Py, r² = y'Py, m = n or n - rank(X), the derivative
//! with respect to the relative covariance matrix of a term is
//! `G = Σ_j W_jj - (m/r²) Σ_j c_j c_j'`, and the gradient with respect to λ is `2 G λ`.
//! The curvature model is the average information (Gilmour, Thompson & Cullis 1995) in the
//! parametrisation by λ.

use faer::Par;

use crate::design::cross_products::{sum_of_products, CrossProducts};
use crate::design::model::{LITTLE_LEFT, NOTHING_LEFT};
use crate::design::stacked::Stacked;
use crate::design::Model;
use crate::error::{Error, Result};
use crate::linalg::{small, Matrix};
use crate::objective::{Coordinates, Derivatives, Monitor, Objective, Progress};
use crate::system::{multiply, selected, transform, Factor, Reduced, Selected};

/// Flops of an evaluation above which it counts as expensive.
const EXPENSIVE: f64 = 5e7;

/// Maximum likelihood or restricted maximum likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    Ml,
    Reml,
}

/// The profiled criterion of one model.
pub struct LmmObjective<'a> {
    model: &'a Model,
    criterion: Criterion,
    coordinates: Coordinates,
    pub factor: Factor,
    /// The point of the last evaluation; what follows belongs to it.
    theta: Vec<f64>,
    reduced: Option<Reduced>,
    /// λ̃ of each term.
    lambda: Vec<Vec<f64>>,
    r2: f64,
    derivatives: Option<Derivatives>,
    /// G of each term.
    sigma_gradients: Vec<Vec<f64>>,
    monitor: Monitor<'a>,
    progress: Progress,
}

impl<'a> LmmObjective<'a> {
    pub fn new(
        model: &'a Model,
        criterion: Criterion,
        coordinates: Coordinates,
        monitor: Monitor<'a>,
    ) -> Result<Self> {
        Ok(Self {
            model,
            criterion,
            coordinates,
            factor: Factor::new(&model.cross_products, &model.structure, Par::Seq)?,
            theta: Vec::new(),
            reduced: None,
            lambda: Vec::new(),
            r2: 0.0,
            derivatives: None,
            sigma_gradients: Vec::new(),
            monitor,
            progress: Progress {
                evaluations: 0,
                objective: f64::NAN,
            },
        })
    }

    /// m: n for ML, n - rank(X) for REML.
    #[must_use]
    pub fn scale_df(&self) -> f64 {
        let taken = match self.criterion {
            Criterion::Ml => 0,
            Criterion::Reml => self.model.structure.rank,
        };
        (self.model.n_obs() - taken) as f64
    }

    /// log |X'V^-1X| in the units of the user.
    #[must_use]
    pub fn log_det_x(&self) -> f64 {
        self.factor.log_det_x + 2.0 * self.model.fixed.log_det()
    }

    /// The criterion at the last point.
    #[must_use]
    pub fn last_value(&self) -> f64 {
        let m = self.scale_df();
        let scale = self.model.response.scale;
        let log_det_x = match self.criterion {
            Criterion::Ml => 0.0,
            Criterion::Reml => self.log_det_x(),
        };
        let log_variance = (std::f64::consts::TAU * self.r2 / m).ln() + 2.0 * scale.ln();
        self.factor.log_det_z + log_det_x + m * (1.0 + log_variance) - self.model.log_weights
    }

    /// Whether less is left for the residual at the last point than can be told from nothing.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.reduced.is_none() || self.r2 <= NOTHING_LEFT * self.model.response_square
    }

    /// Penalised residual sum of squares at the last point, in the units of the engine.
    #[must_use]
    pub fn r2(&self) -> f64 {
        self.r2
    }

    /// Conditional modes and coefficients at the last point, in the basis of the engine.
    pub fn solution(&self) -> Result<Stacked> {
        let reduced = self
            .reduced
            .as_ref()
            .ok_or(Error::Factorisation { theta: Vec::new() })?;
        Ok(reduced.solution(
            &self.factor,
            &self.model.cross_products,
            &self.model.structure,
        ))
    }

    /// Z'Py, stacked (its rows of X are zero up to rounding).
    pub fn scores(&self, solution: &Stacked) -> Result<Stacked> {
        if self.r2 < LITTLE_LEFT * self.model.response_square {
            return Ok(self.scores_from_rows(solution)?.0);
        }
        let structure = &self.model.structure;
        let mut c = multiply(
            &self.model.cross_products,
            structure,
            solution,
            self.factor.par,
        )?;
        let y = &self.model.response_products;
        let parts = c
            .leading
            .iter_mut()
            .zip(&y.leading)
            .chain([(&mut c.trailing, &y.trailing)]);
        for (c, y) in parts {
            c.iter_mut().zip(y).for_each(|(c, y)| *c = y - *c);
        }
        c.trailing[structure.n_trailing..].fill(0.0);
        Ok(c)
    }

    /// Z'Py and the residual sum of squares from the rows, where differences of cross-products
    /// have lost their digits.
    fn scores_from_rows(&self, solution: &Stacked) -> Result<(Stacked, f64)> {
        let structure = &self.model.structure;
        let z = self.model.block_rows()?;
        let residual = self.model.residual(solution, &z);
        let x = self.model.fixed.columns();
        let mut c = CrossProducts::with_response(structure, &z, x, &residual)?;
        c.trailing[structure.n_trailing..].fill(0.0);
        Ok((c, sum_of_products(&residual, &residual)))
    }

    /// r² = e'We + u'u with u = Λ'Z'Py.
    fn r2_from_rows(&self) -> Result<f64> {
        let structure = &self.model.structure;
        let (mut c, squares) = self.scores_from_rows(&self.solution()?)?;
        let mut penalty = 0.0;
        for (b, block) in structure.blocks.iter().enumerate() {
            let u = c.block_mut(structure, b);
            transform::level_rows(u, 1, block.width, &self.factor.lambda[b], true);
            penalty += sum_of_products(u, u);
        }
        Ok(squares + penalty)
    }

    /// Gradient at the last point with respect to the parameters of other coordinates, of which
    /// `theta` is the same point.
    pub fn gradient_in(&mut self, other: &Coordinates, theta: &[f64]) -> Result<Vec<f64>> {
        self.derivatives()?;
        Ok(other.gradient(&self.sigma_gradients, &other.lambda(theta)))
    }

    /// Selected inverse at the last point.
    pub fn selected(&mut self, joint: bool, want_diagonals: bool) -> Result<Selected> {
        selected(
            &mut self.factor,
            &self.model.cross_products,
            &self.model.structure,
            joint,
            want_diagonals,
        )
    }

    /// λ of every block from those of its terms.
    fn block_lambda(&self) -> Vec<Vec<f64>> {
        self.model
            .structure
            .blocks
            .iter()
            .map(|block| {
                let width = block.width;
                let mut out = vec![0.0; width * width];
                for &(t, offset) in &block.terms {
                    let k = self.coordinates.terms[t].k;
                    for b in 0..k {
                        for a in 0..k {
                            out[offset + a + (offset + b) * width] = self.lambda[t][a + b * k];
                        }
                    }
                }
                out
            })
            .collect()
    }

    /// G of every term.
    fn sigma_gradients(&self, selected: &Selected, c: &Stacked) -> Vec<Vec<f64>> {
        let structure = &self.model.structure;
        let factor = self.scale_df() / self.r2;
        let mut out = vec![Vec::new(); self.coordinates.terms.len()];
        for (b, block) in structure.blocks.iter().enumerate() {
            let width = block.width;
            let mut g = selected.w_sums[b].clone();
            for level in c.block(structure, b).chunks_exact(width) {
                for (column, &right) in g.chunks_exact_mut(width).zip(level) {
                    small::axpy(-factor * right, level, column);
                }
            }
            for &(t, offset) in &block.terms {
                let k = self.coordinates.terms[t].k;
                out[t] = (0..k * k)
                    .map(|e| g[offset + e % k + (offset + e / k) * width])
                    .collect();
            }
        }
        out
    }

    /// The columns q_i = V_i P y = Z g_i, one for each parameter: in level j of its term
    /// `g = D_i u_j + λ D_i' c_j` with u_j = λ'c_j.
    fn working_variates(&self, c: &Stacked) -> Result<Stacked> {
        let structure = &self.model.structure;
        let m = self.coordinates.dim;
        let mut out = Stacked::zeros(structure, m)?;
        for (b, block) in structure.blocks.iter().enumerate() {
            let width = block.width;
            let scores = c.block(structure, b);
            let rows = out.block_mut(structure, b);
            for &(t, offset) in &block.terms {
                let term = &self.coordinates.terms[t];
                let (k, lambda) = (term.k, &self.lambda[t]);
                // D λ' + λ D', applied to c.
                let mut maps = Vec::with_capacity(term.directions.len());
                let (mut first, mut second) = (vec![0.0; k * k], vec![0.0; k * k]);
                for d in &term.directions {
                    small::multiply_transposed(d, lambda, &mut first, k);
                    small::multiply_transposed(lambda, d, &mut second, k);
                    maps.push(
                        first
                            .iter()
                            .zip(&second)
                            .map(|(a, b)| a + b)
                            .collect::<Vec<_>>(),
                    );
                }
                for (level, c) in scores.chunks_exact(width).enumerate() {
                    let c = &c[offset..offset + k];
                    for (i, map) in maps.iter().enumerate() {
                        for a in 0..k {
                            let value: f64 = (0..k).map(|h| map[a + h * k] * c[h]).sum();
                            rows[(level * width + offset + a) * m + term.start + i] = value;
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    fn information(&self, c: &Stacked) -> Result<Matrix> {
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        let n = self.coordinates.dim;
        let q = self.working_variates(c)?;
        let products = multiply(a, structure, &q, self.factor.par)?;
        let total = q.gram(&products);
        let h = q.gram(c);
        let reduced = Reduced::new(&self.factor, a, structure, products);
        let factor = self.scale_df() / self.r2;
        let mut out = Matrix::zeros(n, n, "the information matrix")?;
        for j in 0..n {
            for i in 0..=j {
                let inner = total[i + j * n] - reduced.explained[i + j * n];
                let value = factor * (inner - h[i] * h[j] / self.r2);
                out[(i, j)] = value;
                out[(j, i)] = value;
            }
        }
        Ok(out)
    }
}

impl Objective for LmmObjective<'_> {
    fn dim(&self) -> usize {
        self.coordinates.dim
    }

    fn value(&mut self, theta: &[f64]) -> Result<Option<f64>> {
        if self.reduced.is_some() && self.theta == theta {
            return Ok(Some(self.last_value()));
        }
        (self.monitor)(self.progress)?;
        self.progress.evaluations += 1;
        self.reduced = None;
        self.derivatives = None;
        if theta.iter().any(|t| !t.is_finite()) {
            return Ok(None);
        }
        self.theta = theta.to_vec();
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        self.lambda = self.coordinates.lambda(theta);
        let lambda = self.block_lambda();
        if !self.factor.update(a, structure, lambda)? {
            return Ok(None);
        }
        let response = self.model.response_products.clone();
        let reduced = Reduced::new(&self.factor, a, structure, response);
        self.r2 = self.model.response_square - reduced.explained[0];
        self.reduced = Some(reduced);
        if self.r2 < LITTLE_LEFT * self.model.response_square {
            self.r2 = self.r2_from_rows()?;
        }
        if self.r2.is_nan() || self.r2 <= 0.0 {
            self.reduced = None;
            return Ok(None);
        }
        self.progress.objective = self.last_value();
        Ok(Some(self.progress.objective))
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        if let Some(known) = &self.derivatives {
            return Ok(known.clone());
        }
        let solution = self.solution()?;
        let c = self.scores(&solution)?;
        let selected = self.selected(self.criterion == Criterion::Reml, false)?;
        self.sigma_gradients = self.sigma_gradients(&selected, &c);
        let derivatives = Derivatives {
            gradient: self
                .coordinates
                .gradient(&self.sigma_gradients, &self.lambda),
            information: self.information(&c)?,
            curvature: self.coordinates.curvature(&self.sigma_gradients)?,
        };
        self.derivatives = Some(derivatives.clone());
        Ok(derivatives)
    }

    fn columns(&self) -> Vec<Vec<usize>> {
        self.coordinates.columns()
    }

    fn is_expensive(&self) -> bool {
        self.model.flops() > EXPENSIVE
    }
}
