//! Sums over the rows of the data of outer products, and their transpose: for a sum
//! `A = Σ w_i a_i b_i'` of which each row adds to its own place, the values `a_i' S b_i`.

/// Where each row finds its product in the storage of a sum.
#[derive(Debug, Clone, Copy)]
pub enum Places<'a> {
    /// At `first + step · level`.
    Levels {
        codes: &'a [u32],
        step: usize,
        first: usize,
    },
    /// At `first` and so many steps for the level of either block.
    Cells {
        codes: [&'a [u32]; 2],
        steps: [usize; 2],
        first: usize,
    },
    /// At the place of its level.
    Table {
        codes: &'a [u32],
        places: &'a [usize],
    },
    /// At `step · place`.
    Rows { places: &'a [u32], step: usize },
    /// These rows only.
    Some {
        rows: &'a [u32],
        /// Number of the first of all rows.
        first: usize,
        places: &'a [usize],
    },
}

/// A pass over the products of all rows.
trait Pass {
    /// `places` are pairs of a row and the place of its product.
    fn run(self, places: impl Iterator<Item = (usize, usize)>);
}

impl Places<'_> {
    fn each(&self, pass: impl Pass) {
        match *self {
            Places::Levels { codes, step, first } => {
                let places = codes.iter().map(|&v| first + v as usize * step);
                pass.run(places.enumerate());
            }
            Places::Cells {
                codes: [a, b],
                steps,
                first,
            } => {
                let places = a
                    .iter()
                    .zip(b)
                    .map(|(&v, &u)| first + v as usize * steps[0] + u as usize * steps[1]);
                pass.run(places.enumerate());
            }
            Places::Table { codes, places } => {
                let places = codes.iter().map(|&v| places[v as usize]);
                pass.run(places.enumerate());
            }
            Places::Rows { places, step } => {
                let places = places.iter().map(|&at| at as usize * step);
                pass.run(places.enumerate());
            }
            Places::Some {
                rows,
                first,
                places,
            } => {
                let rows = rows.iter().map(|&i| i as usize - first);
                pass.run(rows.zip(places.iter().copied()));
            }
        }
    }
}

/// n × width values, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f64],
    pub width: usize,
}

impl<'a> Rows<'a> {
    /// A single column.
    #[must_use]
    pub fn column(values: &'a [f64]) -> Self {
        Self { values, width: 1 }
    }

    /// `W` is the width when the compiler should know it, and 0 otherwise.
    #[inline]
    fn row<const W: usize>(&self, i: usize) -> &[f64] {
        let width = if W > 0 { W } else { self.width };
        &self.values[i * width..][..width]
    }
}

/// The products of the rows of two blocks, or of a block and X.
#[derive(Debug, Clone, Copy)]
pub struct RowProducts<'a> {
    /// The side whose columns are neighbours in the storage.
    pub inner: Rows<'a>,
    pub outer: Rows<'a>,
    /// Distance between the columns of the outer side.
    pub stride: usize,
    pub places: Places<'a>,
}

impl RowProducts<'_> {
    /// Adds the products to their sum, with weights if there are any.
    pub fn add(&self, weights: Option<&[f64]>, sum: &mut [f64]) {
        match (self.inner.width, self.outer.width) {
            (1, 1) => self.add_narrow::<1, 1>(weights, sum),
            (1, 2) => self.add_narrow::<1, 2>(weights, sum),
            (2, 1) => self.add_narrow::<2, 1>(weights, sum),
            (2, 2) => self.add_narrow::<2, 2>(weights, sum),
            (3, 3) => self.add_narrow::<3, 3>(weights, sum),
            // A few columns of X, or of anything else, with a random intercept.
            (3, 1) => self.add_narrow::<3, 1>(weights, sum),
            (4, 1) => self.add_narrow::<4, 1>(weights, sum),
            (5, 1) => self.add_narrow::<5, 1>(weights, sum),
            (6, 1) => self.add_narrow::<6, 1>(weights, sum),
            (7, 1) => self.add_narrow::<7, 1>(weights, sum),
            (8, 1) => self.add_narrow::<8, 1>(weights, sum),
            _ => self.places.each(AddWide {
                products: self,
                weights,
                sum,
            }),
        }
    }

    fn add_narrow<const I: usize, const O: usize>(&self, weights: Option<&[f64]>, sum: &mut [f64]) {
        self.places.each(AddNarrow::<I, O> {
            products: self,
            weights,
            sum,
        });
    }

    /// `h_i += factor · a_i' S b_i` for S in the storage of the sum.
    pub fn add_forms(&self, factor: f64, s: &[f64], h: &mut [f64]) {
        match (self.inner.width, self.outer.width) {
            (1, 1) => self.add_sized_forms::<1, 1>(factor, s, h),
            (1, 2) => self.add_sized_forms::<1, 2>(factor, s, h),
            (2, 1) => self.add_sized_forms::<2, 1>(factor, s, h),
            (2, 2) => self.add_sized_forms::<2, 2>(factor, s, h),
            (3, 3) => self.add_sized_forms::<3, 3>(factor, s, h),
            _ => self.add_sized_forms::<0, 0>(factor, s, h),
        }
    }

    fn add_sized_forms<const I: usize, const O: usize>(
        &self,
        factor: f64,
        s: &[f64],
        h: &mut [f64],
    ) {
        self.places.each(AddForms::<I, O> {
            products: self,
            factor,
            s,
            h,
        });
    }
}

