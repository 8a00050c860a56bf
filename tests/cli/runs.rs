//! The list of runs.

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
