//! Second derivatives of the Laplace approximation, without new modes.
//!
//! With r the move of the linear predictor where the dual c of the modes stays, H the matrix M with the
//! observed information w, s the scores, and the coefficients included where they are profiled out,
//!
//! ```text
//! e  = dη = r + Z ΛH^-1Λ' Z'(ds/dρ dρ - W r),    ds = ds/dρ dρ - W e,    dc = Z'ds
//! ```
//!
//! With h, p = Z ΛH^-1Λ' Z't and z as in [`super::laplace`], v the information in the log-determinant and
//! D the second derivative of log|M| along Σ and v, which moves by dv = v' e + dv/dρ dρ,
//!
//! ```text
//! d²/dΣ² = <d/dΣ, d²Σ>
//! d²     = D - 2 r'ds + Σ_i (h v'' - p w')_i e_i e_i + z'(dΣ dc + dc dΣ)
//!          + dρ Σ_i (h dv'/dρ - p dw/dρ - 2 ds/dρ)_i e_i + dρ² Σ_i (h d²v + p d²s - 2 d²l)_i / dρ²
//! ```

use crate::design::stacked::Stacked;
use crate::error::Result;
use crate::linalg::{memory, small, Matrix};
use crate::objective::glmm::laplace::{nothing_evaluated, Adjoint};
use crate::objective::glmm::row_curvature::RowCurvature;
use crate::objective::glmm::{rows, GlmmObjective};
use crate::objective::Objective;
use crate::system::{variates, Direction, WorkingMap};

/// Step of differences of the log-determinant's derivatives, in units of the curvature's standard deviation.
const STEP: f64 = 2e-4;
/// Shorter steps that are tried where the system is not positive definite at the end of one.
const SHORTENINGS: usize = 4;

/// What each parameter moves, a column each.
struct Moves {
    /// dη.
    eta: Matrix,
    /// ds.
    score: Matrix,
    /// dc.
    dual: Stacked,
    /// dv.
    weight: Matrix,
}

