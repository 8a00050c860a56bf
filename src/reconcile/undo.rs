//! Builds the undo of a run as a desired state.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;

use super::error::Error;
use super::inputs::Inputs;
use super::read_devices::read_devices;
use super::recorded_ids::find_unrecorded;
use crate::client::ApiClient;
use crate::desired::model::{
    BaseStationEntry, Desired, DesiredLocation, DeviceEntries, HandsetEntry, LineRef, NetworkEntry, Origin, Spanned,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, SourceLines, Sources, Span, plural};
use crate::model::{
    DesiredSettings, Devices, Handset, HandsetId, HandsetName, LiveState, LocationId, Mac, Member, NetworkId,
    NetworkIndex, NetworkModel, NetworkName, PasswordStatus, Setting, SettingSet, Settings, same_member,
};
use crate::plan::model::ChangeAction::{Create, Delete, Update};
use crate::plan::model::{Listed, Operation, Plan, ResourceKind as Kind, ResourceState, Standing, States, standings};
use crate::plan::{RequiredReads, Scope, is_temporary};
use crate::storage::journal::{ModifiedNetwork, RecordedItem, RunHistoryError};
use crate::storage::{CodeAccess, PlanKey, RunDirectory, RunHistory, RunIdentity, RunTarget, SavedPlan};

#[derive(Debug)]
pub struct Undo {
    /// The previous state of what can be undone; its warnings say what cannot.
    pub inputs: Inputs,
    /// Networks that are created again, with a new id.
    pub recreated: Vec<RecreatedNetwork>,
    /// The interrupted runs that the undone one has continued, and that are undone with it.
    pub joined: Vec<String>,
    /// Interrupted runs before it that are not undone.
    pub left: Vec<String>,
}

/// A deleted network that is created again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecreatedNetwork {
    pub location: LocationId,
    pub name: String,
    pub former_id: NetworkId,
}

/// Prepares the undo of a run and of the interrupted runs that it has continued; reads what it must know of the devices.
///
/// # Errors
/// If a journal cannot be read or a request fails.
pub async fn prepare_undo(
    history: &mut RunHistory,
    runs: &RunDirectory,
    target: &RunTarget,
    key: Option<&PlanKey>,
    scope: &Scope,
    live: &mut LiveState,
    client: &ApiClient,
) -> Result<Undo, Error> {
    let EarlierRuns { joined, left } = join_interrupted(history, runs, target, key)?;
    fill_hidden_codes(history, live);
    read_for_undo(history, live, client).await?;
    let plan_of = |run: &String| SavedPlan::read(&runs.plan_path(run), key).ok().map(|saved| saved.plan);
    let plans: Vec<Option<Plan>> = joined.iter().chain([&history.run]).map(plan_of).collect();
    let first = &plans[joined.len().saturating_sub(1)];
    // Without its plan, what has no id stays.
    if let Some(first) = first {
        find_unrecorded(history, first, live);
    }
    let mut undo = build_undo(history, live, scope);
    for plan in plans.into_iter().flatten() {
        undo.inputs.protections.join(plan.protections);
    }
    Ok(Undo { joined, left, ..undo })
}

/// The codes that Webex hides while they are disabled, as the run has left them: an update must send one, and a swap must know
/// who has which.
fn fill_hidden_codes(history: &RunHistory, live: &mut LiveState) {
    for modified in &history.modified {
        let disabled = modified.final_states.iter().filter(|state| state.code_enabled == Some(false));
        let codes: Vec<_> = disabled.filter_map(|state| state.code.as_ref()).collect();
        if let (Some(at), Some(code)) = (live.find(&modified.network), codes.first())
            && codes.iter().all(|other| other == code)
        {
            live.fill_hidden_code(at, (*code).clone());
        }
    }
}

/// Reads what an undo must know beside the list: the devices of what the run has created or changed.
///
/// # Errors
/// If a request fails.
async fn read_for_undo(history: &RunHistory, live: &mut LiveState, client: &ApiClient) -> Result<(), Error> {
    let mut reads = RequiredReads::default();
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        let created = item.id.as_deref().filter(|_| item.is(Kind::Network, Create)).map(NetworkId::new);
        if let Some(network) = created.and_then(|id| live.find(&id)) {
            reads.add(Kind::BaseStation, network);
            reads.add(Kind::Handset, network);
        }
        if let Some(network) = item.network.as_ref().and_then(|id| live.find(id)) {
            let kind = item.key.operation.kind;
            reads.add(if kind == Kind::Network { Kind::BaseStation } else { kind }, network);
        }
    }
    let reads = reads.sorted();
    read_devices(live, reads, client).await
}

/// The runs that an undo has found before the one that it is about.
#[derive(Default)]
struct EarlierRuns {
    /// Undone together with it, newest first.
    joined: Vec<String>,
    /// Interrupted ones that are not undone.
    left: Vec<String>,
}

/// A run before the one that is undone.
struct EarlierRun {
    journal: PathBuf,
    is_undone: bool,
    has_same_inputs: bool,
    history: RunHistory,
}

