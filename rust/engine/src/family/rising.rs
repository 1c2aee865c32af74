//! The rising factorial (r)_y = r (r + 1) ... (r + y - 1) and its derivatives.

use super::special::{log1p_excess, BERNOULLI};

/// Up to here the factors are taken one by one.
const FEW: f64 = 16.0;

/// What a negative binomial density needs of (r)_y, with t_j = r / (r + j) and j = 0, ..., y - 1. All
/// of it without cancellation as r → ∞.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rising {
    /// log((r)_y / r^y).
    pub log_ratio: f64,
    /// sum (1 - t_j) = y - d1.
    pub missing: f64,
    /// First three derivatives of log (r)_y with respect to log r.
    pub d1: f64,
    pub d2: f64,
    pub d3: f64,
}

impl Rising {
    /// `y` is a whole number, `r` its base, which may underflow, and `log_r` its logarithm.
    pub fn new(log_r: f64, r: f64, y: f64) -> Self {
        // Beyond them the logarithm of r + j is that of a sum of integrals.
        let few = if y <= FEW {
            y
        } else {
            (FEW - r).ceil().max(0.0)
        };
        let mut rising = Self::default();
        if few > 0.0 {
            rising.d1 = 1.0;
        }
        let mut j = 1.0;
        while j < few {
            rising.add_factor(log_r, r, j);
            j += 1.0;
        }
        if y > few {
            rising.add_tail(log_r, r, few, y);
        }
        rising
    }

    fn add_factor(&mut self, log_r: f64, r: f64, j: f64) {
        let (t, missing) = (r / (r + j), j / (r + j));
        self.log_ratio += if r >= 1.0 {
            (j / r).ln_1p()
        } else {
            (r + j).ln() - log_r
        };
        self.missing += missing;
        self.d1 += t;
        self.d2 += t * missing;
        self.d3 += t * missing * (missing - t);
    }

    /// Factors j = m, ..., y - 1 by the asymptotic series of log Γ and its derivatives at a = r + m and
    /// b = r + y, each difference of powers of a and b taken without cancellation.
    fn add_tail(&mut self, log_r: f64, r: f64, m: f64, y: f64) {
        let (n, a, b) = (y - m, r + m, r + y);
        let (x, u, w, shift) = (n / a, a / b, n / b, m / a);
        let log = x.ln_1p();
        let excess = log1p_excess(log, w);
        let log_deficit = x * w - excess;
        let [s0, s1, s2, s3] = corrections(a, u, w);

        let log_b_over_r = if m == 0.0 { log } else { b.ln() - log_r };
        self.log_ratio += n * log_b_over_r - a * log_deficit - 0.5 * log - s0;
        self.missing += a * log_deficit + m * log - r * s1;
        self.d1 += r * (log + s1);
        self.d2 += r * (excess + shift * w) + r * (s1 - r * s2);
        let leading = excess - w * w + 3.0 * shift * w - w * (2.0 - w) * shift * (2.0 - shift);
        self.d3 += r * leading + r * (s1 - r * (3.0 * s2 - 2.0 * r * s3));
    }
}

/// With E_k = a^-k - b^-k, u = a/b and w = 1 - u: what is to be added to the integrals of log(r + j),
/// 1/(r + j), 1/(r + j)^2 and 1/(r + j)^3 (the first with the opposite sign).
fn corrections(a: f64, u: f64, w: f64) -> [f64; 4] {
    // a^k E_k = w (1 + u + ... + u^(k-1))
    let mut scaled = [0.0; 2 * BERNOULLI.len() + 3];
    let mut power = w;
    for k in 1..scaled.len() {
        scaled[k] = scaled[k - 1] + power;
        power *= u;
    }
    let z = 1.0 / (a * a);
    let mut sums = [0.0; 4];
    for (i, b) in BERNOULLI.iter().enumerate().rev() {
        let k = 2 * (i + 1);
        let j = k as f64;
        let terms = [
            b / (j * (j - 1.0)) * scaled[k - 1],
            b / j * scaled[k],
            b * scaled[k + 1],
            0.5 * (j + 1.0) * b * scaled[k + 2],
        ];
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = z * (*sum + term);
        }
    }
    [
        sums[0] * a,
        sums[1] + 0.5 * scaled[1] / a,
        sums[2] / a + 0.5 * scaled[2] * z,
        sums[3] * z + 0.5 * scaled[3] * z / a,
    ]
}

