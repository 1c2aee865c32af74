//! Any design: the fit of [`crate::fit`], without what depends on the rows or the levels.

use crate::error::Result;
use crate::fit::{
    all_explained, coefficients, optimum, unscaled_covariance, Linear, StartValues, Task,
};
use crate::many::ResponseFit;
use crate::model::Model;
use crate::objective::{Criterion, Monitor};
use crate::optimize::Control;

/// Fits one response by the default optimizer, from this theta or from a start of its own.
pub fn fit(
    model: &Model,
    criterion: Criterion,
    start: Option<&[f64]>,
    control: &Control,
    monitor: Monitor<'_>,
) -> Result<ResponseFit> {
    let task = Task {
        control: *control,
        start: StartValues {
            theta: start.map(<[f64]>::to_vec),
            ..StartValues::default()
        },
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
