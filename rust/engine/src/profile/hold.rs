//! What a walk needs of a model: its criterion with parameters held.

use crate::error::{Error, Result};
use crate::fit::{search, Point};
use crate::objective::{HeldObjective, Objective};
use crate::optimize::{Control, Optimizer, Status};
use crate::parameters::Role;

/// A parameter that can be profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Standard deviation or correlation of a random-effects term, in absolute units.
    Natural { term: usize, index: usize },
    /// Residual standard deviation of a linear model.
    Sigma,
    /// Dispersion of a family.
    Dispersion,
    /// Coefficient, counted among the kept columns of X.
    Coefficient(usize),
}

/// The minimum of the criterion.
#[derive(Debug, Clone)]
pub struct Origin {
    pub point: Point,
    pub objective: f64,
    /// Standard errors of the coefficients, or about.
    pub std_errors: Vec<f64>,
}

/// The minimum with parameters held.
#[derive(Debug, Clone)]
pub struct Constrained {
    pub objective: f64,
    /// Derivatives of the minimum in the parameters that are held; NaN where they are not known.
    pub slopes: Vec<f64>,
    /// The free parameters, to start from at another point.
    pub free: Vec<f64>,
    /// All parameters of the user; log σ² of a linear model.
    pub point: Point,
    pub converged: bool,
}

/// The criterion of a model with some parameters held.
pub trait Hold {
    /// Of the parameters that are held, where nothing is.
    fn estimates(&self) -> Vec<f64>;
    /// The free parameters there.
    fn start(&self) -> Vec<f64>;
    /// The minimum with these values, sought from these free parameters; `None` where the criterion cannot
    /// be computed.
    fn at(&mut self, values: &[f64], start: &[f64]) -> Result<Option<Constrained>>;
}

/// Limits of the search at one point.
const CONTROL: Control = Control {
    max_evaluations: Some(500),
    tolerance: None,
    deadline: None,
    starts: Some(1),
};

/// The end of a search in the free parameters.
pub struct Found {
    pub free: Vec<f64>,
    /// All parameters, held or not.
    pub all: Vec<f64>,
    pub converged: bool,
    pub value: f64,
    /// Of the objective with nothing held.
    pub gradient: Vec<f64>,
}

/// Minimises over the free parameters; the objective stands at the minimum then.
pub fn minimise(
    objective: &mut dyn Objective,
    roles: &[Role],
    start: &[f64],
) -> Result<Option<Found>> {
    let mut held = HeldObjective::new(objective, roles.to_vec());
    let outcome = match search(Optimizer::TrustRegion, &mut held, start, &CONTROL) {
        Ok(outcome) => outcome,
        Err(Error::Factorisation { .. } | Error::Modes { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(value) = held.value(&outcome.theta)? else {
        return Ok(None);
    };
    let all = held.expand(&outcome.theta);
    let gradient = objective.gradient()?;
    Ok(Some(Found {
        free: outcome.theta,
        all,
        converged: outcome.status == Status::Converged,
        value,
        gradient,
    }))
}

/// The partial derivative along a parameter that is held, with those that are tied to it.
pub fn along(found: &Found, roles: &[Role], at: usize) -> f64 {
    let tied = roles
        .iter()
        .enumerate()
        .filter_map(|(i, role)| match *role {
            Role::Tied { to, rate, .. } if to == at => {
                Some(rate * found.all[i] * found.gradient[i])
            }
            _ => None,
        });
    found.gradient[at] + tied.sum::<f64>()
}

/// What is held already, with these natural parameters.
pub fn natural_values(parameters: &[Parameter], values: &[f64]) -> Vec<(usize, usize, f64)> {
    let pairs = parameters.iter().zip(values);
    pairs
        .filter_map(|(parameter, &value)| match *parameter {
            Parameter::Natural { term, index } => Some((term, index, value)),
            _ => None,
        })
        .collect()
}

/// The places of the coefficients among the parameters, and the columns of each.
pub fn coefficients(parameters: &[Parameter]) -> (Vec<usize>, Vec<usize>) {
    let all = parameters.iter().enumerate();
    all.filter_map(|(i, parameter)| match *parameter {
        Parameter::Coefficient(column) => Some((i, column)),
        _ => None,
    })
    .unzip()
}
