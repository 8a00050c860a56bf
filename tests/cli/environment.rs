//! Environment variables: what they set, what wins over them, and that an empty one counts as unset.

use dectl::simulator::TOKEN;

use crate::harness::{Ended, TestEnv, copy_example};

fn run(env: &TestEnv, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
    env.command(arguments).envs(environment.iter().copied()).output().expect("the binary runs").into()
}

#[test]
fn files_come_from_the_environment_unless_they_are_named() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("second.yaml", "version: 1\nlocations: []\n");
    let joined = std::env::join_paths(["networks.yaml", "second.yaml"]).expect("a list").into_string().expect("text");
    let files = [("DECTL_FILES", joined.as_str())];
    assert_eq!(run(&env, &files, &["validate"]).stdout, "Valid: 2 files, 3 locations, 12 networks\n");
    assert_eq!(run(&env, &files, &["validate", "second.yaml"]).stdout, "Valid: 1 file, 0 locations, 0 networks\n");
    for command in ["plan", "status", "rehearse"] {
        let ended = run(&env, &files, &[command]);
        assert!(ended.code == Some(0) || command == "status" && ended.code == Some(2), "{command}: {}", ended.stderr);
    }
    // A saved plan is not in conflict with files that nobody named here.
    assert_eq!(run(&env, &files, &["plan", "--out", "saved.json"]).code, Some(0));
    assert_eq!(run(&env, &files, &["apply", "--plan", "saved.json", "--yes"]).code, Some(0));
    for environment in [&[][..], &[("DECTL_FILES", "")]] {
        let ended = run(&env, environment, &["plan"]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("no files: ") && ended.stderr.contains("DECTL_FILES"), "{}", ended.stderr);
        assert!(run(&env, environment, &["apply", "--yes"]).stderr.contains("--plan"));
    }
    let ended = run(&env, &[("DECTL_FILES", "nowhere.yaml")], &["plan"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("nowhere.yaml"), "{}", ended.stderr);
}