/// Those of the same organization, newest first, without their codes.
fn earlier_runs(history: &RunHistory, runs: &RunDirectory, target: &RunTarget) -> Vec<EarlierRun> {
    let mut undone: HashSet<String> = HashSet::new();
    let has_same_inputs = |earlier: &RunHistory| {
        !earlier.identity.inputs.is_empty()
            && earlier.identity.inputs == history.identity.inputs
            && earlier.identity.undoes.is_none()
    };
    let mut found = Vec::new();
    for (run, journal, _) in runs.recent() {
        let Ok(earlier) = RunHistory::read(&journal, CodeAccess::Skip) else { continue };
        if !earlier.identity.target.is_same(target) {
            continue;
        }
        if earlier.is_finished() {
            undone.extend(earlier.identity.undoes.iter().chain(&earlier.identity.undoes_with).cloned());
        }
        if *run < *history.run {
            let (is_undone, has_same_inputs) = (undone.contains(run), has_same_inputs(&earlier));
            found.push(EarlierRun { journal, is_undone, has_same_inputs, history: earlier });
        }
    }
    found
}

/// What decides whether an earlier run of the same inputs belongs to a chain.
#[derive(Clone, Copy, Debug)]
struct Link<'a> {
    identity: &'a RunIdentity,
    is_undone: bool,
    is_finished: bool,
}

/// Of the earlier runs of the same inputs, newest first, those up to the oldest interrupted one that no later one has finished
/// belong to the run; how many, and which finished ones were met. A run that was undone ends the chain.
fn chain<'a>(of: &RunIdentity, earlier: impl Iterator<Item = Link<'a>>) -> (usize, Vec<&'a RunIdentity>) {
    let (mut length, mut finished): (usize, Vec<&RunIdentity>) = (0, Vec::new());
    for (at, link) in earlier.take_while(|link| !link.is_undone).enumerate() {
        if link.is_finished {
            finished.push(link.identity);
        } else if of.covers(link.identity) && !finished.iter().any(|run| run.covers(link.identity)) {
            length = at + 1;
        }
    }
    (length, finished)
}

/// Joins the interrupted runs that a run has continued to it, newest first: those of the same inputs, those that it has
/// resumed, and those that had left one of its networks with temporary settings. Of the same inputs, narrower runs in
/// between are joined as well.
///
/// Without them an undo would bring back what is temporary, or miss what the interrupted run had done already. A run that
/// was undone, or finished all that an interrupted one was about, ends the chain of its inputs.
///
/// # Errors
/// If the journal of one of them cannot be read.
fn join_interrupted(
    history: &mut RunHistory,
    runs: &RunDirectory,
    target: &RunTarget,
    key: Option<&PlanKey>,
) -> Result<EarlierRuns, RunHistoryError> {
    let earlier = earlier_runs(history, runs, target);
    let mut networks: HashSet<NetworkId> = history.modified.iter().map(|modified| modified.network.clone()).collect();
    let mut resumed: HashSet<String> = history.identity.resumes.iter().cloned().collect();
    let is_undo = history.identity.undoes.is_some();
    let links = earlier.iter().filter(|run| run.has_same_inputs && !is_undo).map(|run| Link {
        identity: &run.history.identity,
        is_undone: run.is_undone,
        is_finished: run.history.is_finished(),
    });
    let (mut chained, finished) = chain(&history.identity, links);
    let (mut found, mut is_recent) = (EarlierRuns::default(), !is_undo);
    for EarlierRun { journal, is_undone, has_same_inputs, history: earlier } in &earlier {
        let run = earlier.run.clone();
        let is_in_chain = *has_same_inputs && chained > 0;
        chained -= usize::from(is_in_chain);
        if *is_undone || earlier.is_finished() && !is_in_chain {
            is_recent &= *is_undone || *has_same_inputs;
            continue;
        }
        let must_be_joined = resumed.contains(&run) || is_in_chain;
        let is_left = || earlier.modified.iter().any(|left| !left.is_final && networks.contains(&left.network));
        if must_be_joined || is_left() {
            let earlier = RunHistory::read(journal, CodeAccess::Decrypt(key))?;
            let resumes = earlier.identity.resumes.clone();
            if join(history, earlier, must_be_joined) {
                found.joined.push(run);
                resumed.extend(resumes);
                networks.extend(history.modified.iter().map(|modified| modified.network.clone()));
                continue;
            }
        }
        let is_finished = finished.iter().any(|later| later.covers(&earlier.identity));
        if is_recent && !is_finished && earlier.has_written() {
            found.left.push(run);
        }
    }
    Ok(found)
}

/// Joins an earlier run if it must be, or if it had left a network as `history` found it; returns whether it did.
fn join(history: &mut RunHistory, run: RunHistory, must_be_joined: bool) -> bool {
    let mut is_continued = must_be_joined && run.has_written();
    for modified in &mut history.modified {
        let is_left = |left: &&ModifiedNetwork| {
            let is_continuation = !left.is_final || must_be_joined;
            let is_same = left.network == modified.network && is_continuation;
            // Of a run that was not continued only what is temporary was left. A write that came late may have brought a
            // temporary name back, whatever was acknowledged.
            let states = if must_be_joined { &left.final_states } else { &left.interim_states };
            let is_as_left = states.iter().any(|state| modified.before.matches(state));
            is_same && (is_as_left || is_temporary(&modified.before.name))
        };
        if let Some(left) = run.modified.iter().find(is_left) {
            modified.before = left.before.clone();
            is_continued = true;
        }
    }
    if !is_continued {
        return false;
    }
    let is_new = |left: &ModifiedNetwork| history.modified.iter().all(|own| own.network != left.network);
    let others: Vec<ModifiedNetwork> = run.modified.into_iter().filter(is_new).collect();
    let mut items: Vec<RecordedItem> = Vec::new();
    for earlier in run.items {
        let again = history.items.iter_mut().find(|later| is_same_thing(&earlier, later));
        match again.filter(|later| later.may_be_applied()) {
            // An addition that was made twice has two ids.
            Some(later) if earlier.before.is_none() && earlier.may_be_applied() => {
                let is_handset = earlier.key.operation.kind == Kind::Handset;
                match (&earlier.id, &later.id) {
                    (Some(one), Some(other)) if one == other => {}
                    // Of one address or one name there is one only.
                    (Some(_), None) if !is_handset => later.id = earlier.id,
                    (None, _) => {}
                    (Some(_), _) => items.push(earlier),
                }
            }
            // It goes back to what it was before the first of both runs.
            Some(later) if earlier.may_be_applied() && has_left_it_so(&earlier, later) => later.before = earlier.before,
            Some(_) => {}
            None => items.push(earlier),
        }
    }
    history.modified.extend(others);
    history.items.splice(0..0, items);
    true
}

