//! What a run tells while it goes: typed, without access codes. An event may be lost; nothing depends on it.

use crate::model::{LocationId, NetworkId};
use crate::plan::model::StepKind;
use crate::runtime::{Instant, ShutdownReason};

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The run begins.
    Started {
        /// How many writes it will take.
        steps: usize,
        /// In how many locations.
        locations: usize,
    },
    /// A wave begins.
    Wave {
        /// Its number, from 1.
        number: usize,
        /// How many waves there are.
        of: usize,
        /// How many locations it has.
        locations: usize,
    },
    /// All is well with a wave, and the next one waits.
    Soaking {
        /// Until when.
        until: Instant,
    },
    /// A write is under way.
    Writing {
        /// Which network.
        network: NetworkId,
        /// What the write is for.
        kind: StepKind,
    },
    /// A write was acknowledged.
    Written {
        /// Which network.
        network: NetworkId,
        /// What the write was for.
        kind: StepKind,
    },
    /// A write came to no good end.
    Failed {
        /// Which network.
        network: NetworkId,
        /// Why, with the tracking id.
        reason: String,
    },
    /// A write was left out.
    Skipped {
        /// Which network.
        network: NetworkId,
        /// The network whose failure bars the way.
        because_of: NetworkId,
    },
    /// A location is locked.
    Locked {
        /// Which location.
        location: LocationId,
        /// When it is tried again.
        until: Instant,
    },
    /// A write is repeated.
    Retrying {
        /// Which network.
        network: NetworkId,
        /// How many attempts there were.
        attempts: u32,
        /// When it is tried again.
        until: Instant,
    },
    /// Nothing new is begun any more.
    Stopping {
        /// Why.
        reason: ShutdownReason,
    },
    /// A network on a temporary name is brought home.
    Restoring {
        /// Which network.
        network: NetworkId,
    },
    /// Everything is written; the list is read again.
    Verifying {
        /// How many networks are not seen as planned yet.
        mismatched: usize,
    },
}
