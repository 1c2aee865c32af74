//! Many responses to one design against one fit for each.

mod common;

use common::{design, linear, Grouping, Random, TermSpec, U};
use mixedmodels::design::{Design, Predictors, Term};
use mixedmodels::fit::{Estimates, Linear, MixedModel, Point, StartValues, Task};
use mixedmodels::linalg::Matrix;
use mixedmodels::many::{
    delete_given_theta, delete_rows, fit_many, refit_many, ResponseFit, RowSets,
};
use mixedmodels::model::Model;
use mixedmodels::objective::Criterion;
use mixedmodels::optimize::{Control, Optimizer, Status};
use mixedmodels::products::Layout;
use mixedmodels::Error;

const UNLIMITED: Control = Control::UNLIMITED;

/// Responses whose random effects range from none to large.
fn responses(data: &Design, m: usize) -> Matrix {
    let mut random = Random::new(99);
    let n = data.y.len();
    let mut values = Vec::with_capacity(n * m);
    for column in 0..m {
        let size = [0.0, 0.2, 1.0, 30.0][column % 4];
        let effects: Vec<Vec<f64>> = data
            .terms
            .iter()
            .map(|t| {
                (0..t.n_levels * t.k)
                    .map(|_| size * random.normal())
                    .collect()
            })
            .collect();
        for i in 0..n {
            let mut y = 5.0 + data.x.column(data.x.cols() - 1)[i] + random.normal();
            for (t, b) in data.terms.iter().zip(&effects) {
                let at = t.codes[i] as usize * t.k;
                y += (0..t.k).map(|c| t.z[i * t.k + c] * b[at + c]).sum::<f64>();
            }
            values.push(y);
        }
    }
    Matrix::from_columns(n, m, values)
}

fn many(data: &Design, y: &Matrix, criterion: Criterion) -> Vec<Result<ResponseFit, Error>> {
    let (_, predictors) = data.clone().split();
    fit_many(&predictors, y, criterion, &UNLIMITED, &|_| Ok(())).expect("no interrupt")
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    let error = (a - b).abs() / b.abs().max(1.0);
    assert!(
        error <= tolerance,
        "{what}: {a} and {b} differ by {error:e}"
    );
}

fn agrees_with_single_fits(data: &Design, y: &Matrix, what: &str) {
    for criterion in [Criterion::Ml, Criterion::Reml] {
        let fits = many(data, y, criterion);
        for (column, found) in fits.into_iter().enumerate() {
            let what = format!("{what}, {criterion:?}, response {column}");
            let found = found.expect("a fit");
            let alone = Design {
                y: y.column(column).to_vec(),
                ..data.clone()
            };
            let model = Model::new(alone).expect("valid");
            let go = &|_| Ok(());
            let expected = linear(&model, criterion)
                .fit(
                    &Task {
                        optimizer: Optimizer::TrustRegion,
                        control: UNLIMITED,
                        ..Task::default()
                    },
                    go,
                )
                .expect("a fit");
            let estimates = &expected.estimates;
            assert_eq!(found.status, Status::Converged, "{what}");
            close(found.objective, estimates.objective, 1e-10, &what);
            close(found.sigma, estimates.sigma, 1e-7, &what);
            for (a, b) in found.theta.iter().zip(&expected.theta) {
                close(*a, *b, 2e-6, &what);
            }
            for (j, &kept) in model.fixed.kept.iter().enumerate() {
                let error = estimates.sigma * estimates.unscaled_covariance[(j, j)].sqrt();
                close(found.beta[kept], estimates.beta[j], 1e-7, &what);
                close(found.std_errors[kept], error, 1e-6, &what);
            }
        }
    }
}

#[test]
fn one_variance_by_eigenvalues_agrees_with_single_fits() {
    let cases: [(&str, usize, usize, usize, bool); 5] = [
        ("unequal sizes", 60, 2, 8, false),
        ("weights and offset", 80, 3, 12, true),
        ("more coefficients than levels", 60, 6, 4, false),
        ("intercept only", 50, 1, 10, false),
        ("no fixed effects", 50, 0, 10, false),
    ];
    for (what, n, p, levels, weighted) in cases {
        let mut data = design(
            5,
            n,
            p.max(1),
            &[(Grouping::Random(levels), 1, U)],
            weighted,
        );
        let y = responses(&data, 8);
        if p == 0 {
            data.x = Matrix::from_columns(n, 0, Vec::new()).into();
        }
        agrees_with_single_fits(&data, &y, what);
    }
}

