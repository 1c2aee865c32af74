//! Engine calls that Ctrl-C can stop.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mixedmodels::{Error, Result};
use pyo3::prelude::*;

use crate::errors::to_python;

/// How often signals are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs engine work with the interpreter released. Between evaluations it looks for signals; work
/// whose single evaluations are `slow` runs on a thread of its own, so that even one of them need
/// not be waited for.
pub fn run<T, F>(py: Python<'_>, slow: bool, work: F) -> PyResult<T>
where
    T: Send + 'static,
    F: FnOnce(&dyn Fn() -> Result<()>) -> Result<T> + Send + 'static,
{
    if slow {
        return run_on_thread(py, work);
    }
    let (result, signal) = py.detach(|| {
        let last = Cell::new(Instant::now());
        let signal: RefCell<Option<PyErr>> = RefCell::new(None);
        let stop = || {
            if last.get().elapsed() < INTERVAL {
                return Ok(());
            }
            last.set(Instant::now());
            #[allow(clippy::redundant_closure_for_method_calls)] // the path is not general enough
            match Python::attach(|py| py.check_signals()) {
                Ok(()) => Ok(()),
                Err(error) => {
                    signal.replace(Some(error));
                    Err(Error::Interrupted)
                }
            }
        };
        (work(&stop), signal.into_inner())
    });
    match signal {
        Some(error) => Err(error),
        None => result.map_err(|e| to_python(py, &e)),
    }
}

fn run_on_thread<T, F>(py: Python<'_>, work: F) -> PyResult<T>
where
    T: Send + 'static,
    F: FnOnce(&dyn Fn() -> Result<()>) -> Result<T> + Send + 'static,
{
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let flag = Arc::clone(&stopped);
    std::thread::spawn(move || {
        let stop = || {
            if flag.load(Ordering::Relaxed) {
                Err(Error::Interrupted)
            } else {
                Ok(())
            }
        };
        // The receiver is gone after an interrupt; then nobody wants the result.
        let _ = sender.send(work(&stop));
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
            Ok(result) => return result.map_err(|e| to_python(py, &e)),
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
