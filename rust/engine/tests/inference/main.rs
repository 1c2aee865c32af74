//! What inference needs of the engine against the formulas of the papers on n × n matrices.

#[path = "../common/mod.rs"]
mod common;
mod dense;
mod prediction;

use common::{random_theta, scaled_theta, Grouping, Random, TermSpec, D, U};
use dense::{zeros, Reference};
use mixedmodels::design::{Design, Term};
use mixedmodels::family::{family, Information};
use mixedmodels::inference::{
    covariance_slopes, kenward_roger, leverages, sensitivity, working_leverages,
};
use mixedmodels::linalg::Matrix;
use mixedmodels::model::{Approximation, GeneralizedModel, Model};
use mixedmodels::objective::{Criterion, Monitor};
use mixedmodels::products::Layout;
use mixedmodels::Error;

const GO: Monitor<'static> = &|_| Ok(());
const TOLERANCE: f64 = 1e-9;

/// With rows enough for every variance parameter to be told from the others.
fn structures() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    let mut all = common::structures();
    all.extend([
        (
            "three crossed factors, two terms of the last",
            120,
            vec![
                (Random(30), 1, U),
                (Random(20), 1, U),
                (Random(4), 2, U),
                (Same(2), 1, U),
            ],
        ),
        (
            "nested three deep and crossed twice",
            140,
            vec![
                (Random(4), 2, U),
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

/// Terms of one factor must not share a column here: their variances could not be told apart.
fn design(seed: u64, n: usize, p: usize, terms: &[TermSpec], weighted: bool) -> Design {
    let mut design = common::design(seed, n, p, terms, weighted);
    let mut random = Random::new(seed + 1000);
    for (term, (grouping, k, _)) in design.terms.iter_mut().zip(terms) {
        if matches!(grouping, Grouping::Same(_)) {
            let mut z = term.z.to_vec();
            z.iter_mut().step_by(*k).for_each(|z| *z = random.normal());
            term.z = z.into();
        }
    }
    design
}

fn largest(a: &Matrix) -> f64 {
    a.data().iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

/// Relative to the largest entry.
fn assert_close(name: &str, ours: &Matrix, reference: &Matrix) {
    assert_close_beside(name, ours, reference, f64::MIN_POSITIVE);
}

/// Relative to the largest entry, or to what is rounding beside other matrices.
fn assert_close_beside(name: &str, ours: &Matrix, reference: &Matrix, rounding: f64) {
    assert_eq!(
        (ours.rows(), ours.cols()),
        (reference.rows(), reference.cols()),
        "{name}"
    );
    let scale = largest(reference).max(rounding);
    for (i, (a, b)) in ours.data().iter().zip(reference.data()).enumerate() {
        let error = (a - b).abs() / scale;
        assert!(
            error < TOLERANCE,
            "{name}: entry {i} is {a}, not {b}; error {error:e}"
        );
    }
}

/// Relative to the diagonal.
fn assert_close_covariance(name: &str, ours: &Matrix, reference: &Matrix) {
    let scaled = |a: &Matrix| {
        let mut out = a.clone();
        for j in 0..a.cols() {
            for i in 0..a.rows() {
                out[(i, j)] /= (reference[(i, i)] * reference[(j, j)]).sqrt();
            }
        }
        out
    };
    assert_close(name, &scaled(ours), &scaled(reference));
}

fn check(name: &str, design: &Design, theta: &[f64], layout: Layout) {
    let name = format!("{name}, {layout:?}");
    let model = Model::with_layout(design.clone(), layout).expect("a valid design");
    let reference = Reference::new(design, theta, &model.fixed.kept);
    let slopes = covariance_slopes(&model, theta, GO).expect("computable");
    assert_eq!(slopes.len(), theta.len());
    let reference_slopes = reference.covariance_slopes();
    let all = reference_slopes.iter().map(largest).fold(0.0, f64::max);
    let rounding = (f64::EPSILON / TOLERANCE * all).max(f64::MIN_POSITIVE);
    for (ours, theirs) in slopes.iter().zip(&reference_slopes) {
        assert_close_beside(
            &format!("{name}, covariance slopes"),
            ours,
            theirs,
            rounding,
        );
    }
    let is_linear = |t: &Term| t.covariance.elements(t.k).is_some();
    if !design.terms.iter().all(is_linear) {
        let refused = kenward_roger(&model, theta, GO).expect_err("not linear");
        assert!(refused.to_string().contains("Satterthwaite"));
        return;
    }
    let ours = kenward_roger(&model, theta, GO).expect("computable");
    let (p, w, phi, adjusted) = reference.kenward_roger();
    assert_eq!(ours.slopes.len(), p.len());
    for (ours, theirs) in ours.slopes.iter().zip(&p) {
        assert_close(&format!("{name}, P"), ours, theirs);
    }
    assert_close_covariance(&format!("{name}, W"), &ours.parameter_covariance, &w);
    assert_close_covariance(&format!("{name}, Φ"), &ours.unadjusted, &phi);
    assert_close_covariance(&format!("{name}, Φ_A"), &ours.adjusted, &adjusted);
}

const LAYOUTS: [Layout; 2] = [Layout::Blocked, Layout::Sparse];

#[test]
fn every_structure_agrees_with_dense_algebra() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        for weighted in [false, true] {
            let design = design(s as u64 + 1, n, 3, &terms, weighted);
            for singular in [false, true] {
                let theta = random_theta(&design, s as u64 + 100, singular);
                for layout in LAYOUTS {
                    let name = format!("{name}, weights {weighted}, singular {singular}");
                    check(&name, &design, &theta, layout);
                }
            }
        }
    }
}

#[test]
fn random_effects_without_any_variance_agree() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let design = design(s as u64 + 31, n, 2, &terms, false);
        for layout in LAYOUTS {
            check(
                name,
                &design,
                &vec![0.0; random_theta(&design, 1, false).len()],
                layout,
            );
        }
    }
}

#[test]
fn large_and_small_theta_lose_no_digits() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let design = design(s as u64 + 131, n, 3, &terms, false);
        for scale in [1e-3, 10.0] {
            let theta = random_theta(&design, s as u64 + 5, false);
            let theta = scaled_theta(&design, &theta, scale);
            for layout in LAYOUTS {
                check(&format!("{name}, scale {scale}"), &design, &theta, layout);
            }
        }
    }
}

