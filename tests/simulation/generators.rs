//! Small random organizations with desired states.

use std::collections::BTreeSet;
use std::sync::Arc;

use dectl::desired::model::{Desired, DesiredLocation, NetworkEntry, Origin, Spanned};
use dectl::diagnostic::{SourceId, Sources, Span};
use dectl::model::{
    AccessCode, CodeText, DesiredSettings, DisplayName, LiveState, LocationId, Network, NetworkId, NetworkName,
    Settings,
};
use dectl::plan::model::Plan;
use dectl::runtime::SeededRng;

pub(crate) const SPOT: Span = Span { source: SourceId(0), start: 0, end: 1 };

/// A texts' list with one text that every spot points into.
pub(crate) fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.add("desired", "x\n");
    sources
}

/// A network of a world, with what it is and what it is to be.
#[derive(Clone, Debug)]
pub(crate) struct RandomNetwork {
    pub(crate) id: String,
    pub(crate) before: (String, u16),
    /// Name and code that are desired; `None` for an unmanaged network.
    pub(crate) desired: Option<(String, u16)>,
    pub(crate) display_name: Option<String>,
    pub(crate) by_id: bool,
    pub(crate) renamed_from: bool,
}

/// A location with its members.
#[derive(Clone, Debug)]
pub(crate) struct RandomLocation {
    pub(crate) networks: Vec<RandomNetwork>,
    /// Which location of a fleet it is.
    pub(crate) number: usize,
}

/// Several locations.
#[derive(Clone, Debug)]
pub(crate) struct RandomOrganization(pub(crate) Vec<RandomLocation>);

impl RandomOrganization {
    /// Locations with networks that are known by id, so that every desired state can be planned.
    pub(crate) fn random(locations: usize, largest: u64, rng: &mut SeededRng) -> Self {
        let locations = (0..locations).map(|number| {
            let n = 1 + rng.gen_below(largest) as usize;
            let mut location = RandomLocation { number, ..RandomLocation::random(n, rng) };
            for network in &mut location.networks {
                network.id = format!("{}-{number}", network.id);
                network.by_id = true;
            }
            location
        });
        Self(locations.collect())
    }

    pub(crate) fn live(&self) -> LiveState {
        LiveState::new(self.0.iter().flat_map(RandomLocation::listed))
    }

    pub(crate) fn desired(&self) -> Desired {
        Desired {
            organization: None,
            locations: self.0.iter().flat_map(|location| location.desired().locations).collect(),
            rules: Vec::new(),
        }
    }

    pub(crate) fn is_reached(&self, live: &LiveState) -> bool {
        self.0.iter().all(|location| location.is_reached(live))
    }
}

impl RandomLocation {
    /// A world of `n` networks in which names and codes move around: rings, chains, both, and some that stay.
    pub(crate) fn random(n: usize, rng: &mut SeededRng) -> Self {
        let pick = |rng: &mut SeededRng, most: usize| rng.gen_below(most as u64) as usize;
        let names: Vec<String> = (0..n + 3).map(|at| format!("Ward {}", char::from(b'A' + at as u8))).collect();
        let codes: Vec<u16> = (0..n as u16 + 3).map(|at| 1_000 + at).collect();
        let mut desired_names: Vec<usize> = (0..n + pick(rng, 3)).collect();
        let mut desired_codes: Vec<usize> = (0..n + pick(rng, 3)).collect();
        shuffle(&mut desired_names, rng);
        shuffle(&mut desired_codes, rng);
        let stay = rng.next_f64() * 0.6;
        let mut networks: Vec<RandomNetwork> = (0..n)
            .map(|at| RandomNetwork {
                id: format!("net-{at}"),
                before: (names[at].clone(), codes[at]),
                desired: Some((names[desired_names[at]].clone(), codes[desired_codes[at]])),
                display_name: rng.gen_bool(0.3).then(|| format!("D{at}")),
                by_id: rng.gen_bool(0.7),
                renamed_from: rng.gen_bool(0.8),
            })
            .collect();
        for network in &mut networks {
            if rng.gen_bool(stay) {
                network.desired = if rng.gen_bool(0.5) { None } else { Some(network.before.clone()) };
            }
        }
        Self { networks, number: 0 }.without_clashes().with_former_names()
    }

