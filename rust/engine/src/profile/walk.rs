//! A walk from the estimate to one side.

use super::hold::{Constrained, Effort, Hold};
use super::interpolate::{between, beyond, extrapolate, Knot};
use super::outcome::{End, Limit, Side, Step};
use super::scale::Variable;
use super::Task;
use crate::error::Result;

/// Evaluations of the criterion on one side.
const MOST_EVALUATIONS: usize = 4_000;
/// Points of one side.
const MOST_POINTS: usize = 300;
/// Trials for one goal.
const MOST_TRIALS: usize = 60;
/// Trials after which an interpolation that does not close in is given up.
const SLOW: usize = 8;
/// How often one goal is looked for anew with a lower minimum beyond it.
const MOST_LOWERED: usize = 6;
/// Difference of ζ at which an exact goal is met, and share of the distance to the goal before for others.
const EXACT: f64 = 1e-8;
const ABOUT: f64 = 0.03;
/// The same where a last step along the tangent goes the rest of the way.
const NEWTON: f64 = 1e-5;
/// Largest growth of the distance from the estimate in one step.
const GROWTH: f64 = 3.0;
/// Below this ζ the slope of a root says nothing.
const NEAR: f64 = 1e-3;
/// Fall of the criterion that is more than rounding, and relatively.
const FALL: f64 = 1e-5;
const ROUNDING: f64 = 1e-10;
/// Distance of two values that double precision cannot tell apart.
const SAME: f64 = 1e-11;
/// How often a lower minimum at the end of a walk is followed, and what counts as one.
const CONFIRMATIONS: usize = 12;
const LOWER: f64 = 1e-7;
/// Share of the way to the bound within which the bound is tried.
const NEAR_BOUND: f64 = 0.02;
/// Share of the way to the bound that the first step goes at most.
const FIRST: f64 = 0.7;

struct Walk<'h> {
    hold: &'h mut dyn Hold,
    variable: Variable,
    lowest: f64,
    sign: f64,
    start: Vec<f64>,
    /// Away from the estimate.
    steps: Vec<(Knot, Step)>,
    /// Beyond which nothing can be computed.
    wall: Option<f64>,
    better: Option<Step>,
    /// Distance from which on the points belong to another minimum than those before.
    branch: f64,
    evaluations: usize,
}

/// Walks to one side.
pub fn side(hold: &mut dyn Hold, task: &Task, lowest: f64, up: bool) -> Result<Side> {
    let estimate = hold.estimates()[0];
    let variable = Variable::new(task.parameter, estimate, task.unit, task.range, up);
    let start = hold.start();
    let mut walk = Walk {
        hold,
        variable,
        lowest,
        sign: if up { 1.0 } else { -1.0 },
        start,
        steps: Vec::new(),
        wall: None,
        better: None,
        branch: 0.0,
        evaluations: 0,
    };
    let mut limits = Vec::new();
    let mut shown = Vec::new();
    let mut end = End::Met;
    let mut before = 0.0;
    for goal in &task.goals {
        if end == End::Met {
            let margin = if goal.exact {
                EXACT
            } else {
                ABOUT.max(0.25 * (goal.zeta - before))
            };
            end = walk.to(goal.zeta, margin)?;
            let singular = walk.steps.iter().any(|(_, step)| step.at.singular);
            if goal.exact && (walk.hold.is_doubtful() || singular || end == End::Jump) {
                end = walk.confirmed(goal.zeta, margin, end)?;
            }
        }
        before = goal.zeta;
        if end == End::Met {
            shown.extend(walk.nearest(goal.zeta).map(|(knot, _)| knot.w));
        }
        if goal.exact {
            limits.push(walk.limit(goal.zeta, end));
        }
        // A jump belongs to its goal.
        if end == End::Jump {
            end = End::Met;
        }
    }
    // The points that were asked for, and where the walk has ended.
    if end != End::Met {
        shown.extend(walk.steps.last().map(|(knot, _)| knot.w));
    }
    let is_shown = |(knot, step): (Knot, Step)| shown.contains(&knot.w).then_some(step);
    Ok(Side {
        steps: walk.steps.into_iter().filter_map(is_shown).collect(),
        limits,
        end,
        better: walk.better,
    })
}

