//! Profiles against fits with parameters held.

mod common;

use std::sync::Arc;

use common::{design, linear, Grouping, Random, TermSpec, D, U};
use mixedmodels::design::Design;
use mixedmodels::family::{family, Information};
use mixedmodels::fit::{MixedModel, Point, Task as Fit};
use mixedmodels::linalg::Matrix;
use mixedmodels::model::{Approximation, GeneralizedModel, Model};
use mixedmodels::objective::{Criterion, Monitor};
use mixedmodels::optimize::Control;
use mixedmodels::parameters::Held;
use mixedmodels::profile::{Curve, End, Goal, Origin, Parameter, Profiled, Side, Task, Watch};
use mixedmodels::{Error, Result};

const GO: Monitor<'static> = &|_| Ok(());
const ON: Watch<'static> = &|_| Ok(());
const Z: f64 = 1.96;
const INF: f64 = f64::INFINITY;
const ANY: (f64, f64) = (f64::NEG_INFINITY, INF);

fn task(parameter: Parameter, unit: f64, range: (f64, f64)) -> Task {
    let goal = |zeta, exact| Goal { zeta, exact };
    Task {
        parameter,
        unit,
        range,
        goals: vec![goal(1.0, false), goal(Z, true)],
    }
}

/// All parameters of the random-effects terms.
fn natural_tasks(design: &Design) -> Vec<Task> {
    let mut out = Vec::new();
    for (term, own) in design.terms.iter().enumerate() {
        for (index, p) in own.covariance.natural_parameters(own.k).iter().enumerate() {
            out.push(task(Parameter::Natural { term, index }, 0.2, p.bounds));
        }
    }
    out
}

fn held(parameter: Parameter, value: f64) -> Held {
    match parameter {
        Parameter::Natural { term, index } => Held {
            natural: vec![(term, index, value)],
            ..Held::default()
        },
        _ => Held {
            sigma: Some(value),
            ..Held::default()
        },
    }
}

fn fit<M: MixedModel>(
    model: &M,
    held: Option<&Held>,
) -> Result<mixedmodels::fit::Fit<M::Estimates>> {
    let control = Control {
        starts: Some(4),
        ..Control::UNLIMITED
    };
    let task = Fit {
        held,
        control,
        ..Fit::default()
    };
    model.fit(&task, GO)
}

/// Columns of X without one of them.
fn without(x: &mixedmodels::linalg::Columns, column: usize) -> Matrix {
    let others: Vec<usize> = (0..x.cols()).filter(|&j| j != column).collect();
    let data = others.iter().flat_map(|&j| x.column(j).to_vec()).collect();
    Matrix::from_columns(x.rows(), others.len(), data)
}

/// The minimum of a linear model with a parameter held, by a fit from scratch.
fn linear_minimum(design: &Design, criterion: Criterion, parameter: Parameter, value: f64) -> f64 {
    let (model, own) = match parameter {
        Parameter::Coefficient(j) => {
            let y = design.y.iter().zip(design.x.column(j));
            let moved = Design {
                y: y.map(|(y, x)| y - value * x).collect(),
                x: without(&design.x, j).into(),
                ..design.clone()
            };
            (Model::new(moved).expect("valid"), None)
        }
        _ => (
            Model::new(design.clone()).expect("valid"),
            Some(held(parameter, value)),
        ),
    };
    let found = fit(&linear(&model, criterion), own.as_ref());
    found.expect("a fit").estimates.objective
}

fn sides(curve: &Curve) -> [&Side; 2] {
    [&curve.below, &curve.above]
}

/// Every point and every limit that was met has the objective of a fit.
fn check(what: &str, curve: &Curve, origin: &Origin, minimum: &dyn Fn(f64) -> f64) {
    for side in sides(curve) {
        for step in &side.steps {
            let rise = minimum(step.value) - origin.objective;
            let error = (rise - step.zeta * step.zeta).abs();
            assert!(error < 1e-5, "{what} at {}: {error:e}", step.value);
            assert!(step.zeta.signum() == (step.value - curve.estimate).signum());
        }
        for limit in &side.limits {
            let rise = minimum(limit.value) - origin.objective;
            match limit.end {
                End::Met => assert!((rise - Z * Z).abs() < 1e-5, "{what} {limit:?}: {rise}"),
                End::Bound => assert!(rise < Z * Z, "{what} {limit:?}: {rise}"),
                _ => panic!("{what}: {limit:?}"),
            }
        }
    }
}

