//! Everything about a factorisation that follows from the pattern.

use std::ops::Range;

use super::ordering::Ordering;
use super::supernodes::{nodes_below, supernodes};
use super::{cost, Graph};
use crate::error::Result;

/// Columns that are eliminated together, stored as one dense panel.
#[derive(Debug, Clone)]
pub struct Supernode {
    /// Its nodes, by position in the order of elimination; empty for the border.
    pub nodes: Range<usize>,
    /// First column.
    pub first: usize,
    /// Number of columns.
    pub width: usize,
    /// Its rows below the diagonal block, as a range of [`Analysis::rows`].
    pub rows: Range<usize>,
    /// Where its panel starts: (width + rows) × width, column-major.
    pub panel: usize,
    pub parent: Option<usize>,
    /// Whether it comes first among the children of its parent.
    pub is_first_child: bool,
    pub has_children: bool,
}

impl Supernode {
    /// Rows below the diagonal block.
    #[must_use]
    pub fn below(&self) -> usize {
        self.rows.len()
    }

    /// Rows of the panel.
    #[must_use]
    pub fn height(&self) -> usize {
        self.width + self.rows.len()
    }

    /// Room for its part of the inverse: rows below it matter to its children only.
    #[must_use]
    pub fn front(&self) -> usize {
        let columns = if self.has_children {
            self.height()
        } else {
            self.width
        };
        self.height() * columns
    }

    #[must_use]
    pub fn panel(&self) -> Range<usize> {
        self.panel..self.panel + self.height() * self.width
    }
}

/// Order of elimination, supernodes and sizes.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The node at each position.
    pub order: Vec<u32>,
    /// The position of each node.
    pub position: Vec<u32>,
    /// First column of the node at each position; then the first of the border, and the dimension.
    pub starts: Vec<usize>,
    /// In order of elimination. The border, if there is one, is the last.
    pub supernodes: Vec<Supernode>,
    /// Columns of the border.
    pub border: usize,
    /// Supernode of the node at each position.
    owner: Vec<u32>,
    rows: Vec<u32>,
    /// Where each row stands in the panel of the parent.
    places: Vec<u32>,
    pub sizes: Sizes,
}

/// Storage that a factorisation needs, in numbers, and what it costs.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    pub panels: usize,
    /// Largest update matrix.
    pub update: usize,
    /// Update matrices that wait for their supernode at one time, or their counterparts in the
    /// inverse.
    pub waiting: usize,
    pub widest: usize,
    /// Largest part of a panel below its square.
    pub rows: usize,
    /// Multiplications of one factorisation.
    pub multiplications: f64,
    /// The same in units of multiplications in large dense products.
    pub time: f64,
}

impl Sizes {
    /// Bytes of a factor, with what the inverse needs.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        8.0 * (self.panels + self.update + self.waiting + 2 * self.rows) as f64
    }

    /// The same with the copy of the factor that singular scalings need.
    #[must_use]
    pub fn bytes_with_copy(&self) -> f64 {
        self.bytes() + 8.0 * self.panels as f64
    }
}

impl Analysis {
    pub fn new(graph: &Graph, border: usize) -> Result<Self> {
        let mut ordering = Ordering::new(graph)?;
        let groups = supernodes(graph, &mut ordering, border);
        let n = graph.len();
        let mut starts = Vec::with_capacity(n + 2);
        let mut end = 0;
        for &v in &ordering.order {
            starts.push(end);
            end += graph.widths[v as usize] as usize;
        }
        starts.extend([end, end + border]);
        let mut owner = vec![0; n];
        for (s, group) in groups.iter().enumerate() {
            owner[group.nodes.clone()].fill(s as u32);
        }
        let last = (border > 0).then_some(groups.len());
        let (ranges, below) = nodes_below(graph, &ordering, &groups, &owner);
        let (mut list, mut rows): (Vec<Supernode>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut panel = 0;
        for (s, group) in groups.iter().enumerate() {
            let below = &below[ranges[s]..ranges[s + 1]];
            let from = rows.len();
            for &i in below {
                rows.extend((starts[i as usize]..starts[i as usize + 1]).map(|r| r as u32));
            }
            rows.extend((end..end + border).map(|r| r as u32));
            list.push(Supernode {
                nodes: group.nodes.clone(),
                first: starts[group.nodes.start],
                width: group.width,
                rows: from..rows.len(),
                panel,
                parent: below.first().map(|&i| owner[i as usize] as usize).or(last),
                is_first_child: false,
                has_children: false,
            });
            panel += (group.width + rows.len() - from) * group.width;
        }
        if border > 0 {
            list.push(Supernode {
                nodes: n..n,
                first: end,
                width: border,
                rows: rows.len()..rows.len(),
                panel,
                parent: None,
                is_first_child: false,
                has_children: false,
            });
        }
        for s in 0..list.len() {
            if let Some(p) = list[s].parent {
                list[s].is_first_child = !list[p].has_children;
                list[p].has_children = true;
            }
        }
        let places = places(&list, &rows);
        let sizes = sizes(&list);
        Ok(Self {
            order: ordering.order,
            position: ordering.position,
            starts,
            supernodes: list,
            border,
            owner,
            rows,
            places,
            sizes,
        })
    }

    /// Rows and columns, the border included.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.border_start() + self.border
    }

