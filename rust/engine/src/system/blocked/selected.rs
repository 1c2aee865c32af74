//! Selected parts of inverses by the reverse of the elimination: for every block the sum over its
//! levels of the diagonal blocks of W = Z'V^-1Z (ML) or Z'PZ (REML), and on request the diagonal
//! blocks of Λ(Λ'Z'ZΛ + I)^-1Λ', the conditional covariances of the random effects.
//!
//! With K the reduced matrix when level v is eliminated, N = λ(λ'Kλ + I)^-1λ', and Kbar the adjoint
//! of the log-determinants over the rows R that v meets,
//!
//! ```text
//! Q = K_vR Kbar_RR K_Rv,   F = (I + K_vv Σ)^-1,   W_vv = F K_vv - F Q F'
//! Kbar_vv = N + N Q N,     Kbar_Rv = -Kbar_RR K_Rv N
//! ```
//!
//! Nothing divides by λ, so singular λ need no special case here.

use faer::Par;

use super::level_pass::{Adjoint, Keep, LevelPass};
use super::transform;
use super::Blocked;
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::products::coupling::Coupling;
use crate::products::structure::{Block, Structure};
use crate::system::complement::{complement_of_inverse, resolves_complement};

/// What the reverse recursion leaves.
pub struct Selected {
    /// Sum over the levels of W_jj for each block, width × width.
    pub w_sums: Vec<Vec<f64>>,
    /// For each leading block what was to be kept.
    pub adjoints: Vec<Option<Adjoint>>,
    /// ΛM^-1Λ' of the trailing rows, in storage that belongs to the factor: see
    /// [`super::trailing::DenseTrailing::give_back`].
    pub trailing: Matrix,
}

impl Blocked<'_> {
    /// Runs the reverse recursion. `joint` includes X in the inverse, which REML wants.
    pub(super) fn selected(&mut self, joint: bool, keep: Keep) -> Result<Selected> {
        let structure = self.structure;
        let dim = if joint {
            structure.trailing_dim()
        } else {
            structure.n_trailing
        };
        // Scalar levels look at each pair of rows once, so that one triangle is enough for them.
        let lower_only = structure.n_leading == 1
            && structure.blocks.iter().all(|b| b.width == 1)
            && matches!(self.a.leading[0].coupling, Coupling::Sparse(_));
        let mut inverse = self.factor.trailing.inverse(dim)?;
        if !lower_only {
            dense::symmetrise(&mut inverse);
        }
        let mut w_sums = vec![Vec::new(); structure.n_leading];
        w_sums.extend(self.trailing_sums(&inverse)?);
        transform::both_sides(&mut inverse, structure, &self.lambda, false, lower_only);
        let mut adjoints: Vec<Option<Adjoint>> = (0..structure.n_leading).map(|_| None).collect();
        for b in (0..structure.n_leading).rev() {
            let (below, above) = adjoints.split_at_mut(b + 1);
            let pass = LevelPass {
                system: self,
                b,
                bar: &inverse,
                above,
            };
            (w_sums[b], below[b]) = pass.run(keep.max(Keep::for_finer(b)))?;
        }
        Ok(Selected {
            w_sums,
            adjoints,
            trailing: inverse,
        })
    }

    /// The sums of W over the levels of the trailing blocks: from the inverse, or where λ is (nearly)
    /// singular from `W = K - K Λ S Λ' K`.
    fn trailing_sums(&self, inverse: &Matrix) -> Result<Vec<Vec<f64>>> {
        let mut unscaled: Option<Matrix> = None;
        let mut sums = Vec::new();
        for (t, place) in self.structure.trailing().enumerate() {
            let (_, block) = place;
            let lambda = &self.lambda[self.structure.n_leading + t];
            if resolves_complement(lambda, block) {
                let sum = diagonal_sum(inverse, place);
                sums.push(complement_of_inverse(&sum, lambda, block));
                continue;
            }
            let full = match unscaled.take() {
                Some(full) => full,
                None => self.trailing_unscaled()?,
            };
            sums.push(self.sum_from_columns(&full, place, inverse.rows())?);
            unscaled = Some(full);
        }
        Ok(sums)
    }

    fn sum_from_columns(
        &self,
        unscaled: &Matrix,
        (start, block): (usize, &Block),
        rows: usize,
    ) -> Result<Vec<f64>> {
        let (k, size, dim) = (block.width, block.dim(), unscaled.rows());
        let mut columns = Matrix::zeros(dim, size, "the columns of a singular term")?;
        columns
            .data_mut()
            .copy_from_slice(&unscaled.data()[start * dim..(start + size) * dim]);
        for j in 0..size {
            transform::rows(columns.column_mut(j), 1, self.structure, &self.lambda, true);
        }
        let factor = &self.factor.trailing.factor;
        dense::solve_lower(
            factor.view().submatrix(0, 0, rows, rows),
            columns.view_mut().submatrix_mut(0, 0, rows, size),
            Par::Seq,
        );
        let mut sum = vec![0.0; k * k];
        for level in (0..size).step_by(k) {
            for j in 0..k {
                for i in 0..k {
                    sum[i + j * k] += unscaled[(start + level + i, start + level + j)]
                        - small::dot(
                            &columns.column(level + i)[..rows],
                            &columns.column(level + j)[..rows],
                        );
                }
            }
        }
        Ok(sum)
    }
}

/// The sum of the diagonal blocks of the levels of a trailing block.
fn diagonal_sum(inverse: &Matrix, (start, block): (usize, &Block)) -> Vec<f64> {
    let k = block.width;
    let mut sum = vec![0.0; k * k];
    for at in (start..start + block.dim()).step_by(k) {
        for (e, sum) in sum.iter_mut().enumerate() {
            *sum += inverse[(at + e % k, at + e / k)];
        }
    }
    sum
}

/// The diagonal blocks of the levels of every trailing block.
pub fn diagonal_blocks(inverse: &Matrix, structure: &Structure) -> Vec<Vec<f64>> {
    let of_block = |(start, block): (usize, &Block)| {
        let k = block.width;
        (start..start + block.dim())
            .step_by(k)
            .flat_map(|at| (0..k * k).map(move |e| (at + e % k, at + e / k)))
            .map(|at| inverse[at])
            .collect()
    };
    structure.trailing().map(of_block).collect()
}
