//! Engine errors as exceptions of `mixedmodels.errors`.

use mixedmodels::Error;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// The Python exception for an engine error.
pub fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Length { .. } | Error::Domain(_) | Error::ExactFit => "DataError",
        Error::Memory { .. } => "MemoryLimitError",
        Error::Factorisation { .. } => "ConvergenceError",
        Error::Modes { row, .. } => {
            let row = *row;
            let build = || -> PyResult<PyErr> {
                let class = py.import("mixedmodels.errors")?.getattr("ModesError")?;
                let error_value = class.call1((error.to_string(),))?;
                error_value.setattr("row", row)?;
                Ok(PyErr::from_value(error_value))
            };
            return build().unwrap_or_else(|failure| failure);
        }
        Error::Internal(what) => return internal(py, what),
        Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
    };
    exception(py, class, &error.to_string())
}

/// A fault of the package itself, which its class asks to report.
pub fn internal(py: Python<'_>, what: &str) -> PyErr {
    exception(py, "InternalError", what)
}

fn exception(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let class = py.import("mixedmodels.errors")?.getattr(class)?;
        Ok(PyErr::from_value(class.call1((message,))?))
    };
    build().unwrap_or_else(|failure| failure)
}
