//! How a leading block meets the trailing rows: dense, or sparse by level.

use crate::design::level_graph::ByLevel;
use crate::design::structure::{Block, Structure};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::small;

/// Above this share of occupied cells a coupling is stored dense.
const DENSE_SHARE: f64 = 0.3;

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

/// The coupling of leading block b.
pub fn coupling(
    structure: &Structure,
    b: usize,
    z: &[Vec<f64>],
    x_rows: &[f64],
) -> Result<Coupling> {
    let block = &structure.blocks[b];
    let (k, p, q) = (block.width, structure.rank, structure.n_trailing);
    if q > 0 || structure.n_leading > 1 {
        let pattern = Pattern::new(structure, block)?;
        let dense = DENSE_SHARE * (block.n_levels * q) as f64;
        // Nested blocks are combined entry by entry, so they are all kept sparse.
        if structure.n_leading > 1 || (pattern.rows.len() as f64) < dense {
            return sparse_coupling(structure, b, z, x_rows, pattern).map(Coupling::Sparse);
        }
    }
    let cols = structure.trailing_dim();
    let mut values = zeroed(block.dim() * cols, "the coupling of a block to the rest")?;
    if q == 0 {
        let rows = z[b].chunks_exact(k).zip(x_rows.chunks_exact(p.max(1)));
        for ((row, x), &v) in rows.zip(&block.codes) {
            small::add_outer(&mut values[v as usize * k * p..][..k * p], x, row);
        }
        return Ok(Coupling::Dense(values));
    }
    for (i, (row, &v)) in z[b].chunks_exact(k).zip(&block.codes).enumerate() {
        for (c, &zc) in row.iter().enumerate() {
            let out = &mut values[(v as usize * k + c) * cols..][..cols];
            for (t, (start, other)) in structure.trailing().enumerate() {
                let at = start + other.codes[i] as usize * other.width;
                let zt = &z[structure.n_leading + t][i * other.width..][..other.width];
                for (out, &zt) in out[at..at + other.width].iter_mut().zip(zt) {
                    *out += zc * zt;
                }
            }
            for (out, &x) in out[q..].iter_mut().zip(&x_rows[i * p..(i + 1) * p]) {
                *out += zc * x;
            }
        }
    }
    Ok(Coupling::Dense(values))
}

/// Which trailing rows each level of a block occurs with.
struct Pattern {
    by_level: ByLevel,
    ranges: Vec<usize>,
    rows: Vec<u32>,
}

impl Pattern {
    fn new(structure: &Structure, block: &Block) -> Result<Self> {
        let by_level = ByLevel::new(block);
        let mut ranges = Vec::with_capacity(block.n_levels + 1);
        ranges.push(0);
        let mut rows: Vec<u32> = Vec::new();
        let mut seen = zeroed(structure.n_trailing, "a marker of trailing rows")?;
        for v in 0..block.n_levels {
            let from = rows.len();
            let stamp = v as f64 + 1.0;
            for &i in by_level.of(v) {
                for (start, other) in structure.trailing() {
                    let at = start + other.codes[i as usize] as usize * other.width;
                    if seen[at] != stamp {
                        seen[at] = stamp;
                        rows.extend((at..at + other.width).map(|r| r as u32));
                    }
                }
            }
            rows[from..].sort_unstable();
            ranges.push(rows.len());
        }
        Ok(Self {
            by_level,
            ranges,
            rows,
        })
    }
}

fn sparse_coupling(
    structure: &Structure,
    b: usize,
    z: &[Vec<f64>],
    x_rows: &[f64],
    pattern: Pattern,
) -> Result<SparseCoupling> {
    let block = &structure.blocks[b];
    let (k, p) = (block.width, structure.rank);
    let mut values = zeroed(
        pattern.rows.len() * k,
        "the coupling of a block to the rest",
    )?;
    let mut fixed = zeroed(block.dim() * p, "the coupling of a block to X")?;
    let mut position = vec![0; structure.n_trailing];
    for v in 0..block.n_levels {
        for e in pattern.ranges[v]..pattern.ranges[v + 1] {
            position[pattern.rows[e] as usize] = e;
        }
        for &i in pattern.by_level.of(v) {
            let i = i as usize;
            let row = &z[b][i * k..(i + 1) * k];
            for (t, (start, other)) in structure.trailing().enumerate() {
                let at = start + other.codes[i] as usize * other.width;
                let first = position[at] * k;
                let zt = &z[structure.n_leading + t][i * other.width..][..other.width];
                small::add_outer(&mut values[first..first + k * other.width], row, zt);
            }
            let x = &x_rows[i * p..(i + 1) * p];
            for (c, &zc) in row.iter().enumerate() {
                let out = &mut fixed[(v * k + c) * p..][..p];
                for (out, &x) in out.iter_mut().zip(x) {
                    *out += zc * x;
                }
            }
        }
    }
    Ok(SparseCoupling {
        ranges: pattern.ranges,
        rows: pattern.rows,
        values,
        fixed,
    })
}
