//! The cross-products of [Z X] where they are eliminated as one sparse matrix.

use std::sync::Arc;

use crate::design::cells::{Level, VisitLevel, VisitPair};
use crate::design::data_rows::DataRows;
use crate::design::sparse_pattern::SparsePattern;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::supernodal::{Analysis, Supernode};
use crate::linalg::{small, Matrix};

/// A by pairs of levels, in the order of elimination.
#[derive(Debug, Clone)]
pub struct SparseProducts {
    pub pattern: Arc<SparsePattern>,
    /// (columns of the row's level) × (columns of the level), column-major, entry by entry.
    values: Vec<f64>,
    /// Z'X in the order of elimination, row-major.
    fixed: Vec<f64>,
    /// X'X.
    fixed_square: Matrix,
}

impl SparseProducts {
    /// Room for the products.
    pub fn zeros(structure: &Structure, analysis: &Arc<Analysis>) -> Result<Self> {
        Self::of_pattern(Arc::new(SparsePattern::new(structure, analysis)?))
    }

    /// The same pattern, which both share, with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        Self::of_pattern(Arc::clone(&self.pattern))
    }

    fn of_pattern(pattern: Arc<SparsePattern>) -> Result<Self> {
        let what = "the cross-products of the random effects";
        let p = pattern.analysis.border;
        Ok(Self {
            values: zeroed(pattern.n_values, what)?,
            fixed: zeroed(pattern.analysis.border_start() * p, what)?,
            fixed_square: Matrix::zeros(p, p, "the cross-products of X")?,
            pattern,
        })
    }

    /// The products of these rows, weighted if there are weights; `square` is X'X.
    pub fn set(&mut self, rows: &DataRows<'_>, weights: Option<&[f64]>, square: Matrix) {
        self.values.fill(0.0);
        for products in rows.sparse_diagonals().chain(rows.sparse_pairs()) {
            products.add(weights, &mut self.values);
        }
        if square.rows() > 0 {
            self.fixed.fill(0.0);
            for products in rows.sparse_to_x() {
                products.add(weights, &mut self.fixed);
            }
        }
        self.fixed_square = square;
    }

    /// Writes A into the panels of a factor.
    pub fn assemble(&self, panels: &mut [f64]) {
        let analysis = &self.pattern.analysis;
        let p = analysis.border;
        let mut from = 0;
        for s in &analysis.supernodes {
            let height = s.height();
            for position in s.nodes.clone() {
                let k = analysis.columns(position).len();
                for (rows, target) in self.pattern.entries(position) {
                    let values = &self.values[from..from + rows * k];
                    from += values.len();
                    for (c, column) in values.chunks_exact(rows).enumerate() {
                        let at = target + c * height;
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

    /// Visits every level, see [`crate::design::cells`].
    pub fn each_level(&self, structure: &Structure, visit: &mut VisitLevel<'_>) {
        self.each_entry(structure, &mut |i, j, entry| {
            if i == j {
                visit(i, entry);
            }
        });
    }

    /// Visits every pair of levels that meet.
    pub fn each_pair(&self, structure: &Structure, visit: &mut VisitPair<'_>) {
        self.each_entry(structure, &mut |i, j, entry| {
            if i != j {
                visit(i, j, entry);
            }
        });
    }

    fn each_entry(&self, structure: &Structure, visit: &mut VisitPair<'_>) {
        let pattern = &self.pattern;
        let level = |position: usize| {
            let block = pattern.blocks[position] as usize;
            let row = pattern.stacked_rows[position] as usize - structure.starts[block];
            Level {
                block,
                level: row / structure.blocks[block].width,
            }
        };
        let mut from = 0;
        for position in 0..pattern.blocks.len() {
            let k = pattern.analysis.columns(position).len();
            for &row in &pattern.rows[pattern.ranges[position]..pattern.ranges[position + 1]] {
                let row = row as usize;
                let end = from + pattern.analysis.columns(row).len() * k;
                visit(level(row), level(position), &self.values[from..end]);
                from = end;
            }
        }
    }

    /// Z'X and X'X as columns in the layout of [`crate::design::stacked::Stacked`].
    #[must_use]
    pub fn x_columns(&self) -> Vec<f64> {
        let pattern = &self.pattern;
        let p = pattern.analysis.border;
        let mut out = vec![0.0; self.fixed.len()];
        pattern.restore(&self.fixed, &mut out, p);
        // X'X is symmetric.
        out.extend_from_slice(self.fixed_square.data());
        out
    }

    /// `out += A v` for m columns in the layout of [`crate::design::stacked::Stacked`].
    pub fn multiply(&self, v: &[f64], out: &mut [f64], m: usize) {
        let pattern = &self.pattern;
        let analysis = &pattern.analysis;
        let p = analysis.border;
        let border = analysis.border_start() * m;
        let mut from = 0;
        for (position, &at) in pattern.stacked_rows.iter().enumerate() {
            let k = analysis.columns(position).len();
            let at = at as usize * m;
            for e in pattern.ranges[position]..pattern.ranges[position + 1] {
                let row = pattern.rows[e] as usize;
                let rows = analysis.columns(row).len();
                let values = &self.values[from..from + rows * k];
                from += values.len();
                let met = pattern.stacked_rows[row] as usize * m;
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
}

/// Collects the entries of a matrix in the pattern of A from panels that come in the reverse of the
/// order of elimination.
pub struct PatternReader<'a> {
    pattern: &'a SparsePattern,
    values: Vec<f64>,
    /// Start of what has been read.
    unread: usize,
}

impl<'a> PatternReader<'a> {
    pub fn new(pattern: &'a SparsePattern) -> Result<Self> {
        Ok(Self {
            pattern,
            values: zeroed(pattern.n_values, "the inverse in the pattern of the system")?,
            unread: pattern.n_values,
        })
    }

    /// Reads the panel of one supernode.
    pub fn read(&mut self, s: &Supernode, panel: &[f64]) {
        let height = s.height();
        for position in s.nodes.clone().rev() {
            let k = self.pattern.analysis.columns(position).len();
            for (rows, target) in self.pattern.entries(position).rev() {
                let end = self.unread;
                self.unread -= rows * k;
                let values = &mut self.values[self.unread..end];
                for (c, column) in values.chunks_exact_mut(rows).enumerate() {
                    let at = target - s.panel + c * height;
                    column.copy_from_slice(&panel[at..at + rows]);
                }
            }
        }
    }

    /// The values of all entries, in the order of those of A.
    #[must_use]
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }
}
