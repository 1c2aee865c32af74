//! Solving with the factor: forward elimination of right-hand sides and back-substitution.

use super::Blocked;
use crate::products::stacked::{add_gram, Stacked};
use crate::system::leading_rows::{add_level_products, LeadingRows};
use crate::system::Reduced;

impl Blocked<'_> {
    /// Leading parts are reduced but unscaled; the trailing part is solved with the trailing factor.
    pub(super) fn eliminate(&self, mut columns: Stacked) -> Reduced {
        let m = columns.m;
        if m == 0 {
            return Reduced(columns);
        }
        for b in 0..self.structure.n_leading {
            let k = self.structure.blocks[b].width;
            let (own, above) = columns.leading.split_at_mut(b + 1);
            let own = &own[b];
            // N times the columns, negated: what is added to the rest.
            let mut taken = vec![0.0; own.len()];
            add_level_products(self.n(b), own, &mut taken, k, m);
            taken.iter_mut().for_each(|v| *v = -*v);
            let rows = self.leading_rows(b);
            rows.add_to_above(&taken, above, &mut columns.trailing, m);
        }
        let (trailing, lambda) = (&self.factor.trailing, &self.lambda);
        trailing.forward(&mut columns.trailing, m, self.structure, lambda);
        Reduced(columns)
    }

    pub(super) fn gram_of(&self, Reduced(columns): &Reduced) -> Vec<f64> {
        let m = columns.m;
        let mut gram = vec![0.0; m * m];
        for (b, own) in columns.leading.iter().enumerate() {
            let mut product = vec![0.0; own.len()];
            add_level_products(
                self.n(b),
                own,
                &mut product,
                self.structure.blocks[b].width,
                m,
            );
            add_gram(&mut gram, (own, m), (&product, m));
        }
        let trailing = (columns.trailing.as_slice(), m);
        add_gram(&mut gram, trailing, trailing);
        gram
    }

    pub(super) fn substitute(&self, Reduced(columns): &Reduced) -> Stacked {
        let m = columns.m;
        let mut out = columns.clone();
        if m == 0 {
            return out;
        }
        let (trailing, lambda) = (&self.factor.trailing, &self.lambda);
        trailing.backward(&mut out.trailing, m, self.structure, lambda);
        let negative: Vec<f64> = out.trailing.iter().map(|v| -v).collect();
        let mut negative_above = vec![Vec::new(); self.structure.n_leading];
        for b in (0..self.structure.n_leading).rev() {
            let k = self.structure.blocks[b].width;
            let own = &mut out.leading[b];
            let rows = self.leading_rows(b);
            rows.add_above(&negative_above[b + 1..], &negative, own, m);
            let right = std::mem::replace(own, vec![0.0; own.len()]);
            add_level_products(self.n(b), &right, own, k, m);
            if b > 0 {
                negative_above[b] = own.iter().map(|v| -v).collect();
            }
        }
        out
    }

    fn leading_rows(&self, b: usize) -> LeadingRows<'_> {
        LeadingRows {
            structure: self.structure,
            b,
            leading: self.reduced(b),
        }
    }
}
