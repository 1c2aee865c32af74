//! The conditional modes of the random effects by penalised iteratively reweighted least squares:
//! Newton's method on `-2 Σ l_i(η_i) + |u|²`, damped so that every step lowers it.
//!
//! The spherical random effects are kept through their dual c, `u = Λ'c` and `b = Λu`; at the modes
//! c = Z's with s the scores. This needs no inverse of Λ, and a new Λ keeps c.

use crate::error::Result;
use crate::family::Density;
use crate::linalg::small;
use crate::model::generalized::{GeneralizedModel, PredictorRows};
use crate::objective::glmm::border::Border;
use crate::objective::glmm::rows;
use crate::products::stacked::Stacked;
use crate::system::{spherical, WeightedSystem};

/// Steps before the search is given up.
const STEPS: usize = 100;
/// Halvings of a step before the search is given up.
const HALVINGS: usize = 20;
/// Rounding of the penalised deviance, relative to its size.
const NOISE: f64 = 1e-12;
/// Share of the mean weight that takes the place of smaller and negative ones.
const LEAST_WEIGHT: f64 = 1e-3;
/// Below this decrement steps that no longer shrink it are rounding.
const STALLED: f64 = 1e-9;

/// Parameters at which the modes are sought.
pub struct At<'p> {
    pub density: &'p dyn Density,
    /// λ of each block.
    pub lambda: &'p [Vec<f64>],
    /// Coefficients in the basis of the engine; `None` to find them together with the modes.
    pub gamma: Option<&'p [f64]>,
    /// Newton decrement below which the modes are found.
    pub tolerance: f64,
}

/// The modes at the last parameters, with everything known of the rows there.
pub struct Modes<'a> {
    model: &'a GeneralizedModel,
    /// M with the observed information of the rows at the modes.
    pub system: WeightedSystem<'a>,
    /// Dual of the spherical random effects.
    pub c: Stacked,
    pub u: Stacked,
    pub b: Stacked,
    pub gamma: Vec<f64>,
    pub eta: Vec<f64>,
    pub score: Vec<f64>,
    pub weight: Vec<f64>,
    pub log_likelihood: f64,
    pub n_factorisations: usize,
    /// The rows belong to modes that were found.
    known: bool,
    /// What weighs the rows in the factor where the observed information does not.
    positive: Option<Vec<f64>>,
    /// X beside the random effects in the present system, where coefficients are sought too.
    border: Option<Border>,
    trial: Trial,
}

/// Modes that were found, to come back to.
struct Found {
    c: Stacked,
    u: Stacked,
    b: Stacked,
    gamma: Vec<f64>,
    eta: Vec<f64>,
    score: Vec<f64>,
    weight: Vec<f64>,
    log_likelihood: f64,
}

/// Rows at the end of a step.
#[derive(Default)]
struct Trial {
    eta: Vec<f64>,
    score: Vec<f64>,
    weight: Vec<f64>,
}

/// A Newton step.
struct Step {
    c: Stacked,
    u: Stacked,
    b: Stacked,
    gamma: Vec<f64>,
    decrement: f64,
}

impl<'a> Modes<'a> {
    /// `gamma` is where coefficients that are sought too begin.
    pub fn new(model: &'a GeneralizedModel, gamma: Vec<f64>) -> Result<Self> {
        let PredictorRows { frame, z, .. } = &*model.rows;
        let n = model.n_obs();
        let zero = Stacked::zeros(&frame.structure, 1)?;
        Ok(Self {
            model,
            system: WeightedSystem::new(frame, z)?,
            c: zero.clone(),
            u: zero.clone(),
            b: zero,
            gamma,
            eta: vec![0.0; n],
            score: vec![0.0; n],
            weight: vec![0.0; n],
            log_likelihood: f64::NAN,
            n_factorisations: 0,
            known: false,
            positive: None,
            border: None,
            trial: Trial {
                eta: vec![0.0; n],
                score: vec![0.0; n],
                weight: vec![0.0; n],
            },
        })
    }

