//! The complementary log-log link: p = 1 - exp(-t), t = exp(eta).

use crate::family::jet::Jet;

/// log p and log(1 - p). With a = t/expm1(t) the derivatives of log p are a, a' = a (1 - t - a) and
/// a'(1 - t - 2a) - a t.
pub(super) fn log_probabilities(eta: f64) -> [Jet; 2] {
    let t = eta.exp();
    let complement = Jet::new(-t, -t, -t, -t);
    if t > VANISHING {
        return [Jet::ZERO, complement];
    }
    let value = if t < 1.0 {
        let ratio = if t > 0.0 { -(-t).exp_m1() / t } else { 1.0 };
        eta + ratio.ln()
    } else {
        (-(-t).exp()).ln_1p()
    };
    let missing = one_less_ratio(t);
    let a = if t < 1.0 {
        1.0 - missing
    } else {
        t / t.exp_m1()
    };
    let d2 = a * (missing - t);
    let d3 = d2 * (missing - t - a) - a * t;
    [Jet::new(value, a, d2, d3), complement]
}

/// From here 1 - p is 0 in double precision.
const VANISHING: f64 = 700.0;

/// B_2k / (2k)!, k = 1, 2, ...
const SERIES: [f64; 10] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3_617.0 / 10_670_622_842_880_000.0,
    43_867.0 / 5_109_094_217_170_944_000.0,
    -174_611.0 / 802_857_662_698_291_200_000.0,
];

/// 1 - t/expm1(t).
fn one_less_ratio(t: f64) -> f64 {
    if t >= 1.0 {
        return 1.0 - t / t.exp_m1();
    }
    let z = t * t;
    0.5 * t - SERIES.iter().rev().fold(0.0, |sum, c| z * (c + sum))
}
