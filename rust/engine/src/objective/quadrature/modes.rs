//! What is known at the conditional modes: the linear predictor, the weights, and the scales of the
//! levels, on which the nodes are placed.

use super::layout::Block;
use super::Point;
use crate::family::Information;
use crate::linalg::small;

/// A block at the modes of its levels.
#[derive(Debug)]
pub struct Modes {
    pub eta: Vec<f64>,
    pub score: Vec<f64>,
    /// Observed information of each row: the curvature of F, of which u is a minimum.
    pub observed: Vec<f64>,
    /// The information that defines the scale, where it is another one.
    expected: Option<Vec<f64>>,
    /// `L^-1 λ'z` of each row: how the linear predictor moves with z_m. k columns.
    pub directions: Vec<f64>,
    /// M of each level.
    pub scale: Roots,
    /// H of each level, where it differs from M.
    curvature: Option<Roots>,
}

impl Modes {
    /// `None` where a scale or a curvature is not positive definite, or a density zero.
    pub fn new(point: &Point<'_>, block: &Block) -> Option<Self> {
        let (n, k) = (block.rows.len(), point.k);
        let first = block.rows.start;
        let eta = linear_predictor(point, block);
        let (mut score, mut observed) = (vec![0.0; n], vec![0.0; n]);
        let density = point.density;
        let log_likelihood = density.working(first, &eta, &mut score, &mut observed);
        if !log_likelihood.is_finite() {
            return None;
        }
        let expected = (point.information == Information::Expected).then(|| {
            let mut expected = vec![0.0; n];
            density.expected(first, &eta, &mut expected);
            expected
        });
        let mut projected = vec![0.0; n * k];
        for (row, projected) in projected.chunks_exact_mut(k).enumerate() {
            for (out, column) in projected.iter_mut().zip(point.lambda.chunks_exact(k)) {
                *out = small::dot(column, point.z_of(first + row));
            }
        }
        let weights = expected.as_ref().unwrap_or(&observed);
        let scale = Roots::new(block, &projected, weights, k)?;
        let curvature = match &expected {
            Some(_) => Some(Roots::new(block, &projected, &observed, k)?),
            None => None,
        };
        let directions = directions(block, &projected, &scale, k);
        Some(Self {
            eta,
            score,
            observed,
            expected,
            directions,
            scale,
            curvature,
        })
    }

    /// The information of each row that defines the scale.
    pub fn information(&self) -> &[f64] {
        self.expected.as_ref().unwrap_or(&self.observed)
    }

    /// `H = I + λ'Z'W_oZλ` of each level, with the observed information W_o.
    pub fn curvature(&self) -> &Roots {
        self.curvature.as_ref().unwrap_or(&self.scale)
    }
}

fn linear_predictor(point: &Point<'_>, block: &Block) -> Vec<f64> {
    let first = block.rows.start;
    let mut eta = point.fixed[block.rows.clone()].to_vec();
    let mut effects = vec![0.0; point.k];
    for (position, &level) in block.levels.iter().enumerate() {
        effects.fill(0.0);
        let columns = point.lambda.chunks_exact(point.k);
        for (column, &u) in columns.zip(point.u_of(level)) {
            small::axpy(u, column, &mut effects);
        }
        block.for_rows(position, |row| {
            eta[row] += small::dot(&effects, point.z_of(first + row));
        });
    }
    eta
}

fn directions(block: &Block, projected: &[f64], scale: &Roots, k: usize) -> Vec<f64> {
    let n = block.rows.len();
    let mut directions = vec![0.0; n * k];
    for position in 0..block.levels.len() {
        let inverse = scale.inverse(position, k);
        block.for_rows(position, |row| {
            for i in 0..k {
                let sum = (0..=i).map(|j| inverse[i + j * k] * projected[row * k + j]);
                directions[row + i * n] = sum.sum();
            }
        });
    }
    directions
}

/// Inverse Cholesky factors of one k × k matrix for each level.
#[derive(Debug)]
pub struct Roots {
    inverses: Vec<f64>,
    /// Sum of the log-determinants of the matrices.
    pub log_det: f64,
}

impl Roots {
    /// Of `I + Σ w p p'`, p being the projected rows. `None` where that is not positive definite.
    fn new(block: &Block, projected: &[f64], weights: &[f64], k: usize) -> Option<Self> {
        let mut inverses = vec![0.0; block.levels.len() * k * k];
        let mut root = vec![0.0; k * k];
        let mut scaled = vec![0.0; k];
        let mut log_det = 0.0;
        for (position, inverse) in inverses.chunks_exact_mut(k * k).enumerate() {
            root.fill(0.0);
            for i in 0..k {
                root[i + i * k] = 1.0;
                inverse[i + i * k] = 1.0;
            }
            block.for_rows(position, |row| {
                let p = &projected[row * k..(row + 1) * k];
                scaled.fill(0.0);
                small::axpy(weights[row], p, &mut scaled);
                small::add_outer(&mut root, p, &scaled);
            });
            if !small::cholesky(&mut root, k) {
                return None;
            }
            log_det += 2.0 * (0..k).map(|i| root[i + i * k].ln()).sum::<f64>();
            small::solve_lower(&root, inverse, k, k);
        }
        Some(Self { inverses, log_det })
    }

    /// L^-1 of a level, column-major.
    pub fn inverse(&self, position: usize, k: usize) -> &[f64] {
        &self.inverses[position * k * k..(position + 1) * k * k]
    }

    /// `b <- (L L')^-1 b`.
    pub fn solve(&self, position: usize, b: &mut [f64]) {
        let k = b.len();
        let inverse = self.inverse(position, k);
        for i in (0..k).rev() {
            b[i] = (0..=i).map(|j| inverse[i + j * k] * b[j]).sum();
        }
        for i in 0..k {
            b[i] = small::dot(&inverse[i + i * k..(i + 1) * k], &b[i..]);
        }
    }
}
