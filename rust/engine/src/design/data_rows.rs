//! The rows of [Z X], and where in the cross-products each of them belongs.

use crate::design::coupling::{Coupling, SparseCoupling};
use crate::design::cross_products::{CrossProducts, Trailing};
use crate::design::level_graph::ByLevel;
use crate::design::row_products::{Places, RowProducts, Rows};
use crate::design::sparse_pattern::SparsePlaces;
use crate::design::structure::{Block, Structure};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::memory::filled;
use crate::linalg::Matrix;

/// Rows of the blocks and of X with their places in the cross-products of one structure.
#[derive(Debug)]
pub struct DataRows<'a> {
    structure: &'a Structure,
    /// Rows of each block, n × width, row-major.
    z: &'a [Vec<f64>],
    /// Columns of X, which the structure has or has not.
    pub x: &'a Matrix,
    /// X'X.
    pub gram: &'a Matrix,
    /// The same, row-major.
    x_rows: Vec<f64>,
    /// For each leading block with a sparse coupling and each trailing block: which coupled row is
    /// the first of each observation's level.
    couplings: Vec<Vec<Vec<u32>>>,
    sparse: Option<SparsePlaces>,
}

impl<'a> DataRows<'a> {
    /// The structure has all columns of X, given with X'X, or none; `a` tells the pattern, whatever its values.
    pub fn new(
        structure: &'a Structure,
        z: &'a [Vec<f64>],
        (x, gram): (&'a Matrix, &'a Matrix),
        a: &CrossProducts,
    ) -> Result<Self> {
        let couplings = a.leading.iter().enumerate();
        let couplings = couplings.map(|(b, leading)| match &leading.coupling {
            Coupling::Dense(_) => Ok(Vec::new()),
            Coupling::Sparse(sparse) => coupled_rows(structure, b, sparse),
        });
        Ok(Self {
            structure,
            z,
            x,
            gram,
            x_rows: row_major(x, structure.rank)?,
            couplings: couplings.collect::<Result<_>>()?,
            sparse: match &a.trailing {
                Trailing::Dense(_) => None,
                Trailing::Sparse(products) => Some(products.pattern.places(structure)?),
            },
        })
    }