    /// Sets `renamedFrom` for entries without an id that request a new name.
    fn with_former_names(mut self) -> Self {
        for network in &mut self.networks {
            let renamed = network.desired.as_ref().is_some_and(|desired| desired.0 != network.before.0);
            network.renamed_from |= renamed && !network.by_id;
        }
        self
    }

    /// Removes requests for values that another network keeps, until none is blocked.
    fn without_clashes(mut self) -> Self {
        loop {
            let ends: Vec<(String, u16)> =
                self.networks.iter().map(|network| network.desired.clone().unwrap_or(network.before.clone())).collect();
            let barred = (0..ends.len()).find(|at| {
                let other = |other: &usize| {
                    other != at && (ends[*other].0.eq_ignore_ascii_case(&ends[*at].0) || ends[*other].1 == ends[*at].1)
                };
                ends[*at] != self.networks[*at].before && (0..ends.len()).any(|o| other(&o))
            });
            let Some(at) = barred else { return self };
            self.networks[at].desired = Some(self.networks[at].before.clone());
        }
    }

    pub(crate) fn live(&self) -> LiveState {
        LiveState::new(self.listed())
    }

    fn listed(&self) -> Vec<(Arc<str>, Network)> {
        let listed = self.networks.iter().map(|network| {
            let (name, code) = &network.before;
            let settings = settings(name, *code, "old");
            (self.name().into(), live_network(&network.id, &format!("loc-{}", self.number), settings))
        });
        listed.collect()
    }

    fn name(&self) -> String {
        format!("Site {}", self.number)
    }

    pub(crate) fn desired(&self) -> Desired {
        let entries = self.networks.iter().filter_map(|network| {
            let (name, code) = network.desired.clone()?;
            let renamed = network.before.0 != name && network.renamed_from;
            Some(NetworkEntry {
                id: network.by_id.then(|| Spanned { value: NetworkId::new(&*network.id), span: SPOT }),
                renamed_from: renamed
                    .then(|| Spanned { value: Arc::from(&*network.before.0), span: SPOT })
                    .into_iter()
                    .collect(),
                desired: DesiredSettings {
                    name: NetworkName::new(&name).ok(),
                    display_name: network.display_name.as_deref().and_then(|name| DisplayName::new(name).ok()),
                    code_enabled: None,
                    code: AccessCode::from_number(code),
                },
                has_own_settings: true,
                ..NetworkEntry::new(Origin::File(SPOT))
            })
        });
        Desired {
            organization: None,
            rules: Vec::new(),
            locations: vec![DesiredLocation {
                guards: Vec::new(),
                guarded: Vec::new(),
                span: SPOT,
                name: Some(Spanned { value: self.name().into(), span: SPOT }),
                id: None,
                entries: entries.collect(),
            }],
        }
    }

    /// Whether an organization is as this world wants it.
    pub(crate) fn is_reached(&self, live: &LiveState) -> bool {
        self.networks.iter().all(|network| {
            let Some(at) = live.find(&NetworkId::new(&*network.id)) else { return false };
            let settings = &live.network(at).settings;
            let (name, code) = network.desired.clone().unwrap_or(network.before.clone());
            let display_name = match (&network.desired, &network.display_name) {
                (Some(_), Some(name)) => name.clone(),
                _ => "old".to_owned(),
            };
            *settings == self::settings(&name, code, &display_name)
        })
    }
}

pub(crate) fn settings(name: &str, code: u16, display_name: &str) -> Settings {
    Settings {
        name: name.into(),
        display_name: Some(display_name.into()),
        code_enabled: Some(true),
        code: Some(CodeText::new(format!("{code:04}"))),
    }
}

