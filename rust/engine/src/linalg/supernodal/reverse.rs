//! Diagonal blocks of the inverse, by the reverse of the elimination (Takahashi, Fagan & Chen 1973).
//!
//! Let S be the inverse of `Λ'KΛ + I` and B = ΛSΛ'. With Ŷ = Y L_JJ^-1,
//!
//! ```text
//! S_JJ = (L_JJ L_JJ')^-1 + Ŷ' B_RR Ŷ,    B_JJ = Λ_J S_JJ Λ_J',    B_RJ = -B_RR Ŷ Λ_J'
//! ```
//!
//! so a supernode needs B of the rows below it only, which its parent knows.

use std::sync::Arc;

use super::analysis::{Analysis, Supernode};
use super::diagonals::{Diagonals, NodeInverse};
use super::numeric::mirror_diagonals;
use super::{kernels, Factor, Scaling};
use crate::error::Result;
use crate::linalg::dense::Scratch;
use crate::linalg::matrix::zeroed;

/// Takes the columns of ΛSΛ' of one supernode, in the layout of its panel (the lower triangle, with
/// whole diagonal blocks of nodes).
pub type TakePanel<'a> = &'a mut dyn FnMut(&Supernode, &[f64]);

/// One step of the recursion, before ΛSΛ' takes the place of S.
pub struct Step<'a> {
    pub index: usize,
    pub node: &'a Supernode,
    /// K just before the elimination, where it was kept.
    pub unscaled: &'a [f64],
    /// S_JJ in its square (lower triangle).
    pub front: &'a [f64],
    /// B_RR, both triangles.
    pub bar: &'a [f64],
    /// B_RR Ŷ.
    pub product: &'a [f64],
}

