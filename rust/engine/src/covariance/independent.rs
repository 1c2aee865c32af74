use super::correlation::Correlation;
use super::natural::NaturalParameter;
use super::{Fold, Jet};

/// No correlation.
#[derive(Debug)]
pub struct Independent;

impl Correlation for Independent {
    fn n_angles(&self, _k: usize) -> usize {
        0
    }

    fn factor(&self, _angles: &[Jet], k: usize) -> Vec<Jet> {
        let mut out = vec![Jet::ZERO; k * k];
        (0..k).for_each(|i| out[i + i * k] = Jet::ONE);
        out
    }

    fn independent(&self, _k: usize) -> Vec<f64> {
        Vec::new()
    }

    fn folds(&self, _k: usize) -> Vec<Fold> {
        Vec::new()
    }

    fn parameters(&self, _k: usize) -> Vec<NaturalParameter> {
        Vec::new()
    }

    fn natural(&self, _angles: &[Jet], _k: usize) -> Vec<Jet> {
        Vec::new()
    }

    fn angles(&self, _natural: &[f64], _k: usize) -> Option<Vec<f64>> {
        Some(Vec::new())
    }

    fn shared(&self, _k: usize) -> Option<Vec<Vec<(usize, usize)>>> {
        Some(Vec::new())
    }
}
