//! Densities as textbooks write them, differentiated by [`Jet`].

use super::jet::Jet;
use crate::family::{Density, DispersionSlopes, Information};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Logit,
    Probit,
    Cloglog,
    Poisson,
    /// With the identity link: no density below zero.
    PoissonIdentity,
    Gamma,
    NegativeBinomial,
    /// Grows faster than the normal density falls.
    Exploding,
}

impl Kind {
    pub fn has_dispersion(self) -> bool {
        matches!(self, Self::Gamma | Self::NegativeBinomial)
    }

    /// Number of trials, the largest response.
    pub fn trials(self) -> f64 {
        match self {
            Self::Logit | Self::Probit | Self::Cloglog => 3.0,
            _ => f64::INFINITY,
        }
    }

    /// Log-density and expected information. The binomial coefficients do not matter here.
    fn at(self, y: f64, eta: Jet, rho: Jet, constant: Jet) -> (Jet, Jet) {
        let one = Jet::constant(1.0);
        let (trials, failures) = (self.trials(), self.trials() - y);
        match self {
            Self::Logit => {
                let total = one + eta.exp();
                let variance = eta.exp() * (total * total).recip();
                (eta * y - total.ln() * trials, variance * trials)
            }
            Self::Probit => {
                let (p, q, density) = (eta.normal(), (-eta).normal(), eta.normal_density());
                let expected = density * density * (p * q).recip() * trials;
                (p.ln() * y + q.ln() * failures, expected)
            }
            Self::Cloglog => {
                let hazard = eta.exp();
                let p = hazard.one_minus_exp_neg();
                let expected = hazard * hazard * (-hazard).exp() * p.recip() * trials;
                (p.ln() * y - hazard * failures, expected)
            }
            Self::Poisson => (eta * y - eta.exp() - log_factorial(y), eta.exp()),
            Self::PoissonIdentity if eta.value() <= 0.0 => {
                (Jet::constant(f64::NEG_INFINITY), Jet::constant(0.0))
            }
            Self::PoissonIdentity => (eta.ln() * y - eta - log_factorial(y), eta.recip()),
            Self::Gamma => {
                let shape = (-rho).exp();
                let ratio = (-eta).exp() * shape * y;
                let l = shape * ratio.ln() - ratio - Jet::constant(y.ln()) - constant;
                (l, shape)
            }
            Self::NegativeBinomial => {
                let (mu, size) = (eta.exp(), rho.exp());
                let total = size + mu;
                let plus = |j: usize| size + Jet::constant(j as f64);
                let rising = (0..y as usize).fold(Jet::constant(0.0), |sum, j| sum + plus(j).ln());
                let l = rising + eta * y + size * rho - plus(y as usize) * total.ln();
                (l - log_factorial(y), size * mu * total.recip())
            }
            Self::Exploding => (eta * eta, one),
        }
    }
}

fn log_factorial(y: f64) -> Jet {
    Jet::constant((2..=y as usize).map(|j| (j as f64).ln()).sum())
}

/// The responses with their kind and the logarithm of the dispersion.
pub struct Textbook<'a> {
    kind: Kind,
    y: &'a [f64],
    rho: Jet,
    /// What depends on the dispersion alone.
    constant: Jet,
}

impl<'a> Textbook<'a> {
    pub fn new(kind: Kind, y: &'a [f64], rho: f64) -> Self {
        let rho = Jet::rho(rho);
        let constant = match kind {
            Kind::Gamma => (-rho).exp().ln_gamma(),
            _ => Jet::constant(0.0),
        };
        Self {
            kind,
            y,
            rho,
            constant,
        }
    }

    fn row(&self, row: usize, eta: f64) -> (Jet, Jet) {
        let (y, eta) = (self.y[row], Jet::eta(eta));
        self.kind.at(y, eta, self.rho, self.constant)
    }

    /// The information and its slopes in η and ρ.
    fn information(&self, kind: Information, row: usize, eta: f64) -> [f64; 3] {
        let (l, expected) = self.row(row, eta);
        match kind {
            Information::Observed => [(0, 2), (0, 3), (1, 2)].map(|(r, e)| -l.derivative(r, e)),
            Information::Expected => {
                [(0, 0), (0, 1), (1, 0)].map(|(r, e)| expected.derivative(r, e))
            }
        }
    }
}

impl Density for Textbook<'_> {
    fn scores(&self, first: usize, eta: &[f64], log_density: &mut [f64], score: &mut [f64]) {
        for (i, &eta) in eta.iter().enumerate() {
            let (l, _) = self.row(first + i, eta);
            (log_density[i], score[i]) = (l.value(), l.derivative(0, 1));
        }
    }

    fn working(&self, first: usize, eta: &[f64], score: &mut [f64], observed: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (i, &eta) in eta.iter().enumerate() {
            let (l, _) = self.row(first + i, eta);
            sum += l.value();
            (score[i], observed[i]) = (l.derivative(0, 1), -l.derivative(0, 2));
        }
        sum
    }

    fn expected(&self, first: usize, eta: &[f64], expected: &mut [f64]) {
        for (i, &eta) in eta.iter().enumerate() {
            [expected[i], _, _] = self.information(Information::Expected, first + i, eta);
        }
    }

    fn information_slope(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        slope: &mut [f64],
    ) {
        for (i, &eta) in eta.iter().enumerate() {
            [_, slope[i], _] = self.information(information, first + i, eta);
        }
    }

    fn dispersion_slopes(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        out: DispersionSlopes<'_>,
    ) {
        for (i, &eta) in eta.iter().enumerate() {
            let (l, _) = self.row(first + i, eta);
            out.log_density[i] = l.derivative(1, 0);
            out.score[i] = l.derivative(1, 1);
            [_, _, out.information[i]] = self.information(information, first + i, eta);
        }
    }
}
