//! The generalized models that evaluations and fits are measured on: whether the response of a shape
//! is positive, by the logistic model.

use std::sync::Arc;

use mixedmodels::family::{family, Family, Information};
use mixedmodels::model::{Approximation, GeneralizedModel};
use mixedmodels::objective::{GlmmObjective, Monitor};
use mixedmodels::parameters::{AffineVector, Coordinates, ParameterVector};

use crate::designs::Shape;
use crate::structures::start;

pub struct Generalized {
    pub shape: Shape,
    pub approximation: Approximation,
}

/// In the shapes of Contraception, VerbAgg and InstEval.
pub const GENERALIZED: [Generalized; 5] = [
    Generalized {
        shape: Shape {
            name: "binary, one scalar factor, 60 levels",
            rows: 1934,
            factors: &[(60, 1)],
            effects: 1.0,
        },
        approximation: Approximation::Laplace,
    },
    Generalized {
        shape: Shape {
            name: "binary, one scalar factor, 9 points",
            rows: 1934,
            factors: &[(60, 1)],
            effects: 1.0,
        },
        approximation: Approximation::Quadrature(9),
    },
    Generalized {
        shape: Shape {
            name: "binary, one vector factor, 60 levels",
            rows: 1934,
            factors: &[(60, 2)],
            effects: 1.0,
        },
        approximation: Approximation::Laplace,
    },
    Generalized {
        shape: Shape {
            name: "binary, crossed, 316 x 24",
            rows: 7584,
            factors: &[(316, 1), (24, 1)],
            effects: 1.0,
        },
        approximation: Approximation::Laplace,
    },
    Generalized {
        shape: Shape {
            name: "binary, crossed, 3000 x 1100",
            rows: 73_000,
            factors: &[(3000, 1), (1100, 1)],
            effects: 1.0,
        },
        approximation: Approximation::Laplace,
    },
];

impl Generalized {
    pub fn model(&self) -> GeneralizedModel {
        let (y, predictors) = self.shape.design().split();
        let positive = y.iter().map(|&y| f64::from(y > 0.0)).collect();
        let binomial = family("binomial", "logit", positive, None, None).expect("a valid response");
        let binomial: Arc<dyn Family> = binomial.into();
        let (approximation, observed) = (self.approximation, Information::Observed);
        GeneralizedModel::new(predictors, binomial, approximation, observed).expect("a valid model")
    }
}

/// The objective in theta and the coefficients.
pub fn objective<'a>(model: &'a GeneralizedModel, monitor: Monitor<'a>) -> GlmmObjective<'a> {
    let rank = model.rank();
    let parameters = ParameterVector {
        theta: Coordinates::engine(&model.frame().design.terms).into(),
        fixed: Some(AffineVector::identity(rank)),
        dispersion: None,
    };
    GlmmObjective::new(model, parameters, vec![0.0; rank], monitor).expect("memory")
}

/// Two points in turn, a step of an optimizer apart: the search for the conditional modes begins at those
/// of the last point.
pub struct Steps([Vec<f64>; 2]);

impl Steps {
    pub fn of(model: &GeneralizedModel) -> Self {
        let theta = Coordinates::engine(&model.frame().design.terms);
        let mut values = start(&theta);
        values.resize(theta.dim + model.rank(), 0.0);
        let mut other = values.clone();
        other[0] += 0.05;
        Self([values, other])
    }

    pub fn next(&mut self) -> &[f64] {
        self.0.swap(0, 1);
        &self.0[0]
    }
}
