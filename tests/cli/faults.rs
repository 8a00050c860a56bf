//! Results that must be true, stops that must stop, and runs that know who they are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use dectl::simulator::{FaultConfig, Latency, RequestFault, SimulatedState};
use serde_json::json;

use crate::fleet::{live_names, network, stage_of};
use crate::harness::{Ended, TestEnv, copy_example};

/// A server that answers each request with what `answer` makes of its method, its target and the number of earlier ones.
fn serve(answer: impl Fn(&str, &str, usize) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let _body = reader.read_exact(&mut vec![0; length.unwrap_or(0)]);
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let _gone = stream.write_all(answer(method, target, count).as_bytes());
        }
    });
    base
}

fn response(status: &str, headers: &str, body: &serde_json::Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn run_at(env: &TestEnv, base: &str, arguments: &[&str]) -> Ended {
    env.command(arguments).env("WEBEX_API_URL", format!("{base}/v1")).output().expect("it runs").into()
}

fn three_networks() -> TestEnv {
    stage_of(vec![
        network(1, "Oslo", "A 1", "0001"),
        network(2, "Oslo", "A 2", "0002"),
        network(3, "Oslo", "A 3", "0003"),
    ])
}

#[test]
fn a_rejected_update_of_a_disabled_code_is_not_applied() {
    let mut one = network(1, "Oslo", "Ward", "1001");
    one["defaultAccessCodeEnabled"] = false.into();
    let list = json!({ "dectNetworks": [one] });
    let base = serve(move |method, _, _| match method {
        "PUT" => response("409 Conflict", "", &json!({ "message": "code in use" })),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write(
        "file.yaml",
        "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, defaultAccessCode: '2002'}]}]\n",
    );
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes", "-o", "json"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_eq!(ended.json()["results"][0]["status"], "failed");
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
fn a_network_without_a_name_is_not_updated_with_an_empty_one() {
    let mut one = network(1, "Oslo", "Ward", "1001");
    one["name"] = serde_json::Value::Null;
    let list = json!({ "dectNetworks": [one] });
    let base = serve(move |_, _, _| response("200 OK", "", &list));
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, displayName: W}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("missing-setting") && ended.stderr.contains("net0001"), "{}", ended.stderr);
}

#[test]
fn an_update_that_is_never_answered_is_unknown() {
    let list = json!({ "dectNetworks": [network(1, "Oslo", "Ward", "1001")] });
    let one = network(1, "Oslo", "Ward", "1001");
    let base = serve(move |method, target, _| match method {
        "PUT" => response("504 Gateway Timeout", "retry-after: 0\r\n", &json!({ "message": "late" })),
        _ if target.contains("/locations/") => response("200 OK", "", &one),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, name: Ward 1}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes", "-o", "json", "--max-attempts", "2"]);
    assert_eq!(ended.json()["results"][0]["status"], "unknown", "it may still be applied");
    assert_eq!(ended.code, Some(3));
}

#[test]
fn a_value_that_the_server_normalizes_is_shown_as_requested_and_found() {
    let list = json!({ "dectNetworks": [network(1, "Oslo", "Ward 1", "1001")] });
    let base = serve(move |method, _, _| match method {
        "PUT" => response("204 No Content", "", &serde_json::Value::Null),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, name: 'Ward  1'}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stdout.contains("name: requested \"Ward  1\", found \"Ward 1\""), "{}", ended.stdout);
    let warned = env.run(&["validate", "file.yaml", "--strict"]);
    assert!(warned.stderr.contains("unusual-spaces") && warned.stderr.contains("a double space"), "{}", warned.stderr);
}

#[test]
fn composed_and_decomposed_names_are_no_difference() {
    let env = stage_of(vec![network(1, "Oslo", "\u{c5}lesund", "0001")]);
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{name: \"A\u{30a}lesund\"}]}]\n");
    let ended = env.run(&["plan", "file.yaml", "--detailed-exitcode"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
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
fn all_pages_of_a_list_are_read_on_the_same_server_only() {
    let page = |ids: &[usize]| {
        let networks: Vec<_> =
            ids.iter().map(|id| network(*id, "Oslo", &format!("Ward {id}"), &format!("{id:04}"))).collect();
        json!({ "dectNetworks": networks })
    };
    let base = serve(move |_, target, _| {
        if target.contains("start=2") {
            return response("200 OK", "", &page(&[2, 3]));
        }
        let link = "link: </v1/telephony/config/dectNetworks?start=0>; rel=\"prev\", \
                    </v1/telephony/config/dectNetworks?start=2>; rel=\"next\"\r\n";
        response("200 OK", link, &page(&[1]))
    });
    let env = TestEnv::new();
    let ended = run_at(&env, &base, &["export"]);
    assert_eq!(ended.stdout.matches("- id: net").count(), 3, "{}{}", ended.stdout, ended.stderr);
    let list = run_at(&env, &base, &["export", "-o", "json"]).json();
    assert_eq!(list["dectNetworks"].as_array().map(Vec::len), Some(3));

    let elsewhere =
        serve(move |_, _, _| response("200 OK", "link: <https://example.com/next>; rel=\"next\"\r\n", &page(&[1])));
    let ended = run_at(&env, &elsewhere, &["export"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("another server"), "{}", ended.stderr);
}

/// An apply to a slow organization, when its first update is under way.
#[cfg(unix)]
fn applying(env: &TestEnv, arguments: &[&str]) -> std::process::Child {
    let before = env.counters().writes;
    let child = env.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    while env.counters().writes == before {
        std::thread::yield_now();
    }
    child
}

#[cfg(unix)]
fn slow() -> TestEnv {
    let latency = Latency::Fixed(Duration::from_millis(200));
    TestEnv::with(SimulatedState::built_in(), FaultConfig { latency, ..FaultConfig::default() })
}

#[cfg(unix)]
fn signal(child: &std::process::Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[cfg(unix)]
#[test]
fn a_hangup_stops_like_a_termination() {
    let env = slow();
    copy_example(&env);
    let child = applying(&env, &["apply", "networks.yaml", "--yes", "-o", "json"]);
    signal(&child, "-HUP");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert_eq!(ended.json()["outcome"], "interrupted");
}

#[cfg(unix)]
#[test]
fn a_long_wait_is_announced_and_ends_on_the_first_signal() {
    for status in ["429 Too Many Requests", "503 Service Unavailable", "423 Locked"] {
        let base = serve(move |_, _, _| response(status, "retry-after: 300\r\n", &json!({ "message": "later" })));
        let env = TestEnv::new();
        copy_example(&env);
        let mut child = env
            .command(&["plan", "networks.yaml"])
            .env("WEBEX_API_URL", format!("{base}/v1"))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
        let announced = lines.next().expect("a line").expect("text");
        assert!(announced.contains("retrying in"), "{status}: {announced}");
        signal(&child, "-TERM");
        assert_eq!(child.wait().expect("it ends").code(), Some(143), "{status}");
    }
}

#[test]
fn rate_limiting_without_an_end_ends_the_command() {
    let base = serve(|_, _, _| response("429 Too Many Requests", "retry-after: 0\r\n", &json!({ "message": "no" })));
    let env = TestEnv::new();
    copy_example(&env);
    let ended = run_at(&env, &base, &["plan", "networks.yaml", "--rate-limit-timeout", "300ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--rate-limit-timeout"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_closed_log_ends_nothing() {
    let env = TestEnv::new();
    copy_example(&env);
    let mut child = env
        .command(&["apply", "networks.yaml", "--yes", "-vv", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stderr.take());
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!((ended.code, ended.json()["outcome"].as_str()), (Some(0), Some("applied")));
}

#[cfg(unix)]
#[test]
fn an_interrupted_undo_is_continued() {
    for k in 2..6 {
        let env = three_networks();
        assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
        let undo = ["undo", "last", "--yes"];
        if !env.kill_at(k, RequestFault::NoResponse, "-KILL", &undo).is_killed() {
            break;
        }
        let again = env.run(&undo);
        assert_eq!(again.code, Some(0), "{k}: {}", again.stderr);
        assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"], "killed at {k}");
        // It is complete now.
        let third = env.run(&undo);
        assert!(third.stderr.contains("already undone"), "killed at {k}: {}", third.stderr);
    }
}

#[cfg(unix)]
#[test]
fn runs_of_another_organization_are_never_taken() {
    let one = three_networks();
    let rename = ["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"];
    assert!(one.kill_at(3, RequestFault::NoResponse, "-KILL", &rename).is_killed());
    // The same command for a second organization, with the journals of the first.
    let other = three_networks();
    let journal = format!("--journal={}", one.dir.path().join(".dectl/runs").display());
    let ended = other.run(&[&rename[..], &[&journal]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("resuming"), "{}", ended.stderr);
    // `last` of the first is its own run, although the other one is newer.
    let undone = one.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(live_names(&one), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
    assert_eq!(live_names(&other), ["Oslo: B 1", "Oslo: B 2", "Oslo: B 3"]);
}

#[test]
fn a_run_that_was_redone_can_be_undone_again() {
    let env = three_networks();
    assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    let undo = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    assert_eq!(env.run(&["undo", &undo, "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: B 1", "Oslo: B 2", "Oslo: B 3"]);
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
}

#[test]
fn simulated_runs_are_never_undone_by_last() {
    let env = three_networks();
    copy_example(&env);
    assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--simulate"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
}

#[cfg(unix)]
#[test]
fn a_run_in_progress_is_listed_kept_and_not_joined() {
    let env = slow();
    copy_example(&env);
    let child = applying(&env, &["apply", "networks.yaml", "--yes"]);
    let runs = env.run(&["runs", "-o", "json", "--prune", "0"]).json();
    assert_eq!(runs["runs"][0]["running"], true, "{runs}");
    let run = runs["runs"][0]["run"].as_str().expect("a name").to_owned();
    let second = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(second.code, Some(1), "{}", second.stdout);
    assert!(second.stderr.contains(&run), "{}", second.stderr);
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(0));
    assert_eq!(env.run(&["runs", "-o", "json"]).json()["runs"][0]["running"], false);
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
fn a_table_on_standard_input_is_recognized() {
    let env = three_networks();
    let table = env.run(&["export", "-o", "csv"]).stdout;
    let mut child = env.command(&["plan", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("stdin").write_all(table.as_bytes()).expect("it reads");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.stdout, "Plan: nothing to do, 3 unchanged, 0 unmanaged\n");
}

#[test]
fn everything_on_standard_error_is_json_when_the_log_is() {
    let env = TestEnv::new();
    copy_example(&env);
    for arguments in [
        &["apply", "networks.yaml", "--yes", "-o", "json", "-v", "--log-format", "json"][..],
        &["plan", "nowhere.yaml", "--log-format", "json"],
        &["plan", "--no-such-option", "--log-format", "json"],
    ] {
        let ended = env.run(arguments);
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
        for line in ended.stderr.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(object["level"].is_string() && object["timestamp"].is_string(), "{line}");
        }
    }
}

#[test]
fn an_export_names_files_of_a_renamed_location() {
    let env = three_networks();
    assert_eq!(env.run(&["export", "--split", "sites"]).code, Some(0));
    let renamed: Vec<_> = env
        .networks()
        .into_iter()
        .map(|mut network| {
            network["location"]["name"] = "Oslo North".into();
            network
        })
        .collect();
    let later = stage_of(renamed);
    let sites = env.dir.path().join("sites").display().to_string();
    let ended = later.run(&["export", "--split", &sites, "--force"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("oslo.yaml") && ended.stderr.contains("delete it"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn the_children_of_a_token_command_end_with_it() {
    let env = TestEnv::new();
    copy_example(&env);
    let command = "sleep 600 >/dev/null 2>&1 & echo $! > child; echo simulated-token";
    let ended = env.run(&["plan", "networks.yaml", "--token-command", command]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let child = std::fs::read_to_string(env.dir.path().join("child")).expect("its id");
    let alive =
        || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).is_ok_and(|stat| !stat.contains(") Z "));
    // The kernel ends it in its own time.
    for _ in 0..1_000_000 {
        if !alive() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("process {child} lives on");
}
