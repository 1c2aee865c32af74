//! tr(P G_i P G_j) from the columns of Z'PZ, computed and forgotten a few at a time: for structures
//! whose elimination has no second derivatives, or no memory for them.

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, threads, Matrix};
use crate::model::Model;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::{Direction, System};

/// Columns of Z'PZ at once.
const COLUMNS: usize = 32;
/// Chunks of columns that threads share before the caller is asked whether to go on.
const CHUNKS: usize = 32;

/// Minus the traces, like [`System::log_det_hessian`] along Σ.
pub fn traces_by_columns(
    system: &dyn System,
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
        let chunks: Vec<(usize, usize)> = (0..levels)
            .step_by(step)
            .map(|first| (first, (first + step).min(levels)))
            .collect();
        for chunks in chunks.chunks(CHUNKS) {
            tick()?;
            for own in threads::map(chunks, |&range| pairs_with(system, model, b, range)) {
                for (sum, own) in pairs.iter_mut().zip(own?) {
                    small::axpy(1.0, &own, sum);
                }
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

/// The sums of some levels of a block.
fn pairs_with(
    system: &dyn System,
    model: &Model,
    b: usize,
    range: (usize, usize),
) -> Result<Vec<Vec<f64>>> {
    let mut pairs = pairs_of(&model.structure, b)?;
    let columns = projected_columns(system, model, b, range)?;
    for (c, pairs) in pairs.iter_mut().enumerate() {
        add_pairs(pairs, &columns, &model.structure, (b, c));
    }
    Ok(pairs)
}

/// Z'PZ for some levels of a block; the rows of X are meaningless.
fn projected_columns(
    system: &dyn System,
    model: &Model,
    b: usize,
    (first, end): (usize, usize),
) -> Result<Stacked> {
    let structure = &model.structure;
    let k = structure.blocks[b].width;
    let m = (end - first) * k;
    let mut unit = Stacked::zeros(structure, m)?;
    let rows = &mut unit.block_mut(structure, b)[first * k * m..end * k * m];
    (0..m).for_each(|c| rows[c * m + c] = 1.0);
    let mut out = system.multiply(&unit)?;
    let solution = system.solve(out.clone());
    let explained = system.multiply(&solution)?;
    out.add(-1.0, &explained);
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
