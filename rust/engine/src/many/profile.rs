//! The profiled criterion of one variance ratio, and its minimum.
//!
//! With γ = θ² the criterion of [`super::scalar`] is, up to constants,
//! `f(γ) = Σ c_i log(1 + γ d_i) + m log r²(γ)` with `r²(γ) = y'y - Σ γ e_i / (1 + γ κ_i)`.
//! Only the energies e_i and y'y belong to the response. f can have several local minima, so the
//! search begins with a grid of γ, whose logarithms and weights all responses share; Newton's
//! method with exact derivatives, held in a bracket, does the rest.

use crate::linalg::small;
use crate::model::linear::LITTLE_LEFT;
use crate::optimize::Status;

/// Ratio of neighbours in the grid.
const STEP: f64 = 4.0;
/// First γ of the grid above zero, in units of 1 / max κ: below it f is as good as linear.
const FIRST: f64 = 1e-3;
/// Last γ of the grid, in units of 1 / min κ: beyond it f only rises, or hardly anything is left
/// for the residual.
const LAST: f64 = 1e6;
/// A negative slope at zero below this, relative to that of the logarithms, is rounding.
const FLAT: f64 = 1e-8;
/// Newton steps, bisections included.
const MOST_STEPS: usize = 100;

/// The part of the criterion that all responses share.
pub struct Profile {
    /// (d_i, c_i).
    logs: Vec<(f64, f64)>,
    /// κ_i.
    poles: Vec<f64>,
    /// m.
    df: f64,
    grid: Vec<Point>,
}

struct Point {
    gamma: f64,
    /// Σ c_i log(1 + γ d_i).
    log_det: f64,
    /// γ / (1 + γ κ_i).
    weights: Vec<f64>,
}

/// Where the criterion is least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minimum {
    pub gamma: f64,
    pub r2: f64,
    pub log_det: f64,
    pub evaluations: usize,
    pub status: Status,
}

struct Slopes {
    first: f64,
    second: f64,
}

impl Profile {
    /// `None` when no κ is positive: then nothing determines γ.
    #[must_use]
    pub fn new(logs: Vec<(f64, f64)>, poles: Vec<f64>, df: f64) -> Option<Self> {
        let largest = poles.iter().copied().fold(0.0, f64::max);
        let positive = poles.iter().copied().filter(|&k| k > 0.0);
        let smallest = positive.fold(f64::INFINITY, f64::min);
        if largest <= 0.0 {
            return None;
        }
        let mut profile = Self {
            logs,
            poles,
            df,
            grid: Vec::new(),
        };
        let mut gamma = FIRST / largest;
        profile.grid.push(profile.point(0.0));
        while gamma < LAST / smallest {
            profile.grid.push(profile.point(gamma));
            gamma *= STEP;
        }
        Some(profile)
    }

    fn point(&self, gamma: f64) -> Point {
        Point {
            gamma,
            log_det: self.log_det(gamma),
            weights: self
                .poles
                .iter()
                .map(|k| gamma / (1.0 + gamma * k))
                .collect(),
        }
    }

    fn log_det(&self, gamma: f64) -> f64 {
        self.logs.iter().map(|(d, c)| c * (gamma * d).ln_1p()).sum()
    }

    fn r2(&self, gamma: f64, energies: &[f64], square: f64) -> f64 {
        let explained = self.poles.iter().zip(energies);
        square
            - explained
                .map(|(k, e)| gamma * e / (1.0 + gamma * k))
                .sum::<f64>()
    }

    /// f' and f''.
    fn slopes(&self, gamma: f64, energies: &[f64], square: f64) -> Slopes {
        let (mut first, mut second) = (0.0, 0.0);
        for (d, c) in &self.logs {
            let share = d / (1.0 + gamma * d);
            first += c * share;
            second -= c * share * share;
        }
        let (mut fall, mut bend) = (0.0, 0.0);
        for (k, e) in self.poles.iter().zip(energies) {
            let shrink = 1.0 / (1.0 + gamma * k);
            let part = e * shrink * shrink;
            fall += part;
            bend += 2.0 * k * part * shrink;
        }
        let r2 = self.r2(gamma, energies, square);
        let relative = fall / r2;
        Slopes {
            first: first - self.df * relative,
            second: second + self.df * (bend / r2 - relative * relative),
        }
    }

