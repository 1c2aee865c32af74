//! Sets of rows of a model.

use crate::error::{Error, Result};

/// Sets of rows, one after the other.
#[derive(Debug, Clone)]
pub struct RowSets {
    rows: Vec<u32>,
    /// Range of each set in `rows`.
    ranges: Vec<usize>,
}

impl RowSets {
    /// Rows are ascending within a set; set j has those from `ranges[j]` to `ranges[j + 1]`.
    ///
    /// # Errors
    /// Ranges that are none, rows out of order or beyond the `n` of the model.
    pub fn new(rows: Vec<u32>, ranges: Vec<usize>, n: usize) -> Result<Self> {
        let in_order = ranges.windows(2).all(|r| r[0] <= r[1]);
        if !in_order || ranges.first() != Some(&0) || ranges.last() != Some(&rows.len()) {
            return Err(Error::Domain(
                "the ranges of sets of rows must ascend from 0 to their number".into(),
            ));
        }
        let sets = Self { rows, ranges };
        let ascends = (0..sets.len()).all(|j| sets.of(j).windows(2).all(|r| r[0] < r[1]));
        let inside = sets.rows.iter().all(|&i| (i as usize) < n);
        if !ascends || !inside {
            return Err(Error::Domain(format!(
                "the rows of a set must ascend and lie within the {n} of the model"
            )));
        }
        Ok(sets)
    }

    /// Number of sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len() - 1
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of a set.
    #[must_use]
    pub fn of(&self, set: usize) -> &[u32] {
        &self.rows[self.ranges[set]..self.ranges[set + 1]]
    }

    /// Whether no set has more than a row.
    #[must_use]
    pub fn are_single_rows(&self) -> bool {
        (0..self.len()).all(|j| self.of(j).len() <= 1)
    }
}
