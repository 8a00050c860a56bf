//! Writes base stations into a desired-state file.

use super::state::BaseStation;
use crate::desired::export::{Export, Exported};
use crate::desired::yaml_writer::{YamlWriter, one_line, quoted};
use crate::model::LocationIndex;

impl YamlWriter {
    /// Adds base stations to the last network; a comment for an address that the format rejects.
    pub(in crate::resources) fn base_stations(&mut self, stations: &[BaseStation]) {
        if stations.is_empty() {
            return;
        }
        self.text.push_str("        baseStations:\n");
        for station in stations {
            self.text.push_str(&match station.mac() {
                Some(_) => format!("          - {}\n", quoted(&station.address)),
                None => {
                    let address = one_line(&station.address);
                    format!("          # {address} omitted: the live value is not a MAC address\n")
                }
            });
        }
    }
}

/// A table of the base stations that were read.
pub(in crate::resources) fn table(export: &Export<'_>, locations: &[LocationIndex]) -> Exported {
    export.device_table(locations, ["mac"], |_, network| {
        let stations = export.live.base_stations(network).unwrap_or_default();
        stations.iter().map(|station| vec![station.label()]).collect()
    })
}
