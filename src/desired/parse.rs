//! Converts a tree into the model and reports all errors of the file.

use std::path::PathBuf;
use std::sync::Arc;

use super::csv::NETWORK_NAME_CHECK;
use super::load::SourceFormat;
use super::mapping::{MappingReader, text};
use super::model::{
    CodeSource, Desired, DesiredLocation, DeviceEntries, Guard, GuardedNetwork, NetworkEntry, Origin, Spanned,
};
use super::rules::rule;
use super::yaml::{Node, Value, unusual_spaces};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, SourceId, Sources, Span};
use crate::model::{
    AccessCode, CodeError, DISPLAY_NAME_RECOMMENDED_MAX, DesiredSettings, DisplayName, LocationId, NameError,
    NetworkId, NetworkModel, NetworkName,
};

const FILE_FIELDS: &[&str] = &["version", "organization", "defaults", "locations", "rules"];
const DEFAULTS_FIELDS: &[&str] = &["displayName", "defaultAccessCodeEnabled", "defaultAccessCode"];
const LOCATION_FIELDS: &[&str] = &["name", "id", "protected", "frozen", "networks"];
const NETWORK_FIELDS: &[&str] = &[
    "name",
    "id",
    "renamedFrom",
    "model",
    "displayName",
    "defaultAccessCodeEnabled",
    "defaultAccessCode",
    "baseStations",
    "handsets",
    "serviceabilityPassword",
    "protected",
    "frozen",
    "state",
];
const FROZEN_FIELDS: &[&str] = &["until", "reason"];

/// The settings that an entry itself may set.
const OWN_SETTINGS: [&str; 3] = ["displayName", "defaultAccessCodeEnabled", "defaultAccessCode"];

pub(crate) struct SourceInfo {
    pub(crate) source: SourceId,
    pub(crate) format: SourceFormat,
    /// Base directory of relative paths.
    pub(crate) base_dir: PathBuf,
}

pub(crate) fn parse_file(
    tree: &Node<'_>,
    source_info: &SourceInfo,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Desired {
    FileParser { source_info, sources, diagnostics }.file(tree)
}

pub(crate) struct FileParser<'a> {
    pub(crate) source_info: &'a SourceInfo,
    sources: &'a Sources,
    pub(crate) diagnostics: &'a mut Diagnostics,
}

/// Values of `defaults`, including codes and their sources.
#[derive(Default)]
struct Defaults {
    desired: DesiredSettings,
    code: Option<Spanned<CodeSource>>,
}

