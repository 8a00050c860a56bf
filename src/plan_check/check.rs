//! Replays a plan on a state.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::holds;
use super::violation::PlanViolation;
use crate::model::{
    AccessCode, DisplayName, LiveState, LocationId, NetworkId, NetworkName, Setting, SettingSet, Settings,
};
use crate::plan::model::{Change, Plan, Step, StepKind};

/// A plan that passed the safety check on a state. Only a checked plan can be applied, and only [`check_plan`] creates one.
#[derive(Clone, Debug)]
pub struct CheckedPlan {
    plan: Plan,
    digest: [u8; 32],
}

impl CheckedPlan {
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// Digest of the state of the affected locations.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// Checks that every request of `plan` is valid, that no two networks of a location ever share a name or code in any
/// execution order that the plan allows, that no other network is changed, and that the final state is as planned.
///
/// Networks that already shared a name or code before the plan are tolerated.
///
/// # Errors
/// The first violation.
pub fn check_plan(plan: Plan, live: &LiveState) -> Result<CheckedPlan, PlanViolation> {
    check_changes(&plan, live)?;
    check_steps(&plan)?;
    for (location, steps) in by_location(&plan) {
        holds::check_collisions(&plan, &location, &steps, live)?;
    }
    let digest = digest(&plan, live);
    Ok(CheckedPlan { plan, digest })
}

fn check_changes(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut seen: HashSet<&NetworkId> = HashSet::new();
    for change in &plan.changes {
        let network = &change.network;
        if !seen.insert(network) {
            return Err(PlanViolation::DuplicateChange { network: network.clone() });
        }
        let found = live.find(network).map(|at| live.network(at)).filter(|found| found.location == change.location.id);
        let Some(found) = found else {
            return Err(PlanViolation::NoSuchNetwork {
                location: change.location.id.clone(),
                network: network.clone(),
            });
        };
        if let Some(setting) = found.settings.diff(&change.before).iter().next() {
            return Err(PlanViolation::StateMismatch { network: network.clone(), setting });
        }
        // A code that Webex hides while codes are disabled is sent, but is not a difference.
        let hidden = change.after.code_enabled == Some(false) && change.before.code.is_none();
        let difference = change.before.diff(&change.after);
        let difference: SettingSet =
            difference.iter().filter(|setting| !(hidden && *setting == Setting::Code)).collect();
        if difference != change.changed_settings || difference.is_empty() {
            return Err(PlanViolation::WrongDiff { network: network.clone() });
        }
    }
    Ok(())
}

fn check_steps(plan: &Plan) -> Result<(), PlanViolation> {
    let mut current_settings: Vec<&Settings> = plan.changes.iter().map(|change| &change.before).collect();
    let mut last_step: Vec<Option<usize>> = vec![None; plan.changes.len()];
    let mut done = vec![false; plan.changes.len()];
    for (at, step) in plan.steps.iter().enumerate() {
        let Some(change) = plan.changes.get(step.change) else { return Err(PlanViolation::DanglingStep { step: at }) };
        if let Some(after) = step.depends_on.iter().find(|after| **after >= at) {
            return Err(PlanViolation::DependencyOrder { step: at, dependency: *after });
        }
        // Steps of one network must be ordered.
        if let Some(before) = last_step[step.change].replace(at)
            && !step.depends_on.contains(&before)
        {
            return Err(PlanViolation::DependencyOrder { step: at, dependency: before });
        }
        let ends_right = match step.kind {
            StepKind::Final => step.settings == change.after,
            StepKind::Interim => step.settings != change.after,
        };
        if done[step.change] || !ends_right {
            return Err(PlanViolation::WrongFinalState { network: change.network.clone() });
        }
        done[step.change] = step.kind == StepKind::Final;
        check_values(at, step, change, current_settings[step.change])?;
        current_settings[step.change] = &step.settings;
    }
    match done.iter().position(|done| !done) {
        Some(change) => Err(PlanViolation::WrongFinalState { network: plan.changes[change].network.clone() }),
        None => Ok(()),
    }
}

fn check_values(at: usize, step: &Step, change: &Change, current_settings: &Settings) -> Result<(), PlanViolation> {
    let settings = &step.settings;
    let set: SettingSet =
        current_settings.diff(settings).iter().filter(|setting| change.changed_settings.has(*setting)).collect();
    if set != step.changes {
        return Err(PlanViolation::SettingsMismatch { step: at });
    }
    // Unchanged settings must be sent with their current values.
    let silent = change.before.diff(settings).iter().find(|setting| !change.changed_settings.has(*setting));
    let carried_hidden_code = silent == Some(Setting::Code) && change.before.code.is_none();
    if silent.is_some() && !carried_hidden_code {
        return Err(PlanViolation::SettingsMismatch { step: at });
    }
    if settings.name.trim().is_empty() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::Name });
    }
    if settings.code.is_none() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::Code });
    }
    if settings.code_enabled.is_none() {
        return Err(PlanViolation::MissingSetting { step: at, setting: Setting::CodeEnabled });
    }
    let invalid = set.iter().find(|setting| match setting {
        Setting::Name => NetworkName::new(&settings.name).is_err(),
        Setting::DisplayName => settings.display_name.as_ref().is_none_or(|name| DisplayName::new(name).is_err()),
        Setting::CodeEnabled => false,
        Setting::Code => settings.code.as_ref().is_none_or(|code| AccessCode::new(code.expose_secret()).is_err()),
    });
    match invalid {
        Some(setting) => Err(PlanViolation::InvalidValue { step: at, setting }),
        None => Ok(()),
    }
}

fn by_location(plan: &Plan) -> Vec<(LocationId, Vec<usize>)> {
    let mut order: Vec<LocationId> = Vec::new();
    let mut steps: HashMap<&LocationId, Vec<usize>> = HashMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let location = &plan.changes[step.change].location.id;
        steps.entry(location).or_insert_with(|| {
            order.push(location.clone());
            Vec::new()
        });
        steps.entry(location).and_modify(|steps| steps.push(at));
    }
    order.into_iter().map(|location| (location.clone(), steps.remove(&location).unwrap_or_default())).collect()
}

fn digest(plan: &Plan, live: &LiveState) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (location, _) in by_location(plan) {
        let Some(at) = live.find_location(&location) else { continue };
        for (_, network) in live.networks_of(at) {
            let settings = &network.settings;
            for part in [
                network.id.as_str(),
                &settings.name,
                settings.display_name.as_deref().unwrap_or("\u{0}"),
                settings.code_enabled.map_or("", |enabled| if enabled { "1" } else { "0" }),
                settings.code.as_ref().map_or("\u{0}", |code| code.expose_secret()),
            ] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
    }
    hash.finalize().into()
}