fn linear_origin(model: &Model, criterion: Criterion) -> Origin {
    let found = fit(&linear(model, criterion), None).expect("a fit");
    let near = Point {
        beta: found.estimates.beta.clone(),
        ..Point::of_theta(&found.theta)
    };
    let profiled = Held::default();
    Profiled::Linear(linear(model, criterion), &profiled)
        .origin(&near, ON)
        .expect("a minimum")
}

fn linear_curves(
    model: &Model,
    criterion: Criterion,
    tasks: &[Task],
    origin: &Origin,
) -> Vec<Curve> {
    let nothing = Held::default();
    let profiled = Profiled::Linear(linear(model, criterion), &nothing);
    let curves = profiled.curves(tasks, origin, ON).expect("no interrupt");
    curves.into_iter().map(|c| c.expect("a curve")).collect()
}

#[test]
fn zeta_of_linear_models_is_that_of_constrained_fits() {
    let terms: [(&str, Vec<TermSpec>); 3] = [
        (
            "crossed",
            vec![(Grouping::Random(12), 2, U), (Grouping::Random(7), 1, U)],
        ),
        ("diagonal", vec![(Grouping::Random(15), 2, D)]),
        ("compound symmetry", vec![(Grouping::Random(15), 3, "cs")]),
    ];
    for (s, (name, terms)) in terms.iter().enumerate() {
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let design = design(s as u64 + 3, 150, 2, terms, s == 0);
            let model = Model::new(design.clone()).expect("valid");
            let origin = linear_origin(&model, criterion);
            let mut tasks = natural_tasks(&design);
            tasks.push(task(Parameter::Sigma, 0.1, (0.0, INF)));
            if criterion == Criterion::Ml {
                tasks.push(task(Parameter::Coefficient(1), 0.1, ANY));
            }
            let curves = linear_curves(&model, criterion, &tasks, &origin);
            for (task, curve) in tasks.iter().zip(&curves) {
                let minimum = |v: f64| linear_minimum(&design, criterion, task.parameter, v);
                check(name, curve, &origin, &minimum);
            }
        }
    }
}

/// Counts, and a model of them.
fn counts(offset: Option<Vec<f64>>, without_column: Option<usize>) -> (Design, GeneralizedModel) {
    let terms = [(Grouping::Random(14), 2, U), (Grouping::Random(6), 1, U)];
    let base = design(8, 160, 2, &terms, false);
    let mut random = Random::new(4);
    let n_levels = base.terms[0].n_levels;
    let effects: Vec<f64> = (0..n_levels).map(|_| 0.6 * random.normal()).collect();
    let y = (0..160)
        .map(|i| {
            let level = effects[base.terms[0].codes[i] as usize];
            (0.8 + level + 0.4 * random.normal()).exp().round()
        })
        .collect();
    let (_, mut predictors) = base.clone().split();
    predictors.offset = offset;
    if let Some(column) = without_column {
        predictors.x = without(&predictors.x, column).into();
    }
    let family = family("poisson", "log", y, None, None).expect("valid");
    let model = GeneralizedModel::new(
        predictors,
        Arc::from(family),
        Approximation::Laplace,
        Information::Expected,
    );
    (base, model.expect("valid"))
}

fn generalized_origin(model: &GeneralizedModel) -> Origin {
    let near = fit(model, None).expect("a fit").estimates.point;
    let nothing = Held::default();
    let profiled = Profiled::Generalized(model, &nothing);
    profiled.origin(&near, ON).expect("a minimum")
}

