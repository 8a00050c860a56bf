//! What a run tells while it goes: typed, without access codes. An event may be lost; nothing depends on it.

use crate::model::{LocationId, NetworkId};
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
    /// All is well with a wave, and the next one waits.
    Soaking {
        until: Instant,
    },
    Writing {
        network: NetworkId,
        kind: StepKind,
    },
    Written {
        network: NetworkId,
        kind: StepKind,
    },
    /// A write came to no good end.
    Failed {
        network: NetworkId,
        reason: String,
    },
    Skipped {
        network: NetworkId,
        /// The network whose failure bars the way.
        because_of: NetworkId,
    },
    Locked {
        location: LocationId,
        until: Instant,
    },
    Retrying {
        network: NetworkId,
        attempts: u32,
        until: Instant,
    },
    Stopping {
        reason: ShutdownReason,
    },
    /// A network on a temporary name is brought home.
    Restoring {
        network: NetworkId,
    },
    /// Everything is written; the list is read again.
    Verifying {
        /// How many networks are not seen as planned yet.
        mismatched: usize,
    },
}
