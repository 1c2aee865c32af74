//! Numbers with two first derivatives and the mixed second one (hyper-dual numbers; Fike & Alonso
//! 2011): a formula written once gives its exact gradient and Hessian, a pair of parameters at a
//! time.

use std::ops::{Add, Mul, Neg, Sub};

/// A value and its derivatives along two directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    pub value: f64,
    /// Along the first direction.
    pub first: f64,
    /// Along the second one.
    pub second: f64,
    /// Along both.
    pub mixed: f64,
}

impl Jet {
    pub const ZERO: Self = Self::constant(0.0);
    pub const ONE: Self = Self::constant(1.0);

    #[must_use]
    pub const fn constant(value: f64) -> Self {
        Self {
            value,
            first: 0.0,
            second: 0.0,
            mixed: 0.0,
        }
    }

    /// f of this number, from f and its first two derivatives there.
    #[must_use]
    pub fn map(self, f: f64, slope: f64, curvature: f64) -> Self {
        // An infinite slope moves nothing along a direction in which the number stays.
        let times = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a * b };
        Self {
            value: f,
            first: times(slope, self.first),
            second: times(slope, self.second),
            mixed: times(slope, self.mixed) + times(curvature, self.first * self.second),
        }
    }

    #[must_use]
    pub fn sin(self) -> Self {
        let (sin, cos) = self.value.sin_cos();
        self.map(sin, cos, -sin)
    }

    #[must_use]
    pub fn cos(self) -> Self {
        let (sin, cos) = self.value.sin_cos();
        self.map(cos, -sin, -cos)
    }

    #[must_use]
    pub fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        let slope = 0.5 / root;
        self.map(root, slope, -0.5 * slope / self.value)
    }

    #[must_use]
    pub fn recip(self) -> Self {
        let inverse = self.value.recip();
        self.map(inverse, -inverse * inverse, 2.0 * inverse.powi(3))
    }

    #[must_use]
    pub fn abs(self) -> Self {
        self * Self::constant(1_f64.copysign(self.value))
    }

    /// A power; those of zero are exact where they are finite.
    #[must_use]
    pub fn powf(self, p: f64) -> Self {
        let x = self.value;
        let term = |factor: f64, p: f64| {
            if factor == 0.0 {
                0.0
            } else {
                factor * x.powf(p)
            }
        };
        self.map(x.powf(p), term(p, p - 1.0), term(p * (p - 1.0), p - 2.0))
    }
}

/// Theta with unit directions along parameters i and j.
#[must_use]
pub fn along(theta: &[f64], i: usize, j: usize) -> Vec<Jet> {
    let mut out = constants(theta);
    out[i].first = 1.0;
    out[j].second = 1.0;
    out
}

#[must_use]
pub fn constants(theta: &[f64]) -> Vec<Jet> {
    theta.iter().copied().map(Jet::constant).collect()
}

impl Add for Jet {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            first: self.first + other.first,
            second: self.second + other.second,
            mixed: self.mixed + other.mixed,
        }
    }
}

impl Neg for Jet {
    type Output = Self;

    fn neg(self) -> Self {
        self * Self::constant(-1.0)
    }
}

impl Sub for Jet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Jet {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            first: self.first * other.value + self.value * other.first,
            second: self.second * other.value + self.value * other.second,
            mixed: self.mixed * other.value
                + self.first * other.second
                + self.second * other.first
                + self.value * other.mixed,
        }
    }
}
