//! Generalized models.

mod estimates;
mod held;
mod search;
mod units;

use crate::error::{Error, Result};
use crate::fit::hessian::{by_differences, column, symmetric};
use crate::fit::{
    check_values, ConditionalVariances, Fit, FreeDerivatives, MixedModel, Point, StartValues, Task,
};
use crate::linalg::threads::{map, MANY_ROWS};
use crate::linalg::Matrix;
use crate::model::GeneralizedModel;
use crate::objective::{GlmmObjective, Monitor, Objective};
use crate::optimize;
use crate::parameters::{AffineNumber, AffineVector, Coordinates, Held, ParameterVector};
use estimates::estimates;
pub(crate) use search::Search;
pub(crate) use units::{engine_coefficients, keeps_user_basis, user_theta};
use units::{to_user_coefficients, user_gradient, user_values};

/// Bytes of a system that every thread may have for itself.
const SMALL: f64 = 5e7;

/// Rows times parameters from which on threads save more than they cost.
const WORTH_THREADS: usize = 10_000;

/// Everything that follows from the parameters.
#[derive(Debug, Clone)]
pub struct GlmmEstimates {
    pub point: Point,
    /// -2 log-likelihood by the approximation of the model.
    pub objective: f64,
    /// log |M|.
    pub log_det_z: f64,
    /// |u|².
    pub penalty: f64,
    /// Covariance of the coefficients given theta and the dispersion, kept columns.
    pub conditional_covariance: Matrix,
    /// Conditional modes of each term, levels × k, row-major.
    pub b: Vec<Vec<f64>>,
    pub u: Vec<Vec<f64>>,
    /// Linear predictor with offset and random effects.
    pub eta: Vec<f64>,
}

impl MixedModel for GeneralizedModel {
    type Estimates = GlmmEstimates;

    fn fit(&self, task: &Task<'_>, monitor: Monitor<'_>) -> Result<Fit<GlmmEstimates>> {
        if let Some(held) = task.held {
            return held::fit(self, task, held, monitor);
        }
        let Search {
            parameters,
            start,
            gamma,
        } = Search::new(self, &task.start)?;
        let mut objective = GlmmObjective::new(self, parameters, gamma, monitor)?;
        let mut outcome = optimize::minimize(task.optimizer, &mut objective, &start, &task.control)
            .map_err(|error| explained(error, &objective))?;
        if !settle(&mut objective, &outcome.theta, &start)? {
            return Err(no_modes(&objective));
        }
        let parameters = objective.parameters.clone();
        let theta = user_theta(self, &parameters, &outcome.theta);
        let gradient = user_gradient(&mut objective, &theta)?;
        let estimates = estimates(&mut objective, theta.clone(), &outcome.theta)?;
        for entry in &mut outcome.log.entries {
            entry.theta = user_values(self, &parameters, &entry.theta);
        }
        outcome.value = estimates.objective;
        outcome.theta = user_values(self, &parameters, &outcome.theta);
        Ok(Fit {
            n_factorisations: objective.modes.n_factorisations,
            theta,
            estimates,
            gradient,
            outcome,
            free: None,
        })
    }

    fn evaluate(&self, point: &Point, monitor: Monitor<'_>) -> Result<GlmmEstimates> {
        let (mut objective, values) = at(self, point, monitor)?;
        estimates(&mut objective, point.theta.clone(), &values)
    }

    fn gradient(&self, point: &Point, monitor: Monitor<'_>) -> Result<Vec<f64>> {
        let (mut objective, _) = at(self, point, monitor)?;
        user_gradient(&mut objective, &point.theta)
    }

    fn hessian(&self, point: &Point, monitor: Monitor<'_>) -> Result<Matrix> {
        let (mut objective, values) = at(self, point, monitor)?;
        let mut hessian = match objective.exact_hessian()? {
            Some(exact) => exact,
            None => differences(&mut objective, &values)?,
        };
        if objective.parameters.fixed.is_some() {
            to_user_coefficients(self, &mut hessian)?;
        }
        Ok(hessian)
    }

    fn free_derivatives(
        &self,
        point: &Point,
        held: &Held,
        monitor: Monitor<'_>,
    ) -> Result<FreeDerivatives> {
        held::derivatives(self, point, held, monitor)
    }

