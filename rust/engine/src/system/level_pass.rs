//! The reverse step of one leading block, see [`super::selected`].

use faer::{MatMut, MatRef};

use crate::design::coupling::{Coupling, SparseCoupling};
use crate::design::cross_products::{CrossProducts, Leading};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::threads::for_each;
use crate::linalg::{dense, small, Matrix};
use crate::system::levels::shrinkage;
use crate::system::trailing_update::SHARED;
use crate::system::Factor;

/// Rows of a coupling that are multiplied at once.
const CHUNK_ROWS: usize = 256;

/// Levels that a thread takes at once.
const LEVELS_AT_ONCE: usize = 64;

/// Adjoint of one leading block.
pub struct Adjoint {
    /// Kbar_vv.
    pub diagonal: Vec<f64>,
    /// Kbar_vR on the rows of the coupling, when finer blocks need it.
    coupling: Option<SparseCoupling>,
    /// Kbar_vw for the leading blocks above.
    ancestors: Vec<Vec<f64>>,
}

/// The reverse step of one leading block.
pub struct LevelPass<'a> {
    pub factor: &'a Factor,
    pub a: &'a CrossProducts,
    pub structure: &'a Structure,
    pub b: usize,
    /// Kbar of the trailing rows (without X for ML).
    pub bar: &'a Matrix,
    pub above: &'a [Option<Adjoint>],
}

/// `C Kbar C'` of some rows C over everything that is eliminated later, level by level.
struct Shares {
    /// k × k for each level.
    q: Vec<f64>,
    /// `C Kbar` on the rows of a sparse coupling and on the leading blocks above, where it was formed.
    coupling: Option<SparseCoupling>,
    ancestors: Vec<Vec<f64>>,
}

