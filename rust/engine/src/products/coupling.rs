//! How a leading block meets the trailing rows: dense, or sparse by level.

use std::sync::Arc;

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::products::pattern::Pattern;
use crate::products::structure::Structure;

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
    pub ranges: Arc<[usize]>,
    /// Trailing rows, ascending within a level.
    pub rows: Arc<[u32]>,
    /// `width` values for each row.
    pub values: Vec<f64>,
    /// Row-major, (levels · width) × rank.
    pub fixed: Vec<f64>,
}

impl SparseCoupling {
    /// The same pattern, which both share, with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self {
            ranges: Arc::clone(&self.ranges),
            rows: Arc::clone(&self.rows),
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

    /// A pattern without values.
    #[must_use]
    pub fn pattern(pattern: Pattern) -> Self {
        match pattern {
            Pattern::Dense => Self::Dense(Vec::new()),
            Pattern::Sparse(cells) => Self::Sparse(SparseCoupling {
                ranges: cells.ranges.into(),
                rows: cells.rows.into(),
                values: Vec::new(),
                fixed: Vec::new(),
            }),
        }
    }

    /// Room for the values of leading block b in the same pattern.
    pub fn zeros(&self, structure: &Structure, b: usize) -> Result<Self> {
        let block = &structure.blocks[b];
        Ok(match self {
            Self::Dense(_) => {
                Self::Dense(zeroed(block.dim() * structure.trailing_dim(), COUPLING)?)
            }
            Self::Sparse(sparse) => Self::Sparse(SparseCoupling {
                ranges: Arc::clone(&sparse.ranges),
                rows: Arc::clone(&sparse.rows),
                values: zeroed(sparse.rows.len() * block.width, COUPLING)?,
                fixed: zeroed(block.dim() * structure.rank, "the coupling of a block to X")?,
            }),
        })
    }

    /// Everything stored but the pattern.
    pub fn values_mut(&mut self) -> [&mut [f64]; 2] {
        match self {
            Self::Dense(values) => [values, &mut []],
            Self::Sparse(sparse) => [&mut sparse.values, &mut sparse.fixed],
        }
    }
}