/// Whether a thing was, before a later run, as an earlier one has left it: on the way, or as it was to be.
fn has_left_it_so(earlier: &RecordedItem, later: &RecordedItem) -> bool {
    if earlier.key.operation.kind == Kind::ServiceabilityPassword {
        return earlier.after == later.before;
    }
    let handset = |state: &Option<ResourceState>| state.as_ref().and_then(ResourceState::handset).cloned();
    let found = handset(&later.before);
    [&earlier.interim, &earlier.after].into_iter().any(|left| {
        handset(left).zip(found.as_ref()).is_some_and(|(left, found)| left.id == found.id && left.is_equivalent(found))
    })
}

/// Whether an item of an earlier run is about what one of a later run is about. Keys are made of names, which may have changed
/// in between, or belong to another network by now. A network that the run had created has no id in its items, so that there
/// are only the keys.
fn is_same_thing(earlier: &RecordedItem, later: &RecordedItem) -> bool {
    let thing = |item: &RecordedItem| {
        let state = item.before.as_ref().or(item.after.as_ref())?;
        let id = state.handset().and_then(|handset| handset.id.clone());
        // Its lines may be other ones by then.
        let label = if id.is_some() { String::new() } else { state.label() };
        Some((item.key.operation, item.network.clone()?, label, id))
    };
    match thing(earlier) {
        Some(thing_of_earlier) => {
            thing(later) == Some(thing_of_earlier) || later.network.is_none() && later.key == earlier.key
        }
        None => later.key == earlier.key,
    }
}

/// Builds the previous state of everything that is still as the run left it. What is out of `scope` is no matter of its
/// warnings.
pub fn build_undo(history: &RunHistory, live: &LiveState, scope: &Scope) -> Undo {
    let recorded = history.items.iter().filter_map(|item| {
        let state = item.before.as_ref().or(item.after.as_ref())?;
        Some((item.key.operation, item.network.as_ref()?, state.label()))
    });
    let created = history.items.iter().filter(|item| item.is(Kind::Network, Create));
    let updates = history.items.iter().filter(|item| item.is(Kind::Handset, Update));
    let former = updates.filter_map(|item| item.before.as_ref()?.handset());
    let (mut sources, name) = (Sources::new(), format!("<undo {}>", history.run));
    let mut builder = UndoBuilder {
        history,
        live,
        is_in_scope: true,
        recorded: recorded.collect(),
        created: created.filter_map(|item| item.id.as_deref()).collect(),
        former: former.filter_map(|handset| Some((handset.id.as_ref()?, handset))).collect(),
        lines: SourceLines::new(&mut sources, &name),
        locations: BTreeMap::new(),
        added_again: BTreeMap::new(),
        warnings: Diagnostics::new(),
        recreated: Vec::new(),
        readded_handsets: Vec::new(),
    };
    for modified in &history.modified {
        let names = modified.final_states.iter().chain([&modified.before]).map(|state| &*state.name);
        builder.is_in_scope = builder.includes(&modified.location, Some(&modified.network), names, scope);
        builder.restore_settings(modified);
    }
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        let settings = item.before.iter().chain(&item.after).filter_map(|state| match state {
            ResourceState::Network { settings, .. } => Some(&*settings.name),
            _ => None,
        });
        builder.is_in_scope = builder.includes(&item.location, item.network.as_ref(), settings, scope);
        match (item.key.operation.kind, item.key.operation.action) {
            (Kind::Network, Create) => builder.delete_created(item),
            (Kind::Network, Delete) => builder.create_deleted(item),
            // Recorded with its settings; a base station has none.
            (Kind::Network | Kind::BaseStation, Update) => {}
            (Kind::BaseStation, Create) => builder.remove_added(item),
            (Kind::BaseStation, Delete) => builder.add_removed(item),
            (Kind::Handset, Create) => builder.remove_added_handset(item),
            (Kind::Handset, Update) => builder.restore_handset(item),
            (Kind::Handset, Delete) => builder.add_removed_handset(item),
            (Kind::ServiceabilityPassword, _) => builder.restore_password(item),
        }
    }
    let desired = builder.desired();
    let UndoBuilder { lines, warnings, recreated, .. } = builder;
    lines.finish();
    Undo { inputs: Inputs::new(desired, sources, warnings), recreated, joined: Vec::new(), left: Vec::new() }
}

/// The entries about one location.
#[derive(Default)]
struct LocationUndo {
    modified: Vec<NetworkEntry>,
    deleted: Vec<NetworkEntry>,
    created: Vec<NetworkEntry>,
    /// Entries about the devices of networks that are there.
    devices: BTreeMap<NetworkId, NetworkEntry>,
}

