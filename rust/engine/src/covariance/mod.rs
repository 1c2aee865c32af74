//! Covariance structures: how the parameters theta of a random-effects term give its relative
//! covariance factor λ (k × k). Each structure is one file and one line in [`STRUCTURES`].
//!
//! Theta is free of bounds. Where a natural parameter (a standard deviation, a correlation) has a
//! bound, theta has a [`Fold`]: the covariance is the same on both sides, so that a fit at the bound
//! is a stationary point in theta.

mod antedependence;
mod ar1;
mod compound_symmetry;
mod continuous_ar1;
mod correlation;
mod diagonal;
mod independent;
mod jet;
mod natural;
mod spherical;
mod toeplitz;
mod unstructured;

pub use diagonal::Diagonal;
pub use jet::{along, constants, Jet};
pub use natural::{Kind, NaturalParameter};
pub use unstructured::Unstructured;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::linalg::small;
use antedependence::Antedependence;
use ar1::Ar1;
use compound_symmetry::CompoundSymmetry;
use continuous_ar1::ContinuousAr1;
use correlation::{Correlation, Spread, WithCorrelation};
use independent::Independent;
use spherical::Spherical;
use toeplitz::Toeplitz;

/// A structure by its name, for these times of the columns where it has any.
type Make = fn(&'static str, Option<&[f64]>) -> Result<Arc<dyn Covariance>>;

/// The table of structures, by their names in formulas.
pub const STRUCTURES: [(&str, Make); 11] = [
    ("us", |_, _| Ok(Arc::new(Unstructured))),
    ("diag", |_, _| Ok(Arc::new(Diagonal))),
    ("homdiag", |name, _| Ok(equal(name, Independent))),
    ("cs", |name, _| Ok(own(name, CompoundSymmetry))),
    ("homcs", |name, _| Ok(equal(name, CompoundSymmetry))),
    ("ar1", |name, _| Ok(equal(name, Ar1))),
    ("hetar1", |name, _| Ok(own(name, Ar1))),
    ("toep", |name, _| Ok(own(name, Toeplitz))),
    ("homtoep", |name, _| Ok(equal(name, Toeplitz))),
    ("ante", |name, _| Ok(own(name, Antedependence))),
    ("ou", |name, times| {
        Ok(equal(name, ContinuousAr1::new(times)?))
    }),
];

/// One variance for all columns.
fn equal(name: &'static str, correlation: impl Correlation + 'static) -> Arc<dyn Covariance> {
    Arc::new(WithCorrelation::new(name, Spread::Equal, correlation))
}

/// A variance for each column.
fn own(name: &'static str, correlation: impl Correlation + 'static) -> Arc<dyn Covariance> {
    Arc::new(WithCorrelation::new(name, Spread::Own, correlation))
}

/// The structure of this name for k columns; `times` belong to the columns.
///
/// # Errors
/// An unknown name; times that are missing, not finite, not different, or not one for each column.
pub fn structure(name: &str, k: usize, times: Option<&[f64]>) -> Result<Arc<dyn Covariance>> {
    let Some((name, make)) = STRUCTURES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = STRUCTURES.iter().map(|(known, _)| *known).collect();
        return Err(Error::Domain(format!(
            "unknown covariance structure '{name}'; choose one of {}",
            known.join(", ")
        )));
    };
    if let Some(times) = times.filter(|times| times.len() != k) {
        return Err(Error::Length {
            what: format!("the times of '{name}'"),
            expected: k,
            found: times.len(),
        });
    }
    make(name, times)
}

/// The unstructured covariance in parameters of which the standard deviations are some, and the
/// correlations of one column with the others too: for holding them.
#[must_use]
pub fn natural_unstructured(first: usize) -> Arc<dyn Covariance> {
    Arc::new(WithCorrelation::new("us", Spread::Own, Spherical { first }))
}

