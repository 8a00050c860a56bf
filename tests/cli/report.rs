//! One page over the documents of many runs and organizations.

use dectl::simulator::{FaultConfig, SimulatedState};
use serde_json::Value;

use crate::harness::{TestEnv, copy_example};

/// Documents of four organizations: an apply, drift, an apply with a refusal, and one that could not be planned.
fn with_documents() -> TestEnv {
    let env = TestEnv::new();
    copy_example(&env);
    let document = |name: &str, arguments: &[&str]| {
        let ended = env.run(&[arguments, &["-o", "json"]].concat());
        env.write(&format!("results/{name}"), &ended.stdout);
    };
    document("acme/status.json", &["status", "networks.yaml"]);
    document("beta/plan.json", &["plan", "networks.yaml"]);
    env.set_faults(FaultConfig { statuses: vec![(403, 1.0)], ..FaultConfig::default() });
    document("gamma/result.json", &["apply", "networks.yaml", "--yes"]);
    env.set_faults(FaultConfig::default());
    document("delta/result.json", &["apply", "networks.yaml", "--yes"]);
    document("delta/status.json", &["status", "networks.yaml"]);
    env.write("results/epsilon/result.json", "{\"kind\": \"result\", ");
    env.write("results/zeta/result.json", "");
    env.write("results/eta/runs.json", &env.run(&["runs", "-o", "json"]).stdout);
    env.write("results/theta/new.json", "{\"kind\": \"result\", \"formatVersion\": 2}");
    env
}

#[test]
fn what_needs_attention_comes_first_and_a_broken_document_is_a_row() {
    let env = with_documents();
    let ended = env.run(&["report", "results", "missing.json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let at = |part: &str| {
        lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {}", ended.stdout))
    };
    let order = [
        "missing.json",
        "theta/new.json",
        "gamma/result.json",
        "acme/status.json",
        "beta/plan.json",
        "delta/result.json",
    ];
    let places: Vec<usize> = order.iter().map(|part| at(part)).collect();
    assert!(places.is_sorted(), "{}", ended.stdout);
    for part in [
        "it does not exist",
        "the file is empty: the command that was to write it has not ended",
        "format version 2 is newer",
        "a document of the kind \"runs\" reports nothing",
        "9 of 12 networks drifted",
        "9 changes planned",
        "9 applied in ",
        "12 networks in sync",
        "Report: 10 documents of 9 organizations: 5 unreadable, 1 failed, 1 drifted, 1 planned, 2 in order",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}

#[test]
fn a_report_has_four_formats_and_its_json_is_as_its_schema_says() {
    let env = with_documents();
    let json: Value = env.run(&["report", "results", "-o", "json"]).json();
    crate::schemas::assert_valid("report", &json);
    assert_eq!(json["summary"]["documents"], 9, "{json}");
    let markdown = env.run(&["report", "results", "-o", "markdown"]).stdout;
    assert!(markdown.contains("| delta | in order | 9 applied in "), "{markdown}");
    let html = env.run(&["report", "results", "-o", "html"]).stdout;
    assert!(html.contains("class=\"filter\"") && html.contains("<svg ") && html.contains("delta"), "{html}");
}

#[test]
fn failures_say_where_and_why() {
    let env =
        TestEnv::with(SimulatedState::built_in(), FaultConfig { async_update_delay: None, ..FaultConfig::default() });
    copy_example(&env);
    env.set_faults(FaultConfig {
        fault_at: Some((3, dectl::simulator::RequestFault::Status(400))),
        ..FaultConfig::default()
    });
    let ended = env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]);
    env.write("one.json", &ended.stdout);
    let report = env.run(&["report", "one.json"]).stdout;
    assert!(report.contains("failed") && report.contains("(400)"), "{report}");
    assert!(report.contains("Report: 1 document of 1 organization: 1 failed"), "{report}");
    env.write("two.json", &env.run(&["plan", "nowhere.yaml", "-o", "json"]).stdout);
    let report = env.run(&["report", "two.json"]).stdout;
    assert!(report.contains("file not found: nowhere.yaml"), "{report}");
    assert_eq!(env.run(&["report"]).code, Some(1));
}

