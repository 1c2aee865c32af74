use super::ar1::ends_of_sine;
use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};

/// First-order antedependence (Gabriel 1962): a correlation of each column with the next, and products
/// of those for columns further apart; ρ_t = sin φ_t.
#[derive(Debug)]
pub struct Antedependence;

impl Correlation for Antedependence {
    fn n_angles(&self, k: usize) -> usize {
        k.saturating_sub(1)
    }

    /// The Cholesky factor: what is new at column s, times the correlations from there on.
    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let mut out = vec![Jet::ZERO; k * k];
        for s in 0..k {
            let mut entry = if s == 0 {
                Jet::ONE
            } else {
                angles[s - 1].cos()
            };
            for t in s..k {
                if t > s {
                    entry = entry * angles[t - 1].sin();
                }
                out[t + s * k] = entry;
            }
        }
        out
    }

    fn independent(&self, k: usize) -> Vec<f64> {
        vec![0.0; self.n_angles(k)]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        (0..self.n_angles(k)).flat_map(ends_of_sine).collect()
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        (1..k)
            .map(|t| NaturalParameter::of_pair(t - 1, t))
            .collect()
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
