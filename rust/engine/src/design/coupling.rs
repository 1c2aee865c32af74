//! How a leading block meets the trailing rows: dense, or sparse by level.

use crate::design::pattern::{Cells, Pattern};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::small;

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

/// The coupling of leading block b, in this pattern.
pub fn coupling(
    structure: &Structure,
    b: usize,
    z: &[Vec<f64>],
    x_rows: &[f64],
    pattern: Pattern,
) -> Result<Coupling> {
    if let Pattern::Sparse(cells) = pattern {
        return sparse_coupling(structure, b, z, x_rows, cells).map(Coupling::Sparse);
    }
    let block = &structure.blocks[b];
    let (k, p, q) = (block.width, structure.rank, structure.n_trailing);
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

fn sparse_coupling(
    structure: &Structure,
    b: usize,
    z: &[Vec<f64>],
    x_rows: &[f64],
    cells: Cells,
) -> Result<SparseCoupling> {
    let block = &structure.blocks[b];
    let (k, p) = (block.width, structure.rank);
    let mut values = zeroed(cells.rows.len() * k, "the coupling of a block to the rest")?;
    let mut fixed = zeroed(block.dim() * p, "the coupling of a block to X")?;
    let mut position = vec![0; structure.n_trailing];
    for v in 0..block.n_levels {
        for e in cells.ranges[v]..cells.ranges[v + 1] {
            position[cells.rows[e] as usize] = e;
        }
        for &i in cells.by_level.of(v) {
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
        ranges: cells.ranges,
        rows: cells.rows,
        values,
        fixed,
    })
}
