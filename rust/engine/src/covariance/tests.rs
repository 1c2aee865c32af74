use super::*;

const TIMES: [f64; 6] = [0.0, 1.5, 0.7, 4.0, 2.2, 9.0];

/// Every structure for every small number of columns, at some theta.
fn each(check: impl Fn(&dyn Covariance, usize, &[f64])) {
    for (name, _) in STRUCTURES {
        for k in 1..=6 {
            let covariance = structure(name, k, Some(&TIMES[..k])).expect("a structure");
            let theta: Vec<f64> = (0..covariance.n_parameters(k))
                .map(|i| 0.4 + 0.37 * ((i * 5 + k) % 7) as f64 - 0.1 * i as f64)
                .collect();
            check(&*covariance, k, &theta);
        }
    }
}

fn sigma(covariance: &dyn Covariance, theta: &[f64], k: usize) -> Vec<f64> {
    let lambda = covariance.lambda(theta, k);
    let mut out = vec![0.0; k * k];
    small::multiply_transposed(&lambda, &lambda, &mut out, k);
    out
}

fn assert_close(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let error = (a - b).abs() / b.abs().max(1.0);
        assert!(error < tolerance, "{what}, entry {i}: {a} is not {b}");
    }
}

/// Derivative of f at 0 by differences of sixth order.
fn slope(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    const H: f64 = 0.005;
    let mut out = vec![0.0; f(0.0).len()];
    for (step, weight) in [(1.0, 45.0), (2.0, -9.0), (3.0, 1.0)] {
        small::axpy(weight / (60.0 * H), &f(step * H), &mut out);
        small::axpy(-weight / (60.0 * H), &f(-step * H), &mut out);
    }
    out
}

fn moved(theta: &[f64], i: usize, h: f64) -> Vec<f64> {
    let mut out = theta.to_vec();
    out[i] += h;
    out
}

#[test]
fn jets_are_the_derivatives_of_factors_and_natural_parameters() {
    each(|covariance, k, theta| {
        for j in 0..theta.len() {
            for i in 0..=j {
                let what = format!("{} of {k} columns, {i} and {j}", covariance.name());
                let jets = covariance.factor(&along(theta, i, j), k);
                let first: Vec<f64> = jets.iter().map(|jet| jet.first).collect();
                let mixed: Vec<f64> = jets.iter().map(|jet| jet.mixed).collect();
                let by_i = slope(|h| covariance.lambda(&moved(theta, i, h), k));
                let by_both =
                    slope(|g| slope(|h| covariance.lambda(&moved(&moved(theta, i, h), j, g), k)));
                assert_close(&what, &first, &by_i, 1e-8);
                assert_close(&what, &mixed, &by_both, 1e-6);
                let natural = covariance.natural(&along(theta, i, j), k);
                let first: Vec<f64> = natural.iter().map(|jet| jet.first).collect();
                let by_i = slope(|h| covariance.natural_values(&moved(theta, i, h), k));
                assert_close(&what, &first, &by_i, 1e-8);
            }
        }
    });
}

#[test]
fn natural_parameters_are_those_of_the_covariance_matrix() {
    each(|covariance, k, theta| {
        let sigma = sigma(covariance, theta, k);
        let sd: Vec<f64> = (0..k).map(|i| sigma[i + i * k].sqrt()).collect();
        let natural = covariance.natural_values(theta, k);
        let parameters = covariance.natural_parameters(k);
        assert_eq!(parameters.len(), theta.len());
        for (parameter, value) in parameters.iter().zip(&natural) {
            let what = format!("{} of {k} columns, {parameter:?}", covariance.name());
            assert!(*value >= parameter.bounds.0 - 1e-12 && *value <= parameter.bounds.1 + 1e-12);
            match (parameter.kind, parameter.columns.as_slice()) {
                (Kind::StandardDeviation, columns) => {
                    columns
                        .iter()
                        .for_each(|&i| assert_close(&what, &[*value], &[sd[i]], 1e-12));
                }
                (Kind::Correlation, &[a, b]) => {
                    let correlation = sigma[a + b * k] / (sd[a] * sd[b]);
                    assert_close(&what, &[*value], &[correlation], 1e-12);
                }
                (Kind::Correlation, _) => {}
            }
        }
        let back = covariance.theta(&natural, k).expect("inside");
        let what = format!("{} of {k} columns", covariance.name());
        assert_close(&what, &self::sigma(covariance, &back, k), &sigma, 1e-10);
    });
}

#[test]
fn shared_correlations_follow_their_pattern() {
    let k = 5;
    let correlation = |name: &str, natural: &[f64], a: usize, b: usize| {
        let covariance = structure(name, k, Some(&TIMES[..k])).expect("a structure");
        let theta = covariance.theta(natural, k).expect("inside");
        let sigma = sigma(&*covariance, &theta, k);
        sigma[a + b * k] / (sigma[a + a * k] * sigma[b + b * k]).sqrt()
    };
    let lags: [f64; 4] = [0.5, 0.3, -0.1, 0.05];
    for a in 0..k {
        for b in 0..a {
            let (lag, time) = (a - b, (TIMES[a] - TIMES[b]).abs());
            let expected = [
                ("homcs", vec![2.0, -0.2], -0.2),
                ("cs", vec![2.0, 1.0, 0.5, 3.0, 1.0, 0.6], 0.6),
                ("ar1", vec![2.0, -0.7], (-0.7_f64).powi(lag as i32)),
                (
                    "hetar1",
                    vec![2.0, 1.0, 0.5, 3.0, 1.0, 0.7],
                    0.7_f64.powi(lag as i32),
                ),
                ("homtoep", [&[2.0], &lags[..]].concat(), lags[lag - 1]),
                ("ou", vec![2.0, 0.8], 0.8_f64.powf(time)),
                (
                    "ante",
                    [&[2.0, 1.0, 0.5, 3.0, 1.0], &lags[..]].concat(),
                    lags[b..a].iter().product(),
                ),
            ];
            for (name, natural, value) in expected {
                let found = correlation(name, &natural, a, b);
                assert_close(name, &[found], &[value], 1e-12);
            }
        }
    }
}

