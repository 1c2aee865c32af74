//! The shape of the system: which terms share a block, and in which order blocks are eliminated.
//!
//! Terms of one grouping factor form one block. The blocks of the longest chain of nested factors
//! (the finest first) are *leading*: eliminating them one after the other leaves each of them block
//! diagonal. The rest is *trailing* and becomes, with X, one dense matrix.

use crate::design::Predictors;

/// Beyond this width the sums over pairs of entries of a single block cost more than columns of the
/// general system.
const WIDEST_ALONE: usize = 12;

/// A block: all terms of one grouping factor.
#[derive(Debug, Clone)]
pub struct Block {
    /// Level of each row.
    pub codes: Vec<u32>,
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
}

impl Structure {
    #[must_use]
    pub fn new(design: &Predictors, rank: usize) -> Self {
        let blocks = amalgamate(design);
        let chain = longest_chain(&blocks);
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
                    .map(|a| nesting(&ordered[b], &ordered[a]).unwrap_or_default())
                    .collect()
            })
            .collect();
        let mut starts = Vec::new();
        let mut n_trailing = 0;
        for block in &ordered[n_leading..] {
            starts.push(n_trailing);
            n_trailing += block.dim();
        }
        Self {
            blocks: ordered,
            n_leading,
            parents,
            starts,
            n_trailing,
            rank,
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
fn nesting(fine: &Block, coarse: &Block) -> Option<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    if fine.n_levels < coarse.n_levels {
        return None;
    }
    let mut parent = vec![UNSEEN; fine.n_levels];
    for (&f, &c) in fine.codes.iter().zip(&coarse.codes) {
        let known = &mut parent[f as usize];
        if *known == UNSEEN {
            *known = c;
        } else if *known != c {
            return None;
        }
    }
    // A level without rows has no effect on the rest; any parent will do.
    parent.iter_mut().for_each(|p| {
        if *p == UNSEEN {
            *p = 0;
        }
    });
    Some(parent)
}

/// The chain of nested blocks with the most random effects: it leaves the smallest dense rest.
fn longest_chain(blocks: &[Block]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|&b| std::cmp::Reverse(blocks[b].n_levels));
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, &b) in order.iter().enumerate() {
        let before = (0..at)
            .filter(|&f| nesting(&blocks[order[f]], &blocks[b]).is_some())
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
    chain
}
