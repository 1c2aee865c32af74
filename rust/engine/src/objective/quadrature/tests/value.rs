//! The value against integrals by brute force, Laplace's approximation, and itself.

use super::super::{value, Point, Rule};
use super::densities::Kind;
use super::example::Example;
use crate::error::Error;
use crate::family::Information::{Expected, Observed};
use crate::linalg::small;

const SMOOTH: [Kind; 6] = [
    Kind::Logit,
    Kind::Probit,
    Kind::Cloglog,
    Kind::Poisson,
    Kind::Gamma,
    Kind::NegativeBinomial,
];

#[test]
fn converges_to_the_integral() {
    for kind in SMOOTH {
        for information in [Observed, Expected] {
            let example = Example::new(kind, information, 1);
            let exact = example.integral(9.0, 0.02);
            let errors = [1, 3, 9, 25, 60].map(|n| (example.objective(n) - exact).abs());
            assert!(errors[2] < 1e-3 * errors[0], "{kind:?} {errors:?}");
            assert!(errors[4] < 1e-12 * exact.abs(), "{kind:?} {errors:?}");
        }
    }
}

#[test]
fn converges_to_the_integral_in_two_dimensions() {
    for kind in [Kind::Logit, Kind::Poisson, Kind::Gamma] {
        let example = Example::new(kind, Expected, 2);
        let exact = example.integral(7.5, 0.125);
        let errors = [1, 5, 25].map(|n| (example.objective(n) - exact).abs());
        assert!(errors[1] < 0.1 * errors[0], "{kind:?} {errors:?}");
        assert!(errors[2] < 1e-11 * exact.abs(), "{kind:?} {errors:?}");
    }
}

#[test]
fn one_node_is_the_laplace_approximation() {
    for kind in SMOOTH {
        for k in 1..=3 {
            let example = Example::new(kind, Observed, k);
            let mut laplace = 0.0;
            for level in example.levels() {
                let (half, _, mut m) = level.half_deviance(&level.mode());
                assert!(small::cholesky(&mut m, k));
                let log_det: f64 = (0..k).map(|i| 2.0 * m[i + i * k].ln()).sum();
                laplace += 2.0 * half + log_det;
            }
            let ours = example.objective(1);
            assert!((ours - laplace).abs() < 1e-13 * laplace.abs(), "{kind:?}");
        }
    }
}

#[test]
fn levels_without_rows_add_nothing() {
    let example = Example::new(Kind::Logit, Observed, 2);
    let mut more = example.clone();
    more.n_levels += 3;
    assert_eq!(more.objective(5), example.objective(5));
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let example = Example::with_rows(Kind::Logit, Observed, 1, 3000, 150);
    let (sorted, _) = example.sorted();
    // Few nodes are computed by one thread, many by all.
    for n_nodes in [9, 60] {
        let [ours, other] = [&example, &sorted].map(|e| e.objective(n_nodes));
        assert!((ours - other).abs() < 1e-12 * ours.abs());
        assert_eq!(sorted.objective(n_nodes), other);
    }
}

/// The largest terms come late where the nodes lie far from the mode, as they do for no caller.
#[test]
fn terms_in_any_order() {
    let mut example = Example::new(Kind::Logit, Observed, 1);
    example.lambda[0] = 0.5;
    let density = example.density();
    let far: Vec<f64> = example.modes().iter().map(|u| u + 3.0).collect();
    let ours = value(&Rule::new(90), &example.point(&density, &far)).unwrap();
    let (ours, exact) = (ours.unwrap().objective, example.objective(90));
    assert!((ours - exact).abs() < 1e-10 * exact.abs(), "{ours} {exact}");
}

#[test]
fn nodes_outside_the_domain_of_the_link_count_as_zero() {
    let mut example = Example::new(Kind::PoissonIdentity, Expected, 1);
    let exact = example.integral(9.0, 0.001);
    let error = (example.objective(60) - exact).abs();
    assert!(error < 1e-3 * exact.abs(), "{error:e}");
    example.fixed.iter_mut().for_each(|f| *f = -1.0);
    let (density, u) = (example.density(), vec![0.0; example.n_levels]);
    let outside = value(&Rule::new(9), &example.point(&density, &u)).unwrap();
    assert!(outside.is_none());
}

#[test]
fn what_is_not_positive_definite_is_no_value() {
    // With expected information the scale is positive definite, but there is no mode.
    for information in [Observed, Expected] {
        let exploding = Example::new(Kind::Exploding, information, 2);
        let (density, u) = (exploding.density(), vec![0.0; 2 * exploding.n_levels]);
        let indefinite = value(&Rule::new(5), &exploding.point(&density, &u)).unwrap();
        assert!(indefinite.is_none());
    }
}

#[test]
fn what_is_not_finite_is_no_value() {
    let example = Example::new(Kind::Poisson, Observed, 2);
    let (density, modes) = (example.density(), example.modes());
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        for place in 0..3 {
            let good = [&example.lambda, &example.fixed, &modes];
            let mut inputs = good.map(Clone::clone);
            inputs[place][0] = bad;
            let [lambda, fixed, u] = &inputs;
            let point = Point {
                lambda,
                fixed,
                ..example.point(&density, u)
            };
            assert!(value(&Rule::new(5), &point).unwrap().is_none());
        }
    }
}

#[test]
fn inputs_that_do_not_fit_are_errors() {
    let example = Example::new(Kind::Logit, Observed, 2);
    let (density, u) = (example.density(), example.modes());
    let good = example.point(&density, &u);
    let error = |point: Point<'_>| value(&Rule::new(3), &point).unwrap_err();
    let one = &[1.0][..];
    for (name, point) in [
        ("z", Point { z: one, ..good }),
        (
            "lambda",
            Point {
                lambda: one,
                ..good
            },
        ),
        ("fixed", Point { fixed: one, ..good }),
        ("u", Point { u: one, ..good }),
    ] {
        assert!(matches!(error(point), Error::Length { what, .. } if what == name));
    }
    let none = error(Point { k: 0, ..good }).to_string();
    assert!(none.contains("one random effect"), "{none}");
    let beyond = Point {
        n_levels: 4,
        u: &u[..8],
        ..good
    };
    let beyond = error(beyond).to_string();
    assert!(
        beyond.contains("has level 4, but there are 4 levels"),
        "{beyond}"
    );
    let mut rule = Rule::new(3);
    rule.log_weights.pop();
    assert!(value(&rule, &good).is_err());
}

#[test]
fn too_many_nodes_to_count_are_an_error() {
    let example = Example::new(Kind::Logit, Observed, 11);
    let (density, u) = (example.density(), vec![0.0; 11 * example.n_levels]);
    let error = value(&Rule::new(100), &example.point(&density, &u)).unwrap_err();
    assert!(error.to_string().contains("too many"));
}
