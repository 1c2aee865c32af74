//! The numerical factorisation.

use std::sync::Arc;

use super::analysis::{Analysis, Supernode};
use super::reverse::Reverse;
use super::{kernels, Scaling};
use crate::error::Result;
use crate::linalg::dense::Scratch;
use crate::linalg::matrix::zeroed;

/// Storage of a factor, reused from one factorisation to the next.
pub struct Factor {
    pub(super) analysis: Arc<Analysis>,
    /// K before, the factor after the factorisation.
    pub(super) panels: Vec<f64>,
    /// The panels just before their own elimination, where they were asked for.
    pub(super) unscaled: Vec<f64>,
    /// Update matrices of the supernodes that have children already.
    waiting: Vec<f64>,
    update: Vec<f64>,
    pub(super) scratch: Scratch,
    pub(super) reverse: Option<Reverse>,
}

impl Factor {
    pub fn new(analysis: Arc<Analysis>) -> Result<Self> {
        let what = "the sparse factor";
        let sizes = &analysis.sizes;
        Ok(Self {
            panels: zeroed(sizes.panels, what)?,
            unscaled: Vec::new(),
            waiting: zeroed(sizes.waiting, what)?,
            update: zeroed(sizes.update, what)?,
            scratch: Scratch::for_cholesky(sizes.widest),
            reverse: None,
            analysis,
        })
    }

    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// Room for the entries of K, zeroed; [`Analysis::locate`] says where each belongs. Diagonal
    /// blocks are stored whole, otherwise only the lower triangle.
    pub fn entries(&mut self) -> &mut [f64] {
        self.panels.fill(0.0);
        &mut self.panels
    }

    /// Factorises `Λ'KΛ + I` (and K itself in the border). False when it is not positive definite.
    /// `keep` keeps what the inverse needs where Λ is singular.
    pub fn factorise(&mut self, scaling: &Scaling<'_>, keep: bool) -> Result<bool> {
        if keep && self.unscaled.is_empty() {
            self.unscaled = zeroed(self.panels.len(), "the factor of a singular term")?;
        }
        let analysis = Arc::clone(&self.analysis);
        let mut segment = Vec::new();
        let mut top = 0;
        for s in &analysis.supernodes {
            let panel = &mut self.panels[s.panel()];
            if keep {
                self.unscaled[s.panel()].copy_from_slice(panel);
            }
            scale(panel, s, &analysis, scaling, &mut segment);
            if !kernels::factorise(panel, s.width, s.height(), &mut self.scratch) {
                return Ok(false);
            }
            let below = s.below();
            let update = &mut self.update[..below * below];
            if s.has_children {
                top -= update.len();
                update.copy_from_slice(&self.waiting[top..top + update.len()]);
            } else {
                update.fill(0.0);
            }
            kernels::subtract_gram(update, panel, s.width, s.height());
            let Some(parent) = s.parent.map(|p| &analysis.supernodes[p]) else {
                continue;
            };
            let room = parent.below() * parent.below();
            if s.is_first_child {
                self.waiting[top..top + room].fill(0.0);
                top += room;
            }
            let update = &self.update[..below * below];
            let waiting = &mut self.waiting[top - room..top];
            let panel = &mut self.panels[parent.panel()];
            add_to_parent(update, analysis.places(s), parent, panel, waiting);
        }
        Ok(true)
    }

    /// log-determinants of the part before the border, and of the border's.
    #[must_use]
    pub fn log_determinants(&self) -> (f64, f64) {
        let (mut inner, mut border) = (0.0, 0.0);
        for s in &self.analysis.supernodes {
            let panel = &self.panels[s.panel()];
            let log: f64 = (0..s.width).map(|j| panel[j + j * s.height()].ln()).sum();
            if s.nodes.is_empty() {
                border += 2.0 * log;
            } else {
                inner += 2.0 * log;
            }
        }
        (inner, border)
    }

    /// The factor of the border, border × border (lower triangle).
    #[must_use]
    pub fn border(&self) -> &[f64] {
        match self.analysis.supernodes.last() {
            Some(s) if s.nodes.is_empty() => &self.panels[s.panel()],
            _ => &[],
        }
    }
}

/// `panel <- [Λ' K_JJ Λ + I; K_RJ Λ]`, the lower triangle of the square.
fn scale(
    panel: &mut [f64],
    s: &Supernode,
    analysis: &Analysis,
    scaling: &Scaling<'_>,
    segment: &mut Vec<f64>,
) {
    let height = s.height();
    mirror_diagonals(panel, s, analysis);
    scaling.columns(s.nodes.clone(), panel, height, false, segment);
    for i in s.nodes.clone() {
        let from = analysis.starts[i] - s.first;
        for j in from..analysis.starts[i + 1] - s.first {
            let column = &mut panel[j * height..][from..s.width];
            scaling.rows(i..s.nodes.end, column, 1, true, segment);
            column[j - from] += 1.0;
        }
    }
}

/// Updates leave the part above the diagonal of a node's own block behind.
fn mirror_diagonals(panel: &mut [f64], s: &Supernode, analysis: &Analysis) {
    let height = s.height();
    for i in s.nodes.clone() {
        let (from, to) = (
            analysis.starts[i] - s.first,
            analysis.starts[i + 1] - s.first,
        );
        for c in from..to {
            for r in c + 1..to {
                panel[c + r * height] = panel[r + c * height];
            }
        }
    }
}

/// Adds an update matrix to the panel and to the update matrix of the parent.
fn add_to_parent(
    update: &[f64],
    places: &[u32],
    parent: &Supernode,
    panel: &mut [f64],
    waiting: &mut [f64],
) {
    let (below, width) = (places.len(), parent.width);
    for (j, (column, &place)) in update.chunks_exact(below.max(1)).zip(places).enumerate() {
        let place = place as usize;
        if place < width {
            let out = &mut panel[place * parent.height()..][..parent.height()];
            for (&v, &r) in column[j..].iter().zip(&places[j..]) {
                out[r as usize] += v;
            }
        } else {
            let out = &mut waiting[(place - width) * parent.below()..][..parent.below()];
            for (&v, &r) in column[j..].iter().zip(&places[j..]) {
                out[r as usize - width] += v;
            }
        }
    }
}
