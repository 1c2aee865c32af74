//! The system of a model at one value of the relative covariance factors, by the kind of
//! factorisation that suits its structure.

use faer::Par;

use crate::design::stacked::Stacked;
use crate::design::Model;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::system::slopes::{slopes, Slopes, WorkingMap};
use crate::system::{multiply, selected, Factor, OneFactor, Reduced};

/// Factorisation and the response solved with it.
pub struct Solver<'a> {
    model: &'a Model,
    kind: Kind,
}

/// One grouping factor, or blocks of several.
enum Kind {
    OneFactor(Box<OneFactor>),
    Blocked {
        factor: Box<Factor>,
        /// The response after forward elimination.
        reduced: Option<Reduced>,
    },
}

impl<'a> Solver<'a> {
    pub fn new(model: &'a Model) -> Result<Self> {
        let one_factor = OneFactor::new(
            &model.cross_products,
            &model.structure,
            &model.response_products,
            model.response_square,
        );
        let kind = match one_factor {
            Some(one_factor) => Kind::OneFactor(Box::new(one_factor)),
            None => Kind::Blocked {
                factor: Box::new(new_factor(model)?),
                reduced: None,
            },
        };
        Ok(Self { model, kind })
    }

    /// Factorises at the λ of each block: r² = y'Py, or `None` when the system is not positive
    /// definite there.
    pub fn update(&mut self, lambda: &[Vec<f64>]) -> Result<Option<f64>> {
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        match &mut self.kind {
            Kind::OneFactor(one) => Ok(one.update(&lambda[0]).then_some(one.r2)),
            Kind::Blocked { factor, reduced } => {
                *reduced = None;
                if !factor.update(a, structure, lambda.to_vec())? {
                    return Ok(None);
                }
                let response = self.model.response_products.clone();
                let solved = reduced.insert(Reduced::new(factor, a, structure, response));
                Ok(Some(self.model.response_square - solved.explained[0]))
            }
        }
    }

    /// log |Λ'Z'ZΛ + I|.
    #[must_use]
    pub fn log_det_z(&self) -> f64 {
        match &self.kind {
            Kind::OneFactor(one) => one.log_det_z,
            Kind::Blocked { factor, .. } => factor.log_det_z,
        }
    }

    /// log |X'V^-1X| in the basis of the engine.
    #[must_use]
    pub fn log_det_x(&self) -> f64 {
        match &self.kind {
            Kind::OneFactor(one) => one.log_det_x,
            Kind::Blocked { factor, .. } => factor.log_det_x,
        }
    }

    /// Lower Cholesky factor of X'V^-1X.
    #[must_use]
    pub fn x_factor(&self) -> Matrix {
        match &self.kind {
            Kind::OneFactor(one) => one.x_factor(),
            Kind::Blocked { factor, .. } => {
                let rank = self.model.structure.rank;
                let lower = factor.trailing.fixed(&self.model.structure);
                Matrix::from_columns(rank, rank, lower)
            }
        }
    }

    /// Conditional modes and coefficients.
    pub fn solution(&mut self) -> Result<Stacked> {
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        match &mut self.kind {
            Kind::OneFactor(one) => Ok(one.solution()),
            Kind::Blocked { factor, reduced } => match reduced {
                Some(reduced) => Ok(reduced.solution(factor, a, structure)),
                None => Err(Error::Factorisation { theta: Vec::new() }),
            },
        }
    }

    /// c = Z'Py, from the cross-products; `solution` is the one of this system.
    pub fn scores(&mut self, solution: &Stacked) -> Result<Stacked> {
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        if let Kind::OneFactor(one) = &mut self.kind {
            return Ok(one.scores());
        }
        let mut c = multiply(a, structure, solution, Par::Seq)?;
        let y = &self.model.response_products;
        let parts = c
            .leading
            .iter_mut()
            .zip(&y.leading)
            .chain([(&mut c.trailing, &y.trailing)]);
        for (c, y) in parts {
            c.iter_mut().zip(y).for_each(|(c, y)| *c = y - *c);
        }
        c.trailing[structure.n_trailing..].fill(0.0);
        Ok(c)
    }

    /// What the derivatives are made of, for the parameters that these maps belong to. W is Z'PZ for
    /// `joint` and Z'V^-1Z otherwise; `scores` replaces c when its digits are not to be had from the
    /// cross-products.
    pub fn slopes(
        &mut self,
        maps: &[WorkingMap],
        joint: bool,
        scores: Option<Stacked>,
    ) -> Result<Slopes> {
        if let Kind::OneFactor(one) = &mut self.kind {
            one.differentiate(scores.as_ref());
            return Ok(one.slopes(maps, joint));
        }
        let c = match scores {
            Some(c) => c,
            None => {
                let solution = self.solution()?;
                self.scores(&solution)?
            }
        };
        let (a, structure) = (&self.model.cross_products, &self.model.structure);
        let Kind::Blocked { factor, .. } = &mut self.kind else {
            unreachable!("the other kind has returned");
        };
        let w = selected(factor, a, structure, joint, false)?.w_sums;
        slopes(factor, a, structure, maps, &c, w)
    }

    /// The general factor at these λ, whatever the kind.
    pub fn with_factor<T>(
        &mut self,
        lambda: &[Vec<f64>],
        work: impl FnOnce(&mut Factor) -> Result<T>,
    ) -> Result<T> {
        match &mut self.kind {
            Kind::Blocked { factor, .. } => work(factor),
            Kind::OneFactor(_) => {
                let mut factor = new_factor(self.model)?;
                let (a, structure) = (&self.model.cross_products, &self.model.structure);
                if !factor.update(a, structure, lambda.to_vec())? {
                    return Err(Error::Factorisation { theta: Vec::new() });
                }
                work(&mut factor)
            }
        }
    }
}

fn new_factor(model: &Model) -> Result<Factor> {
    Factor::new(&model.cross_products, &model.structure, Par::Seq)
}
