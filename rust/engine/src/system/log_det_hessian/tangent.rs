//! The derivative of the elimination when Σ of one leading block moves.

use crate::design::coupling::{Coupling, SparseCoupling};
use crate::design::cross_products::{CrossProducts, Leading};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::memory::{copied, room};
use crate::linalg::{dense, small, Matrix};
use crate::system::levels::shrinkage;
use crate::system::log_det_hessian::form;
use crate::system::nested::update_ancestor;
use crate::system::Factor;

/// What errors of memory call it.
const DERIVATIVES: &str = "the derivatives of nested blocks";

/// What moves when Σ of a leading block does: all that is eliminated later.
pub struct Tangent {
    /// The leading blocks above the one that moves, `None` for the others.
    pub leading: Vec<Option<Leading>>,
    /// The trailing matrix, both triangles.
    pub trailing: Matrix,
}

impl Tangent {
    /// With x the rows of a level after the finer blocks, N and dN as in [`super`]:
    /// `dK -= dx N x' + x N dx' + x dN x'`.
    pub fn new(
        factor: &Factor,
        a: &CrossProducts,
        structure: &Structure,
        moving: usize,
        sigma: &[f64],
    ) -> Result<Self> {
        let dim = structure.trailing_dim();
        let mut trailing = Matrix::zeros(dim, dim, "the derivative of the trailing matrix")?;
        let mut leading: Vec<Option<Leading>> = (0..structure.n_leading)
            .map(|b| {
                (b > moving)
                    .then(|| factor.reduced(a, b).zeros_like())
                    .transpose()
            })
            .collect::<Result<_>>()?;
        for b in moving..structure.n_leading {
            let k = structure.blocks[b].width;
            let current = factor.reduced(a, b);
            let (done, above) = leading.split_at_mut(b + 1);
            let both;
            let (rows, forms, width) = match &done[b] {
                None => (current, moved_n(factor, current, (moving, sigma), k)?, k),
                Some(moved) => {
                    both = stacked(&[current, moved], k)?;
                    let forms = stacked_forms(&factor.leading[b].n, &moved.diagonal, k)?;
                    (&both, forms, 2 * k)
                }
            };
            for (i, target) in above.iter_mut().enumerate() {
                if let Some(target) = target {
                    let (parents, positions) = (&structure.parents[b][i], factor.positions(b, i));
                    update_ancestor(
                        rows, &forms, width, i, parents, positions, target, structure,
                    );
                }
            }
            let par = factor.par;
            form::subtract(&rows.coupling, &forms, width, structure, par, &mut trailing)?;
        }
        dense::symmetrise(&mut trailing);
        Ok(Self { leading, trailing })
    }
}

/// `dN = F' dΣ F` of the levels whose own Σ moves.
fn moved_n(
    factor: &Factor,
    current: &Leading,
    (moving, moved): (usize, &[f64]),
    k: usize,
) -> Result<Vec<f64>> {
    let square = k * k;
    let lambda = &factor.lambda[moving];
    let mut sigma = vec![0.0; square];
    small::multiply_transposed(lambda, lambda, &mut sigma, k);
    let (mut f, mut scratch) = (vec![0.0; square], vec![0.0; square]);
    let mut out = zeroed(current.diagonal.len(), DERIVATIVES)?;
    for (d, out) in current
        .diagonal
        .chunks_exact(square)
        .zip(out.chunks_exact_mut(square))
    {
        shrinkage(d, &sigma, &mut f, &mut scratch, k);
        small::multiply(moved, &f, &mut scratch, k);
        small::transposed_multiply(&f, &scratch, out, k);
    }
    Ok(out)
}

/// `[-N dK N, N; N, 0]` for each level: the form in `[x dx]` that a moved level takes from the rest.
fn stacked_forms(n: &[f64], moved: &[f64], k: usize) -> Result<Vec<f64>> {
    let (square, width) = (k * k, 2 * k);
    let mut out = zeroed(n.len() * 4, DERIVATIVES)?;
    let (mut left, mut both) = (vec![0.0; square], vec![0.0; square]);
    for ((n, moved), out) in n
        .chunks_exact(square)
        .zip(moved.chunks_exact(square))
        .zip(out.chunks_exact_mut(width * width))
    {
        small::multiply(n, moved, &mut left, k);
        small::multiply(&left, n, &mut both, k);
        for j in 0..k {
            for i in 0..k {
                out[i + j * width] = -both[i + j * k];
                out[k + i + j * width] = n[i + j * k];
                out[i + (k + j) * width] = n[i + j * k];
            }
        }
    }
    Ok(out)
}

/// Blocks of one pattern and k columns a level side by side, as one of more columns. Its diagonal
/// is left out: nobody asks for it.
pub fn stacked(parts: &[&Leading], k: usize) -> Result<Leading> {
    let ancestors = (0..parts[0].ancestors.len())
        .map(|i| interleaved(parts.iter().map(|p| p.ancestors[i].as_slice()), k))
        .collect::<Result<_>>()?;
    let sparse: Vec<&SparseCoupling> = parts
        .iter()
        .filter_map(|p| match &p.coupling {
            Coupling::Sparse(sparse) => Some(sparse),
            // Nested blocks, which alone are stacked, couple sparsely.
            Coupling::Dense(_) => None,
        })
        .collect();
    let levels = sparse[0].ranges.len() - 1;
    let per_level = sparse[0].fixed.len() / levels.max(1);
    Ok(Leading {
        diagonal: Vec::new(),
        ancestors,
        coupling: Coupling::Sparse(SparseCoupling {
            ranges: copied(&sparse[0].ranges, DERIVATIVES)?,
            rows: copied(&sparse[0].rows, DERIVATIVES)?,
            values: interleaved(sparse.iter().map(|s| s.values.as_slice()), k)?,
            fixed: interleaved(sparse.iter().map(|s| s.fixed.as_slice()), per_level)?,
        }),
    })
}

/// Chunks of this length from each part in turn.
fn interleaved<'a>(parts: impl Iterator<Item = &'a [f64]>, length: usize) -> Result<Vec<f64>> {
    let parts: Vec<&[f64]> = parts.collect();
    let total = parts.iter().map(|p| p.len()).sum();
    let mut out = room(total, DERIVATIVES)?;
    for at in (0..parts[0].len()).step_by(length.max(1)) {
        for part in &parts {
            out.extend_from_slice(&part[at..at + length]);
        }
    }
    Ok(out)
}
