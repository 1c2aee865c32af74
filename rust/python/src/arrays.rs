//! numpy arrays to and from the engine's vectors.

use mixedmodels::design::Term;
use mixedmodels::linalg::memory::{collected, copied};
use mixedmodels::linalg::Matrix;
use numpy::ndarray::ArrayView2;
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::to_python;

/// What the error calls an array that the memory has no room for.
const COPY: &str = "a copy of the data";

/// A vector in any memory layout.
pub fn vector<T: numpy::Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> PyResult<Vec<T>> {
    let copy = match array.as_slice() {
        Ok(slice) => copied(slice, COPY),
        Err(_) => collected(array.as_array().iter().copied(), COPY),
    };
    copy.map_err(|error| to_python(array.py(), &error))
}

/// The same where there is one.
pub fn optional_vector(array: Option<&PyReadonlyArray1<'_, f64>>) -> PyResult<Option<Vec<f64>>> {
    array.map(vector).transpose()
}

/// A matrix in any memory layout, column by column.
pub fn columns(array: &PyReadonlyArray2<'_, f64>) -> PyResult<Matrix> {
    let view = array.as_array();
    let (rows, cols) = view.dim();
    let data = in_order(array.py(), &view.t())?;
    Ok(Matrix::from_columns(rows, cols, data))
}

/// A matrix in any memory layout, row by row, with its number of columns.
pub fn rows(array: &PyReadonlyArray2<'_, f64>) -> PyResult<(Vec<f64>, usize)> {
    let view = array.as_array();
    Ok((in_order(array.py(), &view)?, view.ncols()))
}

/// Row by row; in one piece where the memory is in that order already.
fn in_order(py: Python<'_>, view: &ArrayView2<'_, f64>) -> PyResult<Vec<f64>> {
    let copy = match view.as_slice() {
        Some(slice) => copied(slice, COPY),
        None => collected(view.iter().copied(), COPY),
    };
    copy.map_err(|error| to_python(py, &error))
}

/// The arrays that go out take the memory of the engine's vectors, and nobody may write to them:
/// a fitted model is immutable.
pub fn to_vector<T: numpy::Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T>> {
    let array = PyArray1::from_vec(py, values);
    array.readwrite().make_nonwriteable();
    array
}

/// Row-major values with this many columns.
pub fn to_rows(
    py: Python<'_>,
    values: Vec<f64>,
    cols: usize,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let rows = values.len().checked_div(cols).unwrap_or(0);
    to_vector(py, values).reshape([rows, cols])
}

/// A symmetric matrix.
pub fn to_square(py: Python<'_>, matrix: Matrix) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let shape = [matrix.rows(), matrix.cols()];
    to_vector(py, matrix.into_data()).reshape(shape)
}

/// Symmetric width × width blocks.
pub fn to_blocks(
    py: Python<'_>,
    values: Vec<f64>,
    width: usize,
) -> PyResult<Bound<'_, PyArray3<f64>>> {
    let levels = values.len().checked_div(width * width).unwrap_or(0);
    to_vector(py, values).reshape([levels, width, width])
}

/// Symmetric width × width matrices, one after the other.
pub fn to_stack(
    py: Python<'_>,
    matrices: Vec<Matrix>,
    width: usize,
) -> PyResult<Bound<'_, PyArray3<f64>>> {
    let shape = [matrices.len(), width, width];
    let values = matrices.into_iter().flat_map(Matrix::into_data);
    to_vector(py, values.collect()).reshape(shape)
}

/// The effects of each term, levels × k.
pub fn by_term<'py>(
    py: Python<'py>,
    effects: Vec<Vec<f64>>,
    terms: &[Term],
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (values, term) in effects.into_iter().zip(terms) {
        list.append(to_rows(py, values, term.k)?)?;
    }
    Ok(list)
}
