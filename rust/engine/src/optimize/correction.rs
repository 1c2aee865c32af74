//! What the curvature model of a search lacks: taken from the exact Hessian or measured by differences, and kept
//! up to date by secant corrections.

use crate::error::Result;
use crate::linalg::small;
use crate::optimize::quadratic::{
    convex_model, damped_correction, norm, rank_one_correction, signed_model,
};
use crate::optimize::subproblem::{minimize_in_ball, Step};
use crate::optimize::trust_region::Search;

/// With more parameters an exact Hessian at every step costs more than the evaluations it saves, and
/// secant corrections of the first one take its place.
const NEWTON: usize = 20;
/// Predicted decrease without a correction that one from far away must not hide.
const HIDDEN: f64 = 1e-3;
/// Difference of theta for the measured Hessian, relative to the size of a column.
const DIFFERENCE: f64 = 1e-5;

impl Search<'_> {
    /// The exact Hessian at the last point evaluated, which belongs to the present derivatives. False
    /// when there is none.
    pub fn take_hessian(&mut self) -> Result<bool> {
        let Some(mut hessian) = self.objective.hessian()? else {
            return Ok(false);
        };
        small::axpy(
            -1.0,
            signed_model(&self.derivatives).data(),
            hessian.data_mut(),
        );
        self.correction = Some(hessian.into_data());
        self.exact = self.theta.len() <= NEWTON;
        Ok(true)
    }

    /// Differences of the gradient along every parameter. False when a point cannot be evaluated.
    pub fn measure_hessian(&mut self) -> Result<bool> {
        let n = self.theta.len();
        let here = self.derivatives.clone();
        let size = norm(&self.theta) / (n as f64).sqrt();
        let mut hessian = vec![0.0; n * n];
        for j in 0..n {
            if self.exhausted() {
                return Ok(false);
            }
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

    /// The gradient at the end of a failed step tells what the model lacks there.
    pub fn learn_from_failure(&mut self, step: &Step) -> Result<()> {
        if self.exact || self.correction.is_none() {
            return Ok(());
        }
        let there = self.differentiate()?;
        let here = self.derivatives.gradient.clone();
        self.correct(step, &here, Some(&there.gradient));
        Ok(())
    }

    /// Brings the correction in line with the change of the gradient along a step.
    pub fn correct(&mut self, step: &Step, before: &[f64], after: Option<&[f64]>) {
        let Some(correction) = &mut self.correction else {
            return;
        };
        let update = if self.objective.has_crude_curvature() {
            damped_correction
        } else {
            rank_one_correction
        };
        update(
            correction,
            &signed_model(&self.derivatives),
            &step.direction,
            before,
            after.unwrap_or(&self.derivatives.gradient),
        );
    }

    /// Starts the correction anew: what it has gathered belongs elsewhere.
    pub fn forget(&mut self) {
        if self.objective.has_crude_curvature() {
            let size = self.theta.len().pow(2);
            self.correction = self.correction.is_some().then(|| vec![0.0; size]);
        } else {
            self.correction = None;
        }
    }

    /// Whether the model without its correction promises what the correction denies: one that was gathered
    /// where the objective was larger by orders of magnitude is no reason to stop.
    pub fn correction_hides_a_way(&self) -> bool {
        if self.exact || self.correction.is_none() {
            return false;
        }
        let radius = norm(&self.theta).max(1.0);
        let alone = convex_model(&self.derivatives, &[]);
        let step = alone.and_then(|m| minimize_in_ball(&self.derivatives.gradient, &m, radius));
        step.is_some_and(|step| step.predicted > HIDDEN)
    }
}
