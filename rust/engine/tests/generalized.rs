//! The objective of generalized models against its definition and against differences of itself.

mod common;

use std::sync::Arc;

use common::{design, Grouping, Random, TermSpec, D, U};
use mixedmodels::design::Design;
use mixedmodels::family::{family, Family, Information};
use mixedmodels::fit::{MixedModel, Point, Task};
use mixedmodels::linalg::Matrix;
use mixedmodels::model::{Approximation, GeneralizedModel};
use mixedmodels::objective::Progress;
use mixedmodels::optimize::Control;
use mixedmodels::products::layout::Layout;
use mixedmodels::Result;

const CONTROL: Control = Control {
    max_evaluations: Some(1000),
    ..Control::UNLIMITED
};

#[allow(clippy::unnecessary_wraps)] // a monitor may stop the work
fn quiet(_: Progress) -> Result<()> {
    Ok(())
}

/// A family with a link, a plausible linear predictor and how far random effects may move it.
struct Case {
    family: &'static str,
    link: &'static str,
    centre: f64,
    spread: f64,
    log_dispersion: Option<f64>,
}

const fn case(
    family: &'static str,
    link: &'static str,
    centre: f64,
    spread: f64,
    log_dispersion: Option<f64>,
) -> Case {
    Case {
        family,
        link,
        centre,
        spread,
        log_dispersion,
    }
}

const CASES: [Case; 23] = [
    case("binomial", "logit", 0.3, 0.8, None),
    case("binomial", "probit", 0.2, 0.6, None),
    case("binomial", "cloglog", -0.3, 0.5, None),
    case("binomial", "cauchit", 0.2, 0.6, None),
    case("binomial", "log", -2.0, 0.2, None),
    case("poisson", "log", 1.0, 0.6, None),
    case("poisson", "identity", 9.0, 0.5, None),
    case("poisson", "sqrt", 3.0, 0.4, None),
    case("gaussian", "log", 1.0, 0.4, Some(-2.0)),
    case("gaussian", "inverse", 2.0, 0.1, Some(-5.0)),
    case("gaussian", "sqrt", 3.0, 0.3, Some(-1.0)),
    case("gamma", "log", 1.0, 0.5, Some(-1.5)),
    case("gamma", "inverse", 3.0, 0.2, Some(-2.0)),
    case("gamma", "identity", 9.0, 0.5, Some(-2.0)),
    case("inverse_gaussian", "log", 0.5, 0.4, Some(-2.0)),
    case("inverse_gaussian", "1/mu^2", 4.0, 0.2, Some(-2.0)),
    case("inverse_gaussian", "inverse", 3.0, 0.2, Some(-2.0)),
    case("nbinom2", "log", 1.0, 0.6, Some(0.7)),
    case("nbinom2", "sqrt", 3.0, 0.4, Some(1.0)),
    case("nbinom2", "identity", 9.0, 0.5, Some(1.0)),
    case("nbinom1", "log", 1.0, 0.6, Some(0.3)),
    case("beta", "logit", 0.2, 0.7, Some(1.5)),
    case("gaussian", "identity", 1.0, 0.7, Some(-0.5)),
];

fn mean(link: &str, eta: f64) -> f64 {
    match link {
        "logit" => 1.0 / (1.0 + (-eta).exp()),
        "probit" => 0.5 + eta.tanh() / 2.5,
        "cloglog" => 1.0 - (-eta.exp()).exp(),
        "cauchit" => 0.5 + eta.atan() / std::f64::consts::PI,
        "log" => eta.exp(),
        "identity" => eta,
        "sqrt" => eta * eta,
        "inverse" => eta.recip(),
        "1/mu^2" => eta.sqrt().recip(),
        other => panic!("{other}"),
    }
}

