//! The profiled deviance of a linear mixed model (Bates, Mächler, Bolker & Walker 2015, section 3)
//! and its exact derivatives.
//!
//! With W = Z'V^-1Z (ML) or Z'PZ (REML), c = Z'Py, r² = y'Py, m = n or n - rank(X), the derivative
//! with respect to the relative covariance matrix of a term is
//! `G = Σ_j W_jj - (m/r²) Σ_j c_j c_j'`, and the gradient with respect to λ is `2 G λ`.
//! The curvature model is the average information (Gilmour, Thompson & Cullis 1995) in the
//! parametrisation by λ.

use crate::covariance::Fold;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::model::linear::{LITTLE_LEFT, NOTHING_LEFT};
use crate::model::Model;
use crate::objective::{Derivatives, Monitor, Objective, Progress};
use crate::parameters::{Coordinates, Motion, TurningCoordinates};
use crate::products::accumulate::sum_of_products;
use crate::products::cross_products::CrossProducts;
use crate::products::stacked::Stacked;
use crate::system::{least_squares, spherical, LeastSquares, Slopes, System};

/// Flops of an evaluation above which it is too dear for a polish.
const EXPENSIVE: f64 = 5e7;
/// Steps of the final polish, where evaluations are cheap.
const POLISH: usize = 8;

/// Maximum likelihood or restricted maximum likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    Ml,
    Reml,
}

/// The profiled criterion of one model.
pub struct LmmObjective<'a> {
    pub(super) model: &'a Model,
    pub(super) criterion: Criterion,
    pub(super) coordinates: TurningCoordinates,
    pub(super) solver: Box<dyn LeastSquares + 'a>,
    /// log |det| of the basis of X.
    log_det_basis: f64,
    /// The point of the last evaluation; what follows belongs to it.
    pub(super) theta: Vec<f64>,
    /// Whether the last evaluation came through.
    known: bool,
    /// λ̃ of each term, and λ̃ of each block.
    pub(super) lambda: Vec<Vec<f64>>,
    pub(super) block_lambda: Vec<Vec<f64>>,
    pub(super) r2: f64,
    pub(super) slopes: Slopes,
    derivatives: Option<Derivatives>,
    /// G of each term.
    sigma_gradients: Vec<Vec<f64>>,
    pub(super) monitor: Monitor<'a>,
    pub(super) progress: Progress,
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
            coordinates: coordinates.into(),
            solver: least_squares(model)?,
            log_det_basis: model.fixed.log_det(),
            theta: Vec::new(),
            known: false,
            lambda: Vec::new(),
            block_lambda: Vec::new(),
            r2: 0.0,
            slopes: Slopes::default(),
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
        self.solver.log_determinants().fixed + 2.0 * self.log_det_basis
    }

    /// log |Λ'Z'ZΛ + I|.
    #[must_use]
    pub fn log_det_z(&self) -> f64 {
        self.solver.log_determinants().random
    }

    /// Lower Cholesky factor of X'V^-1X in the basis of the engine.
    #[must_use]
    pub fn x_factor(&self) -> Matrix {
        self.solver.fixed_factor()
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
        self.log_det_z() + log_det_x + m * (1.0 + log_variance) - self.model.log_weights
    }

    /// Whether less is left for the residual at the last point than can be told from nothing.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.known || self.r2 <= NOTHING_LEFT * self.model.response_square
    }

    /// Penalised residual sum of squares at the last point, in the units of the engine.
    #[must_use]
    pub fn r2(&self) -> f64 {
        self.r2
    }

    /// Conditional modes and coefficients at the last point, in the basis of the engine.
    pub fn solution(&mut self) -> Result<Stacked> {
        self.solver.solution()
    }

    /// Z'Py, stacked (its rows of X are zero).
    pub fn scores(&mut self, solution: &Stacked) -> Result<Stacked> {
        if self.little_left() {
            return Ok(self.scores_from_rows(solution)?.0);
        }
        self.solver.scores(solution)
    }

    /// Whether differences of cross-products have lost their digits.
    fn little_left(&self) -> bool {
        self.r2 < LITTLE_LEFT * self.model.response_square
    }

    /// Z'Py and the residual sum of squares from the rows.
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
    fn r2_from_rows(&mut self) -> Result<f64> {
        let structure = &self.model.structure;
        let solution = self.solution()?;
        let (mut c, squares) = self.scores_from_rows(&solution)?;
        spherical(&mut c, structure, &self.block_lambda);
        let penalty: f64 = (0..structure.blocks.len())
            .map(|b| c.block(structure, b))
            .map(|u| sum_of_products(u, u))
            .sum();
        Ok(squares + penalty)
    }

    /// Gradient at the last point with respect to the parameters of other coordinates, of which
    /// `theta` is the same point.
    pub fn gradient_in(&mut self, other: &Coordinates, theta: &[f64]) -> Result<Vec<f64>> {
        self.derivatives()?;
        Ok(other.motion(theta).gradient(&self.sigma_gradients))
    }

    /// The system at the last point.
    pub fn system(&mut self) -> Result<&mut dyn System> {
        self.solver.system()
    }

    pub(super) fn motion(&self) -> Motion<'_> {
        self.coordinates.motion_of(&self.theta, &self.lambda)
    }

    /// Products of the working variates at the last point whose derivatives are known.
    pub(super) fn response_slopes(&self) -> &Slopes {
        &self.slopes
    }

    /// Second derivatives of tr(Σ Σ_j c_j c_j') there.
    pub(super) fn square_curvature(&self) -> Result<Matrix> {
        let squares = self.by_term(&self.slopes.squares);
        self.motion().curvature(&squares)
    }

    /// The part of every term in matrices of the blocks.
    pub(super) fn by_term(&self, blocks: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.coordinates.by_term(&self.model.structure, blocks)
    }
}

