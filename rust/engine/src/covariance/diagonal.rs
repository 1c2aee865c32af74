use super::{ColumnFreedom, Template};

/// Independent columns: λ is diagonal.
#[derive(Debug, Clone, Copy)]
pub struct Diagonal;

impl Template for Diagonal {
    fn name(&self) -> &'static str {
        "diagonal"
    }

    fn n_parameters(&self, k: usize) -> usize {
        k
    }

    fn entries(&self, k: usize) -> Vec<(usize, usize)> {
        (0..k).map(|a| (a, a)).collect()
    }

    fn freedom(&self) -> ColumnFreedom {
        ColumnFreedom::Scaling
    }
}
