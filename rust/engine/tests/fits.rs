//! Whole fits: the default optimizer against independent ones, from many starts, and under changes
//! of the data that must not matter.

mod common;

use common::{design, linear, Grouping, Random, TermSpec};
use std::time::Instant;

use mixedmodels::covariance::Fold;
use mixedmodels::design::{Design, Term};
use mixedmodels::fit::{Estimates, MixedModel, Point, StartValues, Task};
use mixedmodels::model::Model;

type Fit = mixedmodels::fit::Fit<Estimates>;
use mixedmodels::linalg::Matrix;
use mixedmodels::objective::{Criterion, Derivatives, Monitor, Objective};
use mixedmodels::optimize::{minimize, Control, Optimizer, Status, OPTIMIZERS};
use mixedmodels::Error;
use proptest::prelude::*;

const GO: Monitor<'static> = &|_| Ok(());
const CONTROL: Control = Control {
    max_evaluations: Some(20_000),
    ..Control::UNLIMITED
};

fn fitted(design: Design, criterion: Criterion, start: Option<&[f64]>) -> Fit {
    let model = Model::new(design).expect("a valid design");
    let task = Task {
        start: StartValues {
            theta: start.map(<[f64]>::to_vec),
            ..StartValues::default()
        },
        control: CONTROL,
        ..Task::default()
    };
    linear(&model, criterion).fit(&task, GO).expect("a fit")
}

fn structures() -> Vec<(usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    const U: &str = "us";
    const D: &str = "diag";
    vec![
        (60, vec![(Random(8), 1, U)]),
        (90, vec![(Random(12), 2, U)]),
        (90, vec![(Random(12), 3, D)]),
        (120, vec![(Random(15), 2, U), (Same(0), 1, U)]),
        (150, vec![(Random(12), 2, U), (Random(8), 2, U)]),
        (
            150,
            vec![(Random(60), 1, U), (Random(40), 1, U), (Random(4), 1, U)],
        ),
        (
            150,
            vec![(Random(5), 1, U), (Within(0, 4), 2, U), (Random(9), 1, U)],
        ),
    ]
}

fn same_objective(a: f64, b: f64, tolerance: f64, what: &str) {
    let error = (a - b).abs() / a.abs().max(1.0);
    assert!(error < tolerance, "{what}: {a} and {b} differ by {error:e}");
}

#[test]
fn every_optimizer_reaches_the_same_objective() {
    for (s, (n, terms)) in structures().into_iter().enumerate() {
        let model = Model::new(design(s as u64 + 7, n, 2, &terms, s % 2 == 1)).expect("valid");
        let objective = |optimizer| {
            let fit = linear(&model, Criterion::Reml).fit(
                &Task {
                    optimizer,
                    control: CONTROL,
                    ..Task::default()
                },
                GO,
            );
            fit.expect("a fit").estimates.objective
        };
        let best = objective(Optimizer::TrustRegion);
        for (name, optimizer) in OPTIMIZERS {
            let value = objective(optimizer);
            assert!(
                value > best - 1e-7,
                "{name} finds {value}, the default {best}"
            );
            if matches!(name, "bobyqa" | "newuoa") {
                same_objective(best, value, 1e-7, name);
            }
        }
    }
}

#[test]
fn every_start_reaches_the_same_objective() {
    let mut random = Random::new(3);
    for (s, (n, terms)) in structures().into_iter().enumerate() {
        let data = design(s as u64 + 20, n, 2, &terms, false);
        let reference = fitted(data.clone(), Criterion::Ml, None);
        assert_eq!(reference.outcome.status, Status::Converged);
        for _ in 0..5 {
            let start: Vec<f64> = reference
                .theta
                .iter()
                .map(|_| 2.0 * random.normal())
                .collect();
            let other = fitted(data.clone(), Criterion::Ml, Some(&start));
            same_objective(
                reference.estimates.objective,
                other.estimates.objective,
                1e-10,
                "starts",
            );
        }
        // Theta = 0 is a stationary point of every criterion; only the saddle test leaves it.
        let zero = vec![0.0; reference.theta.len()];
        let other = fitted(data, Criterion::Ml, Some(&zero));
        same_objective(
            reference.estimates.objective,
            other.estimates.objective,
            1e-10,
            "from zero",
        );
    }
}

