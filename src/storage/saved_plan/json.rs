//! The JSON of a saved plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SavedPlan;
use crate::model::{LocationId, NetworkId, Setting, SettingSet};
use crate::plan::model::{Change, ChangeSource, Counts, LocationRef, Plan, Step, StepKind, UnchangedNetwork, Warning};
use crate::storage::settings_json::SettingsJson;

pub(super) const FORMAT_VERSION: u32 = 1;

pub(super) const KIND: &str = "saved-plan";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedPlanJson {
    format_version: u32,
    kind: String,
    generator: String,
    created: Timestamp,
    org: Option<String>,
    max_changes: Option<String>,
    sources: Vec<SourceJson>,
    counts: CountsJson,
    minimal: bool,
    warnings: Vec<WarningJson>,
    locations: Vec<LocationJson>,
    changes: Vec<ChangeJson>,
    steps: Vec<StepJson>,
    unchanged_networks: Vec<UnchangedNetworkJson>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) checksum: String,
}

impl SavedPlanJson {
    /// Whether this version can read the document.
    pub(super) fn is_ours(&self) -> bool {
        self.kind == KIND && self.format_version == FORMAT_VERSION
    }
}

#[derive(Serialize, Deserialize)]
struct SourceJson {
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CountsJson {
    locations: usize,
    networks: usize,
    unchanged: usize,
    unmanaged: usize,
    out_of_scope: usize,
}

#[derive(Serialize, Deserialize)]
struct WarningJson {
    code: Arc<str>,
    message: Arc<str>,
    file: Option<Arc<str>>,
    line: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct LocationJson {
    id: String,
    name: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct ChangeJson {
    location: usize,
    network: String,
    before: SettingsJson,
    after: SettingsJson,
    changed: Vec<String>,
    source: ChangeSourceJson,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ChangeSourceJson {
    File { file: Arc<str>, line: u32 },
    Rule { rule: Arc<str> },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StepJson {
    change: usize,
    kind: StepKindJson,
    settings: SettingsJson,
    set: Vec<String>,
    depends_on: Vec<usize>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StepKindJson {
    Final,
    Interim,
}

#[derive(Serialize, Deserialize)]
struct UnchangedNetworkJson {
    location: String,
    network: String,
    settings: SettingsJson,
}

impl SavedPlan {
    pub(super) fn json(&self) -> SavedPlanJson {
        let mut locations: Vec<&LocationRef> = Vec::new();
        let mut place: HashMap<&LocationRef, usize> = HashMap::new();
        let changes = self.plan.changes.iter().map(|change| {
            let location = *place.entry(&change.location).or_insert_with(|| {
                locations.push(&change.location);
                locations.len() - 1
            });
            ChangeJson {
                location,
                network: change.network.to_string(),
                before: (&change.before).into(),
                after: (&change.after).into(),
                changed: names(change.changed_settings),
                source: match &change.source {
                    ChangeSource::File { file, line } => ChangeSourceJson::File { file: file.clone(), line: *line },
                    ChangeSource::Rule { rule } => ChangeSourceJson::Rule { rule: rule.clone() },
                },
            }
        });
        let changes = changes.collect();
        let counts = self.plan.counts;
        SavedPlanJson {
            format_version: FORMAT_VERSION,
            kind: KIND.to_owned(),
            generator: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
            created: self.created,
            org: self.org.clone(),
            max_changes: self.max_changes.clone(),
            sources: self
                .sources
                .iter()
                .map(|(file, sha256)| SourceJson { file: file.clone(), sha256: sha256.clone() })
                .collect(),
            counts: CountsJson {
                locations: counts.locations,
                networks: counts.networks,
                unchanged: counts.unchanged,
                unmanaged: counts.unmanaged,
                out_of_scope: counts.out_of_scope,
            },
            minimal: self.plan.is_minimal,
            warnings: self
                .plan
                .warnings
                .iter()
                .map(|warning| WarningJson {
                    code: warning.code.clone(),
                    message: warning.message.clone(),
                    file: warning.file.clone(),
                    line: warning.line,
                })
                .collect(),
            locations: locations
                .into_iter()
                .map(|location| LocationJson { id: location.id.to_string(), name: location.name.clone() })
                .collect(),
            changes,
            steps: self
                .plan
                .steps
                .iter()
                .map(|step| StepJson {
                    change: step.change,
                    kind: match step.kind {
                        StepKind::Final => StepKindJson::Final,
                        StepKind::Interim => StepKindJson::Interim,
                    },
                    settings: (&step.settings).into(),
                    set: names(step.changes),
                    depends_on: step.depends_on.clone(),
                })
                .collect(),
            unchanged_networks: self
                .plan
                .unchanged_networks
                .iter()
                .map(|unchanged| UnchangedNetworkJson {
                    location: unchanged.location.to_string(),
                    network: unchanged.network.to_string(),
                    settings: (&unchanged.settings).into(),
                })
                .collect(),
            checksum: String::new(),
        }
    }

    pub(super) fn from_json(json: SavedPlanJson) -> Option<Self> {
        let networks = json.changes.iter().map(|change| &change.network);
        let networks: Vec<&String> =
            networks.chain(json.unchanged_networks.iter().map(|other| &other.network)).collect();
        // A duplicate network is ambiguous, so the file is rejected.
        if networks.iter().collect::<HashSet<_>>().len() < networks.len() {
            return None;
        }
        let locations: Vec<LocationRef> = json
            .locations
            .into_iter()
            .map(|location| LocationRef { id: LocationId::new(location.id), name: location.name })
            .collect();
        let changes = json.changes.into_iter().map(|change| {
            Some(Change {
                location: locations.get(change.location)?.clone(),
                network: NetworkId::new(change.network),
                before: change.before.into(),
                after: change.after.into(),
                changed_settings: settings(&change.changed)?,
                source: match change.source {
                    ChangeSourceJson::File { file, line } => ChangeSource::File { file, line },
                    ChangeSourceJson::Rule { rule } => ChangeSource::Rule { rule },
                },
            })
        });
        let steps = json.steps.into_iter().map(|step| {
            Some(Step {
                change: step.change,
                kind: match step.kind {
                    StepKindJson::Final => StepKind::Final,
                    StepKindJson::Interim => StepKind::Interim,
                },
                settings: step.settings.into(),
                changes: settings(&step.set)?,
                depends_on: step.depends_on,
            })
        });
        let counts = json.counts;
        Some(Self {
            plan: Plan {
                changes: changes.collect::<Option<_>>()?,
                steps: steps.collect::<Option<_>>()?,
                unchanged_networks: json
                    .unchanged_networks
                    .into_iter()
                    .map(|unchanged| UnchangedNetwork {
                        location: LocationId::new(unchanged.location),
                        network: NetworkId::new(unchanged.network),
                        settings: unchanged.settings.into(),
                    })
                    .collect(),
                counts: Counts {
                    locations: counts.locations,
                    networks: counts.networks,
                    unchanged: counts.unchanged,
                    unmanaged: counts.unmanaged,
                    out_of_scope: counts.out_of_scope,
                },
                is_minimal: json.minimal,
                warnings: json
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
            created: json.created,
            org: json.org,
            max_changes: json.max_changes,
            sources: json.sources.into_iter().map(|source| (source.file, source.sha256)).collect(),
        })
    }
}

fn names(set: SettingSet) -> Vec<String> {
    set.iter().map(|setting| setting.api_name().to_owned()).collect()
}

fn settings(names: &[String]) -> Option<SettingSet> {
    names.iter().map(|name| Setting::ALL.into_iter().find(|setting| setting.api_name() == name)).collect()
}
