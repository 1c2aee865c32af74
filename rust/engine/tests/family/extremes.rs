//! Far out, and what holds of a family whatever its numbers.

use crate::{dispersion_slopes, evaluate, one_row};
use mixedmodels::family::{family, Information, FAMILIES};

/// Every family with every link.
pub fn each(mut work: impl FnMut(&str, &str)) {
    for family in FAMILIES {
        family.links.iter().for_each(|link| work(family.name, link));
    }
}

fn responses(name: &str) -> &'static [(f64, f64)] {
    match name {
        "binomial" => &[(0.0, 1.0), (1.0, 1.0), (2.0, 5.0), (1e6, 1e6)],
        "beta" => &[(0.3, 1.0), (1e-300, 2.0)],
        "gaussian" => &[(0.0, 1.0), (-3.0, 0.5), (1e5, 1.0)],
        "gamma" | "inverse_gaussian" | "lognormal" => &[(0.3, 1.0), (1e5, 0.5)],
        _ => &[(0.0, 1.0), (1.0, 2.0), (40.0, 1.0), (1e9, 1.0)],
    }
}

#[test]
fn nothing_is_nan_however_far_out() {
    let sizes = [
        0.0,
        1e-300,
        1e-30,
        1.0,
        37.0,
        700.0,
        750.0,
        1e3,
        1e30,
        1e300,
        f64::INFINITY,
    ];
    let etas = sizes.iter().flat_map(|&size| [size, -size]);
    let etas: Vec<f64> = etas.chain([f64::NAN]).collect();
    each(|name, link| {
        for &(y, weight) in responses(name) {
            let family = one_row(name, link, y, weight);
            for log_dispersion in [-300.0, -20.0, 0.0, 20.0, 300.0] {
                let density = family.at(log_dispersion);
                for &eta in &etas {
                    let e = evaluate(density.as_ref(), 0, eta);
                    let place =
                        format!("{name} {link} y {y} log d {log_dispersion} eta {eta}: {e:?}");
                    assert!(e.log_density < f64::INFINITY, "{place}");
                    let rest = [
                        e.score,
                        e.observed,
                        e.observed_slope,
                        e.expected,
                        e.expected_slope,
                    ];
                    assert!(rest.iter().all(|v| v.is_finite()), "{place}");
                    for information in [Information::Observed, Information::Expected] {
                        let slopes = dispersion_slopes(density.as_ref(), information, 0, eta);
                        assert!(slopes.iter().all(|v| v.is_finite()), "{place} {slopes:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn linear_predictors_outside_the_domain_are_impossible() {
    let outside = [
        ("binomial", "log", 1.0, 1e-9),
        ("poisson", "identity", 0.0, -1e-9),
        ("gaussian", "inverse", 1.0, -2.0),
        ("gamma", "inverse", 1.0, 0.0),
        ("gamma", "identity", 1.0, -3.0),
        ("inverse_gaussian", "1/mu^2", 1.0, -0.5),
        ("nbinom2", "identity", 0.0, -0.5),
        ("poisson", "sqrt", 1.0, 0.0),
    ];
    for (name, link, y, eta) in outside {
        let family = one_row(name, link, y, 1.0);
        let e = evaluate(family.at(0.3).as_ref(), 0, eta);
        assert_eq!(e.log_density, f64::NEG_INFINITY, "{name} {link}");
    }
}

#[test]
fn the_edge_of_a_domain_belongs_to_it_where_the_response_is_certain() {
    let certain = [
        ("binomial", "log", 1.0, [0.0, 1.0, 0.0]),
        ("poisson", "sqrt", 0.0, [0.0, 0.0, 2.0]),
        ("nbinom2", "sqrt", 0.0, [0.0, 0.0, 2.0]),
    ];
    for (name, link, y, expected) in certain {
        let family = one_row(name, link, y, 1.0);
        let e = evaluate(family.at(0.3).as_ref(), 0, 0.0);
        assert_eq!(
            [e.log_density, e.score, e.observed],
            expected,
            "{name} {link}"
        );
    }
}

#[test]
fn starts_are_inside_the_domain_and_moderate() {
    each(|name, link| {
        let (y, weights) = responses(name).iter().copied().unzip();
        let family = family(name, link, y, Some(weights), None).expect("a valid response");
        let eta = family.start();
        assert_eq!(eta.len(), family.n_obs());
        let log_dispersion = family.dispersion_start(&eta);
        assert!(
            log_dispersion.abs() < 30.0,
            "{name} {link} {log_dispersion}"
        );
        let density = family.at(log_dispersion);
        for (row, &eta) in eta.iter().enumerate() {
            let e = evaluate(density.as_ref(), row, eta);
            assert!(e.log_density.is_finite(), "{name} {link} {row} {eta}");
            assert!(
                e.expected > 0.0 || !family.has_expected(),
                "{name} {link} {row}"
            );
        }
    });
}

#[test]
fn a_dispersion_can_be_held_fixed() {
    let free = family("gamma", "log", vec![0.7], None, None).expect("a valid response");
    let fixed = family("gamma", "log", vec![0.7], None, Some(0.4)).expect("a valid response");
    assert!(free.has_dispersion() && !fixed.has_dispersion());
    let expected = evaluate(free.at(0.4_f64.ln()).as_ref(), 0, 0.2);
    assert_eq!(evaluate(fixed.at(5.0).as_ref(), 0, 0.2), expected);
    assert_eq!(fixed.dispersion_start(&[0.2]), 0.4_f64.ln());
}

#[test]
fn rows_are_those_of_their_place() {
    each(|name, link| {
        let (y, weights): (Vec<f64>, Vec<f64>) =
            responses(name).iter().cycle().take(11).copied().unzip();
        let together = family(name, link, y.clone(), Some(weights.clone()), None).expect("valid");
        let eta = together.start();
        let density = together.at(0.1);
        let (mut score, mut observed) = (vec![0.0; 9], vec![0.0; 9]);
        let sum = density.working(2, &eta[2..], &mut score, &mut observed);
        let mut alone = 0.0;
        for row in 2..11 {
            let family = one_row(name, link, y[row], weights[row]);
            let e = evaluate(family.at(0.1).as_ref(), 0, eta[row]);
            assert_eq!(
                [e.score, e.observed],
                [score[row - 2], observed[row - 2]],
                "{name} {link}"
            );
            alone += e.log_density;
        }
        assert!((sum - alone).abs() <= 1e-13 * alone.abs(), "{name} {link}");
    });
}
