//! The derivative of the elimination when Σ of one leading block moves, or A.

use std::sync::Arc;

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::memory::room;
use crate::linalg::{dense, small, Matrix};
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::cross_products::{CrossProducts, Leading, Trailing};
use crate::system::blocked::levels::shrinkage;
use crate::system::blocked::log_det_hessian::form;
use crate::system::blocked::nested::NestedUpdate;
use crate::system::Blocked;

/// What errors of memory call it.
const DERIVATIVES: &str = "the derivatives of nested blocks";

/// What moves when Σ of a leading block does, all that is eliminated later; or when A does.
pub struct Tangent {
    /// The leading blocks that move, `None` for the others.
    pub leading: Vec<Option<Leading>>,
    /// The trailing matrix, both triangles.
    pub trailing: Matrix,
}

impl Tangent {
    /// With x the rows of a level after the finer blocks, N and dN as in [`super`]:
    /// `dK -= dx N x' + x N dx' + x dN x'`.
    pub fn new(system: &Blocked<'_>, moving: usize, sigma: &[f64]) -> Result<Self> {
        let structure = system.structure;
        let dim = structure.trailing_dim();
        let leading = (0..structure.n_leading)
            .map(|b| {
                (b > moving)
                    .then(|| system.reduced(b).zeros_like())
                    .transpose()
            })
            .collect::<Result<_>>()?;
        let out = Self {
            leading,
            trailing: Matrix::zeros(dim, dim, "the derivative of the trailing matrix")?,
        };
        let k = structure.blocks[moving].width;
        let forms = moved_n(&system.lambda[moving], system.reduced(moving), sigma, k)?;
        out.eliminated(system, moving, Some(forms))
    }

    /// The same when A moves: `moved` holds its derivative. A sparse trailing matrix has no tangent.
    pub fn of_products(system: &Blocked<'_>, moved: CrossProducts) -> Result<Self> {
        let trailing = match moved.trailing {
            Trailing::Dense(matrix) => matrix,
            Trailing::Sparse(_) => unreachable!("the trailing matrix is dense here"),
        };
        let out = Self {
            leading: moved.leading.into_iter().map(Some).collect(),
            trailing,
        };
        out.eliminated(system, 0, None)
    }

    /// Takes the moves of the blocks from `first` on through their elimination. `forms` are dN of the
    /// first block when only its own Σ moves.
    fn eliminated(
        mut self,
        system: &Blocked<'_>,
        first: usize,
        mut forms: Option<Vec<f64>>,
    ) -> Result<Self> {
        let structure = system.structure;
        for b in first..structure.n_leading {
            let k = structure.blocks[b].width;
            let (current, n) = (system.reduced(b), system.n(b));
            let (done, above) = self.leading.split_at_mut(b + 1);
            let trailing = &mut self.trailing;
            let both;
            let (rows, forms, width) = match (&done[b], forms.take()) {
                (None, Some(forms)) => (current, forms, k),
                (Some(moved), _) => {
                    if let (Coupling::Dense(x), Coupling::Dense(dx)) =
                        (&current.coupling, &moved.coupling)
                    {
                        // A dense coupling is that of the only leading block.
                        form::subtract_moved((x, dx), (n, &moved.diagonal), k, trailing)?;
                        continue;
                    }
                    both = stacked(&[current, moved], k)?;
                    (&both, stacked_forms(n, &moved.diagonal, k)?, 2 * k)
                }
                (None, None) => unreachable!("blocks after the first one move with it"),
            };
            let update = NestedUpdate {
                structure,
                b,
                positions: system.positions(b),
                rows,
                forms: &forms,
                width,
            };
            for (i, target) in above.iter_mut().enumerate() {
                if let Some(target) = target {
                    update.apply(i, target);
                }
            }
            form::subtract(&rows.coupling, &forms, width, structure, trailing)?;
        }
        dense::symmetrise(&mut self.trailing);
        Ok(self)
    }
}

/// `dN = F' dΣ F` of the levels whose own Σ moves.
fn moved_n(lambda: &[f64], current: &Leading, moved: &[f64], k: usize) -> Result<Vec<f64>> {
    let square = k * k;
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
    Ok(Leading {
        diagonal: Vec::new(),
        ancestors,
        coupling: stacked_couplings(parts, k)?,
    })
}

fn stacked_couplings(parts: &[&Leading], k: usize) -> Result<Coupling> {
    let levels = (parts[0].diagonal.len() / (k * k)).max(1);
    let (mut dense, mut sparse) = (Vec::new(), Vec::new());
    for part in parts {
        match &part.coupling {
            Coupling::Dense(values) => dense.push(values.as_slice()),
            Coupling::Sparse(values) => sparse.push(values),
        }
    }
    if let Some(first) = dense.first() {
        let per_level = first.len() / levels;
        return Ok(Coupling::Dense(interleaved(dense.into_iter(), per_level)?));
    }
    let per_level = sparse[0].fixed.len() / levels;
    Ok(Coupling::Sparse(SparseCoupling {
        ranges: Arc::clone(&sparse[0].ranges),
        rows: Arc::clone(&sparse[0].rows),
        values: interleaved(sparse.iter().map(|s| s.values.as_slice()), k)?,
        fixed: interleaved(sparse.iter().map(|s| s.fixed.as_slice()), per_level)?,
    }))
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
