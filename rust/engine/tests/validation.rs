//! Every entry refuses what the numerics cannot work with: by an error, never by a panic.

mod common;

use std::sync::Arc;

use common::{design, Grouping, D, U};
use mixedmodels::design::{Design, Predictors, Term};
use mixedmodels::family::{family, Family, Information};
use mixedmodels::fit::{Linear, MixedModel, Point, StartValues, Task};
use mixedmodels::inference;
use mixedmodels::linalg::{Columns, Matrix, Shared};
use mixedmodels::many::fit_many;
use mixedmodels::model::{frame, Approximation, Frame, GeneralizedModel, Model};
use mixedmodels::objective::Criterion;
use mixedmodels::optimize::Control;
use mixedmodels::parameters::Held;
use mixedmodels::products::costs::Use;
use mixedmodels::products::Layout;
use mixedmodels::{Error, Result};

const N: usize = 40;
const LEVELS: usize = 6;

fn valid() -> Design {
    let terms = [
        (Grouping::Random(LEVELS), 2, U),
        (Grouping::Random(4), 1, D),
    ];
    design(3, N, 2, &terms, true)
}

fn poisson() -> Arc<dyn Family> {
    let y = (0..N).map(|i| (i % 4) as f64).collect();
    Arc::from(family("poisson", "log", y, None, None).expect("a family"))
}

type Spoil = fn(&mut Predictors);

fn change<T: Clone + Send + Sync>(values: &mut Shared<T>, change: impl FnOnce(&mut Vec<T>)) {
    let mut own = values.to_vec();
    change(&mut own);
    *values = own.into();
}

fn set_x(p: &mut Predictors, at: usize, value: f64) {
    let mut data = p.x.data().to_vec();
    data[at] = value;
    p.x = Columns::new(p.x.rows(), p.x.cols(), data.into());
}

/// What is wrong, and a word of the message.
const INVALID: [(&str, Spoil); 20] = [
    ("no random-effects term", |p| p.terms.clear()),
    ("outside its 6 levels", |p| {
        change(&mut p.terms[0].codes, |v| v[3] = 6);
    }),
    ("outside its 6 levels", |p| {
        change(&mut p.terms[0].codes, |v| v[3] = u32::MAX);
    }),
    ("outside its 0 levels", |p| p.terms[0].n_levels = 0),
    ("codes of random-effects term 1", |p| {
        change(&mut p.terms[1].codes, |v| v.truncate(N - 1));
    }),
    ("codes of random-effects term 0", |p| {
        change(&mut p.terms[0].codes, Vec::clear);
    }),
    ("codes of random-effects term 0", |p| {
        change(&mut p.terms[0].codes, |v| v.push(0));
    }),
    ("z of random-effects term 0", |p| {
        change(&mut p.terms[0].z, |v| v.truncate(2 * N - 1));
    }),
    ("z of random-effects term 0", |p| p.terms[0].k = 3),
    ("no columns", |p| {
        p.terms[0].k = 0;
        change(&mut p.terms[0].z, Vec::clear);
    }),
    ("NaN at position 5", |p| {
        change(&mut p.terms[0].z, |v| v[5] = f64::NAN);
    }),
    ("inf at position 7", |p| set_x(p, 7, f64::INFINITY)),
    ("weights", |p| {
        p.weights = Some(vec![1.0; N - 3]);
    }),
    ("weights must be positive", |p| {
        p.weights = Some(vec![0.0; N]);
    }),
    ("weights must be positive", |p| {
        p.weights = Some(vec![f64::NAN; N]);
    }),
    ("offset", |p| p.offset = Some(vec![0.0; N + 1])),
    ("offset", |p| p.offset = Some(vec![f64::NEG_INFINITY; N])),
    ("random effects", |p| p.terms[0].n_levels = usize::MAX),
    ("random effects", |p| {
        p.terms[0].n_levels = u32::MAX as usize - 8;
    }),
    ("random effects", |p| {
        p.terms[1].n_levels = u32::MAX as usize - 100;
    }),
];

fn refused<T>(found: Result<T>, word: &str, entry: &str) {
    let Err(error) = found else {
        panic!("{entry} takes predictors that are wrong: {word}");
    };
    let known = matches!(
        error,
        Error::Domain(_) | Error::Length { .. } | Error::Memory { .. }
    );
    let said = word.split('|').any(|word| error.to_string().contains(word));
    assert!(known && said, "{entry}, {word}: {error}");
}

#[test]
fn invalid_predictors_are_an_error_of_every_entry() {
    let (y, good) = valid().split();
    let mut gaps = Matrix::zeros(N, 3, "responses").expect("memory");
    (0..3).for_each(|j| gaps.column_mut(j).copy_from_slice(&y));
    gaps.column_mut(1)[5] = f64::NAN;
    gaps.column_mut(2).fill(f64::NAN);
    for (word, spoil) in INVALID {
        let mut bad = good.clone();
        spoil(&mut bad);
        refused(
            Model::new(Design::join(y.clone(), bad.clone())),
            word,
            "Model",
        );
        refused(Frame::new(bad.clone()), word, "Frame");
        refused(frame::costs(&bad, Use::AsTheyAre), word, "costs");
        for layout in [Layout::Blocked, Layout::Sparse] {
            refused(
                Frame::with_layout(bad.clone(), layout),
                word,
                "Frame::with_layout",
            );
        }
        let go = &|_| Ok(());
        let fits = fit_many(&bad, &gaps, Criterion::Reml, &Control::UNLIMITED, go);
        refused(fits, word, "fit_many");
        let model = GeneralizedModel::new(
            bad,
            poisson(),
            Approximation::Laplace,
            Information::Observed,
        );
        refused(model, word, "GeneralizedModel");
    }
}

