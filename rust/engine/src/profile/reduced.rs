//! For models of both kinds: natural parameters at a point, and X without what is held.

use crate::covariance::Kind;
use crate::error::{Error, Result};
use crate::linalg::Columns;
use crate::model::Frame;

/// Some columns of X.
pub fn picked(x: &Columns, columns: &[usize]) -> Columns {
    let data: Vec<f64> = columns.iter().flat_map(|&j| x.column(j).to_vec()).collect();
    Columns::new(x.rows(), columns.len(), data.into())
}

/// A natural parameter in absolute units; zero for a correlation that means nothing.
pub fn natural(
    frame: &Frame,
    theta: &[f64],
    (term, index): (usize, usize),
    sigma: f64,
) -> Result<f64> {
    let mut first = 0;
    for (t, own) in frame.design.terms.iter().enumerate() {
        let n = own.covariance.n_parameters(own.k);
        if t == term {
            let natural = own.covariance.natural_parameters(own.k);
            let values = own
                .covariance
                .natural_values(&theta[first..first + n], own.k);
            let (Some(parameter), Some(&value)) = (natural.get(index), values.get(index)) else {
                break;
            };
            let value = match parameter.kind {
                Kind::StandardDeviation => sigma * value,
                Kind::Correlation if value.is_nan() => 0.0,
                Kind::Correlation => value.clamp(parameter.bounds.0, parameter.bounds.1),
            };
            return Ok(value);
        }
        first += n;
    }
    Err(Error::Domain(format!(
        "there is no parameter {index} of random-effects term {term}"
    )))
}
