//! The numerical factorisation.

use std::sync::Arc;

use super::analysis::{Analysis, Supernode};
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
    /// A stack: update matrices of the supernodes that have had a child; in the inverse, the
    /// inverses of those that have children still to come.
    pub(super) waiting: Vec<f64>,
    /// One update matrix; in the inverse, the inverse for its rows.
    pub(super) update: Vec<f64>,
    pub(super) scratch: Scratch,
    /// Room for the rows of a panel, twice, from the first inverse on.
    pub(super) rows: [Vec<f64>; 2],
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
            rows: Default::default(),
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
            let Some(parent) = s.parent.map(|p| &analysis.supernodes[p]) else {
                continue;
            };
            let below = s.below();
            let is_thin_leaf = !s.has_children && s.width <= kernels::LOW_RANK;
            let update = &mut self.update[..below * below];
            if s.has_children {
                top -= update.len();
                update.copy_from_slice(&self.waiting[top..top + update.len()]);
            } else if !is_thin_leaf {
                update.fill(0.0);
            }
            if !is_thin_leaf {
                kernels::subtract_gram(update, panel, s.width, s.height());
            }
            let room = parent.below() * parent.below();
            if s.is_first_child {
                self.waiting[top..top + room].fill(0.0);
                top += room;
            }
            let (own, above) = self.panels.split_at_mut(s.panel().end);
            let mut target = Target {
                panel: &mut above[parent.panel - s.panel().end..][..parent.panel().len()],
                waiting: &mut self.waiting[top - room..top],
                width: parent.width,
                below: parent.below(),
            };
            if is_thin_leaf {
                target.subtract_gram(&own[s.panel()], s.width, analysis.places(s));
            } else {
                target.add(&self.update[..below * below], analysis.places(s));
            }
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

/// Completes the diagonal blocks of the nodes, of which only the lower triangle is kept up.
pub(super) fn mirror_diagonals(panel: &mut [f64], s: &Supernode, analysis: &Analysis) {
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

/// Where the update of a child goes: the panel and the update matrix of its parent.
pub(super) struct Target<'a> {
    pub panel: &'a mut [f64],
    pub waiting: &'a mut [f64],
    pub width: usize,
    pub below: usize,
}

impl Target<'_> {
    /// The column at a place, and the place of its first entry.
    fn column(&mut self, place: usize) -> (&mut [f64], usize) {
        if place < self.width {
            let height = self.width + self.below;
            (&mut self.panel[place * height..(place + 1) * height], 0)
        } else {
            let from = (place - self.width) * self.below;
            (&mut self.waiting[from..from + self.below], self.width)
        }
    }

    /// Adds the lower triangle of an update matrix.
    pub fn add(&mut self, update: &[f64], places: &[u32]) {
        for (j, column) in update.chunks_exact(places.len().max(1)).enumerate() {
            let (out, first) = self.column(places[j] as usize);
            for (&v, &place) in column[j..].iter().zip(&places[j..]) {
                out[place as usize - first] += v;
            }
        }
    }

    /// Takes away YY' for the rows Y of a panel below its square.
    fn subtract_gram(&mut self, panel: &[f64], width: usize, places: &[u32]) {
        for column in panel.chunks_exact(width + places.len()) {
            let y = &column[width..];
            for (j, &s) in y.iter().enumerate() {
                let (out, first) = self.column(places[j] as usize);
                for (&v, &place) in y[j..].iter().zip(&places[j..]) {
                    out[place as usize - first] -= s * v;
                }
            }
        }
    }
}
