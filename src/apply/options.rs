//! How a plan is applied.

use std::time::Duration;

use crate::runtime::Instant;

/// How a plan is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub fail_fast: bool,
    /// Read each network right before its update, and stop on an unexpected change.
    pub reread: bool,
    /// Read the list again at the end.
    pub verify: bool,
    /// Time allowed on shutdown to resolve temporary names; `None` for no limit.
    pub grace_period: Option<Duration>,
    /// When the maintenance window closes: a wait that would end later is not begun.
    pub until: Option<Instant>,
    /// Most writes at once in a location; `None` for no limit.
    pub writes_per_location: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fail_fast: false,
            reread: false,
            verify: true,
            grace_period: None,
            until: None,
            writes_per_location: None,
        }
    }
}
