//! A level of a block, and visits of levels and pairs of levels.

/// A level of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub block: usize,
    pub level: usize,
}

/// Takes `Z_i'Z_i` of a level, column-major.
pub type VisitLevel<'v> = dyn FnMut(Level, &[f64]) + 'v;
/// Takes `Z_i'Z_j` of two levels, (columns of i) × (columns of j), column-major.
pub type VisitPair<'v> = dyn FnMut(Level, Level, &[f64]) + 'v;
