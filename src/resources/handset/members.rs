//! Finds the members that files name: on the lines of handsets that were read, and among those that Webex offers.

use std::collections::HashMap;

use crate::desired::model::{Desired, HandsetEntry, LineRef, NetworkEntry, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Span, quoted_list, suggest};
use crate::model::{LiveState, LocationId, Member, MemberId, NameKey};
use crate::plan::Scope;
use crate::plan::matching::Managed;

/// The known members by what files may call them.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    live: &'a LiveState,
    by_id: HashMap<&'a MemberId, &'a Member>,
    by_extension: HashMap<(&'a LocationId, &'a str), Vec<&'a Member>>,
    /// The same by the extension alone.
    by_bare_extension: HashMap<&'a str, Vec<&'a Member>>,
    by_number: HashMap<String, Vec<&'a Member>>,
    locations: HashMap<NameKey, Vec<&'a LocationId>>,
}

/// Why a line is not that of one member.
pub(crate) enum NotFound<'a> {
    /// No known member has it.
    Nowhere,
    /// Several members have it.
    Several(Vec<&'a Member>),
    /// The location beside an extension is not known, or is not one.
    Location(String),
}

impl<'a> Members<'a> {
    pub(crate) fn of(live: &'a LiveState) -> Self {
        let mut members = Self {
            live,
            by_id: HashMap::new(),
            by_extension: HashMap::new(),
            by_bare_extension: HashMap::new(),
            by_number: HashMap::new(),
            locations: HashMap::new(),
        };
        for (_, location) in live.locations() {
            members.locations.entry(NameKey::of(&location.name)).or_default().push(&location.id);
        }
        for member in live.known_members() {
            let Some(id) = &member.id else { continue };
            if members.by_id.insert(id, member).is_some() {
                continue;
            }
            if let (Some(location), Some(extension)) = (&member.location, &member.extension) {
                members.by_extension.entry((location, extension)).or_default().push(member);
            }
            if let Some(extension) = &member.extension {
                members.by_bare_extension.entry(extension).or_default().push(member);
            }
            if let Some(number) = &member.number {
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                members.by_number.entry(digits).or_default().push(member);
            }
        }
        members
    }

    /// The member of a line in a network of the location `home`.
    pub(crate) fn find(&self, line: &LineRef, home: &'a LocationId) -> Result<&'a Member, NotFound<'a>> {
        let found = match line {
            LineRef::Member(id) => return self.by_id.get(id).copied().ok_or(NotFound::Nowhere),
            LineRef::Number(digits) => self.by_number.get(&**digits),
            LineRef::Extension { extension, location } => {
                let location = match location {
                    Some(name) => self.location(name)?,
                    None => home,
                };
                self.by_extension.get(&(location, &**extension))
            }
        };
        match found.map(Vec::as_slice) {
            Some([member]) => Ok(member),
            None | Some([]) => Err(NotFound::Nowhere),
            Some(several) => Err(NotFound::Several(several.to_vec())),
        }
    }

