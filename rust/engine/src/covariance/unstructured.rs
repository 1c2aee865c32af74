use super::{ColumnFreedom, Template};

/// Any covariance matrix: λ is lower triangular, theta its entries column by column.
#[derive(Debug, Clone, Copy)]
pub struct Unstructured;

impl Template for Unstructured {
    fn name(&self) -> &'static str {
        "unstructured"
    }

    fn n_parameters(&self, k: usize) -> usize {
        k * (k + 1) / 2
    }

    fn entries(&self, k: usize) -> Vec<(usize, usize)> {
        (0..k).flat_map(|b| (b..k).map(move |a| (a, b))).collect()
    }

    fn freedom(&self) -> ColumnFreedom {
        ColumnFreedom::Linear
    }
}
