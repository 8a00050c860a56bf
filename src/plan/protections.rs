//! Finds what the entries of files protect or freeze.

use super::matching::match_entries;
use super::model::{LocationRef, ProtectedNetwork, Protection};
use super::planner::file_source;
use crate::desired::model::{Desired, Guard};
use crate::diagnostic::{Diagnostics, Sources};
use crate::model::LiveState;

/// All protections of the locations and networks of files; reports entries that match nothing.
pub fn protections(
    desired: &Desired,
    live: &LiveState,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<Protection> {
    let has_guards = desired.locations.iter().any(|location| !location.guards.is_empty())
        || desired.entries().any(|entry| !entry.guards.is_empty());
    if !has_guards {
        return Vec::new();
    }
    let mut found = Vec::new();
    for managed in match_entries(desired, live, diagnostics) {
        let location = live.location(managed.location);
        let mut add = |guard: &Guard, network: Option<ProtectedNetwork>| {
            found.push(Protection {
                location: LocationRef { id: location.id.clone(), name: location.name.clone() },
                network,
                until: guard.until,
                reason: guard.reason.clone(),
                source: file_source(guard.span, sources),
            });
        };
        managed.guards.iter().for_each(|guard| add(guard, None));
        for (at, group) in &managed.networks {
            let network = live.network(*at);
            for guard in group.entries().flat_map(|entry| &entry.guards) {
                let name = network.settings.name.clone();
                add(guard, Some(ProtectedNetwork { id: network.id.clone(), name }));
            }
        }
    }
    found
}
