//! Poisson counts.

#![allow(clippy::inline_always)]

use super::blocks::{bounded, ByBlock, PlainRow};
use super::jet::Jet;
use super::mean_link::MeanLink;
use super::named::Named;
use super::rows::{ByRow, Row};
use super::special::log_factorials;
use super::{checks, Density, Family};
use crate::linalg::elementary::exp;
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "poisson",
    links: &["log", "identity", "sqrt"],
    build: |given| {
        let link = given.mean_link()?;
        let given = given.without_dispersion()?;
        Ok(Box::new(Poisson::new(link, given.y, given.weights)?))
    },
};

/// Poisson counts: l = w (y log mu - mu - log y!).
#[derive(Debug)]
pub(super) struct Poisson {
    link: MeanLink,
    counts: Vec<f64>,
    weights: Vec<f64>,
    log_factorials: Vec<f64>,
}

impl Poisson {
    pub fn new(link: MeanLink, counts: Vec<f64>, weights: Vec<f64>) -> Result<Self> {
        checks::counts(&counts)?;
        Ok(Self {
            link,
            log_factorials: log_factorials(&counts),
            counts,
            weights,
        })
    }
}

impl Row for &Poisson {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let jet = self.link.log(eta).times(self.counts[row]) - self.link.power(eta, 1);
        jet.plus(-self.log_factorials[row]) * self.weights[row]
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let information = self.link.information(eta, 1);
        information.map(|v| self.weights[row] * v)
    }
}

/// With a log link, rows side by side.
struct LogPoisson<'a>(&'a Poisson);

impl PlainRow for LogPoisson<'_> {
    fn columns(&self) -> [&[f64]; 3] {
        [&self.0.counts, &self.0.weights, &self.0.log_factorials]
    }

    #[inline(always)]
    fn log_density([y, weight, log_factorial]: [f64; 3], eta: f64) -> Jet {
        let eta = bounded(eta);
        let mu = exp(eta);
        let d2 = -weight * mu;
        Jet::new(
            weight * (y * eta - mu - log_factorial),
            weight * (y - mu),
            d2,
            d2,
        )
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
        self.link == MeanLink::Log
    }

    fn has_expected(&self) -> bool {
        true
    }

    fn start(&self) -> Vec<f64> {
        let counts = self.counts.iter();
        counts.map(|&y| self.link.eta(y + 0.1)).collect()
    }

    fn dispersion_start(&self, _eta: &[f64]) -> f64 {
        0.0
    }

    fn at(&self, _log_dispersion: f64) -> Box<dyn Density + '_> {
        if self.link == MeanLink::Log {
            Box::new(ByBlock(LogPoisson(self)))
        } else {
            Box::new(ByRow(self))
        }
    }
}
