//! Writes what belongs to networks into a desired-state file, of each kind.

use super::base_station::write as base_stations;
use super::devices::Devices;
use super::handset::write as handsets;
use super::kind::ResourceKind;
use crate::desired::export::{Export, Exported};
use crate::desired::yaml_writer::{Purpose, YamlWriter};
use crate::model::{LocationId, LocationIndex};

impl YamlWriter {
    /// Adds what was read of the last network, which belongs to the location `home`.
    pub fn devices(&mut self, home: &LocationId, devices: &Devices, purpose: Purpose<'_>) {
        let Devices { base_stations, handsets, serviceability_password } = devices;
        self.base_stations(base_stations.as_deref().unwrap_or_default());
        self.handsets(home, handsets.as_deref().unwrap_or_default(), purpose);
        if let Some(status) = serviceability_password {
            self.serviceability_password(*status, purpose);
        }
    }
}

impl Export<'_> {
    /// A table of the things of one of these kinds, or else of networks.
    pub fn csv(&self, included: &[ResourceKind], locations: &[LocationIndex]) -> Exported {
        let table = |kind| match kind {
            ResourceKind::Network | ResourceKind::ServiceabilityPassword => None,
            ResourceKind::BaseStation => Some(base_stations::table(self, locations)),
            ResourceKind::Handset => Some(handsets::table(self, locations)),
        };
        let mut kinds = ResourceKind::ALL.into_iter().filter(|kind| included.contains(kind));
        kinds.find_map(table).unwrap_or_else(|| self.networks_csv(locations))
    }
}
