//! The JSON documents as types. What is printed is their serialization, and their schemas are derived from them; the
//! comments are the descriptions of the schemas.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::licences::LicenceNote;
use super::summary::{PlanSummary, ResultSummary, StatusSummary};
use super::view::{ChangeReason, DeviceView, FieldView, ProtectionView};
use crate::apply::{ChangeStatus, Failure};
use crate::diagnostic::Severity;
use crate::plan::model::{
    ChangeAction, ChangeSource, FieldKind, LocationRef, Operation, OrganizationRef, ResourceKind, StepKind, Warning,
};
use crate::reconcile::{DriftCause, DriftItem};
use crate::storage::RunOutcome;
use crate::webex::ApiError;

/// The version of all documents.
pub const FORMAT_VERSION: u32 = 1;

/// A plan: `dectl plan -o json`, `dectl show -o json`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanDocument {
    /// The organization that it is for, if the files name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<OrganizationRef>,
    pub(super) summary: PlanSummary,
    pub(super) changes: Vec<ChangeDocument>,
    /// The requests in order.
    pub(super) steps: Vec<StepDocument>,
    /// What it changes although files protect it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) protections: Vec<ProtectionView>,
    pub(super) warnings: Vec<Warning>,
    pub(super) licences: LicenceNote,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeDocument {
    pub(super) location: LocationRef,
    /// Null if the network is created; its name is the one before the run if it exists.
    pub(super) network: NetworkDocument,
    pub(super) action: ChangeAction,
    pub(super) kind: ResourceKind,
    pub(super) reason: ChangeReason,
    pub(super) fields: Fields<FieldChange>,
    /// Source of the change: an entry of a file, or a rule.
    pub(super) source: ChangeSource,
    #[serde(flatten)]
    pub(super) device: DeviceDocument,
    /// What goes with a deleted network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contents: Option<Vec<ContentDocument>>,
    /// MAC address of the base station that takes the place of a removed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replaced_by: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct NetworkDocument {
    /// Null if the network does not exist.
    pub(super) id: Option<String>,
    /// Its name before the run, if it exists.
    pub(super) name: String,
}

/// The device that something is about, if it is about one.
#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceDocument {
    /// The base station, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_station: Option<BaseStationDocument>,
    /// The handset, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    handset: Option<HandsetDocument>,
}

#[derive(Serialize, JsonSchema)]
struct BaseStationDocument {
    /// Its id; null before it is added.
    id: Option<String>,
    mac: String,
}

#[derive(Serialize, JsonSchema)]
struct HandsetDocument {
    /// Its id; null before it is added.
    id: Option<String>,
    /// Its display name and line.
    name: String,
}

impl DeviceDocument {
    pub(super) fn of(device: Option<&DeviceView>) -> Self {
        let Some(device) = device else { return Self::default() };
        let (id, label) = (device.id.clone(), device.label.clone());
        match device.kind {
            ResourceKind::BaseStation => {
                Self { base_station: Some(BaseStationDocument { id, mac: label }), handset: None }
            }
            ResourceKind::Handset => Self { base_station: None, handset: Some(HandsetDocument { id, name: label }) },
            ResourceKind::Network | ResourceKind::ServiceabilityPassword => Self::default(),
        }
    }
}

/// A device that goes with a deleted network.
#[derive(Serialize, JsonSchema)]
pub(super) struct ContentDocument {
    kind: ResourceKind,
    id: Option<String>,
    /// Of a base station.
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    /// Of a handset: its display name and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl From<&DeviceView> for ContentDocument {
    fn from(device: &DeviceView) -> Self {
        let label = device.label.clone();
        let (mac, name) =
            if device.kind == ResourceKind::BaseStation { (Some(label), None) } else { (None, Some(label)) };
        Self { kind: device.kind, id: device.id.clone(), mac, name }
    }
}