impl Objective for LmmObjective<'_> {
    fn dim(&self) -> usize {
        self.coordinates.dim
    }

    fn value(&mut self, theta: &[f64]) -> Result<Option<f64>> {
        if self.known && self.theta == theta {
            return Ok(Some(self.last_value()));
        }
        (self.monitor)(self.progress)?;
        self.progress.evaluations += 1;
        self.known = false;
        self.derivatives = None;
        if theta.iter().any(|t| !t.is_finite()) {
            return Ok(None);
        }
        self.theta = theta.to_vec();
        self.lambda = self.coordinates.lambda(theta);
        self.block_lambda = self
            .coordinates
            .by_block(&self.model.structure, &self.lambda);
        let Some(r2) = self.solver.update(&self.block_lambda)? else {
            return Ok(None);
        };
        self.r2 = r2;
        if self.little_left() {
            self.r2 = self.r2_from_rows()?;
        }
        if self.r2.is_nan() || self.r2 <= 0.0 {
            return Ok(None);
        }
        self.known = true;
        self.progress.objective = self.last_value();
        Ok(Some(self.progress.objective))
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        if let Some(known) = &self.derivatives {
            return Ok(known.clone());
        }
        let scores = if self.little_left() {
            let solution = self.solution()?;
            Some(self.scores_from_rows(&solution)?.0)
        } else {
            None
        };
        let motion = self.coordinates.motion_of(&self.theta, &self.lambda);
        let maps = motion.working_maps(&self.model.structure);
        let joint = self.criterion == Criterion::Reml;
        self.slopes = self.solver.slopes(&maps, joint, scores)?;
        let factor = self.scale_df() / self.r2;
        self.sigma_gradients = self.by_term(&self.slopes.sigma_gradients(factor));
        let n = self.coordinates.dim;
        let derivatives = Derivatives {
            gradient: motion.gradient(&self.sigma_gradients),
            information: Matrix::from_columns(n, n, self.slopes.information(factor, self.r2)),
            curvature: motion.curvature(&self.sigma_gradients)?,
        };
        self.derivatives = Some(derivatives.clone());
        Ok(derivatives)
    }

    fn hessian(&mut self) -> Result<Option<Matrix>> {
        self.exact_hessian()
    }

    fn folds(&self) -> Vec<Fold> {
        self.coordinates.folds()
    }

    fn isotropic(&self, sd: f64) -> Vec<f64> {
        self.coordinates.isotropic(|_| sd)
    }

    /// At an optimum G vanishes in the directions in which the parameters move Σ, and only there.
    fn has_lasting_curvature(&self) -> bool {
        !self.coordinates.is_linear()
    }

    fn opposite(&self, theta: &[f64]) -> Option<Vec<f64>> {
        self.coordinates.opposite(theta)
    }

    fn turn(&mut self, theta: &[f64]) -> Result<Option<Vec<f64>>> {
        let Some(theta) = self.coordinates.turn(theta) else {
            return Ok(None);
        };
        self.known = false;
        self.value(&theta)?;
        Ok(Some(theta))
    }

    fn unturned(&self, theta: &[f64]) -> Vec<f64> {
        self.coordinates.unturned(theta)
    }

    fn turn_back(&mut self) {
        self.known &= !self.coordinates.turn_back();
    }

    fn polish_steps(&self) -> usize {
        if self.model.flops() > EXPENSIVE {
            0
        } else {
            POLISH
        }
    }
}
