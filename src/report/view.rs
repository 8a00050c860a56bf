//! Views of a plan and a result: grouped, sorted, access codes masked. No other report module sees an access code.

use std::collections::{HashMap, HashSet};

use super::licences::LicenceNote;
use super::plural;
use super::sanitize::sanitize;
use super::summary::{PlanSummary, ResultSummary};
use crate::apply::{ChangeResult, ChangeStatus, Outcome};
use crate::model::{CodeText, Handset, LocationId, Member, NaturalName, Setting, SettingSet, Settings};
use crate::plan::model::{
    Change, ChangeAction, ChangeIndex, ChangeSource, LocationRef, NetworkRef, Operation, OrganizationRef, Plan,
    ResourceKind, ResourceState, Step, StepKind, Warning,
};
use crate::reconcile::RecreatedNetwork;
use crate::storage::RunOutcome;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeVisibility {
    #[default]
    Masked,
    Shown,
}

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
    pub warnings: Vec<Warning>,
    /// The affected locations as desired-state lines, before and after.
    pub lines: Vec<DiffLine>,
}

/// A line before and after; `None` where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    pub before: Option<String>,
    pub after: Option<String>,
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
                ResourceKind::BaseStation | ResourceKind::Handset => networks[at].devices.push(change),
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

impl ChangeView {
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
    fn of(state: &ResourceState, added_base_stations: &HashSet<String>) -> Option<Self> {
        let id = match state {
            ResourceState::Network { .. } => return None,
            ResourceState::BaseStation(station) => station.id.as_ref().map(ToString::to_string),
            ResourceState::Handset(handset) => handset.id.as_ref().map(ToString::to_string),
        };
        Some(Self { kind: state.kind(), id, label: state.label(), is_moved: state.is_moved(added_base_stations) })
    }

    /// In words, e.g. `base station AC7A5611A001`.
    pub fn describe(&self) -> String {
        format!("{} {}", self.kind.noun(), sanitize(&self.label))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterimView {
    /// Descriptions of the temporary values.
    pub temporary_values: Vec<String>,
    /// The networks that must be updated first.
    pub waits_for: Vec<String>,
}

impl InterimView {
    /// The temporary rename in words.
    pub fn describe(&self) -> String {
        let values = self.temporary_values.join(" with ");
        let verb = if self.waits_for.len() == 1 { "is" } else { "are" };
        match self.waits_for.join(" and ") {
            names if names.is_empty() => format!("temporarily renamed to {values}"),
            names => format!("temporarily renamed to {values} until {names} {verb} updated"),
        }
    }
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text whose differing words are highlighted.
    Name,
    Boolean,
    Code,
    /// Any other text.
    Other,
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
                fields: change_fields(change, codes),
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
            warnings: plan.warnings.clone(),
            lines: lines(plan, codes),
        }
    }

    /// What a reader should know of it: whom it may cost calling in the Webex apps, how long handsets may take, and
    /// which deletions must be allowed.
    pub fn notes(&self) -> Vec<String> {
        let number = self.summary.deletions;
        let deletions = (self.must_allow_deletions && number > 0)
            .then(|| format!("{}: `dectl apply --yes` needs `--max-deletes {number}`", plural(number, "deletion")));
        self.licences.describe().into_iter().chain(self.summary.handset_time_note()).chain(deletions).collect()
    }
}

/// A network with its settings and base stations before and after.
struct NetworkDiff<'a> {
    id: Option<&'a str>,
    before: Option<&'a Settings>,
    after: Option<&'a Settings>,
    model: Option<&'a str>,
    /// Number of handsets that are deleted with it.
    handsets: usize,
    /// Its base stations and handsets, each before and after.
    devices: Vec<(&'static str, Vec<DeviceLine>)>,
}

impl NetworkDiff<'_> {
    fn name(&self) -> &str {
        self.before.or(self.after).map_or("", |settings| &settings.name)
    }
}

