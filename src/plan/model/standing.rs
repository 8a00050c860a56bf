//! Where changes stand in what is listed now.
//!
//! After a lost response, at the end of a run, when a plan is resumed, and before an undo, the question is the same: which of
//! its states is a thing in? What is there under an id that is known is compared with them. What a request has added has no
//! known id: it is the listed thing that is as it was to be, that nothing else is known to be, and that no other addition has
//! been taken for. Whole additions choose first, so that none of them is taken for the half of another one.

use std::collections::HashSet;

use super::{Change, ResourceState, StepItem};
use crate::model::{
    BaseStation, Devices, Handset, HandsetId, LiveState, Network, NetworkId, NetworkIndex, Setting, SettingSet,
    Settings,
};

/// The states that a thing may be found in.
#[derive(Clone, Copy, Debug)]
pub struct States<'a> {
    /// `None` if it is added.
    pub before: Option<&'a ResourceState>,
    /// On the way: with a temporary name, or with its first line only, whether it is added or gives up the second one.
    pub interim: Option<&'a ResourceState>,
    /// `None` if it is taken away.
    pub after: Option<&'a ResourceState>,
}

impl<'a> States<'a> {
    /// Those of a request.
    pub fn of_item(item: &'a StepItem) -> Self {
        Self { before: item.from.as_ref(), interim: None, after: item.to.as_ref() }
    }

    /// Those of a change.
    pub fn of_change(change: &'a Change, interim: Option<&'a ResourceState>) -> Self {
        Self { before: change.before.as_ref(), interim, after: change.after.as_ref() }
    }
}

/// What was listed of one network. One that is gone has empty lists.
#[derive(Clone, Debug, Default)]
pub struct Listed<'a> {
    /// The network; or, of one that is to be created, those that may be it; `None` if they were not read.
    pub networks: Option<Vec<&'a Network>>,
    /// What belongs to it; `None` if nothing was read.
    pub devices: Option<&'a Devices>,
}

impl Listed<'_> {
    fn base_stations(&self) -> Option<&[BaseStation]> {
        self.devices?.base_stations.as_deref()
    }

    fn handsets(&self) -> Option<&[Handset]> {
        self.devices?.handsets.as_deref()
    }
}

/// Where a change stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As before it.
    Before,
    Interim(Found),
    After {
        /// `None` if it was taken away.
        found: Option<Found>,
        /// The settings that it changes and that a read does not show.
        unseen: SettingSet,
    },
    /// It is there, in none of its states.
    Changed(Found),
    /// It should be there and is not.
    Missing,
    /// What would show it was not read.
    CannotTell,
}

/// What was found in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place in the list.
    pub at: usize,
    pub id: Option<String>,
}

impl Standing {
    const GONE: Self = Self::After { found: None, unseen: SettingSet::NONE };

    const fn after(found: Found) -> Self {
        Self::After { found: Some(found), unseen: SettingSet::NONE }
    }

    /// Whether a read shows that it was applied.
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::After { unseen, .. } if unseen.is_empty())
    }

    /// The id of what was found.
    pub fn id(&self) -> Option<String> {
        self.found()?.id.clone()
    }

    /// What was found, in whichever state.
    pub const fn found(&self) -> Option<&Found> {
        match self {
            Self::Interim(found) | Self::Changed(found) | Self::After { found: Some(found), .. } => Some(found),
            Self::Before | Self::After { found: None, .. } | Self::Missing | Self::CannotTell => None,
        }
    }
}

