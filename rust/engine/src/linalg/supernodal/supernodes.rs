//! Which neighbouring columns of the factor are stored and eliminated together.

use std::ops::Range;

use super::cost;
use super::ordering::Ordering;
use super::Graph;

/// Nodes (by position) of one supernode.
#[derive(Debug, Clone)]
pub struct Group {
    pub nodes: Range<usize>,
    pub width: usize,
    pub below: usize,
}

/// Columns with one pattern are joined; then children are joined with their parent as long as one
/// larger supernode, with the zeros it has to store, costs less than two.
pub fn supernodes(ordering: &Ordering, widths: &[usize], border: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (i, &width) in widths.iter().enumerate() {
        let mut group = Group {
            nodes: i..i + 1,
            width,
            below: ordering.below[i] + border,
        };
        while let Some(child) = groups.last() {
            let is_child =
                ordering.parent[child.nodes.end - 1].is_some_and(|p| p < group.nodes.end);
            if !is_child || !worth_joining(child, &group) {
                break;
            }
            group.nodes.start = child.nodes.start;
            group.width += child.width;
            groups.pop();
        }
        groups.push(group);
    }
    groups
}

fn worth_joining(child: &Group, parent: &Group) -> bool {
    let apart = cost::time(child.width, child.below) + cost::time(parent.width, parent.below);
    cost::time(child.width + parent.width, parent.below) <= apart
}

/// The nodes below each supernode, ascending: those its own nodes meet later, and those that its
/// children have below them. Ranges in the list, and the list.
pub fn nodes_below(
    graph: &Graph,
    ordering: &Ordering,
    groups: &[Group],
    owner: &[u32],
) -> (Vec<usize>, Vec<u32>) {
    const NONE: usize = usize::MAX;
    let (mut ranges, mut list): (Vec<usize>, Vec<u32>) = (vec![0], Vec::new());
    let mut mark = vec![NONE; graph.len()];
    // Children as linked lists.
    let (mut first_child, mut sibling) = (vec![NONE; groups.len()], vec![NONE; groups.len()]);
    for (s, group) in groups.iter().enumerate() {
        let end = group.nodes.end as u32;
        let from = list.len();
        for i in group.nodes.clone() {
            for &v in graph.neighbours(ordering.order[i] as usize) {
                let k = ordering.position[v as usize];
                if k >= end && mark[k as usize] != s {
                    mark[k as usize] = s;
                    list.push(k);
                }
            }
        }
        let mut child = first_child[s];
        while child != NONE {
            for e in ranges[child]..ranges[child + 1] {
                let k = list[e];
                if k >= end && mark[k as usize] != s {
                    mark[k as usize] = s;
                    list.push(k);
                }
            }
            child = sibling[child];
        }
        list[from..].sort_unstable();
        ranges.push(list.len());
        if let Some(&k) = list[from..].first() {
            let parent = owner[k as usize] as usize;
            sibling[s] = std::mem::replace(&mut first_child[parent], s);
        }
    }
    (ranges, list)
}
