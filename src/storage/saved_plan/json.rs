//! The JSON of a saved plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::SavedPlan;
use crate::model::{LocationId, NetworkId};
use crate::plan::model::{
    Change, ChangeIndex, ChangeSource, Counts, Dependency, LocationRef, NetworkDevices, NetworkRef, OrganizationRef,
    Plan, Protections, ResourceState, Step, StepItem, UnchangedNetwork, Warning,
};
use crate::storage::state_json::{SettingsJson, StateJson};

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
    /// The interrupted runs that it undoes together with that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    undoes_with: Vec<String>,
    /// The organization that it is for, if the files name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<OrganizationRef>,
    sources: Vec<SourceJson>,
    counts: Counts,
    minimal: bool,
    /// What it changes although files protect it.
    #[serde(default, skip_serializing_if = "Protections::is_empty")]
    protections: Protections,
    warnings: Vec<Warning>,
    locations: Vec<LocationRef>,
    changes: Vec<ChangeJson>,
    steps: Vec<StepJson>,
    unchanged_networks: Vec<UnchangedNetworkJson>,
    /// The devices of each network that has some changed, as listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<NetworkDevices>,
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
struct ChangeJson {
    /// Index into `locations`.
    location: usize,
    network: NetworkRef,
    network_name: Arc<str>,
    /// Absent if it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<StateJson>,
    /// Absent if it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<StateJson>,
    /// What goes with a deleted network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contents: Vec<StateJson>,
    /// MAC address of the base station that takes the place of a removed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_by: Option<Arc<str>>,
    source: ChangeSource,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StepJson {
    /// Indexes of the changes that it makes.
    #[schemars(length(min = 1))]
    items: Vec<ChangeIndex>,
    /// The state that it leaves a thing in for a while; none if it leaves all of them as their changes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interim: Option<StateJson>,
    depends_on: Vec<Dependency>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct UnchangedNetworkJson {
    location: LocationId,
    network: NetworkId,
    settings: SettingsJson,
}

/// The schema of a saved plan.
pub fn saved_plan_schema(settings: SchemaSettings) -> Schema {
    settings.into_generator().into_root_schema_for::<SavedPlanJson>()
}

impl SavedPlan {
    pub(super) fn json(&self) -> SavedPlanJson {
        let mut locations: Vec<LocationRef> = Vec::new();
        let mut place: HashMap<&LocationRef, usize> = HashMap::new();
        let changes = self.plan.changes.iter().map(|change| {
            let location = *place.entry(&change.location).or_insert_with(|| {
                locations.push(change.location.clone());
                locations.len() - 1
            });
            ChangeJson::of(change, location)
        });
        let changes = changes.collect();
        let source = |(file, sha256): &(String, String)| SourceJson { file: file.clone(), sha256: sha256.clone() };
        let unchanged = |unchanged: &UnchangedNetwork| UnchangedNetworkJson {
            location: unchanged.location.clone(),
            network: unchanged.network.clone(),
            settings: (&unchanged.settings).into(),
        };
        SavedPlanJson {
            format_version: FORMAT_VERSION,
            kind: KIND.to_owned(),
            generator: concat!("dectl ", env!("CARGO_PKG_VERSION")).to_owned(),
            created: self.created,
            org: self.org.clone(),
            max_changes: self.max_changes.clone(),
            max_deletes: self.max_deletes,
            undoes: self.undoes.clone(),
            undoes_with: self.undoes_with.clone(),
            organization: self.plan.organization.clone(),
            sources: self.sources.iter().map(source).collect(),
            counts: self.plan.counts,
            minimal: self.plan.is_minimal,
            protections: self.plan.protections.clone(),
            warnings: self.plan.warnings.clone(),
            locations,
            changes,
            steps: self.plan.steps.iter().map(|step| StepJson::of(step, &self.plan)).collect(),
            unchanged_networks: self.plan.unchanged_networks.iter().map(unchanged).collect(),
            devices: self.plan.devices.clone(),
            checksum: String::new(),
        }
    }

    pub(super) fn from_json(json: SavedPlanJson) -> Option<Self> {
        let networks = json.changes.iter().filter_map(|change| match (&change.network, &change.before) {
            (NetworkRef::Live(id), Some(StateJson::Network { .. })) => Some(id),
            _ => None,
        });
        let networks: Vec<&NetworkId> =
            networks.chain(json.unchanged_networks.iter().map(|other| &other.network)).collect();
        // A duplicate network is ambiguous, so the file is rejected.
        if networks.iter().collect::<HashSet<_>>().len() < networks.len() {
            return None;
        }
        let changes: Vec<Change> =
            json.changes.into_iter().map(|change| change.change(&json.locations)).collect::<Option<_>>()?;
        // What each thing is before its next step.
        let mut current: Vec<Option<ResourceState>> = changes.iter().map(|change| change.before.clone()).collect();
        let steps: Vec<Step> =
            json.steps.into_iter().map(|step| step.step(&changes, &mut current)).collect::<Option<_>>()?;
        let unchanged = |unchanged: UnchangedNetworkJson| UnchangedNetwork {
            location: unchanged.location,
            network: unchanged.network,
            settings: unchanged.settings.into(),
        };
        Some(Self {
            plan: Plan {
                organization: json.organization,
                changes,
                steps,
                unchanged_networks: json.unchanged_networks.into_iter().map(unchanged).collect(),
                counts: json.counts,
                devices: json.devices,
                is_minimal: json.minimal,
                protections: json.protections,
                warnings: json.warnings,
                handset_interval: Duration::ZERO,
                handset_waits: HashMap::new(),
            },
            created: json.created,
            org: json.org,
            max_changes: json.max_changes,
            max_deletes: json.max_deletes,
            undoes: json.undoes,
            undoes_with: json.undoes_with,
            sources: json.sources.into_iter().map(|source| (source.file, source.sha256)).collect(),
        })
    }
}

impl ChangeJson {
    fn of(change: &Change, location: usize) -> Self {
        Self {
            location,
            network: change.network.clone(),
            network_name: change.network_name.clone(),
            before: change.before.as_ref().map(StateJson::from),
            after: change.after.as_ref().map(StateJson::from),
            contents: change.contents.iter().map(StateJson::from).collect(),
            replaced_by: change.replaced_by.clone(),
            source: change.source.clone(),
        }
    }

    fn change(self, locations: &[LocationRef]) -> Option<Change> {
        Some(Change {
            location: locations.get(self.location)?.clone(),
            network: self.network,
            network_name: self.network_name,
            before: self.before.map(Into::into),
            after: self.after.map(Into::into),
            contents: self.contents.into_iter().map(Into::into).collect(),
            replaced_by: self.replaced_by,
            source: self.source,
        })
    }
}

impl StepJson {
    fn of(step: &Step, plan: &Plan) -> Self {
        let interim = step.items.iter().find(|item| !plan.is_final(item));
        Self {
            items: step.changes().collect(),
            interim: interim.and_then(|item| item.to.as_ref().map(StateJson::from)),
            depends_on: step.depends_on.clone(),
        }
    }

    /// The step; `current` is what each thing is before it, and then after it.
    fn step(self, changes: &[Change], current: &mut [Option<ResourceState>]) -> Option<Step> {
        let interim: Option<ResourceState> = self.interim.map(Into::into);
        let mut item = |change: ChangeIndex| {
            let to = interim.clone().or_else(|| changes.get(change.0)?.after.clone());
            let from = std::mem::replace(current.get_mut(change.0)?, to.clone());
            Some(StepItem { change, from, to })
        };
        let items: Vec<StepItem> = self.items.into_iter().map(&mut item).collect::<Option<_>>()?;
        (!items.is_empty()).then_some(Step { items, depends_on: self.depends_on })
    }
}
