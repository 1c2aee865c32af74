//! Variances of prediction errors against the inverse of the whole joint matrix.

use mixedmodels::design::Design;
use mixedmodels::family::{family, Information};
use mixedmodels::fit::Point;
use mixedmodels::inference::{
    generalized_prediction_variances, prediction_variances, NewRows, NewTerm, NO_LEVEL,
};
use mixedmodels::linalg::Matrix;
use mixedmodels::model::{Approximation, GeneralizedModel, Model};
use mixedmodels::products::Layout;

use crate::common::{lambdas, random_theta, Random};
use crate::dense::{inverse, zeros};
use crate::{design, structures, GO, TOLERANCE};

const ROWS: usize = 25;
const RANK: usize = 3;

/// Any level with any other, some rows without a level.
fn new_rows(design: &Design, seed: u64, with_coefficients: bool) -> NewRows {
    let mut random = Random::new(seed);
    let x = (0..ROWS * RANK).map(|_| random.normal()).collect();
    let mut terms: Vec<NewTerm> = Vec::new();
    for (t, term) in design.terms.iter().enumerate() {
        // Terms of one grouping factor have their levels in common, but for a few of the terms.
        let same = (0..t).find(|&s| design.terms[s].codes == term.codes);
        let codes = match same {
            Some(s) if seed % 3 > 0 => terms[s].codes.clone(),
            _ => (0..ROWS)
                .map(|_| match random.below(term.n_levels + 1) {
                    level if level == term.n_levels => NO_LEVEL,
                    level => level as u32,
                })
                .collect(),
        };
        let z = (0..ROWS * term.k).map(|_| random.normal()).collect();
        terms.push(NewTerm { codes, z });
    }
    NewRows {
        x: Matrix::from_columns(ROWS, RANK, x),
        terms,
        with_coefficients,
    }
}

/// c'Cc with C the inverse of [X'WX, X'WZL; L'Z'WX, L'Z'WZL + I], or of its lower corner.
fn reference(design: &Design, theta: &[f64], rows: &NewRows) -> Vec<f64> {
    let p = if rows.with_coefficients { RANK } else { 0 };
    let lambdas = lambdas(design, theta);
    let sizes = design.terms.iter().map(|t| t.n_levels * t.k);
    let dim = p + sizes.sum::<usize>();
    // A row of [X ZL] from its values.
    let row = |x: &dyn Fn(usize) -> f64, z: &dyn Fn(usize) -> Option<(usize, Vec<f64>)>| {
        let mut out: Vec<f64> = (0..p).map(x).collect();
        for (t, (term, lambda)) in design.terms.iter().zip(&lambdas).enumerate() {
            let k = term.k;
            let mut own = vec![0.0; term.n_levels * k];
            if let Some((level, z)) = z(t) {
                for j in 0..k {
                    own[level * k + j] = (0..k).map(|i| z[i] * lambda[i + j * k]).sum();
                }
            }
            out.extend(own);
        }
        out
    };
    let mut joint = zeros(dim, dim);
    (p..dim).for_each(|i| joint[(i, i)] = 1.0);
    for i in 0..design.y.len() {
        let w = design.weights.as_ref().map_or(1.0, |w| w[i]);
        let c = row(&|j| design.x.column(j)[i], &|t| {
            let term = &design.terms[t];
            let z = term.z[i * term.k..(i + 1) * term.k].to_vec();
            Some((term.codes[i] as usize, z))
        });
        for b in 0..dim {
            for a in 0..dim {
                joint[(a, b)] += w * c[a] * c[b];
            }
        }
    }
    let inverse = inverse(&joint);
    (0..ROWS)
        .map(|i| {
            let c = row(&|j| rows.x[(i, j)], &|t| {
                let (own, k) = (&rows.terms[t], design.terms[t].k);
                let level = own.codes[i];
                (level != NO_LEVEL).then(|| (level as usize, own.z[i * k..(i + 1) * k].to_vec()))
            });
            let half = (0..dim).map(|b| (0..dim).map(|a| inverse[(a, b)] * c[a]).sum::<f64>());
            half.zip(&c).map(|(h, c)| h * c).sum()
        })
        .collect()
}

fn generalized(design: &Design, layout: Layout) -> GeneralizedModel {
    let family = family(
        "gaussian",
        "identity",
        design.y.clone(),
        design.weights.clone(),
        None,
    );
    let (_, mut predictors) = design.clone().split();
    predictors.weights = None;
    let how = (Approximation::Laplace, Information::Observed);
    let family = family.expect("known").into();
    GeneralizedModel::with_layout(predictors, family, how, layout).expect("valid")
}

#[test]
fn variances_agree_whatever_the_elimination() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        for (weighted, with_coefficients) in [(false, true), (true, true), (true, false)] {
            let seed = s as u64 + 1;
            let design = design(seed, n, RANK, &terms, weighted);
            let theta = random_theta(&design, seed + 50, s % 3 == 0);
            let rows = new_rows(&design, seed + 7, with_coefficients);
            let expected = reference(&design, &theta, &rows);
            for layout in [Layout::Blocked, Layout::Sparse] {
                let model = Model::with_layout(design.clone(), layout).expect("valid");
                let linear = prediction_variances(&model, &theta, &rows, GO).expect("computable");
                let model = generalized(&design, layout);
                let point = Point {
                    theta: theta.clone(),
                    beta: vec![0.0; RANK],
                    ..Point::default()
                };
                let other = generalized_prediction_variances(&model, &point, &rows, GO);
                for (kind, ours) in [("linear", linear), ("other", other.expect("computable"))] {
                    for (i, (a, b)) in ours.iter().zip(&expected).enumerate() {
                        assert!(
                            (a - b).abs() < 10.0 * TOLERANCE * b.max(1.0),
                            "{name}, {layout:?}, {kind}, {i}: {a}, not {b}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn rows_that_do_not_fit_the_model_are_refused() {
    let (_, n, terms) = structures().remove(0);
    let design = design(1, n, RANK, &terms, false);
    let theta = random_theta(&design, 2, false);
    let model = Model::new(design.clone()).expect("valid");
    let good = new_rows(&design, 3, true);
    let refused = |change: &dyn Fn(&mut NewRows)| {
        let mut rows = good.clone();
        change(&mut rows);
        prediction_variances(&model, &theta, &rows, GO).expect_err("rows of another model")
    };
    refused(&|rows| rows.terms.truncate(0));
    refused(&|rows| rows.x = zeros(ROWS, RANK + 1));
    refused(&|rows| rows.terms[0].codes.truncate(1));
    refused(&|rows| rows.terms[0].z.truncate(1));
    let error = refused(&|rows| rows.terms[0].codes[0] = 10_000);
    assert!(error.to_string().contains("10000"));
}
