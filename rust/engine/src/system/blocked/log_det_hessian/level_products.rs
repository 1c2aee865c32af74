//! Dense matrices of trailing rows times Λ, level by level.

use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::products::structure::{Block, Structure};

/// `a Λ`; columns of X stay as they are.
pub fn times_lambda(a: &Matrix, structure: &Structure, lambda: &[Vec<f64>]) -> Result<Matrix> {
    let mut out = Matrix::zeros(a.rows(), a.cols(), "a product with the covariance factors")?;
    for (t, (start, block)) in structure.trailing().enumerate() {
        let part = times_block(a, (start, block), &lambda[structure.n_leading + t])?;
        out.data_mut()[start * a.rows()..][..part.data().len()].copy_from_slice(part.data());
    }
    for j in structure.n_trailing..a.cols() {
        out.column_mut(j).copy_from_slice(a.column(j));
    }
    Ok(out)
}

/// The columns of one block times m, level by level.
pub fn times_block(a: &Matrix, (start, block): (usize, &Block), m: &[f64]) -> Result<Matrix> {
    let k = block.width;
    let mut out = Matrix::zeros(
        a.rows(),
        block.dim(),
        "a product with the covariance factors",
    )?;
    for level in (0..block.dim()).step_by(k) {
        for c in 0..k {
            for h in 0..k {
                let from = a.column(start + level + h);
                small::axpy(m[h + c * k], from, out.column_mut(level + c));
            }
        }
    }
    Ok(out)
}

/// `Σ_v Σ_c left[(v, ·), c] right[(v, ·), c + first]'` over the levels of a block.
pub fn level_products(
    (start, block): (usize, &Block),
    left: &Matrix,
    right: &Matrix,
    first: usize,
) -> Vec<f64> {
    let k = block.width;
    let rows = start..start + block.dim();
    let mut sum = vec![0.0; k * k];
    for c in 0..left.cols() {
        let left = &left.column(c)[rows.clone()];
        let right = &right.column(first + c)[rows.clone()];
        if k == 1 {
            sum[0] += small::dot(left, right);
            continue;
        }
        for (left, right) in left.chunks_exact(k).zip(right.chunks_exact(k)) {
            small::add_outer(&mut sum, left, right);
        }
    }
    sum
}
