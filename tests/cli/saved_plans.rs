//! What was reviewed is what happens, or nothing.

use dectl::simulator::{FaultConfig, SimulatedState};

use crate::harness::{Ended, TestEnv, copy_example, network, stage_of};

fn saved(env: &TestEnv) -> String {
    copy_example(env);
    let ended = env.run(&["plan", "networks.yaml", "--out", "plan.json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    std::fs::read_to_string(env.dir.path().join("plan.json")).expect("the plan")
}

#[test]
fn a_saved_plan_is_applied_once_and_then_there_is_nothing_to_do() {
    let env = TestEnv::new();
    saved(&env);
    let shown = env.run(&["show", "plan.json"]);
    assert_eq!(shown.stdout, env.run(&["plan", "networks.yaml"]).stdout);
    // The files are not needed any more.
    std::fs::remove_file(env.dir.path().join("networks.yaml")).expect("it was there");
    assert_eq!(env.run(&["apply", "--plan", "plan.json", "--yes"]).code, Some(0));
    let writes = env.counters().writes;
    let again = env.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(env.counters().writes, writes);
    assert!(again.stdout.contains("nothing to do, 12 unchanged"), "{}", again.stdout);
}

#[test]
fn a_plan_of_a_drifted_organization_is_rejected_with_the_changes() {
    let env = TestEnv::new();
    saved(&env);
    env.write(
        "meddle.yaml",
        "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
    );
    assert_eq!(env.run(&["apply", "meddle.yaml", "--yes"]).code, Some(0));
    let writes = env.counters().writes;
    let ended = env.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("\"TRD Nurses\"") && ended.stderr.contains("displayName"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, writes);
}

#[test]
fn the_plan_of_another_organization_is_rejected() {
    let env = TestEnv::new();
    saved(&env);
    let text = include_str!("../../src/simulator/built_in.json").replace("L0RFQ1RfREVWX05FVC", "L0RFQ1RfREVWX05FVD");
    let other = TestEnv::with(SimulatedState::from_list(&text).expect("a state"), FaultConfig::default());
    other.write("plan.json", &std::fs::read_to_string(env.dir.path().join("plan.json")).expect("the plan"));
    let ended = other.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("for another organization"), "{}", ended.stderr);
    assert_eq!(other.counters().writes, 0);
}

#[test]
fn an_altered_a_cut_or_another_document_is_refused() {
    let env = TestEnv::new();
    let text = saved(&env);
    let document = env.run(&["plan", "networks.yaml", "-o", "json"]).stdout;
    for (what, text, expected) in [
        ("a name", text.replace("BGO Dock 01", "BGO Dock 0X"), "modified or truncated"),
        ("the end", text[..text.len() / 2].to_owned(), "modified or truncated"),
        ("a field", text.replacen("\"minimal\"", "\"maximal\"", 1), "modified or truncated"),
        ("the version", text.replacen("\"formatVersion\": 1", "\"formatVersion\": 2", 1), "format version 2"),
        ("the kind", document, "the output of `dectl plan`"),
        ("everything", "hello".to_owned(), "not JSON"),
    ] {
        env.write("altered.json", &text);
        let ended = env.run(&["apply", "--plan", "altered.json", "--yes"]);
        assert_eq!(ended.code, Some(1), "{what}");
        assert!(ended.stderr.contains(expected), "{what}: {}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn an_encrypted_plan_can_be_decrypted_with_its_key_only() {
    let env = TestEnv::new();
    copy_example(&env);
    let run = |key: &str, arguments: &[&str]| -> Ended {
        env.command(arguments).env("DECTL_PLAN_KEY", key).output().expect("the binary runs").into()
    };
    assert_eq!(run("a key", &["plan", "networks.yaml", "--out", "plan.age"]).code, Some(0));
    let path = env.dir.path().join("plan.age");
    let mut bytes = std::fs::read(&path).expect("the plan");
    assert!(!bytes.windows(4).any(|window| window == b"Dock"));

    assert!(run("a key", &["show", "plan.age"]).stdout.contains("9 to update"));
    assert!(run("another", &["show", "plan.age"]).stderr.contains("cannot decrypt"));
    assert!(env.run(&["show", "plan.age"]).stderr.contains("is encrypted"));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).expect("a file");
    assert!(run("a key", &["show", "plan.age"]).stderr.contains("cannot decrypt"));

    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plain.json"]).code, Some(0));
    assert!(
        run("a key", &["apply", "--plan", "plain.json", "--yes"])
            .stderr
            .contains("is not encrypted, but DECTL_PLAN_KEY is set")
    );
    assert_eq!(env.counters().writes, 0);
}

#[cfg(unix)]
#[test]
fn a_saved_plan_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    // Also for an existing file that was readable by others.
    env.write("plan.json", "");
    saved(&env);
    let mode = env.dir.path().join("plan.json").metadata().expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn many_changes_without_a_prompt_require_max_changes() {
    let networks: Vec<serde_json::Value> = (0..40)
        .map(|at| {
            serde_json::json!({
                "id": format!("net-{at}"), "name": format!("Ward {at}"), "displayName": "w",
                "defaultAccessCodeEnabled": true, "defaultAccessCode": format!("{at:04}"),
                "location": { "id": "loc", "name": "Site" },
            })
        })
        .collect();
    let text = serde_json::json!({ "dectNetworks": networks }).to_string();
    let env = TestEnv::with(SimulatedState::from_list(&text).expect("a state"), FaultConfig::default());
    let entries: String = (0..13).map(|at| format!("  - {{name: Ward {at}, displayName: new}}\n")).collect();
    env.write("many.yaml", &format!("version: 1\nlocations:\n- name: Site\n  networks:\n{entries}"));

    let ended = env.run(&["apply", "many.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--max-changes 13"), "{}", ended.stderr);
    assert_eq!(env.run(&["apply", "many.yaml", "--yes", "--max-changes", "12"]).code, Some(1));
    assert_eq!(env.counters().writes, 0);
    // The word can be said when the plan is saved.
    assert_eq!(env.run(&["plan", "many.yaml", "--out", "plan.json", "--max-changes", "13"]).code, Some(0));
    assert_eq!(env.run(&["apply", "--plan", "plan.json", "--yes"]).code, Some(0));
}

#[test]
fn a_scope_must_include_dependencies() {
    let env = TestEnv::new();
    copy_example(&env);
    let plan = env.run(&["plan", "networks.yaml", "--location", "*warehouse", "-o", "json"]).json();
    assert_eq!((plan["summary"]["update"].as_u64(), plan["summary"]["outOfScope"].as_u64()), (Some(3), Some(6)));
    let truncated = env.run(&["apply", "networks.yaml", "--network", "HQ Kitchen", "--yes"]);
    assert_eq!(truncated.code, Some(1));
    assert!(
        truncated.stderr.contains("dependency-out-of-scope") && truncated.stderr.contains("HQ Ward 1"),
        "{}",
        truncated.stderr
    );
    let whole = env.run(&["apply", "networks.yaml", "--network", "HQ Kitchen", "--network", "hq ward 1", "--yes"]);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    assert_eq!(env.counters().writes, 2);
}

#[test]
fn files_can_be_required_to_be_complete() {
    let env = TestEnv::new();
    copy_example(&env);
    for arguments in [
        &["plan", "networks.yaml", "--fail-on-unmanaged"][..],
        &["apply", "networks.yaml", "--yes", "--fail-on-unmanaged"],
    ] {
        let ended = env.run(arguments);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("1 live network not in any file"), "{}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn a_saved_plan_rejects_a_scope_and_an_unmatched_canary_changes_nothing() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.json"]).code, Some(0));
    for arguments in [
        &["apply", "--plan", "plan.json", "--yes", "--location", "Oslo HQ"][..],
        &["rehearse", "--plan", "plan.json", "--network", "HQ*"],
        &["apply", "networks.yaml", "--yes", "--canary", "Olso*"],
        &["apply", "networks.yaml", "--yes", "--soak", "1h"],
        &["rename", "HQ .*", "x", "--field", "displayName", "--display-name", "y", "--yes"],
    ] {
        let ended = env.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stdout);
    }
    env.write("precious.yaml", "version: 1\nlocations: []\n");
    let ended = env.run(&["plan", "networks.yaml", "--out", "precious.yaml"]);
    assert!(ended.stderr.contains("is not a saved plan; nothing was written"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
}

#[cfg(unix)]
#[test]
fn a_plan_is_saved_to_files_only() {
    let env = TestEnv::new();
    std::fs::create_dir(env.dir.path().join("directory")).expect("a directory");
    let made = std::process::Command::new("mkfifo").arg(env.dir.path().join("pipe")).status();
    assert!(made.expect("mkfifo runs").success());
    for (place, words) in [
        ("/dev/stdout", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("pipe", "not a regular file"),
        ("directory", "not a regular file"),
        ("nowhere/plan.json", "No such file"),
    ] {
        let ended = env.run(&["rename", "HQ Kitchen", "HQ Pantry", "--out", place]);
        assert_eq!(ended.code, Some(1), "{place}");
        assert!(ended.stderr.contains(words) && ended.stderr.contains(place), "{place}: {}", ended.stderr);
        assert!(!ended.stderr.contains(".plan.json."), "{place}: {}", ended.stderr);
    }
}

#[test]
fn a_saved_plan_sends_codes_of_networks_with_codes_disabled() {
    let mut networks = vec![network(1, "Oslo", "A", "1001"), network(2, "Oslo", "B", "1002")];
    networks[0]["defaultAccessCodeEnabled"] = false.into();
    let env = stage_of(networks);
    env.write(
        "file.yaml",
        "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, defaultAccessCode: '2001'}, \
         {id: net0002, defaultAccessCode: '2002'}]}]\n",
    );
    assert_eq!(env.run(&["plan", "file.yaml", "--out", "plan.json"]).code, Some(0));
    let ended = env.run(&["apply", "--plan", "plan.json", "--yes", "-o", "json"]);
    assert_eq!((ended.code, ended.json()["summary"]["applied"].as_u64()), (Some(0), Some(2)), "{}", ended.stderr);
    assert_eq!(env.networks()[0]["defaultAccessCode"], "2001");
}

#[test]
fn a_plan_named_as_encrypted_needs_a_key() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["plan", "networks.yaml", "--out", "plan.age"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("DECTL_PLAN_KEY is not set"), "{}", ended.stderr);
    assert!(!env.dir.path().join("plan.age").exists());
    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.AGE"]).code, Some(1));
}

#[test]
fn a_limit_that_is_given_holds_when_the_plan_is_saved() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["plan", "networks.yaml", "--out", "plan.json", "--max-changes", "8"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("--max-changes") && !env.dir.path().join("plan.json").exists(), "{}", ended.stderr);
    let id = env.run(&["export", "-o", "json"]).json()["dectNetworks"][0].clone();
    let file = format!(
        "version: 1\nlocations: [{{ id: {}, networks: [{{ id: {}, state: absent }}] }}]\n",
        id["location"]["id"], id["id"]
    );
    env.write("delete.yaml", &file);
    let ended = env.run(&["plan", "delete.yaml", "--out", "plan.json", "--max-deletes", "0"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("refusing to delete"), "{}", ended.stderr);
    let ended = env.run(&["plan", "delete.yaml", "--out", "plan.json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("dectl apply --plan plan.json --max-deletes "), "{}", ended.stderr);
}
