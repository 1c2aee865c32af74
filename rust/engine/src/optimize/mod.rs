//! Minimising an objective over theta.

mod boundary;
mod correction;
mod derivative_free;
mod log;
mod nlopt;
mod quadratic;
mod several_starts;
mod subproblem;
mod trust_region;
mod turn;

pub use log::{FitLog, LogEntry, Outcome, Status};

use std::time::Instant;

use crate::error::Result;
use crate::objective::Objective;
use nlopt::NloptMethod;

/// Every optimizer, by the name it has in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimizer {
    /// Average-information trust region with exact gradients: the default.
    #[default]
    TrustRegion,
    Nlopt(NloptMethod),
}

/// Names and optimizers.
pub const OPTIMIZERS: [(&str, Optimizer); 6] = [
    ("trust_region", Optimizer::TrustRegion),
    ("bobyqa", Optimizer::Nlopt(NloptMethod::Bobyqa)),
    ("newuoa", Optimizer::Nlopt(NloptMethod::Newuoa)),
    ("nelder_mead", Optimizer::Nlopt(NloptMethod::NelderMead)),
    ("cobyla", Optimizer::Nlopt(NloptMethod::Cobyla)),
    ("sbplx", Optimizer::Nlopt(NloptMethod::Sbplx)),
];

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Control {
    /// Evaluations of all searches together. `None` is [`MOST_EVALUATIONS`] for the trust region and no
    /// limit for the derivative-free methods.
    pub max_evaluations: Option<usize>,
    /// The trust region stops when its model predicts a smaller decrease than this; the
    /// derivative-free methods when the value changes by less, relatively.
    pub tolerance: Option<f64>,
    /// When the search ends, wherever it is; looked at between evaluations.
    pub deadline: Option<Instant>,
    /// Searches of the trust region, from so many starts; `None` leaves their number to the objective.
    pub starts: Option<usize>,
}

impl Control {
    /// No limits, the optimizer's own tolerance, and as many starts as the objective wants.
    pub const UNLIMITED: Self = Self {
        max_evaluations: None,
        tolerance: None,
        deadline: None,
        starts: None,
    };

    /// Whether neither limits nor a tolerance were asked for.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        let Self { starts, .. } = *self;
        let unlimited = Self {
            starts,
            ..Self::UNLIMITED
        };
        *self == unlimited
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }
}

/// Evaluations of the trust region that were not limited otherwise.
pub const MOST_EVALUATIONS: usize = 2_000;

/// Minimises by the optimizer asked for.
pub fn minimize(
    optimizer: Optimizer,
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    match optimizer {
        Optimizer::TrustRegion => several_starts::minimize(objective, start, control),
        Optimizer::Nlopt(method) => derivative_free::minimize(method, objective, start, control),
    }
}
