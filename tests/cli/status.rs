//! Drift by location.

use dectl::simulator::{FaultConfig, RequestFault, SimulatedState};
use serde_json::json;

use crate::harness::{TestEnv, copy_example};

#[test]
fn status_has_a_line_a_location_and_knows_since_when() {
    let env = TestEnv::new();
    copy_example(&env);
    let before = env.run(&["status", "networks.yaml"]);
    assert_eq!(before.code, Some(2));
    assert!(before.stdout.contains("Bergen Warehouse  3 of 4 drifted\n"), "{}", before.stdout);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let right = env.run(&["status", "networks.yaml", "-o", "json"]);
    assert_eq!(right.code, Some(0));
    let summary = json!({ "locations": 3, "networks": 12, "drifted": 0, "known": 0, "unmanaged": 1, "unmanagedBaseStations": 0,
        "unmanagedHandsets": 0, "neverRegistered": 0 });
    assert_eq!(right.json()["summary"], summary);
    assert_eq!(env.run(&["status", "networks.yaml", "--fail-on-unmanaged"]).code, Some(1));

    env.write(
        "meddle.yaml",
        "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
    );
    assert_eq!(env.run(&["apply", "meddle.yaml", "--yes", "--journal", "elsewhere"]).code, Some(0));
    let drifted = env.run(&["status", "networks.yaml"]);
    assert_eq!(drifted.code, Some(2));
    assert!(drifted.stdout.contains("Trondheim Clinic  1 of 3 drifted, last in sync 20"), "{}", drifted.stdout);
    assert!(drifted.stdout.contains("Oslo HQ           in sync"), "{}", drifted.stdout);
    let wrong = env.run(&["status", "nowhere.yaml"]);
    assert_eq!(wrong.code, Some(1));
}

