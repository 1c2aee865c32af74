use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};
use std::f64::consts::FRAC_PI_2;

/// First-order autoregression over the columns in their order: ρ to the power of the lag, ρ = sin φ.
///
/// C is the Cholesky factor: ρ^t in the first column and √(1 - ρ²) ρ^(t - s) in column s.
#[derive(Debug)]
pub struct Ar1;

/// The two ends of an angle whose sine is a correlation.
pub fn ends_of_sine(angle: usize) -> [Fold; 2] {
    [(-FRAC_PI_2, 1.0), (FRAC_PI_2, -1.0)].map(|(at, side)| Fold {
        parameters: vec![angle],
        at,
        side,
    })
}

impl Correlation for Ar1 {
    fn n_angles(&self, k: usize) -> usize {
        usize::from(k > 1)
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let &[angle] = angles else {
            return vec![Jet::ONE];
        };
        let (rho, fresh) = (angle.sin(), angle.cos());
        let mut out = vec![Jet::ZERO; k * k];
        for s in 0..k {
            let mut entry = if s == 0 { Jet::ONE } else { fresh };
            for t in s..k {
                out[t + s * k] = entry;
                entry = entry * rho;
            }
        }
        out
    }

    fn independent(&self, k: usize) -> Vec<f64> {
        vec![0.0; self.n_angles(k)]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        let ends = ends_of_sine(0).into_iter();
        ends.filter(|_| k > 1).collect()
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        let rho = NaturalParameter::shared("rho", (-1.0, 1.0));
        vec![rho; self.n_angles(k)]
    }

    fn natural(&self, angles: &[Jet], _k: usize) -> Vec<Jet> {
        angles.iter().map(|angle| angle.sin()).collect()
    }

    fn angles(&self, natural: &[f64], _k: usize) -> Option<Vec<f64>> {
        let angle = |rho: &f64| (rho.abs() <= 1.0).then(|| rho.asin());
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