struct UndoBuilder<'a> {
    history: &'a RunHistory,
    live: &'a LiveState,
    /// Whether what is looked at is in the scope of the undo.
    is_in_scope: bool,
    /// The devices that the run has recorded: what it did with them, in which network, and their labels.
    recorded: HashSet<(Operation, &'a NetworkId, String)>,
    /// The ids of the networks that the run has created.
    created: HashSet<&'a str>,
    /// What the handsets were that the run has updated.
    former: HashMap<&'a HandsetId, &'a Handset>,
    /// A line for each network or device that is undone.
    lines: SourceLines<'a>,
    locations: BTreeMap<&'a LocationId, LocationUndo>,
    /// The handsets that are added to networks again.
    added_again: BTreeMap<NetworkId, Vec<&'a Handset>>,
    warnings: Diagnostics,
    recreated: Vec<RecreatedNetwork>,
    /// The handsets that must be paired again, by the name of their network.
    readded_handsets: Vec<(String, Vec<String>)>,
}

/// Whether a handset can be added as it was: with a name that Webex accepts, and a first line.
fn can_be_added(handset: &Handset) -> bool {
    let has_name = handset.display_name().is_some_and(|name| HandsetName::new(name).is_ok());
    has_name && handset.line1.as_ref().is_some_and(|line| line.id.is_some())
}

/// Whether a handset is the one that was to be added, complete or before its second line was added.
fn is_as_added(handset: &Handset, added: &Handset) -> bool {
    handset.is_equivalent(added) || handset.is_equivalent(&added.first_line_only())
}

/// Whether an entry without id cannot tell two handsets apart.
fn is_twin(one: &Handset, other: &Handset) -> bool {
    one.has_same_name(other) && same_member(one.line1.as_ref(), other.line1.as_ref())
}

const NOT_ADDED_AGAIN: &str = "its line or its name is not known, so it cannot be added again";
const TWIN: &str = "another handset of its network has the same line and name; add it in Control Hub";

/// An entry for a handset as it was, its second line only if it had one. Members are named by id, since the extension may be
/// that of another member by now.
fn handset_as_it_was(handset: &Handset, span: Span) -> HandsetEntry {
    let line = |member: Option<&Member>| member.and_then(|member| member.id.clone()).map(LineRef::Member);
    let name = handset.display_name().and_then(|name| HandsetName::new(name).ok());
    HandsetEntry {
        line1: line(handset.line1.as_ref()).map(|value| Spanned { value, span }),
        line2: line(handset.line2.as_ref()).map(|line| Spanned { value: Some(line), span }),
        name: name.map(|value| Spanned { value, span }),
        is_recorded: true,
        ..HandsetEntry::new(span)
    }
}

impl<'a> UndoBuilder<'a> {
    fn restore_settings(&mut self, modified: &'a ModifiedNetwork) {
        let before = &modified.before;
        let now = self.live.find(&modified.network).map(|at| &self.live.network(at).settings);
        if now.is_some_and(|now| now.matches(before)) {
            return;
        }
        let left_as = now.and_then(|now| modified.final_states.iter().find(|state| now.matches(state)));
        let Some(state) = left_as else {
            let reason = match now {
                Some(now) => format!("its settings changed since the run (current name: {})", now.name),
                None => "it no longer exists".to_owned(),
            };
            return self.warn(DiagnosticCode::ChangedSinceRun, format!("skipped {}: {reason}", before.name));
        };
        if is_temporary(&before.name) {
            let name = format!("the name of {:?}", state.name);
            return self
                .leave_alone(name, "the run found it with a temporary name of an interrupted run; undo that one");
        }
        let name = &before.name;
        let desired = self.former_settings(name, before, before.diff(state));
        if desired != DesiredSettings::default() {
            let span = self.line(&modified.location, "settings of ", name);
            let entry = NetworkEntry { desired, has_own_settings: true, ..entry(Some(modified.network.clone()), span) };
            self.location(&modified.location).modified.push(entry);
        }
    }

