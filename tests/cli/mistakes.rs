//! What is easily mistaken gets an answer that says what to do, and nothing is sent.

use dectl::simulator::{FaultConfig, SimulatedState};

use crate::harness::{Ended, TestEnv};

#[test]
fn a_saved_plan_is_no_desired_state() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: X }] }]\n",
    );
    assert_eq!(env.run(&["plan", "d.yaml", "--out", "p.json"]).code, Some(0));
    let before = env.counters().requests;
    let ended = env.run(&["apply", "p.json", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("`dectl apply --plan p.json`"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("error").count(), 2, "one error and their number: {}", ended.stderr);
    assert_eq!(env.counters().requests, before);
    // Without a terminal and without --yes the answer is the same, and so it is for other files of the tool.
    let ended = env.run(&["apply", "p.json"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("`dectl apply --plan p.json`"), "{}", ended.stderr);
    let ended = env.run(&["undo", "p.json"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("p.json is a file"), "{}", ended.stderr);
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let runs = env.run(&["runs"]).stdout;
    let journal = format!(".dectl/runs/{}.jsonl", runs.split_whitespace().next().expect("a run"));
    for command in ["plan", "show"] {
        let ended = env.run(&[command, &journal]);
        assert!(ended.code == Some(1) && ended.stderr.contains("journal of a run"), "{}", ended.stderr);
    }
}

#[test]
fn documents_without_content_are_none() {
    let env = TestEnv::new();
    let state = "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab }] }]\n";
    for (name, text) in [
        ("end", format!("{state}---\n")),
        ("comment after the marker", format!("--- # the sites\n{state}--- # end\n")),
        ("comments", format!("# first\n---\n# second\n---\n{state}---\n# last\n...\n")),
        ("crlf", format!("---\n{state}---\n").replace('\n', "\r\n")),
    ] {
        env.write("d.yaml", &text);
        let ended = env.run(&["validate", "d.yaml"]);
        assert_eq!(ended.code, Some(0), "{name}\n{}", ended.stderr);
    }
    env.write("d.yaml", &format!("# one\n---\n{state}---\n{state}"));
    let ended = env.run(&["validate", "d.yaml"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("multiple-documents"), "{}", ended.stderr);
    // Positions are those of the file.
    env.write(
        "d.yaml",
        "# one\n---\n# two\n---\nversion: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ nam: x }] }]\n",
    );
    let ended = env.run(&["validate", "d.yaml"]);
    assert!(ended.stderr.contains("d.yaml:6:52"), "{}", ended.stderr);
}

#[test]
fn what_is_pasted_around_a_secret_is_named() {
    let env = TestEnv::new();
    let before = env.counters().requests;
    for (variable, value, words) in [
        ("WEBEX_ACCESS_TOKEN", "\"abc\"", "is in quotes"),
        ("WEBEX_ACCESS_TOKEN", "TOKEN=abc", "begins with a name and `=`"),
        ("DECTL_PLAN_KEY", "'abc'", "DECTL_PLAN_KEY is in quotes"),
        ("WEBEX_ACCESS_TOKEN", "abc\u{200b}", "an invisible character (U+200B)"),
        ("WEBEX_ACCESS_TOKEN", "{\"access_token\": \"abc\"}", "is a whole document"),
        ("DECTL_PLAN_KEY", "a\u{2060}bc", "an invisible character (U+2060)"),
    ] {
        env.write("d.yaml", "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab }] }]\n");
        let ended = env.command(&["plan", "d.yaml", "--out", "p.age"]).env(variable, value).output();
        let ended = Ended::from(ended.expect("the binary runs"));
        assert!(ended.code == Some(1) && ended.stderr.contains(words), "{variable}\n{}", ended.stderr);
    }
    assert_eq!(env.counters().requests, before);
    // Files as PowerShell writes them.
    let utf16 =
        |text: &str| [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    std::fs::write(env.dir.path().join("token"), utf16("abc\r\n")).expect("a file");
    std::fs::write(env.dir.path().join("code"), utf16("1234\r\n")).expect("a file");
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, defaultAccessCode: { file: code } }] }]\n",
    );
    let ended = env.run(&["plan", "d.yaml"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("UTF-16"), "{}", ended.stderr);
    let ended = env.run(&["export", "--token-file", "token"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("UTF-16"), "{}", ended.stderr);
    // A byte order mark and spaces are no part of a code.
    env.write("code", "\u{feff} 1234 \r\n");
    let ended = env.run(&["plan", "d.yaml"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn standard_output_is_no_file_to_save_to() {
    let env = TestEnv::new();
    for args in [
        &["plan", "d.yaml", "--out", "-"][..],
        &["undo", "last", "--out", "-"],
        &["export", "--write", "-"],
        &["export", "--split", "-"],
        &["rename", "a", "b", "--out", "-"],
    ] {
        let ended = env.run(args);
        assert_eq!(ended.code, Some(1), "{args:?}\n{}", ended.stderr);
        assert!(ended.stderr.contains("name a file or directory"), "{args:?}\n{}", ended.stderr);
    }
}

#[test]
fn both_limits_are_told_at_once() {
    let env = TestEnv::new();
    let networks = env.networks();
    let lab = networks.iter().find(|network| network["name"] == "TRD Lab").expect("a network");
    let delete = format!("networks: [{{ id: {}, name: TRD Lab, state: absent }}]", lab["id"]);
    env.write("d.yaml", &format!("version: 1\nlocations: [{{ name: Trondheim Clinic, {delete} }}]\n"));
    let ended = env.run(&["apply", "d.yaml", "--yes", "--max-changes", "0"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for words in ["pass --max-deletes", "pass --max-changes 1"] {
        assert!(ended.stderr.contains(words), "{words}\n{}", ended.stderr);
    }
    let ended = env.run(&["apply", "d.yaml", "--yes", "--max-changes", "0", "--fail-on-unmanaged"]);
    for words in ["pass --max-deletes", "pass --max-changes 1", "(--fail-on-unmanaged)"] {
        assert!(ended.stderr.contains(words), "{words}\n{}", ended.stderr);
    }
    let ended = env.run(&["apply", "d.yaml", "--yes", "--max-deletes", "all"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("use the number of deletions"), "{}", ended.stderr);
}

#[test]
fn a_replacement_of_nothing_is_said() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Nurses, baseStations: [{ mac: \"001122334455\", replaces: \"AABBCCDDEEFF\" }] }] }]\n",
    );
    let ended = env.run(&["plan", "d.yaml"]);
    assert!(
        ended.stderr.contains("nothing is replaced") || ended.stdout.contains("nothing is replaced"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}

#[test]
fn patterns_and_groups_of_other_tools_are_named() {
    let env = TestEnv::new();
    let before = env.counters().writes;
    let unnamed = ["ICU $1", "ICU ${1}", "ICU \\1", "ICU %1", "ICU {1}", "ICU {{ 1 }}"].map(|group| (group, "x"));
    let named = ["ICU $site", "ICU {site}", "ICU <site>"].map(|group| (group, "site"));
    for (group, name) in unnamed.into_iter().chain(named).chain([("ICU {name}", "name")]) {
        let ended = env.run(&["rename", "(?<site>.*) Lab", group, "--yes"]);
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(&format!("write {{{{ {name} }}}}")), "{}", ended.stderr);
    }
    for quoted in ["'{{ name }} 2'", "\"{{ name }} 2\""] {
        let ended = env.run(&["rename", ".* Lab", quoted, "--yes"]);
        assert!(ended.code == Some(1) && ended.stderr.contains("quotes are part of it"), "{}", ended.stderr);
    }
    for command in ["export", "plan d.yaml"] {
        env.write("d.yaml", "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab }] }]\n");
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(["--location", "'Trond*'"]);
        let ended = env.run(&words);
        assert!(ended.code == Some(1) && ended.stderr.contains("'Trond*'"), "{}", ended.stderr);
        assert!(ended.stderr.contains("write double quotes"), "{}", ended.stderr);
    }
    let ended = env.run(&["rename", "'.*Lab'", "ICU", "--yes"]);
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert!(shown.contains("'.*Lab'") && shown.contains("write double quotes"), "{shown}");
    assert_eq!(env.counters().writes, before);
}

#[test]
fn a_time_zone_that_is_not_known_is_no_utc() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: X }] }]\n",
    );
    let apply = |until: &str| {
        let ended = env.command(&["apply", "d.yaml", "--yes", "--until", until]).env("TZ", "Nowhere/Else").output();
        Ended::from(ended.expect("the binary runs"))
    };
    let ended = apply("2999-01-01T05:30");
    assert!(ended.code == Some(1) && ended.stderr.contains("TZ=Nowhere/Else is not known"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, 0);
    assert_eq!(apply("2999-01-01T05:30+25:00").code, Some(1), "no zone is so far from UTC");
    assert_eq!(apply("2999-01-01T05:30+01:00").code, Some(0));
}

#[test]
fn tls_to_a_plain_port_is_named() {
    let env = TestEnv::new();
    let api = format!("https://{}/v1", env.address());
    let ended = env.run(&["export", "--api-url", &api, "--max-attempts", "1"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("does not speak TLS"), "{}", ended.stderr);
}

#[test]
fn plans_and_states_in_another_encoding_are_named() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: X }] }]\n",
    );
    assert_eq!(env.run(&["plan", "d.yaml", "--out", "p.json"]).code, Some(0));
    let file = |name: &str| env.dir.path().join(name);
    let plan = std::fs::read_to_string(file("p.json")).expect("a plan");
    let state = "version: 1\nlocations: [{ name: L, networks: [{ name: a }] }]\n";
    let table = "location,network,displayName\nTrondheim Clinic,TRD Lab,X\n";
    // With a byte order mark and without, which is UTF-8 with zeros.
    let encode = |text: &str, mark: Option<u16>, to_bytes: fn(u16) -> [u8; 2]| {
        mark.into_iter().chain(text.encode_utf16()).flat_map(to_bytes).collect::<Vec<u8>>()
    };
    for (mark, to_bytes) in [
        (Some(0xFEFF), u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (Some(0xFEFF), u16::to_be_bytes),
        (None, u16::to_le_bytes),
        (None, u16::to_be_bytes),
    ] {
        let files = [("utf16.json", &*plan), ("utf16.yaml", state), ("utf16.csv", table), ("utf16.token", "token")];
        for (name, text) in files {
            std::fs::write(file(name), encode(text, mark, to_bytes)).expect("a file");
        }
        for args in [
            &["apply", "--plan", "utf16.json", "--yes"][..],
            &["show", "utf16.json"],
            &["export", "--simulate=utf16.yaml"],
            &["simulate", "--scenario", "utf16.yaml"],
            &["validate", "utf16.yaml"],
            &["plan", "utf16.csv"],
            &["auth", "check", "--token-file", "utf16.token"],
        ] {
            let ended = env.run(args);
            assert!(ended.code == Some(1) && ended.stderr.contains("UTF-16"), "{args:?} {mark:?}\n{}", ended.stderr);
        }
    }
    assert_eq!(env.counters().writes, 0);
    env.write("bom.json", &format!("\u{feff}{plan}"));
    let ended = env.run(&["apply", "--plan", "bom.json", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_file_is_for_the_organization_that_it_names() {
    let env = TestEnv::new();
    let organizations = env.run(&["orgs", "-o", "json"]).json();
    let id = organizations["organizations"][0]["org"].as_str().expect("an id").to_owned();
    let name = organizations["organizations"][0]["name"].as_str().expect("a name").to_owned();
    let file = |organization: &str| {
        format!(
            "version: 1\norganization: {organization}\nlocations: [{{ name: Oslo HQ, networks: [{{ name: HQ Kitchen, displayName: Kit }}] }}]\n"
        )
    };
    let before = env.counters().writes;
    env.write("d.yaml", &file("Acme"));
    for command in [&["plan"][..], &["apply", "--yes"], &["status"], &["rehearse"]] {
        let ended = env.run(&[command, &["d.yaml"]].concat());
        assert_eq!(ended.code, Some(1), "{command:?}\n{}", ended.stderr);
        assert!(ended.stderr.contains("d.yaml:2:15") && ended.stderr.contains("\"Acme\""), "{}", ended.stderr);
    }
    assert_eq!(env.counters().writes, before);
    let elsewhere = env.run(&["plan", "d.yaml", "--org", "Acme"]);
    assert!(elsewhere.code == Some(1) && elsewhere.stderr.contains("does not reach"), "{}", elsewhere.stderr);
    for organization in [&id, &format!("{id}="), &name] {
        env.write("d.yaml", &file(organization));
        let ended = env.run(&["plan", "d.yaml", "--out", "p.json"]);
        assert_eq!(ended.code, Some(0), "{organization}\n{}", ended.stderr);
        assert!(ended.stdout.contains(&format!("Organization {name} ({id})")), "{}", ended.stdout);
    }
    let plan = env.run(&["show", "p.json", "-o", "json"]).json();
    assert_eq!(plan["organization"]["name"], *name, "{plan}");
    assert!(env.run(&["export"]).stdout.contains(&format!("organization: {id} # {name}")));
    assert_eq!(env.run(&["apply", "--plan", "p.json", "--yes"]).code, Some(0));
    env.write("other.yaml", &file("Acme"));
    let both = env.run(&["validate", "d.yaml", "other.yaml"]);
    assert!(both.code == Some(1) && both.stderr.contains("not the same organization as written"), "{}", both.stderr);
    env.write("d.yaml", &file("\" \""));
    assert!(env.run(&["validate", "d.yaml"]).stderr.contains("`organization` is empty"));
}

#[test]
fn ids_of_another_organization_are_one_diagnosis() {
    let env = TestEnv::new();
    let export = env.run(&["export"]).stdout;
    let elsewhere: String = export
        .lines()
        .filter(|line| !line.starts_with("organization:"))
        .map(|line| line.replace("id: Y2lzY29zcGFyazov", "id: ZZZZZZZZcGFyazov").replace("name: ", "name: X "))
        .collect::<Vec<_>>()
        .join("\n");
    env.write("d.yaml", &elsewhere);
    let ended = env.run(&["plan", "d.yaml"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("none of the ids in the files"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 error;"), "{}", ended.stderr);
    env.write("d.yaml", &export.replace("name: HQ Kitchen", "name: HQ Galley"));
    assert_eq!(env.run(&["plan", "d.yaml", "--out", "p.json"]).code, Some(0));
    let other = TestEnv::with(SimulatedState::generated(3, 2), FaultConfig::default());
    let plan = std::fs::read_to_string(env.dir.path().join("p.json")).expect("a plan");
    other.write("p.json", &plan);
    let ended = other.run(&["apply", "--plan", "p.json", "--yes"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("for another organization"), "{}", ended.stderr);
}

#[test]
fn a_code_that_is_written_as_its_source_stays_secret() {
    let env = TestEnv::new();
    let networks = "[{ name: HQ Kitchen, defaultAccessCode: { env: '4822' } }, { name: HQ Ward 1, defaultAccessCode: { file: '4823' } }]";
    env.write("s.yaml", &format!("version: 1\nlocations: [{{ name: Oslo HQ, networks: {networks} }}]\n"));
    let refused = env.run(&["plan", "s.yaml"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(!refused.stderr.contains("4822") && !refused.stderr.contains("4823"), "{}", refused.stderr);
    assert_eq!(refused.stderr.matches("four digits are no source").count(), 2, "{}", refused.stderr);
}

#[test]
fn a_temporary_name_cannot_be_asked_for() {
    let env = TestEnv::new();
    let name = "dectl moving ad5klts3h4 HQ Reception";
    env.write(
        "t.yaml",
        &format!(
            "version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ name: {name}, renamedFrom: HQ Ward 1 }}] }}]\n"
        ),
    );
    for arguments in [&["plan", "t.yaml"][..], &["rename", "HQ Ward 1", name, "--out", "p.json"]] {
        let refused = env.run(arguments);
        assert_eq!(refused.code, Some(1), "{}", refused.stdout);
        assert!(refused.stderr.contains("a name that dectl gives for a moment"), "{}", refused.stderr);
    }
}

#[test]
fn the_help_for_a_base_station_that_is_replaced_and_moved_leads_on() {
    let env = TestEnv::new();
    let list = env.run(&["export", "--include", "base-stations", "--location", "Oslo*"]).stdout;
    let kitchen = list.split("name: HQ Kitchen").nth(1).expect("the network");
    let mac = kitchen.split("AC7A56").nth(1).map(|rest| format!("AC7A56{}", &rest[..6])).expect("a base station");
    let file = |kitchen: &str| {
        format!(
            "version: 1\nlocations:\n  - name: Oslo HQ\n    networks:\n      - {{ name: HQ Kitchen, baseStations: [{kitchen}] }}\n      \
             - {{ name: HQ Ward 1, baseStations: [{mac}] }}\n"
        )
    };
    env.write("g.yaml", &file(&format!("{{ mac: AC7A5611A001, replaces: {mac} }}")));
    let refused = env.run(&["plan", "g.yaml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("without `replaces`"), "{}", refused.stderr);
    env.write("g.yaml", &file(&format!("{{ mac: {mac}, state: absent }}, AC7A5611A001")));
    assert_eq!(env.run(&["plan", "g.yaml"]).code, Some(0));
}