#[test]
fn covariance_is_even_about_folds_and_moves_with_the_columns() {
    each(|covariance, k, theta| {
        let what = format!("{} of {k} columns", covariance.name());
        let sigma = sigma(covariance, theta, k);
        for fold in covariance.folds(k) {
            let mut reflected = theta.to_vec();
            for &i in &fold.parameters {
                reflected[i] = 2.0 * fold.at - reflected[i];
            }
            assert_close(
                &what,
                &self::sigma(covariance, &reflected, k),
                &sigma,
                1e-12,
            );
        }
        let mut m = vec![0.0; k * k];
        for i in 0..k {
            m[i + i * k] = match covariance.freedom() {
                Freedom::Unit => 3.0,
                Freedom::Scaling | Freedom::Linear => 1.0 + i as f64,
            };
            if covariance.freedom() == Freedom::Linear {
                (0..i).for_each(|h| m[h + i * k] = 0.5);
            }
        }
        let transformed = covariance.transformed(theta, &m, k);
        let (mut half, mut expected) = (vec![0.0; k * k], vec![0.0; k * k]);
        small::multiply(&m, &sigma, &mut half, k);
        small::multiply_transposed(&half, &m, &mut expected, k);
        assert_close(
            &what,
            &self::sigma(covariance, &transformed, k),
            &expected,
            1e-11,
        );
    });
}

#[test]
fn elements_span_the_covariance_matrices() {
    each(|covariance, k, theta| {
        let Some(elements) = covariance.elements(k) else {
            return;
        };
        assert_eq!(elements.len(), theta.len(), "{}", covariance.name());
        let sigma = sigma(covariance, theta, k);
        let mut sum = vec![0.0; k * k];
        for element in elements {
            let (row, column) = element.place;
            for (a, b) in element.entries {
                sum[a + b * k] += sigma[row + column * k];
                if a != b {
                    sum[b + a * k] += sigma[row + column * k];
                }
            }
        }
        assert_close(covariance.name(), &sum, &sigma, 1e-12);
    });
}

#[test]
fn boundaries_can_be_evaluated_and_found_again() {
    for (name, natural) in [
        ("homcs", vec![1.0, -0.5]),
        ("cs", vec![1.0, 0.0, 2.0, 1.0]),
        ("ar1", vec![0.0, 1.0]),
        ("hetar1", vec![1.0, 0.0, 2.0, -1.0]),
        ("toep", vec![1.0, 1.0, 2.0, 1.0, 1.0]),
        ("ou", vec![1.0, 1.0]),
        ("us", vec![1.0, 2.0, 1.0, 1.0, -1.0, -1.0]),
    ] {
        let covariance = structure(name, 3, Some(&TIMES[..3])).expect("a structure");
        let theta = covariance.theta(&natural, 3).expect("on the boundary");
        let n = theta.len();
        for (i, j) in (0..n).flat_map(|i| (i..n).map(move |j| (i, j))) {
            let jets = covariance.factor(&along(&theta, i, j), 3);
            let finite = |jet: &Jet| {
                [jet.value, jet.first, jet.mixed]
                    .iter()
                    .all(|v| v.is_finite())
            };
            assert!(jets.iter().all(finite), "{name}");
        }
        assert_close(name, &covariance.natural_values(&theta, 3), &natural, 1e-7);
    }
    for (name, natural) in [
        ("homcs", vec![1.0, -0.51]),
        ("ar1", vec![1.0, 1.01]),
        ("toep", vec![1.0, 1.0, 1.0, 0.9, 0.1]),
        ("ou", vec![1.0, -0.1]),
        ("us", vec![1.0, 1.0, 1.0, 0.9, 0.9, -0.9]),
        ("ar1", vec![f64::NAN, 0.1]),
    ] {
        let covariance = structure(name, 3, Some(&TIMES[..3])).expect("a structure");
        assert!(covariance.theta(&natural, 3).is_none(), "{name}");
    }
}

#[test]
fn unknown_names_and_useless_times_are_refused() {
    let refused = |name: &str, times: Option<&[f64]>| structure(name, 3, times).is_err();
    assert!(refused("ar2", None));
    assert!(refused("ou", None));
    assert!(refused("ou", Some(&[1.0, 2.0])));
    assert!(refused("ou", Some(&[1.0, 2.0, 2.0])));
    assert!(refused("ou", Some(&[1.0, 2.0, f64::INFINITY])));
    assert!(!refused("ou", Some(&[3.0, 2.0, 1.0])));
}