impl FileParser<'_> {
    fn file(&mut self, tree: &Node<'_>) -> Desired {
        let Some(fields) = MappingReader::of(tree, "a desired-state file", FILE_FIELDS, self.diagnostics) else {
            return Desired::default();
        };
        self.version(&fields);
        let organization = fields.text("organization", self.diagnostics).filter(|written| {
            let is_blank = written.value.trim().is_empty();
            if is_blank {
                let message = "`organization` is empty";
                let help =
                    "write the id or the name of the organization, as `dectl orgs -o json` lists them, or remove the field";
                self.diagnostics.error(DiagnosticCode::WrongType, written.span, message).help(help);
            }
            !is_blank
        });
        let defaults = fields.get("defaults").map(|node| self.defaults(node)).unwrap_or_default();
        let help = "write `locations:` with one `- name: …` and its `networks:` per location";
        let rules = if fields.has("rules") {
            let help = "write one `- match: …` with its `set: …` per rule";
            fields.list("rules", help, self.diagnostics)
        } else {
            &[]
        };
        // A file may consist of rules alone.
        let nodes = if fields.has("rules") && !fields.has("locations") {
            &[]
        } else {
            fields.list("locations", help, self.diagnostics)
        };
        let locations = nodes.iter().filter_map(|node| self.location(node, &defaults)).collect();
        let rules = rules.iter().filter_map(|node| rule(node, self.sources, self.diagnostics)).collect();
        Desired { organization, locations, rules }
    }

    fn version(&mut self, fields: &MappingReader<'_>) {
        let source = self.source_info.source;
        let help = "write `version: 1` at the top of the file";
        let start = Span { source, start: fields.span().start, end: fields.span().start };
        let Some(node) = fields.get("version") else {
            if fields.has("version") {
                return;
            }
            let message = "a desired-state file requires a field `version`";
            self.diagnostics.error(DiagnosticCode::MissingField, start, message).help(help);
            return;
        };
        match &node.value {
            Value::PlainScalar(written) if &**written == "1" => {}
            Value::PlainScalar(_) | Value::Text(_) => {
                let message = "unsupported version of the file format";
                let help = "write `version: 1`";
                self.diagnostics.error(DiagnosticCode::UnsupportedVersion, node.span, message).help(help);
            }
            _ => {
                let message = format!("`version` must be a number, not {}", node.kind());
                self.diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
            }
        }
    }

    fn defaults(&mut self, node: &Node<'_>) -> Defaults {
        if matches!(node.value, Value::Null) {
            return Defaults::default();
        }
        let Some(fields) = MappingReader::of(node, "`defaults`", DEFAULTS_FIELDS, self.diagnostics) else {
            return Defaults::default();
        };
        let mut desired = DesiredSettings {
            display_name: self.display_name(&fields),
            code_enabled: fields.bool("defaultAccessCodeEnabled", self.diagnostics),
            ..DesiredSettings::default()
        };
        let code = self.code(&fields, &mut desired);
        Defaults { desired, code }
    }

    fn location(&mut self, node: &Node<'_>, defaults: &Defaults) -> Option<DesiredLocation> {
        let fields = MappingReader::of(node, "a location", LOCATION_FIELDS, self.diagnostics)?;
        let name = fields.text("name", self.diagnostics);
        let id = fields.text("id", self.diagnostics).and_then(|id| self.non_empty(id, "id"));
        let name = name.and_then(|name| self.non_empty(name, "name"));
        if !fields.has("name") && !fields.has("id") {
            let message = "a location requires a `name` or an `id`";
            self.diagnostics
                .error(DiagnosticCode::MissingField, fields.span(), message)
                .help("use the name shown in Control Hub, or the location's id");
        }
        let guards = self.guards(&fields);
        let help = "write `networks:` with one `- name: …` per network";
        // A location may be named only to be protected.
        let is_guard_only = !fields.has("networks") && (fields.has("protected") || fields.has("frozen"));
        let nodes = if is_guard_only { &[] } else { fields.list("networks", help, self.diagnostics) };
        let (only_guarded, nodes): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| is_only_guarded(node));
        let guarded = only_guarded.into_iter().filter_map(|node| self.guarded_network(node)).collect();
        let entries = nodes.into_iter().filter_map(|node| self.network(node, defaults)).collect();
        let id = id.map(|id| Spanned { value: LocationId::new(id.value), span: id.span });
        // A missing name and id was reported; the networks were checked but belong to no location.
        (name.is_some() || id.is_some()).then_some(DesiredLocation {
            span: fields.span(),
            name,
            id,
            guards,
            guarded,
            entries,
        })
    }

    pub(crate) fn non_empty(&mut self, text: Spanned<Arc<str>>, field: &str) -> Option<Spanned<Arc<str>>> {
        if !text.value.trim().is_empty() {
            return Some(text);
        }
        let code = if field == "id" { DiagnosticCode::InvalidId } else { DiagnosticCode::InvalidName };
        self.diagnostics.error(code, text.span, format!("`{field}` is empty")).help("set a value, or remove the field");
        None
    }

    fn network(&mut self, node: &Node<'_>, defaults: &Defaults) -> Option<NetworkEntry> {
        // The rows of a table of devices name their network without renaming it.
        let is_table = self.source_info.format == SourceFormat::Csv;
        let known = if is_table { [NETWORK_FIELDS, &[NETWORK_NAME_CHECK]].concat() } else { NETWORK_FIELDS.to_vec() };
        let fields = MappingReader::of(node, "a network", &known, self.diagnostics)?;
        let name_is_check = fields.has(NETWORK_NAME_CHECK);
        let name = fields.text(if name_is_check { NETWORK_NAME_CHECK } else { "name" }, self.diagnostics);
        let id = fields.text("id", self.diagnostics).and_then(|id| self.non_empty(id, "id"));
        let renamed_from = self.renamed_from(&fields);
        if fields.has("state") {
            return self.absent_network(&fields, name, id);
        }
        let model = self.model(&fields);
        let devices = DeviceEntries {
            base_stations: self.base_stations(&fields),
            handsets: self.handsets(&fields),
            serviceability_password: self.serviceability_password(&fields),
        };
        if let (Some(model), Some(stations)) = (&model, &devices.base_stations) {
            self.check_base_station_count(model.value, stations);
        }
        let is_renaming = name.is_some() && id.is_some() && !name_is_check;
        let has_own_settings = OWN_SETTINGS.iter().any(|field| fields.has(field)) || is_renaming;
        let mut desired = DesiredSettings {
            name: name.as_ref().and_then(|name| self.network_name(name)),
            display_name: self.display_name(&fields).or_else(|| defaults.desired.display_name.clone()),
            code_enabled: fields.bool("defaultAccessCodeEnabled", self.diagnostics).or(defaults.desired.code_enabled),
            code: None,
        };
        let mut code = self.code(&fields, &mut desired);
        if fields.get("defaultAccessCode").is_none() {
            desired.code = defaults.desired.code;
            code = defaults.code.clone();
        }
        if name.is_none() && fields.get("name").is_none() && fields.get("id").is_none() {
            if !fields.has("name") && !fields.has("id") {
                let message = "a network requires a `name` or an `id`";
                self.diagnostics
                    .error(DiagnosticCode::MissingField, fields.span(), message)
                    .help("write its desired name, or the id shown by `dectl export`");
            }
            return None;
        }
        Some(NetworkEntry {
            origin: Origin::File(fields.span()),
            id: id.map(|id| Spanned { value: NetworkId::new(id.value), span: id.span }),
            renamed_from,
            name_span: name.map(|name| name.span),
            desired,
            code,
            model,
            absent: None,
            devices,
            guards: self.guards(&fields),
            has_own_settings,
            name_is_check,
            is_recorded: false,
        })
    }

    /// The former names: one, or a list of them.
    fn renamed_from(&mut self, fields: &MappingReader<'_>) -> Vec<Spanned<Arc<str>>> {
        let Some(node) = fields.get("renamedFrom") else { return Vec::new() };
        let nodes = if let Value::List(names) = &node.value { names } else { std::slice::from_ref(node) };
        let names = nodes.iter().filter_map(|node| {
            text(node, "renamedFrom", self.diagnostics).and_then(|name| self.non_empty(name, "renamedFrom"))
        });
        names.collect()
    }

    /// An entry that only protects its network.
    fn guarded_network(&mut self, node: &Node<'_>) -> Option<GuardedNetwork> {
        let fields = MappingReader::of(node, "a network", NETWORK_FIELDS, self.diagnostics)?;
        let name = fields.text("name", self.diagnostics).and_then(|name| self.non_empty(name, "name"));
        let id = fields.text("id", self.diagnostics).and_then(|id| self.non_empty(id, "id"));
        let guards = self.guards(&fields);
        if name.is_none() && id.is_none() {
            if !fields.has("name") && !fields.has("id") {
                self.diagnostics
                    .error(DiagnosticCode::MissingField, fields.span(), "a network requires a `name` or an `id`")
                    .help("write its name, or the id shown by `dectl export`");
            }
            return None;
        }
        let id = id.map(|id| Spanned { value: NetworkId::new(id.value), span: id.span });
        Some(GuardedNetwork { span: fields.span(), id, name, guards })
    }

    /// `protected: true` and `frozen`, which keep something from being changed.
    fn guards(&mut self, fields: &MappingReader<'_>) -> Vec<Guard> {
        let is_protected = fields.bool("protected", self.diagnostics) == Some(true);
        let span = fields.get("protected").map_or(fields.span(), |node| node.span);
        let protected = is_protected.then_some(Guard { span, until: None, reason: None });
        protected.into_iter().chain(fields.get("frozen").and_then(|node| self.frozen(node))).collect()
    }

    fn frozen(&mut self, node: &Node<'_>) -> Option<Guard> {
        let fields = MappingReader::of(node, "`frozen`", FROZEN_FIELDS, self.diagnostics)?;
        let reason = fields.text("reason", self.diagnostics).map(|reason| reason.value);
        let help =
            "write the last day, `until: 2027-01-03`, or a time with its offset, `until: 2027-01-04T06:00+01:00`";
        let until = fields.required("until", help, self.diagnostics)?;
        let (Value::Text(written) | Value::PlainScalar(written)) = &until.value else {
            let message = format!("`until` must be a date, not {}", until.kind());
            self.diagnostics.error(DiagnosticCode::WrongType, until.span, message).help(help);
            return None;
        };
        match end_of_freeze(written) {
            Some(end) => Some(Guard { span: node.span, until: Some(end), reason }),
            None => {
                self.diagnostics.error(DiagnosticCode::InvalidDate, until.span, "`until` is not a date").help(help);
                None
            }
        }
    }

    /// An entry with `state: absent`: the id of a network, and its name as a check.
    fn absent_network(
        &mut self,
        fields: &MappingReader<'_>,
        name: Option<Spanned<Arc<str>>>,
        id: Option<Spanned<Arc<str>>>,
    ) -> Option<NetworkEntry> {
        let state = self.absent_state(fields);
        for field in NETWORK_FIELDS.iter().filter(|field| !["id", "name", "state"].contains(field)) {
            if let Some(node) = fields.get(field) {
                let message = format!("`{field}` cannot stand beside `state: absent`");
                self.diagnostics
                    .error(DiagnosticCode::InvalidState, node.span, message)
                    .help("a network that is deleted has an `id` and, as a check, a `name`; remove the rest");
            }
        }
        let name_span = name.as_ref().map(|name| name.span);
        let name = name.as_ref().and_then(|name| self.network_name(name));
        if !fields.has("id") {
            let message = "a network is deleted by its `id`";
            self.diagnostics
                .error(DiagnosticCode::InvalidState, fields.span(), message)
                .help("add the `id` shown by `dectl export`; a name may mean another network by then");
        }
        let id = id?;
        Some(NetworkEntry {
            id: Some(Spanned { value: NetworkId::new(id.value), span: id.span }),
            desired: DesiredSettings { name, ..DesiredSettings::default() },
            name_span,
            absent: Some(state?),
            name_is_check: true,
            ..NetworkEntry::new(Origin::File(fields.span()))
        })
    }

    /// The span of `state: absent`; reports every other state.
    pub(crate) fn absent_state(&mut self, fields: &MappingReader<'_>) -> Option<Span> {
        let written = fields.text("state", self.diagnostics)?;
        if &*written.value == "absent" {
            return Some(written.span);
        }
        self.diagnostics
            .error(DiagnosticCode::InvalidState, written.span, "`state` must be `absent`")
            .help("write `state: absent` to delete it, or remove the field: what a file names is there");
        None
    }

    fn model(&mut self, fields: &MappingReader<'_>) -> Option<Spanned<NetworkModel>> {
        let written = fields.text("model", self.diagnostics)?;
        match NetworkModel::parse(&written.value) {
            Some(value) => Some(Spanned { value, span: written.span }),
            None => {
                self.diagnostics
                    .error(DiagnosticCode::InvalidModel, written.span, "unknown model")
                    .help("write DBS110 or DBS210");
                None
            }
        }
    }

    /// Warns about spaces that a server may normalize, so that every run would find a difference.
    pub(crate) fn check_spaces(&mut self, what: &str, text: &Spanned<Arc<str>>) {
        let Some(reason) = unusual_spaces(&text.value) else { return };
        self.diagnostics
            .warning(DiagnosticCode::UnusualSpaces, text.span, format!("{what} contains {reason}"))
            .help("remove it unless it is intended; a server that removes it would differ from the file for ever");
    }

    fn network_name(&mut self, name: &Spanned<Arc<str>>) -> Option<NetworkName> {
        self.check_spaces("name", name);
        NetworkName::new(&name.value)
            .map_err(|error| {
                let diagnostic = Diagnostic::error(DiagnosticCode::InvalidName, format!("name {error}"))
                    .with_span(name.span)
                    .help(name_help(error));
                self.diagnostics.push(diagnostic);
            })
            .ok()
    }

    fn display_name(&mut self, fields: &MappingReader<'_>) -> Option<DisplayName> {
        let written = fields.text("displayName", self.diagnostics)?;
        self.check_spaces("display name", &written);
        match DisplayName::new(&written.value) {
            Ok(name) => {
                if let Some(length) = name.exceeds_recommended() {
                    let message = format!(
                        "display name has {length} characters, the recommended maximum is {DISPLAY_NAME_RECOMMENDED_MAX}"
                    );
                    let help = if fields.has("model") {
                        "shorten it; Webex refuses longer ones when a network is created"
                    } else {
                        "it is sent unchanged; shorten it if Webex rejects it"
                    };
                    self.diagnostics.warning(DiagnosticCode::LongDisplayName, written.span, message).help(help);
                }
                Some(name)
            }
            Err(error) => {
                self.diagnostics
                    .error(DiagnosticCode::InvalidDisplayName, written.span, format!("display name {error}"))
                    .help("set the text that handsets display, or remove the field to keep the current one");
                None
            }
        }
    }

    /// Reads the code or its source. A literal goes into `desired`.
    fn code(&mut self, fields: &MappingReader<'_>, desired: &mut DesiredSettings) -> Option<Spanned<CodeSource>> {
        let node = fields.get("defaultAccessCode")?;
        let written = match &node.value {
            Value::Text(written) | Value::PlainScalar(written) => written,
            Value::Map(_) => return self.code_source(node),
            Value::Null | Value::List(_) => {
                let message = format!("`defaultAccessCode` must be four digits, not {}", node.kind());
                let help = "write four digits in quotes, { env: NAME } or { file: PATH }";
                self.diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
                return None;
            }
        };
        match AccessCode::new(written) {
            Ok(code) => {
                desired.code = Some(code);
                Some(Spanned { value: CodeSource::Literal, span: node.span })
            }
            Err(error) => {
                let unquoted_and_short = matches!(node.value, Value::PlainScalar(_))
                    && matches!(error, CodeError::WrongLength { length } if length < 4);
                let help = match (self.source_info.format, error) {
                    (SourceFormat::Csv, CodeError::WrongLength { length }) if length < 4 => {
                        "a spreadsheet probably removed leading zeros; format the column as text and write \
                         all four digits"
                    }
                    (SourceFormat::Csv, _) => {
                        "write exactly four digits; a spreadsheet may have converted them to a number, format the column \
                         as text"
                    }
                    (SourceFormat::Yaml, _) if unquoted_and_short => {
                        "write all four digits in quotes, including leading zeros"
                    }
                    (SourceFormat::Yaml, _) => "write exactly four digits in quotes",
                };
                let message = format!("access code {error}");
                self.diagnostics.error(DiagnosticCode::InvalidCode, node.span, message).help(help);
                None
            }
        }
    }

    fn code_source(&mut self, node: &Node<'_>) -> Option<Spanned<CodeSource>> {
        let fields = MappingReader::of(node, "an external access code", &["env", "file"], self.diagnostics)?;
        let (env, file) = (fields.get("env"), fields.get("file"));
        let ((Some(written), None) | (None, Some(written))) = (env, file) else {
            let message = "an external access code requires either `env` or `file`";
            let help = "write { env: NAME } for an environment variable, or { file: PATH } for a file";
            self.diagnostics.error(DiagnosticCode::WrongType, node.span, message).help(help);
            return None;
        };
        let field = if env.is_some() { "env" } else { "file" };
        let text = text(written, field, self.diagnostics).and_then(|text| self.non_empty(text, field))?;
        let value = if env.is_some() {
            CodeSource::Env(text.value)
        } else {
            CodeSource::File(self.source_info.base_dir.join(&*text.value))
        };
        Some(Spanned { value, span: node.span })
    }
}