    /// Whether the scope includes a network with these names, or its live one.
    fn includes<'n>(
        &'n self,
        location: &LocationId,
        network: Option<&NetworkId>,
        names: impl Iterator<Item = &'n str>,
        scope: &Scope,
    ) -> bool {
        let live = network.and_then(|id| self.live.find(id)).map(|at| &*self.live.network(at).settings.name);
        let names: Vec<&str> = names.chain(live).collect();
        // What is known by no name is not left out.
        names.is_empty() || scope.includes_any_name(self.location_name(location), names)
    }

    /// The name of a location; one that has lost its last network is not listed.
    fn location_name(&self, location: &LocationId) -> &'a str {
        let live = self.live.find_location(location).map(|at| &*self.live.location(at).name);
        let recorded = || self.history.items.iter().find(|item| item.location == *location);
        live.or_else(|| Some(&*recorded()?.location_name)).unwrap_or_default()
    }

    /// The settings to restore. One that Webex would refuse is left alone.
    fn former_settings(&mut self, network: &str, before: &Settings, of: SettingSet) -> DesiredSettings {
        let mut desired = DesiredSettings::default();
        for setting in of.iter() {
            if let Err(error) = desired.set_from(before, setting) {
                let name = format!("{} of {network:?}", setting.api_name());
                self.leave_alone(name, format!("its former value {error}, so it cannot be restored"));
            }
        }
        desired
    }

    fn leave_alone(&mut self, name: impl fmt::Display, why: impl fmt::Display) {
        self.warn(DiagnosticCode::NotUndone, format!("{name} is left alone: {why}"));
    }

    fn warn(&mut self, code: DiagnosticCode, message: String) {
        if !self.is_in_scope {
            return;
        }
        self.warnings.push(Diagnostic::warning(code, message));
    }

    /// A handset of a network is added again.
    fn note_pairing(&mut self, network: &str, handset: &Handset) {
        if !self.is_in_scope {
            return;
        }
        match self.readded_handsets.iter_mut().find(|(known, _)| known == network) {
            Some((_, labels)) => labels.push(handset.label()),
            None => self.readded_handsets.push((network.to_owned(), vec![handset.label()])),
        }
    }

    fn location(&mut self, id: &'a LocationId) -> &mut LocationUndo {
        self.locations.entry(id).or_default()
    }

    /// Adds a line to the text that diagnostics show.
    fn line(&mut self, location: &LocationId, what: &str, name: &str) -> Span {
        let location = self.location_name(location);
        let plain = |text: &str| text.replace(char::is_control, " ");
        self.lines.line(&format!("{}: {what}", plain(location)), &plain(name))
    }

    /// The base stations of the entry about the devices of a network.
    fn base_stations(&mut self, item: &'a RecordedItem, id: &NetworkId, span: Span) -> &mut Vec<BaseStationEntry> {
        self.devices(item, id, span).devices.base_stations.get_or_insert_default()
    }

    fn devices(&mut self, item: &'a RecordedItem, id: &NetworkId, span: Span) -> &mut NetworkEntry {
        let devices = &mut self.location(&item.location).devices;
        devices.entry(id.clone()).or_insert_with(|| entry(Some(id.clone()), span))
    }

    /// A network that the run has created is deleted if its id is recorded and all that it holds is the run's.
    fn delete_created(&mut self, item: &'a RecordedItem) {
        let Some(after @ ResourceState::Network { settings, .. }) = &item.after else { return };
        let name = settings.name.to_string();
        let Some(id) = item.id.as_deref().and_then(NetworkId::non_empty) else {
            let is_there = self
                .live
                .networks()
                .any(|(_, network)| network.location == item.location && after.matches_created(network));
            if is_there {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            return;
        };
        // It is gone already.
        let Some(at) = self.live.find(&id) else { return };
        if !after.matches_created(self.live.network(at)) {
            return self.leave_alone(name, "its settings changed since the run");
        }
        let stations = self.live.base_stations(at).unwrap_or_default().iter().map(|station| station.label());
        let foreign = stations
            .filter(|label| !self.recorded.contains(&(Operation::new(Kind::BaseStation, Create), &id, label.clone())))
            .map(|label| format!("base station {label}"));
        let handsets = self.live.handsets(at).unwrap_or_default().iter();
        let is_foreign = |handset: &&Handset| !self.has_added(&id, handset);
        let foreign: Vec<String> =
            foreign.chain(handsets.filter(is_foreign).map(|handset| format!("handset {}", handset.label()))).collect();
        if foreign.is_empty() {
            let span = self.line(&item.location, "delete ", &name);
            let entry = NetworkEntry { absent: Some(span), name_is_check: true, ..entry(Some(id), span) };
            self.location(&item.location).deleted.push(entry);
        } else {
            self.leave_alone(name, format!("it holds what the run has not added: {}", foreign.join(", ")));
        }
    }

    /// A deleted network is created again with its devices.
    fn create_deleted(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::Network { settings, model }), Some(id)) = (&item.before, &item.network) else {
            return;
        };
        // The deletion was not applied.
        if self.live.find(id).is_some() {
            return;
        }
        let name = settings.name.to_string();
        let Some(model) = model.as_deref().and_then(NetworkModel::parse) else {
            return self.leave_alone(name, "its model is not known, so it cannot be created again");
        };
        if settings.code.is_none() {
            return self.leave_alone(name, "its access code is not known, so it cannot be created again");
        }
        if let Err(error) = NetworkName::new(&name) {
            return self.leave_alone(name, format!("its name {error}, so it cannot be created again"));
        }
        let desired = self.former_settings(&name, settings, Setting::ALL.into_iter().collect());
        let span = self.line(&item.location, "create ", &name);
        let (mut stations, mut handsets): (Vec<BaseStationEntry>, Vec<&Handset>) = (Vec::new(), Vec::new());
        for content in &item.contents {
            match content {
                ResourceState::BaseStation(station) => {
                    stations.extend(self.mac(&station.label()).map(|mac| base_station(mac, span)));
                }
                ResourceState::Handset(handset) => {
                    let label = format!("handset {} of {name:?}", handset.label());
                    if !can_be_added(handset) {
                        self.leave_alone(label, NOT_ADDED_AGAIN);
                    } else if handsets.iter().any(|other| is_twin(other, handset)) {
                        self.leave_alone(label, TWIN);
                    } else {
                        handsets.push(handset);
                    }
                }
                ResourceState::Network { .. } | ResourceState::ServiceabilityPassword(_) => {}
            }
        }
        for handset in &handsets {
            self.note_pairing(&name, handset);
        }
        let location = item.location.clone();
        self.recreated.push(RecreatedNetwork { location, name, former_id: id.clone() });
        let handsets = handsets.into_iter().map(|handset| handset_as_it_was(handset, span));
        let entry = NetworkEntry {
            desired,
            model: Some(Spanned { value: model, span }),
            devices: DeviceEntries {
                base_stations: (!stations.is_empty()).then_some(stations),
                handsets: Some(handsets.collect()).filter(|handsets: &Vec<_>| !handsets.is_empty()),
                serviceability_password: None,
            },
            has_own_settings: true,
            ..entry(None, span)
        };
        self.location(&item.location).created.push(entry);
    }

    /// The address of a base station; leaves one alone that no request can name.
    fn mac(&mut self, label: &str) -> Option<Mac> {
        match Mac::new(label) {
            Ok(mac) => Some(mac),
            Err(error) => {
                self.leave_alone(format!("base station {label}"), format!("its address {error}"));
                None
            }
        }
    }

    /// A base station that the run has added is removed if its id is the recorded one.
    fn remove_added(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::BaseStation(station)), Some(network)) = (&item.after, &item.network) else { return };
        let label = station.label();
        // The run has put it back where it had removed it, so it was there before the run.
        if self.recorded.contains(&(Operation::new(Kind::BaseStation, Delete), network, label.clone())) {
            return;
        }
        let was_created = self.created.contains(network.as_str());
        let Some(at) = self.live.find(network).filter(|_| !was_created) else { return };
        let listed = self.live.base_stations(at).unwrap_or_default();
        let Some(listed) = listed.iter().find(|other| other.label() == label) else { return };
        let name = || format!("base station {label} of {:?}", self.live.network(at).settings.name);
        match (&item.id, &listed.id) {
            (Some(recorded), Some(id)) if recorded == id.as_str() => {
                let Some(mac) = self.mac(&label) else { return };
                let span = self.line(&item.location, "remove base station ", &label);
                let entry = BaseStationEntry { is_absent: true, ..base_station(mac, span) };
                self.base_stations(item, network, span).push(entry);
            }
            (Some(_), _) => self.leave_alone(name(), "it was removed and added again since the run"),
            (None, _) => self.leave_alone(name(), "its id was not recorded, so it may not be the run's"),
        }
    }

    fn add_removed(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::BaseStation(station)), Some(network)) = (&item.before, &item.network) else { return };
        let label = station.label();
        let Some(at) = self.live.find(network) else {
            return self.leave_alone(format!("base station {label}"), "its network no longer exists");
        };
        let listed = self.live.base_stations(at).unwrap_or_default();
        // The removal was not applied, or was taken back.
        if listed.iter().any(|other| other.label() == label) {
            return;
        }
        let Some(mac) = self.mac(&label) else { return };
        let span = self.line(&item.location, "add base station ", &label);
        let replaces = item.replaced_by.as_deref().and_then(|label| Mac::new(label).ok());
        let replaces = replaces.map(|value| Spanned { value, span });
        self.base_stations(item, network, span).push(BaseStationEntry { replaces, ..base_station(mac, span) });
    }

    /// Whether an addition of the run is known to have made a handset.
    fn is_recorded(&self, handset: &Handset) -> bool {
        let id = handset.id.as_ref().map(HandsetId::as_str);
        id.is_some() && self.history.items.iter().any(|item| item.id.as_deref() == id)
    }

    /// Whether the run has added a handset to a network.
    fn has_added(&self, network: &NetworkId, handset: &Handset) -> bool {
        self.history.items.iter().any(|item| {
            let is_addition = item.is(Kind::Handset, Create) && item.network.as_ref() == Some(network);
            let added = item.after.as_ref().and_then(ResourceState::handset).filter(|_| is_addition);
            match (&item.id, &handset.id) {
                (Some(recorded), Some(id)) => added.is_some() && recorded == id.as_str(),
                _ => added.is_some_and(|added| added.is_equivalent(handset)),
            }
        })
    }

    fn handset(&mut self, item: &'a RecordedItem, handset: HandsetEntry) {
        if let Some(network) = &item.network {
            self.devices(item, network, handset.span).devices.handsets.get_or_insert_default().push(handset);
        }
    }

    /// The network of a handset and its name now, unless it is gone or was created by the run.
    fn handset_network(&self, item: &RecordedItem) -> Option<(NetworkIndex, String)> {
        let network = item.network.as_ref().filter(|id| !self.created.contains(id.as_str()))?;
        let at = self.live.find(network)?;
        Some((at, self.live.network(at).settings.name.to_string()))
    }

    /// A handset that the run has added is removed if its id is the recorded one.
    fn remove_added_handset(&mut self, item: &'a RecordedItem) {
        let Some(after) = item.after.as_ref().and_then(ResourceState::handset) else { return };
        let Some((at, network)) = self.handset_network(item) else { return };
        let name = format!("handset {} of {network:?}", after.label());
        let listed = self.live.handsets(at).unwrap_or_default();
        // The id of one that was added with its first line may be known to the update that completed it only.
        let completed = || {
            let updates = self.history.items.iter().filter(|other| other.is(Kind::Handset, Update));
            let states = updates.filter_map(|other| other.after.as_ref().and_then(ResourceState::handset));
            states.filter(|state| state.is_equivalent(after)).find_map(|state| state.id.clone())
        };
        let id = item.id.as_deref().and_then(HandsetId::non_empty).or_else(completed);
        match id.and_then(|id| listed.iter().find(|handset| handset.id.as_ref() == Some(&id))) {
            Some(found) if is_as_added(found, after) => {
                let (span, id) = (self.line(&item.location, "remove handset ", &after.label()), found.id.clone());
                let id = id.map(|value| Spanned { value, span });
                self.handset(item, HandsetEntry { id, is_absent: true, ..HandsetEntry::new(span) });
            }
            Some(_) => self.leave_alone(name, "its name or its lines changed since the run"),
            None if item.id.is_none()
                && listed.iter().any(|handset| is_as_added(handset, after) && !self.is_recorded(handset)) =>
            {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            // It is gone already.
            None => {}
        }
    }

    /// A handset that the run has updated gets its former name and lines.
    fn restore_handset(&mut self, item: &'a RecordedItem) {
        let state = |state: &'a Option<ResourceState>| state.as_ref().and_then(ResourceState::handset);
        let (Some(before), Some(after)) = (state(&item.before), state(&item.after)) else { return };
        // What an interrupted run had added with its first line, and the next one has completed, is removed.
        if item.network.as_ref().is_some_and(|network| self.has_added(network, after)) {
            return;
        }
        let name = format!("handset {}", before.label());
        let devices = self.handset_network(item).map_or(Devices::gone(), |(at, _)| self.live.devices(at));
        let (before_it, interim, after_it) = (item.before.as_ref(), item.interim.as_ref(), item.after.as_ref());
        let states = States { before: before_it, interim, after: after_it };
        let listed = Listed { devices: Some(devices), ..Listed::default() };
        match standings(&[states], &listed, &HashSet::new()).pop() {
            Some(Standing::After { .. } | Standing::Interim(_)) if can_be_added(before) => {
                let span = self.line(&item.location, "restore handset ", &before.label());
                let former = handset_as_it_was(before, span);
                let id = before.id.clone().map(|value| Spanned { value, span });
                let line2 = Some(former.line2.unwrap_or(Spanned { value: None, span }));
                self.handset(item, HandsetEntry { id, line2, ..former });
            }
            Some(Standing::After { .. } | Standing::Interim(_)) => {
                self.leave_alone(name, "its former line or name is not known")
            }
            Some(Standing::Changed(_)) => self.leave_alone(name, "its name or its lines changed since the run"),
            Some(Standing::Missing) => self.leave_alone(name, "it no longer exists"),
            _ => {}
        }
    }

    /// A serviceability password that the run has enabled or disabled is what it was. That of a network which the run has created
    /// goes with it.
    fn restore_password(&mut self, item: &'a RecordedItem) {
        let status = |state: &Option<ResourceState>| state.as_ref().and_then(ResourceState::serviceability_password);
        let (Some(before), Some(after), Some(network)) = (status(&item.before), status(&item.after), &item.network)
        else {
            return;
        };
        let Some(at) = self.live.find(network).filter(|_| before != PasswordStatus::Unknown) else { return };
        // The change was not applied, or was taken back.
        if self.live.devices(at).serviceability_password != Some(after) {
            return;
        }
        let name = self.live.network(at).settings.name.to_string();
        if before == PasswordStatus::Enabled {
            let message = format!(
                "the serviceability password of {name:?} is enabled again, but whether one exists cannot be read; \
                 `dectl password generate` makes a new one"
            );
            self.warn(DiagnosticCode::PasswordMayNotExist, message);
        }
        let span = self.line(&item.location, "restore serviceability password of ", &name);
        self.devices(item, network, span).devices.serviceability_password = Some(Spanned { value: before, span });
    }

    /// A handset that the run has removed is added again.
    fn add_removed_handset(&mut self, item: &'a RecordedItem) {
        let Some(before) = item.before.as_ref().and_then(ResourceState::handset) else { return };
        let Some((at, network)) = self.handset_network(item) else {
            return self.leave_alone(format!("handset {}", before.label()), "its network no longer exists");
        };
        let name = format!("handset {} of {network:?}", before.label());
        let listed = self.live.handsets(at).unwrap_or_default();
        // The removal was not applied.
        if listed.iter().any(|handset| handset.id == before.id) {
            return;
        }
        if !can_be_added(before) {
            return self.leave_alone(name, NOT_ADDED_AGAIN);
        }
        let others = self.added_again.entry(self.live.network(at).id.clone()).or_default();
        // What the run has updated becomes what it was.
        let as_it_was =
            |live: &'a Handset| live.id.as_ref().and_then(|id| self.former.get(id)).copied().unwrap_or(live);
        let as_they_were = listed.iter().map(as_it_was);
        if others.iter().copied().chain(as_they_were).any(|other| is_twin(other, before)) {
            return self.leave_alone(name, TWIN);
        }
        others.push(before);
        self.note_pairing(&network, before);
        let span = self.line(&item.location, "add handset ", &before.label());
        self.handset(item, handset_as_it_was(before, span));
    }

    /// All entries, by location.
    fn desired(&mut self) -> Desired {
        self.is_in_scope = true;
        for (network, labels) in std::mem::take(&mut self.readded_handsets) {
            let are = if labels.len() == 1 { "is" } else { "are" };
            let handsets = plural(labels.len(), "handset");
            let message =
                format!("{handsets} of {network} {are} added again and must be paired again: {}", labels.join(", "));
            self.warn(DiagnosticCode::PairingNeeded, message);
        }
        let mut desired = Desired::default();
        for (id, undo) in std::mem::take(&mut self.locations) {
            let LocationUndo { modified, deleted, created, devices } = undo;
            let stations = devices.values().flat_map(|entry| entry.devices.base_stations.iter().flatten());
            let added: HashSet<Mac> =
                stations.filter(|station| !station.is_absent).map(|station| station.mac.value).collect();
            let devices = devices.into_values().map(|mut entry| {
                if let Some(stations) = &mut entry.devices.base_stations {
                    join_replacements(stations, &added);
                }
                entry
            });
            let entries: Vec<NetworkEntry> =
                modified.into_iter().chain(deleted).chain(created).chain(devices).collect();
            let span = entries[0].span();
            let name = Some(self.location_name(id)).filter(|name| !name.trim().is_empty());
            let name = name.map(|name| Spanned { value: name.into(), span });
            let id = Some(Spanned { value: id.clone(), span });
            desired.locations.push(DesiredLocation {
                span,
                name,
                id,
                guards: Vec::new(),
                guarded: Vec::new(),
                entries,
            });
        }
        desired
    }
}