/// Adds products of few columns. Those of consecutive rows at one place are summed before they are
/// stored: in sorted data the sum of a level would wait for itself at every row.
struct AddNarrow<'a, const I: usize, const O: usize> {
    products: &'a RowProducts<'a>,
    weights: Option<&'a [f64]>,
    sum: &'a mut [f64],
}

impl<const I: usize, const O: usize> AddNarrow<'_, I, O> {
    #[inline]
    fn store(&mut self, at: usize, part: &[[f64; I]; O]) {
        for (c, part) in part.iter().enumerate() {
            let out = &mut self.sum[at + c * self.products.stride..][..I];
            for (out, v) in out.iter_mut().zip(part) {
                *out += v;
            }
        }
    }
}

impl<const I: usize, const O: usize> Pass for AddNarrow<'_, I, O> {
    fn run(mut self, places: impl Iterator<Item = (usize, usize)>) {
        let (inner, outer) = (self.products.inner, self.products.outer);
        let mut part = [[0.0; I]; O];
        let mut last = None;
        for (i, at) in places {
            if last != Some(at) {
                if let Some(last) = last {
                    self.store(last, &part);
                }
                part = [[0.0; I]; O];
                last = Some(at);
            }
            let w = self.weights.map_or(1.0, |w| w[i]);
            let (a, b) = (inner.row::<I>(i), outer.row::<O>(i));
            for (part, &b) in part.iter_mut().zip(b) {
                for (part, &a) in part.iter_mut().zip(a) {
                    *part += weighted(w, a, b);
                }
            }
        }
        if let Some(last) = last {
            self.store(last, &part);
        }
    }
}

struct AddWide<'a> {
    products: &'a RowProducts<'a>,
    weights: Option<&'a [f64]>,
    sum: &'a mut [f64],
}

impl Pass for AddWide<'_> {
    fn run(self, places: impl Iterator<Item = (usize, usize)>) {
        let (inner, outer) = (self.products.inner, self.products.outer);
        for (i, at) in places {
            let w = self.weights.map_or(1.0, |w| w[i]);
            let (a, b) = (inner.row::<0>(i), outer.row::<0>(i));
            for (c, &b) in b.iter().enumerate() {
                let out = &mut self.sum[at + c * self.products.stride..][..a.len()];
                for (out, &a) in out.iter_mut().zip(a) {
                    *out += weighted(w, a, b);
                }
            }
        }
    }
}

/// In this order the products of a row with itself are exactly symmetric.
#[inline]
fn weighted(w: f64, a: f64, b: f64) -> f64 {
    w * (a * b)
}

/// `I` and `O` are the widths when the compiler should know them, and 0 otherwise.
struct AddForms<'a, const I: usize, const O: usize> {
    products: &'a RowProducts<'a>,
    factor: f64,
    s: &'a [f64],
    h: &'a mut [f64],
}

impl<const I: usize, const O: usize> Pass for AddForms<'_, I, O> {
    fn run(self, places: impl Iterator<Item = (usize, usize)>) {
        let (inner, outer) = (self.products.inner, self.products.outer);
        for (i, at) in places {
            let (a, b) = (inner.row::<I>(i), outer.row::<O>(i));
            let mut form = 0.0;
            for (c, &b) in b.iter().enumerate() {
                let column = &self.s[at + c * self.products.stride..][..a.len()];
                form += b * column.iter().zip(a).map(|(s, a)| s * a).sum::<f64>();
            }
            self.h[i] += self.factor * form;
        }
    }
}
