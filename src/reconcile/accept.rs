//! Takes live values over into the files that ask for others: what was changed elsewhere, and rightly.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::error::Error;
use super::inputs::{CodeResolution, InputOptions, Inputs};
use super::prepare::{Details, expand_rules, read_details};
use crate::client::{ApiClient, Priority};
use crate::desired::model::{LineNames, NetworkEntry, Origin};
use crate::desired::{Edit, Input, NewValue, Written, edit, writable_settings};
use crate::diagnostic::{Diagnostics, Severity, Span};
use crate::model::{HandsetName, LiveState, LocationId, Setting, SettingSet};
use crate::plan::model::{Field, FieldValue, ResourceState, changed_fields};
use crate::plan::{self, Difference, Matches, Scope};

/// Files with live values, and what they cannot take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The files that change.
    pub files: Vec<AcceptedFile>,
    /// Number of values that were taken over.
    pub values: usize,
    /// Differences that stay, in words.
    pub left: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFile {
    /// As it was named.
    pub name: String,
    pub before: String,
    pub after: String,
}

/// Reads the live state and takes over those values of `fields` (of all without) that differ. Access codes from the
/// environment or other files are not compared.
///
/// Every edit is proven: read again, the files differ from the live state in everything but what was taken over, and they ask
/// for the same as before everywhere else, in scope or not.
///
/// # Errors
/// If a read fails, the scope matches nothing, or the run is stopped.
pub async fn accept_live(
    texts: &[Input],
    inputs: &Inputs,
    fields: &[String],
    scope: &Scope,
    client: &ApiClient,
) -> Result<Accepted, Error> {
    let live = client.list_networks(Priority::Normal).await?;
    let Details { live, unread, .. } = read_details(inputs, scope, live, client, async |_, _| Ok(())).await?;
    if !unread.is_empty() {
        return Err(Error::DevicesUnreadable(unread));
    }
    let differing = differing(inputs, fields, scope, &live)?;
    let mut acceptance = Acceptance::begin(texts, inputs, &differing, scope, &live);
    while acceptance.step() {
        // A signal is heard in between.
        client.wait_as(Priority::Normal, Duration::from_millis(1)).await;
        if client.is_stopped(Priority::Normal) {
            return Err(Error::Stopped);
        }
    }
    Ok(acceptance.finish())
}

/// The same from a given live state.
///
/// # Errors
/// If the scope matches nothing.
pub fn accept(
    texts: &[Input],
    inputs: &Inputs,
    fields: &[String],
    scope: &Scope,
    live: &LiveState,
) -> Result<Accepted, Error> {
    let differing = differing(inputs, fields, scope, live)?;
    let mut acceptance = Acceptance::begin(texts, inputs, &differing, scope, live);
    while acceptance.step() {}
    Ok(acceptance.finish())
}

/// What differs in scope.
struct Differing {
    keys: Vec<Key>,
    /// The edits that would take over the differences.
    edits: Vec<Taken>,
    /// The differences that no edit can take over, in words.
    left: Vec<String>,
}

fn differing(inputs: &Inputs, fields: &[String], scope: &Scope, live: &LiveState) -> Result<Differing, Error> {
    let requested_names = inputs.desired.entries().filter_map(|entry| entry.desired.name.as_ref());
    Error::check_scope(scope, live, requested_names.map(|name| name.as_str()))?;
    let (differences, contradictions) = compare(inputs, scope, live);
    let keys = keys(&differences, &contradictions);
    let (edits, mut left) = edits(&differences, fields, inputs, live);
    left.extend(contradictions);
    Ok(Differing { keys, edits, left })
}

