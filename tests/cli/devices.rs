//! Sites that open, change and close: networks and base stations that are created and deleted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dectl::simulator::FaultConfig;
use serde_json::json;

use crate::harness::{Ended, TestEnv, network, response, serve};

/// The network of each base station.
fn base_stations(env: &TestEnv) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for network in env.networks() {
        for station in network["baseStations"].as_array().expect("a list") {
            let mac = station["mac"].as_str().expect("an address").to_owned();
            let before = found.insert(mac, network["name"].as_str().expect("a name").to_owned());
            assert_eq!(before, None, "a base station is in one network");
        }
    }
    found
}

/// The first base station of a network.
fn station_of(env: &TestEnv, network: &str) -> String {
    base_stations(env).into_iter().find(|(_, name)| name == network).expect("a base station").0
}

/// The example that opens a site, and the deletion of a network of Trondheim Clinic.
fn open_site_and_delete(env: &TestEnv, network: &str) -> String {
    let id = id_of(env, network);
    let open = include_str!("../../examples/open-site.yaml");
    format!("{open}\n  - name: Trondheim Clinic\n    networks:\n      - {{id: {id}, state: absent}}\n")
}

fn has_network(env: &TestEnv, name: &str) -> bool {
    env.networks().iter().any(|network| network["name"] == name)
}

fn id_of(env: &TestEnv, name: &str) -> String {
    let networks = env.networks();
    let network = networks.iter().find(|network| network["name"] == name).expect("a network");
    network["id"].as_str().expect("an id").to_owned()
}

fn violations(env: &TestEnv) -> serde_json::Value {
    env.simulated.lock().expect("no panic in the server").violations()
}

/// A file with one location.
fn site(location: &str, networks: &str) -> String {
    format!("version: 1\nlocations:\n  - name: {location}\n    networks:\n{networks}")
}

/// Applies a file that must succeed; the requests that it took.
#[track_caller]
fn applied(env: &TestEnv, arguments: &[&str]) -> u64 {
    let before = env.counters().requests;
    let mut all = vec!["apply", "--yes"];
    all.extend(arguments);
    let ended = env.run(&all);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(violations(env)["violations"].as_array().map(Vec::len), Some(0), "{}", violations(env));
    env.counters().requests - before
}

/// Nothing is written for a file that must be refused; its message.
#[track_caller]
fn refused(env: &TestEnv, arguments: &[&str]) -> Ended {
    let before = env.counters().writes;
    let mut all = vec!["apply", "--yes"];
    all.extend(arguments);
    let ended = env.run(&all);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(env.counters().writes, before, "nothing was written");
    ended
}

#[test]
fn the_example_opens_a_site_and_is_idempotent() {
    let env = TestEnv::new();
    env.write("open.yaml", include_str!("../../examples/open-site.yaml"));
    // List, look-up of the location, base stations of BGO Gate; two creations, two additions, the replacement in two;
    // list, base stations of three networks.
    assert_eq!(applied(&env, &["open.yaml"]), 3 + 6 + 4);
    let stations = base_stations(&env);
    for (mac, network) in [
        ("AC7A5611A001", "SVG Wards"),
        ("AC7A5611A002", "SVG Wards"),
        ("AC7A5611A003", "SVG Wards"),
        ("AC7A5611A010", "SVG Reception"),
        ("AC7A5611B001", "BGO Gate"),
    ] {
        assert_eq!(stations.get(mac).map(String::as_str), Some(network), "{mac}");
    }
    assert!(!stations.contains_key("AC7A56000009"), "the replaced one is gone");
    let again = env.run(&["apply", "open.yaml", "--yes"]);
    assert_eq!((again.code, env.counters().writes), (Some(0), 6), "{}", again.stdout);
}

#[test]
fn sixty_base_stations_are_two_requests() {
    let env = TestEnv::new();
    let list: String = (0..60).map(|at| format!("          - AC7A5622{at:04X}\n")).collect();
    env.write("many.yaml", &site("Oslo HQ", &format!("      - name: HQ Ward 1\n        baseStations:\n{list}")));
    assert_eq!(applied(&env, &["many.yaml"]), 2 + 2 + 2, "list, devices; writes; list, devices");
    assert_eq!(base_stations(&env).values().filter(|name| *name == "HQ Ward 1").count(), 12 + 60);
}

