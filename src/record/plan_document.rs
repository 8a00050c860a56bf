//! The JSON of a saved plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::SettingsDocument;
use super::saved_plan::SavedPlan;
use crate::model::{LocationId, NetworkId, Setting, SettingSet};
use crate::plan::plan::{Because, Change, Counts, Neighbour, Plan, Step, StepKind, Warning, Where};

/// The version of the document.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Its kind.
pub(super) const KIND: &str = "saved-plan";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    format_version: u32,
    kind: String,
    tool: String,
    created: Timestamp,
    org: Option<String>,
    max_changes: Option<String>,
    sources: Vec<SourceDocument>,
    counts: CountsDocument,
    minimal: bool,
    warnings: Vec<WarningDocument>,
    locations: Vec<LocationDocument>,
    changes: Vec<ChangeDocument>,
    steps: Vec<StepDocument>,
    neighbours: Vec<NeighbourDocument>,
    /// Last, and not part of itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) checksum: String,
}

impl Document {
    /// Whether it is what this version writes.
    pub(super) fn is_ours(&self) -> bool {
        self.kind == KIND && self.format_version == FORMAT_VERSION
    }
}

#[derive(Serialize, Deserialize)]
struct SourceDocument {
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountsDocument {
    locations: usize,
    networks: usize,
    unchanged: usize,
    unmanaged: usize,
    left_out: usize,
}

#[derive(Serialize, Deserialize)]
struct WarningDocument {
    code: Arc<str>,
    message: Arc<str>,
    file: Option<Arc<str>>,
    line: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct LocationDocument {
    id: String,
    name: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct ChangeDocument {
    location: usize,
    network: String,
    before: SettingsDocument,
    after: SettingsDocument,
    changed: Vec<String>,
    because: BecauseDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BecauseDocument {
    File { file: Arc<str>, line: u32 },
    Rule { rule: Arc<str> },
}

#[derive(Serialize, Deserialize)]
struct StepDocument {
    change: usize,
    kind: KindDocument,
    settings: SettingsDocument,
    set: Vec<String>,
    after: Vec<usize>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KindDocument {
    Final,
    Interim,
}

#[derive(Serialize, Deserialize)]
struct NeighbourDocument {
    location: String,
    network: String,
    settings: SettingsDocument,
}

impl SavedPlan {
    pub(super) fn document(&self) -> Document {
        let mut locations: Vec<&Where> = Vec::new();
        let mut place: HashMap<&Where, usize> = HashMap::new();
        let changes = self.plan.changes.iter().map(|change| {
            let location = *place.entry(&change.location).or_insert_with(|| {
                locations.push(&change.location);
                locations.len() - 1
            });
            ChangeDocument {
                location,
                network: change.network.to_string(),
                before: (&change.before).into(),
                after: (&change.after).into(),
                changed: names(change.changed),
                because: match &change.because {
                    Because::File { file, line } => BecauseDocument::File { file: file.clone(), line: *line },
                    Because::Rule { rule } => BecauseDocument::Rule { rule: rule.clone() },
                },
            }
        });
        let changes = changes.collect();
        let counts = self.plan.counts;
        Document {
            format_version: FORMAT_VERSION,
            kind: KIND.to_owned(),
            tool: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
            created: self.created,
            org: self.org.clone(),
            max_changes: self.max_changes.clone(),
            sources: self
                .sources
                .iter()
                .map(|(file, sha256)| SourceDocument { file: file.clone(), sha256: sha256.clone() })
                .collect(),
            counts: CountsDocument {
                locations: counts.locations,
                networks: counts.networks,
                unchanged: counts.unchanged,
                unmanaged: counts.unmanaged,
                left_out: counts.left_out,
            },
            minimal: self.plan.minimal,
            warnings: self
                .plan
                .warnings
                .iter()
                .map(|warning| WarningDocument {
                    code: warning.code.clone(),
                    message: warning.message.clone(),
                    file: warning.file.clone(),
                    line: warning.line,
                })
                .collect(),
            locations: locations
                .into_iter()
                .map(|location| LocationDocument { id: location.id.to_string(), name: location.name.clone() })
                .collect(),
            changes,
            steps: self
                .plan
                .steps
                .iter()
                .map(|step| StepDocument {
                    change: step.change,
                    kind: match step.kind {
                        StepKind::Final => KindDocument::Final,
                        StepKind::Interim => KindDocument::Interim,
                    },
                    settings: (&step.settings).into(),
                    set: names(step.set),
                    after: step.after.clone(),
                })
                .collect(),
            neighbours: self
                .plan
                .neighbours
                .iter()
                .map(|neighbour| NeighbourDocument {
                    location: neighbour.location.to_string(),
                    network: neighbour.network.to_string(),
                    settings: (&neighbour.settings).into(),
                })
                .collect(),
            checksum: String::new(),
        }
    }

    pub(super) fn from_document(document: Document) -> Option<Self> {
        let networks = document.changes.iter().map(|change| &change.network);
        let networks: Vec<&String> = networks.chain(document.neighbours.iter().map(|other| &other.network)).collect();
        // Nobody writes a network twice; which of the two would be the one that is meant?
        if networks.iter().collect::<HashSet<_>>().len() < networks.len() {
            return None;
        }
        let locations: Vec<Where> = document
            .locations
            .into_iter()
            .map(|location| Where { id: LocationId::new(location.id), name: location.name })
            .collect();
        let changes = document.changes.into_iter().map(|change| {
            Some(Change {
                location: locations.get(change.location)?.clone(),
                network: NetworkId::new(change.network),
                before: change.before.into(),
                after: change.after.into(),
                changed: settings(&change.changed)?,
                because: match change.because {
                    BecauseDocument::File { file, line } => Because::File { file, line },
                    BecauseDocument::Rule { rule } => Because::Rule { rule },
                },
            })
        });
        let steps = document.steps.into_iter().map(|step| {
            Some(Step {
                change: step.change,
                kind: match step.kind {
                    KindDocument::Final => StepKind::Final,
                    KindDocument::Interim => StepKind::Interim,
                },
                settings: step.settings.into(),
                set: settings(&step.set)?,
                after: step.after,
            })
        });
        let counts = document.counts;
        Some(Self {
            plan: Plan {
                changes: changes.collect::<Option<_>>()?,
                steps: steps.collect::<Option<_>>()?,
                neighbours: document
                    .neighbours
                    .into_iter()
                    .map(|neighbour| Neighbour {
                        location: LocationId::new(neighbour.location),
                        network: NetworkId::new(neighbour.network),
                        settings: neighbour.settings.into(),
                    })
                    .collect(),
                counts: Counts {
                    locations: counts.locations,
                    networks: counts.networks,
                    unchanged: counts.unchanged,
                    unmanaged: counts.unmanaged,
                    left_out: counts.left_out,
                },
                minimal: document.minimal,
                warnings: document
                    .warnings
                    .into_iter()
                    .map(|warning| Warning {
                        code: warning.code,
                        message: warning.message,
                        file: warning.file,
                        line: warning.line,
                    })
                    .collect(),
            },
            created: document.created,
            org: document.org,
            max_changes: document.max_changes,
            sources: document.sources.into_iter().map(|source| (source.file, source.sha256)).collect(),
        })
    }
}

fn names(set: SettingSet) -> Vec<String> {
    set.iter().map(|setting| setting.api_name().to_owned()).collect()
}

fn settings(names: &[String]) -> Option<SettingSet> {
    names.iter().map(|name| Setting::ALL.into_iter().find(|setting| setting.api_name() == name)).collect()
}
