//! The door: fit a model, or look at it at a given theta, in the units of the user.

mod estimates;
mod generalized;
mod held;
mod held_fit;
mod hessian;
mod start;

pub(crate) use estimates::{all_explained, coefficients, unscaled_covariance};
pub use estimates::{ConditionalVariances, Estimates};
pub use generalized::{
    conditional_variances_glmm, derivatives_held_glmm, evaluate_glmm, fit_glmm, fit_held_glmm,
    gradient_glmm, hessian_glmm, GlmmEstimates, GlmmFit, Point, StartValues,
};
pub use held::Held;
pub use held_fit::{derivatives_held, fit_held, FreeDerivatives};

use crate::design::Model;
use crate::error::{same_length, Error, Result};
use crate::linalg::Matrix;
use crate::objective::coordinates::{from_user, to_user};
use crate::objective::{Coordinates, Criterion, LmmObjective, Monitor, Objective};
use crate::optimize::{self, Control, LogEntry, Optimizer, Outcome};

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Theta in the user's basis.
    pub theta: Vec<f64>,
    pub estimates: Estimates,
    /// Exact gradient at theta, in the user's basis.
    pub gradient: Vec<f64>,
    /// How the optimisation went; its thetas are in the user's basis too.
    pub outcome: Outcome,
}

/// Fits by ML or REML.
pub fn fit(
    model: &Model,
    criterion: Criterion,
    optimizer: Optimizer,
    start: Option<&[f64]>,
    control: &Control,
    monitor: Monitor<'_>,
) -> Result<Fit> {
    let (mut objective, mut outcome, theta) =
        optimum(model, criterion, optimizer, start, control, monitor)?;
    let engine = Coordinates::engine(&model.design.terms);
    let user = Coordinates::user(&model.design.terms, &model.terms);
    let gradient = objective.gradient_in(&user, &theta)?;
    let estimates = Estimates::new(model, &mut objective, &theta)?;
    for LogEntry { theta, .. } in &mut outcome.log.entries {
        *theta = to_user(&engine, &model.terms, theta);
    }
    outcome.theta.clone_from(&theta);
    Ok(Fit {
        theta,
        estimates,
        gradient,
        outcome,
    })
}

/// The objective as it stands at its optimum, the way there in the basis of the engine, and theta in
/// that of the user.
pub(crate) fn optimum<'a>(
    model: &'a Model,
    criterion: Criterion,
    optimizer: Optimizer,
    start: Option<&[f64]>,
    control: &Control,
    monitor: Monitor<'a>,
) -> Result<(LmmObjective<'a>, Outcome, Vec<f64>)> {
    let engine = Coordinates::engine(&model.design.terms);
    let start = match start {
        Some(theta) => from_user(&engine, &model.terms, check_theta(model, theta)?),
        None => default_start(model, &engine),
    };
    let mut objective = LmmObjective::new(model, criterion, engine.clone(), monitor)?;
    let outcome = optimize::minimize(optimizer, &mut objective, &start, control)?;
    objective.value(&outcome.theta)?;
    if objective.is_exact() {
        return Err(Error::ExactFit);
    }
    let theta = to_user(&engine, &model.terms, &outcome.theta);
    Ok((objective, outcome, theta))
}

/// Estimates at a given theta.
pub fn evaluate(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Estimates> {
    let mut objective = at(model, criterion, theta, monitor)?;
    Estimates::new(model, &mut objective, theta)
}

/// Gradient of the criterion at theta.
pub fn gradient(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Vec<f64>> {
    Ok(at(model, criterion, theta, monitor)?
        .derivatives()?
        .gradient)
}

/// Hessian of the criterion at theta: exact, or by differences of the exact gradient where its
/// dense matrices exceed the memory.
pub fn hessian(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Matrix> {
    hessian::hessian(&mut at(model, criterion, theta, monitor)?, theta)
}

/// Hessian in (theta, log σ) of the criterion with σ not profiled, at the σ that minimises it.
pub fn joint_hessian(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Matrix> {
    let mut objective = at(model, criterion, theta, monitor)?;
    let profiled = hessian::hessian(&mut objective, theta)?;
    objective.value(theta)?;
    objective.joint_hessian(&profiled)
}

/// Hessian by central differences of the exact gradient.
pub fn hessian_by_differences(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Matrix> {
    hessian::by_differences(&mut at(model, criterion, theta, monitor)?, theta)
}

/// Conditional covariances of the random effects at theta, relative to σ².
pub fn conditional_variances(
    model: &Model,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Vec<ConditionalVariances>> {
    let mut objective = at(model, Criterion::Ml, theta, monitor)?;
    estimates::conditional_variances(model, &mut objective)
}

/// The objective in the user's basis, evaluated at theta.
pub(crate) fn at<'a>(
    model: &'a Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'a>,
) -> Result<LmmObjective<'a>> {
    check_theta(model, theta)?;
    let user = Coordinates::user(&model.design.terms, &model.terms);
    let mut objective = LmmObjective::new(model, criterion, user, monitor)?;
    match objective.value(theta)? {
        Some(_) => Ok(objective),
        None => Err(Error::Factorisation {
            theta: theta.to_vec(),
        }),
    }
}

/// λ̃ a multiple of the identity in every block: by the method of moments, or the identity.
fn default_start(model: &Model, engine: &Coordinates) -> Vec<f64> {
    let scales = start::block_scales(model);
    let scale = |t| {
        let (block, _) = model.structure.place(t);
        scales.as_ref().map_or(1.0, |s| s[block])
    };
    engine.isotropic(scale)
}

fn check_theta<'t>(model: &Model, theta: &'t [f64]) -> Result<&'t [f64]> {
    check_values("theta", theta, model.n_theta())?;
    Ok(theta)
}

/// Checks parameters that come from outside.
pub(crate) fn check_values(what: &str, values: &[f64], expected: usize) -> Result<()> {
    same_length(what, expected, values.len())?;
    match values.iter().find(|v| !v.is_finite()) {
        Some(bad) => Err(Error::Domain(format!("{what} holds {bad}"))),
        None => Ok(()),
    }
}
