//! The logit link, rows side by side.

#![allow(clippy::inline_always)]

use super::Binomial;
use crate::family::blocks::{bounded, PlainRow};
use crate::family::jet::Jet;
use crate::linalg::elementary::{exp, log1p_unit};

/// Successes of trials with a logit link.
#[derive(Debug)]
pub(super) struct Logit<'a>(pub &'a Binomial);

impl PlainRow for Logit<'_> {
    fn columns(&self) -> [&[f64]; 3] {
        [&self.0.successes, &self.0.trials, &self.0.constants]
    }

    #[inline(always)]
    fn log_density([y, trials, constant]: [f64; 3], eta: f64) -> Jet {
        let eta = bounded(eta);
        let failures = trials - y;
        let t = exp(-eta.abs());
        let larger = 1.0 / (1.0 + t);
        let smaller = t * larger;
        let positive = eta > 0.0;
        let p = if positive { larger } else { smaller };
        let q = if positive { smaller } else { larger };
        // What l is where the smaller probability vanishes.
        let linear = if positive { -failures * eta } else { y * eta };
        let d2 = -trials * smaller * larger;
        Jet::new(
            linear - trials * log1p_unit(t) + constant,
            y * q - failures * p,
            d2,
            d2 * (q - p),
        )
    }
}
