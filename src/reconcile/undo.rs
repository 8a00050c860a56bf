//! Builds the undo of a run as a desired state.

use std::collections::{BTreeMap, HashSet};

use super::error::Error;
use super::inputs::Inputs;
use super::made_again::MadeAgain;
use super::prepare::read_details;
use super::recorded_ids::find_unrecorded;
use super::undo_builder::{Displaced, LocationUndo, RecreatedNetwork, UndoBuilder};
use super::undo_chain::{EarlierRuns, continued_by, join_interrupted};
use super::undo_reads::{read_for_undo, read_settled};
use super::undo_refused::leave_out_refused;
use crate::client::ApiClient;
use crate::desired::model::{Desired, DesiredLocation, NetworkEntry, Spanned};
use crate::diagnostic::{Diagnostics, SourceLines, Sources};
use crate::model::{LiveState, Mac};
use crate::plan::Scope;
use crate::plan::model::ChangeAction::{Create, Update};
use crate::plan::model::{Plan, ResourceKind as Kind, ResourceState};
use crate::resources::base_station::undo::join_replacements;
use crate::resources::handset::undo::pairing_needed;
use crate::resources::network::undo::fill_hidden_codes;
use crate::resources::serviceability_password::undo::passwords_lost;
use crate::storage::{PlanKey, RunDirectory, RunHistory, RunTarget, SavedPlan};

#[derive(Debug)]
pub struct Undo {
    /// The previous state of what can be undone; its warnings say what cannot.
    pub inputs: Inputs,
    /// Networks that are created again, with a new id.
    pub recreated: Vec<RecreatedNetwork>,
    /// The interrupted runs that the undone one has continued, and that are undone with it.
    pub joined: Vec<String>,
    /// Interrupted runs before it that are not undone.
    pub left: Vec<String>,
    /// The run that has continued it, which is not undone.
    pub continued_by: Option<String>,
}

/// Prepares the undo of a run and of the interrupted runs that it has continued; reads what it must know of the devices.
///
/// # Errors
/// If a journal cannot be read or a request fails.
pub async fn prepare_undo(
    history: &mut RunHistory,
    runs: &RunDirectory,
    target: &RunTarget,
    key: Option<&PlanKey>,
    scope: &Scope,
    live: &mut LiveState,
    client: &ApiClient,
) -> Result<Undo, Error> {
    let made_again = MadeAgain::read(runs, target);
    made_again.update_ids(history);
    let EarlierRuns { joined, left } = join_interrupted(history, runs, target, key, &made_again)?;
    read_settled(history, runs, target, live, client).await?;
    fill_hidden_codes(history, live);
    // Networks first, and then what they hold.
    while MadeAgain::read_unrecorded(runs, target, key, live).is_some_and(|again| again.update_ids(history)) {
        read_for_undo(history, live, client).await?;
    }
    let plan_of = |run: &String| SavedPlan::read(&runs.plan_path(run), key).ok().map(|saved| saved.plan);
    let plans: Vec<Option<Plan>> = joined.iter().chain([&history.run]).map(plan_of).collect();
    let first = &plans[joined.len().saturating_sub(1)];
    // Without its plan, what has no id stays.
    if let Some(first) = first {
        find_unrecorded(history, first, live);
    }
    let is_repeated = runs.undo_of(&history.run, target).is_some();
    let (mut undo, displaced) = build_undo(history, live, scope, is_repeated);
    let listed = std::mem::take(live);
    let details = read_details(&undo.inputs, &Scope::default(), listed, client, async |_, _| Ok(())).await?;
    if !details.unread.is_empty() {
        return Err(Error::DevicesUnreadable(details.unread));
    }
    *live = details.live;
    leave_out_refused(&mut undo.inputs, &displaced, scope, live);
    undo.warn_of_losses(scope, live);
    for plan in plans.into_iter().flatten() {
        undo.inputs.protections.join(plan.protections);
    }
    Ok(Undo { joined, left, continued_by: continued_by(history, runs, target), ..undo })
}

