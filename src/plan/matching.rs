//! Matches entries to live networks.
//!
//! Ids take precedence over temporary names, temporary names over names. If names alone cannot distinguish a completed
//! rename from a pending one, the entry is reported as ambiguous. An entry with a model that matches nothing creates its
//! network, unless an unmanaged one has nearly its name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::near_names::NearNames;
use super::temporary;
use crate::desired::model::{Desired, DesiredLocation, Guard, GuardedNetwork, NetworkEntry, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, quoted_list, suggest};
use crate::model::{LiveState, Location, LocationId, LocationIndex, NameKey, NaturalName, NetworkIndex, NetworkModel};

/// A managed location with its matched networks, in list order.
#[derive(Debug)]
pub(crate) struct Managed<'a> {
    pub(crate) location: LocationIndex,
    /// What keeps all of it from being changed.
    pub(crate) guards: Vec<&'a Guard>,
    /// Networks that are only protected.
    pub(crate) guarded: Vec<&'a GuardedNetwork>,
    pub(crate) networks: Vec<(NetworkIndex, EntryGroup<'a>)>,
    /// Networks that do not exist yet, in file order.
    pub(crate) created: Vec<(NetworkModel, EntryGroup<'a>)>,
    /// Networks that are deleted, in list order.
    pub(crate) deleted: Vec<(NetworkIndex, &'a NetworkEntry)>,
    /// Entries of networks that are to be deleted and do not exist any more.
    pub(crate) gone: Vec<&'a NetworkEntry>,
    /// Unknown and ambiguous entries. With errors among them, conflicts may be spurious and are not reported.
    pub(crate) diagnostics: Diagnostics,
}

/// All entries about one network: one with its settings, and others that only list its devices.
#[derive(Clone, Debug)]
pub(crate) struct EntryGroup<'a> {
    /// The entry with the settings, or the first one.
    pub(crate) primary: &'a NetworkEntry,
    pub(crate) others: Vec<&'a NetworkEntry>,
}

impl<'a> EntryGroup<'a> {
    const fn new(primary: &'a NetworkEntry) -> Self {
        Self { primary, others: Vec::new() }
    }

    /// All entries, the one with the settings first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &'a NetworkEntry> {
        std::iter::once(self.primary).chain(self.others.iter().copied())
    }
}

/// Which network each entry of files means. It is found once, and handed to all that ask.
#[derive(Debug)]
pub struct Matches<'a> {
    pub(crate) managed: Vec<Managed<'a>>,
    /// What is wrong with locations: unknown and ambiguous ones.
    locations: Diagnostics,
}

impl<'a> Matches<'a> {
    /// Finds the network of every entry.
    pub fn of(desired: &'a Desired, live: &LiveState) -> Self {
        let (managed, locations) = match_entries(desired, live);
        Self { managed, locations }
    }

    /// Unknown and ambiguous locations and entries. Errors about entries of locations out of scope are warnings: no site waits for the
    /// file of another one. Which location an unknown one is, nothing tells.
    pub fn diagnostics(&self, live: &LiveState, is_in_scope: impl Fn(&str) -> bool) -> Diagnostics {
        let mut all = self.locations.clone();
        for managed in &self.managed {
            let mut found = managed.diagnostics.clone();
            if !is_in_scope(&live.location(managed.location).name) {
                found.demote_errors();
            }
            all.append(found);
        }
        all
    }

    /// The managed networks, as far as entries could be matched.
    pub fn networks(&self) -> HashSet<NetworkIndex> {
        self.networks_with(|_| true)
    }

    /// The networks that rules leave alone: those with an entry, but not those that only tables of devices name.
    pub fn networks_with_settings_entries(&self) -> HashSet<NetworkIndex> {
        self.networks_with(|group| group.entries().any(|entry| !entry.name_is_check))
    }

    /// The networks that are to be deleted, and those whose entries are meant.
    fn networks_with(&self, is_meant: impl Fn(&EntryGroup<'_>) -> bool) -> HashSet<NetworkIndex> {
        let deleted = self.managed.iter().flat_map(|managed| &managed.deleted).map(|(network, _)| *network);
        let named = self.groups().filter(|(_, group)| is_meant(group)).map(|(network, _)| *network);
        deleted.chain(named).collect()
    }

    /// The locations that have such an entry, of a network that is there or was deleted.
    pub(crate) fn locations_with(
        &self,
        is_such: impl Fn(LocationIndex, &NetworkEntry) -> bool,
    ) -> HashSet<LocationIndex> {
        let has_such = |managed: &&Managed<'_>| {
            let of_live = managed.networks.iter().map(|(_, group)| group.primary);
            let deleted = managed.deleted.iter().map(|(_, entry)| *entry).chain(managed.gone.iter().copied());
            of_live.chain(deleted).any(|entry| is_such(managed.location, entry))
        };
        self.managed.iter().filter(has_such).map(|managed| managed.location).collect()
    }

