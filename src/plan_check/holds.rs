//! Hold intervals: which network holds which name or code between which steps.
//!
//! A network holds a value from the start or from the step that takes it, until the step that releases it or until the
//! end. Two intervals of one value are safe if they are disjoint in every order that the plan allows, that is, if the
//! step that takes the value depends on the acknowledged step that releases it.

use std::collections::HashMap;
use std::hash::Hash;

use super::violation::PlanViolation;
use crate::model::{LiveState, LocationId, NetworkId, Setting, Settings};
use crate::plan::model::Plan;

#[derive(Clone, Copy)]
struct HoldInterval {
    network: usize,
    acquired_by: Option<usize>,
    released_by: Option<usize>,
}

/// Checks one location; `steps` are its steps in order.
pub(super) fn check_collisions(
    plan: &Plan,
    location: &LocationId,
    steps: &[usize],
    live: &LiveState,
) -> Result<(), PlanViolation> {
    let Some(at) = live.find_location(location) else { return Ok(()) };
    let networks: Vec<(&NetworkId, &Settings)> =
        live.networks_of(at).map(|(_, network)| (&network.id, &network.settings)).collect();
    let place: HashMap<&NetworkId, usize> = networks.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let mut states: Vec<Vec<(Option<usize>, &Settings)>> =
        networks.iter().map(|(_, settings)| vec![(None, *settings)]).collect();
    for step in steps {
        let change = &plan.changes[plan.steps[*step].change];
        states[place[&change.network]].push((Some(*step), &plan.steps[*step].settings));
    }
    let check = CollisionCheck { plan, networks: &networks };
    check.values(Setting::Name, &states, |settings| Some(settings.name_key()))?;
    check.values(Setting::Code, &states, |settings| settings.code.clone())
}

struct CollisionCheck<'a> {
    plan: &'a Plan,
    networks: &'a [(&'a NetworkId, &'a Settings)],
}

impl CollisionCheck<'_> {
    fn values<K: Eq + Hash + Clone>(
        &self,
        setting: Setting,
        states: &[Vec<(Option<usize>, &Settings)>],
        value: impl Fn(&Settings) -> Option<K>,
    ) -> Result<(), PlanViolation> {
        let mut holds: HashMap<K, Vec<HoldInterval>> = HashMap::new();
        for (network, states) in states.iter().enumerate() {
            let mut held: Option<(K, HoldInterval)> = None;
            for (step, settings) in states {
                // A hidden code is passed on without being known to be held.
                let hidden = setting == Setting::Code
                    && self.networks[network].1.code.is_none()
                    && settings.code_enabled == Some(false);
                let now = if hidden { None } else { value(settings) };
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
        let id = |hold: &HoldInterval| self.networks[hold.network].0.clone();
        Some((step, PlanViolation::Collision { step, network: id(taker), other: id(holder), setting }))
    }

    fn released_before(&self, one: &HoldInterval, other: &HoldInterval) -> bool {
        match (one.released_by, other.acquired_by) {
            (Some(given_up), Some(taken)) => self.depends_on(taken, given_up),
            _ => false,
        }
    }

    /// Whether `step` transitively depends on `earlier`.
    fn depends_on(&self, step: usize, earlier: usize) -> bool {
        let mut stack = vec![step];
        let mut seen = std::collections::HashSet::new();
        while let Some(at) = stack.pop() {
            let after = &self.plan.steps[at].depends_on;
            if after.contains(&earlier) {
                return true;
            }
            // Steps depend only on earlier ones, so nothing before `earlier` can lead to it.
            stack.extend(after.iter().copied().filter(|after| *after > earlier && seen.insert(*after)));
        }
        false
    }
}
