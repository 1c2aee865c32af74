//! Minimum of a quadratic model in a ball.

use crate::linalg::{dense, small, Matrix};

/// A step and what the model expects of it.
#[derive(Debug, Clone)]
pub struct Step {
    pub direction: Vec<f64>,
    /// Decrease of the model, non-negative.
    pub predicted: f64,
    /// The ball did not restrict the step.
    pub interior: bool,
}

/// Eigenvalues below this share of the largest count as zero.
const FLAT: f64 = 1e-12;

/// Directions with less than this share of the largest eigenvalue are left alone by a step that does not
/// trust the model along them.
const CURVED: f64 = 1e-6;

/// Slopes below this share of the largest eigenvalue are rounding, and would lead far along flat
/// directions. The gain that is given up is beyond the digits of the objective.
const ROUNDING: f64 = 1e-14;

/// Minimises `g'p + p'Hp/2` over `‖p‖ ≤ radius` by the eigen-decomposition of H (Moré & Sorensen
/// 1983); `None` when g or H is not finite.
#[must_use]
pub fn minimize_in_ball(gradient: &[f64], hessian: &Matrix, radius: f64) -> Option<Step> {
    let n = gradient.len();
    if gradient.iter().any(|g| !g.is_finite()) {
        return None;
    }
    let (values, vectors) = dense::eigen(hessian)?;
    let largest = values.last().copied().unwrap_or(0.0).abs().max(1e-300);
    let rotated: Vec<f64> = (0..n)
        .map(|j| small::dot(vectors.column(j), gradient))
        .map(|g| if g.abs() < ROUNDING * largest { 0.0 } else { g })
        .collect();
    let lowest = values.first().copied().unwrap_or(0.0);
    let at = |shift: f64| -> Vec<f64> {
        rotated
            .iter()
            .zip(&values)
            .map(|(g, w)| if *g == 0.0 { 0.0 } else { -g / (w + shift) })
            .collect()
    };
    let norm = |p: &[f64]| small::dot(p, p).sqrt();

    let mut interior = false;
    let mut p = Vec::new();
    if lowest > FLAT * largest {
        p = at(0.0);
        interior = norm(&p) <= radius;
    }
    if !interior {
        let floor = (-lowest).max(0.0) + FLAT * largest;
        p = at(floor);
        if norm(&p) < radius {
            // Hard case: the gradient has (almost) no share in the lowest direction.
            if lowest < 0.0 {
                let rest = small::dot(&p[1..], &p[1..]);
                let size = (radius * radius - rest).max(0.0).sqrt();
                p[0] = if rotated[0] > 0.0 { -size } else { size };
            } else {
                interior = true;
            }
        } else {
            p = at(secular_shift(&rotated, &values, floor, radius));
        }
    }
    let linear = small::dot(&p, &rotated);
    let quadratic: f64 = p.iter().zip(&values).map(|(p, w)| p * p * w).sum();
    let mut direction = vec![0.0; n];
    for (j, p) in p.iter().enumerate() {
        small::axpy(*p, vectors.column(j), &mut direction);
    }
    Some(Step {
        direction,
        predicted: (-(linear + 0.5 * quadratic)).max(0.0),
        interior,
    })
}

/// Newton's step along the directions in which H curves upwards for certain; `None` when g or H is not
/// finite.
#[must_use]
pub fn newton_where_curved(gradient: &[f64], hessian: &Matrix) -> Option<Step> {
    if gradient.iter().any(|g| !g.is_finite()) {
        return None;
    }
    let (values, vectors) = dense::eigen(hessian)?;
    let largest = values.last().copied().unwrap_or(0.0);
    let mut direction = vec![0.0; gradient.len()];
    let mut predicted = 0.0;
    for (j, w) in values.iter().enumerate() {
        if *w > CURVED * largest {
            let slope = small::dot(vectors.column(j), gradient);
            small::axpy(-slope / w, vectors.column(j), &mut direction);
            predicted += 0.5 * slope * slope / w;
        }
    }
    Some(Step {
        direction,
        predicted,
        interior: true,
    })
}

/// The shift above `floor` that brings the step to the boundary of the ball: Newton's method on
/// `1/‖p‖ - 1/radius`, which is nearly linear, kept within a bracket.
fn secular_shift(rotated: &[f64], values: &[f64], floor: f64, radius: f64) -> f64 {
    let size = small::dot(rotated, rotated).sqrt();
    let (mut low, mut high) = (floor, floor + size / radius + 1e-300);
    let mut shift = low;
    for _ in 0..100 {
        let (mut square, mut slope) = (0.0, 0.0);
        for (g, w) in rotated.iter().zip(values) {
            if *g != 0.0 {
                let p = g / (w + shift);
                square += p * p;
                slope += p * p / (w + shift);
            }
        }
        let norm = square.sqrt();
        if (norm - radius).abs() <= 1e-8 * radius {
            break;
        }
        if norm > radius {
            low = shift;
        } else {
            high = shift;
        }
        let newton = shift + (norm - radius) / radius * square / slope;
        shift = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
    }
    shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solve(g: &[f64], h: &[f64], radius: f64) -> Step {
        minimize_in_ball(g, &Matrix::from_columns(2, 2, h.to_vec()), radius).expect("finite")
    }

    #[test]
    fn a_step_where_curved_leaves_flat_and_downward_directions_alone() {
        let diagonal = [-1.0, 1e-9, 4.0];
        let mut h = vec![0.0; 9];
        (0..3).for_each(|i| h[4 * i] = diagonal[i]);
        let h = Matrix::from_columns(3, 3, h);
        let step = newton_where_curved(&[1.0, 1.0, 2.0], &h).expect("finite");
        assert_eq!(step.direction, [0.0, 0.0, -0.5]);
        assert!((step.predicted - 0.5).abs() < 1e-15);
        assert!(newton_where_curved(&[f64::NAN, 0.0, 0.0], &h).is_none());
    }

    #[test]
    fn a_convex_model_inside_the_ball_gives_the_newton_step() {
        let s = solve(&[2.0, -4.0], &[2.0, 0.0, 0.0, 4.0], 10.0);
        assert!(s.interior);
        assert!((s.direction[0] + 1.0).abs() < 1e-12 && (s.direction[1] - 1.0).abs() < 1e-12);
        assert!((s.predicted - 3.0).abs() < 1e-12);
    }

    #[test]
    fn steps_reach_the_boundary_when_the_model_wants_more() {
        for h in [[2.0, 0.0, 0.0, 4.0], [-1.0, 0.0, 0.0, 1.0]] {
            let s = solve(&[2.0, -4.0], &h, 0.1);
            assert!(!s.interior);
            assert!((small::dot(&s.direction, &s.direction).sqrt() - 0.1).abs() < 1e-8);
            assert!(s.predicted > 0.0);
        }
    }

    #[test]
    fn the_hard_case_leaves_a_saddle() {
        let s = solve(&[0.0, 0.0], &[-1.0, 0.0, 0.0, 1.0], 0.5);
        assert!((s.direction[0].abs() - 0.5).abs() < 1e-12);
        assert!((s.predicted - 0.125).abs() < 1e-12);
    }

    #[test]
    fn infinities_are_refused() {
        let h = Matrix::from_columns(1, 1, vec![f64::NAN]);
        assert!(minimize_in_ball(&[1.0], &h, 1.0).is_none());
    }
}
