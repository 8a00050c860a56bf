//! One-shot work on a whole fleet: export, rename, rules, waves, rehearsals, status, spreadsheets.

use dectl::simulator::{FaultConfig, RequestFault, SimulatedState};
use serde_json::{Value, json};

use crate::harness::{TestEnv, copy_example};

/// Names that YAML, CSV or a shell would take for something else.
const ODD: &[&str] = &[
    "a \"quoted\" one",
    "it's",
    "key: value",
    "no # comment",
    "#1",
    "0042",
    "12e3",
    "0x1F",
    "0o17",
    "yes",
    "No",
    "null",
    "~",
    "trailing blank ",
    " leading blank",
    "emoji 🏥 ward",
    "Ålesund/Øst",
    "- dash",
    "* star",
    "&anchor",
    "!tag",
    "{ map }",
    "[list]",
    "100%",
    "@home",
    "=1+1",
    "'apostrophe'",
    "back\\slash",
    "a, b; c",
    "|",
    "? question",
    "2026-11-24",
    ".inf",
    "<<",
    "\u{2028}separator",
    "<!-- html -->",
];

pub(crate) fn network(id: usize, location: &str, name: &str, code: &str) -> Value {
    json!({
        "id": format!("net{id:04}"),
        "name": name,
        "displayName": name,
        "chainId": id + 1,
        "model": "DMS Cisco DBS210",
        "defaultAccessCodeEnabled": true,
        "defaultAccessCode": code,
        "numberOfBaseStations": 2,
        "numberOfHandsetsAssigned": 7,
        "numberOfLines": 7,
        "location": { "id": format!("loc-{location}"), "name": location },
    })
}

pub(crate) fn stage_of(networks: Vec<Value>) -> TestEnv {
    let list = json!({ "dectNetworks": networks }).to_string();
    TestEnv::with(SimulatedState::from_list(&list).expect("a state"), FaultConfig::default())
}

fn odd() -> TestEnv {
    let names = ODD.iter().enumerate();
    let networks = names.map(|(at, name)| network(at, ["Oslo: HQ", "yes", "# Ærø"][at % 3], name, &format!("{at:04}")));
    stage_of(networks.collect())
}

pub(crate) fn live_names(env: &TestEnv) -> Vec<String> {
    let list = env.run(&["export", "-o", "json"]).json();
    let mut names: Vec<String> = list["dectNetworks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|network| format!("{}: {}", network["location"]["name"], network["name"]).replace('"', ""))
        .collect();
    names.sort();
    names
}

#[test]
fn every_export_results_in_an_empty_plan() {
    let env = odd();
    let plans_to_nothing = |path: &str| {
        let ended = env.run(&["plan", path, "--detailed-exitcode", "--fail-on-unmanaged", "-o", "json"]);
        assert_eq!(ended.code, Some(0), "{path}: {} {}", ended.stdout, ended.stderr);
        assert_eq!(ended.json()["summary"]["unchanged"], ODD.len(), "{path}");
    };
    for arguments in [
        &["export", "--write", "all.yaml"][..],
        &["export", "--write", "quiet.yaml", "--no-codes"],
        &["export", "--write", "all.csv", "-o", "csv"],
        &["export", "--write", "quiet.csv", "-o", "csv", "--no-codes"],
        &["export", "--split", "sites"],
    ] {
        let ended = env.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    }
    for path in ["all.yaml", "quiet.yaml", "all.csv", "quiet.csv", "sites"] {
        plans_to_nothing(path);
    }
    let read = |name: &str| std::fs::read_to_string(env.dir.path().join(name)).expect("a file");
    assert!(read("all.yaml").contains("# DMS Cisco DBS210, 2 base stations, 7 handsets, 7 lines\n"));
    for name in ["quiet.yaml", "quiet.csv"] {
        assert!(!read(name).contains("\"0007\"") && !read(name).contains(",0007,"), "{name} holds a code");
    }
    assert_eq!(std::fs::read_dir(env.dir.path().join("sites")).expect("a directory").count(), 3);
    assert_eq!(env.run(&["export"]).stdout, read("all.yaml"));
    assert!(
        env.run(&["export", "--location", "oslo*"]).stdout.contains("\n# Live state of 12 DECT networks in 1 location")
    );
}

#[test]
fn an_export_overwrites_files_only_with_force() {
    let env = TestEnv::new();
    env.write("mine.yaml", "precious");
    env.write("sites/oslo-hq.yaml", "precious");
    for arguments in [&["export", "--write", "mine.yaml"][..], &["export", "--split", "sites"]] {
        let ended = env.run(arguments);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("already exists"), "{}", ended.stderr);
    }
    let read = |name: &str| std::fs::read_to_string(env.dir.path().join(name)).expect("a file");
    assert_eq!((read("mine.yaml"), read("sites/oslo-hq.yaml")), ("precious".into(), "precious".into()));
    assert!(!env.dir.path().join("sites/bergen-warehouse.yaml").exists(), "all or nothing");
    assert_eq!(env.run(&["export", "--split", "sites", "--force"]).code, Some(0));
    assert!(read("sites/oslo-hq.yaml").contains("HQ Kitchen"));
}

