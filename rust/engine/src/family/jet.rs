//! A value with its first three derivatives.

use std::ops::{Add, Mul, Sub};

/// A function of one number at a point: its value and first three derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Jet {
    pub value: f64,
    pub d1: f64,
    pub d2: f64,
    pub d3: f64,
}

impl Jet {
    pub const ZERO: Self = Self::new(0.0, 0.0, 0.0, 0.0);

    /// Outside the domain.
    pub const IMPOSSIBLE: Self = Self::new(f64::NEG_INFINITY, 0.0, 0.0, 0.0);

    pub const fn new(value: f64, d1: f64, d2: f64, d3: f64) -> Self {
        Self { value, d1, d2, d3 }
    }

    /// `factor` times the function; nothing at all for a factor of zero, even where the function is infinite.
    pub fn times(self, factor: f64) -> Self {
        if factor == 0.0 {
            Self::ZERO
        } else {
            self * factor
        }
    }

    /// The same function of the number with its sign changed.
    pub fn mirrored(self) -> Self {
        Self::new(self.value, -self.d1, self.d2, -self.d3)
    }

    /// The function plus a constant.
    pub fn plus(self, constant: f64) -> Self {
        Self {
            value: self.value + constant,
            ..self
        }
    }

    pub fn is_finite(self) -> bool {
        self.value.is_finite() && self.d1.is_finite() && self.d2.is_finite() && self.d3.is_finite()
    }
}

impl Add for Jet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(
            self.value + other.value,
            self.d1 + other.d1,
            self.d2 + other.d2,
            self.d3 + other.d3,
        )
    }
}

impl Sub for Jet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + other * -1.0
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, s: f64) -> Self {
        Self::new(self.value * s, self.d1 * s, self.d2 * s, self.d3 * s)
    }
}