#[test]
fn a_network_that_is_gone_is_drift_and_hides_no_other() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - { name: TRD Lab, displayName: Changed }\n      - { id: N999, name: TRD Gone }\n      - { id: N998 }\n      - { name: TRD Ward of old }\n",
    );
    let ended = env.run(&["status", "d.yaml", "-o", "json"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let names = ["TRD Lab", "TRD Gone", "N998", "TRD Ward of old"];
    assert_eq!(json["locations"][0]["drifted"], serde_json::json!(names), "{json}");
    assert_eq!((&json["summary"]["drifted"], &json["summary"]["networks"]), (&4.into(), &4.into()), "{json}");
    assert!(ended.stderr.contains("network TRD Gone of Trondheim Clinic does not exist any more"), "{}", ended.stderr);
    // A plan still refuses it: what is to be applied must exist.
    assert_eq!(env.run(&["plan", "d.yaml"]).code, Some(1));
    // Other errors stay errors.
    env.write(
        "e.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Lab, displayName: Other }]\n",
    );
    assert_eq!(env.run(&["status", "d.yaml", "e.yaml"]).code, Some(1));
}

#[test]
fn locations_handsets_and_persons_that_are_gone_are_drift_and_hide_no_other() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - { name: TRD Lab, displayName: Changed }\n      - name: TRD Nurses\n        handsets:\n          - { id: GONE, customDisplayName: Q2 }\n          - { line1: \"9999\", customDisplayName: Q3 }\n  - { id: L777, name: Gone, networks: [{ id: N888, name: Only }] }\n  - { name: Former, networks: [{ name: Last }] }\n",
    );
    let ended = env.run(&["status", "d.yaml", "-o", "json"]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let drifted = |at: usize| json["locations"][at]["drifted"].to_string();
    assert_eq!([0, 1, 2].map(drifted), [r#"["TRD Lab","TRD Nurses"]"#, r#"["Only"]"#, r#"["Last"]"#], "{json}");
    assert!(ended.stderr.contains("handset Q2 of TRD Nurses (Trondheim Clinic)"), "{}", ended.stderr);
    assert_eq!(env.run(&["plan", "d.yaml"]).code, Some(1), "a plan refuses it");
}

#[test]
fn devices_that_cannot_be_read_are_named_and_hide_nothing_else() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - { name: TRD Lab, displayName: Changed, handsets: [] }\n      - { name: TRD Nurses, handsets: [] }\n",
    );
    // After the list, the second request reads the handsets of one of the two.
    let refuse_read = || {
        let fault_at = Some((env.counters().requests + 2, RequestFault::Status(403)));
        env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    };
    refuse_read();
    let ended = env.run(&["status", "d.yaml", "-o", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let words = "cannot read the handsets of \"TRD ";
    assert!(ended.stderr.contains(words) && ended.stderr.contains("not compared"), "{}", ended.stderr);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(json["locations"][0]["drifted"][0], "TRD Lab", "{json}");
    refuse_read();
    let ended = env.run(&["export", "--location", "Trond*", "--include", "handsets"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains(words) && ended.stderr.contains("not exported"), "{}", ended.stderr);
    assert!(ended.stdout.contains("TRD Lab") && ended.stdout.contains("TRD Nurses"), "{}", ended.stdout);
    refuse_read();
    let ended = env.run(&["plan", "d.yaml"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
}

/// Two networks in sync by a run, with its journal.
fn applied(env: &TestEnv, display_name: &str) {
    env.write(
        "net.yaml",
        &format!(
            "version: 1\nlocations: [{{name: Trondheim Clinic, networks: [{{name: TRD Nurses, displayName: {display_name}}}, \
             {{name: TRD Lab, displayName: Labor}}]}}]\n"
        ),
    );
}

fn meddle(env: &TestEnv, display_name: &str) {
    let file = format!(
        "version: 1\nlocations: [{{name: Trondheim Clinic, networks: [{{name: TRD Nurses, displayName: {display_name}}}]}}]\n"
    );
    env.write("meddle.yaml", &file);
    assert_eq!(env.run(&["apply", "meddle.yaml", "--yes", "--journal", "elsewhere"]).code, Some(0));
}

#[test]
fn a_difference_is_changed_outside_or_not_applied_yet() {
    let env = TestEnv::new();
    applied(&env, "Day");
    let unknown = env.run(&["status", "net.yaml", "-o", "json"]).json();
    assert_eq!(unknown["locations"][0]["differences"][0]["cause"], serde_json::Value::Null, "no journal knows it");
    assert_eq!(env.run(&["apply", "net.yaml", "--yes"]).code, Some(0));
    meddle(&env, "Night");
    let changed = env.run(&["status", "net.yaml", "-o", "json"]).json();
    let difference = &changed["locations"][0]["differences"][0];
    assert_eq!(difference["cause"], "changedOutside", "{difference}");
    assert_eq!((&difference["live"], &difference["asked"]), (&"Night".into(), &"Day".into()), "{difference}");
    let run = env.run(&["runs", "-o", "json"]).json();
    assert_eq!(difference["run"], run["runs"][0]["run"]);
    let text = env.run(&["status", "net.yaml"]).stdout;
    let expected = "TRD Nurses: displayName is \"Night\" instead of \"Day\", changed outside since 20";
    assert!(text.contains(expected), "{text}");
    // The file is newer than the run, and the live state is as the run has left it.
    meddle(&env, "Day");
    applied(&env, "Evening");
    let newer = env.run(&["status", "net.yaml", "-o", "json"]).json();
    assert_eq!(newer["locations"][0]["differences"][0]["cause"], "notApplied", "{newer}");
    assert!(env.run(&["status", "net.yaml", "-o", "markdown"]).stdout.contains("not applied yet"));
}

#[test]
fn devices_know_why_they_differ_too() {
    let env = TestEnv::new();
    let file = |address: &str, state: &str| {
        format!(
            "version: 1\nlocations: [{{name: Bergen Warehouse, networks: [{{name: BGO Cold store, baseStations: [{{mac: {address}{state}}}]}}]}}]\n"
        )
    };
    env.write("net.yaml", &file("AC7A56FF0001", ""));
    assert_eq!(env.run(&["apply", "net.yaml", "--yes"]).code, Some(0));
    env.write("gone.yaml", &file("AC7A56FF0001", ", state: absent"));
    let removed = env.run(&["apply", "gone.yaml", "--yes", "--max-deletes", "1", "--journal", "elsewhere"]);
    assert_eq!(removed.code, Some(0), "{}", removed.stderr);
    let json = env.run(&["status", "net.yaml", "-o", "json"]).json();
    let difference = &json["locations"][0]["differences"][0];
    assert_eq!((&difference["missing"], &difference["cause"]), (&true.into(), &"changedOutside".into()), "{json}");
    assert_eq!(difference["device"], "AC7A56FF0001");
    assert!(
        env.run(&["status", "net.yaml"]).stdout.contains("base station AC7A56FF0001: does not exist, changed outside")
    );
}

#[test]
fn known_drift_wakes_nobody_up_and_new_drift_does() {
    let env = TestEnv::new();
    applied(&env, "Day");
    let status = |options: &[&str]| env.run(&[&["status", "net.yaml", "--baseline", "known.json"], options].concat());
    let missing = status(&[]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("`--accept` writes it"), "{}", missing.stderr);
    let accepted = status(&["--accept"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    assert!(accepted.stdout.contains("0 drifted, 2 differences known"), "{}", accepted.stdout);
    assert_eq!(status(&[]).code, Some(0));
    let json = status(&["-o", "json"]).json();
    assert_eq!((&json["summary"]["drifted"], &json["summary"]["known"]), (&0.into(), &2.into()), "{json}");
    assert_eq!(json["locations"][0]["differences"][0]["known"], true);
    // Another value is another difference, and so is another network.
    meddle(&env, "Night");
    let new = status(&[]);
    assert_eq!(new.code, Some(2));
    assert!(new.stdout.contains("1 of 2 drifted") && new.stdout.contains("\"Night\""), "{}", new.stdout);
    assert!(!new.stdout.contains("Labor"), "{}", new.stdout);
    for (text, expected) in [("{}", "not a baseline"), ("[1", "not a baseline")] {
        env.write("known.json", text);
        let broken = status(&["--accept"]);
        assert_eq!(broken.code, Some(1));
        assert!(broken.stderr.contains(expected), "{}", broken.stderr);
    }
    assert_eq!(std::fs::read_to_string(env.dir.path().join("known.json")).expect("it"), "[1");
    assert_eq!(status(&["--accept", "--location", "Oslo*"]).code, Some(1));
    assert_eq!(env.run(&["status", "net.yaml", "--accept"]).code, Some(1));
}

#[test]
fn a_baseline_holds_no_access_code_and_accepts_none() {
    let env = TestEnv::new();
    env.write(
        "net.yaml",
        "version: 1\nlocations: [{name: Bergen Warehouse, networks: [{name: BGO Gate, displayName: X, defaultAccessCode: \"7391\"}]}]\n",
    );
    let accepted = env.run(&["status", "net.yaml", "--baseline", "known.json", "--accept"]);
    assert_eq!(accepted.code, Some(2), "the code still differs: {}", accepted.stderr);
    assert!(accepted.stderr.contains("1 difference of access codes not accepted"), "{}", accepted.stderr);
    let text = std::fs::read_to_string(env.dir.path().join("known.json")).expect("the baseline");
    assert!(text.contains("displayName") && !text.contains("defaultAccessCode"), "{text}");
    let json = env.run(&["status", "net.yaml", "-o", "json"]).stdout;
    assert!(!json.contains("7391") && !json.contains("2204"), "{json}");
}

#[test]
fn a_missing_network_was_changed_outside_where_a_run_had_written_it() {
    let env = TestEnv::new();
    let file = |location: &str| {
        format!("version: 1\nlocations: [{{name: {location}, networks: [{{name: BGO Dock 1, displayName: A}}]}}]\n")
    };
    env.write("net.yaml", &file("Bergen Warehouse"));
    assert_eq!(env.run(&["apply", "net.yaml", "--yes"]).code, Some(0));
    let renamed = env.run(&["rename", "BGO Dock 1", "BGO Pier", "--yes", "--journal", "elsewhere"]);
    assert_eq!(renamed.code, Some(0), "{}", renamed.stderr);
    let status = env.run(&["status", "net.yaml"]).stdout;
    assert!(status.contains("BGO Dock 1: does not exist, changed outside since"), "{status}");
    env.write("other.yaml", &file("Oslo HQ"));
    let status = env.run(&["status", "other.yaml"]).stdout;
    assert!(status.contains("BGO Dock 1: does not exist\n"), "{status}");
}

#[test]
fn what_was_undone_is_not_called_new() {
    let env = TestEnv::new();
    env.write(
        "u.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Lab, displayName: L2 }]\n",
    );
    assert_eq!(env.run(&["apply", "u.yaml", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    let status = env.run(&["status", "u.yaml"]).stdout;
    assert!(status.contains("undone by run") && !status.contains("not applied yet"), "{status}");
    let causes = env.run(&["status", "u.yaml", "-o", "json"]).json()["locations"][0]["differences"][0]["cause"].clone();
    assert_eq!(causes, "undone");
}

#[test]
fn differences_that_are_not_shown_are_counted_where_they_are() {
    let env = TestEnv::with(SimulatedState::generated(1, 6), FaultConfig::default());
    env.write("d.yaml", "version: 1\nrules: [{ match: { name: '(?<w>H.*)' }, set: { displayName: Night } }]\n");
    let ended = env.run(&["status", "d.yaml"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let shown =
        |name: &&serde_json::Value| ended.stdout.contains(&format!("{}: ", name["name"].as_str().expect("a name")));
    let networks = env.networks();
    let hidden: Vec<&serde_json::Value> = networks.iter().filter(|name| !shown(name)).collect();
    assert_eq!(hidden.len(), 1, "{}", ended.stdout);
    let expected = format!("and 1 more difference, in {}\n", hidden[0]["name"].as_str().expect("a name"));
    assert!(ended.stdout.contains(&expected), "{}", ended.stdout);
}

#[test]
fn a_mistake_about_another_site_holds_nothing_up() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations:\n  - { name: Oslo HQ, networks: [{ name: No Such Ward }, { name: HQ Kitchen, model: DBS110 }] }\n  \
         - { name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: Changed }] }\n",
    );
    let whole = env.run(&["apply", "d.yaml", "--yes"]);
    assert_eq!(whole.code, Some(1), "{}", whole.stdout);
    for scope in [["--location", "Trond*"], ["--location", "Oslo*"]] {
        let ended = env.run(&["apply", "d.yaml", "--yes", scope[0], scope[1]]);
        let expected = if scope[1] == "Trond*" { 0 } else { 1 };
        assert_eq!(ended.code, Some(expected), "{}{}", ended.stdout, ended.stderr);
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains("No Such Ward"), "it is said: {}", ended.stdout);
    }
    // Which location is meant by an unknown one, nothing tells.
    env.write(
        "t.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinc, networks: [{ name: TRD Lab, displayName: X }] }]\n",
    );
    let ended = env.run(&["apply", "t.yaml", "--yes", "--location", "Trondheim Clinic"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("did you mean"), "{}{}", ended.stdout, ended.stderr);
}
