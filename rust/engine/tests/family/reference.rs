//! Every family and link against `reference.csv`: mpmath, written by `reference.py`.

use crate::{dispersion_slopes, evaluate, one_row};
use mixedmodels::family::{Information, FAMILIES};

struct Case {
    name: String,
    link: String,
    y: f64,
    weight: f64,
    dispersion: Option<f64>,
    eta: f64,
    /// In the order of the columns.
    expected: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let number = |field: &str| field.parse().expect("a number");
    let lines = include_str!("reference.csv").lines().skip(1);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let given = fields[6..].iter().filter(|field| !field.is_empty());
            Case {
                name: fields[0].to_owned(),
                link: fields[1].to_owned(),
                y: number(fields[2]),
                weight: number(fields[3]),
                dispersion: fields[4].parse().ok(),
                eta: number(fields[5]),
                expected: given.map(|field| number(field)).collect(),
            }
        })
        .collect()
}

fn found(case: &Case) -> Vec<f64> {
    let family = one_row(&case.name, &case.link, case.y, case.weight);
    let log_dispersion = case.dispersion.map_or(0.0, f64::ln);
    let density = family.at(log_dispersion);
    let e = evaluate(density.as_ref(), 0, case.eta);
    let mut found = vec![
        e.log_density,
        e.score,
        e.observed,
        e.observed_slope,
        e.expected,
        e.expected_slope,
    ];
    if case.dispersion.is_some() {
        let slopes = |information| dispersion_slopes(density.as_ref(), information, 0, case.eta);
        found.extend(slopes(Information::Observed));
        found.push(slopes(Information::Expected)[2]);
    }
    found
}

const COLUMNS: [&str; 10] = [
    "l",
    "score",
    "observed",
    "observed_slope",
    "expected",
    "expected_slope",
    "l_d",
    "score_d",
    "observed_d",
    "expected_d",
];

/// What the cancellation between the terms of a density costs.
const TOLERANCE: f64 = 1e-11;

#[test]
fn densities_and_derivatives_agree_with_arbitrary_precision() {
    let mut wrong = Vec::new();
    for case in cases() {
        let columns = COLUMNS.iter().zip(&case.expected);
        for (found, (column, &expected)) in found(&case).into_iter().zip(columns) {
            // Terms of either sign may leave little of the slope of an information.
            let scale = match *column {
                "observed_slope" => expected.abs() + 0.1 * case.expected[2].abs(),
                _ => expected.abs(),
            };
            let agrees = (found - expected).abs() <= TOLERANCE * scale;
            if !agrees && !expected.is_nan() {
                let Case {
                    name,
                    link,
                    y,
                    weight,
                    dispersion,
                    eta,
                    ..
                } = &case;
                wrong.push(format!(
                    "{name} {link} y {y} w {weight} d {dispersion:?} eta {eta}: \
                     {column} {found:e}, not {expected:e}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_family_and_link_is_compared() {
    let cases = cases();
    for family in FAMILIES {
        for link in family.links {
            assert!(cases
                .iter()
                .any(|case| case.name == family.name && case.link == *link));
        }
    }
}
