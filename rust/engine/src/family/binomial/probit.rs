//! The logarithm of the normal distribution function.

use crate::family::jet::Jet;
use crate::family::special::HALF_LOG_TWO_PI;

/// log Φ(eta). With m = φ/Φ its derivatives are m, -m (eta + m) and m ((eta + m)(eta + 2 m) - 1).
pub(super) fn log_normal_probability(eta: f64) -> Jet {
    if eta < TAIL {
        return lower_tail(-eta);
    }
    let upper = 0.5 * libm::erfc(eta * std::f64::consts::FRAC_1_SQRT_2);
    let value = if eta > 0.0 {
        (-upper).ln_1p()
    } else {
        (0.5 * libm::erfc(-eta * std::f64::consts::FRAC_1_SQRT_2)).ln()
    };
    let m = (-0.5 * eta * eta - HALF_LOG_TWO_PI - value).exp();
    let excess = eta + m;
    let d2 = -(m * excess);
    Jet::new(value, m, d2, -d2 * (excess + m) - m)
}

/// Below this the differences in the derivatives lose digits.
const TAIL: f64 = -3.5;

/// eta = -x. Mills' ratio is 1/(x + 1/(x + 2/(x + 3/(x + ...)))): with e_k = k/(x + e_(k+1)),
/// m = x + e_1, and the differences that the derivatives consist of are written in the e_k.
fn lower_tail(x: f64) -> Jet {
    // What is left out is of the order of exp(-x √(2 levels)).
    let levels = 15 + (900.0 / (x * x)) as u32;
    let e4 = (4..=levels).rev().fold(0.0, |e, k| f64::from(k) / (x + e));
    let e3 = 3.0 / (x + e4);
    let e2 = 2.0 / (x + e3);
    let e1 = 1.0 / (x + e2);
    let m = x + e1;
    // (3 - 2) x + 3 e_3 - 2 e_4 over (x + e_3)(x + e_4)
    let e3_less_e2 = (x + 3.0 * e3 - 2.0 * e4) / ((x + e3) * (x + e4));
    let d3 = 2.0 * m * e1 * e1 * e3_less_e2 / (x + e3);
    Jet::new(-0.5 * x * x - HALF_LOG_TWO_PI - m.ln(), m, -m * e1, d3)
}