/// A device as a line of a file, before and after; `None` where it is not there.
type DeviceLine = (Option<String>, Option<String>);

/// The devices of one kind of every network of a plan that has some changed, before and after.
fn device_diffs(plan: &Plan, kind: ResourceKind) -> HashMap<NetworkRef, Vec<DeviceLine>> {
    type DeviceDiff = (Option<ResourceState>, Option<ResourceState>);
    let mut diffs: HashMap<NetworkRef, Vec<DeviceDiff>> = HashMap::new();
    let is_changed = |network: &NetworkRef| {
        plan.changes.iter().any(|change| {
            let is_deletion = change.kind() == ResourceKind::Network && change.action() == ChangeAction::Delete;
            change.network == *network && (change.kind() == kind || is_deletion)
        })
    };
    for devices in &plan.devices {
        let network = NetworkRef::Live(devices.network.clone());
        let listed: Vec<ResourceState> = match kind {
            ResourceKind::BaseStation => {
                devices.base_stations.iter().cloned().map(ResourceState::BaseStation).collect()
            }
            _ => devices.handsets.iter().cloned().map(ResourceState::from).collect(),
        };
        if !listed.is_empty() && is_changed(&network) {
            diffs.insert(network, listed.into_iter().map(|state| (Some(state.clone()), Some(state))).collect());
        }
    }
    for change in plan.changes.iter().filter(|change| change.kind() == kind) {
        let devices = diffs.entry(change.network.clone()).or_default();
        let is_it = |(known, _): &&mut (Option<ResourceState>, _)| match (known, &change.before) {
            (Some(ResourceState::Handset(known)), Some(ResourceState::Handset(before))) => known.id == before.id,
            (Some(known), Some(before)) => known.label() == before.label(),
            _ => false,
        };
        match devices.iter_mut().find(is_it) {
            Some((_, after)) => after.clone_from(&change.after),
            None => devices.push((change.before.clone(), change.after.clone())),
        }
    }
    let lines = diffs.into_iter().map(|(network, devices)| {
        let line = |state: Option<ResourceState>| state.as_ref().map(device_line);
        let mut lines: Vec<DeviceLine> =
            devices.into_iter().map(|(before, after)| (line(before), line(after))).collect();
        lines.sort_by_cached_key(|(before, after)| {
            NaturalName::of(before.as_deref().or(after.as_deref()).unwrap_or_default())
        });
        (network, lines)
    });
    lines.collect()
}

fn device_line(state: &ResourceState) -> String {
    let ResourceState::Handset(handset) = state else { return state.label() };
    let mut fields = Vec::new();
    for (name, line) in [("line1", &handset.line1), ("line2", &handset.line2)] {
        fields.extend(line.as_ref().map(|line| format!("{name}: {:?}", sanitize(line.line()))));
    }
    fields.extend(handset.display_name().map(|name| format!("customDisplayName: {:?}", sanitize(name))));
    format!("{{ {} }}", fields.join(", "))
}

