//! Finds base stations of which entries contradict each other.

use std::collections::HashMap;

use super::entry::{BaseStationEntry, named_twice, replaced_and_present, replaced_twice};
use super::mac::Mac;
use crate::desired::model::NetworkPlace;
use crate::diagnostic::{Diagnostics, Span};

/// What entries have said of base stations, with where.
#[derive(Default)]
pub(in crate::resources) struct SeenBaseStations {
    /// Those that are to be there, in whatever network.
    present: HashMap<Mac, Span>,
    /// In each network, those that are to be there, that are removed, and that are replaced.
    networks: HashMap<NetworkPlace, SeenInNetwork>,
}

#[derive(Default)]
struct SeenInNetwork {
    present: HashMap<Mac, Span>,
    absent: HashMap<Mac, Span>,
    replaced: HashMap<Mac, Span>,
}

impl SeenBaseStations {
    pub(in crate::resources) fn check(
        &mut self,
        network: Option<&NetworkPlace>,
        stations: &[BaseStationEntry],
        diagnostics: &mut Diagnostics,
    ) {
        for BaseStationEntry { mac, .. } in stations.iter().filter(|station| !station.is_absent) {
            if let Some(first) = self.present.insert(mac.value, mac.span) {
                named_twice(mac.value, mac.span, first, diagnostics);
            }
        }
        if let Some(network) = network.filter(|_| !stations.is_empty()) {
            self.networks.entry(network.clone()).or_default().check(stations, diagnostics);
        }
    }
}

impl SeenInNetwork {
    fn check(&mut self, stations: &[BaseStationEntry], diagnostics: &mut Diagnostics) {
        for BaseStationEntry { mac, replaces, is_absent, .. } in stations {
            let (own, other) = match is_absent {
                true => (&mut self.absent, &self.present),
                false => (&mut self.present, &self.absent),
            };
            own.insert(mac.value, mac.span);
            if let Some(first) = other.get(&mac.value) {
                named_twice(mac.value, mac.span, *first, diagnostics);
            }
            // One that replaces itself is reported by itself.
            if let Some(old) = replaces.as_ref().filter(|old| old.value != mac.value)
                && let Some(first) = self.replaced.insert(old.value, old.span)
            {
                replaced_twice(old.value, old.span, first, diagnostics);
            }
        }
        let named = stations.iter().flat_map(|station| [Some(&station.mac), station.replaces.as_ref()]).flatten();
        for mac in named.map(|mac| mac.value) {
            // Once, where the second of both entries is found.
            if let (Some(present), Some(replaced)) = (self.present.get(&mac), self.replaced.remove(&mac)) {
                replaced_and_present(mac, replaced, *present, diagnostics);
            }
        }
    }
}
