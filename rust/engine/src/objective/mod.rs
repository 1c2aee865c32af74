//! Criteria to minimise over theta, behind one trait.

pub mod glmm;
mod held;
mod hessian;
mod joint;
mod lmm;
pub mod quadrature;

use crate::covariance::Fold;
use crate::error::Result;
use crate::linalg::Matrix;

pub use glmm::GlmmObjective;
pub use held::HeldObjective;
pub use joint::JointObjective;
pub use lmm::{Criterion, LmmObjective};

/// Where a computation stands; handed to the caller before every evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Evaluations done.
    pub evaluations: usize,
    /// Last value, NaN before the first.
    pub objective: f64,
}

/// Told about progress before every evaluation; its error ends the work.
pub type Monitor<'a> = &'a dyn Fn(Progress) -> Result<()>;

/// First and second order information at the last point evaluated.
#[derive(Debug, Clone)]
pub struct Derivatives {
    pub gradient: Vec<f64>,
    /// Average information: positive semi-definite, close to half of the Hessian or all of it.
    pub information: Matrix,
    /// Chain-rule curvature of the covariance factor; indefinite away from an optimum.
    pub curvature: Matrix,
}

/// A smooth criterion of theta. Optimizers, profiles and checks talk to this and to nothing else.
pub trait Objective {
    /// Number of parameters.
    fn dim(&self) -> usize;
    /// Value at theta; `None` where the criterion cannot be computed (theta far too large).
    fn value(&mut self, theta: &[f64]) -> Result<Option<f64>>;
    /// Derivatives at the theta of the last `value` that was `Some`.
    fn derivatives(&mut self) -> Result<Derivatives>;
    /// The gradient alone, at the theta of the last `value` that was `Some`.
    fn gradient(&mut self) -> Result<Vec<f64>> {
        Ok(self.derivatives()?.gradient)
    }
    /// Exact Hessian at the theta of the last `value` that was `Some`.
    fn hessian(&mut self) -> Result<Option<Matrix>>;
    /// Where the criterion is even in some of its parameters.
    fn folds(&self) -> Vec<Fold>;
    /// Covariance matrices that are multiples of the identity, with this standard deviation in the unit
    /// of the coordinates; other parameters where the objective has them by default.
    fn isotropic(&self, sd: f64) -> Vec<f64>;
    /// True when the curvature of [`Derivatives`] leaves out blocks between groups of parameters, so that
    /// secant corrections pay from early on.
    fn has_crude_curvature(&self) -> bool {
        false
    }
    /// True when second derivatives of the covariance matrices still count at an optimum, so that the average
    /// information is a poor model of the Hessian there.
    fn has_lasting_curvature(&self) -> bool {
        false
    }
    /// Where a second search should start when the first has come to theta; `None` where another optimum is
    /// unlikely. In the coordinates before any turn.
    fn opposite(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let _ = theta;
        None
    }
    /// Whether evaluations are so cheap, and several optima so frequent, that a second search is worth its
    /// time.
    fn is_worth_two_searches(&self) -> bool {
        false
    }
    /// Turns the coordinates so that the covariance factors at `theta`, the last point evaluated, are
    /// diagonal, and gives that point in the new ones, to which derivatives now belong. `None` where the
    /// coordinates cannot be turned or need not be.
    fn turn(&mut self, theta: &[f64]) -> Result<Option<Vec<f64>>> {
        let _ = theta;
        Ok(None)
    }
    /// A point in the coordinates before any turn.
    fn unturned(&self, theta: &[f64]) -> Vec<f64> {
        theta.to_vec()
    }
    /// Returns to the coordinates before any turn.
    fn turn_back(&mut self) {}
    /// Newton steps to full precision that are worth their evaluations.
    fn polish_steps(&self) -> usize;
}