#[test]
fn renames_ask_for_no_devices_and_look_up_no_locations() {
    let env = TestEnv::new();
    env.write("rename.yaml", &site("Oslo HQ", "      - {name: HQ Ward 9, renamedFrom: HQ Ward 1}\n"));
    assert_eq!(applied(&env, &["rename.yaml"]), 3);
    assert_eq!(applied(&env, &["rename.yaml"]), 1, "nothing to do");
    // An id is looked up, so that one that does not exist is an error of the plan.
    env.write(
        "by-id.yaml",
        "version: 1\nlocations:\n  - id: Y2lzY29zcGFyazovL3VzL0xPQ0FUSU9OLzVkNmYwYzFlLTI3YjQtNGE1My05YzFkLThlMmY0YjdhOWQxMA\n    \
         networks:\n      - {name: SVG Stores, model: DBS210, defaultAccessCode: \"7400\"}\n",
    );
    assert_eq!(applied(&env, &["by-id.yaml"]), 4);
    env.write(
        "elsewhere.yaml",
        &site("Stavangr Clinic", "      - {name: A, model: DBS210, defaultAccessCode: \"7401\"}\n"),
    );
    let ended = refused(&env, &["elsewhere.yaml"]);
    assert!(ended.stderr.contains("no location is named \"Stavangr Clinic\""), "{}", ended.stderr);
    assert!(ended.stderr.contains("did you mean \"Stavanger Clinic\"?"), "{}", ended.stderr);
}

#[test]
fn a_deletion_is_asked_for_twice_and_shows_what_goes_with_it() {
    let env = TestEnv::new();
    let id = id_of(&env, "TRD Nurses");
    env.write(
        "close.yaml",
        &site("Trondheim Clinic", &format!("      - {{id: {id}, name: TRD Nurses, state: absent}}\n")),
    );
    let plan = env.run(&["plan", "close.yaml"]);
    assert_eq!(plan.code, Some(0), "a plan needs no permission: {}", plan.stderr);
    for part in ["- TRD Nurses", "4 base stations", "22 handsets", "1 network to delete"] {
        assert!(plan.stdout.contains(part), "{part}\n{}", plan.stdout);
    }
    let ended = refused(&env, &["close.yaml"]);
    // The network, four base stations, 22 handsets.
    assert!(ended.stderr.contains("--max-deletes 27"), "{}", ended.stderr);
    refused(&env, &["close.yaml", "--max-deletes", "26"]);
    let json = refused(&env, &["close.yaml", "--max-deletes", "26", "-o", "json"]).json();
    assert_eq!(json["kind"], "error", "{json}");
    applied(&env, &["close.yaml", "--max-deletes", "27"]);
    assert!(!has_network(&env, "TRD Nurses"));
    // Gone already: a warning.
    let again = env.run(&["plan", "close.yaml"]);
    assert_eq!(again.code, Some(0));
    assert!(again.stdout.contains("already deleted"), "{}{}", again.stdout, again.stderr);
}

#[test]
fn a_freed_name_code_and_address_go_to_the_entry_that_wants_them() {
    let env = TestEnv::new();
    let id = id_of(&env, "TRD Lab");
    let mac = station_of(&env, "TRD Lab");
    env.write(
        "again.yaml",
        &site(
            "Trondheim Clinic",
            &format!(
                "      - {{id: {id}, state: absent}}\n      - name: TRD Lab\n        model: DBS210\n        \
                 defaultAccessCode: \"3301\"\n        baseStations: [\"{mac}\"]\n"
            ),
        ),
    );
    applied(&env, &["again.yaml", "--max-deletes", "10"]);
    assert_ne!(id_of(&env, "TRD Lab"), id);
    assert_eq!(base_stations(&env)[&mac], "TRD Lab");
}

#[test]
fn a_saved_plan_records_the_permission_and_is_refused_when_more_would_go() {
    let env = TestEnv::new();
    let id = id_of(&env, "TRD Test network");
    env.write("close.yaml", &site("Trondheim Clinic", &format!("      - {{id: {id}, state: absent}}\n")));
    for arguments in [
        &["plan", "close.yaml", "--out", "none.plan"][..],
        &["plan", "close.yaml", "--max-deletes", "2", "--out", "two.plan"],
    ] {
        assert_eq!(env.run(arguments).code, Some(0));
    }
    assert!(refused(&env, &["--plan", "none.plan"]).stderr.contains("--max-deletes 2"));
    // Another base station arrives: more would go than was reviewed.
    let station = station_of(&env, "TRD Test network");
    env.write(
        "more.yaml",
        &site(
            "Trondheim Clinic",
            &format!("      - name: TRD Test network\n        baseStations: [{{mac: AC7A56330001, replaces: \"{station}\"}}]\n"),
        ),
    );
    applied(&env, &["more.yaml"]);
    let ended = refused(&env, &["--plan", "two.plan"]);
    assert!(ended.stderr.contains("AC7A56330001"), "{}", ended.stderr);
    assert!(has_network(&env, "TRD Test network"));
    assert_eq!(env.run(&["plan", "close.yaml", "--max-deletes", "2", "--out", "now.plan"]).code, Some(0));
    applied(&env, &["--plan", "now.plan"]);
    assert!(!has_network(&env, "TRD Test network"));
}