/// Values by the name of their field.
pub(super) struct Fields<T>(Vec<(&'static str, T)>);

impl<T> Fields<T> {
    pub(super) fn of(fields: &[FieldView], value: impl Fn(&FieldView) -> T) -> Self {
        Self(fields.iter().map(|field| (field.name, value(field))).collect())
    }

    /// `None` if there are no fields.
    pub(super) fn some(self) -> Option<Self> {
        Some(self).filter(|fields| !fields.0.is_empty())
    }
}

impl<T: Serialize> Serialize for Fields<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<T: JsonSchema> JsonSchema for Fields<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Fields of {}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fields = ResourceKind::ALL.into_iter().flat_map(ResourceKind::fields);
        let properties: serde_json::Map<String, serde_json::Value> =
            fields.map(|field| (field.name.to_owned(), generator.subschema_for::<T>().into())).collect();
        json_schema!({ "type": "object", "properties": properties })
    }
}

/// A value before and after.
#[derive(Serialize, JsonSchema)]
pub(super) struct FieldChange {
    from: Option<FieldValue>,
    to: Option<FieldValue>,
    /// Present if the value is masked; absent with --show-codes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
}

/// A value in the JSON type of the API.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum FieldValue {
    Boolean(bool),
    Text(String),
}

impl FieldValue {
    fn of(kind: FieldKind, value: &str) -> Self {
        match kind {
            FieldKind::Boolean => Self::Boolean(value == "true"),
            _ => Self::Text(value.to_owned()),
        }
    }
}

impl From<&FieldView> for FieldChange {
    fn from(field: &FieldView) -> Self {
        let value = |value: &Option<String>| value.as_deref().map(|value| FieldValue::of(field.kind, value));
        Self { from: value(&field.from), to: value(&field.to), masked: field.masked }
    }
}

/// The new value of a field; null if it is masked.
pub(super) fn new_value(field: &FieldView) -> Option<FieldValue> {
    field.to.as_deref().filter(|_| !field.masked).map(|value| FieldValue::of(field.kind, value))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepDocument {
    /// The location's id.
    pub(super) location: String,
    /// The network's id; null if it is created.
    pub(super) network: Option<String>,
    pub(super) operation: Operation,
    /// Indexes of the changes that it makes.
    #[schemars(length(min = 1))]
    pub(super) changes: Vec<usize>,
    pub(super) kind: StepKind,
    /// Settings changed by this request; null if masked.
    pub(super) set: Fields<Option<FieldValue>>,
    /// Indexes of the steps that must be acknowledged first.
    pub(super) depends_on: Vec<usize>,
}

/// Result of a plan: `dectl apply -o json`, `dectl undo -o json`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultDocument {
    /// The plan that was applied.
    pub(super) plan: PlanDocument,
    pub(super) outcome: RunOutcome,
    pub(super) summary: ResultSummary,
    pub(super) results: Vec<ChangeResultDocument>,
    pub(super) verification: VerificationDocument,
    /// Why the run stopped early, if it did.
    pub(super) stopped: Option<String>,
    /// Names of the locations that were found to take one write at a time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) one_write_at_a_time: Vec<String>,
    /// The same about what was applied, or may have been.
    pub(super) licences: LicenceNote,
    /// Path of the journal.
    pub(super) journal: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeResultDocument {
    pub(super) location: LocationRef,
    pub(super) network: NetworkDocument,
    pub(super) action: ChangeAction,
    pub(super) kind: ResourceKind,
    pub(super) status: ChangeStatus,
    /// Source of the change: an entry of a file, or a rule.
    pub(super) source: ChangeSource,
    /// Whether the final list matches the plan; null if it was not read.
    pub(super) verified: Option<bool>,
    #[serde(flatten)]
    pub(super) device: DeviceDocument,
    /// Id that a network had before it was deleted, if an undo has created it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) former_id: Option<String>,
    /// Id of the network, or name of the thing, that this one depends on and that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blocked_by: Option<String>,
    /// Temporary settings that were not resolved; null if masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_settings: Option<Fields<Option<FieldValue>>>,
    /// Fields whose final live value differs from the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mismatched: Vec<&'static str>,
    /// Final live values that differ from the plan; null if masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<Fields<Option<FieldValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<RequestError>,
}

/// Why a request failed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestError {
    message: String,
    /// The HTTP status, if there was a response.
    status: Option<u16>,
    tracking_id: Option<String>,
}

impl From<&Failure> for RequestError {
    fn from(failure: &Failure) -> Self {
        Self { message: failure.message.clone(), status: failure.status, tracking_id: failure.tracking_id.clone() }
    }
}

