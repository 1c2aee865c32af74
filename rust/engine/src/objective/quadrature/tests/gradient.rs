//! The gradient against differences of the value, the modes found anew each time.

use super::super::{gradient, value, Gradient, Rule};
use super::densities::Kind;
use super::example::{Example, Random};
use crate::family::Information::{Expected, Observed};

/// Central differences of the eighth order.
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 0.02;
    let terms = [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0];
    let differences = terms.iter().enumerate().map(|(i, c)| {
        let h = STEP * (i + 1) as f64;
        c * (f(h) - f(-h))
    });
    differences.sum::<f64>() / STEP
}

fn analytic(example: &Example, n_nodes: usize) -> Gradient {
    let (density, u) = (example.density(), example.modes());
    let point = example.point(&density, &u);
    let value = value(&Rule::new(n_nodes), &point).unwrap().unwrap();
    gradient(&value, &point).unwrap()
}

/// Largest error relative to the largest slope.
fn error(example: &Example, n_nodes: usize) -> f64 {
    let ours = analytic(example, n_nodes);
    let along = |change: &dyn Fn(&mut Example, f64)| {
        slope(|h| {
            let mut moved = example.clone();
            change(&mut moved, h);
            moved.objective(n_nodes)
        })
    };
    let mut pairs = vec![(ours.dispersion, along(&|e, h| e.rho += h))];
    for (i, &g) in ours.lambda.iter().enumerate() {
        pairs.push((g, along(&|e, h| e.lambda[i] += h)));
    }
    for row in (0..example.fixed.len()).step_by(5) {
        pairs.push((ours.eta[row], along(&|e, h| e.fixed[row] += h)));
    }
    let mut random = Random(11);
    let direction: Vec<f64> = ours.eta.iter().map(|_| random.uniform() - 0.3).collect();
    let move_all = |e: &mut Example, h: f64| {
        for (fixed, d) in e.fixed.iter_mut().zip(&direction) {
            *fixed += h * d;
        }
    };
    let inner = ours.eta.iter().zip(&direction).map(|(g, d)| g * d).sum();
    pairs.push((inner, along(&move_all)));
    let largest = pairs.iter().fold(0.0_f64, |m, (g, _)| m.max(g.abs()));
    let errors = pairs.iter().map(|(g, d)| (g - d).abs() / largest);
    // A sum, so that NaN is not lost.
    errors.sum()
}

fn check(kind: Kind, k: usize, nodes: &[usize]) {
    for information in [Observed, Expected] {
        let example = Example::new(kind, information, k);
        for &n in nodes {
            let error = error(&example, n);
            assert!(error < 1e-9, "{kind:?} {information:?} {k} {n}: {error:e}");
        }
    }
}

#[test]
fn logit() {
    check(Kind::Logit, 1, &[1, 2, 5, 9, 25]);
    check(Kind::Logit, 2, &[1, 2, 5, 9]);
    check(Kind::Logit, 3, &[1, 2, 5]);
}

#[test]
fn probit() {
    check(Kind::Probit, 1, &[1, 2, 5, 9, 25]);
    check(Kind::Probit, 2, &[1, 2, 5]);
}

#[test]
fn cloglog() {
    check(Kind::Cloglog, 1, &[1, 2, 5, 9, 25]);
    check(Kind::Cloglog, 2, &[1, 2, 5]);
}

#[test]
fn poisson() {
    check(Kind::Poisson, 1, &[1, 2, 5, 9, 25]);
    check(Kind::Poisson, 2, &[1, 2, 5, 9]);
    check(Kind::Poisson, 3, &[1, 2, 5]);
}

#[test]
fn gamma() {
    check(Kind::Gamma, 1, &[1, 2, 5, 9, 25]);
    check(Kind::Gamma, 2, &[1, 2, 5]);
    check(Kind::Gamma, 3, &[1, 2]);
}

#[test]
fn negative_binomial() {
    check(Kind::NegativeBinomial, 1, &[1, 2, 5, 9, 25]);
    check(Kind::NegativeBinomial, 2, &[1, 2, 5]);
    check(Kind::NegativeBinomial, 3, &[1, 2]);
}

#[test]
fn singular_covariance_factors() {
    let mut example = Example::new(Kind::Gamma, Expected, 2);
    for lambda in [[0.0; 4], [0.8, 0.0, 0.0, 0.0], [0.5, -0.3, 1.0, -0.6]] {
        example.lambda.copy_from_slice(&lambda);
        for n in [1, 5] {
            let error = error(&example, n);
            assert!(error < 1e-9, "{lambda:?} {n}: {error:e}");
        }
    }
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let example = Example::with_rows(Kind::Poisson, Observed, 2, 1500, 150);
    let (sorted, order) = example.sorted();
    let (ours, other) = (analytic(&example, 10), analytic(&sorted, 10));
    for (a, b) in ours.lambda.iter().zip(&other.lambda) {
        assert!((a - b).abs() < 1e-10 * a.abs());
    }
    for (place, &row) in order.iter().enumerate() {
        assert!((ours.eta[row] - other.eta[place]).abs() < 1e-12);
    }
}

#[test]
fn the_point_of_another_model_is_an_error() {
    let example = Example::new(Kind::Logit, Observed, 1);
    let value = example.value(3).unwrap();
    let other = Example::with_rows(Kind::Logit, Observed, 1, 30, 5);
    let (density, u) = (other.density(), other.modes());
    assert!(gradient(&value, &other.point(&density, &u)).is_err());
}
