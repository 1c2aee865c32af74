//! tr(P G_i P G_j) from the columns of Z'PZ, computed and forgotten a few at a time: for structures
//! whose elimination has no second derivatives, or no memory for them.

use faer::Par;

use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::design::Model;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, Matrix};
use crate::system::{multiply, Direction, Factor, Reduced};

/// Columns of Z'PZ at once.
const COLUMNS: usize = 32;

/// Minus the traces, like [`crate::system::log_det_hessian`] along Σ.
pub fn traces_by_columns(
    factor: &Factor,
    model: &Model,
    directions: &[Direction],
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    let structure = &model.structure;
    let n = directions.len();
    let mut out = Matrix::zeros(n, n, "the information matrix")?;
    for b in 0..structure.blocks.len() {
        let mut pairs = pairs_of(structure, b)?;
        let levels = structure.blocks[b].n_levels;
        let step = (COLUMNS / structure.blocks[b].width).max(1);
        for first in (0..levels).step_by(step) {
            tick()?;
            let range = (first, (first + step).min(levels));
            let columns = projected_columns(factor, model, b, range)?;
            for (c, pairs) in pairs.iter_mut().enumerate() {
                add_pairs(pairs, &columns, structure, (b, c));
            }
        }
        for (i, own) in directions.iter().enumerate().filter(|(_, d)| d.block == b) {
            for (j, other) in directions.iter().enumerate().filter(|(_, d)| d.block <= b) {
                let widths = (
                    structure.blocks[b].width,
                    structure.blocks[other.block].width,
                );
                let trace = contracted(&pairs[other.block], &own.d, &other.d, widths);
                out[(i, j)] = -trace;
                out[(j, i)] = -trace;
            }
        }
    }
    Ok(out)
}

/// Room for the sums of this block with itself and those before it.
fn pairs_of(structure: &Structure, b: usize) -> Result<Vec<Vec<f64>>> {
    let own = structure.blocks[b].width;
    structure.blocks[..=b]
        .iter()
        .map(|other| zeroed((own * other.width).pow(2), "products of pairs of levels"))
        .collect()
}

/// Z'PZ for some levels of a block; the rows of X are meaningless.
fn projected_columns(
    factor: &Factor,
    model: &Model,
    b: usize,
    (first, end): (usize, usize),
) -> Result<Stacked> {
    let (a, structure) = (&model.cross_products, &model.structure);
    let k = structure.blocks[b].width;
    let m = (end - first) * k;
    let mut unit = Stacked::zeros(structure, m)?;
    let rows = &mut unit.block_mut(structure, b)[first * k * m..end * k * m];
    (0..m).for_each(|c| rows[c * m + c] = 1.0);
    let mut out = multiply(a, structure, &unit, Par::Seq)?;
    let solution = Reduced::new(factor, a, structure, out.clone()).solution(factor, a, structure);
    let explained = multiply(a, structure, &solution, Par::Seq)?;
    for (out, explained) in out.leading.iter_mut().zip(&explained.leading) {
        small::axpy(-1.0, explained, out);
    }
    small::axpy(-1.0, &explained.trailing, &mut out.trailing);
    Ok(out)
}

/// Adds `vec(B) vec(B)'` for the part B of Z'PZ of every level of block c and level of the columns,
/// which are of block b.
fn add_pairs(pairs: &mut [f64], columns: &Stacked, structure: &Structure, (b, c): (usize, usize)) {
    let (own, other) = (structure.blocks[b].width, structure.blocks[c].width);
    let m = columns.m;
    let mut part = vec![0.0; own * other];
    for rows in columns.block(structure, c).chunks_exact(other * m) {
        for first in (0..m).step_by(own) {
            for h in 0..other {
                part[h * own..(h + 1) * own].copy_from_slice(&rows[h * m + first..][..own]);
            }
            small::add_outer(pairs, &part, &part);
        }
    }
}

/// `Σ tr(B' D B E)` with E of the columns' block and D of the rows'.
fn contracted(pairs: &[f64], e: &[f64], d: &[f64], (own, other): (usize, usize)) -> f64 {
    let square = own * other;
    let mut total = 0.0;
    for (second, column) in pairs.chunks_exact(square).enumerate() {
        let (a2, h2) = (second % own, second / own);
        for (first, &pair) in column.iter().enumerate() {
            let (a1, h1) = (first % own, first / own);
            total += pair * e[a1 + a2 * own] * d[h1 + h2 * other];
        }
    }
    total
}
