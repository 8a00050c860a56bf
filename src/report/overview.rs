//! One page over the documents of many runs and organizations: what was done, what failed, what drifts, and what needs
//! attention first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::documents::FORMAT_VERSION;
use super::plural;
use super::summary::seconds;

/// How a document stands, what needs attention first at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DocumentState {
    /// It is missing, broken, or none that a report is made of.
    Unreadable,
    /// Something failed, or may have.
    Failed,
    /// Something was not started or not verified.
    Incomplete,
    /// The live state differs from the files.
    Drifted,
    /// A plan has changes.
    Planned,
    InOrder,
}

impl DocumentState {
    /// All states, in their order.
    pub const ALL: [Self; 6] =
        [Self::Unreadable, Self::Failed, Self::Incomplete, Self::Drifted, Self::Planned, Self::InOrder];

    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Drifted => "drifted",
            Self::Planned => "planned",
            Self::InOrder => "in order",
        }
    }
}

/// What the documents of one organization say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationReport {
    /// The organization of its documents, or else the directory or the name of their files.
    pub name: String,
    /// The state of the document that needs attention most.
    pub state: DocumentState,
    pub documents: Vec<DocumentReport>,
}

/// What one document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentReport {
    pub file: String,
    /// `plan`, `result`, `status` and so on; empty if it is unreadable.
    pub kind: String,
    pub state: DocumentState,
    /// In words.
    pub summary: String,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    pub locations: Vec<LocationReport>,
    /// What needs attention.
    pub problems: Vec<ProblemReport>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LocationReport {
    pub name: String,
    /// In words.
    pub summary: String,
    /// Since when it has drifted, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProblemReport {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// The network, or the network and the device.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network: String,
    pub status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The whole page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Overview {
    pub summary: OverviewSummary,
    /// Those that need attention first, then by name.
    pub organizations: Vec<OrganizationReport>,
}

/// Numbers of documents by their state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverviewSummary {
    pub documents: usize,
    pub organizations: usize,
    pub unreadable: usize,
    pub failed: usize,
    pub incomplete: usize,
    pub drifted: usize,
    pub planned: usize,
    pub in_order: usize,
}

impl OverviewSummary {
    /// The number of documents in a state.
    pub const fn count(&self, state: DocumentState) -> usize {
        match state {
            DocumentState::Unreadable => self.unreadable,
            DocumentState::Failed => self.failed,
            DocumentState::Incomplete => self.incomplete,
            DocumentState::Drifted => self.drifted,
            DocumentState::Planned => self.planned,
            DocumentState::InOrder => self.in_order,
        }
    }

    /// Summary line.
    pub fn sentence(&self) -> String {
        let counted = DocumentState::ALL.into_iter().filter(|state| self.count(*state) > 0);
        let parts: Vec<String> = counted.map(|state| format!("{} {}", self.count(state), state.label())).collect();
        let documents = plural(self.documents, "document");
        format!("Report: {documents} of {}: {}", plural(self.organizations, "organization"), parts.join(", "))
    }
}

/// A file, with its text or why it cannot be read.
pub type ReadDocument = (PathBuf, Result<String, String>);

impl Overview {
    /// Reads documents of any kinds.
    pub fn of(files: &[ReadDocument]) -> Self {
        let paths: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
        // By id where there is one: two organizations may have one name.
        let places = names_of_places(&paths);
        let documents: Vec<_> =
            files.iter().map(|(path, text)| read(&path.display().to_string(), text.as_deref())).collect();
        // A drift report names no organization; it is that of the result beside it.
        let mut of_place: BTreeMap<&String, (String, String)> = BTreeMap::new();
        for (place, (named, _)) in places.iter().zip(&documents) {
            if let Some(named) = named {
                of_place.entry(place).or_insert_with(|| named.clone());
            }
        }
        let mut organizations: BTreeMap<(String, String), Vec<DocumentReport>> = BTreeMap::new();
        for (place, (named, report)) in places.iter().zip(documents) {
            let beside = || of_place.get(place).cloned().unwrap_or_else(|| (place.clone(), String::new()));
            organizations.entry(named.unwrap_or_else(beside)).or_default().push(report);
        }
        let mut summary = OverviewSummary { organizations: organizations.len(), ..OverviewSummary::default() };
        let mut reports: Vec<OrganizationReport> = Vec::new();
        for ((name, _), mut documents) in organizations {
            documents.sort_by(|one, other| (one.state, &one.file).cmp(&(other.state, &other.file)));
            for document in &documents {
                summary.documents += 1;
                *match document.state {
                    DocumentState::Unreadable => &mut summary.unreadable,
                    DocumentState::Failed => &mut summary.failed,
                    DocumentState::Incomplete => &mut summary.incomplete,
                    DocumentState::Drifted => &mut summary.drifted,
                    DocumentState::Planned => &mut summary.planned,
                    DocumentState::InOrder => &mut summary.in_order,
                } += 1;
            }
            let state = documents.first().map_or(DocumentState::InOrder, |document| document.state);
            reports.push(OrganizationReport { name, state, documents });
        }
        reports.sort_by(|one, other| (one.state, &one.name).cmp(&(other.state, &other.name)));
        Self { summary, organizations: reports }
    }
}