fn entry(id: Option<NetworkId>, span: Span) -> NetworkEntry {
    let id = id.map(|value| Spanned { value, span });
    NetworkEntry { id, is_recorded: true, ..NetworkEntry::new(Origin::File(span)) }
}

const fn base_station(mac: Mac, span: Span) -> BaseStationEntry {
    BaseStationEntry { span, mac: Spanned { value: mac, span }, replaces: None, is_absent: false }
}

/// A base station that is added again replaces the one that had replaced it, if that one is removed for good. If it goes
/// back to another network, it is moved, which `added` knows.
fn join_replacements(stations: &mut Vec<BaseStationEntry>, added: &HashSet<Mac>) {
    let removed: HashSet<Mac> =
        stations.iter().filter(|station| station.is_absent).map(|station| station.mac.value).collect();
    let is_replaced = |mac: &Spanned<Mac>| removed.contains(&mac.value) && !added.contains(&mac.value);
    for station in stations.iter_mut() {
        station.replaces = station.replaces.take().filter(is_replaced);
    }
    let replaced: HashSet<Mac> = stations.iter().filter_map(|station| Some(station.replaces.as_ref()?.value)).collect();
    stations.retain(|station| !(station.is_absent && replaced.contains(&station.mac.value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal of additions of a base station: how each ended, and its id.
    fn run(name: &str, additions: &[(&str, Option<&str>)]) -> RunHistory {
        let key =
            r#""key":{"kind":"baseStation","action":"create","location":"l","network":"N","device":"AC7A56000001"}"#;
        let mut lines = vec![format!(
            r#"{{"time":"2026-11-23T10:00:00Z","event":"runStarted","formatVersion":1,"generator":"dectl","run":"{name}","changes":1,"steps":1}}"#
        )];
        for (end, id) in additions {
            let id = id.map(|id| format!(r#","id":"{id}""#)).unwrap_or_default();
            lines.push(format!(
                r#"{{"time":"2026-11-23T10:00:01Z","event":"writeStarted","location":"l","locationName":"L","network":"n","items":[{{{key},"write":"final","to":{{"kind":"baseStation","mac":"AC7A56000001"}}}}]}}"#
            ));
            lines.push(format!(
                r#"{{"time":"2026-11-23T10:00:02Z","event":"writeFinished","results":[{{{key},"end":"{end}"{id}}}]}}"#
            ));
        }
        RunHistory::parse((lines.join("\n") + "\n").as_bytes(), name, CodeAccess::Skip).expect("a journal")
    }

    #[test]
    fn a_run_continues_what_no_later_one_has_finished() {
        // `i`nterrupted, `f`inished, `u`ndone; `n` for one with a narrower scope.
        #[rustfmt::skip]
        let cases: &[(&str, usize)] = &[
            ("", 0),
            ("i", 1),
            ("i i", 2),
            // Narrower runs in between are joined as well, whether finished or not.
            ("fn i", 2),
            ("in i", 2),
            // A later run has finished all that it was about.
            ("f i", 0),
            ("i f i", 1),
            ("i fn in", 1),
            // What was undone is the end.
            ("u i", 0),
            ("i u i", 1),
            ("f", 0),
        ];
        for (runs, expected) in cases {
            let identity = |narrow: bool| RunIdentity {
                inputs: "file".to_owned(),
                scope: narrow.then(|| "Ward 1".into()),
                ..RunIdentity::default()
            };
            let identities: Vec<_> = runs.split_whitespace().map(|run| identity(run.ends_with('n'))).collect();
            let links = runs.split_whitespace().zip(&identities).map(|(run, identity)| Link {
                identity,
                is_undone: run.starts_with('u'),
                is_finished: run.starts_with('f'),
            });
            assert_eq!(chain(&identity(false), links).0, *expected, "{runs:?}");
        }
    }

    #[test]
    fn what_an_interrupted_run_has_added_is_not_lost_to_a_later_failure() {
        type Case<'a> = ((&'a str, Option<&'a str>), (&'a str, Option<&'a str>), &'a [Option<&'a str>]);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // earlier, later, the ids of what may have been added
            (("applied", Some("a")), ("failed", None), &[Some("a")]),
            (("applied", Some("a")), ("notSent", None), &[Some("a")]),
            (("unknown", None), ("failed", None), &[None]),
            (("applied", Some("a")), ("applied", Some("a")), &[Some("a")]),
            // The later request found it there, so that its response had no id.
            (("applied", Some("a")), ("applied", None), &[Some("a")]),
            (("failed", None), ("applied", Some("b")), &[Some("b")]),
            // Added, removed by another client, and added again.
            (("applied", Some("a")), ("applied", Some("b")), &[Some("a"), Some("b")]),
        ];
        for (earlier, later, expected) in cases {
            let mut history = run("r2", &[*later]);
            let is_joined = join(&mut history, run("r1", &[*earlier]), true);
            assert_eq!(is_joined, earlier.0 != "failed", "a run that wrote nothing is none that was continued");
            let added = history.items.iter().filter(|item| item.may_be_applied());
            let ids: Vec<Option<&str>> = added.map(|item| item.id.as_deref()).collect();
            assert_eq!(ids, *expected, "{earlier:?} {later:?}");
        }
    }
}
