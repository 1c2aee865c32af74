//! Refits of generalized models, with parameters held, and of samples of the rows, against single fits.

mod common;

use std::sync::Arc;

use common::{design, linear, Grouping, Random, U};
use mixedmodels::design::{Design, Term};
use mixedmodels::family::{family, Family, Information};
use mixedmodels::fit::{MixedModel, StartValues, Task};
use mixedmodels::linalg::Matrix;
use mixedmodels::many::{
    refit_generalized, refit_generalized_samples, refit_many, refit_samples, ResponseFit, Sample,
};
use mixedmodels::model::{Approximation, GeneralizedModel, Model};
use mixedmodels::objective::Criterion;
use mixedmodels::parameters::Held;
use mixedmodels::{Error, Result};

fn crossed() -> Design {
    let terms = [(Grouping::Random(12), 2, U), (Grouping::Random(7), 1, U)];
    design(21, 150, 3, &terms, false)
}

fn close(a: f64, b: f64, what: &str) {
    let error = (a - b).abs() / b.abs().max(1.0);
    assert!(error < 1e-5, "{what}: {a} and {b} differ by {error:e}");
}

fn all_close(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    a.iter().zip(b).for_each(|(a, b)| close(*a, *b, what));
}

fn from_theta(theta: &[f64]) -> Task<'static> {
    Task {
        start: StartValues {
            theta: Some(theta.to_vec()),
            ..StartValues::default()
        },
        ..Task::default()
    }
}

#[test]
fn what_is_held_stays_held() {
    let data = crossed();
    let model = Model::new(data.clone()).expect("valid");
    let held = Held {
        natural: vec![(0, 1, 0.4)],
        sigma: Some(1.3),
        ..Held::default()
    };
    let n = data.y.len();
    let mut random = Random::new(3);
    let y: Vec<f64> = (0..2 * n).map(|_| random.normal()).collect();
    let y = Matrix::from_columns(n, 2, y);
    let task = Task {
        held: Some(&held),
        ..from_theta(&[0.3, 0.1, 0.3, 0.4])
    };
    for criterion in [Criterion::Ml, Criterion::Reml] {
        let fits = refit_many(&model, &y, criterion, &task, &|_| Ok(())).expect("no interrupt");
        for (j, fit) in fits.into_iter().enumerate() {
            let fit = fit.expect("a fit");
            let alone = model.with_response(y.column(j).to_vec()).expect("valid");
            let alone = linear(&alone, criterion).fit(&task, &|_| Ok(()));
            let alone = alone.expect("a fit");
            all_close(&fit.theta, &alone.theta, "theta");
            all_close(&fit.beta, &alone.estimates.beta, "beta");
            close(fit.objective, alone.estimates.objective, "objective");
            close(fit.sigma, 1.3, "sigma");
            let sd = fit.sigma * fit.theta[1].hypot(fit.theta[2]);
            close(sd, 0.4, "the standard deviation held");
        }
    }
}

fn sample(data: &Design, seed: u64) -> Sample {
    let n = data.y.len();
    let mut random = Random::new(seed);
    Sample {
        rows: (0..n + 10).map(|_| random.below(n) as u32).collect(),
        codes: Vec::new(),
        n_levels: data.terms.iter().map(|t| t.n_levels).collect(),
    }
}

/// The same with the codes of its rows.
fn with_codes(data: &Design, seed: u64) -> Sample {
    let found = sample(data, seed);
    let codes = |t: &Term| found.rows.iter().map(|&i| t.codes[i as usize]).collect();
    Sample {
        codes: data.terms.iter().map(codes).collect(),
        ..found
    }
}

fn in_rows(data: &Design, sample: &Sample) -> Design {
    let rows: Vec<usize> = sample.rows.iter().map(|&i| i as usize).collect();
    let pick = |v: &[f64]| rows.iter().map(|&i| v[i]).collect::<Vec<f64>>();
    let x = (0..data.x.cols()).flat_map(|j| pick(data.x.column(j)));
    let terms = data.terms.iter().zip(&sample.codes).map(|(t, codes)| Term {
        codes: codes.clone().into(),
        z: rows
            .iter()
            .flat_map(|&i| t.z[i * t.k..(i + 1) * t.k].to_vec())
            .collect(),
        ..t.clone()
    });
    Design {
        y: pick(&data.y),
        x: Matrix::from_columns(rows.len(), data.x.cols(), x.collect()).into(),
        terms: terms.collect(),
        weights: data.weights.as_deref().map(pick),
        offset: data.offset.as_deref().map(pick),
    }
}

#[test]
fn samples_are_fits_of_their_rows() {
    let terms = [(Grouping::Random(12), 2, U), (Grouping::Random(7), 1, U)];
    let data = design(22, 150, 3, &terms, true);
    let model = Model::new(data.clone()).expect("valid");
    let samples: Vec<Sample> = (0..3).map(|seed| with_codes(&data, seed)).collect();
    let task = from_theta(&[0.5, 0.1, 0.5, 0.5]);
    let go = &|_| Ok(());
    let fits = refit_samples(&model, &samples, Criterion::Reml, &task, go).expect("no interrupt");
    for (sample, fit) in samples.iter().zip(fits) {
        let alone = Model::new(in_rows(&data, sample)).expect("valid");
        let alone = linear(&alone, Criterion::Reml).fit(&task, &|_| Ok(()));
        let (fit, alone) = (fit.expect("a fit"), alone.expect("a fit"));
        close(fit.objective, alone.estimates.objective, "objective");
        close(fit.sigma, alone.estimates.sigma, "sigma");
        all_close(&fit.beta, &alone.estimates.beta, "beta");
    }
}

