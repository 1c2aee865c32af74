use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};
use crate::error::{Error, Result};
use std::f64::consts::FRAC_PI_2;

/// First-order autoregression in continuous time (the Ornstein–Uhlenbeck process): ρ to the power of
/// the time between two columns, ρ ≥ 0.
///
/// The correlation over the shortest time between neighbours is sin² φ, so that ρ = 0 and ρ = 1 are
/// ends of the angle.
#[derive(Debug)]
pub struct ContinuousAr1 {
    /// Columns by their times.
    order: Vec<usize>,
    /// Time of each from the one before, in units of the shortest; 0 for the first.
    steps: Vec<f64>,
    shortest: f64,
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
        let shortest = gaps.iter().copied().fold(f64::INFINITY, f64::min);
        let steps = gaps.iter().map(|gap| gap / shortest);
        Ok(Self {
            steps: [0.0].into_iter().chain(steps).collect(),
            order,
            shortest,
        })
    }
}

impl Correlation for ContinuousAr1 {
    fn n_angles(&self, k: usize) -> usize {
        usize::from(k > 1)
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let &[angle] = angles else {
            return vec![Jet::ONE];
        };
        let (sin, cos) = (angle.sin(), angle.cos());
        let mut out = vec![Jet::ZERO; k * k];
        for s in 0..k {
            let mut entry = match s {
                0 => Jet::ONE,
                _ => cos * over_square(cos, 2.0 * self.steps[s]).sqrt(),
            };
            for t in s..k {
                if t > s {
                    entry = entry * sin.abs().powf(2.0 * self.steps[t]);
                }
                out[self.order[t] + s * k] = entry;
            }
        }
        out
    }

    /// Almost: at ρ = 0, an end, a search would not find its way out.
    fn independent(&self, k: usize) -> Vec<f64> {
        const NEARLY: f64 = 0.3;
        vec![NEARLY; self.n_angles(k)]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        let highest = Fold {
            parameters: vec![0],
            at: FRAC_PI_2,
            side: -1.0,
        };
        let ends = [Fold::at_zero(vec![0]), highest].into_iter();
        ends.filter(|_| k > 1).collect()
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        let rho = NaturalParameter::shared("rho", (0.0, 1.0));
        vec![rho; self.n_angles(k)]
    }

    /// Over one unit of time.
    fn natural(&self, angles: &[Jet], _k: usize) -> Vec<Jet> {
        let unit = 1.0 / self.shortest;
        let correlation = |angle: &Jet| angle.sin().abs().powf(2.0 * unit);
        angles.iter().map(correlation).collect()
    }

    fn angles(&self, natural: &[f64], _k: usize) -> Option<Vec<f64>> {
        let angle = |rho: &f64| {
            let bounded = (0.0..=1.0).contains(rho);
            bounded.then(|| rho.powf(self.shortest).sqrt().asin())
        };
        natural.iter().map(angle).collect()
    }

    fn shared(&self, k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        match k {
            1 => Some(Vec::new()),
            2 => Some(vec![vec![(1, 0)]]),
            _ => None,
        }
    }
}

/// `(1 - (1 - c²)^q) / c²`, smooth at c = 0.
fn over_square(c: Jet, q: f64) -> Jet {
    const SMALL: f64 = 0.05;
    let square = c * c;
    let s = square.value;
    if q * s < SMALL {
        // Σ_j binomial(q, j + 1) (-s)^j and its derivatives.
        let (mut f, mut slope, mut curvature) = (0.0, 0.0, 0.0);
        let mut coefficient = q;
        for j in 0..20 {
            if !f64::is_finite(coefficient) {
                break;
            }
            let j = f64::from(j);
            f += coefficient * s.powf(j);
            if j >= 1.0 {
                slope += coefficient * j * s.powf(j - 1.0);
            }
            if j >= 2.0 {
                curvature += coefficient * j * (j - 1.0) * s.powf(j - 2.0);
            }
            coefficient *= -(q - j - 1.0) / (j + 2.0);
        }
        return square.map(f, slope, curvature);
    }
    let rest = 1.0 - s;
    let f = -(q * (-s).ln_1p()).exp_m1() / s;
    let slope = (q * rest.powf(q - 1.0) - f) / s;
    let curvature = (-q * (q - 1.0) * rest.powf(q - 2.0) - 2.0 * slope) / s;
    square.map(f, slope, curvature)
}
