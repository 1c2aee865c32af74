//! What fits of linear and of generalized models with parameters held have in common.

use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::objective::Objective;
use crate::optimize::{minimize, Control, FitLog, Optimizer, Outcome, Status};

/// Derivatives in the free parameters.
#[derive(Debug, Clone)]
pub struct FreeDerivatives {
    pub gradient: Vec<f64>,
    pub hessian: Matrix,
    /// Derivatives of the parameters of the user (rows: theta, then log σ of a linear model, or the
    /// coefficients and the log dispersion of a generalized one) with respect to the free ones.
    pub slopes: Matrix,
}

/// Minimises, or evaluates where nothing is free.
pub(crate) fn search(
    optimizer: Optimizer,
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    if !start.is_empty() {
        return minimize(optimizer, objective, start, control);
    }
    let mut log = FitLog::default();
    let value = objective.value(&[])?;
    log.value(&[], value);
    Ok(Outcome {
        theta: Vec::new(),
        value: value.ok_or(Error::Factorisation { theta: Vec::new() })?,
        status: Status::Converged,
        log,
    })
}
