//! Fits of generalized models with parameters held.

use super::search::Search;
use super::units::{engine_coefficients, keeps_user_basis, to_user_coefficients_at, user_theta};
use super::{check_start, estimates::estimates, explained, no_modes, settle, GlmmEstimates};
use crate::error::{Error, Result};
use crate::fit::free::search;
use crate::fit::hessian::by_differences;
use crate::fit::{Fit, FreeDerivatives, Point, StartValues, Task};
use crate::linalg::{dense, Matrix};
use crate::model::GeneralizedModel;
use crate::objective::{GlmmObjective, HeldObjective, Monitor, Objective};
use crate::parameters::{AffineNumber, AffineVector, Held, HeldCoordinates, ParameterVector, Role};

fn check_sigma(held: &Held) -> Result<()> {
    if held.sigma.is_none() {
        return Ok(());
    }
    Err(Error::Domain(
        "a generalized model has no sigma to hold: its dispersion belongs to its family".into(),
    ))
}

/// What becomes of theta, the coefficients and the dispersion.
fn roles(coordinates: &HeldCoordinates, parameters: &ParameterVector) -> Vec<Role> {
    let mut roles = coordinates.roles.clone();
    roles.resize(parameters.dim(), Role::Free);
    roles
}

/// Fits with these parameters held.
pub fn fit(
    model: &GeneralizedModel,
    task: &Task<'_>,
    held: &Held,
    monitor: Monitor<'_>,
) -> Result<Fit<GlmmEstimates>> {
    check_sigma(held)?;
    let frame = model.frame();
    let coordinates = HeldCoordinates::new(frame, held, None, keeps_user_basis(model))?;
    let Search {
        mut parameters,
        mut start,
        gamma,
    } = Search::new(model, &task.start)?;
    let theta = coordinates.enter(frame, &user_theta(model, &parameters, &start))?;
    start[..theta.len()].copy_from_slice(&theta);
    parameters.theta = coordinates.coordinates.clone().into();
    let roles = roles(&coordinates, &parameters);
    let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
    let mut free = HeldObjective::new(&mut objective, roles);
    let free_start = free.restrict(&start);
    let found = search(task.optimizer, &mut free, &free_start, &task.control);
    let mut log_points = Vec::new();
    let (end, begin) = (
        found
            .as_ref()
            .map(|o| free.expand(&o.theta))
            .unwrap_or_default(),
        free.expand(&free_start),
    );
    if let Ok(outcome) = &found {
        let entries = outcome.log.entries.iter();
        log_points = entries.map(|entry| free.expand(&entry.theta)).collect();
    }
    let mut outcome = found.map_err(|error| explained(error, &objective))?;
    if !settle(&mut objective, &end, &begin)? {
        return Err(no_modes(&objective));
    }
    let parameters = objective.parameters.clone();
    let user = |point: &[f64]| coordinates.leave(frame, parameters.theta(point));
    let estimates = estimates(&mut objective, user(&end)?, &end)?;
    let user_values = |point: &[f64]| -> Result<Vec<f64>> {
        let mut out = user(point)?;
        if let Some(gamma) = parameters.gamma(point) {
            out.extend(frame.fixed.solve(gamma, 1));
        }
        if parameters.dispersion.is_some() {
            out.push(parameters.log_dispersion(point));
        }
        Ok(out)
    };
    for (entry, point) in outcome.log.entries.iter_mut().zip(&log_points) {
        entry.theta = user_values(point)?;
    }
    outcome.value = estimates.objective;
    outcome.theta = user_values(&end)?;
    let derivatives = self::derivatives(
        model,
        &Point {
            eta: Some(estimates.eta.clone()),
            ..estimates.point.clone()
        },
        held,
        monitor,
    )?;
    Ok(Fit {
        n_factorisations: objective.modes.n_factorisations,
        theta: estimates.point.theta.clone(),
        estimates,
        gradient: derivatives.gradient.clone(),
        outcome,
        free: Some(derivatives),
    })
}

/// Derivatives in the free parameters of theta, the coefficients of the user and the log dispersion.
pub fn derivatives(
    model: &GeneralizedModel,
    point: &Point,
    held: &Held,
    monitor: Monitor<'_>,
) -> Result<FreeDerivatives> {
    check_start(
        model,
        &StartValues {
            theta: Some(point.theta.clone()),
            beta: Some(point.beta.clone()),
            log_dispersion: Some(point.log_dispersion),
        },
    )?;
    check_sigma(held)?;
    let frame = model.frame();
    let coordinates = HeldCoordinates::new(frame, held, None, keeps_user_basis(model))?;
    let profiled = model.n_free_coefficients() == 0;
    let gamma = engine_coefficients(model, &point.beta);
    let parameters = ParameterVector {
        theta: coordinates.coordinates.clone().into(),
        fixed: (!profiled).then(|| AffineVector::identity(model.rank())),
        dispersion: model.family.has_dispersion().then_some(AffineNumber {
            origin: 0.0,
            unit: 1.0,
        }),
    };
    let mut values = coordinates.enter(frame, &point.theta)?;
    let n_theta = values.len();
    if !profiled {
        values.extend_from_slice(&gamma);
    }
    if model.family.has_dispersion() {
        values.push(point.log_dispersion);
    }
    let roles = roles(&coordinates, &parameters);
    let own = coordinates.slopes(frame, &values[..n_theta])?;
    let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
    objective.tighten();
    if let Some(eta) = &point.eta {
        objective.begin_at(eta, point.log_dispersion)?;
    }
    let is_free = |role: &&Role| **role == Role::Free;
    let n_free_theta = roles[..n_theta].iter().filter(is_free).count();
    let mut free = HeldObjective::new(&mut objective, roles);
    let at = free.restrict(&values);
    if free.value(&at)?.is_none() {
        return Err(no_modes(&objective));
    }
    let mut gradient = free.gradient()?;
    let mut hessian = by_differences(&mut free, &at)?;
    let mut all = Matrix::zeros(values.len(), values.len(), "the derivatives of theta")?;
    for j in 0..values.len() {
        if j < n_theta {
            all.column_mut(j)[..n_theta].copy_from_slice(own.column(j));
        } else {
            all[(j, j)] = 1.0;
        }
    }
    free.value(&at)?;
    let slopes = dense::product(&all, &free.slopes()?)?;
    if !profiled {
        to_user_coefficients_at(model, n_free_theta, &mut gradient, &mut hessian)?;
    }
    Ok(FreeDerivatives {
        gradient,
        hessian,
        slopes,
    })
}
