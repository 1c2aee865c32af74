//! Fits without the observations of one level of a grouping factor, for each of its levels.
//!
//! A of the other observations is A of all less what those of the level add to it, in the same basis
//! and the same pattern; a level without observations changes no likelihood.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::design::Design;
use crate::error::{Error, Result};
use crate::fit::{StartValues, Task};
use crate::linalg::threads;
use crate::many::patterns::Pattern;
use crate::many::{general, uninterrupted, ResponseFit, Watch};
use crate::model::Model;
use crate::objective::Criterion;
use crate::optimize::Control;
use crate::products::data_rows::DataRows;
use crate::products::level_graph::ByLevel;

/// Fits the model without each level of the grouping factor of a term in turn. Searches start at
/// theta; with `max_evaluations` of 2 in `control` they take one step from there. Whatever the number of
/// threads, the results are the same.
///
/// # Errors
/// A term that the model does not have; an interrupt. What prevents a single fit is its result.
pub fn delete_levels(
    model: &Model,
    term: usize,
    criterion: Criterion,
    theta: &[f64],
    control: &Control,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    let n_terms = model.design.terms.len();
    if term >= n_terms {
        return Err(Error::Domain(format!(
            "there is no random-effects term {term}; the model has {n_terms}"
        )));
    }
    let z = model.block_rows()?;
    let (block, _) = model.structure.place(term);
    let work = Deletions {
        model,
        all: model.rows(&z)?,
        by_level: ByLevel::new(&model.structure.blocks[block])?,
        criterion,
        task: Task {
            control: *control,
            start: StartValues {
                theta: Some(theta.to_vec()),
                ..StartValues::default()
            },
            ..Task::default()
        },
        watch,
        done: AtomicUsize::new(0),
    };
    let levels: Vec<usize> = (0..model.structure.blocks[block].n_levels).collect();
    uninterrupted(threads::map(&levels, |&level| work.fit(level)))
}

struct Deletions<'a> {
    model: &'a Model,
    all: DataRows<'a>,
    by_level: ByLevel,
    criterion: Criterion,
    task: Task<'a>,
    watch: Watch<'a>,
    done: AtomicUsize,
}

impl Deletions<'_> {
    fn fit(&self, level: usize) -> Result<ResponseFit> {
        let watch = || (self.watch)(self.done.load(Ordering::Relaxed));
        watch()?;
        let left_out = self.model.left_out();
        let own = self.by_level.of(level).iter().copied();
        let rows: Vec<u32> = own.filter(|i| left_out.binary_search(i).is_err()).collect();
        let model = match self.model.without(&rows, &self.all)? {
            Some(model) => model,
            None => self.model_of_others(&rows)?,
        };
        let fit = general::fit(&model, self.criterion, &self.task, &|_| watch());
        self.done.fetch_add(1, Ordering::Relaxed);
        fit
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
