//! What the limits allow.

use crate::runtime::Instant;

/// What a limit allows a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Availability {
    Now,
    At(Instant),
    AfterNextResponse,
}

impl Availability {
    /// Both must admit it.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Now, only) | (only, Self::Now) => only,
            (Self::At(one), Self::At(other)) => Self::At(one.max(other)),
            _ => Self::AfterNextResponse,
        }
    }
}
