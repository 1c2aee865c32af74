//! Turning the coordinates of a search.
//!
//! The objective depends on Σ = λλ' only, and near a singular Σ the entries of a triangular λ are poor coordinates:
//! where a column of small variance comes first, the dominant direction is spread over several rows of its
//! column and the vanishing one over the rest, in a curved valley along which a search zigzags. Where the
//! columns of Z are the eigenvectors of Σ, λ is diagonal and there is no valley.

use crate::error::Result;
use crate::optimize::trust_region::Search;

/// A diagonal entry of λ below this share of its column makes poor coordinates.
const WEAK: f64 = 0.7;
/// Evaluations before the first turn where the curvature model is crude, and where it is good.
const EARLY: usize = 3;
const SETTLED: usize = 10;

impl Search<'_> {
    /// Turns the coordinates where they are poor; false where they stay.
    pub fn turn_if_worthwhile(&mut self) -> Result<bool> {
        let crude = self.objective.has_crude_curvature();
        let from = if crude { EARLY } else { SETTLED };
        let mut columns = self.folds.iter().filter(|fold| fold.parameters.len() > 1);
        let is_poor =
            columns.any(|c| self.theta[c.parameters[0]].abs() < WEAK * self.distance_to(c));
        if self.log.entries.len() < from || !is_poor {
            return Ok(false);
        }
        let Some(theta) = self.objective.turn(&self.theta)? else {
            return Ok(false);
        };
        self.theta = theta;
        self.derivatives = self.objective.derivatives()?;
        // What secant corrections have gathered belongs to the coordinates before.
        if self.exact {
            self.take_hessian()?;
        } else {
            self.forget();
        }
        Ok(true)
    }
}
