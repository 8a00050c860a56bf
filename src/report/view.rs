//! A plan and a result as they are shown: grouped, sorted and masked. The only file of the reports that sees a code.

use std::collections::HashMap;

use super::visible::visible;
use crate::apply::{NetworkResult, Outcome, OutcomeClass, Status, Verification};
use crate::model::{CodeText, LocationId, Setting, SettingSet, Settings};
use crate::plan::plan::{Because, Plan, Step, StepKind, Warning, Where};

/// Whether access codes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codes {
    /// They are not.
    #[default]
    Masked,
    /// The user asked to see them.
    Shown,
}

/// A plan as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// Locations that were listed.
    pub locations_listed: usize,
    /// Networks that were listed.
    pub networks_listed: usize,
    /// Networks that change.
    pub update: usize,
    /// Networks that are right already.
    pub unchanged: usize,
    /// Networks that no entry speaks of.
    pub unmanaged: usize,
    /// Networks that would change, and that the run was narrowed to leave out.
    pub left_out: usize,
    /// Requests that write, interim ones included.
    pub writes: usize,
    /// Interim requests.
    pub interim: usize,
    /// Whether fewer could not do.
    pub minimal: bool,
    /// The changes by location.
    pub locations: Vec<LocationView>,
    /// All requests in order.
    pub steps: Vec<StepView>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// The touched locations as a desired-state file would say it, before and after.
    pub lines: Vec<LineView>,
}

/// A line of a file before and after; a side on which it does not stand has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// The changes of one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationView {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// The networks that change.
    pub changes: Vec<ChangeView>,
}

/// The change of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeView {
    /// Index into the plan's changes.
    pub index: usize,
    /// The network's id.
    pub id: String,
    /// Its name now.
    pub name: String,
    /// The settings that change.
    pub fields: Vec<FieldView>,
    /// Who wants it.
    pub because: Because,
    /// How it steps aside first, if it must.
    pub aside: Option<AsideView>,
}

/// How a network steps aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideView {
    /// What it is set to meanwhile, in words.
    pub as_what: Vec<String>,
    /// The networks that must move before it gets its own.
    pub until: Vec<String>,
}

/// One setting that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    /// Which.
    pub setting: Setting,
    /// Its value now; `None` where there is none, or where it is masked.
    pub from: Option<String>,
    /// Its value afterwards.
    pub to: Option<String>,
    /// Whether values are hidden.
    pub masked: bool,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// The location's id.
    pub location: LocationId,
    /// The network's id.
    pub network: String,
    /// What it is for.
    pub kind: StepKind,
    /// What it sets.
    pub set: Vec<FieldView>,
    /// What it waits for.
    pub after: Vec<usize>,
}

impl PlanView {
    /// Prepares a plan for showing.
    pub fn of(plan: &Plan, codes: Codes) -> Self {
        let interims: HashMap<usize, &Step> =
            plan.steps.iter().filter(|step| step.kind == StepKind::Interim).map(|step| (step.change, step)).collect();
        let finals: HashMap<usize, &Step> =
            plan.steps.iter().filter(|step| step.kind == StepKind::Final).map(|step| (step.change, step)).collect();
        let mut locations: Vec<LocationView> = Vec::new();
        for (index, change) in plan.changes.iter().enumerate() {
            let aside = interims.get(&index).map(|step| aside(plan, index, step, finals.get(&index).copied(), codes));
            let view = ChangeView {
                index,
                id: change.network.to_string(),
                name: change.before.name.to_string(),
                fields: fields(&change.before, &change.after, change.changed, codes),
                because: change.because.clone(),
                aside,
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
            left_out: plan.counts.left_out,
            writes: plan.steps.len(),
            interim: plan.interim(),
            minimal: plan.minimal,
            locations,
            steps: steps(plan, codes),
            warnings: plan.warnings.clone(),
            lines: lines(plan, codes),
        }
    }

    /// The one line that sums it up.
    pub fn summary(&self) -> String {
        let left_out = match self.left_out {
            0 => String::new(),
            left_out => format!(", {left_out} left out"),
        };
        if self.update == 0 {
            let Self { unchanged, unmanaged, .. } = self;
            return format!("Plan: nothing to do, {unchanged} unchanged, {unmanaged} unmanaged{left_out}");
        }
        let writes = if self.writes == 1 { "1 write".to_owned() } else { format!("{} writes", self.writes) };
        let interim = match (self.interim, self.minimal) {
            (0, _) => String::new(),
            (interim, true) => format!(", {interim} of them interim"),
            (interim, false) => format!(", {interim} of them interim (not proven minimal)"),
        };
        let Self { update, unchanged, unmanaged, .. } = self;
        format!("Plan: {update} to update, {unchanged} unchanged, {unmanaged} unmanaged{left_out} · {writes}{interim}")
    }
}

/// The id of a network, and its settings before and after.
type Sides<'a> = (&'a str, &'a Settings, &'a Settings);

