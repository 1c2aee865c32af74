//! Proportions inside (0, 1).

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::named::Named;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::{
    digamma, logistic, scaled_log_minus_digamma, softplus, stirling_error, tetragamma, trigamma,
    HALF_LOG_TWO_PI,
};
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "beta",
    links: &["logit"],
    build: |given| {
        let distribution = Beta::new(&given.y)?;
        given.dispersed(distribution)
    },
};

/// Beta with precision d and a logit link: variance mu (1 - mu)/(1 + d).
#[derive(Debug)]
pub(super) struct Beta {
    logs: Vec<Logs>,
}

/// log y and log(1 - y).
#[derive(Debug, Clone, Copy)]
struct Logs {
    y: f64,
    complement: f64,
}

impl Beta {
    pub fn new(y: &[f64]) -> Result<Self> {
        checks::proportions(y)?;
        let logs = |&y: &f64| Logs {
            y: y.ln(),
            complement: (-y).ln_1p(),
        };
        Ok(Self {
            logs: y.iter().map(logs).collect(),
        })
    }
}

impl Distribution for Beta {
    fn is_canonical(&self) -> bool {
        false
    }

    fn start(&self, _response: &Response) -> Vec<f64> {
        self.logs.iter().map(|l| l.y - l.complement).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| logistic(eta)).collect();
        let largest = response.mean_of(&mu, |_, mu| mu * (1.0 - mu));
        let found = response.mean_of(&mu, |y, mu| (y - mu) * (y - mu));
        // Nothing is known without residuals.
        let precision = if found > 0.0 { largest / found } else { 1e2 };
        (precision - 1.0).clamp(0.1, 1e3).ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        let d = log_dispersion.exp();
        Box::new(ByRow(BetaRows {
            logs: &self.logs,
            weights: &response.weights,
            log_d: log_dispersion,
            d,
            whole: Remainders::new(d, log_dispersion),
        }))
    }
}

struct BetaRows<'a> {
    logs: &'a [Logs],
    weights: &'a [f64],
    log_d: f64,
    d: f64,
    whole: Remainders,
}

/// What is left of the gamma function of x when the terms that cancel in a beta function are taken
/// out. Finite as x → 0 but for the logarithm of x.
struct Remainders {
    /// log Γ(x) - x log x + x.
    log_gamma: f64,
    /// x (log x - ψ(x)).
    digamma: f64,
}

impl Remainders {
    fn new(x: f64, log_x: f64) -> Self {
        let log_gamma = if x < 10.0 {
            libm::lgamma(1.0 + x) - log_x - x * log_x + x
        } else {
            HALF_LOG_TWO_PI - 0.5 * log_x + stirling_error(x)
        };
        let digamma = if x < 10.0 {
            1.0 + x * log_x - x * digamma(1.0 + x)
        } else {
            scaled_log_minus_digamma(x)
        };
        Self { log_gamma, digamma }
    }
}

/// One of the two shape parameters a, in the derivatives with respect to log a that stay finite as
/// a → 0.
struct Shape {
    a: f64,
    log: Jet,
    /// log(a/d).
    log_share: f64,
    remainders: Remainders,
    /// Derivatives of log Γ(1 + a) with respect to log a.
    g: [f64; 3],
    /// a^2 ψ'(a) and its derivative with respect to log a.
    information: [f64; 2],
}

impl Shape {
    /// The shape d p, p = logistic(eta) = 1 - q.
    fn new(d: f64, log_d: f64, eta: f64, p: f64, q: f64) -> Self {
        let log_share = -softplus(-eta);
        let log = Jet::new(log_d + log_share, q, -p * q, -p * q * (q - p));
        let a = d * p;
        let psi = a * digamma(1.0 + a);
        let psi1 = a * a * trigamma(1.0 + a);
        let psi2 = a * a * a * tetragamma(1.0 + a);
        Self {
            a,
            log,
            log_share,
            remainders: Remainders::new(a, log.value),
            g: [psi, psi + psi1, psi + 3.0 * psi1 + psi2],
            information: [1.0 + psi1, 2.0 * psi1 + psi2],
        }
    }

    /// log Γ(a) as a function of eta, with a log a - a taken off its value alone.
    fn log_gamma(&self) -> Jet {
        let [g1, g2, g3] = self.g;
        let Jet { d1, d2, d3, .. } = self.log;
        Jet::new(
            self.remainders.log_gamma,
            g1 * d1 - d1,
            g2 * d1 * d1 + g1 * d2 - d2,
            g3 * d1 * d1 * d1 + 3.0 * g2 * d1 * d2 + g1 * d3 - d3,
        )
    }
}

/// What the density needs of a linear predictor.
struct Parts {
    /// mu as a function of eta.
    mu: Jet,
    shapes: [Shape; 2],
}

impl BetaRows<'_> {
    fn parts(&self, eta: f64) -> Parts {
        let (p, q) = (logistic(eta), logistic(-eta));
        let mut failures = Shape::new(self.d, self.log_d, -eta, q, p);
        failures.log = failures.log.mirrored();
        Parts {
            mu: Jet::new(p, p * q, p * q * (q - p), p * q * (1.0 - 6.0 * p * q)),
            shapes: [Shape::new(self.d, self.log_d, eta, p, q), failures],
        }
    }
}

impl Parts {
    /// a log(y/mu) + b log((1 - y)/(1 - mu)): what a log y + b log(1 - y) leaves of the terms that are
    /// taken out of the gamma functions.
    fn divergence(&self, logs: Logs) -> f64 {
        let [success, failure] = &self.shapes;
        success.a * (logs.y - success.log_share) + failure.a * (logs.complement - failure.log_share)
    }
}

/// l = w [log Γ(d) - log Γ(a) - log Γ(b) + (a - 1) log y + (b - 1) log(1 - y)], a = d mu, b = d (1 - mu).
impl Row for BetaRows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let logs = self.logs[row];
        let parts = self.parts(eta);
        let exponents = Jet {
            value: parts.divergence(logs) - logs.y - logs.complement,
            ..parts.mu * (self.d * (logs.y - logs.complement))
        };
        let [success, failure] = &parts.shapes;
        let jet = exponents - success.log_gamma() - failure.log_gamma();
        jet.plus(self.whole.log_gamma) * self.weights[row]
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let Parts { shapes, .. } = self.parts(eta);
        let mut sums = [0.0; 2];
        for shape in &shapes {
            let [information, slope] = shape.information;
            let Jet { d1, d2, .. } = shape.log;
            sums[0] += information * d1 * d1;
            sums[1] += slope * d1 * d1 * d1 + 2.0 * information * d1 * d2;
        }
        sums.map(|v| self.weights[row] * v)
    }

    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let logs = self.logs[row];
        let parts = self.parts(eta);
        let slope = parts.mu * (self.d * (logs.y - logs.complement));
        let mut sum = DispersionSlope {
            log_density: parts.divergence(logs) - self.whole.digamma,
            score: slope.d1,
            observed: -slope.d2,
            expected: 0.0,
        };
        for shape in &parts.shapes {
            let [_, g2, g3] = shape.g;
            let Jet { d1, d2, .. } = shape.log;
            sum.log_density += shape.remainders.digamma;
            sum.score -= g2 * d1;
            sum.observed += g3 * d1 * d1 + g2 * d2;
            sum.expected += shape.information[1] * d1 * d1;
        }
        let w = self.weights[row];
        DispersionSlope {
            log_density: w * sum.log_density,
            score: w * sum.score,
            observed: w * sum.observed,
            expected: w * sum.expected,
        }
    }
}
