//! Views of a plan and a result: grouped, sorted, access codes masked. No other report module sees an access code.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::licences::LicenceNote;
use super::sanitize::sanitize;
use super::summary::{PlanSummary, ResultSummary};
use super::{CodeVisibility, plural};
use crate::apply::{ChangeResult, ChangeStatus, Outcome};
use crate::model::LocationId;
use crate::plan::model::{
    Change, ChangeAction, ChangeIndex, ChangeSource, Field, FieldKind, FieldValue, Operation, OrganizationRef, Plan,
    Protection, ResourceKind, ResourceState, Step, StepKind, Warning, changed_fields,
};
use crate::reconcile::RecreatedNetwork;
use crate::storage::RunOutcome;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// The organization that it is for, if the files name it.
    pub organization: Option<OrganizationRef>,
    pub summary: PlanSummary,
    /// Whether a reader must be told which deletions must be allowed.
    pub must_allow_deletions: bool,
    /// Whose calling in the Webex apps may change.
    pub licences: LicenceNote,
    pub locations: Vec<LocationView>,
    pub steps: Vec<StepView>,
    /// What it changes although files protect it.
    pub protections: Vec<ProtectionView>,
    /// Names that were allowed and that nothing has which is protected.
    pub unused_allowances: Vec<String>,
    pub warnings: Vec<Warning>,
}

/// A protection that some changes of a plan meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProtectionView {
    #[serde(flatten)]
    pub protection: Protection,
    /// Number of changes that it refuses, unless `--allow` names them.
    pub refused: usize,
}

impl ProtectionView {
    fn describe(&self) -> String {
        let (name, protection) = (sanitize(self.protection.name()), self.protection.to_string());
        let protection = sanitize(&protection);
        match self.refused {
            0 => format!("{protection}, and allowed"),
            1 => format!("{protection}: 1 change is refused without `--allow {name:?}`"),
            refused => format!("{protection}: {refused} changes are refused without `--allow {name:?}`"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationView {
    pub id: LocationId,
    pub name: String,
    pub changes: Vec<ChangeView>,
}

impl LocationView {
    /// The changes by network, in the order of the plan: that of the network itself, if there is one, and those of its
    /// devices.
    pub fn networks(&self) -> Vec<NetworkChanges<'_>> {
        let mut networks: Vec<NetworkChanges<'_>> = Vec::new();
        let mut place: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for change in &self.changes {
            let key = (change.name.as_str(), change.network_id.as_deref());
            let at = *place.entry(key).or_insert_with(|| {
                networks.push(NetworkChanges { name: &change.name, own: None, devices: Vec::new() });
                networks.len() - 1
            });
            match change.kind {
                ResourceKind::Network => networks[at].own = Some(change),
                _ => networks[at].devices.push(change),
            }
        }
        networks
    }
}

/// The changes of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkChanges<'a> {
    pub name: &'a str,
    pub own: Option<&'a ChangeView>,
    pub devices: Vec<&'a ChangeView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeView {
    pub index: usize,
    pub action: ChangeAction,
    pub kind: ResourceKind,
    /// The id of the network, if it exists.
    pub network_id: Option<String>,
    /// The name of the network.
    pub name: String,
    /// What identifies the device, if it is about one.
    pub device: Option<DeviceView>,
    pub fields: Vec<FieldView>,
    /// What goes with a deleted network.
    pub contents: Vec<DeviceView>,
    /// The address that takes the place of a removed base station.
    pub replaced_by: Option<String>,
    pub source: ChangeSource,
    /// The temporary rename, if any.
    pub interim: Option<InterimView>,
}

/// Why something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangeReason {
    /// A file names it, and it does not exist.
    Missing,
    /// Its values differ from what a file asks for.
    Differs,
    /// A rule gives it other values.
    Rule,
    /// A file says that it is to be absent.
    Absent,
    /// Another base station takes its place.
    Replaced,
    /// A base station moves to another network.
    Moved,
}

impl ChangeView {
    pub fn reason(&self) -> ChangeReason {
        let is_moved = self.device.as_ref().is_some_and(|device| device.is_moved);
        match self.action {
            ChangeAction::Delete if self.replaced_by.is_some() => ChangeReason::Replaced,
            ChangeAction::Delete if is_moved => ChangeReason::Moved,
            ChangeAction::Delete => ChangeReason::Absent,
            ChangeAction::Create => ChangeReason::Missing,
            ChangeAction::Update if matches!(self.source, ChangeSource::Rule { .. }) => ChangeReason::Rule,
            ChangeAction::Update => ChangeReason::Differs,
        }
    }

