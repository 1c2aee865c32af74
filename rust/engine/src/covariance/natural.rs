//! The parameters that users see: standard deviations and correlations.

use crate::covariance::Jet;
use crate::linalg::{dense, Matrix};

/// Most negative eigenvalue of a correlation matrix that is rounding.
const NEGATIVE: f64 = -1e-12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    StandardDeviation,
    Correlation,
}

/// One natural parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct NaturalParameter {
    pub kind: Kind,
    /// Empty where the columns say it all.
    pub label: String,
    /// Of a standard deviation, the columns that share it; of a correlation, the two columns whose
    /// own it is.
    pub columns: Vec<usize>,
    pub bounds: (f64, f64),
}

impl NaturalParameter {
    /// The standard deviation of these columns.
    #[must_use]
    pub fn sd(columns: Vec<usize>) -> Self {
        Self {
            kind: Kind::StandardDeviation,
            label: String::new(),
            columns,
            bounds: (0.0, f64::INFINITY),
        }
    }

    /// The correlation of two columns.
    #[must_use]
    pub fn of_pair(a: usize, b: usize) -> Self {
        Self {
            kind: Kind::Correlation,
            label: String::new(),
            columns: vec![a, b],
            bounds: (-1.0, 1.0),
        }
    }

    /// A correlation that several pairs share.
    #[must_use]
    pub fn shared(label: &str, bounds: (f64, f64)) -> Self {
        Self {
            kind: Kind::Correlation,
            label: label.into(),
            columns: Vec::new(),
            bounds,
        }
    }
}

/// Whether all of these can be standard deviations.
#[must_use]
pub fn are_deviations(values: &[f64]) -> bool {
    values.iter().all(|sd| *sd >= 0.0 && sd.is_finite())
}

/// Standard deviation of each column of Σ = λλ'.
#[must_use]
pub fn standard_deviations(lambda: &[Jet], k: usize) -> Vec<Jet> {
    let deviation = |i: usize| {
        let mut row = (0..k)
            .map(|c| lambda[i + c * k])
            .filter(|v| *v != Jet::ZERO);
        match (row.next(), row.next()) {
            (None, _) => Jet::ZERO,
            // Differentiable at zero, from above.
            (Some(only), None) => only.abs(),
            (Some(_), Some(_)) => covariance(lambda, k, i, i).sqrt(),
        }
    };
    (0..k).map(deviation).collect()
}

/// Correlations of the pairs of columns; NaN where a standard deviation is zero.
#[must_use]
pub fn correlations(lambda: &[Jet], sd: &[Jet]) -> Vec<Jet> {
    let k = sd.len();
    pairs(k)
        .map(|(a, b)| covariance(lambda, k, a, b) * (sd[a] * sd[b]).recip())
        .collect()
}

/// A square root of the correlation matrix with these correlations of its pairs, column-major; `None`
/// where it is not positive semi-definite.
#[must_use]
pub fn correlation_root(correlations: &[f64], k: usize) -> Option<Vec<f64>> {
    let mut matrix = Matrix::from_columns(k, k, vec![0.0; k * k]);
    (0..k).for_each(|i| matrix[(i, i)] = 1.0);
    for ((a, b), &r) in pairs(k).zip(correlations) {
        matrix[(a, b)] = r;
        matrix[(b, a)] = r;
    }
    let (values, vectors) = dense::eigen(&matrix)?;
    if values.iter().any(|v| v.is_nan() || *v < NEGATIVE) {
        return None;
    }
    let columns = values.iter().enumerate();
    let roots = columns.flat_map(|(e, value)| {
        let root = value.max(0.0).sqrt();
        vectors
            .column(e)
            .iter()
            .map(move |v| root * v)
            .collect::<Vec<_>>()
    });
    Some(roots.collect())
}

/// The pairs (a, b) of columns, a < b, ordered by a.
pub fn pairs(k: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..k).flat_map(move |a| (a + 1..k).map(move |b| (a, b)))
}

fn covariance(lambda: &[Jet], k: usize, a: usize, b: usize) -> Jet {
    (0..k).fold(Jet::ZERO, |sum, c| {
        sum + lambda[a + c * k] * lambda[b + c * k]
    })
}
