//! What can go wrong in the engine. The bindings turn each kind into a Python exception.

use thiserror::Error;

/// Result of an engine call.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the engine; no input should make it panic instead.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// Two inputs that must have one length do not.
    #[error("{what} has length {found}, but {expected} is needed")]
    Length {
        what: String,
        expected: usize,
        found: usize,
    },
    /// A value is outside its domain.
    #[error("{0}")]
    Domain(String),
    /// Nothing is left for the residual variance, or no more than rounding.
    #[error(
        "the residual variance cannot be told from zero: less than 1e-13 of the variance that the \
         fixed effects leave is left for the residuals. Either the model fits the response exactly, \
         so that its likelihood has no bound (drop terms, or check that the response is not a function \
         of the predictors), or the random effects are millions of times as large as the residuals, \
         beyond double precision (make the grouping factor a fixed effect)"
    )]
    ExactFit,
    /// The model needs more memory than may be had.
    #[error("the model needs about {gib:.1} GiB of memory for {what}, more than there is")]
    Memory { what: String, gib: f64 },
    /// The factorisation broke down where it must not.
    #[error("the penalised least squares system could not be factorised at theta = {theta:?}")]
    Factorisation { theta: Vec<f64> },
    /// The conditional modes of the random effects, or coefficients to start from, were not found.
    #[error("the conditional modes of the random effects could not be found: {reason}")]
    Modes {
        reason: String,
        /// A row where the trouble shows.
        row: Option<usize>,
    },
    /// An assumption of the engine does not hold: a fault of its own, whatever the input.
    #[error("{0}")]
    Internal(String),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Checks that an input has the length it must have.
pub(crate) fn same_length(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Length {
        what: what.to_owned(),
        expected,
        found,
    })
}