impl LevelPass<'_> {
    /// `C Kbar C'` for each level, for rows of k columns in the pattern of this block.
    pub fn gram(&self, rows: &Leading, k: usize) -> Result<Vec<f64>> {
        Ok(self.shares(rows, k)?.q)
    }

    fn shares(&self, rows: &Leading, k: usize) -> Result<Shares> {
        let n_levels = self.structure.blocks[self.b].n_levels;
        let mut q = zeroed(n_levels * k * k, "the adjoint of a block")?;
        let mut coupling = None;
        let mut ancestors = Vec::new();
        match &rows.coupling {
            Coupling::Dense(values) => self.dense_share(values, k, &mut q)?,
            Coupling::Sparse(sparse) if k == 1 && self.structure.n_leading == 1 => {
                self.quadratic_forms(sparse, &mut q);
            }
            Coupling::Sparse(sparse) => {
                let mut h = self.coupling_products(sparse, k);
                ancestors = self.ancestor_products(rows, sparse, k, &mut h)?;
                self.add_share(rows, sparse, k, &h, &ancestors, &mut q);
                coupling = Some(h);
            }
        }
        Ok(Shares {
            q,
            coupling,
            ancestors,
        })
    }

    /// The sum of W over the levels, and the adjoint when it is wanted.
    pub fn run(&self, keep: bool) -> Result<(Vec<f64>, Option<Adjoint>)> {
        let block = &self.structure.blocks[self.b];
        let k = block.width;
        let leading = self.factor.reduced(self.a, self.b);
        let n = &self.factor.leading[self.b].n;
        let Shares {
            mut q,
            mut coupling,
            mut ancestors,
        } = self.shares(leading, k)?;
        let mut sigma = vec![0.0; k * k];
        let lambda = &self.factor.lambda[self.b];
        small::multiply_transposed(lambda, lambda, &mut sigma, k);
        let sum = sum_of_w(&leading.diagonal, &sigma, &q, k);
        if !keep {
            return Ok((sum, None));
        }
        // Kbar_vv = N + N Q N, Kbar_vR = -N H
        let (mut nq, mut nqn) = (vec![0.0; k * k], vec![0.0; k * k]);
        for (level, (q, n)) in q
            .chunks_exact_mut(k * k)
            .zip(n.chunks_exact(k * k))
            .enumerate()
        {
            small::multiply(n, q, &mut nq, k);
            small::multiply(&nq, n, &mut nqn, k);
            for ((q, &n), &s) in q.iter_mut().zip(n).zip(&nqn) {
                *q = n + s;
            }
            if let Some(h) = &mut coupling {
                for values in
                    h.values[h.ranges[level] * k..h.ranges[level + 1] * k].chunks_exact_mut(k)
                {
                    negative_product(n, values, 1, k);
                }
                let p = self.structure.rank;
                for j in 0..p {
                    negative_product(n, &mut h.fixed[level * k * p + j..], p, k);
                }
            }
            for values in &mut ancestors {
                let ka = values.len() / block.dim().max(1);
                let level_values: &mut [f64] = &mut values[level * k * ka..(level + 1) * k * ka];
                for column in level_values.chunks_exact_mut(k) {
                    negative_product(n, column, 1, k);
                }
            }
        }
        Ok((
            sum,
            Some(Adjoint {
                diagonal: q,
                coupling,
                ancestors,
            }),
        ))
    }

    /// Adds `C Kbar C'` to q for a dense coupling.
    fn dense_share(&self, values: &[f64], k: usize, q: &mut [f64]) -> Result<()> {
        let cols = self.structure.trailing_dim();
        let active = self.bar.rows();
        if active == 0 {
            return Ok(());
        }
        let levels = (CHUNK_ROWS / k).max(1);
        let mut panel = zeroed(levels * k * active, "a panel")?;
        for (chunk, q) in values
            .chunks(levels * k * cols)
            .zip(q.chunks_mut(levels * k * k))
        {
            let rows = chunk.len() / cols;
            let c = MatRef::from_row_major_slice(chunk, rows, cols).submatrix(0, 0, rows, active);
            let panel = &mut panel[..rows * active];
            let out = MatMut::from_row_major_slice_mut(panel, rows, active);
            dense::multiply(out, c, self.bar.view(), self.factor.par);
            for (level, q) in q.chunks_exact_mut(k * k).enumerate() {
                for j in 0..k {
                    for i in 0..k {
                        let left = &panel[(level * k + i) * active..][..active];
                        let right = &chunk[(level * k + j) * cols..][..active];
                        q[i + j * k] += small::dot(left, right);
                    }
                }
            }
        }
        Ok(())
    }

    /// X columns that take part (none for ML).
    fn active_x(&self) -> usize {
        self.bar.rows() - self.structure.n_trailing
    }

    /// `q = c' Kbar c` for each level of a scalar block, from the lower triangle of Kbar.
    fn quadratic_forms(&self, sparse: &SparseCoupling, q: &mut [f64]) {
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
        let (first_x, p) = (self.structure.n_trailing, self.structure.rank);
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

    /// `C Kbar` on the rows of the coupling.
    fn coupling_products(&self, sparse: &SparseCoupling, k: usize) -> SparseCoupling {
        let (first_x, p) = (self.structure.n_trailing, self.structure.rank);
        let active = self.active_x();
        let mut h = sparse.clone();
        h.values.fill(0.0);
        h.fixed.fill(0.0);
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
        h
    }

    /// Adds the part of `K_vR Kbar_RR` that goes through the leading blocks above to h, and returns
    /// its columns at those blocks: `H_i = C Kbar_Ti + Σ_j K_vj Kbar_ji`.
    fn ancestor_products(
        &self,
        leading: &Leading,
        sparse: &SparseCoupling,
        k: usize,
        h: &mut SparseCoupling,
    ) -> Result<Vec<Vec<f64>>> {
        let p = self.structure.rank;
        let rows = self.structure.blocks[self.b].n_levels * k;
        let n_above = leading.ancestors.len();
        let width = |i: usize| self.structure.blocks[self.b + 1 + i].width;
        let mut out = Vec::with_capacity(n_above);
        for i in 0..n_above {
            out.push(zeroed(rows * width(i), "the adjoint of nested blocks")?);
        }
        for (i, adjoint) in self.above.iter().enumerate() {
            let Some(adjoint) = adjoint else { continue };
            let Some(bar) = &adjoint.coupling else {
                continue;
            };
            let ki = width(i);
            let positions = self.factor.positions(self.b, i);
            for (level, &w) in self.structure.parents[self.b][i].iter().enumerate() {
                let w = w as usize;
                let own = &leading.ancestors[i][level * k * ki..(level + 1) * k * ki];
                let here = &mut out[i][level * k * ki..(level + 1) * k * ki];
                for e in sparse.ranges[level]..sparse.ranges[level + 1] {
                    let bar = &bar.values[positions[e] as usize * ki..][..ki];
                    let c = &sparse.values[e * k..(e + 1) * k];
                    let h = &mut h.values[e * k..(e + 1) * k];
                    for (j, &s) in bar.iter().enumerate() {
                        small::axpy(s, c, &mut here[j * k..(j + 1) * k]);
                        small::axpy(s, &own[j * k..(j + 1) * k], h);
                    }
                }
                for j in 0..ki {
                    let bar = &bar.fixed[(w * ki + j) * p..][..p];
                    for r in 0..k {
                        let x = &sparse.fixed[(level * k + r) * p..][..p];
                        here[r + j * k] += small::dot(x, bar);
                        small::axpy(
                            own[r + j * k],
                            bar,
                            &mut h.fixed[(level * k + r) * p..][..p],
                        );
                    }
                }
                add_times(own, &adjoint.diagonal[w * ki * ki..], here, k, ki, ki);
                for (f, cross) in adjoint.ancestors.iter().enumerate() {
                    let further = i + 1 + f;
                    let kf = width(further);
                    let cross = &cross[w * ki * kf..(w + 1) * ki * kf];
                    let range = level * k * kf..(level + 1) * k * kf;
                    add_times(own, cross, &mut out[further][range.clone()], k, ki, kf);
                    let other = &leading.ancestors[further][range];
                    let here = &mut out[i][level * k * ki..(level + 1) * k * ki];
                    add_times_transposed(other, cross, here, k, kf, ki);
                }
            }
        }
        Ok(out)
    }

    /// `q += H C' + Σ_i H_i K_vi'`.
    fn add_share(
        &self,
        leading: &Leading,
        sparse: &SparseCoupling,
        k: usize,
        h: &SparseCoupling,
        h_above: &[Vec<f64>],
        q: &mut [f64],
    ) {
        let p = self.structure.rank;
        for (level, q) in q.chunks_exact_mut(k * k).enumerate() {
            let range = sparse.ranges[level] * k..sparse.ranges[level + 1] * k;
            let pairs = h.values[range.clone()]
                .chunks_exact(k)
                .zip(sparse.values[range].chunks_exact(k));
            for (h, c) in pairs {
                for j in 0..k {
                    small::axpy(c[j], h, &mut q[j * k..(j + 1) * k]);
                }
            }
            for j in 0..k {
                for i in 0..k {
                    let left = &h.fixed[(level * k + i) * p..][..p];
                    let right = &sparse.fixed[(level * k + j) * p..][..p];
                    q[i + j * k] += small::dot(left, right);
                }
            }
            for (h, c) in h_above.iter().zip(&leading.ancestors) {
                let len = h.len() / sparse.ranges.len().saturating_sub(1).max(1);
                let range = level * len..(level + 1) * len;
                add_times_transposed(&h[range.clone()], &c[range], q, k, len / k, k);
            }
        }
    }
}

