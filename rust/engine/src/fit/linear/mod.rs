//! Linear models.

mod estimates;
mod held;
mod start;

pub use estimates::Estimates;
pub(crate) use estimates::{all_explained, coefficients, unscaled_covariance};
pub(crate) use held::Setting;

use crate::error::{Error, Result};
use crate::fit::{
    check_values, hessian, ConditionalVariances, Fit, FreeDerivatives, MixedModel, Point, Task,
};
use crate::linalg::Matrix;
use crate::model::Model;
use crate::objective::{Criterion, LmmObjective, Monitor, Objective};
use crate::optimize::{self, LogEntry, Outcome};
use crate::parameters::coordinates::{from_user, to_user};
use crate::parameters::{Coordinates, Held};

/// A linear model and the criterion it is fitted by; σ is profiled out.
#[derive(Debug, Clone, Copy)]
pub struct Linear<'m> {
    pub model: &'m Model,
    pub criterion: Criterion,
}

impl MixedModel for Linear<'_> {
    type Estimates = Estimates;

    fn fit(&self, task: &Task<'_>, monitor: Monitor<'_>) -> Result<Fit<Estimates>> {
        if let Some(held) = task.held {
            return held::fit(*self, task, held, monitor);
        }
        let model = self.model;
        let (mut objective, mut outcome, theta) = optimum(*self, task, monitor)?;
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
            n_factorisations: outcome.log.entries.len(),
            outcome,
            free: None,
        })
    }

    fn evaluate(&self, point: &Point, monitor: Monitor<'_>) -> Result<Estimates> {
        let mut objective = self.at(&point.theta, monitor)?;
        Estimates::new(self.model, &mut objective, &point.theta)
    }

    fn gradient(&self, point: &Point, monitor: Monitor<'_>) -> Result<Vec<f64>> {
        Ok(self.at(&point.theta, monitor)?.derivatives()?.gradient)
    }

    fn hessian(&self, point: &Point, monitor: Monitor<'_>) -> Result<Matrix> {
        hessian::hessian(&mut self.at(&point.theta, monitor)?, &point.theta)
    }

    fn free_derivatives(
        &self,
        point: &Point,
        held: &Held,
        monitor: Monitor<'_>,
    ) -> Result<FreeDerivatives> {
        held::derivatives(*self, point, held, monitor)
    }

    fn conditional_variances(
        &self,
        point: &Point,
        monitor: Monitor<'_>,
    ) -> Result<Vec<ConditionalVariances>> {
        let mut objective = self.at(&point.theta, monitor)?;
        let diagonals = objective.system()?.conditional_covariances()?;
        Ok(ConditionalVariances::of_blocks(self.model, diagonals))
    }
}

impl<'m> Linear<'m> {
    /// Hessian in (theta, log σ) with σ not profiled, at the σ that minimises the criterion.
    pub fn joint_hessian(&self, theta: &[f64], monitor: Monitor<'_>) -> Result<Matrix> {
        let mut objective = self.at(theta, monitor)?;
        let profiled = hessian::hessian(&mut objective, theta)?;
        objective.value(theta)?;
        objective.joint_hessian(&profiled)
    }

    /// The objective in the user's basis, evaluated at theta.
    pub(crate) fn at(self, theta: &[f64], monitor: Monitor<'m>) -> Result<LmmObjective<'m>> {
        self.check_theta(theta)?;
        let user = Coordinates::user(&self.model.design.terms, &self.model.terms);
        let mut objective = LmmObjective::new(self.model, self.criterion, user, monitor)?;
        match objective.value(theta)? {
            Some(_) => Ok(objective),
            None => Err(Error::Factorisation {
                theta: theta.to_vec(),
            }),
        }
    }

    fn check_theta(&self, theta: &[f64]) -> Result<()> {
        check_values("theta", theta, self.model.n_theta())
    }
}

/// The objective as it stands at its optimum, the way there in the basis of the engine, and theta in
/// that of the user.
pub(crate) fn optimum<'m>(
    linear: Linear<'m>,
    task: &Task<'_>,
    monitor: Monitor<'m>,
) -> Result<(LmmObjective<'m>, Outcome, Vec<f64>)> {
    let model = linear.model;
    let engine = Coordinates::engine(&model.design.terms);
    let start = match &task.start.theta {
        Some(theta) => {
            linear.check_theta(theta)?;
            from_user(&engine, &model.terms, theta)
        }
        None => default_start(model, &engine),
    };
    let mut objective = LmmObjective::new(model, linear.criterion, engine.clone(), monitor)?;
    let outcome = optimize::minimize(task.optimizer, &mut objective, &start, &task.control)?;
    objective.value(&outcome.theta)?;
    if objective.is_exact() {
        return Err(Error::ExactFit);
    }
    let theta = to_user(&engine, &model.terms, &outcome.theta);
    Ok((objective, outcome, theta))
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
