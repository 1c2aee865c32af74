//! The derivative-free methods of NLopt on an objective: fallbacks by name, and independent checks
//! of the default.

use crate::error::{Error, Result};
use crate::objective::Objective;
use crate::optimize::nlopt::{self, NloptMethod, NloptOptions};
use crate::optimize::{Control, FitLog, Outcome};

/// Evaluations of a search without derivatives that was not limited otherwise; enough for some fifty
/// parameters.
const MOST_EVALUATIONS: usize = 50_000;

const RELATIVE_TOLERANCE: f64 = 1e-12;
const ABSOLUTE_TOLERANCE: f64 = 1e-8;
const STEP_TOLERANCE: f64 = 1e-10;

/// Minimises on one side of every fold.
pub fn minimize(
    method: NloptMethod,
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    let mut lower = vec![f64::NEG_INFINITY; objective.dim()];
    let mut step = vec![1.0; objective.dim()];
    let mut upper = vec![f64::INFINITY; objective.dim()];
    for fold in objective.folds() {
        let pivot = fold.parameters[0];
        let bound = if fold.side > 0.0 {
            &mut lower
        } else {
            &mut upper
        };
        bound[pivot] = fold.at;
        step[pivot] = 0.75;
    }
    let options = NloptOptions {
        ftol_rel: control.tolerance.unwrap_or(RELATIVE_TOLERANCE),
        ftol_abs: ABSOLUTE_TOLERANCE,
        xtol_abs: STEP_TOLERANCE,
        max_evaluations: control.max_evaluations.unwrap_or(MOST_EVALUATIONS),
        deadline: control.deadline,
        initial_step: step,
    };
    let mut log = FitLog::default();
    let mut best: Option<(Vec<f64>, f64)> = None;
    let mut f = |theta: &[f64]| -> Result<f64> {
        let value = objective.value(theta)?;
        log.value(theta, value);
        if let Some(value) = value {
            if best.as_ref().is_none_or(|(_, lowest)| value < *lowest) {
                best = Some((theta.to_vec(), value));
            }
        }
        Ok(value.unwrap_or(f64::INFINITY))
    };
    let status = nlopt::minimize(method, &mut f, start, (&lower, &upper), &options)?;
    let (theta, value) = best.ok_or_else(|| Error::Factorisation {
        theta: start.to_vec(),
    })?;
    Ok(Outcome {
        theta,
        value,
        status,
        log,
    })
}
