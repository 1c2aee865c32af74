use super::natural::{are_deviations, NaturalParameter};
use super::{Covariance, Element, Fold, Freedom, Jet};

/// Independent columns: λ is diagonal, theta its diagonal.
#[derive(Debug, Clone, Copy)]
pub struct Diagonal;

impl Covariance for Diagonal {
    fn name(&self) -> &'static str {
        "diag"
    }

    fn n_parameters(&self, k: usize) -> usize {
        k
    }

    fn freedom(&self) -> Freedom {
        Freedom::Scaling
    }

    fn entries(&self, k: usize) -> Option<Vec<(usize, usize)>> {
        Some((0..k).map(|a| (a, a)).collect())
    }

    fn factor(&self, theta: &[Jet], k: usize) -> Vec<Jet> {
        let mut lambda = vec![Jet::ZERO; k * k];
        (0..k).for_each(|a| lambda[a + a * k] = theta[a]);
        lambda
    }

    fn natural_parameters(&self, k: usize) -> Vec<NaturalParameter> {
        (0..k).map(|i| NaturalParameter::sd(vec![i])).collect()
    }

    fn natural(&self, theta: &[Jet], _k: usize) -> Vec<Jet> {
        theta.iter().map(|t| t.abs()).collect()
    }

    fn theta(&self, natural: &[f64], _k: usize) -> Option<Vec<f64>> {
        are_deviations(natural).then(|| natural.to_vec())
    }

    fn transformed(&self, theta: &[f64], m: &[f64], k: usize) -> Vec<f64> {
        (0..k).map(|i| m[i + i * k] * theta[i]).collect()
    }

    fn isotropic(&self, sd: f64, k: usize) -> Vec<f64> {
        vec![sd; k]
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        (0..k).map(|i| Fold::at_zero(vec![i])).collect()
    }

    fn elements(&self, k: usize) -> Option<Vec<Element>> {
        let element = |i| Element {
            place: (i, i),
            entries: vec![(i, i)],
        };
        Some((0..k).map(element).collect())
    }
}
