//! Predictions along a walk.

/// Points of which at most so many make a polynomial.
const POINTS: usize = 3;
/// Distance beyond the points, relative to theirs, up to which a polynomial through all is trusted.
const TRUSTED: f64 = 2.5;

/// Free parameters at w from those at other points, by a polynomial through the nearest of them.
pub fn extrapolate(known: &[(f64, &[f64])], w: f64) -> Vec<f64> {
    let mut nearest: Vec<&(f64, &[f64])> = known.iter().collect();
    nearest.sort_by(|a, b| (a.0 - w).abs().total_cmp(&(b.0 - w).abs()));
    nearest.dedup_by(|a, b| a.0 == b.0);
    let mut count = nearest.len().min(POINTS);
    while count > 1 {
        let own = nearest[..count].iter().map(|p| p.0);
        let (low, high) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        let beyond = (w - high).max(low - w);
        if beyond <= TRUSTED * (high - low) {
            break;
        }
        count -= 1;
    }
    let Some(first) = nearest.first() else {
        return Vec::new();
    };
    let mut out = vec![0.0; first.1.len()];
    for (i, point) in nearest[..count].iter().enumerate() {
        let others = nearest[..count].iter().enumerate().filter(|(j, _)| *j != i);
        let weight: f64 = others.map(|(_, o)| (w - o.0) / (point.0 - o.0)).product();
        out.iter_mut()
            .zip(point.1)
            .for_each(|(out, v)| *out += weight * v);
    }
    out
}

/// A point of a curve: w, ζ and dζ/dw, which may be unknown.
#[derive(Debug, Clone, Copy)]
pub struct Knot {
    pub w: f64,
    pub zeta: f64,
    pub slope: Option<f64>,
}

/// Where ζ is z between two points, by the cubic for w as a function of ζ, or by the chord.
pub fn between(a: Knot, b: Knot, z: f64) -> f64 {
    let width = b.zeta - a.zeta;
    let t = (z - a.zeta) / width;
    let chord = a.w + t * (b.w - a.w);
    let (s, rise) = (1.0 - t, b.w - a.w);
    let (left, right) = match (a.slope, b.slope) {
        (Some(left), Some(right)) => (width / left, width / right),
        // A parabola with the slope that is known.
        (Some(left), None) => (width / left, 2.0 * rise - width / left),
        (None, Some(right)) => (2.0 * rise - width / right, width / right),
        (None, None) => return chord,
    };
    let cubic = a.w + t * t * (3.0 - 2.0 * t) * rise + s * s * t * left - s * t * t * right;
    if cubic.is_finite() {
        cubic
    } else {
        chord
    }
}

/// Where ζ is z beyond the last of two points.
pub fn beyond(before: Knot, last: Knot, z: f64) -> Option<f64> {
    let ahead = z - last.zeta;
    let chord = (last.w - before.w) / (last.zeta - before.zeta);
    let (first, second) = match (before.slope, last.slope) {
        (_, None) => (chord, 0.0),
        (None, Some(slope)) => {
            // The parabola through both with this slope.
            let own = slope.recip();
            (own, (own - chord) / (last.zeta - before.zeta))
        }
        (Some(before_slope), Some(slope)) => {
            let own = slope.recip();
            let change = own - before_slope.recip();
            (own, 0.5 * change / (last.zeta - before.zeta))
        }
    };
    let w = last.w + ahead * (first + ahead * second);
    // A parabola may turn back.
    let forward = (w - last.w) * (last.w - before.w) > 0.0;
    let w = if forward { w } else { last.w + ahead * first };
    let forward = (w - last.w) * (last.w - before.w) > 0.0;
    (forward && w.is_finite()).then_some(w)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// w = 2 + 3ζ + ζ³/5.
    fn knot(zeta: f64) -> Knot {
        Knot {
            w: 2.0 + 3.0 * zeta + zeta.powi(3) / 5.0,
            zeta,
            slope: Some((3.0 + 0.6 * zeta * zeta).recip()),
        }
    }

    #[test]
    fn the_cubic_between_two_points_is_exact_for_a_cubic() {
        let found = between(knot(0.5), knot(2.5), 1.7);
        assert!((found - knot(1.7).w).abs() < 1e-12);
    }

    #[test]
    fn beyond_two_points_goes_a_parabola() {
        let square = |zeta: f64| Knot {
            w: 1.0 + 2.0 * zeta + 0.25 * zeta * zeta,
            zeta,
            slope: Some((2.0 + 0.5 * zeta).recip()),
        };
        let found = beyond(square(0.5), square(1.0), 2.0).expect("forward");
        assert!((found - square(2.0).w).abs() < 1e-12);
        let flat = Knot {
            slope: None,
            ..square(1.0)
        };
        let found = beyond(square(0.5), flat, 2.0).expect("forward");
        assert!(found > flat.w);
    }

    #[test]
    fn extrapolation_is_exact_for_parabolas_and_careful_far_away() {
        let at = |w: f64| vec![1.0 + w - w * w];
        let points: Vec<(f64, Vec<f64>)> = [0.0, 0.5, 1.0].iter().map(|&w| (w, at(w))).collect();
        let known: Vec<(f64, &[f64])> = points.iter().map(|(w, v)| (*w, v.as_slice())).collect();
        assert!((extrapolate(&known, 1.5)[0] - at(1.5)[0]).abs() < 1e-12);
        assert_eq!(extrapolate(&known, 100.0), at(1.0));
        assert_eq!(extrapolate(&known[..1], 0.3), at(0.0));
    }
}
