//! Usage, refusals and exit codes.

use dectl::simulator::{FaultConfig, RequestFault};

use crate::harness::{Ended, TestEnv, copy_example, plain_command, three_networks};

#[test]
fn wrong_usage_is_an_error_like_every_other() {
    let dir = tempfile::tempdir().expect("a directory");
    for arguments in [
        &["nonsense"][..],
        &["plan"],
        &["apply", "x.yaml", "--rate", "fast"],
        &["plan", "x.yaml", "--concurrency", "0"],
        &["plan", "x.yaml", "--token", "secret"],
    ] {
        let ended: Ended = plain_command(dir.path(), arguments).output().expect("the binary runs").into();
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
    }
    let ended: Ended = plain_command(dir.path(), &["aply"]).output().expect("the binary runs").into();
    assert!(ended.stderr.contains("'apply'"), "{}", ended.stderr);
}

#[test]
fn without_a_terminal_apply_requires_yes() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["apply", "networks.yaml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn offline_errors_send_no_request() {
    let env = TestEnv::new();
    env.write("wrong.yaml", "version: 1\nlocations: [{name: Oslo HQ, networks: [{nam: x}]}]\n");
    for command in ["plan", "apply"] {
        let arguments: &[&str] =
            if command == "plan" { &["plan", "wrong.yaml"] } else { &["apply", "wrong.yaml", "--yes"] };
        assert_eq!(env.run(arguments).code, Some(1));
    }
    assert_eq!(env.counters().requests, 0);

    env.write("stranger.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{name: x}]}]\n");
    assert_eq!(env.run(&["apply", "stranger.yaml", "--yes"]).code, Some(1));
    assert_eq!((env.counters().requests, env.counters().writes), (1, 0));
}

#[test]
fn an_error_is_a_document_where_one_was_asked_for() {
    let env = TestEnv::new();
    env.write("wrong.yaml", "version: 1\nlocations: [{name: Oslo HQ, networks: [{nam: x}]}]\n");
    let ended = env.run(&["plan", "wrong.yaml", "-o", "json"]);
    let error = ended.json();
    assert_eq!(error["kind"], "error");
    assert_eq!(error["diagnostics"][0]["code"], "unknown-field");
    assert_eq!(
        (error["diagnostics"][0]["line"].as_u64(), error["diagnostics"][0]["column"].as_u64()),
        (Some(2), Some(41))
    );

    let ended: Ended =
        plain_command(env.dir.path(), &["plan", "wrong.yaml", "-o", "json"]).output().expect("runs").into();
    assert_eq!(ended.json()["kind"], "error");
}

#[test]
fn plain_http_is_allowed_for_loopback_only() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["plan", "networks.yaml", "--api-url", "http://example.com/v1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("over plain HTTP"), "{}", ended.stderr);
}

