//! What inference needs of the engine against the formulas of the papers on n × n matrices.

mod common;

use common::{lambdas, Grouping, Random, TermSpec, D, U};
use mixedmodels::design::{Design, Layout, Model};
use mixedmodels::inference::{covariance_slopes, kenward_roger};
use mixedmodels::linalg::Matrix;
use mixedmodels::objective::Monitor;
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
    all
}

/// Terms of one factor must not share a column here: their variances could not be told apart.
fn design(seed: u64, n: usize, p: usize, terms: &[TermSpec], weighted: bool) -> Design {
    let mut design = common::design(seed, n, p, terms, weighted);
    let mut random = Random::new(seed + 1000);
    for (term, (grouping, k, _)) in design.terms.iter_mut().zip(terms) {
        if matches!(grouping, Grouping::Same(_)) {
            let first = term.z.iter_mut().step_by(*k);
            first.for_each(|z| *z = random.normal());
        }
    }
    design
}

/// Any point, sometimes with the last column of every λ exactly zero.
fn random_theta(design: &Design, seed: u64, singular: bool) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut theta = Vec::new();
    for term in &design.terms {
        for (a, b) in term.template.entries(term.k) {
            let diagonal = if a == b { 0.7 } else { 0.0 };
            let zero = singular && b + 1 == term.k;
            let value = diagonal + 0.3 * random.normal();
            theta.push(if zero { 0.0 } else { value });
        }
    }
    theta
}

fn zeros(rows: usize, cols: usize) -> Matrix {
    Matrix::zeros(rows, cols, "a test matrix").expect("memory")
}

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = zeros(a.rows(), b.cols());
    for j in 0..b.cols() {
        for (h, &s) in b.column(j).iter().enumerate() {
            let column = a.column(h).iter();
            out.column_mut(j)
                .iter_mut()
                .zip(column)
                .for_each(|(o, v)| *o += s * v);
        }
    }
    out
}

fn transposed(a: &Matrix) -> Matrix {
    let mut out = zeros(a.cols(), a.rows());
    for j in 0..a.cols() {
        for i in 0..a.rows() {
            out[(j, i)] = a[(i, j)];
        }
    }
    out
}

fn add(a: &mut Matrix, s: f64, b: &Matrix) {
    let pairs = a.data_mut().iter_mut().zip(b.data());
    pairs.for_each(|(a, b)| *a += s * b);
}

fn trace_of_product(a: &Matrix, b: &Matrix) -> f64 {
    let cells = (0..a.cols()).flat_map(|j| (0..a.rows()).map(move |i| (i, j)));
    cells.map(|(i, j)| a[(i, j)] * b[(j, i)]).sum()
}

/// Gauss-Jordan with pivots.
fn inverse(a: &Matrix) -> Matrix {
    let n = a.rows();
    let mut a = transposed(a);
    let mut out = zeros(n, n);
    (0..n).for_each(|i| out[(i, i)] = 1.0);
    for j in 0..n {
        let pivot = (j..n)
            .max_by(|&x, &y| a[(j, x)].abs().total_cmp(&a[(j, y)].abs()))
            .expect("a pivot");
        for m in [&mut a, &mut out] {
            let (own, other) = (m.column(j).to_vec(), m.column(pivot).to_vec());
            m.column_mut(pivot).copy_from_slice(&own);
            m.column_mut(j).copy_from_slice(&other);
        }
        let scale = a[(j, j)];
        for m in [&mut a, &mut out] {
            m.column_mut(j).iter_mut().for_each(|v| *v /= scale);
        }
        for i in (0..n).filter(|&i| i != j) {
            let factor = a[(j, i)];
            for m in [&mut a, &mut out] {
                let own = m.column(j).to_vec();
                let target = m.column_mut(i).iter_mut();
                target.zip(&own).for_each(|(t, v)| *t -= factor * v);
            }
        }
    }
    transposed(&out)
}

/// Z M Z' for a k × k matrix M of one term.
fn spread(design: &Design, term: usize, m: &[f64]) -> Matrix {
    let (n, term) = (design.y.len(), &design.terms[term]);
    let k = term.k;
    let mut out = zeros(n, n);
    for j in 0..n {
        for i in (0..n).filter(|&i| term.codes[i] == term.codes[j]) {
            let (left, right) = (&term.z[i * k..][..k], &term.z[j * k..][..k]);
            out[(i, j)] = (0..k * k).map(|e| left[e % k] * m[e] * right[e / k]).sum();
        }
    }
    out
}

/// The model at theta, relative to σ².
struct Reference {
    v_inverse: Matrix,
    /// V^-1 X.
    vx: Matrix,
    /// (X'V^-1X)^-1.
    covariance: Matrix,
    /// dV/dθ_i.
    by_theta: Vec<Matrix>,
    /// dV/ds_i.
    by_element: Vec<Matrix>,
    sigma2: f64,
}

