//! Which parameters a fit holds, and the coordinates in which they can be held: standard deviations and
//! correlations are parameters there, or functions of one parameter and σ.

use std::sync::Arc;

use crate::covariance::{along, natural_unstructured, Covariance, Fold, Kind};
use crate::design::Term;
use crate::error::{Error, Result};
use crate::linalg::{small, Matrix};
use crate::model::Frame;
use crate::parameters::coordinates::{from_user, to_user};
use crate::parameters::map::identity;
use crate::parameters::Coordinates;

/// What is held, in the units of the user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// (parameter, value) of theta.
    pub theta: Vec<(usize, f64)>,
    /// (term, natural parameter, value): standard deviations of random effects and their correlations.
    pub natural: Vec<(usize, usize, f64)>,
    /// σ of a linear model. The dispersion of a generalized one is a matter of its family.
    pub sigma: Option<f64>,
}

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    Free,
    Held(f64),
    /// `at_zero · exp(rate · t)` for the parameter t at `to`: a standard deviation that is held in absolute
    /// units is tied to log σ.
    Tied {
        to: usize,
        at_zero: f64,
        rate: f64,
    },
}

/// Coordinates of theta in which what is held is held, and what becomes of each.
pub struct HeldCoordinates {
    pub coordinates: Coordinates,
    pub roles: Vec<Role>,
    /// Structures of the design, by term.
    user: Vec<(Arc<dyn Covariance>, usize)>,
    /// Those of the coordinates.
    own: Vec<(Arc<dyn Covariance>, usize)>,
}

/// Halvings of an angle's range.
const BISECTIONS: usize = 80;

impl HeldCoordinates {
    /// `sigma` is where log σ stands among the parameters, and σ there at zero; `None` where standard
    /// deviations are not relative to σ. Factors stay `triangular` where the objective depends on it.
    pub fn new(
        frame: &Frame,
        held: &Held,
        sigma: Option<(usize, f64)>,
        triangular: bool,
    ) -> Result<Self> {
        let terms = &frame.design.terms;
        let user: Vec<_> = terms
            .iter()
            .map(|term| (Arc::clone(&term.covariance), term.k))
            .collect();
        for &one in &held.natural {
            check_natural(terms, one)?;
        }
        let own = (0..terms.len())
            .map(|t| Ok((structure_for(&terms[t], held, t, triangular)?, terms[t].k)))
            .collect::<Result<Vec<_>>>()?;
        let coordinates = Coordinates::own_units(own.clone(), &frame.terms);
        let mut out = Self {
            roles: vec![Role::Free; coordinates.dim],
            coordinates,
            user,
            own,
        };
        out.hold_theta(frame, held)?;
        for &(term, index, value) in &held.natural {
            out.hold_natural(frame, (term, index, value), sigma)?;
        }
        Ok(out)
    }

    /// These coordinates at theta of the user.
    pub fn enter(&self, frame: &Frame, theta: &[f64]) -> Result<Vec<f64>> {
        let own = Self::change(theta, &self.user, &self.own)?;
        Ok(from_user(&self.coordinates, &frame.terms, &own))
    }

    /// Theta of the user.
    pub fn leave(&self, frame: &Frame, theta: &[f64]) -> Result<Vec<f64>> {
        let own = to_user(&self.coordinates, &frame.terms, theta);
        Self::change(&own, &self.own, &self.user)
    }

    /// Theta of the same covariance matrices in other structures.
    fn change(
        theta: &[f64],
        from: &[(Arc<dyn Covariance>, usize)],
        to: &[(Arc<dyn Covariance>, usize)],
    ) -> Result<Vec<f64>> {
        let mut out = Vec::with_capacity(theta.len());
        let mut rest = theta;
        for ((from, k), (to, _)) in from.iter().zip(to) {
            let (own, others) = rest.split_at(from.n_parameters(*k));
            rest = others;
            if Arc::ptr_eq(from, to) {
                out.extend_from_slice(own);
            } else {
                out.extend(changed(own, &**from, &**to, *k)?);
            }
        }
        Ok(out)
    }

