//! The blocked cross-products A of [Z X]: all that an evaluation needs to know of the rows.

use std::ops::Range;

use faer::Par;

use crate::design::coupling::Coupling;
use crate::design::data_rows::DataRows;
use crate::design::pattern::Pattern;
use crate::design::row_products::{Places, RowProducts, Rows};
use crate::design::sparse_products::SparseProducts;
use crate::design::stacked::Stacked;
use crate::design::structure::{Block, Structure, TrailingKind};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::threads::{join, MANY_ROWS};
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
    Dense(Matrix),
    Sparse(SparseProducts),
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
    /// The same pattern with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self {
            leading: self
                .leading
                .iter()
                .map(Leading::zeros_like)
                .collect::<Result<_>>()?,
            trailing: match &self.trailing {
                Trailing::Dense(matrix) => Trailing::Dense(Matrix::zeros(
                    matrix.rows(),
                    matrix.cols(),
                    "the trailing matrix",
                )?),
                Trailing::Sparse(products) => Trailing::Sparse(products.zeros_like()?),
            },
        })
    }

    /// `z` holds the rows of each block (n × width, row-major), `x` the columns of X with X'X, all
    /// or none of which the structure has, `patterns` those of the leading blocks' couplings.
    pub fn new(
        structure: &Structure,
        patterns: Vec<Pattern>,
        z: &[Vec<f64>],
        x: (&Matrix, &Matrix),
    ) -> Result<Self> {
        let mut out = Self::zeros(structure, patterns)?;
        let rows = DataRows::new(structure, z, x, &out)?;
        out.reweigh(&rows, None)?;
        Ok(out)
    }

    fn zeros(structure: &Structure, patterns: Vec<Pattern>) -> Result<Self> {
        let leading = patterns
            .into_iter()
            .enumerate()
            .map(|(b, pattern)| Leading::zeros(structure, b, pattern))
            .collect::<Result<_>>()?;
        let trailing = match &structure.trailing_kind {
            TrailingKind::Dense => {
                let dim = structure.trailing_dim();
                Trailing::Dense(Matrix::zeros(dim, dim, "the trailing matrix")?)
            }
            TrailingKind::Sparse(analysis) => {
                Trailing::Sparse(SparseProducts::zeros(structure, analysis)?)
            }
        };
        Ok(Self { leading, trailing })
    }

    /// The cross-products of the same rows with other weights, of any sign; `None` are ones.
    pub fn reweigh(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>) -> Result<()> {
        for (b, leading) in self.leading.iter_mut().enumerate() {
            leading.set(b, rows, weights);
        }
        match &mut self.trailing {
            Trailing::Dense(matrix) => set_dense_trailing(matrix, rows, weights),
            Trailing::Sparse(products) => {
                products.set(rows, weights, gram_of_x(rows, weights)?);
                Ok(())
            }
        }
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
            project(block, &z[b], y, 1, &mut out.leading[b]);
        }
        for (t, (start, block)) in structure.trailing().enumerate() {
            let rows = &mut out.trailing[start..start + block.dim()];
            project(block, &z[structure.n_leading + t], y, 1, rows);
        }
        for j in 0..structure.rank {
            out.trailing[structure.n_trailing + j] = sum_of_products(x.column(j), y);
        }
        Ok(out)
    }
}