impl Undo {
    /// Warns of what is not as it was although it is there again.
    fn warn_of_losses(&mut self, scope: &Scope, live: &LiveState) {
        let (inputs, mut warnings, mut created) = (&mut self.inputs, Diagnostics::new(), Vec::new());
        self.recreated.retain(|network| {
            let is_here =
                |location: &&DesiredLocation| location.id.as_ref().is_some_and(|id| id.value == network.location);
            let mut entries = inputs.desired.locations.iter().filter(is_here).flat_map(|location| &location.entries);
            entries.any(|entry| entry.id.is_none() && entry.label() == network.name)
        });
        for location in &inputs.desired.locations {
            for entry in &location.entries {
                let network = entry.live_label(live);
                if !scope.includes_any_name(location.label(), [network]) {
                    continue;
                }
                created.extend(entry.id.is_none().then_some(network));
                let handsets = entry.devices.handsets.iter().flatten();
                let added = handsets.filter(|handset| handset.id.is_none() && !handset.is_absent);
                let labels: Vec<&str> = added.map(|handset| inputs.sources.text_of(handset.span)).collect();
                if !labels.is_empty() {
                    warnings.push(pairing_needed(network, &labels));
                }
            }
        }
        if !created.is_empty() {
            warnings.push(passwords_lost(&created));
        }
        inputs.warnings.append(warnings);
    }
}

/// Builds the previous state of everything that is still as the run left it, and what of it is left alone. What is out of
/// `scope` is no matter of its warnings.
fn build_undo(history: &RunHistory, live: &LiveState, scope: &Scope, is_repeated: bool) -> (Undo, Displaced) {
    let recorded = history.items.iter().filter_map(|item| {
        let state = item.before.as_ref().or(item.after.as_ref())?;
        Some((item.key.operation, item.network.as_ref()?, state.label()))
    });
    let created = history.items.iter().filter(|item| item.is(Kind::Network, Create));
    let updates = history.items.iter().filter(|item| item.is(Kind::Handset, Update));
    let former = updates.filter_map(|item| item.before.as_ref()?.handset());
    let (mut sources, name) = (Sources::new(), format!("<undo {}>", history.run));
    let mut builder = UndoBuilder {
        history,
        live,
        is_repeated,
        is_in_scope: true,
        recorded: recorded.collect(),
        created: created.filter_map(|item| item.id.as_deref()).collect(),
        former: former.filter_map(|handset| Some((handset.id.as_ref()?, handset))).collect(),
        lines: SourceLines::new(&mut sources, &name),
        locations: BTreeMap::new(),
        added_again: BTreeMap::new(),
        displaced: Displaced::default(),
        warnings: Diagnostics::new(),
        recreated: Vec::new(),
    };
    for modified in &history.modified {
        let names = modified.final_states.iter().chain([&modified.before]).map(|state| &*state.name);
        builder.is_in_scope = builder.includes(&modified.location, Some(&modified.network), names, scope);
        builder.restore_settings(modified);
    }
    for item in history.items.iter().filter(|item| item.may_be_applied()) {
        let settings = item.before.iter().chain(&item.after).filter_map(|state| match state {
            ResourceState::Network { settings, .. } => Some(&*settings.name),
            _ => None,
        });
        builder.is_in_scope = builder.includes(&item.location, item.network.as_ref(), settings, scope);
        builder.take_back(item);
    }
    let desired = desired(&mut builder);
    let UndoBuilder { lines, warnings, recreated, displaced, .. } = builder;
    lines.finish();
    let inputs = Inputs::new(desired, sources, warnings);
    (Undo { inputs, recreated, joined: Vec::new(), left: Vec::new(), continued_by: None }, displaced)
}

/// All entries, by location.
fn desired(builder: &mut UndoBuilder<'_>) -> Desired {
    let mut desired = Desired::default();
    for (id, undo) in std::mem::take(&mut builder.locations) {
        let LocationUndo { modified, deleted, created, devices } = undo;
        let stations = devices.values().flat_map(|entry| entry.devices.base_stations.iter().flatten());
        let added: HashSet<Mac> =
            stations.filter(|station| !station.is_absent).map(|station| station.mac.value).collect();
        let devices = devices.into_values().map(|mut entry| {
            if let Some(stations) = &mut entry.devices.base_stations {
                join_replacements(stations, &added);
            }
            entry
        });
        let entries: Vec<NetworkEntry> = modified.into_iter().chain(deleted).chain(created).chain(devices).collect();
        let span = entries[0].span();
        let name = Some(builder.location_name(id)).filter(|name| !name.trim().is_empty());
        let name = name.map(|name| Spanned { value: name.into(), span });
        let id = Some(Spanned { value: id.clone(), span });
        desired.locations.push(DesiredLocation { span, name, id, guards: Vec::new(), guarded: Vec::new(), entries });
    }
    desired
}
