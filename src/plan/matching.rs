//! Which live network an entry means.
//!
//! Ids win over temporary names, temporary names over names. Where names alone cannot tell a rename that is done from
//! one that is not, nothing is guessed.

use std::collections::HashMap;

use super::temporary;
use crate::desired::model::{Desired, DesiredLocation, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, quoted_list, suggest};
use crate::model::{LiveState, LocationIndex, NameKey, NetworkIndex};

/// A managed location: its networks that entries speak of, in the order of the organization.
#[derive(Debug)]
pub(super) struct Managed<'a> {
    pub(super) location: LocationIndex,
    pub(super) networks: Vec<(NetworkIndex, &'a NetworkEntry)>,
    /// Whether every entry found its network. Where one did not, what looks taken may only look so.
    pub(super) complete: bool,
}

/// Finds the network of every entry; what cannot be found, or is not clear, is a finding.
pub(super) fn match_entries<'a>(
    desired: &'a Desired,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> Vec<Managed<'a>> {
    let mut entries: HashMap<LocationIndex, Vec<&'a NetworkEntry>> = HashMap::new();
    let names = LocationsByName::of(live);
    for desired_location in &desired.locations {
        if let Some(location) = names.find(desired_location, live, diagnostics) {
            entries.entry(location).or_default().extend(&desired_location.entries);
        }
    }
    let mut managed: Vec<Managed<'a>> = entries
        .into_iter()
        .map(|(location, entries)| {
            let before = diagnostics.len();
            let networks = Matcher::new(location, live, diagnostics).run(entries);
            Managed { location, networks, complete: diagnostics.len() == before }
        })
        .collect();
    managed.sort_by_key(|managed| managed.location);
    managed
}

struct LocationsByName(HashMap<NameKey, Vec<LocationIndex>>);

impl LocationsByName {
    fn of(live: &LiveState) -> Self {
        let mut names: HashMap<NameKey, Vec<LocationIndex>> = HashMap::new();
        for (at, location) in live.locations() {
            names.entry(NameKey::of(&location.name)).or_default().push(at);
        }
        Self(names)
    }

    fn find(
        &self,
        desired_location: &DesiredLocation,
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) -> Option<LocationIndex> {
        if let Some(id) = &desired_location.id {
            let Some(location) = live.find_location(&id.value) else {
                diagnostics.push(
                    Diagnostic::error(DiagnosticCode::UnknownLocation, "no location with DECT networks has this id")
                        .with_span(id.span)
                        .help("a location is known by the networks it has; `dectl export` shows all with their ids"),
                );
                return None;
            };
            let live_name = &live.location(location).name;
            if let Some(name) =
                desired_location.name.as_ref().filter(|name| NameKey::of(&name.value) != NameKey::of(live_name))
            {
                diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::LocationMismatch,
                        format!("this id belongs to {live_name:?}, not to {:?}", name.value),
                    )
                    .with_span(name.span)
                    .with_related(id.span, "the id is here")
                    .help("correct the name or the id, or leave one of them out"),
                );
                return None;
            }
            return Some(location);
        }
        let name = desired_location.name.as_ref()?;
        match self.0.get(&NameKey::of(&name.value)).map(Vec::as_slice) {
            Some([location]) => Some(*location),
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(|at| live.location(*at).id.as_str()).collect();
                diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::AmbiguousLocation,
                        format!("{} locations are called {:?}", several.len(), name.value),
                    )
                    .with_span(name.span)
                    .help(format!("give the id of the one you mean: {}", ids.join(" or "))),
                );
                None
            }
            None => {
                let known = || live.locations().map(|(_, location)| &*location.name);
                let near = suggest(&name.value, known());
                let help = if near.is_empty() {
                    format!("locations with DECT networks are {}", quoted_list(known(), 8))
                } else {
                    format!("did you mean {}?", quoted_list(near, 3))
                };
                let help =
                    if live.is_empty() { "the organization lists no DECT network at all".to_owned() } else { help };
                diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::UnknownLocation,
                        format!("no location with DECT networks is called {:?}", name.value),
                    )
                    .with_span(name.span)
                    .help(help),
                );
                None
            }
        }
    }
}

/// The matching of one location's entries with its networks.
struct Matcher<'a, 'r> {
    location: LocationIndex,
    live: &'r LiveState,
    diagnostics: &'r mut Diagnostics,
    by_name: HashMap<NameKey, Vec<NetworkIndex>>,
    claimed: HashMap<NetworkIndex, &'a NetworkEntry>,
}

/// An entry and the networks it may mean.
struct UnresolvedEntry<'a> {
    entry: &'a NetworkEntry,
    candidates: Vec<NetworkIndex>,
}

