//! The Cholesky factor of a sparse matrix.

use mixedmodels::linalg::supernodal::{cholesky, CompressedColumns};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::vector;
use crate::interrupt::{prepare, MANY_VALUES};

/// Starts of the columns, rows and values of L, and the order of elimination.
type Parts<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<u32>>,
);

/// L with `LL' = P(K + I)P'` of a symmetric matrix in compressed columns; None when `K + I` is not
/// positive definite.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // the form in which PyO3 hands arguments over
pub fn sparse_cholesky<'py>(
    py: Python<'py>,
    starts: PyReadonlyArray1<'_, i64>,
    rows: PyReadonlyArray1<'_, u32>,
    values: PyReadonlyArray1<'_, f64>,
) -> PyResult<Option<Parts<'py>>> {
    let starts: Result<Vec<usize>, _> = vector(&starts)?.into_iter().map(usize::try_from).collect();
    let matrix = CompressedColumns {
        starts: starts.map_err(|_| PyValueError::new_err("starts must not be negative"))?,
        rows: vector(&rows)?,
        values: vector(&values)?,
    };
    // A thread of its own from a size on where elimination may take seconds.
    let size = if matrix.rows.len() > MANY_VALUES / 100 {
        MANY_VALUES
    } else {
        0
    };
    let found = prepare(py, size, move || cholesky(&matrix))?;
    Ok(found.map(|found| {
        let starts = found.factor.starts.iter().map(|&start| start as i64);
        (
            PyArray1::from_vec(py, starts.collect()),
            PyArray1::from_vec(py, found.factor.rows),
            PyArray1::from_vec(py, found.factor.values),
            PyArray1::from_vec(py, found.order),
        )
    }))
}
