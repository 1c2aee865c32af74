//! Any design: the fit of [`crate::fit`], without what depends on the rows or the levels.

use crate::design::Model;
use crate::error::Result;
use crate::fit::{all_explained, coefficients, optimum, unscaled_covariance, Linear, Task};
use crate::many::ResponseFit;
use crate::objective::{Criterion, Monitor};
use crate::optimize::Control;

/// Fits one response by the default optimizer.
pub fn fit(
    model: &Model,
    criterion: Criterion,
    control: &Control,
    monitor: Monitor<'_>,
) -> Result<ResponseFit> {
    let task = Task {
        control: *control,
        ..Task::default()
    };
    let (mut objective, outcome, theta) = optimum(Linear { model, criterion }, &task, monitor)?;
    let scale = model.response.scale;
    let sigma = scale * (objective.r2() / objective.scale_df()).sqrt();
    let beta = coefficients(model, &all_explained(model, &objective.solution()?));
    let covariance = unscaled_covariance(model, &objective);
    let std_errors: Vec<f64> = (0..beta.len())
        .map(|j| sigma * covariance[(j, j)].sqrt())
        .collect();
    Ok(ResponseFit {
        theta,
        beta: model.expand(&beta),
        std_errors: model.expand(&std_errors),
        sigma,
        objective: objective.last_value(),
        evaluations: outcome.log.entries.len(),
        status: outcome.status,
    })
}