/// What tells the organizations of documents apart that do not name them: the directories where the files are called by what
/// they are, as `result.json`, and else the files. Of directories as much as makes them differ.
fn names_of_places(paths: &[&Path]) -> Vec<String> {
    const KINDS: [&str; 10] =
        ["apply", "drift", "error", "errors", "plan", "rehearsal", "result", "results", "status", "undo"];
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let place = |path: &Path| -> Vec<String> {
        let is_kind = KINDS.contains(&stem(path).to_lowercase().as_str());
        let parents = path.parent().into_iter().flat_map(Path::components);
        let mut parts: Vec<String> = parents
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        if !is_kind || parts.is_empty() {
            parts.push(stem(path));
        }
        parts
    };
    let places: Vec<Vec<String>> = paths.iter().map(|path| place(path)).collect();
    // How many places end so.
    let mut endings: HashMap<&[String], usize> = HashMap::new();
    for place in places.iter().collect::<HashSet<_>>() {
        for start in 0..place.len() {
            *endings.entry(&place[start..]).or_default() += 1;
        }
    }
    let name = |place: &Vec<String>| {
        let start = (0..place.len()).rev().find(|start| endings[&place[*start..]] == 1).unwrap_or(0);
        place[start..].join("/")
    };
    places.iter().map(name).collect()
}

/// The kinds of documents that are reported.
const DOCUMENTS: [&str; 5] = ["result", "rehearsal", "status", "plan", "error"];

/// What says whether a document can be read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    kind: serde_json::Value,
    format_version: serde_json::Value,
}

