//! The blocked cross-products A of [Z X]: all that an evaluation needs to know of the rows.

use std::sync::Arc;

use faer::Par;

use crate::design::coupling::{coupling, Coupling};
use crate::design::frame::MANY_ROWS;
use crate::design::pattern::Pattern;
use crate::design::sparse_products::SparseProducts;
use crate::design::stacked::Stacked;
use crate::design::structure::{Block, Structure, TrailingKind};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::threads::join;
use crate::linalg::{dense, small, Matrix};

/// A leading block: its diagonal, its coupling to the leading blocks that hold it, and to the rest.
#[derive(Debug, Clone)]
pub struct Leading {
    /// width × width for each level.
    pub diagonal: Vec<f64>,
    /// For each later leading block: width × (its width) for each level, column-major.
    pub ancestors: Vec<Vec<f64>>,
    pub coupling: Coupling,
}

/// The trailing rows and columns, X included.
#[derive(Debug, Clone)]
pub enum Trailing {
    /// Symmetric, both triangles.
    Dense(Arc<Matrix>),
    Sparse(Arc<SparseProducts>),
}

impl Trailing {
    /// The matrix, when it is dense.
    #[must_use]
    pub fn dense(&self) -> Option<&Matrix> {
        match self {
            Self::Dense(matrix) => Some(matrix),
            Self::Sparse(_) => None,
        }
    }
}

/// A without the response.
#[derive(Debug, Clone)]
pub struct CrossProducts {
    pub leading: Vec<Leading>,
    pub trailing: Trailing,
}

impl CrossProducts {
    /// One pass over the rows. `z` holds the rows of each block (n × width, row-major), `x` the
    /// columns of the fixed-effects basis, `patterns` those of the leading blocks' couplings.
    pub fn new(
        structure: &Structure,
        patterns: Vec<Pattern>,
        z: &[Vec<f64>],
        x: &Matrix,
        par: Par,
    ) -> Result<Self> {
        let x_rows = row_major(x)?;
        let leading = patterns
            .into_iter()
            .enumerate()
            .map(|(b, pattern)| Leading::new(structure, b, z, &x_rows, pattern))
            .collect::<Result<_>>()?;
        let trailing = match &structure.trailing_kind {
            TrailingKind::Dense => {
                let dense = dense_trailing(structure, z, x, &x_rows, par)?;
                Trailing::Dense(Arc::new(dense))
            }
            TrailingKind::Sparse(analysis) => {
                let p = structure.rank;
                let mut square = Matrix::zeros(p, p, "the cross-products of X")?;
                dense::add_gram(square.view_mut(), x.view(), 1.0, par);
                dense::symmetrise(&mut square);
                let sparse = SparseProducts::new(structure, analysis, z, &x_rows, square)?;
                Trailing::Sparse(Arc::new(sparse))
            }
        };
        Ok(Self { leading, trailing })
    }

    /// [Z X]' of a response.
    pub fn with_response(
        structure: &Structure,
        z: &[Vec<f64>],
        x: &Matrix,
        y: &[f64],
    ) -> Result<Stacked> {
        let mut out = Stacked::zeros(structure, 1)?;
        for (b, block) in structure.leading().iter().enumerate() {
            project(block, &z[b], y, &mut out.leading[b]);
        }
        for (t, (start, block)) in structure.trailing().enumerate() {
            let rows = &mut out.trailing[start..start + block.dim()];
            project(block, &z[structure.n_leading + t], y, rows);
        }
        for j in 0..structure.rank {
            out.trailing[structure.n_trailing + j] = sum_of_products(x.column(j), y);
        }
        Ok(out)
    }
}

