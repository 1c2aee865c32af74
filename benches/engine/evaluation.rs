//! One evaluation of the objective, one with its derivatives, and of linear models an exact Hessian, on
//! the structures that matter.
//! Run with `cargo bench -p mixedmodels --bench evaluation`.

mod designs;
mod generalized;
mod structures;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use generalized::{Steps, GENERALIZED};
use mixedmodels::model::Model;
use mixedmodels::objective::{Criterion, LmmObjective, Objective};
use mixedmodels::parameters::Coordinates;
use structures::{Points, STRUCTURES};

fn linear_models(bench: &mut Bench) {
    for shape in &STRUCTURES {
        let name = shape.name;
        let model = Model::new(shape.design()).expect("a valid design");
        let coordinates = Coordinates::engine(&model.design.terms);
        let monitor = |_| Ok(());
        let mut objective =
            LmmObjective::new(&model, Criterion::Reml, coordinates, &monitor).expect("memory");
        let mut points = Points::of(&model);
        value_and_derivatives(bench, name, &mut objective, || points.next().to_vec());
        bench.bench_function(&format!("{name}/Hessian"), |b| {
            b.iter(|| objective.hessian());
        });
    }
}

fn generalized_models(bench: &mut Bench) {
    for generalized in &GENERALIZED {
        let model = generalized.model();
        let monitor = |_| Ok(());
        let mut objective = generalized::objective(&model, &monitor);
        let mut steps = Steps::of(&model);
        let name = generalized.shape.name;
        value_and_derivatives(bench, name, &mut objective, || steps.next().to_vec());
    }
}

fn value_and_derivatives(
    bench: &mut Bench,
    name: &str,
    objective: &mut dyn Objective,
    mut point: impl FnMut() -> Vec<f64>,
) {
    bench.bench_function(&format!("{name}/value"), |b| {
        b.iter(|| objective.value(&point()));
    });
    bench.bench_function(&format!("{name}/value and derivatives"), |b| {
        b.iter(|| {
            objective
                .value(&point())
                .expect("memory")
                .expect("computable");
            objective.derivatives()
        });
    });
}

criterion_group! {
    name = benches;
    config = Bench::default().sample_size(20);
    targets = linear_models, generalized_models
}
criterion_main!(benches);
