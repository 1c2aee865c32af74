//! The predictors of a model from the arrays that describe them.

use mixedmodels::design::Predictors;
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays::{columns, optional_vector};
use crate::lmm::{term, TermTuple};

/// Copies of the arrays; the engine checks them.
pub fn predictors(
    x: &PyReadonlyArray2<'_, f64>,
    terms: &[TermTuple<'_>],
    weights: Option<&PyReadonlyArray1<'_, f64>>,
    offset: Option<&PyReadonlyArray1<'_, f64>>,
) -> PyResult<Predictors> {
    Ok(Predictors {
        x: columns(x)?,
        terms: terms.iter().map(term).collect::<PyResult<_>>()?,
        weights: optional_vector(weights)?,
        offset: optional_vector(offset)?,
    })
}
