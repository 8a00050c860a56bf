//! What forges read: annotations of GitHub Actions, code-quality reports of GitLab, and JUnit.

use dectl::simulator::FaultConfig;
use serde_json::Value;

use crate::harness::{Ended, TestEnv, copy_example, network, stage_of};

const WRONG: &str = "version: 1\nlocations:\n  - name: Oslo HQ\n    networks:\n      - {nam: '100 %, x: y'}\n";

#[test]
fn in_github_actions_diagnostics_are_annotations_at_their_lines() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("sites/wrong.yaml", WRONG);
    env.write("sites/second.yaml", "version: 2\n");
    let run = |arguments: &[&str], directory: &str| {
        let mut command = env.command(arguments);
        command.current_dir(env.dir.path().join(directory));
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", env.dir.path());
        Ended::from(command.output().expect("the binary runs"))
    };
    for command in [&["validate", "."][..], &["plan", ".", "-o", "markdown"], &["apply", ".", "--yes", "-o", "json"]] {
        let ended = run(command, "sites");
        assert_eq!(ended.code, Some(1));
        let annotations: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(annotations.len(), 3, "{}", ended.stderr);
        let start = "::error file=sites/wrong.yaml,line=5,col=10,title=dectl%3A unknown-field::";
        assert!(annotations.iter().any(|line| line.starts_with(start)), "{annotations:?}");
        assert!(annotations.iter().any(|line| line.contains("file=sites/second.yaml,line=1")), "{annotations:?}");
    }
    // An error about no file, and a warning of a plan.
    let ended = run(&["plan", "networks.yaml", "--location", "["], "");
    assert!(ended.stderr.starts_with("::error title=dectl::"), "{}", ended.stderr);
    assert!(!env.run(&["validate", "sites"]).stderr.contains("::error"), "on no other machine");
    let ended = run(&["validate", "sites", "--log-format", "json"], "");
    assert!(ended.stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", ended.stderr);
}

/// Names come from pull requests and from Webex: none of them may be a command to the runner.
#[cfg(unix)]
#[test]
fn no_name_is_a_command_to_the_runner() {
    let command = "::add-mask::Oslo";
    let mut networks = vec![network(1, command, "##[group]x", "1001")];
    networks[0]["displayName"] = "a\n::stop-commands::tok".into();
    let env = stage_of(networks);
    env.write("a\n::stop-commands::tok\n.yaml", "version: 2\n");
    env.write("b.yaml", "version: 1\nrules: [{ match: { name: '(?<x>.*)x' }, set: { name: '{{ x }}y' } }]\n");
    let run = |arguments: &[&str]| -> Ended {
        env.command(arguments).env("GITHUB_ACTIONS", "true").output().expect("it runs").into()
    };
    let files = ["a\n::stop-commands::tok\n.yaml", "nowhere\n::debug::x.yaml"];
    // The lines of the progress, of which one names the network whose update failed.
    let is_seen = (0..40).any(|seed| {
        env.set_faults(FaultConfig { seed, statuses: vec![(400, 0.4)], ..FaultConfig::default() });
        let ended = run(&["apply", "b.yaml", "--yes"]);
        assert!(!ended.stderr.contains("##["), "{}", ended.stderr);
        assert!(ended.code != Some(0), "choose another seed");
        ended.stderr.contains("group]x: failed")
    });
    assert!(is_seen);
    env.set_faults(FaultConfig::default());
    for arguments in [
        &["validate", files[0]][..],
        &["validate", files[1]],
        &["plan", "b.yaml"],
        &["plan", "b.yaml", "-o", "markdown"],
        &["status", "b.yaml"],
        &["plan", "b.yaml", "-o", "json"],
        &["plan", "b.yaml", "-o", "html"],
        &["apply", "b.yaml", "--yes", "--color", "always"],
        &["undo", "last", "--yes", "-o", "junit"],
        &["show", files[0]],
    ] {
        let ended = run(arguments);
        // The runner looks for the older form anywhere in a line.
        assert!(!ended.stdout.contains("##[") && !ended.stderr.contains("##["), "{arguments:?}: {ended:?}");
        let lines = ended.stdout.lines().chain(ended.stderr.lines()).map(str::trim_start);
        let commands: Vec<&str> = lines.filter(|line| line.starts_with("::")).collect();
        assert!(commands.iter().all(|line| line.starts_with("::error ")), "{arguments:?}: {commands:?}");
    }
}

