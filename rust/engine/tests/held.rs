//! Fits with parameters held.

mod common;

use common::{design, linear, random_theta, Grouping, TermSpec, D, U};
use mixedmodels::covariance::Kind;
use mixedmodels::design::Design;
use mixedmodels::fit::{Estimates, MixedModel, Point, StartValues, Task};
use mixedmodels::model::Model;
use mixedmodels::parameters::Held;

type Fit = mixedmodels::fit::Fit<Estimates>;
use mixedmodels::objective::{
    Criterion, HeldObjective, JointObjective, LmmObjective, Monitor, Objective,
};
use mixedmodels::optimize::{Control, Optimizer};
use mixedmodels::parameters::{Coordinates, Role};

const GO: Monitor<'static> = &|_| Ok(());

fn cases() -> Vec<(&'static str, Vec<TermSpec>)> {
    use Grouping::Random;
    vec![
        ("scalar", vec![(Random(20), 1, U)]),
        ("intercept and slope", vec![(Random(25), 2, U)]),
        ("three columns", vec![(Random(30), 3, U)]),
        ("crossed", vec![(Random(15), 2, D), (Random(12), 2, U)]),
        (
            "structured",
            vec![(Random(25), 3, "cs"), (Random(12), 3, "ar1")],
        ),
        (
            "more structured",
            vec![(Random(25), 3, "hetar1"), (Random(12), 3, "homtoep")],
        ),
    ]
}

fn held_fit(model: &Model, held: &Held) -> mixedmodels::Result<Fit> {
    let task = Task {
        held: Some(held),
        ..Task::default()
    };
    linear(model, Criterion::Ml).fit(&task, GO)
}

fn free_fit(model: &Model, criterion: Criterion) -> Fit {
    let control = Control::UNLIMITED;
    linear(model, criterion)
        .fit(
            &Task {
                optimizer: Optimizer::TrustRegion,
                control,
                ..Task::default()
            },
            GO,
        )
        .expect("fits")
}

/// Natural parameters of every term, standard deviations in absolute units.
fn natural(design: &Design, theta: &[f64], sigma: f64) -> Vec<Vec<f64>> {
    let mut start = 0;
    let terms = design.terms.iter();
    terms
        .map(|term| {
            let n = term.covariance.n_parameters(term.k);
            let own = &theta[start..start + n];
            start += n;
            let mut values = term.covariance.natural_values(own, term.k);
            let parameters = term.covariance.natural_parameters(term.k);
            for (value, parameter) in values.iter_mut().zip(parameters) {
                if parameter.kind == Kind::StandardDeviation {
                    *value *= sigma;
                }
            }
            values
        })
        .collect()
}

