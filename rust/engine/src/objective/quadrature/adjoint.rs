//! The gradient: the sums over the nodes, and back through the nodes to the modes and the scales.
//!
//! With T = L^-T, v = T'λ'z of a row, and bars for derivatives of the criterion:
//!
//! ```text
//! explicit            η̄ = -2 E s           λ̄ = -2 (Z'Es u' + Z'E[s z'] T')
//! of the nodes        ū = 2 E[u + Tz] - 2 λ'Z'Es,    T̄ = 2 E[(u + Tz) z'] - 2 λ'Z'E[s z']
//! of the scale        M̄ = T K T',   K = I - sym Φ(T̄'T),   Φ: lower triangle with half the diagonal
//! M on λ, rows at u   λ̄ += 2 Z'W V K T',    t = w' v'Kv,    η̄ += t,    λ̄ += Z't u',    ū += λ'Z't
//! modes, a = H^-1 ū   e = w_o z'λa,    η̄ -= e,    λ̄ += Z's a' - Z'e u'
//! ```

use super::layout::Block;
use super::modes::Modes;
use super::{Gradient, Point, State};
use crate::family::DispersionSlopes;
use crate::linalg::small;

/// The part of the gradient that comes from the rows of a block.
pub fn gradient(point: &Point<'_>, state: &State) -> Gradient {
    let State { block, modes, sums } = state;
    let (n, k) = (block.rows.len(), point.k);
    let slopes = Slopes::new(point, block, modes);
    let mut total = Gradient {
        lambda: vec![0.0; k * k],
        eta: vec![0.0; n],
        dispersion: -2.0 * sums.dispersion(),
    };
    let mut level = Level::new(k);
    for position in 0..block.levels.len() {
        level.gather(point, state, position);
        level.back_through_nodes(point, state, position);
        level.back_through_scale(point, state, &slopes, position, &mut total);
        level.back_through_mode(point, state, position, &mut total);
        if let Some(dispersion) = &slopes.dispersion {
            block.for_rows(position, |row| {
                let z = point.z_of(block.rows.start + row);
                total.dispersion += small::dot(&level.effects, z) * dispersion.score[row];
            });
        }
    }
    total
}

/// Slopes of the weights at the modes.
struct Slopes {
    information: Vec<f64>,
    dispersion: Option<ByDispersion>,
}

struct ByDispersion {
    score: Vec<f64>,
    information: Vec<f64>,
}

impl Slopes {
    fn new(point: &Point<'_>, block: &Block, modes: &Modes) -> Self {
        let (first, n) = (block.rows.start, block.rows.len());
        let (kind, eta) = (point.information, &modes.eta);
        let mut information = vec![0.0; n];
        point
            .density
            .information_slope(kind, first, eta, &mut information);
        let dispersion = point.has_dispersion.then(|| {
            let mut log_density = vec![0.0; n];
            let mut by = ByDispersion {
                score: vec![0.0; n],
                information: vec![0.0; n],
            };
            let out = DispersionSlopes {
                log_density: &mut log_density,
                score: &mut by.score,
                information: &mut by.information,
            };
            point.density.dispersion_slopes(kind, first, eta, out);
            by
        });
        Self {
            information,
            dispersion,
        }
    }
}

/// Sums over the rows of one level; vectors of k and matrices of k × k, column-major.
struct Level {
    k: usize,
    /// Z'Es.
    score: Vec<f64>,
    /// Z'E[s z'].
    score_nodes: Vec<f64>,
    /// Z's at the mode.
    score_at_mode: Vec<f64>,
    /// Z'WV.
    weighted: Vec<f64>,
    /// Z't.
    slope: Vec<f64>,
    /// ū, then a.
    mode: Vec<f64>,
    /// K.
    kernel: Vec<f64>,
    /// What ends in λ̄ by u': explicitly, and by the linear predictor at the mode.
    by_mode: Vec<f64>,
    /// λa.
    effects: Vec<f64>,
    direction: Vec<f64>,
    scratch: [Vec<f64>; 2],
}

impl Level {
    fn new(k: usize) -> Self {
        let (vector, matrix) = (vec![0.0; k], vec![0.0; k * k]);
        Self {
            k,
            score: vector.clone(),
            score_nodes: matrix.clone(),
            score_at_mode: vector.clone(),
            weighted: matrix.clone(),
            slope: vector.clone(),
            mode: vector.clone(),
            kernel: matrix.clone(),
            by_mode: vector.clone(),
            effects: vector.clone(),
            direction: vector,
            scratch: [matrix.clone(), matrix],
        }
    }