#[test]
fn mistakes_are_found_before_the_first_write_all_at_once() {
    let env = TestEnv::new();
    let lab = id_of(&env, "TRD Lab");
    let there = station_of(&env, "HQ Reception");
    env.write(
        "wrong.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Oslo HQ\n    networks:\n      - {{name: HQ Ward 1, model: DBS110}}\n      \
             - {{name: HQ Reception, baseStations: [AC7A56440009]}}\n      \
             - {{name: hq-ward 03, model: DBS210, defaultAccessCode: \"7777\"}}\n      - {{name: HQ New, model: DBS210}}\n      \
             - {{name: HQ Long, model: DBS210, displayName: far too long a text, defaultAccessCode: \"7778\"}}\n      \
             - name: HQ Kitchen\n        baseStations: [AC7A56440001, \"{there}\"]\n  - name: Trondheim Clinic\n    networks:\n      \
             - {{id: {lab}, name: TRD Laboratory, state: absent}}\n"
        ),
    );
    let ended = refused(&env, &["wrong.yaml", "--max-deletes", "99"]);
    for part in [
        "model-mismatch",
        "hq-ward 03",
        "\"HQ Ward 3\"",
        "HQ New",
        "far too long",
        "would have 3 base stations",
        "is in network \"HQ Reception\" of \"Oslo HQ\"",
        "not \"TRD Laboratory\"",
    ] {
        assert!(ended.stderr.contains(part), "{part}\n{}", ended.stderr);
    }
}

#[test]
fn a_base_station_moves_within_its_location() {
    let env = TestEnv::new();
    let mac = station_of(&env, "HQ Ward 1");
    env.write(
        "move.yaml",
        &site(
            "Oslo HQ",
            &format!(
                "      - {{name: HQ Ward 1, baseStations: [{{mac: \"{mac}\", state: absent}}]}}\n      \
                 - {{name: HQ Ward 3, baseStations: [\"{mac}\"]}}\n"
            ),
        ),
    );
    // A move deletes nothing.
    applied(&env, &["move.yaml"]);
    assert_eq!(base_stations(&env)[&mac], "HQ Ward 3");
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}\n{}", undone.stdout, undone.stderr);
    assert_eq!(base_stations(&env)[&mac], "HQ Ward 1");
}

#[test]
fn a_replacement_that_fails_leaves_the_old_base_station() {
    let env = TestEnv::new();
    let other = station_of(&env, "HQ Reception");
    let old = station_of(&env, "HQ Kitchen");
    env.write(
        "replace.yaml",
        &site(
            "Oslo HQ",
            &format!("      - name: HQ Kitchen\n        baseStations: [{{mac: AC7A56550001, replaces: \"{old}\"}}]\n"),
        ),
    );
    assert_eq!(env.run(&["plan", "replace.yaml", "--out", "replace.plan"]).code, Some(0));
    // Meanwhile the new one is put elsewhere, so Webex refuses it in this network.
    env.write(
        "meanwhile.yaml",
        &site(
            "Oslo HQ",
            &format!(
                "      - name: HQ Reception\n        baseStations: [{{mac: AC7A56550001, replaces: \"{other}\"}}]\n"
            ),
        ),
    );
    applied(&env, &["meanwhile.yaml"]);
    let ended = env.run(&["apply", "--plan", "replace.plan", "--yes"]);
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(base_stations(&env).get(&old).map(String::as_str), Some("HQ Kitchen"), "{}", ended.stdout);
    assert!(ended.stdout.contains("removed and added again"), "{}", ended.stdout);
    let runs = env.run(&["runs"]);
    assert!(runs.stdout.contains("0 of 2 changes written"), "{}", runs.stdout);
    // What was put back was there before the run: an undo of that run does not remove it.
    let undone = env.run(&["undo", "last", "--yes", "--max-deletes", "9"]);
    assert_eq!(base_stations(&env).get(&old).map(String::as_str), Some("HQ Kitchen"), "{}", undone.stdout);
}

