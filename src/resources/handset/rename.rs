//! Expands `dectl rename --field customDisplayName` into entries: a new name for every handset that matches.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use minijinja::Value;

use crate::desired::expand::nothing_matches;
use crate::desired::model::{Desired, DesiredLocation, DeviceEntries, HandsetEntry, NetworkEntry, Origin, Spanned};
use crate::desired::rules::{COUNTER, RenameRequest, Vocabulary, captured, full_match_regex};
use crate::desired::template::{Templates, Variables};
use crate::desired::yaml::unusual_spaces;
use crate::diagnostic::{DiagnosticCode, Diagnostics, Severity, SourceLines, Sources, Span};
use crate::model::{Handset, HandsetName, LiveState, Location, Member, NaturalName, Network, NetworkIndex, nfc};

const VOCABULARY: Vocabulary = Vocabulary {
    variables: &["line1", "name", "network", "location", COUNTER],
    line_fields: &["line1.extension", "line1.number", "line1.firstName", "line1.lastName"],
    has_counter: true,
};

/// So many shortened names are shown in a warning.
const MAX_SHOWN: usize = 8;

/// The desired names of all handsets that match, of the networks that `is_in_scope`.
pub fn rename_handsets(
    request: &RenameRequest,
    live: &LiveState,
    is_in_scope: impl Fn(&Location, &Network) -> bool,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Desired {
    let mut lines = SourceLines::new(sources, "rename");
    let mut argument = |introduction: &str, value: &str| Spanned {
        value: Arc::<str>::from(value),
        span: lines.line(introduction, value),
    };
    let pattern = argument("PATTERN for customDisplayName: ", &request.pattern);
    let template = argument("TEMPLATE: ", &request.template);
    lines.finish();
    let known = diagnostics.count(Severity::Error);
    VOCABULARY.check(&[&pattern], &[&template], diagnostics);
    let Ok(regex) = full_match_regex(&request.pattern) else { return Desired::default() };
    if diagnostics.count(Severity::Error) > known {
        return Desired::default();
    }
    let (pattern, template, templates) = (pattern.span, template.span, Templates::new());
    let mut renaming = Renaming { regex, request, templates, template, diagnostics, shortened: Vec::new(), matched: 0 };
    let mut desired = Desired::default();
    for (at, location) in live.locations() {
        let networks = live.networks_of(at).filter(|(_, network)| is_in_scope(location, network));
        let entries: Vec<NetworkEntry> =
            networks.filter_map(|(at, network)| renaming.network(location, at, network, live)).collect();
        if !entries.is_empty() {
            let id = Some(Spanned { value: location.id.clone(), span: pattern });
            desired.locations.push(DesiredLocation {
                span: pattern,
                name: None,
                id,
                guards: Vec::new(),
                guarded: Vec::new(),
                entries,
            });
        }
    }
    // Without any the pattern and the template are checked only.
    let handsets = live.networks().filter_map(|(at, _)| live.handsets(at)).flatten();
    let names: Vec<&str> = handsets.filter_map(|handset| handset.display_name()).map(|name| &**name).collect();
    renaming.finish(pattern, &request.pattern, &names);
    desired
}

struct Renaming<'a> {
    regex: regex::Regex,
    request: &'a RenameRequest,
    templates: Templates,
    template: Span,
    diagnostics: &'a mut Diagnostics,
    /// Names that `truncate` has shortened.
    shortened: Vec<String>,
    matched: usize,
}

