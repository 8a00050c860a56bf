//! Writes base stations into a desired-state file.

use super::state::BaseStation;
use crate::desired::yaml_writer::{YamlWriter, one_line, quoted};

impl YamlWriter {
    /// Adds base stations to the last network; a comment for an address that the format rejects.
    pub fn base_stations(&mut self, stations: &[BaseStation]) {
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
