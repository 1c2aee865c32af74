//! Quadratic forms over the levels of a leading block.

use faer::{MatRef, Par};

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{dense, small, Matrix};
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::structure::Structure;

/// Rows of a panel that are multiplied at once.
const CHUNK_ROWS: usize = 256;

/// `trailing -= Σ_v C_v' n_v C_v` (lower triangle) for symmetric n, k × k for each level, that need
/// not be definite.
pub fn subtract(
    coupling: &Coupling,
    n: &[f64],
    k: usize,
    structure: &Structure,
    trailing: &mut Matrix,
) -> Result<()> {
    match coupling {
        Coupling::Dense(values) => subtract_dense(values, n, k, trailing),
        Coupling::Sparse(sparse) => {
            subtract_sparse(sparse, n, k, structure, trailing);
            Ok(())
        }
    }
}

fn subtract_dense(values: &[f64], n: &[f64], k: usize, trailing: &mut Matrix) -> Result<()> {
    let cols = trailing.rows();
    if cols == 0 {
        return Ok(());
    }
    let levels = (CHUNK_ROWS / k).max(1);
    let mut panel = zeroed(levels * k * cols, "a panel")?;
    for (chunk, n) in values
        .chunks(levels * k * cols)
        .zip(n.chunks(levels * k * k))
    {
        let panel = &mut panel[..chunk.len()];
        panel.fill(0.0);
        for ((n, c), out) in n
            .chunks_exact(k * k)
            .zip(chunk.chunks_exact(k * cols))
            .zip(panel.chunks_exact_mut(k * cols))
        {
            for (row, out) in out.chunks_exact_mut(cols).enumerate() {
                for (h, c) in c.chunks_exact(cols).enumerate() {
                    small::axpy(n[row + h * k], c, out);
                }
            }
        }
        let rows = chunk.len() / cols;
        dense::add_symmetric_product(
            trailing.view_mut(),
            MatRef::from_row_major_slice(chunk, rows, cols),
            MatRef::from_row_major_slice(panel, rows, cols),
            -1.0,
            Par::Seq,
        );
    }
    Ok(())
}

/// `trailing -= Σ_v dX' N X + X' N dX - X' N dK N X` (lower triangle) for a dense coupling X that moves by
/// dX and a diagonal K that moves by dK.
pub fn subtract_moved(
    (x, dx): (&[f64], &[f64]),
    (n, moved): (&[f64], &[f64]),
    k: usize,
    trailing: &mut Matrix,
) -> Result<()> {
    let cols = trailing.rows();
    if cols == 0 {
        return Ok(());
    }
    let levels = (CHUNK_ROWS / k).max(1);
    let mut panel = zeroed(levels * k * cols, "a panel")?;
    let (mut left, mut both) = (vec![0.0; k * k], vec![0.0; k * k]);
    let (rows_at_once, squares_at_once) = (levels * k * cols, levels * k * k);
    for (((x, dx), n), moved) in x
        .chunks(rows_at_once)
        .zip(dx.chunks(rows_at_once))
        .zip(n.chunks(squares_at_once))
        .zip(moved.chunks(squares_at_once))
    {
        // N dX - N dK N X / 2
        let panel = &mut panel[..x.len()];
        panel.fill(0.0);
        for ((((n, moved), x), dx), out) in n
            .chunks_exact(k * k)
            .zip(moved.chunks_exact(k * k))
            .zip(x.chunks_exact(k * cols))
            .zip(dx.chunks_exact(k * cols))
            .zip(panel.chunks_exact_mut(k * cols))
        {
            small::multiply(n, moved, &mut left, k);
            small::multiply(&left, n, &mut both, k);
            for (row, out) in out.chunks_exact_mut(cols).enumerate() {
                for (h, (x, dx)) in x.chunks_exact(cols).zip(dx.chunks_exact(cols)).enumerate() {
                    small::axpy(n[row + h * k], dx, out);
                    small::axpy(-0.5 * both[row + h * k], x, out);
                }
            }
        }
        let rows = x.len() / cols;
        let x = MatRef::from_row_major_slice(x, rows, cols);
        let panel = MatRef::from_row_major_slice(panel, rows, cols);
        dense::add_symmetric_product(trailing.view_mut(), x, panel, -1.0, Par::Seq);
        dense::add_symmetric_product(trailing.view_mut(), panel, x, -1.0, Par::Seq);
    }
    Ok(())
}

fn subtract_sparse(
    sparse: &SparseCoupling,
    n: &[f64],
    k: usize,
    structure: &Structure,
    trailing: &mut Matrix,
) {
    let (q, p) = (structure.n_trailing, structure.rank);
    let (mut rows, mut columns, mut products) = (Vec::new(), Vec::new(), Vec::new());
    for (level, n) in n.chunks_exact(k * k).enumerate() {
        let range = sparse.ranges[level]..sparse.ranges[level + 1];
        rows.clear();
        rows.extend(sparse.rows[range.clone()].iter().map(|&r| r as usize));
        rows.extend(q..q + p);
        columns.clear();
        columns.extend_from_slice(&sparse.values[range.start * k..range.end * k]);
        for j in 0..p {
            columns.extend((0..k).map(|h| sparse.fixed[(level * k + h) * p + j]));
        }
        products.clear();
        products.resize(columns.len(), 0.0);
        for (out, c) in products.chunks_exact_mut(k).zip(columns.chunks_exact(k)) {
            for (h, &c) in c.iter().enumerate() {
                small::axpy(c, &n[h * k..(h + 1) * k], out);
            }
        }
        for (e, (&row, product)) in rows.iter().zip(products.chunks_exact(k)).enumerate() {
            let out = trailing.column_mut(row);
            for (&r, c) in rows[e..].iter().zip(columns[e * k..].chunks_exact(k)) {
                out[r] -= small::dot(product, c);
            }
        }
    }
}