#[test]
fn gitlab_reads_a_code_quality_report() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("sites/wrong.yaml", WRONG);
    let report = |files: &str| {
        let mut command = env.command(&["validate", files, "-o", "codequality"]);
        command.env("CI_PROJECT_DIR", env.dir.path());
        Ended::from(command.output().expect("the binary runs"))
    };
    assert_eq!(report("networks.yaml").json(), serde_json::json!([]));
    let ended = report("sites");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("unknown-field"), "people read the log: {}", ended.stderr);
    let issues = ended.json();
    let issues = issues.as_array().expect("a list");
    let unknown = issues.iter().find(|issue| issue["check_name"] == "unknown-field").expect("an issue");
    assert_eq!(unknown["location"], serde_json::json!({ "path": "sites/wrong.yaml", "lines": { "begin": 5 } }));
    assert_eq!(unknown["severity"], "major");
    // The fingerprint stays when lines move, and differs between equal faults.
    let twice = WRONG.replace("networks:\n", "networks:\n      # here\n") + "      - {nam: '100 %, x: y'}\n";
    env.write("sites/wrong.yaml", &twice);
    let moved = report("sites").json();
    let fingerprints: Vec<&Value> = moved
        .as_array()
        .expect("a list")
        .iter()
        .filter(|issue| issue["check_name"] == "unknown-field")
        .map(|issue| &issue["fingerprint"])
        .collect();
    assert_eq!(fingerprints.len(), 2);
    assert_eq!(fingerprints[0], &unknown["fingerprint"]);
    assert_ne!(fingerprints[0], fingerprints[1]);
    let clean = env.run(&["plan", "networks.yaml", "-o", "codequality"]);
    assert!(clean.code == Some(1) && clean.stderr.contains("[possible values: text, json"), "{}", clean.stderr);
}

#[test]
fn a_result_as_junit_has_a_test_case_for_each_location() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["apply", "networks.yaml", "--yes", "-o", "junit"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let xml = &ended.stdout;
    assert!(xml.starts_with("<?xml version=\"1.0\"") && xml.contains("tests=\"3\""), "{xml}");
    assert!(xml.contains("failures=\"0\"") && xml.contains("<testcase name=\"Bergen Warehouse\""), "{xml}");
    assert!(ended.stderr.contains("9 applied"), "people read the log: {}", ended.stderr);
    // A part that fails, and one that is not begun any more.
    let env = TestEnv::new();
    copy_example(&env);
    let partial = (0..60)
        .find_map(|seed| {
            env.set_faults(FaultConfig { seed, statuses: vec![(400, 0.4)], ..FaultConfig::default() });
            let ended = env.run(&["apply", "networks.yaml", "--yes", "--canary", "1", "-o", "junit", "--no-verify"]);
            (ended.code == Some(3)).then_some(ended)
        })
        .expect("a run that has failed in part");
    assert!(partial.stdout.contains("<failure message=") && partial.stdout.contains("<skipped"), "{}", partial.stdout);
    let ended = env.run(&["apply", "nowhere.yaml", "--yes", "-o", "junit"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("errors=\"1\"") && ended.stdout.contains("<error"), "{}", ended.stdout);
    // With everything that is wrong, and where.
    env.write(
        "wrong.yaml",
        "version: 1\nlocations:\n  - { name: Oslo HQ, networks: [{ name: '' }] }\n  - { networks: [] }\n",
    );
    let ended = env.run(&["apply", "wrong.yaml", "--yes", "-o", "junit"]);
    for part in ["wrong.yaml:3:", "[invalid-name]", "wrong.yaml:4:", "[missing-field]"] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}

#[test]
fn a_name_with_what_xml_forbids_is_valid_junit() {
    let env = stage_of(vec![network(1, "Oslo \u{fffe}\u{1ffff}\u{1}", "Ward x", "1001")]);
    env.write("a.yaml", "version: 1\nrules: [{ match: { name: '(?<x>.*)x' }, set: { name: '{{ x }}y' } }]\n");
    let ended = env.run(&["apply", "a.yaml", "--yes", "-o", "junit"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let is_forbidden =
        |c: &char| c.is_control() && !"\t\r\n".contains(*c) || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{1ffff}');
    assert_eq!(ended.stdout.chars().find(is_forbidden), None, "{}", ended.stdout);
    assert!(ended.stdout.contains("Oslo \\u{fffe}"), "{}", ended.stdout);
}
