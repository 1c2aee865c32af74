//! A times a few columns.

use crate::error::Result;
use crate::products::cross_products::{CrossProducts, Trailing};
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::leading_rows::{product, LeadingRows};

/// `A v`.
pub fn multiply(a: &CrossProducts, structure: &Structure, v: &Stacked) -> Result<Stacked> {
    let m = v.m;
    let mut out = Stacked::zeros(structure, m)?;
    if m == 0 {
        return Ok(out);
    }
    match &a.trailing {
        Trailing::Dense(matrix) => {
            product(&mut out.trailing, matrix.view(), &v.trailing, m, false);
        }
        Trailing::Sparse(sparse) => sparse.multiply(&v.trailing, &mut out.trailing, m),
    }
    for (b, leading) in a.leading.iter().enumerate() {
        let rows = LeadingRows {
            structure,
            b,
            leading,
        };
        let (own, above) = out.leading.split_at_mut(b + 1);
        let own = &mut own[b];
        rows.add_diagonal(&v.leading[b], own, m);
        rows.add_above(&v.leading[b + 1..], &v.trailing, own, m);
        rows.add_to_above(&v.leading[b], above, &mut out.trailing, m);
    }
    Ok(out)
}
