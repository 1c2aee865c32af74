//! The order of elimination: approximate minimum degree, then a postorder of its elimination tree.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::sparse::linalg::amd;
use faer::sparse::SymbolicSparseColMatRef;

use super::Graph;
use crate::error::{Error, Result};

/// No parent.
pub const NONE: usize = usize::MAX;

/// Nodes in the order of their elimination, with the elimination tree in that order.
pub struct Ordering {
    /// The node at each position.
    pub order: Vec<u32>,
    /// The position of each node.
    pub position: Vec<u32>,
    /// Parent of each position in the elimination tree, or [`NONE`].
    pub parent: Vec<usize>,
    /// Rows of the factor below the node at each position.
    pub below: Vec<usize>,
}

impl Ordering {
    pub fn new(graph: &Graph) -> Result<Self> {
        let first = minimum_degree(graph)?;
        let position = inverse(&first);
        let parent = elimination_tree(graph, &first, &position);
        let below = column_counts(graph, &first, &position, &parent);
        // The child with the longest column is best joined with its parent: it comes last.
        let postorder = postorder(&parent, &below);
        let order: Vec<u32> = postorder.iter().map(|&i| first[i as usize]).collect();
        let moved = inverse(&postorder);
        Ok(Self {
            position: inverse(&order),
            parent: postorder
                .iter()
                .map(|&i| parent[i as usize])
                .map(|p| if p == NONE { NONE } else { moved[p] as usize })
                .collect(),
            below: postorder.iter().map(|&i| below[i as usize]).collect(),
            order,
        })
    }
}

fn minimum_degree(graph: &Graph) -> Result<Vec<u32>> {
    let n = graph.len();
    let pattern = SymbolicSparseColMatRef::new_checked(
        n,
        n,
        &graph.ranges,
        None,
        &graph
            .neighbours
            .iter()
            .map(|&v| v as usize)
            .collect::<Vec<_>>(),
    )
    .to_owned()
    .map_err(|_| no_memory(graph))?;
    let (mut order, mut position) = (vec![0_usize; n], vec![0_usize; n]);
    let needed = amd::order_scratch::<usize>(n, graph.neighbours.len());
    let mut buffer = MemBuffer::try_new(needed).map_err(|_| no_memory(graph))?;
    amd::order(
        &mut order,
        &mut position,
        pattern.as_ref(),
        amd::Control::default(),
        MemStack::new(&mut buffer),
    )
    .map_err(|_| no_memory(graph))?;
    Ok(order.into_iter().map(|v| v as u32).collect())
}

fn no_memory(graph: &Graph) -> Error {
    Error::Memory {
        what: "the ordering of the random effects".into(),
        gib: 16.0 * 8.0 * (graph.len() + graph.neighbours.len()) as f64 / f64::from(1 << 30),
    }
}

pub fn inverse(order: &[u32]) -> Vec<u32> {
    let mut out = vec![0; order.len()];
    for (i, &v) in order.iter().enumerate() {
        out[v as usize] = i as u32;
    }
    out
}

/// Positions before i that the node at position i meets.
fn earlier<'a>(
    graph: &'a Graph,
    order: &[u32],
    position: &'a [u32],
    i: usize,
) -> impl Iterator<Item = usize> + 'a {
    graph
        .neighbours(order[i] as usize)
        .iter()
        .map(|&v| position[v as usize] as usize)
        .filter(move |&k| k < i)
}

fn elimination_tree(graph: &Graph, order: &[u32], position: &[u32]) -> Vec<usize> {
    let n = graph.len();
    let (mut parent, mut ancestor) = (vec![NONE; n], vec![NONE; n]);
    for i in 0..n {
        for mut k in earlier(graph, order, position, i) {
            while ancestor[k] != NONE && ancestor[k] != i {
                k = std::mem::replace(&mut ancestor[k], i);
            }
            if ancestor[k] == NONE {
                ancestor[k] = i;
                parent[k] = i;
            }
        }
    }
    parent
}

