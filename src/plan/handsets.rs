//! Compares desired with listed handsets: which entry means which handset, and what is added, updated and removed.

use std::collections::{HashMap, HashSet};

use super::base_stations::Owner;
use super::compare::NetworkChange;
use super::matching::{EntryGroup, Managed};
use super::members::{Members, NotFound};
use super::scope::Scope;
use crate::desired::model::{HandsetEntry, LineRef, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, plural};
use crate::model::{Handset, LiveState, LocationId, Member, MemberKind, NetworkModel, nfc, same_member};

/// From so many lines on, another page of Cisco's documentation states a lower limit.
const DOUBTFUL_LINES: usize = 120;

/// A handset that is added, updated or removed.
#[derive(Debug)]
pub(super) struct HandsetChange {
    pub(super) owner: Owner,
    /// `None` if it is added.
    pub(super) before: Option<Handset>,
    /// `None` if it is removed.
    pub(super) after: Option<Handset>,
    pub(super) span: Span,
}

/// The changes of a location: per network the removals, the updates and the additions; and the number of listed handsets
/// that no file names.
pub(super) fn compare(
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    members: &Members<'_>,
    diagnostics: &mut Diagnostics,
) -> (Vec<HandsetChange>, usize) {
    let location = live.location(managed.location);
    let includes =
        |name: &str, group: &EntryGroup<'_>| scope.includes_any_name(&location.name, group.primary.names(name));
    let (mut changes, mut unmanaged) = (Vec::new(), 0);
    let mut network = |owner, model, listed: &[Handset], group: &EntryGroup<'_>, diagnostics: &mut Diagnostics| {
        let comparison = Comparison {
            owner,
            listed,
            label: group.primary.label().to_owned(),
            home: &location.id,
            live,
            members,
            diagnostics,
            taken: HashMap::new(),
        };
        if let Some((found, rest)) = comparison.run(model, group) {
            changes.extend(found);
            unmanaged += rest;
        }
    };
    for (at, group) in &managed.networks {
        let live_network = live.network(*at);
        // Not read where it is out of scope.
        if let Some(listed) = live.handsets(*at).filter(|_| includes(&live_network.settings.name, group)) {
            network(Owner::Live(*at), live_network.known_model(), listed, group, diagnostics);
        }
    }
    for (model, group) in managed.created.iter().filter(|(_, group)| includes(group.primary.label(), group)) {
        let is_its = |change: &NetworkChange<'_>| change.before.is_none() && std::ptr::eq(change.entry, group.primary);
        if let Some(at) = network_changes.iter().position(is_its) {
            network(Owner::Created(at), Some(*model), &[], group, diagnostics);
        }
    }
    (changes, unmanaged)
}

/// Compares the lists of one network.
struct Comparison<'r> {
    owner: Owner,
    listed: &'r [Handset],
    /// The name of the network in messages.
    label: String,
    home: &'r LocationId,
    live: &'r LiveState,
    members: &'r Members<'r>,
    diagnostics: &'r mut Diagnostics,
    /// The listed handsets that are an entry's.
    taken: HashMap<usize, Span>,
}

/// An entry with the member of its first line, if that is known.
struct Wanted<'a, 'r> {
    entry: &'a HandsetEntry,
    line1: Option<&'r Member>,
}

impl<'r> Comparison<'r> {
    /// `None` if no entry speaks of handsets.
    fn run(mut self, model: Option<NetworkModel>, group: &EntryGroup<'_>) -> Option<(Vec<HandsetChange>, usize)> {
        let lists: Vec<_> = group.entries().filter_map(|entry| entry.handsets.as_ref()).collect();
        if lists.is_empty() {
            return None;
        }
        let known = self.diagnostics.len();
        let wanted: Vec<Wanted<'_, 'r>> = lists.into_iter().flatten().filter_map(|entry| self.wanted(entry)).collect();
        self.report_duplicates(&wanted);
        let matched = self.match_entries(&wanted);
        let (mut removals, mut updates, mut additions) = (Vec::new(), Vec::new(), Vec::new());
        for (one, found) in wanted.iter().zip(&matched) {
            match (found, one.entry.is_absent) {
                (Found::Nothing, _) => {}
                (Found::Listed(at), true) => removals.extend(self.removal(one.entry, &self.listed[*at].clone())),
                (Found::Listed(at), false) => updates.extend(self.update(one, &self.listed[*at].clone())),
                (Found::Added, true) => {}
                (Found::Added, false) => additions.extend(self.addition(one)),
            }
        }
        if self.diagnostics.len() == known
            && let Some(model) = model
        {
            self.check_limit(model, &removals, &updates, &additions);
        }
        let unmanaged = self.listed.len() - self.taken.len();
        removals.extend(updates);
        removals.extend(additions);
        Some((removals, unmanaged))
    }

