//! Progress events. Best effort; contain no access codes. A subject is the name of what an event is about.

use crate::model::LocationId;
use crate::plan::model::StepKind;
use crate::runtime::{Instant, ShutdownReason};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Started {
        steps: usize,
        locations: usize,
    },
    Wave {
        /// Its number, from 1.
        number: usize,
        of: usize,
        locations: usize,
    },
    /// A wave succeeded; the next one starts after the soak time.
    Soaking {
        until: Instant,
    },
    Writing {
        subject: String,
        kind: StepKind,
    },
    Written {
        subject: String,
        kind: StepKind,
    },
    /// A write failed.
    Failed {
        subject: String,
        reason: String,
    },
    Skipped {
        subject: String,
        /// That whose failure blocks this one.
        because_of: String,
    },
    Locked {
        location: LocationId,
        until: Instant,
    },
    /// The API refuses a write of this location while another one is under way there.
    WritesOneByOne {
        location: LocationId,
    },
    /// A location has nothing to send but changes of handsets that must wait for the interval of their network.
    AwaitingHandsetInterval {
        subject: String,
        until: Instant,
    },
    Retrying {
        subject: String,
        attempts: u32,
        until: Instant,
    },
    Stopping {
        reason: ShutdownReason,
    },
    /// A network is restored from its temporary name.
    Restoring {
        subject: String,
    },
    /// Unanswered writes may still be applied and undo later ones; their networks are read again.
    AwaitingLateWrites {
        networks: usize,
        until: Instant,
    },
    /// An unanswered write was applied after a later one; the final update is sent again.
    LateWrite {
        subject: String,
    },
    /// All writes are done; the list is read again.
    Verifying {
        /// Number of networks that do not match the plan yet.
        mismatched: usize,
    },
}
