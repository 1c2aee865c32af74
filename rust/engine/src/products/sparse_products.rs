//! The cross-products of [Z X] where they are eliminated as one sparse matrix.

use std::sync::Arc;

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::supernodal::Analysis;
use crate::linalg::{small, Matrix};
use crate::products::level::{Level, VisitLevel, VisitPair};
use crate::products::sparse_pattern::SparsePattern;
use crate::products::structure::Structure;

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
    /// A pattern without values.
    pub fn pattern(structure: &Structure, analysis: &Arc<Analysis>) -> Result<Self> {
        Ok(Self {
            pattern: Arc::new(SparsePattern::new(structure, analysis)?),
            values: Vec::new(),
            fixed: Vec::new(),
            fixed_square: Matrix::default(),
        })
    }

    /// Room for the values of the same pattern with so many columns of X.
    pub fn zeros(&self, rank: usize) -> Result<Self> {
        let what = "the cross-products of the random effects";
        let border = self.pattern.analysis.border_start();
        Ok(Self {
            pattern: Arc::clone(&self.pattern),
            values: zeroed(self.pattern.n_values, what)?,
            fixed: zeroed(border * rank, what)?,
            fixed_square: Matrix::zeros(rank, rank, "the cross-products of X")?,
        })
    }

    /// Entry by entry, in the order of the pattern.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Z'X in the order of elimination, row-major.
    #[must_use]
    pub fn fixed(&self) -> &[f64] {
        &self.fixed
    }

    /// X'X.
    #[must_use]
    pub fn fixed_square(&self) -> &Matrix {
        &self.fixed_square
    }

    pub fn fixed_square_mut(&mut self) -> &mut Matrix {
        &mut self.fixed_square
    }

    /// Everything stored but the pattern.
    pub fn values_mut(&mut self) -> [&mut [f64]; 3] {
        [
            &mut self.values,
            &mut self.fixed,
            self.fixed_square.data_mut(),
        ]
    }

    /// Visits every level, see [`crate::products::cells`].
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

    /// Z'X and X'X as columns in the layout of [`crate::products::stacked::Stacked`].
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

    /// `out += A v` for m columns in the layout of [`crate::products::stacked::Stacked`].
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
