//! From theta to the λ of the engine's basis, and the directions in which each parameter moves it.
//!
//! In the basis of the engine Z̃ = Z m, so that λ = m λ̃ up to a rotation from the right. A theta of
//! the user gives λ̃ = m^-1 λ; the criterion does not need it triangular.

use crate::covariance::{ColumnFreedom, Template};
use crate::design::basis::TermBasis;
use crate::design::structure::Structure;
use crate::design::Term;
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::system::WorkingMap;

/// One term.
#[derive(Debug, Clone)]
pub struct TermCoordinates {
    pub k: usize,
    pub template: &'static dyn Template,
    /// First parameter.
    pub start: usize,
    /// What the template's λ is multiplied by to give λ̃; `None` for the identity.
    map: Option<Vec<f64>>,
    /// dλ̃/dθ_i, k × k each.
    pub directions: Vec<Vec<f64>>,
    /// Their entries (row, column, value) that are not zero.
    pub entries: Vec<Vec<(usize, usize, f64)>>,
}

/// Eigenvalues of a covariance matrix below this share of the largest are zero up to rounding.
const NO_VARIANCE: f64 = 1e-15;

/// Those below this share belong to a singular matrix.
const SINGULAR: f64 = 1e-8;
/// Share that a direction keeps of its standard deviation in a start that has nearly lost it.
const COLLAPSED: f64 = 0.01;

/// All terms, in the order of the design.
#[derive(Debug, Clone)]
pub struct Coordinates {
    pub terms: Vec<TermCoordinates>,
    pub dim: usize,
}

impl TermCoordinates {
    fn new(template: &'static dyn Template, k: usize, start: usize, map: Option<Vec<f64>>) -> Self {
        let directions: Vec<Vec<f64>> = (0..template.n_parameters(k))
            .map(|i| transformed(map.as_deref(), template.direction(i, k), k))
            .collect();
        let entries = directions.iter().map(|d| nonzeros(d, k)).collect();
        Self {
            k,
            template,
            start,
            map,
            directions,
            entries,
        }
    }

