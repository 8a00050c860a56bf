//! What the live state has otherwise than the files ask for, with the places that ask.

use super::matching::Matches;
use super::model::{LocationRef, ResourceState};
use super::owner::Owner;
use super::planner::compare_locations;
use super::scope::Scope;
use crate::desired::model::Origin;
use crate::diagnostic::Diagnostics;
use crate::model::LiveState;

/// A difference between the live state and what a file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub location: LocationRef,
    pub network: String,
    /// The entry, or the rule: of a network, a base station or a handset.
    pub origin: Origin,
    /// What is there; `None` if it does not exist.
    pub live: Option<ResourceState>,
    /// What the file asks for; `None` if it is to be deleted.
    pub asked: Option<ResourceState>,
}

/// All differences in scope, and what prevents a plan: entries that match nothing, and what contradicts the live state.
pub fn differences(matches: &Matches<'_>, scope: &Scope, live: &LiveState) -> (Vec<Difference>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let located = compare_locations(matches, scope, live, &mut diagnostics);
    let mut found = Vec::new();
    for (changes, _) in &located {
        let location = live.location(changes.location);
        let location = LocationRef { id: location.id.clone(), name: location.name.clone() };
        let network_of = |owner: Owner| match owner {
            Owner::Live(at) => live.network(at).settings.name.to_string(),
            Owner::Created(at) => changes.networks[at].name().to_owned(),
        };
        let mut add = |network: String, origin: Origin, live: Option<ResourceState>, asked: Option<ResourceState>| {
            found.push(Difference { location: location.clone(), network, origin, live, asked });
        };
        for change in &changes.networks {
            let state = |settings: &_| ResourceState::Network { settings: Clone::clone(settings), model: None };
            let (live, asked) = (change.settings_before().map(state), change.after.as_ref().map(state));
            add(change.name().to_owned(), change.entry.origin.clone(), live, asked);
        }
        for change in changes.devices.iter().flat_map(|devices| devices.changes()) {
            add(network_of(change.owner), Origin::File(change.span), change.before, change.after);
        }
    }
    (found, diagnostics)
}
