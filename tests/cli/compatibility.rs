//! What files of a newer version are answered with.

use crate::harness::TestEnv;

const FILE: &str = "version: 1\nlocations: [{ name: Oslo HQ, networks: [{ name: HQ Kitchen, displayName: Kit }] }]\n";

#[test]
fn a_newer_file_is_refused_instead_of_read_in_part() {
    let env = TestEnv::new();
    for (text, expected) in [
        (FILE.replace("version: 1", "version: 2"), "unsupported version"),
        (FILE.replace("displayName: Kit", "displayName: Kit, ringTone: 3"), "unknown-field"),
        (FILE.replace("version: 1", "version: 1\nschedule: []"), "unknown-field"),
    ] {
        env.write("d.yaml", &text);
        let ended = env.run(&["apply", "d.yaml", "--yes"]);
        assert!(ended.code == Some(1) && ended.stderr.contains(expected), "{text}\n{}", ended.stderr);
    }
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn a_newer_saved_plan_is_refused() {
    let env = TestEnv::new();
    env.write("d.yaml", FILE);
    assert_eq!(env.run(&["plan", "d.yaml", "--out", "p.json"]).code, Some(0));
    let path = env.dir.path().join("p.json");
    let plan = std::fs::read_to_string(&path).expect("a plan");
    std::fs::write(&path, plan.replace("\"formatVersion\": 1", "\"formatVersion\": 2")).expect("it is written");
    for command in [&["apply", "--plan", "p.json", "--yes"][..], &["show", "p.json"], &["rehearse", "--plan", "p.json"]]
    {
        let ended = env.run(command);
        assert!(ended.code == Some(1) && ended.stderr.contains("create a new plan"), "{command:?}\n{}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn a_newer_journal_is_named_and_the_others_are_shown() {
    let env = TestEnv::new();
    env.write("d.yaml", FILE);
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    env.write("d.yaml", &FILE.replace("Kit }", "Kitchen }"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let runs = env.run(&["runs", "-o", "json"]).json();
    let newest = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    let path = env.dir.path().join(format!(".dectl/runs/{newest}.jsonl"));
    let journal = std::fs::read_to_string(&path).expect("a journal");
    std::fs::write(&path, journal.replacen("\"formatVersion\":1", "\"formatVersion\":2", 1)).expect("it is written");
    let shown = env.run(&["runs"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let said = format!("{}{}", shown.stdout, shown.stderr);
    assert!(said.contains("format version 2") && shown.stdout.contains("apply d.yaml"), "{said}");
    let undone = env.run(&["undo", &newest, "--yes"]);
    assert!(undone.code == Some(1) && undone.stderr.contains("format version 2"), "{}", undone.stderr);
    assert_eq!(env.counters().writes, 2);
}
