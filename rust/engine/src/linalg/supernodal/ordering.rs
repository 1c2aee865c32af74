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

/// Row i of the factor has its entries on the paths from the earlier neighbours of i up to i.
fn column_counts(graph: &Graph, order: &[u32], position: &[u32], parent: &[usize]) -> Vec<usize> {
    let n = graph.len();
    let (mut below, mut mark) = (vec![0; n], vec![NONE; n]);
    for i in 0..n {
        mark[i] = i;
        let width = graph.widths[order[i] as usize] as usize;
        for mut k in earlier(graph, order, position, i) {
            while mark[k] != i {
                mark[k] = i;
                below[k] += width;
                k = parent[k];
            }
        }
    }
    below
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
