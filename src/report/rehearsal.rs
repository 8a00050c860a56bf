//! A rehearsal as it is shown.

use std::time::Duration;

use super::view::{CodeVisibility, ResultView};
use crate::reconcile::{Rehearsal, SimulationParams};

/// A rehearsal as it is shown.
#[derive(Clone, Debug)]
pub struct RehearsalView {
    /// What became of the plan on the copy.
    pub result: ResultView,
    /// Under which conditions.
    pub params: SimulationParams,
    /// How long the whole would take.
    pub elapsed: Duration,
    /// Whether everything would go well.
    pub success: bool,
}

impl RehearsalView {
    /// Prepares a rehearsal for showing.
    pub fn of(rehearsal: Rehearsal, codes: CodeVisibility) -> Self {
        let Rehearsal { plan, outcome, params, elapsed } = rehearsal;
        let success = outcome.is_complete();
        Self { result: ResultView::of(&plan, outcome, None, codes), params, elapsed, success }
    }
}
