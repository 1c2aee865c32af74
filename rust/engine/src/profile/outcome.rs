//! What a walk looks for, and what it finds.

use super::hold::Constrained;

/// A value of |ζ| to walk to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    pub zeta: f64,
    /// Whether it is to be met to the last digits, or about.
    pub exact: bool,
}

/// Why a walk ends, or where it has met its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Met,
    /// The range of the parameter ends before.
    Bound,
    /// ζ rises no more, or so slowly that the goal is out of reach.
    Flat,
    /// ζ jumps over the goal: the criterion has several minima.
    Jump,
    /// The criterion cannot be computed farther away.
    NotComputable,
    Evaluations,
    /// There is a better minimum of the criterion.
    Better,
}

impl End {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Bound => "bound",
            Self::Flat => "flat",
            Self::Jump => "jump",
            Self::NotComputable => "not computable",
            Self::Evaluations => "evaluations",
            Self::Better => "better",
        }
    }
}

/// Where an exact goal was met, or why it was not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub goal: f64,
    /// The bound where that is the end; infinite or NaN where there is no limit.
    pub value: f64,
    pub end: End,
}

/// A point of the walk.
#[derive(Debug, Clone)]
pub struct Step {
    pub value: f64,
    /// With its sign.
    pub zeta: f64,
    pub at: Constrained,
}

/// What was found on one side.
#[derive(Debug, Clone)]
pub struct Side {
    /// Away from the estimate.
    pub steps: Vec<Step>,
    pub limits: Vec<Limit>,
    /// `Met` when all goals were.
    pub end: End,
    /// The lowest point below the minimum.
    pub better: Option<Step>,
}
