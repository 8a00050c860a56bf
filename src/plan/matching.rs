//! Matches entries to live networks.
//!
//! Ids take precedence over temporary names, temporary names over names. If names alone cannot distinguish a completed
//! rename from a pending one, the entry is reported as ambiguous.

use std::collections::HashMap;

use super::temporary;
use crate::desired::model::{Desired, DesiredLocation, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, quoted_list, suggest};
use crate::model::{LiveState, LocationIndex, NameKey, NetworkIndex};

/// A managed location with its matched networks, in list order.
#[derive(Debug)]
pub(super) struct Managed<'a> {
    pub(super) location: LocationIndex,
    pub(super) networks: Vec<(NetworkIndex, &'a NetworkEntry)>,
    /// Whether every entry was matched. Otherwise conflicts may be spurious and are not reported.
    pub(super) complete: bool,
}

/// Finds the network of every entry; reports unknown and ambiguous ones.
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
                        .help("only locations with DECT networks are known; `dectl export` shows them with their ids"),
                );
                return None;
            };
            let live_name = &live.location(location).name;
            if let Some(name) =
                desired_location.name.as_ref().filter(|name| NameKey::of(&name.value) != NameKey::of(live_name))
            {
                // A location that was renamed since the file was written is still meant; another one of that name may be.
                let is_renamed = !self.0.contains_key(&NameKey::of(&name.value));
                let message = format!("this id belongs to {live_name:?}, not to {:?}", name.value);
                let diagnostic = if is_renamed {
                    Diagnostic::warning(
                        DiagnosticCode::LocationMismatch,
                        format!("{message}; no location has that name any more, so the id decides"),
                    )
                    .help("update the name of the location")
                } else {
                    Diagnostic::error(DiagnosticCode::LocationMismatch, message)
                        .help("correct the name or the id, or remove one of them")
                };
                diagnostics.push(diagnostic.with_span(name.span).with_related(id.span, "the id"));
                if !is_renamed {
                    return None;
                }
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
                        format!("{} locations are named {:?}", several.len(), name.value),
                    )
                    .with_span(name.span)
                    .help(format!("specify the id: {}", ids.join(" or "))),
                );
                None
            }
            None => {
                let known = || live.locations().map(|(_, location)| &*location.name);
                let near = suggest(&name.value, known());
                let help = if near.is_empty() {
                    format!("locations with DECT networks: {}", quoted_list(known(), 8))
                } else {
                    format!("did you mean {}?", quoted_list(near, 3))
                };
                let help = if live.is_empty() { "the organization has no DECT networks".to_owned() } else { help };
                diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::UnknownLocation,
                        format!("no location with DECT networks is named {:?}", name.value),
                    )
                    .with_span(name.span)
                    .help(help),
                );
                None
            }
        }
    }
}

/// Matches the entries of one location.
struct Matcher<'a, 'r> {
    location: LocationIndex,
    live: &'r LiveState,
    diagnostics: &'r mut Diagnostics,
    by_name: HashMap<NameKey, Vec<NetworkIndex>>,
    claimed: HashMap<NetworkIndex, &'a NetworkEntry>,
}

/// An entry and its candidate networks.
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
                Diagnostic::error(DiagnosticCode::DuplicateNetwork, format!("two entries match network {name:?}"))
                    .with_span(entry.span())
                    .with_related(other.span(), "other entry")
                    .help("remove one of them"),
            );
        }
    }

    /// Assigns networks with a temporary name to the entries whose desired name it encodes.
    fn by_temporary_name(&mut self, mut named: Vec<&'a NetworkEntry>) -> Vec<&'a NetworkEntry> {
        let location = self.live.location(self.location);
        let leftover: Vec<NetworkIndex> = self
            .live
            .networks_of(self.location)
            .filter(|(at, network)| !self.claimed.contains_key(at) && temporary::is_temporary(&network.settings.name))
            .map(|(at, _)| at)
            .collect();
        if leftover.is_empty() {
            return named;
        }
        let mut by_hash: HashMap<String, Vec<NetworkIndex>> = HashMap::new();
        for at in leftover {
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
                        "network {:?} in {:?} has a temporary name from an interrupted run and matches no entry",
                        network.settings.name, location.name
                    ),
                )
                .help(format!(
                    "re-run the file or saved plan of that run, or add an entry with \
                     id {}",
                    network.id
                )),
            );
        }
        named
    }

    /// Matching by elimination (constraint propagation): an entry with a single candidate claims it, which removes the
    /// candidate from all other entries, until no candidate set changes. What still has several candidates is ambiguous.
    ///
    /// The work is linear in the number of candidates: every claim visits the entries that share the network once.
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
                // Two entries with the same single candidate are reported by `claim`.
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

    /// The live networks with the entry's name or previous name; `None` if unknown.
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
        let message = format!("{location:?} has no network named {:?}{previous_name}", entry.label());
        let used = entry.name_key().and_then(|key| self.by_name.get(&key)).and_then(|at| at.first()).and_then(|at| {
            let other = self.claimed.get(at)?;
            Some((other.span(), self.live.network(*at).id.clone()))
        });
        let mut diagnostic = Diagnostic::error(DiagnosticCode::UnknownNetwork, message)
            .with_span(entry.name_span.unwrap_or(entry.span()));
        if let Some((span, id)) = used {
            diagnostic =
                diagnostic.with_related(span, format!("the network with that name ({id}) is matched by this entry"));
        }
        let help = self.available_networks(entry);
        self.diagnostics.push(diagnostic.help(help));
    }

    fn available_networks(&self, entry: &NetworkEntry) -> String {
        let names = || self.live.networks_of(self.location).map(|(_, network)| &*network.settings.name);
        let near = suggest(entry.label(), names());
        if near.is_empty() {
            format!("existing networks: {}; dectl does not create networks", quoted_list(names(), 8))
        } else {
            format!("did you mean {}? dectl does not create networks", quoted_list(near, 3))
        }
    }

    fn ambiguous(&mut self, entry: &NetworkEntry, networks_with_name: &[NetworkIndex]) {
        let ids: Vec<&str> = networks_with_name.iter().map(|at| self.live.network(*at).id.as_str()).collect();
        let name = &self.live.network(networks_with_name[0]).settings.name;
        self.diagnostics.push(
            Diagnostic::error(
                DiagnosticCode::AmbiguousNetwork,
                format!("{} networks are named {name:?}", networks_with_name.len()),
            )
            .with_span(entry.name_span.unwrap_or(entry.span()))
            .help(format!("specify the id: {}", ids.join(" or "))),
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
                format!("ambiguous entry {:?}: it may be any of {}", open.entry.label(), described.join(" and ")),
            )
            .with_span(open.entry.name_span.unwrap_or(open.entry.span()))
            .help("add the `id` of the network; names alone do not show whether this rename is already done"),
        );
    }
}
