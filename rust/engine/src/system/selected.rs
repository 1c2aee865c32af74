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

use crate::design::coupling::Coupling;
use crate::design::cross_products::CrossProducts;
use crate::design::structure::{Block, Structure};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{dense, small, Matrix};
use crate::system::level_pass::{Adjoint, LevelPass};
use crate::system::{transform, Factor};

/// I - S resolves W while the entries of λ^-1 (relative to the levels' sizes) stay below this.
const ILL_CONDITIONED: f64 = 1e5;

/// Selected parts, by block.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Sum over the levels of W_jj, width × width.
    pub w_sums: Vec<Vec<f64>>,
    /// Diagonal blocks of Λ(Λ'AΛ + I)^-1Λ', width × width for each level; empty unless wanted.
    pub diagonals: Vec<Vec<f64>>,
}

/// Runs the reverse recursion. `joint` includes X in the inverse, which REML wants.
pub fn selected(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
    joint: bool,
    want_diagonals: bool,
) -> Result<Selected> {
    let dim = if joint {
        structure.trailing_dim()
    } else {
        structure.n_trailing
    };
    // Scalar levels look at each pair of rows once, so that one triangle is enough for them.
    let lower_only = structure.n_leading == 1
        && structure.blocks.iter().all(|b| b.width == 1)
        && matches!(a.leading[0].coupling, Coupling::Sparse(_));
    let mut inverse = trailing_inverse(factor, dim)?;
    if !lower_only {
        dense::symmetrise(&mut inverse);
    }
    let n_blocks = structure.blocks.len();
    let mut out = Selected {
        w_sums: vec![Vec::new(); n_blocks],
        diagonals: vec![Vec::new(); n_blocks],
    };
    trailing_sums(factor, a, structure, &inverse, joint, &mut out)?;
    transform::both_sides(&mut inverse, structure, &factor.lambda, false, lower_only);
    if want_diagonals {
        for (t, (start, block)) in structure.trailing().enumerate() {
            let k = block.width;
            let blocks = (start..start + block.dim())
                .step_by(k)
                .flat_map(|at| (0..k * k).map(move |e| (at + e % k, at + e / k)))
                .map(|at| inverse[at])
                .collect();
            out.diagonals[structure.n_leading + t] = blocks;
        }
    }
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
        let (sum, adjoint) = pass.run(b > 0 || want_diagonals)?;
        out.w_sums[b] = sum;
        if want_diagonals {
            if let Some(adjoint) = &adjoint {
                out.diagonals[b].clone_from(&adjoint.diagonal);
            }
        }
        below[b] = adjoint;
    }
    drop(adjoints);
    factor.inverse = inverse.into_data();
    Ok(out)
}

/// Lower triangle of the inverse of the leading `dim` rows of the trailing matrix, in a buffer that
/// the factor gets back.
pub(super) fn trailing_inverse(factor: &mut Factor, dim: usize) -> Result<Matrix> {
    let mut data = std::mem::take(&mut factor.inverse);
    if data.len() != dim * dim {
        data = zeroed(dim * dim, "the inverse of the trailing matrix")?;
    }
    let mut inverse = Matrix::from_columns(dim, dim, data);
    if dim > 0 {
        let l = factor.trailing.view().submatrix(0, 0, dim, dim);
        dense::inverse_from_cholesky(inverse.view_mut(), l, &mut factor.scratch);
    }
    Ok(inverse)
}

/// `λ^-T (l I - Σ S_jj) λ^-1` for the trailing blocks; where λ is (nearly) singular the sums are
/// taken from `W = K - K Λ S Λ' K` instead.
fn trailing_sums(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
    inverse: &Matrix,
    joint: bool,
    out: &mut Selected,
) -> Result<()> {
    let mut unscaled: Option<Matrix> = None;
    for (t, (start, block)) in structure.trailing().enumerate() {
        let b = structure.n_leading + t;
        let k = block.width;
        if let Some(lambda_inverse) = resolved_inverse(&factor.lambda[b], block) {
            let mut complement = identity(k);
            complement
                .iter_mut()
                .for_each(|v| *v *= block.n_levels as f64);
            for at in (start..start + block.dim()).step_by(k) {
                for j in 0..k {
                    for i in 0..k {
                        complement[i + j * k] -= inverse[(at + i, at + j)];
                    }
                }
            }
            let mut half = vec![0.0; k * k];
            let mut sum = vec![0.0; k * k];
            small::transposed_multiply(&lambda_inverse, &complement, &mut half, k);
            small::multiply(&half, &lambda_inverse, &mut sum, k);
            out.w_sums[b] = sum;
            continue;
        }
        if unscaled.is_none() {
            let mut full = factor.trailing_unscaled(a, structure)?;
            dense::symmetrise(&mut full);
            unscaled = Some(full);
        }
        if let Some(full) = &unscaled {
            out.w_sums[b] = sums_from_columns(factor, structure, full, (start, b), joint)?;
        }
    }
    Ok(())
}

/// λ^-1 of a block, where `I - S` times it from either side resolves W.
pub(super) fn resolved_inverse(lambda: &[f64], block: &Block) -> Option<Vec<f64>> {
    let k = block.width;
    let mut inverse = identity(k);
    small::solve_general(&mut lambda.to_vec(), &mut inverse, k, k);
    let limit = ILL_CONDITIONED * block.codes.len() as f64 / block.n_levels as f64;
    inverse.iter().all(|v| v * v < limit).then_some(inverse)
}

fn sums_from_columns(
    factor: &Factor,
    structure: &Structure,
    unscaled: &Matrix,
    (start, b): (usize, usize),
    joint: bool,
) -> Result<Vec<f64>> {
    let block = &structure.blocks[b];
    let (k, size, dim) = (block.width, block.dim(), unscaled.rows());
    let mut columns = Matrix::zeros(dim, size, "the columns of a singular term")?;
    columns
        .data_mut()
        .copy_from_slice(&unscaled.data()[start * dim..(start + size) * dim]);
    for j in 0..size {
        transform::rows(columns.column_mut(j), 1, structure, &factor.lambda, true);
    }
    let rows = if joint { dim } else { structure.n_trailing };
    dense::solve_lower(
        factor.trailing.view().submatrix(0, 0, rows, rows),
        columns.view_mut().submatrix_mut(0, 0, rows, size),
        factor.par,
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

fn identity(k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k * k];
    (0..k).for_each(|i| out[i + i * k] = 1.0);
    out
}