/// Which changes of the columns, `z -> z m`, a structure absorbs in its parameters. The engine fits
/// in the best conditioned of the allowed bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freedom {
    /// Any invertible m.
    Linear,
    /// Any diagonal m.
    Scaling,
    /// Any multiple of the identity.
    Unit,
}

/// Parameters about which the covariance is even: it stays the same when `theta - at` changes its
/// sign in all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// The pivot first.
    pub parameters: Vec<usize>,
    pub at: f64,
    /// The side on which the pivot is kept: 1 above, -1 below.
    pub side: f64,
}

impl Fold {
    /// A column of a factor, or a standard deviation: positive.
    #[must_use]
    pub fn at_zero(parameters: Vec<usize>) -> Self {
        Self {
            parameters,
            at: 0.0,
            side: 1.0,
        }
    }
}

/// One symmetric matrix of a basis of the covariance matrices.
#[derive(Debug, Clone)]
pub struct Element {
    /// Where a covariance matrix shows its coefficient.
    pub place: (usize, usize),
    /// Lower triangle: (row, column), all entries one.
    pub entries: Vec<(usize, usize)>,
}

/// One covariance structure for any number k of columns.
pub trait Covariance: Send + Sync + std::fmt::Debug {
    /// The name in formulas.
    fn name(&self) -> &'static str;
    fn n_parameters(&self, k: usize) -> usize;
    /// What may be done to the columns of Z without leaving the model.
    fn freedom(&self) -> Freedom;
    /// λ at theta, column-major.
    fn factor(&self, theta: &[Jet], k: usize) -> Vec<Jet>;
    /// Where each parameter stands in λ, for structures whose parameters are entries of λ.
    fn entries(&self, _k: usize) -> Option<Vec<(usize, usize)>> {
        None
    }
    /// Standard deviations, then correlations.
    fn natural_parameters(&self, k: usize) -> Vec<NaturalParameter>;
    /// Their values at theta, standard deviations relative to σ.
    fn natural(&self, theta: &[Jet], k: usize) -> Vec<Jet>;
    /// Theta at natural parameters; `None` where they are no covariance matrix of this structure.
    fn theta(&self, natural: &[f64], k: usize) -> Option<Vec<f64>>;
    /// Theta of m Σ m', for a change m of the columns that is allowed.
    fn transformed(&self, theta: &[f64], m: &[f64], k: usize) -> Vec<f64>;
    /// Theta of a multiple of the identity with this standard deviation.
    fn isotropic(&self, sd: f64, k: usize) -> Vec<f64>;
    fn folds(&self, k: usize) -> Vec<Fold>;
    /// A basis of the covariance matrices, where they are a linear space.
    fn elements(&self, k: usize) -> Option<Vec<Element>>;

    /// λ at theta, column-major.
    fn lambda(&self, theta: &[f64], k: usize) -> Vec<f64> {
        match self.entries(k) {
            Some(entries) => {
                let mut lambda = vec![0.0; k * k];
                for ((a, b), &t) in entries.into_iter().zip(theta) {
                    lambda[a + b * k] = t;
                }
                lambda
            }
            None => {
                let factor = self.factor(&constants(theta), k);
                factor.iter().map(|jet| jet.value).collect()
            }
        }
    }

    /// Natural parameters at theta.
    fn natural_values(&self, theta: &[f64], k: usize) -> Vec<f64> {
        let natural = self.natural(&constants(theta), k);
        natural.iter().map(|jet| jet.value).collect()
    }
}

/// Theta of a factor λ (any square root of its covariance) for a structure whose parameters are
/// entries of λ.
#[must_use]
pub fn theta_of_factor(structure: &dyn Covariance, lambda: &[f64], k: usize) -> Option<Vec<f64>> {
    let entries = structure.entries(k)?;
    let lower = small::lower_factor(lambda, k);
    Some(entries.into_iter().map(|(a, b)| lower[a + b * k]).collect())
}

#[cfg(test)]
mod tests;
