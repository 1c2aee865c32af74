//! Which of two ways to eliminate the random effects is the cheaper one.
//!
//! *Blocked*: the longest nested chain level by level, then one dense matrix. It is the faster one
//! where the rest is small or its levels meet nearly all others. *Sparse*: all levels in an order
//! that keeps the factor sparse. It wins where many levels are seen a few times, and where several
//! factors are partly nested.

use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::linalg::memory;
use crate::linalg::supernodal::{Analysis, Graph};
use crate::products::costs::dense_trailing_bytes;
use crate::products::level_graph::{level_graph, ByLevel, Levels};
use crate::products::structure::{Block, Structure};

/// How to eliminate the random effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Whichever is predicted to take less time.
    Cheapest,
    Blocked,
    Sparse,
}

/// Below this predicted time (multiplications at full speed) nothing can be gained.
const NEGLIGIBLE: f64 = 5e7;
/// An entry that is updated by itself takes as long as this many multiplications in a large product.
const SCATTERED: f64 = 12.0;
/// The sparse factorisation is not looked at when eliminating the leading block fills at least this
/// share of the trailing matrix ...
const FILLED: f64 = 0.5;
/// ... unless that takes this many times as long as the factorisation of the rest ...
const LOPSIDED: f64 = 2.0;
/// ... or more than this share of the trailing levels have few observations: those are worth
/// eliminating first.
const RARE_SHARE: f64 = 0.1;
const FEW_OBSERVATIONS: usize = 8;

/// The structure of a design, for X of this rank, in the memory there is.
pub fn structure(design: &Predictors, rank: usize, layout: Layout) -> Result<Structure> {
    structure_in(&memory::suffices, design, rank, layout)
}

/// The same, also where there is not memory enough: to tell how much is missing.
pub fn described_structure(design: &Predictors, rank: usize) -> Result<Structure> {
    match structure(design, rank, Layout::Cheapest) {
        Err(Error::Memory { .. }) => structure_in(&|_| true, design, rank, Layout::Cheapest),
        found => found,
    }
}

fn structure_in(
    room_for: &dyn Fn(f64) -> bool,
    design: &Predictors,
    rank: usize,
    layout: Layout,
) -> Result<Structure> {
    let blocked = Structure::blocked(design, rank)?;
    let forecast = Forecast::new(&blocked)?;
    let fits = room_for(forecast.bytes);
    let look = match layout {
        Layout::Cheapest => !fits || forecast.is_worth_a_look(&blocked)?,
        Layout::Blocked => false,
        Layout::Sparse => true,
    };
    if !look {
        return if fits {
            Ok(blocked)
        } else {
            Err(refusal(&blocked, forecast.bytes))
        };
    }
    let graph = level_graph(&blocked)?;
    let analysis = Analysis::new(&graph, rank)?;
    let products = sparse_products(&blocked, &graph, rank);
    let bytes = products.iter().sum::<f64>() + analysis.sizes.bytes_with_copy();
    let faster = layout == Layout::Sparse || !fits || analysis.sizes.time < forecast.time;
    if faster && room_for(bytes) {
        Ok(blocked.into_sparse(analysis, products))
    } else if fits && layout == Layout::Cheapest {
        Ok(blocked)
    } else {
        Err(refusal(&blocked, bytes.min(forecast.bytes)))
    }
}

pub fn refusal(structure: &Structure, bytes: f64) -> Error {
    let effects: usize = structure.blocks.iter().map(Block::dim).sum();
    Error::Memory {
        what: format!(
            "the factorisation of {effects} random effects and {} fixed effects",
            structure.rank
        ),
        gib: bytes / f64::from(1 << 30),
    }
}

/// Bytes of the cross-products of each block: entries of two levels are stored once, with two indices
/// to find them; four more tell where a level belongs.
fn sparse_products(structure: &Structure, graph: &Graph, border: usize) -> Vec<f64> {
    const PAIR: f64 = 12.0;
    const LEVEL: f64 = 16.0;
    let levels = Levels::new(structure);
    let bytes = |node: usize| {
        let met = graph.neighbours(node);
        let columns: u32 = met.iter().map(|&v| graph.widths[v as usize]).sum();
        let width = f64::from(graph.widths[node]);
        let values = 8.0 * width * (0.5 * f64::from(columns) + width + border as f64);
        values + PAIR * (0.5 * met.len() as f64 + 1.0) + LEVEL
    };
    let blocks = levels.first.windows(2);
    blocks
        .map(|nodes| (nodes[0]..nodes[1]).map(bytes).sum())
        .collect()
}

/// What the blocked way takes, as far as the numbers of levels and observations tell.
struct Forecast {
    /// Multiplications at full speed that take as long.
    time: f64,
    /// The part of it for the trailing matrix.
    dense_time: f64,
    bytes: f64,
    /// Entries of the trailing matrix that the leading blocks update, counted with repetition.
    updates: f64,
}

