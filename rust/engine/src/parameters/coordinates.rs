//! From theta to the λ of the engine's basis.
//!
//! In the basis of the engine Z̃ = Z m, so that λ = m λ̃ up to a rotation from the right. A theta of
//! the user gives λ̃ = m^-1 λ; the criterion does not need it triangular.

use std::borrow::Cow;
use std::sync::Arc;

use crate::covariance::{Covariance, Fold};
use crate::design::basis::TermBasis;
use crate::design::Term;
use crate::linalg::small;
use crate::parameters::map::{identity, transformed};
use crate::parameters::{Motion, TermCoordinates};
use crate::products::structure::Structure;

/// All terms, in the order of the design.
#[derive(Debug, Clone)]
pub struct Coordinates {
    pub terms: Vec<TermCoordinates>,
    pub dim: usize,
}

impl Coordinates {
    /// Coordinates of every unstructured term turned so that its factor at theta is diagonal, and the
    /// same point in them. `None` where no term has that freedom.
    #[must_use]
    pub fn turned(&self, theta: &[f64]) -> Option<(Self, Vec<f64>)> {
        let (mut out, mut point) = (self.clone(), theta.to_vec());
        let mut any = false;
        for term in &mut out.terms {
            if let Some((turned, own)) = term.turned(theta) {
                point[term.start..term.start + own.len()].copy_from_slice(&own);
                *term = turned;
                any = true;
            }
        }
        any.then_some((out, point))
    }

    /// A start far from theta, and no less plausible: terms with a singular covariance matrix are opened to a
    /// multiple of the identity, the others nearly collapse onto their leading direction where their
    /// structure allows it. `None` where no term is singular.
    #[must_use]
    pub fn opposite(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let mut out = Vec::with_capacity(self.dim);
        let mut any = false;
        for term in &self.terms {
            let (own, is_singular) = term.opposite(theta)?;
            out.extend(own);
            any |= is_singular;
        }
        any.then_some(out)
    }

    /// The parameters of the same covariance matrices in `other` coordinates of the same terms, whose maps
    /// differ from those here by what the structures allow.
    #[must_use]
    pub fn in_coordinates(&self, other: &Self, theta: &[f64]) -> Vec<f64> {
        let mut out = theta.to_vec();
        for (from, to) in self.terms.iter().zip(&other.terms) {
            if from.map == to.map {
                continue;
            }
            let k = from.k;
            let mut change = from.map.clone().unwrap_or_else(|| identity(k));
            if let Some(map) = &to.map {
                small::solve_general(&mut map.clone(), &mut change, k, k);
            }
            let own = from.covariance.transformed(from.own(theta), &change, k);
            out[to.start..to.start + own.len()].copy_from_slice(&own);
        }
        out
    }

    /// Parameters in the engine's basis.
    #[must_use]
    pub fn engine(terms: &[Term]) -> Self {
        Self::new(structures(terms), |_| None)
    }

    /// Parameters in the engine's basis, in this unit: λ̃ is so many times the structure's.
    #[must_use]
    pub fn scaled(terms: &[Term], unit: f64) -> Self {
        Self::new(structures(terms), |t| {
            let mut scaling = identity(terms[t].k);
            scaling.iter_mut().for_each(|v| *v *= unit);
            Some(scaling)
        })
    }

    /// Parameters in the user's basis.
    #[must_use]
    pub fn user(terms: &[Term], bases: &[TermBasis]) -> Self {
        Self::new(structures(terms), |t| Some(bases[t].inverse.clone()))
    }

    /// Parameters of these structures in the user's basis but for the units of its columns.
    #[must_use]
    pub fn own_units(structures: Vec<(Arc<dyn Covariance>, usize)>, bases: &[TermBasis]) -> Self {
        let sizes: Vec<usize> = structures.iter().map(|(_, k)| *k).collect();
        Self::new(structures, |t| {
            let (k, basis) = (sizes[t], &bases[t]);
            let mut map = basis.inverse.clone();
            for (j, column) in map.chunks_exact_mut(k).enumerate() {
                let row = (0..k).map(|c| basis.transform[j + c * k].powi(2));
                let unit = row.sum::<f64>().sqrt();
                column.iter_mut().for_each(|v| *v *= unit);
            }
            Some(map)
        })
    }

