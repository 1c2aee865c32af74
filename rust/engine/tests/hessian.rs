//! The exact Hessian against differences of the exact gradient, over every block structure.

mod common;

use common::{design, linear, random_theta, scaled_theta, Grouping, TermSpec, D, U};
use mixedmodels::design::Design;
use mixedmodels::fit::{MixedModel, Point};
use mixedmodels::linalg::Matrix;
use mixedmodels::model::Model;
use mixedmodels::objective::{Criterion, Monitor};
use mixedmodels::products::Layout;
use mixedmodels::Error;
use proptest::prelude::*;

const GO: Monitor<'static> = &|_| Ok(());

fn structures() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    let mut all = common::structures();
    all.extend([
        (
            "three crossed factors, two terms of the last",
            90,
            vec![
                (Random(30), 1, U),
                (Random(20), 1, U),
                (Random(3), 2, U),
                (Same(2), 1, U),
            ],
        ),
        (
            "nested three deep and crossed twice",
            100,
            vec![
                (Random(3), 2, U),
                (Within(0, 3), 2, U),
                (Within(1, 2), 1, U),
                (Random(12), 1, U),
                (Random(5), 2, D),
            ],
        ),
    ]);
    all.extend(common::structured());
    all
}

/// By both ways to eliminate.
fn models(design: &Design) -> [(Layout, Model); 2] {
    [Layout::Blocked, Layout::Sparse].map(|layout| {
        let model = Model::with_layout(design.clone(), layout);
        (layout, model.expect("a valid design"))
    })
}

/// Differences of the gradient at three distances, extrapolated: the error is of the sixth order.
fn by_differences(model: &Model, criterion: Criterion, theta: &[f64]) -> Matrix {
    let n = theta.len();
    let mut out = Matrix::zeros(n, n, "the Hessian").expect("memory");
    for j in 0..n {
        let step = 2e-3 * theta[j].abs().max(1.0);
        let slope = |h: f64| -> Vec<f64> {
            let gradient = |h: f64| {
                let mut moved = theta.to_vec();
                moved[j] += h;
                linear(model, criterion)
                    .gradient(&Point::of_theta(&moved), GO)
                    .expect("computable")
            };
            let (up, down) = (gradient(h), gradient(-h));
            let pairs = up.iter().zip(&down);
            pairs.map(|(u, d)| (u - d) / (2.0 * h)).collect()
        };
        let (first, second, third) = (slope(step), slope(2.0 * step), slope(3.0 * step));
        for i in 0..n {
            out[(i, j)] = 1.5 * first[i] - 0.6 * second[i] + 0.1 * third[i];
        }
    }
    out
}

fn largest(matrix: &Matrix) -> f64 {
    matrix.data().iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

fn assert_close(name: &str, ours: &Matrix, reference: &Matrix, tolerance: f64) {
    let scale = largest(reference);
    for (i, (a, b)) in ours.data().iter().zip(reference.data()).enumerate() {
        let error = (a - b).abs() / scale;
        assert!(
            error < tolerance,
            "{name}: entry {i} is {a}, not {b}; error {error:e}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_is_the_derivative_of_the_gradient(
        seed in 0_u64..10_000,
        which in 0_usize..19,
        weighted in any::<bool>(),
        singular in any::<bool>(),
        reml in any::<bool>(),
        sparse in any::<bool>(),
    ) {
        let (name, n, terms) = structures().swap_remove(which);
        let design = design(seed, n, 3, &terms, weighted);
        let layout = if sparse { Layout::Sparse } else { Layout::Blocked };
        let model = Model::with_layout(design.clone(), layout).expect("a valid design");
        let theta = random_theta(&design, seed + 1, singular);
        let criterion = if reml { Criterion::Reml } else { Criterion::Ml };
        let ours = linear(&model, criterion).hessian(&Point::of_theta(&theta), GO).expect("computable");
        assert_close(name, &ours, &by_differences(&model, criterion, &theta), 1e-6);
    }
}

#[test]
fn every_structure_agrees() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let design = design(s as u64 + 1, n, 3, &terms, false);
        for (layout, model) in models(&design) {
            for singular in [false, true] {
                let theta = random_theta(&design, s as u64 + 100, singular);
                for criterion in [Criterion::Ml, Criterion::Reml] {
                    let name = format!("{name}, {layout:?}, singular {singular}, {criterion:?}");
                    let ours = linear(&model, criterion)
                        .hessian(&Point::of_theta(&theta), GO)
                        .expect("computable");
                    let reference = by_differences(&model, criterion, &theta);
                    assert_close(&name, &ours, &reference, 1e-6);
                }
            }
        }
    }
}

#[test]
fn large_and_small_theta_lose_no_digits() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let design = design(s as u64 + 1, n, 3, &terms, false);
        let models = models(&design);
        let each = models
            .iter()
            .flat_map(|m| [1e-4, 10.0].map(|scale| (m, scale)));
        for ((layout, model), scale) in each {
            for theta in [false, true].map(|singular| random_theta(&design, 7, singular)) {
                let theta = scaled_theta(&design, &theta, scale);
                let name = format!("{name}, {layout:?}, scale {scale}");
                let ours = linear(model, Criterion::Reml)
                    .hessian(&Point::of_theta(&theta), GO)
                    .expect("computable");
                let reference = by_differences(model, Criterion::Reml, &theta);
                assert_close(&name, &ours, &reference, 1e-6);
            }
        }
    }
}

#[test]
fn the_caller_can_stop_it_at_every_step() {
    let (_, n, terms) = structures().pop().expect("a structure");
    let design = design(1, n, 3, &terms, false);
    let model = Model::new(design.clone()).expect("a valid design");
    let theta = random_theta(&design, 2, false);
    let steps = std::cell::Cell::new(0);
    let count = |_| {
        steps.set(steps.get() + 1);
        Ok(())
    };
    linear(&model, Criterion::Reml)
        .hessian(&Point::of_theta(&theta), &count)
        .expect("computable");
    let total = steps.get();
    assert!(total > theta.len(), "{total} steps");
    for last in 0..total {
        steps.set(0);
        let stop = |_| {
            steps.set(steps.get() + 1);
            if steps.get() > last {
                return Err(Error::Interrupted);
            }
            Ok(())
        };
        let stopped = linear(&model, Criterion::Reml).hessian(&Point::of_theta(&theta), &stop);
        assert_eq!(stopped.err(), Some(Error::Interrupted));
    }
}
