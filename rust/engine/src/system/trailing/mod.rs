//! The factor of the trailing matrix, `Λ'AΛ + I` bordered by X, after the leading blocks: dense or
//! sparse. Whoever solves with it need not know which.

mod dense;
mod sparse;

use faer::Par;

pub use dense::DenseTrailing;
pub use sparse::SparseTrailing;

use crate::design::cross_products::Trailing;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::Matrix;

/// The factor of one kind of trailing matrix.
pub enum TrailingFactor {
    Dense(DenseTrailing),
    Sparse(SparseTrailing),
}

/// log |Λ'AΛ + I| of the trailing random effects, and log |X'V^-1X|.
#[derive(Debug, Clone, Copy)]
pub struct LogDeterminants {
    pub random: f64,
    pub fixed: f64,
}

impl TrailingFactor {
    /// Room for the factor.
    pub fn new(a: &Trailing, par: Par) -> Result<Self> {
        Ok(match a {
            Trailing::Dense(a) => Self::Dense(DenseTrailing::new(a.rows(), par)?),
            Trailing::Sparse(a) => Self::Sparse(SparseTrailing::new(&a.pattern)?),
        })
    }

    /// `v <- L^-1 Λ' v` for the trailing rows of m columns (row-major), X included. The result may
    /// be in an order of its own.
    pub fn forward(&self, v: &mut [f64], m: usize, structure: &Structure, lambda: &[Vec<f64>]) {
        match self {
            Self::Dense(dense) => dense.forward(v, m, structure, lambda),
            Self::Sparse(sparse) => sparse.forward(v, m, lambda),
        }
    }

    /// `v <- Λ L'^-1 v` for a result of [`Self::forward`].
    pub fn backward(&self, v: &mut [f64], m: usize, structure: &Structure, lambda: &[Vec<f64>]) {
        match self {
            Self::Dense(dense) => dense.backward(v, m, structure, lambda),
            Self::Sparse(sparse) => sparse.backward(v, m, lambda),
        }
    }

    /// Takes back the storage of a dense inverse.
    pub fn give_back(&mut self, inverse: Matrix) {
        if let Self::Dense(dense) = self {
            dense.give_back(inverse);
        }
    }

    /// The factor of X'V^-1X, rank × rank, lower triangular.
    #[must_use]
    pub fn fixed(&self, structure: &Structure) -> Vec<f64> {
        match self {
            Self::Dense(dense) => dense.fixed(structure),
            Self::Sparse(sparse) => sparse.fixed(structure.rank),
        }
    }
}
