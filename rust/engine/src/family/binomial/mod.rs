//! Numbers of successes among trials.

mod cloglog;
mod links;
mod logit;
mod probit;

use super::blocks::ByBlock;
use super::jet::Jet;
use super::named::Named;
use super::rows::{ByRow, Row};
use super::{checks, Density, Family};
use crate::{Error, Result};

pub(super) use links::ProbabilityLink;
use logit::Logit;

pub(super) const FAMILY: Named = Named {
    name: "binomial",
    links: &["logit", "probit", "cloglog", "cauchit", "log"],
    build: |given| {
        let given = given.without_dispersion()?;
        let link = ProbabilityLink::named(given.link).ok_or_else(|| given.unknown_link())?;
        Ok(Box::new(Binomial::new(link, given.y, given.weights)?))
    },
};

/// Successes of trials.
#[derive(Debug)]
pub(super) struct Binomial {
    link: ProbabilityLink,
    successes: Vec<f64>,
    trials: Vec<f64>,
    /// Logarithms of the binomial coefficients.
    constants: Vec<f64>,
}

impl Binomial {
    pub fn new(link: ProbabilityLink, successes: Vec<f64>, trials: Vec<f64>) -> Result<Self> {
        checks::every(&successes, "successes must not be negative", |y| y >= 0.0)?;
        if let Some(row) = (0..trials.len()).find(|&i| successes[i] > trials[i]) {
            return Err(Error::Domain(format!(
                "successes must not exceed the trials: row {row} has {} of {}",
                successes[row], trials[row]
            )));
        }
        let rows = successes.iter().zip(&trials);
        let constants = rows.map(|(&y, &n)| log_coefficient(n, y)).collect();
        Ok(Self {
            link,
            successes,
            trials,
            constants,
        })
    }
}

/// log of n over y.
fn log_coefficient(n: f64, y: f64) -> f64 {
    if y == 0.0 || y == n {
        return 0.0;
    }
    libm::lgamma(n + 1.0) - libm::lgamma(y + 1.0) - libm::lgamma(n - y + 1.0)
}

impl Row for &Binomial {
    fn log_density(&self, row: usize, eta: f64) -> Jet {
        let y = self.successes[row];
        let [success, failure] = self.link.log_probabilities(eta);
        let jet = success.times(y) + failure.times(self.trials[row] - y);
        if self.link == ProbabilityLink::Log && eta > 0.0 {
            return Jet::IMPOSSIBLE;
        }
        jet.plus(self.constants[row])
    }

    /// The derivative of p squared over p (1 - p) is less the product of the derivatives of log p and
    /// log(1 - p).
    fn expected(&self, row: usize, eta: f64) -> [f64; 2] {
        let [success, failure] = self.link.log_probabilities(eta);
        if success.d1 == 0.0 {
            return [0.0; 2];
        }
        let information = success.d1 * failure.d1;
        let slope = success.d2 * failure.d1 + success.d1 * failure.d2;
        [information, slope].map(|v| -self.trials[row] * v)
    }
}

impl Family for Binomial {
    fn n_obs(&self) -> usize {
        self.successes.len()
    }

    fn has_dispersion(&self) -> bool {
        false
    }

    fn is_canonical(&self) -> bool {
        self.link == ProbabilityLink::Logit
    }

    fn has_expected(&self) -> bool {
        true
    }

    fn start(&self) -> Vec<f64> {
        let near = |y: f64, n: f64| self.link.near((y + 0.5) / (n + 1.0));
        // Most often every row is one trial.
        let single = [near(0.0, 1.0), near(1.0, 1.0)];
        let rows = self.successes.iter().zip(&self.trials);
        rows.map(|(&y, &n)| match (y == 0.0, y == n) {
            (zero, one) if n == 1.0 && (zero || one) => single[usize::from(one)],
            _ => near(y, n),
        })
        .collect()
    }

    fn dispersion_start(&self, _eta: &[f64]) -> f64 {
        0.0
    }

    fn at(&self, _log_dispersion: f64) -> Box<dyn Density + '_> {
        if self.link == ProbabilityLink::Logit {
            Box::new(ByBlock(Logit(self)))
        } else {
            Box::new(ByRow(self))
        }
    }
}
