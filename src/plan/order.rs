//! The steps of a location in an order in which no two networks ever share a name or a code.
//!
//! Where waiting for each other makes a ring, somebody must step aside first; `feedback` finds the fewest who must.

use std::collections::HashMap;

use super::compare::Move;
use super::feedback::{self, Feedback};
use super::interim::{Aside, Interims};
use super::waits::Waits;
use crate::diagnostic::Diagnostics;
use crate::model::{LiveState, LocationIndex, Setting, Settings};

/// One request to a network of the location.
#[derive(Debug)]
pub(super) struct Ordered {
    /// Index into the location's moves.
    pub(super) of: usize,
    /// What is sent if it is not the final state.
    pub(super) interim: Option<Settings>,
    /// What must have been acknowledged, as indexes into the location's steps.
    pub(super) after: Vec<usize>,
}

/// The steps of a location.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) steps: Vec<Ordered>,
    /// Whether no smaller number of steps could do.
    pub(super) minimal: bool,
}

/// Puts a location's moves in order; `None` and a finding if a network cannot step aside.
pub(super) fn order(
    location: LocationIndex,
    moves: &[Move<'_>],
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> Option<Order> {
    let waits = Waits::of(moves, live);
    let Feedback { nodes, minimal } = feedback::smallest(&waits.targets(), feedback::BUDGET);
    let asides = forced_aside(&waits, &nodes);
    let interims = Interims::choose(location, moves, &waits, &asides, live, diagnostics)?;
    Some(Order { steps: Steps::new(&waits, interims, moves.len()).run(), minimal })
}

/// Which settings of the chosen networks really must move aside.
///
/// Holding on to a value until the final step is fine as long as nobody whom the network itself waits for needs it.
fn forced_aside(waits: &Waits, chosen: &[usize]) -> Vec<Aside> {
    let mut waiters: HashMap<(usize, Setting), Vec<usize>> = HashMap::new();
    for (from, targets) in waits.0.iter().enumerate() {
        for (holder, setting) in targets {
            waiters.entry((*holder, *setting)).or_default().push(from);
        }
    }
    let mut aside = vec![false; waits.0.len()];
    chosen.iter().for_each(|of| aside[*of] = true);
    let mut kept: Vec<Vec<usize>> = waits
        .0
        .iter()
        .map(|targets| targets.iter().map(|(holder, _)| *holder).filter(|holder| !aside[*holder]).collect())
        .collect();
    let mut asides = Vec::new();
    for &of in chosen {
        let mut settings = Vec::new();
        for setting in [Setting::Name, Setting::Code] {
            let Some(waiters) = waiters.get(&(of, setting)) else { continue };
            if reaches(&kept, of, waiters) {
                settings.push(setting);
            } else {
                waiters.iter().for_each(|waiter| kept[*waiter].push(of));
            }
        }
        if !settings.is_empty() {
            asides.push(Aside { of, settings });
        }
    }
    asides
}

fn reaches(edges: &[Vec<usize>], from: usize, targets: &[usize]) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        if targets.contains(&at) {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            stack.extend(edges[at].iter().filter(|to| !seen[**to]));
        }
    }
    false
}

/// A step before it has its place: the interim or the final one of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Interim,
    Final,
}

struct Steps<'a> {
    waits: &'a Waits,
    interims: Interims,
    place: HashMap<(usize, bool), usize>,
    steps: Vec<Ordered>,
    count: usize,
}

impl<'a> Steps<'a> {
    fn new(waits: &'a Waits, interims: Interims, count: usize) -> Self {
        Self { waits, interims, place: HashMap::new(), steps: Vec::new(), count }
    }

    /// Emits every final step after what it needs. Whoever stepped aside goes home as soon as the way is free.
    fn run(mut self) -> Vec<Ordered> {
        for of in 0..self.count {
            let mut first_new = self.steps.len();
            self.emit(of, Stage::Final);
            while first_new < self.steps.len() {
                let step = &self.steps[first_new];
                if step.interim.is_some() {
                    self.emit(step.of, Stage::Final);
                }
                first_new += 1;
            }
        }
        self.steps
    }

    fn emit(&mut self, of: usize, stage: Stage) {
        let mut stack = vec![((of, stage), false)];
        while let Some(((of, stage), needs_are_met)) = stack.pop() {
            if self.place.contains_key(&(of, stage == Stage::Final)) {
                continue;
            }
            let needs = self.needs(of, stage);
            if needs_are_met {
                let mut after: Vec<usize> = needs
                    .iter()
                    .filter_map(|(of, stage)| self.place.get(&(*of, *stage == Stage::Final)))
                    .copied()
                    .collect();
                after.sort_unstable();
                after.dedup();
                let interim = if stage == Stage::Interim { self.interims.settings(of).cloned() } else { None };
                self.place.insert((of, stage == Stage::Final), self.steps.len());
                self.steps.push(Ordered { of, interim, after });
            } else {
                stack.push(((of, stage), true));
                stack.extend(needs.into_iter().rev().map(|need| (need, false)));
            }
        }
    }

    fn needs(&self, of: usize, stage: Stage) -> Vec<(usize, Stage)> {
        if stage == Stage::Interim {
            return Vec::new();
        }
        let own = self.interims.settings(of).map(|_| (of, Stage::Interim));
        let releases = self.waits.0[of].iter().map(|(holder, setting)| {
            let early = self.interims.gives_up(*holder, *setting);
            (*holder, if early { Stage::Interim } else { Stage::Final })
        });
        own.into_iter().chain(releases).collect()
    }
}
