//! Desired states as CSV, as spreadsheets write it.

use std::io::Write;
use std::process::Stdio;

use crate::harness::{Ended, TestEnv, network, stage_of, three_networks};

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
fn a_table_on_standard_input_is_recognized() {
    let env = three_networks();
    let table = env.run(&["export", "-o", "csv"]).stdout;
    let mut child = env.command(&["plan", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("stdin").write_all(table.as_bytes()).expect("it reads");
    let ended: Ended = child.wait_with_output().expect("it ends").into();
    assert_eq!(ended.stdout, "Plan: nothing to do, 3 unchanged, 0 unmanaged\n");
}

#[test]
fn a_name_that_was_read_in_the_wrong_encoding_is_named() {
    let state =
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: Café Øst }] }]\n";
    for damaged in ["CafÃ© Ã˜st", "Caf√© √òst"] {
        let env = TestEnv::new();
        env.write("d.yaml", state);
        assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
        env.write("t.csv", &format!("location,name,displayName\nTrondheim Clinic,TRD Lab,{damaged}\n"));
        let ended = env.run(&["plan", "t.csv"]);
        assert!(ended.stdout.contains("read in the wrong encoding"), "{}{}", ended.stdout, ended.stderr);
        env.write("t.csv", "location,name,displayName\nTrondheim Clinic,TRD Lab,Café Ost\n");
        assert!(!env.run(&["plan", "t.csv"]).stdout.contains("wrong encoding"));
    }
}

#[test]
fn a_table_of_networks_has_codes_on_request_and_what_a_rename_writes_is_one() {
    let env = TestEnv::new();
    let table = |more: &[&str]| env.run(&[&["export", "-o", "csv"], more].concat()).stdout;
    assert!(table(&[]).contains("#model,#baseStations,#handsets,#lines,locationId,id\n"), "{}", table(&[]));
    assert!(!table(&[]).contains("defaultAccessCode,") && !table(&[]).contains(",2203,"));
    assert!(table(&["--show-codes"]).contains(",2203,"));
    assert_eq!(env.run(&["export", "--show-codes"]).code, Some(1));
    let writes = env.counters().writes;
    for (field, new) in [("name", "new.csv"), ("customDisplayName", "handsets.csv")] {
        let asked = env.run(&["rename", "(?<x>.*)", "Q {{ x }}", "--field", field, "--write", new]);
        assert_eq!(asked.code, Some(0), "{}", asked.stderr);
        let planned = env.run(&["plan", new]);
        let summary = |text: &str| text.lines().last().and_then(|line| line.split(" · ").nth(1)).map(str::to_owned);
        assert_eq!(summary(&planned.stdout), summary(&asked.stdout), "{}{}", planned.stdout, planned.stderr);
    }
    assert_eq!(env.counters().writes, writes);
}

#[test]
fn headings_and_files_of_other_programs_are_understood_or_named() {
    let env = TestEnv::new();
    let row = "Trondheim Clinic,TRD Nurses,2999,Nurse";
    for (headings, expected) in [
        ("location,network,Extension,customDisplayName", "did you mean line1?"),
        ("location,network,Phone Number,customDisplayName", "did you mean line1?"),
        ("site,network,line1,customDisplayName", "did you mean location?"),
    ] {
        env.write("t.csv", &format!("{headings}\n{row}\n"));
        let ended = env.run(&["validate", "t.csv"]);
        assert!(ended.code == Some(1) && ended.stderr.contains(expected), "{headings}\n{}", ended.stderr);
    }
    env.write("t.csv", &format!("Location,DECT-Network,Line 1,Custom Display Name\n{row}\n").replace("DECT-", ""));
    assert_eq!(env.run(&["validate", "t.csv"]).code, Some(0), "{}", env.run(&["validate", "t.csv"]).stderr);
    for name in ["w.xlsx", "w.csv", "w.yaml"] {
        env.write(name, "PK\u{3}\u{4}\u{14}");
        let ended = env.run(&["validate", name]);
        assert!(ended.code == Some(1) && ended.stderr.contains("is a workbook"), "{}", ended.stderr);
    }
}

