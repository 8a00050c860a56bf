//! `serviceabilityPassword` in a file: planned with its warning, applied last and once, resumed, undone and exported.

use dectl::simulator::{FaultConfig, RequestFault, SimulatedState};
use serde_json::Value;

use crate::harness::{Ended, KillResult, TestEnv, signal, until_written};

const FILE: &str = "\
version: 1
locations:
  - name: Trondheim Clinic
    networks:
      - name: TRD Lab
        serviceabilityPassword: enabled
      - { name: TRD Nurses, serviceabilityPassword: disabled }
";

/// Whether the password of a network is enabled, as an export says.
fn status(env: &TestEnv, network: &str) -> String {
    let table = env.run(&["export", "--include", "serviceability-passwords", "-o", "csv", "--no-remarks"]);
    assert_eq!(table.code, Some(0), "{}", table.stderr);
    let line = table.stdout.lines().find(|line| line.contains(network)).expect("the network");
    let value = line.split(',').find(|cell| ["enabled", "disabled"].contains(cell));
    value.expect("a status").to_owned()
}

fn plan(env: &TestEnv) -> Value {
    let ended = env.run(&["plan", "f.yaml", "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.json()
}

fn apply(env: &TestEnv) -> Ended {
    env.run(&["apply", "f.yaml", "--yes"])
}

fn puts(env: &TestEnv) -> usize {
    let log = env.simulated.lock().expect("the organization").requests();
    let requests = log["requests"].as_array().expect("requests").iter();
    let is_put = |one: &&Value| {
        one["method"] == "PUT" && one["path"].as_str().is_some_and(|path| path.ends_with("serviceabilityPassword"))
    };
    requests.filter(is_put).count()
}

#[test]
fn a_change_is_planned_with_what_it_does_applied_and_undone() {
    let env = TestEnv::new();
    env.write("f.yaml", FILE);
    let planned = plan(&env);
    assert_eq!(planned["summary"]["reboots"], 1, "{planned:#}");
    assert_eq!(planned["changes"][0]["kind"], "serviceabilityPassword");
    for format in ["text", "markdown", "html", "json", "diff", "github", "gitlab"] {
        let ended = env.run(&["plan", "f.yaml", "-o", format]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        if ended.code == Some(0) {
            assert!(said.contains("can reboot entirely"), "{format}: {said}");
        }
    }
    assert_eq!(apply(&env).code, Some(0));
    assert_eq!((status(&env, "TRD Lab"), status(&env, "TRD Nurses")), ("enabled".into(), "disabled".into()));
    assert_eq!(plan(&env)["changes"], Value::Array(Vec::new()));
    assert_eq!(env.run(&["status", "f.yaml"]).code, Some(0));
    // What differs later on is drift, and an export takes it over into the file.
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(status(&env, "TRD Lab"), "disabled");
    let drift = env.run(&["status", "f.yaml"]);
    assert!(drift.code == Some(2) && drift.stdout.contains("serviceabilityPassword"), "{}", drift.stdout);
    let updated = env.run(&["export", "--update", "f.yaml", "--yes"]);
    assert_eq!(updated.code, Some(0), "{}", updated.stderr);
    let file = std::fs::read_to_string(env.dir.path().join("f.yaml")).expect("the file");
    assert_eq!(file, FILE.replace("enabled", "disabled"));
}

#[test]
fn an_undo_that_enables_one_again_says_that_it_may_not_exist() {
    let env = TestEnv::new();
    env.write("f.yaml", FILE);
    assert_eq!(apply(&env).code, Some(0));
    env.write("f.yaml", &FILE.replace("enabled", "disabled"));
    assert_eq!(apply(&env).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    let said = format!("{}{}", undone.stdout, undone.stderr);
    assert!(said.contains("whether one exists cannot be read"), "{said}");
    assert!(said.contains("can reboot entirely"), "{said}");
    assert_eq!(status(&env, "TRD Lab"), "enabled");
    let exported = env.run(&["export", "--include", "serviceability-passwords"]).stdout;
    assert!(exported.contains("serviceabilityPassword: enabled # whether one was ever generated"), "{exported}");
    // What was exported asks for nothing.
    env.write("f.yaml", &exported);
    assert_eq!(plan(&env)["changes"], Value::Array(Vec::new()));
}

#[test]
fn networks_that_say_nothing_are_not_asked() {
    let env = TestEnv::new();
    env.write("f.yaml", FILE);
    let before = env.counters().requests;
    plan(&env);
    assert_eq!(env.counters().requests - before, 3, "the list, and one read for each network that says it");
    env.write("f.yaml", &FILE.replace("serviceabilityPassword: enabled", "displayName: Lab"));
    let before = env.counters().requests;
    plan(&env);
    assert_eq!(env.counters().requests - before, 2);
}

#[test]
fn a_lost_response_is_settled_by_reads_and_sent_once() {
    for (fault, code, is_enabled) in
        [(RequestFault::ResetAfter, 0, "enabled"), (RequestFault::ResetBefore, 3, "disabled")]
    {
        let env = TestEnv::new();
        env.write("f.yaml", FILE);
        let before = env.counters().requests;
        env.set_faults(FaultConfig { fault_at: Some((before + 4, fault)), ..FaultConfig::default() });
        let ended = apply(&env);
        assert_eq!(ended.code, Some(code), "{fault:?} {}", ended.stderr);
        assert_eq!(status(&env, "TRD Lab"), is_enabled);
        assert!(puts(&env) <= 1, "{fault:?}");
        // The same command finishes.
        assert_eq!(apply(&env).code, Some(0));
        assert_eq!(status(&env, "TRD Lab"), "enabled");
    }
}

#[test]
fn it_is_the_last_thing_that_is_sent_about_a_network() {
    let env = TestEnv::new();
    env.write(
        "f.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - name: TRD Nurses\n        displayName: Nurses 2\n        \
         serviceabilityPassword: enabled\n        baseStations: [\"001122334455\"]\n      - name: New\n        model: DBS210\n        \
         defaultAccessCode: \"9099\"\n        serviceabilityPassword: disabled\n        baseStations: [\"001122334456\"]\n",
    );
    let planned = plan(&env);
    let steps = planned["steps"].as_array().expect("steps");
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["operation"]["kind"].as_str()).collect();
    let last = kinds.iter().position(|kind| *kind == "serviceabilityPassword").expect("a password");
    assert!(last == kinds.len() - 2 && kinds[last..].iter().all(|kind| *kind == "serviceabilityPassword"), "{kinds:?}");
    assert_eq!(planned["changes"].as_array().map(Vec::len), Some(6), "that of a new network is set, whatever it is");
    let ended = apply(&env);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // With its network it goes again.
    let undone = env.run(&["undo", "last", "--yes", "--max-deletes", "9"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(status(&env, "TRD Nurses"), "disabled");
}

#[test]
fn base_stations_are_removed_before_their_network_can_reboot() {
    let env = TestEnv::new();
    env.write(
        "f.yaml",
        "version: 1\nlocations:\n  - name: Bergen Warehouse\n    networks:\n      - name: BGO Gate\n        serviceabilityPassword: \
         enabled\n        baseStations: [{ mac: AC7A56000009, state: absent }]\n",
    );
    let ended = env.run(&["apply", "f.yaml", "--yes", "--max-deletes", "1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let log = env.simulated.lock().expect("the organization").requests();
    let methods = log["requests"].as_array().expect("requests").iter().filter_map(|one| one["method"].as_str());
    let writes: Vec<&str> = methods.filter(|method| *method != "GET").collect();
    assert_eq!(writes, ["DELETE", "PUT"]);
    // Nothing warns of what is done or only compared.
    let ended = env.run(&["status", "f.yaml"]);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("reboot"), "{}", ended.stderr);
}

#[test]
fn a_saved_plan_goes_on_where_it_was_killed() {
    let env = TestEnv::new();
    env.write("f.yaml", &FILE.replace("disabled", "enabled"));
    assert_eq!(env.run(&["plan", "f.yaml", "--out", "p.plan"]).code, Some(0));
    let arguments = ["apply", "--plan", "p.plan", "--yes"];
    let mut kills = 0;
    for k in 1..20 {
        let killed = env.kill_at(k, RequestFault::NoResponse, "-KILL", &arguments);
        kills += usize::from(matches!(killed, KillResult::Killed(_)));
        if !killed.is_killed() {
            break;
        }
    }
    assert!(kills > 2, "{kills}");
    assert_eq!((status(&env, "TRD Lab"), status(&env, "TRD Nurses")), ("enabled".into(), "enabled".into()));
    // All of its runs are undone together.
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!((status(&env, "TRD Lab"), status(&env, "TRD Nurses")), ("disabled".into(), "disabled".into()));
}

#[test]
fn a_stop_leaves_the_others_as_they_are() {
    let env = TestEnv::new();
    env.set_faults(FaultConfig {
        latency: dectl::simulator::Latency::Fixed(std::time::Duration::from_millis(200)),
        ..FaultConfig::default()
    });
    env.write("f.yaml", &FILE.replace("disabled", "enabled"));
    let child = until_written(&env, env.command(&["apply", "f.yaml", "--yes", "--concurrency", "1"]));
    signal(&child, "-TERM");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    env.set_faults(FaultConfig::default());
    assert_eq!(apply(&env).code, Some(0));
    assert_eq!((status(&env, "TRD Lab"), status(&env, "TRD Nurses")), ("enabled".into(), "enabled".into()));
}

#[test]
fn what_is_neither_is_refused_with_what_to_write() {
    let env = TestEnv::new();
    for (written, help) in [
        ("true", "serviceabilityPassword: enabled"),
        ("Off", "serviceabilityPassword: disabled"),
        ("\"secret\"", "dectl password generate"),
        ("[enabled]", "write `enabled` or `disabled`"),
        ("enabled-secret", "dectl password generate"),
        ("disabled secret", "dectl password generate"),
        ("null", "write `enabled` or `disabled`"),
    ] {
        env.write(
            "f.yaml",
            &FILE.replace("serviceabilityPassword: enabled", &format!("serviceabilityPassword: {written}")),
        );
        let ended = env.run(&["plan", "f.yaml"]);
        assert!(ended.code == Some(1) && ended.stderr.contains(help), "{written}: {}", ended.stderr);
        assert!(!ended.stderr.contains("secret"), "what may be a password is not shown: {}", ended.stderr);
    }
    // Two entries may say it, and must say the same.
    env.write("g.yaml", &FILE.replace("enabled", "disabled"));
    env.write("f.yaml", FILE);
    for command in ["plan", "validate"] {
        let ended = env.run(&[command, "f.yaml", "g.yaml"]);
        assert!(
            ended.code == Some(1) && ended.stderr.contains("ask for different serviceability passwords"),
            "{command}: {}",
            ended.stderr
        );
    }
    let ended = env.run(&["plan", "f.yaml", "f.yaml"]);
    assert_eq!(env.run(&["plan", "g.yaml"]).code, Some(0), "{}", ended.stderr);
    let ended = env.run(&["export", "--pairing", "-o", "csv", "--include", "serviceability-passwords"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("base stations and handsets only"), "{}", ended.stderr);
}

#[test]
fn tables_of_networks_have_a_column_for_it() {
    let env = TestEnv::new();
    env.write(
        "t.csv",
        "location;name;Serviceability Password\nTrondheim Clinic;TRD Lab;enabled\nTrondheim Clinic;TRD Nurses;\n",
    );
    let ended = env.run(&["apply", "t.csv", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((status(&env, "TRD Lab"), status(&env, "TRD Nurses")), ("enabled".into(), "disabled".into()));
}

#[test]
fn markdown_names_every_network_that_can_reboot() {
    let env = TestEnv::with(SimulatedState::generated(3, 20), FaultConfig::default());
    let exported = env.run(&["export", "--include", "serviceability-passwords"]).stdout;
    let toggled = exported.replace("serviceabilityPassword: enabled", "serviceabilityPassword: off");
    let toggled = toggled.replace("serviceabilityPassword: disabled", "serviceabilityPassword: enabled");
    env.write("f.yaml", &toggled.replace("serviceabilityPassword: off", "serviceabilityPassword: disabled"));
    let ended = env.run(&["plan", "f.yaml", "-o", "markdown"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.matches("can reboot entirely").count(), 60, "{}", ended.stdout);
    assert!(ended.stdout.contains("<summary>⚠ 40 more warnings</summary>"), "{}", ended.stdout);
}

#[test]
fn junit_has_the_warnings_of_the_plan() {
    let env = TestEnv::new();
    env.write("f.yaml", FILE);
    let ended = env.run(&["apply", "f.yaml", "--yes", "-o", "junit"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = ended.stdout.split("<system-out>").nth(1).unwrap_or_default();
    assert!(said.contains("warning: ") && said.contains("can reboot entirely"), "{}", ended.stdout);
}

#[test]
fn a_network_that_an_undo_creates_again_has_lost_its_password() {
    let env = TestEnv::new();
    let table = env.run(&["export", "-o", "csv"]).stdout;
    let id = table.lines().find(|line| line.contains("TRD Nurses")).and_then(|line| line.rsplit(',').next());
    let id = id.expect("its id").trim_matches('"').to_owned();
    env.write(
        "f.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - {{ id: {id}, state: absent }}\n"
        ),
    );
    let applied = env.run(&["apply", "f.yaml", "--yes", "--max-deletes", "100"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    let undone = env.run(&["undo", &run, "--yes"]);
    assert!(undone.stdout.contains("one that was generated is lost"), "{}\n{}", undone.stdout, undone.stderr);
    let again = env.run(&["undo", &run, "--yes"]);
    assert!(!again.stdout.contains("is lost"), "it was created again before: {}\n{}", again.stdout, again.stderr);
}
