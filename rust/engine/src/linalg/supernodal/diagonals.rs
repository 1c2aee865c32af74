//! What is read off the inverse of a supernode: the diagonal blocks of its nodes.
//!
//! The complement C = K - KBK = Λ'^-1 (I - S) Λ^-1 exists for singular Λ too. Its diagonal blocks
//! follow, with K as it is just before the elimination of J, from
//!
//! ```text
//! E = L_JJ^-1 Λ_J' K_JJ,    G = K_RJ - Y E,    C_JJ = K_JJ - E'E - G' B_RR G
//! ```

use super::analysis::{Analysis, Supernode};
use super::{kernels, Scaling};
use crate::linalg::small;

/// Diagonal blocks that belong to one node.
pub struct NodeInverse<'a> {
    /// Position in the order of elimination.
    pub position: usize,
    /// Of S.
    pub inverse: &'a [f64],
    /// Of ΛSΛ'.
    pub scaled: &'a [f64],
    /// Of K - KΛSΛ'K, where it was asked for.
    pub complement: Option<&'a [f64]>,
}

/// Diagonal blocks of the nodes of one supernode, one after the other.
#[derive(Default)]
pub(super) struct Diagonals {
    inverse: Vec<f64>,
    scaled: Vec<f64>,
    complement: Vec<f64>,
    /// Whether each node has a complement.
    has_complement: Vec<bool>,
}

impl Diagonals {
    pub(super) fn read(
        &mut self,
        s: &Supernode,
        analysis: &Analysis,
        front: &[f64],
        scaling: &Scaling<'_>,
    ) {
        let mut half = Vec::new();
        self.inverse.clear();
        self.scaled.clear();
        self.has_complement.clear();
        for i in s.nodes.clone() {
            let at = analysis.starts[i] - s.first;
            let k = analysis.columns(i).len();
            let from = self.inverse.len();
            for b in 0..k {
                let column = (at + b) * s.height() + at;
                self.inverse.extend_from_slice(&front[column..column + k]);
            }
            let lambda = scaling.of(i);
            half.clear();
            half.resize(k * k, 0.0);
            self.scaled.resize(from + k * k, 0.0);
            small::multiply(lambda, &self.inverse[from..], &mut half, k);
            small::multiply_transposed(&half, lambda, &mut self.scaled[from..], k);
            self.has_complement.push(false);
        }
    }

    pub(super) fn complements(
        &mut self,
        s: &Supernode,
        analysis: &Analysis,
        (panel, unscaled): (&[f64], &[f64]),
        bar: &[f64],
        scaling: &Scaling<'_>,
        wanted: &[bool],
    ) {
        let (w, r, h) = (s.width, s.below(), s.height());
        let mut columns = Vec::new();
        for (i, has) in s.nodes.clone().zip(&mut self.has_complement) {
            *has = wanted[scaling.classes[i] as usize];
            if *has {
                columns.extend(analysis.columns(i).map(|c| c - s.first));
            }
        }
        let (mut e, mut g) = (Vec::new(), Vec::new());
        let mut segment = Vec::new();
        for &c in &columns {
            let from = e.len();
            e.extend((0..w).map(|i| unscaled[i.max(c) + i.min(c) * h]));
            scaling.rows(s.nodes.clone(), &mut e[from..], 1, true, &mut segment);
            g.extend_from_slice(&unscaled[c * h + w..(c + 1) * h]);
        }
        let count = columns.len();
        kernels::solve_left(&mut e, panel, count, w, h);
        let mut product = vec![0.0; r * count];
        if r > 0 {
            kernels::multiply(&mut product, (&panel[w..], h), &e, (r, w, count));
            small::axpy(-1.0, &product, &mut g);
            kernels::multiply(&mut product, (bar, r), &g, (r, r, count));
        }
        self.complement.clear();
        self.complement.resize(self.inverse.len(), 0.0);
        let (mut at, mut first) = (0, 0);
        for (i, &has) in s.nodes.clone().zip(&self.has_complement) {
            let k = analysis.columns(i).len();
            if has {
                for b in first..first + k {
                    for a in first..first + k {
                        let (row, column) =
                            (columns[a].max(columns[b]), columns[a].min(columns[b]));
                        self.complement[at + a - first + (b - first) * k] = unscaled
                            [row + column * h]
                            - small::dot(&e[a * w..(a + 1) * w], &e[b * w..(b + 1) * w])
                            - small::dot(&g[a * r..(a + 1) * r], &product[b * r..(b + 1) * r]);
                    }
                }
                first += k;
            }
            at += k * k;
        }
    }

    pub(super) fn hand_out(
        &self,
        s: &Supernode,
        analysis: &Analysis,
        take: &mut dyn FnMut(NodeInverse<'_>),
    ) {
        let mut at = 0;
        for (i, &has) in s.nodes.clone().zip(&self.has_complement) {
            let k = analysis.columns(i).len();
            let range = at..at + k * k;
            take(NodeInverse {
                position: i,
                inverse: &self.inverse[range.clone()],
                scaled: &self.scaled[range.clone()],
                complement: has.then(|| &self.complement[range.clone()]),
            });
            at = range.end;
        }
    }
}