    fn hold_theta(&mut self, frame: &Frame, held: &Held) -> Result<()> {
        for &(at, value) in &held.theta {
            if at >= self.coordinates.dim || !value.is_finite() {
                return Err(Error::Domain(format!(
                    "theta[{at}] cannot be held at {value}: theta has {} finite parameters",
                    self.coordinates.dim
                )));
            }
            let mut terms = self.coordinates.terms.iter();
            let own = terms.position(|t| (t.start..t.start + t.n_parameters).contains(&at));
            if let Some((t, ..)) = held.natural.iter().find(|(t, ..)| Some(*t) == own) {
                return Err(Error::Domain(format!(
                    "hold either entries of theta or standard deviations and correlations of \
                     random-effects term {t}, not both"
                )));
            }
            let mut theta = self.coordinates.isotropic(|_| 1.0);
            theta[at] = value;
            let value = from_user(&self.coordinates, &frame.terms, &theta)[at];
            self.hold(at, Role::Held(value))?;
        }
        Ok(())
    }

    fn hold_natural(
        &mut self,
        frame: &Frame,
        natural: (usize, usize, f64),
        sigma: Option<(usize, f64)>,
    ) -> Result<()> {
        let (at, role) = self.natural_role(frame, natural, sigma)?;
        self.hold(at, role)
    }

    /// Where the parameter stands that a natural parameter is a function of, and what becomes of it when
    /// the natural one has this value.
    pub fn natural_role(
        &self,
        frame: &Frame,
        (term, index, value): (usize, usize, f64),
        sigma: Option<(usize, f64)>,
    ) -> Result<(usize, Role)> {
        let (covariance, k) = self.own[term].clone();
        let kind = covariance.natural_parameters(k)[index].kind;
        let own = behind(&*covariance, k, index)?;
        let at = self.coordinates.terms[term].start + own;
        let mut theta = self.to_user_start(frame);
        let first = self.coordinates.terms[term].start;
        let place = &mut theta[first..first + covariance.n_parameters(k)];
        let power = match kind {
            Kind::StandardDeviation => {
                let mut values = covariance.natural_values(&covariance.isotropic(1.0, k), k);
                values[index] = value;
                let changed = covariance.theta(&values, k);
                let changed = changed.ok_or_else(|| {
                    Error::Domain(format!(
                        "no '{}' covariance matrix has a standard deviation of {value}",
                        covariance.name()
                    ))
                })?;
                place[own] = changed[own];
                power_of(&*covariance, k, (index, own))
            }
            Kind::Correlation => {
                place[own] = angle_of(&*covariance, k, (index, own), value);
                0.0
            }
        };
        let held = from_user(&self.coordinates, &frame.terms, &theta)[at];
        let role = match sigma {
            Some((to, unit)) if power > 0.0 => Role::Tied {
                to,
                at_zero: held * unit.powf(-1.0 / power),
                rate: -1.0 / power,
            },
            _ => Role::Held(held),
        };
        Ok((at, role))
    }

    /// The derivative of the parameter that is behind a natural one with respect to it, where they have the
    /// values `own` and `value`; not finite at a bound.
    pub fn natural_slope(
        &self,
        (term, index, value): (usize, usize, f64),
        own: f64,
    ) -> Result<f64> {
        let (covariance, k) = &self.own[term];
        let place = behind(&**covariance, *k, index)?;
        Ok(match covariance.natural_parameters(*k)[index].kind {
            Kind::StandardDeviation => own / (power_of(&**covariance, *k, (index, place)) * value),
            Kind::Correlation => {
                let mut theta = covariance.isotropic(1.0, *k);
                theta[place] = own;
                let jets = covariance.natural(&along(&theta, place, place), *k);
                jets[index].first.recip()
            }
        })
    }

    fn hold(&mut self, at: usize, role: Role) -> Result<()> {
        if self.roles[at] != Role::Free {
            return Err(Error::Domain("a parameter is held twice".into()));
        }
        self.roles[at] = role;
        Ok(())
    }

    fn to_user_start(&self, frame: &Frame) -> Vec<f64> {
        to_user(
            &self.coordinates,
            &frame.terms,
            &self.coordinates.isotropic(|_| 1.0),
        )
    }
}

