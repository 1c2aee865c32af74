//! Arithmetic on a few numbers side by side: one SIMD register where the processor has them.

// Kernels are compiled for the instruction set they are dispatched to only as far as they are inlined
// into the dispatch; comparisons without branches keep the lanes together.
#![allow(
    clippy::inline_always,
    clippy::must_use_candidate,
    clippy::needless_bitwise_bool,
    clippy::return_self_not_must_use
)]

use std::ops::{Add, AddAssign, Mul, MulAssign, Sub};

/// Numbers in a [`Lane`].
pub const LANES: usize = 4;

/// The same quantity of several levels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C, align(32))]
pub struct Lane(pub [f64; LANES]);

impl Lane {
    #[inline(always)]
    pub fn splat(v: f64) -> Self {
        Self([v; LANES])
    }

    /// Written out, so that nothing stands between the compiler and one instruction.
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let (a, b) = (self.0, other.0);
        Self([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
    }

    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let a = self.0;
        Self([f(a[0]), f(a[1]), f(a[2]), f(a[3])])
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        self.map(f64::sqrt)
    }

    #[inline(always)]
    pub fn recip(self) -> Self {
        self.map(|v| 1.0 / v)
    }

    /// Whether every number is positive: false for NaN.
    #[inline(always)]
    pub fn all_positive(self) -> bool {
        let a = self.0;
        (a[0] > 0.0) & (a[1] > 0.0) & (a[2] > 0.0) & (a[3] > 0.0)
    }

    #[inline(always)]
    pub fn any_above(self, limit: f64) -> bool {
        let a = self.0;
        (a[0] > limit) | (a[1] > limit) | (a[2] > limit) | (a[3] > limit)
    }

    /// Sum over the lanes.
    #[inline(always)]
    pub fn sum(self) -> f64 {
        (self.0[0] + self.0[1]) + (self.0[2] + self.0[3])
    }
}

impl Add for Lane {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Lane {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul for Lane {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl Mul<f64> for Lane {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: f64) -> Self {
        self.map(|v| v * s)
    }
}

impl AddAssign for Lane {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for Lane {
    #[inline(always)]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}
