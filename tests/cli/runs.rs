//! The list of runs.

use crate::harness::TestEnv;
use crate::harness::{applying, copy_example, slow};

#[cfg(unix)]
#[test]
fn a_run_in_progress_is_listed_kept_and_not_joined() {
    let env = slow();
    copy_example(&env);
    let child = applying(&env, &["apply", "networks.yaml", "--yes"]);
    let runs = env.run(&["runs", "-o", "json", "--prune", "0"]).json();
    assert_eq!(runs["runs"][0]["running"], true, "{runs}");
    let run = runs["runs"][0]["run"].as_str().expect("a name").to_owned();
    let second = env.run(&["apply", "networks.yaml", "--yes"]);
    assert_eq!(second.code, Some(1), "{}", second.stdout);
    assert!(second.stderr.contains(&run), "{}", second.stderr);
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(0));
    assert_eq!(env.run(&["runs", "-o", "json"]).json()["runs"][0]["running"], false);
}

#[test]
fn runs_of_other_organizations_are_marked() {
    let env = TestEnv::new();
    let state = |shown: &str| {
        format!(
            "version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ name: TRD Lab, displayName: {shown} }}] }}]\n"
        )
    };
    env.write("d.yaml", &state("One"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let shown = env.run(&["runs"]);
    assert!(!shown.stdout.contains('('), "one organization needs no mark: {}", shown.stdout);
    env.write("d.yaml", &state("Two"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes", "--simulate"]).code, Some(0));
    let shown = env.run(&["runs"]).stdout;
    assert_eq!(shown.lines().map(|line| line.ends_with("(simulated)")).collect::<Vec<_>>(), [true, false], "{shown}");
    let json: serde_json::Value = serde_json::from_str(&env.run(&["runs", "-o", "json"]).stdout).expect("JSON");
    assert_eq!((&json["runs"][0]["simulated"], &json["runs"][1]["simulated"]), (&true.into(), &false.into()), "{json}");
}
