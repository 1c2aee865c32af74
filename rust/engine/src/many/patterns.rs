//! Responses by the rows in which they have a value.

use std::collections::HashMap;
use std::sync::Arc;

use crate::design::{Predictors, Term};
use crate::linalg::{Columns, Matrix};

/// The columns that share their rows.
pub struct Pattern {
    /// Rows with a value; `None` for all.
    rows: Option<Vec<usize>>,
    pub columns: Vec<usize>,
}

/// Patterns by first appearance.
#[must_use]
pub fn patterns(responses: &Matrix) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = Vec::new();
    let mut known: HashMap<Option<Vec<usize>>, usize> = HashMap::new();
    for column in 0..responses.cols() {
        let rows = rows_with_value(responses.column(column));
        let at = *known.entry(rows).or_insert_with_key(|rows| {
            found.push(Pattern {
                rows: rows.clone(),
                columns: Vec::new(),
            });
            found.len() - 1
        });
        found[at].columns.push(column);
    }
    found
}

fn rows_with_value(y: &[f64]) -> Option<Vec<usize>> {
    if !y.iter().any(|v| v.is_nan()) {
        return None;
    }
    Some((0..y.len()).filter(|&i| !y[i].is_nan()).collect())
}

impl Pattern {
    /// All rows, for these columns.
    #[must_use]
    pub fn complete(columns: Vec<usize>) -> Self {
        Self {
            rows: None,
            columns,
        }
    }

    /// Some rows, for no column yet.
    #[must_use]
    pub fn of_rows(rows: Vec<usize>) -> Self {
        Self {
            rows: Some(rows),
            columns: Vec::new(),
        }
    }

    /// The predictors in the rows of the pattern; levels without rows are left out.
    #[must_use]
    pub fn predictors(&self, all: &Predictors) -> Predictors {
        let Some(rows) = &self.rows else {
            return all.clone();
        };
        let columns = (0..all.x.cols()).flat_map(|j| pick(all.x.column(j), rows));
        Predictors {
            x: Columns::new(rows.len(), all.x.cols(), columns.collect()),
            terms: all.terms.iter().map(|term| pick_term(term, rows)).collect(),
            weights: all.weights.as_ref().map(|w| pick(w, rows)),
            offset: all.offset.as_ref().map(|o| pick(o, rows)),
        }
    }

    /// A response in the rows of the pattern.
    #[must_use]
    pub fn response(&self, y: &[f64]) -> Vec<f64> {
        match &self.rows {
            None => y.to_vec(),
            Some(rows) => pick(y, rows),
        }
    }
}

/// The values of these rows.
#[must_use]
pub fn pick(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&i| values[i]).collect()
}

fn pick_term(term: &Term, rows: &[usize]) -> Term {
    let mut code_of = vec![u32::MAX; term.n_levels];
    for &i in rows {
        code_of[term.codes[i] as usize] = 0;
    }
    let mut n_levels = 0;
    for code in code_of.iter_mut().filter(|code| **code == 0) {
        *code = n_levels;
        n_levels += 1;
    }
    let k = term.k;
    Term {
        codes: rows
            .iter()
            .map(|&i| code_of[term.codes[i] as usize])
            .collect(),
        n_levels: n_levels as usize,
        z: rows
            .iter()
            .flat_map(|&i| term.z[i * k..(i + 1) * k].iter().copied())
            .collect(),
        k,
        covariance: Arc::clone(&term.covariance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::covariance::Unstructured;

    #[test]
    fn responses_with_the_same_gaps_share_a_pattern_and_empty_levels_go() {
        const GAP: f64 = f64::NAN;
        let responses =
            Matrix::from_columns(3, 4, vec![1., 2., 3., GAP, 5., 6., 7., 8., 9., GAP, 1., 2.]);
        let found = patterns(&responses);
        let columns: Vec<_> = found.iter().map(|p| p.columns.clone()).collect();
        assert_eq!(columns, [vec![0, 2], vec![1, 3]]);
        let all = Predictors {
            x: Matrix::from_columns(3, 1, vec![1.0, 2.0, 3.0]).into(),
            terms: vec![Term {
                codes: vec![0, 2, 1].into(),
                n_levels: 4,
                z: vec![1., 10., 2., 20., 3., 30.].into(),
                k: 2,
                covariance: Arc::new(Unstructured),
            }],
            weights: Some(vec![1., 2., 3.]),
            offset: None,
        };
        let some = found[1].predictors(&all);
        assert_eq!(found[1].response(responses.column(3)), [1.0, 2.0]);
        assert_eq!(some.x.data(), [2.0, 3.0]);
        assert_eq!(some.weights, Some(vec![2.0, 3.0]));
        let term = &some.terms[0];
        assert_eq!((&term.codes[..], term.n_levels), (&[1, 0][..], 2));
        assert_eq!(term.z[..], [2.0, 20.0, 3.0, 30.0]);
    }
}
