//! The planner and the plan checker on thousands of small random organizations.
//!
//! A failing case prints its seed; `PROPTEST_CASES=100000 cargo test --release --test virtual planning` searches longer.

use std::collections::{BTreeMap, VecDeque};

use dectl::diagnostic::DiagnosticCode;
use dectl::model::{LiveState, Settings};
use dectl::plan::model::{Change, Plan, ResourceState, StepKind};
use dectl::plan::{build, resume};
use dectl::plan_check::check_plan;
use dectl::runtime::SeededRng;

use crate::generators::{RandomLocation, carry_out, cases, settings, shuffle, some_order, sources};

/// Plans a world; names alone may leave open who is who, which is an error and no plan.
fn plan(location: &RandomLocation, live: &LiveState) -> Option<Plan> {
    match build(&location.desired(), live, &sources()) {
        Ok(plan) => Some(plan),
        Err(diagnostics) => {
            let unclear = diagnostics.iter().all(|diagnostic| {
                matches!(
                    diagnostic.code,
                    DiagnosticCode::AmbiguousRename | DiagnosticCode::UnknownNetwork | DiagnosticCode::DuplicateNetwork
                )
            });
            assert!(unclear, "{location:#?}\n{diagnostics:#?}");
            None
        }
    }
}

fn locations(count: u64, largest: u64) -> impl Iterator<Item = (u64, RandomLocation, SeededRng)> {
    (0..cases(count)).map(move |seed| {
        let mut rng = SeededRng::from_seed(seed);
        let n = 1 + rng.gen_below(largest) as usize;
        (seed, RandomLocation::random(n, &mut rng), rng)
    })
}

#[test]
fn plan_passes_check_and_reaches_desired_state_in_any_order() {
    let mut planned = 0;
    for (seed, location, mut rng) in locations(4_000, 9) {
        let live = location.live();
        let Some(plan) = plan(&location, &live) else { continue };
        planned += 1;
        if let Err(flaw) = check_plan(plan.clone(), &live) {
            panic!("seed {seed}: {flaw}\n{location:#?}\n{plan:#?}");
        }
        let end = carry_out(&live, &plan, 0..plan.steps.len());
        assert!(location.is_reached(&end), "seed {seed}");
        some_order_reaches_the_same(&live, &plan, &mut rng);
    }
    assert!(planned > 1_000 || cases(4_000) < 4_000, "only {planned} worlds could be planned");
}

fn some_order_reaches_the_same(live: &LiveState, plan: &Plan, rng: &mut SeededRng) {
    // Carrying out asserts that no name or code is ever taken twice.
    let order = some_order(plan, rng);
    carry_out(live, plan, order);
}

#[test]
fn no_plan_needs_more_writes_than_the_fewest_possible() {
    let mut with_rings = 0;
    for (seed, location, _) in locations(400, 4) {
        let live = location.live();
        let Some(plan) = plan(&location, &live) else { continue };
        assert!(plan.is_minimal, "seed {seed}");
        with_rings += usize::from(plan.interim() > 0);
        assert_eq!(plan.steps.len(), fewest_writes(&plan), "seed {seed}: {location:#?}\n{plan:#?}");
    }
    assert!(with_rings > 15 || cases(400) < 400, "only {with_rings} worlds had rings");
}

/// The fewest writes by which the changed networks get where they are desired, by breadth-first search over all states:
/// each network stands on its old, its final, or a temporary name, and likewise with its code.
fn fewest_writes(plan: &Plan) -> usize {
    type SimulatedState = Vec<(u8, u8)>;
    let n = plan.changes.len();
    let value = |at: usize, name: u8| -> String {
        let (before, after) = settings_of(&plan.changes[at]);
        match name {
            0 => before.name_key().as_str().to_owned(),
            1 => after.name_key().as_str().to_owned(),
            _ => format!("temporary {at}"),
        }
    };
    let code = |at: usize, code: u8| -> String {
        let (before, after) = settings_of(&plan.changes[at]);
        let text = |settings: &Settings| settings.code.as_ref().expect("a code").expose_secret().to_owned();
        match code {
            0 => text(before),
            1 => text(after),
            _ => format!("temporary {at}"),
        }
    };
    let start: SimulatedState = vec![(0, 0); n];
    // A network whose display name alone changes still needs its write.
    let goal = |state: &SimulatedState, written: u32| (0..n).all(|at| state[at] == (1, 1) && written & (1 << at) != 0);
    let mut seen = BTreeMap::from([((start.clone(), 0_u32), 0_usize)]);
    let mut queue = VecDeque::from([(start, 0_u32)]);
    while let Some((state, written)) = queue.pop_front() {
        let writes = seen[&(state.clone(), written)];
        if goal(&state, written) {
            return writes;
        }
        for at in 0..n {
            for name in 0..3 {
                for new_code in 0..3 {
                    let free = (0..n).filter(|other| *other != at).all(|other| {
                        let keeps_name = value(at, state[at].0) == value(at, name);
                        let keeps_code = code(at, state[at].1) == code(at, new_code);
                        (keeps_name || value(other, state[other].0) != value(at, name))
                            && (keeps_code || code(other, state[other].1) != code(at, new_code))
                    });
                    if !free {
                        continue;
                    }
                    let mut next = state.clone();
                    next[at] = (name, new_code);
                    let handle = (name, new_code) == (1, 1);
                    let next = (next, if handle { written | 1 << at } else { written });
                    if !seen.contains_key(&next) {
                        seen.insert(next.clone(), writes + 1);
                        queue.push_back(next);
                    }
                }
            }
        }
    }
    unreachable!("every state leads to the goal")
}

