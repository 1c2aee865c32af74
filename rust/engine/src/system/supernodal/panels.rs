//! A and the inverse in its pattern, in the panels of a sparse factor.

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::supernodal::Supernode;
use crate::products::sparse_pattern::SparsePattern;
use crate::products::sparse_products::SparseProducts;

/// Writes A into the panels of a factor.
pub fn assemble(products: &SparseProducts, panels: &mut [f64]) {
    let analysis = &products.pattern.analysis;
    let p = analysis.border;
    let mut from = 0;
    for s in &analysis.supernodes {
        let height = s.height();
        for position in s.nodes.clone() {
            let k = analysis.columns(position).len();
            for (rows, target) in products.pattern.entries(position) {
                let values = &products.values()[from..from + rows * k];
                from += values.len();
                for (c, column) in values.chunks_exact(rows).enumerate() {
                    let at = target + c * height;
                    panels[at..at + rows].copy_from_slice(column);
                }
            }
            for column in analysis.columns(position) {
                let end = s.panel + (column - s.first + 1) * height;
                let x = &products.fixed()[column * p..(column + 1) * p];
                panels[end - p..end].copy_from_slice(x);
            }
        }
        if s.nodes.is_empty() {
            panels[s.panel()].copy_from_slice(products.fixed_square().data());
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
