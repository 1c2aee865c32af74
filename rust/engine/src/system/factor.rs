//! The blocked Cholesky factor of Λ'AΛ + I.
//!
//! Leading blocks are eliminated level by level in unscaled form: with `half = L^-1 λ'` and
//! `N = half' half = λ (λ'Kλ + I)^-1 λ'`, eliminating a level takes `K_iv N K_vj` from every pair
//! of rows (i, j) it meets. This form holds for singular λ too. What is left, the trailing matrix
//! with X, is scaled by Λ and factorised as one dense matrix.

use faer::{MatRef, Par};

use crate::design::cross_products::{Coupling, CrossProducts, Leading, SparseCoupling};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::dense::{self, Scratch};
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, Matrix};
use crate::system::transform;

/// Rows of a panel that are multiplied at once.
const CHUNK_ROWS: usize = 256;
/// Up to this many columns a symmetric update is done by hand.
const FEW: usize = 12;

/// State of one leading block.
#[derive(Debug, Clone)]
pub struct LeadingFactor {
    /// The block after the elimination of the finer ones; `None` when there are none.
    reduced: Option<Leading>,
    /// For each later leading block: where each row of the sparse coupling stands in its coupling.
    positions: Vec<Vec<u32>>,
    /// `L^-1 λ'`, width × width for each level.
    pub half: Vec<f64>,
    /// `λ (λ'Kλ + I)^-1 λ'`, width × width for each level.
    pub n: Vec<f64>,
}

/// Factorisation at one value of the relative covariance factors; reused for the next.
pub struct Factor {
    pub par: Par,
    /// λ of each block, width × width.
    pub lambda: Vec<Vec<f64>>,
    pub leading: Vec<LeadingFactor>,
    /// Lower factor of the trailing matrix.
    pub trailing: Matrix,
    /// Room for the inverse of the trailing matrix, or the part of it without X.
    pub(super) inverse: Vec<f64>,
    pub scratch: Scratch,
    /// log |Λ'Z'ZΛ + I|.
    pub log_det_z: f64,
    /// log |X'V^-1X|.
    pub log_det_x: f64,
}

impl Factor {
    /// Room for the factor of this system.
    pub fn new(a: &CrossProducts, structure: &Structure, par: Par) -> Result<Self> {
        let leading = (0..structure.n_leading)
            .map(|b| {
                let block = &structure.blocks[b];
                let len = block.dim() * block.width;
                Ok(LeadingFactor {
                    reduced: (b > 0).then(|| a.leading[b].clone()),
                    positions: positions(a, structure, b),
                    half: zeroed(len, "the factor of a block")?,
                    n: zeroed(len, "the factor of a block")?,
                })
            })
            .collect::<Result<_>>()?;
        let dim = structure.trailing_dim();
        Ok(Self {
            par,
            lambda: structure.blocks.iter().map(|_| Vec::new()).collect(),
            leading,
            trailing: Matrix::zeros(dim, dim, "the trailing factor")?,
            inverse: Vec::new(),
            scratch: Scratch::for_cholesky(dim),
            log_det_z: 0.0,
            log_det_x: 0.0,
        })
    }

    /// Leading block b after the elimination of the finer ones.
    #[must_use]
    pub fn reduced<'s>(&'s self, a: &'s CrossProducts, b: usize) -> &'s Leading {
        self.leading[b].reduced.as_ref().unwrap_or(&a.leading[b])
    }

    /// Where each coupled row of leading block b stands in the coupling of the i-th one above.
    #[must_use]
    pub fn positions(&self, b: usize, i: usize) -> &[u32] {
        &self.leading[b].positions[i]
    }

    /// Factorises at these λ. False when the system is not positive definite there (λ too large
    /// or not finite).
    #[must_use]
    pub fn update(
        &mut self,
        a: &CrossProducts,
        structure: &Structure,
        lambda: Vec<Vec<f64>>,
    ) -> bool {
        self.lambda = lambda;
        self.log_det_z = 0.0;
        self.trailing.data_mut().copy_from_slice(a.trailing.data());
        if !self.eliminate_leading(a, structure) {
            return false;
        }
        transform::both_sides(&mut self.trailing, structure, &self.lambda, true, true);
        for i in 0..structure.n_trailing {
            self.trailing[(i, i)] += 1.0;
        }
        if !dense::cholesky(self.trailing.view_mut(), &mut self.scratch) {
            return false;
        }
        let log_diagonal = |range: std::ops::Range<usize>| -> f64 {
            2.0 * range.map(|i| self.trailing[(i, i)].ln()).sum::<f64>()
        };
        self.log_det_z += log_diagonal(0..structure.n_trailing);
        self.log_det_x = log_diagonal(structure.n_trailing..structure.trailing_dim());
        self.log_det_z.is_finite() && self.log_det_x.is_finite()
    }

