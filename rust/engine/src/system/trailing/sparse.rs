//! The trailing matrix as a sparse one: all random effects, in an order that keeps the factor sparse.

use std::sync::Arc;

use super::LogDeterminants;
use crate::design::sparse_pattern::SparsePattern;
use crate::design::sparse_products::{PatternReader, SparseProducts};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::supernodal::{Factor, NodeInverse, Scaling, Supernode, TakePanel};
use crate::system::complement::{complement_of_inverse, resolves_complement};
use crate::system::Selected;

/// Factor of a sparse trailing matrix.
pub struct SparseTrailing {
    pattern: Arc<SparsePattern>,
    factor: Factor,
}

impl SparseTrailing {
    pub fn new(pattern: &Arc<SparsePattern>) -> Result<Self> {
        Ok(Self {
            pattern: Arc::clone(pattern),
            factor: Factor::new(Arc::clone(&pattern.analysis))?,
        })
    }

    /// Factorises at these λ; `None` when the matrix is not positive definite there.
    pub fn factorise(
        &mut self,
        a: &SparseProducts,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) -> Result<Option<LogDeterminants>> {
        a.assemble(self.factor.entries());
        let keep = singular(structure, lambda).contains(&true);
        if !self
            .factor
            .factorise(&scaling(&self.pattern, lambda), keep)?
        {
            return Ok(None);
        }
        let (random, fixed) = self.factor.log_determinants();
        Ok(Some(LogDeterminants { random, fixed }))
    }

    pub(super) fn forward(&self, v: &mut [f64], m: usize, lambda: &[Vec<f64>]) {
        let mut permuted = self.pattern.permuted(v, m);
        self.factor
            .forward(&scaling(&self.pattern, lambda), &mut permuted, m);
        v.copy_from_slice(&permuted);
    }

    pub(super) fn backward(&self, v: &mut [f64], m: usize, lambda: &[Vec<f64>]) {
        let mut permuted = v.to_vec();
        self.factor
            .backward(&scaling(&self.pattern, lambda), &mut permuted, m);
        self.pattern.restore(&permuted, v, m);
    }

    pub(super) fn fixed(&self, rank: usize) -> Vec<f64> {
        let mut lower = self.factor.border().to_vec();
        for j in 1..rank {
            lower[j * rank..j * rank + j].fill(0.0);
        }
        lower
    }

    /// See [`crate::system::selected`].
    pub fn selected(
        &mut self,
        structure: &Structure,
        lambda: &[Vec<f64>],
        joint: bool,
        want_diagonals: bool,
    ) -> Result<Selected> {
        let mut diagonals: Vec<Vec<f64>> = structure
            .blocks
            .iter()
            .map(|b| vec![0.0; if want_diagonals { b.dim() * b.width } else { 0 }])
            .collect();
        let pattern = Arc::clone(&self.pattern);
        let take_node = &mut |node: &NodeInverse<'_>| {
            if want_diagonals {
                let b = pattern.blocks[node.position] as usize;
                let width = structure.blocks[b].width;
                let first = pattern.stacked_rows[node.position] as usize - structure.starts[b];
                diagonals[b][first * width..][..width * width].copy_from_slice(node.scaled);
            }
        };
        let w_sums = self.reverse(structure, lambda, joint, take_node, None)?;
        Ok(Selected { w_sums, diagonals })
    }

    /// The sums of W, and ΛM^-1Λ' without X in the order of the values of the cross-products.
    pub fn pattern_inverse(
        &mut self,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
        let pattern = Arc::clone(&self.pattern);
        let mut reader = PatternReader::new(&pattern)?;
        let take_panel = &mut |s: &Supernode, panel: &[f64]| reader.read(s, panel);
        let w_sums = self.reverse(structure, lambda, false, &mut |_| {}, Some(take_panel))?;
        Ok((w_sums, reader.into_values()))
    }

    /// The sums of W; the parts of the inverse are handed out on the way.
    fn reverse(
        &mut self,
        structure: &Structure,
        lambda: &[Vec<f64>],
        joint: bool,
        take_node: &mut dyn FnMut(&NodeInverse<'_>),
        take_panel: Option<TakePanel<'_>>,
    ) -> Result<Vec<Vec<f64>>> {
        let squares = structure.blocks.iter().map(|b| b.width * b.width);
        let mut sums: Vec<Vec<f64>> = squares.map(|k| vec![0.0; k]).collect();
        let singular = singular(structure, lambda);
        let blocks = &self.pattern.blocks;
        let take = &mut |node: NodeInverse<'_>| {
            let part = node.complement.unwrap_or(node.inverse);
            let sum = &mut sums[blocks[node.position] as usize];
            sum.iter_mut().zip(part).for_each(|(s, v)| *s += v);
            take_node(&node);
        };
        let scaling = scaling(&self.pattern, lambda);
        self.factor
            .inverse(&scaling, joint, &singular, take, take_panel)?;
        for (b, block) in structure.blocks.iter().enumerate() {
            if !singular[b] {
                sums[b] = complement_of_inverse(&sums[b], &lambda[b], block);
            }
        }
        Ok(sums)
    }
}

fn scaling<'a>(pattern: &'a SparsePattern, lambda: &'a [Vec<f64>]) -> Scaling<'a> {
    Scaling {
        lambda,
        classes: &pattern.blocks,
    }
}

/// Blocks whose sums of W cannot be had from the inverse.
fn singular(structure: &Structure, lambda: &[Vec<f64>]) -> Vec<bool> {
    let blocks = structure.blocks.iter().zip(lambda);
    blocks
        .map(|(block, lambda)| !resolves_complement(lambda, block))
        .collect()
}