/// `out += a b` for a of k × r and b of r × s.
fn add_times(a: &[f64], b: &[f64], out: &mut [f64], k: usize, r: usize, s: usize) {
    for j in 0..s {
        for h in 0..r {
            small::axpy(
                b[h + j * r],
                &a[h * k..(h + 1) * k],
                &mut out[j * k..(j + 1) * k],
            );
        }
    }
}

/// `out += a b'` for a of k × r and b of s × r.
fn add_times_transposed(a: &[f64], b: &[f64], out: &mut [f64], k: usize, r: usize, s: usize) {
    for j in 0..s {
        for h in 0..r {
            small::axpy(
                b[j + h * s],
                &a[h * k..(h + 1) * k],
                &mut out[j * k..(j + 1) * k],
            );
        }
    }
}

/// `v <- -n v` for the k values at this stride.
fn negative_product(n: &[f64], v: &mut [f64], stride: usize, k: usize) {
    if k == 1 {
        v[0] *= -n[0];
        return;
    }
    let old: Vec<f64> = (0..k).map(|i| v[i * stride]).collect();
    for i in 0..k {
        v[i * stride] = -(0..k).map(|h| n[i + h * k] * old[h]).sum::<f64>();
    }
}

/// Sum over the levels of `F K - F Q F'`, `F = (I + K Σ)^-1`.
fn sum_of_w(diagonal: &[f64], sigma: &[f64], q: &[f64], k: usize) -> Vec<f64> {
    let mut sum = vec![0.0; k * k];
    if k == 1 {
        for (&d, &q) in diagonal.iter().zip(q) {
            let f = 1.0 / (1.0 + d * sigma[0]);
            sum[0] += f * (d - q * f);
        }
        return sum;
    }
    let mut system = vec![0.0; k * k];
    let mut f = vec![0.0; k * k];
    let (mut first, mut second) = (vec![0.0; k * k], vec![0.0; k * k]);
    for (d, q) in diagonal.chunks_exact(k * k).zip(q.chunks_exact(k * k)) {
        shrinkage(d, sigma, &mut f, &mut system, k);
        small::multiply(&f, d, &mut first, k);
        small::multiply(&f, q, &mut second, k);
        small::multiply_transposed(&second, &f, &mut system, k);
        for ((sum, w), taken) in sum.iter_mut().zip(&first).zip(&system) {
            *sum += w - taken;
        }
    }
    sum
}
