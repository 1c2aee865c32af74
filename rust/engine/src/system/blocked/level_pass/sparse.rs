//! Products of a sparse coupling with the adjoint of the trailing rows.

use super::LevelPass;
use crate::error::Result;
use crate::linalg::small;
use crate::linalg::threads::for_each;
use crate::products::coupling::SparseCoupling;
use crate::system::blocked::trailing_update::SHARED;

/// Levels that a thread takes at once.
const LEVELS_AT_ONCE: usize = 64;

impl LevelPass<'_> {
    /// X columns that take part (none for ML).
    fn active_x(&self) -> usize {
        self.bar.rows() - self.system.structure.n_trailing
    }

    /// `q = c' Kbar c` for each level of a scalar block, from the lower triangle of Kbar.
    pub(super) fn quadratic_forms(&self, sparse: &SparseCoupling, q: &mut [f64]) {
        if sparse.rows.len() < SHARED {
            q.iter_mut()
                .enumerate()
                .for_each(|(level, q)| *q += self.quadratic_form(sparse, level));
            return;
        }
        let mut parts: Vec<(usize, &mut [f64])> = q
            .chunks_mut(LEVELS_AT_ONCE)
            .enumerate()
            .map(|(part, q)| (part * LEVELS_AT_ONCE, q))
            .collect();
        for_each(&mut parts, |(first, q)| {
            for (level, q) in (*first..).zip(q.iter_mut()) {
                *q += self.quadratic_form(sparse, level);
            }
        });
    }

    fn quadratic_form(&self, sparse: &SparseCoupling, level: usize) -> f64 {
        let (first_x, p) = (self.system.structure.n_trailing, self.system.structure.rank);
        let range = sparse.ranges[level]..sparse.ranges[level + 1];
        let (rows, c) = (&sparse.rows[range.clone()], &sparse.values[range]);
        let x = &sparse.fixed[level * p..level * p + self.active_x()];
        let mut total = 0.0;
        for (e, (&row, &c_row)) in rows.iter().zip(c).enumerate() {
            let column = self.bar.column(row as usize);
            let mut off_diagonal = small::dot(x, &column[first_x..]);
            for (&r, &v) in rows[e + 1..].iter().zip(&c[e + 1..]) {
                off_diagonal += v * column[r as usize];
            }
            total += c_row * (2.0 * off_diagonal + c_row * column[row as usize]);
        }
        for (j, &xj) in x.iter().enumerate() {
            let column = &self.bar.column(first_x + j)[first_x + j..];
            let below = small::dot(&x[j + 1..], &column[1..]);
            total += xj * (2.0 * below + xj * column[0]);
        }
        total
    }

    /// `C Kbar` on the rows of the coupling of a scalar block, and `q = c' Kbar c` from it; from the
    /// lower triangle of Kbar, without X.
    pub(super) fn scalar_products(
        &self,
        sparse: &SparseCoupling,
        q: &mut [f64],
    ) -> Result<SparseCoupling> {
        let mut h = sparse.zeros_like()?;
        let ranges = &sparse.ranges;
        let mut rest = h.values.as_mut_slice();
        let mut parts: Vec<(usize, &mut [f64], &mut [f64])> = Vec::new();
        for (part, q) in q.chunks_mut(LEVELS_AT_ONCE).enumerate() {
            let first = part * LEVELS_AT_ONCE;
            let (own, others) = rest.split_at_mut(ranges[first + q.len()] - ranges[first]);
            rest = others;
            parts.push((first, own, q));
        }
        let multiply = |(first, h, q): &mut (usize, &mut [f64], &mut [f64])| {
            let start = ranges[*first];
            for (level, q) in (*first..).zip(q.iter_mut()) {
                let range = ranges[level]..ranges[level + 1];
                let (rows, c) = (&sparse.rows[range.clone()], &sparse.values[range.clone()]);
                let h = &mut h[range.start - start..range.end - start];
                self.symmetric_product(rows, c, h);
                *q += small::dot(c, h);
            }
        };
        if sparse.rows.len() < SHARED {
            parts.iter_mut().for_each(multiply);
        } else {
            for_each(&mut parts, multiply);
        }
        Ok(h)
    }

    /// `h = Kbar c` on these rows, from the lower triangle.
    fn symmetric_product(&self, rows: &[u32], c: &[f64], h: &mut [f64]) {
        h.fill(0.0);
        for (e, (&row, &own)) in rows.iter().zip(c).enumerate() {
            let column = self.bar.column(row as usize);
            let mut sum = own * column[row as usize];
            let below = rows[e + 1..].iter().zip(&c[e + 1..]);
            let (head, tail) = h.split_at_mut(e + 1);
            for (h, (&r, &v)) in tail.iter_mut().zip(below) {
                let s = column[r as usize];
                sum += v * s;
                *h += own * s;
            }
            head[e] += sum;
        }
    }

    /// `C Kbar` on the rows of the coupling.
    pub(super) fn coupling_products(
        &self,
        sparse: &SparseCoupling,
        k: usize,
    ) -> Result<SparseCoupling> {
        let (first_x, p) = (self.system.structure.n_trailing, self.system.structure.rank);
        let active = self.active_x();
        let mut h = sparse.zeros_like()?;
        for level in 0..sparse.ranges.len() - 1 {
            let range = sparse.ranges[level]..sparse.ranges[level + 1];
            let fixed = &sparse.fixed[level * k * p..(level + 1) * k * p];
            for e in range.clone() {
                let column = self.bar.column(sparse.rows[e] as usize);
                let out = &mut h.values[e * k..(e + 1) * k];
                for s in range.clone() {
                    let c = &sparse.values[s * k..(s + 1) * k];
                    small::axpy(column[sparse.rows[s] as usize], c, out);
                }
                for (out, x) in out.iter_mut().zip(fixed.chunks_exact(p.max(1))) {
                    *out += small::dot(&x[..active], &column[first_x..]);
                }
            }
            for j in 0..active {
                let column = self.bar.column(first_x + j);
                for i in 0..k {
                    let x = &fixed[i * p..i * p + active];
                    let mut total = small::dot(x, &column[first_x..]);
                    for s in range.clone() {
                        total += sparse.values[s * k + i] * column[sparse.rows[s] as usize];
                    }
                    h.fixed[(level * k + i) * p + j] = total;
                }
            }
        }
        Ok(h)
    }
}
