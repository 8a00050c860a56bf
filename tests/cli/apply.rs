//! From a YAML file to a changed organization.

use dectl::simulator::{FaultConfig, LimitKind, SimulatedState};
use std::time::Duration;

use crate::harness::{TestEnv, copy_example, network, plain_command, stage_of, three_networks};

/// What differs from run to run is replaced.
fn steady(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.split_once(" requests in ") {
            Some((counts, _)) => format!("{counts} requests in [time]"),
            None if line.starts_with("journal: ") => "journal: .dectl/runs/[run].jsonl".to_owned(),
            None => line.to_owned(),
        };
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn one_command_applies_the_example_to_the_embedded_organization() {
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let journals = tempfile::tempdir().expect("a directory");
    let dir = journals.path().to_str().expect("a path");
    let arguments = ["apply", "examples/networks.yaml", "--simulate", "--yes", "--journal", dir];
    let ended: crate::harness::Ended = plain_command(repository, &arguments).output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    insta::assert_snapshot!(steady(&ended.stdout.replace(dir, ".dectl/runs")));
}

#[test]
fn requests_are_two_lists_and_the_changes_and_then_one_list_and_nothing() {
    let env = TestEnv::new();
    copy_example(&env);
    let first = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let counters = env.counters();
    assert_eq!((counters.requests, counters.lists, counters.writes), (11, 2, 9));

    let second = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(second.code, Some(0));
    assert_eq!((env.counters().requests, env.counters().writes), (12, 9));
    assert!(second.stdout.contains("nothing to do, 12 unchanged, 1 unmanaged"), "{}", second.stdout);
    // The journal, its plan, and what keeps both out of git.
    assert_eq!(std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("journals").count(), 3);
}

#[test]
fn omitted_settings_are_unchanged() {
    let env = TestEnv::new();
    env.write(
        "one.yaml",
        "version: 1\nlocations:\n- name: oslo hq\n  networks:\n  - {name: HQ Kitchen, defaultAccessCode: 0042}\n",
    );
    assert_eq!(env.run(&["apply", "one.yaml", "--yes"]).code, Some(0));
    let plan = env.run(&["plan", "one.yaml", "-o", "json"]).json();
    assert_eq!(plan["summary"]["update"], 0, "the code kept its zeros, everything else its value");
}

#[test]
fn the_plan_document_has_the_source_of_every_change() {
    let env = TestEnv::new();
    copy_example(&env);
    let plan = env.run(&["plan", "networks.yaml", "-o", "json", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2));
    insta::assert_json_snapshot!(plan.json());
    assert_eq!(env.counters().requests, 1);
}

#[test]
fn a_result_is_one_document_and_the_plan_goes_to_standard_error() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["apply", "-o", "json", "networks.yaml", "--yes"]);
    let result = ended.json();
    assert_eq!((result["kind"].as_str(), result["outcome"].as_str()), (Some("result"), Some("applied")));
    assert_eq!(result["summary"]["requests"], 11);
    assert!(ended.stderr.contains("Plan: 9 to update"), "{}", ended.stderr);
    let verified = result["results"].as_array().expect("results").iter().all(|network| network["verified"] == true);
    assert!(verified);
}

#[test]
fn a_limit_that_was_never_seen_is_respected() {
    let limit = LimitKind::Window { count: 5, period: Duration::from_secs(1), phase: Duration::ZERO };
    let env = TestEnv::with(SimulatedState::built_in(), FaultConfig::default().with_limit(limit));
    copy_example(&env);
    let ended = env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counters = env.counters();
    // Over real sockets, requests may cross the refusal on their way; virtual time is where the exact rule is held.
    assert!(counters.inside_retry_after < 8, "{counters:?}");
    assert_eq!(ended.json()["summary"]["rateLimited"], counters.refused);
}

#[test]
fn dependents_of_a_failed_write_are_skipped() {
    let env = TestEnv::new();
    copy_example(&env);
    let refusing = FaultConfig { statuses: vec![(400, 1.0)], ..FaultConfig::default() };
    // The list succeeds, everything after it is refused.
    let ended = {
        let plan = env.run(&["plan", "networks.yaml"]);
        assert_eq!(plan.code, Some(0));
        env.set_faults(refusing);
        env.run(&["apply", "networks.yaml", "--yes", "-o", "json"])
    };
    assert_eq!(ended.code, Some(1), "a list that is refused is an error, and nothing was written");
    assert_eq!(ended.json()["kind"], "error");
}

