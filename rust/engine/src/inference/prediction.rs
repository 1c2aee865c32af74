//! How far predictions of new rows are from what they predict, given theta.
//!
//! With L the factor of X'V^-1X, C = ΛM^-1Λ' and B = -CZ'WX L^-T, the error of x'β + z'b has the variance
//!
//! ```text
//! z'C z + |L^-1 x + B'z|²
//! ```
//!
//! New rows may bring levels together that no observation has. Then C has no entry for them in the pattern of
//! A, and columns of C are solved for: those of the levels of all grouping factors but the one of which the
//! rows have most.

use std::collections::HashMap;

use crate::error::{same_length, Error, Result};
use crate::fit::{generalized_at, Linear, Point};
use crate::inference::scaled_effects::{root_of_covariance, unit_effects};
use crate::linalg::{small, threads, Matrix};
use crate::model::{Frame, GeneralizedModel, Model};
use crate::objective::{Criterion, Monitor, Progress};
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::System;

/// The code of a row without a level that the model knows.
pub const NO_LEVEL: u32 = u32::MAX;

/// Columns solved for at once, as far as the memory for this many numbers goes.
const COLUMNS: usize = 64;
const NUMBERS: usize = 1 << 22;
/// Solves of so many columns that threads share between two looks at the monitor.
const SHARED: usize = 16;

/// Rows of predictors in the units of the user.
#[derive(Debug, Clone)]
pub struct NewRows {
    /// The kept columns of X, n × rank.
    pub x: Matrix,
    pub terms: Vec<NewTerm>,
    /// Whether the coefficients are uncertain, too: without, the variance is `z'C z`.
    pub with_coefficients: bool,
}

/// The rows of one random-effects term.
#[derive(Debug, Clone)]
pub struct NewTerm {
    /// The level of each row, or [`NO_LEVEL`] where the term takes no part.
    pub codes: Vec<u32>,
    /// n × k, row-major.
    pub z: Vec<f64>,
}

/// For a linear model, relative to σ².
///
/// # Errors
/// A theta or rows of the wrong size, codes without a level; a system that cannot be factorised; no memory.
pub fn prediction_variances(
    model: &Model,
    theta: &[f64],
    rows: &NewRows,
    monitor: Monitor<'_>,
) -> Result<Vec<f64>> {
    let pieces = pieces(model, rows)?;
    let mut objective = Linear {
        model,
        criterion: Criterion::Ml,
    }
    .at(theta, monitor)?;
    let system = objective.system()?;
    let lower = system.fixed_factor().into_data();
    let fixed = Fixed {
        root: root_of_covariance(&model.fixed, &lower),
        b: unit_effects(system, &model.structure, &lower)?,
    };
    variances(system, &model.structure, &fixed, (rows, &pieces), monitor)
}

/// For a generalized model, by the Hessian in the coefficients and the random effects at the modes. NaN where
/// it leaves the coefficients without information.
///
/// # Errors
/// As for a linear model; parameters at which there are no modes.
pub fn generalized_prediction_variances(
    model: &GeneralizedModel,
    point: &Point,
    rows: &NewRows,
    monitor: Monitor<'_>,
) -> Result<Vec<f64>> {
    let frame = model.frame();
    let pieces = pieces(frame, rows)?;
    let (mut objective, _) = generalized_at(model, point, monitor)?;
    let fixed = if frame.fixed.rank() == 0 {
        Fixed {
            root: Vec::new(),
            b: Stacked::zeros(&frame.structure, 0)?,
        }
    } else {
        let Some(border) = objective.own_border()? else {
            return Ok(vec![f64::NAN; rows.x.rows()]);
        };
        let (_, b) = border.scaled_effects();
        Fixed {
            root: root_of_covariance(&frame.fixed, &border.into_factor()),
            b,
        }
    };
    let system = objective.system().system_mut();
    variances(system, &frame.structure, &fixed, (rows, &pieces), monitor)
}

/// What the coefficients contribute.
struct Fixed {
    /// T^-1 L^-T, rank × rank.
    root: Vec<f64>,
    /// B.
    b: Stacked,
}

/// The rows of the terms of one block that have their levels in common.
struct Piece<'r> {
    block: usize,
    codes: &'r [u32],
    /// In the basis of the engine, n × width of the block.
    z: Vec<f64>,
    width: usize,
}

