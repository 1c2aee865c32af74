//! Panics of the engine as its errors: none crosses the boundary to Python.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use mixedmodels::{Error, Result};

/// Text and place of the last panic of any thread.
static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Keeps the place of a panic for [`guarded`], and prints it only where a backtrace is wanted.
pub fn install_hook() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string);
        let known = (text(info.payload()), place.unwrap_or_default());
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            default(info);
        }
    }));
}

/// Runs engine work; a panic in it, or in the threads it starts, is an internal error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a panic leaves behind is dropped or, like the models, immutable.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let message = text(payload.as_ref());
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(Error::Internal(match last {
            Some((known, place)) if known == message => format!("{message} ({place})"),
            _ => message,
        }))
    })
}

fn text(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&str>().map(ToString::to_string);
    let formatted = || payload.downcast_ref::<String>().cloned();
    literal
        .or_else(formatted)
        .unwrap_or_else(|| "a panic without a message".into())
}
