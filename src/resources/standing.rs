//! Where changes stand in what is listed now.
//!
//! After a lost response, at the end of a run, when a plan is resumed, and before an undo, the question is the same: which of
//! its states is a thing in? What is there under an id that is known is compared with them. What a request has added has no
//! known id: it is the listed thing that is as it was to be, that nothing else is known to be, and that no other addition has
//! been taken for. Whole additions choose first, so that none of them is taken for the half of another one.

use std::collections::HashSet;

use crate::model::{HandsetId, LiveState, NetworkId, NetworkIndex};
use crate::plan::model::{Change, Listed, ResourceState, Standing, States};

/// Where changes of one network stand. Together, since each listed thing can be that of one change only; `known` are the
/// handsets that no addition has made.
pub fn standings(asked: &[States<'_>], listed: &Listed<'_>, known: &HashSet<HandsetId>) -> Vec<Standing> {
    let mut standings: Vec<Standing> = asked.iter().map(|states| standing(states, listed)).collect();
    if let Some(handsets) = listed.handsets() {
        super::handset::standing::find_added(asked, &mut standings, handsets, known);
    }
    standings
}

/// Where one change stands; an added handset is still to be found.
fn standing(states: &States<'_>, listed: &Listed<'_>) -> Standing {
    use ResourceState as State;
    let Some(state) = states.before.or(states.after) else { return Standing::CannotTell };
    let standing = match state {
        State::Network { .. } => {
            listed.networks.as_ref().map(|networks| super::network::standing::standing(states, networks))
        }
        State::BaseStation(station) => {
            let is_added = states.after.is_some();
            listed.base_stations().map(|stations| super::base_station::standing::standing(station, is_added, stations))
        }
        State::Handset(_) => listed.handsets().map(|handsets| super::handset::standing::standing(states, handsets)),
        State::ServiceabilityPassword(_) => {
            let now = listed.devices.and_then(|devices| devices.serviceability_password);
            now.map(|now| super::serviceability_password::standing::standing(states, now))
        }
    };
    standing.unwrap_or(Standing::CannotTell)
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
    use crate::model::{
        BaseStation, BaseStationId, CodeText, DeviceList, Handset, LocationId, Member, MemberId, Network, Settings,
    };

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
