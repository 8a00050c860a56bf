//! Hold intervals: which network holds which name or code between which steps.
//!
//! A network holds a value from the start or from the step that takes it, until the step that releases it or until the
//! end. Two intervals of one value are safe if they are disjoint in every order that the plan allows, that is, if the
//! step that takes the value depends on the acknowledged step that releases it.

use std::collections::HashMap;
use std::hash::Hash;

use super::violation::PlanViolation;
use crate::model::{LiveState, LocationId, NetworkId, Setting, Settings};
use crate::plan::model::{ChangeAction, Plan, ResourceKind};

#[derive(Clone, Copy)]
struct HoldInterval {
    network: usize,
    acquired_by: Option<usize>,
    released_by: Option<usize>,
}

/// The settings of one network over time: those from the start, and those after each step; `None` while it does not exist.
type Timeline<'a> = Vec<(Option<usize>, Option<&'a Settings>)>;

/// Checks one location; `steps` are its steps in order.
pub(super) fn check_collisions(
    plan: &Plan,
    location: &LocationId,
    steps: &[usize],
    live: &LiveState,
) -> Result<(), PlanViolation> {
    let Some(at) = live.find_location(location) else { return Ok(()) };
    let mut labels: Vec<String> = Vec::new();
    let mut timelines: Vec<Timeline<'_>> = Vec::new();
    let mut place: HashMap<&NetworkId, usize> = HashMap::new();
    for (_, network) in live.networks_of(at) {
        place.insert(&network.id, timelines.len());
        labels.push(network.id.to_string());
        timelines.push(vec![(None, Some(&network.settings))]);
    }
    for number in steps {
        let step = &plan.steps[*number];
        let change = &plan[step.change()];
        let operation = step.operation();
        match (operation.kind, operation.action) {
            (ResourceKind::Network, ChangeAction::Create) => {
                labels.push(change.network_name.to_string());
                timelines.push(vec![(None, None), (Some(*number), step.settings())]);
            }
            (ResourceKind::Network, ChangeAction::Update | ChangeAction::Delete) => {
                if let Some(at) = change.network.id().and_then(|id| place.get(id)) {
                    timelines[*at].push((Some(*number), step.settings()));
                }
            }
            _ => {}
        }
    }
    let check = CollisionCheck { plan, labels: &labels };
    check.values(Setting::Name, &timelines, |settings| Some(settings.name_key()))?;
    check.values(Setting::Code, &timelines, |settings| settings.code.clone())
}

struct CollisionCheck<'a> {
    plan: &'a Plan,
    labels: &'a [String],
}

impl CollisionCheck<'_> {
    fn values<K: Eq + Hash + Clone>(
        &self,
        setting: Setting,
        timelines: &[Timeline<'_>],
        value: impl Fn(&Settings) -> Option<K>,
    ) -> Result<(), PlanViolation> {
        let mut holds: HashMap<K, Vec<HoldInterval>> = HashMap::new();
        for (network, timeline) in timelines.iter().enumerate() {
            let mut held: Option<(K, HoldInterval)> = None;
            let hides_code = timeline[0].1.is_some_and(|settings| settings.code.is_none());
            for (step, settings) in timeline {
                // A hidden code is passed on without being known to be held.
                let is_hidden = |settings: &Settings| {
                    setting == Setting::Code && hides_code && settings.code_enabled == Some(false)
                };
                let now = settings.filter(|settings| !is_hidden(settings)).and_then(&value);
                if held.as_ref().map(|(key, _)| key) == now.as_ref() {
                    continue;
                }
                if let Some((key, hold)) = held.take() {
                    holds.entry(key).or_default().push(HoldInterval { released_by: *step, ..hold });
                }
                held = now.map(|key| (key, HoldInterval { network, acquired_by: *step, released_by: None }));
            }
            if let Some((key, hold)) = held {
                holds.entry(key).or_default().push(hold);
            }
        }
        let mut first: Option<(usize, PlanViolation)> = None;
        for sharing in holds.values().filter(|sharing| sharing.len() > 1) {
            for (at, one) in sharing.iter().enumerate() {
                for other in &sharing[at + 1..] {
                    if let Some((step, violation)) = self.collision(setting, one, other)
                        && first.as_ref().is_none_or(|(earliest, _)| step < *earliest)
                    {
                        first = Some((step, violation));
                    }
                }
            }
        }
        first.map_or(Ok(()), |(_, violation)| Err(violation))
    }

    fn collision(&self, setting: Setting, one: &HoldInterval, other: &HoldInterval) -> Option<(usize, PlanViolation)> {
        if one.network == other.network || self.released_before(one, other) || self.released_before(other, one) {
            return None;
        }
        // Report the later of the two steps that take the value. If neither takes it, both held it
        // from the start, which is tolerated.
        let (taker, holder) = if one.acquired_by > other.acquired_by { (one, other) } else { (other, one) };
        let step = taker.acquired_by?;
        let id = |hold: &HoldInterval| self.labels[hold.network].clone();
        Some((step, PlanViolation::Collision { step, network: id(taker), other: id(holder), setting }))
    }

    fn released_before(&self, one: &HoldInterval, other: &HoldInterval) -> bool {
        match (one.released_by, other.acquired_by) {
            (Some(given_up), Some(taken)) => depends_on(self.plan, taken, given_up),
            _ => false,
        }
    }
}

/// Whether `step` transitively depends on `earlier`.
pub(super) fn depends_on(plan: &Plan, step: usize, earlier: usize) -> bool {
    let mut stack = vec![step];
    let mut seen = std::collections::HashSet::new();
    while let Some(at) = stack.pop() {
        let after = || plan.steps[at].depends_on.iter().map(|dependency| dependency.step.0);
        if after().any(|after| after == earlier) {
            return true;
        }
        // Steps depend only on earlier ones, so nothing before `earlier` can lead to it.
        stack.extend(after().filter(|after| *after > earlier && seen.insert(*after)));
    }
    false
}
