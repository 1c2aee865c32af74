//! Kernels on small square blocks: k × k, column-major, k the number of columns of a random-effects
//! term. They run once per level and evaluation, so nothing here allocates.

use super::Matrix;

/// `out = a b`, all k × k.
#[inline]
pub fn multiply(a: &[f64], b: &[f64], out: &mut [f64], k: usize) {
    out[..k * k].fill(0.0);
    for j in 0..k {
        for h in 0..k {
            let s = b[h + j * k];
            for i in 0..k {
                out[i + j * k] += a[i + h * k] * s;
            }
        }
    }
}

/// `out = a b'`, all k × k.
#[inline]
pub fn multiply_transposed(a: &[f64], b: &[f64], out: &mut [f64], k: usize) {
    out[..k * k].fill(0.0);
    for h in 0..k {
        for j in 0..k {
            let s = b[j + h * k];
            for i in 0..k {
                out[i + j * k] += a[i + h * k] * s;
            }
        }
    }
}

/// `out = a' b`, all k × k.
#[inline]
pub fn transposed_multiply(a: &[f64], b: &[f64], out: &mut [f64], k: usize) {
    for j in 0..k {
        for i in 0..k {
            out[i + j * k] = dot(&a[i * k..(i + 1) * k], &b[j * k..(j + 1) * k]);
        }
    }
}

/// Inner product. Long vectors are summed in lanes, which the processor does side by side and
/// which rounds less than one long sum.
#[must_use]
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    if n < 2 * LANES {
        return a.iter().zip(b).map(|(x, y)| x * y).sum();
    }
    let mut lanes = [0.0; LANES];
    let (whole_a, rest_a) = a.split_at(n - n % LANES);
    let (whole_b, rest_b) = b.split_at(n - n % LANES);
    for (x, y) in whole_a.chunks_exact(LANES).zip(whole_b.chunks_exact(LANES)) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + rest
}

/// `y += s x`.
#[inline]
pub fn axpy(s: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += s * x;
    }
}

/// `out += a b'`, column-major.
#[inline]
pub fn add_outer(out: &mut [f64], a: &[f64], b: &[f64]) {
    for (column, &b) in out.chunks_exact_mut(a.len()).zip(b) {
        for (out, &a) in column.iter_mut().zip(a) {
            *out += a * b;
        }
    }
}

/// Lower Cholesky factor in place (the strict upper triangle is set to zero).
/// False when a pivot is not positive.
#[must_use]
#[inline]
pub fn cholesky(a: &mut [f64], k: usize) -> bool {
    for j in 0..k {
        let mut pivot = a[j + j * k];
        for h in 0..j {
            pivot -= a[j + h * k] * a[j + h * k];
        }
        // Written so that NaN fails too.
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return false;
        }
        let root = pivot.sqrt();
        a[j + j * k] = root;
        for i in j + 1..k {
            let mut s = a[i + j * k];
            for h in 0..j {
                s -= a[i + h * k] * a[j + h * k];
            }
            a[i + j * k] = s / root;
            a[j + i * k] = 0.0;
        }
    }
    true
}

/// `b <- l^-1 b` for a lower triangular l and m columns.
#[inline]
pub fn solve_lower(l: &[f64], b: &mut [f64], k: usize, m: usize) {
    for column in b[..k * m].chunks_exact_mut(k.max(1)) {
        for i in 0..k {
            let mut s = column[i];
            for h in 0..i {
                s -= l[i + h * k] * column[h];
            }
            column[i] = s / l[i + i * k];
        }
    }
}

/// `b <- l'^-1 b` for a lower triangular l and m columns.
pub fn solve_lower_transposed(l: &[f64], b: &mut [f64], k: usize, m: usize) {
    for column in b[..k * m].chunks_exact_mut(k.max(1)) {
        for i in (0..k).rev() {
            let below = dot(&l[i * k + i + 1..(i + 1) * k], &column[i + 1..]);
            column[i] = (column[i] - below) / l[i + i * k];
        }
    }
}

/// `b <- a^-1 b` by elimination with partial pivoting; a is overwritten. Zero pivots give
/// infinities, which the caller sees in the objective.
#[inline]
pub fn solve_general(a: &mut [f64], b: &mut [f64], k: usize, m: usize) {
    for j in 0..k {
        let pivot = (j..k)
            .max_by(|&x, &y| a[x + j * k].abs().total_cmp(&a[y + j * k].abs()))
            .unwrap_or(j);
        if pivot != j {
            for c in 0..k {
                a.swap(j + c * k, pivot + c * k);
            }
            for c in 0..m {
                b.swap(j + c * k, pivot + c * k);
            }
        }
        for i in j + 1..k {
            let s = a[i + j * k] / a[j + j * k];
            if s != 0.0 {
                for c in j + 1..k {
                    a[i + c * k] -= s * a[j + c * k];
                }
                for c in 0..m {
                    b[i + c * k] -= s * b[j + c * k];
                }
            }
        }
    }
    for c in 0..m {
        for i in (0..k).rev() {
            let mut s = b[i + c * k];
            for h in i + 1..k {
                s -= a[i + h * k] * b[h + c * k];
            }
            b[i + c * k] = s / a[i + i * k];
        }
    }
}

/// The lower triangular t with non-negative diagonal and `t t' = s s'`, by Givens rotations of
/// the columns, so that exact zeros stay exact.
#[must_use]
pub fn lower_factor(s: &[f64], k: usize) -> Vec<f64> {
    let mut t = s.to_vec();
    for i in 0..k {
        for j in i + 1..k {
            let (x, y) = (t[i + i * k], t[i + j * k]);
            if y == 0.0 {
                continue;
            }
            let r = x.hypot(y);
            let (c, d) = (x / r, y / r);
            for h in i..k {
                let (u, v) = (t[h + i * k], t[h + j * k]);
                t[h + i * k] = c * u + d * v;
                t[h + j * k] = c * v - d * u;
            }
            t[i + i * k] = r;
            t[i + j * k] = 0.0;
        }
        if t[i + i * k] < 0.0 {
            for h in i..k {
                t[h + i * k] = -t[h + i * k];
            }
        }
    }
    t
}

