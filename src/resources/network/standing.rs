//! Where a change of a network stands in what is listed now.

use super::settings::{Setting, SettingSet, Settings};
use super::state::Network;
use crate::plan::model::{Found, ResourceState, Standing, States};

pub(crate) fn standing(states: &States<'_>, networks: &[&Network]) -> Standing {
    let found = |at: usize| Found { at, id: Some(networks[at].id.to_string()) };
    let settings = |state: Option<&'_ ResourceState>| state.and_then(ResourceState::settings).cloned();
    let (before, interim, after) = (settings(states.before), settings(states.interim), settings(states.after));
    match (&before, &after, networks.first()) {
        (None, _, _) => {
            let is_it = |network: &&Network| states.after.is_some_and(|after| after.matches_created(network));
            networks.iter().position(is_it).map_or(Standing::Before, |at| Standing::after(found(at)))
        }
        (Some(_), None, None) => Standing::GONE,
        (Some(_), Some(_), None) => Standing::Missing,
        (Some(before), None, Some(now)) => match now.settings.diff(before).is_empty() {
            true => Standing::Before,
            false => Standing::Changed(found(0)),
        },
        (Some(before), Some(after), Some(now)) => {
            updated_settings(before, interim.as_ref(), after, &now.settings, found(0))
        }
    }
}

/// What is exactly as planned is in that state. While codes are disabled, Webex may hide the code or generate another one, and
/// it chooses a display name where a request gave it none: then the other settings tell; where none of them changes, nothing
/// does.
fn updated_settings(
    before: &Settings,
    interim: Option<&Settings>,
    after: &Settings,
    now: &Settings,
    found: Found,
) -> Standing {
    let changed: SettingSet = before.changed_in(after);
    let is_only_code = changed.iter().all(|setting| setting == Setting::Code);
    let shows = |planned: &Settings| {
        let is_disabled = now.code_enabled == Some(false) && planned.code_enabled == Some(false);
        now.diff(planned).iter().all(|setting| match setting {
            Setting::Code => is_disabled && !(now.code.is_none() && is_only_code),
            // What was listed before had the one that it was listed with.
            Setting::DisplayName => planned.display_name.is_none() && !std::ptr::eq(planned, before),
            Setting::Name | Setting::CodeEnabled => false,
        })
    };
    let is = |planned: &Settings| now.diff(planned).is_empty();
    if is(after) {
        Standing::after(found)
    } else if interim.is_some_and(is) {
        Standing::Interim(found)
    } else if is(before) || shows(before) {
        Standing::Before
    } else if interim.is_some_and(shows) {
        Standing::Interim(found)
    } else if shows(after) {
        let unseen = now.diff(after).iter().filter(|setting| changed.has(*setting)).collect();
        Standing::After { found: Some(found), unseen }
    } else {
        Standing::Changed(found)
    }
}
