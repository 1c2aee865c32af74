//! Parameters that a fit holds.

use mixedmodels::fit::FreeDerivatives;
use mixedmodels::parameters::Held;
use numpy::PyArrayMethods;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{to_square, to_vector};

/// From a dictionary with the keys theta [(index, value)], natural [(term, index, value)] and sigma,
/// which may be missing or None.
pub fn held(given: Option<&Bound<'_, PyDict>>) -> PyResult<Option<Held>> {
    let Some(given) = given else {
        return Ok(None);
    };
    let item = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        Ok(given.get_item(key)?.filter(|v| !v.is_none()))
    };
    Ok(Some(Held {
        theta: item("theta")?
            .map(|v| v.extract())
            .transpose()?
            .unwrap_or_default(),
        natural: item("natural")?
            .map(|v| v.extract())
            .transpose()?
            .unwrap_or_default(),
        sigma: item("sigma")?.map(|v| v.extract()).transpose()?,
    }))
}

/// Gradient and Hessian in the free parameters, and the derivatives of all parameters (rows) with
/// respect to them.
pub fn free_to_dict(py: Python<'_>, free: FreeDerivatives) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    let (rows, cols) = (free.slopes.rows(), free.slopes.cols());
    let slopes = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
    let by_rows: Vec<f64> = slopes.map(|at| free.slopes[at]).collect();
    out.set_item(intern!(py, "gradient"), to_vector(py, free.gradient))?;
    out.set_item(intern!(py, "hessian"), to_square(py, free.hessian)?)?;
    out.set_item(
        intern!(py, "slopes"),
        to_vector(py, by_rows).reshape([rows, cols])?,
    )?;
    Ok(out)
}
