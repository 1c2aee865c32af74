//! Cross-products summed up from rows.

use faer::{MatRef, Par};

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::threads::{join, MANY_ROWS};
use crate::linalg::{dense, small, Matrix};
use crate::products::coupling::Coupling;
use crate::products::cross_products::{CrossProducts, Leading, Trailing};
use crate::products::data_rows::DataRows;
use crate::products::row_products::{Places, RowProducts, Rows};
use crate::products::sparse_products::SparseProducts;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;

impl CrossProducts {
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

    fn clear(&mut self) {
        for values in self.values_mut() {
            values.fill(0.0);
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

impl Coupling {
    /// Adds the products of these rows, weighted if there are weights.
    fn add(&mut self, b: usize, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        let structure = rows.structure();
        let trailing = 0..structure.starts.len();
        match self {
            Self::Dense(values) => {
                let columns = structure.trailing_dim();
                for t in trailing {
                    rows.dense_coupling(b, t, columns).add(weights, values);
                }
                if structure.rank > 0 {
                    rows.coupling_to_x(b, columns).add(weights, values);
                }
            }
            Self::Sparse(sparse) => {
                for t in trailing {
                    rows.sparse_coupling(b, t).add(weights, &mut sparse.values);
                }
                if structure.rank > 0 {
                    let columns = structure.rank;
                    rows.coupling_to_x(b, columns)
                        .add(weights, &mut sparse.fixed);
                }
            }
        }
    }
}

impl SparseProducts {
    /// Adds the products of these rows but X'X, weighted if there are weights.
    fn add(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        let border = self.pattern.analysis.border;
        let [values, fixed, _] = self.values_mut();
        for products in rows.sparse_diagonals().chain(rows.sparse_pairs()) {
            products.add(weights, values);
        }
        if border > 0 {
            for products in rows.sparse_to_x() {
                products.add(weights, fixed);
            }
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
