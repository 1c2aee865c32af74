//! One evaluation of one structure, for `benches/instructions` to count its instructions. Without an
//! argument: the names of the structures, one a line.

mod designs;
mod structures;

use mixedmodels::design::Model;
use mixedmodels::objective::{Coordinates, Criterion, LmmObjective, Objective};
use structures::{Points, STRUCTURES};

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        STRUCTURES
            .iter()
            .for_each(|shape| println!("{}", shape.name));
        return;
    };
    let shape = STRUCTURES.iter().find(|shape| shape.name == name);
    let design = shape.expect("the name of a structure").design();
    let model = Model::new(design).expect("a valid design");
    let coordinates = Coordinates::engine(&model.design.terms);
    let monitor = |_| Ok(());
    let mut objective =
        LmmObjective::new(&model, Criterion::Reml, coordinates, &monitor).expect("memory");
    let mut points = Points::of(&model);
    // What a first evaluation sets up is not counted.
    objective.value(points.next()).expect("memory");
    objective.derivatives().expect("memory");
    value_alone(&mut objective, points.next());
    value_with_derivatives(&mut objective, points.next());
}

/// Callgrind finds this function and the next by their names.
#[inline(never)]
fn value_alone(objective: &mut dyn Objective, theta: &[f64]) {
    let value = objective.value(theta).expect("memory");
    assert!(value.is_some(), "computable");
}

#[inline(never)]
fn value_with_derivatives(objective: &mut dyn Objective, theta: &[f64]) {
    let value = objective.value(theta).expect("memory");
    assert!(value.is_some(), "computable");
    objective.derivatives().expect("memory");
}
