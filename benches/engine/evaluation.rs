//! One evaluation of the objective, one with its derivatives, and an exact Hessian, on the structures
//! that matter.
//! Run with `cargo bench -p mixedmodels --bench evaluation`.

mod designs;
mod structures;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use mixedmodels::design::Model;
use mixedmodels::objective::{Coordinates, Criterion, LmmObjective, Objective};
use structures::{Points, STRUCTURES};

fn evaluation(bench: &mut Bench) {
    for shape in &STRUCTURES {
        let name = shape.name;
        let model = Model::new(shape.design()).expect("a valid design");
        let coordinates = Coordinates::engine(&model.design.terms);
        let monitor = |_| Ok(());
        let mut objective =
            LmmObjective::new(&model, Criterion::Reml, coordinates, &monitor).expect("memory");
        let mut points = Points::of(&model);
        bench.bench_function(&format!("{name}/value"), |b| {
            b.iter(|| objective.value(points.next()));
        });
        bench.bench_function(&format!("{name}/value and derivatives"), |b| {
            b.iter(|| {
                objective.value(points.next()).expect("computable");
                objective.derivatives()
            });
        });
        bench.bench_function(&format!("{name}/Hessian"), |b| {
            b.iter(|| objective.hessian());
        });
    }
}

criterion_group! {
    name = benches;
    config = Bench::default().sample_size(20);
    targets = evaluation
}
criterion_main!(benches);
