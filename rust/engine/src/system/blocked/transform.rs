//! Products of the trailing matrix with Λ from either side.

use crate::linalg::dense::THREADED;
use crate::linalg::threads::for_each;
use crate::linalg::Matrix;
use crate::products::structure::Structure;
use crate::system::scaling::{apply, level_rows};

/// `a <- Λ' a Λ` (`transposed`) or `Λ a Λ'`, on rows and columns of the random effects that lie
/// in a; `lower_only` leaves entries above the diagonal blocks alone.
pub fn both_sides(
    a: &mut Matrix,
    structure: &Structure,
    lambda: &[Vec<f64>],
    transposed: bool,
    lower_only: bool,
) {
    if structure.trailing().all(|(_, block)| block.width == 1) {
        scale_both_sides(a, structure, lambda, lower_only);
        return;
    }
    let dim = a.rows();
    let widest = structure.blocks.iter().map(|b| b.width).max().unwrap_or(1);
    let mut buffer = vec![0.0; widest];
    let layout: Vec<(usize, usize, usize)> = structure
        .trailing()
        .enumerate()
        .map(|(t, (start, block))| (start, block.width, structure.n_leading + t))
        .collect();
    // From the right: each level's columns.
    for &(start, k, b) in &layout {
        for level in (start..start + structure.blocks[b].dim()).step_by(k) {
            let first = if lower_only { level } else { 0 };
            if lower_only {
                mirror(a, level, k);
            }
            let columns = &mut a.data_mut()[level * dim..(level + k) * dim];
            if k == 1 {
                columns[first..].iter_mut().for_each(|v| *v *= lambda[b][0]);
                continue;
            }
            let mut segment = vec![0.0; k];
            for row in first..dim {
                for (c, s) in segment.iter_mut().enumerate() {
                    *s = columns[row + c * dim];
                }
                apply(&lambda[b], transposed, &mut segment, &mut buffer);
                for (c, s) in segment.iter().enumerate() {
                    columns[row + c * dim] = *s;
                }
            }
        }
    }
    // From the left: each column's segments.
    for &(start, k, b) in &layout {
        let end = start + structure.blocks[b].dim();
        for col in 0..dim {
            // The first level whose rows reach down to this column.
            let from = if lower_only && col > start {
                start + (col.min(end) - start) / k * k
            } else {
                start
            };
            if from >= end {
                continue;
            }
            let column = &mut a.column_mut(col)[from..end];
            if k == 1 {
                column.iter_mut().for_each(|v| *v *= lambda[b][0]);
            } else {
                for segment in column.chunks_exact_mut(k) {
                    apply(&lambda[b], transposed, segment, &mut buffer);
                }
            }
        }
    }
}

/// The same where every level has one column: one pass, which threads share.
fn scale_both_sides(a: &mut Matrix, structure: &Structure, lambda: &[Vec<f64>], lower_only: bool) {
    let dim = a.rows();
    let mut scale = vec![1.0; dim];
    for (t, (start, block)) in structure.trailing().enumerate() {
        scale[start..start + block.n_levels].fill(lambda[structure.n_leading + t][0]);
    }
    let scaled = |(j, column): &mut (usize, &mut [f64])| {
        let from = if lower_only { *j } else { 0 };
        let own = scale[*j];
        for (v, s) in column[from..].iter_mut().zip(&scale[from..]) {
            *v *= own * s;
        }
    };
    let mut columns: Vec<(usize, &mut [f64])> = a
        .data_mut()
        .chunks_exact_mut(dim.max(1))
        .enumerate()
        .collect();
    if dim < THREADED {
        columns.iter_mut().for_each(scaled);
    } else {
        for_each(&mut columns, scaled);
    }
}

/// Copies the lower triangle of a diagonal block onto its upper one.
fn mirror(a: &mut Matrix, start: usize, k: usize) {
    for j in start..start + k {
        for i in j + 1..start + k {
            a[(j, i)] = a[(i, j)];
        }
    }
}

/// `rows <- Λ' rows` (`transposed`) or `Λ rows` for row-major rows of m columns.
pub fn rows(
    values: &mut [f64],
    m: usize,
    structure: &Structure,
    lambda: &[Vec<f64>],
    transposed: bool,
) {
    for (t, (start, block)) in structure.trailing().enumerate() {
        let part = &mut values[start * m..(start + block.dim()) * m];
        level_rows(
            part,
            m,
            block.width,
            &lambda[structure.n_leading + t],
            transposed,
        );
    }
}