#[test]
fn an_export_omits_invalid_live_values_with_a_comment() {
    let mut networks = vec![
        network(1, "Oslo", "", "1001"),
        network(2, "Oslo", &"long ".repeat(12), "12345"),
        network(3, "Oslo", "Twin", "1003"),
        network(4, "Oslo", "TWIN", "1004"),
        network(5, "Oslo", "Shares a code", "1004"),
        network(6, "Oslo", "dectl moving abcdefghij Ward", "1006"),
        network(7, "Bergen", "Twin", "1004"),
    ];
    networks[4]["displayName"] = Value::Null;
    let env = stage_of(networks);
    let ended = env.run(&["export"]);
    for part in [
        "# name omitted: the live value is empty",
        "# name omitted: the live value has 60 characters (maximum 40)",
        "# defaultAccessCode omitted: the live value has 5 digits (must be exactly 4)",
        "# name omitted: another network in the location has the same value",
        "# defaultAccessCode omitted: another network in the location has the same value",
        "# name omitted: the live name is a temporary name of an interrupted run",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert_eq!(ended.stderr.matches("omitted ").count(), 9, "{}", ended.stderr);
    for (name, format) in [("all.yaml", "text"), ("all.csv", "csv")] {
        assert_eq!(env.run(&["export", "-o", format, "--write", name]).code, Some(0));
        let ended = env.run(&["plan", name, "--detailed-exitcode", "-o", "json"]);
        assert_eq!(ended.code, Some(0), "{name}: {} {}", ended.stdout, ended.stderr);
        assert_eq!(ended.json()["summary"]["unchanged"], 7, "{name}");
    }
}

#[test]
fn the_list_itself_is_exported_byte_by_byte() {
    let env = TestEnv::new();
    let list = env.run(&["export", "-o", "json"]);
    let networks = list.json()["dectNetworks"].as_array().expect("a list").len();
    assert_eq!(networks, 13);
    env.write("state.json", &list.stdout);
    let again = env.run(&["export", "-o", "json", "--simulate=state.json"]);
    assert_eq!(again.stdout, list.stdout);
    let ended = env.run(&["export", "-o", "json", "--no-codes"]);
    assert_eq!(ended.code, Some(1), "a list without codes is not the list");
}

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
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("no network matches this rule"), "{}", ended.stdout);
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

const RULES: &str = "version: 1
rules:
  - match: { location: 'oslo*', name: 'HQ Ward (?<w>\\d+)' }
    set: { name: 'HQ W{{ w|pad(2) }}', displayName: 'W{{ w }}' }
  - match: { name: '(?<site>[A-Z]{3}) (?<rest>[A-Z].*)' }
    set: { name: '{{ site }}-{{ rest }}' }
";

