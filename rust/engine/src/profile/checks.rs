//! That inputs fit the model and each other.

use super::hold::{Origin, Parameter};
use super::Task;
use crate::error::{same_length, Error, Result};
use crate::fit::Point;
use crate::model::Frame;

/// A point has a value for every parameter of the model.
pub fn point(frame: &Frame, point: &Point) -> Result<()> {
    let terms = frame.design.terms.iter();
    let n_theta = terms.map(|t| t.covariance.n_parameters(t.k)).sum();
    same_length("theta", n_theta, point.theta.len())?;
    same_length("beta", frame.fixed.kept.len(), point.beta.len())?;
    if let Some(eta) = &point.eta {
        same_length("eta", frame.design.n_obs(), eta.len())?;
    }
    let all = point.theta.iter().chain(&point.beta);
    all.chain([&point.log_dispersion])
        .try_for_each(|&v| finite("a parameter of the point", v))
}

pub fn minimum(origin: &Origin) -> Result<()> {
    finite("the objective at the minimum", origin.objective)
}

/// No parameter is held twice.
pub fn parameters(parameters: &[Parameter]) -> Result<()> {
    let mut known = parameters.iter().enumerate();
    if known.any(|(i, own)| parameters[..i].contains(own)) {
        return Err(Error::Domain("a parameter is held twice".into()));
    }
    Ok(())
}

/// Every parameter that is held has a value.
pub fn values(parameters: &[Parameter], values: &[f64]) -> Result<()> {
    same_length("a point of a chain", parameters.len(), values.len())?;
    let mut pairs = parameters.iter().zip(values);
    pairs.try_for_each(|(parameter, &value)| {
        finite("a value that is held", value)?;
        let positive = matches!(parameter, Parameter::Sigma | Parameter::Dispersion);
        if positive && value <= 0.0 {
            return Err(Error::Domain(format!(
                "a scale cannot be held at {value}: it is positive"
            )));
        }
        Ok(())
    })
}

/// The walk has a way to go.
pub fn task(task: &Task) -> Result<()> {
    finite("the unit of a walk", task.unit)?;
    let (lower, upper) = task.range;
    let is_range = lower < upper;
    if task.unit <= 0.0 || !is_range {
        return Err(Error::Domain(
            "a walk needs a positive unit and a range from its lower to its upper end".into(),
        ));
    }
    let goals = || task.goals.iter().map(|goal| goal.zeta);
    goals().try_for_each(|z| finite("a goal", z))?;
    let first = goals().next().is_none_or(|z| z > 0.0);
    if !first || !goals().zip(goals().skip(1)).all(|(a, b)| a < b) {
        return Err(Error::Domain(
            "the goals of a walk must be positive and ascend".into(),
        ));
    }
    Ok(())
}

fn finite(what: &str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Domain(format!("{what} must be finite, not {value}")))
}
