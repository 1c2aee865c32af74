//! The formulas of Kenward & Roger (1997) and of Satterthwaite's method on n × n matrices.

use mixedmodels::covariance::along;
use mixedmodels::design::Design;
use mixedmodels::linalg::Matrix;

use crate::common::lambdas;

pub fn zeros(rows: usize, cols: usize) -> Matrix {
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
pub fn inverse(a: &Matrix) -> Matrix {
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
pub struct Reference {
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
    pub fn new(design: &Design, theta: &[f64], kept: &[usize]) -> Self {
        let n = design.y.len();
        let columns = kept.iter().flat_map(|&j| design.x.column(j).to_vec());
        let x = Matrix::from_columns(n, kept.len(), columns.collect());
        let mut residual = zeros(n, n);
        for i in 0..n {
            residual[(i, i)] = 1.0 / design.weights.as_ref().map_or(1.0, |w| w[i]);
        }
        let mut v = residual.clone();
        let (mut by_theta, mut by_element, mut start) = (Vec::new(), Vec::new(), 0);
        for (t, (term, lambda)) in design.terms.iter().zip(lambdas(design, theta)).enumerate() {
            let k = term.k;
            let l = Matrix::from_columns(k, k, lambda);
            add(
                &mut v,
                1.0,
                &spread(design, t, times(&l, &transposed(&l)).data()),
            );
            let own = &theta[start..start + term.covariance.n_parameters(k)];
            start += own.len();
            for i in 0..own.len() {
                let jets = term.covariance.factor(&along(own, i, i), k);
                let slope = jets.iter().map(|jet| jet.first).collect();
                let mut d = times(&Matrix::from_columns(k, k, slope), &transposed(&l));
                let other = transposed(&d);
                add(&mut d, 1.0, &other);
                by_theta.push(spread(design, t, d.data()));
            }
            for element in term.covariance.elements(k).unwrap_or_default() {
                let mut e = zeros(k, k);
                for (a, b) in element.entries {
                    e[(a, b)] = 1.0;
                    e[(b, a)] = 1.0;
                }
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

    /// The diagonal of I - W^-1 P.
    pub fn leverages(&self, weights: Option<&[f64]>) -> Vec<f64> {
        let taken = times(&times(&self.vx, &self.covariance), &transposed(&self.vx));
        (0..taken.rows())
            .map(|i| (self.v_inverse[(i, i)] - taken[(i, i)]) / weights.map_or(1.0, |w| w[i]))
            .map(|p| 1.0 - p)
            .collect()
    }

    pub fn covariance_slopes(&self) -> Vec<Matrix> {
        let slope = |g: &Matrix| times(&self.covariance, &times(&self.form(g), &self.covariance));
        self.by_theta.iter().map(slope).collect()
    }

    /// P_i, W, Φ and Φ_A, in absolute units.
    pub fn kenward_roger(&self) -> (Vec<Matrix>, Matrix, Matrix, Matrix) {
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