#[test]
fn dependent_columns_of_x_are_left_out() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let mut design = design(s as u64 + 61, n, 3, &terms, true);
        let sum = (0..n)
            .map(|i| design.x[(i, 1)] - 2.0 * design.x[(i, 2)])
            .collect::<Vec<_>>();
        let columns = [design.x.data(), &sum].concat();
        design.x = Matrix::from_columns(n, 4, columns).into();
        let theta = random_theta(&design, s as u64 + 7, false);
        for layout in LAYOUTS {
            check(name, &design, &theta, layout);
        }
    }
}

#[test]
fn a_model_without_fixed_effects_has_variance_parameters_alone() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let mut design = design(s as u64 + 91, n, 1, &terms, false);
        design.x = zeros(n, 0).into();
        let theta = random_theta(&design, s as u64 + 17, false);
        for layout in LAYOUTS {
            check(name, &design, &theta, layout);
        }
    }
}

#[test]
fn variance_parameters_that_cannot_be_told_apart_count_once() {
    let once = [(Grouping::Random(6), 1, U), (Grouping::Random(8), 1, U)];
    let twice = [
        (Grouping::Random(6), 1, U),
        (Grouping::Same(0), 1, U),
        (Grouping::Random(8), 1, U),
    ];
    let plain = common::design(5, 60, 2, &once, false);
    let mut design = common::design(5, 60, 2, &twice, false);
    design.terms = vec![
        plain.terms[0].clone(),
        plain.terms[0].clone(),
        plain.terms[1].clone(),
    ];
    design.x = plain.x.clone();
    design.y.clone_from(&plain.y);
    for layout in LAYOUTS {
        let model = Model::with_layout(design.clone(), layout).expect("a valid design");
        let ours = kenward_roger(&model, &[0.3, 0.4, 0.6], GO).expect("computable");
        let model = Model::with_layout(plain.clone(), layout).expect("a valid design");
        let wanted = kenward_roger(&model, &[0.5, 0.6], GO).expect("computable");
        assert_close_covariance("Φ_A", &ours.adjusted, &wanted.adjusted);
        // The sum of the two variances has the covariance of the one.
        let (w, one) = (&ours.parameter_covariance, &wanted.parameter_covariance);
        let sum = w[(0, 0)] + 2.0 * w[(0, 1)] + w[(1, 1)];
        assert!((sum / one[(0, 0)] - 1.0).abs() < TOLERANCE);
        assert!((w[(2, 2)] / one[(1, 1)] - 1.0).abs() < TOLERANCE);
        // Their difference is what is left out, and the other parameters have no part in it.
        let left_out: Vec<&[f64]> = (0..4)
            .map(|j| ours.undetermined.column(j))
            .filter(|column| column.iter().any(|v| *v != 0.0))
            .collect();
        assert_eq!(left_out.len(), 1);
        let direction = left_out[0];
        assert!((direction[0] + direction[1]).abs() < 1e-6 * direction[0].abs());
        assert!(direction[2..]
            .iter()
            .all(|v| v.abs() < 1e-6 * direction[0].abs()));
    }
}

