//! Which neighbouring columns of the factor are stored and eliminated together.

use std::cmp::Reverse;
use std::ops::Range;

use super::cost;
use super::ordering::{inverse, postorder, Ordering, NONE};
use super::Graph;

/// One supernode.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its nodes, by position in the order of elimination.
    pub nodes: Range<usize>,
    pub width: usize,
}

/// A supernode in the making: its nodes are linked, the parent of the last is that of all.
#[derive(Debug, Clone, Copy)]
struct Draft {
    first: usize,
    last: usize,
    width: usize,
    below: usize,
}

/// Joins children with their parent as long as one larger supernode, with the zeros it has to
/// store, costs less than two; then puts the nodes of every supernode next to each other, in an
/// order of the supernodes in which few update matrices wait at a time.
pub fn supernodes(graph: &Graph, ordering: &mut Ordering, border: usize) -> Vec<Group> {
    let n = graph.len();
    let mut next = vec![NONE; n];
    let mut drafts: Vec<Option<Draft>> = vec![None; n];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); n];
    for i in 0..n {
        let mut draft = Draft {
            first: i,
            last: i,
            width: graph.widths[ordering.order[i] as usize] as usize,
            below: ordering.below[i] + border,
        };
        // The longest column comes last and joins first.
        for &child in children[i].iter().rev() {
            let joined = drafts[child].take_if(|child| worth_joining(child, &draft));
            if let Some(child) = joined {
                next[child.last] = draft.first;
                draft.first = child.first;
                draft.width += child.width;
            }
        }
        drafts[i] = Some(draft);
        if ordering.parent[i] != NONE {
            children[ordering.parent[i]].push(i);
        }
    }
    let drafts: Vec<Draft> = drafts.into_iter().flatten().collect();
    arrange(ordering, &drafts, &next)
}

/// Room is made for a supernode when its first child is done: the subtree that needs most room
/// itself comes first.
fn arrange(ordering: &mut Ordering, drafts: &[Draft], next: &[usize]) -> Vec<Group> {
    let members = |draft: &Draft| {
        let end = draft.last;
        std::iter::successors(Some(draft.first), move |&i| (i != end).then(|| next[i]))
    };
    let mut owner = vec![0; ordering.order.len()];
    for (g, draft) in drafts.iter().enumerate() {
        members(draft).for_each(|i| owner[i] = g);
    }
    let parent: Vec<usize> = drafts
        .iter()
        .map(|draft| ordering.parent[draft.last])
        .map(|p| if p == NONE { NONE } else { owner[p] })
        .collect();
    // The two largest needs among the children of each supernode.
    let mut largest = vec![(0, 0); drafts.len()];
    let mut needs = vec![0; drafts.len()];
    for (g, draft) in drafts.iter().enumerate() {
        let (first, second) = largest[g];
        needs[g] = first.max(second + draft.below * draft.below);
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
    let mut groups = Vec::with_capacity(drafts.len());
    for g in postorder(&parent, &keys) {
        let draft = &drafts[g as usize];
        let from = order.len();
        order.extend(members(draft).map(|i| ordering.order[i]));
        groups.push(Group {
            nodes: from..order.len(),
            width: draft.width,
        });
    }
    ordering.position = inverse(&order);
    ordering.order = order;
    groups
}

fn worth_joining(child: &Draft, parent: &Draft) -> bool {
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
