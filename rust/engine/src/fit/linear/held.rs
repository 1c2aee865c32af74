//! Fits of linear models with parameters held.

use super::{default_start, Estimates, Linear};
use crate::error::{Error, Result};
use crate::fit::free::search;
use crate::fit::{hessian, Fit, FreeDerivatives, Point, Task};
use crate::linalg::{dense, Matrix};
use crate::model::Model;
use crate::objective::{HeldObjective, JointObjective, LmmObjective, Monitor, Objective};
use crate::optimize::{LogEntry, Outcome};
use crate::parameters::coordinates::to_user;
use crate::parameters::{Coordinates, Held, HeldCoordinates, Role};

/// The joint criterion and its parameters.
pub(crate) struct Setting<'a> {
    pub held: HeldCoordinates,
    pub objective: JointObjective<'a>,
    /// Of theta, and of log σ at the end.
    pub roles: Vec<Role>,
}

impl<'a> Setting<'a> {
    pub fn new(linear: Linear<'a>, held: &Held, monitor: Monitor<'a>) -> Result<Self> {
        let Linear { model, criterion } = linear;
        let n = model.n_theta();
        let scale = model.response.scale;
        let sigma = match held.sigma {
            Some(sigma) if sigma > 0.0 && sigma.is_finite() => Role::Held((sigma / scale).ln()),
            Some(sigma) => {
                return Err(Error::Domain(format!(
                    "sigma cannot be held at {sigma}: it must be positive and finite"
                )))
            }
            None => Role::Free,
        };
        let coordinates = HeldCoordinates::new(model, held, Some((n, scale)), false)?;
        let mut roles = coordinates.roles.clone();
        roles.push(sigma);
        let profiled =
            LmmObjective::new(model, criterion, coordinates.coordinates.clone(), monitor)?;
        Ok(Self {
            held: coordinates,
            objective: JointObjective::new(profiled),
            roles,
        })
    }

    pub fn enter(&self, model: &Model, theta: &[f64], sigma: f64) -> Result<Vec<f64>> {
        let mut point = self.held.enter(model, theta)?;
        point.push((sigma / model.response.scale).ln());
        Ok(point)
    }
}

/// Fits with these parameters held.
pub fn fit<'m>(
    linear: Linear<'m>,
    task: &Task<'_>,
    held: &Held,
    monitor: Monitor<'m>,
) -> Result<Fit<Estimates>> {
    let model = linear.model;
    let mut setting = Setting::new(linear, held, monitor)?;
    let theta = match &task.start.theta {
        Some(theta) => {
            linear.check_theta(theta)?;
            theta.clone()
        }
        None => {
            let engine = Coordinates::engine(&model.design.terms);
            to_user(&engine, &model.terms, &default_start(model, &engine))
        }
    };
    let df = (model.n_obs() - model.structure.rank).max(1) as f64;
    let sigma = model.response.scale * (model.response_square / df).sqrt();
    let start = setting.enter(model, &theta, sigma)?;
    let mut objective = HeldObjective::new(&mut setting.objective, setting.roles.clone());
    let start = objective.restrict(&start);
    let outcome = search(task.optimizer, &mut objective, &start, &task.control)?;
    objective.value(&outcome.theta)?;
    let user = |free: &[f64], objective: &HeldObjective<'_>| -> Result<Vec<f64>> {
        let point = objective.expand(free);
        setting.held.leave(model, &point[..point.len() - 1])
    };
    let point = objective.expand(&outcome.theta);
    let theta = user(&outcome.theta, &objective)?;
    let mut log = outcome.log;
    for LogEntry { theta, .. } in &mut log.entries {
        *theta = user(theta, &objective)?;
    }
    let free = free_derivatives(&mut objective, &outcome.theta, &setting.held, model)?;
    let sigma = point[point.len() - 1].exp() * model.response.scale;
    let value = setting.objective.last_value();
    let estimates_sigma = setting.roles.last() == Some(&Role::Free);
    if estimates_sigma && setting.objective.profiled.is_exact() {
        return Err(Error::ExactFit);
    }
    let mut estimates = Estimates::new(model, &mut setting.objective.profiled, &theta)?;
    estimates.objective = value;
    estimates.sigma = sigma;
    let outcome = Outcome {
        theta: theta.clone(),
        value,
        status: outcome.status,
        log,
    };
    Ok(Fit {
        theta,
        estimates,
        gradient: free.gradient.clone(),
        n_factorisations: outcome.log.entries.len(),
        outcome,
        free: Some(free),
    })
}

/// Derivatives at theta and σ of the user.
pub fn derivatives<'m>(
    linear: Linear<'m>,
    point: &Point,
    held: &Held,
    monitor: Monitor<'m>,
) -> Result<FreeDerivatives> {
    let (model, theta) = (linear.model, &point.theta);
    linear.check_theta(theta)?;
    let mut setting = Setting::new(linear, held, monitor)?;
    let sigma = (0.5 * point.log_dispersion).exp();
    if !(sigma > 0.0 && sigma.is_finite()) {
        return Err(Error::Domain(format!(
            "sigma must be positive and finite, not {sigma}"
        )));
    }
    let point = setting.enter(model, theta, sigma)?;
    let mut objective = HeldObjective::new(&mut setting.objective, setting.roles.clone());
    let free = objective.restrict(&point);
    if objective.value(&free)?.is_none() {
        return Err(Error::Factorisation {
            theta: theta.clone(),
        });
    }
    free_derivatives(&mut objective, &free, &setting.held, model)
}

fn free_derivatives(
    objective: &mut HeldObjective<'_>,
    free: &[f64],
    held: &HeldCoordinates,
    model: &Model,
) -> Result<FreeDerivatives> {
    let gradient = objective.gradient()?;
    let hessian = hessian::hessian(objective, free)?;
    objective.value(free)?;
    let point = objective.expand(free);
    let n = point.len() - 1;
    let own = held.slopes(model, &point[..n])?;
    let mut wider = Matrix::zeros(n + 1, n + 1, "the derivatives of theta")?;
    for j in 0..n {
        wider.column_mut(j)[..n].copy_from_slice(own.column(j));
    }
    wider[(n, n)] = 1.0;
    Ok(FreeDerivatives {
        gradient,
        hessian,
        slopes: dense::product(&wider, &objective.slopes()?)?,
    })
}
