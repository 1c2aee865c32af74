//! Minimising an objective over theta.

mod boundary;
mod derivative_free;
mod log;
mod nlopt;
mod quadratic;
mod subproblem;
mod trust_region;

pub use log::{FitLog, LogEntry, Outcome, Status};
pub use trust_region::trust_region;

use std::time::Instant;

use crate::error::Result;
use crate::objective::Objective;
use nlopt::NloptMethod;

/// Every optimizer, by the name it has in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimizer {
    /// Average-information trust region with exact gradients: the default.
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    pub max_evaluations: usize,
    /// The trust region stops when its model predicts a smaller decrease than this; the
    /// derivative-free methods when the value changes by less, relatively.
    pub tolerance: Option<f64>,
    /// When the search ends, wherever it is; looked at between evaluations.
    pub deadline: Option<Instant>,
}

impl Control {
    /// No limits, and the optimizer's own tolerance.
    pub const UNLIMITED: Self = Self {
        max_evaluations: usize::MAX,
        tolerance: None,
        deadline: None,
    };

    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::UNLIMITED
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }
}

/// Minimises by the optimizer asked for.
pub fn minimize(
    optimizer: Optimizer,
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    match optimizer {
        Optimizer::TrustRegion => with_second_start(objective, start, control),
        Optimizer::Nlopt(method) => derivative_free::minimize(method, objective, start, control),
    }
}

/// The trust region, and where it stops short of an optimum once more from the identity.
fn with_second_start(
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    let mut first = trust_region(objective, start, control)?;
    if first.status != Status::NoProgress {
        return Ok(first);
    }
    let mut identity = vec![0.0; start.len()];
    for column in objective.columns() {
        identity[column[0]] = 1.0;
    }
    let left = Control {
        max_evaluations: control
            .max_evaluations
            .saturating_sub(first.log.entries.len()),
        ..*control
    };
    if left.max_evaluations == 0 || left.is_late() || identity == start {
        return Ok(first);
    }
    let second = trust_region(objective, &identity, &left)?;
    first.log.append(second.log);
    // A certified optimum beats a lower value without one only where they agree to rounding.
    let certified = second.status == Status::Converged;
    let margin = if certified {
        1e-9 * first.value.abs()
    } else {
        0.0
    };
    if second.value < first.value + margin {
        first.theta = second.theta;
        first.value = second.value;
        first.status = second.status;
    }
    Ok(first)
}
