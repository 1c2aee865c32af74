//! Any design: the fit of [`crate::fit`], without what depends on the rows or the levels.

use crate::error::Result;
use crate::fit::{
    all_explained, coefficients, optimum, unscaled_covariance, Estimates, Fit, Linear, MixedModel,
    Task,
};
use crate::linalg::Matrix;
use crate::many::ResponseFit;
use crate::model::Model;
use crate::objective::{Criterion, Monitor};

/// Fits one response.
pub fn fit(
    model: &Model,
    criterion: Criterion,
    task: &Task<'_>,
    monitor: Monitor<'_>,
) -> Result<ResponseFit> {
    fit_with_covariance(model, criterion, task, monitor).map(|(fit, _)| fit)
}

/// The same with the covariance of the kept coefficients, relative to σ².
pub fn fit_with_covariance(
    model: &Model,
    criterion: Criterion,
    task: &Task<'_>,
    monitor: Monitor<'_>,
) -> Result<(ResponseFit, Matrix)> {
    let linear = Linear { model, criterion };
    if task.held.is_some() {
        return Ok(of_all(model, linear.fit(task, monitor)?));
    }
    let (mut objective, outcome, theta) = optimum(linear, task, monitor)?;
    let scale = model.response.scale;
    let sigma = scale * (objective.r2() / objective.scale_df()).sqrt();
    let beta = coefficients(model, &all_explained(model, &objective.solution()?));
    let covariance = unscaled_covariance(model, &objective);
    let std_errors = std_errors(&covariance, sigma);
    let fit = ResponseFit {
        theta,
        beta: model.expand(&beta),
        std_errors: model.expand(&std_errors),
        sigma,
        objective: objective.last_value(),
        evaluations: outcome.log.entries.len(),
        status: outcome.status,
        covariance: None,
    };
    Ok((fit, covariance))
}

/// Parameters that are held have a criterion of their own, in which sigma is not profiled out.
fn of_all(model: &Model, fit: Fit<Estimates>) -> (ResponseFit, Matrix) {
    let estimates = fit.estimates;
    let errors = std_errors(&estimates.unscaled_covariance, estimates.sigma);
    let found = ResponseFit {
        theta: fit.theta,
        beta: model.expand(&estimates.beta),
        std_errors: model.expand(&errors),
        sigma: estimates.sigma,
        objective: estimates.objective,
        evaluations: fit.outcome.log.entries.len(),
        status: fit.outcome.status,
        covariance: None,
    };
    (found, estimates.unscaled_covariance)
}

/// Roots of the diagonal of a covariance matrix in units of sigma².
pub fn std_errors(covariance: &Matrix, sigma: f64) -> Vec<f64> {
    (0..covariance.rows())
        .map(|j| sigma * covariance[(j, j)].sqrt())
        .collect()
}
