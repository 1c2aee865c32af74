//! Whole fits without Python: of a model that is there, and of a new response to its design.
//! Run with `cargo bench -p mixedmodels --bench fit`.

mod designs;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use designs::Shape;
use mixedmodels::fit::{Estimates, Fit, Linear, MixedModel, Task};
use mixedmodels::model::Model;
use mixedmodels::objective::Criterion;
use mixedmodels::optimize::Control;

/// In the shapes of well-known data sets.
const SHAPES: [Shape; 3] = [
    Shape {
        name: "like Dyestuff2 (singular)",
        rows: 30,
        factors: &[(6, 1)],
        effects: 0.0,
    },
    Shape {
        name: "like sleepstudy",
        rows: 180,
        factors: &[(18, 2)],
        effects: 1.0,
    },
    Shape {
        name: "like Penicillin",
        rows: 144,
        factors: &[(24, 1), (6, 1)],
        effects: 1.5,
    },
];
const CONTROL: Control = Control {
    max_evaluations: Some(1000),
    ..Control::UNLIMITED
};

fn reml(model: &Model) -> Fit<Estimates> {
    let linear = Linear {
        model,
        criterion: Criterion::Reml,
    };
    let task = Task {
        control: CONTROL,
        ..Task::default()
    };
    linear.fit(&task, &|_| Ok(())).expect("a fit")
}

fn fits(bench: &mut Bench) {
    for shape in &SHAPES {
        let name = shape.name;
        let design = shape.design();
        let y = design.y.clone();
        let model = Model::new(design).expect("a valid design");
        let evaluations = reml(&model).outcome.log.entries.len();
        println!("{name}: {evaluations} evaluations");
        bench.bench_function(&format!("{name}/fit"), |b| b.iter(|| reml(&model)));
        bench.bench_function(&format!("{name}/refit"), |b| {
            b.iter(|| reml(&model.with_response(y.clone()).expect("a valid response")));
        });
    }
}

criterion_group!(benches, fits);
criterion_main!(benches);
