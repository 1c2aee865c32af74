//! Small frames for unit tests.

use std::sync::Arc;

use crate::covariance::Unstructured;
use crate::design::{Predictors, Term};
use crate::linalg::Matrix;
use crate::model::Frame;

/// The grouping factor of a term, and its number of columns.
#[derive(Clone, Copy)]
pub enum Levels {
    /// So many levels, crossed with those of other terms.
    Random(usize, usize),
    /// So many levels of this many consecutive rows: longer runs hold shorter ones.
    Within(usize, usize, usize),
}

/// A frame of n rows with a column of ones and p - 1 others.
pub fn frame(n: usize, p: usize, terms: &[Levels]) -> Frame {
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut column = |j: usize| -> Vec<f64> {
        (0..n)
            .map(|_| {
                if j == 0 {
                    1.0
                } else {
                    (random() % 1000) as f64
                }
            })
            .collect()
    };
    let x = (0..p).flat_map(&mut column).collect();
    let z: Vec<Vec<f64>> = terms
        .iter()
        .map(|&(Levels::Random(_, k) | Levels::Within(_, _, k))| {
            let columns: Vec<Vec<f64>> = (0..k).map(&mut column).collect();
            (0..n)
                .flat_map(|i| columns.iter().map(move |c| c[i]))
                .collect()
        })
        .collect();
    let terms = terms.iter().zip(z).map(|(&levels, z)| {
        let (codes, n_levels, k) = match levels {
            Levels::Random(l, k) => ((0..n).map(|_| (random() % l) as u32).collect(), l, k),
            Levels::Within(l, run, k) => ((0..n).map(|i| (i / run % l) as u32).collect(), l, k),
        };
        Term {
            codes,
            n_levels,
            z: z.into(),
            k,
            covariance: Arc::new(Unstructured),
        }
    });
    let design = Predictors {
        terms: terms.collect(),
        x: Matrix::from_columns(n, p, x).into(),
        weights: None,
        offset: None,
    };
    Frame::new(design).expect("a valid design")
}
