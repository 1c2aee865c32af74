//! What is done to each level of a model with one grouping factor, several levels side by side.
//!
//! With D = Z_j'Z_j, C = Z_j'[X y] and N = λ(λ'Dλ + I)^-1λ', every kernel reads the packed lower
//! triangle of D and C from a group of levels. `K` is the width k when the compiler should know it
//! and 0 otherwise. Everything is inlined into the dispatch on the instruction set.

use crate::linalg::lanes::Lane;

/// Place of entry (i, j), i ≥ j, in a packed lower triangle by columns.
#[inline(always)]
pub fn packed(k: usize, i: usize, j: usize) -> usize {
    j * k - j * (j + 1) / 2 + i
}

/// Entries of a packed lower triangle.
#[inline(always)]
pub fn triangle(k: usize) -> usize {
    k * (k + 1) / 2
}

/// The same entry of a symmetric matrix, whichever way round.
#[inline(always)]
pub fn symmetric(k: usize, i: usize, j: usize) -> usize {
    if i >= j {
        packed(k, i, j)
    } else {
        packed(k, j, i)
    }
}

/// Width known to the compiler, or not.
#[inline(always)]
fn width<const K: usize>(k: usize) -> usize {
    if K > 0 {
        K
    } else {
        k
    }
}

/// Room of the kernels for width k and p columns of X.
pub fn scratch_len(k: usize, p: usize) -> usize {
    3 * k * k + k * (p + 2)
}

/// Logarithm of a product of pivots, with few calls of `ln`.
pub struct LogProduct {
    product: Lane,
    log: f64,
}

impl LogProduct {
    pub fn new() -> Self {
        Self {
            product: Lane::splat(1.0),
            log: 0.0,
        }
    }

    #[inline(always)]
    fn multiply(&mut self, factor: Lane) {
        if factor.any_above(1e100) {
            self.log += factor.0.iter().map(|v| v.ln()).sum::<f64>();
            return;
        }
        self.product *= factor;
        if self.product.any_above(1e150) {
            self.flush();
        }
    }

    #[cold]
    fn flush(&mut self) {
        self.log += self.product.0.iter().map(|v| v.ln()).sum::<f64>();
        self.product = Lane::splat(1.0);
    }

    pub fn value(mut self) -> f64 {
        self.flush();
        self.log
    }
}

/// Factorises one group: writes N, adds (half C)'(half C) to `gram`, where half = L^-1 λ'.
/// False when a level is not positive definite.
#[inline(always)]
pub fn factorise<const K: usize>(
    (k, p): (usize, usize),
    level: &[Lane],
    lambda: &[f64],
    n: &mut [Lane],
    gram: &mut [Lane],
    log_det: &mut LogProduct,
    scratch: &mut [Lane],
) -> bool {
    let k = width::<K>(k);
    let (d, c) = level.split_at(triangle(k));
    let (m, rest) = scratch.split_at_mut(k * k);
    let (half, rest) = rest.split_at_mut(k * k);
    let inverse_pivots = &mut rest[..k];
    // t = Dλ, in the room of `half`; m = λ't + I.
    for j in 0..k {
        for i in 0..k {
            let mut sum = Lane::default();
            for h in 0..k {
                sum += d[symmetric(k, i, h)] * lambda[h + j * k];
            }
            half[i + j * k] = sum;
        }
    }
    for j in 0..k {
        for i in j..k {
            let mut sum = Lane::splat(f64::from(u8::from(i == j)));
            for h in 0..k {
                sum += half[h + j * k] * lambda[h + i * k];
            }
            m[i + j * k] = sum;
        }
    }
    let mut positive = true;
    for j in 0..k {
        let mut pivot = m[j + j * k];
        for h in 0..j {
            pivot = pivot - m[j + h * k] * m[j + h * k];
        }
        positive &= pivot.all_positive();
        log_det.multiply(pivot);
        let inverse = pivot.sqrt().recip();
        inverse_pivots[j] = inverse;
        for i in j + 1..k {
            let mut sum = m[i + j * k];
            for h in 0..j {
                sum = sum - m[i + h * k] * m[j + h * k];
            }
            m[i + j * k] = sum * inverse;
        }
    }
    for j in 0..k {
        for i in 0..k {
            let mut sum = Lane::splat(lambda[j + i * k]);
            for h in 0..i {
                sum = sum - m[i + h * k] * half[h + j * k];
            }
            half[i + j * k] = sum * inverse_pivots[i];
        }
    }
    for j in 0..k {
        for i in j..k {
            let mut sum = Lane::default();
            for h in 0..k {
                sum += half[h + i * k] * half[h + j * k];
            }
            n[packed(k, i, j)] = sum;
        }
    }
    let columns = p + 1;
    let e = &mut rest[..columns];
    for i in 0..k {
        for (x, e) in e.iter_mut().enumerate() {
            *e = Lane::default();
            for h in 0..k {
                *e += half[i + h * k] * c[h + x * k];
            }
        }
        let mut at = 0;
        for x in 0..columns {
            for z in x..columns {
                gram[at] += e[x] * e[z];
                at += 1;
            }
        }
    }
    positive
}