    /// The trailing matrix after the leading blocks, unscaled (lower triangle).
    pub fn trailing_unscaled(
        &mut self,
        a: &CrossProducts,
        structure: &Structure,
    ) -> Result<Matrix> {
        let dim = structure.trailing_dim();
        let mut unscaled = Matrix::zeros(dim, dim, "a copy of the trailing matrix")?;
        unscaled.data_mut().copy_from_slice(a.trailing.data());
        for b in 0..structure.n_leading {
            let leading = self.leading[b].reduced.as_ref().unwrap_or(&a.leading[b]);
            let update = TrailingUpdate {
                half: &self.leading[b].half,
                coupling: &leading.coupling,
                width: structure.blocks[b].width,
                structure,
                par: self.par,
            };
            update.apply(&mut unscaled);
        }
        Ok(unscaled)
    }

    fn eliminate_leading(&mut self, a: &CrossProducts, structure: &Structure) -> bool {
        for b in 1..structure.n_leading {
            if let Some(reduced) = &mut self.leading[b].reduced {
                reduced.copy_from(&a.leading[b]);
            }
        }
        for b in 0..structure.n_leading {
            let k = structure.blocks[b].width;
            let (done, above) = self.leading.split_at_mut(b + 1);
            let LeadingFactor {
                reduced,
                positions,
                half,
                n,
            } = &mut done[b];
            let current = reduced.as_ref().unwrap_or(&a.leading[b]);
            match eliminate_levels(&current.diagonal, &self.lambda[b], half, n, k) {
                Some(log_det) => self.log_det_z += log_det,
                None => return false,
            }
            for (i, target) in above.iter_mut().enumerate() {
                let parents = &structure.parents[b][i];
                if let Some(target) = &mut target.reduced {
                    update_ancestor(current, n, k, i, parents, &positions[i], target, structure);
                }
            }
            let update = TrailingUpdate {
                half,
                coupling: &current.coupling,
                width: k,
                structure,
                par: self.par,
            };
            update.apply(&mut self.trailing);
        }
        true
    }
}

impl Leading {
    fn copy_from(&mut self, other: &Self) {
        self.diagonal.copy_from_slice(&other.diagonal);
        for (to, from) in self.ancestors.iter_mut().zip(&other.ancestors) {
            to.copy_from_slice(from);
        }
        match (&mut self.coupling, &other.coupling) {
            (Coupling::Dense(to), Coupling::Dense(from)) => to.copy_from_slice(from),
            (Coupling::Sparse(to), Coupling::Sparse(from)) => {
                to.values.copy_from_slice(&from.values);
                to.fixed.copy_from_slice(&from.fixed);
            }
            (to, from) => *to = from.clone(),
        }
    }
}

/// `half` and `N` of every level; the log-determinant of the block, or `None` when a level is not
/// positive definite.
fn eliminate_levels(
    diagonal: &[f64],
    lambda: &[f64],
    half: &mut [f64],
    n: &mut [f64],
    k: usize,
) -> Option<f64> {
    let mut log_det = LogProduct::default();
    if k == 1 {
        let l = lambda[0];
        for ((d, half), n) in diagonal.iter().zip(half).zip(n) {
            let pivot = l * l * d + 1.0;
            log_det.multiply(pivot);
            *half = l / pivot.sqrt();
            *n = *half * *half;
        }
        return log_det.value();
    }
    let square = k * k;
    let (mut left, mut scaled) = (vec![0.0; square], vec![0.0; square]);
    for ((d, half), n) in diagonal
        .chunks_exact(square)
        .zip(half.chunks_exact_mut(square))
        .zip(n.chunks_exact_mut(square))
    {
        small::transposed_multiply(lambda, d, &mut left, k);
        small::multiply(&left, lambda, &mut scaled, k);
        for i in 0..k {
            scaled[i + i * k] += 1.0;
        }
        if !small::cholesky(&mut scaled, k) {
            return None;
        }
        for i in 0..k {
            let pivot = scaled[i + i * k];
            log_det.multiply(pivot * pivot);
            for j in 0..k {
                half[i + j * k] = lambda[j + i * k];
            }
        }
        small::solve_lower(&scaled, half, k, k);
        small::transposed_multiply(half, half, n, k);
    }
    log_det.value()
}

/// log of a product of factors ≥ 1 with few calls of `ln`.
struct LogProduct {
    product: f64,
    log: f64,
}

impl Default for LogProduct {
    fn default() -> Self {
        Self {
            product: 1.0,
            log: 0.0,
        }
    }
}