/// Theta of the same covariance matrix in another structure.
fn changed(
    theta: &[f64],
    from: &dyn Covariance,
    to: &dyn Covariance,
    k: usize,
) -> Result<Vec<f64>> {
    let mut natural = from.natural_values(theta, k);
    // A column without variance has no correlations: zero serves.
    natural
        .iter_mut()
        .filter(|v| v.is_nan())
        .for_each(|v| *v = 0.0);
    to.theta(&natural, k).ok_or_else(|| Error::Factorisation {
        theta: theta.to_vec(),
    })
}

/// That there is such a parameter, and that it can have this value.
fn check_natural(terms: &[Term], (t, index, value): (usize, usize, f64)) -> Result<()> {
    let Some(term) = terms.get(t) else {
        return Err(Error::Domain(format!(
            "there is no random-effects term {t} to hold a parameter of"
        )));
    };
    let parameters = term.covariance.natural_parameters(term.k);
    let Some(natural) = parameters.get(index) else {
        return Err(Error::Domain(format!(
            "random-effects term {t} has no parameter {index}"
        )));
    };
    let (lower, upper) = natural.bounds;
    if value.is_finite() && (lower..=upper).contains(&value) {
        return Ok(());
    }
    Err(Error::Domain(format!(
        "parameter {index} of random-effects term {t} cannot be held at {value}: it is between {lower} \
         and {upper}"
    )))
}

