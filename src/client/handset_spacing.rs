//! The time between two changes of the handsets of a network.
//!
//! Cisco warns that adding or removing handsets within 90 seconds may leave base stations with an old configuration until
//! they are rebooted ("Add a List of Handsets to a DECT Network").

use std::collections::HashMap;
use std::time::Duration;

use crate::model::NetworkId;
use crate::runtime::Instant;

/// From when on the handsets of each network may be changed again; one per process, since a run may follow another.
#[derive(Debug, Default)]
pub(super) struct HandsetSpacing {
    free_at: HashMap<NetworkId, Instant>,
}

impl HandsetSpacing {
    /// Records that a change ends at `now`.
    pub(super) fn record(&mut self, network: &NetworkId, now: Instant, interval: Duration) {
        self.wait_until(network, now + interval);
    }

    /// Records that a network must not be changed before `until`.
    pub(super) fn wait_until(&mut self, network: &NetworkId, until: Instant) {
        let free_at = self.free_at.entry(network.clone()).or_insert(until);
        *free_at = until.max(*free_at);
    }

    /// From when on the handsets of a network may be changed; `None` if at once.
    pub(super) fn free_at(&self, network: &NetworkId, now: Instant) -> Option<Instant> {
        self.free_at.get(network).copied().filter(|free_at| *free_at > now)
    }
}
