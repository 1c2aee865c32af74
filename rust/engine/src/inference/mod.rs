//! What inference about the fixed effects needs beyond a fit: how their covariance depends on the
//! variance parameters (Satterthwaite), and what it costs that these are estimated (Kenward-Roger).
//!
//! Everything is of the size of the random effects or of X; no n × n matrix is formed.

mod elements;
mod information;
mod kenward_roger;
mod scaled_effects;
mod traces_by_columns;

pub use kenward_roger::{kenward_roger, KenwardRoger};

use crate::design::Model;
use crate::error::Result;
use crate::fit;
use crate::linalg::Matrix;
use crate::objective::{Coordinates, Criterion, Monitor};

use scaled_effects::ScaledEffects;

/// Derivative of (X'V^-1X)^-1 (kept columns, V relative to σ²) with respect to each parameter in
/// theta.
///
/// # Errors
/// A theta of the wrong length, not finite, or where the system cannot be factorised; no memory.
pub fn covariance_slopes(
    model: &Model,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Vec<Matrix>> {
    let mut objective = fit::at(model, Criterion::Ml, theta, monitor)?;
    let effects = objective.with_factor(|factor| ScaledEffects::new(factor, model))?;
    let coordinates = Coordinates::user(&model.design.terms, &model.terms);
    let maps = coordinates.motion(theta).working_maps(&model.structure);
    maps.iter()
        .map(|map| effects.covariance_form(&effects.explained(map.block, &map.entries)?))
        .collect()
}
