//! Gauss-Hermite rules for the standard normal distribution, and their product grids.
//!
//! With p_0, p_1, ... the orthonormal Hermite polynomials, the nodes are the zeros of p_n and the
//! weights are `1 / (n p_{n-1}²)` there (Golub & Welsch 1969, Math. Comp. 23). The polynomials stay
//! far from overflow where the weights underflow, so the logarithm of a weight is always right.

use crate::error::{Error, Result};

/// Nodes and weights of one dimension: `Σ w f(z) = E f(z)` for a standard normal z and every
/// polynomial f of degree below twice the number of nodes.
///
/// The nodes come from the middle outwards, so that the largest terms of a sum come first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub nodes: Vec<f64>,
    pub log_weights: Vec<f64>,
}

impl Rule {
    /// The rule with n nodes, one at least.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let n = n.max(1);
        let mut rule = Self {
            nodes: Vec::with_capacity(n),
            log_weights: Vec::with_capacity(n),
        };
        if n % 2 == 1 {
            rule.push(n, 0.0);
        }
        for above in (0..n / 2).rev() {
            let node = zero(n, above);
            rule.push(n, node);
            rule.push(n, -node);
        }
        rule
    }

    fn push(&mut self, n: usize, node: f64) {
        let before = Hermite::at(n, node).before;
        self.nodes.push(node);
        self.log_weights
            .push(-(n as f64).ln() - 2.0 * before.abs().ln());
    }
}

/// The orthonormal polynomials at one place.
struct Hermite {
    /// p_n.
    value: f64,
    /// p_{n-1}.
    before: f64,
    /// Zeros of p_n beyond this place: the sign changes along p_0 .. p_n (Sturm).
    above: usize,
}

impl Hermite {
    fn at(n: usize, x: f64) -> Self {
        let (mut before, mut value, mut above) = (0.0_f64, 1.0_f64, 0);
        for j in 0..n {
            let next = (x * value - (j as f64).sqrt() * before) / ((j + 1) as f64).sqrt();
            above += usize::from(next.is_sign_negative() != value.is_sign_negative());
            (before, value) = (value, next);
        }
        Self {
            value,
            before,
            above,
        }
    }
}

/// The positive zero of p_n that has `above` zeros beyond it: bisection until it stands alone by far,
/// then Newton steps, with `p_n' = sqrt(n) p_{n-1}`.
fn zero(n: usize, above: usize) -> f64 {
    const HALVINGS: usize = 24;
    const STEPS: usize = 4;
    let root = (n as f64).sqrt();
    // All zeros are below 2 sqrt(n).
    let (mut low, mut high) = (0.0, 2.0 * root);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if Hermite::at(n, middle).above > above {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut x = 0.5 * (low + high);
    for _ in 0..STEPS {
        let p = Hermite::at(n, x);
        x -= p.value / (root * p.before);
    }
    x
}

/// All k-tuples of the nodes of a rule, the middle one first.
#[derive(Debug)]
pub struct Grid<'a> {
    rule: &'a Rule,
    /// Number of points.
    pub len: usize,
}

impl<'a> Grid<'a> {
    /// The grid of k dimensions; an error when its points cannot even be counted.
    pub fn new(rule: &'a Rule, k: usize) -> Result<Self> {
        let n = rule.nodes.len();
        let len = u32::try_from(k).ok().and_then(|k| n.checked_pow(k));
        match len {
            Some(len) if n == rule.log_weights.len() => Ok(Self { rule, len }),
            Some(_) => Err(Error::Length {
                what: "log_weights".to_owned(),
                expected: n,
                found: rule.log_weights.len(),
            }),
            None => Err(Error::Domain(format!(
                "{n} quadrature points for each of {k} random effects are too many"
            ))),
        }
    }

    /// Writes the coordinates of a point; returns the logarithm of its weight.
    pub fn point(&self, index: usize, z: &mut [f64]) -> f64 {
        let mut rest = index;
        let mut log_weight = 0.0;
        for z in z {
            let i = rest % self.rule.nodes.len();
            rest /= self.rule.nodes.len();
            *z = self.rule.nodes[i];
            log_weight += self.rule.log_weights[i];
        }
        log_weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(n: usize) -> Vec<(f64, f64)> {
        let rule = Rule::new(n);
        let mut pairs: Vec<_> = rule.nodes.into_iter().zip(rule.log_weights).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs
    }

    /// Nodes and weights of the rules that have closed forms.
    #[test]
    fn closed_forms() {
        let root = f64::sqrt;
        let (inner, outer) = (root(5.0 - root(10.0)), root(5.0 + root(10.0)));
        let light = (7.0 - 2.0 * root(10.0)) / 60.0;
        let heavy = (7.0 + 2.0 * root(10.0)) / 60.0;
        let rules = [
            vec![(0.0, 1.0)],
            vec![(-1.0, 0.5), (1.0, 0.5)],
            vec![
                (-root(3.0), 1.0 / 6.0),
                (0.0, 2.0 / 3.0),
                (root(3.0), 1.0 / 6.0),
            ],
            vec![],
            vec![
                (-outer, light),
                (-inner, heavy),
                (0.0, 8.0 / 15.0),
                (inner, heavy),
                (outer, light),
            ],
        ];
        for expected in rules.iter().filter(|rule| !rule.is_empty()) {
            for (ours, expected) in sorted(expected.len()).iter().zip(expected) {
                assert!((ours.0 - expected.0).abs() < 1e-15 * 4.0);
                assert!((ours.1.exp() / expected.1 - 1.0).abs() < 1e-14);
            }
        }
        assert_eq!(Rule::new(0), Rule::new(1));
    }

    /// `E z^2r = (2r - 1)!!` up to twice the number of nodes: the highest powers see the outermost
    /// nodes only.
    #[test]
    fn exact_for_polynomials() {
        for n in (1..=100).chain([150, 200]) {
            let pairs = sorted(n);
            let mut log_moment = 0.0_f64;
            for r in 0..n {
                if r > 0 {
                    log_moment += ((2 * r - 1) as f64).ln();
                }
                let terms = pairs.iter().filter(|(x, _)| r == 0 || *x != 0.0);
                let sum: f64 = terms
                    .map(|(x, w)| {
                        let power = if r == 0 {
                            0.0
                        } else {
                            2.0 * r as f64 * x.abs().ln()
                        };
                        (w + power - log_moment).exp()
                    })
                    .sum();
                assert!((sum - 1.0).abs() < 1e-12, "{n} {r} {}", sum - 1.0);
            }
        }
    }

    #[test]
    fn the_middle_comes_first() {
        for n in 1..=100 {
            let rule = Rule::new(n);
            assert_eq!(rule.nodes.len(), n);
            assert!(rule.nodes.windows(2).all(|w| w[0].abs() <= w[1].abs()));
            assert!(rule.log_weights.windows(2).all(|w| w[0] >= w[1]));
        }
    }

    #[test]
    fn grids_are_products() {
        let rule = Rule::new(3);
        let grid = Grid::new(&rule, 2).unwrap();
        assert_eq!(grid.len, 9);
        let (mut z, mut square, mut cross) = ([0.0; 2], 0.0, 0.0);
        for index in 0..grid.len {
            let weight = grid.point(index, &mut z).exp();
            square += weight * z[0] * z[0];
            cross += weight * z[0] * z[0] * z[1] * z[1];
        }
        assert!((square - 1.0).abs() < 1e-14);
        assert!((cross - 1.0).abs() < 1e-14);
    }
}
