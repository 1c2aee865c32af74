//! Which levels meet, in the order in which a sparse system is eliminated, and where the products of
//! each observation stand.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::linalg::memory::{filled, reserve, room};
use crate::linalg::supernodal::Analysis;
use crate::products::level_graph::{ByLevel, Levels};
use crate::products::structure::Structure;

/// What errors of memory call it.
const PATTERN: &str = "the pattern of the cross-products";

/// Pairs of levels that share an observation.
#[derive(Debug)]
pub struct SparsePattern {
    pub analysis: Arc<Analysis>,
    /// Block of the level at each position.
    pub blocks: Vec<u32>,
    /// Its first row in the columns of [`crate::products::stacked::Stacked`].
    pub stacked_rows: Vec<u32>,
    /// Range of each position in `rows` and `targets`.
    pub ranges: Vec<usize>,
    /// Positions of the levels it meets: itself, then later ones.
    pub rows: Vec<u32>,
    /// Where the entry belongs in the panels of the factor.
    pub targets: Vec<usize>,
    /// Values that all entries have together.
    pub n_values: usize,
}

/// Where the products of each observation stand in the values of a [`SparsePattern`].
#[derive(Debug, Clone)]
pub struct SparsePlaces {
    /// For each block the place of each level's own entry.
    pub diagonals: Vec<Vec<usize>>,
    /// For each block the place of each level's first row in Z'X.
    pub fixed: Vec<Vec<usize>>,
    pub pairs: Vec<PairPlaces>,
}

/// The observations in which the level of one block (inner) is eliminated after that of another.
#[derive(Debug, Clone)]
pub struct PairPlaces {
    pub inner: usize,
    pub outer: usize,
    /// Ascending.
    pub rows: Vec<u32>,
    pub places: Vec<usize>,
}

impl SparsePlaces {
    /// Those of these observations, numbered anew.
    #[must_use]
    pub fn pick(&self, rows: &[u32]) -> Self {
        Self {
            diagonals: self.diagonals.clone(),
            fixed: self.fixed.clone(),
            pairs: self.pairs.iter().map(|pair| pair.pick(rows)).collect(),
        }
    }
}

impl PairPlaces {
    fn sort(&mut self) {
        let mut pairs: Vec<(u32, usize)> = std::mem::take(&mut self.rows)
            .into_iter()
            .zip(std::mem::take(&mut self.places))
            .collect();
        pairs.sort_unstable();
        (self.rows, self.places) = pairs.into_iter().unzip();
    }

    /// Where the observations of a range stand.
    #[must_use]
    pub fn within(&self, range: &Range<usize>) -> Range<usize> {
        let before = |end: usize| self.rows.partition_point(|&i| (i as usize) < end);
        before(range.start)..before(range.end)
    }

    fn pick(&self, rows: &[u32]) -> Self {
        let found = rows.iter().enumerate().filter_map(|(new, row)| {
            let at = self.rows.binary_search(row).ok()?;
            Some((new as u32, self.places[at]))
        });
        let (rows, places) = found.unzip();
        Self {
            inner: self.inner,
            outer: self.outer,
            rows,
            places,
        }
    }
}

impl SparsePattern {
    pub fn new(structure: &Structure, analysis: &Arc<Analysis>) -> Result<Self> {
        let levels = Levels::new(structure);
        let by_level = ByLevel::all(structure)?;
        let n_nodes = analysis.order.len();
        let mut out = Self {
            analysis: Arc::clone(analysis),
            blocks: room(n_nodes, PATTERN)?,
            stacked_rows: room(n_nodes, PATTERN)?,
            ranges: vec![0],
            rows: Vec::new(),
            targets: Vec::new(),
            n_values: 0,
        };
        // The last position that each one was found to meet.
        let mut met_by = filled(n_nodes, usize::MAX, PATTERN)?;
        for position in 0..n_nodes {
            let (b, level) = levels.of(analysis.order[position] as usize);
            let k = structure.blocks[b].width;
            out.blocks.push(b as u32);
            out.stacked_rows
                .push((structure.starts[b] + level * k) as u32);
            let from = out.rows.len();
            out.rows.push(position as u32);
            reserve(
                &mut out.rows,
                by_level[b].of(level).len() * structure.blocks.len(),
                PATTERN,
            )?;
            for &i in by_level[b].of(level) {
                for t in (0..structure.blocks.len()).filter(|&t| t != b) {
                    let row = meets(structure, analysis, &levels, i, t);
                    if row > position && met_by[row] != position {
                        met_by[row] = position;
                        out.rows.push(row as u32);
                    }
                }
            }
            out.rows[from..].sort_unstable();
            reserve(&mut out.targets, out.rows.len() - from, PATTERN)?;
            for &row in &out.rows[from..] {
                let columns = analysis.columns(row as usize);
                out.targets.push(analysis.locate(columns.start, position).0);
                out.n_values += columns.len() * k;
            }
            out.ranges.push(out.rows.len());
        }
        Ok(out)
    }

