//! Which cells of the coupling of a leading block to the trailing rows are stored: known from the
//! levels alone, before anything is allocated for their values.

use crate::error::{Error, Result};
use crate::linalg::memory::{filled, reserve, room};
use crate::products::level_graph::ByLevel;
use crate::products::structure::{Block, Structure};

/// Above this share of occupied cells a coupling is stored dense.
const DENSE_SHARE: f64 = 0.3;

/// How the coupling of a leading block is stored.
#[derive(Debug)]
pub enum Pattern {
    /// Every level with every trailing row.
    Dense,
    Sparse(Cells),
}

impl Pattern {
    /// The pattern of leading block b.
    pub fn new(structure: &Structure, b: usize) -> Result<Self> {
        let (block, q) = (&structure.blocks[b], structure.n_trailing);
        // Nested blocks are combined entry by entry, so they are all kept sparse.
        let nested = structure.n_leading > 1;
        if q == 0 && !nested {
            return Ok(Self::Dense);
        }
        let cells = Cells::new(structure, block)?;
        let dense = DENSE_SHARE * (block.n_levels * q) as f64;
        Ok(if nested || (cells.rows.len() as f64) < dense {
            Self::Sparse(cells)
        } else {
            Self::Dense
        })
    }

    /// Patterns of all leading blocks.
    pub fn all(structure: &Structure) -> Result<Vec<Self>> {
        (0..structure.n_leading)
            .map(|b| Self::new(structure, b))
            .collect()
    }

    /// Trailing random effects stored for a level.
    #[must_use]
    pub fn met(&self, structure: &Structure, level: usize) -> usize {
        match self {
            Self::Dense => structure.n_trailing,
            Self::Sparse(cells) => cells.ranges[level + 1] - cells.ranges[level],
        }
    }
}

/// Which trailing random effects each level of a block occurs with.
#[derive(Debug)]
pub struct Cells {
    pub by_level: ByLevel,
    /// Range of each level in `rows`.
    pub ranges: Vec<usize>,
    /// Trailing rows, ascending within a level.
    pub rows: Vec<u32>,
}

impl Cells {
    fn new(structure: &Structure, block: &Block) -> Result<Self> {
        let by_level = ByLevel::new(block)?;
        let what = "the pattern of the cross-products";
        let mut ranges = room(block.n_levels + 1, what)?;
        ranges.push(0);
        let mut rows: Vec<u32> = Vec::new();
        let mut seen = filled(structure.n_trailing, u32::MAX, what)?;
        for v in 0..block.n_levels {
            let from = rows.len();
            let stamp = v as u32;
            for &i in by_level.of(v) {
                for (start, other) in structure.trailing() {
                    let at = start + other.codes[i as usize] as usize * other.width;
                    if seen[at] != stamp {
                        seen[at] = stamp;
                        reserve(&mut rows, other.width, what)?;
                        rows.extend((at..at + other.width).map(|r| r as u32));
                    }
                }
            }
            rows[from..].sort_unstable();
            if u32::try_from(rows.len()).is_err() {
                return Err(Error::Domain(format!(
                    "the random effects occur together in {} pairs, more than the {} that can be numbered",
                    rows.len(),
                    u32::MAX
                )));
            }
            ranges.push(rows.len());
        }
        Ok(Self {
            by_level,
            ranges,
            rows,
        })
    }
}