#[test]
fn balanced_groups_and_covariates_of_the_group_agree_with_single_fits() {
    let mut data = design(8, 90, 3, &[(Grouping::Random(15), 1, U)], false);
    data.terms[0].codes = (0..90).map(|i| i % 15).collect();
    let of_group: Vec<f64> = (0..90).map(|i| f64::from(i % 15 % 2)).collect();
    let x = [data.x.column(0), &of_group, data.x.column(2)].concat();
    data.x = Matrix::from_columns(90, 3, x).into();
    agrees_with_single_fits(&data, &responses(&data, 8), "balanced");
}

#[test]
fn one_slope_without_intercept_agrees_with_single_fits() {
    let mut data = design(9, 70, 2, &[(Grouping::Random(9), 1, U)], false);
    data.terms[0].z = data.x.column(1).to_vec().into();
    agrees_with_single_fits(&data, &responses(&data, 8), "slope");
}

#[test]
fn other_designs_agree_with_single_fits() {
    let cases: [(usize, Vec<TermSpec>); 3] = [
        (90, vec![(Grouping::Random(12), 2, U)]),
        (90, vec![(Grouping::Random(12), 2, "diag")]),
        (
            100,
            vec![(Grouping::Random(15), 1, U), (Grouping::Random(7), 1, U)],
        ),
    ];
    for (s, (n, terms)) in cases.into_iter().enumerate() {
        let data = design(s as u64 + 30, n, 2, &terms, s == 2);
        agrees_with_single_fits(&data, &responses(&data, 4), &format!("design {s}"));
    }
}

#[test]
fn a_response_with_gaps_is_fitted_on_its_own_rows() {
    let data = design(11, 60, 2, &[(Grouping::Random(8), 1, U)], true);
    let complete = responses(&data, 3);
    let mut y = complete.clone();
    let gaps = [0, 7, 33];
    gaps.iter().for_each(|&i| y.column_mut(1)[i] = f64::NAN);
    let fits = many(&data, &y, Criterion::Reml);
    let whole = many(&data, &complete, Criterion::Reml);
    assert_eq!((&fits[0], &fits[2]), (&whole[0], &whole[2]));
    let rows: Vec<usize> = (0..60).filter(|i| !gaps.contains(i)).collect();
    let pick = |v: &[f64]| rows.iter().map(|&i| v[i]).collect::<Vec<f64>>();
    let mut own = data.clone();
    own.y = pick(complete.column(1));
    let x = (0..2).flat_map(|j| pick(data.x.column(j))).collect();
    own.x = Matrix::from_columns(rows.len(), 2, x).into();
    own.terms[0].codes = rows.iter().map(|&i| data.terms[0].codes[i]).collect();
    own.terms[0].z = pick(&data.terms[0].z).into();
    own.weights = data.weights.as_deref().map(pick);
    own.offset = data.offset.as_deref().map(pick);
    let column = Matrix::from_columns(rows.len(), 1, own.y.clone());
    let alone = many(&own, &column, Criterion::Reml);
    assert_eq!(fits[1], alone[0]);
}

#[test]
fn one_bad_response_does_not_touch_the_others() {
    let data = design(12, 60, 2, &[(Grouping::Random(8), 1, U)], false);
    let good = responses(&data, 5);
    let mut y = good.clone();
    y.column_mut(0).fill(3.0);
    y.column_mut(1)[4] = f64::INFINITY;
    y.column_mut(2).fill(f64::NAN);
    let exact: Vec<f64> = data.terms[0]
        .codes
        .iter()
        .map(|&c| f64::from(c).sin())
        .collect();
    y.column_mut(3).copy_from_slice(&exact);
    let fits = many(&data, &y, Criterion::Reml);
    assert_eq!(fits[0], Err(Error::ExactFit));
    assert!(matches!(fits[1], Err(Error::Domain(_))));
    assert!(matches!(fits[2], Err(Error::Domain(_))));
    assert_eq!(fits[3], Err(Error::ExactFit));
    assert_eq!(fits[4], many(&data, &good, Criterion::Reml)[4]);
}

