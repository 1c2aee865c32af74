//! Synthetic data for all benches.

use std::sync::Arc;

use mixedmodels::covariance::Unstructured;
use mixedmodels::design::{Design, Term};
use mixedmodels::linalg::Matrix;

/// What the data look like.
pub struct Shape {
    pub name: &'static str,
    pub rows: usize,
    /// (levels, columns) of every factor.
    pub factors: &'static [(usize, usize)],
    /// Size of the random effects in the response; the residuals are of size 1.
    pub effects: f64,
}

impl Shape {
    pub fn design(&self) -> Design {
        let noise = |i: usize, j: usize| number(i, 97 + j);
        let factors = self.factors.iter().enumerate();
        let terms: Vec<Term> = factors
            .map(|(f, &(levels, k))| Term {
                codes: (0..self.rows).map(|i| level(i, f, levels)).collect(),
                n_levels: levels,
                z: (0..self.rows)
                    .flat_map(|i| (0..k).map(move |j| if j == 0 { 1.0 } else { noise(i, j) }))
                    .collect(),
                k,
                covariance: Arc::new(Unstructured),
            })
            .collect();
        let effect = |term: &Term, f: usize, i: usize| -> f64 {
            let mode = |j: usize| number(term.codes[i] as usize, 31 + 8 * f + j);
            let z = &term.z[i * term.k..(i + 1) * term.k];
            z.iter().enumerate().map(|(j, z)| z * mode(j)).sum()
        };
        let response = |i: usize| {
            let effects: f64 = terms
                .iter()
                .enumerate()
                .map(|(f, term)| effect(term, f, i))
                .sum();
            self.effects * effects + noise(i, 1) + noise(i, 2)
        };
        let mut x = vec![1.0; self.rows];
        x.extend((0..self.rows).map(|i| noise(i, 1)));
        Design {
            y: (0..self.rows).map(response).collect(),
            x: Matrix::from_columns(self.rows, 2, x).into(),
            terms,
            weights: None,
            offset: None,
        }
    }
}

/// Pseudo-random level of row i, different for every factor.
fn level(i: usize, factor: usize, levels: usize) -> u32 {
    let mixed = (i as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15 + 2 * factor as u64)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed % levels as u64) as u32
}

/// Pseudo-random number i of a stream, with mean 0 and variance 1.
fn number(i: usize, stream: usize) -> f64 {
    (f64::from(level(i, stream, 1000)) / 999.0 - 0.5) * 12.0_f64.sqrt()
}
