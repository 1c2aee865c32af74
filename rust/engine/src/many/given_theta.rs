//! Estimates without sets of rows at one theta, all from the factorisation with these rows.
//!
//! Let B be the rows of a set, e the residuals given the random effects, F the rows of V^-1X L^-T with
//! LL' = X'V^-1X, and N = (V^-1)_BB^-1, where V^-1 = I - ZSZ' with S = ΛM^-1Λ'. Then, with M = I - F'NF,
//! u = M^-1 F'N e,
//!
//! ```text
//! β changes by -L^-T u            X'V^-1X becomes L M L'
//! r² loses e'N e + u'F'N e        log |V| changes by log |(V^-1)_BB|
//! ```
//!
//! (Demidenko & Stukel 2005; Loy & Hofmann 2014.) N is applied through the rows of the set or through the
//! levels that they touch, whichever are fewer.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;
use crate::fit::Linear;
use crate::inference::scaled_effects::{root_of_covariance, unit_effects};
use crate::linalg::{small, threads};
use crate::many::deleted_rows::{Forms, Set, Touched};
use crate::many::level_inverse::LevelInverse;
use crate::many::row_sets::RowSets;
use crate::many::{uninterrupted, Watch};
use crate::model::frame::BlockRows;
use crate::model::Model;
use crate::objective::Criterion;
use crate::products::data_rows::DataRows;
use crate::products::stacked::Stacked;

/// Single rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 4096;
/// A column of X that keeps less than this share of its information is lost.
const LOST: f64 = 1e-9;

/// The estimates without each set: NaN where the other rows do not determine them. Matrices have a row for
/// each set.
#[derive(Debug, Clone, Default)]
pub struct GivenTheta {
    /// What the deletion changes in the kept coefficients.
    pub beta: Vec<f64>,
    /// (X'V^-1X)^-1 of the kept columns.
    pub covariance: Vec<f64>,
    /// √(r²/m).
    pub sigma: Vec<f64>,
    /// −2 log-likelihood (ML) or REML criterion, with σ profiled out.
    pub objective: Vec<f64>,
}

/// Deletes each set in turn; θ stays.
///
/// # Errors
/// A theta of the wrong length, not finite, or where the system cannot be factorised; no memory; an interrupt.
pub fn delete_given_theta(
    model: &Model,
    sets: &RowSets,
    criterion: Criterion,
    theta: &[f64],
    watch: Watch<'_>,
) -> Result<GivenTheta> {
    watch(0)?;
    let monitor = |_| watch(0);
    let mut objective = Linear { model, criterion }.at(theta, &monitor)?;
    let structure = &model.structure;
    let solution = objective.solution()?;
    let z = model.block_rows()?;
    let (value, r2, df) = (objective.last_value(), objective.r2(), objective.scale_df());
    let system = objective.system()?;
    let single = sets.are_single_rows();
    let mut own_variance = Vec::new();
    let mut diagonal = None;
    if single {
        let x = model.fixed.columns();
        own_variance = vec![0.0; model.design.n_obs()];
        let rows = DataRows::new(structure, &z, x, &model.cross_products)?;
        system.add_row_variances(&rows, &mut own_variance)?;
    } else if LevelInverse::is_diagonal(structure) {
        diagonal = Some(LevelInverse::diagonal(system)?);
    }
    let lower = system.fixed_factor().into_data();
    let effects = unit_effects(system, structure, &lower)?;
    let inverse = match diagonal {
        _ if single => None,
        Some(diagonal) => Some(diagonal),
        None => Some(LevelInverse::general(structure, system)?),
    };
    let work = Work {
        model,
        sets,
        criterion,
        residual: model.residual(&solution, &z),
        z: &z,
        gamma: effects.fixed(structure),
        b: &effects,
        root: root_of_covariance(&model.fixed, &lower),
        own_variance,
        inverse,
        value,
        r2,
        df,
        watch,
        done: AtomicUsize::new(0),
    };
    work.all()
}

struct Work<'a> {
    model: &'a Model,
    sets: &'a RowSets,
    criterion: Criterion,
    residual: Vec<f64>,
    z: &'a BlockRows,
    gamma: &'a [f64],
    b: &'a Stacked,
    /// T^-1 L^-T.
    root: Vec<f64>,
    /// z'Sz of all rows, where all sets are single rows.
    own_variance: Vec<f64>,
    inverse: Option<LevelInverse<'a>>,
    value: f64,
    r2: f64,
    df: f64,
    watch: Watch<'a>,
    done: AtomicUsize,
}