#[test]
fn limits_and_interrupts_are_obeyed() {
    let data = design(13, 60, 2, &[(Grouping::Random(8), 1, U)], false);
    let y = responses(&data, 40);
    let (_, predictors) = data.split();
    let limited = Control {
        max_evaluations: Some(2),
        ..Control::UNLIMITED
    };
    let fits = fit_many(&predictors, &y, Criterion::Ml, &limited, &|_| Ok(())).expect("fits");
    let fit = fits[3].as_ref().expect("a fit");
    assert_eq!(fit.status, Status::MaxEvaluations);
    let stop = |done: usize| {
        if done < 10 {
            Ok(())
        } else {
            Err(Error::Interrupted)
        }
    };
    let stopped = fit_many(&predictors, &y, Criterion::Ml, &UNLIMITED, &stop);
    assert_eq!(stopped, Err(Error::Interrupted));
}

#[test]
fn invalid_predictors_are_an_error_whatever_the_gaps_of_the_responses() {
    let data = design(13, 60, 2, &[(Grouping::Random(8), 1, U)], true);
    let mut y = responses(&data, 3);
    y.column_mut(1)[7] = f64::NAN;
    let (_, valid) = data.split();
    let fit = |predictors: &Predictors| {
        fit_many(predictors, &y, Criterion::Ml, &UNLIMITED, &|_| Ok(())).map(|_| ())
    };
    let mut code = valid.clone();
    let codes = &valid.terms[0].codes;
    let codes = codes.iter().enumerate();
    code.terms[0].codes = codes.map(|(i, &v)| if i == 3 { 99 } else { v }).collect();
    let mut short = valid.clone();
    short.terms[0].codes = valid.terms[0].codes[1..].to_vec().into();
    let mut weights = valid.clone();
    weights.weights = Some(vec![1.0; 5]);
    let mut values = valid.clone();
    values.terms[0].z = valid.terms[0].z[1..].to_vec().into();
    for (predictors, what) in [
        (code, "99"),
        (short, "codes"),
        (weights, "weights"),
        (values, "z"),
    ] {
        let error = fit(&predictors).expect_err("invalid");
        assert!(error.to_string().contains(what), "{error}");
    }
}

const TIGHT: Control = Control {
    tolerance: Some(1e-12),
    ..Control::UNLIMITED
};

/// The theta of a fit.
fn optimum(model: &Model, criterion: Criterion) -> Vec<f64> {
    let task = Task {
        control: TIGHT,
        ..Task::default()
    };
    let fit = linear(model, criterion).fit(&task, &|_| Ok(()));
    fit.expect("a fit").theta
}

/// A fit from shared cross-products against one from the rows that starts at the same theta, and against
/// the estimates of the rows at its own theta.
fn agrees(found: &ResponseFit, model: &Model, start: &[f64], criterion: Criterion, what: &str) {
    let go = &|_| Ok(());
    let task = Task {
        control: TIGHT,
        start: StartValues {
            theta: Some(start.to_vec()),
            ..StartValues::default()
        },
        ..Task::default()
    };
    let expected = linear(model, criterion).fit(&task, go).expect("a fit");
    assert_eq!(found.status, Status::Converged, "{what}");
    close(found.objective, expected.estimates.objective, 1e-8, what);
    let point = Point {
        theta: found.theta.clone(),
        ..Point::default()
    };
    let estimates = linear(model, criterion)
        .evaluate(&point, go)
        .expect("estimates");
    close(found.objective, estimates.objective, 1e-10, what);
    close(found.sigma, estimates.sigma, 1e-8, what);
    for (j, beta) in found.beta.iter().enumerate() {
        match model.fixed.kept.iter().position(|&kept| kept == j) {
            Some(at) => close(*beta, estimates.beta[at], 1e-8, what),
            None => assert!(beta.is_nan(), "{what}: {beta} for a dropped column"),
        }
    }
}

/// Designs of every structure, with weights and an offset.
fn each_model(check: impl Fn(&str, &Design, &Model, Layout)) {
    for (name, n, specs) in common::structures() {
        for layout in [Layout::Blocked, Layout::Sparse] {
            let data = design(11, 2 * n, 3, &specs, true);
            let model = Model::with_layout(data.clone(), layout).expect("valid");
            check(&format!("{name}, {layout:?}"), &data, &model, layout);
        }
    }
}