/// Rows below each node, by the algorithm of Gilbert, Ng & Peyton (1994): row i of the factor is a
/// subtree of the elimination tree, and its leaves are found without walking through it.
fn column_counts(graph: &Graph, order: &[u32], position: &[u32], parent: &[usize]) -> Vec<usize> {
    let n = graph.len();
    let width = |i: usize| i64::from(graph.widths[order[i] as usize]);
    let postorder = postorder(parent, &vec![(); n]);
    // First descendant, by its place in the postorder.
    let mut first = vec![NONE; n];
    // Rows that begin in a column minus those that have ended before it.
    let mut counts = vec![0_i64; n];
    for (place, &j) in postorder.iter().enumerate() {
        let mut j = j as usize;
        if first[j] == NONE {
            counts[j] = width(j);
        }
        while j != NONE && first[j] == NONE {
            first[j] = place;
            j = parent[j];
        }
    }
    let mut ancestor: Vec<usize> = (0..n).collect();
    let (mut last_first, mut last_leaf) = (vec![NONE; n], vec![NONE; n]);
    for &j in &postorder {
        let j = j as usize;
        if parent[j] != NONE {
            counts[parent[j]] -= width(j);
        }
        for &v in graph.neighbours(order[j] as usize) {
            let i = position[v as usize] as usize;
            let is_leaf = i > j && (last_first[i] == NONE || first[j] > last_first[i]);
            if !is_leaf {
                continue;
            }
            last_first[i] = first[j];
            counts[j] += width(i);
            let previous = std::mem::replace(&mut last_leaf[i], j);
            if previous != NONE {
                counts[common_ancestor(&mut ancestor, previous)] -= width(i);
            }
        }
        if parent[j] != NONE {
            ancestor[j] = parent[j];
        }
    }
    for &j in &postorder {
        let j = j as usize;
        if parent[j] != NONE {
            counts[parent[j]] += counts[j];
        }
    }
    (0..n).map(|j| (counts[j] - width(j)) as usize).collect()
}

/// The root of the part of the tree that has been seen, with path compression.
fn common_ancestor(ancestor: &mut [usize], from: usize) -> usize {
    let mut root = from;
    while ancestor[root] != root {
        root = ancestor[root];
    }
    let mut at = from;
    while at != root {
        at = std::mem::replace(&mut ancestor[at], root);
    }
    root
}

/// Children before parents, the children of one parent by ascending key.
pub fn postorder<K: Ord>(parent: &[usize], keys: &[K]) -> Vec<u32> {
    let n = parent.len();
    let mut descending: Vec<usize> = (0..n).collect();
    descending.sort_by(|&i, &j| keys[j].cmp(&keys[i]));
    // Linked lists, the smallest key first.
    let (mut head, mut next) = (vec![NONE; n + 1], vec![NONE; n]);
    for i in descending {
        let list = &mut head[parent[i].min(n)];
        next[i] = std::mem::replace(list, i);
    }
    let mut out = Vec::with_capacity(n);
    let mut path = Vec::new();
    let mut root = head[n];
    while root != NONE {
        path.push(root);
        while let Some(&i) = path.last() {
            let child = head[i];
            if child == NONE {
                out.push(i as u32);
                path.pop();
            } else {
                head[i] = next[child];
                path.push(child);
            }
        }
        root = next[root];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of nodes with a few chords, of one to three rows.
    fn example(n: usize) -> Graph {
        let is_edge = |a: usize, b: usize| a.abs_diff(b) == 1 || (a * b) % 7 == 3;
        let mut graph = Graph {
            widths: (0..n).map(|v| v as u32 % 3 + 1).collect(),
            ranges: vec![0],
            neighbours: Vec::new(),
        };
        for v in 0..n {
            let met = (0..n).filter(|&w| w != v && is_edge(v, w));
            graph.neighbours.extend(met.map(|w| w as u32));
            graph.ranges.push(graph.neighbours.len());
        }
        graph
    }

    #[test]
    fn counts_are_those_of_the_elimination() {
        for n in [0, 1, 2, 12, 40] {
            let graph = example(n);
            let ordering = Ordering::new(&graph).expect("memory");
            // Eliminates the nodes one after the other: the later neighbours become a clique.
            let mut met = vec![vec![false; n]; n];
            for i in 0..n {
                for &v in graph.neighbours(ordering.order[i] as usize) {
                    met[i][ordering.position[v as usize] as usize] = true;
                }
            }
            for i in 0..n {
                let later: Vec<usize> = (i + 1..n).filter(|&k| met[i][k]).collect();
                for &a in &later {
                    later.iter().for_each(|&b| met[a][b] = true);
                }
                let rows = later
                    .iter()
                    .map(|&k| graph.widths[ordering.order[k] as usize]);
                assert_eq!(ordering.below[i], rows.sum::<u32>() as usize);
                let parent = later.first().copied().unwrap_or(NONE);
                assert_eq!(ordering.parent[i], parent);
            }
        }
    }
}
