//! The trust region at the boundary: leaving saddle points, and putting variances to exactly zero.

use crate::error::Result;
use crate::linalg::dense;
use crate::objective::Derivatives;
use crate::optimize::quadratic::convex_model;
use crate::optimize::subproblem::{minimize_in_ball, Step};
use crate::optimize::trust_region::Search;

/// Most negative curvature, relative to the largest, that is still rounding.
const NEGATIVE: f64 = 1e-8;
/// Columns of a factor below this size are tried at zero.
const SMALL_COLUMN: f64 = 1e-2;

impl Search<'_> {
    /// At a stationary point: a step along negative curvature of the (nearly) zero columns, when
    /// there is one worth taking.
    pub fn escape(&mut self) -> Option<Step> {
        self.lead_with_zero_columns();
        let zero: Vec<usize> = self
            .columns
            .iter()
            .filter(|column| self.size_of(column) < SMALL_COLUMN)
            .flatten()
            .copied()
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
        let columns = std::mem::take(&mut self.columns);
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
        self.columns = columns;
    }

    pub fn size_of(&self, column: &[usize]) -> f64 {
        let squares = column.iter().map(|&i| self.theta[i].powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// Puts small columns of the factors, and those that do nothing, to exactly zero when the objective does not rise and zero
    /// is a minimum.
    pub fn snap_to_boundary(&mut self) -> Result<()> {
        let small_columns: Vec<Vec<usize>> = self
            .columns
            .iter()
            .filter(|column| {
                let size = self.size_of(column);
                size > 0.0 && (size < SMALL_COLUMN || self.is_flat(column))
            })
            .cloned()
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
        if self.exhausted() {
            return Ok(false);
        }
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
}
