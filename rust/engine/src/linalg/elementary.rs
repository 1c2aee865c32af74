//! Exponential and logarithm within 2 units in the last place and without branches, so that the compiler
//! can take the numbers of a loop side by side.

#![allow(clippy::inline_always, clippy::must_use_candidate)]

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// Log 2 in two parts: products of the first with exponents have no rounding error.
const LN_2_HIGH: f64 = f64::from_bits(LN_2.to_bits() & !0x1fff_ffff);
const LN_2_LOW: f64 = 5.769_999_047_543_285_7e-8;

/// Added to a number below 2^51 it leaves the nearest integer in the last bits.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// 1/n!
const EXPONENTIAL: [f64; 12] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// sum_n c_n x^n, even and odd powers side by side.
#[inline(always)]
fn polynomial<const N: usize>(c: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let mut sums = [0.0; 2];
    for n in (0..N).rev() {
        sums[n % 2] = sums[n % 2] * square + c[n];
    }
    sums[0] + sums[1] * x
}

/// exp(x): 0 and infinity where it underflows and overflows, NaN for NaN.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    // Written so that NaN stays.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let shifted = x * LOG2_E + TO_INTEGER;
    let k = shifted - TO_INTEGER;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let p = 1.0 + (r + r * r * polynomial(&EXPONENTIAL, r));
    // 2^k in two factors, for results below the normal numbers; k + 2048 is positive.
    let biased = shifted.to_bits().wrapping_sub(TO_INTEGER.to_bits() - 2048) & 0xfff;
    let half = biased >> 1;
    let factor = |exponent: u64| f64::from_bits(exponent.wrapping_sub(1) << 52);
    p * factor(half) * factor(biased - half)
}

/// 2/(2n + 3)
const LOGARITHM: [f64; 10] = [
    2.0 / 3.0,
    2.0 / 5.0,
    2.0 / 7.0,
    2.0 / 9.0,
    2.0 / 11.0,
    2.0 / 13.0,
    2.0 / 15.0,
    2.0 / 17.0,
    2.0 / 19.0,
    2.0 / 21.0,
];

/// log(1 + t) for t in [0, 1].
#[inline(always)]
pub fn log1p_unit(t: f64) -> f64 {
    // 1 + t or (1 + t)/2 is 1 + f, near 1.
    let far = t > SQRT_2 - 1.0;
    let f = if far { 0.5 * (t - 1.0) } else { t };
    let offset = if far { LN_2 } else { 0.0 };
    // With s = f/(2 + f), log(1 + f) = 2 atanh s and 2 s = f - s f.
    let s = f / (2.0 + f);
    let z = s * s;
    let series = z * polynomial(&LOGARITHM, z);
    offset + (f - s * (f - series))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_within_two_ulp(x: f64, found: f64, expected: f64) {
        let ulp = (expected.abs().to_bits() + 1).max(1);
        let ulp = f64::from_bits(ulp) - expected.abs();
        let agrees = found == expected || (found - expected).abs() <= 2.0 * ulp;
        assert!(agrees, "{x:e}: {found:e} {expected:e}");
    }

    #[test]
    fn exponentials_are_those_of_the_library() {
        let points = (-7_600_000..=7_200_000).map(|i| f64::from(i) * 1e-4);
        let small = (0..2000).flat_map(|i| {
            let x = f64::exp(f64::from(-i) * 0.3);
            [x, -x]
        });
        for x in points.step_by(7).chain(small) {
            assert_within_two_ulp(x, exp(x), x.exp());
        }
    }

    #[test]
    fn exponentials_end_as_they_should() {
        for (x, expected) in [
            (f64::INFINITY, f64::INFINITY),
            (f64::NEG_INFINITY, 0.0),
            (1e300, f64::INFINITY),
            (-1e300, 0.0),
            (709.79, f64::INFINITY),
            (-745.2, 0.0),
            (0.0, 1.0),
        ] {
            assert_eq!(exp(x), expected, "{x}");
        }
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn logarithms_are_those_of_the_library() {
        let even = (0..=1_000_000).map(|i| f64::from(i) * 1e-6);
        let small = (0..2400).map(|i| f64::exp(f64::from(-i) * 0.31));
        for t in even.chain(small) {
            assert_within_two_ulp(t, log1p_unit(t), t.ln_1p());
        }
    }
}
