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

use crate::design::coupling::Coupling;
use crate::design::cross_products::CrossProducts;
use crate::design::structure::{Block, Structure};
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::system::complement::{complement_of_inverse, resolves_complement};
use crate::system::factor::{reduce_trailing, Factor, LeadingFactor};
use crate::system::level_pass::{Adjoint, Keep, LevelPass};
use crate::system::trailing::{DenseTrailing, TrailingFactor};
use crate::system::transform;

/// Selected parts, by block.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Sum over the levels of W_jj, width × width.
    pub w_sums: Vec<Vec<f64>>,
    /// Diagonal blocks of Λ(Λ'AΛ + I)^-1Λ', width × width for each level; empty unless wanted.
    pub diagonals: Vec<Vec<f64>>,
}

/// ΛM^-1Λ' with M = Λ'AΛ + I, without X, where A has entries.
pub enum PatternInverse {
    Blocked {
        leading: Vec<Adjoint>,
        /// Without X; the lower triangle.
        trailing: Matrix,
    },
    /// In the order of the values of the sparse cross-products.
    Sparse(Vec<f64>),
}

/// Runs the reverse recursion. `joint` includes X in the inverse, which REML wants.
pub fn selected(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
    joint: bool,
    want_diagonals: bool,
) -> Result<Selected> {
    if let TrailingFactor::Sparse(sparse) = &mut factor.trailing {
        return sparse.selected(structure, &factor.lambda, joint, want_diagonals);
    }
    let keep = if want_diagonals {
        Keep::Diagonal
    } else {
        Keep::Nothing
    };
    let Reverse {
        w_sums,
        adjoints,
        trailing: inverse,
    } = reverse(factor, a, structure, joint, keep)?;
    let mut diagonals = vec![Vec::new(); structure.blocks.len()];
    if want_diagonals {
        let leading = adjoints.into_iter().flatten().map(|a| a.diagonal);
        let trailing = structure
            .trailing()
            .map(|place| diagonal_blocks(&inverse, place));
        diagonals = leading.chain(trailing).collect();
    }
    factor.trailing.give_back(inverse);
    Ok(Selected { w_sums, diagonals })
}

/// The sums of W over the levels of each block, and ΛM^-1Λ' where A has entries. Its storage
/// belongs to the factor: see [`give_back`].
pub fn pattern_inverse(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
) -> Result<(Vec<Vec<f64>>, PatternInverse)> {
    if let TrailingFactor::Sparse(sparse) = &mut factor.trailing {
        let (w_sums, values) = sparse.pattern_inverse(structure, &factor.lambda)?;
        return Ok((w_sums, PatternInverse::Sparse(values)));
    }
    let Reverse {
        w_sums,
        adjoints,
        trailing,
    } = reverse(factor, a, structure, false, Keep::Pattern)?;
    let leading = adjoints.into_iter().flatten().collect();
    Ok((w_sums, PatternInverse::Blocked { leading, trailing }))
}

/// Returns the storage of an inverse for the next one.
pub fn give_back(factor: &mut Factor, inverse: PatternInverse) {
    if let PatternInverse::Blocked { trailing, .. } = inverse {
        factor.trailing.give_back(trailing);
    }
}

/// What the reverse recursion over leading blocks and a dense trailing matrix leaves.
struct Reverse {
    /// Sum over the levels of W_jj for each block.
    w_sums: Vec<Vec<f64>>,
    /// For each leading block what was to be kept.
    adjoints: Vec<Option<Adjoint>>,
    /// ΛM^-1Λ' of the trailing rows.
    trailing: Matrix,
}

