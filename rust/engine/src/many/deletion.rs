//! Fits without sets of rows, such as the observations of each level of a factor.
//!
//! A of the other observations is A of all less what those of the set add to it, in the same basis
//! and the same pattern; a level without observations changes no likelihood.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::design::Design;
use crate::error::Result;
use crate::fit::Task;
use crate::linalg::threads;
use crate::many::patterns::Pattern;
use crate::many::row_sets::RowSets;
use crate::many::{general, uninterrupted, ResponseFit, Watch};
use crate::model::Model;
use crate::objective::Criterion;
use crate::products::data_rows::DataRows;

/// The fit without a set of rows.
#[derive(Debug, Clone)]
pub struct Deletion {
    pub fit: ResponseFit,
    /// (X'V^-1X)^-1 for all columns of X, one after the other; NaN for dropped ones.
    pub covariance: Vec<f64>,
}

/// Fits the model without each set of rows in turn. Searches start and end as the task says. Whatever the
/// number of threads, the results are the same.
///
/// # Errors
/// An interrupt. What prevents a single fit is its result.
pub fn delete_rows(
    model: &Model,
    sets: &RowSets,
    criterion: Criterion,
    task: &Task<'_>,
    watch: Watch<'_>,
) -> Result<Vec<Result<Deletion>>> {
    let z = model.block_rows()?;
    let work = Deletions {
        model,
        all: model.rows(&z)?,
        criterion,
        task,
        watch,
        done: AtomicUsize::new(0),
    };
    let each: Vec<usize> = (0..sets.len()).collect();
    uninterrupted(threads::map(&each, |&set| work.fit(sets.of(set))))
}

struct Deletions<'a> {
    model: &'a Model,
    all: DataRows<'a>,
    criterion: Criterion,
    task: &'a Task<'a>,
    watch: Watch<'a>,
    done: AtomicUsize,
}

impl Deletions<'_> {
    fn fit(&self, rows: &[u32]) -> Result<Deletion> {
        let watch = || (self.watch)(self.done.load(Ordering::Relaxed));
        watch()?;
        let left_out = self.model.left_out();
        let rows: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|i| left_out.binary_search(i).is_err())
            .collect();
        let model = match self.model.without(&rows, &self.all)? {
            Some(model) => model,
            None => self.model_of_others(&rows)?,
        };
        let (fit, covariance) =
            general::fit_with_covariance(&model, self.criterion, self.task, &|_| watch())?;
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(Deletion {
            fit,
            covariance: model.expand_square(&covariance),
        })
    }

    /// The other observations make a model of their own, with a basis of their own.
    fn model_of_others(&self, rows: &[u32]) -> Result<Model> {
        let mut kept = vec![true; self.model.design.n_obs()];
        for &i in rows.iter().chain(self.model.left_out()) {
            kept[i as usize] = false;
        }
        let kept = (0..kept.len()).filter(|&i| kept[i]);
        let pattern = Pattern::of_rows(kept.collect());
        let y = pattern.response(&self.model.raw_response());
        let predictors = pattern.predictors(&self.model.design);
        Model::new(Design::join(y, predictors))
    }
}
