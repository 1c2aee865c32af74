//! Gradient and average information of one grouping factor from sums over its levels.
//!
//! The working variate of parameter i is g_ij = M_i c_j in level j, with the symmetric
//! `M_i = D_i λ' + λ D_i'`. Then `Σ_j g_i'W_j g_i'` is bilinear in M_i and M_i', with the sums of
//! (c c')_P W_Q as coefficients: an evaluation costs O(levels k⁴) whatever the number of parameters.

use super::kernels::{symmetric, triangle};
use super::OneFactor;
use crate::system::{Slopes, WorkingMap};

impl OneFactor {
    /// From the sums of the last `differentiate`; see [`Slopes`].
    #[must_use]
    pub fn slopes(&self, maps: &[WorkingMap], joint: bool) -> Slopes {
        let (w, cc, bb) = (self.layout.w, self.layout.cc, self.layout.bb);
        let own = |e: usize| {
            let fixed = if joint { self.sums[bb + e] } else { 0.0 };
            self.sums[w + e] - fixed
        };
        let (inner, linear) = self.variate_products(maps);
        Slopes {
            w: vec![self.unpacked(own)],
            squares: vec![self.unpacked(|e| self.sums[cc + e])],
            inner,
            linear,
        }
    }

    fn unpacked(&self, entry: impl Fn(usize) -> f64) -> Vec<f64> {
        let k = self.k;
        let all = (0..k).flat_map(|j| (0..k).map(move |i| symmetric(k, i, j)));
        all.map(entry).collect()
    }

    /// q_i'Pq_j for every pair of parameters, and q_i'Py.
    fn variate_products(&self, maps: &[WorkingMap]) -> (Vec<f64>, Vec<f64>) {
        let (k, p, m) = (self.k, self.p, maps.len());
        let coefficients = self.coefficients();
        let entries: Vec<Vec<(usize, f64)>> = maps
            .iter()
            .map(|map| {
                let packed = map.entries.iter().map(|&(a, b, v)| (symmetric(k, a, b), v));
                packed.collect()
            })
            .collect();
        let t = triangle(k);
        let mut h = Vec::with_capacity(m);
        let mut fixed = vec![0.0; m * p];
        let mut products = vec![0.0; m * t];
        for (i, map) in maps.iter().enumerate() {
            let mut total = 0.0;
            for &(a, b, v) in &map.entries {
                let twice = if a == b { v } else { 2.0 * v };
                total += twice * self.sums[self.layout.cc + symmetric(k, a, b)];
                for x in 0..p {
                    let mut cross = self.sums[self.layout.cross + (a + b * k) * p + x];
                    if a != b {
                        cross += self.sums[self.layout.cross + (b + a * k) * p + x];
                    }
                    fixed[i * p + x] += v * cross;
                }
            }
            h.push(total);
            for &(entry, v) in &entries[i] {
                let column = &coefficients[entry * t..(entry + 1) * t];
                for (out, c) in products[i * t..(i + 1) * t].iter_mut().zip(column) {
                    *out += v * c;
                }
            }
        }
        let mut out = vec![0.0; m * m];
        for j in 0..m {
            let product = &products[j * t..(j + 1) * t];
            for i in 0..=j {
                let mut value: f64 = entries[i].iter().map(|&(e, v)| v * product[e]).sum();
                for x in 0..p {
                    value -= fixed[i * p + x] * fixed[j * p + x];
                }
                out[i + j * m] = value;
                out[j + i * m] = value;
            }
        }
        (out, h)
    }

    /// Coefficients of the bilinear form in packed symmetric matrices: entry (P, Q) sums
    /// c_b c_b' W_aa' over the orders (a, b) of P and (a', b') of Q.
    fn coefficients(&self) -> Vec<f64> {
        let k = self.k;
        let t = triangle(k);
        let pairs = &self.sums[self.layout.pairs..self.layout.pairs + t * t];
        let at = |b: usize, bb: usize, a: usize, aa: usize| {
            pairs[symmetric(k, b, bb) * t + symmetric(k, a, aa)]
        };
        let mut out = vec![0.0; t * t];
        for b in 0..k {
            for a in b..k {
                let row = symmetric(k, a, b);
                for bb in 0..k {
                    for aa in bb..k {
                        let mut sum = at(b, bb, a, aa);
                        if a != b {
                            sum += at(a, bb, b, aa);
                        }
                        if aa != bb {
                            sum += at(b, aa, a, bb);
                        }
                        if a != b && aa != bb {
                            sum += at(a, aa, b, bb);
                        }
                        out[row * t + symmetric(k, aa, bb)] = sum;
                    }
                }
            }
        }
        out
    }
}
