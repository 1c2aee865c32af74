//! N = (V^-1)_BB^-1 of the rows B of a set, applied through the rows or through the levels that they touch.

use crate::linalg::{dense, small};
use crate::model::frame::BlockRows;
use crate::products::structure::Structure;

/// `[F e]'N[F e]` and log |(V^-1)_BB|.
pub(super) struct Forms {
    pub(super) gram: Vec<f64>,
    pub(super) log_det: f64,
}

/// The levels that rows touch.
pub(super) struct Touched {
    pub(super) levels: Vec<(usize, usize)>,
    /// For each row and block the first column of its level among those of all levels.
    places: Vec<usize>,
    pub(super) dim: usize,
}

impl Touched {
    pub(super) fn new(structure: &Structure, rows: &[u32]) -> Self {
        let blocks = structure.blocks.len();
        let mut places = vec![0; rows.len() * blocks];
        let (mut levels, mut dim) = (Vec::new(), 0);
        for (b, block) in structure.blocks.iter().enumerate() {
            let mut own: Vec<u32> = rows.iter().map(|&i| block.codes[i as usize]).collect();
            own.sort_unstable();
            own.dedup();
            for (at, &i) in rows.iter().enumerate() {
                let place = own.partition_point(|&v| v < block.codes[i as usize]);
                places[at * blocks + b] = dim + place * block.width;
            }
            dim += own.len() * block.width;
            levels.extend(own.iter().map(|&v| (b, v as usize)));
        }
        Self {
            levels,
            places,
            dim,
        }
    }
}

/// The rows of Z of a set, in the columns of the levels that they touch.
pub(super) struct Set<'a> {
    pub(super) rows: &'a [u32],
    pub(super) touched: &'a Touched,
    pub(super) structure: &'a Structure,
    pub(super) z: &'a BlockRows,
}

impl Set<'_> {
    /// First column and values of each block in a row.
    fn parts(&self, at: usize) -> impl Iterator<Item = (usize, &[f64])> {
        let blocks = self.structure.blocks.len();
        let i = self.rows[at] as usize;
        let places = &self.touched.places[at * blocks..(at + 1) * blocks];
        let widths = self.structure.blocks.iter().map(|b| b.width);
        let z = widths.zip(self.z).map(move |(k, z)| &z[i * k..(i + 1) * k]);
        places.iter().copied().zip(z)
    }

    /// By the Cholesky factor of (V^-1)_BB.
    pub(super) fn through_rows(&self, s: &[f64], mut right: Vec<f64>, m: usize) -> Option<Forms> {
        let (n, d) = (self.rows.len(), self.touched.dim);
        let mut v = vec![0.0; n * n];
        let mut own = vec![0.0; d];
        for j in 0..n {
            own.fill(0.0);
            for (first, z) in self.parts(j) {
                for (c, &z) in z.iter().enumerate() {
                    small::axpy(-z, &s[(first + c) * d..][..d], &mut own);
                }
            }
            let column = &mut v[j * n..][..n];
            for (i, out) in column.iter_mut().enumerate().skip(j) {
                *out = self
                    .parts(i)
                    .map(|(first, z)| small::dot(z, &own[first..]))
                    .sum();
            }
            column[j] += 1.0;
        }
        let log_det = factorise(&mut v, n)?;
        solve(&v, &mut right, n, m);
        Some(Forms {
            gram: products(&right, n, m),
            log_det,
        })
    }

    /// With S = KK', N = I + ZK (I - K'Z'ZK)^-1 K'Z'.
    pub(super) fn through_levels(&self, s: &[f64], right: &[f64], m: usize) -> Option<Forms> {
        let (n, d) = (self.rows.len(), self.touched.dim);
        let root = semidefinite_root(s, d);
        let (mut squares, mut crossed) = (vec![0.0; d * d], vec![0.0; d * m]);
        for at in 0..n {
            for (first, z) in self.parts(at) {
                for (c, &z) in z.iter().enumerate() {
                    for (other, y) in self.parts(at) {
                        small::axpy(z, y, &mut squares[(first + c) * d + other..][..y.len()]);
                    }
                    for j in 0..m {
                        crossed[first + c + j * d] += z * right[at + j * n];
                    }
                }
            }
        }
        let transposed = |columns: &[f64], m: usize| -> Vec<f64> {
            let mut out = vec![0.0; d * m];
            for (out, column) in out.chunks_exact_mut(d).zip(columns.chunks_exact(d)) {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = small::dot(&root[i * d..][..d], column);
                }
            }
            out
        };
        // K'(Z'Z): its transpose times K is the symmetric product.
        let half = transposed(&squares, d);
        let mut turned = vec![0.0; d * d];
        for j in 0..d {
            for i in 0..d {
                turned[i + j * d] = half[j + i * d];
            }
        }
        let mut w = transposed(&turned, d);
        w.iter_mut().for_each(|v| *v = -*v);
        (0..d).for_each(|j| w[j + j * d] += 1.0);
        let mut taken = transposed(&crossed, m);
        let log_det = factorise(&mut w, d)?;
        solve(&w, &mut taken, d, m);
        let mut gram = products(right, n, m);
        small::axpy(1.0, &products(&taken, d, m), &mut gram);
        Some(Forms { gram, log_det })
    }
}

/// From this size on the dense kernels are faster.
const LARGE: usize = 48;

/// Cholesky factor in place and the logarithm of the determinant.
fn factorise(a: &mut [f64], n: usize) -> Option<f64> {
    let good = if n < LARGE {
        small::cholesky(a, n)
    } else {
        let view = faer::MatMut::from_column_major_slice_mut(a, n, n);
        dense::cholesky(view, &mut dense::Scratch::for_cholesky(n))
    };
    good.then(|| 2.0 * (0..n).map(|j| a[j + j * n].ln()).sum::<f64>())
}

fn solve(lower: &[f64], right: &mut [f64], n: usize, m: usize) {
    if n < LARGE {
        small::solve_lower(lower, right, n, m);
    } else {
        let lower = faer::MatRef::from_column_major_slice(lower, n, n);
        let right = faer::MatMut::from_column_major_slice_mut(right, n, m);
        dense::solve_lower(lower, right, faer::Par::Seq);
    }
}

/// Lower K with KK' = s, a positive semi-definite matrix; columns without information are zero.
fn semidefinite_root(s: &[f64], d: usize) -> Vec<f64> {
    const NOTHING: f64 = 1e-14;
    let mut root = s.to_vec();
    for j in 0..d {
        root[j * d..j * d + j].fill(0.0);
        for h in 0..j {
            let factor = root[j + h * d];
            if factor != 0.0 {
                let (before, own) = root.split_at_mut(j * d);
                small::axpy(-factor, &before[h * d + j..(h + 1) * d], &mut own[j..d]);
            }
        }
        let pivot = root[j + j * d];
        if pivot > NOTHING * s[j + j * d] {
            let scale = pivot.sqrt().recip();
            root[j * d + j..(j + 1) * d]
                .iter_mut()
                .for_each(|v| *v *= scale);
        } else {
            root[j * d + j..(j + 1) * d].fill(0.0);
        }
    }
    root
}

/// Gram matrix of m columns of n values.
fn products(columns: &[f64], n: usize, m: usize) -> Vec<f64> {
    let mut out = vec![0.0; m * m];
    for j in 0..m {
        for i in 0..=j {
            let value = small::dot(&columns[i * n..][..n], &columns[j * n..][..n]);
            out[i + j * m] = value;
            out[j + i * m] = value;
        }
    }
    out
}