#[test]
fn an_element_without_any_information_is_left_out() {
    // No level has both columns, so that nothing is known of their covariance.
    let mut design = common::design(7, 80, 2, &[(Grouping::Random(10), 2, U)], false);
    let term = &mut design.terms[0];
    let firsts = term.codes.iter().map(|code| f64::from(code % 2));
    term.z = firsts.flat_map(|first| [first, 1.0 - first]).collect();
    for layout in LAYOUTS {
        let model = Model::with_layout(design.clone(), layout).expect("a valid design");
        let parts = kenward_roger(&model, &[0.5, 0.2, 0.6], GO).expect("computable");
        let left_out: Vec<usize> = (0..4)
            .filter(|&j| parts.undetermined.column(j).iter().any(|v| *v != 0.0))
            .collect();
        assert_eq!(left_out.len(), 1);
        let direction = parts.undetermined.column(left_out[0]);
        assert!(direction[1].abs() > 0.0);
        for other in [0, 2, 3] {
            assert!(direction[other].abs() < 1e-9 * direction[1].abs());
        }
        assert!(parts.adjusted.data().iter().all(|v| v.is_finite()));
    }
}

#[test]
fn a_theta_of_another_length_is_refused() {
    let design = design(5, 60, 2, &[(Grouping::Random(6), 2, U)], false);
    let model = Model::new(design).expect("a valid design");
    let refused = covariance_slopes(&model, &[1.0], GO).expect_err("three are needed");
    assert!(matches!(refused, Error::Length { expected: 3, .. }));
    let refused = kenward_roger(&model, &[1.0, f64::NAN, 1.0], GO).expect_err("not a number");
    assert!(matches!(refused, Error::Domain(_)));
}

#[test]
fn the_caller_can_stop_it() {
    let (_, n, terms) = common::structures().pop().expect("a structure");
    let design = design(1, n, 3, &terms, false);
    let theta = random_theta(&design, 2, false);
    for layout in LAYOUTS {
        let model = Model::with_layout(design.clone(), layout).expect("a valid design");
        let steps = std::cell::Cell::new(0);
        let count = |_| {
            steps.set(steps.get() + 1);
            Ok(())
        };
        kenward_roger(&model, &theta, &count).expect("computable");
        let total = steps.get();
        assert!(total > 3, "{total} steps");
        for last in 0..total {
            steps.set(0);
            let stop = |_| {
                steps.set(steps.get() + 1);
                if steps.get() > last {
                    return Err(Error::Interrupted);
                }
                Ok(())
            };
            let stopped = kenward_roger(&model, &theta, &stop);
            assert_eq!(stopped.err(), Some(Error::Interrupted));
        }
    }
}

#[test]
fn leverages_agree_whatever_the_elimination() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        for weighted in [false, true] {
            let design = design(s as u64 + 1, n, 3, &terms, weighted);
            let theta = random_theta(&design, s as u64 + 50, s % 3 == 0);
            let expected =
                Reference::new(&design, &theta, &[0, 1, 2]).leverages(design.weights.as_deref());
            for layout in [Layout::Blocked, Layout::Sparse] {
                let model = Model::with_layout(design.clone(), layout).expect("valid");
                let ours = leverages(&model, &theta, GO).expect("computable");
                let trace = sensitivity(&model, Criterion::Ml, &theta, GO)
                    .expect("computable")
                    .trace;
                let by_weights = leverages_of_poisson(&design, &theta, layout);
                for (i, expected) in expected.iter().enumerate() {
                    for (kind, ours) in [("linear", &ours.total), ("weighted", &by_weights)] {
                        let error = (ours[i] - expected).abs();
                        assert!(
                            error < TOLERANCE,
                            "{name}, {layout:?}, {kind}, {i}: {error:e}"
                        );
                    }
                }
                let error = (trace - expected.iter().sum::<f64>()).abs();
                assert!(
                    error < TOLERANCE * n as f64,
                    "{name}, {layout:?}, trace: {error:e}"
                );
            }
        }
    }
}

/// Those of a working regression with the prior weights of the design.
fn leverages_of_poisson(design: &Design, theta: &[f64], layout: Layout) -> Vec<f64> {
    let n = design.y.len();
    let weights = design.weights.clone().unwrap_or_else(|| vec![1.0; n]);
    let family = family("gaussian", "identity", design.y.clone(), None, None).expect("known");
    let (_, mut predictors) = design.clone().split();
    predictors.weights = None;
    let how = (Approximation::Laplace, Information::Observed);
    let model = GeneralizedModel::with_layout(predictors, family.into(), how, layout);
    let found = working_leverages(&model.expect("valid"), theta, &weights);
    found.expect("computable").total
}
