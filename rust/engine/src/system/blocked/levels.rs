//! Elimination of the levels of one leading block.

use crate::linalg::small;

/// `half` and `N` of every level; the log-determinant of the block, or `None` when a level is not
/// positive definite.
pub fn eliminate_levels(
    diagonal: &[f64],
    lambda: &[f64],
    half: &mut [f64],
    n: &mut [f64],
    k: usize,
) -> Option<f64> {
    if k == 1 {
        let mut log_det = LogProduct::default();
        let l = lambda[0];
        for ((d, half), n) in diagonal.iter().zip(half).zip(n) {
            let pivot = l * l * d + 1.0;
            log_det.multiply(pivot);
            *half = l / pivot.sqrt();
            *n = *half * *half;
        }
        return log_det.value();
    }
    match k {
        2 => eliminate_wide::<2>(diagonal, lambda, half, n, k),
        3 => eliminate_wide::<3>(diagonal, lambda, half, n, k),
        _ => eliminate_wide::<0>(diagonal, lambda, half, n, k),
    }
}

/// For several columns; `K` is k when the compiler should know it, and 0 otherwise.
fn eliminate_wide<const K: usize>(
    diagonal: &[f64],
    lambda: &[f64],
    half: &mut [f64],
    n: &mut [f64],
    k: usize,
) -> Option<f64> {
    let k = if K > 0 { K } else { k };
    let mut log_det = LogProduct::default();
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

/// `F = (I + KΣ)^-1` of one level.
pub fn shrinkage(diagonal: &[f64], sigma: &[f64], f: &mut [f64], system: &mut [f64], k: usize) {
    small::multiply(diagonal, sigma, system, k);
    f.fill(0.0);
    for i in 0..k {
        system[i + i * k] += 1.0;
        f[i + i * k] = 1.0;
    }
    small::solve_general(system, f, k, k);
}

/// log of a product with few calls of `ln`; not finite when a factor is not positive.
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
        if !(1e-30..1e30).contains(&factor) {
            self.log += factor.ln();
            return;
        }
        self.product *= factor;
        if !(1e-200..1e200).contains(&self.product) {
            self.log += self.product.ln();
            self.product = 1.0;
        }
    }

    fn value(self) -> Option<f64> {
        let log = self.log + self.product.ln();
        log.is_finite().then_some(log)
    }
}
