//! Fits that share one A: the responses of a bootstrap, and the deletion of each level of a factor.
//! Run with `cargo bench -p mixedmodels --bench shared`.

mod designs;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use designs::Shape;
use mixedmodels::fit::{Linear, MixedModel, StartValues, Task};
use mixedmodels::linalg::Matrix;
use mixedmodels::many::{delete_levels, refit_many};
use mixedmodels::model::Model;
use mixedmodels::objective::Criterion;
use mixedmodels::optimize::Control;

/// In the shapes of well-known data sets.
const SLEEPSTUDY: Shape = Shape {
    name: "like sleepstudy",
    rows: 180,
    factors: &[(18, 2)],
    effects: 1.0,
};
const INSTEVAL: Shape = Shape {
    name: "like InstEval",
    rows: 73_421,
    factors: &[(2972, 1), (1128, 1)],
    effects: 0.4,
};
/// One step from where the search starts.
const ONE_STEP: Control = Control {
    max_evaluations: Some(2),
    ..Control::UNLIMITED
};

fn fitted(shape: &Shape) -> (Model, Vec<f64>) {
    let model = Model::new(shape.design()).expect("a valid design");
    let linear = Linear {
        model: &model,
        criterion: Criterion::Reml,
    };
    let fit = linear.fit(&Task::default(), &|_| Ok(()));
    let theta = fit.expect("a fit").theta;
    (model, theta)
}

/// A thousand responses of other random effects and residuals.
fn bootstrap(bench: &mut Bench) {
    const RESPONSES: usize = 1000;
    let (model, theta) = fitted(&SLEEPSTUDY);
    let y = model.raw_response();
    let n = y.len();
    // Responses that differ in the order of subjects and days.
    let values = (0..RESPONSES).flat_map(|r| (0..n).map(move |i| (i * (2 * r + 1) + 7 * r) % n));
    let responses = Matrix::from_columns(n, RESPONSES, values.map(|i| y[i]).collect());
    let go = |_| Ok(());
    let name = format!("{}/1,000 responses", SLEEPSTUDY.name);
    let task = Task {
        start: StartValues {
            theta: Some(theta),
            ..StartValues::default()
        },
        ..Task::default()
    };
    bench.bench_function(&name, |b| {
        b.iter(|| refit_many(&model, &responses, Criterion::Reml, &task, &go));
    });
}

fn deletions(bench: &mut Bench) {
    let (small, theta_small) = fitted(&SLEEPSTUDY);
    let (large, theta) = fitted(&INSTEVAL);
    let go = |_| Ok(());
    let mut group = bench.benchmark_group("deletions");
    group.sample_size(10);
    let run = |model: &Model, term, theta: &[f64], control| {
        delete_levels(model, term, Criterion::Reml, theta, control, &go).expect("no interrupt")
    };
    group.bench_function("like sleepstudy/each subject", |b| {
        b.iter(|| run(&small, 0, &theta_small, &Control::UNLIMITED));
    });
    group.bench_function("like InstEval/each instructor, one step", |b| {
        b.iter(|| run(&large, 1, &theta, &ONE_STEP));
    });
    group.finish();
}

criterion_group!(benches, bootstrap, deletions);
criterion_main!(benches);
