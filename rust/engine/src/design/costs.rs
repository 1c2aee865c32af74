//! What a model costs, block by block: the memory it takes and the floating-point operations of an
//! evaluation. Known from the structure and the patterns of the couplings, before their values are.
//!
//! Operations are the leading terms: an addition and a multiplication for each product. Memory is
//! that of cross-products and solver; the data, and copies of them while a model is built, come on
//! top.

use crate::design::pattern::Pattern;
use crate::design::structure::Structure;
use crate::linalg::lanes::{Lane, LANES};
use crate::linalg::memory;

/// Bytes of a number, and of an index into the trailing rows.
const NUMBER: f64 = size_of::<f64>() as f64;
const INDEX: f64 = size_of::<u32>() as f64;
const RANGE: f64 = size_of::<usize>() as f64;

/// Operations of factorising a level, as a multiple of its width cubed; and of its derivatives.
const FACTOR_LEVEL: f64 = 7.0;
const DIFFERENTIATE_LEVEL: f64 = 8.0;

/// How a block is stored and eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Level by level.
    BlockDiagonal(Storage),
    /// With the other trailing blocks and X as one dense matrix.
    Dense,
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
        }
    }

    /// How it meets the rows that are eliminated later.
    #[must_use]
    pub fn coupling(self) -> &'static str {
        match self {
            Self::BlockDiagonal(Storage::Sparse) => "sparse",
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
    /// Share of the rows × cols cells that is stored.
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
    pub fn new(structure: &Structure, patterns: &[Pattern], n_theta: usize) -> Self {
        let leading = patterns
            .iter()
            .enumerate()
            .map(|(b, pattern)| LeadingBlock::new(structure, b, pattern).costs(n_theta));
        let fixed = (structure.n_trailing, Vec::new(), 1, structure.rank);
        let trailing = structure
            .trailing()
            .map(|(start, block)| {
                let terms = block.terms.iter().map(|&(t, _)| t).collect();
                (start, terms, block.n_levels, block.width)
            })
            .chain([fixed])
            .map(|(start, terms, n_levels, width)| {
                let rows = n_levels * width;
                BlockCosts {
                    terms,
                    kind: Kind::Dense,
                    n_levels,
                    width,
                    cols: structure.trailing_dim(),
                    fill: 1.0,
                    bytes: trailing_bytes(structure, rows, n_theta),
                    flops: trailing_flops(structure, start, rows, n_theta),
                }
            });
        Self {
            blocks: leading.chain(trailing).collect(),
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
        let leading = self.blocks.iter().filter(|b| b.kind != Kind::Dense);
        leading.map(|b| b.flops.value).sum()
    }

    /// Whether this much memory can be had; yes where the system does not say.
    #[must_use]
    pub fn fit_memory(&self) -> bool {
        memory::available().is_none_or(|available| self.bytes().total() <= available)
    }
}

/// A leading block and what its levels meet.
struct LeadingBlock<'a> {
    structure: &'a Structure,
    pattern: &'a Pattern,
    b: usize,
    levels: f64,
    k: f64,
    rank: f64,
    /// Columns of the leading blocks that hold it.
    above: f64,
    /// Cells of its levels with trailing random effects, and their sum of squares by level when
    /// columns of X and of the blocks above are counted too.
    cells: f64,
    met: f64,
    met_squares: f64,
}

impl<'a> LeadingBlock<'a> {
    fn new(structure: &'a Structure, b: usize, pattern: &'a Pattern) -> Self {
        let block = &structure.blocks[b];
        let above = &structure.leading()[b + 1..];
        let mut out = Self {
            structure,
            pattern,
            b,
            levels: block.n_levels as f64,
            k: block.width as f64,
            rank: structure.rank as f64,
            above: above.iter().map(|a| a.width).sum::<usize>() as f64,
            cells: 0.0,
            met: 0.0,
            met_squares: 0.0,
        };
        for level in 0..block.n_levels {
            let cells = pattern.met(structure, level) as f64;
            // The response is one more column.
            let met = cells + out.above + out.rank + 1.0;
            out.cells += cells;
            out.met += met;
            out.met_squares += met * met;
        }
        out
    }

    fn costs(&self, n_theta: usize) -> BlockCosts {
        let block = &self.structure.blocks[self.b];
        let cols = self.structure.trailing_dim();
        let stored = self.cells + self.levels * self.rank;
        let n_theta = n_theta as f64;
        let (bytes, derivatives) = if self.structure.one_factor().is_some() {
            (self.bytes_alone(), self.derivative_flops_alone())
        } else {
            (self.bytes(n_theta), self.derivative_flops(n_theta))
        };
        BlockCosts {
            terms: block.terms.iter().map(|&(t, _)| t).collect(),
            kind: Kind::BlockDiagonal(match self.pattern {
                Pattern::Dense => Storage::Dense,
                Pattern::Sparse(_) => Storage::Sparse,
            }),
            n_levels: block.n_levels,
            width: block.width,
            cols,
            fill: stored / (self.levels * cols as f64).max(1.0),
            bytes,
            flops: Flops {
                value: self.value_flops(),
                derivatives,
            },
        }
    }

