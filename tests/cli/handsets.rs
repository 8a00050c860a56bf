//! Handsets: added, updated, reassigned and removed, with their lines.

use std::time::Duration;

use dectl::simulator::{FaultConfig, Quirk, RequestFault, SimulatedState, Snapshot};
use serde_json::{Value, json};

use crate::harness::{Ended, TestEnv};

/// An organization whose base stations need no time, and an interval to match.
fn quick() -> TestEnv {
    let env = TestEnv::new();
    env.set_faults(FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
    env
}

fn violations(env: &TestEnv) -> Value {
    env.simulated.lock().expect("no panic in the server").violations()
}

/// A file about the handsets of one network of Trondheim Clinic.
fn lab(handsets: &str) -> String {
    format!(
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - name: TRD Lab\n        handsets:\n{handsets}"
    )
}

/// The handsets of a network: name, and the extensions of its lines.
fn handsets(env: &TestEnv, network: &str) -> Vec<(String, Vec<String>)> {
    env.write("all.yaml", "");
    let export = env.run(&["export", "--include", "handsets", "--location", "Trondheim*", "-o", "csv"]);
    assert_eq!(export.code, Some(0), "{}", export.stderr);
    let mut rows = csv_rows(&export.stdout);
    rows.retain(|row| row["network"] == network);
    let of = |row: &Value| {
        let lines = ["line1", "line2"]
            .iter()
            .filter_map(|line| row[*line].as_str())
            .filter(|line| !["", "none"].contains(line));
        (row["customDisplayName"].as_str().unwrap_or_default().to_owned(), lines.map(str::to_owned).collect())
    };
    rows.iter().map(of).collect()
}

fn csv_rows(text: &str) -> Vec<Value> {
    let mut lines = text.lines();
    let headings: Vec<&str> = lines.next().expect("headings").split(',').collect();
    let row = |line: &str| {
        let cells = line.split(',').map(|cell| Value::from(cell.trim_matches('\'')));
        headings.iter().map(ToString::to_string).zip(cells).collect::<serde_json::Map<_, _>>().into()
    };
    lines.map(row).collect()
}

#[track_caller]
fn apply(env: &TestEnv, arguments: &[&str]) -> Ended {
    let mut all = vec!["apply", "--yes", "--handset-interval", "0s"];
    all.extend(arguments);
    env.run(&all)
}

#[track_caller]
fn applied(env: &TestEnv, arguments: &[&str]) -> u64 {
    let before = env.counters().requests;
    let ended = apply(env, arguments);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let requests = env.counters().requests - before;
    let again = apply(env, arguments);
    assert!(again.stdout.contains("nothing to do"), "{}\n{}", again.stdout, again.stderr);
    requests
}

#[track_caller]
fn refused(env: &TestEnv, file: &str) -> String {
    let writes = env.counters().writes;
    env.write("refused.yaml", file);
    let ended = apply(env, &["refused.yaml"]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(env.counters().writes, writes, "nothing is sent");
    ended.stderr
}

#[test]
fn handsets_are_added_with_their_lines_in_one_request() {
    let env = quick();
    env.write(
        "add.yaml",
        &lab(
            "          - {line1: \"1541\", customDisplayName: Lab A}\n          - {line1: 1542, line2: \"1651\", customDisplayName: Lab B}\n",
        ),
    );
    // A list of networks and of handsets, two pages of members, of which the second one is empty; one write; two lists at
    // the end.
    assert_eq!(applied(&env, &["add.yaml"]), 7);
    let all = handsets(&env, "TRD Lab");
    assert!(all.contains(&("Lab A".to_owned(), vec!["1541".to_owned()])), "{all:?}");
    assert!(all.contains(&("Lab B".to_owned(), vec!["1542".to_owned(), "1651".to_owned()])), "{all:?}");
    assert_eq!(all.len(), 10, "the others are untouched");
}

#[test]
fn an_update_keeps_the_second_line_unless_it_is_null() {
    let env = quick();
    let add = "          - {line1: \"1541\", line2: \"1542\", customDisplayName: Lab A}\n";
    env.write("add.yaml", &lab(add));
    applied(&env, &["add.yaml"]);
    env.write("name.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab Z}\n"));
    applied(&env, &["name.yaml"]);
    assert!(handsets(&env, "TRD Lab").contains(&("Lab Z".to_owned(), vec!["1541".to_owned(), "1542".to_owned()])));
    env.write("line.yaml", &lab("          - {line1: \"1541\", line2: null}\n"));
    applied(&env, &["line.yaml"]);
    assert!(handsets(&env, "TRD Lab").contains(&("Lab Z".to_owned(), vec!["1541".to_owned()])));
    env.write("new.yaml", &lab("          - {line1: \"1543\", reassignedFrom: \"1541\"}\n"));
    applied(&env, &["new.yaml"]);
    assert!(handsets(&env, "TRD Lab").contains(&("Lab Z".to_owned(), vec!["1543".to_owned()])));
    assert_eq!(handsets(&env, "TRD Lab").len(), 9, "it is one handset all the time");
    assert_eq!(violations(&env), json!({ "violations": [] }));
}

#[test]
fn removals_are_counted_and_sent_together() {
    let env = quick();
    let absent: String =
        (2001..=2003).map(|line| format!("          - {{line1: \"{line}\", state: absent}}\n")).collect();
    env.write("remove.yaml", &lab(&absent));
    let ended = apply(&env, &["remove.yaml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("refusing to delete 3 handsets; pass --max-deletes 3"), "{}", ended.stderr);
    let before = env.counters().writes;
    let ended = apply(&env, &["remove.yaml", "--max-deletes", "3"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!((env.counters().writes - before, handsets(&env, "TRD Lab").len()), (1, 5));
    assert!(ended.stdout.contains("calling in the Webex apps is switched on again"), "{}", ended.stdout);
    let again = apply(&env, &["remove.yaml"]);
    assert!(again.stdout.contains("nothing to remove"), "{}", again.stdout);
    assert_eq!(violations(&env), json!({ "violations": [] }));
}

#[test]
fn a_person_who_may_lose_the_apps_is_named_before_the_first_write() {
    let env = quick();
    env.write("add.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n"));
    let plan = env.run(&["plan", "add.yaml"]);
    assert!(
        plan.stdout.contains("1 person on line 1 of a handset") && plan.stdout.contains("1541 "),
        "{}",
        plan.stdout
    );
    let json = env.run(&["plan", "add.yaml", "-o", "json"]).json();
    assert_eq!(json["licences"]["peopleAdded"].as_array().map(Vec::len), Some(1), "{json}");
    for format in ["markdown", "html", "diff"] {
        let plan = env.run(&["plan", "add.yaml", "-o", format]);
        assert!(plan.stdout.contains("Standard licence"), "{}", plan.stdout);
    }
    env.write("desk.yaml", &lab("          - {line1: \"1601\", customDisplayName: Desk}\n"));
    assert!(!env.run(&["plan", "desk.yaml"]).stdout.contains("licence"), "a workspace has no apps");
}

#[test]
fn mistakes_are_found_before_the_first_write_all_at_once() {
    let env = quick();
    let text = refused(
        &env,
        &lab(
            "          - {line1: \"1540\", customDisplayName: A}\n          - {line1: \"1651\", customDisplayName: B}\n          \
             - {line1: \"1541\"}\n          - {line1: {extension: \"1541\", location: Nowhere}, customDisplayName: D}\n          \
             - {id: foo, customDisplayName: E}\n          - {line1: \"1542\", customDisplayName: Handset 2001}\n",
        ),
    );
    for part in [
        "line 1 1540 is not among the members that Webex offers",
        "did you mean",
        "is a virtual line, which can only be line 2",
        "adding a handset with line 1 1541 requires `customDisplayName`",
        "no location is named \"Nowhere\"",
        "no handset of \"TRD Lab\" has this id",
        "an unmanaged handset with line 1 2001 has this name",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let text = refused(
        &env,
        &lab(
            "          - {line1: \"1541\", customDisplayName: A}\n          - {line1: \"1541\", customDisplayName: A}\n",
        ),
    );
    assert!(text.contains("two entries mean the same handset"), "{text}");
    let text = refused(
        &env,
        &lab(
            "          - {line1: \"1e5x\", customDisplayName: A}\n          - {customDisplayName: B}\n          - {line1: \"1\", customDisplayName: 12345678901234567}\n",
        ),
    );
    for part in ["is neither an extension", "requires a `line1` or an `id`"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn two_lines_at_once_may_be_refused() {
    refuse_two_lines(false);
}

#[test]
fn one_handset_with_two_lines_may_make_the_whole_request_fail() {
    refuse_two_lines(true);
}

fn refuse_two_lines(refuse_whole_requests: bool) {
    let env = quick();
    env.set_faults(FaultConfig {
        refuse_second_line: true,
        refuse_whole_requests,
        handset_interval: Duration::ZERO,
        ..FaultConfig::default()
    });
    let add: String = (1541..=1543)
        .map(|line| format!("          - {{line1: \"{line}\", line2: \"1601\", customDisplayName: Lab {line}}}\n"))
        .collect();
    env.write("add.yaml", &lab(&format!("{add}          - {{line1: \"1544\", customDisplayName: Lab 1544}}\n")));
    let before = env.counters().writes;
    applied(&env, &["add.yaml"]);
    // All at once, the refused ones with their first line, and a second line each. A refused request writes nothing.
    assert_eq!(env.counters().writes - before, if refuse_whole_requests { 1 + 3 } else { 2 + 3 });
    for line in 1541..=1543 {
        let wanted = (format!("Lab {line}"), vec![line.to_string(), "1601".to_owned()]);
        assert!(handsets(&env, "TRD Lab").contains(&wanted));
    }
    // Everything goes again with an undo.
    let ended = env.run(&["undo", "last", "--yes", "--max-deletes", "4", "--handset-interval", "0s"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(handsets(&env, "TRD Lab").len(), 8);
}

#[test]
fn pages_of_members_may_be_shorter_than_asked_for() {
    let env = quick();
    let members_page = Some(7);
    env.set_faults(FaultConfig { handset_interval: Duration::ZERO, members_page, ..FaultConfig::default() });
    env.write("add.yaml", &lab("          - {line1: \"1541\", line2: \"1601\", customDisplayName: Lab A}\n"));
    applied(&env, &["add.yaml"]);
    let wanted = ("Lab A".to_owned(), vec!["1541".to_owned(), "1601".to_owned()]);
    assert!(handsets(&env, "TRD Lab").contains(&wanted));
}

#[test]
fn two_applies_at_once_add_nothing_twice() {
    let env = quick();
    for round in 1541..=1544 {
        let name = format!("Lab {round}");
        env.write("add.yaml", &lab(&format!("          - {{line1: \"{round}\", customDisplayName: {name}}}\n")));
        let ended = std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| apply(&env, &["add.yaml"])));
            both.map(|one| one.join().expect("a run"))
        });
        assert_eq!(handsets(&env, "TRD Lab").iter().filter(|(other, _)| *other == name).count(), 1);
        for ended in ended {
            let refused = ["is applying a plan to", "has changed the same organization"];
            let is_refused = ended.code == Some(1) && refused.iter().any(|words| ended.stderr.contains(words));
            assert!(is_refused || ended.code == Some(0), "{}\n{}", ended.stdout, ended.stderr);
        }
    }
}

#[test]
fn a_refused_item_names_the_member_and_the_others_are_added() {
    let env = quick();
    env.write(
        "add.yaml",
        &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n          - {line1: \"1542\", customDisplayName: Lab B}\n"),
    );
    assert_eq!(env.run(&["plan", "add.yaml", "--out", "p.json"]).code, Some(0));
    // Meanwhile the member of 1542 is gone: the saved plan has another id.
    let plan = std::fs::read_to_string(env.dir.path().join("p.json")).expect("a plan");
    assert!(plan.contains("\"1542\""), "{plan}");
    let ended = apply(&env, &["--plan", "p.json"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn a_lost_response_never_adds_a_handset_twice() {
    for fault in [RequestFault::ResetAfter, RequestFault::AppliedThenStatus(503), RequestFault::Truncated] {
        let env = quick();
        env.write("add.yaml", &lab("          - {line1: \"1541\", line2: \"1542\", customDisplayName: Lab A}\n"));
        // The list, its handsets, the members, and then the write.
        let fault_at = Some((4, fault));
        env.set_faults(FaultConfig { fault_at, handset_interval: Duration::ZERO, ..FaultConfig::default() });
        let ended = env.run(&["apply", "--yes", "--handset-interval", "2s", "add.yaml"]);
        assert_eq!(ended.code, Some(0), "{fault:?}: {}\n{}", ended.stdout, ended.stderr);
        assert_eq!(handsets(&env, "TRD Lab").len(), 9, "{fault:?}");
    }
}

#[test]
fn changes_are_undone() {
    let env = quick();
    let before = handsets(&env, "TRD Lab");
    let file = lab(
        "          - {line1: \"1541\", customDisplayName: Lab A}\n          - {line1: \"2001\", line2: \"1542\", customDisplayName: Lab B}\n          \
         - {line1: \"2002\", state: absent}\n",
    );
    env.write("change.yaml", &file);
    let ended = apply(&env, &["change.yaml", "--max-deletes", "1"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert_ne!(handsets(&env, "TRD Lab"), before);
    let ended = env.run(&["undo", "last", "--yes", "--max-deletes", "1", "--handset-interval", "0s"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("must be paired again"), "{}", ended.stdout);
    let sorted = |mut handsets: Vec<(String, Vec<String>)>| {
        handsets.sort();
        handsets
    };
    assert_eq!(sorted(handsets(&env, "TRD Lab")), sorted(before));
    assert_eq!(violations(&env), json!({ "violations": [] }));
}

#[test]
fn an_installers_table_of_handsets_is_read() {
    let env = quick();
    env.write(
        "t.csv",
        "location;network;line1;line2;customDisplayName\nTrondheim Clinic;trd lab;1541;1542;Lab A\nTrondheim Clinic;TRD Lab;'1543;none;Lab B\n",
    );
    assert_eq!(applied(&env, &["t.csv"]), 7);
    assert!(handsets(&env, "TRD Lab").contains(&("Lab B".to_owned(), vec!["1543".to_owned()])));
    env.write(
        "bad.csv",
        "location,network,line1,customDisplayName\nTrondheim Clinic,TRD Lab,4.72E+10,X\nTrondheim Clinic,TRD Lab,,Y\n",
    );
    let ended = apply(&env, &["bad.csv"]);
    assert_eq!(ended.code, Some(1));
    for part in ["row 2, column line1: `line1` is a number in scientific notation", "row 3, column line1"] {
        assert!(ended.stderr.contains(part), "{part}\n{}", ended.stderr);
    }
}

#[test]
fn the_export_of_handsets_is_nothing_to_do() {
    let env = quick();
    env.write("add.yaml", &lab("          - {line1: \"1541\", line2: \"1651\", customDisplayName: \"42\"}\n"));
    applied(&env, &["add.yaml"]);
    for format in ["text", "csv"] {
        let export = env.run(&["export", "--include", "handsets", "-o", format]);
        assert_eq!(export.code, Some(0), "{}", export.stderr);
        let name = if format == "csv" { "export.csv" } else { "export.yaml" };
        env.write(name, &export.stdout);
        let plan = env.run(&["plan", name]);
        assert!(plan.stdout.contains("nothing to do"), "{}\n{}", plan.stdout, plan.stderr);
        assert!(!export.stdout.contains("accessCode\":"), "codes of handsets are never read");
    }
    let export = env.run(&["export", "--include", "base-stations,handsets"]);
    env.write("both.yaml", &export.stdout);
    let plan = env.run(&["plan", "both.yaml", "--strict"]);
    assert!(plan.stdout.contains("nothing to do"), "{}\n{}", plan.stdout, plan.stderr);
    assert_eq!(env.run(&["export", "--include", "base-stations,handsets", "-o", "csv"]).code, Some(1));
}

#[test]
fn the_interval_holds_across_runs_and_blocks_no_other_network() {
    let env = TestEnv::new();
    env.set_faults(FaultConfig { handset_interval: Duration::from_secs(2), ..FaultConfig::default() });
    let network = |name: &str, line: u32| {
        format!(
            "      - name: {name}\n        handsets:\n          - {{line1: \"{line}\", customDisplayName: New {line}}}\n"
        )
    };
    let file =
        |networks: String| format!("version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n{networks}");
    env.write("one.yaml", &file(network("TRD Lab", 1541)));
    env.write("two.yaml", &file(network("TRD Lab", 1542) + &network("TRD Nurses", 1543)));
    for name in ["one.yaml", "two.yaml"] {
        let ended = env.run(&["apply", "--yes", "--handset-interval", "2s", name]);
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
        if name == "two.yaml" {
            assert!(ended.stderr.contains("between changes of handsets"), "{}", ended.stderr);
        }
    }
    assert_eq!(violations(&env), json!({ "violations": [] }), "the second run waits for the first one");
    // The other network did not wait: its request comes first.
    let requests = env.simulated.lock().expect("no panic in the server").requests();
    let writes = requests["requests"].as_array().expect("a list").iter().filter(|one| one["method"] == "POST");
    let paths: Vec<&str> = writes.map(|one| one["path"].as_str().expect("a path")).collect();
    assert!(paths[0] == paths[2] && paths[1] != paths[0], "{paths:?}");
}

#[test]
fn a_wait_that_would_pass_the_window_is_not_begun() {
    let env = TestEnv::new();
    let many: String =
        (1541..=1590).map(|line| format!("          - {{line1: \"{line}\", customDisplayName: L {line}}}\n")).collect();
    // A name that two handsets have needs two requests.
    let twice = "          - {line1: \"1601\", customDisplayName: L 1541}\n";
    env.write("two.yaml", &(lab(&many).replace("TRD Lab", "TRD Nurses") + twice));
    let plan = env.run(&["plan", "two.yaml"]);
    assert!(plan.stdout.contains("51 handsets to add · 2 writes, at least 90 s"), "{}", plan.stdout);
    let until = jiff::ZonedDateTime::now() + Duration::from_secs(180);
    let until = until.strftime("%Y-%m-%dT%H:%M").to_string();
    let ended = env.run(&["apply", "--yes", "--until", &until, "--handset-interval", "1h", "two.yaml"]);
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("would pass --until"), "{}", ended.stdout);
}

#[test]
fn handsets_are_renamed_by_a_template_over_the_fleet() {
    let env = quick();
    let template = "{{ line1.extension }} {{ line1.lastName|truncate(3) }}";
    let rename = |more: &[&str]| {
        let mut all =
            vec!["rename", "--field", "customDisplayName", r"Handset \d+", template, "--location", "Trondheim*"];
        all.extend(more);
        env.run(&all)
    };
    let before = env.counters();
    let plan = rename(&["--out", "p.json"]);
    assert_eq!(plan.code, Some(0), "{}\n{}", plan.stdout, plan.stderr);
    assert_eq!(env.counters().requests - before.requests, 1 + 3, "one list, and one for each network");
    assert!(plan.stdout.contains("47 handsets to update · 47 writes\n"), "{}", plan.stdout);
    assert!(plan.stdout.contains("`truncate` has shortened names"), "{}", plan.stdout);
    let written = rename(&["--write", "names.yaml"]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let ended = rename(&["--yes"]);
    assert_eq!(ended.code, Some(1), "more than 30 % of the handsets that were read: {}", ended.stdout);
    let ended = rename(&["--yes", "--max-changes", "47"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(handsets(&env, "TRD Lab").iter().all(|(name, lines)| name.starts_with(&lines[0])));
    assert!(env.run(&["plan", "names.yaml"]).stdout.contains("nothing to do"));
    // Names alone need no time between them, and nothing matches any more.
    assert_eq!(violations(&env), json!({ "violations": [] }));
    let again = rename(&["--yes"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("no handset matches"), "{}", again.stderr);
    for wrong in [
        vec!["(", "x"],
        vec![".*", "{{ lin1.extension }}"],
        vec![".*", "{{ name"],
        vec![".*", "a name that is far too long"],
    ] {
        let mut all = vec!["rename", "--yes", "--field", "customDisplayName"];
        all.extend(wrong);
        let ended = env.run(&all);
        assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    }
    assert_eq!(env.run(&["rename", "--field", "customDisplayName", "--field", "name", ".*", "x"]).code, Some(1));
}

#[test]
fn codes_of_handsets_are_nowhere_and_names_are_not_in_logs() {
    let env = quick();
    env.write("add.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n"));
    let ended = apply(&env, &["add.yaml", "-v", "--log-format", "json"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let export = env.run(&["export", "--include", "handsets"]).stdout;
    let networks = env.networks();
    let codes: Vec<String> = networks
        .iter()
        .flat_map(|network| network["handsets"].as_array().cloned().unwrap_or_default())
        .filter_map(|handset| handset["accessCode"].as_str().map(str::to_owned))
        // The others may be extensions, or codes of networks.
        .filter(|code| code.as_str() > "5000")
        .collect();
    assert!(codes.len() > 8);
    let journal = std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("journals");
    let journal: String =
        journal.filter_map(|file| std::fs::read_to_string(file.expect("a file").path()).ok()).collect();
    for code in &codes {
        for text in [&ended.stdout, &ended.stderr, &export, &journal] {
            let quoted = format!("\"{code}\"");
            assert!(!text.contains(&quoted) && !text.contains("accessCode"), "{code}\n{text}");
        }
    }
    let person = ended.stdout.split("1541 ").nth(1).and_then(|rest| rest.lines().next()).expect("a person");
    let surname = person.split_whitespace().nth(1).expect("a surname");
    assert!(!ended.stderr.contains(surname), "{surname}: {}", ended.stderr);
}

/// The id of the handset of "TRD Lab" with this name.
fn handset_id(env: &TestEnv, name: &str) -> String {
    // A handset has an id from the first time that it is listed.
    assert!(handsets(env, "TRD Lab").iter().any(|(listed, _)| listed == name));
    let networks = env.networks();
    let lab = networks.iter().find(|network| network["name"] == "TRD Lab").expect("the network");
    let all = lab["handsets"].as_array().expect("a list");
    let it = all.iter().find(|handset| handset["customDisplayName"] == name || handset["name"] == name);
    it.unwrap_or_else(|| panic!("{name} in {all:?}"))["id"].as_str().expect("an id").to_owned()
}

#[test]
fn entries_are_told_apart_by_elimination() {
    let env = quick();
    let before = handsets(&env, "TRD Lab");
    // Lines go round: each former line is another entry's new one.
    let ring = lab(
        "          - {line1: \"2002\", reassignedFrom: \"2001\"}\n          - {line1: \"2003\", reassignedFrom: \"2002\"}\n          \
         - {line1: \"1541\", reassignedFrom: \"2003\"}\n",
    );
    env.write("ring.yaml", &ring);
    applied(&env, &["ring.yaml"]);
    let after = handsets(&env, "TRD Lab");
    let lines = |handsets: &[(String, Vec<String>)], name: &str| {
        handsets.iter().find(|(found, _)| found == name).expect("the handset").1.clone()
    };
    for (name, line) in [("Handset 2001", "2002"), ("Handset 2002", "2003"), ("Handset 2003", "1541")] {
        assert_eq!(lines(&after, name), [line], "{name}");
    }
    assert_eq!(after.len(), before.len());
    // The same line is there and to be removed.
    let text = refused(
        &env,
        &lab("          - {line1: \"2002\", customDisplayName: X}\n          - {line1: \"2002\", state: absent}\n"),
    );
    assert!(text.contains("2002"), "{text}");
    // What goes by id and by its line and name is one handset.
    let id = handset_id(&env, "Handset 2004");
    let text = refused(
        &env,
        &lab(&format!(
            "          - {{id: {id}, customDisplayName: New}}\n          - {{line1: \"2004\", customDisplayName: New}}\n"
        )),
    );
    assert!(text.contains("two entries mean the same handset"), "{text}");
}

#[test]
fn identical_entries_are_found_without_webex() {
    let env = quick();
    let id = handset_id(&env, "Handset 2004");
    env.write(
        "twice.yaml",
        &lab(&format!(
            "          - {{line1: \"1541\", customDisplayName: A}}\n          - {{line1: \"1541\", customDisplayName: A}}\n          \
             - {{id: {id}}}\n          - {{id: {id}, customDisplayName: B}}\n"
        )),
    );
    let requests = env.counters().requests;
    let ended = env.run(&["validate", "twice.yaml"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let text = ended.stdout + &ended.stderr;
    assert_eq!(text.matches("two entries mean the same handset").count(), 2, "{text}");
    assert_eq!(env.counters().requests, requests);
}

#[test]
fn a_handset_of_another_client_is_no_result_of_a_saved_plan() {
    let env = quick();
    env.write("add.yaml", &lab("          - {line1: \"1541\", line2: \"1542\", customDisplayName: Lab A}\n"));
    assert_eq!(env.run(&["plan", "add.yaml", "--out", "p.json"]).code, Some(0));
    env.write("other.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab Other}\n"));
    applied(&env, &["other.yaml"]);
    let writes = env.counters().writes;
    let ended = apply(&env, &["--plan", "p.json"]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("now also has handset Lab Other (1541)"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, writes);
    // The first line of what is to be added is no foreign handset: the second line follows.
    env.write("undo.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab Other, state: absent}\n"));
    assert_eq!(apply(&env, &["undo.yaml", "--max-deletes", "1"]).code, Some(0));
    env.write("half.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n"));
    applied(&env, &["half.yaml"]);
    let ended = apply(&env, &["--plan", "p.json"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let wanted = ("Lab A".to_owned(), vec!["1541".to_owned(), "1542".to_owned()]);
    assert!(handsets(&env, "TRD Lab").contains(&wanted));
    assert_eq!(handsets(&env, "TRD Lab").len(), 9);
}

#[test]
fn an_undo_leaves_alone_what_it_cannot_tell_apart() {
    let env = quick();
    // A second handset of the member and the name of another: only an id can tell them apart.
    let id = handset_id(&env, "Handset 2002");
    env.write(
        "twin.yaml",
        &lab(&format!("          - {{id: {id}, line1: \"2001\", customDisplayName: Handset 2001}}\n")),
    );
    let ended = apply(&env, &["twin.yaml"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    env.write(
        "remove.yaml",
        &lab(&format!("          - {{id: {id}, state: absent}}\n          - {{line1: \"2003\", state: absent}}\n")),
    );
    let ended = apply(&env, &["remove.yaml", "--max-deletes", "2"]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let ended = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    let text = ended.stdout + &ended.stderr;
    assert!(text.contains("has the same line and name; add it in Control Hub"), "{text}");
    let all = handsets(&env, "TRD Lab");
    assert!(all.iter().any(|(name, _)| name == "Handset 2003"), "{text}\n{all:?}");
    // An added handset that was changed since is not removed.
    env.write("add.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n"));
    assert_eq!(apply(&env, &["add.yaml"]).code, Some(0));
    let run = env.run(&["runs", "-o", "json"]).stdout;
    let runs: Value = serde_json::from_str(&run).expect("a document");
    let newest = runs["runs"][0]["run"].as_str().or(runs["runs"][0]["id"].as_str()).expect("a run").to_owned();
    env.write("line2.yaml", &lab("          - {line1: \"1541\", line2: \"1542\"}\n"));
    applied(&env, &["line2.yaml"]);
    let ended = env.run(&["undo", &newest, "--yes", "--max-deletes", "1", "--handset-interval", "0s"]);
    let text = ended.stdout + &ended.stderr;
    assert!(text.contains("its name or its lines changed since the run"), "{text}");
    assert!(handsets(&env, "TRD Lab").iter().any(|(name, _)| name == "Lab A"), "{text}");
}

#[test]
fn the_licence_note_of_a_result_is_about_what_was_applied() {
    let env = quick();
    // A second handset of a person who has one changes nothing for the licence.
    env.write("second.yaml", &lab("          - {line1: \"2001\", customDisplayName: Second}\n          - {line1: \"2001\", customDisplayName: Handset 2001}\n"));
    let plan = env.run(&["plan", "second.yaml", "-o", "json"]);
    let json: Value = serde_json::from_str(&plan.stdout).expect("a document");
    assert_eq!(json["licences"], json!({ "peopleAdded": [], "peopleRemoved": [] }), "{}", plan.stderr);
    env.write("none.yaml", &lab("          - {line1: \"1549\", customDisplayName: Lab N}\n"));
    for format in ["markdown", "html"] {
        let ended = apply(&env, &["none.yaml", "-o", format]);
        assert_eq!(
            ended.stdout.matches("Standard licence").count(),
            2,
            "of the plan and of the result: {}",
            ended.stdout
        );
        assert_eq!(env.run(&["undo", "last", "--yes", "--max-deletes", "1", "--handset-interval", "0s"]).code, Some(0));
    }
    // A refused addition concerns nobody.
    env.write("add.yaml", &lab("          - {line1: \"1541\", customDisplayName: Lab A}\n"));
    let fault_at = Some((env.counters().requests + 5, RequestFault::Status(400)));
    env.set_faults(FaultConfig { fault_at, handset_interval: Duration::ZERO, ..FaultConfig::default() });
    let ended = apply(&env, &["add.yaml", "-o", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).expect("a document");
    assert_eq!(json["plan"]["licences"]["peopleAdded"].as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!(json["results"][0]["status"], "failed", "{json}");
    assert_eq!(json["licences"]["peopleAdded"], json!([]), "{json}");
    let ended = apply(&env, &["add.yaml", "-o", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).expect("a document");
    assert_eq!(json["licences"]["peopleAdded"].as_array().map(Vec::len), Some(1), "{json}");
}

#[test]
fn a_field_of_a_line_that_does_not_exist_is_reported_once() {
    let env = quick();
    let ended = env.run(&["rename", "--yes", "--field", "customDisplayName", ".*", "{{ line1.lastname }}"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("unknown field \"line1.lastname\""), "{}", ended.stderr);
    assert!(ended.stderr.contains("did you mean \"line1.lastName\""), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("error[").count(), 1, "{}", ended.stderr);
}

#[test]
fn groups_of_a_rename_of_handsets_do_not_hide_its_variables() {
    let env = quick();
    let ended = env.run(&["rename", "--yes", "--field", "customDisplayName", "(?<name>.)(?<n>.*)", "{{ n }}"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("group name \"name\" is reserved"), "{}", ended.stderr);
    assert!(ended.stderr.contains("group name \"n\" is reserved"), "{}", ended.stderr);
}

/// The addition to a network that the killed run has created may still be carried out, so the next run looks late enough.
#[cfg(unix)]
#[test]
fn a_saved_plan_that_was_killed_adds_no_handset_twice_to_the_network_it_created() {
    let mut has_waited = false;
    for k in 1.. {
        let env = quick();
        env.write(
            "new.yaml",
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - name: TRD New\n        model: DBS210\n        \
             defaultAccessCode: \"7310\"\n        handsets:\n          - {line1: \"1541\", customDisplayName: New A}\n",
        );
        assert_eq!(env.run(&["plan", "new.yaml", "--out", "p.json"]).code, Some(0));
        let arguments = ["apply", "--plan", "p.json", "--yes", "--handset-interval", "0s"];
        let killed = env.kill_at(k, RequestFault::NoResponse, "-KILL", &arguments).is_killed();
        let again = env.run(&arguments);
        assert_eq!(again.code, Some(0), "{k}: {}\n{}", again.stdout, again.stderr);
        assert_eq!(handsets(&env, "TRD New"), [("New A".to_owned(), vec!["1541".to_owned()])], "{k}");
        has_waited |= again.stderr.contains("an earlier run may have added handsets");
        if !killed {
            break;
        }
    }
    assert!(has_waited);
}

/// Handsets without the order in which they were added.
fn sorted_handsets(env: &TestEnv, network: &str) -> Vec<(String, Vec<String>)> {
    let mut all = handsets(env, network);
    all.sort();
    all
}

#[test]
fn undo_adds_a_removed_handset_and_leaves_its_twin_of_another_name() {
    let env = quick();
    env.write(
        "two.yaml",
        &lab("          - {line1: \"1541\", line2: \"1651\", customDisplayName: A}\n          - {line1: \"1541\", customDisplayName: B}\n"),
    );
    applied(&env, &["two.yaml"]);
    let before = sorted_handsets(&env, "TRD Lab");
    env.write("rm.yaml", &lab("          - {line1: \"1541\", customDisplayName: A, state: absent}\n"));
    applied(&env, &["rm.yaml", "--max-deletes", "1"]);
    assert_eq!(env.run(&["status", "rm.yaml"]).code, Some(0), "what is gone already is no error");
    let undone = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(sorted_handsets(&env, "TRD Lab"), before);
}

#[test]
fn undo_adds_a_handset_whose_name_another_person_has() {
    let env = quick();
    env.write(
        "two.yaml",
        &lab("          - {line1: \"1541\", customDisplayName: Night}\n          - {line1: \"1542\", customDisplayName: Night}\n"),
    );
    applied(&env, &["two.yaml"]);
    let before = sorted_handsets(&env, "TRD Lab");
    env.write("rm.yaml", &lab("          - {line1: \"1542\", customDisplayName: Night, state: absent}\n"));
    applied(&env, &["rm.yaml", "--max-deletes", "1"]);
    let undone = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(sorted_handsets(&env, "TRD Lab"), before);
}

#[test]
fn absent_entries_claim_nothing_that_another_entry_means() {
    let env = quick();
    env.write(
        "two.yaml",
        &lab("          - {line1: \"1541\", customDisplayName: A}\n          - {line1: \"1541\", customDisplayName: B}\n"),
    );
    applied(&env, &["two.yaml"]);
    // B gets another name in the same file; after the removal of A it is the only one that the entries can mean.
    env.write(
        "rm.yaml",
        &lab("          - {line1: \"1541\", customDisplayName: A, state: absent}\n          - {line1: \"1541\", customDisplayName: C}\n"),
    );
    applied(&env, &["rm.yaml", "--max-deletes", "1"]);
    let left = handsets(&env, "TRD Lab").into_iter().filter(|(_, lines)| lines == &["1541"]);
    assert_eq!(left.map(|(name, _)| name).collect::<Vec<_>>(), ["C"]);
}

#[test]
fn lines_that_have_lost_their_zeros_are_not_gone() {
    let env = quick();
    env.write("t.csv", "location,network,line1,state\nTrondheim Clinic,TRD Lab,0002001,absent\n");
    let refused = apply(&env, &["t.csv", "--max-deletes", "1"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("leading-zeros-lost") && refused.stderr.contains("2001"), "{}", refused.stderr);
    env.write(
        "r.csv",
        "location,network,line1,reassignedFrom,customDisplayName\nTrondheim Clinic,TRD Lab,1541,02001,A\n",
    );
    let refused = apply(&env, &["r.csv"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("leading-zeros-lost"), "{}", refused.stderr);
}

#[test]
fn what_webex_shows_otherwise_is_named_and_no_run_is_advised() {
    let env = quick();
    let faults =
        FaultConfig { quirks: vec![Quirk::Trimmed], handset_interval: Duration::ZERO, ..FaultConfig::default() };
    env.set_faults(faults);
    let export = env.run(&["export", "--include", "handsets", "--location", "Trondheim*", "-o", "csv"]).stdout;
    let rows = csv_rows(&export);
    let row = rows.iter().find(|row| row["network"] == "TRD Lab").expect("a handset");
    let id = row["id"].as_str().expect("an id");
    env.write("t.yaml", &lab(&format!("          - {{id: {id}, customDisplayName: \"Night \"}}\n")));
    let ended = apply(&env, &["t.yaml"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let words = "customDisplayName: requested \"Night␠\", found \"Night\"";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    assert!(!ended.stdout.contains("Re-run") && ended.stdout.contains("shows other values"), "{}", ended.stdout);
}

#[test]
fn a_line_that_moves_to_another_network_is_given_up_first() {
    for (giver, taker) in [("TRD Lab", "TRD Nurses"), ("TRD Nurses", "TRD Lab")] {
        let env = quick();
        let (name, lines) = handsets(&env, giver).into_iter().next().expect("a handset");
        let line = &lines[0];
        env.write(
            "m.yaml",
            &format!(
                "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - name: {giver}\n        handsets: \
                 [{{line1: \"{line}\", customDisplayName: \"{name}\", state: absent}}]\n      - name: {taker}\n        handsets: \
                 [{{line1: \"{line}\", customDisplayName: Moved}}]\n"
            ),
        );
        applied(&env, &["m.yaml", "--max-deletes", "1"]);
        assert!(handsets(&env, taker).iter().any(|(name, _)| name == "Moved"), "{giver} to {taker}");
        let undone = env.run(&["undo", "last", "--yes", "--handset-interval", "0s", "--max-deletes", "1"]);
        assert_eq!(undone.code, Some(0), "{}", undone.stderr);
        assert!(handsets(&env, giver).iter().any(|(_, its)| its[0] == *line), "{giver} to {taker}");
    }
}

/// Two networks exchange handsets: each addition waits for the removal in the other network.
#[test]
fn lines_that_are_exchanged_between_networks_are_given_up_first() {
    let env = quick();
    let (one, other) = ("TRD Lab", "TRD Nurses");
    let first = |network: &str| handsets(&env, network).into_iter().next().expect("a handset");
    let ((name, line), (other_name, other_line)) = (first(one), first(other));
    let network = |network: &str, gone: &str, gone_line: &str, line: &str| {
        format!(
            "      - name: {network}\n        handsets:\n          - {{line1: \"{gone_line}\", customDisplayName: \"{gone}\", \
             state: absent}}\n          - {{line1: \"{line}\", customDisplayName: Came}}\n"
        )
    };
    let networks =
        network(one, &name, &line[0], &other_line[0]) + &network(other, &other_name, &other_line[0], &line[0]);
    env.write("x.yaml", &format!("version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n{networks}"));
    let plan = env.run(&["plan", "x.yaml", "-o", "json"]).json();
    let steps = plan["steps"].as_array().expect("steps");
    let is = |at: usize, action: &str| steps[at]["operation"]["action"] == action;
    assert_eq!(steps.len(), 4, "{plan}");
    assert!(is(0, "delete") && is(1, "delete") && is(2, "create") && is(3, "create"), "{plan}");
    for addition in &steps[2..] {
        let removals = steps[..2].iter().position(|removal| removal["network"] != addition["network"]);
        assert_eq!(addition["dependsOn"], json!([removals.expect("the other network")]), "{plan}");
    }
    applied(&env, &["x.yaml", "--max-deletes", "2"]);
    assert!(handsets(&env, one).iter().any(|(name, lines)| name == "Came" && lines[0] == other_line[0]));
}

/// A server that takes a member on handsets of one network only, and handsets of two networks that exchange second lines.
#[test]
fn second_lines_are_exchanged_by_an_interim_step() {
    let file = |lab: &str, nurses: &str| {
        let entry = |network: &str, line: &str, second: &str| {
            format!(
                "      - name: {network}\n        handsets: [{{line1: \"{line}\", line2: \"{second}\", customDisplayName: New {line}}}]\n"
            )
        };
        let networks = entry("TRD Lab", "1541", lab) + &entry("TRD Nurses", "1542", nurses);
        format!("version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n{networks}")
    };
    let env = quick();
    let interval = Duration::ZERO;
    env.set_faults(FaultConfig { members_of_one_network: true, handset_interval: interval, ..FaultConfig::default() });
    env.write("one.yaml", &file("1551", "1552"));
    env.write("other.yaml", &file("1552", "1551"));
    applied(&env, &["one.yaml"]);
    let plan = env.run(&["plan", "other.yaml"]).stdout;
    let words = "temporarily without its second line until TRD Lab: handset New 1541 (1541, 1551) is updated";
    assert!(plan.contains(words) && plan.contains("3 writes, 1 interim"), "{plan}");
    let steps = env.run(&["plan", "other.yaml", "-o", "json"]).json()["steps"].clone();
    assert_eq!((&steps[0]["kind"], &steps[0]["set"]), (&json!("interim"), &json!({ "line2": null })), "{steps}");
    applied(&env, &["other.yaml"]);
    let second = |network: &str, name: &str| {
        let all = handsets(&env, network);
        all.iter().find(|(its, _)| its == name).map(|(_, lines)| lines[1].clone()).expect("the handset")
    };
    assert_eq!((&*second("TRD Lab", "New 1541"), &*second("TRD Nurses", "New 1542")), ("1552", "1551"));
    let undone = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!((&*second("TRD Lab", "New 1541"), &*second("TRD Nurses", "New 1542")), ("1551", "1552"));
}

#[test]
fn one_network_finds_out_that_two_lines_are_refused() {
    let env = quick();
    let faults = FaultConfig {
        refuse_second_line: true,
        handset_interval: Duration::ZERO,
        latency: dectl::simulator::Latency::Fixed(Duration::from_millis(50)),
        ..FaultConfig::default()
    };
    env.set_faults(faults);
    let network = |name: &str, line: u32| {
        format!(
            "      - name: {name}\n        handsets: [{{line1: \"{line}\", line2: \"1601\", customDisplayName: New {line}}}]\n"
        )
    };
    let networks = network("TRD Lab", 1541) + &network("TRD Nurses", 1542);
    env.write("add.yaml", &format!("version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n{networks}"));
    let before = env.counters().writes;
    applied(&env, &["add.yaml"]);
    // The refused request, and for each network one with the first line and one with the second.
    assert_eq!(env.counters().writes - before, 1 + 2 * 2);
}

#[test]
fn a_plan_counts_what_an_earlier_run_has_left_of_the_interval() {
    let env = quick();
    env.write("d.yaml", &lab("          - { line1: \"1551\", customDisplayName: Nurse A }\n"));
    let plan = |name: &str| env.run(&["plan", name, "-o", "json"]).json()["summary"]["leastMs"].clone();
    assert_eq!(plan("d.yaml"), 0);
    let applied = env.run(&["apply", "d.yaml", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    env.write("d.yaml", &lab("          - { line1: \"1552\", customDisplayName: Nurse B }\n"));
    let left = plan("d.yaml").as_u64().expect("a time");
    assert!((30_000..=90_000).contains(&left), "{left}");
    let elsewhere = env.run(&["plan", "d.yaml", "--journal", "elsewhere", "-o", "json"]).json();
    assert_eq!(elsewhere["summary"]["leastMs"], 0);
}

#[test]
fn an_undo_does_not_take_a_line_that_it_cannot_put_back() {
    let env = quick();
    env.write("two.yaml", &lab("          - {line1: \"2001\", line2: \"1541\"}\n"));
    applied(&env, &["two.yaml"]);
    let id = handset_id(&env, "Handset 2001");
    let added = "      - name: TRD Nurses\n        handsets: [{line1: \"1541\", customDisplayName: New}]\n";
    env.write("run.yaml", &(lab(&format!("          - {{id: {id}, state: absent}}\n")) + added));
    applied(&env, &["run.yaml", "--max-deletes", "1"]);
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a run").to_owned();
    // A handset of the same line and name, without the second line.
    env.write("since.yaml", &lab("          - {line1: \"2001\", customDisplayName: Handset 2001}\n"));
    applied(&env, &["since.yaml"]);
    for filter in [&[][..], &["--network", "TRD Nurses"]] {
        let undo = [&["undo", &run, "--yes", "--max-deletes", "1", "--handset-interval", "0s"], filter].concat();
        let undone = env.run(&undo);
        assert_eq!(undone.code, Some(1), "{}{}", undone.stdout, undone.stderr);
        let said = "handset New (1541) of \"TRD Nurses\" is left alone: it has what cannot be put back where it was";
        assert!(undone.stdout.contains(said), "{}", undone.stdout);
        assert!(handsets(&env, "TRD Nurses").iter().any(|(name, _)| name == "New"));
    }
}

#[test]
fn a_warning_hides_no_limit() {
    let env = TestEnv::with(SimulatedState::generated(1, 4), FaultConfig::default());
    let lines: String =
        (2024..2042).map(|line| format!("          - {{ line1: \"{line}\", customDisplayName: X{line} }}\n")).collect();
    env.write(
        "a.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Hospital 001\n    networks:\n      - name: H001 Ward 1\n        handsets:\n{lines}          \
             - {{ line1: \"2048\", line2: \"2048\", customDisplayName: Z }}\n"
        ),
    );
    let plan = env.run(&["plan", "a.yaml"]);
    assert_eq!(plan.code, Some(1), "{}", plan.stdout);
    assert!(plan.stderr.contains("error[too-many-lines]"), "{}", plan.stderr);
}

#[test]
fn an_export_names_members_by_id_where_their_extension_does_not_tell() {
    let member = |id: &str, extension: &str| {
        json!({
            "id": id, "memberId": id, "firstName": id, "lastName": "X", "memberType": "PEOPLE", "extension": extension,
            "location": { "id": "loc-Oslo", "name": "Oslo" },
        })
    };
    let members = [
        member("member-of-bergen-a", "1500"),
        member("member-of-bergen-b", "1500"),
        member("member-of-bergen-c", "12345678901234567890"),
    ];
    let mut list = json!({ "dectNetworks": [crate::harness::network(0, "Oslo", "Ward", "1111")], "members": members });
    list["dectNetworks"][0]["handsets"] = members
        .iter()
        .enumerate()
        .map(|(at, member)| json!({ "id": format!("handset-{at}"), "customDisplayName": format!("H{at}"), "lines": [member] }))
        .collect();
    let state = Snapshot::read("o.json", list.to_string()).expect("a snapshot").default;
    let env = TestEnv::with(state, FaultConfig::default());
    for (format, file) in [("text", "e.yaml"), ("csv", "e.csv")] {
        let export = env.run(&["export", "--include", "handsets", "-o", format]);
        assert!(
            export.stdout.contains("member-of-bergen-a") && export.stdout.contains("member-of-bergen-c"),
            "{}",
            export.stdout
        );
        env.write(file, &export.stdout);
        let plan = env.run(&["plan", file]);
        assert!(plan.stdout.contains("nothing to do"), "{}{}", plan.stdout, plan.stderr);
    }
}

#[test]
fn a_network_whose_handset_was_changed_since_is_not_deleted() {
    let env = quick();
    let file = |entry: &str| format!("version: 1\nlocations:\n  - name: Stavanger Clinic\n    networks:\n{entry}");
    env.write("new.yaml", &file("      - {name: SVG Ward, model: DBS210, defaultAccessCode: '7711', handsets: [{line1: \"1541\", customDisplayName: Porter}]}\n"));
    applied(&env, &["new.yaml"]);
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    let networks = env.run(&["export", "-o", "json"]).json();
    let networks = networks["dectNetworks"].as_array().expect("networks");
    let id = networks.iter().find(|network| network["name"] == "SVG Ward").expect("it is there")["id"].clone();
    env.write("delete.yaml", &file(&format!("      - {{id: {id}, state: absent}}\n")));
    let saved = env.run(&["plan", "delete.yaml", "--out", "p.json", "--max-deletes", "9"]);
    assert_eq!(saved.code, Some(0), "{}", saved.stderr);
    env.write(
        "other.yaml",
        &file("      - {name: SVG Ward, handsets: [{line1: \"1541\", customDisplayName: ByHand}]}\n"),
    );
    applied(&env, &["other.yaml"]);
    let undone = env.run(&["undo", &run, "--yes", "--max-deletes", "9"]);
    assert_ne!(undone.code, Some(0), "{}", undone.stdout);
    assert!(undone.stdout.contains("SVG Ward is left alone") && undone.stdout.contains("ByHand"), "{}", undone.stdout);
    let refused = env.run(&["apply", "--plan", "p.json", "--yes", "--max-deletes", "9"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("now also holds handset ByHand"), "{}", refused.stderr);
}

#[test]
fn a_handset_without_a_name_of_its_own_gets_the_one_that_it_showed() {
    let line = json!({
        "id": "member-of-bergen-a", "memberId": "member-of-bergen-a", "firstName": "A", "lastName": "X", "memberType": "PEOPLE",
        "extension": "1500", "location": { "id": "loc-Oslo", "name": "Oslo" },
    });
    let mut list = json!({ "dectNetworks": [crate::harness::network(0, "Oslo", "Ward", "1111")], "members": [line] });
    list["dectNetworks"][0]["handsets"] =
        json!([{ "id": "handset-of-ward", "defaultDisplayName": "A X", "lines": [line] }]);
    let state = Snapshot::read("o.json", list.to_string()).expect("a snapshot").default;
    let env = TestEnv::with(state, FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
    env.write(
        "f.yaml",
        "version: 1\nlocations: [{ name: Oslo, networks: [{ name: Ward, handsets: [{ id: handset-of-ward, customDisplayName: New }] }] }]\n",
    );
    applied(&env, &["f.yaml"]);
    let undone = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert_eq!(undone.code, Some(3), "{}{}", undone.stdout, undone.stderr);
    assert!(undone.stdout.contains("it had none of its own"), "{}", undone.stdout);
    let export = env.run(&["export", "--include", "handsets"]);
    assert!(export.stdout.contains("customDisplayName: A X"), "{}", export.stdout);
}

#[test]
fn an_addition_that_no_list_shows_yet_is_not_made_again() {
    let env = quick();
    env.set_faults(FaultConfig {
        handset_interval: Duration::ZERO,
        read_lag: Duration::from_secs(2),
        ..FaultConfig::default()
    });
    env.write("one.yaml", &lab("          - {line1: \"1541\", customDisplayName: New A}\n"));
    assert_eq!(apply(&env, &["one.yaml", "--no-verify"]).code, Some(0));
    let again = apply(&env, &["one.yaml"]);
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("nothing to do"), "{}{}", again.stdout, again.stderr);
    assert!(again.stderr.contains("an earlier run may have added handsets"), "{}", again.stderr);
    env.set_faults(FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
    let new: Vec<_> = handsets(&env, "TRD Lab").into_iter().filter(|(name, _)| name == "New A").collect();
    assert_eq!(new.len(), 1, "{new:?}");
}
