//! Derivative-free local methods of NLopt (Powell's BOBYQA, NEWUOA and COBYLA, Nelder & Mead's
//! simplex, Rowan's Subplex), built without NLopt's LGPL part.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::time::Instant;

use nlopt::{Algorithm, FailState, Nlopt, SuccessState, Target};

use crate::error::{Error, Result};
use crate::optimize::Status;

/// A method of NLopt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NloptMethod {
    Bobyqa,
    Newuoa,
    NelderMead,
    Cobyla,
    Sbplx,
}

/// Stopping rules and the size of the first steps.
#[derive(Debug, Clone)]
pub struct NloptOptions {
    pub ftol_rel: f64,
    pub ftol_abs: f64,
    pub xtol_abs: f64,
    pub max_evaluations: usize,
    pub deadline: Option<Instant>,
    pub initial_step: Vec<f64>,
}

type Objective<'f> = &'f mut dyn FnMut(&[f64]) -> Result<f64>;

/// What the callback needs, and what ended the run early.
struct Callback<'f> {
    f: Objective<'f>,
    worst: f64,
    ended: Option<Ended>,
}

enum Ended {
    Error(Error),
    Panic(Box<dyn std::any::Any + Send>),
}

impl Callback<'_> {
    /// The value, in a form the method can digest: where the objective cannot be computed it is
    /// worse than anything seen. Minus infinity reaches the stop value, which ends the run.
    fn call(&mut self, x: &[f64]) -> f64 {
        if self.ended.is_some() {
            return f64::NEG_INFINITY;
        }
        // Unwinding must not cross the C code between here and `minimize`.
        match catch_unwind(AssertUnwindSafe(|| (self.f)(x))) {
            Ok(Ok(value)) if value.is_finite() => {
                self.worst = self.worst.max(value);
                value
            }
            Ok(Ok(_)) => self.worst + self.worst.abs() + 1.0,
            Ok(Err(error)) => self.end(Ended::Error(error)),
            Err(panic) => self.end(Ended::Panic(panic)),
        }
    }

    fn end(&mut self, why: Ended) -> f64 {
        self.ended = Some(why);
        f64::NEG_INFINITY
    }
}