#[test]
fn rules_skip_networks_with_an_entry() {
    let env = TestEnv::new();
    let entries = "locations:\n  - name: Oslo HQ\n    networks: [{ name: HQ Ward 1, displayName: Mine }]\n";
    env.write("fleet.yaml", &format!("{RULES}{entries}"));
    assert_eq!(env.run(&["validate", "fleet.yaml", "--strict"]).code, Some(0));
    let plan = env.run(&["plan", "fleet.yaml", "-o", "json"]).json();
    let source = |name: &str| {
        let changes = plan["changes"].as_array().expect("changes");
        changes.iter().find(|change| change["network"]["name"] == name).map(|change| change["source"].clone())
    };
    assert_eq!(source("HQ Ward 3"), Some(json!({ "rule": "fleet.yaml:3" })));
    assert_eq!(source("BGO Gate"), Some(json!({ "rule": "fleet.yaml:5" })));
    assert_eq!(source("HQ Ward 1"), Some(json!({ "file": "fleet.yaml", "line": 9 })), "entries win");
    assert_eq!(plan["summary"]["unmanaged"], 3, "what no rule matches");
    let ended = env.run(&["apply", "fleet.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let again = env.run(&["plan", "fleet.yaml", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}", again.stdout);
}

#[test]
fn a_rule_of_a_file_must_leave_its_own_result_alone() {
    let env = TestEnv::new();
    for (rule, words) in [
        ("{ match: { name: '(?<x>.*)' }, set: { name: 'X {{ x }}' } }", "is not idempotent"),
        ("{ match: { name: 'HQ .*' }, set: { name: 'HQ {{ n }}' } }", "cannot use a counter"),
    ] {
        env.write("fleet.yaml", &format!("version: 1\nrules: [{rule}]\n"));
        let ended = env.run(&["apply", "fleet.yaml", "--yes"]);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("error[non-idempotent-rule]") && ended.stderr.contains(words),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(env.counters().writes, 0);
}

/// A rule that swaps the names of two networks and moves a third one out of the way.
#[cfg(unix)]
const SWAP: &str =
    "version: 1\nrules:\n  - match: { displayName: 'to (?<wanted>.*)' }\n    set: { name: '{{ wanted }}' }\n";

/// Three networks for [`SWAP`], and its file.
#[cfg(unix)]
fn swapped_names() -> TestEnv {
    let mut networks =
        vec![network(1, "Oslo", "A", "0001"), network(2, "Oslo", "B", "0002"), network(3, "Oslo", "C", "0003")];
    for (network, display_name) in networks.iter_mut().zip(["to B", "to A", "to D"]) {
        network["displayName"] = display_name.into();
    }
    let env = stage_of(networks);
    env.write("fleet.yaml", SWAP);
    env
}

#[cfg(unix)]
fn has_temporary_name(env: &TestEnv) -> bool {
    live_names(env).iter().any(|name| name.contains("dectl moving"))
}

/// A kill leaves a temporary name that no rule can compute with.
#[cfg(unix)]
#[test]
fn rules_go_on_with_the_plan_of_the_run_that_left_a_temporary_name() {
    let mut stranded = 0;
    for k in 1.. {
        let env = swapped_names();
        if !env.kill_at(k, RequestFault::NoResponse, "-KILL", &["apply", "fleet.yaml", "--yes"]).is_killed() {
            break;
        }
        let is_stranded = has_temporary_name(&env);
        stranded += usize::from(is_stranded);
        let lost = env.command(&["apply", "fleet.yaml", "--yes", "--journal", "elsewhere"]).output().expect("it runs");
        if is_stranded {
            let words = String::from_utf8_lossy(&lost.stderr).into_owned();
            assert_eq!(lost.status.code(), Some(1), "{words}");
            assert!(words.contains("leftover-temporary-name") && words.contains("id net000"), "{words}");
        }
        let again = env.run(&["apply", "fleet.yaml", "--yes", "-o", "json"]);
        assert_eq!(again.code, Some(0), "killed at {k}: {}", again.stderr);
        assert_eq!(again.json()["kind"], "result");
        assert_eq!(again.stderr.contains("Resuming interrupted run"), is_stranded, "{}", again.stderr);
        assert_eq!(live_names(&env), ["Oslo: A", "Oslo: B", "Oslo: D"]);
        assert_eq!(env.run(&["status", "fleet.yaml"]).code, Some(0));
    }
    assert!(stranded >= 2, "{stranded}");
}

#[cfg(unix)]
#[test]
fn what_fails_after_a_resumed_run_is_no_success() {
    let stranded = (1..).map(|k| {
        let env = swapped_names();
        let killed = env.kill_at(k, RequestFault::NoResponse, "-KILL", &["apply", "fleet.yaml", "--yes"]);
        assert!(killed.is_killed(), "no kill leaves a temporary name");
        env
    });
    let env = stranded.into_iter().find(has_temporary_name).expect("an interrupted swap");
    let broken = "locations: [{ name: Oslo, networks: [{ id: nowhere, name: X }] }]\n";
    env.write("fleet.yaml", &format!("{SWAP}{broken}"));
    let ended = env.run(&["apply", "fleet.yaml", "--yes", "-o", "json"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("After resuming: "), "{}", ended.stderr);
    assert_eq!(ended.json()["kind"], "result", "of the resumed run");
    assert_eq!(live_names(&env), ["Oslo: A", "Oslo: B", "Oslo: D"]);
}

#[test]
fn a_rehearsal_writes_nothing_and_reports_the_simulated_result() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["rehearse", "networks.yaml", "--limit", "5/60s", "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counters = env.counters();
    assert_eq!((counters.requests, counters.lists, counters.writes), (1, 1, 0));
    let rehearsal = ended.json();
    assert_eq!(rehearsal["kind"], "rehearsal");
    assert_eq!(rehearsal["plan"]["summary"]["writes"], 9);
    assert!(rehearsal["summary"]["pauses"].as_u64() >= Some(1), "{rehearsal}");
    assert!(rehearsal["summary"]["elapsedMs"].as_u64() > Some(60_000), "five requests a minute take a while");

    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.json"]).code, Some(0));
    let of_saved = env.run(&["rehearse", "--plan", "plan.json"]);
    assert_eq!(of_saved.code, Some(0), "{}", of_saved.stderr);
    assert!(of_saved.stdout.contains("Simulated with a limit of 300 requests per 60 s"), "{}", of_saved.stdout);
    assert_eq!(env.counters().writes, 0);
    for wrong in ["300", "0/60s", "x"] {
        assert_eq!(env.run(&["rehearse", "networks.yaml", "--limit", wrong]).code, Some(1));
    }
}

#[test]
fn waves_start_only_after_the_previous_one_succeeded() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["apply", "networks.yaml", "--yes", "--canary", "trond*", "--batch", "1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in ["Wave 1: 2 networks in Trondheim Clinic", "Wave 3: 4 networks in Oslo HQ", "Done: 9 applied, verified"]
    {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert_eq!(env.counters().lists, 6, "one before and one after each of three waves");
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0), "one journal has all waves");

    // Something goes wrong with the first: the others are not begun.
    env.set_faults(FaultConfig { seed: 3, statuses: vec![(400, 0.7)], ..FaultConfig::default() });
    let ended = (0..40)
        .map(|_| env.run(&["apply", "networks.yaml", "--yes", "--canary", "1", "-o", "json"]))
        .find(|ended| ended.code == Some(3))
        .expect("a run whose list got through");
    let result = ended.json();
    assert_eq!(result["stopped"], "a wave failed; remaining waves were not started", "{}", ended.stderr);
    assert!(result["summary"]["notStarted"].as_u64() >= Some(6), "{}", result["summary"]);
    env.set_faults(FaultConfig::default());
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0), "the rest is a plan again");
    for wrong in [["--canary", "0"], ["--batch", "0"], ["--until", "25:00"], ["--canary", "["]] {
        let ended = env.run(&["apply", "networks.yaml", "--yes", wrong[0], wrong[1]]);
        assert_eq!(ended.code, Some(1), "{wrong:?}");
    }
}