    fn new(
        structures: Vec<(Arc<dyn Covariance>, usize)>,
        map: impl Fn(usize) -> Option<Vec<f64>>,
    ) -> Self {
        let mut start = 0;
        let terms = structures.into_iter().enumerate();
        let terms = terms
            .map(|(t, (covariance, k))| {
                let out = TermCoordinates::new(covariance, k, start, map(t));
                start += out.n_parameters;
                out
            })
            .collect();
        Self { terms, dim: start }
    }

    /// λ̃ of every term.
    #[must_use]
    pub fn lambda(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        self.terms.iter().map(|t| t.lambda(theta)).collect()
    }

    /// How the parameters move λ̃ at theta.
    #[must_use]
    pub fn motion(&self, theta: &[f64]) -> Motion<'_> {
        self.motion_with(theta, Cow::Owned(self.lambda(theta)))
    }

    /// The same where λ̃ at theta is known.
    #[must_use]
    pub fn motion_of<'m>(&'m self, theta: &[f64], lambda: &'m [Vec<f64>]) -> Motion<'m> {
        self.motion_with(theta, Cow::Borrowed(lambda))
    }

    fn motion_with<'m>(&'m self, theta: &[f64], lambda: Cow<'m, [Vec<f64>]>) -> Motion<'m> {
        let terms = self.terms.iter();
        Motion {
            lambda,
            terms: terms.map(|t| (t.start, t.motion(theta))).collect(),
            dim: self.dim,
        }
    }

    /// Multiples of the identity in every term, with these standard deviations in units of λ̃.
    #[must_use]
    pub fn isotropic(&self, sd: impl Fn(usize) -> f64) -> Vec<f64> {
        let terms = self.terms.iter().enumerate();
        terms
            .flat_map(|(t, term)| term.covariance.isotropic(sd(t), term.k))
            .collect()
    }

    /// λ of every block from those of its terms.
    #[must_use]
    pub fn by_block(&self, structure: &Structure, lambda: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let blocks = structure.blocks.iter();
        blocks
            .map(|block| {
                let width = block.width;
                let mut out = vec![0.0; width * width];
                for &(t, offset) in &block.terms {
                    let k = self.terms[t].k;
                    for (e, &v) in lambda[t].iter().enumerate() {
                        out[offset + e % k + (offset + e / k) * width] = v;
                    }
                }
                out
            })
            .collect()
    }

    /// The part of every term in matrices of the blocks.
    #[must_use]
    pub fn by_term(&self, structure: &Structure, blocks: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); self.terms.len()];
        for (block, matrix) in structure.blocks.iter().zip(blocks) {
            for &(t, offset) in &block.terms {
                let k = self.terms[t].k;
                out[t] = (0..k * k)
                    .map(|e| matrix[offset + e % k + (offset + e / k) * block.width])
                    .collect();
            }
        }
        out
    }

    /// Whether λ̃ is linear in every parameter.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.terms.iter().all(|t| t.steady.is_some())
    }

    /// Parameters about which the covariance matrices are even.
    #[must_use]
    pub fn folds(&self) -> Vec<Fold> {
        let mut out = Vec::new();
        for t in &self.terms {
            let own = t.covariance.folds(t.k).into_iter();
            out.extend(own.map(|mut fold| {
                fold.parameters.iter_mut().for_each(|i| *i += t.start);
                fold
            }));
        }
        out
    }
}

fn structures(terms: &[Term]) -> Vec<(Arc<dyn Covariance>, usize)> {
    let pairs = terms
        .iter()
        .map(|term| (Arc::clone(&term.covariance), term.k));
    pairs.collect()
}

/// Theta of the user for a theta of these coordinates: λ = m λ̃.
#[must_use]
pub fn to_user(coordinates: &Coordinates, bases: &[TermBasis], theta: &[f64]) -> Vec<f64> {
    convert(coordinates, theta, |t, map| {
        transformed(Some(&bases[t].transform), map, coordinates.terms[t].k)
    })
}

