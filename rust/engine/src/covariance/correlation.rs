//! Structures that are a correlation matrix between standard deviations: λ = D C with CC' the
//! correlation matrix.
//!
//! With own variances the entries of D are squares of parameters. The covariance is then even in
//! each of them, which it is not in the standard deviations: one of those cannot change its sign
//! without that of its correlations.

use super::natural::{are_deviations, NaturalParameter};
use super::{Covariance, Element, Fold, Freedom, Jet};

/// A family of correlation matrices, smooth in parameters without bounds: angles.
pub trait Correlation: Send + Sync + std::fmt::Debug {
    fn n_angles(&self, k: usize) -> usize;
    /// C, column-major.
    fn factor(&self, angles: &[Jet], k: usize) -> Vec<Jet>;
    /// The angles of independent columns.
    fn independent(&self, k: usize) -> Vec<f64>;
    fn folds(&self, k: usize) -> Vec<Fold>;
    fn parameters(&self, k: usize) -> Vec<NaturalParameter>;
    /// Their values.
    fn natural(&self, angles: &[Jet], k: usize) -> Vec<Jet>;
    /// The angles there; `None` where there is no such correlation matrix.
    fn angles(&self, natural: &[f64], k: usize) -> Option<Vec<f64>>;
    /// For each natural parameter the pairs (row > column) whose correlation it is, where nothing else
    /// restricts them.
    fn shared(&self, k: usize) -> Option<Vec<Vec<(usize, usize)>>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// One standard deviation for all columns: the first parameter.
    Equal,
    /// One for each column: the squares of the first k parameters.
    Own,
}

/// The structure: parameters of D, then angles.
#[derive(Debug)]
pub struct WithCorrelation<C> {
    name: &'static str,
    spread: Spread,
    correlation: C,
}

impl<C: Correlation> WithCorrelation<C> {
    pub fn new(name: &'static str, spread: Spread, correlation: C) -> Self {
        Self {
            name,
            spread,
            correlation,
        }
    }

    fn n_spreads(&self, k: usize) -> usize {
        match self.spread {
            Spread::Equal => 1,
            Spread::Own => k,
        }
    }

    fn parameters_of(&self, sd: f64) -> f64 {
        match self.spread {
            Spread::Equal => sd,
            Spread::Own => sd.sqrt(),
        }
    }

    fn deviations(&self, spreads: &[Jet]) -> Vec<Jet> {
        let deviation = |&s: &Jet| match self.spread {
            Spread::Equal => s,
            Spread::Own => s * s,
        };
        spreads.iter().map(deviation).collect()
    }
}

impl<C: Correlation> Covariance for WithCorrelation<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn n_parameters(&self, k: usize) -> usize {
        self.n_spreads(k) + self.correlation.n_angles(k)
    }

    fn freedom(&self) -> Freedom {
        match self.spread {
            Spread::Equal => Freedom::Unit,
            Spread::Own => Freedom::Scaling,
        }
    }

    fn factor(&self, theta: &[Jet], k: usize) -> Vec<Jet> {
        let (spreads, angles) = theta.split_at(self.n_spreads(k));
        let deviations = self.deviations(spreads);
        let mut factor = self.correlation.factor(angles, k);
        for (e, entry) in factor.iter_mut().enumerate() {
            *entry = deviations[e % k % deviations.len()] * *entry;
        }
        factor
    }

    fn natural_parameters(&self, k: usize) -> Vec<NaturalParameter> {
        let mut out: Vec<NaturalParameter> = match self.spread {
            Spread::Equal => vec![NaturalParameter::sd((0..k).collect())],
            Spread::Own => (0..k).map(|i| NaturalParameter::sd(vec![i])).collect(),
        };
        out.extend(self.correlation.parameters(k));
        out
    }

    fn natural(&self, theta: &[Jet], k: usize) -> Vec<Jet> {
        let (spreads, angles) = theta.split_at(self.n_spreads(k));
        let mut out: Vec<Jet> = self.deviations(spreads);
        out.iter_mut().for_each(|sd| *sd = sd.abs());
        out.extend(self.correlation.natural(angles, k));
        out
    }

    fn theta(&self, natural: &[f64], k: usize) -> Option<Vec<f64>> {
        let (sds, correlations) = natural.split_at(self.n_spreads(k));
        if !are_deviations(sds) {
            return None;
        }
        let mut out: Vec<f64> = sds.iter().map(|&sd| self.parameters_of(sd)).collect();
        out.extend(self.correlation.angles(correlations, k)?);
        Some(out)
    }

    fn transformed(&self, theta: &[f64], m: &[f64], k: usize) -> Vec<f64> {
        let mut out = theta.to_vec();
        for (i, spread) in out[..self.n_spreads(k)].iter_mut().enumerate() {
            *spread *= self.parameters_of(m[i + i * k].abs());
        }
        out
    }

    fn isotropic(&self, sd: f64, k: usize) -> Vec<f64> {
        let mut out = vec![self.parameters_of(sd); self.n_spreads(k)];
        out.extend(self.correlation.independent(k));
        out
    }

    fn folds(&self, k: usize) -> Vec<Fold> {
        let n = self.n_spreads(k);
        let mut out: Vec<Fold> = (0..n).map(|i| Fold::at_zero(vec![i])).collect();
        out.extend(self.correlation.folds(k).into_iter().map(|mut fold| {
            fold.parameters.iter_mut().for_each(|i| *i += n);
            fold
        }));
        out
    }

    fn elements(&self, k: usize) -> Option<Vec<Element>> {
        if self.spread == Spread::Own {
            return None;
        }
        let mut out = vec![Element {
            place: (0, 0),
            entries: (0..k).map(|i| (i, i)).collect(),
        }];
        for pairs in self.correlation.shared(k)? {
            out.push(Element {
                place: pairs[0],
                entries: pairs,
            });
        }
        Some(out)
    }
}