    /// The values of each entry, in order: number of rows, and where they belong in the panels.
    #[must_use]
    pub fn entries(&self, position: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> + '_ {
        let range = self.ranges[position]..self.ranges[position + 1];
        let pairs = self.rows[range.clone()].iter().zip(&self.targets[range]);
        pairs.map(|(&row, &target)| (self.analysis.columns(row as usize).len(), target))
    }

    pub fn places(&self, structure: &Structure) -> Result<SparsePlaces> {
        let analysis = &self.analysis;
        let levels = Levels::new(structure);
        let by_level = ByLevel::all(structure)?;
        let n_blocks = structure.blocks.len();
        let tables = || {
            let blocks = structure.blocks.iter();
            blocks
                .map(|b| filled(b.n_levels, 0, PATTERN))
                .collect::<Result<_>>()
        };
        let mut out = SparsePlaces {
            diagonals: tables()?,
            fixed: tables()?,
            pairs: (0..n_blocks * n_blocks)
                .map(|pair| PairPlaces {
                    inner: pair / n_blocks,
                    outer: pair % n_blocks,
                    rows: Vec::new(),
                    places: Vec::new(),
                })
                .collect(),
        };
        // Where the entry of each level that the present one meets starts in the values.
        let mut slots = filled(analysis.order.len(), 0_usize, PATTERN)?;
        let mut end = 0;
        for position in 0..slots.len() {
            let (b, level) = levels.of(analysis.order[position] as usize);
            let columns = analysis.columns(position);
            out.diagonals[b][level] = end;
            out.fixed[b][level] = columns.start * analysis.border;
            for &row in &self.rows[self.ranges[position]..self.ranges[position + 1]] {
                slots[row as usize] = end;
                end += analysis.columns(row as usize).len() * columns.len();
            }
            for &i in by_level[b].of(level) {
                for t in (0..n_blocks).filter(|&t| t != b) {
                    let row = meets(structure, analysis, &levels, i, t);
                    if row > position {
                        let pair = &mut out.pairs[t * n_blocks + b];
                        reserve(&mut pair.rows, 1, PATTERN)?;
                        reserve(&mut pair.places, 1, PATTERN)?;
                        pair.rows.push(i);
                        pair.places.push(slots[row]);
                    }
                }
            }
        }
        out.pairs.retain(|pair| !pair.rows.is_empty());
        out.pairs.iter_mut().for_each(PairPlaces::sort);
        Ok(out)
    }

    /// Rows in the order of elimination.
    #[must_use]
    pub fn permuted(&self, stacked: &[f64], m: usize) -> Vec<f64> {
        let mut out = Vec::with_capacity(stacked.len());
        for (position, &at) in self.stacked_rows.iter().enumerate() {
            let rows = self.analysis.columns(position).len();
            out.extend_from_slice(&stacked[at as usize * m..][..rows * m]);
        }
        out.extend_from_slice(&stacked[out.len()..]);
        out
    }

    /// The reverse of [`Self::permuted`].
    pub fn restore(&self, permuted: &[f64], stacked: &mut [f64], m: usize) {
        let mut rest = permuted;
        for (position, &at) in self.stacked_rows.iter().enumerate() {
            let rows = self.analysis.columns(position).len();
            let (own, others) = rest.split_at(rows * m);
            stacked[at as usize * m..][..rows * m].copy_from_slice(own);
            rest = others;
        }
        let border = stacked.len() - rest.len();
        stacked[border..].copy_from_slice(rest);
    }
}

/// Position of the level of block t in an observation.
fn meets(
    structure: &Structure,
    analysis: &Analysis,
    levels: &Levels,
    observation: u32,
    t: usize,
) -> usize {
    let level = structure.blocks[t].codes[observation as usize] as usize;
    analysis.position[levels.first[t] + level] as usize
}
