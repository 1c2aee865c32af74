//! Maps of the columns of one term, k × k, column-major.

use crate::linalg::small;

pub(super) fn identity(k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k * k];
    (0..k).for_each(|i| out[i + i * k] = 1.0);
    out
}

/// `map · lambda`.
pub(super) fn transformed(map: Option<&[f64]>, lambda: Vec<f64>, k: usize) -> Vec<f64> {
    match map {
        None => lambda,
        Some(map) => {
            let mut out = vec![0.0; k * k];
            small::multiply(map, &lambda, &mut out, k);
            out
        }
    }
}
