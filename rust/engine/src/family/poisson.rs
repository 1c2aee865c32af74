//! Poisson counts.

use super::jet::Jet;
use super::rows::{ByRow, Row};
use super::{checks, Density, Family};
use crate::Result;

/// Poisson counts with a log link.
#[derive(Debug)]
pub(super) struct Poisson {
    counts: Vec<f64>,
    weights: Vec<f64>,
    /// Logarithms of the factorials.
    constants: Vec<f64>,
}

impl Poisson {
    pub fn new(counts: Vec<f64>, weights: Vec<f64>) -> Result<Self> {
        checks::counts(&counts)?;
        let constants = counts.iter().map(|&y| libm::lgamma(y + 1.0)).collect();
        Ok(Self {
            counts,
            weights,
            constants,
        })
    }
}

impl Row for &Poisson {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (y, mu) = (self.counts[row], eta.exp());
        let jet = Jet::new(y * eta - mu - self.constants[row], y - mu, -mu, -mu);
        jet * self.weights[row]
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        [self.weights[row] * eta.exp(); 2]
    }
}

impl Family for Poisson {
    fn n_obs(&self) -> usize {
        self.counts.len()
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
        self.counts.iter().map(|&y| (y + 0.1).ln()).collect()
    }

    fn dispersion_start(&self, _eta: &[f64]) -> f64 {
        0.0
    }

    fn at(&self, _log_dispersion: f64) -> Box<dyn Density + '_> {
        Box::new(ByRow(self))
    }
}
