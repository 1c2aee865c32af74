//! What the fits of one call have in common: optimizer, start, parameters held, limits and listener.

use mixedmodels::fit::{StartValues, Task};
use mixedmodels::many::Watch;
use mixedmodels::optimize::{Control, Optimizer};
use mixedmodels::parameters::Held;
use mixedmodels::Result;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::vector;
use crate::held::held;
use crate::interrupt::run_on_thread;
use crate::lmm::{find_optimizer, limits};

pub struct Search {
    optimizer: Optimizer,
    start: StartValues,
    held: Option<Held>,
    control: Control,
    listener: Option<Py<PyAny>>,
}

impl Search {
    pub fn new(
        optimizer: &str,
        start: StartValues,
        control: Option<&Bound<'_, PyDict>>,
        held: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let (control, listener) = limits(control)?;
        Ok(Self {
            optimizer: find_optimizer(optimizer)?,
            start,
            held: self::held(held)?,
            control,
            listener,
        })
    }

    pub fn from_theta(
        optimizer: &str,
        theta: &PyReadonlyArray1<'_, f64>,
        control: Option<&Bound<'_, PyDict>>,
        held: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let start = StartValues {
            theta: Some(vector(theta)?),
            ..StartValues::default()
        };
        Self::new(optimizer, start, control, held)
    }

    /// Runs fits on a thread of their own. The listener is told the number done.
    pub fn run<T, F>(self, py: Python<'_>, fits: F) -> PyResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Task<'_>, Watch<'_>) -> Result<T> + Send + 'static,
    {
        run_on_thread(py, self.listener, move |tell| {
            let task = Task {
                optimizer: self.optimizer,
                start: self.start,
                held: self.held.as_ref(),
                control: self.control,
            };
            fits(&task, &|done: usize| tell((done,)))
        })
    }
}