fn reverse(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
    joint: bool,
    keep: Keep,
) -> Result<Reverse> {
    let TrailingFactor::Dense(dense) = &mut factor.trailing else {
        unreachable!("a sparse trailing matrix has its own recursion");
    };
    let dim = if joint {
        structure.trailing_dim()
    } else {
        structure.n_trailing
    };
    // Scalar levels look at each pair of rows once, so that one triangle is enough for them.
    let lower_only = structure.n_leading == 1
        && structure.blocks.iter().all(|b| b.width == 1)
        && matches!(a.leading[0].coupling, Coupling::Sparse(_));
    let mut inverse = dense.inverse(dim)?;
    if !lower_only {
        dense::symmetrise(&mut inverse);
    }
    let part = TrailingPart {
        dense,
        leading: &factor.leading,
        lambda: &factor.lambda,
        a,
        structure,
        par: factor.par,
    };
    let mut w_sums = vec![Vec::new(); structure.n_leading];
    w_sums.extend(part.sums(&inverse)?);
    transform::both_sides(&mut inverse, structure, &factor.lambda, false, lower_only);
    let mut adjoints: Vec<Option<Adjoint>> = (0..structure.n_leading).map(|_| None).collect();
    for b in (0..structure.n_leading).rev() {
        let (below, above) = adjoints.split_at_mut(b + 1);
        let pass = LevelPass {
            factor,
            a,
            structure,
            b,
            bar: &inverse,
            above,
        };
        (w_sums[b], below[b]) = pass.run(keep.max(Keep::for_finer(b)))?;
    }
    Ok(Reverse {
        w_sums,
        adjoints,
        trailing: inverse,
    })
}

/// The diagonal blocks of the levels of a trailing block.
fn diagonal_blocks(inverse: &Matrix, (start, block): (usize, &Block)) -> Vec<f64> {
    let k = block.width;
    (start..start + block.dim())
        .step_by(k)
        .flat_map(|at| (0..k * k).map(move |e| (at + e % k, at + e / k)))
        .map(|at| inverse[at])
        .collect()
}

/// What the sums of W over the levels of dense trailing blocks are computed from.
struct TrailingPart<'a> {
    dense: &'a DenseTrailing,
    leading: &'a [LeadingFactor],
    lambda: &'a [Vec<f64>],
    a: &'a CrossProducts,
    structure: &'a Structure,
    par: Par,
}

impl TrailingPart<'_> {
    /// From the inverse; where λ is (nearly) singular from `W = K - K Λ S Λ' K` instead.
    fn sums(&self, inverse: &Matrix) -> Result<Vec<Vec<f64>>> {
        let mut unscaled: Option<Matrix> = None;
        let mut sums = Vec::new();
        for (t, (start, block)) in self.structure.trailing().enumerate() {
            let k = block.width;
            let lambda = &self.lambda[self.structure.n_leading + t];
            if resolves_complement(lambda, block) {
                let mut sum = vec![0.0; k * k];
                for at in (start..start + block.dim()).step_by(k) {
                    for (e, sum) in sum.iter_mut().enumerate() {
                        *sum += inverse[(at + e % k, at + e / k)];
                    }
                }
                sums.push(complement_of_inverse(&sum, lambda, block));
                continue;
            }
            let full = match unscaled.take() {
                Some(full) => full,
                None => self.unscaled()?,
            };
            sums.push(self.sum_from_columns(&full, (start, block), inverse.rows())?);
            unscaled = Some(full);
        }
        Ok(sums)
    }

    /// The trailing matrix after the leading blocks, unscaled.
    fn unscaled(&self) -> Result<Matrix> {
        let dim = self.structure.trailing_dim();
        let mut full = Matrix::zeros(dim, dim, "a copy of the trailing matrix")?;
        if let Some(matrix) = self.a.trailing.dense() {
            full.data_mut().copy_from_slice(matrix.data());
        }
        reduce_trailing(self.leading, self.a, self.structure, &mut full, self.par);
        dense::symmetrise(&mut full);
        Ok(full)
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
            transform::rows(columns.column_mut(j), 1, self.structure, self.lambda, true);
        }
        dense::solve_lower(
            self.dense.factor.view().submatrix(0, 0, rows, rows),
            columns.view_mut().submatrix_mut(0, 0, rows, size),
            self.par,
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