#[test]
fn more_than_can_be_numbered_is_an_error() {
    let count = u32::MAX as usize + 1;
    let rows = Predictors {
        x: Matrix::from_columns(count, 0, Vec::new()).into(),
        terms: Vec::<Term>::new(),
        weights: None,
        offset: None,
    };
    refused(rows.validate(), "4294967296 observations", "validate");
    let (_, mut effects) = valid().split();
    effects.terms[0].n_levels = count / 2;
    refused(effects.validate(), "4294967300 random effects", "validate");
    let (_, mut both) = valid().split();
    both.terms[0].n_levels = (count - 6) / 2;
    refused(
        both.validate(),
        "4294967296 random and fixed effects",
        "validate",
    );
}

#[test]
fn a_response_that_does_not_fit_is_an_error() {
    let good = valid();
    let model = Model::new(good.clone()).expect("valid");
    let mut nan = good.y.clone();
    nan[4] = f64::NAN;
    let long: Vec<f64> = good.y.iter().chain(&good.y).copied().collect();
    for (y, word) in [
        (nan, "NaN at position 4"),
        (good.y[1..].to_vec(), "the response"),
        (Vec::new(), "the response"),
        (long, "the response"),
    ] {
        let design = Design {
            y: y.clone(),
            ..good.clone()
        };
        refused(Model::new(design), word, "Model");
        refused(model.with_response(y.clone()), word, "with_response");
        let (_, predictors) = valid().split();
        if y.len() != N {
            let responses = Matrix::from_columns(y.len(), 1, y);
            let control = &Control::UNLIMITED;
            let fits = fit_many(&predictors, &responses, Criterion::Ml, control, &|_| Ok(()));
            refused(fits, "the responses", "fit_many");
        }
    }
}

#[test]
fn a_theta_that_does_not_fit_is_an_error_of_every_function() {
    let model = Model::new(valid()).expect("valid");
    let go = &|_| Ok(());
    for (theta, word) in [
        (vec![], "theta"),
        (vec![1.0; 3], "theta"),
        (vec![1.0; 5], "theta"),
        (vec![1.0, f64::NAN, 1.0, 1.0], "NaN"),
        (vec![1.0, 0.0, f64::INFINITY, 1.0], "inf"),
    ] {
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let linear = Linear {
                model: &model,
                criterion,
            };
            let task = Task {
                start: StartValues {
                    theta: Some(theta.clone()),
                    ..StartValues::default()
                },
                ..Task::default()
            };
            let point = Point::of_theta(&theta);
            refused(linear.fit(&task, go), word, "fit");
            let held = Task {
                held: Some(&Held::default()),
                ..task
            };
            refused(linear.fit(&held, go), word, "fit with nothing held");
            let free = linear.free_derivatives(&point, &Held::default(), go);
            refused(free, word, "free_derivatives");
            refused(linear.evaluate(&point, go), word, "evaluate");
            refused(linear.gradient(&point, go), word, "gradient");
            refused(linear.hessian(&point, go), word, "hessian");
            let joint = linear.joint_hessian(&theta, go);
            refused(joint, word, "joint_hessian");
        }
        let linear = Linear {
            model: &model,
            criterion: Criterion::Ml,
        };
        let variances = linear.conditional_variances(&Point::of_theta(&theta), go);
        refused(variances, word, "conditional_variances");
        let slopes = inference::covariance_slopes(&model, &theta, go);
        refused(slopes, word, "covariance_slopes");
        refused(
            inference::kenward_roger(&model, &theta, go),
            word,
            "kenward_roger",
        );
    }
}

#[test]
fn a_point_that_does_not_fit_is_an_error_of_every_function() {
    let (_, predictors) = valid().split();
    let model = GeneralizedModel::new(
        predictors,
        poisson(),
        Approximation::Laplace,
        Information::Observed,
    )
    .expect("valid");
    let go = &|_| Ok(());
    let good = Point {
        theta: vec![0.3, 0.0, 0.2, 0.1],
        beta: vec![0.1, 0.0],
        log_dispersion: 0.0,
        eta: None,
    };
    let theta = |theta: &[f64]| Point {
        theta: theta.to_vec(),
        ..good.clone()
    };
    let beta = |beta: &[f64]| Point {
        beta: beta.to_vec(),
        ..good.clone()
    };
    for (point, word) in [
        (theta(&[]), "theta"),
        (theta(&[1.0; 5]), "theta"),
        (theta(&[1.0, f64::NAN, 1.0, 1.0]), "NaN"),
        (beta(&[]), "beta|coefficients"),
        (beta(&[0.0; 3]), "beta|coefficients"),
        (beta(&[0.0, f64::INFINITY]), "inf"),
        (
            Point {
                log_dispersion: f64::NAN,
                ..good.clone()
            },
            "dispersion",
        ),
    ] {
        let start = StartValues {
            theta: Some(point.theta.clone()),
            beta: Some(point.beta.clone()),
            log_dispersion: Some(point.log_dispersion),
        };
        let task = Task {
            start,
            ..Task::default()
        };
        refused(model.fit(&task, go), word, "fit");
        let free = model.free_derivatives(&point, &Held::default(), go);
        refused(free, word, "free_derivatives");
        refused(model.evaluate(&point, go), word, "evaluate");
        refused(model.gradient(&point, go), word, "gradient");
        refused(model.hessian(&point, go), word, "hessian");
        let variances = model.conditional_variances(&point, go);
        refused(variances, word, "conditional_variances");
    }
    let y = vec![1.0; N - 1];
    let short = family("poisson", "log", y, None, None).expect("a family");
    refused(
        model.with_family(Arc::from(short)),
        "the response",
        "with_family",
    );
}
