//! Compares desired with listed handsets: which entry means which handset, and what is added, updated and removed.

use std::collections::{HashMap, HashSet};

use super::lines::HandsetChange;
use super::members::{Members, NotFound, has_lost_characters};
use super::steps::HandsetChanges;
use crate::desired::model::{HandsetEntry, LineRef, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Severity, Span, plural};
use crate::model::{Handset, LiveState, LocationId, Member, MemberKind, NetworkModel, nfc, same_member, same_text};
use crate::plan::Scope;
use crate::plan::matching::{EntryGroup, Managed};
use crate::plan::owner::{Owner, named_networks};
use crate::resources::network::compare::NetworkChange;

/// From so many lines on, another page of Cisco's documentation states a lower limit.
const DOUBTFUL_LINES: usize = 120;

/// The changes of a location: per network the removals, the updates and the additions; and the number of listed handsets
/// that no file names.
pub(crate) fn compare(
    managed: &Managed<'_>,
    network_changes: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    members: &Members<'_>,
    diagnostics: &mut Diagnostics,
) -> HandsetChanges {
    let location = live.location(managed.location);
    let (mut changes, mut unmanaged) = (Vec::new(), 0);
    let mut network = |owner, model, listed: &[Handset], group: &EntryGroup<'_>, diagnostics: &mut Diagnostics| {
        let comparison = Comparison {
            owner,
            listed,
            label: owner.label(group, live).to_owned(),
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
    for (owner, model, group) in named_networks(managed, network_changes, scope, live) {
        let listed = match owner {
            Owner::Live(at) => live.handsets(at),
            Owner::Created(_) => Some(&[][..]),
        };
        if let Some(listed) = listed {
            network(owner, model, listed, group, diagnostics);
        }
    }
    HandsetChanges { changes, unmanaged }
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
        let lists: Vec<_> = group.entries().filter_map(|entry| entry.devices.handsets.as_ref()).collect();
        if lists.is_empty() {
            return None;
        }
        let known = self.diagnostics.count(Severity::Error);
        let wanted: Vec<Wanted<'_, 'r>> = lists.into_iter().flatten().filter_map(|entry| self.wanted(entry)).collect();
        let duplicates = self.report_duplicates(&wanted);
        let matched = self.match_entries(&wanted, &duplicates);
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
        if self.diagnostics.count(Severity::Error) == known
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
                self.diagnostics.push(self.members.report("line 1", &line.value, self.home, &reason, line.span));
                None
            }
        }
    }

    /// Reports entries that mean the same handset; returns the later ones.
    fn report_duplicates(&mut self, wanted: &[Wanted<'_, '_>]) -> HashSet<usize> {
        let mut ids = HashMap::new();
        let mut lines: HashMap<(String, Option<String>, bool), Span> = HashMap::new();
        let mut later = HashSet::new();
        for (at, one) in wanted.iter().enumerate() {
            let entry = one.entry;
            let first = match &entry.id {
                Some(id) => ids.insert(id.value.clone(), id.span),
                None => {
                    let member = one.line1.and_then(|member| member.id.as_ref()).map(ToString::to_string);
                    let name = entry.name.as_ref().map(|name| nfc(name.value.as_str()));
                    member.and_then(|member| lines.insert((member, name, entry.is_absent), entry.span))
                }
            };
            if let Some(first) = first {
                later.insert(at);
                self.duplicate(entry.span, first);
            }
        }
        later
    }

    fn duplicate(&mut self, span: Span, first: Span) {
        self.diagnostics
            .error(DiagnosticCode::DuplicateHandset, span, "two entries mean the same handset")
            .with_related(first, "first occurrence")
            .help("remove one of them; handsets of one member differ in `customDisplayName`");
    }

    /// Which listed handset each entry means: by id, by first line and name, and then by elimination: an entry with a single
    /// candidate, by its first line or by its former one, claims it.
    fn match_entries(&mut self, wanted: &[Wanted<'_, 'r>], ignored: &HashSet<usize>) -> Vec<Found> {
        let mut found: Vec<Option<Found>> = Vec::with_capacity(wanted.len());
        for (at, one) in wanted.iter().enumerate() {
            found.push(match one.entry.id {
                _ if ignored.contains(&at) => Some(Found::Nothing),
                None if one.entry.is_recorded => Some(Found::Added),
                _ => self.by_id(one),
            });
        }
        for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            *found = self.by_line_and_name(one);
        }
        // A handset that is to be removed and that no listed one is, is gone already: it claims no other one.
        for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            if one.entry.is_absent && one.entry.name.is_some() {
                *found = Some(self.on_no_handset(one));
            }
        }
        let mut candidates = self.candidates(wanted, &mut found);
        // Elimination, as for networks: names and lines alone may not show whether a reassignment is done.
        while let Some((at, handset)) = candidates.iter().find_map(|(at, handsets)| match handsets[..] {
            [one] => Some((*at, one)),
            _ => None,
        }) {
            candidates.retain(|(other, _)| *other != at);
            if self.taken.contains_key(&handset) {
                found[at] = Some(self.claimed_by_another(wanted[at].entry, handset));
                continue;
            }
            // The only entry and the only handset of a member: the same handset.
            found[at] = Some(self.take(handset, wanted[at].entry.span));
            for (_, others) in &mut candidates {
                if others.len() > 1 {
                    others.retain(|other| *other != handset);
                }
            }
        }
        for (at, handsets) in candidates {
            let entry = wanted[at].entry;
            let shown: Vec<String> = handsets.iter().map(|at| self.describe(*at)).collect();
            let message = format!("this entry may mean {}", shown.join(" or "));
            self.diagnostics
                .error(DiagnosticCode::AmbiguousHandset, entry.span, message)
                .help("add the `id` of the handset; lines alone do not show whether the reassignment is done");
            found[at] = Some(Found::Nothing);
        }
        for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            *found = Some(self.on_no_handset(one));
        }
        let found: Vec<Found> = found.into_iter().map(|found| found.unwrap_or(Found::Nothing)).collect();
        let reported = self.report_same_results(wanted, &found);
        self.report_same_names(wanted, &found, &reported);
        found
    }

    fn by_line_and_name(&mut self, one: &Wanted<'_, '_>) -> Option<Found> {
        let (member, name) = (one.line1?, one.entry.name.as_ref()?);
        let listed = self.listed;
        let is_it = |handset: &Handset| {
            same_member(handset.line1.as_ref(), Some(member)) && handset.is_named(name.value.as_str())
        };
        match self.unclaimed(is_it)[..] {
            [] => {
                let taken = listed.iter().enumerate().filter(|(_, handset)| is_it(handset));
                let first = taken.into_iter().find_map(|(at, _)| self.taken.get(&at).copied())?;
                self.duplicate(one.entry.span, first);
                Some(Found::Nothing)
            }
            [at] => Some(self.take(at, one.entry.span)),
            ref several => {
                let several = several.to_vec();
                self.ambiguous(member, &[one.entry], &several, usize::from(!one.entry.is_absent));
                Some(Found::Nothing)
            }
        }
    }

    /// The handsets that each remaining entry may mean; reports first lines with several entries and handsets.
    fn candidates(&mut self, wanted: &[Wanted<'_, 'r>], found: &mut [Option<Found>]) -> Vec<(usize, Vec<usize>)> {
        let mut by_member: Vec<(&Member, Vec<usize>)> = Vec::new();
        for (at, one) in wanted.iter().enumerate().filter(|(at, _)| found[*at].is_none()) {
            let Some(member) = one.line1 else { continue };
            match by_member.iter_mut().find(|(known, _)| known.is_same(member)) {
                Some((_, entries)) => entries.push(at),
                None => by_member.push((member, vec![at])),
            }
        }
        let mut candidates: Vec<(usize, Vec<usize>)> = Vec::new();
        for (member, entries) in by_member {
            let live = self.unclaimed(|handset| same_member(handset.line1.as_ref(), Some(member)));
            let present = entries.iter().filter(|at| !wanted[**at].entry.is_absent).count();
            match (&entries[..], &live[..]) {
                (_, []) | ([_], [_]) => candidates.extend(entries.iter().map(|at| (*at, live.clone()))),
                // What was reassigned already is the handset there is; the others are still to be added.
                (_, [_]) if let [done] = self.reassigned(wanted, &entries)[..] => candidates.push((done, live)),
                _ => {
                    let meant: Vec<&HandsetEntry> = entries.iter().map(|at| wanted[*at].entry).collect();
                    self.ambiguous(member, &meant, &live, present);
                    for at in entries {
                        found[at] = Some(Found::Nothing);
                    }
                }
            }
        }
        // The handset that has the former line of an entry, until it is updated.
        for (at, handsets) in &mut candidates {
            let Some(former) = &wanted[*at].entry.reassigned_from else { continue };
            let Ok(former_member) = self.members.find(&former.value, self.home) else { continue };
            let has_former = |handset: &Handset| same_member(handset.line1.as_ref(), Some(former_member));
            let live = self.unclaimed(has_former);
            if live.len() > 1 && handsets.is_empty() {
                let shown: Vec<String> = live.iter().map(|at| self.describe(*at)).collect();
                let message = format!("{} have line 1 {}", plural(live.len(), "handset"), former.value);
                self.diagnostics
                    .error(DiagnosticCode::AmbiguousHandset, former.span, message)
                    .help(format!("write the `id` of the handset instead: {}", shown.join(", ")));
                found[*at] = Some(Found::Nothing);
            } else if live.len() == 1 {
                handsets.extend(live);
            } else if handsets.is_empty()
                && let Some(taken) = self.listed.iter().position(has_former)
            {
                // It is the handset of another entry, which the elimination reports.
                handsets.push(taken);
            }
            handsets.sort_unstable();
            handsets.dedup();
        }
        candidates.retain(|(at, handsets)| found[*at].is_none() && !handsets.is_empty());
        candidates
    }

    /// The entries whose former lines have no handset any more.
    fn reassigned(&self, wanted: &[Wanted<'_, 'r>], entries: &[usize]) -> Vec<usize> {
        let is_done = |at: &&usize| {
            let former = wanted[**at].entry.reassigned_from.as_ref();
            let former = former.and_then(|former| self.members.find(&former.value, self.home).ok());
            former.is_some_and(|former| self.listed.iter().all(|live| !same_member(live.line1.as_ref(), Some(former))))
        };
        entries.iter().filter(is_done).copied().collect()
    }

    /// The handset with the former line of an entry is the one of another entry.
    fn claimed_by_another(&mut self, entry: &HandsetEntry, handset: usize) -> Found {
        let message = format!("{} is the handset of another entry", self.describe(handset));
        let mut diagnostic = Diagnostic::error(DiagnosticCode::AmbiguousHandset, message)
            .with_span(entry.reassigned_from.as_ref().map_or(entry.span, |former| former.span))
            .help("add the `id` of the handset to both entries; an entry without `reassignedFrom` adds a handset");
        if let Some(other) = self.taken.get(&handset) {
            diagnostic = diagnostic.with_related(*other, "the other entry");
        }
        self.diagnostics.push(diagnostic);
        Found::Nothing
    }

    fn unclaimed(&self, is_it: impl Fn(&Handset) -> bool) -> Vec<usize> {
        let listed = self.listed.iter().enumerate();
        listed.filter(|(at, handset)| !self.taken.contains_key(at) && is_it(handset)).map(|(at, _)| at).collect()
    }

    fn take(&mut self, at: usize, span: Span) -> Found {
        self.taken.insert(at, span);
        Found::Listed(at)
    }

    fn by_id(&mut self, one: &Wanted<'_, '_>) -> Option<Found> {
        let entry = one.entry;
        let id = entry.id.as_ref()?;
        let same = |handset: &Handset| handset.id.as_ref() == Some(&id.value);
        if let Some(at) = self.listed.iter().position(same) {
            if entry.is_absent && !self.is_as_named(one, at) {
                return Some(Found::Nothing);
            }
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
                let message = format!(
                    "no handset of {:?} has the id {}: already removed, or in another network",
                    self.label, id.value
                );
                Diagnostic::warning(DiagnosticCode::AlreadyAbsent, message)
                    .help("remove the entry, or move it to the network that has the handset")
            }
            None => {
                let message = format!("no handset of {:?} has this id", self.label);
                Diagnostic::error(DiagnosticCode::UnknownHandset, message).help(
                    "`dectl export --include handsets` shows the handsets of all networks; without `id` the entry adds the \
                     handset",
                )
            }
        };
        self.diagnostics.push(diagnostic.with_span(id.span));
        Some(Found::Nothing)
    }

    /// What is written beside the id of a handset that is removed is a check.
    fn is_as_named(&mut self, one: &Wanted<'_, '_>, at: usize) -> bool {
        let handset = &self.listed[at];
        let entry = one.entry;
        let has_other_line = entry.line1.is_some() && !same_member(handset.line1.as_ref(), one.line1);
        let is_named = |name: &str| handset.display_name().is_some_and(|live| same_text(live, name));
        let has_other_name = entry.name.as_ref().is_some_and(|name| !is_named(name.value.as_str()));
        if !has_other_line && !has_other_name {
            return true;
        }
        let span = if has_other_line { entry.line1.as_ref().map(|line| line.span) } else { None };
        let span = span.or_else(|| entry.name.as_ref().map(|name| name.span)).unwrap_or(entry.span);
        let message = format!("the handset with this id is {}", handset.label());
        self.diagnostics
            .error(DiagnosticCode::UnknownHandset, span, message)
            .help("check which of them is meant; a line and a name beside the id of a removed handset are checks");
        false
    }

    fn ambiguous(&mut self, member: &Member, entries: &[&HandsetEntry], live: &[usize], present: usize) {
        let shown: Vec<String> = live.iter().map(|at| self.describe(*at)).collect();
        let message = format!(
            "{} for {}, but {}: {}",
            plural(entries.len(), "entry"),
            member.label(),
            plural(live.len(), "handset"),
            shown.join(", ")
        );
        let help = if present > 0 {
            "add the `id` of the handset to each entry; entries for further handsets have no `id`"
        } else {
            "add the `id` or the `customDisplayName` of the handset that is removed"
        };
        self.diagnostics.error(DiagnosticCode::AmbiguousHandset, entries[0].span, message).help(help);
    }

    fn describe(&self, at: usize) -> String {
        let handset = &self.listed[at];
        let id = handset.id.as_ref().map_or_else(|| "no id".to_owned(), ToString::to_string);
        format!("{} ({id})", handset.display_name().map_or("(unnamed)", |name| &**name))
    }

    /// An entry whose first line, and the former one, are on no handset.
    fn on_no_handset(&mut self, one: &Wanted<'_, '_>) -> Found {
        let entry = one.entry;
        // "Gone already" and "new" would be wrong for a line whose zeros a spreadsheet has removed.
        let former = entry.reassigned_from.as_ref();
        let absent = entry.line1.as_ref().filter(|_| entry.is_absent && one.line1.is_none());
        if let Some(written) = former.or(absent) {
            let is_it = |member: &&Member| has_lost_characters(&written.value, member);
            let found = self.listed.iter().filter_map(|handset| handset.line1.as_ref()).find(is_it);
            if let Some(member) = found {
                let line = member.extension.as_deref().or(member.number.as_deref()).unwrap_or_default();
                let message = format!(
                    "no handset of {:?} has line 1 {}, but one has {line} ({})",
                    self.label,
                    written.value,
                    member.name()
                );
                self.diagnostics
                    .error(DiagnosticCode::LeadingZerosLost, written.span, message)
                    .help("write the line as text, with its leading zeros and its `+`, which spreadsheets remove");
                return Found::Nothing;
            }
        }
        let line = entry.line1.as_ref().map(|line| line.value.to_string()).unwrap_or_default();
        if entry.is_absent {
            let name = entry.name.as_ref().map(|name| format!(" and the name {:?}", name.value.as_str()));
            let name = name.unwrap_or_default();
            let message = format!("no handset of {:?} has line 1 {line}{name}: nothing to remove", self.label);
            let is_on = |handset: &&Handset| one.line1.is_some() && same_member(handset.line1.as_ref(), one.line1);
            let others: Vec<String> = self.listed.iter().filter(is_on).map(Handset::label).collect();
            let claimed = if name.is_empty() { "another entry's" } else { "left alone" };
            let others = match others.len() {
                0 => String::new(),
                1 => format!("; {} is {claimed}", others[0]),
                _ => format!("; {} are {claimed}", others.join(", ")),
            };
            self.diagnostics
                .warning(DiagnosticCode::AlreadyAbsent, entry.span, message + &others)
                .help("remove the entry, unless another handset was meant");
            return Found::Nothing;
        }
        if let Some(former) = &entry.reassigned_from {
            let message = format!("no handset of {:?} has line 1 {}; a new one is added", self.label, former.value);
            self.diagnostics
                .warning(DiagnosticCode::UnknownHandset, former.span, message)
                .help("remove `reassignedFrom` if the handset is new");
        }
        Found::Added
    }

    /// Two entries that leave handsets of one line and one name, of which one has no id: the next plan could not tell them
    /// apart. The same holds for a removal by line and name.
    fn report_same_results(&mut self, wanted: &[Wanted<'_, '_>], found: &[Found]) -> HashSet<usize> {
        let mut results: HashMap<(String, String), Vec<&HandsetEntry>> = HashMap::new();
        let (mut reported, listed) = (HashSet::new(), self.listed);
        for (at, (one, found)) in wanted.iter().zip(found).enumerate() {
            let entry = one.entry;
            let live = match found {
                Found::Nothing => continue,
                Found::Listed(live) => Some(&listed[*live]),
                Found::Added => None,
            };
            let given = entry.name.as_ref().map(|name| name.value.as_str());
            let name = given.or_else(|| live.and_then(Handset::display_name).map(|name| &**name));
            let line1 = one.line1.or_else(|| live.and_then(|live| live.line1.as_ref()));
            let is_free = entry.is_absent && entry.id.is_some();
            let (Some(line1), Some(name), false) = (line1, name, is_free || entry.is_recorded) else { continue };
            let line = line1.id.as_ref().map_or_else(|| line1.line().to_owned(), ToString::to_string);
            let equal = results.entry((line, nfc(name))).or_default();
            let is_apart =
                |other: &HandsetEntry| entry.id.is_some() && other.id.is_some() || entry.is_absent && other.is_absent;
            match equal.iter().find(|other| !is_apart(other)) {
                Some(first) => {
                    reported.insert(at);
                    self.duplicate(entry.span, first.span);
                }
                None => equal.push(entry),
            }
        }
        reported
    }

    /// A handset that would be added while an unmanaged one has its name is probably that one.
    fn report_same_names(&mut self, wanted: &[Wanted<'_, '_>], found: &[Found], reported: &HashSet<usize>) {
        let is_asked_for = |one: &Wanted<'_, '_>, found: &Found| {
            *found == Found::Added && !one.entry.is_recorded && !one.entry.is_absent
        };
        let added = wanted.iter().zip(found).enumerate().filter(|(at, _)| !reported.contains(at));
        for (_, (one, _)) in added.filter(|(_, (one, found))| is_asked_for(one, found)) {
            let Some(name) = &one.entry.name else { continue };
            let same = self.unclaimed(|handset| handset.is_named(name.value.as_str()));
            let Some(at) = same.first() else { continue };
            let handset = &self.listed[*at];
            let line = handset.line1.as_ref().map_or("(none)", Member::line);
            let id = handset.id.as_ref().map(|id| format!(" or `id: {id}`")).unwrap_or_default();
            let message = format!(
                "{:?} would be added, but an unmanaged handset with line 1 {line} has this name",
                name.value.as_str()
            );
            self.diagnostics
                .error(DiagnosticCode::NearName, name.span, message)
                .help(format!("is it this one? add `reassignedFrom: \"{line}\"`{id}; otherwise choose another name"));
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
        self.diagnostics
            .error(DiagnosticCode::MissingId, entry.span, message)
            .help("change it in Control Hub, or remove the entry");
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
        self.check_same_lines(entry, after.line1.as_ref(), after.line2.as_ref());
        if !same_member(after.line1.as_ref(), live.line1.as_ref()) {
            self.check_first_line(entry, after.line1.as_ref())?;
        }
        let is_complete = after.custom_name.is_some() && after.line1.as_ref().is_some_and(|line| line.id.is_some());
        if !is_complete {
            let field = if after.custom_name.is_none() { "customDisplayName" } else { "line1" };
            let message = format!("the update of handset {} requires `{field}`, and Webex lists none", live.label());
            self.diagnostics
                .error(DiagnosticCode::MissingSetting, entry.span, message)
                .help(format!("add `{field}` to this entry"));
            return None;
        }
        if let Some(line) = live.line2.as_ref().filter(|line| line.id.is_none() && entry.line2.is_none()) {
            let message = format!("the second line {} of {} is listed without a member id", line.line(), live.label());
            self.diagnostics
                .error(DiagnosticCode::MissingId, entry.span, message)
                .help("add `line2` to this entry, since an update without it would remove the line");
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
                self.diagnostics.push(self.members.report("line 2", wanted, self.home, &reason, line.span));
                None
            }
        }
    }

    fn check_same_lines(&mut self, entry: &HandsetEntry, line1: Option<&Member>, line2: Option<&Member>) {
        let (Some(line1), Some(line2)) = (line1, line2) else { return };
        if line1.is_same(line2) {
            let span = entry.line2.as_ref().map_or(entry.span, |line| line.span);
            self.diagnostics
                .warning(
                    DiagnosticCode::DuplicateHandset,
                    span,
                    format!("both lines of a handset are {}", line1.label()),
                )
                .help("correct one of them, unless it is intended");
        }
    }

    fn check_first_line(&mut self, entry: &HandsetEntry, member: Option<&Member>) -> Option<()> {
        let member = member.filter(|member| member.kind == MemberKind::VirtualLine);
        let Some(member) = member else { return Some(()) };
        let span = entry.line1.as_ref().map_or(entry.span, |line| line.span);
        let message = format!("{} is a virtual line, which can only be line 2", member.label());
        self.diagnostics
            .error(DiagnosticCode::UnknownMember, span, message)
            .help("write a person or a workspace as `line1`, and the virtual line as `line2`");
        None
    }

    fn addition(&mut self, one: &Wanted<'_, '_>) -> Option<HandsetChange> {
        let entry = one.entry;
        let Some(name) = &entry.name else {
            let line = entry.line1.as_ref().map(|line| line.value.to_string()).unwrap_or_default();
            self.diagnostics
                .error(
                    DiagnosticCode::MissingSetting,
                    entry.span,
                    format!("adding a handset with line 1 {line} requires `customDisplayName`"),
                )
                .help("add the name that it displays, 1 to 16 characters");
            return None;
        };
        self.check_first_line(entry, one.line1)?;
        let line2 = match &entry.line2 {
            Some(line) => self.second_line(line)?,
            None => None,
        };
        self.check_same_lines(entry, one.line1, line2.as_ref());
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
        let adds = |change: &&HandsetChange| count(&change.after) > count(&change.before);
        let Some(last) = updates.iter().chain(additions).rfind(adds).filter(|_| after > listed) else {
            return;
        };
        if after > max {
            let message = format!("{label:?} would have {}, a {model} has at most {max}", plural(after, "line"));
            self.diagnostics
                .error(DiagnosticCode::TooManyLines, last.span, message)
                .help("remove some handsets with `state: absent`, or spread them over several networks");
        } else if after > DOUBTFUL_LINES && model == NetworkModel::Dbs210 {
            let message = format!(
                "{label:?} would have {}; some documents of Cisco mention a limit of {DOUBTFUL_LINES}",
                plural(after, "line")
            );
            self.diagnostics
                .warning(DiagnosticCode::TooManyLines, last.span, message)
                .help("Webex decides; the result of each handset is reported");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{DeviceList, HandsetId, MemberId, Network, NetworkId};
    use crate::plan::build;
    use crate::plan::samples;

    fn member(line: &str) -> Member {
        let location = Some(LocationId::new("l"));
        Member { extension: Some(line.into()), location, ..Member::of_id(MemberId::new(format!("m{line}"))) }
    }

    /// `id name line1 line2`.
    fn listed(text: &str) -> Handset {
        let parts: Vec<&str> = text.split(' ').collect();
        Handset {
            id: Some(HandsetId::new(parts[0])),
            custom_name: Some(parts[1].into()),
            default_name: None,
            line1: parts.get(2).map(|line| member(line)),
            line2: parts.get(3).map(|line| member(line)),
            last_registration: None,
        }
    }

    /// What a plan does for entries of one network: `+name lines`, `~id name lines`, `-id`; or the code of its first error.
    fn planned(entries: &[&str], handsets: &[&str]) -> String {
        let entries: String = entries.iter().map(|entry| format!("          - {{ {entry} }}\n")).collect();
        let (desired, sources) = samples::file(&format!("      - name: Net\n        handsets:\n{entries}"));
        let mut live = samples::live(&[("n", "Net")]);
        let at = live.find(&NetworkId::new("n")).expect("the network");
        live.set_devices(at, DeviceList::Handsets(handsets.iter().map(|text| listed(text)).collect()));
        live.set_members(LocationId::new("l"), (1..=9).map(|line: u32| member(&line.to_string())).collect());
        let plan = match build(&desired, &live, &sources) {
            Ok(plan) => plan,
            Err(errors) => return errors.iter().next().map(|error| error.code.as_str().to_owned()).unwrap_or_default(),
        };
        let words = |handset: &Handset| {
            let lines = handset.lines().map(Member::line).collect::<Vec<_>>();
            format!("{} {}", handset.custom_name.as_deref().unwrap_or("-"), lines.join(" "))
        };
        let id = |handset: &Handset| handset.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let changes = plan.changes.iter().map(|change| match (change.handset_before(), change.handset_after()) {
            (None, Some(added)) => format!("+{}", words(added)),
            (Some(before), Some(after)) => format!("~{} {}", id(before), words(after)),
            (Some(before), None) => format!("-{}", id(before)),
            (None, None) => String::new(),
        });
        changes.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_full_network_is_reported_at_the_last_handset_that_takes_a_line() {
        let entries = "          - {line1: '1', customDisplayName: X}\n          - {id: h1, customDisplayName: Z}\n";
        let (desired, sources) = samples::file(&format!("      - id: 'n'\n        handsets:\n{entries}"));
        let model = Some("DBS110".into());
        let named = samples::live(&[("n", "Net")]);
        let network = Network { model, ..named.networks().next().expect("the network").1.clone() };
        let mut live = LiveState::new([(Arc::from("L"), network)]);
        let at = live.find(&NetworkId::new("n")).expect("the network");
        let handsets = (1..=30).map(|number: u32| listed(&format!("h{number} N{number} {}", 100 + number)));
        live.set_devices(at, DeviceList::Handsets(handsets.collect()));
        live.set_members(LocationId::new("l"), vec![member("1")]);
        let errors = build(&desired, &live, &sources).expect_err("a line too many");
        let errors: Vec<_> = errors
            .iter()
            .map(|error| (error.message.as_str(), error.span.map(|span| sources.resolve(span).line)))
            .collect();
        assert_eq!(errors, [("\"Net\" would have 31 lines, a DBS110 has at most 30", Some(7))]);
    }

    #[test]
    fn an_entry_means_a_handset_by_id_by_line_and_name_or_by_elimination() {
        #[rustfmt::skip]
        let cases: &[(&[&str], &[&str], &str)] = &[
            // entries, listed, what is planned
            (&["id: x, customDisplayName: B"], &["x A 1"], "~x B 1"),
            (&["id: z, customDisplayName: B"], &["x A 1"], "unknown-handset"),
            (&["line1: '1', customDisplayName: A"], &["x A 1"], ""),
            (&["line1: '1', customDisplayName: A, line2: '2'"], &["x A 1", "z B 1"], "~x A 1 2"),
            // The only handset of a member gets the name; a second entry or handset leaves it open.
            (&["line1: '1', customDisplayName: B"], &["x A 1"], "~x B 1"),
            (&["line1: '1', customDisplayName: C"], &["x A 1", "z B 1"], "ambiguous-handset"),
            (&["line1: '1', customDisplayName: B", "line1: '1', customDisplayName: C"], &["x A 1"], "ambiguous-handset"),
            (&["line1: '1', customDisplayName: A", "line1: '1', customDisplayName: C"], &["x A 1", "z B 1"], "~z C 1"),
            (&["line1: '1', customDisplayName: A", "line1: '1', customDisplayName: C"], &["x A 1"], "+C 1"),
            // None of its member: it is added, unless one that no entry names has its name.
            (&["line1: '1', customDisplayName: A"], &["x B 2"], "+A 1"),
            (&["line1: '1', customDisplayName: B"], &["x B 2"], "near-name"),
            (&["line1: '1'"], &["x B 2"], "missing-setting"),
            // The former line, until it is given up; harmless afterwards.
            (&["line1: '1', reassignedFrom: '2'"], &["x B 2"], "~x B 1"),
            (&["line1: '1', reassignedFrom: '2', customDisplayName: B"], &["x B 1"], ""),
            (&["line1: '1', reassignedFrom: '2', customDisplayName: C"], &["x B 3"], "+C 1"),
            (&["line1: '1', reassignedFrom: '2'"], &["x A 2", "z B 2"], "ambiguous-handset"),
            (&["line1: '1', reassignedFrom: '2'", "line1: '3', reassignedFrom: '1'"], &["x A 2", "z B 1"], "~x A 1, ~z B 3"),
            // What is gone already claims no other one.
            (&["line1: '1', customDisplayName: A, state: absent"], &["x A 1"], "-x"),
            (&["line1: '1', customDisplayName: A, state: absent"], &["x B 1"], ""),
            (&["line1: '1', customDisplayName: A", "id: x, line1: '1'"], &["x A 1"], "duplicate-handset"),
        ];
        for (entries, handsets, expected) in cases {
            assert_eq!(planned(entries, handsets), *expected, "{entries:?} {handsets:?}");
        }
    }
}
