//! W = Z'V^-1Z from the inverse S of Λ'Z'ZΛ + I, for one block: `W = λ'^-1 (I - S) λ^-1`.

use crate::linalg::small;
use crate::products::structure::Block;

/// I - S resolves W while the entries of λ^-1 (relative to the levels' sizes) stay below this.
const ILL_CONDITIONED: f64 = 1e5;

/// Whether λ is far enough from singular for [`complement_of_inverse`].
#[must_use]
pub fn resolves_complement(lambda: &[f64], block: &Block) -> bool {
    resolved_inverse(lambda, block).is_some()
}

/// λ^-1 where it is far enough from singular for I - S to resolve W.
#[must_use]
pub fn resolved_inverse(lambda: &[f64], block: &Block) -> Option<Vec<f64>> {
    let n_obs = block.codes.len() as f64;
    let limit = ILL_CONDITIONED * n_obs / block.n_levels as f64;
    let inverse = inverse(lambda, block.width);
    let resolved = inverse.iter().all(|v| v.is_finite() && v * v < limit);
    resolved.then_some(inverse)
}

/// Sum of W_jj over the levels from that of S_jj.
#[must_use]
pub fn complement_of_inverse(sum: &[f64], lambda: &[f64], block: &Block) -> Vec<f64> {
    let k = block.width;
    let inverse = inverse(lambda, k);
    let mut complement: Vec<f64> = sum.iter().map(|v| -v).collect();
    for i in 0..k {
        complement[i + i * k] += block.n_levels as f64;
    }
    let (mut half, mut out) = (vec![0.0; k * k], vec![0.0; k * k]);
    small::transposed_multiply(&inverse, &complement, &mut half, k);
    small::multiply(&half, &inverse, &mut out, k);
    out
}

fn inverse(lambda: &[f64], k: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; k * k];
    (0..k).for_each(|i| inverse[i + i * k] = 1.0);
    small::solve_general(&mut lambda.to_vec(), &mut inverse, k, k);
    inverse
}
