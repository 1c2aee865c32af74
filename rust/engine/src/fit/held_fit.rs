//! Fits of linear models with parameters held.

use super::held::{Held, HeldCoordinates};
use super::{default_start, hessian, Estimates, Fit};
use crate::design::Model;
use crate::error::{Error, Result};
use crate::linalg::{dense, Matrix};
use crate::objective::coordinates::to_user;
use crate::objective::{
    Coordinates, Criterion, HeldObjective, JointObjective, LmmObjective, Monitor, Objective, Role,
};
use crate::optimize::{self, Control, LogEntry, Optimizer, Outcome};

/// Derivatives in the free parameters.
#[derive(Debug, Clone)]
pub struct FreeDerivatives {
    pub gradient: Vec<f64>,
    pub hessian: Matrix,
    /// Derivatives of the parameters of the user (rows: theta, then log σ of a linear model, or the
    /// coefficients and the log dispersion of a generalized one) with respect to the free ones.
    pub slopes: Matrix,
}

/// The joint criterion and its parameters.
struct Setting<'a> {
    held: HeldCoordinates,
    objective: JointObjective<'a>,
    roles: Vec<Role>,
}

impl<'a> Setting<'a> {
    fn new(
        model: &'a Model,
        criterion: Criterion,
        held: &Held,
        monitor: Monitor<'a>,
    ) -> Result<Self> {
        let n = model.n_theta();
        let scale = model.response.scale;
        let sigma = match held.sigma {
            Some(sigma) if sigma > 0.0 && sigma.is_finite() => Role::Held((sigma / scale).ln()),
            Some(sigma) => {
                return Err(Error::Domain(format!(
                    "sigma cannot be held at {sigma}: it is positive"
                )))
            }
            None => Role::Free,
        };
        let coordinates = HeldCoordinates::new(model, held, Some((n, scale)))?;
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

    fn enter(&self, model: &Model, theta: &[f64], sigma: f64) -> Result<Vec<f64>> {
        let mut point = self.held.enter(model, theta)?;
        point.push((sigma / model.response.scale).ln());
        Ok(point)
    }
}

/// Fits by ML or REML with these parameters held.
///
/// # Errors
/// Besides those of [`super::fit`]: values out of their range, and parameters that cannot be held
/// together.
pub fn fit_held(
    model: &Model,
    criterion: Criterion,
    optimizer: Optimizer,
    (start, held): (Option<&[f64]>, &Held),
    control: &Control,
    monitor: Monitor<'_>,
) -> Result<(Fit, FreeDerivatives)> {
    let mut setting = Setting::new(model, criterion, held, monitor)?;
    let theta = match start {
        Some(theta) => super::check_theta(model, theta)?.to_vec(),
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
    let outcome = if start.is_empty() {
        nothing_to_search(&mut objective)?
    } else {
        optimize::minimize(optimizer, &mut objective, &start, control)?
    };
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
    let mut estimates = Estimates::new(model, &mut setting.objective.profiled, &theta)?;
    estimates.objective = value;
    estimates.sigma = sigma;
    let outcome = Outcome {
        theta: theta.clone(),
        value,
        status: outcome.status,
        log,
    };
    let fit = Fit {
        theta,
        estimates,
        gradient: free.gradient.clone(),
        outcome,
    };
    Ok((fit, free))
}

/// Derivatives at theta and σ of the user.
pub fn derivatives_held(
    model: &Model,
    criterion: Criterion,
    (theta, sigma): (&[f64], f64),
    held: &Held,
    monitor: Monitor<'_>,
) -> Result<FreeDerivatives> {
    super::check_theta(model, theta)?;
    let mut setting = Setting::new(model, criterion, held, monitor)?;
    let point = setting.enter(model, theta, sigma)?;
    let mut objective = HeldObjective::new(&mut setting.objective, setting.roles.clone());
    let free = objective.restrict(&point);
    if objective.value(&free)?.is_none() {
        return Err(Error::Factorisation {
            theta: theta.to_vec(),
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

/// Everything is held: one evaluation.
pub(super) fn nothing_to_search(objective: &mut dyn Objective) -> Result<Outcome> {
    let mut log = optimize::FitLog::default();
    let value = objective.value(&[])?;
    log.value(&[], value);
    Ok(Outcome {
        theta: Vec::new(),
        value: value.ok_or(Error::Factorisation { theta: Vec::new() })?,
        status: optimize::Status::Converged,
        log,
    })
}
