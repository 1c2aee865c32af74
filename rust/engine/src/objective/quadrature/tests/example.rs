//! Small models, their conditional modes by Newton's method, and the integral by brute force.

use super::super::{value, Point, Rule, Value};
use super::densities::{Kind, Textbook};
use crate::family::{Density, Information};
use crate::linalg::small;

/// Reproducible numbers, uniform between 0 and 1.
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Debug, Clone)]
pub struct Example {
    pub kind: Kind,
    pub information: Information,
    pub y: Vec<f64>,
    pub codes: Vec<u32>,
    pub n_levels: usize,
    pub z: Vec<f64>,
    pub k: usize,
    pub lambda: Vec<f64>,
    pub fixed: Vec<f64>,
    pub rho: f64,
}

impl Example {
    pub fn new(kind: Kind, information: Information, k: usize) -> Self {
        Self::with_rows(kind, information, k, 24, 5)
    }

    /// Rows in no order, and a level without any.
    pub fn with_rows(
        kind: Kind,
        information: Information,
        k: usize,
        n: usize,
        n_levels: usize,
    ) -> Self {
        let mut random = Random(7);
        let empty = n_levels / 2;
        let skip_empty = |level: usize| level + usize::from(level >= empty);
        let codes = (0..n).map(|row| skip_empty(row * 7 % (n_levels - 1)) as u32);
        let mut y = || match kind {
            Kind::Gamma => 0.3 - 1.5 * random.uniform().ln(),
            _ => (random.uniform() * 4.0).floor().min(kind.trials()),
        };
        let y = (0..n).map(|_| y()).collect();
        let mut z = |i: usize| match i % k {
            0 => 1.0,
            _ => 2.0 * random.uniform() - 1.0,
        };
        let z = (0..n * k).map(&mut z).collect();
        let mut lambda = |i: usize| {
            let diagonal = f64::from(u8::from(i % (k + 1) == 0));
            0.7 * diagonal + 0.4 * (random.uniform() - 0.4)
        };
        let lambda = (0..k * k).map(&mut lambda).collect();
        // With the identity link the mean stays well above zero.
        let centre = if kind == Kind::PoissonIdentity {
            3.0
        } else {
            0.2
        };
        let fixed = (0..n).map(|_| centre + 0.8 * (random.uniform() - 0.5));
        Self {
            kind,
            information,
            y,
            codes: codes.collect(),
            n_levels,
            z,
            k,
            lambda,
            fixed: fixed.collect(),
            rho: -0.4,
        }
    }

    /// The same rows, level by level, and where they were.
    pub fn sorted(&self) -> (Self, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.codes.len()).collect();
        order.sort_by_key(|&row| self.codes[row]);
        let z_of = |&row: &usize| self.z[row * self.k..(row + 1) * self.k].to_vec();
        let sorted = Self {
            y: order.iter().map(|&i| self.y[i]).collect(),
            codes: order.iter().map(|&i| self.codes[i]).collect(),
            z: order.iter().flat_map(z_of).collect(),
            fixed: order.iter().map(|&i| self.fixed[i]).collect(),
            ..self.clone()
        };
        (sorted, order)
    }

    pub fn density(&self) -> Textbook<'_> {
        Textbook::new(self.kind, &self.y, self.rho)
    }

    pub fn point<'a>(&'a self, density: &'a dyn Density, u: &'a [f64]) -> Point<'a> {
        Point {
            density,
            information: self.information,
            has_dispersion: self.kind.has_dispersion(),
            codes: &self.codes,
            n_levels: self.n_levels,
            z: &self.z,
            k: self.k,
            lambda: &self.lambda,
            fixed: &self.fixed,
            u,
        }
    }

    /// The conditional modes, levels × k.
    pub fn modes(&self) -> Vec<f64> {
        self.levels().iter().flat_map(Level::mode).collect()
    }

    pub fn levels(&self) -> Vec<Level<'_>> {
        (0..self.n_levels)
            .map(|level| Level::new(self, level))
            .collect()
    }

    pub fn value(&self, n_nodes: usize) -> Option<Value> {
        let (density, u) = (self.density(), self.modes());
        value(&Rule::new(n_nodes), &self.point(&density, &u)).unwrap()
    }

    pub fn objective(&self, n_nodes: usize) -> f64 {
        self.value(n_nodes).unwrap().objective
    }

    /// The criterion by the trapezoidal rule around the modes, whose error falls faster than any
    /// power of the step.
    pub fn integral(&self, width: f64, step: f64) -> f64 {
        let integrals = self.levels();
        integrals
            .iter()
            .map(|level| level.integral(width, step))
            .sum()
    }
}

