//! View of a rehearsal.

use std::time::Duration;

use super::CodeVisibility;
use super::view::ResultView;
use crate::reconcile::{Rehearsal, SimulationParams};

#[derive(Clone, Debug)]
pub struct RehearsalView {
    /// The simulated result.
    pub result: ResultView,
    pub params: SimulationParams,
    pub elapsed: Duration,
    pub success: bool,
}

impl RehearsalView {
    pub fn of(rehearsal: Rehearsal, codes: CodeVisibility) -> Self {
        let Rehearsal { plan, outcome, params, elapsed } = rehearsal;
        let success = outcome.is_complete();
        Self { result: ResultView::of(&plan, outcome, None, codes), params, elapsed, success }
    }
}
