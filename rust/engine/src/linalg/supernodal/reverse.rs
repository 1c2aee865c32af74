//! Diagonal blocks of the inverse, by the reverse of the elimination (Takahashi, Fagan & Chen 1973).
//!
//! Let S be the inverse of `Λ'KΛ + I` and B = ΛSΛ'. With Ŷ = Y L_JJ^-1,
//!
//! ```text
//! S_JJ = (L_JJ L_JJ')^-1 + Ŷ' B_RR Ŷ,    B_JJ = Λ_J S_JJ Λ_J',    B_RJ = -B_RR Ŷ Λ_J'
//! ```
//!
//! so a supernode needs B of the rows below it only, which its parent knows. The complement
//! C = K - KBK = Λ'^-1 (I - S) Λ^-1 exists for singular Λ too; its diagonal blocks follow, with K
//! as it is just before the elimination of J, from
//!
//! ```text
//! E = L_JJ^-1 Λ_J' K_JJ,    G = K_RJ - Y E,    C_JJ = K_JJ - E'E - G' B_RR G
//! ```

use std::sync::Arc;

use super::analysis::{Analysis, Supernode};
use super::numeric::mirror_diagonals;
use super::{kernels, Factor, Scaling};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
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

impl Factor {
    /// Hands the diagonal blocks of every node to `take`. Without `with_border` they are those of
    /// the inverse of the part before the border. `complement` tells for each class of nodes
    /// whether its complements are wanted; if any is, the factorisation must have kept K.
    pub fn inverse(
        &mut self,
        scaling: &Scaling<'_>,
        with_border: bool,
        complement: &[bool],
        take: &mut dyn FnMut(NodeInverse<'_>),
    ) -> Result<()> {
        let analysis = Arc::clone(&self.analysis);
        for rows in &mut self.rows {
            if rows.is_empty() {
                *rows = zeroed(analysis.sizes.rows, "the inverse of the sparse factor")?;
            }
        }
        let [solved, product] = &mut self.rows;
        let mut segment = Vec::new();
        let mut blocks = Blocks::default();
        let mut top = 0;
        for s in analysis.supernodes.iter().rev() {
            let (w, r, h) = (s.width, s.below(), s.height());
            let bar = &mut self.update[..r * r];
            let (solved, product) = (&mut solved[..r * w], &mut product[..r * w]);
            let panel = &self.panels[s.panel()];
            let wants_complement = s
                .nodes
                .clone()
                .any(|i| complement[scaling.classes[i] as usize]);
            let is_thin_leaf = w == 1 && !s.has_children && !wants_complement;
            let mut leaf_inverse = 0.0;
            if let Some(parent) = s.parent.map(|p| &analysis.supernodes[p]) {
                let size = parent.height() * parent.height();
                let above = &self.waiting[top - size..top];
                let places = analysis.places(s);
                if is_thin_leaf {
                    let form = quadratic_form(&panel[1..], places, above, parent.height());
                    leaf_inverse = (1.0 + form) / (panel[0] * panel[0]);
                } else {
                    gather(bar, places, above, parent.height());
                }
                if s.is_first_child {
                    top -= size;
                }
            } else if is_thin_leaf {
                leaf_inverse = 1.0 / (panel[0] * panel[0]);
            }
            let front = &mut self.waiting[top..top + h * h];
            if is_thin_leaf {
                front[0] = leaf_inverse;
            } else if s.nodes.is_empty() && !with_border {
                front.fill(0.0);
            } else {
                if r > 0 {
                    for (to, from) in solved.chunks_exact_mut(r).zip(panel.chunks_exact(h)) {
                        to.copy_from_slice(&from[w..]);
                    }
                }
                kernels::solve_right(solved, panel, r, w, h);
                kernels::multiply(product, (bar, r), solved, (r, r, w));
                kernels::inverse(front, panel, w, h, &mut self.scratch);
                kernels::add_symmetric_product((front, h), solved, product, (r, w));
            }
            mirror_diagonals(front, s, &analysis);
            blocks.read(s, &analysis, front, scaling);
            if wants_complement {
                let panels = (panel, &self.unscaled[s.panel()]);
                blocks.complements(s, &analysis, panels, bar, scaling, complement);
            }
            blocks.hand_out(s, &analysis, take);
            if !s.has_children {
                continue;
            }
            top += h * h;
            scale_both_sides(&mut front[..w * h], s, &analysis, scaling, &mut segment);
            scaling.columns(s.nodes.clone(), product, r, true, &mut segment);
            for j in 0..w {
                let rows = &product[j * r..(j + 1) * r];
                for (out, v) in front[j * h + w..(j + 1) * h].iter_mut().zip(rows) {
                    *out = -v;
                }
            }
            for j in 0..r {
                let from = (w + j) * h + w;
                front[from + j..from + r].copy_from_slice(&bar[j * r + j..(j + 1) * r]);
            }
        }
        Ok(())
    }
}

/// Both triangles of B on some rows and columns of the parent's front.
fn gather(bar: &mut [f64], places: &[u32], front: &[f64], height: usize) {
    let r = places.len();
    for (j, &place) in places.iter().enumerate() {
        let column = &front[place as usize * height..][..height];
        for (out, &i) in bar[j * r + j..(j + 1) * r].iter_mut().zip(&places[j..]) {
            *out = column[i as usize];
        }
    }
    kernels::symmetrise(bar, r);
}

/// y'By for the part of the parent's front at these places.
fn quadratic_form(y: &[f64], places: &[u32], front: &[f64], height: usize) -> f64 {
    let mut sum = 0.0;
    for (j, (&place, &own)) in places.iter().zip(y).enumerate() {
        let column = &front[place as usize * height..][..height];
        let below: f64 = y[j + 1..]
            .iter()
            .zip(&places[j + 1..])
            .map(|(&v, &i)| v * column[i as usize])
            .sum();
        sum += own * (own * column[place as usize] + 2.0 * below);
    }
    sum
}

/// Replaces the square a of a panel by `Λ a Λ'` (lower triangle, with whole diagonal blocks).
fn scale_both_sides(
    panel: &mut [f64],
    s: &Supernode,
    analysis: &Analysis,
    scaling: &Scaling<'_>,
    segment: &mut Vec<f64>,
) {
    let (w, h) = (s.width, s.height());
    scaling.columns(s.nodes.clone(), panel, h, true, segment);
    for i in s.nodes.clone() {
        let columns = analysis.columns(i);
        let from = columns.start - s.first;
        for j in from..columns.end - s.first {
            let column = &mut panel[j * h + from..j * h + w];
            scaling.rows(i..s.nodes.end, column, 1, false, segment);
        }
    }
}

/// Diagonal blocks of the nodes of one supernode, one after the other.
#[derive(Default)]
struct Blocks {
    inverse: Vec<f64>,
    scaled: Vec<f64>,
    complement: Vec<f64>,
    /// Whether each node has a complement.
    has_complement: Vec<bool>,
}

impl Blocks {
    fn read(&mut self, s: &Supernode, analysis: &Analysis, front: &[f64], scaling: &Scaling<'_>) {
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

    fn complements(
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

    fn hand_out(&self, s: &Supernode, analysis: &Analysis, take: &mut dyn FnMut(NodeInverse<'_>)) {
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
