//! Checks the serviceability passwords of a plan: each from the state that was read, and after all else of its network, which
//! it may reboot.

use std::collections::HashSet;

use super::violation::PlanViolation;
use crate::model::{LiveState, PasswordStatus};
use crate::plan::model::{NetworkRef, Plan, ResourceState};

pub(super) fn check_passwords(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    check_listed(plan, live)?;
    let mut rebooted: HashSet<&NetworkRef> = HashSet::new();
    for (step, request) in plan.steps.iter().enumerate() {
        let change = &plan.changes[request.items[0].change.0];
        if let Some(ResourceState::ServiceabilityPassword(_)) = change.after {
            rebooted.insert(&change.network);
            continue;
        }
        let is_deletion = matches!((&change.before, &change.after), (Some(ResourceState::Network { .. }), None));
        if !is_deletion && rebooted.contains(&change.network) {
            return Err(PlanViolation::AfterReboot { step });
        }
    }
    Ok(())
}

fn check_listed(plan: &Plan, live: &LiveState) -> Result<(), PlanViolation> {
    let mut seen: HashSet<&NetworkRef> = HashSet::new();
    for (at, change) in plan.changes.iter().enumerate() {
        let (Some(ResourceState::ServiceabilityPassword(before)), Some(ResourceState::ServiceabilityPassword(after))) =
            (&change.before, &change.after)
        else {
            continue;
        };
        let read = match &change.network {
            NetworkRef::Live(id) => live.find(id).and_then(|at| live.devices(at).serviceability_password),
            NetworkRef::Created(_) => Some(PasswordStatus::Unknown),
        };
        let is_change = before != after && *after != PasswordStatus::Unknown;
        if read != Some(*before) || !is_change || !seen.insert(&change.network) {
            return Err(PlanViolation::DeviceMismatch { change: at });
        }
    }
    Ok(())
}
