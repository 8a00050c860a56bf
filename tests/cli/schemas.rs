//! Every document is as its published schema says, and the worked examples of the documentation are too.

use std::path::Path;
use std::time::Duration;

use dectl::simulator::FaultConfig;
use serde_json::Value;

use crate::harness::{TestEnv, copy_example};

pub(crate) fn assert_valid(kind: &str, document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schemas/{kind}.schema.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{kind}:\n{}\n{document:#}", errors.join("\n"));
}

#[test]
fn every_document_matches_its_schema() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("wrong.yaml", "version: 1\nlocations: [{name: Oslo HQ, networks: [{nam: x}, {name: A}, {name: a}]}]\n");
    assert_valid("plan", &env.run(&["plan", "networks.yaml", "-o", "json"]).json());
    assert_valid("plan", &env.run(&["plan", "networks.yaml", "-o", "json", "--show-codes"]).json());
    assert_valid("validation", &env.run(&["validate", "networks.yaml", "-o", "json"]).json());
    assert_valid("error", &env.run(&["validate", "wrong.yaml", "-o", "json"]).json());
    assert_valid("error", &env.run(&["undo", "nothing", "--yes", "-o", "json"]).json());
    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.json"]).code, Some(0));
    let saved = std::fs::read_to_string(env.dir.path().join("plan.json")).expect("the plan");
    assert_valid("saved-plan", &serde_json::from_str(&saved).expect("JSON"));
    assert_valid("result", &env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]).json());
    assert_valid("result", &env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]).json());
    assert_valid("runs", &env.run(&["runs", "-o", "json"]).json());
    assert_valid("auth", &env.run(&["auth", "check", "-o", "json"]).json());
    env.set_faults(FaultConfig { statuses: vec![(403, 1.0)], ..FaultConfig::default() });
    assert_valid("auth", &env.run(&["auth", "check", "-o", "json"]).json());
    env.set_faults(FaultConfig::default());
    assert_valid("rehearsal", &env.run(&["rehearse", "networks.yaml", "-o", "json"]).json());
    assert_valid("status", &env.run(&["status", "networks.yaml", "-o", "json"]).json());
    env.write("swap.yaml", include_str!("../../examples/swap.yaml"));
    assert_valid("rehearsal", &env.run(&["rehearse", "swap.yaml", "-o", "json"]).json());
    assert_valid("status", &env.run(&["status", "swap.yaml", "-o", "json"]).json());
    let rename = env.run(&["rename", "HQ (?<x>.*)", "Q {{ x }}", "--out", "rename.json", "-o", "json"]);
    assert_valid("plan", &rename.json());
    let saved = std::fs::read_to_string(env.dir.path().join("rename.json")).expect("the plan");
    assert_valid("saved-plan", &serde_json::from_str(&saved).expect("JSON"));
}

/// Plans, results and saved plans about devices, of what is in `examples`.
#[test]
fn documents_about_devices_match_their_schemas() {
    let env = TestEnv::new();
    env.set_faults(FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = [
        &["open-site.yaml", "base-stations.csv"][..],
        &["replace-base-station.yaml"],
        &["handsets.yaml", "handsets.csv"],
        &["replace-handset.yaml"],
        &["close-site.yaml"],
    ];
    let json = ["-o", "json"];
    for names in files {
        for name in names {
            env.write(name, &std::fs::read_to_string(examples.join(name)).expect("an example"));
        }
        let plan = env.run(&[&["plan"], names, &["--out", "plan.json"], &json].concat());
        assert_eq!(plan.code, Some(0), "{names:?}: {}", plan.stderr);
        assert_valid("plan", &plan.json());
        let saved = std::fs::read_to_string(env.dir.path().join("plan.json")).expect("the plan");
        assert_valid("saved-plan", &serde_json::from_str(&saved).expect("JSON"));
        assert_valid("rehearsal", &env.run(&[&["rehearse"], names, &json].concat()).json());
        let unattended = ["--yes", "--max-deletes", "99", "--max-changes", "all", "--handset-interval", "1ms"];
        let applied = env.run(&[&["apply"], names, &unattended, &json].concat());
        assert_eq!(applied.code, Some(0), "{names:?}: {}", applied.stderr);
        assert_valid("result", &applied.json());
    }
    let unattended = ["--yes", "--max-deletes", "99", "--max-changes", "all", "--handset-interval", "1ms"];
    let undone = env.run(&[&["undo", "last"], &unattended[..], &json].concat());
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_valid("result", &undone.json());
    assert_valid("runs", &env.run(&["runs", "-o", "json"]).json());
}

#[test]
fn a_result_with_every_status_matches_its_schema() {
    for seed in 0..12 {
        let env = TestEnv::new();
        copy_example(&env);
        let statuses = vec![(400, 0.25), (404, 0.1)];
        env.set_faults(FaultConfig { seed, statuses, ..FaultConfig::default() });
        let ended = env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]);
        let document = ended.json();
        let kind = document["kind"].as_str().expect("a kind").to_owned();
        assert_valid(&kind, &document);
    }
}