/// Every network of the touched locations, location by location, in the order of their names before.
fn lines(plan: &Plan, codes: Codes) -> Vec<LineView> {
    let both = |text: String| LineView { before: Some(text.clone()), after: Some(text) };
    let mut located: Vec<(&Where, Vec<Sides<'_>>)> = Vec::new();
    for change in &plan.changes {
        let network = (change.network.as_str(), &change.before, &change.after);
        match located.last_mut().filter(|(location, _)| **location == change.location) {
            Some((_, networks)) => networks.push(network),
            None => located.push((&change.location, vec![network])),
        }
    }
    let mut others: HashMap<&LocationId, Vec<Sides<'_>>> = HashMap::new();
    for other in &plan.neighbours {
        let network = (other.network.as_str(), &other.settings, &other.settings);
        others.entry(&other.location).or_default().push(network);
    }
    let mut lines = Vec::new();
    for (location, mut networks) in located {
        networks.extend(others.remove(&location.id).into_iter().flatten());
        networks.sort_by_key(|(id, before, _)| (before.name.clone(), id.to_string()));
        lines.push(both(format!("  - id: {}", location.id)));
        lines.push(both(format!("    name: {:?}", visible(&location.name))));
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

fn file_line(field: &FieldView, changed: bool) -> LineView {
    let name = field.setting.api_name();
    if field.masked {
        // A code that changes is a line that changes, although neither is shown.
        let after = if changed { "•••• # new" } else { "••••" };
        return LineView {
            before: Some(format!("        {name}: ••••")),
            after: Some(format!("        {name}: {after}")),
        };
    }
    let line = |value: &Option<String>| {
        value.as_ref().map(|value| match field.setting {
            Setting::CodeEnabled => format!("        {name}: {value}"),
            _ => format!("        {name}: {:?}", visible(value)),
        })
    };
    LineView { before: line(&field.from), after: line(&field.to) }
}

fn steps(plan: &Plan, codes: Codes) -> Vec<StepView> {
    let mut stands_at: Vec<&Settings> = plan.changes.iter().map(|change| &change.before).collect();
    plan.steps
        .iter()
        .map(|step| {
            let change = &plan.changes[step.change];
            let before = std::mem::replace(&mut stands_at[step.change], &step.settings);
            StepView {
                location: change.location.id.clone(),
                network: change.network.to_string(),
                kind: step.kind,
                set: fields(before, &step.settings, step.set, codes),
                after: step.after.clone(),
            }
        })
        .collect()
}

fn aside(plan: &Plan, index: usize, interim: &Step, last: Option<&Step>, codes: Codes) -> AsideView {
    let change = &plan.changes[index];
    let temporary = interim.settings.diff(&change.after);
    let as_what = fields(&change.before, &interim.settings, interim.set, codes)
        .into_iter()
        .filter(|field| temporary.has(field.setting))
        .map(|field| match (field.setting, field.to) {
            (Setting::Name, Some(name)) => format!("{:?}", visible(&name)),
            (_, Some(value)) => format!("{} {value}", field.setting.api_name()),
            (_, None) => "a free access code".to_owned(),
        })
        .collect();
    let mut until: Vec<String> = Vec::new();
    for other in last.iter().flat_map(|step| &step.after).map(|after| plan.steps[*after].change) {
        let name = visible(&plan.changes[other].before.name).into_owned();
        if other != index && !until.contains(&name) {
            until.push(name);
        }
    }
    AsideView { as_what, until }
}

fn fields(before: &Settings, after: &Settings, changed: SettingSet, codes: Codes) -> Vec<FieldView> {
    changed.iter().map(|setting| field(before, after, setting, codes)).collect()
}

fn field(before: &Settings, after: &Settings, setting: Setting, codes: Codes) -> FieldView {
    let value = |settings: &Settings| match setting {
        Setting::Name => Some(settings.name.to_string()),
        Setting::DisplayName => settings.display_name.as_deref().map(str::to_owned),
        Setting::CodeEnabled => settings.code_enabled.map(|enabled| enabled.to_string()),
        Setting::Code => settings.code.as_ref().map(CodeText::expose_secret).map(str::to_owned),
    };
    let masked = setting == Setting::Code && codes == Codes::Masked;
    let show = |settings: &Settings| value(settings).filter(|_| !masked);
    FieldView { setting, from: show(before), to: show(after), masked }
}

/// A result as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultView {
    /// The plan that was carried out.
    pub plan: PlanView,
    /// How it ended.
    pub class: OutcomeClass,
    /// What became of each network, in the order of the plan's changes.
    pub networks: Vec<NetworkView>,
    /// Everything that was counted and said.
    pub outcome: Outcome,
    /// Where the journal is.
    pub journal: Option<String>,
}

/// What became of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// The location's id.
    pub location: LocationId,
    /// The location's name.
    pub location_name: String,
    /// The network's id.
    pub id: String,
    /// Its name before the run.
    pub name: String,
    /// What became of it.
    pub result: NetworkResult,
    /// The settings on which it was left on something temporary.
    pub stands_at: Vec<FieldView>,
    /// The name of the network that barred its way.
    pub blocked_by_name: Option<String>,
}

impl NetworkView {
    /// What became of it, for a table.
    pub fn status_words(&self) -> &'static str {
        match self.result.status {
            Status::Applied if self.result.verified == Some(false) => "found different",
            Status::Applied => "applied",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
            Status::NotStarted => "not started",
            Status::Unknown => "unknown",
        }
    }

    /// Why it is not as wanted, for a table.
    pub fn reason(&self) -> String {
        match (&self.result.error, &self.blocked_by_name) {
            (Some(error), _) => error.to_string(),
            (None, Some(name)) => format!("waits for {name}"),
            (None, None) => {
                let settings: Vec<&str> =
                    self.result.found_different.iter().map(|setting| setting.api_name()).collect();
                settings.join(", ")
            }
        }
    }

    /// Whether it is worth a row.
    pub fn is_troubled(&self) -> bool {
        self.result.status != Status::Applied || self.result.verified == Some(false)
    }
}

