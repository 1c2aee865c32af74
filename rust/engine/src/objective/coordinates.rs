//! From theta to the λ of the engine's basis, and the directions in which each parameter moves it.
//!
//! In the basis of the engine Z̃ = Z m, so that λ = m λ̃ up to a rotation from the right. A theta of
//! the user gives λ̃ = m^-1 λ; the criterion does not need it triangular.

use crate::covariance::Template;
use crate::design::basis::TermBasis;
use crate::design::Term;
use crate::error::Result;
use crate::linalg::{small, Matrix};

/// One term.
#[derive(Debug, Clone)]
pub struct TermCoordinates {
    pub k: usize,
    pub template: &'static dyn Template,
    /// First parameter.
    pub start: usize,
    /// m^-1 for parameters in the user's basis, `None` in the engine's.
    inverse: Option<Vec<f64>>,
    /// dλ̃/dθ_i, k × k each.
    pub directions: Vec<Vec<f64>>,
}

/// All terms, in the order of the design.
#[derive(Debug, Clone)]
pub struct Coordinates {
    pub terms: Vec<TermCoordinates>,
    pub dim: usize,
}

impl Coordinates {
    /// Parameters in the engine's basis.
    #[must_use]
    pub fn engine(terms: &[Term]) -> Self {
        Self::new(terms, |_| None)
    }

    /// Parameters in the user's basis.
    #[must_use]
    pub fn user(terms: &[Term], bases: &[TermBasis]) -> Self {
        Self::new(terms, |t| Some(bases[t].inverse.clone()))
    }

    fn new(terms: &[Term], inverse: impl Fn(usize) -> Option<Vec<f64>>) -> Self {
        let mut start = 0;
        let terms = terms
            .iter()
            .enumerate()
            .map(|(t, term)| {
                let k = term.k;
                let n = term.template.n_parameters(k);
                let inverse = inverse(t);
                let directions = (0..n)
                    .map(|i| transformed(inverse.as_deref(), term.template.direction(i, k), k))
                    .collect();
                let out = TermCoordinates {
                    k,
                    template: term.template,
                    start,
                    inverse,
                    directions,
                };
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
            .map(|t| {
                let own = &theta[t.start..t.start + t.directions.len()];
                transformed(t.inverse.as_deref(), t.template.lambda(own, t.k), t.k)
            })
            .collect()
    }

    /// `2 tr(D_i' G λ)` for every parameter.
    #[must_use]
    pub fn gradient(&self, g: &[Vec<f64>], lambda: &[Vec<f64>]) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.dim);
        for ((term, g), lambda) in self.terms.iter().zip(g).zip(lambda) {
            let mut product = vec![0.0; term.k * term.k];
            small::multiply(g, lambda, &mut product, term.k);
            out.extend(
                term.directions
                    .iter()
                    .map(|d| 2.0 * small::dot(d, &product)),
            );
        }
        out
    }

    /// `2 tr(D_i' G D_j)` for every pair of parameters of a term.
    pub fn curvature(&self, g: &[Vec<f64>]) -> Result<Matrix> {
        let mut out = Matrix::zeros(self.dim, self.dim, "the curvature matrix")?;
        for (term, g) in self.terms.iter().zip(g) {
            let mut product = vec![0.0; term.k * term.k];
            for (j, d) in term.directions.iter().enumerate() {
                small::multiply(g, d, &mut product, term.k);
                for (i, d) in term.directions.iter().enumerate() {
                    out[(term.start + i, term.start + j)] = 2.0 * small::dot(d, &product);
                }
            }
        }
        Ok(out)
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

fn transformed(inverse: Option<&[f64]>, lambda: Vec<f64>, k: usize) -> Vec<f64> {
    match inverse {
        None => lambda,
        Some(inverse) => {
            let mut out = vec![0.0; k * k];
            small::multiply(inverse, &lambda, &mut out, k);
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
        let own = &theta[term.start..term.start + term.directions.len()];
        let lambda = transformed(Some(left(t)), term.template.lambda(own, term.k), term.k);
        let lower = small::lower_factor(&lambda, term.k);
        out.extend(term.template.theta(&lower, term.k));
    }
    out
}