    /// Takes over modes that were found at these λ.
    pub fn go_on_from(&mut self, other: &Self, lambda: &[Vec<f64>]) -> Result<()> {
        self.c.clone_from(&other.c);
        self.u.clone_from(&other.u);
        self.b.clone_from(&other.b);
        self.gamma.clone_from(&other.gamma);
        self.eta.clone_from(&other.eta);
        self.score.clone_from(&other.score);
        self.weight.clone_from(&other.weight);
        self.log_likelihood = other.log_likelihood;
        self.border = None;
        self.known = other.known && self.system.update(&self.weight, lambda)?;
        Ok(())
    }

    /// Starts the next search at this linear predictor, unless it lies outside of the domain of the link.
    pub fn begin_at(&mut self, eta: &[f64], density: &dyn Density) -> Result<()> {
        self.eta.copy_from_slice(eta);
        self.log_likelihood = rows::working(density, eta, &mut self.score, &mut self.weight);
        self.border = None;
        self.known = self.log_likelihood.is_finite();
        self.system.weigh(&self.weight)
    }

    /// X beside the random effects at the modes, where coefficients were sought too.
    #[must_use]
    pub fn border(&self) -> Option<&Border> {
        self.border.as_ref()
    }

    /// |u|².
    #[must_use]
    pub fn penalty(&self) -> f64 {
        dot(&self.u, &self.u)
    }

    /// The row with the largest linear predictor, or one that is not a number: where trouble shows.
    #[must_use]
    pub fn worst_row(&self) -> Option<usize> {
        let size = |i: &usize| {
            if self.eta[*i].is_finite() {
                self.eta[*i].abs()
            } else {
                f64::INFINITY
            }
        };
        (0..self.eta.len()).max_by(|i, j| size(i).total_cmp(&size(j)))
    }

    /// Finds the modes; the factor of [`Self::system`] is then that of the observed information at
    /// them. False when they cannot be found; the next search then begins where this one did, for
    /// without random effects some rows may lie outside of the domain of the link.
    pub fn find(&mut self, at: &At<'_>) -> Result<bool> {
        let last = self.known.then(|| self.found());
        if let Some(gamma) = at.gamma {
            self.gamma.copy_from_slice(gamma);
        }
        let from_last = self.known && self.predict(at)?;
        self.known = from_last && self.iterate(at)?;
        self.known = self.known || (self.start_at_zero(at)? && self.iterate(at)?);
        let found = self.known;
        if let (false, Some(last)) = (found, last) {
            self.go_back(last);
        }
        Ok(found)
    }

    fn found(&self) -> Found {
        Found {
            c: self.c.clone(),
            u: self.u.clone(),
            b: self.b.clone(),
            gamma: self.gamma.clone(),
            eta: self.eta.clone(),
            score: self.score.clone(),
            weight: self.weight.clone(),
            log_likelihood: self.log_likelihood,
        }
    }

    fn go_back(&mut self, to: Found) {
        (self.c, self.u, self.b) = (to.c, to.u, to.b);
        (self.gamma, self.eta) = (to.gamma, to.eta);
        (self.score, self.weight) = (to.score, to.weight);
        self.log_likelihood = to.log_likelihood;
        self.border = None;
        self.known = true;
    }

    /// Newton steps until the modes are found. False when they cannot be.
    fn iterate(&mut self, at: &At<'_>) -> Result<bool> {
        let mut last = f64::INFINITY;
        for _ in 0..STEPS {
            let Some(observed) = self.factorise(at)? else {
                return Ok(false);
            };
            let weights = self.positive.as_ref().unwrap_or(&self.weight);
            if seeks_coefficients(at, &self.gamma) {
                self.border = Border::new(&self.model.rows, &self.system, weights)?;
            }
            let scores = self.system.project(&self.score, 1)?;
            let Some(step) = self.newton_step(at, &scores)? else {
                // Coefficients that run to infinity take the information on them along.
                return Ok(last < STALLED && self.settle(observed, scores));
            };
            let stalled = step.decrement < STALLED && step.decrement > 0.25 * last;
            if step.decrement < at.tolerance || stalled {
                return Ok(self.settle(observed, scores));
            }
            last = step.decrement;
            if !self.descend(at, &step) {
                return Ok(last < STALLED && self.settle(observed, scores));
            }
        }
        Ok(false)
    }