impl LogProduct {
    fn multiply(&mut self, factor: f64) {
        if factor > 1e30 {
            self.log += factor.ln();
            return;
        }
        self.product *= factor;
        if self.product > 1e200 {
            self.log += self.product.ln();
            self.product = 1.0;
        }
    }

    fn value(self) -> Option<f64> {
        let log = self.log + self.product.ln();
        log.is_finite().then_some(log)
    }
}

/// For each later leading block, the place of each coupled row of b in that block's coupling.
fn positions(a: &CrossProducts, structure: &Structure, b: usize) -> Vec<Vec<u32>> {
    (b + 1..structure.n_leading)
        .map(|above| {
            let (Coupling::Sparse(own), Coupling::Sparse(other)) =
                (&a.leading[b].coupling, &a.leading[above].coupling)
            else {
                return Vec::new();
            };
            let parents = &structure.parents[b][above - b - 1];
            let mut out = Vec::with_capacity(own.rows.len());
            for (level, &w) in parents.iter().enumerate() {
                let first = other.ranges[w as usize];
                let rows = &other.rows[first..other.ranges[w as usize + 1]];
                for row in &own.rows[own.ranges[level]..own.ranges[level + 1]] {
                    // Every row met below a level is met by the level: the search succeeds.
                    let at = rows.binary_search(row).unwrap_or(0);
                    out.push((first + at) as u32);
                }
            }
            out
        })
        .collect()
}

/// Takes the contribution of every level of `current` from the leading block that holds it.
#[allow(clippy::too_many_arguments)]
fn update_ancestor(
    current: &Leading,
    n: &[f64],
    k: usize,
    i: usize,
    parents: &[u32],
    positions: &[u32],
    target: &mut Leading,
    structure: &Structure,
) {
    let levels = parents.len();
    let ka = current.ancestors[i].len() / (levels * k).max(1);
    let mut g = vec![0.0; k * ka];
    for (level, &w) in parents.iter().enumerate() {
        let w = w as usize;
        let above = &current.ancestors[i][level * k * ka..(level + 1) * k * ka];
        let n = &n[level * k * k..(level + 1) * k * k];
        times(n, above, &mut g, k, ka);
        subtract_product(above, &g, &mut target.diagonal[w * ka * ka..], k, ka, ka);
        for (further, values) in target.ancestors.iter_mut().enumerate() {
            let other = &current.ancestors[i + 1 + further];
            let kf = other.len() / (levels * k).max(1);
            let other = &other[level * k * kf..(level + 1) * k * kf];
            subtract_product(&g, other, &mut values[w * ka * kf..], k, ka, kf);
        }
        if let (Coupling::Sparse(own), Coupling::Sparse(other)) =
            (&current.coupling, &mut target.coupling)
        {
            g.iter_mut().for_each(|v| *v = -*v);
            for e in own.ranges[level]..own.ranges[level + 1] {
                let c = &own.values[e * k..(e + 1) * k];
                let out = &mut other.values[positions[e] as usize * ka..][..ka];
                for (j, out) in out.iter_mut().enumerate() {
                    *out += small::dot(&g[j * k..(j + 1) * k], c);
                }
            }
            let p = structure.rank;
            for j in 0..ka {
                for h in 0..k {
                    let fixed = &own.fixed[(level * k + h) * p..][..p];
                    let out = &mut other.fixed[(w * ka + j) * p..][..p];
                    small::axpy(g[h + j * k], fixed, out);
                }
            }
        }
    }
}

/// `out = a b`, k × k times k × m.
fn times(a: &[f64], b: &[f64], out: &mut [f64], k: usize, m: usize) {
    out[..k * m].fill(0.0);
    for j in 0..m {
        for h in 0..k {
            small::axpy(
                b[h + j * k],
                &a[h * k..(h + 1) * k],
                &mut out[j * k..(j + 1) * k],
            );
        }
    }
}

/// `out -= a' b`, (k × r)' times k × s.
fn subtract_product(a: &[f64], b: &[f64], out: &mut [f64], k: usize, r: usize, s: usize) {
    for j in 0..s {
        for i in 0..r {
            out[i + j * r] -= small::dot(&a[i * k..(i + 1) * k], &b[j * k..(j + 1) * k]);
        }
    }
}

/// `trailing -= C' N C` of one leading block (lower triangle).
struct TrailingUpdate<'a> {
    half: &'a [f64],
    coupling: &'a Coupling,
    width: usize,
    structure: &'a Structure,
    par: Par,
}

