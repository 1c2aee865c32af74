//! Which levels occur together: the pattern of Z'Z by levels.

use crate::error::Result;
use crate::linalg::memory::{copied, filled, reserve, room};
use crate::linalg::supernodal::Graph;
use crate::products::structure::{Block, Structure};

/// Observations of each level.
#[derive(Debug)]
pub struct ByLevel {
    pub observations: Vec<u32>,
    /// Range of each level in `observations`.
    pub ranges: Vec<usize>,
}

impl ByLevel {
    /// Counting sort.
    pub fn new(block: &Block) -> Result<Self> {
        let what = "the observations of each level";
        let mut ranges = filled(block.n_levels + 1, 0, what)?;
        for &v in &block.codes {
            ranges[v as usize + 1] += 1;
        }
        for v in 0..block.n_levels {
            ranges[v + 1] += ranges[v];
        }
        let mut next = copied(&ranges, what)?;
        let mut observations = filled(block.codes.len(), 0, what)?;
        for (i, &v) in block.codes.iter().enumerate() {
            observations[next[v as usize]] = i as u32;
            next[v as usize] += 1;
        }
        Ok(Self {
            observations,
            ranges,
        })
    }

    /// Of every block.
    pub fn all(structure: &Structure) -> Result<Vec<Self>> {
        structure.blocks.iter().map(Self::new).collect()
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
pub fn level_graph(structure: &Structure) -> Result<Graph> {
    let what = "the graph of the levels";
    let levels = Levels::new(structure);
    let n_nodes = levels.first[structure.blocks.len()];
    let mut graph = Graph {
        widths: room(n_nodes, what)?,
        ranges: vec![0],
        neighbours: Vec::new(),
    };
    let mut mark = filled(n_nodes, usize::MAX, what)?;
    for (b, block) in structure.blocks.iter().enumerate() {
        let by_level = ByLevel::new(block)?;
        for level in 0..block.n_levels {
            let node = levels.first[b] + level;
            let most = by_level.of(level).len() * (structure.blocks.len() - 1);
            reserve(&mut graph.neighbours, most.min(n_nodes), what)?;
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
    Ok(graph)
}