#[test]
fn zeta_of_generalized_models_is_that_of_constrained_fits() {
    let (design, model) = counts(None, None);
    let origin = generalized_origin(&model);
    let mut tasks = natural_tasks(&design);
    tasks.push(task(Parameter::Coefficient(1), 0.1, ANY));
    let nothing = Held::default();
    let profiled = Profiled::Generalized(&model, &nothing);
    let curves = profiled.curves(&tasks, &origin, ON).expect("no interrupt");
    for (task, curve) in tasks.iter().zip(curves) {
        let minimum = |value: f64| match task.parameter {
            Parameter::Coefficient(j) => {
                let offset = design.x.column(j).iter().map(|x| value * x).collect();
                let (_, moved) = counts(Some(offset), Some(j));
                fit(&moved, None).expect("a fit").estimates.objective
            }
            parameter => {
                let own = held(parameter, value);
                fit(&model, Some(&own)).expect("a fit").estimates.objective
            }
        };
        let what = format!("{:?}", task.parameter);
        check(&what, &curve.expect("a curve"), &origin, &minimum);
    }
}

/// A model of noise, whose random effects are about nothing.
fn noise(seed: u64, terms: &[TermSpec], n: usize) -> Design {
    let mut out = design(seed, n, 2, terms, false);
    let mut random = Random::new(seed + 1000);
    out.y = (0..n).map(|_| random.normal()).collect();
    out
}

#[test]
fn walks_end_at_bounds() {
    let design = noise(2, &[(Grouping::Random(12), 1, U)], 100);
    let model = Model::new(design.clone()).expect("valid");
    let origin = linear_origin(&model, Criterion::Ml);
    let curves = linear_curves(&model, Criterion::Ml, &natural_tasks(&design), &origin);
    let [below, above] = sides(&curves[0]).map(|side| side.limits[0]);
    assert_eq!((below.end, below.value), (End::Bound, 0.0));
    assert_eq!(above.end, End::Met);
    let rise = linear_minimum(
        &design,
        Criterion::Ml,
        Parameter::Natural { term: 0, index: 0 },
        above.value,
    ) - origin.objective;
    assert!((rise - Z * Z).abs() < 1e-6, "{rise}");
}

/// The profile is continuous, though the criterion of a matrix of three that is about singular has many
/// minima: no limit is a jump from one of them to another.
#[test]
fn no_limit_is_a_jump_between_minima() {
    for seed in 0..25 {
        let design = noise(seed, &[(Grouping::Random(10), 3, U)], 60);
        let model = Model::new(design.clone()).expect("valid");
        let origin = linear_origin(&model, Criterion::Ml);
        let tasks = natural_tasks(&design);
        let curves = linear_curves(&model, Criterion::Ml, &tasks, &origin);
        for (task, curve) in tasks.iter().zip(&curves) {
            for limit in sides(curve).map(|side| side.limits[0]) {
                let what = format!("seed {seed}, {:?}: {limit:?}", task.parameter);
                assert_ne!(limit.end, End::Jump, "{what}");
                if matches!(limit.end, End::Met | End::Bound) {
                    let minimum =
                        linear_minimum(&design, Criterion::Ml, task.parameter, limit.value);
                    let over = minimum - origin.objective - Z * Z;
                    let is_met = limit.end == End::Met;
                    // A fit may end in another minimum than the lowest.
                    assert!(over > -1e-5 || !is_met, "{what}: {over}");
                    assert!(over < 1e-5 || is_met, "{what}: {over}");
                }
            }
        }
    }
}