#[test]
fn a_comparison_that_failed_is_not_in_order() {
    let env = TestEnv::new();
    env.write(
        "h.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Lab, handsets: [] }]\n",
    );
    let fault_at = Some((env.counters().requests + 2, dectl::simulator::RequestFault::Status(403)));
    env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    let unread = env.run(&["status", "h.yaml", "-o", "json"]);
    assert_eq!(unread.code, Some(1), "{}", unread.stderr);
    env.write("unread.json", &unread.stdout);
    let unmanaged = env.run(&["status", "h.yaml", "--fail-on-unmanaged", "-o", "json"]);
    assert_eq!(unmanaged.code, Some(1), "{}", unmanaged.stderr);
    env.write("unmanaged.json", &unmanaged.stdout);
    let report = env.run(&["report", "unread.json", "unmanaged.json"]).stdout;
    assert!(report.contains("2 failed") && report.contains("cannot read the handsets"), "{report}");
    assert!(report.contains("12 live networks not in any file"), "{report}");
}

#[test]
fn organizations_are_told_apart_by_what_their_paths_say() {
    let env = with_documents();
    let names = |files: &[&str]| {
        let report = env.run(&[&["report"], files, &["-o", "json"]].concat()).json();
        let organizations = report["organizations"].as_array().expect("a list").clone();
        let mut names: Vec<String> =
            organizations.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    // Two documents of one directory, and one of them named twice.
    assert_eq!(names(&["results/delta"]), ["delta"]);
    assert_eq!(names(&["results/delta/status.json", "results/delta"]), ["delta"]);
    assert_eq!(names(&["results/delta/result.json"]), ["delta"]);
    // Files of one directory that are called by their organizations.
    let copy = |from: &str, to: &str| {
        let text = std::fs::read_to_string(env.dir.path().join(from)).expect("a document");
        env.write(to, &text);
    };
    copy("results/delta/result.json", "flat/acme.json");
    copy("results/delta/status.json", "flat/globex.json");
    assert_eq!(names(&["flat"]), ["acme", "globex"]);
    copy("results/delta/result.json", "x/acme/out/result.json");
    copy("results/delta/status.json", "x/globex/out/status.json");
    assert_eq!(names(&["x"]), ["acme/out", "globex/out"]);
    let twice = env.run(&["report", "flat/acme.json", "flat/acme.json", "flat/../flat/acme.json"]).stdout;
    assert!(twice.contains("Report: 1 document of 1 organization"), "{twice}");
}

#[test]
fn what_cannot_be_a_document_says_so() {
    let env = with_documents();
    env.write("new.json", "{\"formatVersion\":2,\"kind\":\"result\",\"results\":{\"a\":1}}");
    env.write("newer.json", "{\"formatVersion\":99999999999,\"kind\":\"result\"}");
    env.write("none.json", "{\"kind\":\"status\"}");
    env.write(
        "stopped.json",
        "{\"formatVersion\":1,\"kind\":\"result\",\"outcome\":\"interrupted\",\"results\":[],\"stopped\":\"SIGTERM\"}",
    );
    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "saved.json"]).code, Some(0));
    let report = |name: &str| env.run(&["report", name]).stdout;
    assert!(report("new.json").contains("format version 2 is newer"), "{}", report("new.json"));
    assert!(report("newer.json").contains("format version 99999999999 is newer"), "{}", report("newer.json"));
    assert!(report("none.json").contains("it has no `formatVersion`"), "{}", report("none.json"));
    assert!(report("stopped.json").contains("nothing to do; stopped: SIGTERM"), "{}", report("stopped.json"));
    assert!(report("saved.json").contains("reports nothing"), "{}", report("saved.json"));
    #[cfg(unix)]
    {
        let fifo = env.dir.path().join("pipe.json");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
        assert!(made.success());
        assert!(report("pipe.json").contains("no regular file"), "{}", report("pipe.json"));
    }
}

#[test]
fn a_plan_and_its_result_show_the_warnings_of_the_plan() {
    let env = TestEnv::new();
    env.write(
        "reboot.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - { name: TRD Lab, serviceabilityPassword: enabled }\n",
    );
    for (name, arguments) in [
        ("plan", &["plan", "reboot.yaml", "-o", "json"][..]),
        ("result", &["apply", "reboot.yaml", "--yes", "-o", "json"]),
    ] {
        env.write(&format!("{name}.json"), &env.run(arguments).stdout);
        for format in ["text", "markdown", "json", "html"] {
            let shown = env.run(&["report", &format!("{name}.json"), "-o", format]);
            assert!(shown.stdout.contains("can reboot"), "{name} as {format}: {}", shown.stdout);
        }
    }
}