impl Leading {
    /// The same pattern with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self {
            diagonal: zeroed(self.diagonal.len(), "the diagonal of a block")?,
            ancestors: self
                .ancestors
                .iter()
                .map(|values| zeroed(values.len(), "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: self.coupling.zeros_like()?,
        })
    }

    fn zeros(structure: &Structure, b: usize, pattern: Pattern) -> Result<Self> {
        let block = &structure.blocks[b];
        let above = &structure.leading()[b + 1..];
        Ok(Self {
            diagonal: zeroed(block.dim() * block.width, "the diagonal of a block")?,
            ancestors: above
                .iter()
                .map(|above| zeroed(block.dim() * above.width, "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: Coupling::zeros(structure, b, pattern)?,
        })
    }

    fn set(&mut self, b: usize, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        let Self {
            diagonal,
            ancestors,
            coupling,
        } = self;
        let n = rows.structure().blocks[b].codes.len();
        join(
            n >= MANY_ROWS,
            || {
                diagonal.fill(0.0);
                rows.diagonal(b).add(weights, diagonal);
            },
            || coupling.set(b, rows, weights),
        );
        for (i, values) in ancestors.iter_mut().enumerate() {
            values.fill(0.0);
            rows.ancestor(b, b + 1 + i).add(weights, values);
        }
    }
}

/// Only entries of the pattern are touched: the others stay zero.
fn set_dense_trailing(
    matrix: &mut Matrix,
    rows: &DataRows<'_>,
    weights: Option<&[f64]>,
) -> Result<()> {
    let structure = rows.structure();
    let (q, p, dim) = (structure.n_trailing, structure.rank, matrix.rows());
    for (t, (start, block)) in structure.trailing().enumerate() {
        let k = block.width;
        for level in (start..start + block.dim()).step_by(k) {
            fill(matrix, level..level + k, level..level + k);
        }
        rows.dense_trailing(t, t, dim)
            .add(weights, matrix.data_mut());
        for (s, (other_start, other)) in structure.trailing().enumerate().take(t) {
            let (below, columns) = (
                start..start + block.dim(),
                other_start..other_start + other.dim(),
            );
            fill(matrix, below.clone(), columns.clone());
            rows.dense_trailing(t, s, dim)
                .add(weights, matrix.data_mut());
            dense::mirror(matrix, below, columns);
        }
        if p > 0 {
            let columns = start..start + block.dim();
            fill(matrix, q..dim, columns.clone());
            rows.trailing_to_x(t, dim).add(weights, matrix.data_mut());
            dense::mirror(matrix, q..dim, columns);
        }
    }
    let square = gram_of_x(rows, weights)?;
    for j in 0..p {
        matrix.column_mut(q + j)[q..].copy_from_slice(square.column(j));
    }
    Ok(())
}

fn fill(matrix: &mut Matrix, rows: Range<usize>, columns: Range<usize>) {
    for j in columns {
        matrix.column_mut(j)[rows.clone()].fill(0.0);
    }
}

/// X'WX of the columns that the structure has.
fn gram_of_x(rows: &DataRows<'_>, weights: Option<&[f64]>) -> Result<Matrix> {
    let x = rows.x;
    let (n, p) = (x.rows(), rows.structure().rank);
    if p == 0 {
        return Ok(Matrix::default());
    }
    let Some(weights) = weights else {
        return Ok(rows.gram.clone());
    };
    let mut weighted = Matrix::zeros(n, p, "the weighted columns of X")?;
    for j in 0..p {
        let pairs = x.column(j).iter().zip(weights);
        for (out, (x, w)) in weighted.column_mut(j).iter_mut().zip(pairs) {
            *out = w * x;
        }
    }
    let mut out = Matrix::zeros(p, p, "the cross-products of X")?;
    dense::add_symmetric_product(out.view_mut(), x.view(), weighted.view(), 1.0, Par::Seq);
    dense::symmetrise(&mut out);
    Ok(out)
}

/// Adds Z'Y for the rows of one block and m columns, row-major.
pub fn project(block: &Block, z: &[f64], y: &[f64], m: usize, out: &mut [f64]) {
    project_weighted(block, z, None, y, m, out);
}

/// Adds Z'WY.
pub fn project_weighted(
    block: &Block,
    z: &[f64],
    weights: Option<&[f64]>,
    y: &[f64],
    m: usize,
    out: &mut [f64],
) {
    let rows = |values, width| Rows { values, width };
    let products = RowProducts {
        inner: rows(y, m),
        outer: rows(z, block.width),
        stride: m,
        places: Places::Levels {
            codes: &block.codes,
            step: block.width * m,
            first: 0,
        },
    };
    products.add(weights, out);
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
