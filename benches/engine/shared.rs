//! Fits that share one A: the responses of a bootstrap, and the deletion of each level of a factor.
//! Run with `cargo bench -p mixedmodels --bench shared`.

mod designs;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use designs::Shape;
use mixedmodels::fit::{Linear, MixedModel, StartValues, Task};
use mixedmodels::linalg::Matrix;
use mixedmodels::many::{delete_given_theta, delete_rows, refit_many, RowSets};
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
fn task(theta: &[f64], control: Control) -> Task<'static> {
    Task {
        control,
        start: StartValues {
            theta: Some(theta.to_vec()),
            ..StartValues::default()
        },
        ..Task::default()
    }
}

/// The rows of each level of a term.
fn levels(model: &Model, term: usize) -> RowSets {
    let term = &model.design.terms[term];
    let mut order: Vec<u32> = (0..term.codes.len() as u32).collect();
    order.sort_by_key(|&i| term.codes[i as usize]);
    let mut ranges = vec![0; term.n_levels + 1];
    term.codes.iter().for_each(|&v| ranges[v as usize + 1] += 1);
    (0..term.n_levels).for_each(|v| ranges[v + 1] += ranges[v]);
    RowSets::new(order, ranges, term.codes.len()).expect("valid sets")
}

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
    let task = task(&theta, Control::UNLIMITED);
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
    let (subjects, instructors) = (levels(&small, 0), levels(&large, 1));
    group.bench_function("like sleepstudy/each subject", |b| {
        let task = task(&theta_small, Control::UNLIMITED);
        b.iter(|| delete_rows(&small, &subjects, Criterion::Reml, &task, &go));
    });
    group.bench_function("like InstEval/each instructor at one theta", |b| {
        b.iter(|| delete_given_theta(&large, &instructors, Criterion::Reml, &theta, &go));
    });
    group.finish();
}

criterion_group!(benches, bootstrap, deletions);
criterion_main!(benches);
