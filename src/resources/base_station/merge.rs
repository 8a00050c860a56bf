//! Finds base stations that two entries name.

use std::collections::HashMap;

use super::entry::BaseStationEntry;
use super::mac::Mac;
use crate::diagnostic::{DiagnosticCode, Diagnostics, Span};

/// Base stations that are to be there, with where they are named.
#[derive(Default)]
pub(in crate::resources) struct SeenBaseStations(HashMap<Mac, Span>);

impl SeenBaseStations {
    pub(in crate::resources) fn check(&mut self, stations: &[BaseStationEntry], diagnostics: &mut Diagnostics) {
        for BaseStationEntry { mac, .. } in stations.iter().filter(|station| !station.is_absent) {
            if let Some(first) = self.0.insert(mac.value, mac.span) {
                let message = format!("base station {} is named twice", mac.value);
                diagnostics
                    .error(DiagnosticCode::DuplicateBaseStation, mac.span, message)
                    .with_related(first, "first occurrence")
                    .help("a base station belongs to one network; remove one of them");
            }
        }
    }
}