#[test]
fn a_journal_that_cannot_be_written_is_an_error_before_the_first_write() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("in-the-way", "a file, not a directory");
    let ended = env.run(&["apply", "networks.yaml", "--yes", "--journal", "in-the-way/runs"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot write the journal"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn every_request_can_be_watched() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["plan", "networks.yaml", "-v"]);
    let line = ended.stderr.lines().find(|line| line.contains("list")).expect("a line for the list");
    for part in ["status=200", "took_ms=", "attempt=1", "tracking_id="] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let ended = env.run(&["plan", "networks.yaml", "-v", "--log-format", "json"]);
    let logged: Vec<serde_json::Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    assert_eq!(logged[0]["status"], 200);
    assert_eq!(logged[0]["span"]["attempt"], 1);
}

#[test]
fn options_may_stand_before_the_command() {
    let env = three_networks();
    let plain = env.run(&["runs", "-o", "json"]);
    for arguments in [&["-o", "json", "runs"][..], &["--output=json", "-v", "runs"], &["-qo", "json", "runs"]] {
        let ended = env.run(arguments);
        assert_eq!((ended.code, &ended.stdout), (Some(0), &plain.stdout), "{arguments:?}\n{}", ended.stderr);
    }
    let nested = env.run(&["-o", "json", "auth", "check"]);
    assert_eq!(nested.code, Some(0), "{}", nested.stderr);
    let unknown = env.run(&["--no-such", "runs"]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("'--no-such'"), "{}", unknown.stderr);
}

#[test]
fn each_command_names_its_own_formats() {
    let env = three_networks();
    let refused = env.run(&["runs", "-o", "html"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("[possible values: text, json]"), "{}", refused.stderr);
    // The variable holds for all commands of a pipeline.
    let ended = env.command(&["runs"]).env("DECTL_OUTPUT", "html").output().expect("the binary runs");
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn a_plan_with_deletions_ends_with_the_option_that_allows_them() {
    let env = three_networks();
    let networks = env.networks();
    let (id, name) = (networks[0]["id"].as_str().expect("an id"), networks[0]["name"].as_str().expect("a name"));
    let location = networks[0]["location"]["name"].as_str().expect("a name");
    env.write(
        "d.yaml",
        &format!("version: 1\nlocations: [{{ name: {location:?}, networks: [{{ id: {id}, name: {name:?}, state: absent }}] }}]\n"),
    );
    for format in ["text", "markdown", "html", "diff"] {
        let ended = env.run(&["plan", "d.yaml", "-o", format]);
        assert!(ended.stdout.contains("--max-deletes"), "{format}\n{}{}", ended.stdout, ended.stderr);
    }
    let needed = env.run(&["plan", "d.yaml", "-o", "json"]).json()["summary"]["deletions"].to_string();
    assert_eq!(env.run(&["apply", "d.yaml", "--yes", "--max-deletes", &needed]).code, Some(0));
}

#[test]
fn words_of_other_tools_are_answered_with_what_they_are_called_here() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, expected) in [
        (&["apply", "x.yaml", "--dry-run"][..], "dectl plan FILES"),
        (&["apply", "x.yaml", "--auto-approve"], "--yes"),
        (&["apply", "x.yaml", "-auto-approve"], "--yes"),
        (&["apply", "-f", "x.yaml"], "files are arguments"),
        (&["plan", "x.yaml", "--config=c"], "files are arguments"),
        (&["plan", "x.yaml", "--target", "Oslo"], "--location"),
        (&["plan", "x.yaml", "--filter", "Oslo"], "--location"),
        (&["plan", "x.yaml", "--format", "json"], "--output"),
        (&["apply", "x.yaml", "--force"], "--max-changes"),
        (&["list"], "dectl export -o csv"),
        (&["check"], "dectl validate"),
        (&["refresh"], "reads the live state first"),
        (&["diff"], "dectl plan FILES"),
        (&["rollback"], "dectl undo last"),
        (&["history"], "dectl runs"),
        (&["drift"], "dectl status"),
        (&["import"], "dectl export"),
        (&["login"], "WEBEX_ACCESS_TOKEN"),
    ] {
        let ended: Ended = plain_command(dir.path(), arguments).output().expect("the binary runs").into();
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("as a value") && !ended.stderr.contains("similar"), "{}", ended.stderr);
    }
    // A slip of the pen still gets what is nearest.
    let ended: Ended = plain_command(dir.path(), &["plan", "x.yaml", "--lokation"]).output().expect("it runs").into();
    assert!(ended.stderr.contains("'--location'"), "{}", ended.stderr);
}

#[test]
fn places_can_be_excluded_and_a_plan_summed_up() {
    let env = TestEnv::new();
    let rename = |more: &[&str]| env.run(&[&["rename", "(?<x>.*)", "Q {{ x }}", "--out", "p.json"], more].concat());
    let all = rename(&[]);
    assert!(all.stdout.contains("Oslo HQ") && all.stdout.contains("Bergen Warehouse"), "{}", all.stdout);
    let others = rename(&["--location", "!oslo*", "--network", "!*Lab*"]);
    let has = |name: &str| others.stdout.contains(name);
    assert!(!has("Oslo HQ") && has("Bergen Warehouse") && !has("TRD Lab") && has("TRD Nurses"), "{}", others.stdout);
    let wrong = rename(&["--location", "!Osl"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("\"!Osl\""), "{}", wrong.stderr);
    for malformed in ["!", "!!Oslo*"] {
        assert_eq!(rename(&["--location", malformed]).code, Some(1), "{malformed}");
    }
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Oslo HQ, networks: [{ name: HQ Kitchen, displayName: K }, { name: HQ Ward 1, displayName: W }] }]\n",
    );
    let summed = env.run(&["plan", "d.yaml", "--summary"]);
    assert!(summed.stdout.starts_with("Oslo HQ  ~ 2 networks\nPlan: "), "{}", summed.stdout);
    assert_eq!(env.run(&["plan", "d.yaml", "--summary", "-o", "json"]).code, Some(1));
}

#[test]
fn every_code_of_a_diagnostic_is_explained() {
    let env = TestEnv::new();
    for code in dectl::diagnostic::DiagnosticCode::ALL {
        let ended = env.run(&["explain", code.as_str()]);
        assert!(ended.code == Some(0) && ended.stdout.starts_with("CODE      "), "{}{}", code.as_str(), ended.stderr);
    }
    assert_eq!(env.run(&["explain", "unknown-netwrk"]).code, Some(1));
}