    fn groups(&self) -> impl Iterator<Item = &(NetworkIndex, EntryGroup<'a>)> {
        self.managed.iter().flat_map(|managed| &managed.networks)
    }

    /// The entries of networks that exist or are to be created.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &'a NetworkEntry> {
        let created = self.managed.iter().flat_map(|managed| &managed.created).map(|(_, group)| group);
        self.groups().map(|(_, group)| group).chain(created).flat_map(EntryGroup::entries)
    }
}

fn match_entries<'a>(desired: &'a Desired, live: &LiveState) -> (Vec<Managed<'a>>, Diagnostics) {
    let mut found: HashMap<LocationIndex, Vec<&'a DesiredLocation>> = HashMap::new();
    let (names, mut locations) = (LocationsByName::of(live), Diagnostics::new());
    for desired_location in &desired.locations {
        if !is_gone(desired_location, live, &names, &mut locations)
            && let Some(location) = names.find(desired_location, live, &mut locations)
        {
            found.entry(location).or_default().push(desired_location);
        }
    }
    let mut managed: Vec<Managed<'a>> = found
        .into_iter()
        .map(|(location, desired)| {
            let entries = desired.iter().flat_map(|one| &one.entries).collect();
            let guards = desired.iter().flat_map(|one| &one.guards).collect();
            let guarded = desired.iter().flat_map(|one| &one.guarded).collect();
            Managed { guards, guarded, ..Matcher::new(location, live).run(entries) }
        })
        .collect();
    // Those without networks are the last ones of the live state.
    managed.sort_by_cached_key(|managed| (NaturalName::of(&live.location(managed.location).name), managed.location));
    (managed, locations)
}

/// Whether a location has nothing but entries for networks that are deleted and that do not exist any more. With its last
/// network a location leaves the list, and its file may stay.
fn is_gone(
    location: &DesiredLocation,
    live: &LiveState,
    names: &LocationsByName,
    diagnostics: &mut Diagnostics,
) -> bool {
    let is_listed = match (&location.id, &location.name) {
        (Some(id), _) => live.find_location(&id.value).is_some(),
        (None, Some(name)) => names.0.contains_key(&NameKey::of(&name.value)),
        (None, None) => false,
    };
    let gone = |entry: &NetworkEntry| {
        entry.absent.is_some() && entry.id.as_ref().is_some_and(|id| live.find(&id.value).is_none())
    };
    let was_read = location.id.as_ref().map_or(!live.is_limited(), |id| live.has_listed(&id.value));
    let is_gone = !is_listed && was_read && !location.entries.is_empty() && location.entries.iter().all(gone);
    if is_gone {
        location.entries.iter().for_each(|entry| diagnostics.push(already_deleted(entry)));
    }
    is_gone
}

/// Nothing is known of a location whose list was not read, least of all that something does not exist.
fn not_read(location: &DesiredLocation, span: Span) -> Diagnostic {
    let message = format!("{:?} was not read: `--location-id` names other locations", location.label());
    Diagnostic::error(DiagnosticCode::LocationNotRead, message)
        .with_span(span)
        .help("add `--location-id` with its id, or leave its file out")
}

fn already_deleted(entry: &NetworkEntry) -> Diagnostic {
    let id = entry.id.as_ref().map_or("", |id| id.value.as_str());
    let name = entry.desired.name.as_ref().map(|name| format!(" ({:?})", name.as_str())).unwrap_or_default();
    Diagnostic::warning(DiagnosticCode::AlreadyAbsent, format!("no network has the id {id}{name}: already deleted"))
        .with_span(entry.span())
        .help("remove the entry; if the network still exists, correct its id")
}

/// Whether a location that has no networks may get some, so that it is worth looking up.
pub(crate) fn creates_networks(location: &DesiredLocation) -> bool {
    location.entries.iter().any(|entry| entry.model.is_some())
}