/// The rows of one level.
pub struct Level<'a> {
    example: &'a Example,
    density: Textbook<'a>,
    rows: Vec<usize>,
    /// λ'z of each row.
    projected: Vec<Vec<f64>>,
}

impl<'a> Level<'a> {
    fn new(example: &'a Example, level: usize) -> Self {
        let k = example.k;
        let is_here = |&row: &usize| example.codes[row] as usize == level;
        let rows: Vec<usize> = (0..example.codes.len()).filter(is_here).collect();
        let project = |&row: &usize| {
            let z = &example.z[row * k..(row + 1) * k];
            let columns = example.lambda.chunks_exact(k);
            columns.map(|column| small::dot(column, z)).collect()
        };
        Self {
            example,
            density: example.density(),
            projected: rows.iter().map(project).collect(),
            rows,
        }
    }

    /// `F(u) / 2`, its negative gradient, and its Hessian.
    pub fn half_deviance(&self, u: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let k = u.len();
        let density = &self.density;
        let mut value = 0.5 * small::dot(u, u);
        let mut descent: Vec<f64> = u.iter().map(|u| -u).collect();
        let mut hessian = vec![0.0; k * k];
        (0..k).for_each(|i| hessian[i + i * k] = 1.0);
        for (&row, p) in self.rows.iter().zip(&self.projected) {
            let eta = self.example.fixed[row] + small::dot(p, u);
            let (mut score, mut observed) = ([0.0], [0.0]);
            value -= density.working(row, &[eta], &mut score, &mut observed);
            small::axpy(score[0], p, &mut descent);
            let weighted: Vec<f64> = p.iter().map(|p| p * observed[0]).collect();
            small::add_outer(&mut hessian, p, &weighted);
        }
        (value, descent, hessian)
    }

    pub fn mode(&self) -> Vec<f64> {
        let k = self.example.k;
        let mut u = vec![0.0; k];
        for _ in 0..60 {
            let (before, mut step, mut hessian) = self.half_deviance(&u);
            small::solve_general(&mut hessian, &mut step, k, 1);
            let moved = |size: f64| -> Vec<f64> {
                u.iter()
                    .zip(&step)
                    .map(|(u, step)| u + size * step)
                    .collect()
            };
            let mut size = 1.0;
            while self.half_deviance(&moved(size)).0 > before + 1e-12 && size > 1e-3 {
                size *= 0.5;
            }
            u = moved(size);
            if step.iter().all(|s| s.abs() < 1e-15) {
                break;
            }
        }
        u
    }

    fn integral(&self, width: f64, step: f64) -> f64 {
        let k = self.example.k as u32;
        let mode = self.mode();
        let (least, ..) = self.half_deviance(&mode);
        let side = (2.0 * width / step) as usize + 1;
        let mut sum = 0.0;
        for point in 0..side.pow(k) {
            let place = |i: usize| step * (point / side.pow(i as u32) % side) as f64 - width;
            let u: Vec<f64> = mode.iter().enumerate().map(|(i, u)| u + place(i)).collect();
            sum += (least - self.half_deviance(&u).0).exp();
        }
        let volume = (step / std::f64::consts::TAU.sqrt()).powi(k as i32);
        2.0 * (least - (sum * volume).ln())
    }
}
