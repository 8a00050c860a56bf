//! Signals, as pipelines send them.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use dectl::simulator::{FaultConfig, Latency, SimulatedState};

use serde_json::json;

use crate::harness::{Ended, TestEnv, copy_example, response, serve, signal, skipped, until_written};

/// An apply to an organization whose answers take a while, one write a second: after its first write it has seconds to go,
/// however busy the machine is.
fn slow_apply(env: &TestEnv) -> Command {
    copy_example(env);
    env.command(&["apply", "networks.yaml", "--yes", "-o", "json", "--rate", "1/s"])
}

fn slow() -> TestEnv {
    let latency = Latency::Fixed(Duration::from_millis(300));
    TestEnv::with(SimulatedState::built_in(), FaultConfig { latency, ..FaultConfig::default() })
}

#[test]
fn a_signal_waits_for_in_flight_writes_and_reports_not_started() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let env = slow();
        let child = until_written(&env, slow_apply(&env));
        signal(&child, name);
        let ended: Ended = child.wait_with_output().expect("it ends").into();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let result = ended.json();
        assert_eq!(result["outcome"], "interrupted");
        assert_eq!(result["summary"]["unknown"], 0);
        assert_eq!(result["summary"]["applied"].as_u64(), Some(env.counters().writes));
        assert!(result["summary"]["notStarted"].as_u64() > Some(0));
    }
}

#[test]
fn after_sigkill_the_same_command_resumes() {
    let env = slow();
    let mut child = until_written(&env, slow_apply(&env));
    signal(&child, "-KILL");
    child.wait().expect("it is gone");
    std::fs::remove_dir_all(env.dir.path().join(".dectl")).expect("no journal is left");
    env.set_faults(FaultConfig::default());
    let ended = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(env.run(&["plan", "networks.yaml", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_signal_during_the_first_list_ends_at_once() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let latency = Latency::Fixed(Duration::from_secs(120));
        let env = TestEnv::with(SimulatedState::built_in(), FaultConfig { latency, ..FaultConfig::default() });
        copy_example(&env);
        let child = env
            .command(&["apply", "networks.yaml", "--yes", "-o", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        // It is listening for signals once its list has set out.
        while env.counters().requests == 0 {
            std::thread::yield_now();
        }
        signal(&child, name);
        let ended: Ended = child.wait_with_output().expect("it ends").into();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert_eq!(ended.json()["kind"], "error");
    }
}

/// The same command with the default action of SIGHUP, which `nohup` has set to be ignored for all that it starts.
fn heeding_hangup(command: Command) -> Option<Command> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    if u64::from_str_radix(ignored.trim(), 16).unwrap_or(0) & 1 == 0 {
        return Some(command);
    }
    let mut through = Command::new("env");
    through.arg("--default-signal=HUP");
    if !through.arg("true").status().is_ok_and(|status| status.success()) {
        skipped("SIGHUP is ignored here, and `env` has no --default-signal");
        return None;
    }
    let mut through = Command::new("env");
    through.arg("--default-signal=HUP").arg(command.get_program()).args(command.get_args());
    through.current_dir(command.get_current_dir().expect("a directory"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => through.env(name, value),
            None => through.env_remove(name),
        };
    }
    Some(through)
}

#[cfg(unix)]
#[test]
fn a_hangup_stops_like_a_termination() {
    let env = slow();
    let Some(command) = heeding_hangup(slow_apply(&env)) else { return };
    let child = until_written(&env, command);
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

#[test]
fn a_signal_stops_the_generation_of_passwords() {
    let env = slow();
    let mut command = env.command(&["password", "generate", "--network", "*", "--write", "p.age", "--yes"]);
    command.args(["--rate", "1/s"]).env("DECTL_PLAN_KEY", "the key of this test");
    let child = until_written(&env, command);
    signal(&child, "-TERM");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(ended.stderr.contains("not started") && ended.stderr.contains("dectl password show"), "{}", ended.stderr);
}
