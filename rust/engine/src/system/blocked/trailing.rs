//! The trailing matrix as one dense matrix.

use faer::{MatMut, Par};

use super::transform;
use crate::error::Result;
use crate::linalg::dense::{self, Scratch};
use crate::linalg::matrix::zeroed;
use crate::linalg::Matrix;
use crate::products::structure::Structure;
use crate::system::LogDeterminants;

/// Factor of a dense trailing matrix.
pub struct DenseTrailing {
    /// Lower factor, in the lower triangle.
    pub factor: Matrix,
    /// Room for the inverse, or the part of it without X.
    inverse: Vec<f64>,
    scratch: Scratch,
}

impl DenseTrailing {
    pub fn new(dim: usize) -> Result<Self> {
        Ok(Self {
            factor: Matrix::zeros(dim, dim, "the trailing factor")?,
            inverse: Vec::new(),
            scratch: Scratch::for_cholesky(dim),
        })
    }

    /// A, in the place of the factor, for the leading blocks to take their share from.
    pub fn restart(&mut self, a: &Matrix) -> &mut Matrix {
        self.factor.data_mut().copy_from_slice(a.data());
        &mut self.factor
    }

    /// Scales what the leading blocks have left, and factorises it.
    pub fn factorise(
        &mut self,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) -> Option<LogDeterminants> {
        transform::both_sides(&mut self.factor, structure, lambda, true, true);
        for i in 0..structure.n_trailing {
            self.factor[(i, i)] += 1.0;
        }
        if !dense::cholesky(self.factor.view_mut(), &mut self.scratch) {
            return None;
        }
        let log_diagonal = |range: std::ops::Range<usize>| -> f64 {
            2.0 * range.map(|i| self.factor[(i, i)].ln()).sum::<f64>()
        };
        Some(LogDeterminants {
            random: log_diagonal(0..structure.n_trailing),
            fixed: log_diagonal(structure.n_trailing..structure.trailing_dim()),
        })
    }

    /// `v <- L^-1 Λ' v` for the trailing rows of m columns, row-major, X included.
    pub(super) fn forward(
        &self,
        v: &mut [f64],
        m: usize,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) {
        transform::rows(v, m, structure, lambda, true);
        let right = MatMut::from_row_major_slice_mut(v, self.factor.rows(), m);
        dense::solve_lower(self.factor.view(), right, Par::Seq);
    }

    /// `v <- Λ L'^-1 v`.
    pub(super) fn backward(
        &self,
        v: &mut [f64],
        m: usize,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) {
        let right = MatMut::from_row_major_slice_mut(v, self.factor.rows(), m);
        dense::solve_lower_transposed(self.factor.view(), right, Par::Seq);
        transform::rows(v, m, structure, lambda, false);
    }

    /// The factor of X'V^-1X.
    pub(super) fn fixed(&self, structure: &Structure) -> Matrix {
        let (rank, q) = (structure.rank, structure.n_trailing);
        let mut lower = vec![0.0; rank * rank];
        for j in 0..rank {
            lower[j * rank + j..(j + 1) * rank]
                .copy_from_slice(&self.factor.column(q + j)[q + j..]);
        }
        Matrix::from_columns(rank, rank, lower)
    }

    /// Lower triangle of the inverse of the first `dim` rows and columns, in storage that
    /// [`Self::give_back`] takes back.
    pub fn inverse(&mut self, dim: usize) -> Result<Matrix> {
        let mut data = std::mem::take(&mut self.inverse);
        if data.len() != dim * dim {
            data = zeroed(dim * dim, "the inverse of the trailing matrix")?;
        }
        let mut inverse = Matrix::from_columns(dim, dim, data);
        if dim > 0 {
            let l = self.factor.view().submatrix(0, 0, dim, dim);
            dense::inverse_from_cholesky(inverse.view_mut(), l, &mut self.scratch);
        }
        Ok(inverse)
    }

    pub fn give_back(&mut self, inverse: Matrix) {
        self.inverse = inverse.into_data();
    }
}
