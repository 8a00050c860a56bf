//! The token of a location administrator, who may not list the organization.

use dectl::simulator::{FaultConfig, SimulatedState};

use crate::harness::TestEnv;

const OSLO: &str = "Y2lzY29zcGFyazovL3VzL0xPQ0FUSU9OLzE2NTk5MWUwLTQ3ZWEtNDdlNy05YzFiLTNhZTEyZTE0ZDBhZA";
const BERGEN: &str = "Y2lzY29zcGFyazovL3VzL0xPQ0FUSU9OLzBiYmZkMjZiLTUwMDUtNDFlNC1iYmYyLWUzZmI3MDRiZGU4Yg";

fn env() -> TestEnv {
    let faults = FaultConfig { location_administrator: true, ..FaultConfig::default() };
    TestEnv::with(SimulatedState::built_in(), faults)
}

#[test]
fn ids_of_locations_in_the_files_take_the_place_of_the_list() {
    let env = env();
    env.write(
        "net.yaml",
        &format!(
            "version: 1\nlocations:\n  - {{ id: {OSLO}, networks: [{{ name: HQ Kitchen, displayName: Galley }}] }}\n  \
             - {{ id: {BERGEN}, networks: [{{ name: BGO Gate, displayName: Portal }}] }}\n"
        ),
    );
    let ended = env.run(&["apply", "net.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("2 applied, verified"), "{}", ended.stdout);
    assert!(env.run(&["plan", "net.yaml"]).stdout.contains("nothing to do, 2 unchanged"));
    assert_eq!(env.run(&["status", "net.yaml"]).code, Some(0));
    assert_eq!(env.run(&["plan", "net.yaml", "--out", "plan.json"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes", "--location-id", OSLO, "--location-id", BERGEN]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
}

#[test]
fn a_saved_plan_knows_its_locations() {
    let env = env();
    env.write(
        "net.yaml",
        &format!(
            "version: 1\nlocations: [{{ id: {OSLO}, networks: [{{ name: HQ Kitchen, displayName: Galley }}] }}]\n"
        ),
    );
    assert_eq!(env.run(&["plan", "net.yaml", "--out", "plan.json"]).code, Some(0));
    let ended = env.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn without_ids_the_error_says_what_to_do() {
    let env = env();
    env.write(
        "net.yaml",
        "version: 1\nlocations: [{ name: Oslo HQ, networks: [{ name: HQ Kitchen, displayName: Galley }] }]\n",
    );
    let ended = env.run(&["apply", "net.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("--location-id") && ended.stderr.contains("ids of all locations"),
        "{}",
        ended.stderr
    );
    let ended = env.run(&["apply", "net.yaml", "--yes", "--location-id", OSLO]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(env.run(&["export"]).code, Some(1));
    let exported = env.run(&["export", "--location-id", OSLO]);
    assert!(exported.stdout.contains("HQ Kitchen") && !exported.stdout.contains("BGO"), "{}", exported.stdout);
    let renamed = env.run(&["rename", "HQ (?<x>.*)", "Q {{ x }}", "--yes", "--location-id", OSLO]);
    assert_eq!(renamed.code, Some(0), "{}", renamed.stderr);
    assert_eq!(env.run(&["find", "Q Kitchen", "--location-id", OSLO]).code, Some(0));
    assert_eq!(env.run(&["find", "BGO Gate", "--location-id", OSLO, "--kind", "networks"]).code, Some(1));
}

#[test]
fn one_list_a_location_is_read_and_the_others_are_left_alone() {
    let env = TestEnv::new();
    let exported = env.run(&["export", "--location-id", BERGEN, "--location-id", OSLO, "-o", "csv"]);
    assert_eq!(exported.stdout.lines().count(), 1 + 4 + 5, "{}", exported.stdout);
    assert_eq!(env.counters().requests, 2);
    let raw = env.run(&["export", "--location-id", BERGEN, "-o", "json"]);
    assert_eq!(raw.code, Some(1), "{}", raw.stdout);
}

#[test]
fn nothing_is_concluded_about_locations_that_were_not_read() {
    let env = TestEnv::new();
    for entry in [
        "{ name: HQ Kitchen, displayName: A }",
        "{ name: HQ Kitchen, model: DBS110, defaultAccessCode: '9911' }",
        "{ id: Y2lzY29zcGFyazovL3VzL0RFQ1RfREVWX05FVC9YWFhY, state: absent }",
    ] {
        for location in ["name: Oslo HQ".to_owned(), format!("id: {OSLO}")] {
            env.write("net.yaml", &format!("version: 1\nlocations: [{{ {location}, networks: [{entry}] }}]\n"));
            for command in [&["plan"][..], &["status"], &["apply", "--yes"]] {
                let ended = env.run(&[command, &["net.yaml", "--location-id", BERGEN]].concat());
                assert_eq!(ended.code, Some(1), "{command:?} {entry}: {}", ended.stdout);
                assert!(ended.stderr.contains("location-not-read"), "{command:?} {entry}: {}", ended.stderr);
            }
        }
    }
    assert_eq!(env.counters().writes, 0);
    assert_eq!(env.run(&["export", "--location-id", "bogus"]).code, Some(1));
    assert_eq!(env.run(&["export", "--location-id", ""]).code, Some(1));
}
