//! The cross-products of [Z X] where they are eliminated as one sparse matrix.

use std::sync::Arc;

use crate::design::level_graph::{ByLevel, Levels};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::supernodal::Analysis;
use crate::linalg::{small, Matrix};

/// A by pairs of levels, in the order of elimination.
#[derive(Debug, Clone)]
pub struct SparseProducts {
    pub analysis: Arc<Analysis>,
    /// Block of the level at each position.
    pub blocks: Vec<u32>,
    /// Its first row in the columns of [`crate::design::stacked::Stacked`].
    pub stacked_rows: Vec<u32>,
    /// Range of each position in `rows` and `targets`.
    ranges: Vec<usize>,
    /// Positions of the levels it meets: itself, then later ones.
    rows: Vec<u32>,
    /// Where the entry belongs in the panels of the factor.
    targets: Vec<usize>,
    /// (columns of the row's level) × (columns of the level), column-major, entry by entry.
    values: Vec<f64>,
    /// Z'X in the order of elimination, row-major.
    fixed: Vec<f64>,
    /// X'X.
    fixed_square: Matrix,
}

impl SparseProducts {
    pub fn new(
        structure: &Structure,
        analysis: &Arc<Analysis>,
        z: &[Vec<f64>],
        x_rows: &[f64],
        fixed_square: Matrix,
    ) -> Result<Self> {
        let what = "the cross-products of the random effects";
        let levels = Levels::new(structure);
        let by_level: Vec<ByLevel> = structure.blocks.iter().map(ByLevel::new).collect();
        let n_nodes = analysis.order.len();
        let p = structure.rank;
        let mut out = Self {
            analysis: Arc::clone(analysis),
            blocks: Vec::with_capacity(n_nodes),
            stacked_rows: Vec::with_capacity(n_nodes),
            ranges: vec![0],
            rows: Vec::new(),
            targets: Vec::new(),
            values: Vec::new(),
            fixed: zeroed(analysis.border_start() * p, what)?,
            fixed_square,
        };
        // Where the entry of each level that the present one meets starts in the values.
        let mut slots = vec![0_usize; n_nodes];
        for position in 0..n_nodes {
            let (b, level) = levels.of(analysis.order[position] as usize);
            let k = structure.blocks[b].width;
            out.blocks.push(b as u32);
            out.stacked_rows
                .push((structure.starts[b] + level * k) as u32);
            let observations = by_level[b].of(level);
            let from = out.rows.len();
            out.rows.push(position as u32);
            let unseen = out.values.len();
            slots[position] = unseen;
            let meets = |i: u32, t: usize| {
                let node = levels.first[t] + structure.blocks[t].codes[i as usize] as usize;
                analysis.position[node] as usize
            };
            for &i in observations {
                for t in (0..structure.blocks.len()).filter(|&t| t != b) {
                    let row = meets(i, t);
                    // A slot of this level, or not yet seen with it.
                    let seen = slots[row] > unseen;
                    if row > position && !seen {
                        slots[row] = usize::MAX;
                        out.rows.push(row as u32);
                    }
                }
            }
            out.rows[from..].sort_unstable();
            let mut end = unseen;
            for &row in &out.rows[from..] {
                let (row, columns) = (row as usize, analysis.columns(row as usize));
                slots[row] = end;
                end += columns.len() * k;
                out.targets.push(analysis.locate(columns.start, position).0);
            }
            out.ranges.push(out.rows.len());
            out.values.resize(end, 0.0);
            let first = analysis.columns(position).start;
            for &i in observations {
                let own = &z[b][i as usize * k..][..k];
                small::add_outer(&mut out.values[unseen..unseen + k * k], own, own);
                for t in (0..structure.blocks.len()).filter(|&t| t != b) {
                    let row = meets(i, t);
                    if row > position {
                        let kt = structure.blocks[t].width;
                        let other = &z[t][i as usize * kt..][..kt];
                        let values = &mut out.values[slots[row]..][..kt * k];
                        small::add_outer(values, other, own);
                    }
                }
                let x = &x_rows[i as usize * p..][..p];
                for (c, &zc) in own.iter().enumerate() {
                    small::axpy(zc, x, &mut out.fixed[(first + c) * p..][..p]);
                }
            }
        }
        Ok(out)
    }

    /// Writes A into the panels of a factor.
    pub fn assemble(&self, panels: &mut [f64]) {
        let analysis = &self.analysis;
        let p = analysis.border;
        let mut from = 0;
        for s in &analysis.supernodes {
            let height = s.height();
            for position in s.nodes.clone() {
                let k = analysis.columns(position).len();
                for e in self.ranges[position]..self.ranges[position + 1] {
                    let rows = analysis.columns(self.rows[e] as usize).len();
                    let values = &self.values[from..from + rows * k];
                    from += values.len();
                    for (c, column) in values.chunks_exact(rows).enumerate() {
                        let at = self.targets[e] + c * height;
                        panels[at..at + rows].copy_from_slice(column);
                    }
                }
                for column in analysis.columns(position) {
                    let end = s.panel + (column - s.first + 1) * height;
                    let x = &self.fixed[column * p..(column + 1) * p];
                    panels[end - p..end].copy_from_slice(x);
                }
            }
            if s.nodes.is_empty() {
                panels[s.panel()].copy_from_slice(self.fixed_square.data());
            }
        }
    }

    /// `out += A v` for m columns in the layout of [`crate::design::stacked::Stacked`].
    pub fn multiply(&self, v: &[f64], out: &mut [f64], m: usize) {
        let analysis = &self.analysis;
        let p = analysis.border;
        let border = analysis.border_start() * m;
        let mut from = 0;
        for (position, &at) in self.stacked_rows.iter().enumerate() {
            let k = analysis.columns(position).len();
            let at = at as usize * m;
            for e in self.ranges[position]..self.ranges[position + 1] {
                let row = self.rows[e] as usize;
                let rows = analysis.columns(row).len();
                let values = &self.values[from..from + rows * k];
                from += values.len();
                let met = self.stacked_rows[row] as usize * m;
                for (c, column) in values.chunks_exact(rows).enumerate() {
                    for (r, &a) in column.iter().enumerate() {
                        let (i, j) = (met + r * m, at + c * m);
                        small::axpy(a, &v[j..j + m], &mut out[i..i + m]);
                        if row != position {
                            small::axpy(a, &v[i..i + m], &mut out[j..j + m]);
                        }
                    }
                }
            }
            for (c, column) in analysis.columns(position).enumerate() {
                let j = at + c * m;
                for (r, &a) in self.fixed[column * p..(column + 1) * p].iter().enumerate() {
                    let i = border + r * m;
                    small::axpy(a, &v[j..j + m], &mut out[i..i + m]);
                    small::axpy(a, &v[i..i + m], &mut out[j..j + m]);
                }
            }
        }
        for c in 0..p {
            for (r, &a) in self.fixed_square.column(c).iter().enumerate() {
                let (i, j) = (border + r * m, border + c * m);
                small::axpy(a, &v[j..j + m], &mut out[i..i + m]);
            }
        }
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
