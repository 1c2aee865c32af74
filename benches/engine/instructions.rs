//! One evaluation of one structure, for `benches/instructions` to count its instructions. Without an
//! argument: the names of the structures, one a line.

mod designs;
mod generalized;
mod structures;

use generalized::{Generalized, Steps, GENERALIZED};
use mixedmodels::model::Model;
use mixedmodels::objective::{Criterion, LmmObjective, Objective};
use mixedmodels::parameters::Coordinates;
use structures::{Points, STRUCTURES};

fn main() {
    let linear = STRUCTURES.iter();
    let mut generalized = GENERALIZED.iter();
    let Some(name) = std::env::args().nth(1) else {
        let shapes = linear.chain(generalized.map(|g| &g.shape));
        shapes.for_each(|shape| println!("{}", shape.name));
        return;
    };
    match linear.clone().find(|shape| shape.name == name) {
        Some(shape) => evaluate_linear(&Model::new(shape.design()).expect("a valid design")),
        None => evaluate_generalized(
            generalized
                .find(|g| g.shape.name == name)
                .expect("the name of a structure"),
        ),
    }
}

fn evaluate_linear(model: &Model) {
    let coordinates = Coordinates::engine(&model.design.terms);
    let monitor = |_| Ok(());
    let mut objective =
        LmmObjective::new(model, Criterion::Reml, coordinates, &monitor).expect("memory");
    let mut points = Points::of(model);
    evaluate(&mut objective, || points.next().to_vec());
}

fn evaluate_generalized(generalized: &Generalized) {
    let model = generalized.model();
    let monitor = |_| Ok(());
    let mut objective = generalized::objective(&model, &monitor);
    let mut steps = Steps::of(&model);
    evaluate(&mut objective, || steps.next().to_vec());
}

fn evaluate(objective: &mut dyn Objective, mut point: impl FnMut() -> Vec<f64>) {
    // What a first evaluation sets up is not counted.
    objective.value(&point()).expect("memory");
    objective.derivatives().expect("memory");
    value_alone(objective, &point());
    value_with_derivatives(objective, &point());
}

/// Callgrind finds this function and the next by their names.
#[inline(never)]
fn value_alone(objective: &mut dyn Objective, point: &[f64]) {
    let value = objective.value(point).expect("memory");
    assert!(value.is_some(), "computable");
}

#[inline(never)]
fn value_with_derivatives(objective: &mut dyn Objective, point: &[f64]) {
    let value = objective.value(point).expect("memory");
    assert!(value.is_some(), "computable");
    objective.derivatives().expect("memory");
}
