use super::ar1::ends_of_sine;
use super::correlation::Correlation;
use super::natural::{correlation_root, correlations, pairs, NaturalParameter};
use super::{Fold, Jet};
use crate::linalg::small;

/// Any correlation matrix by the angles of the rows of its Cholesky factor (Pinheiro & Bates 1996): the
/// correlations of the first column are sines of one angle each, so that any of them can be held.
#[derive(Debug)]
pub struct Spherical {
    /// The column that comes first.
    pub first: usize,
}

impl Spherical {
    /// Columns by their place in the Cholesky factor.
    fn order(&self, k: usize) -> Vec<usize> {
        let others = (0..k).filter(|&i| i != self.first);
        [self.first].into_iter().chain(others).collect()
    }
}

impl Correlation for Spherical {
    fn n_angles(&self, k: usize) -> usize {
        k * (k - 1) / 2
    }

    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        let mut out = vec![Jet::ZERO; k * k];
        let mut angles = angles.iter();
        for (row, column) in self.order(k).into_iter().enumerate() {
            let mut left = Jet::ONE;
            for (j, angle) in angles.by_ref().take(row).enumerate() {
                out[column + j * k] = left * angle.sin();
                left = left * angle.cos();
            }
            out[column + row * k] = left;
        }
        out
    }

    fn independent(&self, k: usize) -> Vec<f64> {
        vec![0.0; self.n_angles(k)]
    }

    /// The last angle of each row moves the sign of the pivot alone.
    fn folds(&self, k: usize) -> Vec<Fold> {
        let last = (1..k).map(|row| row * (row + 1) / 2 - 1);
        last.flat_map(ends_of_sine).collect()
    }

    fn parameters(&self, k: usize) -> Vec<NaturalParameter> {
        pairs(k)
            .map(|(a, b)| NaturalParameter::of_pair(a, b))
            .collect()
    }

    fn natural(&self, angles: &[Jet], k: usize) -> Vec<Jet> {
        correlations(&self.factor(angles, k), &vec![Jet::ONE; k])
    }

    fn angles(&self, natural: &[f64], k: usize) -> Option<Vec<f64>> {
        let root = correlation_root(natural, k)?;
        let order = self.order(k);
        let reordered: Vec<f64> = (0..k * k).map(|e| root[order[e % k] + e / k * k]).collect();
        let lower = small::lower_factor(&reordered, k);
        let mut out = Vec::with_capacity(self.n_angles(k));
        for row in 1..k {
            let mut left = 1.0_f64;
            for j in 0..row {
                let sine = if left > 0.0 {
                    lower[row + j * k] / left
                } else {
                    0.0
                };
                let angle = sine.clamp(-1.0, 1.0).asin();
                left *= angle.cos();
                out.push(angle);
            }
        }
        Some(out)
    }

    fn shared(&self, _k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        None
    }
}
