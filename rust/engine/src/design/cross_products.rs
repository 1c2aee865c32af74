//! The blocked cross-products A of [Z X]: all that an evaluation needs to know of the rows.

use faer::{MatRef, Par};

use crate::design::coupling::Coupling;
use crate::design::data_rows::DataRows;
use crate::design::pattern::Pattern;
use crate::design::row_products::{Places, RowProducts, Rows};
use crate::design::sparse_products::SparseProducts;
use crate::design::stacked::Stacked;
use crate::design::structure::{Structure, TrailingKind};
use crate::error::{Error, Result};
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
    /// The pattern of the cross-products of a structure, without values.
    pub fn pattern(structure: &Structure, patterns: Vec<Pattern>) -> Result<Self> {
        let leading = patterns.into_iter().map(|pattern| Leading {
            diagonal: Vec::new(),
            ancestors: Vec::new(),
            coupling: Coupling::pattern(pattern),
        });
        Ok(Self {
            leading: leading.collect(),
            trailing: match &structure.trailing_kind {
                TrailingKind::Dense => Trailing::Dense(Matrix::default()),
                TrailingKind::Sparse(analysis) => {
                    Trailing::Sparse(SparseProducts::pattern(structure, analysis)?)
                }
            },
        })
    }

    /// Room for values in the same pattern.
    pub fn zeros(&self, structure: &Structure) -> Result<Self> {
        let leading = self.leading.iter().enumerate();
        let leading = leading.map(|(b, leading)| leading.zeros(structure, b));
        Ok(Self {
            leading: leading.collect::<Result<_>>()?,
            trailing: match &self.trailing {
                Trailing::Dense(_) => {
                    let dim = structure.trailing_dim();
                    Trailing::Dense(Matrix::zeros(dim, dim, "the trailing matrix")?)
                }
                Trailing::Sparse(products) => Trailing::Sparse(products.zeros(structure.rank)?),
            },
        })
    }

    /// The cross-products of these rows alone, with weights of any sign; `None` are ones.
    pub fn reweigh(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>) -> Result<()> {
        self.clear();
        self.add(rows, weights)
    }

    /// Adds those of some rows with weights of any sign: rows of weight -1 are taken out.
    pub fn add(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>) -> Result<()> {
        self.add_random(rows, weights);
        if rows.structure().rank > 0 {
            self.add_gram(&gram_of_x(rows, weights)?);
        }
        Ok(())
    }

    /// The same but for X'X.
    pub fn add_random(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        for (b, leading) in self.leading.iter_mut().enumerate() {
            leading.add(b, rows, weights);
        }
        match &mut self.trailing {
            Trailing::Dense(matrix) => add_dense_trailing(matrix, rows, weights),
            Trailing::Sparse(products) => products.add(rows, weights),
        }
    }

    /// Adds to X'X.
    pub fn add_gram(&mut self, gram: &Matrix) {
        let p = gram.rows();
        match &mut self.trailing {
            Trailing::Dense(matrix) => {
                let q = matrix.rows() - p;
                for j in 0..p {
                    small::axpy(1.0, gram.column(j), &mut matrix.column_mut(q + j)[q..]);
                }
            }
            Trailing::Sparse(products) => {
                small::axpy(1.0, gram.data(), products.fixed_square_mut().data_mut());
            }
        }
    }

    /// Adds the cross-products of other rows in the same pattern.
    ///
    /// # Errors
    /// Another pattern.
    pub fn merge(&mut self, mut other: Self) -> Result<()> {
        let (own, others) = (self.values_mut(), other.values_mut());
        let same =
            own.len() == others.len() && own.iter().zip(&others).all(|(a, b)| a.len() == b.len());
        if !same {
            return Err(Error::Internal(
                "cross-products of different patterns cannot be merged".into(),
            ));
        }
        for (own, other) in own.into_iter().zip(others) {
            small::axpy(1.0, other, own);
        }
        Ok(())
    }

    /// X'X of so many columns.
    #[must_use]
    pub fn gram(&self, p: usize) -> Matrix {
        match &self.trailing {
            Trailing::Dense(matrix) => {
                let q = matrix.rows() - p;
                let columns = (q..q + p).flat_map(|j| &matrix.column(j)[q..]);
                Matrix::from_columns(p, p, columns.copied().collect())
            }
            Trailing::Sparse(products) => products.fixed_square().clone(),
        }
    }

    fn clear(&mut self) {
        for values in self.values_mut() {
            values.fill(0.0);
        }
    }

    /// Everything stored but the pattern.
    fn values_mut(&mut self) -> Vec<&mut [f64]> {
        let mut out: Vec<&mut [f64]> = Vec::new();
        for leading in &mut self.leading {
            out.push(&mut leading.diagonal);
            out.extend(leading.ancestors.iter_mut().map(Vec::as_mut_slice));
            out.extend(leading.coupling.values_mut());
        }
        match &mut self.trailing {
            Trailing::Dense(matrix) => out.push(matrix.data_mut()),
            Trailing::Sparse(products) => out.extend(products.values_mut()),
        }
        out
    }

    /// [Z X]' of a response.
    pub fn with_response(
        structure: &Structure,
        z: &[Vec<f64>],
        x: &Matrix,
        y: &[f64],
    ) -> Result<Stacked> {
        let mut out = Stacked::zeros(structure, 1)?;
        for (b, (block, z)) in structure.blocks.iter().zip(z).enumerate() {
            let z = Rows {
                values: z,
                width: block.width,
            };
            project(
                &block.codes,
                z,
                None,
                Rows::column(y),
                out.block_mut(structure, b),
            );
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
        let ancestors = self.ancestors.iter();
        Ok(Self {
            diagonal: zeroed(self.diagonal.len(), "the diagonal of a block")?,
            ancestors: ancestors
                .map(|values| zeroed(values.len(), "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: self.coupling.zeros_like()?,
        })
    }

    fn zeros(&self, structure: &Structure, b: usize) -> Result<Self> {
        let block = &structure.blocks[b];
        let above = &structure.leading()[b + 1..];
        Ok(Self {
            diagonal: zeroed(block.dim() * block.width, "the diagonal of a block")?,
            ancestors: above
                .iter()
                .map(|above| zeroed(block.dim() * above.width, "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: self.coupling.zeros(structure, b)?,
        })
    }

    fn add(&mut self, b: usize, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        let Self {
            diagonal,
            ancestors,
            coupling,
        } = self;
        join(
            rows.n_obs() >= MANY_ROWS,
            || rows.diagonal(b).add(weights, diagonal),
            || coupling.add(b, rows, weights),
        );
        for (i, values) in ancestors.iter_mut().enumerate() {
            rows.ancestor(b, b + 1 + i).add(weights, values);
        }
    }
}

fn add_dense_trailing(matrix: &mut Matrix, rows: &DataRows<'_>, weights: Option<&[f64]>) {
    let structure = rows.structure();
    let (q, p, dim) = (structure.n_trailing, structure.rank, matrix.rows());
    for (t, (start, block)) in structure.trailing().enumerate() {
        rows.dense_trailing(t, t, dim)
            .add(weights, matrix.data_mut());
        for (s, (other_start, other)) in structure.trailing().enumerate().take(t) {
            let (below, columns) = (
                start..start + block.dim(),
                other_start..other_start + other.dim(),
            );
            rows.dense_trailing(t, s, dim)
                .add(weights, matrix.data_mut());
            dense::mirror(matrix, below, columns);
        }
        if p > 0 {
            let columns = start..start + block.dim();
            rows.trailing_to_x(t, dim).add(weights, matrix.data_mut());
            dense::mirror(matrix, q..dim, columns);
        }
    }
}

/// X'WX.
fn gram_of_x(rows: &DataRows<'_>, weights: Option<&[f64]>) -> Result<Matrix> {
    const CHUNK: usize = 512;
    let (x, p) = (rows.x_rows(), rows.structure().rank);
    let mut out = Matrix::zeros(p, p, "the cross-products of X")?;
    let mut weighted = zeroed(CHUNK.min(rows.n_obs()) * p, "the weighted rows of X")?;
    for (i, x) in x.chunks(CHUNK * p).enumerate() {
        let n = x.len() / p;
        let plain = MatRef::from_row_major_slice(x, n, p);
        let other = match weights {
            None => plain,
            Some(weights) => {
                let rows = weighted.chunks_exact_mut(p).zip(x.chunks_exact(p));
                for ((out, x), w) in rows.zip(&weights[i * CHUNK..]) {
                    out.iter_mut().zip(x).for_each(|(out, x)| *out = w * x);
                }
                MatRef::from_row_major_slice(&weighted[..x.len()], n, p)
            }
        };
        dense::add_symmetric_product(out.view_mut(), plain, other, 1.0, Par::Seq);
    }
    dense::symmetrise(&mut out);
    Ok(out)
}

/// Adds Z'WY for rows of a block with these levels; without weights W is the identity.
pub fn project(codes: &[u32], z: Rows<'_>, weights: Option<&[f64]>, y: Rows<'_>, out: &mut [f64]) {
    let products = RowProducts {
        inner: y,
        outer: z,
        stride: y.width,
        places: Places::Levels {
            codes,
            step: z.width * y.width,
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