impl Piece<'_> {
    fn z(&self, row: usize) -> &[f64] {
        &self.z[row * self.width..(row + 1) * self.width]
    }

    /// The rows of each of its levels.
    fn by_level(&self) -> Vec<(u32, Vec<usize>)> {
        let mut found: HashMap<u32, Vec<usize>> = HashMap::new();
        for (i, &code) in self.codes.iter().enumerate() {
            if code != NO_LEVEL {
                found.entry(code).or_default().push(i);
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable_by_key(|(code, _)| *code);
        found
    }
}

fn pieces<'r>(frame: &Frame, rows: &'r NewRows) -> Result<Vec<Piece<'r>>> {
    let n = rows.x.rows();
    same_length("the terms", frame.design.terms.len(), rows.terms.len())?;
    same_length("the columns of X", frame.fixed.rank(), rows.x.cols())?;
    let mut out: Vec<Piece<'r>> = Vec::new();
    for (t, (term, new)) in frame.design.terms.iter().zip(&rows.terms).enumerate() {
        same_length("the codes", n, new.codes.len())?;
        same_length("the values of a term", n * term.k, new.z.len())?;
        let known = |&&code: &&u32| code != NO_LEVEL;
        if let Some(bad) = new
            .codes
            .iter()
            .filter(known)
            .find(|&&c| c as usize >= term.n_levels)
        {
            return Err(Error::Domain(format!(
                "the code {bad} is beyond the {} levels of term {t}",
                term.n_levels
            )));
        }
        if !new.codes.iter().any(|&code| code != NO_LEVEL) {
            continue;
        }
        let (block, offset) = frame.structure.place(t);
        let width = frame.structure.blocks[block].width;
        let same = out
            .iter()
            .position(|p| p.block == block && p.codes == new.codes);
        let at = same.unwrap_or(out.len());
        if same.is_none() {
            out.push(Piece {
                block,
                codes: &new.codes,
                z: crate::linalg::matrix::zeroed(n * width, "the rows of a block")?,
                width,
            });
        }
        let to = out[at].z.chunks_exact_mut(width);
        for (to, z) in to.zip(new.z.chunks_exact(term.k)) {
            frame.terms[t].map_row(z, 1.0, &mut to[offset..offset + term.k]);
        }
    }
    Ok(out)
}

fn variances(
    system: &mut dyn System,
    structure: &Structure,
    fixed: &Fixed,
    (rows, pieces): (&NewRows, &[Piece<'_>]),
    monitor: Monitor<'_>,
) -> Result<Vec<f64>> {
    let mut out = if rows.with_coefficients {
        fixed_shares(structure, fixed, rows, pieces)
    } else {
        vec![0.0; rows.x.rows()]
    };
    if pieces.is_empty() {
        return Ok(out);
    }
    let diagonals = system.conditional_covariances()?;
    for piece in pieces {
        let k = piece.width;
        for (i, &code) in piece.codes.iter().enumerate() {
            if code != NO_LEVEL {
                let c = &diagonals[piece.block][code as usize * k * k..][..k * k];
                out[i] += form(piece.z(i), c, piece.z(i));
            }
        }
    }
    add_pairs(system, structure, &fixed.b, pieces, &mut out, monitor)?;
    // Rounding may leave less than nothing of a variance of zero.
    out.iter_mut()
        .for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v });
    Ok(out)
}

