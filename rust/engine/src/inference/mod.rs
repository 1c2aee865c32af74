//! What inference needs beyond a fit: how the covariance of the fixed effects depends on the variance
//! parameters (Satterthwaite), what it costs that these are estimated (Kenward-Roger), how far fitted
//! values follow the response (leverages, conditional AIC), and how far predictions are from the truth.
//!
//! Everything is of the size of the random effects or of X; no n × n matrix is formed.

mod elements;
mod information;
mod kenward_roger;
mod leverage;
mod prediction;
pub(crate) mod scaled_effects;
mod sensitivity;
mod traces_by_columns;

pub use kenward_roger::{kenward_roger, KenwardRoger};
pub use leverage::{leverages, working_leverages, Leverages};
pub use prediction::{
    generalized_prediction_variances, prediction_variances, NewRows, NewTerm, NO_LEVEL,
};
pub use sensitivity::{sensitivity, Sensitivity};

use crate::error::Result;
use crate::fit::Linear;
use crate::linalg::Matrix;
use crate::model::Model;
use crate::objective::{Criterion, Monitor};
use crate::parameters::Coordinates;

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
    let mut objective = Linear {
        model,
        criterion: Criterion::Ml,
    }
    .at(theta, monitor)?;
    let effects = ScaledEffects::new(objective.system()?, model)?;
    let coordinates = Coordinates::user(&model.design.terms, &model.terms);
    let maps = coordinates.motion(theta).working_maps(&model.structure);
    maps.iter()
        .map(|map| effects.covariance_form(&effects.explained(map.block, &map.entries)?))
        .collect()
}
