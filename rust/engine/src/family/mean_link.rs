//! Links of positive means: the mean is the exponential of the linear predictor or a power of it.

use super::jet::Jet;

/// A link of a mean that is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeanLink {
    Log,
    /// mu = eta, eta > 0.
    Identity,
    /// mu = eta^2, eta of either sign.
    Sqrt,
    /// mu = 1/eta, eta > 0.
    Inverse,
    /// mu = eta^(-1/2), eta > 0.
    InverseSquare,
}

/// What is smaller is not told from 0: its powers would overflow.
const SMALLEST: f64 = 1e-100;

impl MeanLink {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "log" => Some(Self::Log),
            "identity" => Some(Self::Identity),
            "sqrt" => Some(Self::Sqrt),
            "inverse" => Some(Self::Inverse),
            "1/mu^2" => Some(Self::InverseSquare),
            _ => None,
        }
    }

    /// The linear predictor of a mean, of the positive ones where there are two.
    pub fn eta(self, mu: f64) -> f64 {
        match self.doubled_exponent() {
            None => mu.ln(),
            Some(c) => mu.powf(2.0 / f64::from(c)),
        }
    }

    /// The mean; NaN outside the domain.
    pub fn mean(self, eta: f64) -> f64 {
        self.power(eta, 1).value
    }

    /// Twice the c of mu = eta^c, so that it is an integer.
    fn doubled_exponent(self) -> Option<i32> {
        match self {
            Self::Log => None,
            Self::Identity => Some(2),
            Self::Sqrt => Some(4),
            Self::Inverse => Some(-2),
            Self::InverseSquare => Some(-1),
        }
    }

    fn contains(self, eta: f64) -> bool {
        matches!(self, Self::Log | Self::Sqrt) || eta >= SMALLEST
    }

    /// mu^a as a function of eta, a = 1 or -1.
    pub fn power(self, eta: f64, a: i32) -> Jet {
        let Some(c) = self.doubled_exponent() else {
            let (v, a) = ((f64::from(a) * eta).exp(), f64::from(a));
            return Jet::new(v, a * v, v, a * v);
        };
        if !self.contains(eta) {
            return Jet::IMPOSSIBLE;
        }
        let x = eta.abs();
        let e = f64::from(c * a) / 2.0;
        let term = |coefficient: f64, k: i32| {
            if coefficient == 0.0 {
                0.0
            } else {
                coefficient * half_power(x, c * a - 2 * k)
            }
        };
        let jet = Jet::new(
            term(1.0, 0),
            term(e, 1),
            term(e * (e - 1.0), 2),
            term(e * (e - 1.0) * (e - 2.0), 3),
        );
        mirrored_below_zero(eta, jet)
    }

    /// log mu as a function of eta.
    pub fn log(self, eta: f64) -> Jet {
        let Some(c) = self.doubled_exponent() else {
            return Jet::new(eta, 1.0, 0.0, 0.0);
        };
        if !self.contains(eta) {
            return Jet::IMPOSSIBLE;
        }
        let x = eta.abs();
        let r = 1.0 / x;
        let jet = Jet::new(x.ln(), r, -r * r, 2.0 * r * r * r);
        mirrored_below_zero(eta, jet) * (f64::from(c) / 2.0)
    }

    /// The square of the derivative of mu^a over mu^a, and its derivative: up to a factor the expected
    /// information of a response whose variance is mu (a = 1) or mu^3 (a = -1).
    pub fn information(self, eta: f64, a: i32) -> [f64; 2] {
        let Some(c) = self.doubled_exponent() else {
            let v = (f64::from(a) * eta).exp();
            return [v, f64::from(a) * v];
        };
        if !self.contains(eta) {
            return [f64::NAN; 2];
        }
        let x = eta.abs();
        let e = f64::from(c * a) / 2.0;
        let v = e * e * half_power(x, c * a - 4);
        if e == 2.0 {
            return [v, 0.0];
        }
        let slope = e * e * (e - 2.0) * half_power(x, c * a - 6);
        [v, slope * eta.signum()]
    }
}

fn mirrored_below_zero(eta: f64, jet: Jet) -> Jet {
    if eta < 0.0 {
        jet.mirrored()
    } else {
        jet
    }
}

/// x^(doubled / 2), x ≥ 0.
fn half_power(x: f64, doubled: i32) -> f64 {
    if doubled % 2 == 0 {
        x.powi(doubled / 2)
    } else {
        x.sqrt().powi(doubled)
    }
}