#[test]
fn a_code_is_masked_under_whatever_heading_and_in_whatever_table() {
    let env = TestEnv::new();
    for table in [
        "location,name,defaultAccessCode,Address\nOslo HQ,HQ Kitchen,98a6,Street 1\n",
        "location,name,Default Access Code,Number\nOslo HQ,HQ Kitchen,98a6,1\n",
        "location,name,PIN,Line\nOslo HQ,HQ Kitchen,98a6,1\n",
        "location,network,line1,access code\nOslo HQ,HQ Kitchen,1551,98a6\n",
        "sep=;\nlocation;network;line1;Pin-Code\nOslo HQ;HQ Kitchen;1551;98a6\n",
        "location,name,Passcode\nOslo HQ,HQ Kitchen,98a6\n",
        "location,network,mac,defaultAccessCode\nOslo HQ,HQ Kitchen,001122334455,98a6\n",
    ] {
        env.write("t.csv", table);
        std::fs::write(env.dir.path().join("t"), table.replace("location", "Lokasjon")).expect("it is written");
        for name in ["t.csv", "t"] {
            let ended = env.run(&["validate", name]);
            assert_eq!(ended.code, Some(1), "{table}");
            assert!(!ended.stderr.contains("98a6"), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_column_without_a_heading_must_be_empty() {
    let env = TestEnv::new();
    env.write("t.csv", "location,name,,displayName,\nOslo HQ,HQ Ward 1,lost,W1,\nOslo HQ,HQ Ward 2,,W2,\n");
    let refused = env.run(&["plan", "t.csv"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(
        refused.stderr.contains("column without a heading") && refused.stderr.contains("t.csv:2:"),
        "{}",
        refused.stderr
    );
    env.write("t.csv", "location,name,,displayName,\nOslo HQ,HQ Ward 1, ,W1,\n");
    assert_eq!(env.run(&["plan", "t.csv"]).code, Some(0));
    env.write("t.csv", "location,name,#note,displayName\nOslo HQ,HQ Ward 1,kept,W1\n");
    assert_eq!(env.run(&["plan", "t.csv"]).code, Some(0));
}

#[test]
fn lines_that_end_with_carriage_returns_alone_have_numbers() {
    let env = TestEnv::new();
    env.write("c.csv", "location,name,displayName\rOslo HQ,HQ Ward 1,q\rOslo HQ,HQ Ward 3,z\r");
    let plan = env.run(&["plan", "c.csv"]).stdout;
    assert!(plan.contains("c.csv:2") && plan.contains("c.csv:3"), "{plan}");
    env.write(
        "c.yaml",
        "version: 1\rlocations:\r  - name: Oslo HQ\r    networks:\r      - { name: HQ Ward 1, colour: red }\r",
    );
    let refused = env.run(&["plan", "c.yaml"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("c.yaml:5:"), "{}", refused.stderr);
}

#[test]
fn settings_by_name_and_tables_by_id_add_up() {
    let env = TestEnv::new();
    for kind in ["base-stations", "handsets", "serviceability-passwords"] {
        let export = env.run(&["export", "--include", kind, "-o", "csv"]);
        let mut table = export.stdout.clone();
        if kind == "serviceability-passwords" {
            // Only what tells the networks, and their passwords.
            let columns = ["location", "id", "serviceabilityPassword"];
            let headings: Vec<&str> =
                table.lines().next().expect("headings").trim_start_matches('\u{feff}').split(',').collect();
            let at = columns.map(|column| headings.iter().position(|heading| *heading == column).expect(column));
            let row = |line: &str| {
                let cells: Vec<&str> = line.split(',').collect();
                at.map(|at| cells[at]).join(",")
            };
            let rows: Vec<String> = table.lines().skip(1).map(row).collect();
            table = format!("{}\n{}\n", columns.join(","), rows.join("\n"));
        }
        env.write("t.csv", &table);
        for entry in ["name: TRD Lab, displayName: Q", "name: TRD Labs, renamedFrom: TRD Lab"] {
            env.write(
                "a.yaml",
                &format!("version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ {entry} }}] }}]\n"),
            );
            let plan = env.run(&["plan", "a.yaml", "t.csv"]);
            assert_eq!(plan.code, Some(0), "{kind} {entry}: {}", plan.stderr);
            assert!(plan.stdout.contains("1 to update"), "{kind} {entry}: {}", plan.stdout);
        }
    }
}

#[test]
fn names_that_look_like_errors_of_a_spreadsheet_come_back() {
    let env = stage_of(vec![network(0, "#N/A", "#REF!", "1111"), network(1, "#N/A", "'#REF!", "2222")]);
    let export = env.run(&["export", "-o", "csv"]);
    env.write("e.csv", &export.stdout);
    let plan = env.run(&["plan", "e.csv"]);
    assert!(plan.stdout.contains("nothing to do, 2 unchanged"), "{}{}", plan.stdout, plan.stderr);
    // One that nothing protects is an error of the spreadsheet.
    env.write("bad.csv", "location,name,displayName\n'#N/A,'#REF!,#REF!\n");
    let plan = env.run(&["plan", "bad.csv"]);
    assert_eq!(plan.stderr.matches("is a spreadsheet error").count(), 1, "{}", plan.stderr);
}

#[test]
fn a_column_that_nobody_knows_hides_no_other_mistake() {
    let env = TestEnv::new();
    env.write(
        "own.csv",
        "location,name,Etage,defaultAccessCode\nOslo HQ,HQ Reception,3,1e3\nOslo HQ,hq reception,4,\nOslo HQ,,5,\n",
    );
    let ended = env.run(&["validate", "own.csv", "-o", "json"]);
    assert_eq!(ended.code, Some(1));
    let json = ended.json();
    let codes: Vec<&str> =
        json["diagnostics"].as_array().expect("findings").iter().filter_map(|found| found["code"].as_str()).collect();
    for code in ["unknown-field", "invalid-code", "duplicate-name"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    // One that may be a known column in another spelling would make a mistake of every row.
    env.write("near.csv", "location,nmae\nOslo HQ,HQ Reception\nOslo HQ,HQ Kitchen\n");
    let ended = env.run(&["validate", "near.csv", "-o", "json"]);
    assert_eq!(ended.json()["diagnostics"].as_array().map(Vec::len), Some(1), "{}", ended.stdout);
}

#[test]
fn damaged_names_are_warnings_and_strict_makes_them_errors() {
    let env = stage_of(vec![network(1, "Oslo", "0042", "0001"), network(2, "Oslo", "Café", "0002")]);
    let ids: Vec<String> = env.networks().iter().map(|network| network["id"].as_str().expect("an id").into()).collect();
    env.write("zeros.csv", &format!("location,id,name\nOslo,{},42\n", ids[0]));
    env.write(
        "encoding.yaml",
        &format!("version: 1\nlocations: [{{ name: Oslo, networks: [{{ id: {}, name: CafÃ© }}] }}]\n", ids[1]),
    );
    for (file, code) in [("zeros.csv", "leading-zeros-lost"), ("encoding.yaml", "wrong-encoding")] {
        let planned = env.run(&["plan", file]);
        assert_eq!(planned.code, Some(0), "{}", planned.stderr);
        assert!(planned.stdout.contains("warning"), "{}", planned.stdout);
        let writes = env.counters().writes;
        let strict = env.run(&["apply", file, "--yes", "--strict"]);
        assert_eq!(strict.code, Some(1), "{}", strict.stdout);
        assert!(strict.stderr.contains(code) && strict.stderr.contains(file), "{}", strict.stderr);
        assert_eq!(env.counters().writes, writes);
    }
}