/// The structure of a term in which what is held of it are single parameters.
fn structure_for(
    term: &Term,
    held: &Held,
    t: usize,
    triangular: bool,
) -> Result<Arc<dyn Covariance>> {
    let (own, k) = (&term.covariance, term.k);
    let natural: Vec<usize> = held
        .natural
        .iter()
        .filter(|(term, ..)| *term == t)
        .map(|(_, index, _)| *index)
        .collect();
    let single = |covariance: &dyn Covariance| {
        let mut all = natural.iter();
        all.all(|&i| parameter_behind(covariance, k, i).is_some())
    };
    if single(&**own) {
        return Ok(Arc::clone(own));
    }
    if own.entries(k).is_some() {
        // Quadrature over several effects wants a triangular factor.
        let pivots = if triangular { 1 } else { k };
        let mut found = (0..pivots).map(natural_unstructured);
        let found = found.find(|c| single(&**c));
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(Error::Domain(format!(
        "these parameters of '{}' cannot be held together: hold correlations of one column with the \
         others only, or the one of lag 1",
        own.name()
    )))
}

/// A theta without special values.
fn generic_theta(covariance: &dyn Covariance, k: usize) -> Vec<f64> {
    let start = covariance.isotropic(1.0, k).into_iter().enumerate();
    start
        .map(|(i, t)| t + 0.1 + 0.03 * (i % 5) as f64)
        .collect()
}

/// The one parameter on which a natural parameter depends.
fn parameter_behind(covariance: &dyn Covariance, k: usize, natural: usize) -> Option<usize> {
    let theta = generic_theta(covariance, k);
    let moves = |i: &usize| covariance.natural(&along(&theta, *i, *i), k)[natural].first != 0.0;
    let mut behind = (0..theta.len()).filter(moves);
    match (behind.next(), behind.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// The same of a parameter that is held, whose structure was chosen so that there is one.
fn behind(covariance: &dyn Covariance, k: usize, natural: usize) -> Result<usize> {
    parameter_behind(covariance, k, natural)
        .ok_or_else(|| Error::Internal("a parameter that is held depends on several others".into()))
}

/// p for a standard deviation that is the p-th power of its parameter.
fn power_of(covariance: &dyn Covariance, k: usize, (natural, own): (usize, usize)) -> f64 {
    let theta = generic_theta(covariance, k);
    let sd = covariance.natural(&along(&theta, own, own), k)[natural];
    (theta[own] * sd.first / sd.value).round()
}

/// The angle at which a correlation, which rises with it, has this value.
fn angle_of(
    covariance: &dyn Covariance,
    k: usize,
    (natural, own): (usize, usize),
    value: f64,
) -> f64 {
    let ends: Vec<f64> = covariance
        .folds(k)
        .into_iter()
        .filter(|Fold { parameters, .. }| parameters == &[own])
        .map(|fold| fold.at)
        .collect();
    let quarter = std::f64::consts::FRAC_PI_2;
    let mut low = ends.iter().copied().fold(quarter, f64::min);
    let mut high = ends.iter().copied().fold(-quarter, f64::max);
    if low >= high {
        (low, high) = (-quarter, quarter);
    }
    let mut theta = covariance.isotropic(1.0, k);
    let mut at = |angle: f64| {
        theta[own] = angle;
        covariance.natural_values(&theta, k)[natural]
    };
    for end in [low, high] {
        if at(end) == value {
            return end;
        }
    }
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if at(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

impl HeldCoordinates {
    /// Derivatives of theta of the user with respect to these coordinates.
    pub fn slopes(&self, frame: &Frame, theta: &[f64]) -> Result<Matrix> {
        let dim = self.coordinates.dim;
        let mut out = Matrix::zeros(dim, dim, "the derivatives of theta")?;
        // The units of the columns scale every parameter.
        let generic: Vec<f64> = self
            .own
            .iter()
            .flat_map(|(c, k)| generic_theta(&**c, *k))
            .collect();
        let scaled = to_user(&self.coordinates, &frame.terms, &generic);
        let units: Vec<f64> = scaled.iter().zip(&generic).map(|(s, g)| s / g).collect();
        let own = to_user(&self.coordinates, &frame.terms, theta);
        let user = Self::change(&own, &self.own, &self.user)?;
        for (t, term) in self.coordinates.terms.iter().enumerate() {
            let (first, n, k) = (term.start, term.n_parameters, term.k);
            let range = first..first + n;
            let mut block = identity(n);
            if !Arc::ptr_eq(&self.own[t].0, &self.user[t].0) {
                block = natural_slopes(&*self.own[t].0, &own[range.clone()], k);
                let mut theirs = natural_slopes(&*self.user[t].0, &user[range.clone()], k);
                small::solve_general(&mut theirs, &mut block, n, n);
                if !block.iter().all(|v| v.is_finite()) {
                    block = boundary_slopes(
                        &own[range],
                        &*self.own[t].0,
                        &*self.user[t].0,
                        (&user[first..first + n], k),
                    )?;
                }
            }
            for (j, column) in block.chunks_exact(n).enumerate() {
                for (i, v) in column.iter().enumerate() {
                    out[(first + i, first + j)] = v * units[first + j];
                }
            }
        }
        Ok(out)
    }
}

/// Step and weights of derivatives from one side, of fourth order.
const STEP: f64 = 1e-3;
const ONE_SIDED: [f64; 4] = [48.0, -36.0, 16.0, -3.0];

/// Derivatives of theta of one structure (rows) with respect to that of another where the natural
/// parameters have none, at a standard deviation of zero or a correlation of one: into the domain,
/// column-major.
fn boundary_slopes(
    theta: &[f64],
    from: &dyn Covariance,
    to: &dyn Covariance,
    (here, k): (&[f64], usize),
) -> Result<Vec<f64>> {
    let n = theta.len();
    let mut out = vec![0.0; n * n];
    for (j, column) in out.chunks_exact_mut(n).enumerate() {
        let mut moved = theta.to_vec();
        for (step, weight) in ONE_SIDED.into_iter().enumerate() {
            moved[j] = theta[j] + (step + 1) as f64 * STEP;
            let there = changed(&moved, from, to, k)?;
            for ((out, there), here) in column.iter_mut().zip(there).zip(here) {
                *out += weight * (there - here) / (12.0 * STEP);
            }
        }
    }
    Ok(out)
}

/// Derivatives of the natural parameters (rows) with respect to theta, column-major.
fn natural_slopes(covariance: &dyn Covariance, theta: &[f64], k: usize) -> Vec<f64> {
    let columns = 0..theta.len();
    columns
        .flat_map(|j| covariance.natural(&along(theta, j, j), k))
        .map(|jet| jet.first)
        .collect()
}
