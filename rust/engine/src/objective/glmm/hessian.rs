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

use crate::error::Result;
use crate::linalg::{memory, small, Matrix};
use crate::objective::glmm::border::WeightedX;
use crate::objective::glmm::laplace::{nothing_evaluated, Adjoint};
use crate::objective::glmm::row_curvature::{DispersionCurvature, RowCurvature};
use crate::objective::glmm::{rows, GlmmObjective};
use crate::objective::Objective;
use crate::products::stacked::Stacked;
use crate::system::{variates, Direction, WorkingMap};

/// Step of differences of the log-determinant's derivatives, in units of the curvature's standard deviation.
const STEP: f64 = 2e-4;
/// Shorter steps that are tried where the system is not positive definite at the end of one.
const SHORTENINGS: usize = 4;

/// What each parameter moves, a column each.
struct Moves {
    /// dη.
    eta: Matrix,
    /// dc.
    dual: Stacked,
    /// X'ds, p for each parameter.
    fixed: Vec<f64>,
}

/// How the weights of the log-determinant's rows follow the parameters.
struct WeightMoves<'m> {
    eta: &'m Matrix,
    slope: &'m [f64],
    /// What the dispersion, the last parameter, adds.
    dispersion: Option<(f64, &'m [f64])>,
}

impl WeightMoves<'_> {
    /// dv of one parameter.
    fn column(&self, j: usize) -> Vec<f64> {
        let moved = self.eta.column(j).iter().zip(self.slope);
        let mut out: Vec<f64> = moved.map(|(e, slope)| slope * e).collect();
        if let (Some((unit, slopes)), true) = (self.dispersion, j + 1 == self.eta.cols()) {
            small::axpy(unit, slopes, &mut out);
        }
        out
    }
}

