//! The circuit breaker: when nothing but errors comes back, stop asking.

/// So many attempts in a row must have failed, without one success between.
const ATTEMPTS: u32 = 40;

/// Counts attempts that failed in a row, whoever made them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    failed_in_a_row: u32,
}

impl Breaker {
    /// An answer came that shows the API at work, be it a refusal.
    pub(super) const fn works(&mut self) {
        self.failed_in_a_row = 0;
    }

    /// An attempt got no answer or a 5xx; true when it is time to stop asking.
    pub(super) const fn failed(&mut self) -> bool {
        self.failed_in_a_row += 1;
        self.failed_in_a_row >= ATTEMPTS
    }
}
