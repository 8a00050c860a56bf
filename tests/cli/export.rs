//! The live state as a file, and back.

use serde_json::Value;

use crate::harness::{TestEnv, network, stage_of, three_networks};

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

fn odd() -> TestEnv {
    let names = ODD.iter().enumerate();
    let networks = names.map(|(at, name)| network(at, ["Oslo: HQ", "yes", "# Ærø"][at % 3], name, &format!("{at:04}")));
    stage_of(networks.collect())
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

#[test]
fn an_export_is_never_named_as_another_format() {
    let env = TestEnv::new();
    for arguments in
        [&["-o", "csv", "--write", "a.yaml"][..], &["--write", "a.CSV"], &["-o", "json", "--write", "a.csv"]]
    {
        let ended = env.run(&[&["export"], arguments].concat());
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains("is not read as the format"), "{}", ended.stderr);
    }
    assert_eq!(env.counters().requests, 0);
    assert_eq!(env.run(&["export", "-o", "csv", "--write", "a.csv"]).code, Some(0));
}

#[test]
fn an_export_that_is_committed_has_nothing_that_changes_by_itself() {
    let env = TestEnv::new();
    let export = |more: &[&str]| {
        let ended = env.run(&[&["export", "--include", "handsets"], more].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    let times = regex::Regex::new(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}").expect("a pattern");
    let yaml = export(&[]);
    assert!(!times.is_match(&yaml) && yaml.contains("never registered"), "{yaml}");
    assert!(times.is_match(&export(&["-o", "csv"])));
    let stable = export(&["--no-remarks"]);
    let is_remark = |line: &&str| line.contains(" # ") && !line.contains("# omitted");
    assert_eq!(stable.lines().filter(is_remark).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(!export(&["-o", "csv", "--no-remarks"]).contains("#lastRegistration"));
    env.write("e.yaml", &stable);
    assert_eq!(env.run(&["plan", "e.yaml", "--detailed-exitcode"]).code, Some(0));
}
