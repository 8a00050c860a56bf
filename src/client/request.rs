//! One request: its priority, its retries, and how it may end.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::overload::Met;
use crate::runtime::Instant;
use crate::webex::{ApiError, MaybeApplied};

/// Whether a request is part of the plan or of the cleanup after a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Not sent any more once a shutdown is requested.
    Normal,
    /// Still sent during a graceful shutdown.
    Cleanup,
}

/// Something that happens between the first attempt and the end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryEvent {
    /// The location is locked; the request is retried at this instant. It may be the lock that another request has met.
    Locked {
        until: Instant,
        /// Whether this request was refused.
        is_refusal: bool,
    },
    /// The wait for the lock is over.
    Unlocked,
    /// An attempt failed and is repeated.
    Retrying {
        /// Attempts so far.
        attempts: u32,
        until: Instant,
        /// Whether the failed attempt may have been applied.
        maybe_applied: MaybeApplied,
    },
}

/// The context of a request: its priority and its observer.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    /// Whether it is still sent once a shutdown is requested.
    pub priority: Priority,
    /// Called on waits and retries.
    pub on_event: &'a dyn Fn(RetryEvent),
    /// Called right before an attempt of a write, after every wait; the write is cancelled if it returns false. Not
    /// called once an attempt may have been applied.
    pub before_send: Option<&'a dyn Fn() -> LocalBoxFuture<'a, bool>>,
    /// Called after the wait for a lock, before the write is sent; it fails with the lock if this returns false.
    pub after_lock: Option<&'a dyn Fn() -> LocalBoxFuture<'a, bool>>,
}

impl RequestContext<'_> {
    /// Normal priority, without an observer.
    pub const QUIET: Self = Self { priority: Priority::Normal, on_event: &|_| {}, before_send: None, after_lock: None };
}

/// A request without a usable response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Cancelled by shutdown before the request could have taken effect.
    #[error("cancelled by a shutdown")]
    Cancelled,
    /// The last error, and whether any of the attempts may have been applied.
    #[error(transparent)]
    Failed(ApiError),
}

/// The state of a request over its attempts.
#[derive(Default)]
pub(super) struct AttemptState {
    pub(super) sent: u32,
    pub(super) failed: u32,
    pub(super) locks: u32,
    /// How long the location was locked, up to the last 423.
    pub(super) locked_for: Duration,
    /// When that 423 arrived, and the wait that followed it.
    pub(super) lock: Option<(Instant, Duration)>,
    /// How often the token was rejected, and the generation of the token of the last attempt.
    pub(super) token_rejections: u32,
    pub(super) token_generation: u64,
    pub(super) maybe_applied: MaybeApplied,
    /// Refusals of an overloaded server.
    pub(super) met: Met,
}

/// The result of a token refresh.
pub(super) enum RefreshOutcome {
    Refreshed,
    /// These credentials have no other token.
    Unavailable,
    /// The refresh failed.
    Failed(ApiError),
    /// A shutdown was requested first.
    Cancelled,
}