impl ResultView {
    /// Prepares a result for showing.
    pub fn of(plan: &Plan, outcome: Outcome, journal: Option<String>, codes: Codes) -> Self {
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
                stands_at: result.stands_at.as_ref().map_or_else(Vec::new, |stands_at| {
                    fields(&change.before, stands_at, change.before.diff(stands_at), codes)
                }),
                blocked_by_name: result.blocked_by.as_ref().and_then(|id| name_of.get(id).cloned()),
                // Where it stands is shown above; its settings go no further.
                result: NetworkResult { stands_at: None, ..result.clone() },
            })
            .collect();
        let class = outcome.class(plan);
        let outcome = Outcome { results: Vec::new(), ..outcome };
        Self { plan: PlanView::of(plan, codes), class, networks, outcome, journal }
    }

    /// How many networks have this status.
    pub fn count(&self, status: Status) -> usize {
        self.networks.iter().filter(|network| network.result.status == status).count()
    }

    /// The one line that sums it up.
    pub fn summary(&self) -> String {
        if self.class == OutcomeClass::Unchanged {
            return "Nothing to do: everything is as the file says.".to_owned();
        }
        let mut parts = Vec::new();
        for (status, word) in [
            (Status::Applied, "applied"),
            (Status::Failed, "failed"),
            (Status::Skipped, "skipped"),
            (Status::NotStarted, "not started"),
            (Status::Unknown, "unknown"),
        ] {
            let count = self.count(status);
            if count > 0 || status == Status::Applied {
                parts.push(format!("{count} {word}"));
            }
        }
        let different = self.networks.iter().filter(|network| network.result.verified == Some(false)).count();
        let verified = match (&self.outcome.verification, different) {
            (Verification::Done, 0) => ", verified".to_owned(),
            (Verification::Done, different) => format!(", {different} found different"),
            (Verification::Impossible(_), _) => ", not verified: the list could not be read".to_owned(),
            (Verification::NotDone, _) => ", not verified".to_owned(),
        };
        let statistics = self.outcome.statistics;
        format!(
            "Done: {}{verified} · {} writes, {} requests in {}",
            parts.join(", "),
            statistics.writes,
            statistics.requests,
            seconds(self.outcome.elapsed),
        )
    }
}

/// A duration as people say it.
pub(super) fn seconds(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        0..=9 => format!("{:.1} s", duration.as_secs_f64()),
        10..=119 => format!("{} s", duration.as_secs()),
        many => format!("{} min {} s", many / 60, many % 60),
    }
}
