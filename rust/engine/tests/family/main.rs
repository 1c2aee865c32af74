//! Families: against numbers of arbitrary precision, and what must hold of any of them.

mod errors;
mod extremes;
mod reference;
mod totals;

use mixedmodels::family::{family, Density, DispersionSlopes, Family, Information};

/// All that a density says of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Evaluated {
    log_density: f64,
    score: f64,
    observed: f64,
    observed_slope: f64,
    expected: f64,
    expected_slope: f64,
}

fn evaluate(density: &dyn Density, row: usize, eta: f64) -> Evaluated {
    let mut e = Evaluated::default();
    let mut score = [0.0];
    density.scores(
        row,
        &[eta],
        std::slice::from_mut(&mut e.log_density),
        &mut score,
    );
    let sum = density.working(
        row,
        &[eta],
        std::slice::from_mut(&mut e.score),
        std::slice::from_mut(&mut e.observed),
    );
    assert!(
        sum == e.log_density || (sum - e.log_density).abs() <= 1e-14 * (1.0 + sum.abs()),
        "{sum} {e:?}"
    );
    assert!((score[0] - e.score).abs() <= 1e-15 * e.score.abs());
    density.expected(row, &[eta], std::slice::from_mut(&mut e.expected));
    let observed_slope = std::slice::from_mut(&mut e.observed_slope);
    density.information_slope(Information::Observed, row, &[eta], observed_slope);
    let expected_slope = std::slice::from_mut(&mut e.expected_slope);
    density.information_slope(Information::Expected, row, &[eta], expected_slope);
    e
}

/// Of the log-density, the score and the information with respect to the logarithm of the dispersion.
fn dispersion_slopes(
    density: &dyn Density,
    information: Information,
    row: usize,
    eta: f64,
) -> [f64; 3] {
    let mut slopes = [[0.0]; 3];
    let [log_density, score, of_information] = &mut slopes;
    density.dispersion_slopes(
        information,
        row,
        &[eta],
        DispersionSlopes {
            log_density,
            score,
            information: of_information,
        },
    );
    slopes.map(|[v]| v)
}

fn one_row(name: &str, link: &str, y: f64, weight: f64) -> Box<dyn Family> {
    family(name, link, vec![y], Some(vec![weight]), None).expect("a valid response")
}