/// Where changes of one network stand. Together, since each listed thing can be that of one change only; `known` are the
/// handsets that no addition has made.
pub fn standings(asked: &[States<'_>], listed: &Listed<'_>, known: &HashSet<HandsetId>) -> Vec<Standing> {
    let mut standings: Vec<Standing> = asked.iter().map(|states| standing(states, listed)).collect();
    let mut taken = known.clone();
    for is_whole in [true, false] {
        for (states, standing) in asked.iter().zip(&mut standings) {
            let (None, Some(after), Some(handsets)) = (states.before, handset(states.after), listed.handsets()) else {
                continue;
            };
            if *standing != Standing::Before {
                continue;
            }
            let half = after.first_line_only();
            let wanted = if is_whole { after } else { &half };
            let is_free = |listed: &Handset| listed.id.as_ref().is_none_or(|id| !taken.contains(id));
            let Some(at) = handsets.iter().position(|listed| is_free(listed) && listed.is_equivalent(wanted)) else {
                continue;
            };
            taken.extend(handsets[at].id.clone());
            let found = Found { at, id: handsets[at].id.as_ref().map(ToString::to_string) };
            *standing = if is_whole { Standing::after(found) } else { Standing::Interim(found) };
        }
    }
    standings
}

/// Where one change stands; an added handset is still to be found.
fn standing(states: &States<'_>, listed: &Listed<'_>) -> Standing {
    use ResourceState as State;
    let Some(state) = states.before.or(states.after) else { return Standing::CannotTell };
    match state {
        State::Network { .. } => match &listed.networks {
            Some(networks) => network(states, networks),
            None => Standing::CannotTell,
        },
        State::BaseStation(station) => match listed.base_stations() {
            Some(stations) => base_station(station, states.after.is_some(), stations),
            None => Standing::CannotTell,
        },
        State::ServiceabilityPassword(_) => {
            let listed = listed.devices.and_then(|devices| devices.serviceability_password);
            let password = |state: Option<&State>| state.and_then(State::serviceability_password);
            listed.map_or(Standing::CannotTell, |now| match password(states.after) == Some(now) {
                true => Standing::after(Found { at: 0, id: None }),
                false => Standing::Before,
            })
        }
        State::Handset(_) => match (listed.handsets(), handset(states.before)) {
            (Some(handsets), Some(before)) => {
                updated_handset(before, handset(states.interim), handset(states.after), handsets)
            }
            (Some(_), None) => Standing::Before,
            (None, _) => Standing::CannotTell,
        },
    }
}

fn network(states: &States<'_>, networks: &[&Network]) -> Standing {
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

/// A base station is known by its address, and by its id if it is to be removed: one with another id was added since.
fn base_station(station: &BaseStation, is_added: bool, stations: &[BaseStation]) -> Standing {
    let at = stations.iter().position(|listed| listed.label() == station.label());
    let found = at.map(|at| Found { at, id: stations[at].id.as_ref().map(ToString::to_string) });
    let is_other = |found: &Found| stations[found.at].id.is_some() && stations[found.at].id != station.id;
    match found {
        Some(found) if is_added => Standing::after(found),
        None if is_added => Standing::Before,
        Some(found) if !is_other(&found) => Standing::Before,
        Some(_) | None => Standing::GONE,
    }
}

fn updated_handset(
    before: &Handset,
    interim: Option<&Handset>,
    after: Option<&Handset>,
    handsets: &[Handset],
) -> Standing {
    let at = handsets.iter().position(|listed| listed.id == before.id);
    match (at.map(|at| (&handsets[at], Found { at, id: before.id.as_ref().map(ToString::to_string) })), after) {
        (Some(_), None) => Standing::Before,
        (None, None) => Standing::GONE,
        (None, Some(_)) => Standing::Missing,
        (Some((now, found)), Some(after)) if now.is_equivalent(after) => Standing::after(found),
        (Some((now, _)), Some(_)) if now.is_equivalent(before) => Standing::Before,
        (Some((now, found)), Some(_)) if interim.is_some_and(|half| now.is_equivalent(half)) => {
            Standing::Interim(found)
        }
        (Some((_, found)), Some(_)) => Standing::Changed(found),
    }
}

fn handset(state: Option<&ResourceState>) -> Option<&Handset> {
    state.and_then(ResourceState::handset)
}

impl Change {
    /// The network that a creation has made, if it exists.
    pub fn find_created(&self, known: &HashSet<&NetworkId>, live: &LiveState) -> Option<NetworkIndex> {
        let listed = Listed { networks: Some(self.candidates(known, live)), ..Listed::default() };
        let standing = standings(&[States::of_change(self, None)], &listed, &HashSet::new()).pop()?;
        live.find(&NetworkId::new(standing.found()?.id.as_deref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BaseStationId, CodeText, DeviceList, LocationId, Member, MemberId, NetworkId};

    /// `name`, or `name:code`, or `name:code:off`; `name:-:off` hides the code.
    fn settings(text: &str) -> Settings {
        let mut parts = text.split(':');
        let name = parts.next().expect("a name");
        let code = parts.next().filter(|code| *code != "-").map(CodeText::new);
        Settings {
            name: name.into(),
            display_name: Some("shown".into()),
            code_enabled: Some(parts.next().is_none()),
            code,
        }
    }

    fn network(text: &str) -> ResourceState {
        ResourceState::Network { settings: settings(text), model: None }
    }

    fn listed_network(text: &str) -> Network {
        Network::new(NetworkId::new("n"), LocationId::new("l"), settings(text), None)
    }

    /// `id name line1 line2`, each `-` if there is none.
    fn a_handset(text: &str) -> Handset {
        let parts: Vec<&str> = text.split(' ').collect();
        let line = |at: usize| {
            let id = parts.get(at).filter(|id| **id != "-")?;
            Some(Member::of_id(MemberId::new(*id)))
        };
        Handset {
            id: Some(parts[0]).filter(|id| *id != "-").map(HandsetId::new),
            custom_name: Some(parts[1].into()),
            line1: line(2),
            line2: line(3),
            default_name: None,
            last_registration: None,
        }
    }

    fn one_word(standing: &Standing) -> String {
        match standing {
            Standing::Before => "before".to_owned(),
            Standing::Interim(found) => format!("interim {}", found.at),
            Standing::After { found: None, .. } => "gone".to_owned(),
            Standing::After { unseen, .. } if !unseen.is_empty() => "after, unseen".to_owned(),
            Standing::After { found: Some(found), .. } => format!("after {}", found.at),
            Standing::Changed(_) => "changed".to_owned(),
            Standing::Missing => "missing".to_owned(),
            Standing::CannotTell => "cannot tell".to_owned(),
        }
    }

    #[test]
    fn networks_stand_where_their_settings_say() {
        type Case<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // before, interim, after, now
            (Some("A:1"), None, Some("B:1"), Some("A:1"), "before"),
            (Some("A:1"), None, Some("B:1"), Some("B:1"), "after 0"),
            (Some("A:1"), None, Some("B:1"), Some("C:1"), "changed"),
            (Some("A:1"), None, Some("B:1"), None, "missing"),
            (Some("A:1"), Some("T:1"), Some("B:1"), Some("T:1"), "interim 0"),
            (Some("A:1"), None, None, Some("A:1"), "before"),
            (Some("A:1"), None, None, Some("B:1"), "changed"),
            (Some("A:1"), None, None, None, "gone"),
            // A disabled code is hidden, or another one was generated: the name tells, and the switch does.
            (Some("A:1:off"), None, Some("B:1:off"), Some("B:-:off"), "after 0"),
            (Some("A:1:off"), None, Some("B:1:off"), Some("B:9:off"), "after 0"),
            (Some("A:1:off"), None, Some("B:1:off"), Some("A:-:off"), "before"),
            (Some("A:1"), None, Some("A:1:off"), Some("A:-:off"), "after 0"),
            // The code was to change as well, which nothing shows.
            (Some("A:1"), None, Some("B:2:off"), Some("B:-:off"), "after, unseen"),
            // Only the code was to change: nothing tells.
            (Some("A:1:off"), None, Some("A:2:off"), Some("A:-:off"), "changed"),
            (Some("A:1:off"), None, Some("A:2:off"), Some("A:9:off"), "before"),
            // What is hidden from the start is no change.
            (Some("A:-:off"), None, Some("B:5:off"), Some("B:-:off"), "after 0"),
        ];
        for (before, interim, after, now, expected) in cases {
            let (states, now) = ([before, interim, after].map(|text| text.map(network)), now.map(listed_network));
            let [before, interim, after] = states.each_ref().map(Option::as_ref);
            let listed = Listed { networks: Some(now.iter().collect()), ..Listed::default() };
            let standing = standings(&[States { before, interim, after }], &listed, &HashSet::new());
            assert_eq!(one_word(&standing[0]), *expected, "{states:?} {now:?}");
        }
    }

    #[test]
    fn a_display_name_that_was_none_before_tells() {
        let without = |text: &str| {
            let settings = Settings { display_name: None, ..settings(text) };
            ResourceState::Network { settings, model: None }
        };
        let stands = |before: &ResourceState, after: &ResourceState, now: &str| {
            let now = listed_network(now);
            let listed = Listed { networks: Some(vec![&now]), ..Listed::default() };
            let states = States { before: Some(before), interim: None, after: Some(after) };
            one_word(&standings(&[states], &listed, &HashSet::new())[0])
        };
        // It was given one, while the code is hidden.
        assert_eq!(stands(&without("A:1:off"), &network("A:1:off"), "A:-:off"), "after 0");
        // None was sent, so that Webex has chosen one.
        assert_eq!(stands(&without("A:1"), &without("B:1"), "B:1"), "after 0");
    }

    #[test]
    fn devices_stand_where_their_lists_say() {
        let station = |text: &str| {
            let (id, address) = text.split_once(' ').expect("an id and an address");
            BaseStation { id: Some(id).filter(|id| *id != "-").map(BaseStationId::new), address: address.into() }
        };
        type Case<'a> = (Option<&'a str>, Option<&'a str>, &'a [&'a str], &'a str);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // before, after, listed
            (None, Some("- M1"), &[], "before"),
            (None, Some("- M1"), &["x M1"], "after 0"),
            (Some("x M1"), None, &["x M1"], "before"),
            (Some("x M1"), None, &["y M2"], "gone"),
            // It was removed, and added again by another client.
            (Some("x M1"), None, &["y M1"], "gone"),
        ];
        for (before, after, list, expected) in cases {
            let list: Vec<BaseStation> = list.iter().map(|text| station(text)).collect();
            let states = [before, after].map(|text| text.map(|text| ResourceState::BaseStation(station(text))));
            let [before, after] = states.each_ref().map(Option::as_ref);
            let devices = DeviceList::BaseStations(list.clone()).into();
            let listed = Listed { devices: Some(&devices), ..Listed::default() };
            let standing = standings(&[States { before, interim: None, after }], &listed, &HashSet::new());
            assert_eq!(one_word(&standing[0]), *expected, "{states:?} {list:?}");
        }
        let unread = standings(
            &[States { before: None, interim: None, after: Some(&ResourceState::BaseStation(station("- M1"))) }],
            &Listed::default(),
            &HashSet::new(),
        );
        assert_eq!(unread, [Standing::CannotTell]);
    }

    #[test]
    fn every_listed_handset_is_that_of_one_change() {
        type Case<'a> = (&'a [(Option<&'a str>, Option<&'a str>)], &'a [&'a str], &'a [&'a str]);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // changes, listed (k is known from before), expected
            (&[(None, Some("- N a"))], &[], &["before"]),
            (&[(None, Some("- N a"))], &["k N a"], &["before"]),
            (&[(None, Some("- N a"))], &["k N a", "x N a"], &["after 1"]),
            (&[(None, Some("- N a b"))], &["x N a"], &["interim 0"]),
            // Two of one name and line take one each, and a whole one is no half of another.
            (&[(None, Some("- N a")), (None, Some("- N a"))], &["x N a", "y N a"], &["after 0", "after 1"]),
            (&[(None, Some("- N a")), (None, Some("- N a"))], &["x N a"], &["after 0", "before"]),
            (&[(None, Some("- N a b")), (None, Some("- N a"))], &["x N a"], &["before", "after 0"]),
            (&[(Some("x N a"), Some("x N c"))], &["x N a"], &["before"]),
            (&[(Some("x N a"), Some("x N c"))], &["x N c"], &["after 0"]),
            (&[(Some("x N a"), Some("x N c"))], &["x M a"], &["changed"]),
            (&[(Some("x N a"), Some("x N c"))], &["y N c"], &["missing"]),
            (&[(Some("x N a"), None)], &["y N a"], &["gone"]),
            (&[(Some("x N a"), None)], &["x M z"], &["before"]),
        ];
        let known: HashSet<HandsetId> = [HandsetId::new("k")].into();
        for (changes, list, expected) in cases {
            let list: Vec<Handset> = list.iter().map(|text| a_handset(text)).collect();
            let state = |text: &Option<&str>| text.map(|text| ResourceState::from(a_handset(text)));
            let states: Vec<_> = changes.iter().map(|(before, after)| (state(before), state(after))).collect();
            let asked: Vec<States<'_>> = states
                .iter()
                .map(|(before, after)| States { before: before.as_ref(), interim: None, after: after.as_ref() })
                .collect();
            let devices = DeviceList::Handsets(list.clone()).into();
            let listed = Listed { devices: Some(&devices), ..Listed::default() };
            let standing: Vec<String> = standings(&asked, &listed, &known).iter().map(one_word).collect();
            assert_eq!(standing, *expected, "{changes:?} {list:?}");
        }
    }
}