    #[must_use]
    pub fn structure(&self) -> &'a Structure {
        self.structure
    }

    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.x.rows()
    }

    fn block(&self, b: usize) -> (&'a Block, Rows<'a>) {
        let block = &self.structure.blocks[b];
        let rows = Rows {
            values: &self.z[b],
            width: block.width,
        };
        (block, rows)
    }

    fn x(&self) -> Rows<'_> {
        Rows {
            values: &self.x_rows,
            width: self.structure.rank,
        }
    }

    /// The diagonal of leading block b.
    #[must_use]
    pub fn diagonal(&self, b: usize) -> RowProducts<'_> {
        let (block, rows) = self.block(b);
        RowProducts {
            inner: rows,
            outer: rows,
            stride: block.width,
            places: Places::Levels {
                codes: &block.codes,
                step: block.width * block.width,
                first: 0,
            },
        }
    }

    /// Leading block b with a later leading block.
    #[must_use]
    pub fn ancestor(&self, b: usize, above: usize) -> RowProducts<'_> {
        let ((block, inner), (_, outer)) = (self.block(b), self.block(above));
        RowProducts {
            inner,
            outer,
            stride: block.width,
            places: Places::Levels {
                codes: &block.codes,
                step: block.width * outer.width,
                first: 0,
            },
        }
    }

    /// Leading block b with trailing block t, in a dense coupling of so many columns.
    #[must_use]
    pub fn dense_coupling(&self, b: usize, t: usize, columns: usize) -> RowProducts<'_> {
        let (block, outer) = self.block(b);
        let (other, inner) = self.block(self.structure.n_leading + t);
        RowProducts {
            inner,
            outer,
            stride: columns,
            places: Places::Cells {
                codes: [&block.codes, &other.codes],
                steps: [block.width * columns, other.width],
                first: self.structure.starts[t],
            },
        }
    }

    /// Leading block b with trailing block t, in a sparse coupling.
    #[must_use]
    pub fn sparse_coupling(&self, b: usize, t: usize) -> RowProducts<'_> {
        let (block, inner) = self.block(b);
        let (_, outer) = self.block(self.structure.n_leading + t);
        RowProducts {
            inner,
            outer,
            stride: block.width,
            places: Places::Rows {
                places: &self.couplings[b][t],
                step: block.width,
            },
        }
    }

    /// Leading block b with X, in rows of so many columns of which those of X are the last.
    #[must_use]
    pub fn coupling_to_x(&self, b: usize, columns: usize) -> RowProducts<'_> {
        let (block, outer) = self.block(b);
        RowProducts {
            inner: self.x(),
            outer,
            stride: columns,
            places: Places::Levels {
                codes: &block.codes,
                step: block.width * columns,
                first: columns - self.structure.rank,
            },
        }
    }

    /// Trailing blocks t and s in a dense matrix of so many rows.
    #[must_use]
    pub fn dense_trailing(&self, t: usize, s: usize, dim: usize) -> RowProducts<'_> {
        let (first, starts) = (self.structure.n_leading, &self.structure.starts);
        let (block, inner) = self.block(first + t);
        let (other, outer) = self.block(first + s);
        RowProducts {
            inner,
            outer,
            stride: dim,
            places: Places::Cells {
                codes: [&block.codes, &other.codes],
                steps: [block.width, other.width * dim],
                first: starts[t] + starts[s] * dim,
            },
        }
    }

    /// X with trailing block s in a dense matrix of so many rows.
    #[must_use]
    pub fn trailing_to_x(&self, s: usize, dim: usize) -> RowProducts<'_> {
        let (block, outer) = self.block(self.structure.n_leading + s);
        RowProducts {
            inner: self.x(),
            outer,
            stride: dim,
            places: Places::Levels {
                codes: &block.codes,
                step: block.width * dim,
                first: self.structure.n_trailing + self.structure.starts[s] * dim,
            },
        }
    }

    /// Diagonal blocks of sparse cross-products.
    pub fn sparse_diagonals(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let places = self.sparse.iter().flat_map(|s| &s.diagonals);
        places.enumerate().map(|(b, places)| {
            let (block, rows) = self.block(b);
            RowProducts {
                inner: rows,
                outer: rows,
                stride: block.width,
                places: Places::Table {
                    codes: &block.codes,
                    places,
                },
            }
        })
    }

    /// The other blocks of sparse cross-products.
    pub fn sparse_pairs(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let pairs = self.sparse.iter().flat_map(|s| &s.pairs);
        pairs.map(|pair| {
            let (_, inner) = self.block(pair.inner);
            let (_, outer) = self.block(pair.outer);
            RowProducts {
                inner,
                outer,
                stride: inner.width,
                places: Places::Some {
                    rows: &pair.rows,
                    places: &pair.places,
                },
            }
        })
    }

    /// Each block of sparse cross-products with X.
    pub fn sparse_to_x(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let columns = self.sparse.iter().flat_map(|s| &s.fixed);
        columns.enumerate().map(|(b, places)| {
            let (block, outer) = self.block(b);
            RowProducts {
                inner: self.x(),
                outer,
                stride: self.structure.rank,
                places: Places::Table {
                    codes: &block.codes,
                    places,
                },
            }
        })
    }
}

/// For each trailing block which coupled row is the first of each observation's level.
fn coupled_rows(
    structure: &Structure,
    b: usize,
    coupling: &SparseCoupling,
) -> Result<Vec<Vec<u32>>> {
    let what = "the places of the rows";
    let block = &structure.blocks[b];
    let by_level = ByLevel::new(block)?;
    let mut out: Vec<Vec<u32>> = structure
        .trailing()
        .map(|_| filled(block.codes.len(), 0, what))
        .collect::<Result<_>>()?;
    let mut position = filled(structure.n_trailing, 0, what)?;
    for v in 0..block.n_levels {
        for e in coupling.ranges[v]..coupling.ranges[v + 1] {
            position[coupling.rows[e] as usize] = e as u32;
        }
        for &i in by_level.of(v) {
            for (places, (start, other)) in out.iter_mut().zip(structure.trailing()) {
                let level = other.codes[i as usize] as usize;
                places[i as usize] = position[start + level * other.width];
            }
        }
    }
    Ok(out)
}

/// The first p columns row by row, some rows at a time: these stay in the processor's cache.
pub fn row_major(x: &Matrix, p: usize) -> Result<Vec<f64>> {
    const CHUNK: usize = 512;
    let mut rows = zeroed(x.rows() * p, "the rows of X")?;
    for (i, chunk) in rows.chunks_mut(CHUNK * p.max(1)).enumerate() {
        for j in 0..p {
            let column = &x.column(j)[i * CHUNK..];
            for (row, &v) in chunk.chunks_exact_mut(p).zip(column) {
                row[j] = v;
            }
        }
    }
    Ok(rows)
}
