//! Fits of samples of the rows, as in a bootstrap of cases: a row may be drawn several times, and copies of
//! a level are levels of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::design::{Design, Predictors, Term};
use crate::error::{same_length, Error, Result};
use crate::fit::Task;
use crate::linalg::{threads, Columns};
use crate::many::generalized::FamilyOf;
use crate::many::patterns::pick;
use crate::many::{general, generalized, uninterrupted, ResponseFit, Watch};
use crate::model::{GeneralizedModel, Model};
use crate::objective::Criterion;

/// Rows that make a data set, in any order and any number of times.
#[derive(Debug, Clone)]
pub struct Sample {
    pub rows: Vec<u32>,
    /// For each random-effects term the levels of these rows.
    pub codes: Vec<Vec<u32>>,
    pub n_levels: Vec<usize>,
}

impl Sample {
    fn check(&self, of: &Predictors) -> Result<()> {
        let n = of.n_obs();
        if let Some(bad) = self.rows.iter().find(|&&i| i as usize >= n) {
            return Err(Error::Domain(format!("there is no row {bad} among {n}")));
        }
        same_length("the terms of a sample", of.terms.len(), self.codes.len())?;
        same_length(
            "the levels of a sample",
            of.terms.len(),
            self.n_levels.len(),
        )?;
        for codes in &self.codes {
            same_length("the codes of a sample", self.rows.len(), codes.len())?;
        }
        Ok(())
    }

    fn pick(&self, values: &[f64]) -> Vec<f64> {
        let rows: Vec<usize> = self.rows.iter().map(|&i| i as usize).collect();
        pick(values, &rows)
    }

    /// The predictors of the sample.
    fn predictors(&self, all: &Predictors) -> Result<Predictors> {
        self.check(all)?;
        let p = all.x.cols();
        let columns = (0..p).flat_map(|j| self.pick(all.x.column(j)));
        let terms = all.terms.iter().zip(&self.codes).zip(&self.n_levels);
        Ok(Predictors {
            x: Columns::new(self.rows.len(), p, columns.collect()),
            terms: terms
                .map(|((t, codes), &n)| self.term(t, codes, n))
                .collect(),
            weights: all.weights.as_ref().map(|w| self.pick(w)),
            offset: all.offset.as_ref().map(|o| self.pick(o)),
        })
    }

    fn term(&self, term: &Term, codes: &[u32], n_levels: usize) -> Term {
        let k = term.k;
        let rows = self.rows.iter().map(|&i| i as usize);
        let z = rows.flat_map(|i| term.z[i * k..(i + 1) * k].iter().copied());
        Term {
            codes: codes.to_vec().into(),
            n_levels,
            z: z.collect(),
            k,
            covariance: Arc::clone(&term.covariance),
        }
    }
}

/// Fits a linear model to each of these samples of its rows. Whatever the number of threads, the results
/// are the same.
///
/// # Errors
/// An interrupt. What prevents a single fit is its result.
pub fn refit_samples(
    model: &Model,
    samples: &[Sample],
    criterion: Criterion,
    task: &Task<'_>,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    let y = model.raw_response();
    each(samples, watch, |j, watch| {
        let predictors = samples[j].predictors(&model.design)?;
        let own = Model::new(Design::join(samples[j].pick(&y), predictors))?;
        general::fit(&own, criterion, task, &|_| watch())
    })
}

/// The same for a generalized model; `family` makes the family with the data of a sample.
///
/// # Errors
/// An interrupt. What prevents a single fit is its result.
pub fn refit_generalized_samples(
    model: &GeneralizedModel,
    samples: &[Sample],
    family: FamilyOf<'_>,
    task: &Task<'_>,
    watch: Watch<'_>,
) -> Result<Vec<Result<ResponseFit>>> {
    let (approximation, information) = (model.approximation, model.information);
    each(samples, watch, |j, watch| {
        let predictors = samples[j].predictors(&model.frame().design)?;
        let own = GeneralizedModel::new(predictors, family(j)?, approximation, information)?;
        generalized::fit(&own, task, &|_| watch())
    })
}

fn each(
    samples: &[Sample],
    watch: Watch<'_>,
    fit: impl Fn(usize, &dyn Fn() -> Result<()>) -> Result<ResponseFit> + Sync + Send,
) -> Result<Vec<Result<ResponseFit>>> {
    let done = AtomicUsize::new(0);
    let each: Vec<usize> = (0..samples.len()).collect();
    let fits = threads::map(&each, |&j| {
        let watch = || watch(done.load(Ordering::Relaxed));
        watch()?;
        let found = fit(j, &watch);
        done.fetch_add(1, Ordering::Relaxed);
        found
    });
    uninterrupted(fits)
}