/// Minimises f from `start` between bounds (infinite where free). The caller keeps the best point:
/// NLopt's own may be a corner of its last simplex.
pub fn minimize(
    method: NloptMethod,
    f: Objective<'_>,
    start: &[f64],
    (lower, upper): (&[f64], &[f64]),
    options: &NloptOptions,
) -> Result<Status> {
    let n = start.len();
    let algorithm = match method {
        NloptMethod::Bobyqa => Algorithm::Bobyqa,
        // NLopt's NEWUOA needs two dimensions; unbounded BOBYQA is its counterpart in one.
        NloptMethod::Newuoa if n < 2 => Algorithm::Bobyqa,
        NloptMethod::Newuoa => Algorithm::Newuoa,
        NloptMethod::NelderMead => Algorithm::Neldermead,
        NloptMethod::Cobyla => Algorithm::Cobyla,
        NloptMethod::Sbplx => Algorithm::Sbplx,
    };
    let callback = Callback {
        f,
        worst: 0.0,
        ended: None,
    };
    let objective =
        |x: &[f64], _: Option<&mut [f64]>, callback: &mut Callback<'_>| callback.call(x);
    let mut problem = Nlopt::new(algorithm, n, objective, Target::Minimize, callback);
    let limit = u32::try_from(options.max_evaluations).unwrap_or(i32::MAX as u32);
    // To NLopt zero is no limit.
    let left = |end: Instant| end.saturating_duration_since(Instant::now());
    let seconds = options
        .deadline
        .map(|end| left(end).as_secs_f64().max(1e-9));
    let configured = problem
        .set_stopval(f64::MIN)
        .and_then(|_| problem.set_ftol_rel(options.ftol_rel))
        .and_then(|_| problem.set_ftol_abs(options.ftol_abs))
        .and_then(|_| problem.set_xtol_abs1(options.xtol_abs))
        .and_then(|_| problem.set_maxeval(limit.min(i32::MAX as u32)))
        .and_then(|_| match seconds {
            Some(seconds) => problem.set_maxtime(seconds),
            None => Ok(SuccessState::Success),
        })
        .and_then(|_| problem.set_initial_step(&options.initial_step))
        .and_then(|_| match method {
            NloptMethod::Newuoa => Ok(SuccessState::Success),
            _ => problem
                .set_lower_bounds(lower)
                .and_then(|_| problem.set_upper_bounds(upper)),
        });
    if let Err(state) = configured {
        return Err(Error::Domain(format!(
            "NLopt refused its options: {state:?}"
        )));
    }
    let mut x: Vec<f64> = match method {
        NloptMethod::Newuoa => start.to_vec(),
        _ => {
            let bounds = lower.iter().zip(upper);
            let pairs = start.iter().zip(bounds);
            pairs.map(|(x, (l, u))| x.clamp(*l, *u)).collect()
        }
    };
    let outcome = problem.optimize(&mut x);
    match problem.recover_user_data().ended {
        Some(Ended::Error(error)) => return Err(error),
        Some(Ended::Panic(panic)) => resume_unwind(panic),
        None => {}
    }
    Ok(match outcome {
        Ok((SuccessState::MaxEvalReached, _)) => Status::MaxEvaluations,
        Ok((SuccessState::MaxTimeReached, _)) => Status::MaxTime,
        Ok(_) | Err((FailState::RoundoffLimited, _)) => Status::Converged,
        Err(_) => Status::NoProgress,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [NloptMethod; 5] = [
        NloptMethod::Bobyqa,
        NloptMethod::Newuoa,
        NloptMethod::NelderMead,
        NloptMethod::Cobyla,
        NloptMethod::Sbplx,
    ];

    fn options(n: usize) -> NloptOptions {
        NloptOptions {
            ftol_rel: 1e-14,
            ftol_abs: 0.0,
            xtol_abs: 1e-9,
            max_evaluations: 20_000,
            deadline: None,
            initial_step: vec![0.5; n],
        }
    }

    fn best(
        method: NloptMethod,
        start: &[f64],
        lower: &[f64],
        f: fn(&[f64]) -> f64,
    ) -> (Vec<f64>, f64) {
        let mut best = (Vec::new(), f64::INFINITY);
        let mut wrapped = |x: &[f64]| {
            let value = f(x);
            if value < best.1 {
                best = (x.to_vec(), value);
            }
            Ok(value)
        };
        let status = minimize(
            method,
            &mut wrapped,
            start,
            (lower, &vec![f64::INFINITY; start.len()]),
            &options(start.len()),
        );
        assert_eq!(status, Ok(Status::Converged), "{method:?}");
        best
    }

    #[test]
    fn every_method_finds_the_minimum_of_a_quadratic() {
        let f = |x: &[f64]| (x[0] - 1.0).powi(2) + 3.0 * (x[1] + 2.0).powi(2) + x[0] * x[1];
        for method in METHODS {
            let (x, _) = best(method, &[0.0, 0.0], &[f64::NEG_INFINITY; 2], f);
            let gradient = [2.0 * (x[0] - 1.0) + x[1], 6.0 * (x[1] + 2.0) + x[0]];
            assert!(gradient.iter().all(|g| g.abs() < 1e-3), "{method:?} {x:?}");
        }
    }

    #[test]
    fn bounds_hold_and_one_dimension_works() {
        for method in METHODS {
            let (x, _) = best(method, &[1.0], &[0.0], |x| {
                (x[0] * x[0] - 4.0).powi(2) + x[0]
            });
            assert!((x[0] - 1.968).abs() < 1e-3, "{method:?} {x:?}");
        }
    }

    #[test]
    fn values_that_cannot_be_computed_are_avoided() {
        let f = |x: &[f64]| {
            if x[0] > 2.0 {
                f64::NAN
            } else {
                (x[0] - 1.9).powi(2)
            }
        };
        for method in METHODS {
            let (x, _) = best(method, &[0.1], &[0.0], f);
            assert!((x[0] - 1.9).abs() < 1e-2, "{method:?} {x:?}");
        }
    }

    #[test]
    fn all_but_one_walk_along_the_valley_of_rosenbrock() {
        let f = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        // COBYLA's linear models crawl on the floor of a curved valley.
        for method in METHODS.into_iter().filter(|m| *m != NloptMethod::Cobyla) {
            let (x, value) = best(method, &[-1.2, 1.0], &[f64::NEG_INFINITY; 2], f);
            let found = (x[0] - 1.0).abs() < 1e-3 && value < 1e-6;
            assert!(found, "{method:?} {x:?} {value}");
        }
    }

    #[test]
    fn an_error_ends_the_run_at_any_call() {
        for method in METHODS {
            for last in 1..40 {
                let mut calls = 0;
                let mut f = |x: &[f64]| {
                    calls += 1;
                    if calls == last {
                        return Err(Error::Interrupted);
                    }
                    Ok((x[0] - 3.0).powi(4) + (x[1] - x[0]).powi(2))
                };
                let result = minimize(
                    method,
                    &mut f,
                    &[1.0, 1.0],
                    (&[0.0; 2], &[f64::INFINITY; 2]),
                    &options(2),
                );
                assert_eq!(result, Err(Error::Interrupted), "{method:?}");
                assert_eq!(calls, last, "{method:?}");
            }
        }
    }

    #[test]
    fn a_panic_goes_on_in_rust() {
        for method in METHODS {
            let run = catch_unwind(|| {
                let mut f = |_: &[f64]| -> Result<f64> { resume_unwind(Box::new("mine")) };
                minimize(
                    method,
                    &mut f,
                    &[1.0, 1.0],
                    (&[0.0; 2], &[f64::INFINITY; 2]),
                    &options(2),
                )
            });
            let panic = run.expect_err("the panic must arrive");
            assert_eq!(panic.downcast_ref(), Some(&"mine"), "{method:?}");
        }
    }

    #[test]
    fn the_limit_on_evaluations_holds() {
        for method in METHODS {
            let mut calls = 0;
            let mut f = |x: &[f64]| {
                calls += 1;
                Ok((x[0] - 3.0).powi(4) + (x[1] - x[0]).powi(2))
            };
            let limited = NloptOptions {
                max_evaluations: 12,
                ..options(2)
            };
            let result = minimize(
                method,
                &mut f,
                &[1.0, 1.0],
                (&[0.0; 2], &[f64::INFINITY; 2]),
                &limited,
            );
            assert_eq!(result, Ok(Status::MaxEvaluations), "{method:?}");
            assert_eq!(calls, 12, "{method:?}");
        }
    }

    /// The methods by Luksan are the only LGPL code of NLopt; `.cargo/nlopt.cmake` leaves them out.
    #[test]
    fn the_lgpl_part_is_left_out() {
        for algorithm in [Algorithm::Lbfgs, Algorithm::LdVar1, Algorithm::TNewton] {
            let f = |x: &[f64], gradient: Option<&mut [f64]>, (): &mut ()| {
                if let Some(gradient) = gradient {
                    gradient[0] = 2.0 * x[0];
                }
                x[0] * x[0]
            };
            let problem = Nlopt::new(algorithm, 1, f, Target::Minimize, ());
            let outcome = problem.optimize(&mut [1.0]);
            assert!(
                matches!(outcome, Err((FailState::InvalidArgs, _))),
                "{algorithm:?} is linked: is a CMAKE_TOOLCHAIN_FILE set in the environment?"
            );
        }
    }
}