pub(crate) struct LocationsByName(HashMap<NameKey, Vec<LocationIndex>>);

impl LocationsByName {
    pub(crate) fn of(live: &LiveState) -> Self {
        let mut names: HashMap<NameKey, Vec<LocationIndex>> = HashMap::new();
        for (at, location) in live.locations() {
            names.entry(NameKey::of(&location.name)).or_default().push(at);
        }
        Self(names)
    }

    pub(crate) fn find(
        &self,
        desired_location: &DesiredLocation,
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) -> Option<LocationIndex> {
        match (&desired_location.id, &desired_location.name) {
            (Some(id), name) => self.find_by_id(id, name.as_ref(), desired_location, live, diagnostics),
            (None, Some(name)) => self.find_by_name(name, desired_location, live, diagnostics),
            (None, None) => None,
        }
    }

    fn find_by_id(
        &self,
        id: &Spanned<LocationId>,
        name: Option<&Spanned<Arc<str>>>,
        desired_location: &DesiredLocation,
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) -> Option<LocationIndex> {
        let Some(location) = live.find_location(&id.value) else {
            if !live.has_listed(&id.value) {
                diagnostics.push(not_read(desired_location, id.span));
                return None;
            }
            let (message, help) = if creates_networks(desired_location) {
                ("no location has this id", "find its id in Control Hub, or specify the `name` of the location alone")
            } else {
                (
                    "no location with DECT networks has this id",
                    "only locations with DECT networks are known; `dectl export` shows them with their ids",
                )
            };
            diagnostics.error(DiagnosticCode::UnknownLocation, id.span, message).help(help);
            return None;
        };
        let live_name = &live.location(location).name;
        let Some(name) = name.filter(|name| NameKey::of(&name.value) != NameKey::of(live_name)) else {
            return Some(location);
        };
        // A location that was renamed since the file was written is still meant; another one of that name may be.
        let is_renamed = !self.0.contains_key(&NameKey::of(&name.value));
        let message = format!("this id belongs to {live_name:?}, not to {:?}", name.value);
        let diagnostic = if is_renamed {
            let message = format!("{message}; no location has that name any more, so the id decides");
            Diagnostic::warning(DiagnosticCode::LocationMismatch, message).help("update the name of the location")
        } else {
            Diagnostic::error(DiagnosticCode::LocationMismatch, message)
                .help("correct the name or the id, or remove one of them")
        };
        diagnostics.push(diagnostic.with_span(name.span).with_related(id.span, "the id"));
        is_renamed.then_some(location)
    }

    fn find_by_name(
        &self,
        name: &Spanned<Arc<str>>,
        desired_location: &DesiredLocation,
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) -> Option<LocationIndex> {
        match self.0.get(&NameKey::of(&name.value)).map(Vec::as_slice) {
            Some([location]) => return Some(*location),
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(|at| live.location(*at).id.as_str()).collect();
                let message = format!("{} locations are named {:?}", several.len(), name.value);
                diagnostics
                    .error(DiagnosticCode::AmbiguousLocation, name.span, message)
                    .help(format!("specify the id: {}", ids.join(" or ")));
            }
            None if live.is_limited() => diagnostics.push(not_read(desired_location, name.span)),
            None => diagnostics.push(unknown_location(name, creates_networks(desired_location), live)),
        }
        None
    }
}

/// The locations without networks are known as well if networks are to be created in one.
fn unknown_location(name: &Spanned<Arc<str>>, creates: bool, live: &LiveState) -> Diagnostic {
    // One that is known by its id alone has no name to suggest.
    let is_named = |location: &&Location| *location.name != *location.id.as_str();
    let known = || live.locations().map(|(_, location)| location).filter(is_named).map(|one| &*one.name);
    let near = suggest(&name.value, known());
    let (kind, kinds, create) = match creates {
        true => ("location", "existing locations", ""),
        false => (
            "location with DECT networks",
            "locations with DECT networks",
            "; an entry with a `model` creates a network in any location",
        ),
    };
    let help = if live.locations().len() == 0 {
        format!("the organization has no {kind}")
    } else if near.is_empty() {
        format!("{kinds}: {}{create}", quoted_list(known(), 8))
    } else {
        format!("did you mean {}?", quoted_list(near, 3))
    };
    Diagnostic::error(DiagnosticCode::UnknownLocation, format!("no {kind} is named {:?}", name.value))
        .with_span(name.span)
        .help(help)
}

