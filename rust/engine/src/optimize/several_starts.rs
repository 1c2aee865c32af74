//! The trust region from several starts: a criterion may have several optima, and a search may fail to
//! converge.

use crate::error::{Error, Result};
use crate::objective::Objective;
use crate::optimize::trust_region::trust_region;
use crate::optimize::{Control, Outcome, Status, MOST_EVALUATIONS};

/// Relative difference of values below which two ends are one.
const EQUAL: f64 = 1e-9;
/// Ratio of the diagonals of the factors at successive starts that know nothing, around 1 in units of the
/// objective's coordinates.
const RATIO: f64 = 4.0;

/// Evaluations of a first search beyond which a second one that nobody asked for takes too long.
const QUICK: usize = 100;

/// Minimises from `start` and, where it was asked for or promises something, from others; the limit of
/// evaluations is on all searches together.
pub fn minimize(
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    let limit = control.max_evaluations.unwrap_or(MOST_EVALUATIONS);
    let mut best = trust_region(objective, start, None, control)?;
    let wanted = match control.starts {
        Some(asked) => asked.max(1),
        None => by_default(objective, &best),
    };
    for other in further_starts(objective, &best, start, wanted - 1) {
        let left = limit.saturating_sub(best.log.entries.len());
        if left == 0 || control.is_late() {
            break;
        }
        let rest = Control {
            max_evaluations: Some(left),
            ..*control
        };
        match trust_region(objective, &other, Some(&best), &rest) {
            Ok(found) => keep_better(&mut best, found),
            // Nothing can be computed there.
            Err(Error::Factorisation { .. }) => objective.turn_back(),
            Err(error) => return Err(error),
        }
    }
    Ok(best)
}

/// Two where the first search has no optimum, or one that may well not be the best.
fn by_default(objective: &dyn Objective, first: &Outcome) -> usize {
    let quick = first.log.entries.len() <= QUICK && objective.is_worth_two_searches();
    let doubtful =
        first.status != Status::Converged || (quick && objective.opposite(&first.theta).is_some());
    if doubtful {
        2
    } else {
        1
    }
}

/// So many starts: the opposite of an optimum, then multiples of the identity, ever larger and smaller.
fn further_starts(
    objective: &dyn Objective,
    first: &Outcome,
    start: &[f64],
    count: usize,
) -> Vec<Vec<f64>> {
    let opposite = match first.status {
        Status::Converged => objective.opposite(&first.theta),
        _ => None,
    };
    // One of them may be the start; all are, where no variance is free.
    let multiples = (0..=count).map(|i| {
        let power = i.div_ceil(2) as i32;
        objective.isotropic(RATIO.powi(if i % 2 == 0 { -power } else { power }))
    });
    let all = opposite.into_iter().chain(multiples);
    all.filter(|other| other != start).take(count).collect()
}

fn keep_better(best: &mut Outcome, found: Outcome) {
    // An optimum beats a lower value that is none, and the first end the second, where they agree to rounding.
    let rounding = EQUAL * best.value.abs();
    let margin = match (best.status, found.status) {
        (Status::Converged, _) => -rounding,
        (_, Status::Converged) => rounding,
        _ => 0.0,
    };
    best.log.append(found.log);
    if found.value < best.value + margin {
        best.theta = found.theta;
        best.value = found.value;
        best.status = found.status;
    }
}
