//! The pattern of a block-sparse symmetric matrix.

/// Nodes and who meets whom.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Rows of each node.
    pub widths: Vec<u32>,
    /// Range of each node in `neighbours`.
    pub ranges: Vec<usize>,
    /// Symmetric; a node is not its own neighbour.
    pub neighbours: Vec<u32>,
}

impl Graph {
    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.widths.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    #[must_use]
    pub fn neighbours(&self, node: usize) -> &[u32] {
        &self.neighbours[self.ranges[node]..self.ranges[node + 1]]
    }
}