#[test]
fn what_was_created_and_deleted_is_undone() {
    let env = TestEnv::new();
    env.write("open.yaml", include_str!("../../examples/open-site.yaml"));
    let before = base_stations(&env);
    applied(&env, &["open.yaml"]);
    let ended = env.run(&["undo", "last", "--yes"]);
    assert_eq!(ended.code, Some(1), "what is undone is deleted: {}", ended.stdout);
    assert!(ended.stderr.contains("--max-deletes 6"), "{}", ended.stderr);
    let ended = env.run(&["undo", "last", "--yes", "--max-deletes", "6"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(base_stations(&env), before);
    assert!(!has_network(&env, "SVG Wards"));

    let id = id_of(&env, "TRD Operating");
    env.write("close.yaml", &site("Trondheim Clinic", &format!("      - {{id: {id}, state: absent}}\n")));
    applied(&env, &["close.yaml", "--max-deletes", "23"]);
    let ended = env.run(&["undo", "last", "--yes", "-o", "json"]);
    let results = ended.json();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let created = results["results"].as_array().expect("results").iter().find(|result| result["kind"] == "network");
    let created = created.expect("the network");
    assert_eq!((&created["formerId"], &created["network"]["id"]), (&json!(id), &json!(id_of(&env, "TRD Operating"))));
    assert!(ended.stderr.contains("17 handsets"), "handsets do not come back: {}", ended.stderr);
    assert_eq!(base_stations(&env), before);
}

#[test]
fn an_undo_leaves_alone_what_others_have_filled() {
    let env = TestEnv::new();
    env.write("open.yaml", include_str!("../../examples/open-site.yaml"));
    applied(&env, &["open.yaml"]);
    env.write("more.yaml", &site("Stavanger Clinic", "      - {name: SVG Wards, baseStations: [AC7A56660001]}\n"));
    applied(&env, &["more.yaml"]);
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][1]["run"].as_str().expect("a run").to_owned();
    let ended = env.run(&["undo", &run, "--yes", "--max-deletes", "99"]);
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    let left = "SVG Wards is left alone: it holds what the run has not added, or not so: base station AC7A56660001";
    assert!(ended.stdout.contains(left), "{}", ended.stdout);
    assert!(has_network(&env, "SVG Wards") && !has_network(&env, "SVG Reception"));
    // Once more there is nothing to do but what is left alone.
    let again = env.run(&["undo", &run, "--yes", "-o", "json"]);
    assert_eq!((again.code, &again.json()["plan"]["warnings"][0]["code"]), (Some(1), &json!("not-undone")));
}

/// A base station takes the place of another one and comes from a third network.
#[test]
fn a_move_that_replaces_is_undone() {
    let env = TestEnv::new();
    let before = base_stations(&env);
    let text = "      - name: BGO Cold store
        baseStations: [{ mac: AC7A56000002, replaces: AC7A56000003 }, { mac: AC7A56000004, state: absent }]
      - name: BGO Dock 2
        baseStations: [{ mac: AC7A56000002, state: absent }]
";
    env.write("move.yaml", &site("Bergen Warehouse", text));
    let moved = env.run(&["apply", "move.yaml", "--yes", "--max-deletes", "9"]);
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    assert_ne!(base_stations(&env), before);
    let undone = env.run(&["undo", "last", "--yes", "--max-deletes", "9"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(base_stations(&env), before);
}

/// What is read for an undo is read for its saved plan, too: the members of lines, a location without networks.
#[test]
fn a_saved_undo_restores_a_closed_site_and_reassigned_handsets() {
    for files in [&["close-site.yaml"][..], &["handsets.yaml", "handsets.csv"]] {
        let env = TestEnv::new();
        env.set_faults(FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
        let inventory = |env: &TestEnv| {
            let text = env.run(&["export", "--include", "base-stations,handsets", "--no-codes"]).stdout;
            let is_kept = |line: &&str| !line.trim_start().starts_with("- id: ") && !line.trim_start().starts_with('#');
            let lines =
                text.lines().filter(is_kept).map(|line| line.split(" # ").next().unwrap_or_default().to_owned());
            let mut lines: Vec<String> = lines.collect();
            lines.sort();
            lines
        };
        let before = inventory(&env);
        for name in files {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
            env.write(name, &std::fs::read_to_string(path).expect("an example"));
        }
        let unattended = ["--yes", "--max-deletes", "99", "--max-changes", "all", "--handset-interval", "1ms"];
        let ended = env.run(&[&["apply"], files, &unattended].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_ne!(inventory(&env), before);
        let limits = ["--max-deletes", "99", "--max-changes", "all"];
        let saved = env.run(&[&["undo", "last", "--out", "undo.json"], &limits[..]].concat());
        assert_eq!(saved.code, Some(0), "{files:?}: {}", saved.stderr);
        let ended = env.run(&["apply", "--plan", "undo.json", "--yes", "--handset-interval", "1ms"]);
        assert_eq!(ended.code, Some(0), "{files:?}: {}", ended.stderr);
        assert_eq!(inventory(&env), before, "{files:?}");
    }
}

#[test]
fn a_saved_undo_says_in_every_format_what_it_leaves_alone() {
    let env = TestEnv::new();
    env.write("open.yaml", include_str!("../../examples/open-site.yaml"));
    applied(&env, &["open.yaml"]);
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a run").to_owned();
    env.write("more.yaml", &site("Stavanger Clinic", "      - {name: SVG Wards, baseStations: [AC7A56660001]}\n"));
    applied(&env, &["more.yaml"]);
    for format in ["text", "json", "markdown", "html", "diff"] {
        let ended = env.run(&["undo", &run, "--out", "undo.json", "--max-deletes", "99", "-o", format]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("is left alone"), "{format}: {}", ended.stdout);
    }
    let shown = env.run(&["show", "undo.json"]);
    assert!(shown.stdout.contains("SVG Wards is left alone"), "{}", shown.stdout);
    let ended = env.run(&["apply", "--plan", "undo.json", "--yes"]);
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    assert!(has_network(&env, "SVG Wards") && !has_network(&env, "SVG Reception"));
}

#[test]
fn an_export_with_base_stations_is_nothing_to_do() {
    let env = TestEnv::new();
    assert_eq!(env.run(&["export", "--include", "base-stations", "--write", "all.yaml"]).code, Some(0));
    let plan = env.run(&["plan", "all.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}\n{}", plan.stdout, plan.stderr);
    let table = env.run(&["export", "--include", "base-stations", "-o", "csv"]);
    assert_eq!(table.stdout.lines().count(), 1 + base_stations(&env).len(), "{}", table.stdout);
    env.write("all.csv", &table.stdout);
    let plan = env.run(&["plan", "all.csv", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}\n{}", plan.stdout, plan.stderr);
    let status = env.run(&["status", "all.csv"]);
    assert_eq!(status.code, Some(0), "{}\n{}", status.stdout, status.stderr);
    assert_eq!(env.counters().writes, 0);
    assert_eq!(env.run(&["export", "--include", "base-stations", "-o", "json"]).code, Some(1));
}

#[test]
fn an_installers_table_adds_to_the_file_of_the_site() {
    let env = TestEnv::new();
    env.write(
        "networks.csv",
        "location;name;model;displayName;defaultAccessCode\nStavanger Clinic;SVG Wards;DBS210;Wards;7310\n",
    );
    env.write(
        "stations.csv",
        "Location;Network;MAC;#installed by\nStavanger Clinic;SVG Wards;AC-7A-56-11-A0-01;Kari\n\
         Stavanger Clinic;SVG Wards;ac7a5611a002;Ola\nOslo HQ;HQ Ward 1;AC7A56770001;\n",
    );
    applied(&env, &["networks.csv", "stations.csv"]);
    let stations = base_stations(&env);
    assert_eq!(stations["AC7A5611A002"], "SVG Wards");
    assert_eq!(stations["AC7A56770001"], "HQ Ward 1");
    env.write("damaged.csv", "location,network,mac\nOslo HQ,HQ Ward 1,1E+11\nOslo HQ,HQ Ward 1,AC7A5677000\n");
    let ended = refused(&env, &["damaged.csv"]);
    assert!(ended.stderr.contains("damaged.csv:2:"), "{}", ended.stderr);
    assert!(ended.stderr.contains("damaged.csv:3:"), "{}", ended.stderr);
}

#[test]
fn creations_and_deletions_go_through_waves_and_rehearsals() {
    let env = TestEnv::new();
    env.write("all.yaml", &open_site_and_delete(&env, "TRD Test network"));
    let rehearsed = env.run(&["rehearse", "all.yaml", "-o", "json"]);
    assert_eq!(rehearsed.code, Some(0), "{}\n{}", rehearsed.stdout, rehearsed.stderr);
    assert_eq!(env.counters().writes, 0);
    applied(&env, &["all.yaml", "--max-deletes", "2", "--canary", "1"]);
    assert!(has_network(&env, "SVG Wards") && !has_network(&env, "TRD Test network"));
    assert_eq!(base_stations(&env)["AC7A5611B001"], "BGO Gate");
}

#[test]
fn every_format_shows_what_is_created_and_what_goes() {
    let env = TestEnv::new();
    env.write("all.yaml", &open_site_and_delete(&env, "TRD Nurses"));
    for format in ["text", "markdown", "html", "diff"] {
        let ended = env.run(&["plan", "all.yaml", "-o", format]);
        assert_eq!(ended.code, Some(0), "{format}: {}", ended.stderr);
        for part in ["SVG Wards", "DMS Cisco DBS210", "AC7A5611A002", "AC7A56000009", "TRD Nurses", "22 handsets"] {
            assert!(ended.stdout.contains(part), "{format} lacks {part}\n{}", ended.stdout);
        }
        assert!(!ended.stdout.contains("7310"), "{format} shows a code");
    }
    let json = env.run(&["plan", "all.yaml", "-o", "json"]).json();
    assert_eq!(json["summary"]["create"], 2);
    assert_eq!(json["summary"]["delete"], 1);
    assert_eq!(json["summary"]["baseStations"], json!({"create": 5, "update": 0, "delete": 5}));
    assert_eq!(json["summary"]["handsets"]["delete"], 22);
    assert_eq!(json["summary"]["deletions"], 27);
}

/// What is wrong with a file, by the plan alone: the errors and warnings.
#[track_caller]
fn complaints(env: &TestEnv, arguments: &[&str]) -> String {
    let ended = refused(env, arguments);
    ended.stderr
}

#[test]
fn the_network_of_a_table_identifies_and_never_renames() {
    let env = TestEnv::new();
    let id = id_of(&env, "TRD Nurses");
    env.write("t.csv", "location,network,mac\nTrondheim Clinic,trd NURSES,AC7A56F00001\n");
    assert_eq!(applied(&env, &["t.csv"]), 5);
    assert!(has_network(&env, "TRD Nurses"), "the spelling of a table is no new name");
    // A rule is still applied to a network that a table names.
    env.write(
        "rule.yaml",
        "version: 1\nrules:\n  - match: {location: Trondheim*, name: TRD Nurses}\n    set: {displayName: Nurses 1}\n",
    );
    let plan = env.run(&["plan", "rule.yaml", "t.csv"]);
    assert!(plan.stdout.contains("Nurses 1"), "{}{}", plan.stdout, plan.stderr);
    // The id decides, and a name that belongs to another network is an error.
    env.write("wrong.csv", &format!("location,networkId,network,mac\nTrondheim Clinic,{id},TRD Lab,AC7A56F00002\n"));
    assert!(complaints(&env, &["wrong.csv"]).contains("is named \"TRD Nurses\", not \"TRD Lab\""));
    env.write("old.csv", &format!("location,networkId,network,mac\nTrondheim Clinic,{id},TRD Before,AC7A56F00001\n"));
    let plan = env.run(&["plan", "old.csv"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.contains("no network has that name any more"), "{}", plan.stdout);
}

#[test]
fn a_wrong_id_is_no_network_that_was_deleted() {
    let env = TestEnv::new();
    let entry = |id: &str, name: &str| {
        site("Trondheim Clinic", &format!("      - {{id: {id}, name: {name}, state: absent}}\n"))
    };
    env.write("typo.yaml", &entry("foo", "TRD Nurses"));
    let text = complaints(&env, &["typo.yaml", "--max-deletes", "99"]);
    assert!(text.contains("\"TRD Nurses\" exists with the id"), "{text}");
    env.write("gone.yaml", &entry("foo", "TRD Gone"));
    let plan = env.run(&["plan", "gone.yaml"]);
    assert!(plan.stdout.contains("no network has the id foo (\"TRD Gone\"): already deleted"), "{}", plan.stdout);
}

#[test]
fn a_scope_never_cuts_a_move_in_half() {
    let env = TestEnv::new();
    let (mac, id) = (station_of(&env, "TRD Nurses"), id_of(&env, "TRD Nurses"));
    let taker = format!("      - name: TRD Lab\n        baseStations: [{mac}]\n");
    let giver = format!("      - name: TRD Nurses\n        baseStations: [{{mac: {mac}, state: absent}}]\n");
    let deleted = format!("      - {{id: {id}, state: absent}}\n");
    for gives in [giver, deleted] {
        env.write("move.yaml", &site("Trondheim Clinic", &format!("{taker}{gives}")));
        for (scope, other) in [("TRD Lab", "TRD Nurses"), ("TRD Nurses", "TRD Lab")] {
            let text = complaints(&env, &["move.yaml", "--network", scope, "--max-deletes", "99"]);
            let expected = format!("include it: --network \"{other}\"");
            assert!(text.contains("dependency-out-of-scope") && text.contains(&expected), "{scope}\n{text}");
        }
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn replacements_that_contradict_each_other_are_named() {
    let env = TestEnv::new();
    let old = station_of(&env, "TRD Nurses");
    let file =
        |list: &str| site("Trondheim Clinic", &format!("      - name: TRD Nurses\n        baseStations: [{list}]\n"));
    let replacing = |mac: &str| format!("{{mac: {mac}, replaces: {old}}}");
    env.write("twice.yaml", &file(&format!("{}, {}", replacing("AC7A56F00001"), replacing("AC7A56F00002"))));
    assert!(complaints(&env, &["twice.yaml"]).contains("is replaced twice"));
    env.write("both.yaml", &file(&format!("{}, {old}", replacing("AC7A56F00001"))));
    assert!(complaints(&env, &["both.yaml"]).contains("another entry says that it is there"));
    // Said twice: a replacement is no deletion.
    env.write("same.yaml", &file(&format!("{}, {{mac: {old}, state: absent}}", replacing("AC7A56F00001"))));
    let plan = env.run(&["plan", "same.yaml"]);
    assert!(plan.stdout.contains("(replaced by AC7A56F00001)"), "{}", plan.stdout);
    applied(&env, &["same.yaml"]);
}

#[test]
fn an_undo_brings_back_what_the_network_held_when_it_was_deleted() {
    let env = TestEnv::new();
    let (id, mac) = (id_of(&env, "TRD Nurses"), station_of(&env, "TRD Nurses"));
    env.write("close.yaml", &site("Trondheim Clinic", &format!("      - {{id: {id}, state: absent}}\n")));
    assert_eq!(env.run(&["plan", "close.yaml", "--out", "p.json"]).code, Some(0));
    // Meanwhile a base station goes to another network.
    let gone = format!("      - name: TRD Nurses\n        baseStations: [{{mac: {mac}, state: absent}}]\n");
    env.write("gone.yaml", &site("Trondheim Clinic", &gone));
    applied(&env, &["gone.yaml", "--max-deletes", "1"]);
    applied(&env, &["--plan", "p.json", "--max-deletes", "99"]);
    let undo = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undo.code, Some(0), "{}{}", undo.stdout, undo.stderr);
    assert!(undo.stdout.contains("22 handsets of TRD Nurses are added again and must be paired"), "{}", undo.stdout);
    assert_eq!(base_stations(&env).get(&mac), None, "it was gone before the deletion");
    assert_eq!(base_stations(&env).values().filter(|network| *network == "TRD Nurses").count(), 3);
}

#[test]
fn base_stations_that_contradict_each_other_are_refused_without_an_organization() {
    let env = TestEnv::new();
    let (a, b, c) = ("AC7A56FFFF01", "AC7A56FFFF02", "AC7A56FFFF03");
    for (stations, words) in [
        (format!("{a}, {{ mac: {b}, replaces: {a} }}"), "is replaced, but another entry says that it is there"),
        (format!("{{ mac: {b}, replaces: {a} }}, {a}"), "is replaced, but another entry says that it is there"),
        (format!("{{ mac: {a}, replaces: {b} }}, {{ mac: {b}, replaces: {a} }}"), "is replaced, but another"),
        (format!("{{ mac: {a}, replaces: {c} }}, {{ mac: {b}, replaces: {c} }}"), "is replaced twice"),
        (format!("{a}, {{ mac: {a}, state: absent }}"), "is named twice"),
    ] {
        env.write("f.yaml", &site("Oslo HQ", &format!("      - {{ name: HQ Ward 1, baseStations: [{stations}] }}\n")));
        let ended = env.run(&["validate", "f.yaml"]);
        assert_eq!(ended.code, Some(1), "{stations}");
        assert!(ended.stderr.contains(words), "{stations}: {}", ended.stderr);
    }
    // It is replaced, and said to be gone; or it moves to another network.
    env.write("f.yaml", &site("Oslo HQ", &format!("      - {{ name: HQ Ward 1, baseStations: [{{ mac: {a}, replaces: {b} }}, {{ mac: {b}, state: absent }}] }}\n      - {{ name: HQ Ward 2, baseStations: [{{ mac: {a}, state: absent }}] }}\n")));
    let ended = env.run(&["validate", "f.yaml"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// A gateway that restarts fails no creation: what a list does not show is sent again, as often as an update.
#[test]
fn a_creation_outlasts_an_outage_of_some_requests() {
    let env = TestEnv::new();
    env.write(
        "new.yaml",
        &site("Oslo", "      - { name: New, model: DBS210, defaultAccessCode: \"7310\", displayName: New }\n"),
    );
    let (there, mut new) = (network(1, "Oslo", "Ward 1", "1001"), network(2, "Oslo", "New", "7310"));
    new["displayName"] = "New".into();
    let posts = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&posts);
    let base = serve(move |method, target, _| {
        if method == "POST" {
            return match sent.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => response("503 Service Unavailable", "", &json!({ "message": "restarting" })),
                _ => response("201 Created", "", &json!({ "dectNetworkId": new["id"] })),
            };
        }
        if !target.contains("/telephony/config/dectNetworks") {
            return response("403 Forbidden", "", &json!({ "message": "not allowed" }));
        }
        let all = if sent.load(Ordering::SeqCst) > 2 { vec![&there, &new] } else { vec![&there] };
        response("200 OK", "", &json!({ "dectNetworks": all }))
    });
    let ended = env.run(&["apply", "new.yaml", "--yes", "--api-url", &base]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(posts.load(Ordering::SeqCst), 3);
}

#[test]
fn a_list_with_an_item_that_cannot_be_read_is_no_list() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        &site("Oslo", "      - { name: Ward 1, displayName: New, baseStations: [{ mac: AC7A56000001 }] }\n"),
    );
    for (networks, stations) in
        [(json!([null]), json!([])), (json!([network(1, "Oslo", "Ward 1", "1001")]), json!([null]))]
    {
        let base = serve(move |_, target, _| match target.contains("/baseStations") {
            true => response("200 OK", "", &json!({ "baseStations": stations })),
            false => response("200 OK", "", &json!({ "dectNetworks": networks })),
        });
        let ended = env.run(&["plan", "d.yaml", "--api-url", &base]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stderr.contains("unexpected response"), "{}", ended.stderr);
    }
}

/// Somebody else was faster: what is there is not of this run, and no undo may delete it.
#[test]
fn a_creation_that_was_refused_is_not_the_network_of_somebody_else() {
    let env = TestEnv::new();
    env.write(
        "new.yaml",
        &site("Oslo", "      - { name: New, model: DBS210, defaultAccessCode: \"7310\", displayName: New }\n"),
    );
    let (there, new) = (network(1, "Oslo", "Ward 1", "1001"), network(2, "Oslo", "New", "7310"));
    let is_refused = Arc::new(AtomicUsize::new(0));
    let refused = Arc::clone(&is_refused);
    let base = serve(move |method, target, _| {
        if method == "POST" {
            refused.store(1, Ordering::SeqCst);
            return response("409 Conflict", "", &json!({ "message": "the name exists" }));
        }
        if !target.contains("/telephony/config/dectNetworks") {
            return response("403 Forbidden", "", &json!({ "message": "not allowed" }));
        }
        let all = if refused.load(Ordering::SeqCst) > 0 { vec![&there, &new] } else { vec![&there] };
        response("200 OK", "", &json!({ "dectNetworks": all }))
    });
    let ended = env.run(&["apply", "new.yaml", "--yes", "--api-url", &base]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("1 failed"), "{}", ended.stdout);
    let undo = env.run(&["undo", "last", "--yes", "--max-deletes", "9", "--api-url", &base]);
    assert!(undo.code == Some(1) && undo.stderr.contains("no run that has changed"), "{}{}", undo.stdout, undo.stderr);
}

/// A network is created twice, or rebooted twice, if what was just done is done again because no list shows it yet.
#[test]
fn what_no_list_shows_yet_is_not_written_again() {
    let env = TestEnv::new();
    env.set_faults(FaultConfig { read_lag: Duration::from_secs(2), ..FaultConfig::default() });
    env.write(
        "d.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      \
         - { name: New, model: DBS210, defaultAccessCode: \"7310\", displayName: New, baseStations: [{ mac: AC7A56009001 }] }\n      \
         - { name: TRD Lab, serviceabilityPassword: enabled }\n",
    );
    let applied = env.run(&["apply", "d.yaml", "--yes", "--no-verify"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
    let writes = env.counters().writes;
    let plan = env.run(&["plan", "d.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}{}", plan.stdout, plan.stderr);
    assert!(plan.stderr.contains("does not show yet what the last run has written"), "{}", plan.stderr);
    assert_eq!(env.counters().writes, writes);
}
