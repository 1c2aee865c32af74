//! Taylor polynomials in the linear predictor η (to the third power) and in the logarithm ρ of the
//! dispersion (to the first): a log-density written once gives all derivatives.

use std::ops::{Add, Mul, Neg, Sub};

const ETA: usize = 4;
const RHO: usize = 2;

/// Coefficients of `δρ^r δη^e` at `[r][e]`.
#[derive(Debug, Clone, Copy)]
pub struct Jet([[f64; ETA]; RHO]);

impl Jet {
    pub fn constant(value: f64) -> Self {
        let mut c = [[0.0; ETA]; RHO];
        c[0][0] = value;
        Self(c)
    }

    pub fn eta(value: f64) -> Self {
        let mut out = Self::constant(value);
        out.0[0][1] = 1.0;
        out
    }

    pub fn rho(value: f64) -> Self {
        let mut out = Self::constant(value);
        out.0[1][0] = 1.0;
        out
    }

    /// The derivative of these orders.
    pub fn derivative(self, rho: usize, eta: usize) -> f64 {
        self.0[rho][eta] * [1.0, 1.0, 2.0, 6.0][eta]
    }

    pub fn value(self) -> f64 {
        self.0[0][0]
    }

    /// f of this, by the value and four derivatives of f at the value of this.
    fn compose(self, f: [f64; 5]) -> Self {
        let step = self - Self::constant(self.value());
        let coefficients = [f[0], f[1], f[2] / 2.0, f[3] / 6.0, f[4] / 24.0];
        let horner = |sum: Self, &c: &f64| sum * step + Self::constant(c);
        coefficients.iter().rev().fold(Self::constant(0.0), horner)
    }

    pub fn exp(self) -> Self {
        self.compose([self.value().exp(); 5])
    }

    /// Relative to the value, whose powers may underflow.
    pub fn ln(self) -> Self {
        let relative = self * (1.0 / self.value());
        Self::constant(self.value().ln()) + relative.compose([0.0, 1.0, -1.0, 2.0, -6.0])
    }

    pub fn recip(self) -> Self {
        (-self.ln()).exp()
    }

    /// `1 - exp(-x)`.
    pub fn one_minus_exp_neg(self) -> Self {
        let e = (-self.value()).exp();
        self.compose([-(-self.value()).exp_m1(), e, -e, e, -e])
    }

    /// The standard normal distribution function.
    pub fn normal(self) -> Self {
        let x = self.value();
        let density = normal_density(x);
        let derivatives = [1.0, -x, x * x - 1.0, (3.0 - x * x) * x].map(|p| p * density);
        let [first, second, third, fourth] = derivatives;
        self.compose([normal(x), first, second, third, fourth])
    }

    /// The standard normal density.
    pub fn normal_density(self) -> Self {
        (self * self * -0.5).exp() * normal_density(0.0)
    }

    /// log Γ of a positive number by Stirling's series, after a shift.
    pub fn ln_gamma(self) -> Self {
        const SHIFT: u32 = 20;
        // Bernoulli numbers B_2j / (2j (2j - 1)).
        const SERIES: [f64; 4] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0];
        let plus = |c: u32| self + Self::constant(f64::from(c));
        let x = plus(SHIFT);
        let inverse = x.recip();
        let horner = |sum: Self, &c: &f64| sum * inverse * inverse + Self::constant(c);
        let series = SERIES.iter().rev().fold(Self::constant(0.0), horner) * inverse;
        let constant = Self::constant(0.5 * std::f64::consts::TAU.ln());
        let stirling = (x - Self::constant(0.5)) * x.ln() - x + constant + series;
        (0..SHIFT).fold(stirling, |sum, j| sum - plus(j).ln())
    }
}

fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// By its power series, or Laplace's continued fraction in the tail.
fn normal(x: f64) -> f64 {
    if x > 0.0 {
        return 1.0 - normal(-x);
    }
    if x < -2.0 {
        let fraction = (1..400).rev().fold(-x, |f, j| -x + f64::from(j) / f);
        return normal_density(x) / fraction;
    }
    let (mut term, mut sum) = (x, x);
    for j in 1..60 {
        term *= x * x / f64::from(2 * j + 1);
        sum += term;
    }
    0.5 + normal_density(x) * sum
}

impl Add for Jet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let mut out = self;
        for r in 0..RHO {
            for e in 0..ETA {
                out.0[r][e] += other.0[r][e];
            }
        }
        out
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, s: f64) -> Self {
        Self(self.0.map(|row| row.map(|c| c * s)))
    }
}

impl Neg for Jet {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
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
        let mut out = Self::constant(0.0);
        for r in 0..RHO {
            for e in 0..ETA {
                for q in 0..RHO - r {
                    for d in 0..ETA - e {
                        out.0[r + q][e + d] += self.0[r][e] * other.0[q][d];
                    }
                }
            }
        }
        out
    }
}