impl Leading {
    fn new(
        structure: &Structure,
        b: usize,
        z: &[Vec<f64>],
        x_rows: &[f64],
        pattern: Pattern,
    ) -> Result<Self> {
        let block = &structure.blocks[b];
        let k = block.width;
        let (diagonal, coupling) = join(
            block.codes.len() >= MANY_ROWS,
            || diagonal(block, &z[b]),
            || coupling(structure, b, z, x_rows, pattern),
        );
        let mut ancestors = Vec::new();
        for a in b + 1..structure.n_leading {
            let ka = structure.blocks[a].width;
            let mut values = zeroed(block.dim() * ka, "nested blocks")?;
            for ((row, above), &v) in z[b]
                .chunks_exact(k)
                .zip(z[a].chunks_exact(ka))
                .zip(&block.codes)
            {
                small::add_outer(&mut values[v as usize * k * ka..], row, above);
            }
            ancestors.push(values);
        }
        Ok(Self {
            diagonal: diagonal?,
            ancestors,
            coupling: coupling?,
        })
    }
}

fn diagonal(block: &Block, z: &[f64]) -> Result<Vec<f64>> {
    let k = block.width;
    let mut out = zeroed(block.dim() * k, "the diagonal of a block")?;
    for (row, &v) in z.chunks_exact(k).zip(&block.codes) {
        small::add_outer(&mut out[v as usize * k * k..], row, row);
    }
    Ok(out)
}

fn project(block: &Block, z: &[f64], y: &[f64], out: &mut [f64]) {
    let k = block.width;
    for ((row, &v), &y) in z.chunks_exact(k).zip(&block.codes).zip(y) {
        let v = v as usize * k;
        for (out, &z) in out[v..v + k].iter_mut().zip(row) {
            *out += z * y;
        }
    }
}

/// Pairwise by chunks: the rounding error grows with the number of chunks, not of rows.
#[must_use]
pub fn sum_of_products(a: &[f64], b: &[f64]) -> f64 {
    const CHUNK: usize = 256;
    if a.len() <= CHUNK {
        return small::dot(a, b);
    }
    let middle = a.len() / 2;
    sum_of_products(&a[..middle], &b[..middle]) + sum_of_products(&a[middle..], &b[middle..])
}

/// The rows of a matrix, one after the other.
pub fn row_major(x: &Matrix) -> Result<Vec<f64>> {
    let (n, p) = (x.rows(), x.cols());
    let mut rows = zeroed(n * p, "the rows of X")?;
    for j in 0..p {
        for (i, &v) in x.column(j).iter().enumerate() {
            rows[i * p + j] = v;
        }
    }
    Ok(rows)
}

fn dense_trailing(
    structure: &Structure,
    z: &[Vec<f64>],
    x: &Matrix,
    x_rows: &[f64],
    par: Par,
) -> Result<Matrix> {
    let (q, p) = (structure.n_trailing, structure.rank);
    let mut a = Matrix::zeros(q + p, q + p, "the trailing matrix")?;
    for (t, (start, block)) in structure.trailing().enumerate() {
        let (k, zt) = (block.width, &z[structure.n_leading + t]);
        for (s, (other_start, other)) in structure.trailing().enumerate().take(t + 1) {
            let (ks, zs) = (other.width, &z[structure.n_leading + s]);
            for i in 0..block.codes.len() {
                let row = start + block.codes[i] as usize * k;
                let col = other_start + other.codes[i] as usize * ks;
                for (c, &zc) in zs[i * ks..(i + 1) * ks].iter().enumerate() {
                    let column = &mut a.column_mut(col + c)[row..row + k];
                    for (out, &zr) in column.iter_mut().zip(&zt[i * k..(i + 1) * k]) {
                        *out += zr * zc;
                    }
                }
            }
        }
        for (i, row) in zt.chunks_exact(k).enumerate() {
            let col = start + block.codes[i] as usize * k;
            for (c, &zc) in row.iter().enumerate() {
                let column = &mut a.column_mut(col + c)[q..];
                for (out, &x) in column.iter_mut().zip(&x_rows[i * p..(i + 1) * p]) {
                    *out += zc * x;
                }
            }
        }
    }
    dense::add_gram(a.view_mut().submatrix_mut(q, q, p, p), x.view(), 1.0, par);
    dense::symmetrise(&mut a);
    Ok(a)
}
