//! Negative binomial counts whose variance is quadratic in the mean.

use super::dispersed::{Distribution, Response};
use super::jet::Jet;
use super::mean_link::MeanLink;
use super::named::Named;
use super::rising::Rising;
use super::rows::{ByRow, DispersionSlope, Row};
use super::special::{log1p_excess, log_factorials, logistic, softplus};
use super::{checks, Density};
use crate::Result;

pub(super) const FAMILY: Named = Named {
    name: "nbinom2",
    links: &["log", "sqrt", "identity"],
    build: |given| {
        let distribution = NegativeBinomial2::new(given.mean_link()?, &given.y)?;
        given.dispersed(distribution)
    },
};

/// Size k = d, variance mu + mu^2/k.
#[derive(Debug)]
pub(super) struct NegativeBinomial2 {
    link: MeanLink,
    log_factorials: Vec<f64>,
}

impl NegativeBinomial2 {
    pub fn new(link: MeanLink, counts: &[f64]) -> Result<Self> {
        checks::counts(counts)?;
        Ok(Self {
            link,
            log_factorials: log_factorials(counts),
        })
    }
}

impl Distribution for NegativeBinomial2 {
    fn is_canonical(&self) -> bool {
        false
    }

    fn start(&self, response: &Response) -> Vec<f64> {
        let counts = response.y.iter();
        counts.map(|&y| self.link.eta(y + 0.1)).collect()
    }

    fn log_dispersion(&self, response: &Response, eta: &[f64]) -> f64 {
        let mu: Vec<f64> = eta.iter().map(|&eta| self.link.mean(eta)).collect();
        let excess = response.mean_of(&mu, |y, mu| (y - mu) * (y - mu) - mu);
        let square = response.mean_of(&mu, |_, mu| mu * mu);
        // Without excess variance the size is large.
        (excess / square).clamp(1e-2, 1e2).recip().ln()
    }

    fn at<'a>(&'a self, response: &'a Response, log_dispersion: f64) -> Box<dyn Density + 'a> {
        let k = log_dispersion.exp();
        let few = FewCounts::new(k);
        let rising = |&y: &f64| {
            few.get(y).unwrap_or_else(|| {
                let rising = Rising::new(log_dispersion, k, y);
                Constants {
                    log_ratio: rising.log_ratio,
                    missing: rising.missing,
                }
            })
        };
        Box::new(ByRow(NegativeBinomial2Rows {
            distribution: self,
            response,
            log_k: log_dispersion,
            k,
            constants: response.y.iter().map(rising).collect(),
        }))
    }
}

/// What depends on a count and k alone: log((k)_y / k^y), and less its derivative with respect to log k.
#[derive(Debug, Clone, Copy)]
struct Constants {
    log_ratio: f64,
    missing: f64,
}

/// The constants of small counts, each from the one before.
struct FewCounts(Vec<Constants>);

impl FewCounts {
    const LIMIT: usize = 100;

    fn new(k: f64) -> Self {
        let mut constants = Vec::with_capacity(Self::LIMIT);
        let (mut log_ratio, mut missing) = (0.0, 0.0);
        for y in 0..Self::LIMIT {
            constants.push(Constants { log_ratio, missing });
            let j = y as f64;
            log_ratio += (j / k).ln_1p();
            missing += j / (k + j);
        }
        Self(constants)
    }

    fn get(&self, y: f64) -> Option<Constants> {
        self.0.get(y as usize).copied()
    }
}

struct NegativeBinomial2Rows<'a> {
    distribution: &'a NegativeBinomial2,
    response: &'a Response,
    log_k: f64,
    k: f64,
    constants: Vec<Constants>,
}

/// The mean against k.
struct Share {
    /// p = mu/(k + mu), and 1 - p.
    p: f64,
    q: f64,
    /// log(1 + mu/k) as a function of eta.
    log: Jet,
}

impl NegativeBinomial2Rows<'_> {
    fn share(&self, eta: f64) -> Share {
        let k = self.k;
        if self.distribution.link == MeanLink::Log {
            // mu may overflow.
            let x = eta - self.log_k;
            let (p, q) = (logistic(x), logistic(-x));
            let log = Jet::new(softplus(x), p, p * q, p * q * (q - p));
            return Share { p, q, log };
        }
        let mu = self.distribution.link.power(eta, 1);
        let total = k + mu.value;
        let (d1, d2, d3) = (mu.d1 / total, mu.d2 / total, mu.d3 / total);
        Share {
            p: mu.value / total,
            q: k / total,
            log: Jet::new(
                (mu.value / k).ln_1p(),
                d1,
                d2 - d1 * d1,
                d3 - 3.0 * d1 * d2 + 2.0 * d1 * d1 * d1,
            ),
        }
    }

    /// log p + log k as a function of eta.
    fn log_p(&self, eta: f64, share: &Share) -> Jet {
        let nu = self.distribution.link.log(eta);
        let (p, q) = (share.p, share.q);
        let n1 = nu.d1;
        Jet::new(
            nu.value - share.log.value,
            n1 * q,
            nu.d2 * q - n1 * n1 * p * q,
            nu.d3 * q - 3.0 * n1 * nu.d2 * p * q - n1 * n1 * n1 * p * q * (q - p),
        )
    }
}

/// l = w [log (k)_y/k^y - log y! + y (log mu - log(1 + mu/k)) - k log(1 + mu/k)].
impl Row for NegativeBinomial2Rows<'_> {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let y = self.response.y[row];
        let share = self.share(eta);
        let jet = self.log_p(eta, &share).times(y) - share.log * self.k;
        let constant = self.constants[row].log_ratio - self.distribution.log_factorials[row];
        jet.plus(constant) * self.response.weights[row]
    }

    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let Share { p, q, log } = self.share(eta);
        let information = if self.distribution.link == MeanLink::Log {
            [self.k * p, self.k * p * q]
        } else {
            let [poisson, slope] = self.distribution.link.information(eta, 1);
            [poisson * q, (slope - poisson * log.d1) * q]
        };
        information.map(|v| self.response.weights[row] * v)
    }

    /// With a the derivative of log(1 + mu/k): that of p is q a, and the score moves by a (y q - k p).
    fn dispersion(&self, row: usize, eta: f64) -> DispersionSlope {
        let (y, w) = (self.response.y[row], self.response.weights[row]);
        let share = self.share(eta);
        let (p, q) = (share.p, share.q);
        let excess = log1p_excess(share.log.value, p);
        let (a, a_slope) = (share.log.d1, share.log.d2);
        let residual = y * q - self.k * p;
        DispersionSlope {
            log_density: w * (y * p - self.constants[row].missing - self.k * excess),
            score: w * a * residual,
            observed: w * (a * a * q * (y + self.k) - a_slope * residual),
            expected: p * self.expected(row, eta)[0],
        }
    }
}
