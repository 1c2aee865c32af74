//! Many responses, one design: what does not depend on the response is computed once, and the
//! responses are fitted in parallel. Likewise many samples of the rows of one design.

mod deleted_rows;
mod deletion;
mod general;
mod generalized;
mod given_theta;
mod level_inverse;
mod patterns;
mod profile;
mod row_sets;
mod samples;
mod scalar;

pub use deletion::{delete_rows, Deletion};
pub use generalized::refit_generalized;
pub use given_theta::{delete_given_theta, GivenTheta};
pub use row_sets::RowSets;
pub use samples::{refit_generalized_samples, refit_samples, Sample};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::design::Predictors;
use crate::error::{same_length, Error, Result};
use crate::fit::Task;
use crate::linalg::{threads, Matrix};
use crate::model::{Frame, Model};
use crate::objective::Criterion;
use crate::optimize::{Control, Status};
use patterns::{patterns, Pattern};
use scalar::{ScalarForm, Scratch};

/// Responses that one piece of work takes on.
const CHUNK: usize = 16;

/// Told the number of responses done before every evaluation; its error ends the work.
pub type Watch<'a> = &'a (dyn Fn(usize) -> Result<()> + Sync);

/// The estimates for one response.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseFit {
    pub theta: Vec<f64>,
    /// One for each column of X; NaN for dropped columns.
    pub beta: Vec<f64>,
    /// Like `beta`; given theta and the dispersion.
    pub std_errors: Vec<f64>,
    /// Of a generalized model the dispersion, NaN without one.
    pub sigma: f64,
    /// −2 log-likelihood (ML) or REML criterion.
    pub objective: f64,
    pub evaluations: usize,
    pub status: Status,
    /// Of all coefficients of a generalized model given theta and the dispersion, column by column.
    pub covariance: Option<Vec<f64>>,
}

/// Fits each column of `responses` (n rows) to the same predictors. A row where a response is NaN
/// is left out for that response. What prevents the fit of one response is its result, and does
/// not touch the others.
///
/// # Errors
/// Predictors that are not valid, responses of another length; an interrupt.
pub fn fit_many(
    predictors: &Predictors,
    responses: &Matrix,
    criterion: Criterion,
    control: &Control,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    same_length("the responses", predictors.n_obs(), responses.rows())?;
    // Rows are picked by these codes and lengths.
    predictors.validate()?;
    let done = AtomicUsize::new(0);
    let work = Work {
        responses,
        criterion,
        task: &Task {
            control: *control,
            ..Task::default()
        },
        watch,
        done: &done,
    };
    let patterns = patterns(responses);
    let fits = threads::map(&patterns, |pattern| work.pattern(predictors, pattern));
    let mut out: Vec<Option<Result<ResponseFit>>> = vec![None; responses.cols()];
    for (pattern, fits) in patterns.iter().zip(fits) {
        for (&column, fit) in pattern.columns.iter().zip(fits) {
            if fit == Err(Error::Interrupted) {
                return Err(Error::Interrupted);
            }
            out[column] = Some(fit);
        }
    }
    // Every column has exactly one pattern.
    Ok(out.into_iter().flatten().collect())
}

/// Fits each column of `responses` to the predictors of a model, whose cross-products are those of all
/// fits: the refits of a bootstrap. Searches start as the task says, and hold what it holds. Whatever the
/// number of threads, the results are the same.
///
/// # Errors
/// Responses of another length; an interrupt. What prevents a single fit is its result.
pub fn refit_many(
    model: &Model,
    responses: &Matrix,
    criterion: Criterion,
    task: &Task<'_>,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    same_length("the responses", model.design.n_obs(), responses.rows())?;
    let done = AtomicUsize::new(0);
    let work = Work {
        responses,
        criterion,
        task,
        watch,
        done: &done,
    };
    let pattern = Pattern::complete((0..responses.cols()).collect());
    let shared = work.share_frame(Arc::clone(model.frame()), &pattern)?;
    uninterrupted(work.chunks(&shared))
}

/// The fits, unless the caller has ended them.
fn uninterrupted<T>(fits: Vec<Result<T>>) -> Result<Vec<Result<T>>> {
    if fits
        .iter()
        .any(|fit| matches!(fit, Err(Error::Interrupted)))
    {
        return Err(Error::Interrupted);
    }
    Ok(fits)
}

/// What the fits of all responses have in common.
struct Work<'a> {
    responses: &'a Matrix,
    criterion: Criterion,
    task: &'a Task<'a>,
    watch: Watch<'a>,
    done: &'a AtomicUsize,
}

/// What the fits of the responses with the same rows have in common.
struct Shared<'a> {
    frame: Arc<Frame>,
    /// Rows of the blocks of Z.
    z: Vec<Vec<f64>>,
    pattern: &'a Pattern,
    scalar: Option<ScalarForm>,
}

impl Work<'_> {
    /// The fits of the columns of a pattern, in their order.
    fn pattern(&self, predictors: &Predictors, pattern: &Pattern) -> Vec<Result<ResponseFit>> {
        let shared = match self.share(predictors, pattern) {
            Ok(shared) => shared,
            Err(error) => return vec![Err(error); pattern.columns.len()],
        };
        self.chunks(&shared)
    }

    fn chunks(&self, shared: &Shared<'_>) -> Vec<Result<ResponseFit>> {
        let chunks: Vec<&[usize]> = shared.pattern.columns.chunks(CHUNK).collect();
        threads::map(&chunks, |chunk| self.chunk(shared, chunk)).concat()
    }

    fn share<'p>(&self, predictors: &Predictors, pattern: &'p Pattern) -> Result<Shared<'p>> {
        (self.watch)(self.done.load(Ordering::Relaxed))?;
        let frame = Frame::new(pattern.predictors(predictors))?;
        self.share_frame(Arc::new(frame), pattern)
    }

    fn share_frame<'p>(&self, frame: Arc<Frame>, pattern: &'p Pattern) -> Result<Shared<'p>> {
        let z = frame.block_rows()?;
        // Limits on the search are for the optimizer; the scalar form has none, and holds nothing.
        let free = self.task.control.is_unlimited() && self.task.held.is_none();
        let scalar = free.then(|| ScalarForm::new(&frame, self.criterion, &z));
        Ok(Shared {
            frame,
            z,
            pattern,
            scalar: scalar.flatten(),
        })
    }

    fn chunk(&self, shared: &Shared<'_>, columns: &[usize]) -> Vec<Result<ResponseFit>> {
        let mut scratch = Scratch::default();
        let fits = columns.iter().map(|&column| {
            let fit = self.fit(shared, column, &mut scratch);
            self.done.fetch_add(1, Ordering::Relaxed);
            fit
        });
        fits.collect()
    }

    fn fit(
        &self,
        shared: &Shared<'_>,
        column: usize,
        scratch: &mut Scratch,
    ) -> Result<ResponseFit> {
        let watch = || (self.watch)(self.done.load(Ordering::Relaxed));
        watch()?;
        let y = shared.pattern.response(self.responses.column(column));
        let model = Model::of_rows(Arc::clone(&shared.frame), y, &shared.z)?;
        let scalar = shared.scalar.as_ref();
        match scalar.and_then(|form| form.fit(&model, scratch)) {
            Some(fit) => Ok(fit),
            None => general::fit(&model, self.criterion, self.task, &|_| watch()),
        }
    }
}
