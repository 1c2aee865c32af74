//! Log-normal responses.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::named::Named;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::HALF_LOG_TWO_PI;
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "lognormal",
    links: &["log"],
    build: |given| {
        let distribution = LogNormal::new(&given.y)?;
        given.dispersed(distribution)
    },
};

/// log y is normal around the linear predictor with variance d/w.
#[derive(Debug)]
pub(super) struct LogNormal {
    log_y: Vec<f64>,
}

impl LogNormal {
    pub fn new(y: &[f64]) -> Result<Self> {
        checks::positive(y)?;
        Ok(Self {
            log_y: y.iter().map(|y| y.ln()).collect(),
        })
    }
}

impl Distribution for LogNormal {
    fn is_canonical(&self) -> bool {
        true
    }

    fn start(&self, _response: &Response) -> Vec<f64> {
        self.log_y.clone()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let square = |a: f64, b: f64| (a - b) * (a - b);
        let center = response.mean_of(eta, |y, _| y.ln());
        let spread = response.mean_weighted(eta, |y, _| square(y.ln(), center));
        let spread = if spread > 0.0 { spread } else { 1.0 };
        let moment = response.mean_weighted(eta, |y, eta| square(y.ln(), eta));
        moment.clamp(1e-4 * spread, 10.0 * spread).ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        Box::new(ByRow(LogNormalRows {
            log_y: &self.log_y,
            weights: &response.weights,
            log_dispersion,
            precision: (-log_dispersion).exp(),
        }))
    }
}

struct LogNormalRows<'a> {
    log_y: &'a [f64],
    weights: &'a [f64],
    log_dispersion: f64,
    precision: f64,
}

impl Row for LogNormalRows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let (log_y, w) = (self.log_y[row], self.weights[row]);
        let (h, r) = (w * self.precision, log_y - eta);
        let log_scale = 0.5 * (w.ln() - self.log_dispersion) - HALF_LOG_TWO_PI;
        Jet::new(log_scale - log_y - 0.5 * h * r * r, h * r, -h, 0.0)
    }

    fn expected(&self, row: usize, _eta: f64) -> [f64; 2] {
        [self.weights[row] * self.precision, 0.0]
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let h = self.weights[row] * self.precision;
        let r = self.log_y[row] - eta;
        DispersionSlope {
            log_density: 0.5 * (h * r * r - 1.0),
            score: -h * r,
            observed: -h,
            expected: -h,
        }
    }
}
