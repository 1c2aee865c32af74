//! The costs of a dense trailing matrix.

use super::{trailing_rows, variate_bytes, BlockCosts, Bytes, Flops, Kind, NUMBER};
use crate::products::structure::Structure;

/// The inverse, and that of the factor, which is formed on the way.
const INVERSES: f64 = 2.0;

/// Bytes of cross-products, factor and inverse in this dimension.
#[must_use]
pub fn dense_trailing_bytes(dim: f64) -> f64 {
    (2.0 + INVERSES) * NUMBER * dim * dim
}

/// Trailing blocks and X; `alone` as in [`super::leading::LeadingBlock::costs`].
pub fn blocks(structure: &Structure, n_theta: usize, alone: bool) -> Vec<BlockCosts> {
    // The elimination of a single factor needs no inverse.
    let n_theta = (!alone).then_some(n_theta);
    trailing_rows(structure)
        .map(|rows| BlockCosts {
            kind: Kind::Dense,
            cols: structure.trailing_dim(),
            fill: 1.0,
            bytes: bytes(structure, rows.n_levels * rows.width, n_theta),
            flops: flops(structure, rows.start, rows.n_levels * rows.width, n_theta),
            terms: rows.terms,
            n_levels: rows.n_levels,
            width: rows.width,
        })
        .collect()
}

/// The part of as many rows in the dense trailing matrices; no parameters, no inverse.
fn bytes(structure: &Structure, rows: usize, n_theta: Option<usize>) -> Bytes {
    let matrix = NUMBER * rows as f64 * structure.trailing_dim() as f64;
    let (inverse, variates) = match n_theta {
        None => (0.0, 0.0),
        Some(n_theta) => (
            INVERSES * matrix,
            variate_bytes(rows as f64, n_theta as f64),
        ),
    };
    Bytes {
        cross_products: matrix,
        factor: matrix,
        inverse: inverse + variates,
    }
}

/// The part of the rows from `start` on in factorising and inverting the trailing matrix.
fn flops(structure: &Structure, start: usize, rows: usize, n_theta: Option<usize>) -> Flops {
    let before = (structure.trailing_dim() - start) as f64;
    let after = before - rows as f64;
    let value = (before.powi(3) - after.powi(3)) / 3.0;
    let (inverse, variates) = match n_theta {
        None => (0.0, 0.0),
        Some(n_theta) => {
            let n_theta = n_theta as f64;
            let area = before * before - after * after;
            let sums = 4.0 * n_theta * rows as f64;
            (2.0 * value, n_theta * (3.0 * area + sums))
        }
    };
    Flops {
        value,
        derivatives: inverse + variates,
    }
}