    /// At the modes c = Z's, which steps that are zero with Λ do not bring about.
    fn settle(&mut self, observed: bool, scores: Stacked) -> bool {
        self.c = scores;
        observed
    }

    /// From the rows of the last modes one Newton step to the new parameters. False when it leads
    /// out of the domain.
    fn predict(&mut self, at: &At<'_>) -> Result<bool> {
        self.n_factorisations += 1;
        self.positive = None;
        if !self.system.system_mut().update(at.lambda)? {
            return Ok(false);
        }
        if seeks_coefficients(at, &self.gamma) {
            self.border = match self.border.take() {
                Some(border) => border.refactored(&self.system),
                None => Border::new(&self.model.rows, &self.system, &self.weight)?,
            };
        }
        let fixed = self.fixed_part();
        let working: Vec<f64> = (0..fixed.len())
            .map(|i| self.weight[i] * (self.eta[i] - fixed[i]) + self.score[i])
            .collect();
        let right = self.system.project(&working, 1)?;
        let Some(step) = self.step(at, &right, &working)? else {
            return Ok(false);
        };
        let mut eta = self.moved(at, &step);
        small::axpy(1.0, &fixed, &mut eta);
        let log_likelihood = rows::working(
            at.density,
            &eta,
            &mut self.trial.score,
            &mut self.trial.weight,
        );
        if !log_likelihood.is_finite() {
            return Ok(false);
        }
        self.eta = eta;
        std::mem::swap(&mut self.score, &mut self.trial.score);
        std::mem::swap(&mut self.weight, &mut self.trial.weight);
        self.log_likelihood = log_likelihood;
        (self.c, self.u, self.b) = (step.c, step.u, step.b);
        small::axpy(1.0, &step.gamma, &mut self.gamma);
        Ok(true)
    }

    fn start_at_zero(&mut self, at: &At<'_>) -> Result<bool> {
        let structure = &self.model.frame().structure;
        self.c = Stacked::zeros(structure, 1)?;
        self.u = self.c.clone();
        self.b = self.c.clone();
        self.eta = self.fixed_part();
        self.log_likelihood =
            rows::working(at.density, &self.eta, &mut self.score, &mut self.weight);
        Ok(self.log_likelihood.is_finite())
    }

    /// Offset + Xγ.
    fn fixed_part(&self) -> Vec<f64> {
        rows::fixed_part(&self.model.rows, &self.gamma)
    }

    /// Factorises at the present rows: by the observed information, or where that is not positive
    /// definite (false) by a positive one that still leads down. `None` when neither can be done.
    fn factorise(&mut self, at: &At<'_>) -> Result<Option<bool>> {
        self.n_factorisations += 1;
        self.positive = None;
        if self.system.update(&self.weight, at.lambda)? {
            return Ok(Some(true));
        }
        let mut positive = vec![0.0; self.weight.len()];
        if self.model.family.has_expected() {
            at.density.expected(0, &self.eta, &mut positive);
        } else {
            let sizes = self.weight.iter().map(|w| w.abs()).sum::<f64>();
            let least = LEAST_WEIGHT * sizes / positive.len() as f64;
            for (p, w) in positive.iter_mut().zip(&self.weight) {
                *p = w.max(least);
            }
        }
        self.n_factorisations += 1;
        let done = self.system.update(&positive, at.lambda)?;
        self.positive = Some(positive);
        Ok(done.then_some(false))
    }

