//! The default optimizer: a trust region on exact gradients with the average information as
//! curvature model, to which the positive part of the chain-rule curvature of the covariance
//! factors is added. Near a boundary the average information vanishes; that part does not, which
//! keeps the convergence to singular fits fast.
//!
//! No bounds are needed: the objective is even about the folds of theta (see [`crate::covariance`]),
//! a zero column of a factor for example, so a fit on the boundary is a stationary point on a fold.
//! Whether such a point is a minimum is decided by the signed curvature there at the end.
//!
//! Where the average information is a poor model (the conditional modes share a large mean, say),
//! convergence would be slow. Then the exact Hessian takes over; with many parameters it is taken once
//! and kept up to date by the symmetric rank-one formula. Where there is none it is measured by
//! differences of the gradient.
//!
//! Near a singular covariance matrix the entries of its factor are poor coordinates; then they are turned, see
//! [`super::turn`].

use crate::covariance::Fold;
use crate::error::{Error, Result};
use crate::linalg::small;
use crate::objective::{Derivatives, Objective};
use crate::optimize::quadratic::{convex_model, norm, rank_one_correction, signed_model};
use crate::optimize::subproblem::{minimize_in_ball, newton_where_curved, Step};
use crate::optimize::{Control, FitLog, Outcome, Status, MOST_EVALUATIONS};

/// Default bound on the predicted decrease at convergence.
const TOLERANCE: f64 = 1e-9;
/// Rounding error of an objective of size 1.
const NOISE: f64 = 4.0 * f64::EPSILON;
/// Multiple of the tolerance that rounding of the objective may hide.
const REFUSED: f64 = 1e3;
/// A polish step that promises less is not worth taking.
const POLISHED: f64 = 1e-26;
/// Predicted decrease below which an optimum is near.
const CLOSE: f64 = 0.1;
/// Two steps in a row whose promises shrink by less than this count as slow convergence.
const SLOW: f64 = 0.5;
/// So many slow steps in a row are one too many.
const PATIENCE: usize = 3;
/// Evaluations after which a crude curvature model is taken for a poor one, and measured; again at twice
/// as many, for secant corrections may be slow along a valley.
const LATE: usize = 25;
/// So many steps in a row without gain, whatever the model promises, and the search is given up: the
/// objective has an edge there.
const IDLE: usize = 40;
/// Differences of the objective and, relatively, of theta within which a search has come to a known optimum.
const NEAR: f64 = 1e-2;
/// So often is a correction doubted.
const DOUBTS: usize = 3;
/// Evaluations after which a search that nobody asked for is given up while it is above a known optimum.
const ENOUGH: usize = 40;
/// Length of a step, relative to theta, that changes nothing but rounding.
const TINY: f64 = 1e-8;
/// The largest share of the objective that can be rounding; what changes more there is an edge.
const LOST: f64 = 1e-5;
/// Length of the longest step that polishes an optimum.
const SHORT: f64 = 1e-2;
/// Halvings of a start at which the objective cannot be computed.
const START_TRIALS: usize = 60;

/// Minimises from `start`; a search that comes to the optimum that is `known` already ends there.
pub fn trust_region(
    objective: &mut dyn Objective,
    start: &[f64],
    known: Option<&Outcome>,
    control: &Control,
) -> Result<Outcome> {
    let mut search = Search::begin(objective, start, control)?;
    search.leave_flat_folds()?;
    search.known = known
        .filter(|known| known.status == Status::Converged)
        .map(|known| (known.theta.clone(), known.value));
    let status = search.run()?;
    if status == Status::Converged && !search.is_at_known() {
        search.snap_to_boundary()?;
        search.polish()?;
    }
    let theta = search.objective.unturned(&search.theta);
    search.objective.turn_back();
    Ok(Outcome {
        theta,
        value: search.value,
        status,
        log: search.log,
    })
}

