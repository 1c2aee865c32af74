//! What goes through the leading blocks above.

use super::LevelPass;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::small;
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::cross_products::Leading;

impl LevelPass<'_> {
    /// Adds the part of `K_vR Kbar_RR` that goes through the leading blocks above to h, and returns
    /// its columns at those blocks: `H_i = C Kbar_Ti + Σ_j K_vj Kbar_ji`.
    pub(super) fn ancestor_products(
        &self,
        leading: &Leading,
        sparse: &SparseCoupling,
        k: usize,
        h: &mut SparseCoupling,
    ) -> Result<Vec<Vec<f64>>> {
        let p = self.system.structure.rank;
        let rows = self.system.structure.blocks[self.b].n_levels * k;
        let n_above = leading.ancestors.len();
        let width = |i: usize| self.system.structure.blocks[self.b + 1 + i].width;
        let mut out = Vec::with_capacity(n_above);
        for i in 0..n_above {
            out.push(zeroed(rows * width(i), "the adjoint of nested blocks")?);
        }
        for (i, adjoint) in self.above.iter().enumerate() {
            let Some(adjoint) = adjoint else { continue };
            let Some(Coupling::Sparse(bar)) = &adjoint.coupling else {
                continue;
            };
            let ki = width(i);
            let positions = &self.system.positions(self.b)[i];
            for (level, &w) in self.system.structure.parents[self.b][i].iter().enumerate() {
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
    pub(super) fn add_share(
        &self,
        leading: &Leading,
        sparse: &SparseCoupling,
        k: usize,
        h: &SparseCoupling,
        h_above: &[Vec<f64>],
        q: &mut [f64],
    ) {
        let p = self.system.structure.rank;
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
