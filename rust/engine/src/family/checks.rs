//! Checks of the response and its weights.

use crate::error::same_length;
use crate::{Error, Result};

/// One weight for each row: those given, which must be positive, or ones.
pub(super) fn weights(n: usize, weights: Option<Vec<f64>>) -> Result<Vec<f64>> {
    let Some(weights) = weights else {
        return Ok(vec![1.0; n]);
    };
    same_length("weights", n, weights.len())?;
    every(&weights, "weights must be positive and finite", |w| w > 0.0)?;
    Ok(weights)
}

/// Whether every value is finite and `valid`; if not, an error that says what is `required` and
/// names the row.
pub(super) fn every(values: &[f64], required: &str, valid: impl Fn(f64) -> bool) -> Result<()> {
    match values.iter().position(|&v| !v.is_finite() || !valid(v)) {
        None => Ok(()),
        Some(row) => Err(Error::Domain(format!(
            "{required}: row {row} has {}",
            values[row]
        ))),
    }
}

/// Counts: integers that are not negative.
pub(super) fn counts(y: &[f64]) -> Result<()> {
    every(y, "counts must be non-negative integers", |y| {
        y >= 0.0 && y.fract() == 0.0
    })
}

pub(super) fn finite(y: &[f64]) -> Result<()> {
    every(y, "the response must be finite", |_| true)
}

pub(super) fn positive(y: &[f64]) -> Result<()> {
    every(y, "the response must be positive", |y| y > 0.0)
}

/// Inside (0, 1), its ends excluded.
pub(super) fn proportions(y: &[f64]) -> Result<()> {
    every(y, "the response must be between 0 and 1", |y| {
        0.0 < y && y < 1.0
    })
}

/// A dispersion that is held fixed.
pub(super) fn dispersion(fixed: Option<f64>) -> Result<()> {
    match fixed {
        Some(d) if !(d > 0.0 && d.is_finite()) => Err(Error::Domain(format!(
            "the dispersion must be positive and finite, not {d}"
        ))),
        _ => Ok(()),
    }
}