/// The state of one search.
pub struct Search<'a> {
    pub objective: &'a mut dyn Objective,
    control: Control,
    /// An optimum that an earlier search has found, in the coordinates of the start.
    known: Option<(Vec<f64>, f64)>,
    pub theta: Vec<f64>,
    pub value: f64,
    pub derivatives: Derivatives,
    pub radius: f64,
    pub folds: Vec<Fold>,
    /// What the Hessian has beyond information and curvature, once it is asked for.
    pub correction: Option<Vec<f64>>,
    /// The correction is exact at every point.
    pub exact: bool,
    pub log: FitLog,
    /// The largest change of the objective along a step too short to matter.
    rounding: f64,
}

impl<'a> Search<'a> {
    fn begin(objective: &'a mut dyn Objective, start: &[f64], control: &Control) -> Result<Self> {
        let mut theta = start.to_vec();
        let folds = objective.folds();
        let mut log = FitLog::default();
        for _ in 0..START_TRIALS {
            let value = objective.value(&theta)?;
            log.value(&theta, value);
            if let Some(value) = value {
                let derivatives = objective.derivatives()?;
                log.gradient(&derivatives);
                let radius = small::dot(&theta, &theta).sqrt().max(1.0);
                return Ok(Self {
                    objective,
                    control: *control,
                    known: None,
                    theta,
                    value,
                    derivatives,
                    radius,
                    folds,
                    correction: None,
                    exact: false,
                    log,
                    rounding: 0.0,
                });
            }
            theta.iter_mut().for_each(|t| *t *= 0.25);
        }
        Err(Error::Factorisation {
            theta: start.to_vec(),
        })
    }

    pub fn tolerance(&self) -> f64 {
        let asked = self.control.tolerance.unwrap_or(TOLERANCE);
        asked.max(NOISE * self.value.abs())
    }

    pub fn evaluate(&mut self, theta: &[f64]) -> Result<Option<f64>> {
        let value = self.objective.value(theta)?;
        self.log.value(&self.objective.unturned(theta), value);
        Ok(value)
    }

    pub fn differentiate(&mut self) -> Result<Derivatives> {
        let derivatives = self.objective.derivatives()?;
        self.log.gradient(&derivatives);
        Ok(derivatives)
    }

    fn limit(&self) -> usize {
        self.control.max_evaluations.unwrap_or(MOST_EVALUATIONS)
    }

    /// Whether evaluations or time have run out.
    pub fn exhausted(&self) -> bool {
        self.log.entries.len() >= self.limit() || self.control.is_late()
    }

    fn run(&mut self) -> Result<Status> {
        let mut promised = f64::INFINITY;
        let mut slow = 0;
        let mut idle = 0;
        let mut doubts = 0;
        let mut measure_at = LATE;
        loop {
            let Some(mut step) = self.propose() else {
                return Ok(Status::NoProgress);
            };
            if step.predicted < self.tolerance() && (step.interior || self.nothing_beyond()) {
                if doubts < DOUBTS && self.correction_hides_a_way() {
                    doubts += 1;
                    self.forget();
                    continue;
                }
                match self.escape() {
                    None => return Ok(Status::Converged),
                    Some(way_down) => step = way_down,
                }
            }
            if self.control.is_late() {
                return Ok(Status::MaxTime);
            }
            if self.exhausted() {
                return Ok(Status::MaxEvaluations);
            }
            slow = if step.interior && step.predicted > SLOW * promised {
                slow + 1
            } else {
                0
            };
            promised = step.predicted;
            let late = self.objective.has_crude_curvature() && self.log.entries.len() >= measure_at;
            let rough = self.objective.has_lasting_curvature() && step.predicted < CLOSE;
            let stale = late || ((slow >= PATIENCE || rough) && self.correction.is_none());
            if stale && self.log.entries.len() + self.theta.len() < self.limit() {
                slow = 0;
                promised = f64::INFINITY;
                measure_at = 2 * self.log.entries.len().max(LATE);
                self.objective.value(&self.theta)?;
                if self.take_hessian()? || self.measure_hessian()? {
                    continue;
                }
            }
            let before = self.value;
            let moved = self.try_step(&step)?;
            if !moved && self.radius < 1e-12 * (1.0 + norm(&self.theta)) {
                return Ok(self.status_at_rounding());
            }
            if moved && self.is_at_known() {
                return Ok(Status::Converged);
            }
            idle = if self.value < before - self.tolerance() {
                0
            } else {
                idle + 1
            };
            let above = self.known.as_ref().is_some_and(|(_, k)| self.value > *k);
            let asked = self.control.starts.is_some();
            if idle >= IDLE || (above && !asked && self.log.entries.len() >= ENOUGH) {
                return Ok(Status::NoProgress);
            }
        }
    }