impl Work<'_> {
    fn all(&self) -> Result<GivenTheta> {
        let at_once = if self.inverse.is_none() {
            ROWS_AT_ONCE
        } else {
            1
        };
        let n = self.sets.len();
        let chunks: Vec<Range<usize>> = (0..n)
            .step_by(at_once)
            .map(|first| first..n.min(first + at_once))
            .collect();
        let parts = threads::map(&chunks, |sets| {
            (self.watch)(self.done.load(Ordering::Relaxed))?;
            let mut out = GivenTheta::default();
            for set in sets.clone() {
                self.delete(set, &mut out)?;
            }
            self.done.fetch_add(sets.len(), Ordering::Relaxed);
            Ok(out)
        });
        let mut all = GivenTheta::default();
        for part in uninterrupted(parts)? {
            let part = part?;
            all.beta.extend(part.beta);
            all.covariance.extend(part.covariance);
            all.sigma.extend(part.sigma);
            all.objective.extend(part.objective);
        }
        Ok(all)
    }

    fn delete(&self, set: usize, out: &mut GivenTheta) -> Result<()> {
        let rows = self.sets.of(set);
        let p = self.model.structure.rank;
        let found = if rows.len() + p < self.model.n_obs() {
            self.forms(rows)?
                .and_then(|forms| self.estimates(rows, &forms, out))
        } else {
            None
        };
        if found.is_none() {
            let (sets, nan) = (out.sigma.len() + 1, f64::NAN);
            out.beta.resize(sets * p, nan);
            out.covariance.resize(sets * p * p, nan);
            out.sigma.push(nan);
            out.objective.push(nan);
        }
        Ok(())
    }

    /// `None` where the other rows determine nothing.
    fn estimates(&self, rows: &[u32], forms: &Forms, out: &mut GivenTheta) -> Option<()> {
        let p = self.model.structure.rank;
        let m = p + 1;
        let mut lower = vec![0.0; p * p];
        let mut u = vec![0.0; p];
        for j in 0..p {
            for i in 0..p {
                lower[i + j * p] = f64::from(u8::from(i == j)) - forms.gram[i + j * m];
            }
            u[j] = forms.gram[j + p * m];
        }
        if !small::cholesky(&mut lower, p) || (0..p).any(|j| lower[j + j * p].powi(2) < LOST) {
            return None;
        }
        small::solve_lower(&lower, &mut u, p, 1);
        let lost = forms.gram[p + p * m] + small::dot(&u, &u);
        let r2 = self.r2 - lost;
        if r2.is_nan() || r2 <= LOST * self.r2 {
            return None;
        }
        small::solve_lower_transposed(&lower, &mut u, p, 1);
        let scale = self.model.response.scale;
        // Row j of T^-1 L^-T L_M^-T, of which the covariance is the Gram matrix.
        let mut half = vec![0.0; p * p];
        for j in 0..p {
            for i in 0..p {
                half[i + j * p] = self.root[j + i * p];
            }
            let change = small::dot(&half[j * p..][..p], &u);
            out.beta.push(-scale * change);
        }
        small::solve_lower(&lower, &mut half, p, p);
        for j in 0..p {
            for i in 0..p {
                out.covariance
                    .push(small::dot(&half[i * p..][..p], &half[j * p..][..p]));
            }
        }
        let df = self.df - rows.len() as f64;
        let log_det_fixed: f64 = 2.0 * (0..p).map(|j| lower[j + j * p].ln()).sum::<f64>();
        let joint = match self.criterion {
            Criterion::Ml => 0.0,
            Criterion::Reml => log_det_fixed,
        };
        let profiled = |r2: f64, df: f64| {
            df * (1.0 + (std::f64::consts::TAU * r2 / df).ln() + 2.0 * scale.ln())
        };
        let logs: f64 = self.model.root_weights.as_ref().map_or(0.0, |root| {
            rows.iter().map(|&i| 2.0 * root[i as usize].ln()).sum()
        });
        out.sigma.push(scale * (r2 / df).sqrt());
        out.objective.push(
            self.value + forms.log_det + joint + logs + profiled(r2, df)
                - profiled(self.r2, self.df),
        );
        Some(())
    }

    fn forms(&self, rows: &[u32]) -> Result<Option<Forms>> {
        let m = self.model.structure.rank + 1;
        if rows.is_empty() {
            return Ok(Some(Forms {
                gram: vec![0.0; m * m],
                log_det: 0.0,
            }));
        }
        let Some(inverse) = &self.inverse else {
            let own = self.right(rows);
            let v = 1.0 - self.own_variance[rows[0] as usize];
            let mut gram = vec![0.0; m * m];
            small::add_outer(&mut gram, &own, &own);
            gram.iter_mut().for_each(|g| *g /= v);
            return Ok((v > 0.0).then(|| Forms {
                gram,
                log_det: v.ln(),
            }));
        };
        let touched = Touched::new(&self.model.structure, rows);
        let s = inverse.between(&self.model.structure, &touched.levels, self.b)?;
        let set = Set {
            rows,
            touched: &touched,
            structure: &self.model.structure,
            z: self.z,
        };
        let right = self.right(rows);
        Ok(if rows.len() <= touched.dim {
            set.through_rows(&s, right, m)
        } else {
            set.through_levels(&s, &right, m)
        })
    }

    /// [F e] of these rows, one column after the other.
    fn right(&self, rows: &[u32]) -> Vec<f64> {
        let structure = &self.model.structure;
        let (n, p) = (rows.len(), structure.rank);
        let mut out = vec![0.0; n * (p + 1)];
        let mut sum = vec![0.0; p];
        for (at, &i) in rows.iter().enumerate() {
            let i = i as usize;
            if p > 0 {
                sum.fill(0.0);
                for (j, gamma) in self.gamma.chunks_exact(p).enumerate() {
                    small::axpy(self.model.fixed.columns()[(i, j)], gamma, &mut sum);
                }
                for (at, (block, z)) in structure.blocks.iter().zip(self.z).enumerate() {
                    let k = block.width;
                    let b =
                        &self.b.block(structure, at)[block.codes[i] as usize * k * p..][..k * p];
                    for (z, b) in z[i * k..(i + 1) * k].iter().zip(b.chunks_exact(p)) {
                        small::axpy(*z, b, &mut sum);
                    }
                }
            }
            for (j, &sum) in sum.iter().enumerate() {
                out[at + j * n] = sum;
            }
            out[at + p * n] = self.residual[i];
        }
        out
    }
}