impl TrailingUpdate<'_> {
    fn apply(&self, trailing: &mut Matrix) {
        match self.coupling {
            Coupling::Dense(values) => self.dense(values, trailing),
            Coupling::Sparse(sparse) if self.width == 1 => self.sparse_scalar(sparse, trailing),
            Coupling::Sparse(sparse) => self.sparse(sparse, trailing),
        }
    }

    fn dense(&self, values: &[f64], trailing: &mut Matrix) {
        let (k, cols) = (self.width, self.structure.trailing_dim());
        if cols == 0 {
            return;
        }
        let levels = (CHUNK_ROWS / k).max(1);
        let mut panel = vec![0.0; levels * k * cols];
        let mut few = vec![0.0; if cols <= FEW { cols * cols } else { 0 }];
        for (chunk, halves) in values
            .chunks(levels * k * cols)
            .zip(self.half.chunks(levels * k * k))
        {
            let panel = &mut panel[..chunk.len()];
            panel.fill(0.0);
            for ((half, c), out) in halves
                .chunks_exact(k * k)
                .zip(chunk.chunks_exact(k * cols))
                .zip(panel.chunks_exact_mut(k * cols))
            {
                for h in 0..k {
                    for i in 0..k {
                        let s = half[i + h * k];
                        if s != 0.0 {
                            let row = &c[h * cols..(h + 1) * cols];
                            small::axpy(s, row, &mut out[i * cols..(i + 1) * cols]);
                        }
                    }
                }
            }
            if cols <= FEW {
                for row in panel.chunks_exact(cols) {
                    for (j, &s) in row.iter().enumerate() {
                        small::axpy(s, &row[j..], &mut few[j * cols + j..(j + 1) * cols]);
                    }
                }
            } else {
                let a = MatRef::from_row_major_slice(panel, panel.len() / cols, cols);
                dense::add_gram(trailing.view_mut(), a, -1.0, self.par);
            }
        }
        for (out, s) in trailing.data_mut().iter_mut().zip(&few) {
            *out -= s;
        }
    }

    fn sparse_scalar(&self, sparse: &SparseCoupling, trailing: &mut Matrix) {
        let (q, p, dim) = (
            self.structure.n_trailing,
            self.structure.rank,
            self.structure.trailing_dim(),
        );
        let mut scaled = Vec::new();
        for (level, &half) in self.half.iter().enumerate() {
            let range = sparse.ranges[level]..sparse.ranges[level + 1];
            let rows = &sparse.rows[range.clone()];
            let fixed = &sparse.fixed[level * p..(level + 1) * p];
            scaled.clear();
            scaled.extend(sparse.values[range].iter().chain(fixed).map(|v| half * v));
            for (e, &row) in rows.iter().enumerate() {
                let s = scaled[e];
                let column = &mut trailing.data_mut()[row as usize * dim..][..dim];
                for (&r, &v) in rows[e..].iter().zip(&scaled[e..]) {
                    column[r as usize] -= s * v;
                }
                small::axpy(-s, &scaled[rows.len()..], &mut column[q..]);
            }
            let x = &scaled[rows.len()..];
            for (j, &s) in x.iter().enumerate() {
                small::axpy(-s, &x[j..], &mut trailing.column_mut(q + j)[q + j..]);
            }
        }
    }

    fn sparse(&self, sparse: &SparseCoupling, trailing: &mut Matrix) {
        let (k, q, p) = (self.width, self.structure.n_trailing, self.structure.rank);
        let mut scaled = Vec::new();
        for level in 0..sparse.ranges.len() - 1 {
            let half = &self.half[level * k * k..(level + 1) * k * k];
            let range = sparse.ranges[level]..sparse.ranges[level + 1];
            let rows: Vec<usize> = sparse.rows[range.clone()]
                .iter()
                .map(|&r| r as usize)
                .chain(q..q + p)
                .collect();
            scaled.clear();
            scaled.resize(rows.len() * k, 0.0);
            let (random, fixed) = scaled.split_at_mut(range.len() * k);
            for (out, c) in random
                .chunks_exact_mut(k)
                .zip(sparse.values[range.start * k..range.end * k].chunks_exact(k))
            {
                for (h, &c) in c.iter().enumerate() {
                    small::axpy(c, &half[h * k..(h + 1) * k], out);
                }
            }
            for (j, out) in fixed.chunks_exact_mut(k).enumerate() {
                for h in 0..k {
                    let c = sparse.fixed[(level * k + h) * p + j];
                    small::axpy(c, &half[h * k..(h + 1) * k], out);
                }
            }
            for (e, &row) in rows.iter().enumerate() {
                let s = &scaled[e * k..(e + 1) * k];
                let column = trailing.column_mut(row);
                for (&r, v) in rows[e..].iter().zip(scaled[e * k..].chunks_exact(k)) {
                    column[r] -= small::dot(s, v);
                }
            }
        }
    }
}