    /// Steps that are too short to matter change the objective by its rounding: an optimum where the model
    /// promises no more than that, whatever the length of a step.
    fn status_at_rounding(&self) -> Status {
        let free = self.propose_within(norm(&self.theta).max(1.0));
        match free {
            Some(step) if step.predicted < self.rounding => Status::Converged,
            _ => Status::NoProgress,
        }
    }

    fn is_at_known(&self) -> bool {
        let Some((theta, value)) = &self.known else {
            return false;
        };
        if self.value > value + NEAR || self.value < value - self.tolerance() {
            return false;
        }
        let here = self.objective.unturned(&self.theta);
        let between: Vec<f64> = here.iter().zip(theta).map(|(a, b)| a - b).collect();
        norm(&between) < NEAR * (1.0 + norm(theta))
    }

    fn propose(&self) -> Option<Step> {
        self.propose_within(self.radius)
    }

    fn propose_within(&self, radius: f64) -> Option<Step> {
        let model = match &self.correction {
            None => convex_model(&self.derivatives, &[])?,
            Some(correction) => {
                let mut model = signed_model(&self.derivatives);
                small::axpy(1.0, correction, model.data_mut());
                model
            }
        };
        minimize_in_ball(&self.derivatives.gradient, &model, radius)
    }

    /// Whether the model promises no more outside of a ball that has shrunk, up to what rounding of
    /// the objective may have refused.
    fn nothing_beyond(&self) -> bool {
        let free = self.propose_within(norm(&self.theta).max(1.0));
        free.is_some_and(|step| step.predicted < REFUSED * self.tolerance())
    }

    fn after(&self, step: &Step) -> Vec<f64> {
        let pairs = self.theta.iter().zip(&step.direction);
        pairs.map(|(t, p)| t + p).collect()
    }

    /// Moves when the objective falls, and adapts the radius to how well the model did.
    fn try_step(&mut self, step: &Step) -> Result<bool> {
        let theta = self.after(step);
        let length = norm(&step.direction);
        let Some(value) = self.evaluate(&theta)? else {
            self.radius = 0.25 * length;
            return Ok(false);
        };
        let change = (value - self.value).abs();
        if length < TINY * norm(&self.theta) && change < LOST * self.value.abs() {
            self.rounding = self.rounding.max(change);
        }
        let noise = NOISE * self.value.abs();
        let ratio = (self.value - value + noise) / (step.predicted + noise);
        if ratio < 0.1 {
            self.radius = self.shortened(step, value) * length;
        } else if ratio < 0.25 {
            self.radius = 0.5 * length;
        } else if ratio > 0.75 && !step.interior {
            self.radius = (2.5 * length).max(self.radius).min(1e6);
        }
        // At the edge of the ball a fall within rounding is none: steps that only seem to go down there
        // would never come to an end.
        let no_gain = !step.interior && value >= self.value;
        if no_gain {
            self.radius = self.radius.min(0.25 * length);
        }
        if no_gain || ratio <= 0.0 {
            self.learn_from_failure(step)?;
            return Ok(false);
        }
        let before = std::mem::replace(&mut self.derivatives, self.objective.derivatives()?);
        self.log.gradient(&self.derivatives);
        self.theta = theta;
        self.value = value;
        if self.correction.is_none()
            && self.objective.has_crude_curvature()
            && step.interior
            && step.predicted < CLOSE
        {
            self.correction = Some(vec![0.0; self.theta.len().pow(2)]);
        }
        if self.exact {
            self.take_hessian()?;
        } else {
            self.correct(step, &before.gradient, None);
        }
        if !self.turn_if_worthwhile()? {
            self.canonicalise();
        }
        Ok(true)
    }

