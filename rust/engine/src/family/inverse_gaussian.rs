//! Inverse Gaussian responses.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::mean_link::MeanLink;
use super::named::Named;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::HALF_LOG_TWO_PI;
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "inverse_gaussian",
    links: &["log", "1/mu^2", "inverse"],
    build: |given| {
        let distribution = InverseGaussian::new(given.mean_link()?, &given.y)?;
        given.dispersed(distribution)
    },
};

/// Variance d mu^3/w.
#[derive(Debug)]
pub(super) struct InverseGaussian {
    link: MeanLink,
}

impl InverseGaussian {
    pub fn new(link: MeanLink, y: &[f64]) -> Result<Self> {
        checks::positive(y)?;
        Ok(Self { link })
    }
}

impl Distribution for InverseGaussian {
    fn is_canonical(&self) -> bool {
        self.link == MeanLink::InverseSquare
    }

    fn start(&self, response: &Response) -> Vec<f64> {
        response.y.iter().map(|&y| self.link.eta(y)).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| self.link.mean(eta)).collect();
        let moment = response.mean_weighted(&mu, |y, mu| (y / mu - 1.0) * (y / mu - 1.0) / mu);
        // d mu has no unit.
        let size = response.mean_of(&mu, |y, _| y);
        (moment * size).clamp(1e-4, 1e2).ln() - size.ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        Box::new(ByRow(InverseGaussianRows {
            link: self.link,
            response,
            log_dispersion,
            precision: (-log_dispersion).exp(),
        }))
    }
}

/// l = log(h/(2π y^3))/2 - h (y v - 1)^2/(2y), with v = 1/mu and h = w/d.
struct InverseGaussianRows<'a> {
    link: MeanLink,
    response: &'a Response,
    log_dispersion: f64,
    precision: f64,
}

impl InverseGaussianRows<'_> {
    fn h(&self, row: usize) -> f64 {
        self.response.weights[row] * self.precision
    }
}

impl Row for InverseGaussianRows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (y, w) = (self.response.y[row], self.response.weights[row]);
        let h = self.h(row);
        let v = self.link.power(eta, -1);
        let z = y * v.value - 1.0;
        let log_scale = 0.5 * (w.ln() - self.log_dispersion - 3.0 * y.ln()) - HALF_LOG_TWO_PI;
        Jet::new(
            log_scale - 0.5 * h * z * z / y,
            -h * z * v.d1,
            -h * (z * v.d2 + y * v.d1 * v.d1),
            -h * (z * v.d3 + 3.0 * y * v.d1 * v.d2),
        )
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let h = self.h(row);
        self.link.information(eta, -1).map(|v| h * v)
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let y = self.response.y[row];
        let z = y * self.link.power(eta, -1).value - 1.0;
        let jet = self.log_density(row, eta);
        DispersionSlope {
            log_density: 0.5 * (self.h(row) * z * z / y - 1.0),
            score: -jet.d1,
            observed: jet.d2,
            expected: -self.expected(row, eta)[0],
        }
    }
}