impl GlmmObjective<'_> {
    /// The Hessian in the parameters at the last point, unless theta is turned; `None` for quadrature, and
    /// where differences do not stay in the domain.
    pub fn exact_hessian(&mut self) -> Result<Option<Matrix>> {
        if self.rule.is_some() || self.parameters.theta.is_turned() {
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
        let maps = self.motion().working_maps(structure);
        let q = variates(structure, &maps, &self.modes.c)?;
        let moves = self.moves(&q, &curvature)?;
        let weights = WeightMoves {
            eta: &moves.eta,
            slope: &curvature.slope,
            dispersion: self
                .moved_dispersion(&curvature)
                .map(|(unit, slopes)| (unit, slopes.first.information.as_slice())),
        };
        let Some(mut out) = self.log_det_curvature(&maps, &weights)? else {
            return Ok(None);
        };
        let blocks = self.sigma_slopes(&w_sums, &adjoint.z);
        let own = self.motion().curvature(&self.by_term(&blocks))?;
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

    /// How the parameters move rows and modes; `q` are the columns dΣ c.
    fn moves(&self, q: &Stacked, curvature: &RowCurvature) -> Result<Moves> {
        let (rows, system) = (&self.model.rows, &self.modes.system);
        let (dim, p) = (self.parameters.dim(), self.model.rank());
        let border = self.border()?;
        let made;
        let x = if let Some(border) = border {
            border.x()
        } else {
            made = WeightedX::new(rows, system, &self.modes.weight)?;
            &made
        };
        // Z'ds and X'ds where the modes stay, and dγ.
        let mut dual = system.system().multiply(q)?;
        let mut fixed = x.products.gram(q);
        let mut gamma = vec![0.0; p * q.m];
        if let (Some(own), true) = (&self.parameters.fixed, p > 0) {
            dual = dual.beside(&x.products.times(&own.map));
            let mut moved = vec![0.0; p * p];
            small::multiply(&x.gram, &own.map, &mut moved, p);
            fixed.extend(moved);
            gamma.extend_from_slice(&own.map);
        }
        dual.scale(-1.0);
        fixed.iter_mut().for_each(|v| *v = -*v);
        if let Some((unit, slopes)) = self.moved_dispersion(curvature) {
            let score: Vec<f64> = slopes.first.score.iter().map(|s| unit * s).collect();
            dual = dual.beside(&system.project(&score, 1)?);
            fixed.extend(rows::times_x(rows, &score));
            gamma.resize(p * dim, 0.0);
        }
        // The modes follow.
        let mut b = system.system().solve(dual.clone());
        if let Some(border) = border {
            for (j, gamma) in gamma.chunks_exact_mut(p).enumerate() {
                let right = &fixed[j * p..(j + 1) * p];
                gamma.copy_from_slice(&border.coefficients(&dual.column(j), right));
            }
            b.add(-1.0, &border.solved().times(&gamma));
            dual.add(-1.0, &x.products.times(&gamma));
        }
        dual.add(-1.0, &system.system().multiply(&b)?);
        small::axpy(-1.0, &x.products.gram(&b), &mut fixed);
        let mut eta = Matrix::zeros(rows.frame.n_obs(), dim, "the derivatives of the rows")?;
        for j in 0..dim {
            let mut modes = b.column(j);
            if j < q.m {
                modes.add(1.0, &q.column(j));
            }
            system.expand(&modes, eta.column_mut(j));
            if p > 0 {
                rows::add_fixed(rows, &gamma[j * p..(j + 1) * p], eta.column_mut(j));
            }
        }
        Ok(Moves { eta, dual, fixed })
    }

    /// The unit of the dispersion's parameter, and the slopes.
    fn moved_dispersion<'c>(
        &self,
        curvature: &'c RowCurvature,
    ) -> Option<(f64, &'c DispersionCurvature)> {
        let own = self.parameters.dispersion.as_ref()?;
        Some((own.unit, curvature.dispersion.as_ref()?))
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
        let (p, at) = (fixed.dim(), self.parameters.fixed_at());
        for (k, slopes) in moves.fixed.chunks_exact(p.max(1)).enumerate() {
            let column = &mut out.column_mut(k)[at..at + p];
            small::axpy(-2.0, &fixed.pull(slopes), column);
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
        rows::add_weighted_gram(&moves.eta, &curved, out.data_mut());
        let Some((unit, slopes)) = self.moved_dispersion(curvature) else {
            return;
        };
        let last = dim - 1;
        let mixed: Vec<f64> = (0..h.len())
            .map(|i| unit * per_row(&slopes.mixed, &slopes.observed, i))
            .collect();
        for k in 0..dim {
            let eta = moves.eta.column(k);
            let sum = small::dot(&mixed, eta);
            out[(last, k)] += sum - 2.0 * unit * small::dot(&slopes.first.score, eta);
            out[(k, last)] += sum;
        }
        let second = &slopes.second;
        let sum = small::dot(h, &second.information) + small::dot(pulled, &second.score)
            - 2.0 * second.log_density.iter().sum::<f64>();
        out[(last, last)] += unit * unit * sum;
    }

    /// Second derivatives of log|M| along dΣ and dv of the parameters.
    fn log_det_curvature(
        &mut self,
        maps: &[WorkingMap],
        weights: &WeightMoves<'_>,
    ) -> Result<Option<Matrix>> {
        let structure = &self.model.frame().structure;
        let directions: Vec<Direction> = maps
            .iter()
            .map(|map| map.direction(structure.blocks[map.block].width))
            .collect();
        let (monitor, progress) = (self.monitor, self.progress);
        let exact = if memory::suffices(self.hessian_bytes()) {
            let tick = || monitor(progress);
            let dim = self.parameters.dim();
            let moves = (0..dim).map(|j| weights.column(j));
            self.system().log_det_hessian(&directions, moves, &tick)?
        } else {
            None
        };
        let Some(parts) = exact else {
            return self.log_det_differences(&directions, weights);
        };
        // Directions of Σ come first, then those of the weights, for each parameter.
        let (n_theta, dim) = (maps.len(), self.parameters.dim());
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
        weights: &WeightMoves<'_>,
    ) -> Result<Option<Matrix>> {
        let here = self.derivatives()?;
        let largest = self.point.iter().fold(1e-3_f64, |m, t| m.max(t.abs()));
        let dim = self.parameters.dim();
        let mut out = Matrix::zeros(dim, dim, "the Hessian")?;
        let mut complete = true;
        for j in 0..dim {
            (self.monitor)(self.progress)?;
            let curvature = here.information[(j, j)] + here.curvature[(j, j)].max(0.0);
            let mut step = STEP * (1.0 / curvature.sqrt()).min(largest);
            let mut found = None;
            for _ in 0..SHORTENINGS {
                found = self.log_det_column(j, step, directions, weights)?;
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
        weights: &WeightMoves<'_>,
    ) -> Result<Option<Vec<f64>>> {
        let structure = &self.model.frame().structure;
        let n_theta = directions.len();
        let mut out = vec![0.0; self.parameters.dim()];
        let mut h = vec![0.0; self.model.n_obs()];
        for signed in [step, -step] {
            let mut lambda = self.block_lambda.clone();
            if j < n_theta {
                let coordinates = &self.parameters.theta;
                let mut theta = self.parameters.theta(&self.point).to_vec();
                theta[j] += signed;
                lambda = coordinates.by_block(structure, &coordinates.lambda(&theta));
            }
            let mut moved = self.weights().to_vec();
            small::axpy(signed, &weights.column(j), &mut moved);
            let system = self.system();
            if !system.update(&moved, &lambda)? {
                return Ok(None);
            }
            let w_sums = system.row_variances(&mut h)?;
            for (k, out) in out.iter_mut().enumerate() {
                let mut slope = small::dot(&h, &weights.column(k));
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

    /// Bytes of the cross-products that move in the exact second derivatives.
    fn hessian_bytes(&self) -> f64 {
        const COPIES: f64 = 3.0;
        let frame = self.model.frame();
        let n = (self.parameters.dim() + self.parameters.theta.dim) as f64;
        COPIES * n * frame.costs.bytes().cross_products
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
