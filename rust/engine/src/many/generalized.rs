//! Generalized models: refits to other responses, each a family with its data.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::error::Result;
use crate::family::Family;
use crate::fit::{estimates_of, GlmmEstimates, Task};
use crate::linalg::threads;
use crate::many::general::std_errors;
use crate::many::{uninterrupted, ResponseFit, Watch};
use crate::model::GeneralizedModel;
use crate::objective::Monitor;

/// Makes the family with the data of one column.
pub type FamilyOf<'a> = &'a (dyn Fn(usize) -> Result<Arc<dyn Family>> + Sync);

/// Fits a generalized model to `n` other responses, whose families share nothing but the predictors.
/// Searches start as the task says, and hold what it holds. Whatever the number of threads, the results
/// are the same.
///
/// # Errors
/// An interrupt. What prevents a single fit is its result.
pub fn refit_generalized(
    model: &GeneralizedModel,
    n: usize,
    family: FamilyOf<'_>,
    task: &Task<'_>,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    let done = AtomicUsize::new(0);
    let columns: Vec<usize> = (0..n).collect();
    let fits = threads::map(&columns, |&column| {
        let watch = || watch(done.load(Ordering::Relaxed));
        watch()?;
        let own = model.with_family(family(column)?)?;
        let found = fit(&own, task, &|_| watch());
        done.fetch_add(1, Ordering::Relaxed);
        found
    });
    uninterrupted(fits)
}

/// Fits one generalized model.
pub fn fit(model: &GeneralizedModel, task: &Task<'_>, monitor: Monitor<'_>) -> Result<ResponseFit> {
    let (estimates, outcome) = estimates_of(model, task, monitor)?;
    let GlmmEstimates {
        point,
        objective,
        conditional_covariance,
        ..
    } = estimates;
    let frame = model.frame();
    Ok(ResponseFit {
        theta: point.theta,
        beta: frame.expand(&point.beta),
        std_errors: frame.expand(&std_errors(&conditional_covariance, 1.0)),
        sigma: if model.n_dispersion() == 1 {
            point.log_dispersion.exp()
        } else {
            f64::NAN
        },
        objective,
        evaluations: outcome.log.entries.len(),
        status: outcome.status,
        covariance: Some(frame.expand_square(&conditional_covariance)),
    })
}