#[test]
fn an_output_format_holds_for_the_commands_that_have_it() {
    let env = TestEnv::new();
    copy_example(&env);
    let markdown = [("DECTL_OUTPUT", "markdown")];
    assert!(run(&env, &markdown, &["plan", "networks.yaml"]).stdout.starts_with("### dectl plan"));
    assert!(run(&env, &markdown, &["plan", "networks.yaml", "-o", "diff"]).stdout.starts_with("---"));
    assert!(run(&env, &markdown, &["validate", "networks.yaml"]).stdout.starts_with("Valid: "));
    let refused = run(&env, &markdown, &["validate", "networks.yaml", "-o", "markdown"]);
    assert!(refused.stderr.contains("[possible values: text, json, codequality]"), "{}", refused.stderr);
    let wrong = run(&env, &[("DECTL_OUTPUT", "yaml")], &["plan", "networks.yaml"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("DECTL_OUTPUT"), "{}", wrong.stderr);
    // An error of usage is a document, too.
    let usage = run(&env, &[("DECTL_OUTPUT", "json")], &["plan", "networks.yaml", "--rat", "5/s"]);
    assert_eq!((usage.code, usage.json()["kind"].as_str()), (Some(1), Some("error")));
}

#[test]
fn rate_and_log_come_from_the_environment_unless_they_are_given() {
    let env = TestEnv::new();
    copy_example(&env);
    let wrong = run(&env, &[("DECTL_RATE", "fast")], &["plan", "networks.yaml"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("DECTL_RATE") && wrong.stderr.contains("fast"), "{}", wrong.stderr);
    assert_eq!(run(&env, &[("DECTL_RATE", "50/s")], &["plan", "networks.yaml"]).code, Some(0));
    let given = run(&env, &[("DECTL_RATE", "5/s")], &["plan", "networks.yaml", "--rate", "slow"]);
    assert!(!given.stderr.contains("DECTL_RATE"), "{}", given.stderr);
    let all: Vec<(&str, &str)> = [
        "DECTL_RATE",
        "DECTL_OUTPUT",
        "DECTL_LOG",
        "DECTL_TOKEN_COMMAND",
        "DECTL_JOURNAL",
        "WEBEX_ORG_ID",
        "WEBEX_TOKEN",
    ]
    .map(|name| (name, " "))
    .into();
    assert_eq!(run(&env, &all, &["plan", "networks.yaml"]).code, Some(0), "blank variables are unset");
    let log = |value: &str| run(&env, &[("DECTL_LOG", value)], &["plan", "networks.yaml"]);
    assert!(!log("warn").stderr.contains("answered"));
    assert!(log("info").stderr.contains("answered"), "{}", log("info").stderr);
    let json = log("info, json").stderr;
    assert!(json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{json}");
    let quiet = run(&env, &[("DECTL_LOG", "info")], &["plan", "networks.yaml", "-q"]);
    assert_eq!(quiet.stderr, "");
    let wrong = log("loud");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("DECTL_LOG") && wrong.stderr.contains("info"), "{}", wrong.stderr);
}

#[test]
fn auth_check_says_which_token_was_used() {
    let env = TestEnv::new();
    let check = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut command = env.command(&[&["auth", "check", "-o", "json"], arguments].concat());
        command.env_remove("WEBEX_ACCESS_TOKEN").envs(environment.iter().copied());
        let ended = Ended::from(command.output().expect("the binary runs"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.json()["source"].as_str().expect("a source").to_owned()
    };
    let command = format!("echo {TOKEN}");
    let (first, second) = (("WEBEX_ACCESS_TOKEN", TOKEN), ("WEBEX_TOKEN", TOKEN));
    assert_eq!(check(&[second], &[]), "environment variable WEBEX_TOKEN");
    assert_eq!(check(&[first, ("WEBEX_TOKEN", "another")], &[]), "environment variable WEBEX_ACCESS_TOKEN");
    assert_eq!(check(&[("WEBEX_ACCESS_TOKEN", "wrong"), ("DECTL_TOKEN_COMMAND", &command)], &[]), "token command");
    assert_eq!(check(&[first, ("DECTL_TOKEN_COMMAND", "exit 1")], &["--token-command", &command]), "token command");
}

#[test]
fn the_schema_and_an_export_tell_editors_of_it() {
    let env = TestEnv::new();
    let ended = env.run(&["export", "--split", "sites/all"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("dectl schema --write sites/all/networks.schema.json"), "{}", ended.stderr);
    let first_line = |path: &str| {
        let text = std::fs::read_to_string(env.dir.path().join(path)).expect("an export");
        text.lines().next().expect("a line").to_owned()
    };
    assert_eq!(first_line("sites/all/oslo-hq.yaml"), "# yaml-language-server: $schema=networks.schema.json");
    let written = env.run(&["schema", "--write", "sites/networks.schema.json"]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let line = "# yaml-language-server: $schema=sites/networks.schema.json";
    assert!(written.stderr.contains(line), "{}", written.stderr);
    // A schema that lies further up is found, and an export that names it is still read.
    let ended = env.run(&["export", "--split", "sites/all", "--force"]);
    assert!(!ended.stderr.contains("schema --write"), "{}", ended.stderr);
    assert_eq!(first_line("sites/all/oslo-hq.yaml"), "# yaml-language-server: $schema=../networks.schema.json");
    assert_eq!(env.run(&["validate", "sites", "--strict"]).code, Some(0));
    assert_eq!(
        env.run(&["schema", "--write", "sites/networks.schema.json"]).code,
        Some(0),
        "an earlier one is replaced"
    );
    env.write("notes.json", "{}");
    let refused = env.run(&["schema", "--write", "notes.json"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("nothing was written"), "{}", refused.stderr);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_an_error_that_names_its_variable() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let env = TestEnv::new();
    copy_example(&env);
    let broken = OsStr::from_bytes(b"a\xff");
    for variable in ["DECTL_RATE", "DECTL_LOG", "DECTL_OUTPUT", "WEBEX_TOKEN", "WEBEX_API_URL", "DECTL_PLAN_KEY"] {
        let output = env.command(&["plan", "networks.yaml"]).env(variable, broken).output().expect("it runs");
        let ended = Ended::from(output);
        assert_eq!(ended.code, Some(1), "{variable}");
        assert!(ended.stderr.contains(variable) && ended.stderr.contains("UTF-8"), "{variable}: {}", ended.stderr);
    }
    // A path is no text.
    let output = env.command(&["plan"]).arg(broken).env("DECTL_RATE", "abc").output().expect("it runs");
    let ended = Ended::from(output);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("DECTL_RATE"), "{}", ended.stderr);
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn an_error_names_the_variable_that_its_value_is_from() {
    let env = TestEnv::new();
    copy_example(&env);
    let said = |variable: &str, value: &str, arguments: &[&str]| {
        let ended = run(&env, &[(variable, value)], arguments);
        assert_eq!(ended.code, Some(1), "{variable}: {}", ended.stderr);
        ended.stderr
    };
    let plan = ["plan", "networks.yaml"];
    assert!(said("WEBEX_API_URL", "nonsense", &plan).contains("WEBEX_API_URL"));
    assert!(said("DECTL_TOKEN_COMMAND", "exit 3", &plan).contains("DECTL_TOKEN_COMMAND"));
    // Another option that begins alike was given.
    let like = ["plan", "networks.yaml", "--rate-limit-timeout", "5m"];
    assert!(said("DECTL_RATE", "abc", &like).contains("DECTL_RATE"));
    let given = said("DECTL_RATE", "abc", &["plan", "networks.yaml", "--rate", "abc"]);
    assert!(!given.contains("DECTL_RATE"), "{given}");
}
