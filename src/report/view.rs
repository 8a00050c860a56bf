//! Views of a plan and a result: grouped, sorted, access codes masked. No other report module sees an access code.

use std::collections::HashMap;

use super::plural;
use super::sanitize::sanitize;
use crate::apply::{NetworkResult, NetworkStatus, Outcome, OutcomeKind, Verification};
use crate::model::{CodeText, LocationId, Setting, SettingSet, Settings};
use crate::plan::model::{ChangeSource, LocationRef, Plan, Step, StepKind, Warning};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeVisibility {
    #[default]
    Masked,
    Shown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    pub locations_listed: usize,
    pub networks_listed: usize,
    pub update: usize,
    pub unchanged: usize,
    pub unmanaged: usize,
    /// Networks that would change but are out of scope.
    pub out_of_scope: usize,
    pub writes: usize,
    pub interim: usize,
    pub minimal: bool,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeView {
    pub index: usize,
    pub id: String,
    pub name: String,
    pub fields: Vec<FieldView>,
    pub source: ChangeSource,
    /// The temporary rename, if any.
    pub interim: Option<InterimView>,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    pub setting: Setting,
    /// The current value; `None` if there is none or it is masked.
    pub from: Option<String>,
    pub to: Option<String>,
    pub masked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    pub location: LocationId,
    pub network: String,
    pub kind: StepKind,
    pub set: Vec<FieldView>,
    pub depends_on: Vec<usize>,
}

impl PlanView {
    pub fn of(plan: &Plan, codes: CodeVisibility) -> Self {
        let interims: HashMap<usize, &Step> =
            plan.steps.iter().filter(|step| step.kind == StepKind::Interim).map(|step| (step.change, step)).collect();
        let finals: HashMap<usize, &Step> =
            plan.steps.iter().filter(|step| step.kind == StepKind::Final).map(|step| (step.change, step)).collect();
        let mut locations: Vec<LocationView> = Vec::new();
        for (index, change) in plan.changes.iter().enumerate() {
            let interim =
                interims.get(&index).map(|step| interim(plan, index, step, finals.get(&index).copied(), codes));
            let view = ChangeView {
                index,
                id: change.network.to_string(),
                name: change.before.name.to_string(),
                fields: fields(&change.before, &change.after, change.changed_settings, codes),
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
            locations_listed: plan.counts.locations,
            networks_listed: plan.counts.networks,
            update: plan.changes.len(),
            unchanged: plan.counts.unchanged,
            unmanaged: plan.counts.unmanaged,
            out_of_scope: plan.counts.out_of_scope,
            writes: plan.steps.len(),
            interim: plan.interim(),
            minimal: plan.is_minimal,
            locations,
            steps: steps(plan, codes),
            warnings: plan.warnings.clone(),
            lines: lines(plan, codes),
        }
    }

    /// Summary line.
    pub fn summary(&self) -> String {
        let out_of_scope = match self.out_of_scope {
            0 => String::new(),
            out_of_scope => format!(", {out_of_scope} out of scope"),
        };
        if self.update == 0 {
            let Self { unchanged, unmanaged, .. } = self;
            return format!("Plan: nothing to do, {unchanged} unchanged, {unmanaged} unmanaged{out_of_scope}");
        }
        let writes = plural(self.writes, "write");
        let interim = match (self.interim, self.minimal) {
            (0, _) => String::new(),
            (interim, true) => format!(", {interim} interim"),
            (interim, false) => format!(", {interim} interim (not proven minimal)"),
        };
        let Self { update, unchanged, unmanaged, .. } = self;
        format!(
            "Plan: {update} to update, {unchanged} unchanged, {unmanaged} unmanaged{out_of_scope} · {writes}{interim}"
        )
    }
}

/// Id of a network with its settings before and after.
type NetworkDiff<'a> = (&'a str, &'a Settings, &'a Settings);

/// All networks of the affected locations, sorted by location and previous name.
fn lines(plan: &Plan, codes: CodeVisibility) -> Vec<DiffLine> {
    let both = |text: String| DiffLine { before: Some(text.clone()), after: Some(text) };
    let mut located: Vec<(&LocationRef, Vec<NetworkDiff<'_>>)> = Vec::new();
    for change in &plan.changes {
        let network = (change.network.as_str(), &change.before, &change.after);
        match located.last_mut().filter(|(location, _)| **location == change.location) {
            Some((_, networks)) => networks.push(network),
            None => located.push((&change.location, vec![network])),
        }
    }
    let mut others: HashMap<&LocationId, Vec<NetworkDiff<'_>>> = HashMap::new();
    for other in &plan.unchanged_networks {
        let network = (other.network.as_str(), &other.settings, &other.settings);
        others.entry(&other.location).or_default().push(network);
    }
    let mut lines = Vec::new();
    for (location, mut networks) in located {
        networks.extend(others.remove(&location.id).into_iter().flatten());
        networks.sort_by_key(|(id, before, _)| (before.name.clone(), id.to_string()));
        lines.push(both(format!("  - id: {}", location.id)));
        lines.push(both(format!("    name: {:?}", sanitize(&location.name))));
        lines.push(both("    networks:".to_owned()));
        for (id, before, after) in networks {
            lines.push(both(format!("      - id: {id}")));
            let changed = before.diff(after);
            for field in fields(before, after, Setting::ALL.into_iter().collect(), codes) {
                lines.push(file_line(&field, changed.has(field.setting)));
            }
        }
    }
    lines
}

fn file_line(field: &FieldView, changed: bool) -> DiffLine {
    let name = field.setting.api_name();
    if field.masked {
        // Mark a changed code, although neither value is shown.
        let after = if changed { "•••• # new" } else { "••••" };
        return DiffLine {
            before: Some(format!("        {name}: ••••")),
            after: Some(format!("        {name}: {after}")),
        };
    }
    let line = |value: &Option<String>| {
        value.as_ref().map(|value| match field.setting {
            Setting::CodeEnabled => format!("        {name}: {value}"),
            _ => format!("        {name}: {:?}", sanitize(value)),
        })
    };
    DiffLine { before: line(&field.from), after: line(&field.to) }
}

fn steps(plan: &Plan, codes: CodeVisibility) -> Vec<StepView> {
    let mut current_settings: Vec<&Settings> = plan.changes.iter().map(|change| &change.before).collect();
    plan.steps
        .iter()
        .map(|step| {
            let change = &plan.changes[step.change];
            let before = std::mem::replace(&mut current_settings[step.change], &step.settings);
            StepView {
                location: change.location.id.clone(),
                network: change.network.to_string(),
                kind: step.kind,
                set: fields(before, &step.settings, step.changes, codes),
                depends_on: step.depends_on.clone(),
            }
        })
        .collect()
}

fn interim(plan: &Plan, index: usize, interim: &Step, last: Option<&Step>, codes: CodeVisibility) -> InterimView {
    let change = &plan.changes[index];
    let temporary = interim.settings.diff(&change.after);
    let temporary_values = fields(&change.before, &interim.settings, interim.changes, codes)
        .into_iter()
        .filter(|field| temporary.has(field.setting))
        .map(|field| match (field.setting, field.to) {
            (Setting::Name, Some(name)) => format!("{:?}", sanitize(&name)),
            (_, Some(value)) => format!("{} {value}", field.setting.api_name()),
            (_, None) => "a free access code".to_owned(),
        })
        .collect();
    let mut waits_for: Vec<String> = Vec::new();
    for other in last.iter().flat_map(|step| &step.depends_on).map(|after| plan.steps[*after].change) {
        let name = sanitize(&plan.changes[other].before.name).into_owned();
        if other != index && !waits_for.contains(&name) {
            waits_for.push(name);
        }
    }
    InterimView { temporary_values, waits_for }
}

fn fields(before: &Settings, after: &Settings, changed: SettingSet, codes: CodeVisibility) -> Vec<FieldView> {
    changed.iter().map(|setting| field(before, after, setting, codes)).collect()
}

fn field(before: &Settings, after: &Settings, setting: Setting, codes: CodeVisibility) -> FieldView {
    let value = |settings: &Settings| match setting {
        Setting::Name => Some(settings.name.to_string()),
        Setting::DisplayName => settings.display_name.as_deref().map(str::to_owned),
        Setting::CodeEnabled => settings.code_enabled.map(|enabled| enabled.to_string()),
        Setting::Code => settings.code.as_ref().map(CodeText::expose_secret).map(str::to_owned),
    };
    let masked = setting == Setting::Code && codes == CodeVisibility::Masked;
    let show = |settings: &Settings| value(settings).filter(|_| !masked);
    FieldView { setting, from: show(before), to: show(after), masked }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultView {
    pub plan: PlanView,
    pub class: OutcomeKind,
    /// Result of each network, in plan order.
    pub networks: Vec<NetworkView>,
    pub outcome: Outcome,
    pub journal: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    pub location: LocationId,
    pub location_name: String,
    pub id: String,
    pub name: String,
    pub result: NetworkResult,
    /// Settings that still have a temporary value.
    pub current_settings: Vec<FieldView>,
    /// Requested and found values of settings that differ in the final list.
    pub found: Vec<FieldView>,
    /// Name of the network that it depends on.
    pub blocked_by_name: Option<String>,
}

impl NetworkView {
    /// Status for a table.
    pub fn status_label(&self) -> &'static str {
        match self.result.status {
            NetworkStatus::Applied if self.result.verified == Some(false) => "mismatched",
            NetworkStatus::Applied => "applied",
            NetworkStatus::Failed => "failed",
            NetworkStatus::Skipped => "skipped",
            NetworkStatus::NotStarted => "not started",
            NetworkStatus::Unknown => "unknown",
        }
    }

    /// Reason for a table.
    pub fn reason(&self) -> String {
        match (&self.result.error, &self.blocked_by_name) {
            (Some(error), _) => error.to_string(),
            (None, Some(name)) => format!("depends on {name}"),
            (None, None) if !self.found.is_empty() => {
                let found = |field: &FieldView| {
                    let value = |value: &Option<String>| match value {
                        _ if field.masked => "••••".to_owned(),
                        Some(value) => format!("{:?}", sanitize(value)),
                        None => "nothing".to_owned(),
                    };
                    format!(
                        "{}: requested {}, found {}",
                        field.setting.api_name(),
                        value(&field.from),
                        value(&field.to)
                    )
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

    pub fn needs_attention(&self) -> bool {
        self.result.status != NetworkStatus::Applied || self.result.verified == Some(false)
    }
}

impl ResultView {
    pub fn of(plan: &Plan, outcome: Outcome, journal: Option<String>, codes: CodeVisibility) -> Self {
        let name_of: HashMap<_, _> =
            plan.changes.iter().map(|change| (&change.network, change.before.name.to_string())).collect();
        let networks = plan
            .changes
            .iter()
            .zip(&outcome.results)
            .map(|(change, result)| NetworkView {
                location: change.location.id.clone(),
                location_name: change.location.name.to_string(),
                id: change.network.to_string(),
                name: change.before.name.to_string(),
                current_settings: result.current_settings.as_ref().map_or_else(Vec::new, |current_settings| {
                    fields(&change.before, current_settings, change.before.diff(current_settings), codes)
                }),
                found: result.found_settings.as_ref().map_or_else(Vec::new, |found| {
                    let mismatched = result.mismatched_settings.iter().copied().collect();
                    fields(&change.after, found, mismatched, codes)
                }),
                blocked_by_name: result.blocked_by.as_ref().and_then(|id| name_of.get(id).cloned()),
                // Shown above; not needed further.
                result: NetworkResult { current_settings: None, found_settings: None, ..result.clone() },
            })
            .collect();
        let class = outcome.class(plan);
        let outcome = Outcome { results: Vec::new(), ..outcome };
        Self { plan: PlanView::of(plan, codes), class, networks, outcome, journal }
    }

    pub fn count(&self, status: NetworkStatus) -> usize {
        self.networks.iter().filter(|network| network.result.status == status).count()
    }

    /// Summary line.
    pub fn summary(&self) -> String {
        if self.class == OutcomeKind::Unchanged {
            return "Nothing to do: no changes to apply.".to_owned();
        }
        let mut parts = Vec::new();
        for (status, word) in [
            (NetworkStatus::Applied, "applied"),
            (NetworkStatus::Failed, "failed"),
            (NetworkStatus::Skipped, "skipped"),
            (NetworkStatus::NotStarted, "not started"),
            (NetworkStatus::Unknown, "unknown"),
        ] {
            let count = self.count(status);
            if count > 0 || status == NetworkStatus::Applied {
                parts.push(format!("{count} {word}"));
            }
        }
        let different = self.networks.iter().filter(|network| network.result.verified == Some(false)).count();
        let verified = match (&self.outcome.verification, different) {
            (Verification::Completed, 0) if self.count(NetworkStatus::Applied) == 0 => String::new(),
            (Verification::Completed, 0) => ", verified".to_owned(),
            (Verification::Completed, different) => format!(", {different} mismatched"),
            (Verification::Failed(_), _) => ", not verified: the list request failed".to_owned(),
            (Verification::Skipped, _) => ", not verified".to_owned(),
        };
        let statistics = self.outcome.statistics;
        format!(
            "Done: {}{verified} · {}, {} in {}",
            parts.join(", "),
            plural(statistics.writes as usize, "write"),
            plural(statistics.requests as usize, "request"),
            seconds(self.outcome.elapsed),
        )
    }
}

pub(super) fn seconds(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        0..=9 => format!("{:.1} s", duration.as_secs_f64()),
        10..=119 => format!("{} s", duration.as_secs()),
        many => format!("{} min {} s", many / 60, many % 60),
    }
}
