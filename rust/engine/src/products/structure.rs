//! The shape of the system: which terms share a block, and in which order blocks are eliminated.
//!
//! Terms of one grouping factor form one block. The blocks of the longest chain of nested factors
//! (the finest first) are *leading*: eliminating them one after the other leaves each of them block
//! diagonal. The rest is *trailing* and becomes, with X, one dense matrix; or every block is trailing
//! and the matrix is sparse, see [`crate::products::layout`].

use std::sync::Arc;

use crate::design::Predictors;
use crate::error::Result;
use crate::linalg::memory::filled;
use crate::linalg::supernodal::Analysis;
use crate::linalg::Shared;

/// Beyond this width the sums over pairs of entries of a single block cost more than columns of the
/// general system.
const WIDEST_ALONE: usize = 12;

/// A block: all terms of one grouping factor.
#[derive(Debug, Clone)]
pub struct Block {
    /// Level of each row.
    pub codes: Shared<u32>,
    pub n_levels: usize,
    /// Columns of all its terms together.
    pub width: usize,
    /// (term, first column of the term in the block).
    pub terms: Vec<(usize, usize)>,
}

impl Block {
    /// Number of random effects.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.n_levels * self.width
    }
}

/// How the trailing matrix is stored and factorised.
#[derive(Debug, Clone)]
pub enum TrailingKind {
    /// As one dense matrix.
    Dense,
    /// By levels, in an order that keeps the factor sparse. There are no leading blocks then.
    Sparse(Arc<Analysis>),
}

/// Blocks in elimination order.
#[derive(Debug, Clone)]
pub struct Structure {
    pub blocks: Vec<Block>,
    pub n_leading: usize,
    /// `parents[b][a - b - 1][v]`: the level of leading block a that holds level v of leading block b.
    pub parents: Vec<Vec<Vec<u32>>>,
    /// First row of each trailing block in the trailing matrix.
    pub starts: Vec<usize>,
    /// Random effects in the trailing matrix.
    pub n_trailing: usize,
    /// Columns of X.
    pub rank: usize,
    pub trailing_kind: TrailingKind,
    /// Bytes of the cross-products of each block, where they are sparse.
    pub sparse_products: Vec<f64>,
}

impl Structure {
    /// With leading blocks and a dense trailing matrix.
    pub fn blocked(design: &Predictors, rank: usize) -> Result<Self> {
        let blocks = amalgamate(design);
        let chain = longest_chain(&blocks)?;
        let mut rest: Vec<usize> = (0..blocks.len()).filter(|b| !chain.contains(b)).collect();
        rest.sort_by_key(|&b| std::cmp::Reverse(blocks[b].dim()));
        let mut slots: Vec<Option<Block>> = blocks.into_iter().map(Some).collect();
        let ordered: Vec<Block> = chain
            .iter()
            .chain(&rest)
            .filter_map(|&b| slots[b].take())
            .collect();
        let n_leading = chain.len();
        let parents = (0..n_leading)
            .map(|b| {
                (b + 1..n_leading)
                    .map(|a| Ok(nesting(&ordered[b], &ordered[a])?.unwrap_or_default()))
                    .collect()
            })
            .collect::<Result<_>>()?;
        let (starts, n_trailing) = starts(&ordered[n_leading..]);
        Ok(Self {
            blocks: ordered,
            n_leading,
            parents,
            starts,
            n_trailing,
            rank,
            trailing_kind: TrailingKind::Dense,
            sparse_products: Vec::new(),
        })
    }

    /// The same blocks, all of them in a sparse trailing matrix, whose cross-products take so many
    /// bytes for each block.
    #[must_use]
    pub fn into_sparse(self, analysis: Analysis, products: Vec<f64>) -> Self {
        let (starts, n_trailing) = starts(&self.blocks);
        Self {
            sparse_products: products,
            n_leading: 0,
            parents: Vec::new(),
            starts,
            n_trailing,
            trailing_kind: TrailingKind::Sparse(Arc::new(analysis)),
            ..self
        }
    }

