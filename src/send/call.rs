//! One call: who wants it how urgently, how it goes, and how far it has come.

use std::time::Duration;

use crate::runtime::Instant;
use crate::webex::{ApiError, MaybeApplied};

/// Whether a call is part of the plan or brings somebody home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// New work: not begun any more once a stop is asked for.
    Work,
    /// What a graceful stop still does.
    Home,
}

/// Something that happens on the way to a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEvent {
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
pub struct Call<'a> {
    /// Whether it is still begun when a stop is asked for.
    pub urgency: Urgency,
    /// Told of waits.
    pub tell: &'a dyn Fn(CallEvent),
}

impl Call<'_> {
    /// Work that nobody watches.
    pub const QUIET: Self = Self { urgency: Urgency::Work, tell: &|_| {} };
}

/// A call that came to no good end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// It was not sent at all, or only to be told to wait: a stop was asked for.
    NotSent,
    /// The last error; whether any of the attempts may have been applied.
    Failed(ApiError),
}

/// How far a call has come.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) sent: u32,
    pub(super) failed: u32,
    pub(super) locks: u32,
    /// How long it has found its location locked, up to the last answer that says so.
    pub(super) locked_for: Duration,
    /// When that answer came, and what was waited because of it.
    pub(super) lock: Option<(Instant, Duration)>,
    /// How often its token was refused, and the how-many-th token it was sent with last.
    pub(super) refused: u32,
    pub(super) sent_with: u64,
    pub(super) maybe_applied: MaybeApplied,
}

/// Whether there is a new token.
pub(super) enum Renewed {
    Yes,
    /// There is no other.
    No,
    /// There could be one, and this is why there is none.
    Refused(ApiError),
    /// A stop was asked for first.
    CalledOff,
}