#[test]
fn status_has_a_line_a_location_and_knows_since_when() {
    let env = TestEnv::new();
    copy_example(&env);
    let before = env.run(&["status", "networks.yaml"]);
    assert_eq!(before.code, Some(2));
    assert!(before.stdout.contains("Bergen Warehouse  3 of 4 drifted\n"), "{}", before.stdout);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let right = env.run(&["status", "networks.yaml", "-o", "json"]);
    assert_eq!(right.code, Some(0));
    let summary = json!({ "locations": 3, "networks": 12, "drifted": 0, "unmanaged": 1, "unmanagedBaseStations": 0,
        "unmanagedHandsets": 0, "neverRegistered": 0 });
    assert_eq!(right.json()["summary"], summary);
    assert_eq!(env.run(&["status", "networks.yaml", "--fail-on-unmanaged"]).code, Some(1));

    env.write(
        "meddle.yaml",
        "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
    );
    assert_eq!(env.run(&["apply", "meddle.yaml", "--yes", "--journal", "elsewhere"]).code, Some(0));
    let drifted = env.run(&["status", "networks.yaml"]);
    assert_eq!(drifted.code, Some(2));
    assert!(drifted.stdout.contains("Trondheim Clinic  1 of 3 drifted, last in sync 20"), "{}", drifted.stdout);
    assert!(drifted.stdout.contains("Oslo HQ           in sync"), "{}", drifted.stdout);
    let wrong = env.run(&["status", "nowhere.yaml"]);
    assert_eq!(wrong.code, Some(1));
}