    fn own<'t>(&self, theta: &'t [f64]) -> &'t [f64] {
        &theta[self.start..self.start + self.directions.len()]
    }

    /// Eigenvalues, ascending, and eigenvectors of the template's covariance matrix.
    fn spectrum(&self, theta: &[f64]) -> Option<(Vec<f64>, Matrix)> {
        let k = self.k;
        let lambda = self.template.lambda(self.own(theta), k);
        let mut sigma = vec![0.0; k * k];
        small::multiply_transposed(&lambda, &lambda, &mut sigma, k);
        dense::eigen(&Matrix::from_columns(k, k, sigma))
    }

    /// See [`Coordinates::opposite`]; and whether the covariance matrix is singular.
    fn opposite(&self, theta: &[f64]) -> Option<(Vec<f64>, bool)> {
        let k = self.k;
        let (values, vectors) = self.spectrum(theta)?;
        let (smallest, largest) = (*values.first()?, *values.last()?);
        let leading = if largest > 0.0 { largest.sqrt() } else { 1.0 };
        let is_singular = smallest <= SINGULAR * largest;
        let mut factor = Vec::with_capacity(k * k);
        for j in 0..k {
            let size = match (is_singular, j + 1 == k) {
                (true, _) | (false, true) => leading,
                (false, false) => COLLAPSED * values[j].max(0.0).sqrt(),
            };
            factor.extend(vectors.column(j).iter().map(|v| size * v));
        }
        let lower = small::lower_factor(&factor, k);
        Some((self.template.theta(&lower, k), is_singular))
    }

    /// Columns turned to the eigenvectors of the template's covariance matrix, by decreasing eigenvalue,
    /// and the parameters there: a diagonal factor.
    fn turned(&self, theta: &[f64]) -> Option<(Self, Vec<f64>)> {
        let k = self.k;
        if k == 1 || self.template.freedom() != ColumnFreedom::Linear {
            return None;
        }
        let (values, vectors) = self.spectrum(theta)?;
        let largest = *values.last()?;
        let (mut turn, mut diagonal) = (Vec::with_capacity(k * k), vec![0.0; k * k]);
        for (j, e) in (0..k).rev().enumerate() {
            turn.extend_from_slice(vectors.column(e));
            if values[e] > NO_VARIANCE * largest {
                diagonal[j + j * k] = values[e].sqrt();
            }
        }
        let map = transformed(self.map.as_deref(), turn, k);
        let turned = Self::new(self.template, k, self.start, Some(map));
        Some((turned, self.template.theta(&diagonal, k)))
    }
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
    /// multiple of the identity, the others nearly collapse onto their leading direction. `None` where no term
    /// is singular.
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
    /// differ from those here by turns.
    #[must_use]
    pub fn in_coordinates(&self, other: &Self, theta: &[f64]) -> Vec<f64> {
        let mut out = theta.to_vec();
        for (from, to) in self.terms.iter().zip(&other.terms) {
            if from.map == to.map {
                continue;
            }
            let k = from.k;
            let own = from.template.lambda(from.own(theta), k);
            let mut lambda = transformed(from.map.as_deref(), own, k);
            if let Some(map) = &to.map {
                small::solve_general(&mut map.clone(), &mut lambda, k, k);
            }
            let lower = small::lower_factor(&lambda, k);
            let own = to.template.theta(&lower, k);
            out[to.start..to.start + own.len()].copy_from_slice(&own);
        }
        out
    }

    /// Parameters in the engine's basis.
    #[must_use]
    pub fn engine(terms: &[Term]) -> Self {
        Self::new(terms, |_| None)
    }

    /// Parameters in the engine's basis, in this unit: λ̃ is so many times the template's.
    #[must_use]
    pub fn scaled(terms: &[Term], unit: f64) -> Self {
        Self::new(terms, |t| {
            let k = terms[t].k;
            let mut scaling = vec![0.0; k * k];
            (0..k).for_each(|i| scaling[i + i * k] = unit);
            Some(scaling)
        })
    }

    /// Parameters in the user's basis.
    #[must_use]
    pub fn user(terms: &[Term], bases: &[TermBasis]) -> Self {
        Self::new(terms, |t| Some(bases[t].inverse.clone()))
    }

    fn new(terms: &[Term], map: impl Fn(usize) -> Option<Vec<f64>>) -> Self {
        let mut start = 0;
        let terms = terms
            .iter()
            .enumerate()
            .map(|(t, term)| {
                let k = term.k;
                let n = term.template.n_parameters(k);
                let out = TermCoordinates::new(term.template, k, start, map(t));
                start += n;
                out
            })
            .collect();
        Self { terms, dim: start }
    }

    /// λ̃ of every term.
    #[must_use]
    pub fn lambda(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        self.terms
            .iter()
            .map(|t| transformed(t.map.as_deref(), t.template.lambda(t.own(theta), t.k), t.k))
            .collect()
    }

    /// `2 tr(D_i' G λ)` for every parameter.
    #[must_use]
    pub fn gradient(&self, g: &[Vec<f64>], lambda: &[Vec<f64>]) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.dim);
        for ((term, g), lambda) in self.terms.iter().zip(g).zip(lambda) {
            let mut product = vec![0.0; term.k * term.k];
            small::multiply(g, lambda, &mut product, term.k);
            out.extend(term.entries.iter().map(|d| {
                let terms = d.iter().map(|&(a, b, v)| v * product[a + b * term.k]);
                2.0 * terms.sum::<f64>()
            }));
        }
        out
    }

    /// `2 tr(D_i' G D_j)` for every pair of parameters of a term.
    pub fn curvature(&self, g: &[Vec<f64>]) -> Result<Matrix> {
        let mut out = Matrix::zeros(self.dim, self.dim, "the curvature matrix")?;
        for (term, g) in self.terms.iter().zip(g) {
            for (j, right) in term.entries.iter().enumerate() {
                for (i, left) in term.entries.iter().enumerate() {
                    let mut sum = 0.0;
                    for &(a, b, v) in left {
                        for &(c, d, w) in right {
                            if b == d {
                                sum += v * w * g[a + c * term.k];
                            }
                        }
                    }
                    out[(term.start + i, term.start + j)] = 2.0 * sum;
                }
            }
        }
        Ok(out)
    }

    /// The maps of the working variates, M_i = D_i λ' + λ D_i', by parameter.
    #[must_use]
    pub fn working_maps(&self, structure: &Structure, lambda: &[Vec<f64>]) -> Vec<WorkingMap> {
        let mut out = Vec::with_capacity(self.dim);
        for (t, (term, lambda)) in self.terms.iter().zip(lambda).enumerate() {
            let (block, offset) = structure.place(t);
            let k = term.k;
            for d in &term.entries {
                let mut m = vec![0.0; k * k];
                for &(a, b, v) in d {
                    for h in 0..k {
                        let product = v * lambda[h + b * k];
                        m[a + h * k] += product;
                        m[h + a * k] += product;
                    }
                }
                let lower = (0..k).flat_map(|j| (j..k).map(move |i| (i, j)));
                let entries = lower
                    .map(|(i, j)| (offset + i, offset + j, m[i + j * k]))
                    .filter(|&(_, _, v)| v != 0.0)
                    .collect();
                out.push(WorkingMap { block, entries });
            }
        }
        out
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

    /// Parameters by column of λ, the diagonal entry first.
    #[must_use]
    pub fn columns(&self) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        for t in &self.terms {
            let mut columns = vec![Vec::new(); t.k];
            for (i, (_, b)) in t.template.entries(t.k).into_iter().enumerate() {
                columns[b].push(t.start + i);
            }
            out.extend(columns);
        }
        out
    }
}