impl<'a, 'r> Matcher<'a, 'r> {
    fn new(location: LocationIndex, live: &'r LiveState, diagnostics: &'r mut Diagnostics) -> Self {
        let mut by_name: HashMap<NameKey, Vec<NetworkIndex>> = HashMap::new();
        for (at, network) in live.networks_of(location) {
            by_name.entry(network.settings.name_key()).or_default().push(at);
        }
        Self { location, live, diagnostics, by_name, claimed: HashMap::new() }
    }

    fn run(mut self, entries: Vec<&'a NetworkEntry>) -> Vec<(NetworkIndex, &'a NetworkEntry)> {
        let (with_id, named): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.id.is_some());
        for entry in with_id {
            self.by_id(entry);
        }
        let named = self.by_temporary_name(named);
        self.resolve_by_elimination(named);
        let mut networks: Vec<_> = self.claimed.into_iter().collect();
        networks.sort_by_key(|(network, _)| *network);
        networks
    }

    fn by_id(&mut self, entry: &'a NetworkEntry) {
        let Some(id) = &entry.id else { return };
        match self.live.find(&id.value) {
            Some(network) if self.live.location_of(network) == self.location => self.claim(network, entry),
            Some(network) => {
                let home = self.live.location(self.live.location_of(network));
                self.diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::NetworkInOtherLocation,
                        format!("the network with this id belongs to {:?}", home.name),
                    )
                    .with_span(id.span)
                    .help(format!("move the entry to the location {:?} ({})", home.name, home.id)),
                );
            }
            None => {
                let help = self.available_networks(entry);
                self.diagnostics.push(
                    Diagnostic::error(DiagnosticCode::UnknownNetwork, "no network has this id")
                        .with_span(id.span)
                        .help(help),
                );
            }
        }
    }

    fn claim(&mut self, network: NetworkIndex, entry: &'a NetworkEntry) {
        if let Some(other) = self.claimed.insert(network, entry) {
            let name = &self.live.network(network).settings.name;
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::DuplicateNetwork, format!("two entries mean the network {name:?}"))
                    .with_span(entry.span())
                    .with_related(other.span(), "the other is here")
                    .help("keep one of them"),
            );
        }
    }

    /// Gives networks that stand on a temporary name to the entries whose wish those names encode.
    fn by_temporary_name(&mut self, mut named: Vec<&'a NetworkEntry>) -> Vec<&'a NetworkEntry> {
        let location = self.live.location(self.location);
        let stranded: Vec<NetworkIndex> = self
            .live
            .networks_of(self.location)
            .filter(|(at, network)| !self.claimed.contains_key(at) && temporary::is_temporary(&network.settings.name))
            .map(|(at, _)| at)
            .collect();
        if stranded.is_empty() {
            return named;
        }
        let mut by_hash: HashMap<String, Vec<NetworkIndex>> = HashMap::new();
        for at in stranded {
            let name = &self.live.network(at).settings.name;
            let hash = temporary::parse_hash(name).unwrap_or_default().to_ascii_lowercase();
            by_hash.entry(hash).or_default().push(at);
        }
        named.retain(|entry| {
            let Some(key) = entry.name_key() else { return true };
            match by_hash.remove(&temporary::compute_hash(&location.id, &key)).as_deref() {
                Some([network]) => {
                    self.claim(*network, entry);
                    false
                }
                Some(several) => {
                    self.ambiguous(entry, several);
                    false
                }
                None => true,
            }
        });
        let mut left: Vec<NetworkIndex> = by_hash.into_values().flatten().collect();
        left.sort();
        for at in left {
            let network = self.live.network(at);
            self.diagnostics.push(
                Diagnostic::error(
                    DiagnosticCode::LeftoverTemporaryName,
                    format!(
                        "a network of {:?} stands on the temporary name {:?}, and no entry wants it",
                        location.name, network.settings.name
                    ),
                )
                .help(format!(
                    "an interrupted run left it there: run the file or saved plan of that run again, or give its entry \
                     the id {}",
                    network.id
                )),
            );
        }
        named
    }

    /// Settles names: an entry that can only mean one network takes it, until nothing moves any more.
    fn resolve_by_elimination(&mut self, named: Vec<&'a NetworkEntry>) {
        let mut open: Vec<UnresolvedEntry<'a>> = Vec::new();
        for entry in named {
            if let Some(candidates) = self.candidates(entry) {
                open.push(UnresolvedEntry { entry, candidates });
            }
        }
        let mut wanted_by: HashMap<NetworkIndex, Vec<usize>> = HashMap::new();
        for (at, open) in open.iter().enumerate() {
            for candidate in &open.candidates {
                wanted_by.entry(*candidate).or_default().push(at);
            }
        }
        let mut settled: Vec<usize> = (0..open.len()).filter(|at| open[*at].candidates.len() == 1).collect();
        let mut done = vec![false; open.len()];
        while let Some(at) = settled.pop() {
            let [network] = open[at].candidates[..] else { continue };
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            self.claim(network, open[at].entry);
            for rival in wanted_by.get(&network).into_iter().flatten().filter(|rival| **rival != at) {
                let candidates = &mut open[*rival].candidates;
                // Two entries that can only mean one network are reported by the claim.
                if candidates.len() > 1 {
                    candidates.retain(|candidate| *candidate != network);
                    settled.push(*rival);
                }
            }
        }
        for (open, _) in open.iter().zip(done).filter(|(_, done)| !done) {
            self.ambiguous_rename(open);
        }
    }

    /// The live networks with the entry's name or its former name; `None` if that cannot be said.
    fn candidates(&mut self, entry: &'a NetworkEntry) -> Option<Vec<NetworkIndex>> {
        let previous_name = entry.renamed_from.as_ref().map(|from| NameKey::of(&from.value));
        let mut candidates = Vec::new();
        for key in entry.name_key().into_iter().chain(previous_name) {
            let networks_with_name: Vec<NetworkIndex> = self
                .by_name
                .get(&key)
                .into_iter()
                .flatten()
                .copied()
                .filter(|at| !self.claimed.contains_key(at) && !candidates.contains(at))
                .collect();
            match networks_with_name[..] {
                [] => {}
                [one] => candidates.push(one),
                _ => {
                    self.ambiguous(entry, &networks_with_name);
                    return None;
                }
            }
        }
        if candidates.is_empty() {
            self.unknown(entry);
            return None;
        }
        Some(candidates)
    }

    fn unknown(&mut self, entry: &NetworkEntry) {
        let location = &self.live.location(self.location).name;
        let previous_name = entry.renamed_from.as_ref().map(|from| format!(" or {:?}", from.value)).unwrap_or_default();
        let message = format!("{location:?} has no network called {:?}{previous_name}", entry.label());
        let used = entry.name_key().and_then(|key| self.by_name.get(&key)).and_then(|at| at.first()).and_then(|at| {
            let other = self.claimed.get(at)?;
            Some((other.span(), self.live.network(*at).id.clone()))
        });
        let mut diagnostic = Diagnostic::error(DiagnosticCode::UnknownNetwork, message)
            .with_span(entry.name_span.unwrap_or(entry.span()));
        if let Some((span, id)) = used {
            diagnostic =
                diagnostic.with_related(span, format!("the network of that name, {id}, belongs to this entry"));
        }
        let help = self.available_networks(entry);
        self.diagnostics.push(diagnostic.help(help));
    }

    fn available_networks(&self, entry: &NetworkEntry) -> String {
        let names = || self.live.networks_of(self.location).map(|(_, network)| &*network.settings.name);
        let near = suggest(entry.label(), names());
        if near.is_empty() {
            format!("it has {}; networks are not created by this tool", quoted_list(names(), 8))
        } else {
            format!("did you mean {}? networks are not created by this tool", quoted_list(near, 3))
        }
    }

    fn ambiguous(&mut self, entry: &NetworkEntry, networks_with_name: &[NetworkIndex]) {
        let ids: Vec<&str> = networks_with_name.iter().map(|at| self.live.network(*at).id.as_str()).collect();
        let name = &self.live.network(networks_with_name[0]).settings.name;
        self.diagnostics.push(
            Diagnostic::error(
                DiagnosticCode::AmbiguousNetwork,
                format!("{} networks are called {name:?}", networks_with_name.len()),
            )
            .with_span(entry.name_span.unwrap_or(entry.span()))
            .help(format!("give the id of the one you mean: {}", ids.join(" or "))),
        );
    }

    fn ambiguous_rename(&mut self, open: &UnresolvedEntry<'a>) {
        let described: Vec<String> = open
            .candidates
            .iter()
            .map(|at| self.live.network(*at))
            .map(|network| format!("{:?} ({})", network.settings.name, network.id))
            .collect();
        self.diagnostics.push(
            Diagnostic::error(
                DiagnosticCode::AmbiguousRename,
                format!(
                    "it is not clear which network {:?} is: {} are live",
                    open.entry.label(),
                    described.join(" and ")
                ),
            )
            .with_span(open.entry.name_span.unwrap_or(open.entry.span()))
            .help("names alone cannot tell whether this rename is done: add the `id` of the network that is meant"),
        );
    }
}