/// Takes every step.
pub type TakeStep<'a> = &'a mut dyn FnMut(&Step<'_>);

impl Factor {
    /// Hands the diagonal blocks of every node to `take`. Without `with_border` they are those of
    /// the inverse of the part before the border. `complement` tells for each class of nodes
    /// whether its complements are wanted; if any is, the factorisation must have kept K. Where the
    /// pattern of K has entries, `take_panel` gets those of ΛSΛ'.
    pub fn inverse(
        &mut self,
        scaling: &Scaling<'_>,
        with_border: bool,
        complement: &[bool],
        take: &mut dyn FnMut(NodeInverse<'_>),
        take_panel: Option<TakePanel<'_>>,
    ) -> Result<()> {
        self.steps(scaling, with_border, complement, take, take_panel, None)
    }

    /// The same, and `take_step` gets every step.
    pub(super) fn steps(
        &mut self,
        scaling: &Scaling<'_>,
        with_border: bool,
        complement: &[bool],
        take: &mut dyn FnMut(NodeInverse<'_>),
        mut take_panel: Option<TakePanel<'_>>,
        mut take_step: Option<TakeStep<'_>>,
    ) -> Result<()> {
        let analysis = Arc::clone(&self.analysis);
        for rows in &mut self.rows {
            if rows.is_empty() {
                *rows = zeroed(analysis.sizes.rows, "the inverse of the sparse factor")?;
            }
        }
        let [solved, product] = &mut self.rows;
        let mut segment = Vec::new();
        let mut diagonals = Diagonals::default();
        let mut top = 0;
        for (index, s) in analysis.supernodes.iter().enumerate().rev() {
            let (w, r) = (s.width, s.below());
            let bar = &mut self.update[..r * r];
            let (solved, product) = (&mut solved[..r * w], &mut product[..r * w]);
            let panel = &self.panels[s.panel()];
            let mut classes = s.nodes.clone().map(|i| scaling.classes[i] as usize);
            let wants_complement = classes.any(|class| complement[class]);
            let wants_more = wants_complement || take_panel.is_some() || take_step.is_some();
            let is_thin_leaf = w == 1 && !s.has_children && !wants_more;
            let mut form = 0.0;
            if let Some(parent) = s.parent.map(|p| &analysis.supernodes[p]) {
                let above = &self.waiting[top - parent.front()..top];
                let places = analysis.places(s);
                if is_thin_leaf {
                    form = quadratic_form(&panel[1..], places, above, parent.height());
                } else {
                    gather(bar, places, above, parent.height());
                }
                if s.is_first_child {
                    top -= parent.front();
                }
            }
            let front = &mut self.waiting[top..top + s.front()];
            if is_thin_leaf {
                front[0] = (1.0 + form) / (panel[0] * panel[0]);
            } else if s.nodes.is_empty() && !with_border {
                front.fill(0.0);
            } else {
                let scratch = &mut self.scratch;
                invert_square(front, panel, bar, (solved, product), s, scratch);
            }
            if let Some(take_step) = &mut take_step {
                take_step(&Step {
                    index,
                    node: s,
                    unscaled: &self.unscaled[s.panel()],
                    front,
                    bar,
                    product,
                });
            }
            mirror_diagonals(front, s, &analysis);
            diagonals.read(s, &analysis, front, scaling);
            if wants_complement {
                let panels = (panel, &self.unscaled[s.panel()]);
                diagonals.complements(s, &analysis, panels, bar, scaling, complement);
            }
            diagonals.hand_out(s, &analysis, take);
            if s.has_children || take_panel.is_some() {
                scale_both_sides(front, s, &analysis, scaling, &mut segment);
                scaling.columns(s.nodes.clone(), product, r, true, &mut segment);
                complete_columns(front, product, s);
            }
            if let Some(take_panel) = &mut take_panel {
                take_panel(s, &front[..s.height() * w]);
            }
            if s.has_children {
                top += s.front();
                complete_front(front, bar, s);
            }
        }
        Ok(())
    }
}

/// S_JJ (lower triangle) in the square of the front; leaves B_RR Ŷ in the second of the buffers.
fn invert_square(
    front: &mut [f64],
    panel: &[f64],
    bar: &[f64],
    (solved, product): (&mut [f64], &mut [f64]),
    s: &Supernode,
    scratch: &mut Scratch,
) {
    let (w, r, h) = (s.width, s.below(), s.height());
    kernels::inverse(front, panel, w, h, scratch);
    if r == 0 {
        return;
    }
    for (to, from) in solved.chunks_exact_mut(r).zip(panel.chunks_exact(h)) {
        to.copy_from_slice(&from[w..]);
    }
    kernels::solve_right(solved, panel, r, w, h);
    kernels::multiply(product, (bar, r), solved, (r, r, w));
    kernels::add_symmetric_product((front, h), solved, product, (r, w));
}

/// B_RJ below the square.
fn complete_columns(front: &mut [f64], product: &[f64], s: &Supernode) {
    let (w, r, h) = (s.width, s.below(), s.height());
    for j in 0..w {
        let rows = &product[j * r..(j + 1) * r];
        for (out, v) in front[j * h + w..(j + 1) * h].iter_mut().zip(rows) {
            *out = -v;
        }
    }
}

/// B_RR.
fn complete_front(front: &mut [f64], bar: &[f64], s: &Supernode) {
    let (w, r, h) = (s.width, s.below(), s.height());
    for j in 0..r {
        let from = (w + j) * h + w;
        front[from + j..from + r].copy_from_slice(&bar[j * r + j..(j + 1) * r]);
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

/// Replaces the square a of a front by `Λ a Λ'` (lower triangle, with whole diagonal blocks).
fn scale_both_sides(
    front: &mut [f64],
    s: &Supernode,
    analysis: &Analysis,
    scaling: &Scaling<'_>,
    segment: &mut Vec<f64>,
) {
    let (w, h) = (s.width, s.height());
    scaling.columns(s.nodes.clone(), front, h, true, segment);
    for i in s.nodes.clone() {
        let columns = analysis.columns(i);
        let from = columns.start - s.first;
        for j in from..columns.end - s.first {
            let column = &mut front[j * h + from..j * h + w];
            scaling.rows(i..s.nodes.end, column, 1, false, segment);
        }
    }
}