/// Matches the entries of one location.
struct Matcher<'a, 'r> {
    location: LocationIndex,
    live: &'r LiveState,
    diagnostics: Diagnostics,
    by_name: HashMap<NameKey, Vec<NetworkIndex>>,
    claimed: HashMap<NetworkIndex, EntryGroup<'a>>,
    created: Vec<(NetworkModel, EntryGroup<'a>)>,
    deleted: HashMap<NetworkIndex, &'a NetworkEntry>,
    /// Entries that match nothing.
    unknown: usize,
}

/// A suggestion compares with all names of a location: so many entries have one.
const MAX_SUGGESTIONS: usize = 100;

/// Entries and their candidate networks.
struct UnresolvedEntry<'a> {
    group: EntryGroup<'a>,
    candidates: Vec<NetworkIndex>,
}

impl<'a, 'r> Matcher<'a, 'r> {
    fn new(location: LocationIndex, live: &'r LiveState) -> Self {
        let mut by_name: HashMap<NameKey, Vec<NetworkIndex>> = HashMap::new();
        for (at, network) in live.networks_of(location) {
            by_name.entry(network.settings.name_key()).or_default().push(at);
        }
        Self {
            location,
            live,
            diagnostics: Diagnostics::new(),
            by_name,
            claimed: HashMap::new(),
            created: Vec::new(),
            deleted: HashMap::new(),
            unknown: 0,
        }
    }

    fn run(mut self, entries: Vec<&'a NetworkEntry>) -> Managed<'a> {
        let (absent, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.absent.is_some());
        absent.iter().for_each(|entry| self.delete(entry));
        let groups = group(entries);
        let (with_id, named): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.primary.id.is_some());
        with_id.into_iter().for_each(|group| self.by_id(group));
        // A journal knows ids: what has none is created, whatever network has its name by now.
        let (recorded, named): (Vec<_>, Vec<_>) = named.into_iter().partition(|group| group.primary.is_recorded);
        self.created
            .extend(recorded.into_iter().filter_map(|group| Some((group.primary.model.as_ref()?.value, group))));
        let named = self.by_temporary_name(named);
        self.resolve_by_elimination(named);
        self.report_near_names();
        self.report_gone(&absent);
        let mut networks: Vec<_> = self.claimed.into_iter().collect();
        networks.sort_by_key(|(network, _)| *network);
        let mut deleted: Vec<_> = self.deleted.into_iter().collect();
        deleted.sort_by_key(|(network, _)| *network);
        let (location, created) = (self.location, self.created);
        let is_gone = |entry: &&NetworkEntry| entry.id.as_ref().is_some_and(|id| self.live.find(&id.value).is_none());
        let gone = absent.into_iter().filter(is_gone).collect();
        let diagnostics = self.diagnostics;
        Managed { location, guards: Vec::new(), guarded: Vec::new(), networks, created, deleted, gone, diagnostics }
    }

    /// An entry with `state: absent`, which always has an id.
    fn delete(&mut self, entry: &'a NetworkEntry) {
        let Some(id) = &entry.id else { return };
        let Some(network) = self.live.find(&id.value) else { return };
        if self.live.location_of(network) != self.location {
            return self.in_other_location(id, network);
        }
        let live_name = &self.live.network(network).settings.name;
        if let Some(name) =
            entry.desired.name.as_ref().filter(|name| NameKey::of(name.as_str()) != NameKey::of(live_name))
        {
            let message = format!("the network with this id is named {live_name:?}, not {:?}", name.as_str());
            self.diagnostics
                .error(DiagnosticCode::NetworkMismatch, entry.name_span.unwrap_or(entry.span()), message)
                .with_related(id.span, "the id")
                .help("check which of them is meant; the name beside the id of a deleted network is a check");
            return;
        }
        self.deleted.insert(network, entry);
    }

