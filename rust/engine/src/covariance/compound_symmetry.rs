use super::correlation::Correlation;
use super::natural::{pairs, NaturalParameter};
use super::{Fold, Jet};
use std::f64::consts::FRAC_PI_2;

/// One correlation ρ for all pairs of columns.
///
/// The correlation matrix has the eigenvalues 1 - ρ = a² (k - 1 times) and 1 + (k - 1)ρ = b², where
/// a² (k - 1) + b² = k: an ellipse, a = √(k / (k - 1)) cos φ and b = √k sin φ. C is the symmetric
/// square root a (I - J/k) + b J/k.
#[derive(Debug)]
pub struct CompoundSymmetry;

impl Correlation for CompoundSymmetry {
    fn n_angles(&self, k: usize) -> usize {
        usize::from(k > 1)
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let &[angle] = angles else {
            return vec![Jet::ONE];
        };
        let size = k as f64;
        let within = Jet::constant((size / (size - 1.0)).sqrt()) * angle.cos();
        let mean = Jet::constant(size.sqrt()) * angle.sin();
        let beside = Jet::constant(1.0 / size) * (mean - within);
        let mut out = vec![beside; k * k];
        (0..k).for_each(|i| out[i + i * k] = beside + within);
        out
    }

    fn independent(&self, k: usize) -> Vec<f64> {
        let angle = (1.0 / (k as f64).sqrt()).asin();
        vec![angle; self.n_angles(k)]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        let lowest = Fold::at_zero(vec![0]);
        let highest = Fold {
            parameters: vec![0],
            at: FRAC_PI_2,
            side: -1.0,
        };
        [lowest, highest].into_iter().filter(|_| k > 1).collect()
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        if k < 2 {
            return Vec::new();
        }
        vec![NaturalParameter::shared(
            "rho",
            (-1.0 / (k as f64 - 1.0), 1.0),
        )]
    }

    /// ρ = (k sin² φ - 1) / (k - 1).
    fn natural(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let size = k as f64;
        let correlation = |angle: &Jet| {
            let square = angle.sin() * angle.sin();
            Jet::constant(1.0 / (size - 1.0)) * (Jet::constant(size) * square - Jet::ONE)
        };
        angles.iter().map(correlation).collect()
    }

    fn angles(&self, natural: &[f64], k: usize) -> Option<Vec<f64>> {
        let size = k as f64;
        let angle = |&rho: &f64| {
            let square = (1.0 + (size - 1.0) * rho) / size;
            (0.0..=1.0).contains(&square).then(|| square.sqrt().asin())
        };
        natural.iter().map(angle).collect()
    }

    fn shared(&self, k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        let all: Vec<(usize, usize)> = pairs(k).map(|(a, b)| (b, a)).collect();
        Some(if k > 1 { vec![all] } else { Vec::new() })
    }
}
