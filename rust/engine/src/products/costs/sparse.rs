//! The costs of a sparse trailing matrix, which holds all blocks.

use super::{trailing_rows, variate_bytes, BlockCosts, Bytes, Flops, Kind, NUMBER};
use crate::linalg::supernodal::{multiplications, Analysis};
use crate::products::level_graph::Levels;
use crate::products::structure::Structure;

/// Blocks and X. What supernodes share is shared out by their columns; room that serves them one
/// after the other, by stored numbers.
pub fn blocks(structure: &Structure, analysis: &Analysis, n_theta: usize) -> Vec<BlockCosts> {
    let shares = shares(structure, analysis);
    let dim = structure.trailing_dim();
    let sizes = &analysis.sizes;
    let factor: f64 = NUMBER * sizes.panels as f64;
    let room = sizes.bytes_with_copy() - factor;
    let fixed = NUMBER * (structure.rank * structure.rank) as f64;
    let products = structure.sparse_products.iter().copied().chain([fixed]);
    trailing_rows(structure)
        .zip(shares)
        .zip(products)
        .map(|((rows, share), cross_products)| {
            let size = (rows.n_levels * rows.width) as f64;
            let own = NUMBER * share.stored;
            let variates = variate_bytes(size, n_theta as f64);
            let variate_flops = 6.0 * n_theta as f64 * (share.stored + n_theta as f64 * size);
            BlockCosts {
                terms: rows.terms,
                kind: Kind::Sparse,
                n_levels: rows.n_levels,
                width: rows.width,
                cols: dim,
                fill: share.stored / (size * dim as f64).max(1.0),
                bytes: Bytes {
                    cross_products,
                    factor: own,
                    inverse: room * own / factor + variates,
                },
                flops: Flops {
                    value: share.flops,
                    // The inverse takes twice as many as the factor.
                    derivatives: 2.0 * share.flops + variate_flops,
                },
            }
        })
        .collect()
}

/// The part of a block in the factor.
#[derive(Clone, Copy, Default)]
struct Share {
    /// Numbers stored.
    stored: f64,
    /// Operations of the factorisation.
    flops: f64,
}

/// Of each block, X last.
fn shares(structure: &Structure, analysis: &Analysis) -> Vec<Share> {
    let levels = Levels::new(structure);
    let n_blocks = structure.blocks.len();
    let mut out = vec![Share::default(); n_blocks + 1];
    for s in &analysis.supernodes {
        let flops = 2.0 * multiplications(s.width, s.below()) / s.width as f64;
        let mut add = |b: usize, columns: usize| {
            out[b].stored += (columns * s.height()) as f64;
            out[b].flops += columns as f64 * flops;
        };
        for position in s.nodes.clone() {
            let node = analysis.order[position] as usize;
            add(levels.of(node).0, analysis.columns(position).len());
        }
        if s.nodes.is_empty() {
            add(n_blocks, s.width);
        }
    }
    out
}
