//! Which levels occur together: the pattern of Z'Z by levels.

use crate::design::structure::{Block, Structure};
use crate::linalg::supernodal::Graph;

/// Observations of each level.
#[derive(Debug)]
pub struct ByLevel {
    pub observations: Vec<u32>,
    /// Range of each level in `observations`.
    pub ranges: Vec<usize>,
}

impl ByLevel {
    /// Counting sort.
    #[must_use]
    pub fn new(block: &Block) -> Self {
        let mut ranges = vec![0; block.n_levels + 1];
        for &v in &block.codes {
            ranges[v as usize + 1] += 1;
        }
        for v in 0..block.n_levels {
            ranges[v + 1] += ranges[v];
        }
        let mut next = ranges.clone();
        let mut observations = vec![0; block.codes.len()];
        for (i, &v) in block.codes.iter().enumerate() {
            observations[next[v as usize]] = i as u32;
            next[v as usize] += 1;
        }
        Self {
            observations,
            ranges,
        }
    }

    #[must_use]
    pub fn of(&self, level: usize) -> &[u32] {
        &self.observations[self.ranges[level]..self.ranges[level + 1]]
    }
}

/// The levels of all blocks, numbered one block after the other.
#[derive(Debug, Clone)]
pub struct Levels {
    /// First node of each block; then the number of nodes.
    pub first: Vec<usize>,
}

impl Levels {
    #[must_use]
    pub fn new(structure: &Structure) -> Self {
        let mut first = vec![0];
        let mut end = 0;
        for block in &structure.blocks {
            end += block.n_levels;
            first.push(end);
        }
        Self { first }
    }

    /// Block and level of a node.
    #[must_use]
    pub fn of(&self, node: usize) -> (usize, usize) {
        let b = self.first.partition_point(|&f| f <= node) - 1;
        (b, node - self.first[b])
    }
}

/// One node for each level, an edge where two levels share an observation.
#[must_use]
pub fn level_graph(structure: &Structure) -> Graph {
    let levels = Levels::new(structure);
    let n_nodes = levels.first[structure.blocks.len()];
    let mut graph = Graph {
        widths: Vec::with_capacity(n_nodes),
        ranges: vec![0],
        neighbours: Vec::new(),
    };
    let mut mark = vec![usize::MAX; n_nodes];
    for (b, block) in structure.blocks.iter().enumerate() {
        let by_level = ByLevel::new(block);
        for level in 0..block.n_levels {
            let node = levels.first[b] + level;
            for &i in by_level.of(level) {
                for (t, other) in structure.blocks.iter().enumerate() {
                    let met = levels.first[t] + other.codes[i as usize] as usize;
                    if t != b && mark[met] != node {
                        mark[met] = node;
                        graph.neighbours.push(met as u32);
                    }
                }
            }
            let from = graph.ranges[node];
            graph.neighbours[from..].sort_unstable();
            graph.widths.push(block.width as u32);
            graph.ranges.push(graph.neighbours.len());
        }
    }
    graph
}