#[test]
fn the_next_run_finishes_after_a_kill_at_any_step() {
    let mut truncated = 0;
    for (seed, location, mut rng) in locations(4_000, 8) {
        let mut live = location.live();
        let Some(first) = plan(&location, &live) else { continue };
        let mut left = first.steps.len();
        let mut plan_now = first;
        // Killed again and again, never with a journal.
        for _ in 0..6 {
            let order = some_order(&plan_now, &mut rng);
            left -= order.len();
            live = carry_out(&live, &plan_now, order);
            let next = match build(&location.desired(), &live, &sources()) {
                Ok(next) => next,
                Err(diagnostics) => panic!("seed {seed}: {diagnostics:#?}\n{live:#?}\n{location:#?}"),
            };
            check_plan(next.clone(), &live).unwrap_or_else(|flaw| panic!("seed {seed}: {flaw}"));
            // Who stands aside already need not step aside again, so nothing is added.
            assert!(
                next.steps.len() <= left,
                "seed {seed}: {} writes, {left} were left\n{location:#?}",
                next.steps.len()
            );
            left = next.steps.len();
            plan_now = next;
            truncated += 1;
        }
        let end = carry_out(&live, &plan_now, 0..plan_now.steps.len());
        assert!(location.is_reached(&end), "seed {seed}");
    }
    assert!(truncated > 1_000 || cases(4_000) < 4_000);
}

#[test]
fn a_saved_plan_resumes_after_a_kill_at_any_step() {
    for (seed, location, mut rng) in locations(2_000, 8) {
        let mut live = location.live();
        let Some(saved) = plan(&location, &live) else { continue };
        let mut rest = saved.clone();
        for _ in 0..3 {
            let order = some_order(&rest, &mut rng);
            let left = rest.steps.len() - order.len();
            live = carry_out(&live, &rest, order);
            rest = resume(&saved, &live).unwrap_or_else(|moved| panic!("seed {seed}: {moved:?}"));
            assert_eq!(rest.steps.len(), left, "seed {seed}: exactly what was reviewed, and nothing else");
            check_plan(rest.clone(), &live).unwrap_or_else(|flaw| panic!("seed {seed}: {flaw}\n{rest:#?}"));
        }
        let end = carry_out(&live, &rest, 0..rest.steps.len());
        assert!(location.is_reached(&end), "seed {seed}");
    }
}

#[test]
fn a_plan_that_was_tampered_with_is_not_proved() {
    let mut caught = BTreeMap::new();
    for (seed, location, mut rng) in locations(3_000, 7) {
        let live = location.live();
        let Some(plan) = plan(&location, &live) else { continue };
        if plan.steps.is_empty() {
            continue;
        }
        let (what, mutant) = mutate(&plan, &mut rng);
        if mutant == plan {
            continue;
        }
        *caught.entry(what).or_insert(0) += 1;
        if let Ok(checked) = check_plan(mutant.clone(), &live) {
            // Some changes do no harm: a step that waits for more than it must is still safe.
            assert!(
                is_harmless(&live, checked.plan(), &location),
                "seed {seed}: {what} was not noticed\n{plan:#?}\n{mutant:#?}"
            );
        }
    }
    assert!(caught.len() >= 7, "{caught:?}");
}

/// Whether a plan is right whatever the order: tried on all orders of few, on some of many.
fn is_harmless(live: &LiveState, plan: &Plan, location: &RandomLocation) -> bool {
    let end = carry_out(live, plan, 0..plan.steps.len());
    for seed in 0..200 {
        let mut rng = SeededRng::from_seed(seed);
        carry_out(live, plan, some_order(plan, &mut rng));
    }
    location.is_reached(&end)
}

