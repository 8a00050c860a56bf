//! How a plan is to be carried out.

use std::time::Duration;

/// How a plan is to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many locations are worked on at the same time.
    pub concurrency: usize,
    pub fail_fast: bool,
    /// Read each network right before its write, and stop on surprise.
    pub reread: bool,
    /// Read the list again at the end.
    pub verify: bool,
    /// How long bringing home may take after a stop; `None` for as long as it takes.
    pub grace_period: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 8, fail_fast: false, reread: false, verify: true, grace_period: None }
    }
}