#[test]
fn the_gradient_vanishes_at_the_optimum() {
    for (s, (n, terms)) in structures().into_iter().enumerate() {
        let fit = fitted(
            design(s as u64 + 40, n, 2, &terms, false),
            Criterion::Reml,
            None,
        );
        for g in &fit.gradient {
            assert!(g.abs() < 1e-7, "structure {s}: {:?}", fit.gradient);
        }
    }
}

#[test]
fn a_variance_of_zero_is_exactly_zero() {
    use Grouping::Random as Levels;
    for seed in 0..30 {
        let terms = [(Levels(10), 1, "us"), (Levels(6), 2, "us")];
        let mut data = design(seed, 80, 1, &terms, false);
        let mut random = Random::new(seed + 1000);
        data.y = (0..80).map(|_| random.normal()).collect();
        let fit = fitted(data, Criterion::Reml, None);
        let log = &fit.outcome.log.entries;
        assert!(log.len() < 40, "{} evaluations", log.len());
        for t in [fit.theta[0], fit.theta[1], fit.theta[3]] {
            assert!(t == 0.0 || t > 1e-4, "seed {seed}: {:?}", fit.theta);
        }
    }
}

#[test]
fn a_deadline_ends_every_optimizer_with_the_best_point_so_far() {
    let (n, terms) = structures().swap_remove(4);
    let model = Model::new(design(1, n, 2, &terms, false)).expect("valid");
    for (name, optimizer) in OPTIMIZERS {
        let control = Control {
            deadline: Some(Instant::now()),
            ..Control::UNLIMITED
        };
        let fit = linear(&model, Criterion::Ml)
            .fit(
                &Task {
                    optimizer,
                    control,
                    ..Task::default()
                },
                GO,
            )
            .expect("a fit");
        assert_eq!(fit.outcome.status, Status::MaxTime, "{name}");
        assert!(fit.outcome.log.entries.len() <= 2, "{name}");
        assert!(fit.estimates.objective.is_finite(), "{name}");
    }
}

#[test]
fn the_limit_on_evaluations_is_kept_and_reported() {
    let (n, terms) = structures().swap_remove(4);
    let model = Model::new(design(1, n, 2, &terms, false)).expect("valid");
    for (name, optimizer) in OPTIMIZERS {
        let control = Control {
            max_evaluations: Some(3),
            ..Control::UNLIMITED
        };
        let fit = linear(&model, Criterion::Ml)
            .fit(
                &Task {
                    optimizer,
                    control,
                    ..Task::default()
                },
                GO,
            )
            .expect("a fit");
        assert_eq!(fit.outcome.status, Status::MaxEvaluations, "{name}");
        assert!(fit.outcome.log.entries.len() <= 4, "{name}");
    }
}

#[test]
fn the_caller_can_stop_a_fit() {
    let (n, terms) = structures().swap_remove(1);
    let model = Model::new(design(1, n, 2, &terms, false)).expect("valid");
    let stop = |_| Err(Error::Interrupted);
    for (_, optimizer) in OPTIMIZERS {
        let result = linear(&model, Criterion::Ml).fit(
            &Task {
                optimizer,
                control: CONTROL,
                ..Task::default()
            },
            &stop,
        );
        assert_eq!(result.err(), Some(Error::Interrupted));
    }
}

#[test]
fn a_response_without_residual_is_an_error() {
    let (n, terms) = structures().swap_remove(0);
    let mut data = design(1, n, 2, &terms, false);
    data.y = data.x.column(1).iter().map(|x| 2.0 * x + 1.0).collect();
    assert_eq!(Model::new(data.clone()).err(), Some(Error::ExactFit));
    data.y = vec![5.0; n];
    assert_eq!(Model::new(data).err(), Some(Error::ExactFit));
}