#[test]
fn refits_from_shared_products_agree_with_fits_from_the_rows() {
    each_model(|name, data, model, layout| {
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let theta = optimum(model, criterion);
            let y = responses(data, 3);
            let go = &|_| Ok(());
            let task = Task {
                start: StartValues {
                    theta: Some(theta.clone()),
                    ..StartValues::default()
                },
                control: TIGHT,
                ..Task::default()
            };
            let found = refit_many(model, &y, criterion, &task, go).expect("no interrupt");
            for (column, found) in found.into_iter().enumerate() {
                let alone = Design {
                    y: y.column(column).to_vec(),
                    ..data.clone()
                };
                let alone = Model::with_layout(alone, layout).expect("valid");
                let what = format!("{name}, {criterion:?}, response {column}");
                agrees(&found.expect("a fit"), &alone, &theta, criterion, &what);
            }
        }
    });
}

/// The observations of other levels.
fn without(data: &Design, term: usize, level: u32) -> Design {
    keep(data, |i| data.terms[term].codes[i] != level)
}

fn without_rows(data: &Design, rows: &[u32]) -> Design {
    keep(data, |i| !rows.contains(&(i as u32)))
}

fn keep(data: &Design, kept: impl Fn(usize) -> bool) -> Design {
    let rows: Vec<usize> = (0..data.y.len()).filter(|&i| kept(i)).collect();
    let pick = |v: &[f64]| rows.iter().map(|&i| v[i]).collect::<Vec<f64>>();
    let p = data.x.cols();
    let x = (0..p).flat_map(|j| pick(data.x.column(j))).collect();
    let terms = data.terms.iter().map(|t| Term {
        codes: rows.iter().map(|&i| t.codes[i]).collect(),
        z: rows
            .iter()
            .flat_map(|&i| t.z[i * t.k..(i + 1) * t.k].to_vec())
            .collect(),
        ..t.clone()
    });
    Design {
        y: pick(&data.y),
        x: Matrix::from_columns(rows.len(), p, x).into(),
        terms: terms.collect(),
        weights: data.weights.as_deref().map(pick),
        offset: data.offset.as_deref().map(pick),
    }
}

fn deletions_agree(name: &str, data: &Design, model: &Model, term: usize, criterion: Criterion) {
    let theta = optimum(model, criterion);
    let sets = levels(data, term);
    let found = delete(model, &sets, criterion, &theta, &|_| Ok(())).expect("no interrupt");
    assert_eq!(found.len(), data.terms[term].n_levels);
    for (level, found) in found.into_iter().enumerate().step_by(5) {
        let rest = Model::new(without(data, term, level as u32)).expect("valid");
        let what = format!("{name}, {criterion:?}, term {term} without level {level}");
        agrees(&found.expect("a fit"), &rest, &theta, criterion, &what);
    }
}

/// The rows of each level of a term.
fn levels(data: &Design, term: usize) -> RowSets {
    let codes = &data.terms[term].codes;
    let mut rows = Vec::new();
    let mut ranges = vec![0];
    for level in 0..data.terms[term].n_levels {
        rows.extend((0..codes.len() as u32).filter(|&i| codes[i as usize] as usize == level));
        ranges.push(rows.len());
    }
    RowSets::new(rows, ranges, codes.len()).expect("valid")
}

fn delete(
    model: &Model,
    sets: &RowSets,
    criterion: Criterion,
    theta: &[f64],
    watch: &(dyn Fn(usize) -> Result<(), Error> + Sync),
) -> Result<Vec<Result<ResponseFit, Error>>, Error> {
    let task = Task {
        control: TIGHT,
        start: StartValues {
            theta: Some(theta.to_vec()),
            ..StartValues::default()
        },
        ..Task::default()
    };
    let found = delete_rows(model, sets, criterion, &task, watch)?;
    Ok(found.into_iter().map(|d| d.map(|d| d.fit)).collect())
}

