//! Forms in the inverse for each row of the data.

use super::level_pass::Adjoint;
use super::Blocked;
use crate::linalg::Matrix;
use crate::products::coupling::Coupling;
use crate::products::data_rows::DataRows;

impl Blocked<'_> {
    /// The share of leading block b: with itself and all that is eliminated later.
    pub(super) fn add_leading_forms(
        &self,
        rows: &DataRows<'_>,
        b: usize,
        s: &Adjoint,
        h: &mut [f64],
    ) {
        rows.diagonal(b).add_forms(1.0, &s.diagonal, h);
        for (i, values) in s.ancestors.iter().enumerate() {
            rows.ancestor(b, b + 1 + i).add_forms(2.0, values, h);
        }
        for t in 0..self.structure.starts.len() {
            let (products, values) = match &s.coupling {
                Some(Coupling::Dense(values)) => {
                    let columns = self.structure.n_trailing;
                    (rows.dense_coupling(b, t, columns), values)
                }
                Some(Coupling::Sparse(sparse)) => (rows.sparse_coupling(b, t), &sparse.values),
                None => continue,
            };
            products.add_forms(2.0, values, h);
        }
    }

    pub(super) fn add_trailing_forms(&self, rows: &DataRows<'_>, s: &Matrix, h: &mut [f64]) {
        for t in 0..self.structure.starts.len() {
            let diagonal = rows.dense_trailing(t, t, s.rows());
            diagonal.add_forms(1.0, s.data(), h);
            for earlier in 0..t {
                let products = rows.dense_trailing(t, earlier, s.rows());
                products.add_forms(2.0, s.data(), h);
            }
        }
    }
}