/// Rows in another order, levels renumbered.
fn shuffled(data: &Design, seed: u64) -> Design {
    let n = data.y.len();
    let mut random = Random::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, random.below(i + 1));
    }
    let pick = |values: &[f64]| order.iter().map(|&from| values[from]).collect::<Vec<f64>>();
    let p = data.x.cols();
    let x = (0..p).flat_map(|j| pick(data.x.column(j))).collect();
    let terms = data.terms.iter().map(|term| {
        let (k, last) = (term.k, term.n_levels as u32 - 1);
        Term {
            codes: order.iter().map(|&from| last - term.codes[from]).collect(),
            z: order
                .iter()
                .flat_map(|&from| term.z[from * k..(from + 1) * k].to_vec())
                .collect(),
            ..term.clone()
        }
    });
    Design {
        y: pick(&data.y),
        x: Matrix::from_columns(n, p, x).into(),
        terms: terms.collect(),
        ..data.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_of_rows_and_levels_does_not_matter(seed in 0_u64..1000, which in 0_usize..7) {
        let (n, terms) = structures().swap_remove(which);
        let data = design(seed, n, 2, &terms, false);
        let other = fitted(shuffled(&data, seed), Criterion::Reml, None);
        let fit = fitted(data, Criterion::Reml, None);
        same_objective(fit.estimates.objective, other.estimates.objective, 1e-10, "order");
        for (a, b) in fit.estimates.beta.iter().zip(&other.estimates.beta) {
            prop_assert!((a - b).abs() < 1e-6 * (1.0 + a.abs()));
        }
    }

    #[test]
    fn units_and_large_constants_do_not_matter(
        seed in 0_u64..1000,
        which in 0_usize..7,
        unit_y in -6_i32..6,
        unit_x in -6_i32..6,
        shift in 0.0_f64..1e6,
    ) {
        let (n, terms) = structures().swap_remove(which);
        let data = design(seed, n, 2, &terms, false);
        let (sy, sx) = (10_f64.powi(unit_y), 10_f64.powi(unit_x));
        let mut moved = data.clone();
        for y in &mut moved.y {
            *y = (*y + shift) * sy;
        }
        let moved_x = data.x.column(1).iter().map(|x| (x + shift) * sx);
        let x = data.x.column(0).iter().copied().chain(moved_x);
        moved.x = Matrix::from_columns(n, 2, x.collect()).into();
        let fit = fitted(data, Criterion::Ml, None);
        let other = fitted(moved, Criterion::Ml, None);
        let expected = fit.estimates.objective + 2.0 * n as f64 * sy.ln();
        same_objective(expected, other.estimates.objective, 1e-8, "units");
        let slope = other.estimates.beta[1] * sx / sy;
        prop_assert!((slope - fit.estimates.beta[1]).abs() < 1e-6 * (1.0 + slope.abs()));
        // Not theta: two terms of one factor need not determine it.
        let sigma = other.estimates.sigma / sy;
        prop_assert!((fit.estimates.sigma - sigma).abs() < 1e-6 * sigma);
        for (a, b) in fit.estimates.fitted.iter().zip(&other.estimates.fitted) {
            prop_assert!((a - (b / sy - shift)).abs() < 1e-5);
        }
    }

    #[test]
    fn a_level_without_rows_does_not_matter(seed in 0_u64..1000, which in 0_usize..7) {
        let (n, terms) = structures().swap_remove(which);
        let data = design(seed, n, 2, &terms, false);
        let mut more = data.clone();
        more.terms[0].n_levels += 1;
        let fit = fitted(data, Criterion::Reml, None);
        let other = fitted(more, Criterion::Reml, None);
        same_objective(fit.estimates.objective, other.estimates.objective, 1e-10, "empty level");
    }
}