/// A response near the mean and inside the range of the family, with its weights.
fn response(case: &Case, eta: &[f64], random: &mut Random) -> (Vec<f64>, Option<Vec<f64>>) {
    let mut y = Vec::new();
    let mut weights = Vec::new();
    for &eta in eta {
        let mu = mean(case.link, eta);
        let trials = 1.0 + random.below(5) as f64;
        let (value, weight) = match case.family {
            "binomial" => {
                let hits = (0..trials as usize)
                    .filter(|_| random.uniform() < mu)
                    .count();
                (hits as f64, trials)
            }
            "poisson" | "nbinom2" | "nbinom1" => {
                ((mu * (0.6 - 0.8 * random.uniform().ln())).floor(), 1.0)
            }
            "gaussian" => (mu + 0.2 * random.normal(), 0.5 + random.uniform()),
            "gamma" | "inverse_gaussian" => {
                (mu * (0.3 * random.normal()).exp(), 0.5 + random.uniform())
            }
            "beta" => (mean("logit", eta + 0.5 * random.normal()), 1.0),
            other => panic!("{other}"),
        };
        y.push(value);
        weights.push(weight);
    }
    (y, Some(weights))
}

/// Data of a case with a point to look at it.
fn data(case: &Case, seed: u64, n: usize, terms: &[TermSpec]) -> (Design, Arc<dyn Family>, Point) {
    let base = design(seed, n, 3, terms, false);
    let mut random = Random::new(seed + 17);
    // Columns of X beside the constant vary around 3.
    let slopes = [0.1 * case.spread, -0.07 * case.spread];
    let beta = vec![
        case.centre - 3.0 * (slopes[0] + slopes[1]),
        slopes[0],
        slopes[1],
    ];
    let effects: Vec<Vec<f64>> = base
        .terms
        .iter()
        .map(|t| {
            let size = 0.5 * case.spread / (t.k as f64 * base.terms.len() as f64);
            (0..t.n_levels * t.k)
                .map(|_| size * random.normal())
                .collect()
        })
        .collect();
    let eta: Vec<f64> = (0..n)
        .map(|i| {
            let fixed: f64 = (0..3).map(|j| base.x.column(j)[i] * beta[j]).sum();
            let parts = base.terms.iter().zip(&effects).map(|(t, b)| {
                let level = &b[t.codes[i] as usize * t.k..][..t.k];
                let z = &t.z[i * t.k..(i + 1) * t.k];
                z.iter().zip(level).map(|(z, b)| z * b).sum::<f64>()
            });
            fixed + parts.sum::<f64>()
        })
        .collect();
    let (y, weights) = response(case, &eta, &mut random);
    let family = family(case.family, case.link, y, weights, None).expect("valid data");
    let theta = base
        .terms
        .iter()
        .flat_map(|t| {
            let size = 0.5 * case.spread / t.k as f64;
            let off_diagonal = |t: f64| if t == 0.0 { -0.3 * size } else { t };
            let own = t.covariance.isotropic(size, t.k).into_iter();
            own.map(off_diagonal).collect::<Vec<_>>()
        })
        .collect();
    let point = Point {
        theta,
        beta,
        log_dispersion: case.log_dispersion.unwrap_or(0.0),
        eta: None,
    };
    (base, Arc::from(family), point)
}

fn model(
    base: &Design,
    family: &Arc<dyn Family>,
    approximation: Approximation,
    information: Information,
    layout: Layout,
) -> GeneralizedModel {
    let (_, predictors) = base.clone().split();
    let options = (approximation, information);
    GeneralizedModel::with_layout(predictors, Arc::clone(family), options, layout)
        .expect("valid model")
}

fn value(model: &GeneralizedModel, point: &Point) -> f64 {
    let found = model.evaluate(point, &quiet);
    found.expect("inside the domain").objective
}

/// Each parameter of the objective moved by so much.
fn moved(model: &GeneralizedModel, point: &Point, at: usize, by: f64) -> Point {
    let mut out = point.clone();
    let (theta, beta) = (point.theta.len(), model.n_free_coefficients());
    if at < theta {
        out.theta[at] += by;
    } else if at < theta + beta {
        out.beta[at - theta] += by;
    } else {
        out.log_dispersion += by;
    }
    out
}

