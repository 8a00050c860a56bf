//! `dectl password`: generated once, shown once, never in a log or a journal.

use dectl::simulator::{FaultConfig, RequestFault};

use crate::harness::{Ended, TestEnv};

const KEY: &str = "the key of this test";

fn run(env: &TestEnv, arguments: &[&str]) -> Ended {
    env.command(&[&["password"], arguments].concat()).env("DECTL_PLAN_KEY", KEY).output().expect("it runs").into()
}

fn generate(env: &TestEnv, file: &str) -> Ended {
    run(env, &["generate", "--network", "TRD Lab", "--network", "TRD Nurses", "--write", file, "--yes", "-vv"])
}

/// The lines of a file of passwords: network and password.
fn shown(env: &TestEnv, file: &str) -> Vec<(String, String)> {
    let ended = run(env, &["show", file]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let line = |line: &str| line.rsplit_once("  ").map(|(label, password)| (label.to_owned(), password.to_owned()));
    ended.stdout.lines().filter_map(line).collect()
}

fn everything_on_disk(env: &TestEnv) -> String {
    let runs = env.dir.path().join(".dectl/runs");
    let files = std::fs::read_dir(runs).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    files.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

#[test]
fn nothing_is_generated_that_would_not_be_seen() {
    let env = TestEnv::new();
    let before = env.counters().requests;
    for (arguments, words) in [
        (&["generate", "--yes", "--write", "p.age"][..], "--network"),
        (&["generate", "--network", "TRD*", "--write", "p.age"], "--yes"),
        (&["generate", "--network", "TRD*", "--yes"], "on a terminal only"),
    ] {
        let ended = run(&env, arguments);
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{arguments:?}");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let ended = env.run(&["password", "generate", "--network", "TRD*", "--yes", "--write", "p.age"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("never plain text"), "{}", ended.stderr);
    assert_eq!(env.counters().requests, before);
    let ended = run(&env, &["generate", "--network", "Nowhere", "--yes", "--write", "p.age"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(!env.dir.path().join("p.age").exists());
}

#[test]
fn passwords_are_written_to_an_encrypted_file_and_nowhere_else() {
    let env = TestEnv::new();
    let ended = generate(&env, "p.age");
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 passwords generated; `dectl password show p.age` shows them"), "{}", ended.stderr);
    let passwords = shown(&env, "p.age");
    let labels: Vec<&str> = passwords.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["TRD Lab (Trondheim Clinic)", "TRD Nurses (Trondheim Clinic)"]);
    let file = std::fs::read(env.dir.path().join("p.age")).expect("a file");
    for (_, password) in &passwords {
        assert_eq!(password.len(), 16);
        assert!(!String::from_utf8_lossy(&file).contains(password.as_str()));
        assert!(!ended.stderr.contains(password.as_str()) && !everything_on_disk(&env).contains(password.as_str()));
    }
    let journal = everything_on_disk(&env);
    let events = ["passwordRequested", "passwordEnded", "runFinished"];
    assert_eq!(events.map(|event| journal.matches(event).count()), [2, 2, 1], "{journal}");
    // Not with another key, and never over a file that is there.
    let other: Ended =
        env.command(&["password", "show", "p.age"]).env("DECTL_PLAN_KEY", "another").output().expect("it runs").into();
    assert!(other.code == Some(1) && other.stderr.contains("cannot be decrypted"), "{}", other.stderr);
    let again = generate(&env, "p.age");
    assert!(again.code == Some(1) && again.stderr.contains("never overwritten"), "{}", again.stderr);
    assert_eq!(shown(&env, "p.age"), passwords);
    // It is listed, and cannot be undone.
    let runs = env.run(&["runs"]).stdout;
    assert!(runs.contains("2 of 2 networks written"), "{runs}");
    let run_name = runs.split_whitespace().next().expect("a run");
    let undone = env.run(&["undo", run_name, "--yes"]);
    assert!(undone.code == Some(1) && undone.stderr.contains("cannot be taken back"), "{}", undone.stderr);
}

#[test]
fn a_lost_response_is_unknown_and_never_repeated() {
    let env = TestEnv::new();
    let start = env.counters().requests;
    // The list, and the first of two.
    env.set_faults(FaultConfig { fault_at: Some((start + 2, RequestFault::ResetAfter)), ..FaultConfig::default() });
    let ended = generate(&env, "p.age");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("unknown whether a password was generated"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 password generated, 1 unknown"), "{}", ended.stderr);
    assert_eq!(env.counters().requests - start, 3);
    assert_eq!(shown(&env, "p.age").len(), 1);
}

#[test]
fn what_is_refused_leaves_the_password_as_it_was() {
    let env = TestEnv::new();
    let start = env.counters().requests;
    env.set_faults(FaultConfig { fault_at: Some((start + 3, RequestFault::Status(400))), ..FaultConfig::default() });
    let ended = generate(&env, "p.age");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 password generated, 1 failed"), "{}", ended.stderr);
    assert_eq!(shown(&env, "p.age").len(), 1);
    // What pushes back is asked again.
    env.set_faults(FaultConfig {
        fault_at: Some((env.counters().requests + 2, RequestFault::Status(429))),
        ..FaultConfig::default()
    });
    let ended = generate(&env, "q.age");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(shown(&env, "q.age").len(), 2);
}

#[test]
fn an_undo_of_the_last_run_does_not_pass_over_generated_passwords() {
    let env = TestEnv::new();
    assert_eq!(generate(&env, "p.age").code, Some(0));
    let only = env.run(&["undo", "last", "--yes"]);
    assert_eq!(only.code, Some(1), "{}", only.stdout);
    assert!(only.stderr.contains("has generated passwords, which cannot be taken back"), "{}", only.stderr);
    env.write(
        "f.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, serviceabilityPassword: enabled }] }]\n",
    );
    let applied = env.run(&["apply", "f.yaml", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert_eq!(generate(&env, "q.age").code, Some(0));
    let writes = env.counters().writes;
    let last = env.run(&["undo", "last", "--yes"]);
    assert_eq!(last.code, Some(1), "{}", last.stdout);
    assert!(last.stderr.contains("name another run"), "{}", last.stderr);
    assert_eq!(env.counters().writes, writes);
}

#[test]
fn passwords_are_shown_as_text_alone() {
    let env = TestEnv::new();
    assert_eq!(generate(&env, "p.age").code, Some(0));
    for format in ["json", "markdown", "diff"] {
        let ended = run(&env, &["show", "p.age", "-o", format]);
        assert_eq!(ended.code, Some(1), "{format}: {}", ended.stdout);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("possible values: text") && !said.contains("Trondheim"), "{said}");
    }
}