/// A document, as far as a report needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    kind: String,
    organization: Option<Named>,
    plan: Option<Box<Self>>,
    summary: Counts,
    outcome: String,
    success: Option<bool>,
    stopped: Option<String>,
    changes: Vec<Change>,
    results: Vec<Change>,
    locations: Vec<Location>,
    message: Option<String>,
    diagnostics: Vec<Diagnostic>,
    /// Those of a plan.
    warnings: Vec<Diagnostic>,
    /// Why a comparison is incomplete, or has failed.
    problems: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Counts {
    networks: u64,
    drifted: u64,
    known: u64,
    deletions: u64,
    elapsed_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Change {
    location: Named,
    network: Named,
    status: String,
    verified: Option<bool>,
    base_station: Option<Device>,
    handset: Option<Device>,
    error: Option<Message>,
    blocked_by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Device {
    mac: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    message: String,
    status: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Location {
    location: Named,
    networks: u64,
    drifted: Vec<String>,
    last_in_sync: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Diagnostic {
    message: String,
    file: Option<String>,
    line: Option<u32>,
}

impl Change {
    fn label(&self) -> String {
        let network = self.network.name.clone().unwrap_or_default();
        let station = self.base_station.as_ref().and_then(|device| Some(("base station", device.mac.as_ref()?)));
        let handset = || self.handset.as_ref().and_then(|device| Some(("handset", device.name.as_ref()?)));
        match station.or_else(handset) {
            Some((kind, name)) => format!("{network}: {kind} {name}"),
            None => network,
        }
    }

    fn is_in_order(&self) -> bool {
        self.status == "applied" && self.verified != Some(false)
    }
}

/// The name and id of the organization that a document names, and what it says.
fn read(file: &str, text: Result<&str, &String>) -> (Option<(String, String)>, DocumentReport) {
    let unreadable = |why: String| DocumentReport {
        file: file.to_owned(),
        kind: String::new(),
        state: DocumentState::Unreadable,
        summary: why,
        elapsed_ms: None,
        locations: Vec::new(),
        problems: Vec::new(),
    };
    let text = match text {
        Ok(text) => text,
        Err(why) => return (None, unreadable(why.clone())),
    };
    if text.trim().is_empty() {
        return (None, unreadable("the file is empty: the command that was to write it has not ended".to_owned()));
    }
    let text = text.trim_start_matches('\u{feff}');
    let no_document = |why: &dyn std::fmt::Display| unreadable(format!("no JSON document of dectl: {why}"));
    let head: Head = match serde_json::from_str(text) {
        Ok(head) => head,
        Err(error) => return (None, no_document(&error)),
    };
    match (head.kind.as_str(), head.format_version.as_u64()) {
        (None | Some(""), _) => return (None, no_document(&"it has no `kind`")),
        (Some(other), _) if !DOCUMENTS.contains(&other) => {
            return (None, unreadable(format!("a document of the kind {other:?} reports nothing")));
        }
        (_, None | Some(0)) => return (None, no_document(&"it has no `formatVersion`")),
        (_, Some(version)) if version > FORMAT_VERSION.into() => {
            let why = format!("format version {version} is newer than this version of dectl reads");
            return (None, unreadable(why));
        }
        _ => {}
    }
    let document: Document = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return (None, no_document(&error)),
    };
    let plan = document.plan.as_ref().and_then(|plan| plan.organization.as_ref());
    let organization = document.organization.as_ref().or(plan);
    let organization = organization.and_then(|one| {
        let id = one.id.clone().unwrap_or_default();
        Some((one.name.clone().or_else(|| one.id.clone())?, id))
    });
    let (state, summary, locations, mut problems) = match document.kind.as_str() {
        "result" | "rehearsal" => of_result(&document),
        "status" => of_status(&document),
        "plan" => of_plan(&document),
        _ => of_error(&document),
    };
    problems.extend(warnings(&document));
    let elapsed_ms = document.summary.elapsed_ms;
    (
        organization,
        DocumentReport { file: file.to_owned(), kind: document.kind, state, summary, elapsed_ms, locations, problems },
    )
}

/// The warnings of a plan, or of the plan of a result.
fn warnings(document: &Document) -> impl Iterator<Item = ProblemReport> {
    let plan = document.plan.iter().flat_map(|plan| &plan.warnings);
    document.warnings.iter().chain(plan).map(|warning| general("warning", warning.sentence()))
}

/// What is not about one network.
fn general(status: &str, reason: String) -> ProblemReport {
    ProblemReport { location: String::new(), network: String::new(), status: status.to_owned(), reason }
}

impl Diagnostic {
    /// Its message, after its place.
    fn sentence(&self) -> String {
        let place = self.file.as_ref().map(|file| match self.line {
            Some(line) => format!("{file}:{line}: "),
            None => format!("{file}: "),
        });
        format!("{}{}", place.unwrap_or_default(), self.message)
    }
}

type Parts = (DocumentState, String, Vec<LocationReport>, Vec<ProblemReport>);

/// The words of the statuses of changes, in the order in which they are counted.
const STATUSES: [(&str, &str); 5] = [
    ("applied", "applied"),
    ("failed", "failed"),
    ("unknown", "unknown"),
    ("skipped", "skipped"),
    ("notStarted", "not started"),
];

fn of_result(document: &Document) -> Parts {
    let problems: Vec<ProblemReport> =
        document.results.iter().filter(|change| !change.is_in_order()).map(problem).collect();
    let has = |status: &str| document.results.iter().any(|change| change.status == status);
    let state = if has("failed") || has("unknown") || document.success == Some(false) {
        DocumentState::Failed
    } else if !problems.is_empty() || matches!(document.outcome.as_str(), "partial" | "interrupted" | "failed") {
        DocumentState::Incomplete
    } else {
        DocumentState::InOrder
    };
    let mut by_location: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &document.results {
        by_location.entry(change.location.name.as_deref().unwrap_or_default()).or_default().push(change);
    }
    let locations = by_location.into_iter().map(|(name, changes)| LocationReport {
        name: name.to_owned(),
        summary: counted(changes.into_iter()),
        since: None,
    });
    let stopped = document.stopped.as_ref().map(|why| format!("; stopped: {why}")).unwrap_or_default();
    let what = counted(document.results.iter());
    let verb = if document.kind == "rehearsal" { "rehearsed: " } else { "" };
    let what = if what.is_empty() { "nothing to do".to_owned() } else { format!("{verb}{what}") };
    let summary = format!("{what}{stopped}");
    (state, summary, locations.collect(), problems)
}

/// Changes by their status: `12 applied, 1 failed`.
fn counted<'a>(changes: impl Iterator<Item = &'a Change> + Clone) -> String {
    let counts = STATUSES.map(|(status, words)| (changes.clone().filter(|one| one.status == status).count(), words));
    let parts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    parts.join(", ")
}

fn problem(change: &Change) -> ProblemReport {
    let words = STATUSES.iter().find(|(status, _)| *status == change.status).map_or("", |(_, words)| words);
    let error = change.error.as_ref().map(|error| match error.status {
        Some(status) => format!("{} ({status})", error.message),
        None => error.message.clone(),
    });
    let blocked = change.blocked_by.as_ref().map(|other| format!("depends on {other}"));
    ProblemReport {
        location: change.location.name.clone().unwrap_or_default(),
        network: change.label(),
        status: if change.status == "applied" { "mismatched".to_owned() } else { words.to_owned() },
        reason: error.or(blocked).unwrap_or_default(),
    }
}

fn of_status(document: &Document) -> Parts {
    let Counts { networks, drifted, known, .. } = document.summary;
    let known = if known > 0 { format!(", {known} known differences") } else { String::new() };
    let state = match drifted {
        _ if !document.problems.is_empty() => DocumentState::Failed,
        0 => DocumentState::InOrder,
        _ => DocumentState::Drifted,
    };
    let problems = document.problems.iter().map(|reason| general("error", reason.clone())).collect();
    let summary = match drifted {
        0 => format!("{} in sync{known}", plural(networks as usize, "network")),
        drifted => format!("{drifted} of {} drifted{known}", plural(networks as usize, "network")),
    };
    let drifted = document.locations.iter().filter(|location| !location.drifted.is_empty());
    let locations = drifted.map(|location| LocationReport {
        name: location.location.name.clone().unwrap_or_default(),
        summary: format!("{} of {}: {}", location.drifted.len(), location.networks, location.drifted.join(", ")),
        since: location.last_in_sync.clone(),
    });
    (state, summary, locations.collect(), problems)
}

fn of_plan(document: &Document) -> Parts {
    let mut by_location: BTreeMap<&str, usize> = BTreeMap::new();
    for change in &document.changes {
        *by_location.entry(change.location.name.as_deref().unwrap_or_default()).or_default() += 1;
    }
    let locations = by_location.into_iter().map(|(name, count)| LocationReport {
        name: name.to_owned(),
        summary: plural(count, "change"),
        since: None,
    });
    let deletions = match document.summary.deletions {
        0 => String::new(),
        deletions => format!(", {}", plural(deletions as usize, "deletion")),
    };
    match document.changes.len() {
        0 => (DocumentState::InOrder, "nothing to do".to_owned(), Vec::new(), Vec::new()),
        changes => {
            let summary = format!("{} planned{deletions}", plural(changes, "change"));
            (DocumentState::Planned, summary, locations.collect(), Vec::new())
        }
    }
}

fn of_error(document: &Document) -> Parts {
    let problems = document.diagnostics.iter().map(|diagnostic| general("error", diagnostic.sentence()));
    let message = document.message.clone().unwrap_or_else(|| "an error without a message".to_owned());
    (DocumentState::Failed, message, Vec::new(), problems.collect())
}

impl DocumentReport {
    /// What it says, and how long it took.
    pub fn sentence(&self) -> String {
        let elapsed = self.elapsed_ms.map(|elapsed| format!(" in {}", seconds(Duration::from_millis(elapsed))));
        format!("{}{}", self.summary, elapsed.unwrap_or_default())
    }
}

impl LocationReport {
    /// Its words, and since when it has drifted.
    pub fn sentence(&self) -> String {
        let since = self.since.as_ref().map(|since| format!(", last in sync {since}")).unwrap_or_default();
        format!("{}{since}", self.summary)
    }
}

impl ProblemReport {
    /// In one line.
    pub fn sentence(&self) -> String {
        let place: Vec<&str> =
            [self.location.as_str(), &self.network].into_iter().filter(|part| !part.is_empty()).collect();
        let parts: Vec<String> = [place.join(" / "), self.status.clone(), self.reason.clone()].into();
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }
}
