//! Drift by location.

use dectl::simulator::{FaultConfig, RequestFault};
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
    let summary = json!({ "locations": 3, "networks": 12, "drifted": 0, "unmanaged": 1, "unmanagedBaseStations": 0,
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