    /// `scores` are Z's.
    fn newton_step(&self, at: &At<'_>, scores: &Stacked) -> Result<Option<Step>> {
        let mut right = scores.clone();
        right.add(-1.0, &self.c);
        self.step(at, &right, &self.score)
    }

    /// The step that solves the quadratic model with slopes `right` in the dual and `X'fixed` in the
    /// coefficients. `None` when it is not finite.
    fn step(&self, at: &At<'_>, right: &Stacked, fixed: &[f64]) -> Result<Option<Step>> {
        let mut b = self.system.system().solve(right.clone());
        let mut gamma = vec![0.0; self.gamma.len()];
        let mut slope = 0.0;
        let mut c = right.clone();
        if seeks_coefficients(at, &gamma) {
            let Some(border) = &self.border else {
                return Ok(None);
            };
            let fixed = rows::times_x(&self.model.rows, fixed);
            gamma = border.coefficients(right, &fixed);
            border.take_modes(&gamma, &mut b);
            border.take_dual(&gamma, &mut c);
            slope = small::dot(&fixed, &gamma);
        }
        let product = self.system.system().multiply(&b)?;
        c.add(-1.0, &product);
        let u = self.spherical(&c, at.lambda);
        // By b and not by u, in which large weights leave few digits.
        let decrement = dot(right, &b) + slope;
        if !decrement.is_finite() {
            return Ok(None);
        }
        Ok(Some(Step {
            c,
            u,
            b,
            gamma,
            decrement,
        }))
    }

    /// What a step adds to the linear predictor.
    fn moved(&self, at: &At<'_>, step: &Step) -> Vec<f64> {
        let mut eta = vec![0.0; self.eta.len()];
        self.system.expand(&step.b, &mut eta);
        if at.gamma.is_none() {
            rows::add_fixed(&self.model.rows, &step.gamma, &mut eta);
        }
        eta
    }

    /// Goes along the step as far as the penalised deviance falls. False when it does not.
    fn descend(&mut self, at: &At<'_>, step: &Step) -> bool {
        let before = self.penalty() - 2.0 * self.log_likelihood;
        let (mixed, square) = (dot(&self.u, &step.u), dot(&step.u, &step.u));
        let penalty = self.penalty();
        let allowed = NOISE * (before.abs() + 1.0);
        let direction = self.moved(at, step);
        let mut t = 1.0;
        for _ in 0..HALVINGS {
            let Trial { eta, score, weight } = &mut self.trial;
            for ((out, e), d) in eta.iter_mut().zip(&self.eta).zip(&direction) {
                *out = e + t * d;
            }
            let log_likelihood = rows::working(at.density, eta, score, weight);
            let value = penalty + t * (2.0 * mixed + t * square) - 2.0 * log_likelihood;
            if value <= before + allowed {
                self.log_likelihood = log_likelihood;
                std::mem::swap(&mut self.eta, eta);
                std::mem::swap(&mut self.score, score);
                std::mem::swap(&mut self.weight, weight);
                self.c.add(t, &step.c);
                self.u.add(t, &step.u);
                self.b.add(t, &step.b);
                small::axpy(t, &step.gamma, &mut self.gamma);
                return true;
            }
            t *= 0.5;
        }
        false
    }

    /// Λ'c.
    fn spherical(&self, c: &Stacked, lambda: &[Vec<f64>]) -> Stacked {
        let mut out = c.clone();
        spherical(&mut out, &self.model.frame().structure, lambda);
        out
    }
}

/// Whether coefficients are sought together with the modes.
fn seeks_coefficients(at: &At<'_>, gamma: &[f64]) -> bool {
    at.gamma.is_none() && !gamma.is_empty()
}

fn parts(v: &Stacked) -> impl Iterator<Item = &Vec<f64>> {
    v.leading.iter().chain([&v.trailing])
}

pub(super) fn dot(a: &Stacked, b: &Stacked) -> f64 {
    parts(a).zip(parts(b)).map(|(a, b)| small::dot(a, b)).sum()
}
