//! The door: fit a model, or look at it at given parameters, in the units of the user. A linear model
//! with its criterion ([`Linear`]) and a generalized one come in by the same trait.

mod conditional;
mod free;
mod generalized;
mod hessian;
mod linear;

pub use conditional::ConditionalVariances;
pub(crate) use free::search;
pub use free::FreeDerivatives;
pub(crate) use generalized::at as generalized_at;
pub use generalized::GlmmEstimates;
pub(crate) use generalized::{engine_coefficients, keeps_user_basis, user_theta, Search};
pub(crate) use linear::{all_explained, coefficients, optimum, unscaled_covariance, Setting};
pub use linear::{Estimates, Linear};

use crate::error::{same_length, Error, Result};
use crate::linalg::Matrix;
use crate::objective::Monitor;
use crate::optimize::{Control, Optimizer, Outcome};
use crate::parameters::Held;

/// A model that can be fitted.
pub trait MixedModel {
    type Estimates;

    /// Fits by maximum likelihood, or by the criterion of the model.
    ///
    /// # Errors
    /// A start or held values of the wrong length or out of their range, parameters that cannot be held
    /// together, a system that cannot be factorised, no memory, and what the monitor says.
    fn fit(&self, task: &Task<'_>, monitor: Monitor<'_>) -> Result<Fit<Self::Estimates>>;

    /// Estimates at given parameters.
    fn evaluate(&self, point: &Point, monitor: Monitor<'_>) -> Result<Self::Estimates>;

    /// Gradient of the objective in the parameters of the user.
    fn gradient(&self, point: &Point, monitor: Monitor<'_>) -> Result<Vec<f64>>;

    /// Its Hessian: exact, or by differences of the exact gradient where there is no formula for the
    /// approximation or no memory for the structure.
    fn hessian(&self, point: &Point, monitor: Monitor<'_>) -> Result<Matrix>;

    /// Derivatives in the parameters that are free when some are held.
    fn free_derivatives(
        &self,
        point: &Point,
        held: &Held,
        monitor: Monitor<'_>,
    ) -> Result<FreeDerivatives>;

    /// Conditional covariances of the random effects, relative to σ² for a linear model.
    fn conditional_variances(
        &self,
        point: &Point,
        monitor: Monitor<'_>,
    ) -> Result<Vec<ConditionalVariances>>;
}

/// How to fit.
#[derive(Debug, Clone, Default)]
pub struct Task<'t> {
    pub optimizer: Optimizer,
    pub start: StartValues,
    pub held: Option<&'t Held>,
    pub control: Control,
}

/// Parameters in the units of the user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    pub theta: Vec<f64>,
    /// Coefficients of the kept columns of X, for generalized models.
    pub beta: Vec<f64>,
    /// 0 without a dispersion; log σ² where σ of a linear model is not profiled out.
    pub log_dispersion: f64,
    /// Linear predictor of a generalized model at the conditional modes, where it is known: the search for
    /// them starts there.
    pub eta: Option<Vec<f64>>,
}

impl Point {
    /// Of a model that has theta alone.
    #[must_use]
    pub fn of_theta(theta: &[f64]) -> Self {
        Self {
            theta: theta.to_vec(),
            ..Self::default()
        }
    }
}

/// What the caller knows of where to start.
#[derive(Debug, Clone, Default)]
pub struct StartValues {
    pub theta: Option<Vec<f64>>,
    /// For generalized models, like the dispersion.
    pub beta: Option<Vec<f64>>,
    pub log_dispersion: Option<f64>,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit<E> {
    pub estimates: E,
    /// Theta in the user's basis.
    pub theta: Vec<f64>,
    /// Exact gradient in the parameters of the user: theta, then for a generalized model the coefficients
    /// unless they are profiled out, and the log dispersion. In the free ones when some are held.
    pub gradient: Vec<f64>,
    /// How the optimisation went; its points are in all parameters of the user.
    pub outcome: Outcome,
    /// Where parameters are held.
    pub free: Option<FreeDerivatives>,
    pub n_factorisations: usize,
}

/// Checks parameters that come from outside.
pub(crate) fn check_values(what: &str, values: &[f64], expected: usize) -> Result<()> {
    same_length(what, expected, values.len())?;
    match values.iter().find(|v| !v.is_finite()) {
        Some(bad) => Err(Error::Domain(format!("{what} holds {bad}"))),
        None => Ok(()),
    }
}
