//! Which neighbouring columns of the factor are stored and eliminated together.

use std::cmp::Reverse;
use std::ops::Range;

use super::cost;
use super::ordering::{inverse, postorder, Ordering, NONE};
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
pub fn supernodes(graph: &Graph, ordering: &Ordering, border: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (i, &v) in ordering.order.iter().enumerate() {
        let mut group = Group {
            nodes: i..i + 1,
            width: graph.widths[v as usize] as usize,
            below: ordering.below[i] + border,
        };
        while let Some(child) = groups.last() {
            let is_child = ordering.parent[child.nodes.end - 1] < group.nodes.end;
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

/// Reorders the tree so that few update matrices wait at a time: the subtree that needs most room
/// comes first, before room is made for its parent.
pub fn save_room(ordering: &mut Ordering, groups: &mut Vec<Group>) {
    let mut owner = vec![0; ordering.order.len()];
    for (g, group) in groups.iter().enumerate() {
        owner[group.nodes.clone()].fill(g);
    }
    let parent: Vec<usize> = groups
        .iter()
        .map(|group| ordering.parent[group.nodes.end - 1])
        .map(|p| if p == NONE { NONE } else { owner[p] })
        .collect();
    // The two largest needs among the children of each group.
    let mut largest = vec![(0, 0); groups.len()];
    let mut needs = vec![0; groups.len()];
    for (g, group) in groups.iter().enumerate() {
        let (first, second) = largest[g];
        needs[g] = first.max(second + group.below * group.below);
        if parent[g] != NONE {
            let (first, second) = &mut largest[parent[g]];
            if needs[g] > *first {
                *second = std::mem::replace(first, needs[g]);
            } else {
                *second = needs[g].max(*second);
            }
        }
    }
    let keys: Vec<Reverse<usize>> = needs.into_iter().map(Reverse).collect();
    let mut order = Vec::with_capacity(ordering.order.len());
    let mut sorted = Vec::with_capacity(groups.len());
    for g in postorder(&parent, &keys) {
        let mut group = groups[g as usize].clone();
        let from = order.len();
        order.extend_from_slice(&ordering.order[group.nodes]);
        group.nodes = from..order.len();
        sorted.push(group);
    }
    *groups = sorted;
    ordering.position = inverse(&order);
    ordering.order = order;
}

/// The nodes below each supernode, ascending: those its own nodes meet later, and those that its
/// children have below them. Ranges in the list, and the list.
pub fn nodes_below(
    graph: &Graph,
    ordering: &Ordering,
    groups: &[Group],
    owner: &[u32],
) -> (Vec<usize>, Vec<u32>) {
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
