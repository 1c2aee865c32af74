//! What a walk needs of a model: its criterion with parameters held.

use super::anchor::Anchor;
use crate::covariance::Kind;
use crate::error::{Error, Result};
use crate::fit::{search, Point};
use crate::model::Frame;
use crate::objective::{HeldObjective, Objective};
use crate::optimize::{Control, Optimizer, Outcome, Status};
use crate::parameters::{Coordinates, Held, HeldCoordinates, Role};

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
    /// Whether a covariance matrix is singular there.
    pub singular: bool,
    pub evaluations: usize,
}

/// The criterion of a model with some parameters held.
pub trait Hold {
    /// Of the parameters that are held, where nothing is.
    fn estimates(&self) -> Vec<f64>;
    /// The free parameters there.
    fn start(&self) -> Vec<f64>;
    /// The minimum with these values, sought from these free parameters. Where the criterion cannot be
    /// computed, `None` or an error that says so.
    fn minimum(
        &mut self,
        values: &[f64],
        start: &[f64],
        effort: Effort,
    ) -> Result<Option<Constrained>>;
    /// The same, `None` wherever the criterion cannot be computed.
    fn at(&mut self, values: &[f64], start: &[f64], effort: Effort) -> Result<Option<Constrained>> {
        computable(self.minimum(values, start, effort))
    }
    /// Whether the criterion may well have several minima.
    fn is_doubtful(&self) -> bool;
}

/// Where to look for the minimum at one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Near the start.
    Near,
    /// Far off, too, where a covariance matrix is singular.
    Usual,
    /// From several starts.
    Thorough,
}

const STARTS: usize = 9;
/// Of the criterion, for each start.
const MOST_EVALUATIONS: usize = 100;
/// Fall of the criterion that a search may leave: ζ is exact to about its half.
const TOLERANCE: f64 = 1e-11;

/// The end of a search in the free parameters.
pub struct Found {
    pub free: Vec<f64>,
    /// All parameters, held or not.
    pub all: Vec<f64>,
    pub converged: bool,
    pub singular: bool,
    pub evaluations: usize,
    pub value: f64,
    /// Of the objective with nothing held.
    pub gradient: Vec<f64>,
}

/// Minimises over the free parameters; the objective stands at the minimum then.
///
/// Where a covariance matrix is singular, what vanishes has no derivatives to lead a search away, and the
/// walk may have come along a minimum that is no longer the lowest one: a second search starts far off.
pub fn minimise(
    objective: &mut dyn Objective,
    roles: &[Role],
    start: &[f64],
    effort: Effort,
) -> Result<Option<Found>> {
    let mut held = HeldObjective::new(objective, roles.to_vec()).unpolished();
    let starts = if effort == Effort::Thorough {
        STARTS
    } else {
        1
    };
    let mut best = attempt(&mut held, start, starts)?;
    let mut evaluations = count(best.as_ref());
    let opposite =
        |held: &HeldObjective<'_>, found: &Outcome| held.opposite(&found.theta).is_some();
    let singular = best.as_ref().is_some_and(|found| opposite(&held, found));
    if let (Effort::Usual, true, Some(found)) = (effort, singular, &best) {
        // From the minimum that is known the first search is at its end at once.
        let again = attempt(&mut held, &found.theta.clone(), 2)?;
        evaluations += count(again.as_ref());
        best = again.or(best);
    }
    let Some(outcome) = best else {
        return Ok(None);
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
        singular,
        evaluations,
        value,
        gradient,
    }))
}

fn count(outcome: Option<&Outcome>) -> usize {
    outcome.map_or(0, |o| o.log.entries.len())
}

/// One search; `None` where nothing can be computed.
fn attempt(held: &mut HeldObjective<'_>, start: &[f64], starts: usize) -> Result<Option<Outcome>> {
    let control = Control {
        starts: Some(starts),
        max_evaluations: Some(starts * MOST_EVALUATIONS),
        tolerance: Some(TOLERANCE),
        ..Control::UNLIMITED
    };
    computable(search(Optimizer::TrustRegion, held, start, &control).map(Some))
}

/// `None` for errors that say that the criterion cannot be computed somewhere.
fn computable<T>(result: Result<Option<T>>) -> Result<Option<T>> {
    match result {
        Err(Error::Factorisation { .. } | Error::Modes { .. }) => Ok(None),
        other => other,
    }
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

/// What is held as parameters of coordinates, and the places of correlations that no coordinates have.
pub fn split(
    frame: &Frame,
    held: &Held,
    parameters: &[Parameter],
    values: &[f64],
    triangular: bool,
) -> Result<(Held, Vec<usize>)> {
    let mut out = held.clone();
    let mut anchored = Vec::new();
    for (i, (parameter, &value)) in parameters.iter().zip(values).enumerate() {
        let Parameter::Natural { term, index } = *parameter else {
            continue;
        };
        out.natural.push((term, index, value));
        if let Err(error) = HeldCoordinates::new(frame, &out, None, triangular) {
            out.natural.pop();
            if !is_correlation(frame, term, index) {
                return Err(error);
            }
            anchored.push(i);
        }
    }
    Ok((out, anchored))
}

/// Whether a term has a structure in which the correlations restrict each other: then several minima are frequent.
pub fn has_curved_terms(frame: &Frame) -> bool {
    let mut terms = frame.design.terms.iter();
    terms.any(|t| t.covariance.entries(t.k).is_none())
}

fn is_correlation(frame: &Frame, term: usize, index: usize) -> bool {
    let own = frame.design.terms.get(term);
    let natural = own.map(|t| t.covariance.natural_parameters(t.k));
    let parameter = natural.as_ref().and_then(|all| all.get(index));
    parameter.is_some_and(|p| p.kind == Kind::Correlation)
}

/// The anchors of these parameters, in these coordinates.
pub fn anchors(
    coordinates: &Coordinates,
    parameters: &[Parameter],
    anchored: &[usize],
) -> Vec<Anchor> {
    let own = anchored.iter().map(|&i| parameters[i]);
    own.filter_map(|parameter| match parameter {
        Parameter::Natural { term, index } => Some(Anchor::new(coordinates, term, index)),
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
