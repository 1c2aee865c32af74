//! A with what is eliminated from it.

use std::borrow::Cow;

use crate::products::cross_products::CrossProducts;
use crate::products::structure::Structure;

/// The cross-products of a model, their structure and, at one value of the relative covariance
/// factors, the factor of `Λ'AΛ + I` bordered by X. `F` is what a way to eliminate keeps.
///
/// The cross-products of a linear model are those of its frame; of weighted rows they are its own.
pub struct Elimination<'a, F> {
    pub structure: &'a Structure,
    pub a: Cow<'a, CrossProducts>,
    /// λ of each block, width × width.
    pub lambda: Vec<Vec<f64>>,
    pub factor: F,
    pub log_dets: LogDeterminants,
}

/// log |Λ'Z'ZΛ + I|, and log |X'V^-1X| in the basis of the engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogDeterminants {
    pub random: f64,
    pub fixed: f64,
}

impl LogDeterminants {
    #[must_use]
    pub fn are_finite(&self) -> bool {
        self.random.is_finite() && self.fixed.is_finite()
    }
}

impl<'a, F> Elimination<'a, F> {
    /// Nothing is factorised yet.
    pub fn new(structure: &'a Structure, a: Cow<'a, CrossProducts>, factor: F) -> Self {
        Self {
            structure,
            a,
            lambda: structure.blocks.iter().map(|_| Vec::new()).collect(),
            factor,
            log_dets: LogDeterminants::default(),
        }
    }
}