#[test]
fn a_sample_that_does_not_fit_the_model_is_an_error_of_its_own() {
    let data = crossed();
    let model = Model::new(data.clone()).expect("valid");
    let good = with_codes(&data, 1);
    let bad_row = Sample {
        rows: vec![500; good.rows.len()],
        ..good.clone()
    };
    let bad_codes = Sample {
        codes: vec![vec![0], vec![0]],
        ..good.clone()
    };
    let samples = [bad_row, sample(&data, 1), bad_codes, good];
    let task = Task::default();
    let go = &|_| Ok(());
    let fits = refit_samples(&model, &samples, Criterion::Ml, &task, go).expect("no interrupt");
    assert!(matches!(fits[0], Err(Error::Domain(_))));
    assert!(matches!(fits[1], Err(Error::Length { .. })));
    assert!(matches!(fits[2], Err(Error::Length { .. })));
    assert!(fits[3].is_ok());
}

fn counts(n: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..n)
        .map(|_| (random.below(4) + random.below(3)) as f64)
        .collect()
}

fn poisson(y: Vec<f64>) -> Result<Arc<dyn Family>> {
    Ok(Arc::from(family("poisson", "log", y, None, None)?))
}

fn generalized(data: &Design) -> GeneralizedModel {
    let (_, predictors) = data.clone().split();
    let n = predictors.n_obs();
    let approximation = Approximation::Laplace;
    let own = poisson(counts(n, 1)).expect("valid");
    GeneralizedModel::new(predictors, own, approximation, Information::Observed).expect("valid")
}

fn agrees(fit: Result<ResponseFit>, model: &GeneralizedModel, task: &Task<'_>) {
    let fit = fit.expect("a fit");
    let alone = model.fit(task, &|_| Ok(())).expect("a fit");
    close(fit.objective, alone.estimates.objective, "objective");
    all_close(&fit.theta, &alone.theta, "theta");
    all_close(&fit.beta, &alone.estimates.point.beta, "beta");
    for (j, error) in fit.std_errors.iter().enumerate() {
        let variance = alone.estimates.conditional_covariance[(j, j)];
        close(*error, variance.sqrt(), "standard error");
    }
    assert!(fit.sigma.is_nan());
}

#[test]
fn generalized_refits_agree_with_single_fits() {
    let data = design(23, 200, 2, &[(Grouping::Random(15), 1, U)], false);
    let model = generalized(&data);
    let task = from_theta(&[0.3]);
    let of = |j: usize| match j {
        1 => Err(Error::Domain("no data".into())),
        j => poisson(counts(200, j as u64 + 2)),
    };
    let fits = refit_generalized(&model, 3, &of, &task, &|_| Ok(())).expect("no interrupt");
    assert_eq!(fits[1], Err(Error::Domain("no data".into())));
    for (j, fit) in fits.into_iter().enumerate().filter(|(j, _)| *j != 1) {
        let alone = model.with_family(of(j).expect("valid")).expect("valid");
        agrees(fit, &alone, &task);
    }
}

#[test]
fn generalized_samples_agree_with_single_fits() {
    let data = design(24, 200, 2, &[(Grouping::Random(15), 1, U)], false);
    let model = generalized(&data);
    let y = counts(200, 1);
    let samples: Vec<Sample> = (0..2).map(|seed| with_codes(&data, seed)).collect();
    let task = from_theta(&[0.3]);
    let of = |j: usize| {
        let rows = samples[j].rows.iter();
        poisson(rows.map(|&i| y[i as usize]).collect())
    };
    let go = &|_| Ok(());
    let fits = refit_generalized_samples(&model, &samples, &of, &task, go).expect("no interrupt");
    for (j, fit) in fits.into_iter().enumerate() {
        let (_, predictors) = in_rows(&data, &samples[j]).split();
        let (approximation, information) = (model.approximation, model.information);
        let own = of(j).expect("valid");
        let alone = GeneralizedModel::new(predictors, own, approximation, information);
        agrees(fit, &alone.expect("valid"), &task);
    }
}

#[test]
fn an_interrupt_ends_all() {
    let data = design(24, 200, 2, &[(Grouping::Random(15), 1, U)], false);
    let model = generalized(&data);
    let of = |j: usize| poisson(counts(200, j as u64));
    let watch = |done: usize| match done {
        0 | 1 => Ok(()),
        _ => Err(Error::Interrupted),
    };
    let stopped = refit_generalized(&model, 20, &of, &Task::default(), &watch);
    assert_eq!(stopped.map(|_| ()), Err(Error::Interrupted));
}