impl From<&ApiError> for RequestError {
    fn from(error: &ApiError) -> Self {
        Self { message: error.message.clone(), status: error.status, tracking_id: error.tracking_id.clone() }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct VerificationDocument {
    pub(super) done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// `dectl rehearse -o json`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RehearsalDocument {
    /// The plan that was rehearsed.
    pub(super) plan: PlanDocument,
    /// Whether every network would be applied.
    pub(super) success: bool,
    pub(super) conditions: Conditions,
    pub(super) summary: RehearsalSummary,
    /// Networks that would not be applied.
    pub(super) results: Vec<ChangeResultDocument>,
}

/// Parameters of the simulation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Conditions {
    /// The simulated rate limit, e.g. 300 requests per 60 s.
    pub(super) limit: String,
    pub(super) latency_ms: u64,
    /// Maximum concurrent requests, if `--concurrency` was given.
    pub(super) concurrency: Option<usize>,
}

/// Simulated counts and times.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RehearsalSummary {
    pub(super) writes: u64,
    pub(super) requests: u64,
    pub(super) rate_limited: u64,
    pub(super) pauses: u64,
    pub(super) paused_ms: u64,
    pub(super) elapsed_ms: u64,
}

/// `dectl runs -o json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct RunsDocument {
    pub(super) runs: Vec<RunDocument>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunDocument {
    pub(super) run: String,
    pub(super) started_at: String,
    pub(super) outcome: RunState,
    /// What was run: the command with its files or its rule.
    pub(super) command: String,
    /// The names of the locations that it was to change.
    pub(super) locations: Vec<String>,
    pub(super) changes: usize,
    pub(super) networks_written: usize,
    pub(super) changes_written: usize,
    /// Number of changes that were about to be sent and whose result is not recorded: they may be written.
    pub(super) changes_open: usize,
    /// Whether the run is in progress.
    pub(super) running: bool,
    /// Base URL of the API that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<String>,
    /// Organization id, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) org: Option<String>,
    /// Whether it was about an organization that is embedded in the process.
    pub(super) simulated: bool,
    /// Run that this one resumes.
    pub(super) resumes: Option<String>,
    /// Run that this one undoes.
    pub(super) undoes: Option<String>,
    /// The newest run that undoes this one and was not undone itself.
    pub(super) undone_by: Option<String>,
}

/// How a run ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum RunState {
    Applied,
    Partial,
    Failed,
    Interrupted,
    Unchanged,
    /// An outcome that this version does not know.
    Unknown,
    /// It was killed, or is on another machine.
    Killed,
    Running,
}

impl From<RunOutcome> for RunState {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Applied => Self::Applied,
            RunOutcome::Partial => Self::Partial,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Interrupted => Self::Interrupted,
            RunOutcome::Unchanged => Self::Unchanged,
            RunOutcome::Unknown => Self::Unknown,
        }
    }
}

/// `dectl status -o json`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusDocument {
    pub(super) summary: StatusSummary,
    pub(super) locations: Vec<LocationStatusDocument>,
    /// Handsets that have never registered, of the networks whose handsets files name.
    pub(super) never_registered: Vec<NeverRegistered>,
    /// Why the comparison is incomplete or has failed: what cannot be read, and networks that must be in a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocationStatusDocument {
    pub(super) location: LocationRef,
    /// Number of managed networks.
    pub(super) networks: usize,
    /// Names of drifted networks.
    pub(super) drifted: Vec<String>,
    /// What differs, known differences included.
    pub(super) differences: Vec<DifferenceDocument>,
    /// When a recorded run last left all of these networks in sync.
    pub(super) last_in_sync: Option<String>,
}

/// A difference: of a field, or of a whole thing that does not exist or is to be deleted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DifferenceDocument {
    network: NetworkDocument,
    kind: ResourceKind,
    /// What identifies the device, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Absent if it is about the whole thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// The live value; null if there is none, or if it is an access code.
    live: Option<String>,
    /// What the file asks for, in the same way.
    asked: Option<String>,
    /// Whether the whole thing does not exist.
    missing: bool,
    /// Why, as far as the journals tell.
    cause: Option<CauseName>,
    /// The run that had last written it, if it was changed outside or undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// When that run had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Whether the baseline has it.
    known: bool,
}

