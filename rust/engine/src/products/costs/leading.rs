//! The costs of a leading block.

use super::{variate_bytes, BlockCosts, Bytes, Flops, Kind, Storage, NUMBER};
use crate::linalg::lanes::{Lane, LANES};
use crate::products::pattern::Pattern;
use crate::products::structure::Structure;

/// Bytes of an index into the trailing rows, and of a bound of a level's range.
const INDEX: f64 = size_of::<u32>() as f64;
const RANGE: f64 = size_of::<usize>() as f64;

/// Operations of factorising a level, as a multiple of its width cubed; and of its derivatives.
const FACTOR_LEVEL: f64 = 7.0;
const DIFFERENTIATE_LEVEL: f64 = 8.0;

/// A leading block and what its levels meet.
pub struct LeadingBlock<'a> {
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
    pub fn new(structure: &'a Structure, b: usize, pattern: &'a Pattern) -> Self {
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

    /// `alone` tells whether the block has an elimination of its own.
    pub fn costs(&self, n_theta: usize, alone: bool) -> BlockCosts {
        let block = &self.structure.blocks[self.b];
        let cols = self.structure.trailing_dim();
        let stored = self.cells + self.levels * self.rank;
        let n_theta = n_theta as f64;
        let (bytes, derivatives) = if alone {
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
