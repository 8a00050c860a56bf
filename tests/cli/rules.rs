//! Rules in files, and networks at temporary names.

use dectl::simulator::RequestFault;

use serde_json::json;

use crate::harness::{TestEnv, live_names, network, stage_of};

const RULES: &str = "version: 1
rules:
  - match: { location: 'oslo*', name: 'HQ Ward (?<w>\\d+)' }
    set: { name: 'HQ W{{ w|pad(2) }}', displayName: 'W{{ w }}' }
  - match: { name: '(?<site>[A-Z]{3}) (?<rest>[A-Z].*)' }
    set: { name: '{{ site }}-{{ rest }}' }
";

#[test]
fn rules_skip_networks_with_an_entry() {
    let env = TestEnv::new();
    let entries = "locations:\n  - name: Oslo HQ\n    networks: [{ name: HQ Ward 1, displayName: Mine }]\n";
    env.write("fleet.yaml", &format!("{RULES}{entries}"));
    assert_eq!(env.run(&["validate", "fleet.yaml", "--strict"]).code, Some(0));
    let plan = env.run(&["plan", "fleet.yaml", "-o", "json"]).json();
    let source = |name: &str| {
        let changes = plan["changes"].as_array().expect("changes");
        changes.iter().find(|change| change["network"]["name"] == name).map(|change| change["source"].clone())
    };
    assert_eq!(source("HQ Ward 3"), Some(json!({ "rule": "fleet.yaml:3" })));
    assert_eq!(source("BGO Gate"), Some(json!({ "rule": "fleet.yaml:5" })));
    assert_eq!(source("HQ Ward 1"), Some(json!({ "file": "fleet.yaml", "line": 9 })), "entries win");
    assert_eq!(plan["summary"]["unmanaged"], 3, "what no rule matches");
    let ended = env.run(&["apply", "fleet.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let again = env.run(&["plan", "fleet.yaml", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}", again.stdout);
}

#[test]
fn a_rule_of_a_file_must_leave_its_own_result_alone() {
    let env = TestEnv::new();
    for (rule, words) in [
        ("{ match: { name: '(?<x>.*)' }, set: { name: 'X {{ x }}' } }", "is not idempotent"),
        ("{ match: { name: 'HQ .*' }, set: { name: 'HQ {{ n }}' } }", "cannot use a counter"),
    ] {
        env.write("fleet.yaml", &format!("version: 1\nrules: [{rule}]\n"));
        let ended = env.run(&["apply", "fleet.yaml", "--yes"]);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("error[non-idempotent-rule]") && ended.stderr.contains(words),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(env.counters().writes, 0);
}

/// A rule that swaps the names of two networks and moves a third one out of the way.
#[cfg(unix)]
const SWAP: &str =
    "version: 1\nrules:\n  - match: { displayName: 'to (?<wanted>.*)' }\n    set: { name: '{{ wanted }}' }\n";

/// Three networks for [`SWAP`], and its file.
#[cfg(unix)]
fn swapped_names() -> TestEnv {
    let mut networks =
        vec![network(1, "Oslo", "A", "0001"), network(2, "Oslo", "B", "0002"), network(3, "Oslo", "C", "0003")];
    for (network, display_name) in networks.iter_mut().zip(["to B", "to A", "to D"]) {
        network["displayName"] = display_name.into();
    }
    let env = stage_of(networks);
    env.write("fleet.yaml", SWAP);
    env
}

#[cfg(unix)]
fn has_temporary_name(env: &TestEnv) -> bool {
    live_names(env).iter().any(|name| name.contains("dectl moving"))
}

/// A kill leaves a temporary name that no rule can compute with.
#[cfg(unix)]
#[test]
fn rules_go_on_with_the_plan_of_the_run_that_left_a_temporary_name() {
    let mut stranded = 0;
    for k in 1.. {
        let env = swapped_names();
        if !env.kill_at(k, RequestFault::NoResponse, "-KILL", &["apply", "fleet.yaml", "--yes"]).is_killed() {
            break;
        }
        let is_stranded = has_temporary_name(&env);
        stranded += usize::from(is_stranded);
        let lost = env.command(&["apply", "fleet.yaml", "--yes", "--journal", "elsewhere"]).output().expect("it runs");
        if is_stranded {
            let words = String::from_utf8_lossy(&lost.stderr).into_owned();
            assert_eq!(lost.status.code(), Some(1), "{words}");
            assert!(words.contains("leftover-temporary-name") && words.contains("id net000"), "{words}");
        }
        let again = env.run(&["apply", "fleet.yaml", "--yes", "-o", "json"]);
        assert_eq!(again.code, Some(0), "killed at {k}: {}", again.stderr);
        assert_eq!(again.json()["kind"], "result");
        assert_eq!(again.stderr.contains("Resuming interrupted run"), is_stranded, "{}", again.stderr);
        assert_eq!(live_names(&env), ["Oslo: A", "Oslo: B", "Oslo: D"]);
        assert_eq!(env.run(&["status", "fleet.yaml"]).code, Some(0));
    }
    assert!(stranded >= 2, "{stranded}");
}

/// An organization that the apply of a file was killed in, with a temporary name.
#[cfg(unix)]
fn stranded(name: &str, text: &str) -> TestEnv {
    let mut tries = (1..).map(|k| {
        let env = swapped_names();
        env.write(name, text);
        let killed = env.kill_at(k, RequestFault::NoResponse, "-KILL", &["apply", name, "--yes"]);
        assert!(killed.is_killed(), "no kill leaves a temporary name");
        env
    });
    tries.find(has_temporary_name).expect("an interrupted swap")
}

/// `--fail-on-unmanaged` and `--canary` are about the plan of the command, not about that of the interrupted run.
#[cfg(unix)]
#[test]
fn options_of_a_command_do_not_hold_for_the_run_that_it_resumes() {
    let two =
        "version: 1\nlocations: [{ name: Oslo, networks: [{ id: net0001, name: B }, { id: net0002, name: A }] }]\n";
    for option in [&["--fail-on-unmanaged"][..], &["--canary", "Oslo*", "--batch", "1"]] {
        let env = stranded("two.yaml", two);
        let ended = env.run(&[&["apply", "fleet.yaml", "--yes"], option].concat());
        assert_eq!(ended.code, Some(0), "{option:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("Resuming interrupted run"), "{}", ended.stderr);
        assert_eq!(live_names(&env), ["Oslo: A", "Oslo: B", "Oslo: D"]);
    }
}

#[cfg(unix)]
#[test]
fn a_resumed_undo_is_still_the_undo_of_its_run() {
    let env = swapped_names();
    assert_eq!(env.run(&["apply", "fleet.yaml", "--yes"]).code, Some(0));
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].clone();
    for k in 1.. {
        let killed = env.kill_at(k, RequestFault::NoResponse, "-KILL", &["undo", "last", "--yes"]);
        assert!(killed.is_killed(), "no kill leaves a temporary name");
        if has_temporary_name(&env) {
            break;
        }
    }
    let ended = env.run(&["apply", "fleet.yaml", "--yes"]);
    assert!(ended.stderr.contains("Resuming interrupted run"), "{}", ended.stderr);
    let runs = env.run(&["runs", "-o", "json"]).json()["runs"].clone();
    let resumed = runs.as_array().expect("runs").iter().find(|one| !one["resumes"].is_null()).expect("the resumed run");
    assert_eq!(resumed["undoes"], run);
}

#[cfg(unix)]
#[test]
fn what_fails_after_a_resumed_run_is_no_success() {
    let env = stranded("fleet.yaml", SWAP);
    let broken = "locations: [{ name: Oslo, networks: [{ id: nowhere, name: X }] }]\n";
    env.write("fleet.yaml", &format!("{SWAP}{broken}"));
    let ended = env.run(&["apply", "fleet.yaml", "--yes", "-o", "json"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("After resuming: "), "{}", ended.stderr);
    assert_eq!(ended.json()["kind"], "result", "of the resumed run");
    assert_eq!(live_names(&env), ["Oslo: A", "Oslo: B", "Oslo: D"]);
}

#[test]
fn networks_out_of_scope_that_rules_manage_are_not_unmanaged() {
    let env = TestEnv::new();
    env.write("all.yaml", "version: 1\nrules: [{ match: { name: '.*' }, set: { displayName: all } }]\n");
    let whole = env.run(&["plan", "all.yaml", "-o", "json"]).json();
    let networks = whole["summary"]["update"].as_u64().expect("a number")
        + whole["summary"]["unchanged"].as_u64().expect("a number");
    for scope in [["--location", "Trond*"], ["--location", "!Trond*"], ["--network", "*Lab*"]] {
        let plan = env.run(&[&["plan", "all.yaml", "--fail-on-unmanaged", "-o", "json"], &scope[..]].concat());
        assert_eq!(plan.code, Some(0), "{scope:?}: {}{}", plan.stdout, plan.stderr);
        let summary = &plan.json()["summary"];
        let count = |name: &str| summary[name].as_u64().expect("a number");
        assert_eq!(count("unmanaged"), 0, "{summary}");
        assert_eq!(count("update") + count("unchanged") + count("outOfScope"), networks, "{summary}");
        assert!(count("outOfScope") > 0, "{summary}");
    }
}
