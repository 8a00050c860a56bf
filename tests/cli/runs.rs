//! The list of runs.

use dectl::simulator::{FaultConfig, RequestFault, SimulatedState};

#[cfg(unix)]
use crate::harness::until_written;
use crate::harness::{TestEnv, copy_example, live_names};

#[cfg(unix)]
#[test]
fn a_run_in_progress_is_listed_kept_and_not_joined() {
    let env = TestEnv::new();
    let kitchen = |shown: &str| {
        format!(
            "version: 1\nlocations: [{{ name: Oslo HQ, networks: [{{ name: HQ Kitchen, displayName: {shown} }}] }}]\n"
        )
    };
    env.write("one.yaml", &kitchen("One"));
    env.write("two.yaml", &kitchen("Two"));
    // Its one write, the request after the list, is never answered: it runs for as long as the test needs it.
    let fault_at = Some((env.counters().requests + 2, RequestFault::NoResponse));
    env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    let mut child = until_written(&env, env.command(&["apply", "one.yaml", "--yes", "--timeout", "10m"]));
    let runs = env.run(&["runs", "-o", "json", "--prune", "0"]).json();
    assert_eq!(runs["runs"][0]["running"], true, "{runs}");
    let run = runs["runs"][0]["run"].as_str().expect("a name").to_owned();
    let second = env.run(&["apply", "two.yaml", "--yes"]);
    assert_eq!(second.code, Some(1), "{}", second.stdout);
    assert!(second.stderr.contains(&run), "{}", second.stderr);
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
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
    // A second line of each says what was run.
    let marked: Vec<bool> = shown.lines().step_by(2).map(|line| line.ends_with("(simulated)")).collect();
    assert_eq!(marked, [true, false], "{shown}");
    let json: serde_json::Value = serde_json::from_str(&env.run(&["runs", "-o", "json"]).stdout).expect("JSON");
    assert_eq!((&json["runs"][0]["simulated"], &json["runs"][1]["simulated"]), (&true.into(), &false.into()), "{json}");
}

#[test]
fn the_list_says_what_was_run_where_and_whether_it_was_undone() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let rename = ["rename", "HQ Ward (?<ward>\\d+)", "HQ W{{ ward }}", "--yes", "--max-changes", "all"];
    assert_eq!(env.run(&rename).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes", "--max-changes", "all"]).code, Some(0));
    let text = env.run(&["runs"]).stdout;
    let document = env.run(&["runs", "-o", "json"]).json();
    let runs = document["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[2]["command"], "apply networks.yaml");
    assert_eq!(runs[2]["locations"], serde_json::json!(["Bergen Warehouse", "Oslo HQ", "Trondheim Clinic"]));
    assert_eq!((&runs[1]["undoneBy"], &runs[0]["undoes"]), (&runs[0]["run"], &runs[1]["run"]));
    assert_eq!(runs[2]["undoneBy"], serde_json::Value::Null);
    for run in runs {
        assert!(text.contains(run["command"].as_str().expect("a command")), "{text}");
    }
    assert!(text.contains("; undone by "), "{text}");
}

#[test]
fn the_last_run_is_the_last_that_wrote_something() {
    let env = TestEnv::new();
    copy_example(&env);
    let before = live_names(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    // Its one write is refused: the request after the list.
    let fault_at = Some((env.counters().requests + 2, RequestFault::Status(400)));
    env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    env.write(
        "other.yaml",
        "version: 1\nlocations: [{name: Oslo HQ, networks: [{name: HQ Kitchen, displayName: x}]}]\n",
    );
    let refused = env.run(&["apply", "other.yaml", "--yes"]);
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    env.set_faults(FaultConfig::default());
    let undone = env.run(&["undo", "last", "--yes", "--max-changes", "all"]);
    assert_eq!(undone.code, Some(0), "{}{}", undone.stdout, undone.stderr);
    assert_eq!(live_names(&env), before);
}

#[test]
fn a_run_whose_last_results_are_not_recorded_does_not_claim_less() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    // As if the disk had been full from the first result on.
    let journal = std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("the journals");
    let journal =
        journal.map(|entry| entry.expect("an entry").path()).find(|path| path.extension() == Some("jsonl".as_ref()));
    let journal = journal.expect("a journal");
    let text = std::fs::read_to_string(&journal).expect("its lines");
    let lines: Vec<&str> = text.lines().take_while(|line| !line.contains("writeFinished")).collect();
    std::fs::write(&journal, format!("{}\n", lines.join("\n"))).expect("the first ones");
    let started = lines.iter().filter(|line| line.contains("writeStarted")).count();
    let runs = env.run(&["runs"]);
    assert!(runs.stdout.contains(&format!("0 of 9 networks written, {started} more may be")), "{}", runs.stdout);
    assert_eq!(env.run(&["runs", "-o", "json"]).json()["runs"][0]["changesOpen"], started);
}

#[cfg(unix)]
#[test]
fn a_limit_for_the_size_of_files_is_a_full_disk() {
    let env = TestEnv::with(SimulatedState::generated(2, 9), FaultConfig::default());
    env.write("d.yaml", "version: 1\nrules: [{ match: { name: '(?<w>H.*)' }, set: { displayName: Night } }]\n");
    // In blocks of 512 bytes: the plan does not fit, then the plan but not all of the journal.
    let mut seen = Vec::new();
    for blocks in [1, 16, 24, 32, 48] {
        let command = env.command(&["apply", "d.yaml", "--yes", "--max-changes", "all"]);
        let limited = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -f {blocks}; exec \"$@\""))
            .arg("sh")
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(env.dir.path())
            .output()
            .expect("it runs");
        let code = limited.status.code().expect("it is not killed by a signal");
        let stderr = String::from_utf8_lossy(&limited.stderr);
        assert!(
            code == 0 || ["File too large", "cannot be written"].iter().any(|words| stderr.contains(words)),
            "{code}: {stderr}"
        );
        seen.push(code);
        let left = std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("the journals");
        let names: Vec<String> =
            left.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        let count = |ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
        assert_eq!(count(".jsonl"), count(".plan.json"), "{names:?}");
        assert!(
            names.iter().all(|name| [".jsonl", ".plan.json", ".gitignore"].iter().any(|end| name.ends_with(end))),
            "{names:?}"
        );
    }
    assert!(seen[0] == 1 && seen.contains(&3), "{seen:?}");
    let runs = env.run(&["runs"]);
    assert_eq!(runs.code, Some(0), "{}", runs.stderr);
    assert!(runs.stderr.is_empty(), "{}", runs.stderr);
}