#[test]
fn files_directories_and_standard_input_are_one_desired_state() {
    use std::io::Write;
    let env = TestEnv::new();
    env.write("sites/oslo.yaml", "version: 1\nlocations: [{name: Oslo HQ, networks: [{name: HQ Kitchen}]}]\n");
    env.write(
        "sites/deep/bergen.yml",
        "version: 1\nlocations: [{name: Bergen Warehouse, networks: [{name: BGO Gate}]}]\n",
    );
    env.write("sites/readme.txt", "not YAML: [");
    let mut child = env
        .command(&["plan", "sites", "-", "-o", "json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let text = "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Lab, displayName: Lab 2}]}]\n";
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("it reads");
    let ended: crate::harness::Ended = child.wait_with_output().expect("it ends").into();
    let plan = ended.json();
    assert_eq!((plan["summary"]["update"].as_u64(), plan["summary"]["unchanged"].as_u64()), (Some(1), Some(2)));
    assert_eq!(plan["changes"][0]["source"]["file"], "<stdin>");
}

#[test]
fn a_cycle_is_resolved_and_explained() {
    let env = TestEnv::new();
    let plan = env.run(&["plan", "networks.yaml"]);
    assert_eq!(plan.code, Some(1), "there is no such file");
    let kitchen = id_of(&env, "HQ Kitchen");
    let reception = id_of(&env, "HQ Reception");
    env.write(
        "swap.yaml",
        &format!(
            "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - {{id: {kitchen}, name: HQ Reception, \
             defaultAccessCode: \"1105\"}}\n  - {{id: {reception}, name: HQ Kitchen, defaultAccessCode: \"1104\"}}\n"
        ),
    );
    let plan = env.run(&["plan", "swap.yaml"]);
    assert!(plan.stdout.contains("temporarily renamed to \"dectl moving "), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("until HQ Reception is updated") || plan.stdout.contains("until HQ Kitchen is updated")
    );
    assert!(plan.stdout.contains("2 to update, 0 unchanged, 11 unmanaged · 3 writes, 1 interim"));
    let ended = env.run(&["apply", "swap.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert_eq!(env.counters().conflicts, 0);
    assert_eq!(env.run(&["plan", "swap.yaml", "--detailed-exitcode"]).code, Some(0));
}

/// The id of a network of the built-in organization, as the error about an unknown one shows none.
fn id_of(env: &TestEnv, name: &str) -> String {
    env.write(
        "probe.yaml",
        &format!("version: 1\nlocations: [{{name: Oslo HQ, networks: [{{name: {name}, displayName: probe}}]}}]\n"),
    );
    let plan = env.run(&["plan", "probe.yaml", "-o", "json"]).json();
    plan["changes"][0]["network"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn waves_start_only_after_the_previous_one_succeeded() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["apply", "networks.yaml", "--yes", "--canary", "trond*", "--batch", "1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in ["Wave 1: 2 networks in Trondheim Clinic", "Wave 3: 4 networks in Oslo HQ", "Done: 9 applied, verified"]
    {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert_eq!(env.counters().lists, 6, "one before and one after each of three waves");
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0), "one journal has all waves");

    // Something goes wrong with the first: the others are not begun.
    env.set_faults(FaultConfig { seed: 3, statuses: vec![(400, 0.7)], ..FaultConfig::default() });
    let ended = (0..40)
        .map(|_| env.run(&["apply", "networks.yaml", "--yes", "--canary", "1", "-o", "json"]))
        .find(|ended| ended.code == Some(3))
        .expect("a run whose list got through");
    let result = ended.json();
    assert_eq!(result["stopped"], "a wave failed; remaining waves were not started", "{}", ended.stderr);
    assert!(result["summary"]["notStarted"].as_u64() >= Some(6), "{}", result["summary"]);
    env.set_faults(FaultConfig::default());
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0), "the rest is a plan again");
    for wrong in [["--canary", "0"], ["--batch", "0"], ["--until", "25:00"], ["--canary", "["]] {
        let ended = env.run(&["apply", "networks.yaml", "--yes", wrong[0], wrong[1]]);
        assert_eq!(ended.code, Some(1), "{wrong:?}");
    }
}

#[test]
fn a_clash_names_both_networks_and_the_name() {
    let env = TestEnv::new();
    let ended = env.run(&["rename", "HQ (?<x>Ward|Kit).*", "Same", "--yes"]);
    assert!(
        ended.stderr.contains("duplicate name \"Same\" requested for \"HQ Kitchen\" and \"HQ Ward 1\" in \"Oslo HQ\""),
        "{}",
        ended.stderr
    );
}

/// A log that goes away in mid-run must not end it.
#[cfg(unix)]
#[test]
fn a_run_continues_when_standard_error_is_full() {
    let env = TestEnv::new();
    copy_example(&env);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let mut command = env.command(&["apply", "networks.yaml", "--yes", "-o", "json"]);
    let ended: crate::harness::Ended = command.stderr(full).output().expect("it runs").into();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.json()["outcome"], "applied");
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error() {
    let env = TestEnv::new();
    copy_example(&env);
    for command in ["plan", "apply", "status"] {
        for option in [["--location", "Olso*"], ["--network", "HQ Wadr*"]] {
            let ended = env.run(&[&[command, "networks.yaml"], &option[..]].concat());
            let ended = if command == "apply" {
                env.run(&["apply", "networks.yaml", "--yes", option[0], option[1]])
            } else {
                ended
            };
            assert_eq!(ended.code, Some(1), "{command} {option:?}: {}", ended.stdout);
            assert!(ended.stderr.contains(option[0]) && ended.stderr.contains(option[1]), "{}", ended.stderr);
        }
    }
    assert_eq!(env.run(&["plan", "networks.yaml", "--network", "HQ Ward 3 East"]).code, Some(0), "a requested name");
}

#[test]
fn a_network_that_took_a_requested_name_is_named() {
    let env = three_networks();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, name: X}]}]\n");
    assert_eq!(env.run(&["plan", "file.yaml", "--out", "plan.json"]).code, Some(0));
    let mut networks = env.networks();
    networks.push(network(4, "Oslo", "X", "0004"));
    let later = stage_of(networks);
    later.write("plan.json", &std::fs::read_to_string(env.dir.path().join("plan.json")).expect("the plan"));
    let ended = later.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("requested for \"A 1\" is now used by the new network \"X\""), "{}", ended.stderr);
}

