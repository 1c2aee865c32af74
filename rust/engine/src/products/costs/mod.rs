//! What a model costs, block by block: the memory it takes and the floating-point operations of an
//! evaluation. Known from the structure and the patterns of the couplings, before their values are.
//!
//! Operations are the leading terms: an addition and a multiplication for each product. Memory is
//! that of cross-products and solver; the data, and copies of them while a model is built, come on
//! top.

mod dense;
mod leading;
mod sparse;

use crate::products::pattern::Pattern;
use crate::products::structure::{Structure, TrailingKind};
use leading::LeadingBlock;

pub use dense::dense_trailing_bytes;

/// Bytes of a number.
const NUMBER: f64 = size_of::<f64>() as f64;

/// How a block is stored and eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Level by level.
    BlockDiagonal(Storage),
    /// With the other trailing blocks and X as one dense matrix.
    Dense,
    /// With all other blocks as one sparse matrix, in an order that keeps its factor sparse.
    Sparse,
}

/// How the coupling of a block diagonal block to the trailing rows is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    Dense,
    Sparse,
}

impl Kind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BlockDiagonal(_) => "block diagonal",
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }

    /// How its rows are stored against the trailing ones.
    #[must_use]
    pub fn coupling(self) -> &'static str {
        match self {
            Self::BlockDiagonal(Storage::Sparse) | Self::Sparse => "sparse",
            Self::BlockDiagonal(Storage::Dense) | Self::Dense => "dense",
        }
    }
}

/// Memory by its use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bytes {
    pub cross_products: f64,
    pub factor: f64,
    /// The inverse and what else the derivatives need.
    pub inverse: f64,
}

impl Bytes {
    #[must_use]
    pub fn total(self) -> f64 {
        self.cross_products + self.factor + self.inverse
    }
}

/// Operations of an evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flops {
    pub value: f64,
    /// What gradient and information add to those of the value.
    pub derivatives: f64,
}

impl Flops {
    #[must_use]
    pub fn total(self) -> f64 {
        self.value + self.derivatives
    }
}

/// The costs of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockCosts {
    /// Terms of the design in this block; none for that of X.
    pub terms: Vec<usize>,
    pub kind: Kind,
    pub n_levels: usize,
    pub width: usize,
    /// Trailing rows, X included, that the block's coupling or its part of the trailing matrix spans.
    pub cols: usize,
    /// Share of the rows × cols cells that is stored; of the factor where that is sparse.
    pub fill: f64,
    pub bytes: Bytes,
    pub flops: Flops,
}

impl BlockCosts {
    /// Random effects, or columns of X.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.n_levels * self.width
    }
}

/// What a model makes of its cross-products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// They are eliminated as they are. A single factor has an elimination of its own.
    AsTheyAre,
    /// The rows are weighed anew in so many systems, each with cross-products and a factor of its own.
    Reweighed(usize),
}

impl Use {
    fn is_alone(self, structure: &Structure) -> bool {
        self == Self::AsTheyAre && structure.one_factor().is_some()
    }

    fn bytes(self, bytes: Bytes) -> Bytes {
        let Self::Reweighed(systems) = self else {
            return bytes;
        };
        Bytes {
            cross_products: systems as f64 * bytes.cross_products,
            factor: systems as f64 * bytes.factor,
            // Derivatives go through one of them.
            inverse: bytes.inverse,
        }
    }
}

/// The costs of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// In elimination order, X last.
    pub blocks: Vec<BlockCosts>,
}

impl Costs {
    /// Of a model with this structure, whose leading blocks have these patterns, for as many
    /// parameters in theta.
    #[must_use]
    pub fn new(structure: &Structure, patterns: &[Pattern], n_theta: usize, used: Use) -> Self {
        let alone = used.is_alone(structure);
        let leading = patterns
            .iter()
            .enumerate()
            .map(|(b, pattern)| LeadingBlock::new(structure, b, pattern).costs(n_theta, alone));
        let trailing = match &structure.trailing_kind {
            TrailingKind::Dense => dense::blocks(structure, n_theta, alone),
            TrailingKind::Sparse(analysis) => sparse::blocks(structure, analysis, n_theta),
        };
        let blocks = leading.chain(trailing).map(|block| BlockCosts {
            bytes: used.bytes(block.bytes),
            ..block
        });
        Self {
            blocks: blocks.collect(),
        }
    }

    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.blocks.iter().fold(Bytes::default(), |sum, b| Bytes {
            cross_products: sum.cross_products + b.bytes.cross_products,
            factor: sum.factor + b.bytes.factor,
            inverse: sum.inverse + b.bytes.inverse,
        })
    }

    #[must_use]
    pub fn flops(&self) -> Flops {
        self.blocks.iter().fold(Flops::default(), |sum, b| Flops {
            value: sum.value + b.flops.value,
            derivatives: sum.derivatives + b.flops.derivatives,
        })
    }

    /// Operations of eliminating the leading blocks.
    #[must_use]
    pub fn elimination_flops(&self) -> f64 {
        let leading = self
            .blocks
            .iter()
            .filter(|b| matches!(b.kind, Kind::BlockDiagonal(_)));
        leading.map(|b| b.flops.value).sum()
    }
}

