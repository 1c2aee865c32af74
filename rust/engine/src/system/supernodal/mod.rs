//! All random effects in one sparse matrix, eliminated in an order that keeps its factor sparse.

mod panels;
mod second;

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::Result;
use crate::linalg::supernodal::{Factor, NodeInverse, Scaling, Supernode, TakePanel};
use crate::linalg::Matrix;
use crate::products::cross_products::{CrossProducts, Trailing};
use crate::products::data_rows::DataRows;
use crate::products::sparse_pattern::SparsePattern;
use crate::products::sparse_products::SparseProducts;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::complement::{complement_of_inverse, resolves_complement};
use crate::system::supernodal::panels::{assemble, PatternReader};
use crate::system::{multiply, Along, Direction, Elimination, LogDeterminants, Reduced, System};

/// Up to this many random effects, solving for them one by one costs nothing that counts, and gives a digit or two
/// more of what the information tells of nearly undetermined parameters.
const FEW_EFFECTS: usize = 100;

/// What a sparse elimination keeps.
pub struct SparseFactor {
    pattern: Arc<SparsePattern>,
    factor: Factor,
}

pub type Supernodal<'a> = Elimination<'a, SparseFactor>;

impl<'a> Supernodal<'a> {
    /// Room for the factor of this system.
    pub fn allocate(structure: &'a Structure, a: Cow<'a, CrossProducts>) -> Result<Self> {
        let pattern = Arc::clone(&products(&a).pattern);
        let factor = Factor::new(Arc::clone(&pattern.analysis))?;
        Ok(Self::new(structure, a, SparseFactor { pattern, factor }))
    }
}

impl System for Supernodal<'_> {
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<bool> {
        self.lambda.clone_from_slice(lambda);
        let SparseFactor { pattern, factor } = &mut self.factor;
        assemble(products(&self.a), factor.entries());
        let keep = singular(self.structure, lambda).contains(&true);
        if !factor.factorise(&scaling(pattern, lambda), keep)? {
            return Ok(false);
        }
        let (random, fixed) = factor.log_determinants();
        self.log_dets = LogDeterminants { random, fixed };
        Ok(self.log_dets.are_finite())
    }

    fn log_determinants(&self) -> LogDeterminants {
        self.log_dets
    }

    fn fixed_factor(&self) -> Matrix {
        let rank = self.structure.rank;
        let mut lower = self.factor.factor.border().to_vec();
        for j in 1..rank {
            lower[j * rank..j * rank + j].fill(0.0);
        }
        Matrix::from_columns(rank, rank, lower)
    }

    fn multiply(&self, v: &Stacked) -> Result<Stacked> {
        multiply(&self.a, self.structure, v)
    }

    /// The reduced columns are in the order of elimination.
    fn forward(&self, right: Stacked) -> Reduced {
        let m = right.m;
        let SparseFactor { pattern, factor } = &self.factor;
        let mut permuted = pattern.permuted(&right.trailing, m);
        factor.forward(&scaling(pattern, &self.lambda), &mut permuted, m);
        let columns = Stacked {
            trailing: permuted,
            ..right
        };
        Reduced(columns)
    }

    fn explained(&self, Reduced(columns): &Reduced) -> Vec<f64> {
        columns.gram(columns)
    }

    fn backward(&self, Reduced(columns): &Reduced) -> Stacked {
        let mut out = columns.clone();
        let mut permuted = columns.trailing.clone();
        let SparseFactor { pattern, factor } = &self.factor;
        factor.backward(&scaling(pattern, &self.lambda), &mut permuted, out.m);
        pattern.restore(&permuted, &mut out.trailing, columns.m);
        out
    }

    fn w_sums(&mut self, joint: bool) -> Result<Vec<Vec<f64>>> {
        self.reverse(joint, &mut |_| {}, None)
    }

    fn conditional_covariances(&mut self) -> Result<Vec<Vec<f64>>> {
        let structure = self.structure;
        let blocks = structure.blocks.iter();
        let mut diagonals: Vec<Vec<f64>> = blocks.map(|b| vec![0.0; b.dim() * b.width]).collect();
        let pattern = Arc::clone(&self.factor.pattern);
        let take_node = &mut |node: &NodeInverse<'_>| {
            let b = pattern.blocks[node.position] as usize;
            let width = structure.blocks[b].width;
            let first = pattern.stacked_rows[node.position] as usize - structure.starts[b];
            diagonals[b][first * width..][..width * width].copy_from_slice(node.scaled);
        };
        self.reverse(false, take_node, None)?;
        Ok(diagonals)
    }

    fn add_row_variances(&mut self, rows: &DataRows<'_>, h: &mut [f64]) -> Result<Vec<Vec<f64>>> {
        let pattern = Arc::clone(&self.factor.pattern);
        let mut reader = PatternReader::new(&pattern)?;
        let take_panel = &mut |s: &Supernode, panel: &[f64]| reader.read(s, panel);
        let w_sums = self.reverse(false, &mut |_| {}, Some(take_panel))?;
        let values = reader.into_values();
        for products in rows.sparse_diagonals() {
            products.add_forms(1.0, &values, h);
        }
        for products in rows.sparse_pairs() {
            products.add_forms(2.0, &values, h);
        }
        Ok(w_sums)
    }

    fn log_det_hessian(
        &mut self,
        (along, directions): (Along, &[Direction]),
        moves: Vec<CrossProducts>,
        joint: bool,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Matrix>> {
        if along == Along::Sigma && moves.is_empty() && self.structure.n_trailing <= FEW_EFFECTS {
            return Ok(None);
        }
        second::log_det_hessian(self, (along, directions), &moves, joint, tick)
    }

    fn cross_products(&self) -> &CrossProducts {
        &self.a
    }

    fn reweigh(&mut self, rows: &DataRows<'_>, weights: &[f64]) -> Result<()> {
        self.a.to_mut().reweigh(rows, Some(weights))
    }
}

impl Supernodal<'_> {
    /// The sums of W; the parts of the inverse are handed out on the way.
    fn reverse(
        &mut self,
        joint: bool,
        take_node: &mut dyn FnMut(&NodeInverse<'_>),
        take_panel: Option<TakePanel<'_>>,
    ) -> Result<Vec<Vec<f64>>> {
        let Elimination {
            structure,
            lambda,
            factor: SparseFactor { pattern, factor },
            ..
        } = self;
        let squares = structure.blocks.iter().map(|b| b.width * b.width);
        let mut sums: Vec<Vec<f64>> = squares.map(|k| vec![0.0; k]).collect();
        let singular = singular(structure, lambda);
        let blocks = &pattern.blocks;
        let take = &mut |node: NodeInverse<'_>| {
            let part = node.complement.unwrap_or(node.inverse);
            let sum = &mut sums[blocks[node.position] as usize];
            sum.iter_mut().zip(part).for_each(|(s, v)| *s += v);
            take_node(&node);
        };
        let scaling = scaling(pattern, lambda);
        factor.inverse(&scaling, joint, &singular, take, take_panel)?;
        for (b, block) in structure.blocks.iter().enumerate() {
            if !singular[b] {
                sums[b] = complement_of_inverse(&sums[b], &lambda[b], block);
            }
        }
        Ok(sums)
    }
}

fn products(a: &CrossProducts) -> &SparseProducts {
    match &a.trailing {
        Trailing::Sparse(products) => products,
        Trailing::Dense(_) => unreachable!("the structure has been laid out for a sparse system"),
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
