//! How a leading block meets the trailing rows: dense, or sparse by level.

use crate::design::data_rows::DataRows;
use crate::design::pattern::Pattern;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::memory;

/// What errors of memory call it.
const COUPLING: &str = "the coupling of a block to the rest";

/// How the levels of a leading block meet the trailing rows. With several leading blocks (nested
/// factors) every coupling is sparse.
#[derive(Debug, Clone)]
pub enum Coupling {
    /// Row-major, (levels · width) × (trailing rows, X included).
    Dense(Vec<f64>),
    /// Only the trailing random effects a level occurs with, and X.
    Sparse(SparseCoupling),
}

/// Compressed by level: the columns of a level's block share their pattern.
#[derive(Debug, Clone)]
pub struct SparseCoupling {
    /// Range of each level in `rows`.
    pub ranges: Vec<usize>,
    /// Trailing rows, ascending within a level.
    pub rows: Vec<u32>,
    /// `width` values for each row.
    pub values: Vec<f64>,
    /// Row-major, (levels · width) × rank.
    pub fixed: Vec<f64>,
}

impl SparseCoupling {
    /// The same pattern with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self {
            ranges: memory::copied(&self.ranges, COUPLING)?,
            rows: memory::copied(&self.rows, COUPLING)?,
            values: zeroed(self.values.len(), COUPLING)?,
            fixed: zeroed(self.fixed.len(), COUPLING)?,
        })
    }

    /// `out += C_v v` for one level; out is width × m, `trailing` (trailing rows) × m, row-major.
    pub fn multiply_level(
        &self,
        structure: &Structure,
        level: usize,
        trailing: &[f64],
        out: &mut [f64],
        m: usize,
    ) {
        match m {
            // The columns of X, of which a model without fixed effects has none.
            0 => {}
            1 => self.multiply::<1>(structure, level, trailing, out, m),
            2 => self.multiply::<2>(structure, level, trailing, out, m),
            3 => self.multiply::<3>(structure, level, trailing, out, m),
            _ => self.multiply::<0>(structure, level, trailing, out, m),
        }
    }

    /// `M` is m when the compiler should know it, and 0 otherwise.
    fn multiply<const M: usize>(
        &self,
        structure: &Structure,
        level: usize,
        trailing: &[f64],
        out: &mut [f64],
        m: usize,
    ) {
        let m = if M > 0 { M } else { m };
        let k = out.len() / m;
        let range = self.ranges[level]..self.ranges[level + 1];
        for (h, out) in out.chunks_exact_mut(m).enumerate() {
            for e in range.clone() {
                let c = self.values[e * k + h];
                let row = &trailing[self.rows[e] as usize * m..][..m];
                for col in 0..m {
                    out[col] += c * row[col];
                }
            }
            let p = structure.rank;
            let fixed = &self.fixed[(level * k + h) * p..][..p];
            let x = trailing[structure.n_trailing * m..].chunks_exact(m);
            for (&c, row) in fixed.iter().zip(x) {
                for col in 0..m {
                    out[col] += c * row[col];
                }
            }
        }
    }

    /// `trailing += C_v' v` for one level.
    pub fn transposed_multiply_level(
        &self,
        structure: &Structure,
        level: usize,
        v: &[f64],
        trailing: &mut [f64],
        m: usize,
    ) {
        match m {
            0 => {}
            1 => self.transposed_multiply::<1>(structure, level, v, trailing, m),
            2 => self.transposed_multiply::<2>(structure, level, v, trailing, m),
            3 => self.transposed_multiply::<3>(structure, level, v, trailing, m),
            _ => self.transposed_multiply::<0>(structure, level, v, trailing, m),
        }
    }

    fn transposed_multiply<const M: usize>(
        &self,
        structure: &Structure,
        level: usize,
        v: &[f64],
        trailing: &mut [f64],
        m: usize,
    ) {
        let m = if M > 0 { M } else { m };
        let k = v.len() / m;
        let range = self.ranges[level]..self.ranges[level + 1];
        for (h, v) in v.chunks_exact(m).enumerate() {
            for e in range.clone() {
                let c = self.values[e * k + h];
                let out = &mut trailing[self.rows[e] as usize * m..][..m];
                for col in 0..m {
                    out[col] += c * v[col];
                }
            }
            let p = structure.rank;
            let fixed = &self.fixed[(level * k + h) * p..][..p];
            let x = trailing[structure.n_trailing * m..].chunks_exact_mut(m);
            for (&c, out) in fixed.iter().zip(x) {
                for col in 0..m {
                    out[col] += c * v[col];
                }
            }
        }
    }
}

impl Coupling {
    /// The same pattern with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(match self {
            Self::Dense(values) => Self::Dense(zeroed(values.len(), COUPLING)?),
            Self::Sparse(sparse) => Self::Sparse(sparse.zeros_like()?),
        })
    }

    /// Room for the coupling of leading block b, in this pattern.
    pub fn zeros(structure: &Structure, b: usize, pattern: Pattern) -> Result<Self> {
        let block = &structure.blocks[b];
        Ok(match pattern {
            Pattern::Dense => {
                Self::Dense(zeroed(block.dim() * structure.trailing_dim(), COUPLING)?)
            }
            Pattern::Sparse(cells) => Self::Sparse(SparseCoupling {
                values: zeroed(cells.rows.len() * block.width, COUPLING)?,
                fixed: zeroed(block.dim() * structure.rank, "the coupling of a block to X")?,
                ranges: cells.ranges,
                rows: cells.rows,
            }),
        })
    }

    /// The products of these rows, weighted if there are weights.
    pub fn set(&mut self, b: usize, rows: &DataRows<'_>, weights: Option<&[f64]>) {
        let structure = rows.structure();
        let trailing = 0..structure.starts.len();
        match self {
            Self::Dense(values) => {
                let columns = structure.trailing_dim();
                values.fill(0.0);
                for t in trailing {
                    rows.dense_coupling(b, t, columns).add(weights, values);
                }
                if structure.rank > 0 {
                    rows.coupling_to_x(b, columns).add(weights, values);
                }
            }
            Self::Sparse(sparse) => {
                sparse.values.fill(0.0);
                for t in trailing {
                    rows.sparse_coupling(b, t).add(weights, &mut sparse.values);
                }
                if structure.rank > 0 {
                    sparse.fixed.fill(0.0);
                    let columns = structure.rank;
                    rows.coupling_to_x(b, columns)
                        .add(weights, &mut sparse.fixed);
                }
            }
        }
    }
}
