//! The threads of the dense kernels and of independent fits.
//!
//! Nothing starts at import. The pool is built on first use and belongs to one process: a forked
//! child, in which the threads of its parent do not exist, builds its own.

use std::sync::{Arc, Mutex, PoisonError};

use faer::Par;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// From this number of rows on passes over the rows are shared between threads.
pub const MANY_ROWS: usize = 50_000;

/// Environment variable that limits the number of threads.
const VARIABLE: &str = "MIXEDMODELS_NUM_THREADS";

/// The pool and its process; no pool where there is one thread only.
static POOL: Mutex<Option<(u32, Option<Arc<ThreadPool>>)>> = Mutex::new(None);

/// Runs work that can use several threads.
pub fn with_threads<T: Send>(work: impl FnOnce(Par) -> T + Send) -> T {
    match pool() {
        Some(pool) => {
            let threads = pool.current_num_threads();
            pool.install(|| work(Par::rayon(threads)))
        }
        None => work(Par::Seq),
    }
}

/// The results of independent pieces of work, in their order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    match pool() {
        Some(pool) => pool.install(|| items.par_iter().map(work).collect()),
        None => items.iter().map(work).collect(),
    }
}

/// Both results, computed side by side when the work is `large`.
pub fn join<A: Send, B: Send>(
    large: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    match large.then(pool).flatten() {
        Some(pool) => pool.join(a, b),
        None => (a(), b()),
    }
}

/// Independent pieces of work, one on each item.
pub fn for_each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    match pool() {
        Some(pool) => pool.install(|| items.par_iter_mut().for_each(work)),
        None => items.iter_mut().for_each(work),
    }
}

fn pool() -> Option<Arc<ThreadPool>> {
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, pool)) = slot.as_ref() {
        if *owner == process {
            return pool.clone();
        }
    }
    let threads = number_of_threads();
    let pool = if threads > 1 {
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        builder.build().ok().map(Arc::new)
    } else {
        None
    };
    // The pool of a parent process must not be dropped here: that would wait for its threads.
    std::mem::forget(slot.replace((process, pool.clone())));
    pool
}

fn number_of_threads() -> usize {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = std::env::var(VARIABLE).ok().and_then(|v| v.parse().ok());
    asked.unwrap_or(available).max(1)
}
