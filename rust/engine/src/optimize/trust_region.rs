//! The default optimizer: a trust region on exact gradients with the average information as
//! curvature model, to which the positive part of the chain-rule curvature of the covariance
//! factors is added. Near a boundary the average information vanishes; that part does not, which
//! keeps the convergence to singular fits fast.
//!
//! No bounds are needed: the objective is even in the signs of each column of a factor, so a fit
//! on the boundary is a stationary point with a zero column. Whether such a point is a minimum is
//! decided by the signed curvature of the zero columns at the end.
//!
//! Where the average information is a poor model (the conditional modes share a large mean, say),
//! convergence would be slow. Then the Hessian is measured once, by differences of the gradient,
//! and kept up to date by the symmetric rank-one formula.

use crate::error::{Error, Result};
use crate::linalg::{dense, small, Matrix};
use crate::objective::{Derivatives, Objective};
use crate::optimize::subproblem::{minimize_in_ball, Step};
use crate::optimize::{Control, FitLog, Outcome, Status};

/// Default bound on the predicted decrease at convergence.
const TOLERANCE: f64 = 1e-9;
/// Rounding error of an objective of size 1.
const NOISE: f64 = 4.0 * f64::EPSILON;
/// Most negative curvature, relative to the largest, that is still rounding.
const NEGATIVE: f64 = 1e-8;
/// Columns of a factor below this size are tried at zero.
const SMALL_COLUMN: f64 = 1e-2;
/// Steps of the final polish, for cheap and for expensive objectives.
const POLISH: (usize, usize) = (8, 1);
/// A polish step that promises less is not worth taking.
const POLISHED: f64 = 1e-26;
/// Two steps in a row whose promises shrink by less than this count as slow convergence.
const SLOW: f64 = 0.5;
/// So many slow steps in a row are one too many.
const PATIENCE: usize = 3;
/// Difference of theta for the measured Hessian, relative to the size of a column.
const DIFFERENCE: f64 = 1e-5;
/// Halvings of a start at which the objective cannot be computed.
const START_TRIALS: usize = 60;

/// Minimises from `start`.
pub fn trust_region(
    objective: &mut dyn Objective,
    start: &[f64],
    control: &Control,
) -> Result<Outcome> {
    let mut search = Search::begin(objective, start, control)?;
    let status = search.run()?;
    if status == Status::Converged {
        search.snap_to_boundary()?;
        search.polish()?;
    }
    Ok(Outcome {
        theta: search.theta,
        value: search.value,
        status,
        log: search.log,
    })
}

/// Information plus the part of the curvature that is safe to use anywhere; all of the curvature
/// for the parameters in `signed`.
fn convex_model(d: &Derivatives, signed: &[usize]) -> Option<Matrix> {
    let mut out = d.information.clone();
    for group in connected(&d.curvature) {
        if group.iter().all(|i| signed.contains(i)) {
            for &j in &group {
                for &i in &group {
                    out[(i, j)] += d.curvature[(i, j)];
                }
            }
            continue;
        }
        let k = group.len();
        let entries = group
            .iter()
            .flat_map(|&j| group.iter().map(move |&i| (i, j)))
            .map(|at| d.curvature[at])
            .collect();
        let (values, vectors) = dense::eigen(&Matrix::from_columns(k, k, entries))?;
        for (e, &w) in values.iter().enumerate().filter(|(_, &w)| w > 0.0) {
            let v = vectors.column(e);
            for (b, &j) in group.iter().enumerate() {
                for (a, &i) in group.iter().enumerate() {
                    out[(i, j)] += w * v[a] * v[b];
                }
            }
        }
    }
    Some(out)
}

/// Information plus signed curvature: exact in sign at a stationary point.
fn signed_model(d: &Derivatives) -> Matrix {
    let mut out = d.information.clone();
    small::axpy(1.0, d.curvature.data(), out.data_mut());
    out
}