/// The scores c = Z_j'V^-1(y - Xβ) of one group: (I - DN)(C_y - C_X β).
#[inline(always)]
pub fn scores<const K: usize>(
    (k, p): (usize, usize),
    level: &[Lane],
    n: &[Lane],
    beta: &[f64],
    out: &mut [Lane],
    scratch: &mut [Lane],
) {
    let k = width::<K>(k);
    let d = &level[..triangle(k)];
    let (r, rest) = scratch.split_at_mut(k);
    let modes = &mut rest[..k];
    residual_products::<K>((k, p), level, beta, r);
    product_with_symmetric::<K>(k, n, r, modes);
    product_with_symmetric::<K>(k, d, modes, out);
    for i in 0..k {
        out[i] = r[i] - out[i];
    }
}

/// The conditional modes N(C_y - C_X β) of one group.
#[inline(always)]
pub fn modes<const K: usize>(
    (k, p): (usize, usize),
    level: &[Lane],
    n: &[Lane],
    beta: &[f64],
    out: &mut [Lane],
    scratch: &mut [Lane],
) {
    let k = width::<K>(k);
    let r = &mut scratch[..k];
    residual_products::<K>((k, p), level, beta, r);
    product_with_symmetric::<K>(k, n, r, out);
}

/// C_y - C_X β.
#[inline(always)]
fn residual_products<const K: usize>(
    (k, p): (usize, usize),
    level: &[Lane],
    beta: &[f64],
    out: &mut [Lane],
) {
    let k = width::<K>(k);
    let c = &level[triangle(k)..];
    out[..k].copy_from_slice(&c[p * k..(p + 1) * k]);
    for (x, &b) in beta.iter().enumerate() {
        for i in 0..k {
            out[i] = out[i] - c[i + x * k] * b;
        }
    }
}

#[inline(always)]
fn product_with_symmetric<const K: usize>(k: usize, a: &[Lane], v: &[Lane], out: &mut [Lane]) {
    let k = width::<K>(k);
    for i in 0..k {
        out[i] = Lane::default();
        for h in 0..k {
            out[i] += a[symmetric(k, i, h)] * v[h];
        }
    }
}

/// Where the sums of [`accumulate`] stand in their buffer.
#[derive(Debug, Clone, Copy)]
pub struct SumsLayout {
    /// Packed Σ W_j.
    pub w: usize,
    /// Packed Σ c_j c_j'.
    pub cc: usize,
    /// Σ (c c')_P W_Q for packed entries P, Q; Q runs fastest.
    pub pairs: usize,
    /// Σ b̃_x c_b for a, b, x: entry (a + b k) p + x, with B̃ = (I - DN) C_X L_X^-T.
    pub cross: usize,
    /// Packed Σ B̃ B̃'.
    pub bb: usize,
    pub len: usize,
}

impl SumsLayout {
    pub fn new(k: usize, p: usize) -> Self {
        let t = triangle(k);
        let (w, cc) = (0, t);
        let pairs = cc + t;
        let cross = pairs + t * t;
        let bb = cross + k * k * p;
        Self {
            w,
            cc,
            pairs,
            cross,
            bb,
            len: bb + t,
        }
    }
}

/// Adds the sums over the levels of one group that the derivatives are made of; `scores` are the
/// c_j and `x_factor` the lower factor of X'V^-1X with leading dimension p + 1.
#[inline(always)]
pub fn accumulate<const K: usize>(
    (k, p): (usize, usize),
    (level, n, scores): (&[Lane], &[Lane], &[Lane]),
    x_factor: &[f64],
    sums: &mut [Lane],
    at: SumsLayout,
    scratch: &mut [Lane],
) {
    let k = width::<K>(k);
    let t = triangle(k);
    let (d, c) = level.split_at(t);
    let (f, rest) = scratch.split_at_mut(k * k);
    let (w, rest) = rest.split_at_mut(t);
    let b = &mut rest[..k * p];
    for j in 0..k {
        for i in 0..k {
            let mut sum = Lane::splat(f64::from(u8::from(i == j)));
            for h in 0..k {
                sum = sum - d[symmetric(k, i, h)] * n[symmetric(k, h, j)];
            }
            f[i + j * k] = sum;
        }
    }
    for j in 0..k {
        for i in j..k {
            let mut sum = Lane::default();
            for h in 0..k {
                sum += f[i + h * k] * d[symmetric(k, h, j)];
            }
            w[packed(k, i, j)] = sum;
        }
    }
    for (sum, w) in sums[at.w..at.w + t].iter_mut().zip(w.iter()) {
        *sum += *w;
    }
    let mut pair = 0;
    for j in 0..k {
        for i in j..k {
            let cc = scores[i] * scores[j];
            sums[at.cc + pair] += cc;
            let row = &mut sums[at.pairs + pair * t..at.pairs + (pair + 1) * t];
            for (sum, w) in row.iter_mut().zip(w.iter()) {
                *sum += cc * *w;
            }
            pair += 1;
        }
    }
    for x in 0..p {
        for i in 0..k {
            let mut sum = Lane::default();
            for h in 0..k {
                sum += f[i + h * k] * c[h + x * k];
            }
            for z in 0..x {
                sum = sum - b[i + z * k] * x_factor[x + z * (p + 1)];
            }
            b[i + x * k] = sum * (1.0 / x_factor[x + x * (p + 1)]);
        }
    }
    for j in 0..k {
        for i in 0..k {
            let row = &mut sums[at.cross + (i + j * k) * p..][..p];
            for (x, sum) in row.iter_mut().enumerate() {
                *sum += b[i + x * k] * scores[j];
            }
        }
        for i in j..k {
            let mut sum = Lane::default();
            for x in 0..p {
                sum += b[i + x * k] * b[j + x * k];
            }
            sums[at.bb + packed(k, i, j)] += sum;
        }
    }
}
