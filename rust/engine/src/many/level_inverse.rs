//! S = ΛM^-1Λ' between the levels that a few rows touch.
//!
//! With one grouping factor S is block diagonal, and its blocks come from the selected inverse. With
//! several it is computed column by column: all of it once where there is room, else as it is asked for.

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{memory, small, threads, Matrix};
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::System;

/// Columns that are solved for at once.
const COLUMNS: usize = 64;
/// Beyond this many random effects S is not kept as a whole.
const LARGEST: usize = 12_000;

/// A column of Z: block, level, column of the level.
pub type Effect = (usize, usize, usize);

pub enum LevelInverse<'a> {
    /// width × width for each level of the only block.
    Diagonal(Vec<f64>),
    /// All of S with the contributions of X, and where each block begins.
    Whole(Matrix, Vec<usize>),
    Columns(&'a dyn System),
}

impl<'a> LevelInverse<'a> {
    /// Whether S of a structure consists of blocks of single levels.
    #[must_use]
    pub fn is_diagonal(structure: &Structure) -> bool {
        structure.blocks.len() == 1
    }

    /// The blocks of the only block of a structure.
    pub fn diagonal(system: &mut dyn System) -> Result<Self> {
        let mut blocks = system.conditional_covariances()?;
        Ok(Self::Diagonal(blocks.swap_remove(0)))
    }

    /// For any structure.
    pub fn general(structure: &Structure, system: &'a dyn System) -> Result<Self> {
        let mut starts = vec![0];
        let mut q = 0;
        for block in &structure.blocks {
            q += block.dim();
            starts.push(q);
        }
        let bytes = 8.0 * (q as f64).powi(2);
        if q > LARGEST || !memory::suffices(bytes) {
            return Ok(Self::Columns(system));
        }
        let mut whole = Matrix::zeros(q, q, "the inverse of the levels")?;
        let mut parts: Vec<(usize, &mut [f64])> = whole
            .data_mut()
            .chunks_mut((q * COLUMNS).max(1))
            .enumerate()
            .map(|(i, part)| (i * COLUMNS, part))
            .collect();
        let effects: Vec<Effect> = effects(structure);
        let outcome = std::sync::Mutex::new(Ok(()));
        threads::for_each(&mut parts, |(first, out)| {
            let columns = &effects[*first..*first + out.len() / q];
            let solved = solve(structure, system, columns).map(|solution| {
                for b in 0..structure.blocks.len() {
                    let rows = solution.block(structure, b).chunks_exact(columns.len());
                    for (i, row) in (starts[b]..).zip(rows) {
                        for (j, &value) in row.iter().enumerate() {
                            out[i + j * q] = value;
                        }
                    }
                }
            });
            if let (Err(error), Ok(mut outcome)) = (solved, outcome.lock()) {
                *outcome = Err(error);
            }
        });
        outcome.into_inner().unwrap_or(Ok(()))?;
        Ok(Self::Whole(whole, starts))
    }

    /// S between these levels (block, level), all columns of each, column-major. `b` are the rows of Z of
    /// V^-1X L^-T, whose products the solutions of the system hold in addition.
    pub fn between(
        &self,
        structure: &Structure,
        levels: &[(usize, usize)],
        b: &Stacked,
    ) -> Result<Vec<f64>> {
        let own: Vec<Effect> = levels
            .iter()
            .flat_map(|&(block, level)| {
                (0..structure.blocks[block].width).map(move |column| (block, level, column))
            })
            .collect();
        let d = own.len();
        let mut out = zeroed(d * d, "the inverse of a few levels")?;
        match self {
            Self::Diagonal(blocks) => {
                let k = structure.blocks[0].width;
                for (at, &(_, level)) in levels.iter().enumerate() {
                    for j in 0..k {
                        let column = &blocks[(level * k + j) * k..][..k];
                        out[at * k + (at * k + j) * d..][..k].copy_from_slice(column);
                    }
                }
                return Ok(out);
            }
            Self::Whole(whole, starts) => {
                let index: Vec<usize> = own
                    .iter()
                    .map(|&(block, level, column)| {
                        starts[block] + level * structure.blocks[block].width + column
                    })
                    .collect();
                for (out, &j) in out.chunks_exact_mut(d).zip(&index) {
                    let column = whole.column(j);
                    out.iter_mut()
                        .zip(&index)
                        .for_each(|(out, &i)| *out = column[i]);
                }
            }
            Self::Columns(system) => {
                let solution = solve(structure, *system, &own)?;
                for (i, &effect) in own.iter().enumerate() {
                    for (j, &value) in row(&solution, structure, effect).iter().enumerate() {
                        out[i + j * d] = value;
                    }
                }
            }
        }
        if b.m > 0 {
            for (out, &right) in out.chunks_exact_mut(d).zip(&own) {
                let right = row(b, structure, right);
                for (out, &left) in out.iter_mut().zip(&own) {
                    *out -= small::dot(row(b, structure, left), right);
                }
            }
        }
        Ok(out)
    }
}

/// The row of an effect.
fn row<'s>(of: &'s Stacked, structure: &Structure, (block, level, column): Effect) -> &'s [f64] {
    let at = level * structure.blocks[block].width + column;
    &of.block(structure, block)[at * of.m..][..of.m]
}

fn effects(structure: &Structure) -> Vec<Effect> {
    let mut out = Vec::new();
    for (b, block) in structure.blocks.iter().enumerate() {
        for level in 0..block.n_levels {
            out.extend((0..block.width).map(|column| (b, level, column)));
        }
    }
    out
}

/// Columns of the inverse of the bordered system.
fn solve(structure: &Structure, system: &dyn System, effects: &[Effect]) -> Result<Stacked> {
    let m = effects.len();
    let mut right = Stacked::zeros(structure, m)?;
    for (j, &(block, level, column)) in effects.iter().enumerate() {
        let at = level * structure.blocks[block].width + column;
        right.block_mut(structure, block)[at * m + j] = 1.0;
    }
    Ok(system.solve(right))
}