    fn conditional_variances(
        &self,
        point: &Point,
        monitor: Monitor<'_>,
    ) -> Result<Vec<ConditionalVariances>> {
        let (mut objective, _) = at(self, point, monitor)?;
        let diagonals = objective.system().system_mut().conditional_covariances()?;
        Ok(ConditionalVariances::of_blocks(self.frame(), diagonals))
    }
}

/// Evaluates at the end of a search with modes as exact as can be. False where there are none.
fn settle(objective: &mut GlmmObjective<'_>, end: &[f64], start: &[f64]) -> Result<bool> {
    objective.tighten();
    if objective.value(end)?.is_some() {
        return Ok(true);
    }
    // Where rounding hides the last digits of the modes, those of the search must do.
    objective.loosen();
    if objective.value(end)?.is_some() {
        return Ok(true);
    }
    // From the modes of another search there may be no way to those of this one.
    objective.value(start)?;
    Ok(objective.value(end)?.is_some())
}

/// By differences of the exact gradient; threads share the parameters of a model that they can afford
/// to hold once each.
fn differences(objective: &mut GlmmObjective<'_>, values: &[f64]) -> Result<Matrix> {
    let model = objective.model;
    let is_small = model.frame().costs.bytes().total() < SMALL && model.n_obs() < MANY_ROWS;
    if !is_small || model.n_obs() * values.len() < WORTH_THREADS {
        return by_differences(objective, values);
    }
    let here = objective.derivatives()?;
    let found = objective.found();
    let each: Vec<usize> = (0..values.len()).collect();
    let columns = map(&each, |&j| {
        let mut twin = GlmmObjective::at_modes(model, &found, &|_| Ok(()))?;
        column(&mut twin, &here, values, j)
    });
    Ok(symmetric(&columns.into_iter().collect::<Result<Vec<_>>>()?))
}

fn check_start(model: &GeneralizedModel, start: &StartValues) -> Result<()> {
    if let Some(theta) = &start.theta {
        check_values("theta", theta, model.n_theta())?;
    }
    if let Some(beta) = &start.beta {
        check_values("beta", beta, model.rank())?;
    }
    match start.log_dispersion {
        Some(value) => check_values("the log dispersion", &[value], 1),
        None => Ok(()),
    }
}

/// The objective in the parameters of the user (coefficients in the basis of the engine), evaluated.
pub(crate) fn at<'a>(
    model: &'a GeneralizedModel,
    point: &Point,
    monitor: Monitor<'a>,
) -> Result<(GlmmObjective<'a>, Vec<f64>)> {
    check_start(
        model,
        &StartValues {
            theta: Some(point.theta.clone()),
            beta: Some(point.beta.clone()),
            log_dispersion: Some(point.log_dispersion),
        },
    )?;
    let frame = model.frame();
    let profiled = model.n_free_coefficients() == 0;
    let gamma = engine_coefficients(model, &point.beta);
    let parameters = ParameterVector {
        theta: Coordinates::user(&frame.design.terms, &frame.terms).into(),
        fixed: (!profiled).then(|| AffineVector::identity(model.rank())),
        dispersion: model.family.has_dispersion().then_some(AffineNumber {
            origin: 0.0,
            unit: 1.0,
        }),
    };
    let mut values = point.theta.clone();
    if !profiled {
        values.extend_from_slice(&gamma);
    }
    if model.family.has_dispersion() {
        values.push(point.log_dispersion);
    }
    let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
    objective.tighten();
    if let Some(eta) = &point.eta {
        objective.begin_at(eta, point.log_dispersion)?;
    }
    match objective.value(&values)? {
        Some(_) => Ok((objective, values)),
        None => Err(no_modes(&objective)),
    }
}

fn no_modes(objective: &GlmmObjective<'_>) -> Error {
    Error::Modes {
        reason:
            "penalised iteratively reweighted least squares does not converge at these parameters"
                .into(),
        row: objective.modes.worst_row(),
    }
}

/// A start at which the objective cannot be computed is a matter of the modes here.
fn explained(error: Error, objective: &GlmmObjective<'_>) -> Error {
    match error {
        Error::Factorisation { .. } => no_modes(objective),
        other => other,
    }
}
