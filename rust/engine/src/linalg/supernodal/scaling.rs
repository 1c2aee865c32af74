//! The block-diagonal matrix Λ.

use std::ops::Range;

/// One k × k matrix (column-major) for every class of nodes.
#[derive(Debug, Clone, Copy)]
pub struct Scaling<'a> {
    pub lambda: &'a [Vec<f64>],
    /// Class of the node at each position.
    pub classes: &'a [u32],
}

impl Scaling<'_> {
    /// λ of the node at a position.
    #[must_use]
    pub fn of(&self, position: usize) -> &[f64] {
        &self.lambda[self.classes[position] as usize]
    }

    /// `columns <- columns Λ` (or `columns Λ'`) for the nodes at these positions; every column has
    /// `height` rows.
    pub(super) fn columns(
        &self,
        nodes: Range<usize>,
        values: &mut [f64],
        height: usize,
        transposed: bool,
        row: &mut Vec<f64>,
    ) {
        let mut rest = values;
        for i in nodes {
            let lambda = self.of(i);
            let k = width(lambda);
            let (own, others) = rest.split_at_mut(k * height);
            rest = others;
            if k == 1 {
                own.iter_mut().for_each(|v| *v *= lambda[0]);
                continue;
            }
            for r in 0..height {
                row.clear();
                row.extend((0..k).map(|a| own[r + a * height]));
                for b in 0..k {
                    own[r + b * height] = (0..k)
                        .map(|a| row[a] * lambda[if transposed { b + a * k } else { a + b * k }])
                        .sum();
                }
            }
        }
    }

    /// `values <- Λ' values` (or `Λ values`) for the rows of the nodes at these positions,
    /// row-major with m columns.
    pub(super) fn rows(
        &self,
        nodes: Range<usize>,
        values: &mut [f64],
        m: usize,
        transposed: bool,
        segment: &mut Vec<f64>,
    ) {
        let mut rest = values;
        for i in nodes {
            let lambda = self.of(i);
            let k = width(lambda);
            let (own, others) = rest.split_at_mut(k * m);
            rest = others;
            if k == 1 {
                own.iter_mut().for_each(|v| *v *= lambda[0]);
                continue;
            }
            for c in 0..m {
                segment.clear();
                segment.extend((0..k).map(|a| own[a * m + c]));
                for b in 0..k {
                    own[b * m + c] = (0..k)
                        .map(|a| {
                            segment[a] * lambda[if transposed { a + b * k } else { b + a * k }]
                        })
                        .sum();
                }
            }
        }
    }
}

/// The k of a k × k matrix.
fn width(lambda: &[f64]) -> usize {
    if lambda.len() == 1 {
        1
    } else {
        lambda.len().isqrt()
    }
}
