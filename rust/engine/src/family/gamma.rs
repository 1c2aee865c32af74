//! Gamma responses.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::mean_link::MeanLink;
use super::named::Named;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::{scaled_log_minus_digamma, stirling_error, HALF_LOG_TWO_PI};
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "gamma",
    links: &["log", "inverse", "identity"],
    build: |given| {
        let distribution = Gamma::new(given.mean_link()?, &given.y)?;
        given.dispersed(distribution)
    },
};

/// Variance d mu^2/w: the shape of a row is s = w/d.
#[derive(Debug)]
pub(super) struct Gamma {
    link: MeanLink,
}

impl Gamma {
    pub fn new(link: MeanLink, y: &[f64]) -> Result<Self> {
        checks::positive(y)?;
        Ok(Self { link })
    }
}

impl Distribution for Gamma {
    fn is_canonical(&self) -> bool {
        self.link == MeanLink::Inverse
    }

    fn start(&self, response: &Response) -> Vec<f64> {
        response.y.iter().map(|&y| self.link.eta(y)).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| self.link.mean(eta)).collect();
        let moment = response.mean_weighted(&mu, |y, mu| (y / mu - 1.0) * (y / mu - 1.0));
        moment.clamp(1e-4, 1e2).ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        let inverse = (-log_dispersion).exp();
        let shapes: Vec<f64> = response.weights.iter().map(|w| w * inverse).collect();
        let rows = response.y.iter().zip(&shapes);
        // At mu = y, where l is largest: s log s - s - log Γ(s) - log y, by Stirling.
        let peaks = rows
            .map(|(y, &s)| 0.5 * s.ln() - HALF_LOG_TWO_PI - stirling_error(s) - y.ln())
            .collect();
        Box::new(ByRow(GammaRows {
            link: self.link,
            y: &response.y,
            shapes,
            peaks,
        }))
    }
}

/// l = peak - s (y/mu - 1 - log(y/mu)).
struct GammaRows<'a> {
    link: MeanLink,
    y: &'a [f64],
    shapes: Vec<f64>,
    peaks: Vec<f64>,
}

impl GammaRows<'_> {
    /// y/mu - 1 - log(y/mu) at the logarithm of mu.
    fn half_deviance(&self, row: usize, log_mu: f64) -> f64 {
        let log_ratio = self.y[row].ln() - log_mu;
        log_ratio.exp_m1() - log_ratio
    }
}

impl Row for GammaRows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (y, s) = (self.y[row], self.shapes[row]);
        let log_mu = self.link.log(eta);
        let kernel = (self.link.power(eta, -1) * y + log_mu) * -s;
        Jet {
            value: self.peaks[row] - s * self.half_deviance(row, log_mu.value),
            ..kernel
        }
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let log_mu = self.link.log(eta);
        let s = self.shapes[row];
        [s * log_mu.d1 * log_mu.d1, 2.0 * s * log_mu.d1 * log_mu.d2]
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let s = self.shapes[row];
        let half_deviance = self.half_deviance(row, self.link.log(eta).value);
        let jet = self.log_density(row, eta);
        DispersionSlope {
            log_density: s * half_deviance - scaled_log_minus_digamma(s),
            score: -jet.d1,
            observed: jet.d2,
            expected: -self.expected(row, eta)[0],
        }
    }
}
