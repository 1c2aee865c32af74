//! The structures that evaluations are measured on, and the points they are measured at.

use mixedmodels::model::Model;
use mixedmodels::parameters::Coordinates;

use crate::designs::Shape;

pub const STRUCTURES: [Shape; 6] = [
    Shape {
        name: "one scalar factor, 6 levels",
        rows: 30,
        factors: &[(6, 1)],
        effects: 1.0,
    },
    Shape {
        name: "one vector factor, 18 levels",
        rows: 180,
        factors: &[(18, 2)],
        effects: 1.0,
    },
    Shape {
        name: "one vector factor, 10,000 levels",
        rows: 100_000,
        factors: &[(10_000, 2)],
        effects: 1.0,
    },
    Shape {
        name: "crossed vectors, 60 x 40",
        rows: 9600,
        factors: &[(60, 4), (40, 4)],
        effects: 1.0,
    },
    Shape {
        name: "crossed, 3000 x 1100 x 28",
        rows: 73_000,
        factors: &[(3000, 1), (1100, 1), (28, 1)],
        effects: 1.0,
    },
    Shape {
        name: "sparsely crossed, 6000 x 5000 x 3000",
        rows: 9000,
        factors: &[(6000, 1), (5000, 1), (3000, 1)],
        effects: 1.0,
    },
];

/// A new point every time: an objective remembers the last one.
pub struct Points(Vec<f64>);

impl Points {
    pub fn of(model: &Model) -> Self {
        Self(start(&Coordinates::engine(&model.design.terms)))
    }

    pub fn next(&mut self) -> &[f64] {
        self.0[0] = 1.3 - self.0[0] * 0.9;
        &self.0
    }
}

/// Factors with 0.7 on the diagonal and 0.1 below.
pub fn start(coordinates: &Coordinates) -> Vec<f64> {
    let theta = coordinates.isotropic(|_| 0.7).into_iter();
    theta.map(|t| if t == 0.0 { 0.1 } else { t }).collect()
}