/// Theta of these coordinates for a theta of the user.
#[must_use]
pub fn from_user(coordinates: &Coordinates, bases: &[TermBasis], theta: &[f64]) -> Vec<f64> {
    convert(coordinates, theta, |t, map| {
        let mut change = bases[t].inverse.clone();
        let k = coordinates.terms[t].k;
        small::solve_general(&mut map.clone(), &mut change, k, k);
        change
    })
}

fn convert(
    coordinates: &Coordinates,
    theta: &[f64],
    change: impl Fn(usize, Vec<f64>) -> Vec<f64>,
) -> Vec<f64> {
    let terms = coordinates.terms.iter().enumerate();
    terms
        .flat_map(|(t, term)| {
            let map = term.map.clone().unwrap_or_else(|| identity(term.k));
            let change = change(t, map);
            term.covariance
                .transformed(term.own(theta), &change, term.k)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::{Diagonal, Unstructured};
    use crate::parameters::term::COLLAPSED;

    fn term(covariance: impl Covariance + 'static, k: usize) -> Term {
        Term {
            codes: vec![0].into(),
            n_levels: 1,
            z: vec![1.0; k].into(),
            k,
            covariance: Arc::new(covariance),
        }
    }

    fn sigma(coordinates: &Coordinates, theta: &[f64]) -> Vec<f64> {
        let lambda = coordinates.lambda(theta);
        let mut out = Vec::new();
        for (term, lambda) in coordinates.terms.iter().zip(&lambda) {
            let mut product = vec![0.0; term.k * term.k];
            small::multiply_transposed(lambda, lambda, &mut product, term.k);
            out.extend(product);
        }
        out
    }

    fn assert_close(a: &[f64], b: &[f64]) {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
    }

    #[test]
    fn a_turn_makes_unstructured_factors_diagonal_and_keeps_the_covariance() {
        let terms = [
            term(Unstructured, 3),
            term(Diagonal, 2),
            term(Unstructured, 1),
        ];
        let before = Coordinates::scaled(&terms, 1.5);
        // Of rank two.
        let theta = [0.01, -0.4, 0.8, 0.3, 0.2, 0.0, 0.7, 0.1, 0.5];
        let (after, turned) = before.turned(&theta).expect("free to turn");
        assert_close(&sigma(&after, &turned), &sigma(&before, &theta));
        assert_eq!(turned[1..3], [0.0, 0.0]);
        assert_eq!(turned[4..6], [0.0, 0.0]);
        assert!(turned[0] >= turned[3]);
        assert_eq!(turned[6..], theta[6..]);
        // And back, from a point that has moved on.
        let moved: Vec<f64> = turned.iter().map(|t| 1.1 * t + 0.01).collect();
        let back = after.in_coordinates(&before, &moved);
        assert_close(&sigma(&before, &back), &sigma(&after, &moved));
    }

    #[test]
    fn terms_without_freedom_are_not_turned() {
        let terms = [term(Diagonal, 3), term(Unstructured, 1)];
        assert!(Coordinates::engine(&terms)
            .turned(&[1.0, 0.0, 2.0, 0.5])
            .is_none());
    }

    #[test]
    fn opposite_of_a_singular_matrix_is_isotropic_and_of_a_regular_one_nearly_singular() {
        let terms = [term(Unstructured, 2), term(Unstructured, 2)];
        let coordinates = Coordinates::engine(&terms);
        let found = [3.0, 4.0, 0.0, 2.0, 0.0, 1.0];
        let opposite = coordinates.opposite(&found).expect("one is singular");
        assert_close(
            &sigma(&coordinates, &opposite)[..4],
            &[25.0, 0.0, 0.0, 25.0],
        );
        assert_close(&opposite[3..], &[2.0, 0.0, COLLAPSED]);
        assert!(coordinates
            .opposite(&[1.0, 0.0, 1.0, 2.0, 0.0, 1.0])
            .is_none());
    }
}