/// Sets of one, a few and many rows: the closed form against evaluations without them.
#[test]
fn estimates_at_one_theta_are_those_of_the_other_rows() {
    each_model(|name, data, model, _| {
        let n = data.y.len();
        let many: Vec<u32> = (0..n as u32).filter(|i| i % 2 == 0).collect();
        let few = vec![1, 4, n as u32 / 2];
        let rows = [few.clone(), many.clone()].concat();
        let ranges = vec![0, few.len(), rows.len()];
        let some = RowSets::new(rows, ranges, n).expect("valid");
        let single = RowSets::new(vec![0, 7], vec![0, 1, 2], n).expect("valid");
        for criterion in [Criterion::Ml, Criterion::Reml] {
            let theta = optimum(model, criterion);
            let whole = evaluated(model, criterion, &theta);
            for sets in [&some, &single, &levels(data, 0)] {
                let found = delete_given_theta(model, sets, criterion, &theta, &|_| Ok(()))
                    .expect("no interrupt");
                for set in (0..sets.len()).step_by(3) {
                    let rest = Model::new(without_rows(data, sets.of(set))).expect("valid");
                    if rest.structure.rank < model.structure.rank {
                        continue;
                    }
                    let own = evaluated(&rest, criterion, &theta);
                    let what = format!("{name}, {criterion:?}, set {set} of {}", sets.len());
                    let p = own.beta.len();
                    close(found.objective[set], own.objective, 1e-9, &what);
                    close(found.sigma[set], own.sigma, 1e-8, &what);
                    for j in 0..p {
                        let error = own.sigma * own.unscaled_covariance[(j, j)].sqrt();
                        let change = own.beta[j] - whole.beta[j];
                        let gap = found.beta[set * p + j] - change;
                        assert!(gap.abs() < 1e-7 * error, "{what}: coefficient {j}, {gap:e}");
                        for i in 0..p {
                            let at = (set * p + j) * p + i;
                            let scale = (own.unscaled_covariance[(j, j)]
                                * own.unscaled_covariance[(i, i)])
                                .sqrt();
                            let gap = found.covariance[at] - own.unscaled_covariance[(i, j)];
                            assert!(gap.abs() < 1e-8 * scale, "{what}: covariance, {gap:e}");
                        }
                    }
                }
            }
        }
    });
}

fn evaluated(model: &Model, criterion: Criterion, theta: &[f64]) -> Estimates {
    let linear = Linear { model, criterion };
    let evaluated = linear.evaluate(&Point::of_theta(theta), &|_| Ok(()));
    evaluated.expect("a value")
}

#[test]
fn deletions_agree_with_fits_of_the_other_rows() {
    each_model(|name, data, model, _| {
        for term in 0..data.terms.len() {
            for criterion in [Criterion::Ml, Criterion::Reml] {
                deletions_agree(name, data, model, term, criterion);
            }
        }
    });
}

#[test]
fn a_level_that_alone_determines_a_column_takes_it_along() {
    let mut data = design(3, 120, 3, &[(Grouping::Random(10), 1, U)], true);
    let in_level = |i: usize| f64::from(u8::from(data.terms[0].codes[i] == 5));
    let x = (0..120).map(in_level);
    let x = [data.x.data(), &x.collect::<Vec<f64>>()].concat();
    data.x = Matrix::from_columns(120, 4, x).into();
    let model = Model::new(data.clone()).expect("valid");
    deletions_agree("a column of a level", &data, &model, 0, Criterion::Ml);
}

#[test]
fn deletions_end_when_the_caller_says_so_and_refuse_rows_that_are_not_there() {
    let data = design(3, 60, 2, &[(Grouping::Random(10), 1, U)], false);
    let model = Model::new(data.clone()).expect("valid");
    let sets = levels(&data, 0);
    let stopped = delete(&model, &sets, Criterion::Ml, &[1.0], &|done| {
        if done < 3 {
            Ok(())
        } else {
            Err(Error::Interrupted)
        }
    });
    assert_eq!(stopped.map(|_| ()), Err(Error::Interrupted));
    let refused = |rows, ranges| matches!(RowSets::new(rows, ranges, 60), Err(Error::Domain(_)));
    assert!(refused(vec![60], vec![0, 1]) && refused(vec![2, 1], vec![0, 2]));
    assert!(refused(vec![1, 2], vec![0, 1]) && refused(vec![1], vec![]));
}
