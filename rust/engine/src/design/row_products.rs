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
        places: &'a [usize],
    },
}

impl Places<'_> {
    /// Row and place of every product.
    #[inline]
    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        match *self {
            Places::Levels { codes, step, first } => {
                for (i, &v) in codes.iter().enumerate() {
                    visit(i, first + v as usize * step);
                }
            }
            Places::Cells {
                codes: [a, b],
                steps,
                first,
            } => {
                for (i, (&v, &u)) in a.iter().zip(b).enumerate() {
                    visit(i, first + v as usize * steps[0] + u as usize * steps[1]);
                }
            }
            Places::Table { codes, places } => {
                for (i, &v) in codes.iter().enumerate() {
                    visit(i, places[v as usize]);
                }
            }
            Places::Rows { places, step } => {
                for (i, &at) in places.iter().enumerate() {
                    visit(i, at as usize * step);
                }
            }
            Places::Some { rows, places } => {
                for (&i, &at) in rows.iter().zip(places) {
                    visit(i as usize, at);
                }
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

impl Rows<'_> {
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
        match weights {
            Some(w) => self.add_weighted(|i| w[i], sum),
            None => self.add_weighted(|_| 1.0, sum),
        }
    }

    fn add_weighted(&self, weight: impl Fn(usize) -> f64, sum: &mut [f64]) {
        match (self.inner.width, self.outer.width) {
            (1, 1) => self.add_sized::<1, 1>(weight, sum),
            (2, 2) => self.add_sized::<2, 2>(weight, sum),
            (3, 3) => self.add_sized::<3, 3>(weight, sum),
            _ => self.add_sized::<0, 0>(weight, sum),
        }
    }

    /// `I` and `O` are the widths when the compiler should know them, and 0 otherwise.
    fn add_sized<const I: usize, const O: usize>(
        &self,
        weight: impl Fn(usize) -> f64,
        sum: &mut [f64],
    ) {
        let (inner, outer) = (self.inner, self.outer);
        self.places.each(|i, at| {
            let (w, a, b) = (weight(i), inner.row::<I>(i), outer.row::<O>(i));
            for (c, &b) in b.iter().enumerate() {
                for (out, &a) in sum[at + c * self.stride..][..a.len()].iter_mut().zip(a) {
                    // In this order a product of a row with itself is exactly symmetric.
                    *out += w * (a * b);
                }
            }
        });
    }

    /// `h_i += factor · a_i' S b_i` for S in the storage of the sum.
    pub fn add_forms(&self, factor: f64, s: &[f64], h: &mut [f64]) {
        match (self.inner.width, self.outer.width) {
            (1, 1) => self.add_sized_forms::<1, 1>(factor, s, h),
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
        let (inner, outer) = (self.inner, self.outer);
        self.places.each(|i, at| {
            let (a, b) = (inner.row::<I>(i), outer.row::<O>(i));
            let mut form = 0.0;
            for (c, &b) in b.iter().enumerate() {
                let column = &s[at + c * self.stride..][..a.len()];
                form += b * column.iter().zip(a).map(|(s, a)| s * a).sum::<f64>();
            }
            h[i] += factor * form;
        });
    }
}
