//! The blocked cross-products A of [Z X]: all that an evaluation needs to know of the rows.

use faer::Par;

use crate::design::stacked::Stacked;
use crate::design::structure::{Block, Structure};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{dense, Matrix};

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

/// A leading block: its diagonal, its coupling to the leading blocks that hold it, and to the rest.
#[derive(Debug, Clone)]
pub struct Leading {
    /// width × width for each level.
    pub diagonal: Vec<f64>,
    /// For each later leading block: width × (its width) for each level, column-major.
    pub ancestors: Vec<Vec<f64>>,
    pub coupling: Coupling,
}

/// A without the response.
#[derive(Debug, Clone)]
pub struct CrossProducts {
    pub leading: Vec<Leading>,
    /// Symmetric, both triangles.
    pub trailing: Matrix,
}

impl CrossProducts {
    /// One pass over the rows. `z` holds the rows of each block (n × width, row-major), `x` the
    /// columns of the fixed-effects basis.
    pub fn new(structure: &Structure, z: &[Vec<f64>], x: &Matrix, par: Par) -> Result<Self> {
        let x_rows = row_major(x)?;
        let leading = (0..structure.n_leading)
            .map(|b| Leading::new(structure, b, z, &x_rows))
            .collect::<Result<_>>()?;
        Ok(Self {
            leading,
            trailing: trailing(structure, z, x, &x_rows, par)?,
        })
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
    fn new(structure: &Structure, b: usize, z: &[Vec<f64>], x_rows: &[f64]) -> Result<Self> {
        let block = &structure.blocks[b];
        let k = block.width;
        let mut diagonal = zeroed(block.dim() * k, "the diagonal of a block")?;
        for (row, &v) in z[b].chunks_exact(k).zip(&block.codes) {
            add_outer(&mut diagonal[v as usize * k * k..], row, row);
        }
        let mut ancestors = Vec::new();
        for a in b + 1..structure.n_leading {
            let ka = structure.blocks[a].width;
            let mut values = zeroed(block.dim() * ka, "nested blocks")?;
            for ((row, above), &v) in z[b]
                .chunks_exact(k)
                .zip(z[a].chunks_exact(ka))
                .zip(&block.codes)
            {
                add_outer(&mut values[v as usize * k * ka..], row, above);
            }
            ancestors.push(values);
        }
        Ok(Self {
            diagonal,
            ancestors,
            coupling: coupling(structure, b, z, x_rows)?,
        })
    }
}

/// `out += a b'`, column-major.
fn add_outer(out: &mut [f64], a: &[f64], b: &[f64]) {
    for (column, &b) in out.chunks_exact_mut(a.len()).zip(b) {
        for (out, &a) in column.iter_mut().zip(a) {
            *out += a * b;
        }
    }
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
        return a.iter().zip(b).map(|(a, b)| a * b).sum();
    }
    let middle = a.len() / 2;
    sum_of_products(&a[..middle], &b[..middle]) + sum_of_products(&a[middle..], &b[middle..])
}

fn row_major(x: &Matrix) -> Result<Vec<f64>> {
    let (n, p) = (x.rows(), x.cols());
    let mut rows = zeroed(n * p, "the rows of X")?;
    for j in 0..p {
        for (i, &v) in x.column(j).iter().enumerate() {
            rows[i * p + j] = v;
        }
    }
    Ok(rows)
}

fn coupling(structure: &Structure, b: usize, z: &[Vec<f64>], x_rows: &[f64]) -> Result<Coupling> {
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
    /// Observations sorted by level.
    by_level: Vec<u32>,
    level_ranges: Vec<usize>,
    ranges: Vec<usize>,
    rows: Vec<u32>,
}

impl Pattern {
    fn new(structure: &Structure, block: &Block) -> Result<Self> {
        let (by_level, level_ranges) = sort_by_level(block);
        let mut ranges = Vec::with_capacity(block.n_levels + 1);
        ranges.push(0);
        let mut rows: Vec<u32> = Vec::new();
        let mut seen = zeroed(structure.n_trailing, "a marker of trailing rows")?;
        for v in 0..block.n_levels {
            let from = rows.len();
            let stamp = v as f64 + 1.0;
            for &i in &by_level[level_ranges[v]..level_ranges[v + 1]] {
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
            level_ranges,
            ranges,
            rows,
        })
    }
}

/// Counting sort of the observations by level.
fn sort_by_level(block: &Block) -> (Vec<u32>, Vec<usize>) {
    let mut ranges = vec![0; block.n_levels + 1];
    for &v in &block.codes {
        ranges[v as usize + 1] += 1;
    }
    for v in 0..block.n_levels {
        ranges[v + 1] += ranges[v];
    }
    let mut next = ranges.clone();
    let mut sorted = vec![0; block.codes.len()];
    for (i, &v) in block.codes.iter().enumerate() {
        sorted[next[v as usize]] = i as u32;
        next[v as usize] += 1;
    }
    (sorted, ranges)
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
        for &i in &pattern.by_level[pattern.level_ranges[v]..pattern.level_ranges[v + 1]] {
            let i = i as usize;
            let row = &z[b][i * k..(i + 1) * k];
            for (t, (start, other)) in structure.trailing().enumerate() {
                let at = start + other.codes[i] as usize * other.width;
                let first = position[at] * k;
                let zt = &z[structure.n_leading + t][i * other.width..][..other.width];
                add_outer(&mut values[first..first + k * other.width], row, zt);
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

fn trailing(
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
        let k = out.len() / m;
        for e in self.ranges[level]..self.ranges[level + 1] {
            let row = &trailing[self.rows[e] as usize * m..][..m];
            for (out, &c) in out
                .chunks_exact_mut(m)
                .zip(&self.values[e * k..(e + 1) * k])
            {
                for (out, &v) in out.iter_mut().zip(row) {
                    *out += c * v;
                }
            }
        }
        let p = structure.rank;
        let x = &trailing[structure.n_trailing * m..];
        for (h, out) in out.chunks_exact_mut(m).enumerate() {
            let fixed = &self.fixed[(level * k + h) * p..][..p];
            for (&c, row) in fixed.iter().zip(x.chunks_exact(m)) {
                for (out, &v) in out.iter_mut().zip(row) {
                    *out += c * v;
                }
            }
        }
    }

    /// `trailing += s C_v' v` for one level.
    pub fn transposed_multiply_level(
        &self,
        structure: &Structure,
        level: usize,
        v: &[f64],
        s: f64,
        trailing: &mut [f64],
        m: usize,
    ) {
        let k = v.len() / m;
        for e in self.ranges[level]..self.ranges[level + 1] {
            let out = &mut trailing[self.rows[e] as usize * m..][..m];
            for (v, &c) in v.chunks_exact(m).zip(&self.values[e * k..(e + 1) * k]) {
                for (out, &v) in out.iter_mut().zip(v) {
                    *out += s * c * v;
                }
            }
        }
        let p = structure.rank;
        let x = &mut trailing[structure.n_trailing * m..];
        for (h, v) in v.chunks_exact(m).enumerate() {
            let fixed = &self.fixed[(level * k + h) * p..][..p];
            for (&c, out) in fixed.iter().zip(x.chunks_exact_mut(m)) {
                for (out, &v) in out.iter_mut().zip(v) {
                    *out += s * c * v;
                }
            }
        }
    }
}