impl GlmmObjective<'_> {
    /// The Hessian in the parameters at the last point, unless theta is turned; `None` for quadrature, and
    /// where differences do not stay in the domain.
    pub fn exact_hessian(&mut self) -> Result<Option<Matrix>> {
        if self.rule.is_some() || self.unturned.is_some() {
            return Ok(None);
        }
        let Some((log_dispersion, _)) = self.density else {
            return Err(nothing_evaluated());
        };
        let model = self.model;
        let curvature = RowCurvature::new(model, log_dispersion, &self.modes.eta);
        let mut h = vec![0.0; model.n_obs()];
        let w_sums = self.system().row_variances(&mut h)?;
        let t = h.iter().zip(&curvature.slope).map(|(h, v)| h * v).collect();
        let adjoint = self.adjoint(t)?;
        let structure = &model.frame().structure;
        let maps = self.parameters.theta.working_maps(structure, &self.lambda);
        let q = variates(structure, &maps, &self.modes.c)?;
        let moves = self.moves(&q, &curvature)?;
        let Some(mut out) = self.log_det_curvature(&maps, &moves.weight)? else {
            return Ok(None);
        };
        let blocks = self.sigma_slopes(&w_sums, &adjoint.z);
        let own = self.parameters.theta.curvature(&self.by_term(&blocks))?;
        for j in 0..own.cols() {
            small::axpy(1.0, own.column(j), &mut out.column_mut(j)[..own.rows()]);
        }
        self.add_effects(
            &mut out,
            &q,
            &variates(structure, &maps, &adjoint.z)?,
            &moves,
        );
        self.add_rows(&mut out, (&h, &adjoint), &curvature, &moves);
        Ok(Some(symmetric(&out)?))
    }

    /// How the parameters move the rows; `q` are the columns dΣ c.
    fn moves(&self, q: &Stacked, curvature: &RowCurvature) -> Result<Moves> {
        let (rows, modes) = (&self.model.rows, &self.modes);
        let (n, dim) = (modes.eta.len(), self.parameters.dim());
        let what = "the derivatives of the rows";
        let mut eta = Matrix::zeros(n, dim, what)?;
        let mut score = Matrix::zeros(n, dim, what)?;
        for j in 0..self.parameters.theta.dim {
            modes.system.expand(&q.column(j), eta.column_mut(j));
        }
        if let Some(fixed) = &self.parameters.fixed {
            for (j, map) in fixed.map.chunks_exact(fixed.dim().max(1)).enumerate() {
                let column = eta.column_mut(self.parameters.fixed_at() + j);
                rows::add_fixed(rows, map, column);
            }
        }
        let dispersion = self
            .parameters
            .dispersion
            .zip(curvature.dispersion.as_ref());
        let set_score = |score: &mut Matrix, eta: &Matrix| {
            for j in 0..dim {
                let moved = score.column_mut(j).iter_mut().zip(eta.column(j));
                for ((s, e), w) in moved.zip(&modes.weight) {
                    *s = -w * e;
                }
            }
            if let Some((own, slopes)) = dispersion {
                small::axpy(own.unit, &slopes.first.score, score.column_mut(dim - 1));
            }
        };
        set_score(&mut score, &eta);
        self.respond(&score, &mut eta)?;
        set_score(&mut score, &eta);
        let dual = modes.system.project_columns(&score)?;
        let mut weight = Matrix::zeros(n, dim, what)?;
        for j in 0..dim {
            let moved = weight.column_mut(j).iter_mut().zip(eta.column(j));
            for ((v, e), slope) in moved.zip(&curvature.slope) {
                *v = slope * e;
            }
        }
        if let Some((own, slopes)) = dispersion {
            small::axpy(
                own.unit,
                &slopes.first.information,
                weight.column_mut(dim - 1),
            );
        }
        Ok(Moves {
            eta,
            score,
            dual,
            weight,
        })
    }

    /// `eta += Z ΛH^-1Λ' Z' score`, and what coefficients add that are profiled out.
    fn respond(&self, score: &Matrix, eta: &mut Matrix) -> Result<()> {
        let system = &self.modes.system;
        let right = system.project_columns(score)?;
        let solved = system.solve(right.clone());
        let mut part = vec![0.0; eta.rows()];
        let border = self.border()?;
        for j in 0..eta.cols() {
            let mut modes = solved.column(j);
            if let Some(border) = &border {
                let rows = &self.model.rows;
                let fixed = rows::times_x(rows, score.column(j));
                let gamma = border.coefficients(&right.column(j), &fixed);
                border.take_modes(&gamma, &mut modes);
                rows::add_fixed(rows, &gamma, eta.column_mut(j));
            }
            system.expand(&modes, &mut part);
            small::axpy(1.0, &part, eta.column_mut(j));
        }
        Ok(())
    }

    /// `-2 r'ds` and what comes of dΣ and dc: `q` are the columns dΣ c, `qz` those of dΣ z.
    fn add_effects(&self, out: &mut Matrix, q: &Stacked, qz: &Stacked, moves: &Moves) {
        let (n_theta, dim) = (q.m, out.cols());
        let (direct, indirect) = (q.gram(&moves.dual), qz.gram(&moves.dual));
        for k in 0..dim {
            for j in 0..n_theta {
                let e = j + k * n_theta;
                out[(j, k)] += indirect[e] - 2.0 * direct[e];
                out[(k, j)] += indirect[e];
            }
        }
        let Some(fixed) = &self.parameters.fixed else {
            return;
        };
        for k in 0..dim {
            let slopes = fixed.pull(&rows::times_x(&self.model.rows, moves.score.column(k)));
            let column = &mut out.column_mut(k)[self.parameters.fixed_at()..];
            small::axpy(-2.0, &slopes, &mut column[..slopes.len()]);
        }
    }

    /// The sums over the rows.
    fn add_rows(
        &self,
        out: &mut Matrix,
        (h, adjoint): (&[f64], &Adjoint),
        curvature: &RowCurvature,
        moves: &Moves,
    ) {
        let (dim, pulled) = (out.cols(), &adjoint.pulled);
        let per_row =
            |of_h: &[f64], of_pulled: &[f64], i: usize| h[i] * of_h[i] - pulled[i] * of_pulled[i];
        let observed = curvature.observed_slope();
        let curved: Vec<f64> = (0..h.len())
            .map(|i| per_row(&curvature.second, observed, i))
            .collect();
        let mut weighted = vec![0.0; h.len()];
        for k in 0..dim {
            let products = moves.eta.column(k).iter().zip(&curved);
            for (out, (e, c)) in weighted.iter_mut().zip(products) {
                *out = e * c;
            }
            for j in 0..=k {
                let sum = small::dot(moves.eta.column(j), &weighted);
                out[(j, k)] += sum;
                if j < k {
                    out[(k, j)] += sum;
                }
            }
        }
        let dispersion = self
            .parameters
            .dispersion
            .zip(curvature.dispersion.as_ref());
        let Some((own, slopes)) = dispersion else {
            return;
        };
        let last = dim - 1;
        for (i, mixed) in weighted.iter_mut().enumerate() {
            *mixed = own.unit * per_row(&slopes.mixed, &slopes.observed, i);
        }
        for k in 0..dim {
            let eta = moves.eta.column(k);
            let sum = small::dot(&weighted, eta);
            out[(last, k)] += sum - 2.0 * own.unit * small::dot(&slopes.first.score, eta);
            out[(k, last)] += sum;
        }
        let second = &slopes.second;
        let sum = small::dot(h, &second.information) + small::dot(pulled, &second.score)
            - 2.0 * second.log_density.iter().sum::<f64>();
        out[(last, last)] += own.unit * own.unit * sum;
    }

    /// Second derivatives of log|M| along dΣ and dv of the parameters.
    fn log_det_curvature(
        &mut self,
        maps: &[WorkingMap],
        weight: &Matrix,
    ) -> Result<Option<Matrix>> {
        let structure = &self.model.frame().structure;
        let directions: Vec<Direction> = maps
            .iter()
            .map(|map| map.direction(structure.blocks[map.block].width))
            .collect();
        let (monitor, progress) = (self.monitor, self.progress);
        let exact = if memory::suffices(self.hessian_bytes()) {
            let tick = || monitor(progress);
            self.system().log_det_hessian(&directions, weight, &tick)?
        } else {
            None
        };
        let Some(parts) = exact else {
            return self.log_det_differences(&directions, weight);
        };
        // Directions of Σ come first, then those of the weights, for each parameter.
        let (n_theta, dim) = (maps.len(), weight.cols());
        let mut out = Matrix::zeros(dim, dim, "the Hessian")?;
        for k in 0..dim {
            for j in 0..dim {
                let mut sum = parts[(n_theta + j, n_theta + k)];
                if j < n_theta {
                    sum += parts[(j, n_theta + k)];
                }
                if k < n_theta {
                    sum += parts[(n_theta + j, k)];
                }
                if j < n_theta && k < n_theta {
                    sum += parts[(j, k)];
                }
                out[(j, k)] = sum;
            }
        }
        Ok(Some(out))
    }

    /// The same by central differences of the first derivatives.
    fn log_det_differences(
        &mut self,
        directions: &[Direction],
        weight: &Matrix,
    ) -> Result<Option<Matrix>> {
        let here = self.derivatives()?;
        let largest = self.point.iter().fold(1e-3_f64, |m, t| m.max(t.abs()));
        let dim = weight.cols();
        let mut out = Matrix::zeros(dim, dim, "the Hessian")?;
        let mut complete = true;
        for j in 0..dim {
            (self.monitor)(self.progress)?;
            let curvature = here.information[(j, j)] + here.curvature[(j, j)].max(0.0);
            let mut step = STEP * (1.0 / curvature.sqrt()).min(largest);
            let mut found = None;
            for _ in 0..SHORTENINGS {
                found = self.log_det_column(j, step, directions, weight)?;
                if found.is_some() {
                    break;
                }
                step *= 0.125;
            }
            match found {
                Some(column) => out.column_mut(j).copy_from_slice(&column),
                None => complete = false,
            }
        }
        let (own, lambda) = (self.weights().to_vec(), self.block_lambda.clone());
        self.system().update(&own, &lambda)?;
        Ok(complete.then_some(out))
    }

    fn log_det_column(
        &mut self,
        j: usize,
        step: f64,
        directions: &[Direction],
        weight: &Matrix,
    ) -> Result<Option<Vec<f64>>> {
        let structure = &self.model.frame().structure;
        let n_theta = directions.len();
        let mut out = vec![0.0; weight.cols()];
        let mut h = vec![0.0; weight.rows()];
        for signed in [step, -step] {
            let mut lambda = self.block_lambda.clone();
            if j < n_theta {
                let coordinates = &self.parameters.theta;
                let mut theta = self.parameters.theta(&self.point).to_vec();
                theta[j] += signed;
                lambda = coordinates.by_block(structure, &coordinates.lambda(&theta));
            }
            let mut weights = self.weights().to_vec();
            small::axpy(signed, weight.column(j), &mut weights);
            let system = self.system();
            if !system.update(&weights, &lambda)? {
                return Ok(None);
            }
            let w_sums = system.row_variances(&mut h)?;
            for (k, out) in out.iter_mut().enumerate() {
                let mut slope = small::dot(&h, weight.column(k));
                if let Some(direction) = directions.get(k) {
                    slope += small::dot(&w_sums[direction.block], &direction.d);
                }
                *out += slope / (2.0 * signed);
            }
        }
        Ok(Some(out))
    }

    /// What weighs the rows of the log-determinant.
    fn weights(&self) -> &[f64] {
        self.weighted().1
    }

    /// Bytes of the moved cross-products and of the dense matrices of the exact second derivatives.
    fn hessian_bytes(&self) -> f64 {
        const COPIES: f64 = 3.0;
        let frame = self.model.frame();
        let n = (self.parameters.dim() + self.parameters.theta.dim) as f64;
        frame.hessian_bytes() + COPIES * n * frame.costs.bytes().cross_products
    }
}

/// The mean of a matrix and its transpose.
fn symmetric(a: &Matrix) -> Result<Matrix> {
    let n = a.rows();
    let mut out = Matrix::zeros(n, n, "the Hessian")?;
    for j in 0..n {
        for i in 0..n {
            out[(i, j)] = 0.5 * (a[(i, j)] + a[(j, i)]);
        }
    }
    Ok(out)
}
