//! Densities whose rows are taken side by side: those of many rows, with canonical links.

// The kernels reach the instruction set of the dispatch only by being inlined into it.
#![allow(clippy::inline_always)]

use super::jet::Jet;
use super::{Density, DispersionSlopes, Information};
use pulp::Arch;

/// Rows of a block: few enough for the stack, and enough for the processor to overlap them.
const BLOCK: usize = 64;

/// What is known of the rows beside their linear predictors.
const COLUMNS: usize = 3;

/// The log-density of a row without branches; the link is canonical, and there is no dispersion.
pub(super) trait PlainRow: Send + Sync {
    fn columns(&self) -> [&[f64]; COLUMNS];

    /// To be marked `inline(always)`.
    fn log_density(given: [f64; COLUMNS], eta: f64) -> Jet;
}

/// A density whose rows are taken by blocks.
#[derive(Debug)]
pub(super) struct ByBlock<R>(pub R);

/// Log-densities of the rows of a block and their derivatives. What a caller does not use is not
/// computed, once this is inlined.
struct Jets {
    log_density: [f64; BLOCK],
    score: [f64; BLOCK],
    information: [f64; BLOCK],
    slope: [f64; BLOCK],
}

impl<R: PlainRow> ByBlock<R> {
    /// Gives `take` the place and number of rows and what is known of them, for all blocks.
    #[inline(always)]
    fn each(&self, first: usize, eta: &[f64], take: impl FnMut(usize, usize, &Jets)) {
        let columns = self.0.columns();
        Arch::new().dispatch(
            #[inline(always)]
            move || {
                // Taken over, so that the closure can be called but once: only then is it inlined.
                let mut take = take;
                for start in (0..eta.len()).step_by(BLOCK) {
                    let count = BLOCK.min(eta.len() - start);
                    let eta = block(&eta[start..start + count]);
                    let row = first + start;
                    let given = columns.map(|column| block(&column[row..row + count]));
                    take(start, count, &jets::<R>(&given, &eta));
                }
            },
        );
    }
}

/// The values and zeros.
#[inline(always)]
fn block(values: &[f64]) -> [f64; BLOCK] {
    <[f64; BLOCK]>::try_from(values).unwrap_or_else(|_| {
        let mut block = [0.0; BLOCK];
        block[..values.len()].copy_from_slice(values);
        block
    })
}

#[inline(always)]
fn jets<R: PlainRow>(given: &[[f64; BLOCK]; COLUMNS], eta: &[f64; BLOCK]) -> Jets {
    let mut jets = Jets {
        log_density: [0.0; BLOCK],
        score: [0.0; BLOCK],
        information: [0.0; BLOCK],
        slope: [0.0; BLOCK],
    };
    for i in 0..BLOCK {
        let jet = R::log_density([given[0][i], given[1][i], given[2][i]], eta[i]);
        // Where the log-density overflows, it is -inf and the rest 0.
        let possible = jet.value > f64::MIN;
        let only = |v: f64| if possible { v } else { 0.0 };
        jets.log_density[i] = if possible {
            jet.value
        } else {
            f64::NEG_INFINITY
        };
        jets.score[i] = only(jet.d1);
        jets.information[i] = only(-jet.d2);
        jets.slope[i] = only(-jet.d3);
    }
    jets
}

/// The sum of the values, several side by side.
#[inline(always)]
fn sum(values: &[f64; BLOCK]) -> f64 {
    let mut sums = [0.0; 8];
    for chunk in values.chunks_exact(8) {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum += v;
        }
    }
    sums.iter().sum()
}

impl<R: PlainRow> Density for ByBlock<R> {
    fn scores(&self, first: usize, eta: &[f64], log_density: &mut [f64], score: &mut [f64]) {
        self.each(
            first,
            eta,
            #[inline(always)]
            |start, count, jets| {
                log_density[start..start + count].copy_from_slice(&jets.log_density[..count]);
                score[start..start + count].copy_from_slice(&jets.score[..count]);
            },
        );
    }

    fn working(&self, first: usize, eta: &[f64], score: &mut [f64], observed: &mut [f64]) -> f64 {
        let mut total = 0.0;
        self.each(
            first,
            eta,
            #[inline(always)]
            |start, count, jets| {
                score[start..start + count].copy_from_slice(&jets.score[..count]);
                observed[start..start + count].copy_from_slice(&jets.information[..count]);
                total += if count == BLOCK {
                    sum(&jets.log_density)
                } else {
                    jets.log_density[..count].iter().sum()
                };
            },
        );
        total
    }

    fn expected(&self, first: usize, eta: &[f64], expected: &mut [f64]) {
        self.each(
            first,
            eta,
            #[inline(always)]
            |start, count, jets| {
                expected[start..start + count].copy_from_slice(&jets.information[..count]);
            },
        );
    }

    fn information_slope(
        &self,
        _information: Information,
        first: usize,
        eta: &[f64],
        slope: &mut [f64],
    ) {
        self.each(
            first,
            eta,
            #[inline(always)]
            |start, count, jets| {
                slope[start..start + count].copy_from_slice(&jets.slope[..count]);
            },
        );
    }

    fn dispersion_slopes(
        &self,
        _information: Information,
        _first: usize,
        _eta: &[f64],
        out: DispersionSlopes<'_>,
    ) {
        out.log_density.fill(0.0);
        out.score.fill(0.0);
        out.information.fill(0.0);
    }
}

/// A finite linear predictor in place of an infinite one, so that no product with it is NaN.
#[inline(always)]
pub(super) fn bounded(eta: f64) -> f64 {
    let eta = if eta > f64::MAX { f64::MAX } else { eta };
    if eta < f64::MIN {
        f64::MIN
    } else {
        eta
    }
}
