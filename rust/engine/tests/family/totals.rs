//! Densities add up to one, scores to nothing, and the information is the mean of that observed.

use crate::extremes::each;
use crate::{evaluate, one_row, Evaluated};
use mixedmodels::family::family;

/// Means over the distribution of the response at this linear predictor and dispersion.
#[derive(Debug)]
struct Means {
    total: f64,
    score: f64,
    observed: f64,
}

fn means(points: impl Iterator<Item = (f64, Evaluated)>) -> Means {
    let mut means = Means {
        total: 0.0,
        score: 0.0,
        observed: 0.0,
    };
    for (volume, e) in points {
        let p = volume * e.log_density.exp();
        means.total += p;
        means.score += p * e.score;
        means.observed += p * e.observed;
    }
    means
}

/// Responses with the volume of each: all counts that matter, or a trapezoidal rule over a
/// transformation of the line, exact to rounding for densities as smooth as these.
fn points(name: &str, trials: f64) -> Vec<(f64, f64)> {
    let line = (-10_000..=10_000).map(|i| f64::from(i) / 200.0);
    match name {
        "binomial" => (0..=trials as u32).map(|y| (f64::from(y), 1.0)).collect(),
        "gaussian" => line.map(|x| (x, 0.005)).collect(),
        "gamma" | "inverse_gaussian" | "lognormal" => {
            line.map(|x| (x.exp(), 0.005 * x.exp())).collect()
        }
        "beta" => line
            .map(|x| 1.0 / (1.0 + (-x).exp()))
            .filter(|&y| y < 1.0)
            .map(|y| (y, 0.005 * y * (1.0 - y)))
            .collect(),
        _ => (0..3000).map(|y| (f64::from(y), 1.0)).collect(),
    }
}

fn dispersions(name: &str) -> [f64; 3] {
    match name {
        // Smaller precisions have poles at 0 and 1 that the rule does not reach.
        "beta" => [9.0, 30.0, 200.0],
        _ => [0.2, 1.0, 2.0],
    }
}

#[test]
fn densities_add_up_and_information_is_the_mean_of_the_observed() {
    each(|name, link| {
        let trials = 9.0;
        let weight = if name == "binomial" { trials } else { 1.0 };
        let etas = if (name, link) == ("binomial", "log") {
            [-2.0, -0.7, -0.05]
        } else {
            [0.3, 0.9, 1.7]
        };
        let (y, volumes): (Vec<f64>, Vec<f64>) = points(name, trials).into_iter().unzip();
        let weights = Some(vec![weight; y.len()]);
        let family = family(name, link, y, weights, None).expect("valid responses");
        for eta in etas {
            for d in dispersions(name) {
                let density = family.at(d.ln());
                let rows = volumes.iter().enumerate();
                let means = means(
                    rows.map(|(row, &volume)| (volume, evaluate(density.as_ref(), row, eta))),
                );
                let expected = evaluate(density.as_ref(), 0, eta).expected;
                let place = format!("{name} {link} eta {eta} d {d} {means:?}");
                assert!((means.total - 1.0).abs() < 1e-10, "{place}");
                assert!(means.score.abs() < 1e-9 * (1.0 + means.observed), "{place}");
                if family.has_expected() {
                    let error = (means.observed - expected).abs();
                    assert!(error < 1e-9 * expected, "{place} {expected}");
                }
            }
        }
    });
}

#[test]
fn canonical_links_have_one_information() {
    let canonical = [
        ("binomial", "logit"),
        ("poisson", "log"),
        ("gaussian", "identity"),
        ("gamma", "inverse"),
        ("inverse_gaussian", "1/mu^2"),
        ("lognormal", "log"),
    ];
    each(|name, link| {
        let y = if name == "beta" { 0.3 } else { 2.0 };
        let family = one_row(name, link, y, 3.0);
        let found = canonical.contains(&(name, link));
        assert_eq!(family.is_canonical(), found, "{name} {link}");
        let eta = if name == "binomial" { -0.4 } else { 0.4 };
        let e = evaluate(family.at(-0.5).as_ref(), 0, eta);
        let same = (e.observed - e.expected).abs() <= 1e-12 * e.expected.abs();
        assert!(
            same == found || !family.has_expected(),
            "{name} {link} {e:?}"
        );
    });
}