/// Sixth-order differences.
fn differences(model: &GeneralizedModel, point: &Point, step: f64) -> Vec<f64> {
    let n = point.theta.len() + model.n_free_coefficients() + model.n_dispersion();
    (0..n)
        .map(|j| {
            let slope = |h: f64| {
                value(model, &moved(model, point, j, h)) - value(model, &moved(model, point, j, -h))
            };
            (45.0 * slope(step) - 9.0 * slope(2.0 * step) + slope(3.0 * step)) / (60.0 * step)
        })
        .collect()
}

fn check_gradient(what: &str, model: &GeneralizedModel, point: &Point, step: f64) {
    let gradient = model.gradient(point, &quiet).expect(what);
    let expected = differences(model, point, step);
    let largest = expected.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    assert_eq!(gradient.len(), expected.len(), "{what}");
    for (j, (g, e)) in gradient.iter().zip(&expected).enumerate() {
        let error = (g - e).abs() / (e.abs() + 1e-2 * largest);
        assert!(
            error < 1e-6,
            "{what}, parameter {j}: {g} against {e} ({error:.1e})"
        );
    }
}

fn informations(family: &Arc<dyn Family>) -> Vec<Information> {
    let mut out = vec![Information::Observed];
    if family.has_expected() && !family.is_canonical() {
        out.push(Information::Expected);
    }
    out
}

#[test]
fn gradients_of_every_family_and_link_agree_with_differences() {
    let structures: [(&str, Vec<TermSpec>); 4] = [
        ("one factor", vec![(Grouping::Random(7), 1, U)]),
        ("vectors", vec![(Grouping::Random(6), 2, U)]),
        (
            "crossed",
            vec![(Grouping::Random(9), 1, U), (Grouping::Random(5), 1, U)],
        ),
        (
            "nested",
            vec![
                (Grouping::Random(3), 1, U),
                (Grouping::Within(0, 3), 1, U),
                (Grouping::Random(4), 2, D),
            ],
        ),
    ];
    for (c, case) in CASES.iter().enumerate() {
        for (s, (name, terms)) in structures.iter().enumerate() {
            let (base, family, point) = data(case, (10 * c + s) as u64, 70, terms);
            let step = 2e-3 * case.spread;
            for information in informations(&family) {
                for approximation in [Approximation::Fast, Approximation::Laplace] {
                    let model = model(&base, &family, approximation, information, Layout::Cheapest);
                    let what = format!(
                        "{} {} {name} {information:?} {approximation:?}",
                        case.family, case.link
                    );
                    check_gradient(&what, &model, &point, step);
                }
                if *name == "one factor" || *name == "vectors" && c % 5 == 0 {
                    for points in [2, 9] {
                        let approximation = Approximation::Quadrature(points);
                        let model =
                            model(&base, &family, approximation, information, Layout::Cheapest);
                        let what = format!(
                            "{} {} {name} {information:?} {points} points",
                            case.family, case.link
                        );
                        check_gradient(&what, &model, &point, step);
                    }
                }
            }
        }
    }
}

/// By sixth-order differences of the exact gradient, column-major.
fn hessian_differences(model: &GeneralizedModel, point: &Point, step: f64) -> Vec<f64> {
    let n = point.theta.len() + model.n_free_coefficients() + model.n_dispersion();
    let gradient = |j: usize, h: f64| {
        let point = moved(model, point, j, h);
        model.gradient(&point, &quiet).expect("inside the domain")
    };
    let mut out = Vec::new();
    for j in 0..n {
        let mut column = vec![0.0; n];
        for (place, weight) in [(1.0, 45.0), (2.0, -9.0), (3.0, 1.0)] {
            let (up, down) = (gradient(j, place * step), gradient(j, -place * step));
            for (out, (up, down)) in column.iter_mut().zip(up.iter().zip(&down)) {
                *out += weight * (up - down) / (60.0 * step);
            }
        }
        out.extend(column);
    }
    out
}