    /// The location with this name or id.
    fn location(&self, name: &str) -> Result<&'a LocationId, NotFound<'a>> {
        match self.locations.get(&NameKey::of(name)).map(Vec::as_slice) {
            Some([location]) => return Ok(location),
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                let message =
                    format!("{} locations are named {name:?}; specify the id: {}", ids.len(), ids.join(" or "));
                return Err(NotFound::Location(message));
            }
            None => {}
        }
        match self.live.find_location(&LocationId::new(name)) {
            Some(at) => Ok(&self.live.location(at).id),
            None => Err(NotFound::Location(format!("no location is named {name:?}"))),
        }
    }

    /// Says that a line is not that of one member, and which one may be meant.
    pub(crate) fn report(
        &self,
        field: &str,
        line: &LineRef,
        home: &LocationId,
        reason: &NotFound<'_>,
        span: Span,
    ) -> Diagnostic {
        match reason {
            NotFound::Location(message) => {
                let names = || self.live.locations().map(|(_, location)| &*location.name);
                let help = match line {
                    LineRef::Extension { location: Some(name), .. } => suggest(name, names()),
                    _ => Vec::new(),
                };
                let help = if help.is_empty() {
                    format!("locations: {}", quoted_list(names(), 8))
                } else {
                    format!("did you mean {}?", quoted_list(help, 3))
                };
                Diagnostic::error(DiagnosticCode::UnknownLocation, message.clone()).with_span(span).help(help)
            }
            NotFound::Several(members) => {
                let ids: Vec<String> = members
                    .iter()
                    .filter_map(|member| Some(format!("{} ({})", member.id.as_ref()?, member.name())))
                    .collect();
                let message = format!("{} members have the line {line}", members.len());
                Diagnostic::error(DiagnosticCode::AmbiguousHandset, message)
                    .with_span(span)
                    .help(format!("write the id of the member: {}", ids.join(" or ")))
            }
            NotFound::Nowhere => {
                let place = match line {
                    LineRef::Extension { location: Some(name), .. } => name.to_string(),
                    _ => {
                        let at = self.live.find_location(home);
                        at.map_or_else(|| home.to_string(), |at| self.live.location(at).name.to_string())
                    }
                };
                let message =
                    format!("{field} {line} is not among the members that Webex offers for a handset in {place:?}");
                Diagnostic::error(DiagnosticCode::UnknownMember, message).with_span(span).help(self.near(line, home))
            }
        }
    }

    /// The members that may be meant.
    fn near(&self, line: &LineRef, home: &LocationId) -> String {
        let asked = match line {
            LineRef::Extension { location: Some(name), .. } => self.location(name).ok().unwrap_or(home),
            _ => home,
        };
        let text = match line {
            LineRef::Extension { extension, .. } => extension.to_string(),
            LineRef::Number(digits) => digits.to_string(),
            LineRef::Member(id) => id.to_string(),
        };
        // A number without its `+`, or one of another location.
        let elsewhere = match line {
            LineRef::Extension { extension, location: None } => {
                let same = self.by_bare_extension.get(&**extension).and_then(|members| members.first());
                let number = self.by_number.get(&text).and_then(|members| members.first());
                let in_number = number.and_then(|member| member.number.as_deref());
                match (in_number, same.and_then(|member| member.location_name.as_deref())) {
                    (Some(number), _) => Some(format!("did you mean the phone number {number:?}?")),
                    (None, Some(location)) => Some(format!(
                        "a member of {location:?} has it: write {{ extension: \"{extension}\", location: {location} }}, or in a table \
                         {location} as the location of the line"
                    )),
                    (None, None) => None,
                }
            }
            _ => None,
        };
        if let Some(elsewhere) = elsewhere {
            return elsewhere;
        }
        // A line that differs by more is another line, and a guess at it would give away the calls of a member.
        let offered = |digits: &String| -> Option<String> {
            let member = match line {
                LineRef::Extension { .. } => self.by_extension.get(&(asked, &**digits)).and_then(|found| found.first()),
                LineRef::Number(_) => self.by_number.get(digits).and_then(|found| found.first()),
                LineRef::Member(_) => None,
            }?;
            let shown = match line {
                LineRef::Number(_) => member.number.as_deref().unwrap_or_default(),
                _ => digits,
            };
            Some(format!("{shown} ({})", member.name()))
        };
        let named: Vec<String> = match line {
            LineRef::Member(_) => Vec::new(),
            _ => near_numbers(&text).iter().filter_map(offered).take(3).collect(),
        };
        if named.is_empty() {
            "members appear once they have a Webex Calling licence and a number or extension; check the line in Control \
             Hub, or write the location beside the extension of another location"
                .to_owned()
        } else {
            format!("did you mean {}?", named.join(" or "))
        }
    }
}

