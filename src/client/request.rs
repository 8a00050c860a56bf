//! One call: who wants it how urgently, how it goes, and how far it has come.

use std::time::Duration;

use crate::runtime::Instant;
use crate::webex::{ApiError, MaybeApplied};

/// Whether a call is part of the plan or brings somebody home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// New work: not begun any more once a stop is asked for.
    Normal,
    /// What a graceful stop still does.
    Cleanup,
}

/// Something that happens on the way to a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryEvent {
    /// The location is locked, and the call waits on its own until then.
    Locked {
        /// When it is tried again.
        until: Instant,
    },
    /// The wait is over.
    Unlocked,
    /// An attempt failed and is repeated.
    Retrying {
        /// How many attempts there were.
        attempts: u32,
        /// When it is tried again.
        until: Instant,
    },
}

/// One call and whoever wants to know how it goes.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    /// Whether it is still begun when a stop is asked for.
    pub priority: Priority,
    /// Told of waits.
    pub on_event: &'a dyn Fn(RetryEvent),
}

impl RequestContext<'_> {
    /// Work that nobody watches.
    pub const QUIET: Self = Self { priority: Priority::Normal, on_event: &|_| {} };
}

/// A call that came to no good end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// It was not sent at all, or only to be told to wait: a stop was asked for.
    Cancelled,
    /// The last error; whether any of the attempts may have been applied.
    Failed(ApiError),
}

/// How far a call has come.
#[derive(Default)]
pub(super) struct AttemptState {
    pub(super) sent: u32,
    pub(super) failed: u32,
    pub(super) locks: u32,
    /// How long it has found its location locked, up to the last answer that says so.
    pub(super) locked_for: Duration,
    /// When that answer came, and what was waited because of it.
    pub(super) lock: Option<(Instant, Duration)>,
    /// How often its token was refused, and the how-many-th token it was sent with last.
    pub(super) token_rejections: u32,
    pub(super) token_generation: u64,
    pub(super) maybe_applied: MaybeApplied,
}

/// Whether there is a new token.
pub(super) enum RefreshOutcome {
    Refreshed,
    /// There is no other.
    Unavailable,
    /// There could be one, and this is why there is none.
    Failed(ApiError),
    /// A stop was asked for first.
    Cancelled,
}