/// The settings of an updated network before and after.
fn settings_of(change: &Change) -> (&Settings, &Settings) {
    change.settings_before().zip(change.settings_after()).expect("an update")
}

fn mutate(plan: &Plan, rng: &mut SeededRng) -> (&'static str, Plan) {
    let mut mutant = plan.clone();
    let steps = mutant.steps.len() as u64;
    let at = rng.gen_below(steps) as usize;
    let what = match rng.gen_below(9) {
        0 => {
            mutant.steps.remove(at);
            "dropped"
        }
        1 => {
            let other = rng.gen_below(steps) as usize;
            mutant.steps.swap(at, other);
            "swapped"
        }
        2 => {
            let step = mutant.steps[at].clone();
            mutant.steps.push(step);
            "duplicated"
        }
        3 => {
            mutant.steps[at].depends_on.clear();
            "made not to wait"
        }
        4 => {
            let altered = settings("Altered", 9_999, "altered");
            mutant.steps[at].items[0].to = Some(ResourceState::Network { settings: altered, model: None });
            "altered"
        }
        5 => {
            mutant.steps[at].items[0].to = mutant.steps[at].items[0].from.clone();
            "made to set nothing"
        }
        6 => {
            let change = mutant.steps[at].change().0;
            if let Some(ResourceState::Network { settings, .. }) = &mut mutant.changes[change].before {
                settings.name = "Another".into();
            }
            "begun elsewhere"
        }
        7 => {
            let change = mutant.steps[at].change();
            mutant.steps[at].items[0].to = plan[change].before.clone();
            "made to go back"
        }
        _ => {
            let mut order: Vec<usize> = (0..mutant.steps.len()).collect();
            shuffle(&mut order, rng);
            mutant.steps = order.into_iter().map(|at| plan.steps[at].clone()).collect();
            "shuffled"
        }
    };
    (what, mutant)
}

/// The one smallest set of those who step aside is {x}, and x must give up its name although names are all there is to
/// know it by: its temporary name says whose it is.
#[test]
fn a_network_known_by_name_only_finds_back_from_its_temporary_name() {
    let network = |id: &str, before: (&str, u16), desired: (&str, u16)| crate::generators::RandomNetwork {
        id: id.to_owned(),
        before: (before.0.to_owned(), before.1),
        desired: Some((desired.0.to_owned(), desired.1)),
        display_name: None,
        by_id: false,
        renamed_from: true,
    };
    let location = RandomLocation {
        networks: vec![
            network("x", ("A", 1), ("B", 2)),
            network("y", ("B", 3), ("C", 4)),
            network("z", ("Z", 4), ("A", 5)),
            network("p", ("P", 2), ("P", 1)),
        ],
        number: 0,
    };
    let live = location.live();
    let first = build(&location.desired(), &live, &sources()).expect("a plan");
    assert_eq!((first.steps.len(), first.interim()), (5, 1));
    let aside = first.steps.iter().find(|step| first.step_kind(step) == StepKind::Interim).expect("an interim step");
    assert_eq!(first[aside.change()].network.id().map(|id| id.as_str()), Some("x"));
    let name = &aside.settings().expect("an update").name;
    assert!(dectl::plan::is_temporary(name), "{name:?}");

    for taken in 0..=first.steps.len() {
        let state = carry_out(&live, &first, 0..taken);
        let rest = build(&location.desired(), &state, &sources()).expect("the next run knows who is who");
        assert_eq!(rest.steps.len(), first.steps.len() - taken, "cut after {taken}");
        let end = carry_out(&state, &rest, 0..rest.steps.len());
        assert!(location.is_reached(&end), "cut after {taken}");
    }
}

/// Two networks swap their codes where every one of the 10,000 codes is held: there is no temporary one.
#[test]
fn a_location_without_a_free_code_is_an_error_before_any_write() {
    let networks = (0..10_000_u16).map(|at| crate::generators::RandomNetwork {
        id: format!("net-{at}"),
        before: (format!("Ward {at}"), at),
        desired: Some((format!("Ward {at}"), if at < 2 { 1 - at } else { at })),
        display_name: None,
        by_id: true,
        renamed_from: false,
    });
    let location = RandomLocation { networks: networks.collect(), number: 0 };
    let diagnostics = build(&location.desired(), &location.live(), &sources()).expect_err("no free code");
    assert_eq!(diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), [DiagnosticCode::NoFreeCode]);
}
