//! How long planning takes: a full location whose names and codes are all shuffled, and large organizations.
//!
//! `cargo bench --bench planning`

use dectl::desired::model::{Desired, DesiredLocation, NetworkEntry, Origin, Spanned};
use dectl::diagnostic::{SourceId, Sources, Span};
use dectl::model::{
    AccessCode, CodeText, DesiredSettings, LiveState, LocationId, Network, NetworkId, NetworkName, Settings,
};
use dectl::plan::build;
use dectl::plan_check::check_plan;
use dectl::runtime::SeededRng;
use divan::{Bencher, black_box};

const SPOT: Span = Span { source: SourceId(0), start: 0, end: 1 };

fn main() {
    divan::main();
}

struct Case {
    live: LiveState,
    desired: Desired,
    sources: Sources,
}

/// `locations` with `networks` each; `name` and `code` say which of the location's values each is to get.
fn case(locations: usize, networks: usize, mut wanted: impl FnMut(usize) -> (Vec<usize>, Vec<usize>)) -> Case {
    let mut listed = Vec::new();
    let mut desired = Desired::default();
    for location in 0..locations {
        let (names, codes) = wanted(networks);
        let site: std::sync::Arc<str> = format!("Site {location}").into();
        let entries = (0..networks).map(|at| {
            let id = NetworkId::new(format!("network-{location}-{at}"));
            let settings = Settings {
                name: format!("Ward {at}").into(),
                display_name: Some(format!("W {at}").into()),
                code_enabled: Some(true),
                code: Some(CodeText::new(format!("{at:04}"))),
            };
            let (model, count) = (Some("DMS Cisco DBS210".into()), Some(3));
            let location = LocationId::new(format!("location-{location}"));
            listed.push((
                site.clone(),
                Network {
                    id: id.clone(),
                    location,
                    settings,
                    model,
                    base_stations: count,
                    handsets: count,
                    lines: count,
                },
            ));
            let name = NetworkName::new(&format!("Ward {}", names[at])).ok();
            let settings =
                DesiredSettings { name, code: AccessCode::from_number(codes[at] as u16), ..DesiredSettings::default() };
            let id = Some(Spanned { value: id, span: SPOT });
            NetworkEntry { id, desired: settings, has_own_settings: true, ..NetworkEntry::new(Origin::File(SPOT)) }
        });
        let entries = entries.collect();
        let name = Some(Spanned { value: site.clone(), span: SPOT });
        desired.locations.push(DesiredLocation {
            span: SPOT,
            name,
            id: None,
            guards: Vec::new(),
            guarded: Vec::new(),
            entries,
        });
    }
    let mut sources = Sources::new();
    sources.add("desired", "x\n");
    Case { live: LiveState::new(listed), desired, sources }
}

fn shuffled(n: usize, rng: &mut SeededRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for at in (1..n).rev() {
        order.swap(at, rng.gen_below(at as u64 + 1) as usize);
    }
    order
}

/// Every name and every code of a location is used by another network of it.
#[divan::bench(args = [16, 32, 64, 128, 254])]
fn one_location_with_all_names_and_codes_shuffled(bencher: Bencher, networks: usize) {
    let mut rng = SeededRng::from_seed(1);
    let case = case(1, networks, |n| (shuffled(n, &mut rng), shuffled(n, &mut rng)));
    let plan = build(&case.desired, &case.live, &case.sources).expect("a plan");
    eprintln!(
        "{networks} networks: {} writes, {} interim, proven minimal: {}",
        plan.steps.len(),
        plan.interim(),
        plan.is_minimal
    );
    bencher.bench_local(|| build(black_box(&case.desired), black_box(&case.live), &case.sources));
}

/// Only the names are shuffled, as in a renumbering.
#[divan::bench(args = [254])]
fn one_location_with_all_names_shuffled(bencher: Bencher, networks: usize) {
    let mut rng = SeededRng::from_seed(1);
    let case = case(1, networks, |n| (shuffled(n, &mut rng), (0..n).collect()));
    bencher.bench_local(|| build(black_box(&case.desired), black_box(&case.live), &case.sources));
}

/// Locations of 50 networks; in each, four names go round.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn an_organization_with_rings(bencher: Bencher, networks: usize) {
    let case = case(networks / 50, 50, |n| {
        let cycle = |at| if at < 4 { (at + 1) % 4 } else { at };
        ((0..n).map(cycle).collect(), (0..n).collect())
    });
    bencher.bench_local(|| build(black_box(&case.desired), black_box(&case.live), &case.sources));
}

/// The same, proved.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn a_proof(bencher: Bencher, networks: usize) {
    let case = case(networks / 50, 50, |n| {
        let cycle = |at| if at < 4 { (at + 1) % 4 } else { at };
        ((0..n).map(cycle).collect(), (0..n).collect())
    });
    let plan = build(&case.desired, &case.live, &case.sources).expect("a plan");
    bencher.with_inputs(|| plan.clone()).bench_local_values(|plan| check_plan(black_box(plan), &case.live));
}