fn name_help(error: NameError) -> &'static str {
    match error {
        NameError::Empty => "write the desired name",
        NameError::TooLong { .. } => "shorten it; an accented letter counts as one character",
        NameError::Control { .. } => "write it on one line, without tabs",
    }
}

/// Whether an entry has nothing but what names its network, and `protected` or `frozen`.
fn is_only_guarded(node: &Node<'_>) -> bool {
    let Value::Map(fields) = &node.value else { return false };
    let names = || {
        fields.iter().map(|(key, _)| match &key.value {
            Value::Text(name) => &**name,
            _ => "",
        })
    };
    // Beside an id a name is the one that the network is to have.
    let is_renaming = names().any(|name| name == "id") && names().any(|name| name == "name");
    !is_renaming
        && names().any(|name| matches!(name, "protected" | "frozen"))
        && names().all(|name| matches!(name, "id" | "name" | "protected" | "frozen"))
}

/// When a freeze ends: at the end of a day, in UTC, or at a time with an offset.
fn end_of_freeze(written: &str) -> Option<jiff::Timestamp> {
    let written = written.trim();
    if let Ok(day) = written.parse::<jiff::civil::Date>()
        && written.len() == "2027-01-03".len()
    {
        // The last days of the calendar stand for never.
        let next = day.tomorrow().unwrap_or(day).to_datetime(jiff::civil::Time::midnight());
        return Some(jiff::tz::TimeZone::UTC.to_timestamp(next).unwrap_or(jiff::Timestamp::MAX));
    }
    written.parse().ok()
}
