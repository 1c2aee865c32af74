//! The sums over the nodes: the likelihood of every level, and the means over the nodes that the
//! gradient needs, all in one sweep.
//!
//! The weight of a node in a mean is its share in the likelihood, known only at the end. So the
//! terms are kept relative to the largest so far, and rescaled when a larger one comes; the nodes
//! come from the middle outwards, so that this is rare.

use super::layout::Block;
use super::modes::Modes;
use super::rule::Grid;
use super::Point;
use crate::family::DispersionSlopes;
use crate::linalg::small;

/// Means over the nodes of a level, each node weighted by its share in the likelihood.
#[derive(Debug)]
pub struct Sums {
    /// Σ over the levels of the logarithm of the sum.
    pub log_likelihood: f64,
    /// Mean of the score of each row.
    pub score: Vec<f64>,
    /// Mean of the score times z_m; k columns.
    pub score_nodes: Vec<f64>,
    levels: Vec<LevelMeans>,
    /// Mean of z_m; k for each level.
    nodes: Vec<f64>,
    /// Mean of z_m z_m'; k × k for each level.
    squares: Vec<f64>,
}

/// The sums of one level that are single numbers.
#[derive(Debug, Clone)]
struct LevelMeans {
    /// Logarithm of the largest term so far.
    largest: f64,
    /// Sum of the terms, relative to the largest.
    total: f64,
    /// Sum of the derivatives of the log-densities with respect to the dispersion.
    dispersion: f64,
}

/// What the densities say at one node; one value a row.
struct AtNode {
    z: Vec<f64>,
    eta: Vec<f64>,
    log_density: Vec<f64>,
    score: Vec<f64>,
    dispersion: Option<[Vec<f64>; 3]>,
}

impl Sums {
    /// `None` where the likelihood of a level is zero or not finite.
    pub fn new(point: &Point<'_>, block: &Block, modes: &Modes, grid: &Grid<'_>) -> Option<Self> {
        let (n, k, n_levels) = (block.rows.len(), point.k, block.levels.len());
        let nothing = LevelMeans {
            largest: f64::NEG_INFINITY,
            total: 0.0,
            dispersion: 0.0,
        };
        let mut sums = Self {
            log_likelihood: 0.0,
            score: vec![0.0; n],
            score_nodes: vec![0.0; n * k],
            levels: vec![nothing; n_levels],
            nodes: vec![0.0; n_levels * k],
            squares: vec![0.0; n_levels * k * k],
        };
        let room = || vec![0.0; n];
        let mut at = AtNode {
            z: vec![0.0; k],
            eta: room(),
            log_density: room(),
            score: room(),
            dispersion: point.has_dispersion.then(|| [room(), room(), room()]),
        };
        for node in 0..grid.len {
            let log_weight = grid.point(node, &mut at.z);
            at.evaluate(point, block, modes);
            for position in 0..n_levels {
                let rows = block.runs(position).iter().cloned();
                let density = rows
                    .map(|run| at.log_density[run].iter().sum::<f64>())
                    .sum::<f64>();
                let u = point.u_of(block.levels[position]);
                let penalty = penalty(u, modes.scale.inverse(position, k), &at.z);
                sums.add(block, position, log_weight + density - penalty, &at)?;
            }
        }
        sums.finish(block)?;
        Some(sums)
    }

    /// Adds the term of a node, given its logarithm. `None` where that is NaN or infinitely large.
    fn add(&mut self, block: &Block, position: usize, log_term: f64, at: &AtNode) -> Option<()> {
        if log_term == f64::NEG_INFINITY {
            return Some(());
        }
        if !log_term.is_finite() {
            return None;
        }
        let level = &mut self.levels[position];
        if log_term > level.largest {
            let factor = (level.largest - log_term).exp();
            level.largest = log_term;
            self.rescale(block, position, factor);
        }
        let level = &mut self.levels[position];
        let term = (log_term - level.largest).exp();
        // Far out nothing is left to add.
        if term == 0.0 {
            return Some(());
        }
        let (n, k) = (self.score.len(), at.z.len());
        level.total += term;
        small::axpy(term, &at.z, &mut self.nodes[position * k..][..k]);
        for (i, column) in self.squares[position * k * k..][..k * k]
            .chunks_exact_mut(k)
            .enumerate()
        {
            small::axpy(term * at.z[i], &at.z, column);
        }
        for run in block.runs(position) {
            let score = &at.score[run.clone()];
            small::axpy(term, score, &mut self.score[run.clone()]);
            for (i, z) in at.z.iter().enumerate() {
                let column = &mut self.score_nodes[i * n..(i + 1) * n];
                small::axpy(term * z, score, &mut column[run.clone()]);
            }
            if let Some([slopes, _, _]) = &at.dispersion {
                level.dispersion += term * slopes[run.clone()].iter().sum::<f64>();
            }
        }
        Some(())
    }

    /// Multiplies all sums of a level.
    fn rescale(&mut self, block: &Block, position: usize, factor: f64) {
        let (n, k) = (self.score.len(), self.score_nodes.len() / self.score.len());
        let scale = |values: &mut [f64]| values.iter_mut().for_each(|v| *v *= factor);
        let level = &mut self.levels[position];
        level.total *= factor;
        level.dispersion *= factor;
        scale(&mut self.nodes[position * k..][..k]);
        scale(&mut self.squares[position * k * k..][..k * k]);
        for run in block.runs(position) {
            scale(&mut self.score[run.clone()]);
            for column in self.score_nodes.chunks_exact_mut(n) {
                scale(&mut column[run.clone()]);
            }
        }
    }

    /// Turns the sums into means.
    fn finish(&mut self, block: &Block) -> Option<()> {
        for position in 0..block.levels.len() {
            let LevelMeans { largest, total, .. } = self.levels[position];
            // Nothing was added where no node is in the domain of the link.
            if total == 0.0 {
                return None;
            }
            self.log_likelihood += largest + total.ln();
            self.rescale(block, position, 1.0 / total);
        }
        Some(())
    }

    pub fn nodes(&self, position: usize, k: usize) -> &[f64] {
        &self.nodes[position * k..(position + 1) * k]
    }

    pub fn squares(&self, position: usize, k: usize) -> &[f64] {
        &self.squares[position * k * k..(position + 1) * k * k]
    }

    /// Mean of dl/d(log dispersion), summed over the rows and levels.
    pub fn dispersion(&self) -> f64 {
        self.levels.iter().map(|level| level.dispersion).sum()
    }
}

impl AtNode {
    fn evaluate(&mut self, point: &Point<'_>, block: &Block, modes: &Modes) {
        let first = block.rows.start;
        self.eta.copy_from_slice(&modes.eta);
        let columns = modes.directions.chunks_exact(self.eta.len());
        for (z, column) in self.z.iter().zip(columns) {
            small::axpy(*z, column, &mut self.eta);
        }
        point
            .density
            .scores(first, &self.eta, &mut self.log_density, &mut self.score);
        if let Some([log_density, score, information]) = &mut self.dispersion {
            let out = DispersionSlopes {
                log_density,
                score,
                information,
            };
            point
                .density
                .dispersion_slopes(point.information, first, &self.eta, out);
        }
    }
}

/// `(|u + L^-T z|² - |z|²) / 2`.
fn penalty(u: &[f64], inverse: &[f64], z: &[f64]) -> f64 {
    let k = z.len();
    let mut out = 0.0;
    for i in 0..k {
        let node = u[i] + small::dot(&inverse[i + i * k..(i + 1) * k], &z[i..]);
        out += node * node - z[i] * z[i];
    }
    0.5 * out
}