/// Groups of parameters that the entries of a symmetric matrix connect.
fn connected(a: &Matrix) -> Vec<Vec<usize>> {
    let n = a.rows();
    let mut seen = vec![false; n];
    let mut out = Vec::new();
    for first in 0..n {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        let mut group = vec![first];
        let mut next = 0;
        while next < group.len() {
            let i = group[next];
            next += 1;
            for j in 0..n {
                if !seen[j] && a[(i, j)] != 0.0 {
                    seen[j] = true;
                    group.push(j);
                }
            }
        }
        group.sort_unstable();
        out.push(group);
    }
    out
}

struct Search<'a> {
    objective: &'a mut dyn Objective,
    control: Control,
    theta: Vec<f64>,
    value: f64,
    derivatives: Derivatives,
    radius: f64,
    /// What the Hessian has beyond information and curvature, once it has been measured.
    correction: Option<Vec<f64>>,
    log: FitLog,
}

impl<'a> Search<'a> {
    fn begin(objective: &'a mut dyn Objective, start: &[f64], control: &Control) -> Result<Self> {
        let mut theta = start.to_vec();
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
                    theta,
                    value,
                    derivatives,
                    radius,
                    correction: None,
                    log,
                });
            }
            theta.iter_mut().for_each(|t| *t *= 0.25);
        }
        Err(Error::Factorisation {
            theta: start.to_vec(),
        })
    }

    fn tolerance(&self) -> f64 {
        let asked = self.control.tolerance.unwrap_or(TOLERANCE);
        asked.max(NOISE * self.value.abs())
    }

    fn evaluate(&mut self, theta: &[f64]) -> Result<Option<f64>> {
        let value = self.objective.value(theta)?;
        self.log.value(theta, value);
        Ok(value)
    }

    fn differentiate(&mut self) -> Result<Derivatives> {
        let derivatives = self.objective.derivatives()?;
        self.log.gradient(&derivatives);
        Ok(derivatives)
    }

    fn exhausted(&self) -> bool {
        self.log.entries.len() >= self.control.max_evaluations
    }

    fn run(&mut self) -> Result<Status> {
        let mut promised = f64::INFINITY;
        let mut slow = 0;
        loop {
            let Some(mut step) = self.propose() else {
                return Ok(Status::NoProgress);
            };
            if step.predicted < self.tolerance() {
                match self.escape() {
                    None => return Ok(Status::Converged),
                    Some(way_down) => step = way_down,
                }
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
            if slow >= PATIENCE {
                slow = 0;
                promised = f64::INFINITY;
                if self.correction.is_none() && self.measure_hessian()? {
                    continue;
                }
            }
            if !self.try_step(&step)? && self.radius < 1e-12 * (1.0 + norm(&self.theta)) {
                return Ok(Status::NoProgress);
            }
        }
    }

    fn propose(&self) -> Option<Step> {
        let model = match &self.correction {
            None => convex_model(&self.derivatives, &[])?,
            Some(correction) => {
                let mut model = signed_model(&self.derivatives);
                small::axpy(1.0, correction, model.data_mut());
                model
            }
        };
        minimize_in_ball(&self.derivatives.gradient, &model, self.radius)
    }

    /// Differences of the gradient along every parameter. False when a point cannot be evaluated.
    fn measure_hessian(&mut self) -> Result<bool> {
        let n = self.theta.len();
        let here = self.derivatives.clone();
        let size = norm(&self.theta) / (n as f64).sqrt();
        let mut hessian = vec![0.0; n * n];
        for j in 0..n {
            let mut theta = self.theta.clone();
            let h = DIFFERENCE * theta[j].abs().max(size).max(1e-3);
            theta[j] += h;
            if self.evaluate(&theta)?.is_none() {
                return Ok(false);
            }
            let there = self.differentiate()?;
            for i in 0..n {
                let slope = (there.gradient[i] - here.gradient[i]) / h;
                hessian[i + j * n] += 0.5 * slope;
                hessian[j + i * n] += 0.5 * slope;
            }
        }
        small::axpy(-1.0, signed_model(&here).data(), &mut hessian);
        self.correction = Some(hessian);
        Ok(true)
    }

    /// At a stationary point: a step along negative curvature of the (nearly) zero columns, when
    /// there is one worth taking.
    fn escape(&mut self) -> Option<Step> {
        self.lead_with_zero_columns();
        let zero: Vec<usize> = self
            .objective
            .columns()
            .into_iter()
            .filter(|column| self.size_of(column) < SMALL_COLUMN)
            .flatten()
            .collect();
        if zero.is_empty() {
            return None;
        }
        let model = convex_model(&self.derivatives, &zero)?;
        let (values, _) = dense::eigen(&model)?;
        let (lowest, largest) = (*values.first()?, *values.last()?);
        if lowest >= -NEGATIVE * largest.abs().max(1.0) {
            return None;
        }
        let step = minimize_in_ball(&self.derivatives.gradient, &model, self.radius.min(1.0))?;
        (step.predicted > self.tolerance()).then_some(step)
    }

    /// Rewrites a column with a zero pivot before a zero column as that column: the covariance is
    /// the same, and the zero column then spans every direction that is missing.
    fn lead_with_zero_columns(&mut self) {
        let columns = self.objective.columns();
        for pair in columns.windows(2) {
            let (here, next) = (&pair[0], &pair[1]);
            let same_factor = here.len() == next.len() + 1;
            if same_factor
                && self.theta[here[0]] == 0.0
                && self.size_of(here) > 0.0
                && self.size_of(next) == 0.0
            {
                for (&from, &to) in here[1..].iter().zip(next) {
                    self.theta[to] = std::mem::take(&mut self.theta[from]);
                }
            }
        }
    }

    fn size_of(&self, column: &[usize]) -> f64 {
        let squares = column.iter().map(|&i| self.theta[i].powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// Moves when the objective falls, and adapts the radius to how well the model did.
    fn try_step(&mut self, step: &Step) -> Result<bool> {
        let theta: Vec<f64> = self
            .theta
            .iter()
            .zip(&step.direction)
            .map(|(t, p)| t + p)
            .collect();
        let length = norm(&step.direction);
        let Some(value) = self.evaluate(&theta)? else {
            self.radius = 0.25 * length;
            return Ok(false);
        };
        let noise = NOISE * self.value.abs();
        let ratio = (self.value - value + noise) / (step.predicted + noise);
        if ratio < 0.1 {
            self.radius = 0.25 * length;
        } else if ratio < 0.25 {
            self.radius = 0.5 * length;
        } else if ratio > 0.75 && !step.interior {
            self.radius = (2.5 * length).max(self.radius).min(1e6);
        }
        if ratio <= 0.0 {
            return Ok(false);
        }
        let derivatives = self.differentiate()?;
        if let Some(correction) = &mut self.correction {
            rank_one_correction(
                correction,
                &signed_model(&derivatives),
                &step.direction,
                &self.derivatives.gradient,
                &derivatives.gradient,
            );
        }
        self.theta = theta;
        self.value = value;
        self.derivatives = derivatives;
        self.canonicalise();
        Ok(true)
    }

    /// Makes the diagonals of the factors non-negative: the objective is the same, and so are its
    /// derivatives up to signs.
    fn canonicalise(&mut self) {
        for column in self.objective.columns() {
            if self.theta[column[0]] >= 0.0 {
                continue;
            }
            for &i in &column {
                self.theta[i] = -self.theta[i];
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

    /// Puts small columns of the factors, and those that do nothing, to exactly zero when the objective does not rise and zero
    /// is a minimum.
    fn snap_to_boundary(&mut self) -> Result<()> {
        let small_columns: Vec<Vec<usize>> = self
            .objective
            .columns()
            .into_iter()
            .filter(|column| {
                let size = self.size_of(column);
                size > 0.0 && (size < SMALL_COLUMN || self.is_flat(column))
            })
            .collect();
        if small_columns.is_empty() {
            return Ok(());
        }
        // All at once is the common case; one by one when one of them belongs inside.
        if self.try_zero(&small_columns.concat())? {
            return Ok(());
        }
        if small_columns.len() > 1 {
            for column in &small_columns {
                self.try_zero(column)?;
            }
        }
        Ok(())
    }

    /// The objective does not depend on these parameters at all (columns of Z that are zero).
    fn is_flat(&self, column: &[usize]) -> bool {
        let Derivatives {
            gradient,
            information,
            curvature,
        } = &self.derivatives;
        column
            .iter()
            .all(|&i| gradient[i] == 0.0 && information[(i, i)] == 0.0 && curvature[(i, i)] == 0.0)
    }

    fn try_zero(&mut self, entries: &[usize]) -> Result<bool> {
        let mut theta = self.theta.clone();
        entries.iter().for_each(|&i| theta[i] = 0.0);
        let Some(value) = self.evaluate(&theta)? else {
            return Ok(false);
        };
        if value > self.value + self.tolerance() {
            return Ok(false);
        }
        let derivatives = self.differentiate()?;
        let model = convex_model(&derivatives, entries);
        let Some((values, _)) = model.as_ref().and_then(dense::eigen) else {
            return Ok(false);
        };
        let largest = values.last().copied().unwrap_or(0.0).abs().max(1.0);
        if values.first().is_some_and(|&w| w < -NEGATIVE * largest) {
            return Ok(false);
        }
        self.theta = theta;
        self.value = value;
        self.derivatives = derivatives;
        Ok(true)
    }

    /// Newton steps to full precision. Here the gradient decides, not the objective, which is flat
    /// to rounding; the average information is corrected by the symmetric rank-one formula, so the
    /// steps converge superlinearly.
    fn polish(&mut self) -> Result<()> {
        let steps = if self.objective.is_expensive() {
            POLISH.1
        } else {
            POLISH.0
        };
        let n = self.theta.len();
        let mut correction = self.correction.take().unwrap_or_else(|| vec![0.0; n * n]);
        let mut promised = f64::INFINITY;
        for _ in 0..steps {
            if self.exhausted() {
                return Ok(());
            }
            let mut model = signed_model(&self.derivatives);
            small::axpy(1.0, &correction, model.data_mut());
            let Some(mut step) = minimize_in_ball(&self.derivatives.gradient, &model, 1e-2) else {
                return Ok(());
            };
            // Zero columns stay exactly zero, whatever the rounding of the step.
            for column in self.objective.columns() {
                if self.size_of(&column) == 0.0 {
                    column.iter().for_each(|&i| step.direction[i] = 0.0);
                }
            }
            // Superlinear convergence makes each step promise far less than the one before.
            if step.predicted < POLISHED * self.value.abs().max(1.0)
                || step.predicted > 0.25 * promised
            {
                return Ok(());
            }
            promised = step.predicted;
            let theta: Vec<f64> = self
                .theta
                .iter()
                .zip(&step.direction)
                .map(|(t, p)| t + p)
                .collect();
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

/// Adds to `correction` what `model + correction` lacks to explain the change of the gradient.
fn rank_one_correction(
    correction: &mut [f64],
    model: &Matrix,
    step: &[f64],
    before: &[f64],
    after: &[f64],
) {
    let n = step.len();
    let mut residual: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    for (j, &s) in step.iter().enumerate() {
        small::axpy(-s, model.column(j), &mut residual);
        small::axpy(-s, &correction[j * n..(j + 1) * n], &mut residual);
    }
    let curvature = small::dot(&residual, step);
    if curvature.abs() > 1e-8 * norm(&residual) * norm(step) {
        for j in 0..n {
            let s = residual[j] / curvature;
            small::axpy(s, &residual, &mut correction[j * n..(j + 1) * n]);
        }
    }
}

fn norm(v: &[f64]) -> f64 {
    small::dot(v, v).sqrt()
}
