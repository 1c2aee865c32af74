//! Every block structure against the dense reference, in both layouts, at arbitrary and at singular theta.

mod common;

use common::{dense, design, linear, random_theta, Grouping, TermSpec, D, U};
use mixedmodels::design::Design;
use mixedmodels::fit::{MixedModel, Point};
use mixedmodels::model::Model;
use mixedmodels::objective::{Criterion, LmmObjective, Monitor, Objective};
use mixedmodels::parameters::Coordinates;
use mixedmodels::products::Layout;

const GO: Monitor<'static> = &|_| Ok(());

fn structures() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Within};
    let mut all = common::structures();
    all.extend([
        (
            "three crossed factors",
            90,
            vec![(Random(30), 1, U), (Random(20), 1, U), (Random(3), 2, U)],
        ),
        (
            "nested three deep and crossed twice",
            100,
            vec![
                (Random(3), 1, U),
                (Within(0, 3), 2, U),
                (Within(1, 2), 1, U),
                (Random(12), 1, U),
                (Random(5), 2, D),
            ],
        ),
        (
            "crossed five times",
            60,
            vec![
                (Random(30), 1, U),
                (Random(25), 1, U),
                (Random(20), 2, U),
                (Random(12), 1, U),
                (Random(3), 1, U),
            ],
        ),
    ]);
    all.extend(common::structured());
    all
}

fn close(name: &str, a: f64, b: f64, tolerance: f64) {
    let error = (a - b).abs() / b.abs().max(1.0);
    assert!(
        error < tolerance,
        "{name}: {a} against {b}, error {error:e}"
    );
}

/// Every structure with and without weights, at a regular and at a singular theta.
fn each_design(check: impl Fn(&str, &Design, &[f64])) {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        for weighted in [false, true] {
            let design = design(s as u64 + 1, n, 3, &terms, weighted);
            for singular in [false, true] {
                let theta = random_theta(&design, s as u64 + 100, singular);
                let name = format!("{name}, weights {weighted}, singular {singular}");
                check(&name, &design, &theta);
            }
        }
    }
}

fn each_case(check: impl Fn(&str, &Design, &Model, &[f64], Criterion)) {
    each_design(|name, design, theta| {
        for layout in [Layout::Blocked, Layout::Sparse] {
            let model = Model::with_layout(design.clone(), layout).expect("a valid design");
            for criterion in [Criterion::Ml, Criterion::Reml] {
                let name = format!("{name}, {layout:?}, {criterion:?}");
                check(&name, design, &model, theta, criterion);
            }
        }
    });
}

#[test]
fn estimates_agree_at_any_theta() {
    each_case(|name, design, model, theta, criterion| {
        let ours = linear(model, criterion)
            .evaluate(&Point::of_theta(theta), GO)
            .expect("computable");
        let reference = dense(design, theta, criterion);
        close(name, ours.objective, reference.objective, 1e-11);
        close(name, ours.sigma.powi(2), reference.sigma2, 1e-10);
        for (a, b) in ours.beta.iter().zip(&reference.beta) {
            close(name, *a, *b, 1e-10);
        }
        for (a, b) in ours.b.iter().flatten().zip(reference.b.iter().flatten()) {
            close(name, *a, *b, 1e-9);
        }
    });
}

#[test]
fn the_gradient_is_that_of_the_dense_objective() {
    each_case(|name, design, model, theta, criterion| {
        let ours = linear(model, criterion)
            .gradient(&Point::of_theta(theta), GO)
            .expect("computable");
        for (i, g) in ours.iter().enumerate() {
            let at = |h: f64| {
                let mut moved = theta.to_vec();
                moved[i] += h;
                dense(design, &moved, criterion).objective
            };
            let h = 1e-3;
            let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            close(&format!("{name}, parameter {i}"), *g, difference, 2e-7);
        }
    });
}

/// What the dense reference does not compute: the layouts must agree on it.
#[test]
fn layouts_agree_on_information_and_covariances() {
    each_design(|name, design, theta| {
        let models = [Layout::Blocked, Layout::Sparse]
            .map(|layout| Model::with_layout(design.clone(), layout).expect("a valid design"));
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let [blocked, sparse] = models.each_ref().map(|model| {
                let coordinates = Coordinates::user(&model.design.terms, &model.terms);
                let mut objective =
                    LmmObjective::new(model, criterion, coordinates, GO).expect("memory");
                objective.value(theta).expect("computable");
                let derivatives = objective.derivatives().expect("computable");
                let estimates = linear(model, criterion)
                    .evaluate(&Point::of_theta(theta), GO)
                    .expect("computable");
                [
                    derivatives.information.data().to_vec(),
                    derivatives.curvature.data().to_vec(),
                    estimates.unscaled_covariance.data().to_vec(),
                ]
                .concat()
            });
            assert_eq!(blocked.len(), sparse.len());
            for (a, b) in sparse.iter().zip(&blocked) {
                close(name, *a, *b, 1e-8);
            }
        }
        let [blocked, sparse] = models.each_ref().map(|model| {
            let blocks = linear(model, Criterion::Ml)
                .conditional_variances(&Point::of_theta(theta), GO)
                .expect("computable");
            let mut values = Vec::new();
            blocks
                .iter()
                .for_each(|b| values.extend_from_slice(&b.values));
            values
        });
        assert_eq!(blocked.len(), sparse.len());
        for (a, b) in sparse.iter().zip(&blocked) {
            close(name, *a, *b, 1e-9);
        }
    });
}