fn live_network(id: &str, location: &str, settings: Settings) -> Network {
    Network {
        id: NetworkId::new(id),
        location: LocationId::new(location),
        settings,
        model: None,
        base_stations: None,
        handsets: None,
        lines: None,
    }
}

/// Carries out some steps of a plan, holding them against the rule that no two networks share a name or a code.
pub(crate) fn carry_out(live: &LiveState, plan: &Plan, steps: impl IntoIterator<Item = usize>) -> LiveState {
    let mut networks: Vec<Network> = live.networks().map(|(_, network)| network.clone()).collect();
    for at in steps {
        let step = &plan.steps[at];
        let id = plan[step.change()].network.id().expect("it is live");
        let sent = step.settings().expect("an update");
        let target = networks.iter().position(|other| other.id == *id).expect("the network is live");
        let before = networks[target].settings.clone();
        for other in networks.iter().filter(|other| other.id != *id && other.location == networks[target].location) {
            let takes_name = before.name_key() != sent.name_key();
            let takes_code = before.code != sent.code;
            let same_name = other.settings.name_key() == sent.name_key();
            assert!(!takes_name || !same_name, "a name is taken twice: {plan:#?}");
            assert!(!takes_code || other.settings.code != sent.code, "a code is taken twice: {plan:#?}");
        }
        networks[target].settings = sent.clone();
    }
    let name = |network: &Network| -> Arc<str> {
        let at = live.find_location(&network.location).expect("the location is live");
        live.location(at).name.clone()
    };
    LiveState::new(networks.into_iter().map(|network| (name(&network), network)))
}

/// A random order of the steps that respects what each waits for, cut at a random place.
pub(crate) fn some_order(plan: &Plan, rng: &mut SeededRng) -> Vec<usize> {
    let mut done = BTreeSet::new();
    let mut order = Vec::new();
    let most = rng.gen_below(plan.steps.len() as u64 + 1) as usize;
    while order.len() < most {
        let ready: Vec<usize> = (0..plan.steps.len())
            .filter(|at| {
                !done.contains(at) && plan.steps[*at].depends_on.iter().all(|after| done.contains(&after.step.0))
            })
            .collect();
        let at = ready[rng.gen_below(ready.len() as u64) as usize];
        done.insert(at);
        order.push(at);
    }
    order
}

pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut SeededRng) {
    for at in (1..items.len()).rev() {
        items.swap(at, rng.gen_below(at as u64 + 1) as usize);
    }
}

/// How many random cases a search tries: a small number, or what `PROPTEST_CASES` says.
pub(crate) fn cases(default: u64) -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `n` plain renames, so many in each location.
pub(crate) fn renames(n: usize, in_each: usize) -> RandomOrganization {
    let locations = (0..n.div_ceil(in_each)).map(|number| {
        let networks = (number * in_each..n.min((number + 1) * in_each)).map(|at| RandomNetwork {
            id: format!("net-{at}"),
            before: (format!("Old {at}"), (at % in_each) as u16),
            desired: Some((format!("New {at}"), (at % in_each) as u16)),
            display_name: None,
            by_id: true,
            renamed_from: false,
        });
        RandomLocation { networks: networks.collect(), number }
    });
    RandomOrganization(locations.collect())
}

/// So many pairs of networks of one location that swap their names.
pub(crate) fn swaps(pairs: usize) -> RandomOrganization {
    let networks = (0..2 * pairs).map(|at| RandomNetwork {
        id: format!("net-{at}"),
        before: (format!("Ward {at}"), at as u16),
        desired: Some((format!("Ward {}", at ^ 1), at as u16)),
        display_name: None,
        by_id: true,
        renamed_from: false,
    });
    RandomOrganization(vec![RandomLocation { networks: networks.collect(), number: 0 }])
}
