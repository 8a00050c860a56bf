//! `dectl rename`: one pattern and one template for the whole fleet.

use dectl::simulator::RequestFault;

use serde_json::json;

use crate::harness::{TestEnv, live_names, network, stage_of};

#[test]
fn a_rename_fills_in_groups_and_counts_as_people_count() {
    let names = ["Ward 10", "Ward 2", "Ward 1b", "Annex", "Ward 02"];
    let networks = names.iter().enumerate().map(|(at, name)| network(at, "Oslo HQ", name, &format!("{at:04}")));
    let env = stage_of(networks.collect());
    let rename = [
        "rename",
        "Ward (?<old>.*)",
        "{{ location|slug|truncate(4)|upper }} W{{ n|pad(2) }} was {{ old }}",
        "--display-name",
        "W{{ n }}",
    ];
    let plan = env.run(&[&rename[..], &["--out", "plan.json"]].concat());
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.contains("4 to update, 0 unchanged, 1 unmanaged"), "{}", plan.stdout);
    assert!(plan.stdout.find("~ Ward 2 ") < plan.stdout.find("~ Ward 10 "), "by value: {}", plan.stdout);
    assert_eq!(env.counters().writes, 0);

    let ended = env.run(&[&rename[..], &["--yes", "-o", "json"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.json()["plan"]["changes"][0]["source"], json!({ "rule": "rename" }));
    let expected = ["OSLO W01 was 1b", "OSLO W02 was 2", "OSLO W03 was 02", "OSLO W04 was 10"];
    let live = live_names(&env);
    assert_eq!(live[0], "Oslo HQ: Annex");
    assert_eq!(live[1..], expected.map(|name| format!("Oslo HQ: {name}")));
    // The plan that was saved before knows that all of it is done.
    let saved = env.run(&["apply", "--plan", "plan.json", "--yes"]);
    assert!(saved.stdout.contains("nothing to do"), "{}", saved.stdout);
}

#[test]
fn a_rename_can_be_written_as_a_file_instead() {
    let env = TestEnv::new();
    let rename = ["rename", "HQ (?<rest>.*)", "Oslo {{ rest }}", "--write", "new.yaml"];
    assert_eq!(env.run(&rename).code, Some(0));
    assert_eq!(env.run(&rename).code, Some(1), "it is there already");
    assert_eq!(env.counters().writes, 0);
    assert_eq!(env.run(&["apply", "new.yaml", "--yes"]).code, Some(0));
    assert!(live_names(&env).contains(&"Oslo HQ: Oslo Kitchen".to_owned()));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert!(live_names(&env).contains(&"Oslo HQ: HQ Kitchen".to_owned()));
}

#[test]
fn invalid_rule_results_are_all_listed_before_any_write() {
    let env = TestEnv::new();
    let ended = env.run(&["rename", "(?<all>.*)", "A very long prefix for every name: {{ all }}", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr.matches("characters (maximum 40)").count(), 13, "{}", ended.stderr);
    let ended = env.run(&["rename", "HQ (?<all>.*)", "HQ", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("error[duplicate-name]"), "{}", ended.stderr);
    let ended = env.run(&["rename", "HQ Ward 1", "HQ Ward 3", "--yes"]);
    assert!(ended.stderr.contains("error[name-taken]"), "{}", ended.stderr);
    let ended = env.run(&["rename", "HQ Ward 1", "{{ name|replace(name, '') }}", "--yes"]);
    assert!(ended.stderr.contains("is empty"), "{}", ended.stderr);
    let ended = env.run(&["rename", ".*", "{{ name }}", "--field", "displayName", "--yes"]);
    assert!(ended.stderr.contains("recommended maximum 11"), "{}", ended.stderr);
    for (pattern, template, code) in [
        ("(", "x", "invalid-pattern"),
        ("(?<n>x)", "x", "invalid-pattern"),
        ("x", "{{ lokation }}", "invalid-template"),
        ("x", "{{ name|uper }}", "invalid-template"),
        ("x", "{{", "invalid-template"),
    ] {
        let ended = env.run(&["rename", pattern, template, "--yes"]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(code), "{pattern} {template}: {}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
    let ended = env.run(&["rename", "Ward", "Station", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no network matches: Ward"), "{}", ended.stderr);
    assert!(ended.stderr.contains("\"HQ Ward 1\""), "{}", ended.stderr);
    let ended = env.run(&["rename", "Ward", "Station", "--out", "nothing.json"]);
    assert!(ended.code == Some(1) && !env.dir.path().join("nothing.json").exists(), "no plan without a change");
    let ended = env.run(&["rename", "HQ (?<x>.*)", "HQ X {{ x }}", "--out", "p.json"]);
    assert!(ended.stdout.contains("running the command twice"), "{}", ended.stdout);
}

/// Renames in a cycle, with a counter: killed anywhere, the same command ends as the first one would have.
#[cfg(unix)]
#[test]
fn an_interrupted_rename_resumes_its_plan_and_keeps_counting() {
    let rename = ["rename", "(?<w>[AB]) .*", "{% if w == 'A' %}B{% else %}A{% endif %} {{ n }}", "--yes"];
    let fresh = || {
        let names = ["A 1", "B 2", "A 3", "B 4"];
        stage_of(names.iter().enumerate().map(|(at, name)| network(at, "Oslo", name, &format!("{at:04}"))).collect())
    };
    let undisturbed = fresh();
    assert_eq!(undisturbed.run(&rename).code, Some(0));
    let expected = live_names(&undisturbed);
    for k in 1.. {
        let env = fresh();
        let ended = env.kill_at(k, RequestFault::NoResponse, "-KILL", &rename);
        if !ended.is_killed() {
            assert!(k > 6, "every request was tried");
            break;
        }
        let again = env.run(&rename);
        assert_eq!(again.code, Some(0), "killed at {k}: {}", again.stderr);
        let state = live_names(&env);
        // Killed before the run had a plan, or after all of it was done, there is nothing to go on with.
        assert_eq!(state, expected, "killed at {k}: {} {}", again.stdout, again.stderr);
    }
}

/// Another field is another rename, and one that was undone is over.
#[cfg(unix)]
#[test]
fn only_the_same_rename_is_resumed_until_it_is_undone() {
    let names = ["A 1", "A 2", "A 3", "A 4"];
    let networks = names.iter().enumerate().map(|(at, name)| network(at, "Oslo", name, &format!("{at:04}")));
    let env = stage_of(networks.collect());
    // One after the other, so that some are done when it is killed.
    let rename = ["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes", "--writes-per-location", "1"];
    assert!(env.kill_at(4, RequestFault::NoResponse, "-KILL", &rename).is_killed());
    let other = env.run(&[&rename[..], &["--field", "displayName"]].concat());
    assert!(!other.stderr.contains("unfinished run"), "{}", other.stderr);
    let sealed = env.command(&rename).env("DECTL_PLAN_KEY", "a key").output().expect("it runs");
    assert_eq!(sealed.status.code(), Some(1), "its plan cannot be read with a key");
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    let runs = env.run(&["runs"]);
    let killed = runs.stdout.lines().find(|line| line.contains("killed")).expect("it is there");
    assert_eq!(env.run(&["undo", killed.split(' ').next().expect("a name"), "--yes"]).code, Some(0));
    let again = env.run(&rename);
    assert!(!again.stderr.contains("unfinished run"), "{}", again.stderr);
    assert_eq!(live_names(&env), ["Oslo: B 1", "Oslo: B 2", "Oslo: B 3", "Oslo: B 4"]);
}