/// Where a block stands in the trailing matrix.
struct TrailingRows {
    start: usize,
    terms: Vec<usize>,
    n_levels: usize,
    width: usize,
}

/// Trailing blocks, then X.
fn trailing_rows(structure: &Structure) -> impl Iterator<Item = TrailingRows> + '_ {
    let fixed = TrailingRows {
        start: structure.n_trailing,
        terms: Vec::new(),
        n_levels: 1,
        width: structure.rank,
    };
    let random = structure.trailing().map(|(start, block)| TrailingRows {
        start,
        terms: block.terms.iter().map(|&(t, _)| t).collect(),
        n_levels: block.n_levels,
        width: block.width,
    });
    random.chain([fixed])
}

/// Working variates and their products with A.
fn variate_bytes(rows: f64, n_theta: f64) -> f64 {
    2.0 * NUMBER * rows * n_theta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{frame, Levels};
    use crate::model::frame::costs;
    use crate::model::Frame;
    use crate::products::coupling::Coupling;
    use crate::products::layout::Layout;

    #[test]
    fn the_cross_products_take_as_many_bytes_as_announced() {
        let designs: [&[Levels]; 4] = [
            &[Levels::Random(40, 2)],
            &[Levels::Random(60, 1), Levels::Random(30, 2)],
            &[
                Levels::Random(20, 2),
                Levels::Random(9, 1),
                Levels::Random(4, 3),
            ],
            &[
                Levels::Within(60, 2, 1),
                Levels::Within(12, 10, 2),
                Levels::Random(7, 1),
            ],
        ];
        for terms in designs {
            let frame = frame(120, 3, terms);
            let a = &frame.cross_products;
            let trailing = a
                .trailing
                .dense()
                .expect("small models are eliminated by blocks");
            let mut bytes = 8 * trailing.data().len();
            for leading in &a.leading {
                let ancestors: usize = leading.ancestors.iter().map(Vec::len).sum();
                bytes += 8 * (leading.diagonal.len() + ancestors);
                bytes += match &leading.coupling {
                    Coupling::Dense(values) => 8 * values.len(),
                    Coupling::Sparse(s) => {
                        8 * (s.values.len() + s.fixed.len() + s.ranges.len()) + 4 * s.rows.len()
                    }
                };
            }
            assert_eq!(frame.costs.bytes().cross_products, bytes as f64);
        }
    }

    #[test]
    fn trailing_blocks_share_one_factorisation_and_one_inversion() {
        let frame = frame(
            120,
            3,
            &[
                Levels::Random(40, 1),
                Levels::Random(9, 2),
                Levels::Random(5, 1),
            ],
        );
        let trailing = frame.costs.blocks.iter().filter(|b| b.kind == Kind::Dense);
        let dim = frame.structure.trailing_dim();
        assert_eq!(dim, 9 * 2 + 5 + 3);
        assert_eq!(trailing.clone().map(BlockCosts::rows).sum::<usize>(), dim);
        let value: f64 = trailing.map(|b| b.flops.value).sum();
        assert!((value - (dim as f64).powi(3) / 3.0).abs() < 1e-9 * value);
    }

    #[test]
    fn costs_are_known_without_the_cross_products() {
        let frame = frame(120, 3, &[Levels::Random(60, 1), Levels::Random(30, 2)]);
        assert_eq!(
            costs(&frame.design, Use::AsTheyAre).expect("valid"),
            frame.costs
        );
    }

    #[test]
    fn the_parts_of_a_sparse_matrix_add_up() {
        let design = frame(300, 3, &[Levels::Random(90, 2), Levels::Random(70, 1)])
            .design
            .as_ref()
            .clone();
        let frame = Frame::with_layout(design, Layout::Sparse).expect("a valid design");
        let TrailingKind::Sparse(analysis) = &frame.structure.trailing_kind else {
            panic!("the sparse layout was asked for");
        };
        let (costs, sizes) = (&frame.costs, &analysis.sizes);
        assert!(costs
            .blocks
            .iter()
            .all(|b| b.kind == Kind::Sparse && b.fill <= 1.0));
        let same = |a: f64, b: f64| (a - b).abs() < 1e-9 * b;
        assert!(same(costs.bytes().factor, 8.0 * sizes.panels as f64));
        assert!(same(costs.flops().value, 2.0 * sizes.multiplications));
        let n_theta = 3.0 + 1.0;
        let variates = 2.0 * 8.0 * (90.0 * 2.0 + 70.0 + 3.0) * n_theta;
        let solver = costs.bytes().factor + costs.bytes().inverse - variates;
        assert!(same(solver, sizes.bytes_with_copy()));
    }
}
