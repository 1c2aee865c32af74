//! Profiles: walks along one parameter that is held, with everything else optimised again at every point.
//!
//! With D the criterion and D₀ its minimum, `ζ(ψ) = ± √(D(ψ) - D₀)`, D(ψ) being the minimum with the
//! parameter held at ψ, has the sign of ψ minus the estimate. Its slope is known at every point: at a
//! constrained minimum dD/dψ is the partial derivative.

mod anchor;
mod checks;
mod conjugate;
mod generalized;
mod hold;
mod interpolate;
mod linear;
mod outcome;
mod reduced;
mod scale;
mod walk;

pub use hold::{Constrained, Origin, Parameter};
pub use outcome::{End, Goal, Limit, Side, Step};

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::fit::{Linear, Point};
use crate::linalg::threads::map;
use crate::model::{Frame, GeneralizedModel};
use crate::objective::Monitor;
use crate::parameters::Held;
use hold::{Effort, Hold};

/// Told how much is done before every evaluation; its error ends the work.
pub type Watch<'a> = &'a (dyn Fn(usize) -> Result<()> + Sync);

/// A model of either kind, and what it holds already.
#[derive(Debug, Clone, Copy)]
pub enum Profiled<'m> {
    Linear(Linear<'m>, &'m Held),
    Generalized(&'m GeneralizedModel, &'m Held),
}

/// How far to walk along one parameter.
#[derive(Debug, Clone)]
pub struct Task {
    pub parameter: Parameter,
    /// About how far from the estimate ζ is 1.
    pub unit: f64,
    pub range: (f64, f64),
    /// Of both sides, in ascending order.
    pub goals: Vec<Goal>,
}

/// What is found along one parameter.
#[derive(Debug, Clone)]
pub struct Curve {
    pub estimate: f64,
    pub below: Side,
    pub above: Side,
}

impl<'m> Profiled<'m> {
    /// The minimum of the criterion, by a search from a point nearby.
    pub fn origin(&self, near: &Point, watch: Watch<'_>) -> Result<Origin> {
        checks::point(self.frame(), near)?;
        let monitor = |_| watch(0);
        match *self {
            Self::Linear(model, held) => linear::origin(model, held, near, &monitor),
            Self::Generalized(model, held) => generalized::origin(model, held, near, &monitor),
        }
    }

    fn frame(&self) -> &'m Frame {
        match *self {
            Self::Linear(linear, _) => linear.model,
            Self::Generalized(model, _) => model.frame(),
        }
    }

    fn hold<'a>(
        &self,
        parameters: &[Parameter],
        origin: &Origin,
        monitor: Monitor<'a>,
    ) -> Result<Box<dyn Hold + 'a>>
    where
        'm: 'a,
    {
        checks::point(self.frame(), &origin.point)?;
        checks::parameters(parameters)?;
        Ok(match *self {
            Self::Linear(model, held) => Box::new(linear::LinearHold::new(
                model, held, parameters, origin, monitor,
            )?),
            Self::Generalized(model, held) => Box::new(generalized::GeneralizedHold::new(
                model, held, parameters, origin, monitor,
            )?),
        })
    }

    /// Walks along each of these parameters, in parallel. What prevents one walk is its result.
    ///
    /// # Errors
    /// An interrupt.
    pub fn curves(
        &self,
        tasks: &[Task],
        origin: &Origin,
        watch: Watch<'_>,
    ) -> Result<Vec<Result<Curve>>> {
        let done = AtomicUsize::new(0);
        let curves = map(tasks, |task| {
            let monitor = |_| watch(done.load(Ordering::Relaxed));
            let curve = self.curve(task, origin, &monitor);
            done.fetch_add(1, Ordering::Relaxed);
            curve
        });
        uninterrupted(curves)
    }

    fn curve(&self, task: &Task, origin: &Origin, monitor: Monitor<'_>) -> Result<Curve> {
        checks::task(task)?;
        checks::minimum(origin)?;
        let mut hold = self.hold(&[task.parameter], origin, monitor)?;
        let estimate = hold.estimates()[0];
        let mut side = |up| walk::side(&mut *hold, task, origin.objective, up);
        Ok(Curve {
            estimate,
            below: side(false)?,
            above: side(true)?,
        })
    }

    /// Holds parameters at given values. Each chain of points is gone along in its order, every point from
    /// the one before; the chains in parallel. `None` where nothing can be computed.
    ///
    /// # Errors
    /// Parameters that cannot be held, an interrupt.
    pub fn chains(
        &self,
        parameters: &[Parameter],
        chains: &[Vec<Vec<f64>>],
        origin: &Origin,
        watch: Watch<'_>,
    ) -> Result<Vec<Vec<Option<Constrained>>>> {
        let done = AtomicUsize::new(0);
        let found = map(chains, |chain| {
            let monitor = |_| watch(done.load(Ordering::Relaxed));
            let mut hold = self.hold(parameters, origin, &monitor)?;
            let mut last = hold.start();
            let mut out = Vec::with_capacity(chain.len());
            for values in chain {
                checks::values(parameters, values)?;
                let found = hold.at(values, &last, Effort::Usual)?;
                if let Some(found) = &found {
                    last.clone_from(&found.free);
                }
                out.push(found);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(out)
        });
        found.into_iter().collect()
    }
}

/// All results, unless the caller has ended the work.
fn uninterrupted<T>(results: Vec<Result<T>>) -> Result<Vec<Result<T>>> {
    if results.iter().any(|r| matches!(r, Err(Error::Interrupted))) {
        return Err(Error::Interrupted);
    }
    Ok(results)
}