    fn gather(&mut self, point: &Point<'_>, state: &State, position: usize) {
        let State { block, modes, sums } = state;
        let (n, k) = (block.rows.len(), self.k);
        self.score.fill(0.0);
        self.score_nodes.fill(0.0);
        self.score_at_mode.fill(0.0);
        self.weighted.fill(0.0);
        block.for_rows(position, |row| {
            let z = point.z_of(block.rows.start + row);
            let weight = modes.information()[row];
            small::axpy(sums.score[row], z, &mut self.score);
            small::axpy(modes.score[row], z, &mut self.score_at_mode);
            for i in 0..k {
                let column = i * k..(i + 1) * k;
                let mean = sums.score_nodes[row + i * n];
                small::axpy(mean, z, &mut self.score_nodes[column.clone()]);
                let weighted = weight * modes.directions[row + i * n];
                small::axpy(weighted, z, &mut self.weighted[column]);
            }
        });
    }

    /// ū and K, and the explicit part by u'.
    fn back_through_nodes(&mut self, point: &Point<'_>, state: &State, position: usize) {
        let State { block, modes, sums } = state;
        let k = self.k;
        let u = point.u_of(block.levels[position]);
        // L^-1 = T'.
        let inverse = modes.scale.inverse(position, k);
        let [nodes, projected] = &mut self.scratch;
        // T̄ / 2 = u E z' + T E[z z'] - λ'Z'E[s z'].
        small::transposed_multiply(inverse, sums.squares(position, k), nodes, k);
        small::add_outer(nodes, u, sums.nodes(position, k));
        small::transposed_multiply(point.lambda, &self.score_nodes, projected, k);
        small::axpy(-1.0, projected, nodes);
        // The halves of Φ and sym undo the two of T̄: K has the lower triangle of T̄'T / 2.
        for j in 0..k {
            for i in j..k {
                let sum = (0..=j).map(|h| nodes[h + i * k] * inverse[j + h * k]);
                let entry = f64::from(u8::from(i == j)) - sum.sum::<f64>();
                self.kernel[i + j * k] = entry;
                self.kernel[j + i * k] = entry;
            }
        }
        for i in 0..k {
            let mean = &sums.nodes(position, k)[i..];
            let node = u[i] + small::dot(&inverse[i + i * k..(i + 1) * k], mean);
            let score = small::dot(&point.lambda[i * k..(i + 1) * k], &self.score);
            self.mode[i] = 2.0 * (node - score);
            self.by_mode[i] = -2.0 * self.score[i];
        }
    }

    /// The scale depends on λ and, by the weights, on the linear predictor at the mode.
    fn back_through_scale(
        &mut self,
        point: &Point<'_>,
        state: &State,
        slopes: &Slopes,
        position: usize,
        total: &mut Gradient,
    ) {
        let State { block, modes, .. } = state;
        let (n, k) = (block.rows.len(), self.k);
        // What ends in λ̄ by T': 2 (Z'WV K - Z'E[s z']).
        let [by_root, product] = &mut self.scratch;
        small::multiply(&self.weighted, &self.kernel, by_root, k);
        small::axpy(-1.0, &self.score_nodes, by_root);
        small::multiply(by_root, modes.scale.inverse(position, k), product, k);
        small::axpy(2.0, product, &mut total.lambda);
        self.slope.fill(0.0);
        block.for_rows(position, |row| {
            for i in 0..k {
                self.direction[i] = modes.directions[row + i * n];
            }
            let columns = self.kernel.chunks_exact(k).zip(&self.direction);
            let leverage: f64 = columns
                .map(|(column, v)| v * small::dot(column, &self.direction))
                .sum();
            let t = leverage * slopes.information[row];
            total.eta[row] = t;
            small::axpy(t, point.z_of(block.rows.start + row), &mut self.slope);
            if let Some(dispersion) = &slopes.dispersion {
                total.dispersion += leverage * dispersion.information[row];
            }
        });
        for i in 0..k {
            self.mode[i] += small::dot(&point.lambda[i * k..(i + 1) * k], &self.slope);
        }
        small::axpy(1.0, &self.slope, &mut self.by_mode);
    }

    /// The mode moves so that λ'Z's = u.
    fn back_through_mode(
        &mut self,
        point: &Point<'_>,
        state: &State,
        position: usize,
        total: &mut Gradient,
    ) {
        let State { block, modes, sums } = state;
        modes.curvature().solve(position, &mut self.mode);
        self.effects.fill(0.0);
        for (column, &a) in point.lambda.chunks_exact(self.k).zip(&self.mode) {
            small::axpy(a, column, &mut self.effects);
        }
        block.for_rows(position, |row| {
            let z = point.z_of(block.rows.start + row);
            let e = modes.observed[row] * small::dot(&self.effects, z);
            total.eta[row] -= 2.0 * sums.score[row] + e;
            small::axpy(-e, z, &mut self.by_mode);
        });
        let u = point.u_of(block.levels[position]);
        small::add_outer(&mut total.lambda, &self.by_mode, u);
        small::add_outer(&mut total.lambda, &self.score_at_mode, &self.mode);
    }
}
