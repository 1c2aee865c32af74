use super::ar1::ends_of_sine;
use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};

/// Rounding of a correlation.
const ROUNDING: f64 = 1e-12;

/// One correlation for each lag between the columns in their order.
///
/// The angles are those of the partial autocorrelations, sin φ_m at lag m (Barndorff-Nielsen & Schou
/// 1973), and C is what the normalised lattice filter makes of independent innovations (Gray & Markel
/// 1975): rotations throughout, so that nothing divides where a partial autocorrelation is ±1.
#[derive(Debug)]
pub struct Toeplitz;

impl Correlation for Toeplitz {
    fn n_angles(&self, k: usize) -> usize {
        k.saturating_sub(1)
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let rotations: Vec<(Jet, Jet)> = angles.iter().map(|a| (a.sin(), a.cos())).collect();
        let mut out = vec![Jet::ZERO; k * k];
        // Backward errors of orders 0 to t - 1 at time t - 1, in terms of the innovations.
        let mut backward: Vec<Vec<Jet>> = Vec::new();
        for t in 0..k {
            let mut forward = vec![Jet::ZERO; k];
            forward[t] = Jet::ONE;
            let mut next = vec![Vec::new(); t + 1];
            for m in (1..=t).rev() {
                let (sin, cos) = rotations[m - 1];
                let earlier = &backward[m - 1];
                let pairs = forward.iter().zip(earlier);
                let own = pairs.clone().map(|(&f, &b)| cos * b - sin * f);
                let lower = pairs.map(|(&f, &b)| cos * f + sin * b).collect();
                next[m] = own.collect();
                forward = lower;
            }
            for (s, &entry) in forward.iter().enumerate() {
                out[t + s * k] = entry;
            }
            next[0] = forward;
            backward = next;
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
        let lag = |lag: usize| NaturalParameter::shared(&format!("lag {lag}"), (-1.0, 1.0));
        (1..k).map(lag).collect()
    }

    /// The first column of the correlation matrix, and of C.
    fn natural(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        self.factor(angles, k)[1..k].to_vec()
    }

    /// By the recursion of Durbin and Levinson.
    fn angles(&self, natural: &[f64], k: usize) -> Option<Vec<f64>> {
        let mut out = Vec::with_capacity(k - 1);
        let mut filter: Vec<f64> = Vec::new();
        let mut left = 1.0;
        for m in 0..k - 1 {
            let pairs = filter.iter().zip(natural[..m].iter().rev());
            let rest = natural[m] - pairs.map(|(f, r)| f * r).sum::<f64>();
            if !rest.is_finite() || rest.abs() > left + ROUNDING {
                return None;
            }
            // After a partial correlation of ±1 nothing is left for those of longer lags.
            let nothing = left <= ROUNDING && rest.abs() <= ROUNDING;
            let partial = if nothing {
                0.0
            } else {
                (rest / left).clamp(-1.0, 1.0)
            };
            let reversed: Vec<f64> = filter.iter().rev().copied().collect();
            for (f, r) in filter.iter_mut().zip(reversed) {
                *f -= partial * r;
            }
            filter.push(partial);
            left *= 1.0 - partial * partial;
            out.push(partial.asin());
        }
        Some(out)
    }

    fn shared(&self, k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        let lag = |lag: usize| (lag..k).map(|t| (t, t - lag)).collect();
        Some((1..k).map(lag).collect())
    }
}