    #[must_use]
    pub fn leading(&self) -> &[Block] {
        &self.blocks[..self.n_leading]
    }

    /// The only block, unless it is too wide for an elimination of its own kind.
    #[must_use]
    pub fn one_factor(&self) -> Option<&Block> {
        match self.blocks.as_slice() {
            [block] if block.width <= WIDEST_ALONE => Some(block),
            _ => None,
        }
    }

    /// The block of a term, and the first of its columns there.
    ///
    /// # Panics
    /// When there is no such term.
    #[must_use]
    pub fn place(&self, term: usize) -> (usize, usize) {
        self.blocks
            .iter()
            .enumerate()
            .find_map(|(b, block)| {
                let own = block.terms.iter().find(|&&(t, _)| t == term)?;
                Some((b, own.1))
            })
            .expect("every term has a block")
    }

    /// Trailing blocks with their first row.
    pub fn trailing(&self) -> impl Iterator<Item = (usize, &Block)> {
        self.starts
            .iter()
            .copied()
            .zip(&self.blocks[self.n_leading..])
    }

    /// Rows of the trailing matrix, X included.
    #[must_use]
    pub fn trailing_dim(&self) -> usize {
        self.n_trailing + self.rank
    }
}

/// First row of each block, and the end.
fn starts(blocks: &[Block]) -> (Vec<usize>, usize) {
    let mut end = 0;
    let starts = blocks
        .iter()
        .map(|block| {
            end += block.dim();
            end - block.dim()
        })
        .collect();
    (starts, end)
}

fn amalgamate(design: &Predictors) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (i, term) in design.terms.iter().enumerate() {
        let same = blocks
            .iter_mut()
            .find(|b| b.n_levels == term.n_levels && b.codes == term.codes);
        match same {
            Some(block) => {
                block.terms.push((i, block.width));
                block.width += term.k;
            }
            None => blocks.push(Block {
                codes: term.codes.clone(),
                n_levels: term.n_levels,
                width: term.k,
                terms: vec![(i, 0)],
            }),
        }
    }
    blocks
}

/// For each level of `fine` the one level of `coarse` it occurs with, if `fine` is nested.
fn nesting(fine: &Block, coarse: &Block) -> Result<Option<Vec<u32>>> {
    const UNSEEN: u32 = u32::MAX;
    if fine.n_levels < coarse.n_levels {
        return Ok(None);
    }
    let mut parent = filled(fine.n_levels, UNSEEN, "the nesting of levels")?;
    for (&f, &c) in fine.codes.iter().zip(&coarse.codes) {
        let known = &mut parent[f as usize];
        if *known == UNSEEN {
            *known = c;
        } else if *known != c {
            return Ok(None);
        }
    }
    // A level without rows has no effect on the rest; any parent will do.
    parent.iter_mut().for_each(|p| {
        if *p == UNSEEN {
            *p = 0;
        }
    });
    Ok(Some(parent))
}

/// The chain of nested blocks with the most random effects: it leaves the smallest dense rest.
fn longest_chain(blocks: &[Block]) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|&b| std::cmp::Reverse(blocks[b].n_levels));
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, &b) in order.iter().enumerate() {
        let mut finer = Vec::new();
        for f in 0..at {
            if nesting(&blocks[order[f]], &blocks[b])?.is_some() {
                finer.push(f);
            }
        }
        let before = finer
            .into_iter()
            .max_by_key(|&f| (best[f].0, std::cmp::Reverse(f)));
        let size = blocks[b].dim() + before.map_or(0, |f| best[f].0);
        best.push((size, before));
    }
    let mut chain = Vec::new();
    let mut at = (0..best.len()).max_by_key(|&i| (best[i].0, std::cmp::Reverse(i)));
    while let Some(i) = at {
        chain.push(order[i]);
        at = best[i].1;
    }
    chain.reverse();
    Ok(chain)
}
