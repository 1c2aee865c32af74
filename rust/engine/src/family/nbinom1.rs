//! Negative binomial counts whose variance is linear in the mean.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::named::Named;
use super::rising::Rising;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::{log1p_excess, log_factorials};
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "nbinom1",
    links: &["log"],
    build: |given| {
        let distribution = NegativeBinomial1::new(&given.y)?;
        given.dispersed(distribution)
    },
};

/// Variance mu (1 + d), log link.
#[derive(Debug)]
pub(super) struct NegativeBinomial1 {
    log_factorials: Vec<f64>,
}

impl NegativeBinomial1 {
    pub fn new(counts: &[f64]) -> Result<Self> {
        checks::counts(counts)?;
        Ok(Self {
            log_factorials: log_factorials(counts),
        })
    }
}

impl Distribution for NegativeBinomial1 {
    fn is_canonical(&self) -> bool {
        false
    }

    fn has_expected(&self) -> bool {
        false
    }

    fn start(&self, response: &Response) -> Vec<f64> {
        response.y.iter().map(|&y| (y + 0.1).ln()).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| eta.exp()).collect();
        let ratio = response.mean_of(&mu, |y, mu| (y - mu) * (y - mu) / mu);
        (ratio - 1.0).clamp(1e-2, 1e2).ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        let d = log_dispersion.exp();
        Box::new(ByRow(NegativeBinomial1Rows {
            log_factorials: &self.log_factorials,
            response,
            log_d: log_dispersion,
            d,
            log_ratio: d.ln_1p(),
        }))
    }
}

struct NegativeBinomial1Rows<'a> {
    log_factorials: &'a [f64],
    response: &'a Response,
    log_d: f64,
    d: f64,
    /// log(1 + d): of the variance to the mean.
    log_ratio: f64,
}

impl NegativeBinomial1Rows<'_> {
    /// r = mu/d, and what the density needs of (r)_y.
    fn rising(&self, row: usize, eta: f64) -> (f64, Rising) {
        let log_r = eta - self.log_d;
        let r = log_r.exp();
        (r, Rising::new(log_r, r, self.response.y[row]))
    }
}

/// l = w [log (r)_y - log y! - r log(1 + d) + y (log d - log(1 + d))].
impl Row for NegativeBinomial1Rows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let y = self.response.y[row];
        let (r, rising) = self.rising(row, eta);
        let slope = r * self.log_ratio;
        let value = rising.log_ratio + y * (eta - self.log_ratio);
        let constant = -self.log_factorials[row];
        let jet = Jet::new(
            value - slope,
            rising.d1 - slope,
            rising.d2 - slope,
            rising.d3 - slope,
        );
        jet.plus(constant) * self.response.weights[row]
    }

    /// There is no formula: the observed information stands in.
    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let jet = self.log_density(row, eta);
        [-jet.d2, -jet.d3]
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let (y, w) = (self.response.y[row], self.response.weights[row]);
        let (r, rising) = self.rising(row, eta);
        let share = self.d / (1.0 + self.d);
        let excess = r * log1p_excess(self.log_ratio, share);
        let information = w * (rising.d3 - excess);
        DispersionSlope {
            log_density: w * (rising.missing + excess - y * share),
            score: w * (excess - rising.d2),
            observed: information,
            expected: information,
        }
    }
}