/// All networks of the affected locations, sorted by location and previous name.
fn lines(plan: &Plan, codes: CodeVisibility) -> Vec<DiffLine> {
    let both = |text: String| DiffLine { before: Some(text.clone()), after: Some(text) };
    let mut diffs = [("baseStations", ResourceKind::BaseStation), ("handsets", ResourceKind::Handset)]
        .map(|(list, kind)| (list, device_diffs(plan, kind)));
    let mut devices = |network: &NetworkRef| {
        let lists = diffs.iter_mut().filter_map(|(list, diffs)| Some((*list, diffs.remove(network)?)));
        lists.collect::<Vec<_>>()
    };
    let mut located: Vec<(&LocationRef, Vec<NetworkDiff<'_>>)> = Vec::new();
    for (at, change) in plan.indexed_changes() {
        if located.last().is_none_or(|(location, _)| **location != change.location) {
            located.push((&change.location, Vec::new()));
        }
        let Some((_, networks)) = located.last_mut().filter(|_| change.kind() == ResourceKind::Network) else {
            continue;
        };
        let key = change.network.id().map_or(NetworkRef::Created(at), |id| NetworkRef::Live(id.clone()));
        let model = match (&change.before, &change.after) {
            (None, Some(ResourceState::Network { model, .. })) | (Some(ResourceState::Network { model, .. }), None) => {
                model.as_deref()
            }
            _ => None,
        };
        networks.push(NetworkDiff {
            id: change.network.id().map(|id| id.as_str()),
            before: change.settings_before(),
            after: change.settings_after(),
            model,
            handsets: change.contents.iter().filter(|thing| thing.kind() == ResourceKind::Handset).count(),
            devices: devices(&key),
        });
    }
    let mut others: HashMap<&LocationId, Vec<NetworkDiff<'_>>> = HashMap::new();
    for other in &plan.unchanged_networks {
        let settings = Some(&other.settings);
        let devices = devices(&NetworkRef::Live(other.network.clone()));
        let id = Some(other.network.as_str());
        let network = NetworkDiff { id, before: settings, after: settings, model: None, handsets: 0, devices };
        others.entry(&other.location).or_default().push(network);
    }
    let mut lines = Vec::new();
    for (location, mut networks) in located {
        networks.extend(others.remove(&location.id).into_iter().flatten());
        networks.sort_by_cached_key(|network| (NaturalName::of(network.name()), network.id.map(str::to_owned)));
        lines.push(both(format!("  - id: {}", location.id)));
        lines.push(both(format!("    name: {:?}", sanitize(&location.name))));
        lines.push(both("    networks:".to_owned()));
        for network in networks {
            network_lines(&mut lines, &network, codes);
        }
    }
    lines
}

fn network_lines(lines: &mut Vec<DiffLine>, network: &NetworkDiff<'_>, codes: CodeVisibility) {
    let (is_before, is_after) = (network.before.is_some(), network.after.is_some());
    let line = |text: String, before: bool, after: bool| DiffLine {
        before: before.then(|| text.clone()),
        after: after.then_some(text),
    };
    let mut first = match network.id {
        Some(id) => format!("      - id: {id}"),
        None => format!("      - model: {}", network.model.unwrap_or_default()),
    };
    if let (Some(_), Some(model)) = (network.id, network.model) {
        first.push_str(&format!(" # {model}"));
        if network.handsets > 0 {
            first.push_str(&format!(", with {}", plural(network.handsets, "handset")));
        }
    }
    lines.push(line(first, is_before, is_after));
    let changed = match (network.before, network.after) {
        (Some(before), Some(after)) => before.diff(after),
        _ => SettingSet::NONE,
    };
    for setting in Setting::ALL {
        let field = field(network.before, network.after, setting, codes);
        let DiffLine { before, after } = file_line(&field, changed.has(setting));
        lines.push(DiffLine { before: before.filter(|_| is_before), after: after.filter(|_| is_after) });
    }
    for (list, devices) in &network.devices {
        let any_before = devices.iter().any(|(before, _)| before.is_some());
        let any_after = devices.iter().any(|(_, after)| after.is_some());
        lines.push(line(format!("        {list}:"), is_before && any_before, is_after && any_after));
        for (before, after) in devices {
            let line = |text: &Option<String>, is_there: bool| {
                text.as_ref().filter(|_| is_there).map(|text| format!("          - {text}"))
            };
            lines.push(DiffLine { before: line(before, is_before), after: line(after, is_after) });
        }
    }
}

fn file_line(field: &FieldView, changed: bool) -> DiffLine {
    let name = field.name;
    if field.masked {
        // Mark a changed code, although neither value is shown.
        let after = if changed { "•••• # new" } else { "••••" };
        return DiffLine {
            before: Some(format!("        {name}: ••••")),
            after: Some(format!("        {name}: {after}")),
        };
    }
    let line = |value: &Option<String>| {
        value.as_ref().map(|value| match field.kind {
            FieldKind::Boolean => format!("        {name}: {value}"),
            _ => format!("        {name}: {:?}", sanitize(value)),
        })
    };
    DiffLine { before: line(&field.from), after: line(&field.to) }
}

fn steps(plan: &Plan, codes: CodeVisibility) -> Vec<StepView> {
    plan.steps
        .iter()
        .map(|step| {
            let change = &plan[step.change()];
            let item = &step.items[0];
            let before = item.from.as_ref().and_then(ResourceState::settings);
            let changed = if before.is_some() { plan.changed_by(item) } else { Setting::ALL.into_iter().collect() };
            let set = step.settings().map(|settings| fields(before, Some(settings), changed, codes));
            let mut depends_on: Vec<usize> = step.depends_on.iter().map(|dependency| dependency.step.0).collect();
            depends_on.sort_unstable();
            depends_on.dedup();
            StepView {
                location: change.location.id.clone(),
                network: change.network.id().map(ToString::to_string),
                operation: step.operation(),
                items: step.changes().map(|change| change.0).collect(),
                kind: plan.step_kind(step),
                set: set.unwrap_or_default(),
                depends_on,
            }
        })
        .collect()
}

fn interim(plan: &Plan, index: ChangeIndex, interim: &Step, last: Option<&Step>, codes: CodeVisibility) -> InterimView {
    let change = &plan[index];
    let (before, after) = (change.settings_before(), change.settings_after());
    let temporary = match (interim.settings(), after) {
        (Some(interim), Some(after)) => interim.diff(after),
        _ => SettingSet::NONE,
    };
    let changed = plan.changed_by(&interim.items[0]);
    let changes: SettingSet = changed.iter().filter(|setting| temporary.has(*setting)).collect();
    let temporary_values = fields(before, interim.settings(), changes, codes)
        .into_iter()
        .map(|field| match (field.name, field.to) {
            ("name", Some(name)) => format!("{:?}", sanitize(&name)),
            (other, Some(value)) => format!("{other} {value}"),
            (_, None) => "a free access code".to_owned(),
        })
        .collect();
    let mut waits_for: Vec<String> = Vec::new();
    let depends_on = |step: &Step| step.depends_on.iter().map(|dependency| dependency.change).collect::<Vec<_>>();
    for other in last.map(depends_on).unwrap_or_default() {
        let name = sanitize(&plan[other].network_name).into_owned();
        if other != index && !waits_for.contains(&name) {
            waits_for.push(name);
        }
    }
    InterimView { temporary_values, waits_for }
}

/// The fields of a change: of an update those that change, of a creation or deletion all.
fn change_fields(change: &Change, codes: CodeVisibility) -> Vec<FieldView> {
    let (before, after) = (change.settings_before(), change.settings_after());
    match (change.kind(), change.action()) {
        (ResourceKind::Network, ChangeAction::Update) => fields(before, after, change.changed_settings, codes),
        (ResourceKind::Network, _) => {
            let model = |state: &Option<ResourceState>| match state {
                Some(ResourceState::Network { model: Some(model), .. }) => Some(model.to_string()),
                _ => None,
            };
            let (from, to) = (model(&change.before), model(&change.after));
            let model = FieldView { name: "model", kind: FieldKind::Other, from, to, masked: false };
            let settings = fields(before, after, Setting::ALL.into_iter().collect(), codes);
            let is_set = |field: &FieldView| field.masked || field.from.is_some() || field.to.is_some();
            std::iter::once(model).chain(settings).filter(is_set).collect()
        }
        (ResourceKind::BaseStation, _) => {
            let label = |state: &Option<ResourceState>| state.as_ref().map(ResourceState::label);
            let (from, to) = (label(&change.before), label(&change.after));
            vec![FieldView { name: "mac", kind: FieldKind::Other, from, to, masked: false }]
        }
        (ResourceKind::Handset, action) => handset_fields(change.handset_before(), change.handset_after(), action),
    }
}

/// The name and the lines of a handset: those that change, or all.
fn handset_fields(before: Option<&Handset>, after: Option<&Handset>, action: ChangeAction) -> Vec<FieldView> {
    type Value = fn(&Handset) -> Option<String>;
    let all: [(&'static str, FieldKind, Value); 3] = [
        ("customDisplayName", FieldKind::Name, |handset| handset.display_name().map(ToString::to_string)),
        ("line1", FieldKind::Other, |handset| handset.line1.as_ref().map(Member::label)),
        ("line2", FieldKind::Other, |handset| handset.line2.as_ref().map(Member::label)),
    ];
    let fields = all.into_iter().map(|(name, kind, value)| FieldView {
        name,
        kind,
        from: before.and_then(value),
        to: after.and_then(value),
        masked: false,
    });
    let is_shown = |field: &FieldView| match action {
        ChangeAction::Update => field.from != field.to,
        ChangeAction::Create | ChangeAction::Delete => field.from.is_some() || field.to.is_some(),
    };
    fields.filter(is_shown).collect()
}

fn fields(
    before: Option<&Settings>,
    after: Option<&Settings>,
    changed: SettingSet,
    codes: CodeVisibility,
) -> Vec<FieldView> {
    changed.iter().map(|setting| field(before, after, setting, codes)).collect()
}

fn field(before: Option<&Settings>, after: Option<&Settings>, setting: Setting, codes: CodeVisibility) -> FieldView {
    let value = |settings: &Settings| match setting {
        Setting::Name => Some(settings.name.to_string()),
        Setting::DisplayName => settings.display_name.as_deref().map(str::to_owned),
        Setting::CodeEnabled => settings.code_enabled.map(|enabled| enabled.to_string()),
        Setting::Code => settings.code.as_ref().map(CodeText::expose_secret).map(str::to_owned),
    };
    let masked = setting == Setting::Code && codes == CodeVisibility::Masked;
    let show = |settings: Option<&Settings>| settings.and_then(value).filter(|_| !masked);
    let kind = match setting {
        Setting::Name | Setting::DisplayName => FieldKind::Name,
        Setting::CodeEnabled => FieldKind::Boolean,
        Setting::Code => FieldKind::Code,
    };
    FieldView { name: setting.api_name(), kind, from: show(before), to: show(after), masked }
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
    pub current_settings: Vec<FieldView>,
    /// Requested and found values of settings that differ in the final list.
    pub found: Vec<FieldView>,
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
            (None, None) => {
                let settings: Vec<&str> =
                    self.result.mismatched_settings.iter().map(|setting| setting.api_name()).collect();
                settings.join(", ")
            }
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
                current_settings: match (&result.current_settings, change.settings_before()) {
                    (Some(current), Some(before)) => fields(Some(before), Some(current), before.diff(current), codes),
                    _ => Vec::new(),
                },
                found: match (&result.found_settings, &result.found_handset) {
                    (Some(found), _) => {
                        let mismatched = result.mismatched_settings.iter().copied().collect();
                        fields(change.settings_after(), Some(found), mismatched, codes)
                    }
                    (None, Some(found)) => handset_fields(change.handset_after(), Some(found), ChangeAction::Update),
                    (None, None) => Vec::new(),
                },
                blocked_by: blocking.map(|blocking| match blocking.network.id() {
                    Some(id) if blocking.kind() == ResourceKind::Network => id.to_string(),
                    _ => blocking.subject(),
                }),
                blocked_by_name: blocking.map(Change::subject),
                // Shown above; not needed further.
                result: ChangeResult {
                    current_settings: None,
                    found_settings: None,
                    found_handset: None,
                    ..result.clone()
                },
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
