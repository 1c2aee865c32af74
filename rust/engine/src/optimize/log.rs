//! What an optimizer reports.

use crate::objective::Derivatives;

/// One evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    pub theta: Vec<f64>,
    /// NaN where the objective could not be computed.
    pub objective: f64,
    /// Largest absolute entry of the gradient, where it was computed.
    pub gradient_norm: Option<f64>,
}

/// Every evaluation of a fit, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FitLog {
    pub entries: Vec<LogEntry>,
    /// The entry from which a second start was tried, where the first came to no good end.
    pub second_start: Option<usize>,
}

impl FitLog {
    pub fn value(&mut self, theta: &[f64], objective: Option<f64>) {
        self.entries.push(LogEntry {
            theta: theta.to_vec(),
            objective: objective.unwrap_or(f64::NAN),
            gradient_norm: None,
        });
    }

    pub fn gradient(&mut self, derivatives: &Derivatives) {
        let norm = derivatives
            .gradient
            .iter()
            .fold(0.0_f64, |m, g| m.max(g.abs()));
        if let Some(entry) = self.entries.last_mut() {
            entry.gradient_norm = Some(norm);
        }
    }

    /// Adds the evaluations of a second start.
    pub fn append(&mut self, second: Self) {
        self.second_start = Some(self.entries.len());
        self.entries.extend(second.entries);
    }

    #[must_use]
    pub fn n_gradients(&self) -> usize {
        let entries = self.entries.iter();
        entries.filter(|e| e.gradient_norm.is_some()).count()
    }
}

/// How an optimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The optimizer's own criterion holds.
    Converged,
    /// The limit on evaluations came first.
    MaxEvaluations,
    /// The limit on time came first.
    MaxTime,
    /// No step lowers the objective although the model predicts one.
    NoProgress,
}

impl Status {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxEvaluations => "max_evaluations",
            Self::MaxTime => "max_time",
            Self::NoProgress => "no_progress",
        }
    }

    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Converged => "the optimizer's criterion of convergence holds",
            Self::MaxEvaluations => "the limit on evaluations was reached before convergence",
            Self::MaxTime => "the time limit was reached before convergence",
            Self::NoProgress => "no step lowers the objective although the model predicts one",
        }
    }
}

/// The end point and the way to it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub theta: Vec<f64>,
    pub value: f64,
    pub status: Status,
    pub log: FitLog,
}