    /// The share of a failed step up to which a parabola along it goes down.
    fn shortened(&self, step: &Step, value: f64) -> f64 {
        let slope = small::dot(&self.derivatives.gradient, &step.direction);
        let lowest = -slope / (2.0 * (value - self.value - slope));
        if lowest.is_finite() {
            lowest.clamp(0.1, 0.5)
        } else {
            0.25
        }
    }

    /// Puts the pivot of every fold on its side: the objective is the same, and so are its derivatives up
    /// to signs.
    fn canonicalise(&mut self) {
        for fold in &self.folds {
            let pivot = fold.parameters[0];
            if fold.side * (self.theta[pivot] - fold.at) >= 0.0 {
                continue;
            }
            for &i in &fold.parameters {
                self.theta[i] = 2.0 * fold.at - self.theta[i];
                self.derivatives.gradient[i] = -self.derivatives.gradient[i];
                let n = self.theta.len();
                let information = self.derivatives.information.data_mut();
                let curvature = self.derivatives.curvature.data_mut();
                for matrix in [
                    Some(information),
                    Some(curvature),
                    self.correction.as_deref_mut(),
                ] {
                    let Some(matrix) = matrix else { continue };
                    for j in 0..n {
                        matrix[i + j * n] = -matrix[i + j * n];
                        matrix[j + i * n] = -matrix[j + i * n];
                    }
                }
            }
        }
    }

    /// Newton steps to full precision. Here the gradient decides, not the objective, which is flat
    /// to rounding; the average information is corrected by the symmetric rank-one formula, so the
    /// steps converge superlinearly.
    fn polish(&mut self) -> Result<()> {
        let n = self.theta.len();
        let mut correction = self.correction.take().unwrap_or_else(|| vec![0.0; n * n]);
        let mut promised = f64::INFINITY;
        for _ in 0..self.objective.polish_steps() {
            if self.exhausted() {
                return Ok(());
            }
            let mut model = signed_model(&self.derivatives);
            small::axpy(1.0, &correction, model.data_mut());
            let gradient = &self.derivatives.gradient;
            // A long step follows rounding along flat directions, which have nothing to polish.
            let step = minimize_in_ball(gradient, &model, SHORT)
                .filter(|step| step.interior)
                .or_else(|| newton_where_curved(gradient, &model))
                .filter(|step| norm(&step.direction) <= SHORT);
            let Some(mut step) = step else {
                return Ok(());
            };
            // What is on a fold stays there, whatever the rounding of the step.
            for fold in &self.folds {
                if self.distance_to(fold) == 0.0 {
                    fold.parameters
                        .iter()
                        .for_each(|&i| step.direction[i] = 0.0);
                }
            }
            // Superlinear convergence makes each step promise far less than the one before.
            if step.predicted < POLISHED * self.value.abs().max(1.0)
                || step.predicted > 0.25 * promised
            {
                return Ok(());
            }
            promised = step.predicted;
            let theta = self.after(&step);
            let Some(value) = self.evaluate(&theta)? else {
                return Ok(());
            };
            if value > self.value + self.tolerance() {
                return Ok(());
            }
            let derivatives = self.differentiate()?;
            let new_model = signed_model(&derivatives);
            rank_one_correction(
                &mut correction,
                &new_model,
                &step.direction,
                &self.derivatives.gradient,
                &derivatives.gradient,
            );
            self.theta = theta;
            self.value = value.min(self.value);
            self.derivatives = derivatives;
        }
        Ok(())
    }
}