/// Edits that are being proven, in halves: what is not proven together is tried apart, since one of them may have a meaning
/// elsewhere, as the value of an anchor has.
struct Acceptance<'a> {
    texts: &'a [Input],
    scope: &'a Scope,
    live: &'a LiveState,
    /// What differs before, and what each entry asks for.
    before: &'a [Key],
    asked: Vec<Asked>,
    /// The entries that share their text with no other one.
    alone: HashSet<Span>,
    made: Vec<&'a Taken>,
    /// Still to be proven; the last ones next.
    open: Vec<Vec<&'a Taken>>,
    left: Vec<String>,
}

impl<'a> Acceptance<'a> {
    fn begin(
        texts: &'a [Input],
        inputs: &Inputs,
        differing: &'a Differing,
        scope: &'a Scope,
        live: &'a LiveState,
    ) -> Self {
        let asked = asked(inputs);
        let mut entries: HashMap<Span, usize> = HashMap::new();
        for asked in &asked {
            *entries.entry(asked.entry).or_default() += 1;
        }
        let (possible, refused) = possible(texts, &differing.edits);
        let mut left = differing.left.clone();
        left.extend(refused.into_iter().map(|(taken, why)| format!("{}: {why}", taken.label)));
        Self {
            texts,
            scope,
            live,
            before: &differing.keys,
            asked,
            alone: entries.into_iter().filter(|(_, count)| *count == 1).map(|(entry, _)| entry).collect(),
            made: Vec::new(),
            open: vec![possible],
            left,
        }
    }

    /// Proves some of the edits, or finds out that they are not proven together; whether there are more.
    fn step(&mut self) -> bool {
        let Some(tried) = self.open.pop() else { return false };
        let together: Vec<&Taken> = self.made.iter().chain(&tried).copied().collect();
        if tried.is_empty() || self.is_proven(&together) {
            self.made = together;
        } else if let [one] = tried[..] {
            self.left.push(format!("{}: an edit would change more than this value", one.label));
        } else {
            let (first, second) = tried.split_at(tried.len() / 2);
            self.open.extend([second.to_vec(), first.to_vec()]);
        }
        !self.open.is_empty()
    }

    fn is_proven(&self, made: &[&Taken]) -> bool {
        let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
        let Ok(after) = Inputs::from_texts(edited(self.texts, made), Diagnostics::new(), options) else { return false };
        let (differences, contradictions) = compare(&after, self.scope, self.live);
        let gone: HashSet<&Key> = made.iter().map(|taken| &taken.key).collect();
        let expected = self.before.iter().filter(|key| !gone.contains(key));
        keys(&differences, &contradictions).iter().eq(expected) && self.is_same_elsewhere(&after, made)
    }

    /// Whether every entry asks for the same as before, but for what was taken over. Of entries that share their text, as an
    /// alias does, none may change alone.
    fn is_same_elsewhere(&self, after: &Inputs, made: &[&Taken]) -> bool {
        let alone = made.iter().filter(|taken| self.alone.contains(&taken.edit.entry));
        let taken: HashSet<(Span, &str)> = alone.map(|taken| (taken.edit.entry, taken.edit.field)).collect();
        let after = asked(after);
        let is_same = |(before, after): (&Asked, &Asked)| {
            let values = before.values.iter().zip(&after.values);
            values.into_iter().all(|((field, before_it), (_, after_it))| {
                before_it == after_it || taken.contains(&(before.entry, *field))
            })
        };
        self.asked.len() == after.len() && self.asked.iter().zip(&after).all(is_same)
    }

    fn finish(self) -> Accepted {
        let edited = edited(self.texts, &self.made);
        let changed = self.texts.iter().zip(edited).filter(|(before, after)| before.text != after.text);
        let files = changed.map(|(before, after)| AcceptedFile {
            name: before.name.clone(),
            before: before.text.clone(),
            after: after.text,
        });
        Accepted { files: files.collect(), values: self.made.len(), left: self.left }
    }
}

