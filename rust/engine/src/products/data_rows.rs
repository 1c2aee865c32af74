//! Rows of [Z X], and where in the cross-products each of them belongs.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::memory::filled;
use crate::linalg::Matrix;
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::cross_products::{CrossProducts, Trailing};
use crate::products::level_graph::ByLevel;
use crate::products::row_products::{Places, RowProducts, Rows};
use crate::products::sparse_pattern::SparsePlaces;
use crate::products::structure::{Block, Structure};

/// Where each observation belongs in cross-products of one pattern.
#[derive(Debug, Clone)]
pub struct RowPlaces {
    /// For each leading block with a sparse coupling and each trailing block: which coupled row is
    /// the first of each observation's level.
    couplings: Vec<Vec<Vec<u32>>>,
    sparse: Option<SparsePlaces>,
}

impl RowPlaces {
    /// `a` tells the pattern, whatever its values.
    pub fn new(structure: &Structure, a: &CrossProducts) -> Result<Self> {
        let couplings = a.leading.iter().enumerate();
        let couplings = couplings.map(|(b, leading)| match &leading.coupling {
            Coupling::Dense(_) => Ok(Vec::new()),
            Coupling::Sparse(sparse) => coupled_rows(structure, b, sparse),
        });
        Ok(Self {
            couplings: couplings.collect::<Result<_>>()?,
            sparse: match &a.trailing {
                Trailing::Dense(_) => None,
                Trailing::Sparse(products) => Some(products.pattern.places(structure)?),
            },
        })
    }

    fn pick(&self, rows: &[u32]) -> Self {
        let couplings = self.couplings.iter().map(|by_block| {
            let picked = by_block.iter().map(|places| pick(places, 1, rows));
            picked.collect()
        });
        Self {
            couplings: couplings.collect(),
            sparse: self.sparse.as_ref().map(|sparse| sparse.pick(rows)),
        }
    }
}

/// Rows of the blocks and of X with their places in the cross-products of one structure: all
/// observations, a batch of them or some.
#[derive(Debug, Clone)]
pub struct DataRows<'a> {
    structure: &'a Structure,
    /// Where these observations stand in `places`.
    range: Range<usize>,
    places: Arc<RowPlaces>,
    /// Levels of each block.
    codes: Vec<Cow<'a, [u32]>>,
    /// Rows of each block, n × width, row-major.
    z: Vec<Cow<'a, [f64]>>,
    /// Rows of X, as far as the structure has it, row-major.
    x: Cow<'a, [f64]>,
}

impl<'a> DataRows<'a> {
    /// All observations. The structure has all columns of X or none.
    pub fn new(
        structure: &'a Structure,
        z: &'a [Vec<f64>],
        x: &Matrix,
        a: &CrossProducts,
    ) -> Result<Self> {
        Ok(Self {
            structure,
            range: 0..x.rows(),
            places: Arc::new(RowPlaces::new(structure, a)?),
            codes: codes(structure, &(0..x.rows())),
            z: z.iter().map(|z| Cow::Borrowed(&z[..])).collect(),
            x: Cow::Owned(row_major(x, structure.rank, 0..x.rows())?),
        })
    }

    /// Some successive observations, of which `z` are the rows of the blocks.
    pub fn batch(
        structure: &'a Structure,
        places: &Arc<RowPlaces>,
        range: Range<usize>,
        z: Vec<Vec<f64>>,
        x: &Matrix,
    ) -> Result<Self> {
        Ok(Self {
            structure,
            places: Arc::clone(places),
            codes: codes(structure, &range),
            z: z.into_iter().map(Cow::Owned).collect(),
            x: Cow::Owned(row_major(x, structure.rank, range.clone())?),
            range,
        })
    }

    /// These of the observations, by number, ascending.
    #[must_use]
    pub fn pick(&self, rows: &[u32]) -> Self {
        let blocks = self.structure.blocks.iter().zip(&self.z);
        Self {
            structure: self.structure,
            range: 0..rows.len(),
            places: Arc::new(self.places.pick(rows)),
            codes: self.codes.iter().map(|c| pick(c, 1, rows).into()).collect(),
            z: blocks
                .map(|(block, z)| pick(z, block.width, rows).into())
                .collect(),
            x: pick(&self.x, self.structure.rank, rows).into(),
        }
    }