    fn value_flops(&self) -> f64 {
        let k = self.k;
        FACTOR_LEVEL * self.levels * k * k * k + k * k * self.met + k * self.met_squares
    }

    /// Whether the reverse pass takes each pair of cells once and forms nothing for them.
    fn reversed_from_triangle(&self) -> bool {
        self.k == 1.0 && self.structure.n_leading == 1 && matches!(self.pattern, Pattern::Sparse(_))
    }

    /// The reverse pass, and the working variates as right-hand sides.
    fn derivative_flops(&self, n_theta: f64) -> f64 {
        let k = self.k;
        let pairs = if self.reversed_from_triangle() {
            1.0
        } else {
            2.0
        };
        let reverse = DIFFERENTIATE_LEVEL * self.levels * k * k * k
            + 2.0 * k * k * self.met
            + pairs * k * self.met_squares;
        let levels = 4.0 * k * self.levels * (k + n_theta);
        reverse + n_theta * (levels + 6.0 * k * self.met)
    }

    /// Sums over the levels of products of entries, with no right-hand sides.
    fn derivative_flops_alone(&self) -> f64 {
        let (k, p) = (self.k, self.rank);
        let pairs = k * k * k * k / 2.0;
        self.levels * (DIFFERENTIATE_LEVEL * k * k * k + pairs + 4.0 * k * k * p + k * p * p)
    }

    fn coupling_bytes(&self) -> f64 {
        let values = NUMBER * self.k * (self.cells + self.levels * self.rank);
        match self.pattern {
            Pattern::Dense => values,
            Pattern::Sparse(_) => values + INDEX * self.cells + RANGE * (self.levels + 1.0),
        }
    }

    fn cross_product_bytes(&self) -> f64 {
        NUMBER * self.levels * self.k * (self.k + self.above) + self.coupling_bytes()
    }

    fn bytes(&self, n_theta: f64) -> Bytes {
        let square = NUMBER * self.levels * self.k * self.k;
        let nested = self.structure.n_leading - 1 - self.b;
        // What finer blocks leave of it, and where its couplings stand in those above.
        let reduced = if self.b > 0 {
            self.cross_product_bytes()
        } else {
            0.0
        };
        let adjoint = match self.pattern {
            Pattern::Sparse(_) if !self.reversed_from_triangle() => self.cross_product_bytes(),
            _ => square,
        };
        Bytes {
            cross_products: self.cross_product_bytes(),
            factor: 2.0 * square + reduced + INDEX * self.cells * nested as f64,
            inverse: adjoint + variate_bytes(self.levels * self.k, n_theta),
        }
    }

    /// Cross-products side by side, N and a vector for each group of levels.
    fn bytes_alone(&self) -> Bytes {
        let groups = (self.levels / LANES as f64).ceil();
        let triangle = self.k * (self.k + 1.0) / 2.0;
        let lanes = 2.0 * triangle + self.k * (self.rank + 2.0);
        Bytes {
            cross_products: self.cross_product_bytes(),
            factor: size_of::<Lane>() as f64 * groups * lanes,
            inverse: 0.0,
        }
    }
}

/// Working variates and their products with A.
fn variate_bytes(rows: f64, n_theta: f64) -> f64 {
    2.0 * NUMBER * rows * n_theta
}

/// The part of as many rows in the dense trailing matrices.
fn trailing_bytes(structure: &Structure, rows: usize, n_theta: usize) -> Bytes {
    let matrix = NUMBER * rows as f64 * structure.trailing_dim() as f64;
    let (inverse, variates) = match structure.one_factor() {
        Some(_) => (0.0, 0.0),
        // The inverse of the factor is formed on the way to that of the matrix.
        None => (2.0 * matrix, variate_bytes(rows as f64, n_theta as f64)),
    };
    Bytes {
        cross_products: matrix,
        factor: matrix,
        inverse: inverse + variates,
    }
}

/// The part of the rows from `start` on in factorising and inverting the trailing matrix.
fn trailing_flops(structure: &Structure, start: usize, rows: usize, n_theta: usize) -> Flops {
    let before = (structure.trailing_dim() - start) as f64;
    let after = before - rows as f64;
    let value = (before.powi(3) - after.powi(3)) / 3.0;
    let (inverse, variates) = match structure.one_factor() {
        Some(_) => (0.0, 0.0),
        None => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::coupling::Coupling;
    use crate::design::example::{frame, Levels};
    use crate::design::frame::costs;

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
            let mut bytes = 8 * a.trailing.data().len();
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
        assert_eq!(costs(&frame.design).expect("valid"), frame.costs);
    }
}
