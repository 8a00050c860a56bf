//! Finds entries that contradict each other about what belongs to networks, of each kind.

use super::base_station::merge::SeenBaseStations;
use super::device_entries::DeviceEntries;
use super::handset::merge::SeenHandsets;
use super::serviceability_password::merge::SeenPasswords;
use crate::desired::model::NetworkEntry;
use crate::diagnostic::Diagnostics;

/// What the entries before have said, which others may contradict.
#[derive(Default)]
pub(crate) struct SeenDevices {
    base_stations: SeenBaseStations,
    handsets: SeenHandsets,
    passwords: SeenPasswords,
}

impl SeenDevices {
    /// Reports what an entry says of things that another entry has named already; `location` is the number of its location.
    pub(crate) fn check(&mut self, location: usize, entry: &NetworkEntry, diagnostics: &mut Diagnostics) {
        let DeviceEntries { base_stations, handsets, serviceability_password } = &entry.devices;
        let network = entry.key().map(|key| (location, key));
        self.base_stations.check(network.as_ref(), base_stations.as_deref().unwrap_or_default(), diagnostics);
        self.handsets.check(network.as_ref(), handsets.as_deref().unwrap_or_default(), diagnostics);
        if let (Some(status), Some(network)) = (serviceability_password, network) {
            self.passwords.check(network, entry.label(), status, diagnostics);
        }
    }
}
