//! A rehearsal as it is shown.

use std::time::Duration;

use super::view::{Codes, ResultView};
use crate::reconcile::{Conditions, Rehearsal};

/// A rehearsal as it is shown.
#[derive(Clone, Debug)]
pub struct RehearsalView {
    /// What became of the plan on the copy.
    pub result: ResultView,
    /// Under which conditions.
    pub conditions: Conditions,
    /// How long the whole would take.
    pub elapsed: Duration,
    /// Whether everything would go well.
    pub goes_well: bool,
}

impl RehearsalView {
    /// Prepares a rehearsal for showing.
    pub fn of(rehearsal: Rehearsal, codes: Codes) -> Self {
        let Rehearsal { plan, outcome, conditions, elapsed } = rehearsal;
        let goes_well = outcome.is_complete();
        Self { result: ResultView::of(&plan, outcome, None, codes), conditions, elapsed, goes_well }
    }
}
