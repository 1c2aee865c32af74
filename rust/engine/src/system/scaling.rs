//! Λ' and Λ times columns, block by block.

use crate::products::stacked::Stacked;
use crate::products::structure::Structure;

/// `v <- Λ'v`, in place: the spherical random effects of a dual.
pub fn spherical(v: &mut Stacked, structure: &Structure, lambda: &[Vec<f64>]) {
    let m = v.m;
    for (b, block) in structure.blocks.iter().enumerate() {
        let rows = v.block_mut(structure, b);
        level_rows(rows, m, block.width, &lambda[b], true);
    }
}

/// `rows <- λ' rows` (`transposed`) or `λ rows` for each level of a block, row-major with m columns.
pub fn level_rows(values: &mut [f64], m: usize, k: usize, lambda: &[f64], transposed: bool) {
    if k == 1 {
        values.iter_mut().for_each(|v| *v *= lambda[0]);
        return;
    }
    let (mut segment, mut buffer) = (vec![0.0; k], vec![0.0; k]);
    for level in values.chunks_exact_mut(k * m) {
        for c in 0..m {
            for (h, s) in segment.iter_mut().enumerate() {
                *s = level[h * m + c];
            }
            apply(lambda, transposed, &mut segment, &mut buffer);
            for (h, s) in segment.iter().enumerate() {
                level[h * m + c] = *s;
            }
        }
    }
}

/// `segment <- λ' segment` (`transposed`) or `λ segment`.
pub fn apply(lambda: &[f64], transposed: bool, segment: &mut [f64], buffer: &mut [f64]) {
    let k = segment.len();
    if k == 1 {
        segment[0] *= lambda[0];
        return;
    }
    for (i, out) in buffer[..k].iter_mut().enumerate() {
        *out = (0..k)
            .map(|h| segment[h] * lambda[if transposed { h + i * k } else { i + h * k }])
            .sum();
    }
    segment.copy_from_slice(&buffer[..k]);
}
