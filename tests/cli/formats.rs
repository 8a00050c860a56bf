//! One plan and one result in every format.

use dectl::simulator::{FaultConfig, SimulatedState};

use crate::harness::{TestEnv, copy_example};

#[test]
fn a_plan_in_every_format() {
    let env = TestEnv::new();
    copy_example(&env);
    for format in ["markdown", "html", "diff"] {
        let plan = env.run(&["plan", "networks.yaml", "-o", format]);
        assert_eq!(plan.code, Some(0), "{}", plan.stderr);
        insta::assert_snapshot!(format!("plan_{format}"), plan.stdout);
    }
}

#[test]
fn a_result_in_every_format() {
    for format in ["markdown", "html"] {
        let env = TestEnv::new();
        copy_example(&env);
        let ended = env.run(&["apply", "networks.yaml", "--yes", "-o", format]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(
            ended.stdout.contains("9 applied, verified") || ended.stdout.contains("9 applied,"),
            "{}",
            ended.stdout
        );
        assert!(ended.stderr.contains("Plan: 9 to update"), "the diff comes first");
    }
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "-o", "diff"]).code, Some(1));
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn an_error_in_every_format() {
    let env = TestEnv::new();
    env.write("wrong.yaml", "version: 1\nlocations: [{name: Oslo HQ, networks: [{nam: '<b>x'}]}]\n");
    let markdown = env.run(&["plan", "wrong.yaml", "-o", "markdown"]);
    assert!(markdown.stdout.starts_with("### dectl") && markdown.stdout.contains("unknown"), "{}", markdown.stdout);
    let html = env.run(&["plan", "wrong.yaml", "-o", "html"]);
    assert!(html.stdout.starts_with("<!DOCTYPE html>") && html.stdout.contains("[unknown-field]"));
    assert_eq!((markdown.code, html.code), (Some(1), Some(1)));
}

/// An organization in which every name tries to be something else.
fn hostile(count: usize) -> (SimulatedState, String) {
    let names = [
        "</script><script>alert(1)</script>",
        "| a | b |",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "@everyone #1 `code` **b**",
        "\u{202e}gnisrever",
        "--> ]]> \u{1b}[2J",
    ];
    let networks: Vec<serde_json::Value> = (0..count)
        .map(|at| {
            let name: String = format!("{at} {}", names[at % names.len()]).chars().take(40).collect();
            serde_json::json!({
                "id": format!("net-{at}"), "name": name, "displayName": "w", "defaultAccessCodeEnabled": true,
                "defaultAccessCode": format!("{:04}", at % 10_000),
                "location": { "id": format!("loc-{}", at / 50), "name": format!("Site <b>{}</b>", at / 50) },
            })
        })
        .collect();
    let entries: Vec<String> = (0..count.div_ceil(50))
        .map(|location| {
            let networks: String = (location * 50..count.min((location + 1) * 50))
                .map(|at| format!("  - {{id: net-{at}, displayName: \"<i>new</i> {at}\"}}\n"))
                .collect();
            format!("- id: loc-{location}\n  networks:\n{networks}")
        })
        .collect();
    let state =
        SimulatedState::from_list(&serde_json::json!({ "dectNetworks": networks }).to_string()).expect("a state");
    (state, format!("version: 1\nlocations:\n{}", entries.concat()))
}

#[test]
fn no_name_is_anything_but_text() {
    let (state, file) = hostile(60);
    let env = TestEnv::with(state, FaultConfig::default());
    env.write("file.yaml", &file);
    let html = env.run(&["plan", "file.yaml", "-o", "html"]).stdout;
    assert_eq!(html.matches("<script>").count(), 1, "ours");
    assert!(!html.contains("<img") && !html.contains("<b>") && !html.contains("<i>"));
    let markdown = env.run(&["plan", "file.yaml", "-o", "markdown"]).stdout;
    for forbidden in ["<img", "<script", "<b>", "<i>", "](", "@everyone", "\u{1b}", "\u{202e}"] {
        assert!(!markdown.contains(forbidden), "{forbidden}");
    }
    // Every row of a table has the same number of cells.
    assert!(markdown.lines().filter(|line| line.starts_with('|')).all(|line| line.matches('|').count() == 6));
    let text = env.run(&["plan", "file.yaml"]).stdout;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
}

#[test]
fn a_long_comment_is_truncated_with_a_note() {
    let (state, file) = hostile(3_000);
    let env = TestEnv::with(state, FaultConfig::default());
    env.write("file.yaml", &file);
    let markdown = env.run(&["plan", "file.yaml", "-o", "markdown"]).stdout;
    assert!(markdown.chars().count() <= 60_000);
    let told: usize = markdown
        .lines()
        .filter(|line| line.contains("more changes"))
        .find_map(|line| line.strip_prefix("… and ")?.split(' ').next()?.parse().ok())
        .expect("it says how many more there are");
    let shown = markdown.matches("| displayName |").count();
    assert_eq!(shown + told, 3_000);
}