impl Renaming<'_> {
    fn network(
        &mut self,
        location: &Location,
        at: NetworkIndex,
        network: &Network,
        live: &LiveState,
    ) -> Option<NetworkEntry> {
        let mut handsets: Vec<&Handset> = live.handsets(at)?.iter().collect();
        handsets.sort_by_cached_key(|handset| {
            (NaturalName::of(handset.line1.as_ref().map_or("", Member::line)), handset.id.clone())
        });
        let mut entries = Vec::new();
        let mut names: HashMap<String, String> = HashMap::new();
        for handset in handsets {
            let Some(current) = handset.display_name() else { continue };
            let current = nfc(current);
            let Some(mut variables) = captured(&self.regex, &current) else { continue };
            self.matched += 1;
            variables.extend([
                ("line1".to_owned(), line_value(handset.line1.as_ref())),
                ("name".to_owned(), Value::from(&*current)),
                ("network".to_owned(), Value::from(&*network.settings.name)),
                ("location".to_owned(), Value::from(&*location.name)),
                (COUNTER.to_owned(), Value::from(entries.len() + 1)),
            ]);
            let subject = format!("{:?}/{:?} handset {}", location.name, network.settings.name, handset.label());
            let Some(name) = self.new_name(handset, variables, &subject) else { continue };
            if let Some(other) = names.insert(nfc(name.as_str()), handset.label()) {
                let (place, this) = (&network.settings.name, handset.label());
                let message = format!("{place:?}: handsets {other} and {this} would both be named {:?}", name.as_str());
                self.diagnostics.warning(DiagnosticCode::DuplicateName, self.template, message);
            }
            if !handset.is_named(name.as_str()) && !self.can_be_updated(handset, &subject) {
                continue;
            }
            let Some(value) = handset.id.clone() else { continue };
            let id = Some(Spanned { value, span: self.template });
            let name = Some(Spanned { value: name, span: self.template });
            entries.push(HandsetEntry { id, name, ..HandsetEntry::new(self.template) });
        }
        (!entries.is_empty()).then(|| NetworkEntry {
            id: Some(Spanned { value: network.id.clone(), span: self.template }),
            devices: DeviceEntries { handsets: Some(entries), ..DeviceEntries::default() },
            name_is_check: true,
            ..NetworkEntry::new(Origin::Rule { span: self.template, label: Arc::from("rename") })
        })
    }

    /// The name that the template gives a handset; `None` if it is reported.
    fn new_name(
        &mut self,
        handset: &Handset,
        variables: BTreeMap<String, Value>,
        subject: &str,
    ) -> Option<HandsetName> {
        let (name, was_cut) = match self.templates.render_noting_cuts(&self.request.template, variables) {
            Ok(rendered) => rendered,
            Err(reason) => {
                let message = format!("template failed for {subject}: {reason}");
                self.diagnostics.error(DiagnosticCode::InvalidTemplate, self.template, message);
                return None;
            }
        };
        let name = match HandsetName::new(&name) {
            Ok(name) => name,
            Err(error) => {
                let message = format!("the new name {name:?} of {subject} {error}");
                self.diagnostics
                    .error(DiagnosticCode::InvalidRuleResult, self.template, message)
                    .help("shorten it with the filter truncate(16)");
                return None;
            }
        };
        if let Some(reason) = unusual_spaces(name.as_str()).filter(|_| !handset.is_named(name.as_str())) {
            let message = format!("the new name {:?} of {subject} contains {reason}", name.as_str());
            self.diagnostics.warning(DiagnosticCode::UnusualSpaces, self.template, message).help(
                "remove it with the filter `trim`; a server that removes it would differ from the template for ever",
            );
        }
        if was_cut {
            self.shortened.push(format!("{:?} for {}", name.as_str(), handset.label()));
        }
        Some(name)
    }

    /// Reports a handset whose update Webex would not accept: one without an id, or without a first line, which every
    /// update names.
    fn can_be_updated(&mut self, handset: &Handset, subject: &str) -> bool {
        let missing = if handset.id.is_none() {
            "an id"
        } else if handset.line1.as_ref().is_none_or(|line| line.id.is_none()) {
            "the member of its first line"
        } else {
            return true;
        };
        self.diagnostics
            .error(
                DiagnosticCode::MissingId,
                self.template,
                format!("{subject} cannot be renamed: Webex lists it without {missing}"),
            )
            .help("rename it in Control Hub, or exclude it with the pattern or with --network");
        false
    }

    fn finish(self, pattern: Span, text: &str, names: &[&str]) {
        if !self.shortened.is_empty() {
            let more = self.shortened.len().saturating_sub(MAX_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let shown: Vec<&str> = self.shortened.iter().take(MAX_SHOWN).map(String::as_str).collect();
            let message = format!("`truncate` has shortened names: {}{more}", shown.join(", "));
            self.diagnostics.warning(DiagnosticCode::LongDisplayName, self.template, message);
        }
        if self.matched == 0 && !self.diagnostics.has_errors() && !names.is_empty() {
            self.diagnostics.push(nothing_matches("handset", &[text], names.iter().copied()).with_span(pattern));
        }
    }
}

/// The first line for templates. What Webex does not list is an empty text.
fn line_value(member: Option<&Member>) -> Value {
    let text = |text: Option<&Arc<str>>| Value::from(text.map_or("", |text| &**text));
    let field = |value: fn(&Member) -> Option<&Arc<str>>| text(member.and_then(value));
    let fields: Variables = [
        ("extension", field(|member| member.extension.as_ref())),
        ("number", field(|member| member.number.as_ref())),
        ("firstName", field(|member| member.first_name.as_ref())),
        ("lastName", field(|member| member.last_name.as_ref())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    Value::from(fields)
}
