//! The JSON of a saved plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::SavedPlan;
use crate::model::{BaseStation, BaseStationId, LocationId, NetworkId, Setting, SettingSet};
use crate::plan::model::{
    Change, ChangeIndex, ChangeSource, Counts, Dependency, LocationRef, NetworkDevices, NetworkRef, Plan,
    ResourceState, Step, StepIndex, StepItem, UnchangedNetwork, Warning,
};
use crate::storage::state_json::{HandsetJson, SettingsJson, StateJson};

pub(super) const FORMAT_VERSION: u32 = 1;

pub(super) const KIND: &str = "saved-plan";

/// A plan written by `--out`, unless encrypted. Contains access codes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedPlanJson {
    format_version: u32,
    kind: String,
    generator: String,
    #[schemars(with = "String")]
    created: Timestamp,
    org: Option<String>,
    max_changes: Option<String>,
    /// Value of --max-deletes; absent if it was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_deletes: Option<usize>,
    /// The run that the plan undoes; absent if it is no undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undoes: Option<String>,
    sources: Vec<SourceJson>,
    counts: CountsJson,
    minimal: bool,
    warnings: Vec<WarningJson>,
    locations: Vec<LocationJson>,
    changes: Vec<ChangeJson>,
    steps: Vec<StepJson>,
    unchanged_networks: Vec<UnchangedNetworkJson>,
    /// The devices of each network that has some changed, as listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<NetworkDevicesJson>,
    /// SHA-256 of all other fields.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) checksum: String,
}