/// Sigma cannot be told from the variance of effects that have one row each: λ becomes as large as one likes.
#[test]
fn a_walk_beyond_what_can_be_computed_has_an_end() {
    let (levels, k) = (10, 6);
    let n = levels * k;
    let mut random = Random::new(7);
    let mut design = noise(5, &[(Grouping::Random(levels), k, "ar1")], n);
    let term = &mut design.terms[0];
    term.codes = (0..n).map(|i| (i / k) as u32).collect::<Vec<_>>().into();
    let z = |i: usize| (0..k).map(move |c| f64::from(u8::from(c == i % k)));
    term.z = (0..n).flat_map(z).collect::<Vec<f64>>().into();
    design.y = (0..n).map(|_| random.normal()).collect();
    let model = Model::new(design.clone()).expect("valid");
    let origin = linear_origin(&model, Criterion::Ml);
    let mut task = task(Parameter::Sigma, 0.1, (0.0, INF));
    task.goals = vec![Goal {
        zeta: 4.9,
        exact: true,
    }];
    let curves = linear_curves(&model, Criterion::Ml, &[task], &origin);
    assert_eq!(curves[0].above.end, End::Met);
    let below = &curves[0].below;
    assert!(
        matches!(below.end, End::NotComputable | End::Flat | End::Better),
        "{:?}",
        below.end
    );
}

#[test]
fn what_does_not_fit_the_model_is_an_error() {
    let design = design(3, 80, 2, &[(Grouping::Random(12), 2, U)], false);
    let model = Model::new(design).expect("valid");
    let origin = linear_origin(&model, Criterion::Ml);
    let nothing = Held::default();
    let profiled = Profiled::Linear(linear(&model, Criterion::Ml), &nothing);
    let sigma = [task(Parameter::Sigma, 0.1, (0.0, INF))];
    let first = |origin: &Origin, tasks: &[Task]| {
        let curves = profiled.curves(tasks, origin, ON).expect("no interrupt");
        curves.into_iter().next().expect("one").map(|_| ())
    };
    first(&origin, &sigma).expect("a curve");

    let change = |with: &dyn Fn(&mut Origin)| {
        let mut changed = origin.clone();
        with(&mut changed);
        changed
    };
    let short = [
        change(&|o| o.point.theta.truncate(1)),
        change(&|o| o.point.theta.push(0.0)),
        change(&|o| o.point.beta.truncate(1)),
        change(&|o| o.point.eta = Some(vec![0.0; 3])),
    ];
    for changed in &short {
        let error = first(changed, &sigma).expect_err("a wrong length");
        assert!(matches!(error, Error::Length { .. }), "{error}");
        let error = profiled.origin(&changed.point, ON).expect_err("the same");
        assert!(matches!(error, Error::Length { .. }), "{error}");
    }
    let not_finite = [
        change(&|o| o.objective = f64::NAN),
        change(&|o| o.point.log_dispersion = f64::NAN),
        change(&|o| o.point.theta[0] = INF),
    ];
    for changed in &not_finite {
        let error = first(changed, &sigma).expect_err("not finite");
        assert!(error.to_string().contains("must be finite"), "{error}");
    }

    let bad = |with: &dyn Fn(&mut Task)| {
        let mut changed = sigma[0].clone();
        with(&mut changed);
        first(&origin, &[changed]).expect_err("a wrong task")
    };
    for error in [
        bad(&|t| t.unit = 0.0),
        bad(&|t| t.range = (1.0, 0.0)),
        bad(&|t| t.goals.reverse()),
        bad(&|t| t.goals[0].zeta = -1.0),
        bad(&|t| t.goals[1].zeta = f64::NAN),
        bad(&|t| t.parameter = Parameter::Coefficient(9)),
        bad(&|t| t.parameter = Parameter::Natural { term: 1, index: 0 }),
        bad(&|t| t.parameter = Parameter::Dispersion),
    ] {
        assert!(matches!(error, Error::Domain(_)), "{error}");
    }

    let points = |parameters: &[Parameter], values: &[f64]| {
        profiled.chains(parameters, &[vec![values.to_vec()]], &origin, ON)
    };
    for own in [
        Parameter::Coefficient(0),
        Parameter::Sigma,
        Parameter::Natural { term: 0, index: 1 },
    ] {
        let error = points(&[own, own], &[1.0, 2.0]).expect_err("held twice");
        assert!(error.to_string().contains("held twice"), "{error}");
        let error = points(&[own], &[]).expect_err("no value");
        assert!(matches!(error, Error::Length { .. }), "{error}");
    }
    let error = points(&[Parameter::Sigma], &[0.0]).expect_err("no scale");
    assert!(error.to_string().contains("positive"), "{error}");
}
