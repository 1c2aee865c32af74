//! The trust region at folds, where natural parameters have their bounds: leaving saddle points, and
//! putting parameters exactly on a fold.

use crate::covariance::Fold;
use crate::error::Result;
use crate::linalg::dense;
use crate::objective::Derivatives;
use crate::optimize::quadratic::convex_model;
use crate::optimize::subproblem::{minimize_in_ball, Step};
use crate::optimize::trust_region::Search;

/// Most negative curvature, relative to the largest, that is still rounding.
const NEGATIVE: f64 = 1e-8;
/// Parameters nearer to a fold than this are tried on it.
const NEAR_FOLD: f64 = 1e-2;
/// How far a start is moved off a fold where it would stay.
const OFF_FOLD: f64 = 0.1;

impl Search<'_> {
    /// At a stationary point: a step along negative curvature of the parameters (nearly) on a fold, when
    /// there is one worth taking.
    pub fn escape(&mut self) -> Option<Step> {
        self.lead_with_zero_columns();
        let mut folded: Vec<usize> = self
            .folds
            .iter()
            .filter(|fold| self.distance_to(fold) < NEAR_FOLD)
            .flat_map(|fold| fold.parameters.iter().copied())
            .collect();
        folded.sort_unstable();
        folded.dedup();
        if folded.is_empty() {
            return None;
        }
        let model = convex_model(&self.derivatives, &folded)?;
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
        let mut moves = Vec::new();
        for pair in self.folds.windows(2) {
            let (here, next) = (&pair[0], &pair[1]);
            let (own, other) = (&here.parameters, &next.parameters);
            let same_factor = own.len() == other.len() + 1 && here.at == 0.0 && next.at == 0.0;
            if same_factor
                && self.theta[own[0]] == 0.0
                && self.distance_to(here) > 0.0
                && self.distance_to(next) == 0.0
            {
                moves.extend(own[1..].iter().copied().zip(other.iter().copied()));
            }
        }
        for (from, to) in moves {
            self.theta[to] = std::mem::take(&mut self.theta[from]);
        }
    }

    pub fn distance_to(&self, fold: &Fold) -> f64 {
        let own = fold.parameters.iter();
        let squares = own.map(|&i| (self.theta[i] - fold.at).powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// Puts parameters that are near to a fold, or do nothing, exactly on it when the objective does not
    /// rise and they are at a minimum there.
    pub fn snap_to_boundary(&mut self) -> Result<()> {
        let near: Vec<Fold> = self
            .folds
            .iter()
            .filter(|fold| {
                let distance = self.distance_to(fold);
                let flat = fold.at == 0.0 && self.is_flat(&fold.parameters);
                distance > 0.0 && (distance < NEAR_FOLD || flat)
            })
            .cloned()
            .collect();
        if near.is_empty() {
            return Ok(());
        }
        // All at once is the common case; one by one when one of them belongs inside.
        if self.try_on_folds(&near)? {
            return Ok(());
        }
        if near.len() > 1 {
            for fold in near {
                self.try_on_folds(&[fold])?;
            }
        }
        Ok(())
    }

    /// The objective does not depend on these parameters at all (columns of Z that are zero).
    fn is_flat(&self, parameters: &[usize]) -> bool {
        let Derivatives {
            gradient,
            information,
            curvature,
        } = &self.derivatives;
        parameters
            .iter()
            .all(|&i| gradient[i] == 0.0 && information[(i, i)] == 0.0 && curvature[(i, i)] == 0.0)
    }

    /// Moves a start off the folds where nothing shows a way: where a parameter is the root of a standard
    /// deviation, the objective is flat to the third order at zero.
    pub fn leave_flat_folds(&mut self) -> Result<()> {
        let mut theta = self.theta.clone();
        for fold in &self.folds {
            if self.distance_to(fold) == 0.0 && self.is_flat(&fold.parameters) {
                theta[fold.parameters[0]] += fold.side * OFF_FOLD;
            }
        }
        if theta == self.theta || self.exhausted() {
            return Ok(());
        }
        if let Some(value) = self.evaluate(&theta)? {
            self.theta = theta;
            self.value = value;
            self.derivatives = self.differentiate()?;
        } else {
            // The objective returns to the point that the derivatives belong to.
            let here = self.theta.clone();
            self.evaluate(&here)?;
        }
        Ok(())
    }

    fn try_on_folds(&mut self, folds: &[Fold]) -> Result<bool> {
        if self.exhausted() {
            return Ok(false);
        }
        let mut theta = self.theta.clone();
        let mut entries = Vec::new();
        for fold in folds {
            fold.parameters.iter().for_each(|&i| theta[i] = fold.at);
            entries.extend_from_slice(&fold.parameters);
        }
        let Some(value) = self.evaluate(&theta)? else {
            return Ok(false);
        };
        if value > self.value + self.tolerance() {
            return Ok(false);
        }
        let derivatives = self.differentiate()?;
        let model = convex_model(&derivatives, &entries);
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
}