impl Walk<'_> {
    fn origin(&self) -> Knot {
        Knot {
            w: self.variable.origin,
            zeta: 0.0,
            slope: None,
        }
    }

    /// How far from the estimate.
    fn distance(&self, w: f64) -> f64 {
        self.sign * (w - self.variable.origin)
    }

    /// The last point below z, the one before it, and the first above.
    fn bracket(&self, z: f64) -> (Knot, Option<Knot>, Option<Knot>) {
        let knots = self.steps.iter().map(|(knot, _)| *knot);
        let above = knots.clone().find(|knot| knot.zeta >= z);
        let far = above.map_or(f64::INFINITY, |knot| self.distance(knot.w));
        let mut below = [self.origin()]
            .into_iter()
            .chain(knots.filter(|k| self.distance(k.w) < far))
            .rev_pair();
        let last = below.0.take().unwrap_or_else(|| self.origin());
        (last, below.1, above)
    }

    /// The step whose ζ is nearest to z.
    fn nearest(&self, z: f64) -> Option<&(Knot, Step)> {
        let off = |step: &(Knot, Step)| (step.0.zeta - z).abs();
        self.steps.iter().min_by(|a, b| off(a).total_cmp(&off(b)))
    }

    fn limit(&self, z: f64, end: End) -> Limit {
        let value = match end {
            End::Met | End::Jump => self.nearest(z).map_or(f64::NAN, |(knot, step)| {
                let off = z - knot.zeta;
                match knot.slope {
                    // What the tangent leaves is of the square of that.
                    Some(slope) if end == End::Met && off.abs() <= NEWTON => {
                        self.variable.value(knot.w + off / slope)
                    }
                    _ => step.value,
                }
            }),
            End::Bound => self.variable.bound.map_or(f64::NAN, |(_, value)| value),
            End::Flat => self.sign * f64::INFINITY,
            End::NotComputable | End::Evaluations | End::Better => f64::NAN,
        };
        Limit {
            goal: z,
            value,
            end,
        }
    }

    /// Walks until |ζ| is z.
    fn to(&mut self, z: f64, margin: f64) -> Result<End> {
        if let Some((bound, _)) = self.variable.bound {
            if bound == self.variable.origin {
                return Ok(End::Bound);
            }
        }
        let mut narrowed = 0.0;
        let mut trial = 0;
        let mut lowered = 0;
        while trial < MOST_TRIALS {
            if self.better.is_some() {
                return Ok(End::Better);
            }
            let is_met = |k: &Knot| {
                let margin = if k.slope.is_some() {
                    margin.max(NEWTON)
                } else {
                    margin
                };
                (k.zeta - z).abs() <= margin
            };
            if self.steps.iter().any(|(k, _)| is_met(k)) {
                return Ok(End::Met);
            }
            if self.steps.len() >= MOST_POINTS || self.evaluations > MOST_EVALUATIONS {
                return Ok(End::Evaluations);
            }
            let (last, before, above) = self.bracket(z);
            trial += 1;
            let Some(above) = above else {
                match self.outside(last, before, z) {
                    Ok(w) => self.evaluate(w)?,
                    Err(end) => return Ok(end),
                }
                continue;
            };
            let width = self.distance(above.w) - self.distance(last.w);
            let size = self.distance(above.w).abs().max(above.w.abs());
            let is_jump = width <= SAME * size;
            // Where the cubic does not close in, halving does, and the point above may be of another minimum.
            let slow = trial > SLOW && width > 0.5 * narrowed;
            narrowed = width;
            if (is_jump || trial == SLOW) && lowered < MOST_LOWERED && self.lower(last, above)? {
                lowered += 1;
                trial = 0;
                narrowed = 0.0;
            } else if is_jump {
                return Ok(End::Jump);
            } else {
                let w = Self::inside(last, above, z, slow);
                self.evaluate(w)?;
            }
        }
        Ok(End::Evaluations)
    }

    /// Looks for a lower minimum at a point, coming from one that is nearer to the estimate.
    ///
    /// The profile is continuous: where ζ seems to jump, the search beyond ended in another minimum than the
    /// lowest.
    fn lower(&mut self, near: Knot, far: Knot) -> Result<bool> {
        let at = |walk: &Self, w: f64| walk.steps.iter().find(|(k, _)| k.w == w).cloned();
        let Some((_, step)) = at(self, far.w) else {
            return Ok(false);
        };
        let start = at(self, near.w).map_or_else(|| self.start.clone(), |(_, s)| s.at.free);
        let found = self.hold.at(&[step.value], &start, Effort::Thorough)?;
        self.evaluations += found.as_ref().map_or(0, |f| f.evaluations);
        let Some(found) = found.filter(|f| f.objective < step.at.objective - LOWER) else {
            return Ok(false);
        };
        self.replace(far.w, step.value, found);
        Ok(true)
    }

    /// Puts a lower minimum at a point; what lies beyond belongs to the minimum before.
    fn replace(&mut self, w: f64, value: f64, at: Constrained) {
        let gone = self.distance(w);
        let (sign, origin) = (self.sign, self.variable.origin);
        self.steps.retain(|(k, _)| sign * (k.w - origin) < gone);
        self.branch = gone;
        self.keep(w, value, at);
    }

    /// Looks for a lower minimum at the end, and goes on where there is one.
    fn confirmed(&mut self, z: f64, margin: f64, end: End) -> Result<End> {
        let mut end = end;
        for _ in 0..CONFIRMATIONS {
            let last = match end {
                End::Met | End::Jump => self.nearest(z),
                End::Bound => self.steps.last(),
                _ => None,
            };
            let Some((knot, step)) = last.cloned() else {
                return Ok(end);
            };
            let found = self
                .hold
                .at(&[step.value], &step.at.free, Effort::Thorough)?;
            self.evaluations += found.as_ref().map_or(0, |f| f.evaluations);
            let lower = found.filter(|f| f.objective < step.at.objective - LOWER);
            let Some(lower) = lower else {
                return Ok(end);
            };
            self.replace(knot.w, step.value, lower);
            end = self.to(z, margin)?;
        }
        Ok(end)
    }

    fn inside(last: Knot, above: Knot, z: f64, slow: bool) -> f64 {
        let middle = 0.5 * (last.w + above.w);
        if slow {
            return middle;
        }
        let w = between(last, above, z);
        let share = (w - last.w) / (above.w - last.w);
        if share > 0.0 && share < 1.0 {
            w
        } else {
            let chord = last.w + (z - last.zeta) / (above.zeta - last.zeta) * (above.w - last.w);
            let share = (chord - last.w) / (above.w - last.w);
            if share > 0.0 && share < 1.0 {
                chord
            } else {
                middle
            }
        }
    }

    /// The next point beyond all others.
    fn outside(&self, last: Knot, before: Option<Knot>, z: f64) -> std::result::Result<f64, End> {
        let step = self.variable.step.abs();
        let gone = self.distance(last.w);
        if self
            .variable
            .bound
            .is_some_and(|(bound, _)| bound == last.w)
        {
            return Err(End::Bound);
        }
        if gone >= self.variable.far {
            return Err(End::Flat);
        }
        let unbounded = self.variable.bound.is_none();
        let out_of_reach = last
            .slope
            .is_some_and(|s| (z - last.zeta) / s.abs() > self.variable.far);
        if unbounded && out_of_reach {
            return Err(End::Flat);
        }
        let guess = match before {
            Some(before) => beyond(before, last, z).map(|w| self.distance(w)),
            // At the quantile of a normal distribution.
            None => Some(step * z.clamp(0.5, 2.0)),
        };
        let most = gone + (GROWTH - 1.0) * gone.max(step);
        let mut next = guess.unwrap_or(most).min(most).min(self.variable.far);
        // Not so near that nothing changes.
        next = next.max(gone + 1e-3 * step.min(gone.max(step)));
        if let Some(wall) = self.wall {
            if next >= wall {
                next = 0.5 * (gone + wall);
                if next - gone <= 1e-6 * gone.max(step) {
                    return Err(End::NotComputable);
                }
            }
        }
        let w = self.variable.origin + self.sign * next;
        if let Some((bound, _)) = self.variable.bound {
            let end = self.distance(bound);
            if before.is_none() && next > FIRST * end {
                return Ok(self.variable.origin + self.sign * FIRST * end);
            }
            if next >= end - NEAR_BOUND * end {
                return Ok(bound);
            }
        }
        Ok(w)
    }

    /// Holds the parameter there.
    fn evaluate(&mut self, w: f64) -> Result<()> {
        let value = self.variable.value(w);
        let beyond = self.distance(w) >= self.branch;
        let known: Vec<(f64, &[f64])> = [(self.variable.origin, self.start.as_slice())]
            .into_iter()
            .chain(self.steps.iter().map(|(k, s)| (k.w, s.at.free.as_slice())))
            .filter(|(known, _)| (self.distance(*known) >= self.branch) == beyond)
            .collect();
        let predicted = extrapolate(&known, w);
        let nearest = known
            .iter()
            .min_by(|a, b| (a.0 - w).abs().total_cmp(&(b.0 - w).abs()))
            .map(|(_, free)| free.to_vec());
        let mut found = self.hold.at(&[value], &predicted, Effort::Usual)?;
        if found.is_none() {
            // A prediction that leads nowhere.
            if let Some(nearest) = nearest.filter(|n| *n != predicted) {
                found = self.hold.at(&[value], &nearest, Effort::Usual)?;
            }
        }
        let Some(at) = found else {
            self.wall = Some(self.distance(w));
            return Ok(());
        };
        self.keep(w, value, at);
        Ok(())
    }

    fn keep(&mut self, w: f64, value: f64, at: Constrained) {
        self.evaluations += at.evaluations;
        let rise = at.objective - self.lowest;
        let size = rise.max(0.0).sqrt();
        let slope = self.sign * at.slopes[0] * self.variable.slope(value) / (2.0 * size);
        let knot = Knot {
            w,
            zeta: size,
            slope: (size > NEAR && slope.is_finite() && slope > 0.0).then_some(self.sign * slope),
        };
        let step = Step {
            value,
            zeta: self.sign * size,
            at,
        };
        if rise < -(FALL + ROUNDING * self.lowest.abs()) {
            let is_lower = |known: &Step| step.at.objective < known.at.objective;
            if self.better.as_ref().is_none_or(is_lower) {
                self.better = Some(step.clone());
            }
        }
        let place = self
            .steps
            .iter()
            .position(|(k, _)| self.distance(k.w) > self.distance(w))
            .unwrap_or(self.steps.len());
        self.steps.insert(place, (knot, step));
    }
}

/// The last item of an iterator and the one before it.
trait RevPair: Iterator + Sized {
    fn rev_pair(self) -> (Option<Self::Item>, Option<Self::Item>) {
        let (mut last, mut before) = (None, None);
        for item in self {
            before = last.replace(item);
        }
        (last, before)
    }
}

impl<I: Iterator> RevPair for I {}
