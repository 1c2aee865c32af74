//! The distinct elements of the covariance matrices of the terms, in the order of the templates'
//! entries, in the basis of the engine and in that of the user.

use crate::covariance::Template;
use crate::design::Model;
use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::objective::Coordinates;
use crate::system::Direction;

/// One element (row ≥ column) of Σ of a term.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    pub block: usize,
    /// Place in the matrices of the block.
    pub row: usize,
    pub column: usize,
}

impl Element {
    /// The basis matrix E of this element, so that Σ is the sum of the elements times their E.
    pub fn direction(&self, model: &Model) -> Direction {
        let width = model.structure.blocks[self.block].width;
        let mut d = vec![0.0; width * width];
        d[self.row + self.column * width] = 1.0;
        d[self.column + self.row * width] = 1.0;
        Direction {
            block: self.block,
            d,
        }
    }
}

/// All elements, term by term.
pub fn elements(model: &Model) -> Vec<Element> {
    let mut out = Vec::new();
    for (t, term) in model.design.terms.iter().enumerate() {
        let (block, offset) = model.structure.place(t);
        let entries = term.template.entries(term.k);
        out.extend(entries.into_iter().map(|(row, column)| Element {
            block,
            row: offset + row,
            column: offset + column,
        }));
    }
    out
}

/// The elements of Σ = λλ' in the basis of the engine, relative to σ².
pub fn values(model: &Model, theta: &[f64]) -> Vec<f64> {
    let lambda = Coordinates::user(&model.design.terms, &model.terms).lambda(theta);
    let mut out = Vec::with_capacity(theta.len());
    for (term, lambda) in model.design.terms.iter().zip(&lambda) {
        let mut sigma = vec![0.0; term.k * term.k];
        small::multiply_transposed(lambda, lambda, &mut sigma, term.k);
        out.extend(read(&sigma, term.template, term.k));
    }
    out
}

/// Elements of the user (rows) by elements of the engine (columns): Σ = m Σ̃ m'.
pub fn to_user(model: &Model) -> Result<Matrix> {
    conversion(model, |t| &model.terms[t].transform)
}

/// Elements of the engine (rows) by elements of the user (columns).
pub fn to_engine(model: &Model) -> Result<Matrix> {
    conversion(model, |t| &model.terms[t].inverse)
}

fn conversion<'a>(model: &Model, map: impl Fn(usize) -> &'a Vec<f64>) -> Result<Matrix> {
    let n = model.n_theta();
    let mut out = Matrix::zeros(n, n, "the elements of the covariance matrices")?;
    let mut start = 0;
    for (t, term) in model.design.terms.iter().enumerate() {
        let k = term.k;
        let map = map(t);
        let (mut half, mut image) = (vec![0.0; k * k], vec![0.0; k * k]);
        let entries = term.template.entries(k);
        for (i, &(row, column)) in entries.iter().enumerate() {
            let mut e = vec![0.0; k * k];
            e[row + column * k] = 1.0;
            e[column + row * k] = 1.0;
            small::multiply(map, &e, &mut half, k);
            small::multiply_transposed(&half, map, &mut image, k);
            let own = read(&image, term.template, k);
            out.column_mut(start + i)[start..start + own.len()].copy_from_slice(&own);
        }
        start += entries.len();
    }
    Ok(out)
}

fn read(sigma: &[f64], template: &dyn Template, k: usize) -> Vec<f64> {
    let entries = template.entries(k).into_iter();
    entries.map(|(a, b)| sigma[a + b * k]).collect()
}
