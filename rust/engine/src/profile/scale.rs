//! The variable in which a walk along a parameter goes: one in which ζ is nearly straight, and in which
//! a bound is an ordinary point.

use super::hold::Parameter;

/// How many times the estimate, or its unit, a parameter may become before the walk is given up.
const FAR: f64 = 1e5;
const FAR_LOG: f64 = 30.0;

#[derive(Debug, Clone, Copy)]
pub enum Scale {
    Linear,
    Log,
    /// The angle whose sine takes the range to [-1, 1].
    Sine {
        middle: f64,
        half: f64,
    },
}

/// The variable w of one side.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    pub scale: Scale,
    pub origin: f64,
    /// The first step, with its sign.
    pub step: f64,
    /// The last value, in w and of the parameter, where the range ends within reach.
    pub bound: Option<(f64, f64)>,
    /// The farthest distance.
    pub far: f64,
}

impl Variable {
    pub fn new(
        parameter: Parameter,
        estimate: f64,
        unit: f64,
        (lower, upper): (f64, f64),
        up: bool,
    ) -> Self {
        let sign = if up { 1.0 } else { -1.0 };
        let scale = match parameter {
            Parameter::Sigma | Parameter::Dispersion => Scale::Log,
            Parameter::Natural { .. } if upper.is_finite() => Scale::Sine {
                middle: 0.5 * (lower + upper),
                half: 0.5 * (upper - lower),
            },
            Parameter::Natural { .. } if up && estimate > unit => Scale::Log,
            Parameter::Coefficient(_) | Parameter::Natural { .. } => Scale::Linear,
        };
        let bound = match scale {
            Scale::Sine { .. } => Some(if up { upper } else { lower }),
            Scale::Linear if !up && lower.is_finite() => Some(lower),
            _ => None,
        };
        let mut out = Self {
            scale,
            origin: 0.0,
            step: 0.0,
            bound: None,
            far: match scale {
                Scale::Log => FAR_LOG,
                _ => FAR * unit,
            },
        };
        out.origin = out.of(estimate);
        out.bound = bound.map(|value| (out.of(value), value));
        // Of the slope at the estimate.
        out.step = sign * unit * out.slope(estimate).recip().abs();
        if !out.step.is_finite() || out.step == 0.0 {
            out.step = sign * unit;
        }
        if let Some((bound, _)) = out.bound {
            out.step = sign * out.step.abs().min(0.7 * (bound - out.origin).abs());
        }
        out
    }

    pub fn of(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.ln(),
            Scale::Sine { middle, half } => ((value - middle) / half).clamp(-1.0, 1.0).asin(),
        }
    }

    pub fn value(&self, w: f64) -> f64 {
        if let Some((bound, value)) = self.bound {
            if w == bound {
                return value;
            }
        }
        match self.scale {
            Scale::Linear => w,
            Scale::Log => w.exp(),
            Scale::Sine { middle, half } => middle + half * w.sin(),
        }
    }

    /// dψ/dw.
    pub fn slope(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => 1.0,
            Scale::Log => value,
            Scale::Sine { half, .. } => half * self.of(value).cos(),
        }
    }
}