    /// First row of the border.
    #[must_use]
    pub fn border_start(&self) -> usize {
        self.starts[self.order.len()]
    }

    /// Columns of the node at a position.
    #[must_use]
    pub fn columns(&self, position: usize) -> Range<usize> {
        self.starts[position]..self.starts[position + 1]
    }

    /// Rows of a supernode below its diagonal block, ascending.
    #[must_use]
    pub fn rows(&self, s: &Supernode) -> &[u32] {
        &self.rows[s.rows.clone()]
    }

    /// Where the rows of a supernode stand in the panel of its parent.
    #[must_use]
    pub fn places(&self, s: &Supernode) -> &[u32] {
        &self.places[s.rows.clone()]
    }

    /// Where in the panels the entry (row, first column of the node at a position) is stored, and
    /// the distance to the next column. The row must be in the pattern.
    #[must_use]
    pub fn locate(&self, row: usize, position: usize) -> (usize, usize) {
        let s = &self.supernodes[self.owner[position] as usize];
        let within = if row < s.first + s.width {
            row - s.first
        } else {
            let rows = self.rows(s);
            s.width + rows.partition_point(|&r| (r as usize) < row)
        };
        let column = self.starts[position] - s.first;
        (s.panel + within + column * s.height(), s.height())
    }
}

/// Merges the rows of every supernode with the columns and rows of its parent.
fn places(list: &[Supernode], rows: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(rows.len());
    for s in list {
        let Some(parent) = s.parent.map(|p| &list[p]) else {
            continue;
        };
        let (first, end) = (parent.first, parent.first + parent.width);
        let above = &rows[parent.rows.clone()];
        let mut at = 0;
        for &r in &rows[s.rows.clone()] {
            if (r as usize) < end {
                out.push((r as usize - first) as u32);
            } else {
                while above[at] < r {
                    at += 1;
                }
                out.push((parent.width + at) as u32);
            }
        }
    }
    out
}

fn sizes(list: &[Supernode]) -> Sizes {
    let mut sizes = Sizes::default();
    for s in list {
        sizes.panels = s.panel().end;
        sizes.update = sizes.update.max(s.below() * s.below());
        sizes.widest = sizes.widest.max(s.width);
        sizes.rows = sizes.rows.max(s.below() * s.width);
        sizes.multiplications += cost::multiplications(s.width, s.below());
        sizes.time += cost::time(s.width, s.below());
    }
    let parent = |s: &Supernode| s.parent.filter(|_| s.is_first_child).map(|p| &list[p]);
    // A supernode waits from the end of its first child to its own turn.
    let mut now = 0;
    for s in list {
        if s.has_children {
            now -= s.below() * s.below();
        }
        if let Some(parent) = parent(s) {
            now += parent.below() * parent.below();
        }
        sizes.waiting = sizes.waiting.max(now);
    }
    // In the inverse from its own turn to that of its first child; a leaf during its own turn.
    now = 0;
    for s in list.iter().rev() {
        if let Some(parent) = parent(s) {
            now -= parent.front();
        }
        sizes.waiting = sizes.waiting.max(now + s.front());
        if s.has_children {
            now += s.front();
        }
    }
    sizes
}