impl SavedPlanJson {
    /// Whether this version can read the document.
    pub(super) fn is_ours(&self) -> bool {
        self.kind == KIND && self.format_version == FORMAT_VERSION
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct SourceJson {
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CountsJson {
    locations: usize,
    networks: usize,
    unchanged: usize,
    unmanaged: usize,
    out_of_scope: usize,
    /// Listed base stations.
    #[serde(default)]
    base_stations: usize,
    #[serde(default)]
    unmanaged_base_stations: usize,
    /// Listed handsets.
    #[serde(default)]
    handsets: usize,
    #[serde(default)]
    unmanaged_handsets: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct WarningJson {
    code: Arc<str>,
    message: Arc<str>,
    file: Option<Arc<str>>,
    line: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct LocationJson {
    id: String,
    name: Arc<str>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeJson {
    /// Index into `locations`.
    location: usize,
    network: NetworkRefJson,
    network_name: Arc<str>,
    /// Absent if it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<StateJson>,
    /// Absent if it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<StateJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    /// What goes with a deleted network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contents: Vec<StateJson>,
    /// MAC address of the base station that takes the place of a removed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_by: Option<Arc<str>>,
    source: ChangeSourceJson,
}

/// The id of a live network, or the index of the change that creates it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum NetworkRefJson {
    Live(String),
    Created(usize),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ChangeSourceJson {
    File { file: Arc<str>, line: u32 },
    Rule { rule: Arc<str> },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StepJson {
    /// Indexes of the changes that it makes.
    #[schemars(length(min = 1))]
    items: Vec<usize>,
    /// The state that it leaves a thing in for a while; none if it leaves all of them as their changes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interim: Option<StateJson>,
    depends_on: Vec<DependencyJson>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct DependencyJson {
    /// The change of this step that depends on it.
    item: usize,
    step: usize,
    /// The change of that step that must have succeeded.
    change: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NetworkDevicesJson {
    network: String,
    model: Option<Arc<str>>,
    base_stations: Vec<BaseStationJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    handsets: Vec<HandsetJson>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct BaseStationJson {
    id: Option<String>,
    mac: Arc<str>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct UnchangedNetworkJson {
    location: String,
    network: String,
    settings: SettingsJson,
}

/// The schema of a saved plan.
pub fn saved_plan_schema(settings: SchemaSettings) -> Schema {
    settings.into_generator().into_root_schema_for::<SavedPlanJson>()
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
                network: match &change.network {
                    NetworkRef::Live(id) => NetworkRefJson::Live(id.to_string()),
                    NetworkRef::Created(creation) => NetworkRefJson::Created(creation.0),
                },
                network_name: change.network_name.clone(),
                before: change.before.as_ref().map(StateJson::from),
                after: change.after.as_ref().map(StateJson::from),
                changed: names(change.changed_settings),
                contents: change.contents.iter().map(StateJson::from).collect(),
                replaced_by: change.replaced_by.clone(),
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
            max_deletes: self.max_deletes,
            undoes: self.undoes.clone(),
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
                base_stations: counts.base_stations,
                unmanaged_base_stations: counts.unmanaged_base_stations,
                handsets: self.plan.counts.handsets,
                unmanaged_handsets: self.plan.counts.unmanaged_handsets,
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
                    items: step.changes().map(|change| change.0).collect(),
                    interim: step
                        .items
                        .iter()
                        .find(|item| !self.plan.is_final(item))
                        .and_then(|item| item.to.as_ref().map(StateJson::from)),
                    depends_on: step
                        .depends_on
                        .iter()
                        .map(|dependency| DependencyJson {
                            item: dependency.item.0,
                            step: dependency.step.0,
                            change: dependency.change.0,
                        })
                        .collect(),
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
            devices: self.plan.devices.iter().map(devices_json).collect(),
            checksum: String::new(),
        }
    }

    pub(super) fn from_json(json: SavedPlanJson) -> Option<Self> {
        let networks = json.changes.iter().filter_map(|change| match (&change.network, &change.before) {
            (NetworkRefJson::Live(id), Some(StateJson::Network { .. })) => Some(id),
            _ => None,
        });
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
                network: match change.network {
                    NetworkRefJson::Live(id) => NetworkRef::Live(NetworkId::non_empty(id)?),
                    NetworkRefJson::Created(creation) => NetworkRef::Created(ChangeIndex(creation)),
                },
                network_name: change.network_name,
                before: change.before.map(Into::into),
                after: change.after.map(Into::into),
                changed_settings: settings(&change.changed)?,
                contents: change.contents.into_iter().map(Into::into).collect(),
                replaced_by: change.replaced_by,
                source: match change.source {
                    ChangeSourceJson::File { file, line } => ChangeSource::File { file, line },
                    ChangeSourceJson::Rule { rule } => ChangeSource::Rule { rule },
                },
            })
        });
        let changes: Vec<Change> = changes.collect::<Option<_>>()?;
        // What each thing is before its next step.
        let mut current: Vec<Option<ResourceState>> = changes.iter().map(|change| change.before.clone()).collect();
        let steps = json.steps.into_iter().map(|step| {
            let interim: Option<ResourceState> = step.interim.map(Into::into);
            let mut item = |change: usize| {
                let to = interim.clone().or_else(|| changes.get(change)?.after.clone());
                let from = std::mem::replace(current.get_mut(change)?, to.clone());
                Some(StepItem { change: ChangeIndex(change), from, to })
            };
            let items: Vec<StepItem> = step.items.into_iter().map(&mut item).collect::<Option<_>>()?;
            let depends_on = step.depends_on.into_iter().map(|dependency| Dependency {
                item: ChangeIndex(dependency.item),
                step: StepIndex(dependency.step),
                change: ChangeIndex(dependency.change),
            });
            (!items.is_empty()).then(|| Step { items, depends_on: depends_on.collect() })
        });
        let steps: Vec<Step> = steps.collect::<Option<_>>()?;
        let counts = json.counts;
        Some(Self {
            plan: Plan {
                changes,
                steps,
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
                    base_stations: counts.base_stations,
                    unmanaged_base_stations: counts.unmanaged_base_stations,
                    handsets: counts.handsets,
                    unmanaged_handsets: counts.unmanaged_handsets,
                },
                devices: json.devices.into_iter().map(devices).collect(),
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
                handset_interval: Duration::ZERO,
            },
            created: json.created,
            org: json.org,
            max_changes: json.max_changes,
            max_deletes: json.max_deletes,
            undoes: json.undoes,
            sources: json.sources.into_iter().map(|source| (source.file, source.sha256)).collect(),
        })
    }
}

fn devices_json(devices: &NetworkDevices) -> NetworkDevicesJson {
    let station = |station: &BaseStation| BaseStationJson {
        id: station.id.as_ref().map(ToString::to_string),
        mac: station.address.clone(),
    };
    NetworkDevicesJson {
        network: devices.network.to_string(),
        model: devices.model.clone(),
        base_stations: devices.base_stations.iter().map(station).collect(),
        handsets: devices.handsets.iter().map(Into::into).collect(),
    }
}

fn devices(json: NetworkDevicesJson) -> NetworkDevices {
    let station = |station: BaseStationJson| BaseStation {
        id: station.id.and_then(BaseStationId::non_empty),
        address: station.mac,
    };
    NetworkDevices {
        network: NetworkId::new(json.network),
        model: json.model,
        base_stations: json.base_stations.into_iter().map(station).collect(),
        handsets: json.handsets.into_iter().map(Into::into).collect(),
    }
}

fn names(set: SettingSet) -> Vec<String> {
    set.iter().map(|setting| setting.api_name().to_owned()).collect()
}

fn settings(names: &[String]) -> Option<SettingSet> {
    names.iter().map(|name| Setting::ALL.into_iter().find(|setting| setting.api_name() == name)).collect()
}
