//! Where the optimisation of a generalized model starts: coefficients and dispersion of the model
//! without random effects, and a variance for each block by the method of moments.

use crate::error::{Error, Result};
use crate::family::Density;
use crate::linalg::small;
use crate::model::generalized::PredictorRows;
use crate::model::GeneralizedModel;
use crate::objective::glmm::rows;

/// Newton steps for the coefficients: a start need not be exact.
const STEPS: usize = 12;
/// Steps from a start that is far off: where counts are overestimated by far, each step takes one off
/// their logarithms, and no linear predictor is larger than this.
const STEPS_FROM_FAR: usize = 710;
/// Newton decrement, for each observation, that is small enough for a start.
const NEAR: f64 = 1e-7;
/// Newton decrement, for each observation, of coefficients that are far off.
const FAR: f64 = 1.0;
const HALVINGS: usize = 30;
/// Share of the mean weight that takes the place of smaller and negative ones.
const LEAST_WEIGHT: f64 = 1e-3;
/// Ridge that keeps the normal equations solvable where responses are separated.
const RIDGE: f64 = 1e-10;
/// Least standard deviation of the random effects, in units of what a level's own data resolve.
const LEAST_SCALE: f64 = 0.5;

/// The model without random effects, nearly fitted.
#[derive(Debug, Clone)]
pub struct Start {
    /// Coefficients in the basis of the engine.
    pub gamma: Vec<f64>,
    /// 0 without a dispersion.
    pub log_dispersion: f64,
    pub score: Vec<f64>,
    /// Positive weights of the rows.
    pub weight: Vec<f64>,
}

impl Start {
    /// Fits the coefficients by iteratively reweighted least squares.
    ///
    /// # Errors
    /// When no coefficients are found for which all rows lie in the domain of the link.
    pub fn new(model: &GeneralizedModel) -> Result<Self> {
        let family = &model.family;
        let mut eta = family.start();
        let mut log_dispersion = 0.0;
        if family.has_dispersion() {
            log_dispersion = family.dispersion_start(&eta);
        }
        let density = family.at(log_dispersion);
        let mut search = Search::begin(model, density.as_ref(), &mut eta)?;
        search.run();
        let (gamma, eta) = (search.gamma, search.eta);
        if family.has_dispersion() {
            log_dispersion = family.dispersion_start(&eta);
        }
        let density = family.at(log_dispersion);
        let (mut score, mut weight) = (vec![0.0; eta.len()], vec![0.0; eta.len()]);
        rows::working(density.as_ref(), &eta, &mut score, &mut weight);
        positive_weights(model, density.as_ref(), &eta, &mut weight);
        Ok(Self {
            gamma,
            log_dispersion,
            score,
            weight,
        })
    }

    /// 1/√(mean weight): the size of a random effect that one observation resolves.
    #[must_use]
    pub fn unit(&self) -> f64 {
        let mean = self.weight.iter().sum::<f64>() / self.weight.len().max(1) as f64;
        if mean > 0.0 && mean.is_finite() {
            mean.sqrt().recip()
        } else {
            1.0
        }
    }

    /// Standard deviation of the random effects of each block in the basis of the engine: with
    /// c_j = Z_j's and d_j = tr Z_j'WZ_j / k, `E Σ c_j'c_j / (k d_j) ≈ Σ (1 + σ² d_j)`.
    #[must_use]
    pub fn block_scales(&self, model: &GeneralizedModel) -> Vec<f64> {
        let PredictorRows { frame, z, .. } = &*model.rows;
        let blocks = frame.structure.blocks.iter().zip(z);
        blocks
            .map(|(block, z)| {
                let k = block.width;
                let mut c = vec![0.0; block.dim()];
                let mut d = vec![0.0; block.n_levels];
                for (i, (z, &v)) in z.chunks_exact(k).zip(&block.codes).enumerate() {
                    let v = v as usize;
                    small::axpy(self.score[i], z, &mut c[v * k..(v + 1) * k]);
                    d[v] += self.weight[i] * small::dot(z, z) / k as f64;
                }
                let (mut excess, mut total, mut seen) = (0.0, 0.0, 0.0);
                for (c, &d) in c.chunks_exact(k).zip(&d) {
                    if d > 0.0 {
                        excess += small::dot(c, c) / (k as f64 * d) - 1.0;
                        total += d;
                        seen += 1.0;
                    }
                }
                let resolved = (seen / total).sqrt();
                let scale = (excess / total).max(0.0).sqrt();
                if resolved.is_finite() {
                    scale.max(LEAST_SCALE * resolved)
                } else {
                    1.0
                }
            })
            .collect()
    }

    /// Lower factor of X'WX in the basis of the engine.
    #[must_use]
    pub fn x_factor(&self, model: &GeneralizedModel) -> Vec<f64> {
        normal_factor(model, &self.weight)
    }
}

struct Search<'s> {
    model: &'s GeneralizedModel,
    density: &'s dyn Density,
    gamma: Vec<f64>,
    eta: Vec<f64>,
    score: Vec<f64>,
    weight: Vec<f64>,
    log_likelihood: f64,
}