#[test]
fn the_schema_knows_every_field_and_the_example_refers_to_it() {
    let env = TestEnv::new();
    let schema = env.run(&["schema"]).json();
    let fields = |place: &serde_json::Value| -> Vec<String> {
        let mut names: Vec<String> = place["properties"].as_object().expect("properties").keys().cloned().collect();
        names.sort();
        names
    };
    // What the reader itself names when it meets an unknown field.
    let known = |text: &str, list: &serde_json::Value| {
        env.write("wrong.yaml", text);
        let error = env.run(&["validate", "wrong.yaml", "-o", "json"]).json();
        let help = error["diagnostics"][0]["help"].as_str().expect("help").to_owned();
        for field in fields(list) {
            assert!(help.contains(&format!("\"{field}\"")), "{field}: {help}");
        }
        assert_eq!(help.matches('"').count() / 2, fields(list).len(), "{help}");
    };
    known("version: 1\nqqq: 1\nlocations: []\n", &schema);
    known("version: 1\nlocations: [{qqq: 1, name: x, networks: []}]\n", &schema["$defs"]["location"]);
    known("version: 1\nlocations: [{name: x, networks: [{qqq: 1, name: y}]}]\n", &schema["$defs"]["network"]);
    known("version: 1\ndefaults: {qqq: 1}\nlocations: []\n", &schema["properties"]["defaults"]);
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/networks.yaml")).expect("it");
    assert!(example.starts_with("# yaml-language-server: $schema=../docs/networks.schema.json\n"));
}

#[test]
fn shells_and_readers_get_what_they_need() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(env.run(&["completions", shell]).stdout.contains("dectl"), "{shell}");
    }
    assert!(env.run(&["man"]).stdout.contains(".TH dectl"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::Stdio;
    let env = TestEnv::new();
    copy_example(&env);
    let mut child =
        env.command(&["plan", "networks.yaml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

    // But it hides none either.
    let mut child = env.command(&["plan", "nowhere.yaml", "-o", "json"]).stdout(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let env = TestEnv::new();
    copy_example(&env);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the full device");
    let plan = env.command(&["plan", "networks.yaml"]).stdout(full()).status().expect("it runs");
    assert_eq!(plan.code(), Some(1));
    let apply =
        env.command(&["apply", "networks.yaml", "--yes", "-o", "json"]).stdout(full()).status().expect("it runs");
    assert_eq!(apply.code(), Some(3), "writes were sent");
}

/// Wide characters count twice, so that what stands below each other on a terminal is aligned.
#[test]
fn a_rename_takes_one_line_in_columns() {
    let networks: Vec<_> = (0..300)
        .map(|at| {
            let name = if at % 30 == 7 { format!("病棟 {at}") } else { format!("Ward {at}") };
            crate::harness::network(at, &format!("Site {}", at / 30), &name, &format!("{}", 2000 + at))
        })
        .collect();
    let list = serde_json::json!({ "dectNetworks": networks }).to_string();
    let state = SimulatedState::from_list(&list).expect("a list");
    let env = TestEnv::with(state, FaultConfig::default());
    let arguments = ["rename", r"(?<what>\w+) (?<at>\d+)", "{{ what }} {{ at|pad(3) }} X", "--max-changes", "all"];
    let plan = env.run(&[&arguments[..], &["--out", "it is.json"]].concat());
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.lines().count() <= 322, "{}", plan.stdout);
    let first: Vec<&str> = plan.stdout.lines().skip(1).take(30).collect();
    assert!(first.contains(&"  ~ Ward 10 → Ward 010 X  rule rename"), "{first:?}");
    assert!(first.contains(&"  ~ Ward 9  → Ward 009 X  rule rename"), "{first:?}");
    assert!(first.contains(&"  ~ 病棟 7  → 病棟 007 X  rule rename"), "{first:?}");
    assert!(
        plan.stderr.contains("Next: apply exactly this plan with `dectl apply --plan 'it is.json'`."),
        "{}",
        plan.stderr
    );
    let quiet = env.run(&[&arguments[..], &["--out", "other.json", "-q"]].concat());
    assert!(!quiet.stderr.contains("Next"), "{}", quiet.stderr);
    env.write(
        "file.yaml",
        "version: 1\nlocations:\n  - name: Site 0\n    networks:\n      - {id: net0001, name: Other}\n",
    );
    assert!(env.run(&["plan", "file.yaml"]).stderr.contains("Next: `dectl apply` with the same files"));
    assert!(!env.run(&["plan", "file.yaml", "-o", "json"]).stderr.contains("Next"));
    let ended = env.run(&["apply", "--plan", "it is.json", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!env.run(&["plan", "file.yaml", "--location", "Nowhere*"]).stderr.contains("Next"), "nothing to do");
}

/// The picture of a rehearsal: writes per second, pauses, and locations that are done.
#[test]
fn a_rehearsal_and_a_result_show_their_time_line() {
    let env = TestEnv::new();
    copy_example(&env);
    let rehearsal = env.run(&["rehearse", "networks.yaml", "--limit", "bucket:2/s,2", "-o", "html"]).stdout;
    assert!(rehearsal.contains("Simulated with a limit of") && rehearsal.contains("<svg "), "{rehearsal}");
    for part in ["class=\"bar\"", "class=\"pause\"", "class=\"done\"", "3 locations done"] {
        assert!(rehearsal.contains(part), "{part}");
    }
    assert!(!env.run(&["plan", "networks.yaml", "-o", "html"]).stdout.contains("<svg "), "nothing has happened yet");
    let applied = env.run(&["apply", "networks.yaml", "--yes", "--canary", "1", "-o", "html"]).stdout;
    assert!(applied.contains("9 applied") && !applied.contains("<svg "), "a moment has no picture: {applied}");
    for at in 0..3 {
        assert!(applied.contains(&format!("href=\"#location-{at}\"")), "a table of contents");
        assert!(applied.contains(&format!("<section id=\"location-{at}\"")));
    }
}
