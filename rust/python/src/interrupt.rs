//! Engine calls that Ctrl-C can stop and that tell how far they are.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixedmodels::objective::{Monitor, Progress};
use mixedmodels::{Error, Result};
use pyo3::prelude::*;

use crate::errors::to_python;

/// How often signals are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs engine work with the interpreter released. Between evaluations it looks for signals; work
/// whose single evaluations are `slow` runs on a thread of its own, so that even one of them need
/// not be waited for.
///
/// `listener(evaluations, objective)` is called before every evaluation.
pub fn run<T, F>(py: Python<'_>, slow: bool, listener: Option<Py<PyAny>>, work: F) -> PyResult<T>
where
    T: Send + 'static,
    F: FnOnce(Monitor<'_>) -> Result<T> + Send + 'static,
{
    if slow {
        return run_on_thread(py, listener, work);
    }
    let (result, signal) = py.detach(|| {
        let last = Cell::new(Instant::now());
        let signal: RefCell<Option<PyErr>> = RefCell::new(None);
        let monitor = |progress: Progress| {
            let due = last.get().elapsed() >= INTERVAL;
            if !due && listener.is_none() {
                return Ok(());
            }
            let outcome = Python::attach(|py| {
                tell(py, listener.as_ref(), progress)?;
                if due {
                    last.set(Instant::now());
                    py.check_signals()?;
                }
                Ok(())
            });
            outcome.map_err(|error: PyErr| {
                signal.replace(Some(error));
                Error::Interrupted
            })
        };
        (work(&monitor), signal.into_inner())
    });
    match signal {
        Some(error) => Err(error),
        None => result.map_err(|e| to_python(py, &e)),
    }
}

fn tell(py: Python<'_>, listener: Option<&Py<PyAny>>, progress: Progress) -> PyResult<()> {
    if let Some(listener) = listener {
        listener.call1(py, (progress.evaluations, progress.objective))?;
    }
    Ok(())
}

fn run_on_thread<T, F>(py: Python<'_>, listener: Option<Py<PyAny>>, work: F) -> PyResult<T>
where
    T: Send + 'static,
    F: FnOnce(Monitor<'_>) -> Result<T> + Send + 'static,
{
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let flag = Arc::clone(&stopped);
    std::thread::spawn(move || {
        let failure: RefCell<Option<PyErr>> = RefCell::new(None);
        let monitor = |progress: Progress| {
            if flag.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            if listener.is_none() {
                return Ok(());
            }
            Python::attach(|py| tell(py, listener.as_ref(), progress)).map_err(|error| {
                failure.replace(Some(error));
                Error::Interrupted
            })
        };
        let result = work(&monitor);
        // The receiver is gone after an interrupt; then nobody wants the result.
        let _ = sender.send((result, failure.into_inner()));
    });
    // The receiver moves in and out, for it may not be shared between threads.
    let mut receiver = receiver;
    loop {
        let (message, back) = py.detach(move || {
            let message = receiver.recv_timeout(INTERVAL);
            (message, receiver)
        });
        receiver = back;
        match message {
            Ok((_, Some(error))) => return Err(error),
            Ok((result, None)) => return result.map_err(|e| to_python(py, &e)),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(signal) = py.check_signals() {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(signal);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(pyo3::exceptions::PyRuntimeError::new_err(
                    "the engine stopped unexpectedly; please report this as a bug",
                ))
            }
        }
    }
}
