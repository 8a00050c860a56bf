//! What files protect or freeze is changed by name only.

use serde_json::Value;

use crate::harness::TestEnv;

/// Renames a network of a frozen location, one that is protected by itself, and one that is neither.
const FILE: &str = "version: 1
locations:
  - name: Oslo HQ
    frozen: { until: 2999-01-03, reason: holidays }
    networks:
      - { name: HQ Galley, renamedFrom: HQ Kitchen }
      - { name: HQ Reception, displayName: Desk, protected: true }
  - name: Bergen Warehouse
    networks:
      - { name: BGO Gate, displayName: Gate 1 }
";

fn with_file() -> TestEnv {
    let env = TestEnv::new();
    env.write("networks.yaml", FILE);
    env
}

#[test]
fn what_is_protected_is_refused_in_one_message_and_shown_in_every_format() {
    let env = with_file();
    for format in ["text", "markdown", "html", "diff"] {
        let plan = env.run(&["plan", "networks.yaml", "-o", format]);
        assert_eq!(plan.code, Some(0), "{}", plan.stderr);
        let text = plan.stdout.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#58;", ":").replace('\\', "");
        assert!(text.contains("frozen until 2999-01-04T00:00:00Z"), "{format}: {text}");
        assert!(text.contains("is protected"), "{format}: {text}");
    }
    let json: Value = serde_json::from_str(&env.run(&["plan", "networks.yaml", "-o", "json"]).stdout).expect("JSON");
    let refused: Vec<_> = json["protections"].as_array().expect("a list").iter().map(|one| &one["refused"]).collect();
    assert_eq!(refused, [2, 1], "{json}");
    let ended = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1));
    for part in ["holidays", "networks.yaml:4", "--allow \"Oslo HQ\"", "networks.yaml:7", "--allow \"HQ Reception\""] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn each_protection_is_allowed_by_its_own_name() {
    let env = with_file();
    for allowed in [&["Oslo HQ"][..], &["HQ Reception"], &["HQ Galley"]] {
        let options: Vec<&str> = allowed.iter().flat_map(|name| ["--allow", *name]).collect();
        let ended = env.run(&[&["apply", "networks.yaml", "--yes"], &options[..]].concat());
        assert_eq!(ended.code, Some(1), "{allowed:?}: {}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
    let arguments = ["apply", "networks.yaml", "--yes", "--allow", "oslo hq", "--allow", "Oslo HQ/HQ Reception"];
    let ended = env.run(&arguments);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 3);
    // What is as the file says needs nobody's leave.
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert!(undone.stderr.contains("\"HQ Reception\" is protected (networks.yaml:7)"), "{}", undone.stderr);
}

#[test]
fn a_saved_plan_keeps_what_is_protected_and_what_was_allowed() {
    let env = with_file();
    let planned = env.run(&["plan", "networks.yaml", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0));
    let next = "`dectl apply --plan plan.json --allow 'Oslo HQ' --allow 'HQ Reception'`";
    assert!(planned.stderr.contains(next), "{}", planned.stderr);
    std::fs::remove_file(env.dir.path().join("networks.yaml")).expect("it was there");
    assert!(env.run(&["show", "plan.json"]).stdout.contains("refused without `--allow \"Oslo HQ\"`"));
    let ended = env.run(&["apply", "--plan", "plan.json", "--yes", "--allow", "HQ Reception"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    env.write("networks.yaml", FILE);
    let names = ["--allow", "Oslo HQ", "--allow", "HQ Reception"];
    assert_eq!(env.run(&[&["plan", "networks.yaml", "--out", "plan.json"], &names[..]].concat()).code, Some(0));
    let ended = env.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_freeze_that_has_ended_refuses_nothing() {
    let env = TestEnv::new();
    env.write("networks.yaml", &FILE.replace("2999-01-03", "9999-12-31"));
    assert!(env.run(&["plan", "networks.yaml"]).stdout.contains("frozen until 9999-12-30T"));
    env.write("networks.yaml", &FILE.replace("2999-01-03", "2001-01-03").replace(", protected: true", ""));
    let ended = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stdout.contains("frozen"), "{}", ended.stdout);
}

#[test]
fn rules_and_renames_are_refused_like_entries() {
    let env = TestEnv::new();
    env.write("freeze.yaml", "version: 1\nlocations: [{ name: Oslo HQ, protected: true }]\n");
    env.write("rule.yaml", "version: 1\nrules: [{ match: { name: 'HQ (?<x>.*)' }, set: { name: 'Q {{ x }}' } }]\n");
    let ended = env.run(&["apply", "freeze.yaml", "rule.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("\"Oslo HQ\" is protected (freeze.yaml:2)"), "{}", ended.stderr);
    let rename = ["rename", "HQ (?<x>.*)", "Q {{ x }}", "--yes", "--protections", "freeze.yaml"];
    let ended = env.run(&rename);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("pass --allow \"Oslo HQ\""), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
    env.write("freeze.yaml", "version: 1\nlocations: [{ name: Oslo Hq2, protected: true }]\n");
    let ended = env.run(&rename);
    assert!(ended.stderr.contains("unknown-location"), "{}", ended.stderr);
    env.write("freeze.yaml", "version: 1\nlocations: [{ name: Oslo HQ, protected: true }]\n");
    assert_eq!(env.run(&[&rename[..], &["--allow", "Oslo HQ"]].concat()).code, Some(0));
}

#[test]
fn a_network_may_be_protected_in_a_file_of_its_own_and_devices_count() {
    let env = TestEnv::new();
    env.write(
        "keep.yaml",
        "version: 1\nlocations: [{ name: Bergen Warehouse, networks: [{ name: BGO Cold store, protected: true }] }]\n",
    );
    env.write(
        "new.yaml",
        "version: 1\nlocations: [{ name: Bergen Warehouse, networks: [{ name: BGO Cold store, displayName: C2 }] }]\n",
    );
    let ended = env.run(&["apply", "keep.yaml", "new.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("\"BGO Cold store\" is protected (keep.yaml:2)"), "{}", ended.stderr);
    env.write(
        "new.yaml",
        "version: 1\nlocations: [{ name: Bergen Warehouse, networks: [{ name: BGO Cold store, baseStations: [AC7A56FF0001] }] }]\n",
    );
    let ended = env.run(&["apply", "keep.yaml", "new.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses 1 change"), "{}", ended.stderr);
}

#[test]
fn what_is_not_a_freeze_is_an_error() {
    let env = TestEnv::new();
    for (field, expected) in [
        ("frozen: { until: tomorrow }", "invalid-date"),
        ("frozen: { until: 10000-01-01 }", "invalid-date"),
        ("frozen: { until: 2026-02-30 }", "invalid-date"),
        ("frozen: { until: 2026-12-24T06:00 }", "invalid-date"),
        ("frozen: { until: 20261224 }", "invalid-date"),
        ("frozen: { until: [2026-12-24] }", "wrong-type"),
        ("frozen: { reason: holidays }", "missing-field"),
        ("frozen: 2026-12-24", "wrong-type"),
        ("protected: yes", "wrong-type"),
    ] {
        env.write(
            "networks.yaml",
            &format!("version: 1\nlocations:\n  - name: Oslo HQ\n    {field}\n    networks: []\n"),
        );
        let ended = env.run(&["validate", "networks.yaml"]);
        assert_eq!(ended.code, Some(1), "{field}: {}", ended.stdout);
        assert!(ended.stderr.contains(expected), "{field}: {}", ended.stderr);
    }
}

#[test]
fn a_network_is_known_by_any_of_its_former_names() {
    let env = TestEnv::new();
    let file = |names: &str| {
        format!(
            "version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ name: HQ Canteen, renamedFrom: {names} }}] }}]\n"
        )
    };
    env.write("networks.yaml", &file("[HQ Cantina, HQ Kitchen]"));
    let plan = env.run(&["plan", "networks.yaml"]);
    assert!(plan.stdout.contains("HQ Kitchen → HQ Canteen"), "{}{}", plan.stdout, plan.stderr);
    env.write("networks.yaml", &file("[HQ Reception, HQ Kitchen]"));
    let plan = env.run(&["plan", "networks.yaml"]);
    assert!(plan.stderr.contains("ambiguous-rename"), "{}", plan.stderr);
    env.write("networks.yaml", &file("[HQ Nobody, HQ Nothing]"));
    let plan = env.run(&["plan", "networks.yaml"]);
    assert!(plan.stderr.contains("or \"HQ Nobody\" or \"HQ Nothing\""), "{}", plan.stderr);
    env.write("networks.yaml", &file("[HQ Kitchen, '']"));
    assert!(env.run(&["validate", "networks.yaml"]).stderr.contains("`renamedFrom` is empty"));
}

#[test]
fn an_entry_that_only_protects_manages_nothing_and_hides_nothing_from_rules() {
    let env = TestEnv::new();
    let rule = "version: 1\nrules: [{ match: { name: 'HQ Ward (?<w>[0-9]+)' }, set: { displayName: 'W{{ w }}' } }]\n";
    env.write("rule.yaml", rule);
    let guard = |text: &str| format!("version: 1\nlocations: [{{ name: Oslo HQ, networks: [{text}] }}]\n");
    for (text, refused) in [
        ("{ name: HQ Ward 1, frozen: { until: 2020-01-01 } }", false),
        ("{ name: HQ Ward 1, protected: false }", false),
        ("{ name: HQ Ward 1, protected: true }", true),
    ] {
        env.write("keep.yaml", &guard(text));
        let plan = env.run(&["plan", "keep.yaml", "rule.yaml"]);
        assert!(plan.stdout.contains("2 to update"), "{text}: {}{}", plan.stdout, plan.stderr);
        assert_eq!(plan.stdout.contains("is protected"), refused, "{text}: {}", plan.stdout);
    }
    assert!(env.run(&["plan", "keep.yaml"]).stdout.contains("0 unchanged, 13 unmanaged"));
    assert_eq!(env.run(&["plan", "keep.yaml", "--fail-on-unmanaged"]).code, Some(1));
    env.write("keep.yaml", &guard("{ name: HQ Wrad 1, protected: true }"));
    let misspelled = env.run(&["plan", "keep.yaml", "rule.yaml"]);
    assert_eq!(misspelled.code, Some(1));
    assert!(misspelled.stderr.contains("did you mean \"HQ Ward 1\""), "{}", misspelled.stderr);
    // A network that is gone is no matter of drift.
    assert_eq!(env.run(&["status", "keep.yaml"]).code, Some(0));
}

#[test]
fn a_file_that_protects_may_name_a_network_in_any_way() {
    let env = TestEnv::new();
    let list = env.networks();
    let id = list.iter().find(|network| network["name"] == "HQ Ward 1").expect("it")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let file = |text: &str| format!("version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ {text} }}] }}]\n");
    for guard in [
        format!("id: {id}"),
        format!("id: {id}, name: HQ Ward 1"),
        "name: hq ward 1".to_owned(),
        "name: HQ Ward 01".to_owned(),
    ] {
        for settings in [
            format!("id: {id}, name: HQ Ward 01, displayName: X"),
            "name: HQ Ward 01, renamedFrom: HQ Ward 1, displayName: X".to_owned(),
        ] {
            env.write("keep.yaml", &file(&format!("{guard}, protected: true")));
            env.write("net.yaml", &file(&settings));
            let ended = env.run(&["apply", "keep.yaml", "net.yaml", "--yes"]);
            assert!(
                ended.stderr.contains("\"HQ Ward 1\" is protected (keep.yaml:2)"),
                "{guard}, {settings}: {}",
                ended.stderr
            );
        }
    }
    env.write("keep.yaml", &file(&format!("id: {id}, name: HQ Kitchen, protected: true")));
    env.write("net.yaml", &file(&format!("id: {id}, displayName: X")));
    assert!(env.run(&["plan", "keep.yaml", "net.yaml"]).stderr.contains("network-mismatch"));
}

#[test]
fn the_name_of_another_network_allows_nothing() {
    let env = TestEnv::new();
    let id = |name: &str| {
        let list = env.networks();
        list.iter().find(|network| network["name"] == name).expect("it")["id"].as_str().expect("an id").to_owned()
    };
    let (one, three) = (id("HQ Ward 1"), id("HQ Ward 3"));
    env.write(
        "swap.yaml",
        &format!(
            "version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ id: {one}, name: HQ Ward 3 }}, \
             {{ id: {three}, name: HQ Ward 1, protected: true }}] }}]\n"
        ),
    );
    let plan = env.run(&["plan", "swap.yaml", "--allow", "HQ Ward 1"]).stdout;
    assert!(plan.contains("refused without `--allow \"HQ Ward 3\"`"), "{plan}");
    assert!(plan.contains("`--allow \"HQ Ward 1\"` names nothing that is protected here"), "{plan}");
    assert!(env.run(&["plan", "swap.yaml", "--allow", "HQ Ward 3"]).stdout.contains(", and allowed"));
}

/// The network has a temporary name then, which is not to be asked for.
#[cfg(unix)]
#[test]
fn a_killed_run_that_was_allowed_is_finished_by_the_same_command() {
    let mut killed = 0;
    for k in 1.. {
        let env = TestEnv::new();
        let list = env.networks();
        let id = |name: &str| {
            list.iter().find(|network| network["name"] == name).expect("it")["id"].as_str().expect("an id").to_owned()
        };
        let (one, three) = (id("HQ Ward 1"), id("HQ Ward 3"));
        env.write(
            "swap.yaml",
            &format!(
                "version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ id: {one}, name: HQ Ward 3, protected: true }}, \
                 {{ id: {three}, name: HQ Ward 1 }}] }}]\n"
            ),
        );
        let apply = ["apply", "swap.yaml", "--yes", "--allow", "HQ Ward 1"];
        let fault = dectl::simulator::RequestFault::Normal;
        if !env.kill_at(k, fault, "-KILL", &apply).is_killed() {
            break;
        }
        killed += 1;
        let again = env.run(&apply);
        assert_eq!(again.code, Some(0), "killed at request {k}: {}", again.stderr);
    }
    assert!(killed > 3, "{killed}");
}

#[test]
fn a_protection_outlasts_what_was_allowed() {
    let env = TestEnv::new();
    let file =
        |entry: &str| format!("version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ {entry} }}] }}]\n");
    env.write("guard.yaml", &file("name: TRD Lab, protected: true"));
    env.write("rename.yaml", &file("name: TRD Labs, renamedFrom: TRD Lab"));
    let apply = ["apply", "rename.yaml", "guard.yaml", "--yes", "--allow", "TRD Lab"];
    assert_eq!(env.run(&apply).code, Some(0));
    let again = env.run(&apply);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    // It is still protected, by the name that it had.
    env.write("other.yaml", &file("name: TRD Labs, renamedFrom: TRD Lab, displayName: Other"));
    let refused = env.run(&["apply", "other.yaml", "guard.yaml", "--yes"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is protected"), "{}", refused.stderr);

    let networks = env.run(&["export", "-o", "json"]).json();
    let networks = networks["dectNetworks"].as_array().expect("networks");
    let id = networks.iter().find(|network| network["name"] == "TRD Test network").expect("it is there")["id"].clone();
    env.write("delete.yaml", &file(&format!("id: {id}, name: TRD Test network, state: absent")));
    for guard in [format!("id: {id}, protected: true"), "name: TRD Test network, protected: true".to_owned()] {
        env.write("guard.yaml", &file(&guard));
        let apply =
            ["apply", "delete.yaml", "guard.yaml", "--yes", "--max-deletes", "100", "--allow", "TRD Test network"];
        let ended = env.run(&apply);
        assert_eq!(ended.code, Some(0), "{guard}: {}", ended.stderr);
        let again = env.run(&apply);
        assert_eq!(again.code, Some(0), "{guard}: {}", again.stderr);
    }
    // A deletion beside it that names nothing hides no misspelled protection.
    env.write("delete.yaml", &file(&format!("id: {id}, state: absent")));
    env.write("guard.yaml", &file("name: TRD Nusres, protected: true"));
    let refused = env.run(&["plan", "delete.yaml", "guard.yaml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("TRD Nusres"), "{}", refused.stderr);
}