    #[must_use]
    pub fn structure(&self) -> &'a Structure {
        self.structure
    }

    /// The numbers of these observations, where they are successive ones.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.range.len()
    }

    /// Rows of X, row-major.
    #[must_use]
    pub fn x_rows(&self) -> &[f64] {
        &self.x
    }

    /// The rows of a block with their levels.
    #[must_use]
    pub fn block(&self, b: usize) -> (&Block, &[u32], Rows<'_>) {
        let block = &self.structure.blocks[b];
        let rows = Rows {
            values: &self.z[b],
            width: block.width,
        };
        (block, &self.codes[b], rows)
    }

    fn x(&self) -> Rows<'_> {
        Rows {
            values: &self.x,
            width: self.structure.rank,
        }
    }

    /// The diagonal of leading block b.
    #[must_use]
    pub fn diagonal(&self, b: usize) -> RowProducts<'_> {
        let (block, codes, rows) = self.block(b);
        RowProducts {
            inner: rows,
            outer: rows,
            stride: block.width,
            places: Places::Levels {
                codes,
                step: block.width * block.width,
                first: 0,
            },
        }
    }

    /// Leading block b with a later leading block.
    #[must_use]
    pub fn ancestor(&self, b: usize, above: usize) -> RowProducts<'_> {
        let ((block, codes, inner), (_, _, outer)) = (self.block(b), self.block(above));
        RowProducts {
            inner,
            outer,
            stride: block.width,
            places: Places::Levels {
                codes,
                step: block.width * outer.width,
                first: 0,
            },
        }
    }

    /// Leading block b with trailing block t, in a dense coupling of so many columns.
    #[must_use]
    pub fn dense_coupling(&self, b: usize, t: usize, columns: usize) -> RowProducts<'_> {
        let (block, codes, outer) = self.block(b);
        let (other, other_codes, inner) = self.block(self.structure.n_leading + t);
        RowProducts {
            inner,
            outer,
            stride: columns,
            places: Places::Cells {
                codes: [codes, other_codes],
                steps: [block.width * columns, other.width],
                first: self.structure.starts[t],
            },
        }
    }

    /// Leading block b with trailing block t, in a sparse coupling.
    #[must_use]
    pub fn sparse_coupling(&self, b: usize, t: usize) -> RowProducts<'_> {
        let (block, _, inner) = self.block(b);
        let (_, _, outer) = self.block(self.structure.n_leading + t);
        RowProducts {
            inner,
            outer,
            stride: block.width,
            places: Places::Rows {
                places: &self.places.couplings[b][t][self.range.clone()],
                step: block.width,
            },
        }
    }

    /// Leading block b with X, in rows of so many columns of which those of X are the last.
    #[must_use]
    pub fn coupling_to_x(&self, b: usize, columns: usize) -> RowProducts<'_> {
        let (block, codes, outer) = self.block(b);
        RowProducts {
            inner: self.x(),
            outer,
            stride: columns,
            places: Places::Levels {
                codes,
                step: block.width * columns,
                first: columns - self.structure.rank,
            },
        }
    }

    /// Trailing blocks t and s in a dense matrix of so many rows.
    #[must_use]
    pub fn dense_trailing(&self, t: usize, s: usize, dim: usize) -> RowProducts<'_> {
        let (first, starts) = (self.structure.n_leading, &self.structure.starts);
        let (block, codes, inner) = self.block(first + t);
        let (other, other_codes, outer) = self.block(first + s);
        RowProducts {
            inner,
            outer,
            stride: dim,
            places: Places::Cells {
                codes: [codes, other_codes],
                steps: [block.width, other.width * dim],
                first: starts[t] + starts[s] * dim,
            },
        }
    }

    /// X with trailing block s in a dense matrix of so many rows.
    #[must_use]
    pub fn trailing_to_x(&self, s: usize, dim: usize) -> RowProducts<'_> {
        let (block, codes, outer) = self.block(self.structure.n_leading + s);
        RowProducts {
            inner: self.x(),
            outer,
            stride: dim,
            places: Places::Levels {
                codes,
                step: block.width * dim,
                first: self.structure.n_trailing + self.structure.starts[s] * dim,
            },
        }
    }

    /// Diagonal blocks of sparse cross-products.
    pub fn sparse_diagonals(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let places = self.places.sparse.iter().flat_map(|s| &s.diagonals);
        places.enumerate().map(|(b, places)| {
            let (block, codes, rows) = self.block(b);
            RowProducts {
                inner: rows,
                outer: rows,
                stride: block.width,
                places: Places::Table { codes, places },
            }
        })
    }

    /// The other blocks of sparse cross-products.
    pub fn sparse_pairs(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let pairs = self.places.sparse.iter().flat_map(|s| &s.pairs);
        pairs.map(|pair| {
            let (_, _, inner) = self.block(pair.inner);
            let (_, _, outer) = self.block(pair.outer);
            let own = pair.within(&self.range);
            RowProducts {
                inner,
                outer,
                stride: inner.width,
                places: Places::Some {
                    rows: &pair.rows[own.clone()],
                    first: self.range.start,
                    places: &pair.places[own],
                },
            }
        })
    }

    /// Each block of sparse cross-products with X.
    pub fn sparse_to_x(&self) -> impl Iterator<Item = RowProducts<'_>> {
        let columns = self.places.sparse.iter().flat_map(|s| &s.fixed);
        columns.enumerate().map(|(b, places)| {
            let (_, codes, outer) = self.block(b);
            RowProducts {
                inner: self.x(),
                outer,
                stride: self.structure.rank,
                places: Places::Table { codes, places },
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

fn codes<'a>(structure: &'a Structure, range: &Range<usize>) -> Vec<Cow<'a, [u32]>> {
    let blocks = structure.blocks.iter();
    blocks
        .map(|b| Cow::Borrowed(&b.codes[range.clone()]))
        .collect()
}

/// The rows with these numbers.
#[must_use]
pub fn pick<T: Copy>(values: &[T], width: usize, rows: &[u32]) -> Vec<T> {
    let rows = rows.iter().map(|&i| i as usize * width);
    rows.flat_map(|at| &values[at..at + width])
        .copied()
        .collect()
}

/// Some rows of the first p columns, row by row; a few at a time, which stay in the processor's cache.
pub fn row_major(x: &Matrix, p: usize, range: Range<usize>) -> Result<Vec<f64>> {
    const CHUNK: usize = 512;
    let mut rows = zeroed(range.len() * p, "the rows of X")?;
    for (i, chunk) in rows.chunks_mut(CHUNK * p.max(1)).enumerate() {
        for j in 0..p {
            let column = &x.column(j)[range.start + i * CHUNK..range.end];
            for (row, &v) in chunk.chunks_exact_mut(p).zip(column) {
                row[j] = v;
            }
        }
    }
    Ok(rows)
}