#[test]
fn a_spreadsheet_is_held_to_the_same_rules_and_every_error_names_its_cell() {
    let env = TestEnv::new();
    env.write(
        "fleet.csv",
        "\u{feff}Location;name;renamedFrom;displayName;defaultAccessCode;#notes\r\n\
         Oslo HQ;HQ Ward 1;;Ward 1;42;zeros eaten\r\n\
         Oslo HQ;;;;;nothing but a note\r\n\
         Oslo HQ;HQ Ward 2;Old Ward 2;;4821;fine\r\n\
         ;HQ Ward 3;;;;where?\r\n\
         Oslo HQ;hq ward 2;;;1e3;twice\r\n\
         Oslo HQ;\"much; much too long a name for a network, is it not\";;;;\r\n\
         Oslo HQ;HQ Kitchen;;;;;;\r\n",
    );
    let ended = env.run(&["plan", "fleet.csv", "-o", "json"]);
    assert_eq!(ended.code, Some(1));
    let error = ended.json();
    let said: Vec<String> = error["diagnostics"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic["line"], diagnostic["message"].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        "2: row 2, column defaultAccessCode: access code has 2 digits (must be exactly 4)",
        "3: row 3, column Location: a network requires a `name` or an `id`",
        "5: row 5, column Location: row has no location",
        "6: row 6, column name: names in \"Oslo HQ\" differ only in case: \"hq ward 2\"",
        "6: row 6, column defaultAccessCode: access code must consist of digits 0 to 9",
        "7: row 7, column name: name has 51 characters (maximum 40)",
        "8: row 8, column 7: row has 8 cells, expected 6",
    ];
    assert_eq!(said, expected);
    assert!(error["diagnostics"][0]["help"].as_str().is_some_and(|help| help.contains("removed leading zeros")));
    let text = env.run(&["plan", "fleet.csv"]);
    assert!(!text.stderr.contains("4821"), "a code is shown: {}", text.stderr);

    env.write("fleet.csv", "location,name,renamedFrom,defaultAccessCode\nOslo HQ,HQ Ward 2,Old Ward 2,4821\n");
    let ended = env.run(&["apply", "fleet.csv", "--yes", "--show-codes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("Old Ward 2  fleet.csv:2") && ended.stdout.contains("→ 4821"), "{}", ended.stdout);
    for (text, code) in [
        ("loction,name\nx,y\n", "unknown-field"),
        ("location,name,Name\nx,y,z\n", "duplicate-key"),
        ("location,displayName\nx,y\n", "missing-field"),
        ("", "file-empty"),
    ] {
        env.write("wrong.csv", text);
        let ended = env.run(&["plan", "wrong.csv"]);
        assert_eq!(ended.code, Some(1), "{text}");
        assert!(ended.stderr.contains(code), "{text}: {}", ended.stderr);
    }
}

/// Whatever is wrong with a table, no cell that looks like a code is repeated.
#[test]
fn a_table_that_is_read_in_the_wrong_way_shows_no_code() {
    let env = TestEnv::new();
    for text in [
        "Oslo HQ,HQ Ward 1,4821\n",
        "location,name,defaultAccessCode\nOslo HQ;HQ Ward 1;4821\n",
        "location;name;defaultAccessCode\nOslo HQ;HQ Ward 1,4821\n",
        "location|name|defaultAccessCode\nOslo HQ|HQ Ward 1|4821\n",
        "location,name,defaultAccessCode\n\"Oslo HQ,HQ Ward 1,4821\nOslo HQ,HQ Ward 3,4821\n",
        "location,name,defaultAccesCode\nOslo HQ,HQ Ward 1,4821\n",
        "location,name,code\nOslo HQ,HQ Ward 1,48211\n",
        "location,name\nOslo HQ,HQ Ward 9,482\n",
    ] {
        env.write("fleet.csv", text);
        for format in ["text", "json", "markdown"] {
            let ended = env.run(&["plan", "fleet.csv", "-o", format]);
            assert_eq!(ended.code, Some(1), "{text}");
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("482"), "{text}\n{said}");
        }
    }
}

#[test]
fn names_damaged_by_a_spreadsheet_are_reported() {
    let env = stage_of(vec![network(1, "Oslo", "0007", "0001"), network(2, "Oslo", "B", "0002")]);
    env.write("fleet.csv", "location,id,name\n\n\nOslo,net0001,7\nOslo,net0002,#NAME?\n");
    let ended = env.run(&["plan", "fleet.csv"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("row 5, column name: #NAME? is a spreadsheet error"), "{}", ended.stderr);
    env.write("fleet.csv", "location,id,name\nOslo,net0001,7\n");
    let ended = env.run(&["plan", "fleet.csv"]);
    assert!(ended.stdout.contains("\"0007\" would lose its leading zeros"), "{}", ended.stdout);
}

#[test]
fn a_saved_plan_rejects_a_scope_and_an_unmatched_canary_changes_nothing() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.json"]).code, Some(0));
    for arguments in [
        &["apply", "--plan", "plan.json", "--yes", "--location", "Oslo HQ"][..],
        &["rehearse", "--plan", "plan.json", "--network", "HQ*"],
        &["apply", "networks.yaml", "--yes", "--canary", "Olso*"],
        &["apply", "networks.yaml", "--yes", "--soak", "1h"],
        &["rename", "HQ .*", "x", "--field", "displayName", "--display-name", "y", "--yes"],
    ] {
        let ended = env.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stdout);
    }
    env.write("precious.yaml", "version: 1\nlocations: []\n");
    let ended = env.run(&["plan", "networks.yaml", "--out", "precious.yaml"]);
    assert!(ended.stderr.contains("is not a saved plan; nothing was written"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn a_clash_names_both_networks_and_the_name() {
    let env = TestEnv::new();
    let ended = env.run(&["rename", "HQ (?<x>Ward|Kit).*", "Same", "--yes"]);
    assert!(
        ended.stderr.contains("duplicate name \"Same\" requested for \"HQ Kitchen\" and \"HQ Ward 1\" in \"Oslo HQ\""),
        "{}",
        ended.stderr
    );
}

/// Another field is another rename, and one that was undone is over.
#[cfg(unix)]
#[test]
fn only_the_same_rename_is_resumed_until_it_is_undone() {
    let names = ["A 1", "A 2", "A 3", "A 4"];
    let networks = names.iter().enumerate().map(|(at, name)| network(at, "Oslo", name, &format!("{at:04}")));
    let env = stage_of(networks.collect());
    let rename = ["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"];
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

/// A log that goes away in mid-run must not end it.
#[cfg(unix)]
#[test]
fn a_run_continues_when_standard_error_is_full() {
    let env = TestEnv::new();
    copy_example(&env);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let mut command = env.command(&["apply", "networks.yaml", "--yes", "-o", "json"]);
    let ended: crate::harness::Ended = command.stderr(full).output().expect("it runs").into();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.json()["outcome"], "applied");
}

#[cfg(unix)]
#[test]
fn a_plan_is_saved_to_files_only() {
    let env = TestEnv::new();
    std::fs::create_dir(env.dir.path().join("directory")).expect("a directory");
    let made = std::process::Command::new("mkfifo").arg(env.dir.path().join("pipe")).status();
    assert!(made.expect("mkfifo runs").success());
    for (place, words) in [
        ("/dev/stdout", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("pipe", "not a regular file"),
        ("directory", "not a regular file"),
        ("nowhere/plan.json", "No such file"),
    ] {
        let ended = env.run(&["rename", "HQ Kitchen", "HQ Pantry", "--out", place]);
        assert_eq!(ended.code, Some(1), "{place}");
        assert!(ended.stderr.contains(words) && ended.stderr.contains(place), "{place}: {}", ended.stderr);
        assert!(!ended.stderr.contains(".plan.json."), "{place}: {}", ended.stderr);
    }
}
