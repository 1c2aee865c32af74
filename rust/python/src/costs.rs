//! What a model costs, as dictionaries.

use mixedmodels::linalg::memory;
use mixedmodels::model::frame;
use mixedmodels::products::costs::{BlockCosts, Use};
use mixedmodels::products::Costs;
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::interrupt::prepare;
use crate::lmm::{n_values, TermTuple};
use crate::predictors::predictors;

/// The costs of a model with these predictors, whether or not there is memory for it.
#[pyfunction]
#[pyo3(signature = (x, terms, weights=None))]
#[allow(clippy::needless_pass_by_value)] // the form in which PyO3 hands arguments over
pub fn describe_blocks<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'_, f64>,
    terms: Vec<TermTuple<'_>>,
    weights: Option<PyReadonlyArray1<'_, f64>>,
) -> PyResult<Bound<'py, PyDict>> {
    let predictors = predictors(&x, &terms, weights.as_ref(), None)?;
    let costs = prepare(py, n_values(&predictors), move || {
        frame::costs(&predictors, Use::AsTheyAre)
    })?;
    to_dict(py, &costs)
}

/// Whether so many bytes can be had.
#[pyfunction]
pub fn has_room_for(bytes: f64) -> bool {
    memory::suffices(bytes)
}

/// Blocks and totals; bytes for cross-products, factor and inverse, operations of a value and of its
/// derivatives.
pub fn to_dict<'py>(py: Python<'py>, costs: &Costs) -> PyResult<Bound<'py, PyDict>> {
    let blocks = PyList::empty(py);
    for block in &costs.blocks {
        blocks.append(block_to_dict(py, block)?)?;
    }
    let out = PyDict::new(py);
    out.set_item("blocks", blocks)?;
    let bytes = costs.bytes();
    out.set_item("bytes", (bytes.cross_products, bytes.factor, bytes.inverse))?;
    let flops = costs.flops();
    out.set_item("flops", (flops.value, flops.derivatives))?;
    out.set_item("bytes_available", memory::available())?;
    Ok(out)
}

fn block_to_dict<'py>(py: Python<'py>, block: &BlockCosts) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("terms", &block.terms)?;
    out.set_item("kind", block.kind.name())?;
    out.set_item("coupling", block.kind.coupling())?;
    out.set_item("levels", block.n_levels)?;
    out.set_item("width", block.width)?;
    out.set_item("rows", block.rows())?;
    out.set_item("cols", block.cols)?;
    out.set_item("fill", block.fill)?;
    let bytes = block.bytes;
    out.set_item("bytes", (bytes.cross_products, bytes.factor, bytes.inverse))?;
    out.set_item("flops", (block.flops.value, block.flops.derivatives))?;
    Ok(out)
}
