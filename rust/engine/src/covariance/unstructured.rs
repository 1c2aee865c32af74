use super::natural::{
    are_deviations, correlation_root, correlations, pairs, standard_deviations, NaturalParameter,
};
use super::{theta_of_factor, Covariance, Element, Fold, Freedom, Jet};
use crate::linalg::small;

/// Any covariance matrix: λ is lower triangular, theta its entries column by column.
#[derive(Debug, Clone, Copy)]
pub struct Unstructured;

fn lower_triangle(k: usize) -> Vec<(usize, usize)> {
    (0..k).flat_map(|b| (b..k).map(move |a| (a, b))).collect()
}

impl Covariance for Unstructured {
    fn name(&self) -> &'static str {
        "us"
    }

    fn n_parameters(&self, k: usize) -> usize {
        k * (k + 1) / 2
    }

    fn freedom(&self) -> Freedom {
        Freedom::Linear
    }

    fn entries(&self, k: usize) -> Option<Vec<(usize, usize)>> {
        Some(lower_triangle(k))
    }

    fn factor(&self, theta: &[Jet], k: usize) -> Vec<Jet> {
        let mut lambda = vec![Jet::ZERO; k * k];
        for ((a, b), &t) in lower_triangle(k).into_iter().zip(theta) {
            lambda[a + b * k] = t;
        }
        lambda
    }

    fn natural_parameters(&self, k: usize) -> Vec<NaturalParameter> {
        let sds = (0..k).map(|i| NaturalParameter::sd(vec![i]));
        sds.chain(pairs(k).map(|(a, b)| NaturalParameter::of_pair(a, b)))
            .collect()
    }

    fn natural(&self, theta: &[Jet], k: usize) -> Vec<Jet> {
        let lambda = self.factor(theta, k);
        let mut out = standard_deviations(&lambda, k);
        out.extend(correlations(&lambda, &out));
        out
    }

    fn theta(&self, natural: &[f64], k: usize) -> Option<Vec<f64>> {
        let (sd, correlations) = natural.split_at(k);
        if !are_deviations(sd) {
            return None;
        }
        let mut lambda = correlation_root(correlations, k)?;
        for (e, entry) in lambda.iter_mut().enumerate() {
            *entry *= sd[e % k];
        }
        theta_of_factor(self, &lambda, k)
    }

    fn transformed(&self, theta: &[f64], m: &[f64], k: usize) -> Vec<f64> {
        let mut moved = vec![0.0; k * k];
        small::multiply(m, &self.lambda(theta, k), &mut moved, k);
        let lower = small::lower_factor(&moved, k);
        let entries = lower_triangle(k).into_iter();
        entries.map(|(a, b)| lower[a + b * k]).collect()
    }

    fn isotropic(&self, sd: f64, k: usize) -> Vec<f64> {
        let entries = lower_triangle(k).into_iter();
        entries
            .map(|(a, b)| if a == b { sd } else { 0.0 })
            .collect()
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        let mut first = 0;
        (0..k)
            .map(|b| {
                let column = first..first + k - b;
                first = column.end;
                Fold::at_zero(column.collect())
            })
            .collect()
    }

    fn elements(&self, k: usize) -> Option<Vec<Element>> {
        let entries = lower_triangle(k).into_iter();
        let element = |place| Element {
            place,
            entries: vec![place],
        };
        Some(entries.map(element).collect())
    }
}
