//! Numbers of successes among trials.

use super::jet::Jet;
use super::rows::{ByRow, Row};
use super::{checks, Density, Family};
use crate::{Error, Result};

/// Successes of trials, with a logit link.
#[derive(Debug)]
pub(super) struct Binomial {
    successes: Vec<f64>,
    trials: Vec<f64>,
    /// Logarithms of the binomial coefficients.
    constants: Vec<f64>,
}

impl Binomial {
    pub fn new(successes: Vec<f64>, trials: Vec<f64>) -> Result<Self> {
        checks::every(&successes, "successes must not be negative", |y| y >= 0.0)?;
        if let Some(row) = (0..trials.len()).find(|&i| successes[i] > trials[i]) {
            return Err(Error::Domain(format!(
                "successes must not exceed the trials: row {row} has {} of {}",
                successes[row], trials[row]
            )));
        }
        let constants = successes
            .iter()
            .zip(&trials)
            .map(|(&y, &n)| {
                libm::lgamma(n + 1.0) - libm::lgamma(y + 1.0) - libm::lgamma(n - y + 1.0)
            })
            .collect();
        Ok(Self {
            successes,
            trials,
            constants,
        })
    }
}

impl Row for &Binomial {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (y, n) = (self.successes[row], self.trials[row]);
        let (p, q) = (logistic(eta), logistic(-eta));
        let value = y * eta - n * (eta.max(0.0) + (-eta.abs()).exp().ln_1p());
        let score = y * q - (n - y) * p;
        Jet::new(value, score, -n * p * q, -n * p * q * (q - p)).plus(self.constants[row])
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let (p, q) = (logistic(eta), logistic(-eta));
        let information = self.trials[row] * p * q;
        [information, information * (q - p)]
    }
}

fn logistic(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

impl Family for Binomial {
    fn n_obs(&self) -> usize {
        self.successes.len()
    }

    fn has_dispersion(&self) -> bool {
        false
    }

    fn is_canonical(&self) -> bool {
        true
    }

    fn has_expected(&self) -> bool {
        true
    }

    fn start(&self) -> Vec<f64> {
        let rows = self.successes.iter().zip(&self.trials);
        rows.map(|(&y, &n)| ((y + 0.5) / (n - y + 0.5)).ln())
            .collect()
    }

    fn dispersion_start(&self, _eta: &[f64]) -> f64 {
        0.0
    }

    fn at(&self, _log_dispersion: f64) -> Box<dyn Density + '_> {
        Box::new(ByRow(self))
    }
}