#[cfg(test)]
// Numbers as mpmath writes them.
#[allow(clippy::excessive_precision, clippy::unreadable_literal)]
mod tests {
    use super::Rising;

    /// r, y and log_ratio, missing, d1, d2, d3: sums by mpmath.
    const SUMS: [(f64, f64, [f64; 5]); 14] = [
        (1e-05, 1.0, [0.0, 0.0, 1.0, 0.0, 0.0]),
        (
            1e-05,
            16.0,
            [
                200.59318654060523,
                14.999966817868111,
                1.0000331821318895,
                3.3181973847833136e-5,
                3.3181657766976185e-5,
            ],
        ),
        (
            1e-05,
            17.0,
            [
                214.87870135281504,
                15.999966192868501,
                1.0000338071314988,
                3.3806973066583869e-5,
                3.3806656204478382e-5,
            ],
        ),
        (
            1e-05,
            3000.0,
            [
                55543.282040757696,
                2998.9999141659989,
                1.0000858340011074,
                8.5833836649729081e-5,
                8.5833507736805702e-5,
            ],
        ),
        (
            0.3,
            5.0,
            [
                8.5637020958782904,
                3.4781194538525176,
                1.5218805461474824,
                0.43848091700981152,
                0.30288067971024596,
            ],
        ),
        (
            0.3,
            40.0,
            [
                154.79890895795425,
                37.844074769309482,
                2.1559252306905179,
                1.0561036091367195,
                0.88880181158973904,
            ],
        ),
        (
            4.0,
            17.0,
            [
                16.97685285248729,
                9.9423747047586057,
                7.0576252952413943,
                3.296791170410799,
                0.74546595068879834,
            ],
        ),
        (
            15.5,
            40.0,
            [
                30.150990711716718,
                19.863768402773784,
                20.136231597226216,
                8.4935493303581926,
                0.50946695060867226,
            ],
        ),
        (
            15.5,
            3000.0,
            [
                12891.097592567973,
                2917.8016419971037,
                82.198358002896278,
                66.267299147573112,
                50.93698527304165,
            ],
        ),
        (
            1000.0,
            5.0,
            [
                0.009985033245092521,
                0.0099700996472951286,
                4.9900299003527049,
                0.0099402985904707903,
                -0.0098808943683248717,
            ],
        ),
        (
            1000.0,
            40.0,
            [
                0.76992811770801069,
                0.76004979050689594,
                39.239950209493104,
                0.74067135386256583,
                -0.70302313595136718,
            ],
        ),
        (
            1e9,
            16.0,
            [
                1.1999999938e-7,
                1.1999999876000001e-7,
                15.999999880000001,
                1.1999999752000004e-7,
                -1.1999999504000013e-7,
            ],
        ),
        (
            1e9,
            17.0,
            [
                1.3599999925200001e-7,
                1.3599999850400002e-7,
                16.999999864000001,
                1.3599999700800006e-7,
                -1.3599999401600017e-7,
            ],
        ),
        (
            1e9,
            3000.0,
            [
                0.0044984955022564955,
                0.0044984910045197365,
                2999.9955015089955,
                0.0044984820090597093,
                -0.0044984640181801277,
            ],
        ),
    ];

    #[test]
    fn factors_one_by_one_and_by_the_series_have_known_sums() {
        for (r, y, expected) in SUMS {
            let rising = Rising::new(f64::ln(r), r, y);
            let found = [
                rising.log_ratio,
                rising.missing,
                rising.d1,
                rising.d2,
                rising.d3,
            ];
            // The logarithm is what is left of terms of the size of y.
            let floors = [1e-15 * y, 0.0, 0.0, 0.0, 0.0];
            for ((found, expected), floor) in found.into_iter().zip(expected).zip(floors) {
                let tolerance = 1e-13 * expected.abs() + floor;
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{r} {y}: {found:e} {expected:e}"
                );
            }
        }
    }
}
