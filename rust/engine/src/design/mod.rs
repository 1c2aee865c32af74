//! What is fitted: response, model matrices by term, weights, offset; and the basis in which the
//! engine works.

pub mod basis;
mod span;

use std::sync::Arc;

use crate::covariance::Covariance;
use crate::error::{same_length, Error, Result};
use crate::linalg::{memory, Columns, Shared};

/// Bytes that a random effect takes at the least: cross-products, factor and modes.
const LEAST_BYTES: f64 = 48.0;

/// A random-effects term `(expr | g)`.
#[derive(Debug, Clone)]
pub struct Term {
    /// Level of the grouping factor, one per row.
    pub codes: Shared<u32>,
    /// Number of levels.
    pub n_levels: usize,
    /// Columns of the expression, n × k, row-major.
    pub z: Shared<f64>,
    /// Number of columns.
    pub k: usize,
    /// Covariance structure of the k effects of a level.
    pub covariance: Arc<dyn Covariance>,
}

/// The data of a linear mixed model, in the units of the user.
#[derive(Debug, Clone)]
pub struct Design {
    pub y: Vec<f64>,
    /// Fixed-effects model matrix, n × p; columns may be dependent.
    pub x: Columns,
    pub terms: Vec<Term>,
    /// Prior weights, positive.
    pub weights: Option<Vec<f64>>,
    pub offset: Option<Vec<f64>>,
}

/// A design without its response.
#[derive(Debug, Clone)]
pub struct Predictors {
    pub x: Columns,
    pub terms: Vec<Term>,
    pub weights: Option<Vec<f64>>,
    pub offset: Option<Vec<f64>>,
}

impl Design {
    /// A response to these predictors.
    #[must_use]
    pub fn join(y: Vec<f64>, predictors: Predictors) -> Self {
        let Predictors {
            x,
            terms,
            weights,
            offset,
        } = predictors;
        Self {
            y,
            x,
            terms,
            weights,
            offset,
        }
    }

    /// The response and the rest.
    #[must_use]
    pub fn split(self) -> (Vec<f64>, Predictors) {
        let predictors = Predictors {
            x: self.x,
            terms: self.terms,
            weights: self.weights,
            offset: self.offset,
        };
        (self.y, predictors)
    }
}

impl Predictors {
    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.x.rows()
    }

    /// Number of parameters in theta.
    #[must_use]
    pub fn n_theta(&self) -> usize {
        let terms = self.terms.iter();
        terms.map(|t| t.covariance.n_parameters(t.k)).sum()
    }

    /// Checks what the numerics rely on.
    ///
    /// # Errors
    /// Lengths that differ, values that are not finite, weights that are not positive, codes
    /// outside their levels, no observations, no terms; more of anything than can be numbered or
    /// stored.
    pub fn validate(&self) -> Result<()> {
        let n = self.n_obs();
        if n == 0 {
            return Err(Error::Domain("there are no observations".into()));
        }
        let effects = self.terms.iter().map(|t| t.n_levels.saturating_mul(t.k));
        let effects = effects.fold(0_usize, usize::saturating_add);
        let unknowns = effects.saturating_add(self.x.cols());
        for (what, count) in [
            ("observations", n),
            ("random effects", effects),
            ("random and fixed effects", unknowns),
        ] {
            if u32::try_from(count).is_err() {
                return Err(Error::Domain(format!(
                    "{count} {what} are more than the {} that can be numbered",
                    u32::MAX
                )));
            }
        }
        if self.terms.is_empty() {
            return Err(Error::Domain("there is no random-effects term".into()));
        }
        let bytes = LEAST_BYTES * effects as f64;
        if !memory::suffices(bytes) {
            return Err(memory::shortage(
                bytes,
                &format!("{effects} random effects"),
            ));
        }
        finite("the fixed-effects model matrix", self.x.data())?;
        if let Some(w) = &self.weights {
            same_length("weights", n, w.len())?;
            if !w.iter().all(|&w| w > 0.0 && w.is_finite()) {
                return Err(Error::Domain("weights must be positive and finite".into()));
            }
        }
        if let Some(offset) = &self.offset {
            same_length("offset", n, offset.len())?;
            finite("the offset", offset)?;
        }
        for (i, term) in self.terms.iter().enumerate() {
            term.validate(i, n)?;
        }
        Ok(())
    }

    /// Checks a response to these predictors.
    ///
    /// # Errors
    /// A length other than that of the predictors, values that are not finite.
    pub fn validate_response(&self, y: &[f64]) -> Result<()> {
        same_length("the response", self.n_obs(), y.len())?;
        finite("the response", y)
    }
}

impl Term {
    fn validate(&self, index: usize, n: usize) -> Result<()> {
        let what = |part: &str| format!("{part} of random-effects term {index}");
        same_length(&what("the codes"), n, self.codes.len())?;
        same_length(&what("z"), n * self.k, self.z.len())?;
        finite(&what("z"), &self.z)?;
        if self.k == 0 {
            return Err(Error::Domain(format!(
                "random-effects term {index} has no columns"
            )));
        }
        if let Some(&code) = self.codes.iter().find(|&&c| c as usize >= self.n_levels) {
            return Err(Error::Domain(format!(
                "random-effects term {index} has a code {code} outside its {} levels",
                self.n_levels
            )));
        }
        Ok(())
    }
}

fn finite(what: &str, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::Domain(format!(
            "{what} holds {} at position {i}; every value must be finite",
            values[i]
        ))),
    }
}