/// Why the live state differs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum CauseName {
    /// It was otherwise when a run had last written it.
    ChangedOutside,
    /// It is as a run has left it, so the file is newer.
    NotApplied,
    /// It is as an undo has left it, which is the run.
    Undone,
}

impl From<&DriftItem> for DifferenceDocument {
    fn from(item: &DriftItem) -> Self {
        let (cause, run, since) = match &item.cause {
            Some(DriftCause::ChangedOutside { run, since }) => {
                (Some(CauseName::ChangedOutside), Some(run.clone()), Some(since.to_string()))
            }
            Some(DriftCause::NotApplied) => (Some(CauseName::NotApplied), None, None),
            Some(DriftCause::Undone { run }) => (Some(CauseName::Undone), Some(run.clone()), None),
            None => (None, None, None),
        };
        Self {
            network: NetworkDocument {
                id: item.network_id.as_ref().map(ToString::to_string),
                name: item.network.clone(),
            },
            kind: item.kind,
            device: item.device.clone(),
            field: item.field,
            live: item.live.clone(),
            asked: item.asked.clone(),
            missing: item.is_missing,
            cause,
            run,
            since,
            known: item.is_known,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct NeverRegistered {
    pub(super) network: String,
    /// Its name and lines.
    pub(super) handset: String,
}

/// `dectl orgs -o json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct OrganizationsDocument {
    pub(super) organizations: Vec<OrganizationDocument>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct OrganizationDocument {
    /// Its id, for `--org`.
    pub(super) org: String,
    pub(super) name: String,
    /// A directory for its files, made of its name.
    pub(super) files: String,
}

/// `dectl find -o json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct FoundDocument {
    pub(super) found: Vec<FoundThing>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundThing {
    pub(super) location: LocationRef,
    pub(super) network: NetworkDocument,
    pub(super) kind: ResourceKind,
    #[serde(flatten)]
    pub(super) device: DeviceDocument,
    /// Its values; null if masked.
    pub(super) fields: Fields<Option<FieldValue>>,
    /// Names of the fields that match; `id` for the id of the thing or of its member.
    pub(super) matched: Vec<&'static str>,
    /// When a line of a handset was last registered; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_registration: Option<String>,
}

/// `dectl auth check -o json`.
#[derive(Serialize, JsonSchema)]
pub(super) struct AuthDocument {
    /// Source of the token.
    pub(super) source: String,
    /// Owner of the token, or why it is unknown.
    pub(super) owner: Owner,
    /// Expiry of the token, if known.
    pub(super) expires: Option<String>,
    /// Whether the networks can be listed.
    pub(super) read: ReadAccess,
    /// Whether locations without DECT networks can be looked up by name.
    pub(super) locations: ReadAccess,
    /// Always null; only the first write shows it.
    pub(super) write: WriteAccess,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Owner {
    Known { name: Option<String>, email: Option<String>, organization: Option<String> },
    Unknown { error: RequestError },
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ReadAccess {
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) networks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locations: Option<usize>,
    /// What is missing, if it is not allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<RequestError>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct WriteAccess {
    pub(super) ok: (),
    pub(super) reason: &'static str,
}

/// `dectl validate -o json` of files without errors.
#[derive(Serialize, JsonSchema)]
pub(super) struct ValidationDocument {
    pub(super) valid: bool,
    pub(super) summary: ValidationSummary,
    pub(super) diagnostics: Vec<DiagnosticDocument>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ValidationSummary {
    pub(super) files: usize,
    pub(super) locations: usize,
    pub(super) networks: usize,
}

/// Error of any command with -o json.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorDocument {
    pub(super) message: String,
    pub(super) diagnostics: Vec<DiagnosticDocument>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct DiagnosticDocument {
    /// Explained in docs/errors.md.
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) file: Option<String>,
    /// 1-based.
    pub(super) line: Option<u32>,
    /// In characters, 1-based.
    pub(super) column: Option<u32>,
    pub(super) help: Option<String>,
    pub(super) related: Vec<RelatedDocument>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RelatedDocument {
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
}
