//! Who holds which name or code between which steps of a location.
//!
//! Every value has tenures: a network holds it from the beginning or from the step that takes it, until the step that
//! gives it up, or for ever. Two tenures of one value are safe if one ends before the other begins in every order that
//! the plan allows, that is, if the step that takes it depends on the acknowledged step that gives it up.

use std::collections::HashMap;
use std::hash::Hash;

use super::flaw::Flaw;
use crate::model::{LiveState, LocationId, NetworkId, Setting, Settings};
use crate::plan::plan::Plan;

#[derive(Clone, Copy)]
struct Tenure {
    /// Index into the location's networks.
    network: usize,
    taken_by: Option<usize>,
    given_up_by: Option<usize>,
}

/// Checks one location: `steps` are its steps, in order.
pub(super) fn no_clash(plan: &Plan, location: &LocationId, steps: &[usize], live: &LiveState) -> Result<(), Flaw> {
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
    let check = Check { plan, networks: &networks };
    check.values(Setting::Name, &states, |settings| Some(settings.name_key()))?;
    check.values(Setting::Code, &states, |settings| settings.code.clone())
}

struct Check<'a> {
    plan: &'a Plan,
    networks: &'a [(&'a NetworkId, &'a Settings)],
}

impl Check<'_> {
    fn values<K: Eq + Hash + Clone>(
        &self,
        setting: Setting,
        states: &[Vec<(Option<usize>, &Settings)>],
        value: impl Fn(&Settings) -> Option<K>,
    ) -> Result<(), Flaw> {
        let mut tenures: HashMap<K, Vec<Tenure>> = HashMap::new();
        for (network, states) in states.iter().enumerate() {
            let mut held: Option<(K, Tenure)> = None;
            for (step, settings) in states {
                // A code that Webex hides is carried along without being known to be held.
                let hidden = setting == Setting::Code
                    && self.networks[network].1.code.is_none()
                    && settings.code_enabled == Some(false);
                let now = if hidden { None } else { value(settings) };
                if held.as_ref().map(|(key, _)| key) == now.as_ref() {
                    continue;
                }
                if let Some((key, tenure)) = held.take() {
                    tenures.entry(key).or_default().push(Tenure { given_up_by: *step, ..tenure });
                }
                held = now.map(|key| (key, Tenure { network, taken_by: *step, given_up_by: None }));
            }
            if let Some((key, tenure)) = held {
                tenures.entry(key).or_default().push(tenure);
            }
        }
        let mut first: Option<(usize, Flaw)> = None;
        for sharing in tenures.values().filter(|sharing| sharing.len() > 1) {
            for (at, one) in sharing.iter().enumerate() {
                for other in &sharing[at + 1..] {
                    if let Some((step, flaw)) = self.clash(setting, one, other)
                        && first.as_ref().is_none_or(|(earliest, _)| step < *earliest)
                    {
                        first = Some((step, flaw));
                    }
                }
            }
        }
        first.map_or(Ok(()), |(_, flaw)| Err(flaw))
    }

    fn clash(&self, setting: Setting, one: &Tenure, other: &Tenure) -> Option<(usize, Flaw)> {
        if one.network == other.network || self.ends_before(one, other) || self.ends_before(other, one) {
            return None;
        }
        // The later of the two steps that take the value is the one to name; where neither takes it, both have it
        // from the beginning, and no step is to blame.
        let (taker, holder) = if one.taken_by > other.taken_by { (one, other) } else { (other, one) };
        let step = taker.taken_by?;
        let id = |tenure: &Tenure| self.networks[tenure.network].0.clone();
        Some((step, Flaw::Clash { step, network: id(taker), other: id(holder), setting }))
    }

    fn ends_before(&self, one: &Tenure, other: &Tenure) -> bool {
        match (one.given_up_by, other.taken_by) {
            (Some(given_up), Some(taken)) => self.waits_for(taken, given_up),
            _ => false,
        }
    }

    /// Whether `step` is sent only after `earlier` was acknowledged.
    fn waits_for(&self, step: usize, earlier: usize) -> bool {
        let mut stack = vec![step];
        let mut seen = std::collections::HashSet::new();
        while let Some(at) = stack.pop() {
            let after = &self.plan.steps[at].after;
            if after.contains(&earlier) {
                return true;
            }
            // Steps only wait for earlier ones, so nothing before `earlier` can lead to it.
            stack.extend(after.iter().copied().filter(|after| *after > earlier && seen.insert(*after)));
        }
        false
    }
}