fn nonzeros(a: &[f64], k: usize) -> Vec<(usize, usize, f64)> {
    let all = a.iter().enumerate().map(|(e, &v)| (e % k, e / k, v));
    all.filter(|&(_, _, v)| v != 0.0).collect()
}

fn transformed(map: Option<&[f64]>, lambda: Vec<f64>, k: usize) -> Vec<f64> {
    match map {
        None => lambda,
        Some(map) => {
            let mut out = vec![0.0; k * k];
            small::multiply(map, &lambda, &mut out, k);
            out
        }
    }
}

/// Theta of the user for a theta of the engine: λ = m λ̃, made lower triangular again.
#[must_use]
pub fn to_user(engine: &Coordinates, bases: &[TermBasis], theta: &[f64]) -> Vec<f64> {
    convert(engine, theta, |t| &bases[t].transform)
}

/// Theta of the engine for a theta of the user.
#[must_use]
pub fn to_engine(engine: &Coordinates, bases: &[TermBasis], theta: &[f64]) -> Vec<f64> {
    convert(engine, theta, |t| &bases[t].inverse)
}

fn convert<'a>(
    coordinates: &Coordinates,
    theta: &[f64],
    left: impl Fn(usize) -> &'a Vec<f64>,
) -> Vec<f64> {
    let mut out = Vec::with_capacity(theta.len());
    for (t, term) in coordinates.terms.iter().enumerate() {
        let own = transformed(
            term.map.as_deref(),
            term.template.lambda(term.own(theta), term.k),
            term.k,
        );
        let lambda = transformed(Some(left(t)), own, term.k);
        let lower = small::lower_factor(&lambda, term.k);
        out.extend(term.template.theta(&lower, term.k));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::{Diagonal, Unstructured};

    fn term(template: &'static dyn Template, k: usize) -> Term {
        Term {
            codes: vec![0],
            n_levels: 1,
            z: vec![1.0; k],
            k,
            template,
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
            term(&Unstructured, 3),
            term(&Diagonal, 2),
            term(&Unstructured, 1),
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
        let terms = [term(&Diagonal, 3), term(&Unstructured, 1)];
        assert!(Coordinates::engine(&terms)
            .turned(&[1.0, 0.0, 2.0, 0.5])
            .is_none());
    }

    #[test]
    fn opposite_of_a_singular_matrix_is_isotropic_and_of_a_regular_one_nearly_singular() {
        let terms = [term(&Unstructured, 2), term(&Unstructured, 2)];
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
