//! Passes over the rows of a generalized model.

// The kernels reach the instruction set of the dispatch only by being inlined into it.
#![allow(clippy::inline_always)]

use pulp::Arch;

use crate::family::Density;
use crate::linalg::threads::{for_each, MANY_ROWS};
use crate::linalg::{small, Matrix};
use crate::model::generalized::PredictorRows;

/// Rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 8192;

/// Some rows that one thread takes.
struct Part<'p> {
    first: usize,
    score: &'p mut [f64],
    weight: &'p mut [f64],
    sum: f64,
}

/// Scores and observed information of every row; the log-likelihood. The sum is taken in one order
/// whatever the number of threads.
pub fn working(density: &dyn Density, eta: &[f64], score: &mut [f64], weight: &mut [f64]) -> f64 {
    let n = eta.len();
    if n < MANY_ROWS {
        return density.working(0, eta, score, weight);
    }
    let mut parts: Vec<Part<'_>> = score
        .chunks_mut(ROWS_AT_ONCE)
        .zip(weight.chunks_mut(ROWS_AT_ONCE))
        .enumerate()
        .map(|(i, (score, weight))| Part {
            first: i * ROWS_AT_ONCE,
            score,
            weight,
            sum: 0.0,
        })
        .collect();
    for_each(&mut parts, |part| {
        let eta = &eta[part.first..part.first + part.score.len()];
        part.sum = density.working(part.first, eta, part.score, part.weight);
    });
    parts.iter().map(|part| part.sum).sum()
}

/// Offset + Xγ.
#[must_use]
pub fn fixed_part(rows: &PredictorRows, gamma: &[f64]) -> Vec<f64> {
    let design = &rows.frame.design;
    let mut out = match &design.offset {
        Some(offset) => offset.clone(),
        None => vec![0.0; design.n_obs()],
    };
    add_fixed(rows, gamma, &mut out);
    out
}

/// `out += Xγ`.
pub fn add_fixed(rows: &PredictorRows, gamma: &[f64], out: &mut [f64]) {
    for (j, &g) in gamma.iter().enumerate() {
        small::axpy(g, rows.frame.fixed.columns().column(j), out);
    }
}

/// X'v.
#[must_use]
pub fn times_x(rows: &PredictorRows, v: &[f64]) -> Vec<f64> {
    let x = rows.frame.fixed.columns();
    Arch::new().dispatch(
        #[inline(always)]
        || (0..x.cols()).map(|j| small::dot(x.column(j), v)).collect(),
    )
}

/// X'diag(weights)X, p × p.
#[must_use]
pub fn gram_x(rows: &PredictorRows, weights: &[f64]) -> Vec<f64> {
    let x = rows.frame.fixed.columns();
    let mut out = vec![0.0; x.cols() * x.cols()];
    add_weighted_gram(x, weights, &mut out);
    out
}

/// `out += a'diag(weights)a`, symmetric.
pub fn add_weighted_gram(a: &Matrix, weights: &[f64], out: &mut [f64]) {
    Arch::new().dispatch(
        #[inline(always)]
        || add_gram(a, weights, out),
    );
}

#[inline(always)]
fn add_gram(a: &Matrix, weights: &[f64], out: &mut [f64]) {
    // A few columns of so many rows stay in the fastest cache.
    const CHUNK: usize = 512;
    let (n, p) = (weights.len(), a.cols());
    let mut weighted = [0.0; CHUNK];
    for first in (0..n).step_by(CHUNK) {
        let chunk = first..n.min(first + CHUNK);
        let weighted = &mut weighted[..chunk.len()];
        for j in 0..p {
            let column = a.column(j)[chunk.clone()].iter();
            for ((out, x), w) in weighted.iter_mut().zip(column).zip(&weights[chunk.clone()]) {
                *out = x * w;
            }
            for i in j..p {
                let sum = small::dot(&a.column(i)[chunk.clone()], weighted);
                out[i + j * p] += sum;
                if i > j {
                    out[j + i * p] += sum;
                }
            }
        }
    }
}
