//! The trailing matrix as a sparse one: all random effects, in an order that keeps the factor sparse.

use std::sync::Arc;

use super::LogDeterminants;
use crate::design::sparse_products::SparseProducts;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::supernodal::{Factor, Scaling};
use crate::system::complement::{complement_of_inverse, resolves_complement};
use crate::system::Selected;

/// Factor of a sparse trailing matrix.
pub struct SparseTrailing {
    a: Arc<SparseProducts>,
    factor: Factor,
}

impl SparseTrailing {
    pub fn new(a: &Arc<SparseProducts>) -> Result<Self> {
        Ok(Self {
            a: Arc::clone(a),
            factor: Factor::new(Arc::clone(&a.analysis))?,
        })
    }

    /// Factorises at these λ; `None` when the matrix is not positive definite there.
    pub fn factorise(
        &mut self,
        structure: &Structure,
        lambda: &[Vec<f64>],
    ) -> Result<Option<LogDeterminants>> {
        self.a.assemble(self.factor.entries());
        let keep = singular(structure, lambda).contains(&true);
        if !self.factor.factorise(&scaling(&self.a, lambda), keep)? {
            return Ok(None);
        }
        let (random, fixed) = self.factor.log_determinants();
        Ok(Some(LogDeterminants { random, fixed }))
    }

    pub(super) fn forward(&self, v: &mut [f64], m: usize, lambda: &[Vec<f64>]) {
        let mut permuted = self.a.permuted(v, m);
        self.factor
            .forward(&scaling(&self.a, lambda), &mut permuted, m);
        v.copy_from_slice(&permuted);
    }

    pub(super) fn backward(&self, v: &mut [f64], m: usize, lambda: &[Vec<f64>]) {
        let mut permuted = v.to_vec();
        self.factor
            .backward(&scaling(&self.a, lambda), &mut permuted, m);
        self.a.restore(&permuted, v, m);
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
        let squares = || structure.blocks.iter().map(|b| b.width * b.width);
        let mut sums: Vec<Vec<f64>> = squares().map(|k| vec![0.0; k]).collect();
        let mut diagonals: Vec<Vec<f64>> = structure
            .blocks
            .iter()
            .map(|b| vec![0.0; if want_diagonals { b.dim() * b.width } else { 0 }])
            .collect();
        let singular = singular(structure, lambda);
        let a = &self.a;
        self.factor
            .inverse(&scaling(a, lambda), joint, &singular, &mut |node| {
                let b = a.blocks[node.position] as usize;
                let part = node.complement.unwrap_or(node.inverse);
                sums[b].iter_mut().zip(part).for_each(|(s, v)| *s += v);
                if want_diagonals {
                    let width = structure.blocks[b].width;
                    let first = a.stacked_rows[node.position] as usize - structure.starts[b];
                    diagonals[b][first * width..][..width * width].copy_from_slice(node.scaled);
                }
            })?;
        for (b, block) in structure.blocks.iter().enumerate() {
            if !singular[b] {
                sums[b] = complement_of_inverse(&sums[b], &lambda[b], block);
            }
        }
        Ok(Selected {
            w_sums: sums,
            diagonals,
        })
    }
}

fn scaling<'a>(a: &'a SparseProducts, lambda: &'a [Vec<f64>]) -> Scaling<'a> {
    Scaling {
        lambda,
        classes: &a.blocks,
    }
}

/// Blocks whose sums of W cannot be had from the inverse.
fn singular(structure: &Structure, lambda: &[Vec<f64>]) -> Vec<bool> {
    let blocks = structure.blocks.iter().zip(lambda);
    blocks
        .map(|(block, lambda)| !resolves_complement(lambda, block))
        .collect()
}
