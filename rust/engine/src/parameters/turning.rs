//! Coordinates that a search may turn on its way.

use std::ops::Deref;

use crate::parameters::Coordinates;

/// The coordinates of the moment, and those before any turn.
#[derive(Debug, Clone)]
pub struct TurningCoordinates {
    now: Coordinates,
    before: Option<Coordinates>,
}

impl From<Coordinates> for TurningCoordinates {
    fn from(now: Coordinates) -> Self {
        Self { now, before: None }
    }
}

impl Deref for TurningCoordinates {
    type Target = Coordinates;

    fn deref(&self) -> &Coordinates {
        &self.now
    }
}

impl TurningCoordinates {
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.before.is_some()
    }

    /// Turns every unstructured term so that its factor at theta is diagonal; that point in the new
    /// coordinates. `None` where no term can be turned.
    pub fn turn(&mut self, theta: &[f64]) -> Option<Vec<f64>> {
        let (turned, theta) = self.now.turned(theta)?;
        let before = std::mem::replace(&mut self.now, turned);
        self.before.get_or_insert(before);
        Some(theta)
    }

    /// A point of the present coordinates in those before any turn.
    #[must_use]
    pub fn unturned(&self, theta: &[f64]) -> Vec<f64> {
        match &self.before {
            Some(before) => self.now.in_coordinates(before, theta),
            None => theta.to_vec(),
        }
    }

    /// Returns to the coordinates before any turn. False where there was none.
    pub fn turn_back(&mut self) -> bool {
        match self.before.take() {
            Some(before) => {
                self.now = before;
                true
            }
            None => false,
        }
    }
}