impl<'s> Search<'s> {
    /// From a linear predictor outside of the model to the nearest inside; where that leaves the
    /// domain of the link, to a constant one.
    fn begin(
        model: &'s GeneralizedModel,
        density: &'s dyn Density,
        eta: &mut [f64],
    ) -> Result<Self> {
        let n = eta.len();
        let (mut score, mut weight) = (vec![0.0; n], vec![0.0; n]);
        rows::working(density, eta, &mut score, &mut weight);
        positive_weights(model, density, eta, &mut weight);
        let offset = rows::fixed_part(&model.rows, &[]);
        let working: Vec<f64> = (0..n)
            .map(|i| weight[i] * (eta[i] - offset[i]) + score[i])
            .collect();
        let factor = normal_factor(model, &weight);
        let mut projected = rows::times_x(&model.rows, &working);
        solve(&factor, &mut projected);
        let level = eta.iter().zip(&offset).map(|(e, o)| e - o).sum::<f64>() / n as f64;
        let constant = model.frame().fixed.constant.as_ref();
        let flat = constant.map(|c| c.iter().map(|c| c * level).collect());
        let zero = vec![0.0; model.rank()];
        let mut first_bad = None;
        for gamma in [Some(projected), flat, Some(zero)].into_iter().flatten() {
            let eta = rows::fixed_part(&model.rows, &gamma);
            let log_likelihood = rows::working(density, &eta, &mut score, &mut weight);
            if log_likelihood.is_finite() {
                return Ok(Self {
                    model,
                    density,
                    gamma,
                    eta,
                    score,
                    weight,
                    log_likelihood,
                });
            }
            first_bad = first_bad.or_else(|| outside(density, &eta));
        }
        Err(Error::Modes {
            reason:
                "no coefficients were found to start from for which every linear predictor lies \
                     in the domain of the link"
                    .into(),
            row: first_bad,
        })
    }

    fn run(&mut self) {
        let n = self.eta.len() as f64;
        for done in 0..STEPS_FROM_FAR {
            positive_weights(self.model, self.density, &self.eta, &mut self.weight);
            let slope = rows::times_x(&self.model.rows, &self.score);
            let mut step = slope.clone();
            solve(&normal_factor(self.model, &self.weight), &mut step);
            let decrement = small::dot(&slope, &step);
            let enough = if done < STEPS { NEAR } else { FAR };
            if !decrement.is_finite() || decrement < enough * n {
                return;
            }
            if !self.descend(&step) {
                return;
            }
        }
    }

    fn descend(&mut self, step: &[f64]) -> bool {
        let mut direction = vec![0.0; self.eta.len()];
        rows::add_fixed(&self.model.rows, step, &mut direction);
        let mut t = 1.0;
        for _ in 0..HALVINGS {
            let eta: Vec<f64> = self
                .eta
                .iter()
                .zip(&direction)
                .map(|(e, d)| e + t * d)
                .collect();
            let value = rows::working(self.density, &eta, &mut self.score, &mut self.weight);
            if value >= self.log_likelihood {
                self.eta = eta;
                self.log_likelihood = value;
                small::axpy(t, step, &mut self.gamma);
                return true;
            }
            t *= 0.5;
        }
        rows::working(self.density, &self.eta, &mut self.score, &mut self.weight);
        false
    }
}

/// The first row without a finite density.
fn outside(density: &dyn Density, eta: &[f64]) -> Option<usize> {
    let (mut log_density, mut score) = (vec![0.0; eta.len()], vec![0.0; eta.len()]);
    density.scores(0, eta, &mut log_density, &mut score);
    log_density.iter().position(|l| !l.is_finite())
}

/// Turns observed information into positive weights.
fn positive_weights(
    model: &GeneralizedModel,
    density: &dyn Density,
    eta: &[f64],
    weight: &mut [f64],
) {
    if model.family.has_expected() && !model.family.is_canonical() {
        density.expected(0, eta, weight);
    }
    let usable = |w: f64| w > 0.0 && w.is_finite();
    let sum: f64 = weight.iter().filter(|w| usable(**w)).sum();
    let least = (LEAST_WEIGHT * sum / weight.len().max(1) as f64).max(f64::MIN_POSITIVE);
    for w in weight.iter_mut() {
        if !usable(*w) {
            *w = least;
        }
    }
}

fn normal_factor(model: &GeneralizedModel, weight: &[f64]) -> Vec<f64> {
    let p = model.rank();
    let mut gram = rows::gram_x(&model.rows, weight);
    let largest = (0..p).map(|i| gram[i + i * p]).fold(0.0, f64::max);
    for i in 0..p {
        gram[i + i * p] += RIDGE * largest;
    }
    if !small::cholesky(&mut gram, p) {
        gram.fill(0.0);
        (0..p).for_each(|i| gram[i + i * p] = largest.sqrt().max(1.0));
    }
    gram
}

fn solve(factor: &[f64], v: &mut [f64]) {
    let p = v.len();
    small::solve_lower(factor, v, p, 1);
    small::solve_lower_transposed(factor, v, p, 1);
}
