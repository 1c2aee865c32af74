//! Families with a dispersion parameter, estimated or held fixed.

use super::{Density, Family};

/// Responses and their weights.
#[derive(Debug)]
pub(super) struct Response {
    pub y: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Response {
    /// sum w f(y, mu) over the sum of the w, of the rows where it is finite.
    pub fn mean_of(&self, mu: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for ((&y, &w), &mu) in self.y.iter().zip(&self.weights).zip(mu) {
            let v = w * f(y, mu);
            if v.is_finite() {
                sum += v;
                total += w;
            }
        }
        if total > 0.0 {
            sum / total
        } else {
            0.0
        }
    }

    /// sum w f(y, mu) over the number of rows, of the rows where it is finite: for weights that divide
    /// the variance.
    pub fn mean_weighted(&self, mu: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
        let rows = self.y.iter().zip(&self.weights).zip(mu);
        let (sum, n) = rows
            .map(|((&y, &w), &mu)| w * f(y, mu))
            .filter(|v| v.is_finite())
            .fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
        if n > 0.0 {
            sum / n
        } else {
            0.0
        }
    }
}

/// A distribution with a dispersion parameter, and its link.
pub(super) trait Distribution: std::fmt::Debug + Send + Sync {
    fn is_canonical(&self) -> bool;

    fn has_expected(&self) -> bool {
        true
    }

    fn start(&self, response: &Response) -> Vec<f64>;

    /// Log of a dispersion as the moments have it, inside a moderate range.
    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64;

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a>;
}

/// A response with its distribution.
#[derive(Debug)]
pub(super) struct Dispersed<D> {
    pub response: Response,
    pub distribution: D,
    /// Logarithm of a dispersion that is not estimated.
    pub fixed: Option<f64>,
}

impl<D: Distribution> Family for Dispersed<D> {
    fn n_obs(&self) -> usize {
        self.response.y.len()
    }

    fn has_dispersion(&self) -> bool {
        self.fixed.is_none()
    }

    fn is_canonical(&self) -> bool {
        self.distribution.is_canonical()
    }

    fn has_expected(&self) -> bool {
        self.distribution.has_expected()
    }

    fn start(&self) -> Vec<f64> {
        self.distribution.start(&self.response)
    }

    fn dispersion_start(&self, eta: &[f64]) -> f64 {
        let free = || self.distribution.log_dispersion(&self.response, eta);
        self.fixed.unwrap_or_else(free)
    }

    fn at(&self, log_dispersion: f64) -> Box<dyn Density + '_> {
        let log_dispersion = self.fixed.unwrap_or(log_dispersion);
        self.distribution.at(&self.response, log_dispersion)
    }
}