#[test]
fn the_worked_examples_are_as_their_schemas_say() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/documents.md")).expect("a page");
    let mut shown = 0;
    for block in page.split("```json\n").skip(1) {
        let text = block.split("```").next().expect("a block ends");
        let document: Value = serde_json::from_str(text).expect("JSON");
        assert_valid(document["kind"].as_str().expect("a kind"), &document);
        shown += 1;
    }
    assert_eq!(shown, 12);
}

#[test]
fn every_field_of_a_file_is_explained() {
    let env = TestEnv::new();
    let explain = |field: &str| env.run(&["explain", field]);
    // From the file down, each field lists the ones below it.
    let mut open = vec![String::new()];
    let mut seen = 0;
    while let Some(field) = open.pop() {
        let ended = explain(&field);
        assert_eq!(ended.code, Some(0), "{field}: {}", ended.stderr);
        let text = ended.stdout;
        let name = field.rsplit('.').next().unwrap_or_default();
        let children: Vec<&str> = text
            .split("\nFIELDS\n")
            .nth(1)
            .into_iter()
            .flat_map(|fields| fields.lines().take_while(|line| line.starts_with("  ")))
            .map(|line| line.split_whitespace().next().expect("a name"))
            .collect();
        let has_example = text.contains(&format!("\n  {name}: ")) || text.contains("TYPE      absent");
        assert!(text.contains("TYPE      ") && (has_example || !children.is_empty()), "{field}\n{text}");
        assert!(!text.lines().any(|line| line.ends_with("  ")), "a field without a description: {text}");
        open.extend(children.iter().map(|child| format!("{field}.{child}").trim_start_matches('.').to_owned()));
        seen += 1;
    }
    assert!(seen > 35, "{seen}");
    let wrong = explain("locations.networks.displayNam");
    assert!(wrong.code == Some(1) && wrong.stderr.contains("did you mean \"displayName\"?"), "{}", wrong.stderr);
}

#[test]
fn every_schema_is_printed_and_has_a_name_of_its_own() {
    let env = TestEnv::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut files: Vec<_> = std::fs::read_dir(root.join("schemas")).expect("a directory").collect();
    assert_eq!(files.len(), 12);
    files.extend(std::fs::read_dir(&root).expect("a directory"));
    let mut printed = 0;
    for file in files {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(kind) = name.strip_suffix(".schema.json") else { continue };
        let text = env.run(&["schema", kind]).stdout;
        assert_eq!(text, std::fs::read_to_string(&path).expect("a schema"), "{kind}");
        let schema: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(schema["$id"], format!("urn:dectl:schema:{kind}:1"));
        printed += 1;
    }
    assert_eq!(printed, 13);
    assert_eq!(env.run(&["schema"]).stdout, env.run(&["schema", "networks"]).stdout);
    assert_eq!(env.run(&["schema", "nothing"]).code, Some(1));
}