fn check_hessian(what: &str, model: &GeneralizedModel, point: &Point, step: f64) {
    let hessian = model.hessian(point, &quiet).expect(what);
    let expected = hessian_differences(model, point, step);
    let n = hessian.rows();
    let size = |j: usize| expected[j + j * n].abs();
    for j in 0..n {
        for i in 0..n {
            let (found, wanted) = (hessian[(i, j)], expected[i + j * n]);
            let error = (found - wanted).abs() / (wanted.abs() + (size(i) * size(j)).sqrt());
            assert!(
                error < 1e-6,
                "{what}, parameters {i} and {j}: {found} against {wanted} ({error:.1e})"
            );
        }
    }
}

/// Ways through the elimination: a dense coupling, sparse ones, nested blocks, and a sparse matrix.
fn structures() -> [(&'static str, Layout, Vec<TermSpec>); 7] {
    let (one, vectors) = (
        vec![(Grouping::Random(7), 1, U)],
        vec![(Grouping::Random(6), 2, U)],
    );
    let crossed = vec![(Grouping::Random(9), 1, U), (Grouping::Random(5), 2, U)];
    let sparsely = vec![(Grouping::Random(30), 1, U), (Grouping::Random(19), 1, U)];
    let wide = vec![(Grouping::Random(30), 2, U), (Grouping::Random(19), 1, D)];
    let nested = vec![
        (Grouping::Random(3), 1, U),
        (Grouping::Within(0, 3), 2, U),
        (Grouping::Random(4), 2, D),
    ];
    [
        ("one factor", Layout::Blocked, one),
        ("vectors", Layout::Blocked, vectors),
        ("crossed", Layout::Blocked, crossed.clone()),
        ("sparsely crossed", Layout::Blocked, sparsely),
        ("sparsely crossed vectors", Layout::Blocked, wide),
        ("nested", Layout::Blocked, nested),
        ("sparse", Layout::Sparse, crossed),
    ]
}

#[test]
fn hessians_of_every_family_and_link_agree_with_differences() {
    for (c, case) in CASES.iter().enumerate() {
        for (s, (name, layout, terms)) in structures().iter().enumerate() {
            let (base, family, point) = data(case, (10 * c + s) as u64, 70, terms);
            for information in informations(&family) {
                for approximation in [Approximation::Fast, Approximation::Laplace] {
                    let model = model(&base, &family, approximation, information, *layout);
                    let what = format!(
                        "{} {} {name} {information:?} {approximation:?}",
                        case.family, case.link
                    );
                    check_hessian(&what, &model, &point, 5e-3 * case.spread);
                }
            }
        }
    }
}

/// Without a column of X there are no coefficients to move, and the search for the modes may start anywhere.
#[test]
fn hessians_need_no_fixed_effects_and_start_at_known_modes() {
    let terms: Vec<TermSpec> = vec![(Grouping::Random(9), 1, U), (Grouping::Random(5), 1, U)];
    for case in [&CASES[5], &CASES[17]] {
        let (base, family, mut point) = data(case, 4, 80, &terms);
        for rank in [0, 3] {
            let mut base = base.clone();
            point.beta.truncate(rank);
            if rank == 0 {
                base.offset = Some(vec![case.centre; base.y.len()]);
                base.x = Matrix::from_columns(base.y.len(), 0, Vec::new()).into();
            } else {
                point.beta = vec![case.centre, 0.01, 0.01];
            }
            for approximation in [Approximation::Fast, Approximation::Laplace] {
                let observed = Information::Observed;
                let model = model(&base, &family, approximation, observed, Layout::Cheapest);
                check_hessian("few columns", &model, &point, 2e-3);
                let there = model.evaluate(&point, &quiet).expect("inside the domain");
                let cold = model.hessian(&point, &quiet).expect("a Hessian");
                for eta in [there.eta, vec![f64::INFINITY; base.y.len()]] {
                    let point = Point {
                        eta: Some(eta),
                        ..point.clone()
                    };
                    let warm = model.hessian(&point, &quiet).expect("a Hessian");
                    for (w, c) in warm.data().iter().zip(cold.data()) {
                        assert!((w - c).abs() < 1e-9 * (1.0 + c.abs()), "{w} {c}");
                    }
                }
                let point = Point {
                    eta: Some(vec![0.0]),
                    ..point.clone()
                };
                let short = model.hessian(&point, &quiet);
                assert!(short.is_err_and(|e| e.to_string().contains("linear predictor")));
            }
        }
    }
}

/// With a singular covariance factor and with none at all, whatever the layout.
#[test]
fn hessians_hold_on_the_boundary() {
    let terms: Vec<TermSpec> = vec![(Grouping::Random(8), 2, U), (Grouping::Random(5), 1, U)];
    for case in [&CASES[5], &CASES[17]] {
        let (base, family, mut point) = data(case, 3, 80, &terms);
        for theta in [
            [0.3, -0.1, 0.0, 0.2],
            [0.3, -0.1, 0.1, 0.0],
            [0.0, 0.0, 0.0, 0.2],
            [0.0; 4],
        ] {
            point.theta = theta.to_vec();
            for layout in [Layout::Blocked, Layout::Sparse] {
                let (approximation, observed) = (Approximation::Laplace, Information::Observed);
                let model = model(&base, &family, approximation, observed, layout);
                check_hessian("boundary", &model, &point, 1e-3);
            }
        }
    }
}

#[test]
fn layouts_agree() {
    let terms: Vec<TermSpec> = vec![
        (Grouping::Random(12), 2, U),
        (Grouping::Random(7), 1, U),
        (Grouping::Random(5), 1, U),
    ];
    for case in [&CASES[0], &CASES[5], &CASES[17]] {
        let (base, family, point) = data(case, 5, 90, &terms);
        for approximation in [Approximation::Fast, Approximation::Laplace] {
            let look = |layout| {
                let model = model(&base, &family, approximation, Information::Observed, layout);
                let gradient = model.gradient(&point, &quiet).expect("gradient");
                (value(&model, &point), gradient)
            };
            let (blocked, sparse) = (look(Layout::Blocked), look(Layout::Sparse));
            assert!((blocked.0 / sparse.0 - 1.0).abs() < 1e-12);
            for (b, s) in blocked.1.iter().zip(&sparse.1) {
                assert!((b - s).abs() < 1e-8 * (1.0 + b.abs()), "{b} {s}");
            }
        }
    }
}

/// With a singular covariance factor and with none at all.
#[test]
fn gradients_hold_on_the_boundary() {
    let terms: Vec<TermSpec> = vec![(Grouping::Random(8), 2, U), (Grouping::Random(5), 1, U)];
    let (base, family, mut point) = data(&CASES[5], 3, 80, &terms);
    for theta in [[0.3, -0.1, 0.0, 0.2], [0.0; 4]] {
        point.theta = theta.to_vec();
        let model = model(
            &base,
            &family,
            Approximation::Laplace,
            Information::Observed,
            Layout::Cheapest,
        );
        check_gradient("boundary", &model, &point, 1e-3);
    }
}

/// The Laplace approximation from its definition, with dense matrices.
#[test]
fn the_objective_is_what_it_says() {
    let terms: Vec<TermSpec> = vec![
        (Grouping::Random(4), 1, U),
        (Grouping::Within(0, 3), 2, U),
        (Grouping::Random(5), 1, U),
    ];
    for case in &CASES {
        let (base, family, point) = data(case, 11, 60, &terms);
        let model = model(
            &base,
            &family,
            Approximation::Laplace,
            Information::Observed,
            Layout::Cheapest,
        );
        let estimates = model.evaluate(&point, &quiet).expect("inside the domain");
        // Columns of ZΛ, dense, in the order of the terms.
        let n = base.y.len();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut start = 0;
        for t in &base.terms {
            let count = t.covariance.n_parameters(t.k);
            let lambda = t.covariance.lambda(&point.theta[start..start + count], t.k);
            start += count;
            for level in 0..t.n_levels {
                for c in 0..t.k {
                    let entry = |i: usize| {
                        if t.codes[i] as usize != level {
                            return 0.0;
                        }
                        let z = &t.z[i * t.k..(i + 1) * t.k];
                        z.iter().zip(&lambda[c * t.k..]).map(|(z, l)| z * l).sum()
                    };
                    columns.push((0..n).map(entry).collect());
                }
            }
        }
        let u: Vec<f64> = estimates.u.concat();
        let eta: Vec<f64> = (0..n)
            .map(|i| {
                let fixed: f64 = (0..3).map(|j| base.x.column(j)[i] * point.beta[j]).sum();
                fixed + columns.iter().zip(&u).map(|(z, u)| z[i] * u).sum::<f64>()
            })
            .collect();
        let density = family.at(point.log_dispersion);
        let (mut score, mut weight) = (vec![0.0; n], vec![0.0; n]);
        let log_likelihood = density.working(0, &eta, &mut score, &mut weight);
        for (e, f) in eta.iter().zip(&estimates.eta) {
            assert!((e - f).abs() < 1e-10 * (1.0 + e.abs()));
        }
        let q = columns.len();
        let mut m = vec![0.0; q * q];
        for (j, right) in columns.iter().enumerate() {
            let slope: f64 = right.iter().zip(&score).map(|(z, s)| z * s).sum();
            assert!((slope - u[j]).abs() < 1e-8, "{} {}", case.family, case.link);
            for (i, left) in columns.iter().enumerate() {
                m[i + j * q] = (0..n).map(|r| left[r] * weight[r] * right[r]).sum::<f64>()
                    + f64::from(u8::from(i == j));
            }
        }
        assert!(mixedmodels::linalg::small::cholesky(&mut m, q));
        let log_det: f64 = (0..q).map(|i| 2.0 * m[i + i * q].ln()).sum();
        let penalty: f64 = u.iter().map(|u| u * u).sum();
        let expected = penalty + log_det - 2.0 * log_likelihood;
        assert!(
            (estimates.objective - expected).abs() < 1e-10 * expected.abs(),
            "{} {}: {} {expected}",
            case.family,
            case.link,
            estimates.objective
        );
    }
}

/// Every family is fitted to a stationary point, where the Hessian is that of the gradient.
#[test]
fn fits_end_where_the_gradient_vanishes() {
    let terms: Vec<TermSpec> = vec![(Grouping::Random(12), 1, U), (Grouping::Random(6), 1, U)];
    for (c, case) in CASES.iter().enumerate() {
        let (base, family, _) = data(case, 100 + c as u64, 240, &terms);
        for approximation in [Approximation::Fast, Approximation::Laplace] {
            let what = format!("{} {} {approximation:?}", case.family, case.link);
            let model = model(
                &base,
                &family,
                approximation,
                Information::Observed,
                Layout::Cheapest,
            );
            let task = Task {
                control: CONTROL,
                ..Task::default()
            };
            let fit = model.fit(&task, &quiet);
            let fit = fit.unwrap_or_else(|e| panic!("{what}: {e}"));
            let hessian = model.hessian(&fit.estimates.point, &quiet).expect(&what);
            // In units of the standard error of each parameter.
            for (j, g) in fit.gradient.iter().enumerate() {
                let size = hessian[(j, j)].abs().sqrt().max(1e-6);
                assert!(
                    (g / size).abs() < 1e-3,
                    "{what}, parameter {j}: {g} / {size}"
                );
            }
            println!("{what}: {} evaluations", fit.outcome.log.entries.len());
            assert!(
                fit.outcome.log.entries.len() < 60,
                "{what}: {} evaluations",
                fit.outcome.log.entries.len()
            );
        }
    }
}
