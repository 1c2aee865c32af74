//! The fixed effects in the basis where their covariance is σ² times the identity.
//!
//! With X'V^-1X = LL' let H = Z'V^-1X L^-T. Then, whatever the symmetric matrix M of a block,
//! `L^-1 X'V^-1 (Z M Z') V^-1 X L^-T = H'MH`, and a change of V by Z M Z' changes the covariance by
//! `L^-T H'MH L^-1`.

use faer::{MatRef, Par};

use crate::design::basis::FixedBasis;
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::model::Model;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::System;

/// H and the way back to the coefficients of the user.
pub struct ScaledEffects<'a> {
    model: &'a Model,
    /// L, lower triangular.
    lower: Vec<f64>,
    /// T^-1 L^-T: its square is the covariance of the user's coefficients.
    root: Vec<f64>,
    /// H, its rows of X zero.
    pub h: Stacked,
    /// H'H of each block with its columns side by side, (width · rank) squared.
    grams: Vec<Matrix>,
}

impl<'a> ScaledEffects<'a> {
    pub fn new(system: &dyn System, model: &'a Model) -> Result<Self> {
        let structure = &model.structure;
        let rank = structure.rank;
        let lower = system.fixed_factor().into_data();
        let h = if rank == 0 {
            Stacked::zeros(structure, 0)?
        } else {
            let mut h = system.multiply(&unit_effects(system, structure, &lower)?)?;
            h.trailing[structure.n_trailing * rank..].fill(0.0);
            h
        };
        let grams = (0..structure.blocks.len())
            .map(|b| {
                let cols = structure.blocks[b].width * rank;
                let mut gram = Matrix::zeros(cols, cols, "products of the fixed effects")?;
                if rank > 0 {
                    let rows = structure.blocks[b].n_levels;
                    let levels = MatRef::from_row_major_slice(h.block(structure, b), rows, cols);
                    dense::add_gram(gram.view_mut(), levels, 1.0, Par::Seq);
                    dense::symmetrise(&mut gram);
                }
                Ok(gram)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            model,
            root: root_of_covariance(&model.fixed, &lower),
            lower,
            h,
            grams,
        })
    }

    pub fn rank(&self) -> usize {
        self.model.structure.rank
    }

    /// `H'MH` for the matrix of a block with these entries (row, column, value), row ≥ column.
    pub fn explained(&self, block: usize, entries: &[(usize, usize, f64)]) -> Result<Matrix> {
        let rank = self.rank();
        let gram = &self.grams[block];
        let mut out = Matrix::zeros(rank, rank, "products of the fixed effects")?;
        for &(row, column, value) in entries {
            for j in 0..rank {
                let own = &gram.column(column * rank + j)[row * rank..(row + 1) * rank];
                small::axpy(value, own, out.column_mut(j));
                if row != column {
                    let other = &gram.column(row * rank + j)[column * rank..(column + 1) * rank];
                    small::axpy(value, other, out.column_mut(j));
                }
            }
        }
        Ok(out)
    }

    /// `R A R'` with RR' the covariance of the user's coefficients: a matrix like a covariance.
    pub fn covariance_form(&self, a: &Matrix) -> Result<Matrix> {
        congruent(&self.root, a)
    }

    /// `R'^-1 A R^-1`: a matrix like an information.
    pub fn information_form(&self, a: &Matrix) -> Result<Matrix> {
        let rank = self.rank();
        // R^-1 = L'T, so this is (T'L) A (T'L)'.
        let mut left = vec![0.0; rank * rank];
        let transform = self.model.fixed.transform.data();
        small::transposed_multiply(transform, &self.lower, &mut left, rank);
        congruent(&left, a)
    }
}

/// γ = L^-T (rows of X) and b = -ΛM^-1Λ'Z'X L^-T, so that Xγ + Zb = V^-1X L^-T: the solution for the
/// right-hand side L in the rows of X.
pub fn unit_effects(system: &dyn System, structure: &Structure, lower: &[f64]) -> Result<Stacked> {
    let (q, rank) = (structure.n_trailing, structure.rank);
    let mut right = Stacked::zeros(structure, rank)?;
    for j in 0..rank {
        for i in 0..rank {
            right.trailing[(q + i) * rank + j] = lower[i + j * rank];
        }
    }
    Ok(system.solve(right))
}

/// T^-1 L^-T: its square is the covariance of the user's coefficients.
pub fn root_of_covariance(fixed: &FixedBasis, lower: &[f64]) -> Vec<f64> {
    let rank = fixed.rank();
    let mut upper = vec![0.0; rank * rank];
    (0..rank).for_each(|j| upper[j + j * rank] = 1.0);
    small::solve_lower_transposed(lower, &mut upper, rank, rank);
    fixed.solve(upper, rank)
}

/// `left A left'`, symmetric to the last digit.
fn congruent(left: &[f64], a: &Matrix) -> Result<Matrix> {
    let n = a.rows();
    let mut half = vec![0.0; n * n];
    small::multiply(left, a.data(), &mut half, n);
    let mut out = Matrix::zeros(n, n, "a matrix of the fixed effects")?;
    small::multiply_transposed(&half, left, out.data_mut(), n);
    dense::symmetrise(&mut out);
    Ok(out)
}