/// Up to this size [`symmetric_eigen`] is quicker than the blocked algorithm.
pub const EIGEN: usize = 6;

/// Eigenvalues (ascending) and eigenvectors (columns) of a small symmetric matrix with finite
/// entries, by cyclic Jacobi rotations (Golub & Van Loan 2013, section 8.5).
#[must_use]
pub fn symmetric_eigen(a: &Matrix) -> (Vec<f64>, Matrix) {
    const SWEEPS: usize = 30;
    let n = a.rows();
    let mut a = a.clone();
    let mut vectors = Matrix::from_columns(n, n, vec![0.0; n * n]);
    (0..n).for_each(|i| vectors[(i, i)] = 1.0);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for q in 1..n {
            for p in 0..q {
                rotated |= rotate(&mut a, &mut vectors, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[(i, i)].total_cmp(&a[(j, j)]));
    let values = order.iter().map(|&i| a[(i, i)]).collect();
    let columns = order
        .iter()
        .flat_map(|&i| vectors.column(i).iter().copied());
    (values, Matrix::from_columns(n, n, columns.collect()))
}

/// Zeroes the entry (p, q); false when it is nothing beside the diagonal.
fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) -> bool {
    let (n, off) = (a.rows(), a[(p, q)]);
    let (left, right) = (a[(p, p)], a[(q, q)]);
    if off.abs() <= f64::EPSILON * (left.abs() * right.abs()).sqrt() * 0.125 || off == 0.0 {
        a[(p, q)] = 0.0;
        a[(q, p)] = 0.0;
        return false;
    }
    let half = 0.5 * (right - left) / off;
    let t = half.signum() / (half.abs() + half.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for i in 0..n {
        let (x, y) = (a[(i, p)], a[(i, q)]);
        a[(i, p)] = c * x - s * y;
        a[(i, q)] = s * x + c * y;
        let (x, y) = (vectors[(i, p)], vectors[(i, q)]);
        vectors[(i, p)] = c * x - s * y;
        vectors[(i, q)] = s * x + c * y;
    }
    for j in 0..n {
        let (x, y) = (a[(p, j)], a[(q, j)]);
        a[(p, j)] = c * x - s * y;
        a[(q, j)] = s * x + c * y;
    }
    a[(p, q)] = 0.0;
    a[(q, p)] = 0.0;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
        let mut out = vec![0.0; k * k];
        multiply(a, b, &mut out, k);
        out
    }

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-12)
    }

    #[test]
    fn products_agree_with_their_definitions() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, -1.0, 0.5, 2.0]);
        assert!(close(&product(&a, &b, 2), &[2.0, 6.0, 6.5, 9.0]));
        let mut out = [0.0; 4];
        multiply_transposed(&a, &b, &mut out, 2);
        assert!(close(&out, &[6.5, 12.0, 5.0, 6.0]));
        transposed_multiply(&a, &b, &mut out, 2);
        assert!(close(&out, &[3.0, 11.0, 4.5, 9.5]));
    }

    #[test]
    fn inner_products_of_any_length() {
        for n in 0..70 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let squares: f64 = (0..n).map(|i| f64::from(i * i)).sum();
            assert_eq!(dot(&a, &a), squares);
        }
    }

    #[test]
    fn cholesky_of_an_indefinite_block_fails() {
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2));
        assert!(!cholesky(&mut [f64::NAN], 1));
    }

    #[test]
    fn eigenvalues_and_vectors_of_small_matrices() {
        for n in 0..=EIGEN {
            for scale in [1e-9, 1.0, 1e9] {
                let mut a = Matrix::from_columns(n, n, vec![0.0; n * n]);
                for j in 0..n {
                    for i in 0..n {
                        a[(i, j)] = scale
                            * (((i + 1) * (j + 1) * 7 % 11) as f64
                                - 5.0 * f64::from(u8::from(i == j)));
                    }
                }
                let (values, vectors) = symmetric_eigen(&a);
                assert!(values.windows(2).all(|w| w[0] <= w[1]));
                for j in 0..n {
                    for i in 0..n {
                        let back: f64 = (0..n)
                            .map(|h| vectors[(i, h)] * values[h] * vectors[(j, h)])
                            .sum();
                        assert!((back - a[(i, j)]).abs() < 1e-13 * scale * 50.0);
                        let inner = dot(vectors.column(i), vectors.column(j));
                        assert!((inner - f64::from(u8::from(i == j))).abs() < 1e-14 * 10.0);
                    }
                }
            }
        }
    }

    #[test]
    fn general_solve_pivots() {
        let mut b = [3.0, 5.0];
        solve_general(&mut [0.0, 2.0, 1.0, 1.0], &mut b, 2, 1);
        assert!(close(&b, &[1.0, 3.0]));
    }

    #[test]
    fn lower_factor_keeps_the_product_and_exact_zeros() {
        let s = [0.0, 0.0, 2.0, 3.0];
        let t = lower_factor(&s, 2);
        assert_eq!(t[2], 0.0);
        assert_eq!(t[3], 0.0);
        let mut st = vec![0.0; 4];
        let mut tt = vec![0.0; 4];
        multiply_transposed(&s, &s, &mut st, 2);
        multiply_transposed(&t, &t, &mut tt, 2);
        assert!(close(&st, &tt));
    }
}