    /// Finds the member of the first line; reports a line that is new and that no member has.
    fn wanted<'a>(&mut self, entry: &'a HandsetEntry) -> Option<Wanted<'a, 'r>> {
        let Some(line) = &entry.line1 else { return Some(Wanted { entry, line1: None }) };
        match self.members.find(&line.value, self.home) {
            Ok(member) => Some(Wanted { entry, line1: Some(member) }),
            // What is removed may be gone, and its member with it.
            Err(NotFound::Nowhere) if entry.is_absent => Some(Wanted { entry, line1: None }),
            Err(reason) => {
                let diagnostic = self.members.report("line 1", &line.value, self.home, &reason, line.span);
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn report_duplicates(&mut self, wanted: &[Wanted<'_, '_>]) {
        let mut ids = HashMap::new();
        let mut lines: HashMap<(String, Option<String>), Span> = HashMap::new();
        for one in wanted {
            let entry = one.entry;
            let first = match &entry.id {
                Some(id) => ids.insert(id.value.clone(), id.span),
                None => {
                    let member = one.line1.and_then(|member| member.id.as_ref()).map(ToString::to_string);
                    let name = entry.name.as_ref().map(|name| nfc(name.value.as_str()));
                    member.and_then(|member| lines.insert((member, name), entry.span))
                }
            };
            if let Some(first) = first {
                self.diagnostics.push(
                    Diagnostic::error(DiagnosticCode::DuplicateHandset, "two entries mean the same handset")
                        .with_span(entry.span)
                        .with_related(first, "first occurrence")
                        .help("remove one of them; handsets of one member differ in `customDisplayName`"),
                );
            }
        }
    }

    /// Which listed handset each entry means: by id, by first line and name, by first line, by its former first line.
    fn match_entries(&mut self, wanted: &[Wanted<'_, 'r>]) -> Vec<Found> {
        let mut found: Vec<Option<Found>> = wanted.iter().map(|one| self.by_id(one.entry)).collect();
        for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let (Some(member), Some(name)) = (one.line1, &one.entry.name) else { continue };
            let is_it = |handset: &Handset| {
                same_member(handset.line1.as_ref(), Some(member))
                    && handset.custom_name.as_deref().is_some_and(|live| nfc(live) == nfc(name.value.as_str()))
            };
            *found = self.unclaimed(is_it).first().map(|at| self.take(*at, one.entry.span));
        }
        let mut by_member: Vec<(&Member, Vec<usize>)> = Vec::new();
        for (at, one) in wanted.iter().enumerate().filter(|(at, _)| found[*at].is_none()) {
            let Some(member) = one.line1 else { continue };
            match by_member.iter_mut().find(|(known, _)| known.is_same(member)) {
                Some((_, entries)) => entries.push(at),
                None => by_member.push((member, vec![at])),
            }
        }
        for (member, entries) in by_member {
            let live = self.unclaimed(|handset| same_member(handset.line1.as_ref(), Some(member)));
            let present = entries.iter().filter(|at| !wanted[**at].entry.is_absent).count();
            match (&entries[..], &live[..]) {
                (_, []) => {}
                ([entry], [handset]) => {
                    found[*entry] = Some(self.only_one(wanted[*entry].entry, *handset));
                }
                _ => {
                    let entries: Vec<&HandsetEntry> = entries.iter().map(|at| wanted[*at].entry).collect();
                    self.ambiguous(member, &entries, &live, present);
                    entries_settled(&mut found, wanted, member);
                }
            }
        }
        for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            *found = Some(self.former_line(one));
        }
        let found: Vec<Found> = found.into_iter().map(|found| found.unwrap_or(Found::Nothing)).collect();
        self.report_same_names(wanted, &found);
        found
    }

    fn unclaimed(&self, is_it: impl Fn(&Handset) -> bool) -> Vec<usize> {
        let listed = self.listed.iter().enumerate();
        listed.filter(|(at, handset)| !self.taken.contains_key(at) && is_it(handset)).map(|(at, _)| at).collect()
    }

    fn take(&mut self, at: usize, span: Span) -> Found {
        self.taken.insert(at, span);
        Found::Listed(at)
    }

    fn by_id(&mut self, entry: &HandsetEntry) -> Option<Found> {
        let id = entry.id.as_ref()?;
        let same = |handset: &Handset| handset.id.as_ref() == Some(&id.value);
        if let Some(at) = self.listed.iter().position(same) {
            return Some(self.take(at, entry.span));
        }
        let is_in = |at| self.live.handsets(at).is_some_and(|handsets| handsets.iter().any(same));
        let other = self.live.networks().find(|(at, _)| is_in(*at)).map(|(_, network)| &network.settings.name);
        let diagnostic = match other {
            Some(other) => {
                let message = format!("the handset with this id belongs to network {other:?}");
                Diagnostic::error(DiagnosticCode::UnknownHandset, message)
                    .help("move the entry to that network; a handset moves by removing it there and adding it here")
            }
            None if entry.is_absent => {
                let message = format!("no handset of {:?} has the id {}: already removed", self.label, id.value);
                Diagnostic::warning(DiagnosticCode::AlreadyAbsent, message).help("remove the entry")
            }
            None => {
                let message = format!("no handset of {:?} has this id", self.label);
                Diagnostic::error(DiagnosticCode::UnknownHandset, message)
                    .help("without `id` the entry adds the handset; `dectl export --include handsets` shows the ids")
            }
        };
        self.diagnostics.push(diagnostic.with_span(id.span));
        Some(Found::Nothing)
    }

    /// The only entry and the only handset of a member: the same handset, unless a name beside `state: absent` says
    /// otherwise.
    fn only_one(&mut self, entry: &HandsetEntry, at: usize) -> Found {
        let Some(name) = entry.name.as_ref().filter(|_| entry.is_absent) else { return self.take(at, entry.span) };
        let handset = &self.listed[at];
        let message = format!(
            "the handset with this line is named {:?}, not {:?}",
            handset.display_name().map_or("", |name| &**name),
            name.value.as_str()
        );
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::UnknownHandset, message)
                .with_span(name.span)
                .help("correct the name, or name the handset by its `id`"),
        );
        Found::Nothing
    }

    fn ambiguous(&mut self, member: &Member, entries: &[&HandsetEntry], live: &[usize], present: usize) {
        let shown: Vec<String> = live.iter().map(|at| self.describe(*at)).collect();
        let message = format!(
            "{} for {}, but {}: {}",
            plural(entries.len(), "entry").replace("entrys", "entries"),
            member.label(),
            plural(live.len(), "handset"),
            shown.join(", ")
        );
        let help = if present > 0 {
            "add the `id` of the handset to each entry; entries for further handsets have no `id`"
        } else {
            "add the `id` or the `customDisplayName` of the handset that is removed"
        };
        self.diagnostics
            .push(Diagnostic::error(DiagnosticCode::AmbiguousHandset, message).with_span(entries[0].span).help(help));
    }

    fn describe(&self, at: usize) -> String {
        let handset = &self.listed[at];
        let id = handset.id.as_ref().map_or_else(|| "no id".to_owned(), ToString::to_string);
        format!("{} ({id})", handset.display_name().map_or("(unnamed)", |name| &**name))
    }

    /// An entry whose first line is on no handset: the one that had its former first line, or a new one.
    fn former_line(&mut self, one: &Wanted<'_, '_>) -> Found {
        let entry = one.entry;
        if entry.is_absent {
            let line = entry.line1.as_ref().map(|line| line.value.to_string()).unwrap_or_default();
            let name = entry.name.as_ref().map(|name| format!(" and the name {:?}", name.value.as_str()));
            let name = name.unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::warning(
                    DiagnosticCode::AlreadyAbsent,
                    format!("no handset of {:?} has line 1 {line}{name}: already removed", self.label),
                )
                .with_span(entry.span)
                .help("remove the entry"),
            );
            return Found::Nothing;
        }
        let Some(former) = &entry.reassigned_from else { return Found::Added };
        let former_member = self.members.find(&former.value, self.home).ok();
        let live =
            self.unclaimed(|handset| same_member(handset.line1.as_ref(), former_member) && former_member.is_some());
        match live[..] {
            [] => {
                let message = format!("no handset of {:?} has line 1 {}; a new one is added", self.label, former.value);
                self.diagnostics.push(
                    Diagnostic::warning(DiagnosticCode::UnknownHandset, message)
                        .with_span(former.span)
                        .help("remove `reassignedFrom` if the handset is new"),
                );
                Found::Added
            }
            [at] => self.take(at, entry.span),
            _ => {
                let shown: Vec<String> = live.iter().map(|at| self.describe(*at)).collect();
                let message = format!("{} have line 1 {}", plural(live.len(), "handset"), former.value);
                self.diagnostics.push(
                    Diagnostic::error(DiagnosticCode::AmbiguousHandset, message)
                        .with_span(former.span)
                        .help(format!("write the `id` of the handset instead: {}", shown.join(", "))),
                );
                Found::Nothing
            }
        }
    }

    /// A handset that would be added while an unmanaged one has its name is probably that one.
    fn report_same_names(&mut self, wanted: &[Wanted<'_, '_>], found: &[Found]) {
        for (one, _) in wanted.iter().zip(found).filter(|(_, found)| **found == Found::Added) {
            let Some(name) = &one.entry.name else { continue };
            let same = self.unclaimed(|handset| {
                handset.custom_name.as_deref().is_some_and(|live| nfc(live) == nfc(name.value.as_str()))
            });
            let Some(at) = same.first() else { continue };
            let handset = &self.listed[*at];
            let line = handset.line1.as_ref().map_or("(none)", Member::line);
            let id = handset.id.as_ref().map(|id| format!(" or `id: {id}`")).unwrap_or_default();
            let message = format!(
                "{:?} would be added, but an unmanaged handset with line 1 {line} has this name",
                name.value.as_str()
            );
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::NearName, message).with_span(name.span).help(format!(
                    "is it this one? add `reassignedFrom: \"{line}\"`{id}; otherwise choose another name"
                )),
            );
        }
    }

    fn removal(&mut self, entry: &HandsetEntry, handset: &Handset) -> Option<HandsetChange> {
        self.has_id(entry, handset, "removed").then(|| HandsetChange {
            owner: self.owner,
            before: Some(handset.clone()),
            after: None,
            span: entry.span,
        })
    }

    fn has_id(&mut self, entry: &HandsetEntry, handset: &Handset, verb: &str) -> bool {
        if handset.id.is_some() {
            return true;
        }
        let message = format!("handset {} cannot be {verb}: Webex lists it without an id", handset.label());
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::MissingId, message)
                .with_span(entry.span)
                .help("change it in Control Hub, or remove the entry"),
        );
        false
    }

    fn update(&mut self, one: &Wanted<'_, '_>, live: &Handset) -> Option<HandsetChange> {
        let entry = one.entry;
        let after = Handset {
            custom_name: entry.name.as_ref().map(|name| name.value.shared()).or_else(|| live.custom_name.clone()),
            line1: one.line1.cloned().or_else(|| live.line1.clone()),
            line2: match &entry.line2 {
                None => live.line2.clone(),
                Some(line) => self.second_line(line)?,
            },
            last_registration: None,
            ..live.clone()
        };
        if after.is_equivalent(live) {
            return None;
        }
        if !same_member(after.line1.as_ref(), live.line1.as_ref()) {
            self.check_first_line(entry, after.line1.as_ref())?;
        }
        let is_complete = after.custom_name.is_some() && after.line1.as_ref().is_some_and(|line| line.id.is_some());
        if !is_complete {
            let field = if after.custom_name.is_none() { "customDisplayName" } else { "line1" };
            let message = format!("the update of handset {} requires `{field}`, and Webex lists none", live.label());
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::MissingSetting, message)
                    .with_span(entry.span)
                    .help(format!("add `{field}` to this entry")),
            );
            return None;
        }
        if let Some(line) = live.line2.as_ref().filter(|line| line.id.is_none() && entry.line2.is_none()) {
            let message = format!("the second line {} of {} is listed without a member id", line.line(), live.label());
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::MissingId, message)
                    .with_span(entry.span)
                    .help("add `line2` to this entry, since an update without it would remove the line"),
            );
            return None;
        }
        let has_id = self.has_id(entry, live, "updated");
        let before = Handset { last_registration: None, ..live.clone() };
        let (before, after) = (Some(before), Some(after));
        has_id.then_some(HandsetChange { owner: self.owner, before, after, span: entry.span })
    }

    /// A second line; `None` if it is reported.
    #[expect(clippy::option_option, reason = "the inner option is a handset without second line")]
    fn second_line(&mut self, line: &Spanned<Option<LineRef>>) -> Option<Option<Member>> {
        let Some(wanted) = &line.value else { return Some(None) };
        match self.members.find(wanted, self.home) {
            Ok(member) => Some(Some(member.clone())),
            Err(reason) => {
                let diagnostic = self.members.report("line 2", wanted, self.home, &reason, line.span);
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn check_first_line(&mut self, entry: &HandsetEntry, member: Option<&Member>) -> Option<()> {
        let member = member.filter(|member| member.kind == MemberKind::VirtualLine);
        let Some(member) = member else { return Some(()) };
        let span = entry.line1.as_ref().map_or(entry.span, |line| line.span);
        let message = format!("{} is a virtual line, which can only be line 2", member.label());
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::UnknownMember, message)
                .with_span(span)
                .help("write a person or a workspace as `line1`, and the virtual line as `line2`"),
        );
        None
    }

    fn addition(&mut self, one: &Wanted<'_, '_>) -> Option<HandsetChange> {
        let entry = one.entry;
        let Some(name) = &entry.name else {
            let line = entry.line1.as_ref().map(|line| line.value.to_string()).unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::error(
                    DiagnosticCode::MissingSetting,
                    format!("adding a handset with line 1 {line} requires `customDisplayName`"),
                )
                .with_span(entry.span)
                .help("add the name that it displays, 1 to 16 characters"),
            );
            return None;
        };
        self.check_first_line(entry, one.line1)?;
        let line2 = match &entry.line2 {
            Some(line) => self.second_line(line)?,
            None => None,
        };
        let handset = Handset {
            id: None,
            custom_name: Some(name.value.shared()),
            default_name: None,
            line1: one.line1.cloned(),
            line2,
            last_registration: None,
        };
        Some(HandsetChange { owner: self.owner, before: None, after: Some(handset), span: entry.span })
    }

    fn check_limit(
        &mut self,
        model: NetworkModel,
        removals: &[HandsetChange],
        updates: &[HandsetChange],
        additions: &[HandsetChange],
    ) {
        let count = |handset: &Option<Handset>| handset.as_ref().map_or(0, |handset| handset.lines().count());
        let listed: usize = self.listed.iter().map(|handset| handset.lines().count()).sum();
        let changes = || removals.iter().chain(updates).chain(additions);
        let added: usize = changes().map(|change| count(&change.after)).sum();
        let removed: usize = changes().map(|change| count(&change.before)).sum();
        let after = (listed + added).saturating_sub(removed);
        let (label, max) = (&self.label, model.max_lines());
        let Some(last) = additions.iter().chain(updates).last().filter(|_| after > listed) else { return };
        if after > max {
            let message = format!("{label:?} would have {}, a {model} has at most {max}", plural(after, "line"));
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::TooManyLines, message)
                    .with_span(last.span)
                    .help("remove some handsets with `state: absent`, or spread them over several networks"),
            );
        } else if after > DOUBTFUL_LINES && model == NetworkModel::Dbs210 {
            let message = format!(
                "{label:?} would have {}; some documents of Cisco mention a limit of {DOUBTFUL_LINES}",
                plural(after, "line")
            );
            self.diagnostics.push(
                Diagnostic::warning(DiagnosticCode::TooManyLines, message)
                    .with_span(last.span)
                    .help("Webex decides; the result of each handset is reported"),
            );
        }
    }
}

/// What an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// The listed handset with this index.
    Listed(usize),
    /// A new handset.
    Added,
    /// Nothing, or it was reported.
    Nothing,
}

/// Entries of a member that were reported together mean nothing.
fn entries_settled(found: &mut [Option<Found>], wanted: &[Wanted<'_, '_>], member: &Member) {
    for (one, found) in wanted.iter().zip(found) {
        if found.is_none() && one.line1.is_some_and(|line| line.is_same(member)) {
            *found = Some(Found::Nothing);
        }
    }
}

/// Splits changes of one network into requests: at most `max` of them, and each name once in a request.
pub(super) fn batches(names: &[Option<String>], max: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<(Vec<usize>, HashSet<&str>)> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let fits = |(items, used): &&mut (Vec<usize>, HashSet<&str>)| {
            items.len() < max && name.as_deref().is_none_or(|name| !used.contains(name))
        };
        match batches.iter_mut().find(fits) {
            Some((items, used)) => {
                items.push(at);
                used.extend(name.as_deref());
            }
            None => batches.push((vec![at], name.as_deref().into_iter().collect())),
        }
    }
    batches.into_iter().map(|(items, _)| items).collect()
}
