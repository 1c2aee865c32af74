//! What the elimination of a leading block does to the trailing matrix.

use faer::{MatRef, Par};

use crate::linalg::threads::for_each;
use crate::linalg::{dense, small, Matrix};
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::structure::Structure;

/// Rows of a panel that are multiplied at once.
const CHUNK_ROWS: usize = 256;
/// From this number of coupled rows on threads share the update.
pub const SHARED: usize = 20_000;
/// Into so many parts.
const STRIPES: usize = 8;
/// Up to this many columns a symmetric update is done by hand.
const FEW: usize = 12;

/// `trailing -= C' N C` of one leading block (lower triangle).
pub struct TrailingUpdate<'a> {
    pub half: &'a [f64],
    pub coupling: &'a Coupling,
    pub width: usize,
    pub structure: &'a Structure,
}

impl TrailingUpdate<'_> {
    pub fn apply(&self, trailing: &mut Matrix) {
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
                dense::add_gram(trailing.view_mut(), a, -1.0, Par::Seq);
            }
        }
        for (out, s) in trailing.data_mut().iter_mut().zip(&few) {
            *out -= s;
        }
    }

    /// By stripes of columns, which threads share: each column is the sum over the levels in one
    /// order, whoever adds it up.
    fn sparse_scalar(&self, sparse: &SparseCoupling, trailing: &mut Matrix) {
        let dim = self.structure.trailing_dim();
        if sparse.rows.len() < SHARED {
            self.update_stripe(sparse, 0, trailing.data_mut());
            return;
        }
        let mut rest = trailing.data_mut();
        let mut stripes = Vec::with_capacity(STRIPES);
        let mut first = 0;
        for stripe in 1..=STRIPES {
            // Columns of a lower triangle grow shorter: equal areas, not equal widths.
            let left = 1.0 - (1.0 - stripe as f64 / STRIPES as f64).sqrt();
            let end = (left * dim as f64) as usize;
            let (own, others) = rest.split_at_mut((end - first) * dim);
            stripes.push((first, own));
            rest = others;
            first = end;
        }
        for_each(&mut stripes, |(first, columns)| {
            self.update_stripe(sparse, *first, columns);
        });
    }

    /// The update of the columns from `first` on that are given.
    fn update_stripe(&self, sparse: &SparseCoupling, first: usize, columns: &mut [f64]) {
        let (q, p, dim) = (
            self.structure.n_trailing,
            self.structure.rank,
            self.structure.trailing_dim(),
        );
        let end = first + columns.len() / dim.max(1);
        for (level, &half) in self.half.iter().enumerate() {
            let range = sparse.ranges[level]..sparse.ranges[level + 1];
            let (rows, values) = (&sparse.rows[range.clone()], &sparse.values[range]);
            let fixed = &sparse.fixed[level * p..(level + 1) * p];
            let n = half * half;
            let from = rows.partition_point(|&r| (r as usize) < first);
            for (e, &row) in rows.iter().enumerate().skip(from) {
                let row = row as usize;
                if row >= end {
                    break;
                }
                let s = n * values[e];
                let column = &mut columns[(row - first) * dim..][..dim];
                for (&r, &v) in rows[e..].iter().zip(&values[e..]) {
                    column[r as usize] -= s * v;
                }
                small::axpy(-s, fixed, &mut column[q..]);
            }
            for (j, &x) in fixed.iter().enumerate() {
                if (first..end).contains(&(q + j)) {
                    let column = &mut columns[(q + j - first) * dim..][..dim];
                    small::axpy(-n * x, &fixed[j..], &mut column[q + j..]);
                }
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