    /// The network, or the network and the handset: the fields of a handset do not say which one it is.
    pub fn title(&self) -> String {
        match &self.device {
            Some(device) if self.kind == ResourceKind::Handset => format!("{}: {}", self.name, device.describe()),
            _ => self.name.clone(),
        }
    }
}

/// A base station or a handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    pub kind: ResourceKind,
    pub id: Option<String>,
    pub label: String,
    /// Whether the same plan adds it elsewhere.
    pub is_moved: bool,
}

impl DeviceView {
    pub(super) fn of(state: &ResourceState, added_base_stations: &HashSet<String>) -> Option<Self> {
        let id = state.id().map(str::to_owned);
        (state.kind() != ResourceKind::Network).then(|| Self {
            kind: state.kind(),
            id,
            label: state.label(),
            is_moved: state.is_moved(added_base_stations),
        })
    }

    /// In words, e.g. `base station AC7A5611A001`.
    pub fn describe(&self) -> String {
        self.kind.describe(&sanitize(&self.label))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterimView {
    /// What it is meanwhile: renamed, or without its second line.
    pub what: String,
    /// The networks or handsets that must be updated first.
    pub waits_for: Vec<String>,
}

impl InterimView {
    /// The interim state in words.
    pub fn describe(&self) -> String {
        let what = &self.what;
        let verb = if self.waits_for.len() == 1 { "is" } else { "are" };
        match self.waits_for.join(" and ") {
            names if names.is_empty() => format!("temporarily {what}"),
            names => format!("temporarily {what} until {names} {verb} updated"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    /// Its name in files and in the API.
    pub name: &'static str,
    pub kind: FieldKind,
    /// The current value; `None` if there is none or it is masked.
    pub from: Option<String>,
    pub to: Option<String>,
    pub masked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    pub location: LocationId,
    /// The id of the network, if it exists.
    pub network: Option<String>,
    pub operation: Operation,
    /// The changes that it makes.
    pub items: Vec<usize>,
    pub kind: StepKind,
    pub set: Vec<FieldView>,
    pub depends_on: Vec<usize>,
}

impl PlanView {
    pub fn of(plan: &Plan, codes: CodeVisibility) -> Self {
        let of_kind = |kind: StepKind| -> HashMap<ChangeIndex, &Step> {
            let steps = plan.steps.iter().filter(|step| plan.step_kind(step) == kind);
            steps.map(|step| (step.change(), step)).collect()
        };
        let (interims, finals) = (of_kind(StepKind::Interim), of_kind(StepKind::Final));
        let added = plan.added_base_stations();
        let mut locations: Vec<LocationView> = Vec::new();
        for (index, change) in plan.indexed_changes() {
            let interim =
                interims.get(&index).map(|step| interim(plan, index, step, finals.get(&index).copied(), codes));
            let view = ChangeView {
                index: index.0,
                action: change.action(),
                kind: change.kind(),
                network_id: change.network.id().map(ToString::to_string),
                name: change.network_name.to_string(),
                device: change.state().and_then(|state| DeviceView::of(state, &added)),
                fields: {
                    let (before, after) = (change.before.as_ref(), change.after.as_ref());
                    FieldView::all(changed_fields(before, after), before, after, codes)
                },
                contents: change.contents.iter().filter_map(|state| DeviceView::of(state, &added)).collect(),
                replaced_by: change.replaced_by.as_deref().map(str::to_owned),
                source: change.source.clone(),
                interim,
            };
            match locations.last_mut().filter(|location| location.id == change.location.id) {
                Some(location) => location.changes.push(view),
                None => locations.push(LocationView {
                    id: change.location.id.clone(),
                    name: change.location.name.to_string(),
                    changes: vec![view],
                }),
            }
        }
        Self {
            organization: plan.organization.clone(),
            summary: PlanSummary::of(plan),
            must_allow_deletions: false,
            licences: LicenceNote::of(plan, |_| true),
            locations,
            steps: steps(plan, codes),
            protections: protections(plan),
            unused_allowances: plan.protections.unused(&plan.changes).map(ToString::to_string).collect(),
            warnings: plan.said(),
        }
    }

    /// What a reader should know of it: whom it may cost calling in the Webex apps, how long handsets may take, which
    /// deletions must be allowed, and what is protected.
    pub fn notes(&self) -> Vec<String> {
        let number = self.summary.deletions;
        let deletions = (self.must_allow_deletions && number > 0)
            .then(|| format!("{}: `dectl apply --yes` needs `--max-deletes {number}`", plural(number, "deletion")));
        let protections = self.protections.iter().map(ProtectionView::describe);
        let notes = self.licences.describe().into_iter().chain(self.summary.handset_time_note());
        let unused = self.unused_allowances.iter().filter(|_| self.summary.changes > 0);
        let unused = unused.map(|name| format!("`--allow {:?}` names nothing that is protected here", sanitize(name)));
        notes.chain(deletions).chain(protections).chain(unused).collect()
    }
}

fn protections(plan: &Plan) -> Vec<ProtectionView> {
    // Whether a freeze has ended is a question of the apply.
    let refused = plan.protections.refused(&plan.changes, Timestamp::MIN);
    refused.map(|(protection, refused)| ProtectionView { protection: protection.clone(), refused }).collect()
}

fn steps(plan: &Plan, codes: CodeVisibility) -> Vec<StepView> {
    plan.steps
        .iter()
        .map(|step| {
            let (change, item) = (&plan[step.change()], &step.items[0]);
            let (from, to) = (item.from.as_ref(), item.to.as_ref());
            let is_one = step.settings().is_some() || step.operation().action == ChangeAction::Update;
            let fields = changed_fields(from, to).into_iter().filter(|_| is_one);
            let mut depends_on: Vec<usize> = step.depends_on.iter().map(|dependency| dependency.step.0).collect();
            depends_on.sort_unstable();
            depends_on.dedup();
            StepView {
                location: change.location.id.clone(),
                network: change.network.id().map(ToString::to_string),
                operation: step.operation(),
                items: step.changes().map(|change| change.0).collect(),
                kind: plan.step_kind(step),
                set: FieldView::all(fields, from, to, codes),
                depends_on,
            }
        })
        .collect()
}

fn interim(plan: &Plan, index: ChangeIndex, interim: &Step, last: Option<&Step>, codes: CodeVisibility) -> InterimView {
    let item = &interim.items[0];
    let (from, to, after) = (item.from.as_ref(), item.to.as_ref(), plan[index].after.as_ref());
    let temporary = changed_fields(from, to).into_iter().filter(|field| field.of(to) != field.of(after));
    let values = FieldView::all(temporary, from, to, codes).into_iter().map(|field| match (field.name, field.to) {
        ("name", Some(name)) => format!("{:?}", sanitize(&name)),
        (other, Some(value)) => format!("{other} {value}"),
        (_, None) => "a free access code".to_owned(),
    });
    let is_handset = plan[index].kind() == ResourceKind::Handset;
    let renamed = || format!("renamed to {}", values.collect::<Vec<_>>().join(" with "));
    let what = if is_handset { "without its second line".to_owned() } else { renamed() };
    let mut waits_for: Vec<String> = Vec::new();
    let depends_on = |step: &Step| step.depends_on.iter().map(|dependency| dependency.change).collect::<Vec<_>>();
    for other in last.map(depends_on).unwrap_or_default() {
        let name = if is_handset { plan[other].subject() } else { plan[other].network_name.to_string() };
        let name = sanitize(&name).into_owned();
        if other != index && !waits_for.contains(&name) {
            waits_for.push(name);
        }
    }
    InterimView { what, waits_for }
}

impl FieldView {
    /// These fields of a thing in two of its states.
    pub(super) fn all(
        fields: impl IntoIterator<Item = &'static Field>,
        from: Option<&ResourceState>,
        to: Option<&ResourceState>,
        codes: CodeVisibility,
    ) -> Vec<Self> {
        fields.into_iter().map(|field| Self::of(field, from, to, codes)).collect()
    }

    fn of(field: &Field, from: Option<&ResourceState>, to: Option<&ResourceState>, codes: CodeVisibility) -> Self {
        let masked = field.kind == FieldKind::Code && codes == CodeVisibility::Masked;
        let (from, to) = (field.of(from), field.of(to));
        let text = |value: &Option<FieldValue<'_>>, other: &Option<FieldValue<'_>>| match (value, other) {
            // Extensions are unique in a location only.
            (Some(FieldValue::Line(one)), Some(FieldValue::Line(two))) if one.label() == two.label() => {
                let location = one.location_name.as_deref().or(one.location.as_ref().map(LocationId::as_str));
                Some(location.map_or_else(|| one.label(), |location| format!("{} in {location}", one.label())))
            }
            (value, _) => value.as_ref().filter(|_| !masked).map(FieldValue::expose_secret),
        };
        Self { name: field.name, kind: field.kind, from: text(&from, &to), to: text(&to, &from), masked }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultView {
    pub plan: PlanView,
    pub class: RunOutcome,
    /// Result of each network, in plan order.
    pub networks: Vec<NetworkView>,
    pub summary: ResultSummary,
    pub outcome: Outcome,
    /// The note about what was applied, or may have been.
    pub licences: LicenceNote,
    pub journal: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    pub location: LocationId,
    pub location_name: String,
    pub action: ChangeAction,
    pub kind: ResourceKind,
    /// The id of the network, if it is known.
    pub network_id: Option<String>,
    /// The id that the network had before it was deleted, if it was created again.
    pub former_id: Option<String>,
    /// The name of the network.
    pub network_name: String,
    pub device: Option<DeviceView>,
    /// What it is about, in words.
    pub name: String,
    pub source: ChangeSource,
    pub result: ChangeResult,
    /// Settings that still have a temporary value.
    pub left_as: Vec<FieldView>,
    /// Requested and found values of settings that differ in the final list.
    pub found: Vec<FieldView>,
    /// Whether these are all as before the run: the list may be late.
    pub is_found_as_before: bool,
    /// What it depends on: the id of a network or its name, and in words.
    pub blocked_by: Option<String>,
    pub blocked_by_name: Option<String>,
}

impl NetworkView {
    /// Status for a table.
    pub fn status_label(&self) -> &'static str {
        match self.result.status {
            ChangeStatus::Applied if self.result.verified == Some(false) => "mismatched",
            ChangeStatus::Applied => "applied",
            ChangeStatus::Failed => "failed",
            ChangeStatus::Skipped => "skipped",
            ChangeStatus::NotStarted => "not started",
            ChangeStatus::Unknown => "unknown",
        }
    }

    /// The entry of a file that it is from.
    pub fn entry(&self) -> Option<String> {
        matches!(self.source, ChangeSource::File { .. }).then(|| self.source.to_string())
    }

    /// Reason for a table.
    pub fn reason(&self) -> String {
        match (&self.result.error, &self.blocked_by_name) {
            (Some(error), Some(name)) => format!("depends on {name}: {error}"),
            (Some(error), None) => error.to_string(),
            (None, Some(name)) => format!("depends on {name}"),
            (None, None) if !self.found.is_empty() => {
                let found = |field: &FieldView| {
                    let value = |value: &Option<String>| match value {
                        _ if field.masked => "••••".to_owned(),
                        Some(value) => format!("{:?}", sanitize(value)),
                        None => "nothing".to_owned(),
                    };
                    format!("{}: requested {}, found {}", field.name, value(&field.from), value(&field.to))
                };
                self.found.iter().map(found).collect::<Vec<_>>().join("; ")
            }
            (None, None) => self.result.mismatched.join(", "),
        }
    }

    /// Whether Webex has accepted the change and shows something else, which no further run mends.
    pub fn is_shown_otherwise(&self) -> bool {
        self.result.status == ChangeStatus::Applied && !self.found.is_empty()
    }

    pub fn needs_attention(&self) -> bool {
        self.result.status != ChangeStatus::Applied || self.result.verified == Some(false)
    }
}

impl ResultView {
    pub fn of(plan: &Plan, outcome: Outcome, journal: Option<String>, codes: CodeVisibility) -> Self {
        let added = plan.added_base_stations();
        let networks = plan.changes.iter().zip(&outcome.results).map(|(change, result)| {
            let blocking = result.blocked_by.map(|blocking| &plan[blocking]);
            let created = result.id.clone().filter(|_| change.kind() == ResourceKind::Network);
            let device = change
                .state()
                .and_then(|state| DeviceView::of(state, &added))
                .map(|device| DeviceView { id: result.id.clone().or(device.id), ..device });
            NetworkView {
                is_found_as_before: result.is_found_as_before(change),
                location: change.location.id.clone(),
                location_name: change.location.name.to_string(),
                action: change.action(),
                kind: change.kind(),
                network_id: change.network.id().map(ToString::to_string).or(created),
                former_id: None,
                network_name: change.network_name.to_string(),
                device,
                name: change.subject(),
                source: change.source.clone(),
                left_as: match &result.left_as {
                    Some(left) => FieldView::all(
                        changed_fields(change.before.as_ref(), Some(left)),
                        change.before.as_ref(),
                        Some(left),
                        codes,
                    ),
                    None => Vec::new(),
                },
                found: match &result.found {
                    Some(found) => {
                        let fields = change.kind().fields().iter();
                        let fields = fields.filter(|field| result.mismatched.contains(&field.name));
                        FieldView::all(fields, change.after.as_ref(), Some(found), codes)
                    }
                    None => Vec::new(),
                },
                blocked_by: blocking.map(|blocking| match blocking.network.id() {
                    Some(id) if blocking.kind() == ResourceKind::Network => id.to_string(),
                    _ => blocking.subject(),
                }),
                blocked_by_name: blocking.map(Change::subject),
                // Shown above; not needed further.
                result: ChangeResult { left_as: None, found: None, ..result.clone() },
            }
        });
        let networks: Vec<NetworkView> = networks.collect();
        let class = outcome.class(plan);
        let summary = ResultSummary::of(plan, &outcome);
        let may_be_applied =
            |at: ChangeIndex| matches!(outcome.results[at.0].status, ChangeStatus::Applied | ChangeStatus::Unknown);
        let licences = LicenceNote::of(plan, may_be_applied);
        let outcome = Outcome { results: Vec::new(), ..outcome };
        Self { plan: PlanView::of(plan, codes), class, networks, summary, outcome, licences, journal }
    }

    /// Adds the former ids of networks that were created again.
    #[must_use]
    pub fn with_former_ids(mut self, recreated: &[RecreatedNetwork]) -> Self {
        for network in self.networks.iter_mut().filter(|network| network.kind == ResourceKind::Network) {
            let is_it = |one: &&RecreatedNetwork| one.location == network.location && one.name == network.network_name;
            if network.action == ChangeAction::Create {
                network.former_id = recreated.iter().find(is_it).map(|one| one.former_id.to_string());
            }
        }
        self
    }

    /// Summary line.
    pub fn sentence(&self) -> String {
        self.summary.sentence(self.class, &self.outcome.verification)
    }

    /// The names of locations that were found to take one write at a time.
    pub fn one_write_at_a_time(&self) -> Vec<&str> {
        let locations = self.outcome.timeline.one_write_at_a_time.iter();
        let names = locations.map(|location| {
            let network = self.networks.iter().find(|network| network.location == *location);
            network.map_or(location.as_str(), |network| network.location_name.as_str())
        });
        names.collect()
    }
}