#[test]
fn a_result_names_the_row_as_the_plan_did() {
    let env = TestEnv::new();
    env.write("t.csv", "location,name,displayName\nOslo HQ,HQ Kitchen,K\nOslo HQ,HQ Ward 1,W\n");
    assert_eq!(env.run(&["plan", "t.csv", "--out", "p.json"]).code, Some(0));
    let number = env.counters().requests;
    env.set_faults(FaultConfig { fault_at: Some((number + 2, RequestFault::Status(400))), ..FaultConfig::default() });
    let ended = env.run(&["apply", "--plan", "p.json", "--yes"]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let failed = ended.stdout.lines().find(|line| line.contains("failed")).expect("a failure");
    assert!(failed.contains("t.csv:2") || failed.contains("t.csv:3"), "{failed}");
}

#[test]
fn metrics_are_written_for_a_collector() {
    let env = TestEnv::new();
    copy_example(&env);
    let line = regex::Regex::new(
        r#"^(# (TYPE dectl_[a-z_]+ gauge|HELP dectl_[a-z_]+ .+|EOF)|dectl_[a-z_]+(\{([a-z_]+="([^"\\]|\\["\\n])*",?)+\})? [0-9.]+)$"#,
    )
    .expect("a pattern");
    let read = |name: &str| {
        let text = std::fs::read_to_string(env.dir.path().join(name)).expect("metrics");
        assert!(text.ends_with("# EOF\n"), "{text}");
        for one in text.lines() {
            assert!(line.is_match(one), "{one}");
        }
        text
    };
    assert_eq!(env.run(&["status", "networks.yaml", "--metrics", "status.prom"]).code, Some(2));
    let before = read("status.prom");
    let drifted = |text: &str, value: &str| {
        let mut lines =
            text.lines().filter(|line| line.starts_with("dectl_networks{location=\"Oslo HQ\",location_id="));
        lines.any(|line| line.contains("state=\"drifted\"") && line.ends_with(value))
    };
    assert!(drifted(&before, "") && !drifted(&before, " 0"), "{before}");
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--metrics", "apply.prom"]).code, Some(0));
    let applied = read("apply.prom");
    assert!(applied.contains("dectl_apply_complete 1\n"), "{applied}");
    assert!(!applied.contains("dectl_apply_changes{status=\"applied\"} 0\n"), "{applied}");
    assert_eq!(env.run(&["status", "networks.yaml", "--metrics", "status.prom"]).code, Some(0));
    assert!(drifted(&read("status.prom"), " 0"));
    // What is named by mistake is not replaced.
    for command in [&["status", "networks.yaml"][..], &["apply", "networks.yaml", "--yes"]] {
        let refused = env.run(&[command, &["--metrics", "networks.yaml"]].concat());
        assert!(
            refused.code == Some(1) && refused.stderr.contains("something else than metrics"),
            "{}",
            refused.stderr
        );
    }
    let refused = env.run(&["auth", "check", "--probe", "networks.yaml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("would replace it"), "{}", refused.stderr);
    assert_eq!(env.run(&["validate", "networks.yaml"]).code, Some(0));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(env.dir.path().join("apply.prom")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "a collector is another user");
    }
    let refused = env.run(&["status", "networks.yaml", "--metrics", "nowhere/x.prom"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("cannot write the metrics"), "{}", refused.stderr);
}

#[test]
fn locations_of_one_name_have_metrics_of_their_own() {
    let network = |id: &str, location: &str| {
        format!(
            r#"{{"id":"{id}","name":"{id}","displayName":"x","model":"DMS Cisco DBS210","defaultAccessCodeEnabled":true,
            "defaultAccessCode":"1001","location":{{"id":"{location}","name":"Same\rX"}}}}"#
        )
    };
    let env = TestEnv::new();
    env.write("state.json", &format!(r#"{{"dectNetworks":[{},{}]}}"#, network("N1", "L1"), network("N2", "L2")));
    let exported = env.run(&["export", "--simulate=state.json"]).stdout;
    env.write("all.yaml", &exported);
    let ended = env.run(&["status", "all.yaml", "--simulate=state.json", "--metrics", "m.prom"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = std::fs::read_to_string(env.dir.path().join("m.prom")).expect("metrics");
    let series: Vec<&str> = text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
    let distinct: std::collections::HashSet<&&str> = series.iter().filter(|one| !one.starts_with('#')).collect();
    assert_eq!(distinct.len(), series.iter().filter(|one| !one.starts_with('#')).count(), "{text}");
    assert!(!text.contains('\r'), "{text}");
}