#[test]
fn singular_starts_are_left_in_every_direction() {
    let (n, terms) = structures().swap_remove(1);
    let data = design(5, n, 2, &terms, false);
    let best = fitted(data.clone(), Criterion::Ml, None)
        .estimates
        .objective;
    for start in [
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
        [1.0, 1.0, 0.0],
    ] {
        let fit = fitted(data.clone(), Criterion::Ml, Some(&start));
        same_objective(best, fit.estimates.objective, 1e-10, "singular start");
    }
}

#[test]
fn a_direction_without_information_has_no_curvature() {
    // Each level has one of two indicator columns only: the data do not tell their correlation.
    let n = 120;
    let mut data = design(8, n, 1, &[(Grouping::Random(12), 2, "us")], false);
    let term = &mut data.terms[0];
    let seconds = term.codes.iter().map(|code| f64::from(code % 2));
    term.z = seconds.flat_map(|second| [1.0 - second, second]).collect();
    let model = Model::new(data.clone()).expect("valid");
    let fit = fitted(data, Criterion::Reml, None);
    assert_eq!(fit.outcome.status, Status::Converged);
    let hessian = linear(&model, Criterion::Reml)
        .hessian(&Point::of_theta(&fit.theta), GO)
        .expect("computable");
    assert!(hessian[(1, 1)].abs() < 1e-6 * hessian[(0, 0)]);
    assert!(hessian[(2, 2)] > 0.0);
}

#[test]
fn a_start_that_leads_nowhere_is_followed_by_a_second_one() {
    /// Without a slope to follow and without a downhill step, until it is asked at one.
    struct Stuck {
        at: f64,
    }
    impl Objective for Stuck {
        fn dim(&self) -> usize {
            1
        }
        fn value(&mut self, theta: &[f64]) -> mixedmodels::Result<Option<f64>> {
            self.at = theta[0];
            let smooth = (theta[0] - 0.9).powi(2);
            // A cliff around 5 on whose edge every step rises.
            Ok(Some(if (theta[0] - 5.0).abs() < 1e-300 {
                0.5
            } else {
                1.0 + smooth
            }))
        }
        fn derivatives(&mut self) -> mixedmodels::Result<Derivatives> {
            let matrix = |v: f64| Matrix::from_columns(1, 1, vec![v]);
            Ok(Derivatives {
                gradient: vec![2.0 * (self.at - 0.9)],
                information: matrix(2.0),
                curvature: matrix(0.0),
            })
        }
        fn hessian(&mut self) -> mixedmodels::Result<Option<Matrix>> {
            Ok(None)
        }
        fn folds(&self) -> Vec<Fold> {
            vec![Fold::at_zero(vec![0])]
        }
        fn isotropic(&self, sd: f64) -> Vec<f64> {
            vec![sd]
        }
        fn polish_steps(&self) -> usize {
            8
        }
    }
    let control = Control {
        max_evaluations: Some(1000),
        ..Control::UNLIMITED
    };
    let outcome = minimize(
        Optimizer::TrustRegion,
        &mut Stuck { at: 0.0 },
        &[5.0],
        &control,
    )
    .expect("computable");
    let second = outcome.log.second_start.expect("tried");
    assert_eq!(outcome.log.entries[second].theta, [1.0]);
    // The first point is lower, so it stays, and it is not called an optimum.
    assert_eq!(outcome.theta, [5.0]);
    assert_eq!(outcome.status, Status::NoProgress);
    let outcome = minimize(
        Optimizer::TrustRegion,
        &mut Stuck { at: 0.0 },
        &[4.0],
        &control,
    )
    .expect("computable");
    assert_eq!(outcome.log.second_start, None);
    assert!((outcome.theta[0] - 0.9).abs() < 1e-6);

    // The limit is on both searches together.
    for limit in [1, 30, 60] {
        let outcome = minimize(
            Optimizer::TrustRegion,
            &mut Stuck { at: 0.0 },
            &[5.0],
            &Control {
                max_evaluations: Some(limit),
                ..control
            },
        )
        .expect("computable");
        assert!(outcome.log.entries.len() <= limit);
        assert_ne!(outcome.status, Status::Converged);
    }
}