    /// Entries with `state: absent` whose id is not live. If a network of that name is, and no entry speaks of it, the id is
    /// probably wrong.
    fn report_gone(&mut self, absent: &[&'a NetworkEntry]) {
        for entry in absent {
            let Some(id) = entry.id.as_ref().filter(|id| self.live.find(&id.value).is_none()) else { continue };
            let namesakes = entry.name_key().and_then(|key| self.by_name.get(&key)).into_iter().flatten();
            let namesake = namesakes.copied().find(|network| !self.is_taken(*network));
            let Some(network) = namesake.map(|network| self.live.network(network)) else {
                self.diagnostics.push(already_deleted(entry));
                continue;
            };
            let (name, right) = (&network.settings.name, &network.id);
            let message = format!("no network has this id, but {name:?} exists with the id {right}");
            self.diagnostics
                .error(DiagnosticCode::NetworkMismatch, id.span, message)
                .help(format!("to delete {name:?}, write `id: {right}`; if it is another network, remove the entry"));
        }
    }

    /// A name beside the id of a network in a table of devices is a check, too.
    fn check_name(&mut self, entry: &NetworkEntry, network: NetworkIndex, group: &EntryGroup<'a>) {
        let Some(key) = entry.name_key().filter(|_| entry.name_is_check && entry.id.is_some()) else { return };
        let live_name = &self.live.network(network).settings.name;
        let is_its = |other: &NetworkEntry| !other.name_is_check && other.name_key().as_ref() == Some(&key);
        if key == NameKey::of(live_name) || group.entries().any(is_its) {
            return;
        }
        let message = format!("the network with this id is named {live_name:?}, not {:?}", entry.label());
        let diagnostic = if self.by_name.contains_key(&key) {
            Diagnostic::error(DiagnosticCode::NetworkMismatch, message)
                .help("correct the name or the id, or remove one of them")
        } else {
            let message = format!("{message}; no network has that name any more, so the id decides");
            Diagnostic::warning(DiagnosticCode::NetworkMismatch, message).help("update the name of the network")
        };
        self.diagnostics.push(diagnostic.with_span(entry.name_span.unwrap_or(entry.span())));
    }

    fn in_other_location(
        &mut self,
        id: &crate::desired::model::Spanned<crate::model::NetworkId>,
        network: NetworkIndex,
    ) {
        let home = self.live.location(self.live.location_of(network));
        self.diagnostics
            .error(
                DiagnosticCode::NetworkInOtherLocation,
                id.span,
                format!("the network with this id belongs to {:?}", home.name),
            )
            .help(format!("move the entry to the location {:?} ({})", home.name, home.id));
    }

    fn by_id(&mut self, group: EntryGroup<'a>) {
        let entry = group.primary;
        let Some(id) = &entry.id else { return };
        match self.live.find(&id.value) {
            Some(network) if self.live.location_of(network) == self.location => {
                let entries: Vec<_> = group.entries().collect();
                entries.into_iter().for_each(|entry| self.check_name(entry, network, &group));
                self.claim(network, group);
            }
            Some(network) => self.in_other_location(id, network),
            None => {
                let help = self.available_networks(entry);
                self.diagnostics.error(DiagnosticCode::UnknownNetwork, id.span, "no network has this id").help(help);
            }
        }
    }

    fn claim(&mut self, network: NetworkIndex, group: EntryGroup<'a>) {
        let name = &self.live.network(network).settings.name;
        let other = self.deleted.get(&network).copied().or_else(|| Some(self.claimed.get(&network)?.primary));
        let Some(other) = other else {
            self.claimed.insert(network, group);
            return;
        };
        // One of them only lists devices. Its id says of which network; a name may be that of another one after a rename.
        let is_sure = |list: &NetworkEntry, entry: &NetworkEntry| {
            let has_live_name = |one: &NetworkEntry| one.name_key().is_none_or(|key| key == NameKey::of(name));
            list.is_list_only() && (list.id.is_some() || has_live_name(list) && has_live_name(entry))
        };
        let is_addition = group.primary.is_list_only() || other.is_list_only();
        let is_joined = is_sure(group.primary, other) || is_sure(other, group.primary);
        if let Some(claimed) = self.claimed.get_mut(&network).filter(|_| is_joined) {
            let mut both = if other.is_list_only() { [group, claimed.clone()] } else { [claimed.clone(), group] };
            let more: Vec<_> = both[1].entries().collect();
            both[0].others.extend(more);
            let [joined, _] = both;
            *claimed = joined;
            return;
        }
        self.diagnostics
            .error(
                DiagnosticCode::DuplicateNetwork,
                group.primary.span(),
                format!("two entries match network {name:?}"),
            )
            .with_related(other.span(), "other entry")
            .help(if is_addition {
                "name the network in both by its id, or by the name that it is to have"
            } else {
                "remove one of them"
            });
    }

    /// Assigns networks with a temporary name to the entries whose desired name it encodes.
    fn by_temporary_name(&mut self, mut named: Vec<EntryGroup<'a>>) -> Vec<EntryGroup<'a>> {
        let location = self.live.location(self.location);
        let leftover: Vec<NetworkIndex> = self
            .live
            .networks_of(self.location)
            .filter(|(at, network)| self.is_open(*at) && temporary::is_temporary(&network.settings.name))
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
        named.retain(|group| {
            let entry = group.primary;
            let Some(key) = entry.name_key() else { return true };
            match by_hash.remove(&temporary::compute_hash(&location.id, &key)).as_deref() {
                Some([network]) => {
                    self.claim(*network, group.clone());
                    false
                }
                Some(several) => {
                    self.ambiguous(entry, several);
                    false
                }
                None => true,
            }
        });
        let mut left: Vec<NetworkIndex> = by_hash.into_values().flatten().filter(|at| !self.is_taken(*at)).collect();
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
    fn resolve_by_elimination(&mut self, named: Vec<EntryGroup<'a>>) {
        let mut open: Vec<UnresolvedEntry<'a>> = Vec::new();
        for group in named {
            if let Some(network) = self.claimed_namesake(group.primary) {
                self.claim(network, group);
            } else if let Some(candidates) = self.candidates(&group) {
                open.push(UnresolvedEntry { group, candidates });
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
            self.claim(network, open[at].group.clone());
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

    fn is_taken(&self, network: NetworkIndex) -> bool {
        self.claimed.contains_key(&network) || self.deleted.contains_key(&network)
    }

    /// Whether an entry with settings may still claim a network: nothing but lists of its devices did.
    fn is_open(&self, network: NetworkIndex) -> bool {
        let is_claimed = self.claimed.get(&network).is_some_and(|group| !group.primary.is_list_only());
        !is_claimed && !self.deleted.contains_key(&network)
    }

    /// The network with the name of an entry that only lists devices, if another entry has claimed it and keeps its name.
    fn claimed_namesake(&self, entry: &NetworkEntry) -> Option<NetworkIndex> {
        let key = entry.name_key().filter(|_| entry.is_list_only())?;
        let [network] = self.by_name.get(&key)?[..] else { return None };
        let claimed = self.claimed.get(&network)?;
        claimed.primary.name_key().is_none_or(|other| other == key).then_some(network)
    }

    /// The live networks with the entry's name or previous name; `None` if it is created, unknown or ambiguous.
    fn candidates(&mut self, group: &EntryGroup<'a>) -> Option<Vec<NetworkIndex>> {
        let entry = group.primary;
        let previous_names = entry.renamed_from.iter().map(|from| NameKey::of(&from.value));
        let mut candidates = Vec::new();
        for key in entry.name_key().into_iter().chain(previous_names) {
            let networks_with_name: Vec<NetworkIndex> = self
                .by_name
                .get(&key)
                .into_iter()
                .flatten()
                .copied()
                .filter(|at| self.is_open(*at) && !candidates.contains(at))
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
            match &entry.model {
                Some(model) => self.created.push((model.value, group.clone())),
                None => self.unknown(entry),
            }
            return None;
        }
        Some(candidates)
    }

    /// A network that would be created while an unmanaged one has nearly its name is probably that one.
    fn report_near_names(&mut self) {
        if self.created.is_empty() {
            return;
        }
        let unmanaged = self.live.networks_of(self.location).filter(|(at, _)| !self.is_taken(*at));
        let unmanaged: Vec<_> = unmanaged.map(|(_, network)| network).collect();
        let names = NearNames::of(unmanaged.iter().map(|network| &*network.settings.name));
        for (_, group) in self.created.iter().filter(|(_, group)| !group.primary.is_recorded) {
            let entry = group.primary;
            let Some(near) = names.find(entry.label()).map(|at| unmanaged[at]) else { continue };
            let (name, id) = (&near.settings.name, &near.id);
            self.diagnostics.error(DiagnosticCode::NearName, entry.name_span.unwrap_or(entry.span()), format!("{:?} would be created, but an unmanaged network is named {name:?}", entry.label())).help(format!(
                    "if it is this one, add `renamedFrom: {name:?}` or `id: {id}`; if both are meant, add an entry with \
                     nothing but `id: {id}`"
                ));
        }
    }

    fn unknown(&mut self, entry: &NetworkEntry) {
        self.unknown += 1;
        let location = &self.live.location(self.location).name;
        let previous_names: String = entry.renamed_from.iter().map(|from| format!(" or {:?}", from.value)).collect();
        let message = format!("{location:?} has no network named {:?}{previous_names}", entry.label());
        let used = entry.name_key().and_then(|key| self.by_name.get(&key)).and_then(|at| at.first()).and_then(|at| {
            let other = self.deleted.get(at).copied().or_else(|| Some(self.claimed.get(at)?.primary))?;
            Some((other.span(), self.live.network(*at).id.clone()))
        });
        let mut diagnostic = Diagnostic::error(DiagnosticCode::UnknownNetwork, message)
            .with_span(entry.name_span.unwrap_or(entry.span()));
        let help = match used {
            Some((span, id)) => {
                let message = format!("the network with that name ({id}) is the one of this entry");
                diagnostic = diagnostic.with_related(span, message);
                let create = "to create another network, add its `model`";
                format!("if both entries mean that network, join them; {create}")
            }
            None => self.available_networks(entry),
        };
        self.diagnostics.push(diagnostic.help(help));
    }

    fn available_networks(&self, entry: &NetworkEntry) -> String {
        let names = || self.live.networks_of(self.location).map(|(_, network)| &*network.settings.name);
        let near = if self.unknown <= MAX_SUGGESTIONS { suggest(entry.label(), names()) } else { Vec::new() };
        // An entry with an id never creates a network.
        let create = if entry.id.is_some() { "" } else { "; to create it, add its `model`" };
        if names().next().is_none() {
            format!("the location has no networks{create}")
        } else if near.is_empty() {
            format!("existing networks: {}{create}", quoted_list(names(), 8))
        } else {
            format!("did you mean {}?{}", quoted_list(near, 3), create.replacen("; to", " To", 1))
        }
    }

    fn ambiguous(&mut self, entry: &NetworkEntry, networks_with_name: &[NetworkIndex]) {
        let ids: Vec<&str> = networks_with_name.iter().map(|at| self.live.network(*at).id.as_str()).collect();
        let name = &self.live.network(networks_with_name[0]).settings.name;
        self.diagnostics
            .error(
                DiagnosticCode::AmbiguousNetwork,
                entry.name_span.unwrap_or(entry.span()),
                format!("{} networks are named {name:?}", networks_with_name.len()),
            )
            .help(format!("specify the id: {}", ids.join(" or ")));
    }

    fn ambiguous_rename(&mut self, open: &UnresolvedEntry<'a>) {
        let described: Vec<String> = open
            .candidates
            .iter()
            .map(|at| self.live.network(*at))
            .map(|network| format!("{:?} ({})", network.settings.name, network.id))
            .collect();
        self.diagnostics
            .error(
                DiagnosticCode::AmbiguousRename,
                open.group.primary.name_span.unwrap_or(open.group.primary.span()),
                format!(
                    "ambiguous entry {:?}: it may be any of {}",
                    open.group.primary.label(),
                    described.join(" and ")
                ),
            )
            .help("add the `id` of the network; names alone do not show whether this rename is already done");
    }
}

/// Joins entries that only list devices to the entry with the settings of the same network, named by the same id or by the
/// name that it is to have. Entries that contradict each other stay apart.
fn group<'a>(entries: Vec<&'a NetworkEntry>) -> Vec<EntryGroup<'a>> {
    let (lists, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_list_only());
    let mut groups: Vec<EntryGroup<'a>> = others.into_iter().map(EntryGroup::new).collect();
    if lists.is_empty() {
        return groups;
    }
    let mut by_id = HashMap::new();
    let mut by_name = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        if let Some(id) = &group.primary.id {
            by_id.entry(id.value.clone()).or_insert(at);
        }
        if let Some(key) = group.primary.name_key() {
            by_name.entry(key).or_insert(at);
        }
    }
    for entry in lists {
        let known = match (&entry.id, entry.name_key()) {
            (Some(id), _) => by_id.get(&id.value),
            (None, Some(key)) => by_name.get(&key),
            (None, None) => None,
        };
        if let Some(at) = known {
            groups[*at].others.push(entry);
            continue;
        }
        match (&entry.id, entry.name_key()) {
            (Some(id), _) => by_id.insert(id.value.clone(), groups.len()),
            (None, Some(key)) => by_name.insert(key, groups.len()),
            (None, None) => None,
        };
        groups.push(EntryGroup::new(entry));
    }
    groups
}