#[test]
fn derivatives_of_the_joint_criterion_and_of_ties_are_exact() {
    for (s, (name, terms)) in cases().into_iter().enumerate() {
        let design = design(s as u64 + 1, 120, 3, &terms, s % 2 == 0);
        let model = Model::new(design.clone()).expect("valid");
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let coordinates = Coordinates::user(&design.terms, &model.terms);
            let n = coordinates.dim;
            let profiled = LmmObjective::new(&model, criterion, coordinates, GO).expect("memory");
            let mut joint = JointObjective::new(profiled);
            let mut roles = vec![Role::Free; n + 1];
            roles[0] = Role::Tied {
                to: n,
                at_zero: 0.4,
                rate: -1.0,
            };
            let mut objective = HeldObjective::new(&mut joint, roles);
            let mut point = random_theta(&design, s as u64, false);
            point.push(0.3);
            let free = objective.restrict(&point);
            objective
                .value(&free)
                .expect("computable")
                .expect("positive definite");
            let gradient = objective.derivatives().expect("known").gradient;
            let hessian = objective.hessian().expect("known").expect("exact");
            let h = 1e-4;
            for j in 0..free.len() {
                let mut at = |step: f64| {
                    let mut moved = free.clone();
                    moved[j] += step * h;
                    let value = objective
                        .value(&moved)
                        .expect("computable")
                        .expect("inside");
                    (value, objective.gradient().expect("known"))
                };
                let [(a, ga), (b, gb), (c, gc), (d, gd)] = [-2.0, -1.0, 1.0, 2.0].map(&mut at);
                let slope =
                    |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
                let by_values = slope(a, b, c, d);
                let scale = gradient[j].abs().max(10.0);
                assert!(
                    (gradient[j] - by_values).abs() < 1e-6 * scale,
                    "{name}, gradient {j}"
                );
                for i in 0..free.len() {
                    let by_gradients = slope(ga[i], gb[i], gc[i], gd[i]);
                    let scale = hessian[(j, j)].abs().max(10.0);
                    let error = (hessian[(i, j)] - by_gradients).abs() / scale;
                    assert!(error < 1e-6, "{name}, Hessian {i} {j}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn held_parameters_have_their_values_and_the_others_are_optimal() {
    for (s, (name, terms)) in cases().into_iter().enumerate() {
        let design = design(s as u64 + 11, 240, 3, &terms, false);
        let model = Model::new(design.clone()).expect("valid");
        let best = free_fit(&model, Criterion::Ml);
        let values = natural(&design, &best.theta, best.estimates.sigma);
        let mut tried = 0;
        for (t, term) in design.terms.iter().enumerate() {
            let parameters = term.covariance.natural_parameters(term.k);
            for (i, parameter) in parameters.iter().enumerate() {
                let value = match parameter.kind {
                    Kind::StandardDeviation => 1.3 * values[t][i] + 0.1,
                    Kind::Correlation => 0.4 * values[t][i] + 0.1,
                };
                let held = Held {
                    natural: vec![(t, i, value)],
                    ..Held::default()
                };
                let what = format!("{name}, term {t}, {parameter:?} at {value}");
                let found = held_fit(&model, &held);
                let fit = match found {
                    Ok(found) => found,
                    Err(error) => {
                        assert!(error.to_string().contains("held"), "{what}: {error}");
                        continue;
                    }
                };
                tried += 1;
                let free = fit.free.as_ref().expect("held");
                let now = natural(&design, &fit.theta, fit.estimates.sigma);
                assert!(
                    (now[t][i] - value).abs() < 1e-9 * value.abs().max(1.0),
                    "{what}"
                );
                assert!(
                    fit.estimates.objective > best.estimates.objective - 1e-7,
                    "{what}"
                );
                let steepest = free.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
                assert!(steepest < 1e-4, "{what}: gradient {steepest:e}");
                let at = Point {
                    log_dispersion: 2.0 * fit.estimates.sigma.ln(),
                    ..Point::of_theta(&fit.theta)
                };
                let again = linear(&model, Criterion::Ml).free_derivatives(&at, &held, GO);
                let again = again.expect("computable");
                assert!(
                    free.hessian
                        .data()
                        .iter()
                        .zip(again.hessian.data())
                        .all(|(a, b)| { (a - b).abs() < 1e-6 * b.abs().max(1.0) }),
                    "{what}"
                );
            }
        }
        assert!(tried >= design.terms.len(), "{name}: {tried}");
        // Held where they are anyway, nothing changes.
        let held = Held {
            natural: vec![(0, 0, values[0][0])],
            sigma: Some(best.estimates.sigma),
            ..Held::default()
        };
        let same = held_fit(&model, &held).expect("fits");
        let excess = same.estimates.objective - best.estimates.objective;
        assert!(excess.abs() < 1e-6, "{name}: {excess:e}");
        let everything = Held {
            theta: best.theta.iter().copied().enumerate().collect(),
            sigma: Some(best.estimates.sigma),
            ..Held::default()
        };
        let same = held_fit(&model, &everything).expect("evaluates");
        assert!(
            (same.estimates.objective - best.estimates.objective).abs() < 1e-8,
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_held_is_refused() {
    let design = design(5, 120, 2, &[(Grouping::Random(20), 3, U)], false);
    let model = Model::new(design).expect("valid");
    let refused = |held: &Held, word: &str| {
        let task = Task {
            held: Some(held),
            ..Task::default()
        };
        let error = linear(&model, Criterion::Ml)
            .fit(&task, GO)
            .expect_err(word);
        assert!(error.to_string().contains(word), "{error} without {word}");
    };
    let natural = |natural: &[(usize, usize, f64)]| Held {
        natural: natural.to_vec(),
        ..Held::default()
    };
    refused(&natural(&[(1, 0, 1.0)]), "no random-effects term 1");
    refused(&natural(&[(0, 99, 1.0)]), "no parameter 99");
    refused(&natural(&[(0, 0, -1.0)]), "cannot be held at -1");
    refused(&natural(&[(0, 3, f64::NAN)]), "cannot be held at NaN");
    refused(&natural(&[(0, 1, 1.0), (0, 1, 2.0)]), "held twice");
    let both = Held {
        theta: vec![(0, 1.0)],
        ..natural(&[(0, 3, 0.3)])
    };
    refused(&both, "not both");
    let sigma = Held {
        sigma: Some(-1.0),
        ..Held::default()
    };
    refused(&sigma, "positive and finite");
    let point = Point {
        log_dispersion: f64::INFINITY,
        ..Point::of_theta(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    };
    let free = linear(&model, Criterion::Ml).free_derivatives(&point, &Held::default(), GO);
    assert!(free.is_err_and(|e| e.to_string().contains("sigma")));
}

#[test]
fn searches_leave_starts_without_variance() {
    for name in ["cs", "hetar1", "toep", "ante", "homcs", "ar1", "us", "diag"] {
        let design = design(7, 200, 2, &[(Grouping::Random(25), 3, name)], false);
        let model = Model::new(design).expect("valid");
        let best = free_fit(&model, Criterion::Ml).estimates.objective;
        let theta = vec![0.0; model.n_theta()];
        let task = Task {
            start: StartValues {
                theta: Some(theta),
                ..StartValues::default()
            },
            ..Task::default()
        };
        let found = linear(&model, Criterion::Ml).fit(&task, GO).expect("fits");
        let excess = found.estimates.objective - best;
        assert!(excess < 1e-6, "{name}: {excess}");
    }
}

#[test]
fn sigma_held_allows_one_observation_a_level() {
    let mut design = design(3, 30, 1, &[(Grouping::Random(30), 1, U)], true);
    design.terms[0].codes = (0..30).collect();
    let model = Model::new(design.clone()).expect("valid");
    let held = Held {
        sigma: Some(1.0),
        ..Held::default()
    };
    let fit = held_fit(&model, &held).expect("fits");
    // y_i ~ N(μ, τ² + 1/w_i), with offsets.
    let offset = design.offset.as_ref().expect("given");
    let weights = design.weights.as_ref().expect("given");
    let log_likelihood = |mu: f64, tau: f64| -> f64 {
        (0..30)
            .map(|i| {
                let v = tau * tau + 1.0 / weights[i];
                (std::f64::consts::TAU * v).ln() + (design.y[i] - offset[i] - mu).powi(2) / v
            })
            .sum()
    };
    let (mu, tau) = (fit.estimates.beta[0], fit.theta[0]);
    assert!((log_likelihood(mu, tau) - fit.estimates.objective).abs() < 1e-8);
    for (a, b) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
        assert!(log_likelihood(mu + a, tau + b) > fit.estimates.objective);
    }
}

/// Rows of theta, columns of free parameters.
fn slopes_with(natural: (usize, usize, f64)) -> Vec<Vec<f64>> {
    let design = design(5, 120, 2, &[(Grouping::Random(20), 2, U)], true);
    let model = Model::new(design).expect("valid");
    let held = Held {
        natural: vec![natural],
        ..Held::default()
    };
    let task = Task {
        held: Some(&held),
        ..Task::default()
    };
    let fit = linear(&model, Criterion::Reml)
        .fit(&task, GO)
        .expect("fits");
    let slopes = fit.free.expect("held").slopes;
    let row = |i: usize| (0..slopes.cols()).map(|j| slopes[(i, j)]).collect();
    (0..slopes.rows()).map(row).collect()
}

#[test]
fn theta_has_slopes_where_natural_parameters_have_none() {
    let zero = |v: &f64| v.abs() < 1e-9;
    // No variance of the second column: its row of the factor stays zero, whatever the correlation.
    let slopes = slopes_with((0, 1, 0.0));
    assert!(slopes[0][0] > 0.1, "{slopes:?}");
    assert!(slopes[1].iter().chain(&slopes[2]).all(zero), "{slopes:?}");
    // A correlation of one: both columns of the factor are multiples of the first.
    let slopes = slopes_with((0, 2, 1.0));
    let [first, second] = [&slopes[0], &slopes[1]];
    assert!(first[0] > 0.1 && zero(&first[1]), "{slopes:?}");
    assert!(zero(&second[0]) && second[1] > 0.1, "{slopes:?}");
    assert!(slopes[2].iter().all(zero), "{slopes:?}");
}

#[test]
fn further_searches_end_where_no_variance_is_free() {
    let design = design(6, 120, 2, &[(Grouping::Random(20), 2, U)], false);
    let model = Model::new(design).expect("valid");
    let held = Held {
        theta: vec![(0, 1.0), (1, 0.2), (2, 0.5)],
        ..Held::default()
    };
    let fit_with = |starts| {
        let task = Task {
            held: Some(&held),
            control: Control {
                starts,
                ..Control::UNLIMITED
            },
            ..Task::default()
        };
        linear(&model, Criterion::Ml).fit(&task, GO).expect("fits")
    };
    let (one, four) = (fit_with(Some(1)), fit_with(Some(4)));
    let difference = one.estimates.objective - four.estimates.objective;
    assert!(difference.abs() < 1e-9);
}
