use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};
use crate::error::{Error, Result};

/// `exp` of less than minus this is zero.
const UNDERFLOW: f64 = 800.0;

/// First-order autoregression in continuous time (the Ornstein–Uhlenbeck process): ρ to the power of
/// the time between two columns, ρ ≥ 0.
///
/// The correlation over a typical time is exp(-a²): ρ = 1 is a fold at a = 0, and ρ = 0 far out.
#[derive(Debug)]
pub struct ContinuousAr1 {
    /// Columns by their times.
    order: Vec<usize>,
    /// Time of each from the one before, in units of the typical time; 0 for the first.
    steps: Vec<f64>,
    /// The mean of the times between two columns.
    typical: f64,
}

impl ContinuousAr1 {
    pub fn new(times: Option<&[f64]>) -> Result<Self> {
        let times = times.ok_or_else(|| {
            Error::Domain("the covariance structure 'ou' needs the times of its columns".into())
        })?;
        if times.iter().any(|t| !t.is_finite()) {
            return Err(Error::Domain("the times of 'ou' must be finite".into()));
        }
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
        let gaps: Vec<f64> = order
            .windows(2)
            .map(|w| times[w[1]] - times[w[0]])
            .collect();
        if gaps.contains(&0.0) {
            return Err(Error::Domain("the times of 'ou' must be different".into()));
        }
        if gaps.iter().any(|gap| !gap.is_finite()) {
            return Err(Error::Domain("the times of 'ou' are too far apart".into()));
        }
        let typical = mean_distance(&gaps);
        let steps = gaps.iter().map(|gap| gap / typical);
        Ok(Self {
            steps: [0.0].into_iter().chain(steps).collect(),
            order,
            typical,
        })
    }
}

/// Of all pairs of points with these gaps between neighbours.
fn mean_distance(gaps: &[f64]) -> f64 {
    let n = gaps.len() as f64 + 1.0;
    // A gap lies between the points before it and those after it.
    let shares = gaps.iter().enumerate().map(|(i, gap)| {
        let before = i as f64 + 1.0;
        gap * (before / n) * ((n - before) / (n - 1.0))
    });
    2.0 * shares.sum::<f64>()
}

impl Correlation for ContinuousAr1 {
    fn n_angles(&self, k: usize) -> usize {
        usize::from(k > 1)
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let &[decay] = angles else {
            return vec![Jet::ONE];
        };
        let mut out = vec![Jet::ZERO; k * k];
        for s in 0..k {
            let mut entry = match s {
                0 => Jet::ONE,
                _ => decay * over_square(decay, 2.0 * self.steps[s]).sqrt(),
            };
            for t in s..k {
                if t > s {
                    entry = entry * correlation(decay, self.steps[t]);
                }
                out[self.order[t] + s * k] = entry;
            }
        }
        out
    }

    /// Nearly: where ρ is zero a search would not find its way out.
    fn independent(&self, k: usize) -> Vec<f64> {
        vec![1.0; self.n_angles(k)]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        vec![Fold::at_zero(vec![0]); self.n_angles(k)]
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        let rho = NaturalParameter::shared("rho", (0.0, 1.0));
        vec![rho; self.n_angles(k)]
    }

    /// Over one unit of time.
    fn natural(&self, angles: &[Jet], _k: usize) -> Vec<Jet> {
        let unit = 1.0 / self.typical;
        angles
            .iter()
            .map(|&decay| correlation(decay, unit))
            .collect()
    }

    fn angles(&self, natural: &[f64], _k: usize) -> Option<Vec<f64>> {
        let shortest = self.steps[1..]
            .iter()
            .copied()
            .fold(1.0 / self.typical, f64::min);
        let furthest = (UNDERFLOW / shortest).sqrt();
        let decay = |rho: &f64| {
            let bounded = (0.0..=1.0).contains(rho);
            bounded.then(|| (-rho.ln() * self.typical).sqrt().min(furthest))
        };
        natural.iter().map(decay).collect()
    }

    fn shared(&self, k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        match k {
            1 => Some(Vec::new()),
            2 => Some(vec![vec![(1, 0)]]),
            _ => None,
        }
    }
}

/// `exp(-a² step)`.
fn correlation(decay: Jet, step: f64) -> Jet {
    let square = decay * decay;
    let value = (-square.value * step).exp();
    square.map(value, -step * value, step * step * value)
}

/// `(1 - exp(-a² q)) / a²`, smooth at a = 0.
fn over_square(decay: Jet, q: f64) -> Jet {
    const SMALL: f64 = 0.05;
    let square = decay * decay;
    let s = square.value;
    if q * s < SMALL {
        // q Σ_j (-q s)^j / (j + 1)! and its derivatives.
        let (mut f, mut slope, mut curvature) = (0.0, 0.0, 0.0);
        let mut coefficient = q;
        for j in 0..12 {
            let j = f64::from(j);
            f += coefficient * s.powf(j);
            if j >= 1.0 {
                slope += coefficient * j * s.powf(j - 1.0);
            }
            if j >= 2.0 {
                curvature += coefficient * j * (j - 1.0) * s.powf(j - 2.0);
            }
            coefficient *= -q / (j + 2.0);
        }
        return square.map(f, slope, curvature);
    }
    let rest = (-q * s).exp();
    let f = -(-q * s).exp_m1() / s;
    let slope = (q * rest - f) / s;
    let curvature = (-q * q * rest - 2.0 * slope) / s;
    square.map(f, slope, curvature)
}