impl Forecast {
    fn new(structure: &Structure) -> Result<Self> {
        let dim = structure.trailing_dim() as f64;
        let q = structure.n_trailing as f64;
        let rank = structure.rank as f64;
        let reach: usize = structure.trailing().map(|(_, block)| block.width).sum();
        let dense_time = dim * dim * (dim / 6.0 + SCATTERED);
        let mut out = Self {
            time: dense_time,
            dense_time,
            bytes: dense_trailing_bytes(dim),
            updates: 0.0,
        };
        for block in structure.leading() {
            // Cross-products, factor and adjoint of its levels.
            out.bytes += 4.0 * 8.0 * (block.dim() * block.width) as f64;
        }
        if structure.n_trailing == 0 {
            return Ok(out);
        }
        for block in structure.leading() {
            let k = block.width as f64;
            let by_level = ByLevel::new(block)?;
            for level in 0..block.n_levels {
                let met = (by_level.of(level).len() * reach) as f64;
                let met = met.min(q);
                // Only a single leading block is stored dense where it meets (nearly) everything.
                let is_dense = structure.n_leading == 1 && met == q;
                let multiplications = k * (k * k + k * (met + rank) + (met + rank).powi(2)) / 2.0;
                out.time += multiplications * if is_dense { 1.0 } else { SCATTERED };
                out.bytes += 2.0 * 8.0 * k * (met + rank);
                out.updates += met * met;
            }
        }
        Ok(out)
    }

    fn is_worth_a_look(&self, structure: &Structure) -> Result<bool> {
        if self.time < NEGLIGIBLE {
            return Ok(false);
        }
        let q = structure.n_trailing as f64;
        Ok(self.updates < FILLED * q * q
            || self.time > LOPSIDED * self.dense_time
            || rare_share(structure)? > RARE_SHARE)
    }
}

/// Share of the trailing levels that have few observations.
fn rare_share(structure: &Structure) -> Result<f64> {
    let (mut rare, mut all) = (0, 0);
    for (_, block) in structure.trailing() {
        let by_level = ByLevel::new(block)?;
        all += block.n_levels;
        rare += (0..block.n_levels)
            .filter(|&level| by_level.of(level).len() <= FEW_OBSERVATIONS)
            .count();
    }
    Ok(f64::from(rare as u32) / f64::from((all as u32).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::covariance::Unstructured;
    use crate::design::Term;
    use crate::linalg::Matrix;
    use crate::products::structure::TrailingKind;

    /// Scalar terms with levels that look random.
    fn design(n: usize, levels: &[usize]) -> Predictors {
        let level = |i: usize, f: usize| {
            let mixed = (i as u64 + 1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15 + 2 * f as u64)
                .rotate_left(29)
                .wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (mixed % levels[f] as u64) as u32
        };
        with_codes(
            n,
            (0..levels.len())
                .map(|f| ((0..n).map(|i| level(i, f)).collect(), levels[f]))
                .collect(),
        )
    }

    fn with_codes(n: usize, factors: Vec<(Vec<u32>, usize)>) -> Predictors {
        let terms = factors.into_iter().map(|(codes, n_levels)| Term {
            codes: codes.into(),
            n_levels,
            z: vec![1.0; n].into(),
            k: 1,
            covariance: Arc::new(Unstructured),
        });
        Predictors {
            x: Matrix::from_columns(n, 1, vec![1.0; n]).into(),
            terms: terms.collect(),
            weights: None,
            offset: None,
        }
    }

    fn is_sparse(structure: &Structure) -> bool {
        matches!(structure.trailing_kind, TrailingKind::Sparse(_))
    }

    fn chosen(design: &Predictors) -> Structure {
        structure_in(&|_| true, design, 1, Layout::Cheapest).expect("room")
    }

    #[test]
    fn single_nested_and_densely_crossed_factors_are_blocked() {
        assert!(!is_sparse(&chosen(&design(9000, &[3000]))));
        assert!(!is_sparse(&chosen(&design(60_000, &[2000, 1000]))));
        let nested = with_codes(
            9000,
            vec![
                ((0..9000).map(|i| i / 3).collect(), 3000),
                ((0..9000).map(|i| i / 30).collect(), 300),
            ],
        );
        assert!(!is_sparse(&chosen(&nested)));
    }

    #[test]
    fn sparsely_crossed_factors_are_sparse() {
        let structure = chosen(&design(9000, &[6000, 5000, 3000]));
        assert!(is_sparse(&structure));
        assert_eq!(structure.n_leading, 0);
        assert_eq!(structure.n_trailing, 14_000);
    }

    #[test]
    fn what_does_not_fit_as_one_dense_matrix_is_sparse() {
        // Too small for the time to matter.
        let design = design(900, &[600, 500]);
        assert!(!is_sparse(&chosen(&design)));
        let blocked = Structure::blocked(&design, 1).expect("room");
        let dense = Forecast::new(&blocked).expect("room").bytes;
        let structure =
            structure_in(&|b| b <= 0.9 * dense, &design, 1, Layout::Cheapest).expect("room");
        assert!(is_sparse(&structure));
    }

    #[test]
    fn what_does_not_fit_at_all_is_refused() {
        for layout in [Layout::Cheapest, Layout::Blocked, Layout::Sparse] {
            let refused = structure_in(&|b| b <= 1e4, &design(900, &[600, 500]), 1, layout);
            assert!(matches!(refused, Err(Error::Memory { .. })));
        }
    }
}
