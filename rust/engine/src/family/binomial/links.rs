//! Links of a probability: the logarithms of it and of its complement as functions of the linear
//! predictor.

use super::cloglog;
use super::probit::log_normal_probability;
use crate::family::jet::Jet;
use crate::family::special::{logistic, softplus};

/// A link of a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::family) enum ProbabilityLink {
    Logit,
    Probit,
    Cloglog,
    Cauchit,
    /// p = exp(eta), eta < 0.
    Log,
}

impl ProbabilityLink {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "logit" => Some(Self::Logit),
            "probit" => Some(Self::Probit),
            "cloglog" => Some(Self::Cloglog),
            "cauchit" => Some(Self::Cauchit),
            "log" => Some(Self::Log),
            _ => None,
        }
    }

    /// log p and log(1 - p).
    pub fn log_probabilities(self, eta: f64) -> [Jet; 2] {
        match self {
            Self::Logit => logit(eta),
            Self::Probit => [
                log_normal_probability(eta),
                log_normal_probability(-eta).mirrored(),
            ],
            Self::Cloglog => cloglog::log_probabilities(eta),
            Self::Cauchit => [
                log_cauchy_probability(eta),
                log_cauchy_probability(-eta).mirrored(),
            ],
            Self::Log => log(eta),
        }
    }

    /// A linear predictor whose probability is p, or near it.
    pub fn near(self, p: f64) -> f64 {
        let logit = p.ln() - (-p).ln_1p();
        match self {
            Self::Logit => logit,
            // The normal distribution is nearly logistic with this scale.
            Self::Probit => logit / 1.7,
            Self::Cloglog => (-(-p).ln_1p()).ln(),
            Self::Cauchit => -1.0 / (std::f64::consts::PI * p).tan(),
            Self::Log => p.ln(),
        }
    }
}

fn logit(eta: f64) -> [Jet; 2] {
    let (p, q) = (logistic(eta), logistic(-eta));
    let (d2, d3) = (-p * q, -p * q * (q - p));
    [
        Jet::new(-softplus(-eta), q, d2, d3),
        Jet::new(-softplus(eta), -p, d2, d3),
    ]
}

fn log(eta: f64) -> [Jet; 2] {
    if eta > 0.0 {
        return [Jet::IMPOSSIBLE; 2];
    }
    let value = if eta > -std::f64::consts::LN_2 {
        (-eta.exp_m1()).ln()
    } else {
        (-eta.exp()).ln_1p()
    };
    let odds = 1.0 / (-eta).exp_m1();
    let d2 = -odds * (1.0 + odds);
    [
        Jet::new(eta, 1.0, 0.0, 0.0),
        Jet::new(value, -odds, d2, d2 * (1.0 + 2.0 * odds)),
    ]
}

/// log p for p = 1/2 + atan(eta)/π.
fn log_cauchy_probability(eta: f64) -> Jet {
    use std::f64::consts::PI;
    let angle = 1.0_f64.atan2(-eta);
    let value = if eta > 0.0 {
        (-1.0_f64.atan2(eta) / PI).ln_1p()
    } else {
        (angle / PI).ln()
    };
    let c = 1.0 / (1.0 + eta * eta);
    let a = c / angle;
    let decay = 2.0 * (eta * c) + a;
    let d2 = -a * decay;
    Jet::new(
        value,
        a,
        d2,
        -d2 * decay - a * (2.0 * c * (2.0 * c - 1.0) + d2),
    )
}
