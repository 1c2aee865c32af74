//! Engine calls that Ctrl-C can stop and that tell how far they are.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mixedmodels::linalg::threads;
use mixedmodels::objective::{Monitor, Progress};
use mixedmodels::{Error, Result};
use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

use crate::errors::{internal, to_python};
use crate::panics::guarded;

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
        return run_on_thread(py, listener, move |tell| {
            work(&|progress: Progress| tell((progress.evaluations, progress.objective)))
        });
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
                if let Some(listener) = &listener {
                    listener.call1(py, (progress.evaluations, progress.objective))?;
                }
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
        let result = guarded(|| work(&monitor));
        (result, signal.into_inner())
    });
    match signal {
        Some(error) => Err(error),
        None => result.map_err(|e| to_python(py, &e)),
    }
}

/// Values from which on a pass over the data may keep Ctrl-C waiting.
pub const MANY_VALUES: usize = 1_000_000;

/// Prepares a model of so many `values` in its data, with the interpreter released; an interrupt does
/// not wait for a large one.
pub fn prepare<T, F>(py: Python<'_>, values: usize, work: F) -> PyResult<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    if values >= MANY_VALUES {
        return run_on_thread(py, None, move |_: Tell<'_, ()>| work());
    }
    py.detach(|| guarded(work)).map_err(|e| to_python(py, &e))
}

/// Tells the listener its arguments; the error it may give ends the work.
pub type Tell<'a, A> = &'a (dyn Fn(A) -> Result<()> + Sync);

/// Runs engine work on a thread of its own (and those it starts), with the interpreter released, and
/// looks for signals meanwhile. An interrupt does not wait for the work, which ends when it next
/// tells how far it is.
pub fn run_on_thread<T, A, F>(py: Python<'_>, listener: Option<Py<PyAny>>, work: F) -> PyResult<T>
where
    T: Send + 'static,
    A: for<'py> PyCallArgs<'py>,
    F: FnOnce(Tell<'_, A>) -> Result<T> + Send + 'static,
{
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let flag = Arc::clone(&stopped);
    std::thread::spawn(move || {
        let failure: Mutex<Option<PyErr>> = Mutex::new(None);
        let tell = |arguments: A| {
            if flag.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let Some(listener) = &listener else {
                return Ok(());
            };
            let told = Python::attach(|py| listener.call1(py, arguments).map(drop));
            told.map_err(|error| {
                failure
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
                Error::Interrupted
            })
        };
        let result = guarded(|| work(&tell));
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The receiver is gone after an interrupt; then nobody wants the result.
        let _ = sender.send((result, failure));
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
                return Err(internal(
                    py,
                    "a thread of the engine ended without a result",
                ))
            }
        }
    }
}

/// Panics on purpose where engine work runs, for tests of what becomes of it: "released" (interpreter
/// released), "thread", "pool" or "preparation".
#[pyfunction]
pub fn provoke_panic(py: Python<'_>, place: &str) -> PyResult<()> {
    const MESSAGE: &str = "provoked";
    match place {
        "thread" => run(py, true, None, |_| panic!("{MESSAGE}")),
        "pool" => run(py, false, None, |_| {
            threads::for_each(&mut [0, 1], |_| panic!("{MESSAGE}"));
            Ok(())
        }),
        "preparation" => prepare(py, MANY_VALUES, || panic!("{MESSAGE}")),
        _ => run(py, false, None, |_| panic!("{MESSAGE}")),
    }
}
