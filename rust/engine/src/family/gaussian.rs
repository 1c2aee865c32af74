//! Gaussian responses with a link.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::mean_link::MeanLink;
use super::named::Named;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::HALF_LOG_TWO_PI;
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "gaussian",
    links: &["log", "inverse", "sqrt", "identity"],
    build: |given| {
        let distribution = Gaussian::new(given.mean_link()?, &given.y)?;
        given.dispersed(distribution)
    },
};

/// Variance d/w.
#[derive(Debug)]
pub(super) struct Gaussian {
    link: MeanLink,
}

impl Gaussian {
    pub fn new(link: MeanLink, y: &[f64]) -> Result<Self> {
        checks::finite(y)?;
        Ok(Self { link })
    }

    /// The mean as a function of the linear predictor: of either sign with an identity link.
    fn mean(&self, eta: f64) -> Jet {
        if self.link == MeanLink::Identity {
            Jet::new(eta, 1.0, 0.0, 0.0)
        } else {
            self.link.power(eta, 1)
        }
    }
}

impl Distribution for Gaussian {
    fn is_canonical(&self) -> bool {
        self.link == MeanLink::Identity
    }

    fn start(&self, response: &Response) -> Vec<f64> {
        let y = &response.y;
        if self.link == MeanLink::Identity {
            return y.clone();
        }
        // A mean that is small against the others would be far out with most links.
        let size = response.mean_of(y, |y, _| y.abs());
        let least = if size > 0.0 { 0.1 * size } else { 1.0 };
        y.iter().map(|&y| self.link.eta(y.max(least))).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| self.mean(eta).value).collect();
        let center = response.mean_of(&mu, |y, _| y);
        let square = |a: f64, b: f64| (a - b) * (a - b);
        let spread = response.mean_weighted(&mu, |y, _| square(y, center));
        let spread = if spread > 0.0 { spread } else { 1.0 };
        let moment = response.mean_weighted(&mu, square);
        moment.clamp(1e-4 * spread, 10.0 * spread).ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        Box::new(ByRow(GaussianRows {
            gaussian: self,
            response,
            log_dispersion,
            precision: (-log_dispersion).exp(),
        }))
    }
}

struct GaussianRows<'a> {
    gaussian: &'a Gaussian,
    response: &'a Response,
    log_dispersion: f64,
    precision: f64,
}

impl Row for GaussianRows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (y, w) = (self.response.y[row], self.response.weights[row]);
        let mu = self.gaussian.mean(eta);
        let h = w * self.precision;
        let r = y - mu.value;
        let log_scale = 0.5 * (w.ln() - self.log_dispersion) - HALF_LOG_TWO_PI;
        Jet::new(
            log_scale - 0.5 * h * r * r,
            h * r * mu.d1,
            h * (r * mu.d2 - mu.d1 * mu.d1),
            h * (r * mu.d3 - 3.0 * mu.d1 * mu.d2),
        )
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let mu = self.gaussian.mean(eta);
        let h = self.response.weights[row] * self.precision;
        [h * mu.d1 * mu.d1, 2.0 * h * mu.d1 * mu.d2]
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let r = self.response.y[row] - self.gaussian.mean(eta).value;
        let h = self.response.weights[row] * self.precision;
        let jet = self.log_density(row, eta);
        DispersionSlope {
            log_density: 0.5 * (h * r * r - 1.0),
            score: -jet.d1,
            observed: jet.d2,
            expected: -self.expected(row, eta)[0],
        }
    }
}
