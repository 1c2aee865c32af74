//! numpy arrays to and from the engine's vectors.

use mixedmodels::linalg::Matrix;
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

/// A vector in any memory layout.
pub fn vector<T: numpy::Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> Vec<T> {
    match array.as_slice() {
        Ok(slice) => slice.to_vec(),
        Err(_) => array.as_array().iter().copied().collect(),
    }
}

/// A matrix in any memory layout, column by column.
pub fn columns(array: &PyReadonlyArray2<'_, f64>) -> Matrix {
    let view = array.as_array();
    let (rows, cols) = view.dim();
    let data = view.t().iter().copied().collect();
    Matrix::from_columns(rows, cols, data)
}

/// A matrix in any memory layout, row by row, with its number of columns.
pub fn rows(array: &PyReadonlyArray2<'_, f64>) -> (Vec<f64>, usize) {
    let view = array.as_array();
    (view.iter().copied().collect(), view.ncols())
}

pub fn to_vector<'py>(py: Python<'py>, values: &[f64]) -> Bound<'py, PyArray1<f64>> {
    PyArray1::from_slice(py, values)
}

/// Row-major values with this many columns.
pub fn to_rows<'py>(
    py: Python<'py>,
    values: &[f64],
    cols: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let rows = values.len().checked_div(cols).unwrap_or(0);
    PyArray1::from_slice(py, values).reshape([rows, cols])
}

/// A symmetric matrix.
pub fn to_square<'py>(py: Python<'py>, matrix: &Matrix) -> PyResult<Bound<'py, PyArray2<f64>>> {
    PyArray1::from_slice(py, matrix.data()).reshape([matrix.rows(), matrix.cols()])
}

/// Symmetric width × width blocks.
pub fn to_blocks<'py>(
    py: Python<'py>,
    values: &[f64],
    width: usize,
) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let levels = values.len().checked_div(width * width).unwrap_or(0);
    PyArray1::from_slice(py, values).reshape([levels, width, width])
}
