//! Solving with the factor.

use faer::{MatMut, MatRef};

use super::{Factor, Scaling};
use crate::linalg::{dense, small};

/// Below this many multiplications with a panel it is done by hand.
const SMALL: usize = 512;

impl Factor {
    /// Forward elimination: `v <- L^-1 Λ' v` for m right-hand sides, row-major, in the order of
    /// elimination.
    pub fn forward(&self, scaling: &Scaling<'_>, values: &mut [f64], m: usize) {
        let analysis = &*self.analysis;
        let mut gathered = Vec::new();
        let mut segment = Vec::new();
        for s in &analysis.supernodes {
            let panel = &self.panels[s.panel()];
            let (w, h) = (s.width, s.height());
            let own = &mut values[s.first * m..(s.first + w) * m];
            scaling.rows(s.nodes.clone(), own, m, true, &mut segment);
            let square = MatRef::from_column_major_slice_with_stride(panel, w, w, h);
            if w == 1 {
                own.iter_mut().for_each(|v| *v /= panel[0]);
            } else {
                let right = MatMut::from_row_major_slice_mut(own, w, m);
                dense::solve_lower(square, right, faer::Par::Seq);
            }
            let rows = analysis.rows(s);
            if w * m * rows.len() <= SMALL || w * m <= 4 {
                let (before, after) = values.split_at_mut((s.first + w) * m);
                let own = &before[s.first * m..];
                for (column, v) in panel.chunks_exact(h).zip(own.chunks_exact(m)) {
                    for (&y, &r) in column[w..].iter().zip(rows) {
                        let at = (r as usize - s.first - w) * m;
                        small::axpy(-y, v, &mut after[at..at + m]);
                    }
                }
                continue;
            }
            gathered.clear();
            gathered.resize(rows.len() * m, 0.0);
            let own = &values[s.first * m..(s.first + w) * m];
            dense::multiply(
                MatMut::from_row_major_slice_mut(&mut gathered, rows.len(), m),
                MatRef::from_column_major_slice_with_stride(&panel[w..], rows.len(), w, h),
                MatRef::from_row_major_slice(own, w, m),
                faer::Par::Seq,
            );
            for (v, &r) in gathered.chunks_exact(m).zip(rows) {
                small::axpy(-1.0, v, &mut values[r as usize * m..][..m]);
            }
        }
    }

    /// Back-substitution: `v <- Λ L'^-1 v` in the same order.
    pub fn backward(&self, scaling: &Scaling<'_>, values: &mut [f64], m: usize) {
        let analysis = &*self.analysis;
        let mut gathered = Vec::new();
        let mut segment = Vec::new();
        for s in analysis.supernodes.iter().rev() {
            let panel = &self.panels[s.panel()];
            let (w, h) = (s.width, s.height());
            let rows = analysis.rows(s);
            if w * m * rows.len() <= SMALL || w * m <= 4 {
                let (before, after) = values.split_at_mut((s.first + w) * m);
                let own = &mut before[s.first * m..];
                for (column, v) in panel.chunks_exact(h).zip(own.chunks_exact_mut(m)) {
                    for (&y, &r) in column[w..].iter().zip(rows) {
                        let at = (r as usize - s.first - w) * m;
                        small::axpy(-y, &after[at..at + m], v);
                    }
                }
            } else {
                gathered.clear();
                for &r in rows {
                    gathered.extend_from_slice(&values[r as usize * m..][..m]);
                }
                let own = &mut values[s.first * m..(s.first + w) * m];
                dense::subtract_product(
                    MatMut::from_row_major_slice_mut(own, w, m),
                    MatRef::from_column_major_slice_with_stride(&panel[w..], rows.len(), w, h)
                        .transpose(),
                    MatRef::from_row_major_slice(&gathered, rows.len(), m),
                    faer::Par::Seq,
                );
            }
            let own = &mut values[s.first * m..(s.first + w) * m];
            if w == 1 {
                own.iter_mut().for_each(|v| *v /= panel[0]);
            } else {
                dense::solve_lower_transposed(
                    MatRef::from_column_major_slice_with_stride(panel, w, w, h),
                    MatMut::from_row_major_slice_mut(own, w, m),
                    faer::Par::Seq,
                );
            }
            scaling.rows(s.nodes.clone(), own, m, false, &mut segment);
        }
    }
}