/// The numbers that a number is easily mistaken for: zeros in front of it, one wrong digit, two that are swapped.
fn near_numbers(text: &str) -> Vec<String> {
    let digits = text.as_bytes();
    let bare = text.trim_start_matches('0');
    let zeros = (0..=3).map(|zeros| format!("{}{bare}", "0".repeat(zeros))).collect::<Vec<_>>();
    let swapped = (1..digits.len()).filter(|at| digits[at - 1] != digits[*at]).map(|at| {
        let mut other = digits.to_vec();
        other.swap(at - 1, at);
        String::from_utf8_lossy(&other).into_owned()
    });
    let replaced = (0..digits.len()).flat_map(|at| (b'0'..=b'9').map(move |digit| (at, digit))).map(|(at, digit)| {
        let mut other = digits.to_vec();
        other[at] = digit;
        String::from_utf8_lossy(&other).into_owned()
    });
    zeros.into_iter().chain(swapped).chain(replaced).filter(|near| near != text && !near.is_empty()).collect()
}

/// Whether a spreadsheet may have made `written` from the line of a member: without its leading zeros or its `+`.
pub(crate) fn has_lost_characters(written: &LineRef, member: &Member) -> bool {
    let written = match written {
        LineRef::Extension { extension, .. } => &**extension,
        LineRef::Number(digits) => digits,
        LineRef::Member(_) => return false,
    };
    // Of zeros only, one remains.
    let bare = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        match digits.trim_start_matches('0') {
            "" if !digits.is_empty() => "0".to_owned(),
            rest => rest.to_owned(),
        }
    };
    let lines = member.extension.iter().chain(&member.number);
    !written.is_empty() && lines.into_iter().any(|line| bare(line) == bare(written))
}

/// The locations beside extensions that are not known yet.
pub fn unknown_line_locations<'a>(desired: &'a Desired, live: &LiveState) -> Vec<&'a str> {
    let members = Members { by_id: HashMap::new(), ..Members::of(live) };
    let entries = desired.entries().flat_map(|entry| entry.devices.handsets.iter().flatten());
    let names = entries.flat_map(HandsetEntry::lines).filter_map(|line| match line {
        LineRef::Extension { location: Some(name), .. } => Some(&**name),
        _ => None,
    });
    let mut unknown: Vec<&str> =
        names.filter(|name| matches!(members.location(name), Err(NotFound::Location(_)))).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

/// The locations whose members must be read: those of lines that no known member has.
pub(crate) fn locations_to_read(managed: &[Managed<'_>], scope: &Scope, live: &LiveState) -> Vec<LocationId> {
    let members = Members::of(live);
    let mut locations = Vec::new();
    for managed in managed {
        let location = live.location(managed.location);
        let in_scope = |entry: &NetworkEntry, name: &str| scope.includes_any_name(&location.name, entry.names(name));
        let matched =
            managed.networks.iter().filter(|(at, group)| in_scope(group.primary, &live.network(*at).settings.name));
        let created = managed.created.iter().filter(|(_, group)| in_scope(group.primary, group.primary.label()));
        let groups = matched.map(|(_, group)| group).chain(created.map(|(_, group)| group));
        let entries =
            groups.flat_map(|group| group.entries()).flat_map(|entry| entry.devices.handsets.iter().flatten());
        for entry in entries.filter(|entry| !entry.is_absent) {
            let second = entry.line2.as_ref().and_then(|line| line.value.as_ref());
            for line in entry.line1.iter().map(|line: &Spanned<LineRef>| &line.value).chain(second) {
                if let Err(NotFound::Nowhere) = members.find(line, &location.id) {
                    let asked = match line {
                        LineRef::Extension { location: Some(name), .. } => members.location(name).ok(),
                        _ => Some(&location.id),
                    };
                    locations.extend(asked.cloned());
                }
            }
        }
    }
    locations.sort();
    locations.dedup();
    // Those that were read have no such member.
    locations.retain(|location| live.members(location).is_none());
    locations
}
