//! The distinct elements of the covariance matrices of the terms, in the order of the
//! structures' bases, in the basis of the engine and in that of the user.

use crate::covariance::{Covariance, Element as Basis};
use crate::error::{Error, Result};
use crate::linalg::{small, Matrix};
use crate::model::Model;
use crate::parameters::Coordinates;
use crate::system::Direction;

/// One element of Σ of a term: Σ is the sum of the elements times their basis matrices.
#[derive(Debug, Clone)]
pub struct Element {
    pub block: usize,
    /// Where Σ of the block shows the element.
    pub place: (usize, usize),
    /// Its basis matrix in the matrices of the block: ones at (row, column), row ≥ column.
    pub entries: Vec<(usize, usize)>,
}

impl Element {
    /// The basis matrix.
    pub fn direction(&self, model: &Model) -> Direction {
        let width = model.structure.blocks[self.block].width;
        let mut d = vec![0.0; width * width];
        for &(row, column) in &self.entries {
            d[row + column * width] = 1.0;
            d[column + row * width] = 1.0;
        }
        Direction {
            block: self.block,
            d,
        }
    }
}

/// All elements, term by term.
///
/// # Errors
/// A structure whose covariance matrices are no linear space.
pub fn elements(model: &Model) -> Result<Vec<Element>> {
    let mut out = Vec::new();
    for (t, term) in model.design.terms.iter().enumerate() {
        let (block, offset) = model.structure.place(t);
        let moved = |(row, column): (usize, usize)| (offset + row, offset + column);
        let basis = basis(&*term.covariance, term.k)?;
        out.extend(basis.into_iter().map(|own| Element {
            block,
            place: moved(own.place),
            entries: own.entries.into_iter().map(moved).collect(),
        }));
    }
    Ok(out)
}

/// The elements of Σ = λλ' in the basis of the engine, relative to σ².
pub fn values(model: &Model, theta: &[f64]) -> Result<Vec<f64>> {
    let lambda = Coordinates::user(&model.design.terms, &model.terms).lambda(theta);
    let mut out = Vec::with_capacity(theta.len());
    for (term, lambda) in model.design.terms.iter().zip(&lambda) {
        let mut sigma = vec![0.0; term.k * term.k];
        small::multiply_transposed(lambda, lambda, &mut sigma, term.k);
        out.extend(read(&sigma, &basis(&*term.covariance, term.k)?, term.k));
    }
    Ok(out)
}

/// Elements of the user (rows) by elements of the engine (columns): Σ = m Σ̃ m'.
pub fn to_user(model: &Model) -> Result<Matrix> {
    conversion(model, |t| &model.terms[t].transform)
}

/// Elements of the engine (rows) by elements of the user (columns).
pub fn to_engine(model: &Model) -> Result<Matrix> {
    conversion(model, |t| &model.terms[t].inverse)
}

fn conversion<'a>(model: &'a Model, map: impl Fn(usize) -> &'a Vec<f64>) -> Result<Matrix> {
    let n = elements(model)?.len();
    let mut out = Matrix::zeros(n, n, "the elements of the covariance matrices")?;
    let mut start = 0;
    for (t, term) in model.design.terms.iter().enumerate() {
        let k = term.k;
        let map = map(t);
        let (mut half, mut image) = (vec![0.0; k * k], vec![0.0; k * k]);
        let basis = basis(&*term.covariance, k)?;
        for (i, element) in basis.iter().enumerate() {
            let mut e = vec![0.0; k * k];
            for &(row, column) in &element.entries {
                e[row + column * k] = 1.0;
                e[column + row * k] = 1.0;
            }
            small::multiply(map, &e, &mut half, k);
            small::multiply_transposed(&half, map, &mut image, k);
            let own = read(&image, &basis, k);
            out.column_mut(start + i)[start..start + own.len()].copy_from_slice(&own);
        }
        start += basis.len();
    }
    Ok(out)
}

fn basis(covariance: &dyn Covariance, k: usize) -> Result<Vec<Basis>> {
    covariance.elements(k).ok_or_else(|| {
        Error::Domain(format!(
            "the Kenward-Roger approximation needs a covariance matrix that is linear in its \
             parameters, which '{}' is not; use Satterthwaite's",
            covariance.name()
        ))
    })
}

fn read(sigma: &[f64], basis: &[Basis], k: usize) -> Vec<f64> {
    let places = basis.iter().map(|element| element.place);
    places.map(|(a, b)| sigma[a + b * k]).collect()
}