impl Reference {
    /// `kept` are the independent columns of X.
    fn new(design: &Design, theta: &[f64], kept: &[usize]) -> Self {
        let n = design.y.len();
        let columns = kept.iter().flat_map(|&j| design.x.column(j).to_vec());
        let x = Matrix::from_columns(n, kept.len(), columns.collect());
        let mut residual = zeros(n, n);
        for i in 0..n {
            residual[(i, i)] = 1.0 / design.weights.as_ref().map_or(1.0, |w| w[i]);
        }
        let mut v = residual.clone();
        let (mut by_theta, mut by_element) = (Vec::new(), Vec::new());
        for (t, (term, lambda)) in design.terms.iter().zip(lambdas(design, theta)).enumerate() {
            let k = term.k;
            let l = Matrix::from_columns(k, k, lambda);
            add(
                &mut v,
                1.0,
                &spread(design, t, times(&l, &transposed(&l)).data()),
            );
            for (a, b) in term.template.entries(k) {
                let mut e = zeros(k, k);
                e[(a, b)] = 1.0;
                let mut d = times(&e, &transposed(&l));
                let other = transposed(&d);
                add(&mut d, 1.0, &other);
                by_theta.push(spread(design, t, d.data()));
                e[(b, a)] = 1.0;
                by_element.push(spread(design, t, e.data()));
            }
        }
        by_element.push(residual);
        let v_inverse = inverse(&v);
        let vx = times(&v_inverse, &x);
        let covariance = inverse(&times(&transposed(&x), &vx));
        let offset = |i: usize| design.offset.as_ref().map_or(0.0, |o| o[i]);
        let y = (0..n).map(|i| design.y[i] - offset(i)).collect();
        let y = Matrix::from_columns(n, 1, y);
        let vy = times(&v_inverse, &y);
        let xvy = times(&transposed(&x), &vy);
        let r2 = times(&transposed(&y), &vy)[(0, 0)]
            - times(&transposed(&xvy), &times(&covariance, &xvy))[(0, 0)];
        Self {
            v_inverse,
            vx,
            covariance,
            by_theta,
            by_element,
            sigma2: r2 / (n - kept.len()) as f64,
        }
    }

    /// X'V^-1 G V^-1 X.
    fn form(&self, g: &Matrix) -> Matrix {
        times(&transposed(&self.vx), &times(g, &self.vx))
    }

    fn covariance_slopes(&self) -> Vec<Matrix> {
        let slope = |g: &Matrix| times(&self.covariance, &times(&self.form(g), &self.covariance));
        self.by_theta.iter().map(slope).collect()
    }

    /// P_i, W, Φ and Φ_A, in absolute units.
    fn kenward_roger(&self) -> (Vec<Matrix>, Matrix, Matrix, Matrix) {
        let s2 = self.sigma2;
        let r = self.by_element.len();
        let mut v_inverse = self.v_inverse.clone();
        v_inverse.data_mut().iter_mut().for_each(|v| *v /= s2);
        let mut phi = self.covariance.clone();
        phi.data_mut().iter_mut().for_each(|v| *v *= s2);
        let mut vx = self.vx.clone();
        vx.data_mut().iter_mut().for_each(|v| *v /= s2);
        let vg: Vec<Matrix> = self
            .by_element
            .iter()
            .map(|g| times(&v_inverse, g))
            .collect();
        let gvx: Vec<Matrix> = self.by_element.iter().map(|g| times(g, &vx)).collect();
        let p: Vec<Matrix> = gvx
            .iter()
            .map(|gvx| {
                let mut out = zeros(phi.rows(), phi.rows());
                add(&mut out, -1.0, &times(&transposed(&vx), gvx));
                out
            })
            .collect();
        let mut information = zeros(r, r);
        let mut parts = Vec::new();
        for i in 0..r {
            for j in 0..r {
                let q = times(&transposed(&gvx[i]), &times(&v_inverse, &gvx[j]));
                let pp = times(&p[i], &times(&phi, &p[j]));
                information[(i, j)] = trace_of_product(&vg[i], &vg[j])
                    - 2.0 * trace_of_product(&phi, &q)
                    + trace_of_product(&phi, &pp);
                let mut part = q;
                add(&mut part, -1.0, &pp);
                parts.push(part);
            }
        }
        let mut w = inverse(&information);
        w.data_mut().iter_mut().for_each(|v| *v *= 2.0);
        let mut sum = zeros(phi.rows(), phi.rows());
        for (e, part) in parts.iter().enumerate() {
            add(&mut sum, w[(e / r, e % r)], part);
        }
        let mut adjusted = phi.clone();
        add(&mut adjusted, 2.0, &times(&phi, &times(&sum, &phi)));
        (p, w, phi, adjusted)
    }
}

/// Relative to the largest entry.
fn assert_close(name: &str, ours: &Matrix, reference: &Matrix) {
    assert_eq!(
        (ours.rows(), ours.cols()),
        (reference.rows(), reference.cols()),
        "{name}"
    );
    let scale = reference
        .data()
        .iter()
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (a, b)) in ours.data().iter().zip(reference.data()).enumerate() {
        let error = (a - b).abs() / scale.max(f64::MIN_POSITIVE);
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
    for (ours, theirs) in slopes.iter().zip(reference.covariance_slopes()) {
        assert_close(&format!("{name}, covariance slopes"), ours, &theirs);
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
fn dependent_columns_of_x_are_left_out() {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let mut design = design(s as u64 + 61, n, 3, &terms, true);
        let sum = (0..n)
            .map(|i| design.x[(i, 1)] - 2.0 * design.x[(i, 2)])
            .collect::<Vec<_>>();
        let columns = [design.x.data(), &sum].concat();
        design.x = Matrix::from_columns(n, 4, columns);
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
        design.x = zeros(n, 0);
        let theta = random_theta(&design, s as u64 + 17, false);
        for layout in LAYOUTS {
            check(name, &design, &theta, layout);
        }
    }
}

#[test]
fn variance_parameters_that_cannot_be_told_apart_are_named() {
    let terms = [
        (Grouping::Random(6), 1, U),
        (Grouping::Same(0), 1, U),
        (Grouping::Random(8), 1, U),
    ];
    let design = common::design(5, 60, 2, &terms, false);
    for layout in LAYOUTS {
        let model = Model::with_layout(design.clone(), layout).expect("a valid design");
        let refused = kenward_roger(&model, &[0.5, 0.6, 0.4], GO).expect_err("the same term twice");
        assert!(
            matches!(&refused, Error::Domain(m) if m.contains("apart")),
            "{refused}"
        );
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
    let (_, n, terms) = structures().pop().expect("a structure");
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
