//! Conditional covariances of the random effects.

use crate::linalg::small;
use crate::model::Frame;

/// Conditional covariances of the random effects of one grouping factor.
#[derive(Debug, Clone)]
pub struct ConditionalVariances {
    /// Terms of the block, in the order of their columns.
    pub terms: Vec<usize>,
    /// Number of columns.
    pub width: usize,
    /// width × width for each level, relative to σ².
    pub values: Vec<f64>,
}

impl ConditionalVariances {
    /// From the basis of the engine, width × width for each level of each block.
    #[must_use]
    pub fn of_blocks(frame: &Frame, diagonals: Vec<Vec<f64>>) -> Vec<Self> {
        let blocks = frame.structure.blocks.iter().zip(diagonals);
        blocks
            .map(|(block, mut values)| {
                let width = block.width;
                let mut map = vec![0.0; width * width];
                for &(t, offset) in &block.terms {
                    let k = frame.design.terms[t].k;
                    for e in 0..k * k {
                        map[offset + e % k + (offset + e / k) * width] =
                            frame.terms[t].transform[e];
                    }
                }
                let mut half = vec![0.0; width * width];
                for level in values.chunks_exact_mut(width * width) {
                    small::multiply(&map, level, &mut half, width);
                    small::multiply_transposed(&half, &map, level, width);
                }
                Self {
                    terms: block.terms.iter().map(|&(t, _)| t).collect(),
                    width,
                    values,
                }
            })
            .collect()
    }
}