#[test]
fn the_others_follow_a_canary_that_is_in_order_already() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--location", "Trond*"]).code, Some(0));
    let ended = env.run(&["apply", "networks.yaml", "--yes", "--canary", "Trond*", "--batch", "1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("Nothing is left to change in the locations of --canary"), "{}", ended.stderr);
    assert!(ended.stdout.contains("Wave 2: 4 networks in Oslo HQ"), "{}", ended.stdout);
    // A location that no file speaks of is no canary.
    env.write(
        "one.yaml",
        "version: 1\nlocations: [{ name: Oslo HQ, networks: [{ name: HQ Ward 1, displayName: x }] }]\n",
    );
    let ended = env.run(&["apply", "one.yaml", "--yes", "--canary", "Trond*"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    // Nor is one that is only protected, or whose networks are out of scope.
    let frozen = "  - { name: Trondheim Clinic, frozen: { until: 2999-01-03 } }\n";
    let of_oslo = "version: 1\nlocations:\n  - { name: Oslo HQ, networks: [{ name: HQ Ward 1, displayName: x }] }\n";
    env.write("frozen.yaml", &format!("{of_oslo}{frozen}"));
    let ended = env.run(&["apply", "frozen.yaml", "--yes", "--canary", "Trond*"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let scoped = "  - { name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: x }] }\n";
    env.write("scoped.yaml", &format!("{of_oslo}{scoped}"));
    let ended = env.run(&["apply", "scoped.yaml", "--yes", "--canary", "Trond*", "--network", "!TRD*"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
}

#[test]
fn networks_out_of_scope_whose_devices_were_not_compared_are_no_unchanged_ones() {
    let env = TestEnv::new();
    env.write(
        "s.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - { name: TRD Lab, serviceabilityPassword: \
         enabled }\n      - { name: TRD Nurses, baseStations: [AC7A56FFFF22] }\n",
    );
    let plan = env.run(&["plan", "s.yaml", "--network", "TRD Test*"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.contains("nothing to do, 0 unchanged"), "{}", plan.stdout);
    assert!(plan.stdout.contains("2 out of scope"), "{}", plan.stdout);
}

#[test]
fn hidden_codes_are_named_where_codes_are_asked_for() {
    let mut disabled = network(1, "Oslo", "Ward 2", "2222");
    disabled["defaultAccessCodeEnabled"] = false.into();
    let env = stage_of(vec![network(0, "Oslo", "Ward 1", "1111"), disabled]);
    env.set_faults(FaultConfig { hide_disabled_codes: true, ..FaultConfig::default() });
    let file = |setting: &str| {
        format!("version: 1\nlocations: [{{ name: Oslo, networks: [{{ name: Ward 1, {setting} }}] }}]\n")
    };
    env.write("name.yaml", &file("displayName: X"));
    assert!(!env.run(&["plan", "name.yaml"]).stdout.contains("are hidden"), "no code is asked for");
    env.write("code.yaml", &file("defaultAccessCode: '2222'"));
    let plan = env.run(&["plan", "code.yaml"]);
    assert!(plan.stdout.contains("access codes are hidden") && plan.stdout.contains("\"Ward 2\""), "{}", plan.stdout);
    let applied = env.run(&["apply", "code.yaml", "--yes"]);
    assert_eq!(applied.code, Some(3), "{}{}", applied.stdout, applied.stderr);
}