    /// The least value for the energies of one response, with `square` = y'y. `None` when it lies
    /// where so little is left for the residual that r² must be computed from the rows.
    #[must_use]
    pub fn minimise(&self, energies: &[f64], square: f64) -> Option<Minimum> {
        let (mut best, mut least, mut seen) = (0, f64::INFINITY, 0);
        for (i, point) in self.grid.iter().enumerate() {
            let r2 = square - small::dot(&point.weights, energies);
            // NaN ends the scan too.
            let resolved = r2 > LITTLE_LEFT * square;
            if !resolved {
                break;
            }
            seen = i + 1;
            let value = point.log_det + self.df * r2.ln();
            if value < least {
                (best, least) = (i, value);
            }
        }
        if best + 1 >= seen {
            return None;
        }
        let at_zero = best == 0 && {
            let steepest: f64 = self.logs.iter().map(|(d, c)| c * d).sum();
            self.slopes(0.0, energies, square).first >= -FLAT * steepest
        };
        let (gamma, steps, status) = if at_zero {
            (0.0, 1, Status::Converged)
        } else {
            let low = self.grid[best.saturating_sub(1)].gamma;
            let high = self.grid[best + 1].gamma;
            self.newton(self.grid[best].gamma, low, high, energies, square)
        };
        let r2 = self.r2(gamma, energies, square);
        Some(Minimum {
            gamma,
            r2,
            log_det: self.log_det(gamma),
            evaluations: seen + steps,
            status,
        })
    }

    /// Newton's method on f' in a bracket that is known to hold a minimum.
    fn newton(
        &self,
        start: f64,
        mut low: f64,
        mut high: f64,
        energies: &[f64],
        square: f64,
    ) -> (f64, usize, Status) {
        // The fall of f that its own rounding hides, squared: steps that promise less are noise.
        let noise = (4.0 * f64::EPSILON * self.df).powi(2);
        let mut gamma = start;
        for step in 1..=MOST_STEPS {
            let Slopes { first, second } = self.slopes(gamma, energies, square);
            if second > 0.0 && first * first <= noise * second {
                return (gamma, step, Status::Converged);
            }
            if first > 0.0 {
                high = gamma;
            } else {
                low = gamma;
            }
            let next = gamma - first / second;
            let next = if second > 0.0 && next > low && next < high {
                next
            } else {
                0.5 * (low + high)
            };
            // Convergence is quadratic: the error of this step is the square of its size.
            if (next - gamma).abs() <= 1e-9 * next {
                return (next, step, Status::Converged);
            }
            gamma = next;
        }
        (gamma, MOST_STEPS, Status::NoProgress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(profile: &Profile, gamma: f64, energies: &[f64]) -> f64 {
        profile.log_det(gamma) + profile.df * profile.r2(gamma, energies, 1.0).ln()
    }

    #[test]
    fn slopes_are_those_of_the_values() {
        let profile = Profile::new(vec![(2.0, 5.0), (7.0, 3.0)], vec![1.5, 6.0], 40.0);
        let profile = profile.expect("positive poles");
        let energies = [0.3, 2.0];
        for gamma in [0.01, 0.2, 3.0] {
            let h = 1e-4 * gamma;
            let at = |g: f64| value(&profile, g, &energies);
            let slopes = profile.slopes(gamma, &energies, 1.0);
            let first = (at(gamma + h) - at(gamma - h)) / (2.0 * h);
            let second = (at(gamma + h) - 2.0 * at(gamma) + at(gamma - h)) / (h * h);
            assert!((slopes.first - first).abs() < 1e-5 * first.abs().max(1.0));
            assert!((slopes.second - second).abs() < 1e-4 * second.abs().max(1.0));
        }
    }

    #[test]
    fn the_lower_of_two_minima_is_found() {
        // One small eigenvalue that carries much of the response, many large ones that carry none.
        let profile = Profile::new(vec![(1e-3, 2.0), (1e3, 6.0)], vec![1e-3, 1e3], 60.0);
        let profile = profile.expect("positive poles");
        let energies = [0.9e-3, 2.0];
        let found = profile.minimise(&energies, 1.0).expect("resolved");
        let scanned = (0..40_000)
            .map(|i| value(&profile, 1e-8 * 1.001_f64.powi(i), &energies))
            .fold(value(&profile, 0.0, &energies), f64::min);
        assert!(value(&profile, found.gamma, &energies) <= scanned + 1e-9);
    }

    #[test]
    fn no_variance_gives_exactly_zero() {
        let profile = Profile::new(vec![(4.0, 30.0)], vec![4.0], 100.0).expect("positive poles");
        let found = profile.minimise(&[0.1], 1.0).expect("resolved");
        assert_eq!((found.gamma, found.status), (0.0, Status::Converged));
    }
}
