//! Rows in blocks that share no level, so that the blocks can be computed one by one, in cache, and
//! side by side.
//!
//! Where the rows of a level lie together, as after sorting by level, the blocks are short. Rows in
//! no order make one block of everything: right, but slower.

use std::ops::Range;

/// Rows that are worth a block: the vectors of a block then fit the first caches.
const ROWS: usize = 512;

/// Consecutive rows, and all the levels that occur in them.
#[derive(Debug)]
pub struct Block {
    pub rows: Range<usize>,
    /// The levels in the order of their first rows.
    pub levels: Vec<usize>,
    /// Runs of consecutive rows of one level, counted from the first row of the block; level by level.
    runs: Vec<Range<usize>>,
    /// Where the runs of a level end.
    ends: Vec<usize>,
}

impl Block {
    /// The runs of the level with this position in `levels`.
    pub fn runs(&self, position: usize) -> &[Range<usize>] {
        let start = position.checked_sub(1).map_or(0, |p| self.ends[p]);
        &self.runs[start..self.ends[position]]
    }

    /// Works on the rows of this level, counted from the first row of the block.
    #[inline]
    pub fn for_rows(&self, position: usize, mut work: impl FnMut(usize)) {
        for run in self.runs(position) {
            run.clone().for_each(&mut work);
        }
    }
}

/// Blocks of the rows with these codes, in the order of the rows.
pub fn blocks(codes: &[u32], n_levels: usize) -> Vec<Block> {
    let mut last = vec![0; n_levels];
    for (row, &code) in codes.iter().enumerate() {
        last[code as usize] = row;
    }
    // Of a level that occurred already: its position in its block.
    let mut positions = vec![None; n_levels];
    let mut blocks = Vec::new();
    let (mut start, mut open_until) = (0, 0);
    for (row, &code) in codes.iter().enumerate() {
        open_until = open_until.max(last[code as usize]);
        let complete = row == open_until && row + 1 - start >= ROWS;
        if complete || row + 1 == codes.len() {
            blocks.push(block(start..row + 1, codes, &mut positions));
            start = row + 1;
        }
    }
    blocks
}

fn block(rows: Range<usize>, codes: &[u32], positions: &mut [Option<usize>]) -> Block {
    let mut levels = Vec::new();
    let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
    for (row, &code) in codes[rows.clone()].iter().enumerate() {
        let position = *positions[code as usize].get_or_insert_with(|| {
            levels.push(code as usize);
            levels.len() - 1
        });
        match runs.last_mut() {
            Some((of, run)) if *of == position => run.end = row + 1,
            _ => runs.push((position, row..row + 1)),
        }
    }
    runs.sort_by_key(|(position, _)| *position);
    let mut ends = vec![0; levels.len()];
    for (i, (position, _)) in runs.iter().enumerate() {
        ends[*position] = i + 1;
    }
    let runs = runs.into_iter().map(|(_, run)| run).collect();
    Block {
        rows,
        levels,
        runs,
        ends,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row is in the run of its level, once, and no level in two blocks.
    fn check(codes: &[u32], n_levels: usize) -> usize {
        let blocks = blocks(codes, n_levels);
        let mut seen = vec![false; codes.len()];
        let mut used = vec![false; n_levels];
        for block in &blocks {
            for (position, &level) in block.levels.iter().enumerate() {
                assert!(!std::mem::replace(&mut used[level], true));
                let mut before = None;
                block.for_rows(position, |row| {
                    assert!(before.is_none_or(|b| b < row));
                    before = Some(row);
                    let row = row + block.rows.start;
                    assert!(block.rows.contains(&row));
                    assert_eq!(codes[row] as usize, level);
                    assert!(!std::mem::replace(&mut seen[row], true));
                });
            }
        }
        assert!(seen.iter().all(|&s| s));
        blocks.len()
    }

    #[test]
    fn sorted_rows_make_many_blocks() {
        let codes: Vec<u32> = (0..5000).map(|i| i / 7).collect();
        assert_eq!(check(&codes, 720), 10);
        let descending: Vec<u32> = codes.iter().rev().copied().collect();
        assert_eq!(check(&descending, 720), 10);
    }

    #[test]
    fn rows_in_no_order_make_one_block() {
        let codes: Vec<u32> = (0..5000).map(|i| i * 31 % 100).collect();
        assert_eq!(check(&codes, 100), 1);
    }

    #[test]
    fn few_rows_and_none() {
        assert_eq!(check(&[3, 0, 3], 5), 1);
        assert_eq!(check(&[], 0), 0);
        assert_eq!(check(&[], 4), 0);
    }
}