/// What an entry of a network or of a handset asks for, wherever the value comes from.
struct Asked {
    entry: Span,
    values: Vec<(&'static str, Option<String>)>,
}

fn asked(inputs: &Inputs) -> Vec<Asked> {
    let of_entry = |entry: &NetworkEntry| {
        let desired = &entry.desired;
        let settings = [
            ("name", desired.name.as_ref().map(|name| name.as_str().to_owned())),
            ("displayName", desired.display_name.as_ref().map(|name| name.as_str().to_owned())),
            ("defaultAccessCodeEnabled", desired.code_enabled.map(|is_enabled| is_enabled.to_string())),
            ("defaultAccessCode", desired.code.map(|code| code.to_code_text().expose_secret().to_owned())),
        ];
        let values = settings.into_iter().chain(entry.devices.asked()).collect();
        let things = entry.devices.asked_of_things().map(|(entry, values)| Asked { entry, values });
        std::iter::once(Asked { entry: entry.span(), values }).chain(things).collect::<Vec<_>>()
    };
    inputs.desired.entries().flat_map(of_entry).collect()
}

/// A value that a file can take over.
struct Taken {
    edit: Edit,
    key: Key,
    label: String,
}

/// What tells a difference from all others, however the files are written: network, device, field, and what was asked for.
type Key = (String, String, &'static str, Option<String>);

fn keys(differences: &[Difference], contradictions: &[String]) -> Vec<Key> {
    let of_difference = differences.iter().flat_map(|difference| {
        let fields = changed_fields(difference.live.as_ref(), difference.asked.as_ref());
        fields.into_iter().map(|field| key(difference, field))
    });
    let others = contradictions.iter().map(|message| (message.clone(), String::new(), "", None));
    let mut keys: Vec<Key> = of_difference.chain(others).collect();
    keys.sort();
    keys
}

fn key(difference: &Difference, field: &Field) -> Key {
    let Difference { location, network, live, asked, .. } = difference;
    let thing = live.as_ref().or(asked.as_ref());
    let device = thing.map(|state| state.describe()).unwrap_or_default();
    let asked = field.of(asked.as_ref()).map(|value| value.expose_secret());
    (format!("{}/{network}", location.id), device, field.name, asked)
}

/// All differences, and what contradicts the live state otherwise, in words.
fn compare(inputs: &Inputs, scope: &Scope, live: &LiveState) -> (Vec<Difference>, Vec<String>) {
    let mut diagnostics = Diagnostics::new();
    let matches = Matches::of(&inputs.desired, live);
    let expanded = expand_rules(&inputs.desired, &matches, scope, live, &mut diagnostics);
    let matches = expanded.as_ref().map_or(matches, |expanded| Matches::of(expanded, live));
    let (differences, contradictions) = plan::differences(&matches, scope, live);
    diagnostics.extend(contradictions);
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let errors = errors.map(|error| match error.span.map(|span| inputs.sources.resolve(span)) {
        Some(at) => format!("{}:{}: {}", at.file, at.line, error.message),
        None => error.message.clone(),
    });
    (differences, errors.collect())
}

/// The edits that would take over all differences of these fields, and the differences that none can.
fn edits(
    differences: &[Difference],
    fields: &[String],
    inputs: &Inputs,
    live: &LiveState,
) -> (Vec<Taken>, Vec<String>) {
    let (mut edits, mut left, lines) = (Vec::new(), Vec::new(), LineNames::of(live));
    for difference in differences {
        let Difference { location, network, origin, live: now, asked } = difference;
        let place = format!("{:?}/{network:?}", location.name);
        let (Some(now), Some(_)) = (now, asked) else {
            let state = now.as_ref().or(asked.as_ref());
            let thing = state.filter(|state| state.settings().is_none());
            let thing = thing.map(|state| format!(" {}", state.describe())).unwrap_or_default();
            if fields.is_empty() {
                let why = if now.is_some() { "is to be deleted, and is still there" } else { "does not exist" };
                left.push(format!("{place}{thing}: {why}"));
            }
            continue;
        };
        let is_wanted = |field: &&&Field| fields.is_empty() || fields.iter().any(|name| name == field.name);
        for field in changed_fields(Some(now), asked.as_ref()).iter().filter(is_wanted) {
            let label = match now.handset() {
                Some(handset) => format!("{place} handset {}: `{}`", handset.label(), field.name),
                None => format!("{place}: `{}`", field.name),
            };
            let span = match origin {
                Origin::File(span) => *span,
                Origin::Rule { label: rule, .. } => {
                    left.push(format!("{label}: it is set by rule {rule}"));
                    continue;
                }
            };
            match new_value(now, field, &location.id, &lines) {
                Ok(value) => {
                    let at = inputs.sources.resolve(span);
                    let edit = Edit { entry: span, is_handset: now.handset().is_some(), field: field.name, value };
                    let label = format!("{}:{}: {label}", at.file, at.line);
                    edits.push(Taken { edit, key: key(difference, field), label });
                }
                Err(why) => left.push(format!("{label}: {why}")),
            }
        }
    }
    (edits, left)
}

/// A live value as a file has it, or why it has none.
fn new_value(now: &ResourceState, field: &Field, home: &LocationId, lines: &LineNames<'_>) -> Result<NewValue, String> {
    if let Some(settings) = now.settings() {
        if plan::is_temporary(&settings.name) && field.name == Setting::Name.api_name() {
            return Err("the live name is a temporary name of an interrupted run".to_owned());
        }
        let settings_of_field = Setting::ALL.into_iter().filter(|setting| setting.api_name() == field.name);
        for (_, written) in writable_settings(settings, settings_of_field.collect::<SettingSet>()) {
            if let Written::Omitted(why) = written {
                return Err(why);
            }
        }
    }
    match (field.of(Some(now)), now.handset()) {
        (Some(FieldValue::Text(text)), Some(_)) => match HandsetName::new(&text) {
            Ok(_) => Ok(NewValue::Text(text.into_owned())),
            Err(error) => Err(format!("the live value {error}")),
        },
        (Some(FieldValue::Text(text)), None) => Ok(NewValue::Text(text.into_owned())),
        (Some(FieldValue::Boolean(value)), _) => Ok(NewValue::Boolean(value)),
        (Some(FieldValue::Code(code)), _) => Ok(NewValue::Code(code.clone())),
        (Some(FieldValue::Line(member)), _) => {
            let line = lines.name(member, home);
            line.map(|line| NewValue::Line(Some(line))).ok_or_else(|| "the live line has no name in files".to_owned())
        }
        (None, Some(_)) if field.name == "line2" => Ok(NewValue::Line(None)),
        (None, _) => Err("Webex shows no value".to_owned()),
    }
}

/// Those edits that can be made, and why the others cannot.
fn possible<'e>(texts: &[Input], edits: &'e [Taken]) -> (Vec<&'e Taken>, Vec<(&'e Taken, &'static str)>) {
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for (at, input) in texts.iter().enumerate() {
        let own: Vec<&Taken> = edits.iter().filter(|taken| taken.edit.entry.source.0 as usize == at).collect();
        let asked: Vec<&Edit> = own.iter().map(|taken| &taken.edit).collect();
        let (_, results) = edit(&input.text, input.format, &asked);
        for (taken, result) in own.into_iter().zip(results) {
            match result {
                Ok(()) => made.push(taken),
                Err(why) => refused.push((taken, why)),
            }
        }
    }
    (made, refused)
}

fn edited(texts: &[Input], made: &[&Taken]) -> Vec<Input> {
    let file = |(at, input): (usize, &Input)| {
        let own = made.iter().map(|taken| &taken.edit).filter(|edit| edit.entry.source.0 as usize == at);
        let own: Vec<&Edit> = own.collect();
        let text = if own.is_empty() { input.text.clone() } else { edit(&input.text, input.format, &own).0 };
        Input { text, ..input.clone() }
    };
    texts.iter().enumerate().map(file).collect()
}
