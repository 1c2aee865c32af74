//! Special functions of a positive number.

/// B_2k, k = 1, 2, ...: coefficients of the asymptotic series of the gamma function.
pub(super) const BERNOULLI: [f64; 8] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
];

/// From here the asymptotic series are exact to rounding.
const ASYMPTOTIC: f64 = 10.0;

pub(super) const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// sum_k coefficient(2k) B_2k / x^2k.
fn bernoulli_series(x: f64, coefficient: impl Fn(f64) -> f64) -> f64 {
    let z = 1.0 / (x * x);
    let terms = BERNOULLI.iter().enumerate().rev();
    terms.fold(0.0, |sum, (k, b)| {
        z * (coefficient(2.0 * (k as f64 + 1.0)) * b + sum)
    })
}

/// Adds up the recurrence `term` from x to where the series hold, and `series` there.
fn shifted(mut x: f64, term: impl Fn(f64) -> f64, series: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.0;
    while x < ASYMPTOTIC {
        sum += term(x);
        x += 1.0;
    }
    sum + series(x)
}

/// ψ(x), the derivative of log Γ.
pub(super) fn digamma(x: f64) -> f64 {
    shifted(
        x,
        |x| -1.0 / x,
        |x| x.ln() - 0.5 / x - bernoulli_series(x, f64::recip),
    )
}

/// ψ'(x).
pub(super) fn trigamma(x: f64) -> f64 {
    shifted(
        x,
        |x| 1.0 / (x * x),
        |x| (1.0 + 0.5 / x + bernoulli_series(x, |_| 1.0)) / x,
    )
}

/// ψ''(x).
pub(super) fn tetragamma(x: f64) -> f64 {
    shifted(
        x,
        |x| -2.0 / (x * x * x),
        |x| -(1.0 + 1.0 / x + bernoulli_series(x, |j| j + 1.0)) / (x * x),
    )
}

/// log Γ(x) less Stirling's (x - 1/2) log x - x + log(2π)/2.
pub(super) fn stirling_error(x: f64) -> f64 {
    if x < ASYMPTOTIC {
        libm::lgamma(x) - ((x - 0.5) * x.ln() - x + HALF_LOG_TWO_PI)
    } else {
        x * bernoulli_series(x, |j| 1.0 / (j * (j - 1.0)))
    }
}

/// x (log x - ψ(x)): 1/2 for large x.
pub(super) fn scaled_log_minus_digamma(x: f64) -> f64 {
    if x < ASYMPTOTIC {
        x * (x.ln() - digamma(x))
    } else {
        0.5 + x * bernoulli_series(x, f64::recip)
    }
}

/// log y! of every count.
pub(super) fn log_factorials(counts: &[f64]) -> Vec<f64> {
    counts.iter().map(|&y| libm::lgamma(y + 1.0)).collect()
}

/// log(1 + x) - x/(1 + x) without cancellation, x ≥ 0: from both of its terms.
pub(super) fn log1p_excess(log1p: f64, p: f64) -> f64 {
    if p > 0.2 {
        return log1p - p;
    }
    // -log(1 - p) - p
    let sum = (2..=24)
        .rev()
        .fold(0.0, |sum, n| p * (sum + 1.0 / f64::from(n)));
    p * sum
}

/// log(1 + exp(x)).
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1/(1 + exp(-x)).
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
// Numbers as mpmath writes them.
#[allow(clippy::excessive_precision, clippy::unreadable_literal)]
mod tests {
    use super::*;

    fn assert_close(x: f64, found: f64, expected: f64) {
        // At its zero ψ has no more digits than its terms.
        let error = (found - expected).abs();
        let agrees = error <= 1e-13 * expected.abs() || error < 1e-15;
        assert!(agrees, "{x}: {found:e} {expected:e}");
    }

    /// x, ψ, ψ' and ψ'' by mpmath.
    const POLYGAMMA: [(f64, f64, f64, f64); 11] = [
        (
            0.001,
            -1000.5755719318103,
            1000001.6425331958,
            -2000000002.3976322,
        ),
        (
            0.1,
            -10.423754940411076,
            101.43329915079275,
            -2001.8614573783437,
        ),
        (
            0.5,
            -1.9635100260214235,
            4.9348022005446793,
            -16.82879664423432,
        ),
        (
            1.0,
            -0.57721566490153286,
            1.6449340668482264,
            -2.4041138063191886,
        ),
        (
            1.4616321449683622,
            -9.2412655217294275e-17,
            0.96767224544762125,
            -0.88552633796718436,
        ),
        (
            2.5,
            0.70315664064524319,
            0.49035775610023486,
            -0.2362040516417274,
        ),
        (
            9.99,
            2.2507003728312011,
            0.10527695014824178,
            -0.011073070531461051,
        ),
        (
            10.0,
            2.2517525890667211,
            0.10516633568168575,
            -0.011049834970802067,
        ),
        (
            25.3,
            3.2109113801825359,
            0.040317120341256496,
            -0.0016252502393395948,
        ),
        (
            1e4,
            9.2102903711428494,
            0.00010000500016666667,
            -1.000100005e-8,
        ),
        (
            1e12,
            27.631021115928048,
            1.0000000000005e-12,
            -1.000000000001e-24,
        ),
    ];

    #[test]
    fn polygamma_functions_have_known_values() {
        for (x, psi, psi1, psi2) in POLYGAMMA {
            assert_close(x, digamma(x), psi);
            assert_close(x, trigamma(x), psi1);
            assert_close(x, tetragamma(x), psi2);
        }
    }

    /// x, the error of Stirling's formula and x (log x - ψ(x)) by mpmath.
    const REMAINDERS: [(f64, f64, f64); 7] = [
        (1e-6, 5.9888309840731799, 0.999986761703462),
        (0.3, 0.23606490074821559, 0.6895654253622591),
        (2.0, 0.041340695955409294, 0.54072569092295634),
        (9.5, 0.0087687001341393855, 0.50876226093368337),
        (10.0, 0.0083305634333628713, 0.50832503927324576),
        (40.0, 0.0020832899383024217, 0.50208320316372708),
        (1e5, 8.3333333333055556e-7, 0.50000083333333333),
    ];

    #[test]
    fn remainders_have_known_values() {
        for (x, stirling, scaled) in REMAINDERS {
            assert!((stirling_error(x) - stirling).abs() < 1e-14, "{x}");
            assert_close(x, scaled_log_minus_digamma(x), scaled);
        }
    }

    #[test]
    fn excess_of_the_logarithm_is_continuous_and_exact_for_small_numbers() {
        let excess = |x: f64| log1p_excess(x.ln_1p(), x / (1.0 + x));
        // x^2/2 - 2x^3/3 + 3x^4/4
        let series = |x: f64| x * x * (0.5 - x * (2.0 / 3.0 - 0.75 * x));
        for x in [1e-9, 1e-6, 1e-5] {
            assert!((excess(x) - series(x)).abs() <= 1e-14 * excess(x), "{x}");
        }
        let (below, above) = (excess(0.25 - 1e-14), excess(0.25 + 1e-14));
        assert!((below - above).abs() < 1e-12 * above);
    }
}