/// `|L^-1 x + B'z|²`.
fn fixed_shares(
    structure: &Structure,
    fixed: &Fixed,
    rows: &NewRows,
    pieces: &[Piece<'_>],
) -> Vec<f64> {
    let (n, p) = (rows.x.rows(), rows.x.cols());
    let mut sum = vec![0.0; p];
    let mut out = Vec::with_capacity(n);
    for i in 0..n {
        for (a, sum) in sum.iter_mut().enumerate() {
            *sum = (0..p).map(|j| rows.x[(i, j)] * fixed.root[j + a * p]).sum();
        }
        if p > 0 {
            for piece in pieces.iter().filter(|piece| piece.codes[i] != NO_LEVEL) {
                let b = fixed.b.block(structure, piece.block);
                let b = &b[piece.codes[i] as usize * piece.width * p..];
                for (z, b) in piece.z(i).iter().zip(b.chunks_exact(p)) {
                    small::axpy(*z, b, &mut sum);
                }
            }
        }
        out.push(small::dot(&sum, &sum));
    }
    out
}

/// Adds `2 z_s'C z_t` for every pair of pieces.
fn add_pairs(
    system: &dyn System,
    structure: &Structure,
    b: &Stacked,
    pieces: &[Piece<'_>],
    out: &mut [f64],
    monitor: Monitor<'_>,
) -> Result<()> {
    let mut levels: Vec<(&Piece<'_>, Vec<(u32, Vec<usize>)>)> = pieces
        .iter()
        .map(|piece| (piece, piece.by_level()))
        .collect();
    levels.sort_by_key(|(piece, levels)| levels.len() * piece.width);
    let rows = structure.blocks.iter().map(|b| b.dim()).sum::<usize>() + structure.rank;
    for (at, (piece, own)) in levels.iter().enumerate() {
        let others: Vec<&Piece<'_>> = levels[at + 1..].iter().map(|(piece, _)| *piece).collect();
        if others.is_empty() {
            break;
        }
        let columns = COLUMNS.min(NUMBERS / rows.max(1));
        let batches: Vec<_> = own.chunks((columns / piece.width).max(1)).collect();
        let pairs = Pairs {
            system,
            structure,
            b,
            piece,
            others: &others,
        };
        for shared in batches.chunks(SHARED) {
            monitor(Progress {
                evaluations: 1,
                objective: f64::NAN,
            })?;
            for found in threads::map(shared, |batch| pairs.of(batch)) {
                for (row, value) in found? {
                    out[row] += value;
                }
            }
        }
    }
    Ok(())
}

/// The pairs of one piece with others.
struct Pairs<'p, 'r> {
    system: &'p dyn System,
    structure: &'p Structure,
    b: &'p Stacked,
    piece: &'p Piece<'r>,
    others: &'p [&'p Piece<'r>],
}

impl Pairs<'_, '_> {
    /// For rows of these levels.
    fn of(&self, levels: &[(u32, Vec<usize>)]) -> Result<Vec<(usize, f64)>> {
        let k = self.piece.width;
        let m = levels.len() * k;
        let mut right = Stacked::zeros(self.structure, m)?;
        let block = right.block_mut(self.structure, self.piece.block);
        for (l, (code, _)) in levels.iter().enumerate() {
            for a in 0..k {
                block[(*code as usize * k + a) * m + l * k + a] = 1.0;
            }
        }
        let solved = self.system.solve(right);
        let mut out = Vec::new();
        for (l, (code, rows)) in levels.iter().enumerate() {
            for &row in rows {
                let mut sum = 0.0;
                for other in self.others.iter().filter(|o| o.codes[row] != NO_LEVEL) {
                    sum += self.product(&solved, (l * k, *code), other, row);
                }
                out.push((row, 2.0 * sum));
            }
        }
        Ok(out)
    }

    /// `z_s'C z_t` of a row.
    fn product(
        &self,
        solved: &Stacked,
        (first, code): (usize, u32),
        other: &Piece<'_>,
        row: usize,
    ) -> f64 {
        let (k, m) = (self.piece.width, solved.m);
        let level = other.codes[row] as usize * other.width;
        let columns = solved.block(self.structure, other.block);
        let own = self.piece.z(row);
        let mut sum = 0.0;
        for (i, &z) in other.z(row).iter().enumerate() {
            sum += z * small::dot(&columns[(level + i) * m + first..][..k], own);
        }
        if self.structure.rank > 0 {
            // A system that X borders has solved for C + BB'.
            let share = |piece: &Piece<'_>, code: usize| {
                let p = self.b.m;
                let b = &self.b.block(self.structure, piece.block)[code * piece.width * p..];
                let mut share = vec![0.0; p];
                for (z, b) in piece.z(row).iter().zip(b.chunks_exact(p)) {
                    small::axpy(*z, b, &mut share);
                }
                share
            };
            let own = share(self.piece, code as usize);
            sum -= small::dot(&own, &share(other, other.codes[row] as usize));
        }
        sum
    }
}

/// `a'Cb` for a symmetric matrix.
fn form(a: &[f64], c: &[f64], b: &[f64]) -> f64 {
    let columns = c.chunks_exact(a.len()).zip(b);
    columns.map(|(column, b)| small::dot(column, a) * b).sum()
}
