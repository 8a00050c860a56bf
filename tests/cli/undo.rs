//! The journaled runs, and the way back from one.

use std::sync::Mutex;
use std::time::Duration;

use dectl::simulator::{FaultConfig, Quirk, RequestFault, SimulatedOrganization, SimulatedState};
use serde_json::json;

use crate::harness::{TestEnv, copy_example, live_names, network, response, serve, stage_of, three_networks};

#[test]
fn a_run_can_be_listed_and_undone() {
    let env = TestEnv::new();
    copy_example(&env);
    let before = env.run(&["plan", "networks.yaml", "-o", "json", "--show-codes"]).json();
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));

    let runs = env.run(&["runs", "-o", "json"]).json();
    let run = &runs["runs"][0];
    assert_eq!((run["outcome"].as_str(), run["networksWritten"].as_u64()), (Some("applied"), Some(9)));
    assert!(env.run(&["runs"]).stdout.contains("applied      9 of 9 networks written"));

    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert!(undone.stdout.contains("9 to update"), "{}", undone.stdout);
    let after = env.run(&["plan", "networks.yaml", "-o", "json", "--show-codes"]).json();
    assert_eq!(before["changes"], after["changes"], "everything is as it was");

    // `last` is never an undo; its id undoes it.
    let again = env.run(&["undo", "last", "--yes"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("is already undone by run"), "{}", again.stderr);
    let undo = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    assert_eq!(env.run(&["undo", &undo, "--yes"]).code, Some(0));
    assert_eq!(env.run(&["plan", "networks.yaml", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn undo_skips_networks_changed_since() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let first = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    env.write(
        "later.yaml",
        "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
    );
    assert_eq!(env.run(&["apply", "later.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", &first, "--yes"]);
    assert_eq!(undone.code, Some(3), "{}", undone.stderr);
    assert!(undone.stdout.contains("its settings changed since the run (current name: TRD Nurses)"));
    assert!(undone.stdout.contains("8 to update"), "{}", undone.stdout);
}

#[test]
fn a_run_that_does_not_exist_is_named() {
    let env = TestEnv::new();
    let ended = env.run(&["undo", "last", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("list runs with `dectl runs`"), "{}", ended.stderr);
    assert_eq!(env.run(&["runs"]).stdout, "No runs.\n");
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn journals_are_private_and_git_does_not_see_them() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let dir = env.dir.path().join(".dectl/runs");
    let ignored = std::fs::read_to_string(dir.join(".gitignore")).expect("a .gitignore");
    assert!(ignored.lines().any(|line| line == "*"));
    #[cfg(unix)]
    for entry in std::fs::read_dir(&dir).expect("the directory") {
        use std::os::unix::fs::PermissionsExt;
        let path = entry.expect("an entry").path();
        let mode = path.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    assert_eq!(env.run(&["runs", "--prune", "0"]).code, Some(0));
    assert_eq!(env.run(&["runs"]).stdout, "No runs.\n");
}

#[test]
fn a_failed_write_is_reported_with_its_tracking_id() {
    let env = TestEnv::new();
    copy_example(&env);
    env.set_faults(FaultConfig { seed: 5, statuses: vec![(400, 0.4)], ..FaultConfig::default() });
    // The list itself may be refused; some try gets through.
    let ended = (0..20)
        .map(|_| env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]))
        .find(|ended| ended.code == Some(3))
        .expect("a run that is incomplete");
    let result = ended.json();
    assert_eq!(result["outcome"], "partial");
    let results = result["results"].as_array().expect("results");
    let failed = results.iter().find(|network| network["status"] == "failed").expect("a failed one");
    assert_eq!(failed["error"]["status"], 400);
    assert!(failed["error"]["trackingId"].as_str().is_some_and(|id| !id.is_empty()));
}

#[test]
fn encrypted_codes_can_be_decrypted_with_their_key_only() {
    let env = TestEnv::new();
    copy_example(&env);
    let run = |key: &str, arguments: &[&str]| -> crate::harness::Ended {
        env.command(arguments).env("DECTL_PLAN_KEY", key).output().expect("the binary runs").into()
    };
    assert_eq!(run("a key", &["apply", "networks.yaml", "--yes"]).code, Some(0));
    for entry in std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("the directory") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for code in ["1201", "1202", "3311"] {
            let quoted = format!("\"{code}\"");
            assert!(!bytes.windows(6).any(|window| window == quoted.as_bytes()), "{code} is in the clear");
        }
    }
    assert!(env.run(&["runs"]).stdout.contains("9 of 9"), "listing needs no key");
    for ended in [env.run(&["undo", "last", "--yes"]), run("another", &["undo", "last", "--yes"])] {
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("are encrypted"), "{}", ended.stderr);
    }
    assert_eq!(run("a key", &["undo", "last", "--yes"]).code, Some(0));
}

#[test]
fn an_undo_can_be_reviewed_as_a_saved_plan_and_counts_as_the_undo() {
    let env = TestEnv::new();
    copy_example(&env);
    let applied = env.run(&["apply", "networks.yaml", "--yes", "-o", "json"]).json();
    let writes = env.counters().writes;
    let ended = env.run(&["undo", "last", "--out", "undo.json", "--max-changes", "all"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("9 to update") && ended.stderr.contains("apply --plan undo.json"), "{ended:?}");
    assert_eq!(env.counters().writes, writes, "nothing is written");
    let saved: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(env.dir.path().join("undo.json")).expect("a plan"))
            .expect("JSON");
    let journal = applied["journal"].as_str().expect("a journal");
    let run = std::path::Path::new(journal).file_stem().expect("a name").to_str().expect("text").to_owned();
    assert_eq!(saved["undoes"], run);
    let ended = env.run(&["apply", "--plan", "undo.json", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(env.counters().writes, writes + 9);
    let again = env.run(&["undo", "last", "--out", "again.json"]);
    assert!(again.code == Some(1) && again.stderr.contains("is already undone by run"), "{}", again.stderr);
    assert!(!env.dir.path().join("again.json").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupted_undo_is_continued() {
    for k in 2..6 {
        let env = three_networks();
        assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
        let undo = ["undo", "last", "--yes"];
        if !env.kill_at(k, RequestFault::NoResponse, "-KILL", &undo).is_killed() {
            break;
        }
        let again = env.run(&undo);
        assert_eq!(again.code, Some(0), "{k}: {}", again.stderr);
        assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"], "killed at {k}");
        // It is complete now.
        let third = env.run(&undo);
        assert!(third.stderr.contains("already undone"), "killed at {k}: {}", third.stderr);
    }
}

#[cfg(unix)]
#[test]
fn runs_of_another_organization_are_never_taken() {
    let one = three_networks();
    let rename = ["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"];
    assert!(one.kill_at(3, RequestFault::NoResponse, "-KILL", &rename).is_killed());
    // The same command for a second organization, with the journals of the first.
    let other = three_networks();
    let journal = format!("--journal={}", one.dir.path().join(".dectl/runs").display());
    let ended = other.run(&[&rename[..], &[&journal]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("resuming"), "{}", ended.stderr);
    // `last` of the first is its own run, although the other one is newer.
    let undone = one.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(live_names(&one), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
    assert_eq!(live_names(&other), ["Oslo: B 1", "Oslo: B 2", "Oslo: B 3"]);
}

#[test]
fn a_run_that_was_redone_can_be_undone_again() {
    let env = three_networks();
    assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    let undo = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    assert_eq!(env.run(&["undo", &undo, "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: B 1", "Oslo: B 2", "Oslo: B 3"]);
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
}

#[test]
fn simulated_runs_are_never_undone_by_last() {
    let env = three_networks();
    copy_example(&env);
    assert_eq!(env.run(&["rename", "A (?<n1>.)", "B {{ n1 }}", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--simulate"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), ["Oslo: A 1", "Oslo: A 2", "Oslo: A 3"]);
}

/// A killed run leaves a network with temporary settings, which the next run finds and the undo must not bring back.
#[cfg(unix)]
#[test]
fn an_undo_goes_back_to_what_was_before_the_interruption() {
    let settings = |env: &TestEnv| {
        let list = env.run(&["export", "-o", "json"]).json();
        let fields = ["id", "name", "displayName", "defaultAccessCode"];
        let of = |network: &serde_json::Value| fields.map(|field| network[field].to_string()).join(" ");
        list["dectNetworks"].as_array().expect("a list").iter().map(of).collect::<Vec<_>>()
    };
    let mut continued = 0;
    for k in 1.. {
        let env = TestEnv::new();
        env.write("swap.yaml", include_str!("../../examples/swap.yaml"));
        let before = settings(&env);
        if !env.kill_at(k, RequestFault::NoResponse, "-KILL", &["apply", "swap.yaml", "--yes"]).is_killed() {
            break;
        }
        let is_interrupted = live_names(&env).iter().any(|name| name.contains("dectl moving"));
        assert_eq!(env.run(&["apply", "swap.yaml", "--yes"]).code, Some(0));
        let ended = env.run(&["undo", "last", "--yes"]);
        assert!(!live_names(&env).iter().any(|name| name.contains("dectl moving")), "killed at {k}: {}", ended.stdout);
        if is_interrupted {
            assert_eq!(ended.code, Some(0), "killed at {k}: {}", ended.stderr);
            assert_eq!(settings(&env), before, "killed at {k}: {}", ended.stdout);
            continued += 1;
        }
    }
    assert!(continued > 0);
}

#[test]
fn what_is_out_of_scope_is_no_matter_of_an_undo() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let run = env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a name").to_owned();
    env.write(
        "later.yaml",
        "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
    );
    assert_eq!(env.run(&["apply", "later.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", &run, "--yes", "--location", "Oslo*"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert!(!undone.stdout.contains("skipped"), "{}", undone.stdout);
    // What is back already is not skipped, and the rest is named by the run.
    let rest = env.run(&["undo", &run, "--yes"]);
    assert!(rest.stdout.contains("skipped TRD Nurses") && !rest.stdout.contains("skipped HQ"), "{}", rest.stdout);
    let again = env.run(&["undo", &run, "--yes", "-o", "json"]);
    assert_eq!(again.json()["outcome"], "unchanged");
}

/// However often a command was interrupted before it finished, its undo goes back to what was before all of it.
#[cfg(unix)]
#[test]
fn undo_takes_back_runs_that_continued_each_other() {
    // Requests 2 to 10 are the writes; renames without temporary names leave nothing behind that would tell. A stop waits
    // for its grace period, so one is enough.
    for (signal, moments) in [("-KILL", &[3, 6, 9][..]), ("-TERM", &[3])] {
        for &k in moments {
            let env = TestEnv::new();
            copy_example(&env);
            let before = env.networks();
            // One after the other, so that the moment says how much is done.
            let apply = ["apply", "networks.yaml", "--yes", "--concurrency", "1"];
            assert!(env.kill_at(k, RequestFault::NoResponse, signal, &apply).is_killed());
            assert_eq!(env.run(&apply).code, Some(0));
            let plan = env.run(&["plan", "networks.yaml", "--detailed-exitcode"]);
            assert_eq!(plan.code, Some(0), "{}", plan.stdout);
            let undone = env.run(&["undo", "last", "--yes"]);
            assert_eq!(undone.code, Some(0), "{signal} {k} {}\n{}", undone.stdout, undone.stderr);
            // Where the signal came after the last write, nothing was left for a second run.
            let runs = env.run(&["runs", "-o", "json"]).json()["runs"].as_array().map_or(0, Vec::len);
            let is_joined = undone.stderr.contains("undone together with it");
            assert!(k > 3 || is_joined, "{signal} {k} {}", undone.stderr);
            // The undo is a run, too.
            assert_eq!(is_joined, runs == 3, "{signal} {k} {}", undone.stderr);
            assert_eq!(env.networks(), before, "{signal} {k}");
        }
    }
}

#[test]
fn undo_creates_a_network_whose_name_is_nearly_that_of_another_one() {
    let env = TestEnv::new();
    env.write(
        "near.yaml",
        "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - {name: TRD Lab}\n      - {name: TRD Labs, model: DBS210, defaultAccessCode: \"8812\"}\n",
    );
    assert_eq!(env.run(&["apply", "near.yaml", "--yes"]).code, Some(0));
    let id = |name: &str| {
        let networks = env.networks();
        let found = networks.iter().find(|network| network["name"] == name).map(|network| network["id"].clone());
        found.and_then(|id| id.as_str().map(str::to_owned))
    };
    let created = id("TRD Labs").expect("it was created");
    env.write(
        "gone.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{{ id: {created}, state: absent }}]\n"
        ),
    );
    assert_eq!(env.run(&["apply", "gone.yaml", "--yes", "--max-deletes", "1"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert!(id("TRD Labs").is_some_and(|id| id != created));
}

/// Applies networks of a clinic, and returns the name of the run.
fn apply_networks(env: &TestEnv, networks: &str) -> String {
    env.write("f.yaml", &format!("version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{networks}]\n"));
    let ended = env.run(&["apply", "f.yaml", "--yes", "--max-deletes", "3"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    last_run(env)
}

fn network_id(env: &TestEnv, name: &str) -> String {
    let networks = env.networks();
    let found = networks.iter().find(|network| network["name"] == name);
    found.and_then(|network| network["id"].as_str()).expect("a network of this name").to_owned()
}

#[test]
fn an_undo_leaves_a_network_alone_that_has_taken_the_name_of_a_deleted_one() {
    const DEPOT: &str = "name: TRD Depot, model: DBS210, defaultAccessCode: \"8812\"";
    // Created by hand; renamed by the run, and changed since; created by the run, and used since.
    for (run, since) in [
        ("{ id: DEPOT, state: absent }", "{ name: trd depot, model: DBS210, defaultAccessCode: \"8813\" }"),
        ("{ id: DEPOT, state: absent }, { id: YARD, name: TRD Depot }", "{ id: YARD, displayName: by hand }"),
        (
            "{ id: DEPOT, state: absent }, { name: TRD Depot, model: DBS210, defaultAccessCode: \"8815\" }",
            "{ name: TRD Depot, baseStations: [AC7A56CCCCCC] }",
        ),
    ] {
        let env = TestEnv::new();
        apply_networks(
            &env,
            &format!("{{ {DEPOT} }}, {{ name: TRD Yard, model: DBS210, defaultAccessCode: \"8814\" }}"),
        );
        let (depot, yard) = (network_id(&env, "TRD Depot"), network_id(&env, "TRD Yard"));
        let with_ids = |text: &str| text.replace("DEPOT", &depot).replace("YARD", &yard);
        let deletion = apply_networks(&env, &with_ids(run));
        apply_networks(&env, &with_ids(since));
        let before = env.networks();
        let undone = env.run(&["undo", &deletion, "--yes", "--max-deletes", "3"]);
        assert_eq!(undone.code, Some(1), "{}{}", undone.stdout, undone.stderr);
        let said = "is already used by";
        assert!(undone.stdout.contains(said), "{run}: {}", undone.stdout);
        assert_eq!(env.networks(), before, "{run}");
    }
}

#[test]
fn an_undo_leaves_alone_what_has_no_place_any_more_and_what_would_be_nowhere() {
    const GARAGE: &str = "name: TRD Garage, model: DBS110, defaultAccessCode: \"8812\", baseStations: [AC7A56BBBB01]";
    const KITCHEN: &str = "name: TRD Kitchen, model: DBS110, defaultAccessCode: \"8813\"";
    const MOVED: &str = "{ name: TRD Garage, baseStations: [{ mac: AC7A56BBBB01, state: absent }] }";
    let kitchen_with = "{ name: TRD Kitchen, baseStations: [AC7A56BBBB01] }";
    let uptown = "{ name: Uptown, model: DBS110, defaultAccessCode: \"8814\", baseStations: [AC7A56BBBB01] }";
    let display = "{ name: TRD Nurses, displayName: Run }";
    // What the run does, what somebody does after it, and what is said of what stays.
    for (run, since, said) in [
        // The base station would be in no network if it was taken from its new one.
        (
            format!("{MOVED}, {kitchen_with}, {display}"),
            "{ name: TRD Garage, baseStations: [AC7A56BBBB09] }",
            &[
                "base station AC7A56BBBB01 of \"TRD Garage\" is left alone: \"TRD Garage\" would have 2",
                "base station AC7A56BBBB01 of \"TRD Kitchen\" is left alone: it has what cannot be put back",
            ][..],
        ),
        (
            format!("{MOVED}, {uptown}, {display}"),
            "{ name: TRD Garage, baseStations: [AC7A56BBBB09] }",
            &["Uptown is left alone: it has what cannot be put back where it was"],
        ),
        (
            format!("{MOVED}, {kitchen_with}, {display}"),
            "{ id: GARAGE, state: absent }",
            &[
                "base station AC7A56BBBB01 is left alone: its network no longer exists",
                "base station AC7A56BBBB01 of \"TRD Kitchen\" is left alone: it has what cannot be put back",
            ],
        ),
        (
            format!("{{ id: GARAGE, state: absent }}, {kitchen_with}, {display}"),
            "{ name: TRD Garage, model: DBS110, defaultAccessCode: \"8819\" }",
            &[
                "TRD Garage is left alone: name \"TRD Garage\" of a new network is already used",
                "base station AC7A56BBBB01 of \"TRD Kitchen\" is left alone",
            ],
        ),
        (
            format!("{{ id: GARAGE, state: absent }}, {display}"),
            "{ name: Uptown, model: DBS110, defaultAccessCode: \"8812\" }",
            &["TRD Garage is left alone: access code requested for \"TRD Garage\" is already used by \"Uptown\""],
        ),
        // One name is taken, and so the next one is kept.
        (
            format!("{{ id: GARAGE, name: Zebra }}, {{ id: KITCHEN, name: TRD Garage }}, {display}"),
            "{ name: trd kitchen, model: DBS110, defaultAccessCode: \"8819\" }",
            &[
                "name of \"TRD Garage\" is left alone: name \"TRD Kitchen\" requested",
                "name of \"Zebra\" is left alone: name \"TRD Garage\" requested",
            ],
        ),
        (
            format!("{{ id: KITCHEN, displayName: Other, defaultAccessCode: \"8815\" }}, {display}"),
            "{ name: Uptown, model: DBS110, defaultAccessCode: \"8813\" }",
            &["defaultAccessCode of \"TRD Kitchen\" is left alone: access code requested"],
        ),
    ] {
        let env = TestEnv::new();
        apply_networks(&env, &format!("{{ {GARAGE} }}, {{ {KITCHEN} }}"));
        let (garage, kitchen) = (network_id(&env, "TRD Garage"), network_id(&env, "TRD Kitchen"));
        let with_ids = |text: &str| text.replace("GARAGE", &garage).replace("KITCHEN", &kitchen);
        let changed = apply_networks(&env, &with_ids(&run));
        apply_networks(&env, &with_ids(since));
        let export = || env.run(&["export", "--include", "base-stations"]).stdout;
        let before = export();
        let undone = env.run(&["undo", &changed, "--yes", "--max-deletes", "3"]);
        assert_eq!(undone.code, Some(3), "{run}: {}{}", undone.stdout, undone.stderr);
        for said in said {
            assert!(undone.stdout.contains(said), "{run}: {said}\n{}", undone.stdout);
        }
        // The rest is undone.
        let rest = ["        displayName: Run", "        displayName: Other"];
        let (kept, now) = (before.lines().filter(|line| !line.contains("displayName")), export());
        assert_eq!(
            kept.collect::<Vec<_>>(),
            now.lines().filter(|line| !line.contains("displayName")).collect::<Vec<_>>(),
            "{run}"
        );
        assert!(rest.iter().all(|line| !now.contains(line)), "{run}: {now}");
        let again = env.run(&["undo", &changed, "--yes", "--max-deletes", "3"]);
        assert_eq!(again.code, Some(1), "{run}: {}", again.stdout);
    }
}

fn listed(env: &TestEnv) -> Vec<serde_json::Value> {
    env.run(&["export", "-o", "json"]).json()["dectNetworks"].as_array().expect("a list").clone()
}

/// Deletes all networks of Trondheim Clinic and changes the first one of Oslo HQ; the id of that, and how many are deleted.
fn close_clinic(env: &TestEnv) -> (String, usize) {
    let networks = listed(env);
    let of = |name: &str| -> Vec<&serde_json::Value> {
        networks.iter().filter(|network| network["location"]["name"] == name).collect()
    };
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let (clinic, office) = (of("Trondheim Clinic"), of("Oslo HQ"));
    let deleted: Vec<String> =
        clinic.iter().map(|network| format!("{{ id: {}, state: absent }}", text(&network["id"]))).collect();
    let kept = text(&office[0]["id"]);
    let [clinic, office] = [clinic[0], office[0]].map(|network| text(&network["location"]["id"]));
    env.write(
        "f.yaml",
        &format!(
            "version: 1\nlocations:\n  - id: {clinic}\n    networks: [{}]\n  - id: {office}\n    \
             networks: [{{ id: {kept}, displayName: Run }}]\n",
            deleted.join(", ")
        ),
    );
    let applied = env.run(&["apply", "f.yaml", "--yes", "--max-deletes", "100", "--max-changes", "100"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    (kept, deleted.len())
}

/// A list that has no network of a location does not have the location either.
fn remove_empty_locations(env: &TestEnv) {
    let list = serde_json::json!({ "dectNetworks": listed(env) }).to_string();
    let left = SimulatedState::from_list(&list).expect("a state");
    *env.simulated.lock().expect("no panic in the server") = SimulatedOrganization::new(left, FaultConfig::default());
}

#[test]
fn an_undo_leaves_alone_what_was_in_a_location_that_was_removed() {
    for options in [&[][..], &["--location-id"]] {
        let env = TestEnv::new();
        let (kept, deleted) = close_clinic(&env);
        let locations: Vec<String> = listed(&env).iter().map(|network| network["location"]["id"].to_string()).collect();
        remove_empty_locations(&env);
        let clinic = std::fs::read_to_string(env.dir.path().join("f.yaml")).expect("the file");
        let ids = clinic
            .lines()
            .filter_map(|line| line.strip_prefix("  - id: "))
            .chain(locations.first().map(|id| id.trim_matches('"')));
        let ids = ids.flat_map(|id| options.iter().map(move |option| [*option, id])).flatten();
        let arguments: Vec<&str> = ["undo", "last", "--yes", "--max-changes", "100"].into_iter().chain(ids).collect();
        let undone = env.run(&arguments);
        assert_eq!(undone.code, Some(3), "{}{}", undone.stdout, undone.stderr);
        let said = undone.stdout.matches("is left alone: its location is gone").count();
        assert_eq!(said, deleted, "{}", undone.stdout);
        assert!(!undone.stdout.contains("added again"), "{}", undone.stdout);
        let now = listed(&env);
        let network = now.iter().find(|network| network["id"] == kept.as_str());
        assert_ne!(network.expect("it is there")["displayName"], "Run", "the rest is undone");
    }
}

#[test]
fn a_saved_undo_of_a_location_that_was_removed_is_refused() {
    let env = TestEnv::new();
    close_clinic(&env);
    let saved = env.run(&["undo", "last", "--out", "p.json", "--max-changes", "100"]);
    assert_eq!(saved.code, Some(0), "{}", saved.stderr);
    remove_empty_locations(&env);
    let before = env.counters().writes;
    let ended = env.run(&["apply", "--plan", "p.json", "--yes", "--max-changes", "100"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the location \"Trondheim Clinic\" no longer exists"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, before);
}

#[cfg(unix)]
#[test]
fn an_interrupted_undo_goes_on_by_name_after_a_location_was_removed() {
    let env = TestEnv::new();
    let (kept, deleted) = close_clinic(&env);
    let run = last_run(&env);
    let undo = ["undo", "last", "--yes", "--max-changes", "100", "--max-deletes", "100", "--concurrency", "1"];
    // Killed at its first write, which is not executed.
    let has_begun = (1..100).any(|k| {
        let _killed = env.kill_at(k, RequestFault::ResetBefore, "-KILL", &undo);
        env.run(&["runs", "-o", "json"]).json()["runs"].as_array().is_some_and(|runs| runs.len() > 1)
    });
    assert!(has_begun);
    remove_empty_locations(&env);
    let resumed = env.run(&undo);
    assert_eq!(resumed.code, Some(1), "{}{}", resumed.stdout, resumed.stderr);
    assert!(resumed.stderr.contains(&format!("`dectl undo {run}` undoes what is left")), "{}", resumed.stderr);
    let undone = env.run(&["undo", &run, "--yes", "--max-changes", "100", "--max-deletes", "100"]);
    assert!(undone.stdout.matches("its location is gone").count() <= deleted, "{}", undone.stdout);
    assert_eq!(undone.code, Some(3), "{}{}", undone.stdout, undone.stderr);
    let network = listed(&env).into_iter().find(|network| network["id"] == kept.as_str());
    assert_ne!(network.expect("it is there")["displayName"], "Run");
}

#[test]
fn a_location_of_another_name_is_an_error_even_if_neither_has_networks() {
    let mut state: serde_json::Value = serde_json::json!({ "dectNetworks": [], "locations": [] });
    let locations =
        ["Clinic X", "Clinic Y"].map(|name| serde_json::json!({ "id": format!("loc {name}"), "name": name }));
    state["locations"] = locations.to_vec().into();
    let state = SimulatedState::from_list(&state.to_string()).expect("a state");
    let env = TestEnv::with(state, FaultConfig::default());
    let network = "{ name: New, model: DBS210, defaultAccessCode: \"8812\" }";
    env.write(
        "f.yaml",
        &format!("version: 1\nlocations: [{{ id: loc Clinic X, name: Clinic Y, networks: [{network}] }}]\n"),
    );
    let ended = env.run(&["plan", "f.yaml"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("this id belongs to \"Clinic X\", not to \"Clinic Y\""), "{}", ended.stderr);
}

#[test]
fn a_network_of_a_location_that_does_not_exist_is_an_error_before_anything_is_sent() {
    let env = TestEnv::new();
    let network = "{ name: New, model: DBS210, defaultAccessCode: \"8812\", handsets: [{ line1: \"2001\" }] }";
    env.write("f.yaml", &format!("version: 1\nlocations: [{{ id: gone, networks: [{network}] }}]\n"));
    for options in [&[][..], &["--location-id", "gone"]] {
        let ended = env.run(&[&["apply", "f.yaml", "--yes"], options].concat());
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("no location has this id"), "{}", ended.stderr);
    }
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn what_an_undo_has_left_of_a_network_is_undone_later_by_naming_the_run() {
    let env = TestEnv::new();
    let (lab, nurses) = (network_id(&env, "TRD Lab"), network_id(&env, "TRD Nurses"));
    let run = apply_networks(&env, &format!("{{ id: {lab}, name: Zebra, displayName: Other }}"));
    apply_networks(&env, &format!("{{ id: {nurses}, name: TRD Lab }}"));
    let undone = env.run(&["undo", &run, "--yes"]);
    assert_eq!(undone.code, Some(3), "{}", undone.stdout);
    assert!(undone.stdout.contains("name of \"Zebra\" is left alone"), "{}", undone.stdout);
    apply_networks(&env, &format!("{{ id: {nurses}, name: TRD Nurses }}"));
    let undone = env.run(&["undo", &run, "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stdout);
    assert_eq!(network_id(&env, "TRD Lab"), lab);
    // What somebody else has changed is still left alone.
    let run = apply_networks(&env, &format!("{{ id: {lab}, name: Zebra, displayName: Other }}"));
    apply_networks(&env, &format!("{{ id: {lab}, displayName: By hand }}"));
    let undone = env.run(&["undo", &run, "--yes"]);
    assert_eq!(undone.code, Some(1), "{}", undone.stdout);
    assert!(undone.stdout.contains("its settings changed since the run"), "{}", undone.stdout);
}

#[test]
fn a_saved_undo_of_what_is_full_by_now_asks_for_a_new_plan() {
    let env = TestEnv::new();
    const GARAGE: &str = "name: TRD Garage, model: DBS110, defaultAccessCode: \"8812\", baseStations: [AC7A56BBBB01]";
    apply_networks(&env, &format!("{{ {GARAGE} }}"));
    let run = apply_networks(&env, "{ name: TRD Garage, baseStations: [{ mac: AC7A56BBBB01, state: absent }] }");
    let saved = env.run(&["undo", &run, "--out", "p.json"]);
    assert_eq!(saved.code, Some(0), "{}{}", saved.stdout, saved.stderr);
    apply_networks(&env, "{ name: TRD Garage, baseStations: [AC7A56BBBB09] }");
    let before = env.counters().writes;
    let ended = env.run(&["apply", "--plan", "p.json", "--yes"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said = "live state changed since the plan was created: step 0 may exceed the number of base stations";
    assert!(ended.stderr.contains(said) && !ended.stderr.contains("bug"), "{}", ended.stderr);
    assert_eq!(env.counters().writes, before);
}

#[test]
fn an_undo_that_was_overtaken_is_undone_again_by_naming_the_run() {
    let env = TestEnv::new();
    env.write("d.yaml", &lab_and_nurses("A1", "B1"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let runs = env.run(&["runs"]).stdout;
    let run = runs.split_whitespace().next().expect("a run");
    // The undo fails for the laboratory, whose settings are changed then by another run.
    let fault_at = Some((env.counters().requests + 2, RequestFault::Status(400)));
    env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(3));
    env.set_faults(FaultConfig::default());
    env.write("e.yaml", &lab_and_nurses("A1", "Else"));
    assert_eq!(env.run(&["apply", "e.yaml", "--yes", "--journal", "other"]).code, Some(0));

    let ended = env.run(&["undo", "last", "--yes"]);
    assert!(ended.code == Some(1) && ended.stderr.contains(&format!("`dectl undo {run}`")), "{}", ended.stderr);
    let ended = env.run(&["undo", run, "--yes"]);
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("skipped TRD Nurses: its settings changed since the run"),
        "{}\n{}",
        ended.stdout,
        ended.stderr
    );
    let shown = |name: &str| {
        let networks = env.networks();
        let network = networks.iter().find(|network| network["name"] == name).expect("a network");
        network["displayName"].as_str().expect("a text").to_owned()
    };
    assert_eq!((shown("TRD Lab").as_str(), shown("TRD Nurses").as_str()), ("Lab", "Else"));
}

/// A file with the display names of two networks.
fn lab_and_nurses(lab: &str, nurses: &str) -> String {
    let networks = format!("{{ name: TRD Lab, displayName: {lab} }}, {{ name: TRD Nurses, displayName: {nurses} }}");
    format!("version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{networks}] }}]\n")
}

/// The run that a message says how to undo.
#[cfg(unix)]
fn named_undo(message: &str) -> &str {
    message.split_once("`dectl undo ").and_then(|(_, rest)| rest.split_once('`')).expect("a command").0
}

/// Five renames of one location, of which an interrupted command has done some.
#[cfg(unix)]
fn interrupted() -> (TestEnv, Vec<serde_json::Value>) {
    let env = TestEnv::new();
    copy_example(&env);
    let before = env.networks();
    let apply = ["apply", "networks.yaml", "--yes", "--concurrency", "1"];
    assert!(env.kill_at(5, RequestFault::NoResponse, "-KILL", &apply).is_killed());
    (env, before)
}

#[cfg(unix)]
#[test]
fn a_narrower_run_in_between_is_undone_with_what_it_has_continued() {
    let (env, before) = interrupted();
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--location", "Trondheim*"]).code, Some(0));
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(env.networks(), before, "{}", undone.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_that_stays_is_named() {
    // A narrower run has not continued it, and neither has one of a file that was edited.
    let (env, before) = interrupted();
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--location", "Trondheim*"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert!(undone.stderr.contains("was interrupted before; what it has changed is not undone"), "{}", undone.stderr);
    let run = named_undo(&undone.stderr);
    assert_eq!(env.run(&["undo", run, "--yes"]).code, Some(0));
    assert_eq!(env.networks(), before);

    let (env, before) = interrupted();
    let file = std::fs::read_to_string(env.dir.path().join("networks.yaml")).expect("a file");
    env.write("networks.yaml", &format!("{file}\n# edited\n"));
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    let run = named_undo(&undone.stderr);
    assert_eq!(env.run(&["undo", run, "--yes"]).code, Some(0));
    assert_eq!(env.networks(), before);
}

#[test]
fn the_last_run_is_the_last_one_after_a_clock_was_set_back() {
    let env = TestEnv::new();
    env.write("d.yaml", &lab_and_nurses("A1", "B1"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let names = || {
        let runs = env.run(&["runs", "-o", "json"]).json();
        let names = runs["runs"].as_array().expect("a list").iter().map(|run| run["run"].as_str().map(str::to_owned));
        names.collect::<Option<Vec<_>>>().expect("names")
    };
    // What a clock an hour ahead would have written.
    let (dir, first) = (env.dir.path().join(".dectl/runs"), names().remove(0));
    let ahead = format!("2999{}", &first[4..]);
    for suffix in ["jsonl", "plan.json"] {
        let text = std::fs::read_to_string(dir.join(format!("{first}.{suffix}"))).expect("a file");
        std::fs::write(dir.join(format!("{ahead}.{suffix}")), text.replace(&first, &ahead)).expect("written");
        std::fs::remove_file(dir.join(format!("{first}.{suffix}"))).expect("removed");
    }
    let after_first = env.networks();
    env.write("d.yaml", &lab_and_nurses("A2", "B1"));
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(0));
    let second = names().remove(0);
    assert_ne!(second, ahead);
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(env.networks(), after_first);
    assert_eq!(env.run(&["runs", "--prune", "1"]).code, Some(0));
    assert_ne!(names(), [ahead], "the newest run is kept");
}

/// Webex may hide codes while they are disabled. An undo knows them from what the run has recorded.
#[test]
fn hidden_codes_are_known_to_an_undo() {
    const DOCK_1: &str = "Y2lzY29zcGFyazovL3VzL0RFQ1RfREVWX05FVC85OWM0ODliYS1mOTAzLTRlZWEtYjljMi1jOGYyYmUyZWEzNTg";
    const DOCK_2: &str = "Y2lzY29zcGFyazovL3VzL0RFQ1RfREVWX05FVC80YWM1ZGYzYi05MDk5LTRkMzgtOWRlZC0zN2RlMWQ4ZDRjNjY";
    let file = |one: &str, two: &str| {
        format!(
            "version: 1\nlocations:\n  - name: Bergen Warehouse\n    networks:\n      - {{ id: {DOCK_1}, {one} }}\n      \
             - {{ id: {DOCK_2}, {two} }}\n"
        )
    };
    let off = "defaultAccessCodeEnabled: false";
    for (one, two) in [
        // Names and codes change places, and one of the codes is hidden afterwards, or both are.
        (
            "name: BGO Dock 2, defaultAccessCode: \"2202\"".to_owned(),
            format!("name: BGO Dock 1, defaultAccessCode: \"2201\", {off}"),
        ),
        (
            format!("name: BGO Dock 2, defaultAccessCode: \"2202\", {off}"),
            format!("name: BGO Dock 1, defaultAccessCode: \"2201\", {off}"),
        ),
        // The code stays and is hidden.
        ("name: BGO Dock 1".to_owned(), format!("name: BGO Dock 9, {off}")),
    ] {
        let env = TestEnv::with(
            SimulatedState::built_in(),
            FaultConfig { hide_disabled_codes: true, ..FaultConfig::default() },
        );
        env.write("codes.yaml", &file(&one, &two));
        let before = env.networks();
        let applied = env.run(&["apply", "codes.yaml", "--yes"]);
        assert_eq!(applied.code, Some(0), "{one} {two}: {}{}", applied.stdout, applied.stderr);
        assert_ne!(env.networks(), before);
        let undone = env.run(&["undo", "last", "--yes"]);
        assert_eq!(undone.code, Some(0), "{one} {two}: {}{}", undone.stdout, undone.stderr);
        assert_eq!(env.networks(), before, "{one} {two}");
    }
    // The same without an undo: a file that names the codes can always be planned.
    let env =
        TestEnv::with(SimulatedState::built_in(), FaultConfig { hide_disabled_codes: true, ..FaultConfig::default() });
    env.write(
        "codes.yaml",
        &file(
            "name: BGO Dock 2, defaultAccessCode: \"2202\"",
            &format!("name: BGO Dock 1, defaultAccessCode: \"2201\", {off}"),
        ),
    );
    assert_eq!(env.run(&["apply", "codes.yaml", "--yes"]).code, Some(0));
    env.write(
        "back.yaml",
        &file(
            "name: BGO Dock 1, defaultAccessCode: \"2201\"",
            "name: BGO Dock 2, defaultAccessCode: \"2202\", defaultAccessCodeEnabled: true",
        ),
    );
    let back = env.run(&["apply", "back.yaml", "--yes"]);
    assert_eq!(back.code, Some(0), "{}{}", back.stdout, back.stderr);
}

/// As a run leaves its journal that was killed before the last responses came.
fn cut_journal(env: &TestEnv, run: &str) {
    let path = env.dir.path().join(format!(".dectl/runs/{run}.jsonl"));
    let text = std::fs::read_to_string(&path).expect("a journal");
    let kept = text.lines().filter(|line| !line.contains("\"runFinished\"") && !line.contains("\"writeFinished\""));
    std::fs::write(path, kept.map(|line| format!("{line}\n")).collect::<String>()).expect("a journal");
}

fn last_run(env: &TestEnv) -> String {
    env.run(&["runs", "-o", "json"]).json()["runs"][0]["run"].as_str().expect("a run").to_owned()
}

const RENAMED: &str = "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Laboratory, renamedFrom: TRD Lab, displayName: One }]\n";
const SHOWN: &str =
    "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Laboratory, displayName: Two }]\n";

#[test]
fn an_undo_is_about_its_run_although_an_earlier_one_was_killed() {
    let env = TestEnv::new();
    env.write("f.yaml", RENAMED);
    env.write("g.yaml", SHOWN);
    assert_eq!(env.run(&["apply", "f.yaml", "--yes"]).code, Some(0));
    cut_journal(&env, &last_run(&env));
    // What was in flight had been applied.
    assert!(env.run(&["apply", "f.yaml", "--yes"]).stdout.contains("nothing to do"));
    let before = env.run(&["export"]).stdout;
    assert_eq!(env.run(&["apply", "g.yaml", "--yes"]).code, Some(0));
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert!(!undone.stderr.contains("continued"), "{}", undone.stderr);
    assert_eq!(env.run(&["export"]).stdout, before);
}

#[test]
fn what_was_undone_together_is_undone_and_comes_back_together() {
    let env = TestEnv::new();
    copy_example(&env);
    let first = env.run(&["export"]).stdout;
    // The first location, killed; and then all of it.
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes", "--location", "Bergen*"]).code, Some(0));
    let killed = last_run(&env);
    cut_journal(&env, &killed);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let second = env.run(&["export"]).stdout;
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["export"]).stdout, first);
    let runs = env.run(&["runs", "-o", "json"]).json()["runs"].as_array().expect("runs").clone();
    let undo = runs[0]["run"].as_str().expect("a run").to_owned();
    let is_undone = |run: &&serde_json::Value| run["undoneBy"] == undo;
    assert_eq!(runs.iter().filter(is_undone).count(), 2, "{runs:#?}");
    assert_eq!(env.run(&["undo", &undo, "--yes"]).code, Some(0));
    assert_eq!(env.run(&["export"]).stdout, second);
}

#[test]
fn a_saved_plan_is_not_applied_in_part_after_its_undo() {
    let env = TestEnv::new();
    let list = env.run(&["export", "--include", "base-stations"]).stdout;
    let station = list.lines().find_map(|line| line.trim().strip_prefix("- \"AC7A56")).expect("a base station");
    let mac = format!("AC7A56{}", station.split('"').next().expect("an address"));
    let place = env.run(&["find", &mac, "-o", "json"]).json()["found"][0].clone();
    let text = |path: &str| place.pointer(path).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let (location, network) = (text("/location/name"), text("/network/name"));
    env.write(
        "h.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: {location}\n    networks:\n      - name: {network}\n        displayName: H\n        \
             baseStations: [{{ mac: {mac}, state: absent }}]\n"
        ),
    );
    assert_eq!(env.run(&["plan", "h.yaml", "--out", "p.json", "--max-deletes", "1"]).code, Some(0));
    assert_eq!(env.run(&["apply", "--plan", "p.json", "--yes"]).code, Some(0));
    // Again, as after an interruption: it is done.
    assert_eq!(env.run(&["apply", "--plan", "p.json", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    let refused = env.run(&["apply", "--plan", "p.json", "--yes"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("was added again since it was removed"), "{}", refused.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_undo_keeps_to_its_scope() {
    let env = TestEnv::new();
    copy_example(&env);
    assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
    let before = env.counters().writes;
    // Killed after its first write.
    let undo = ["undo", "last", "--yes", "--location", "Trond*", "--concurrency", "1"];
    let has_begun = (1..100).any(|k| {
        let _killed = env.kill_at(k, RequestFault::ResetAfter, "-KILL", &undo);
        env.counters().writes > before
    });
    assert!(has_begun);
    let before = env.counters().writes;
    let refused = env.run(&["undo", "last", "--yes", "--location", "Oslo*"]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    for part in ["of --location \"Trond*\" is unfinished", "without --location and --network"] {
        assert!(refused.stderr.contains(part), "{part}\n{}", refused.stderr);
    }
    assert_eq!(env.counters().writes, before);
    let resumed = env.run(&undo);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("resuming the unfinished undo"), "{}", resumed.stderr);
}

#[test]
fn what_webex_does_not_list_is_said_before_and_after() {
    let mut unnamed = network(0, "Oslo", "Ward", "1111");
    unnamed.as_object_mut().expect("an object").remove("displayName");
    let env = stage_of(vec![unnamed]);
    env.write(
        "f.yaml",
        "version: 1\nlocations: [{ name: Oslo, networks: [{ name: Ward, defaultAccessCodeEnabled: false }] }]\n",
    );
    let applied = env.run(&["apply", "f.yaml", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    assert!(applied.stdout.contains("has no display name, and Webex chooses one"), "{}", applied.stdout);
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(3), "{}{}", undone.stdout, undone.stderr);
    assert!(undone.stdout.contains("displayName of \"Ward\" is left alone"), "{}", undone.stdout);

    let mut disabled = network(0, "Oslo", "Ward", "1111");
    disabled["defaultAccessCodeEnabled"] = false.into();
    let env = stage_of(vec![disabled]);
    env.set_faults(FaultConfig { hide_disabled_codes: true, ..FaultConfig::default() });
    env.write("f.yaml", "version: 1\nlocations: [{ name: Oslo, networks: [{ name: Ward, displayName: X, defaultAccessCode: '7777' }] }]\n");
    let applied = env.run(&["apply", "f.yaml", "--yes"]);
    assert!(
        applied.stdout.contains("has a hidden access code, and the update may set another one"),
        "{}",
        applied.stdout
    );
    let undone = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undone.code, Some(3), "{}{}", undone.stdout, undone.stderr);
    assert!(undone.stdout.contains("defaultAccessCode of \"Ward\" is left alone"), "{}", undone.stdout);
}

#[test]
fn a_name_is_given_back_as_it_was_composed() {
    let env = stage_of(vec![network(0, "Oslo", "Cafe\u{301} Ward", "1111")]);
    let before = live_names(&env);
    env.write("f.yaml", "version: 1\nlocations: [{ name: Oslo, networks: [{ id: net0000, name: Other }] }]\n");
    assert_eq!(env.run(&["apply", "f.yaml", "--yes"]).code, Some(0));
    assert_eq!(env.run(&["undo", "last", "--yes"]).code, Some(0));
    assert_eq!(live_names(&env), before);
}

#[cfg(unix)]
#[test]
fn an_undo_that_was_killed_after_its_last_write_says_what_it_has_left() {
    let has_been_complete = (1..60).any(|k| {
        let env = TestEnv::new();
        copy_example(&env);
        assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0));
        let run = last_run(&env);
        env.write(
            "later.yaml",
            "version: 1\nlocations: [{name: Trondheim Clinic, networks: [{name: TRD Nurses, displayName: Night}]}]\n",
        );
        assert_eq!(env.run(&["apply", "later.yaml", "--yes"]).code, Some(0));
        let _killed = env.kill_at(k, RequestFault::ResetAfter, "-KILL", &["undo", &run, "--yes"]);
        let again = env.run(&["undo", &run, "--yes"]);
        let is_complete = again.stderr.contains("it is complete");
        if is_complete {
            assert!(again.stdout.contains("its settings changed since the run"), "{}{}", again.stdout, again.stderr);
            assert_ne!(again.code, Some(0), "{}", again.stdout);
        }
        is_complete
    });
    assert!(has_been_complete, "no kill came after the last write");
}

#[cfg(unix)]
#[test]
fn a_saved_undo_knows_the_interrupted_runs_that_it_undoes_as_well() {
    let env = TestEnv::new();
    copy_example(&env);
    let apply = ["apply", "networks.yaml", "--yes", "--concurrency", "1"];
    let has_begun = (1..100).any(|k| {
        let _killed = env.kill_at(k, RequestFault::ResetAfter, "-KILL", &apply);
        env.counters().writes > 0
    });
    assert!(has_begun);
    assert_eq!(env.run(&apply).code, Some(0));
    let saved = env.run(&["undo", "last", "--out", "p.json"]);
    assert!(saved.stderr.contains("undone together with it"), "{}", saved.stderr);
    assert_eq!(env.run(&["apply", "--plan", "p.json", "--yes"]).code, Some(0));
    let runs = env.run(&["runs", "-o", "json"]).json()["runs"].clone();
    let undo = runs[0]["run"].clone();
    let undone_by: Vec<_> = runs.as_array().expect("runs").iter().skip(1).map(|run| &run["undoneBy"]).collect();
    assert!(undone_by.len() > 1 && undone_by.iter().all(|by| **by == undo), "{runs:#}");
}

#[test]
fn an_undo_waits_for_lists_that_lag_behind_its_run() {
    let env = TestEnv::new();
    let (lab, nurses) = (network_id(&env, "TRD Lab"), network_id(&env, "TRD Nurses"));
    let before = listed(&env);
    let lag = |seconds| FaultConfig { read_lag: Duration::from_secs(seconds), ..FaultConfig::default() };
    env.set_faults(lag(2));
    env.write(
        "d.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{{ id: {lab}, name: TRD X }}, {{ id: {nurses}, state: absent }}]\n"
        ),
    );
    let applied = env.run(&["apply", "d.yaml", "--yes", "--no-verify", "--max-deletes", "99"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
    let undo = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert!(undo.code == Some(0) && undo.stdout.contains("applied, verified"), "{}{}", undo.stdout, undo.stderr);
    env.set_faults(lag(0));
    let names = |all: &[serde_json::Value]| -> std::collections::BTreeSet<String> {
        all.iter().map(|network| network["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&listed(&env)), names(&before));
}

#[test]
fn a_run_that_has_changed_nothing_is_none_of_another_organization() {
    let env = TestEnv::new();
    env.write(
        "d.yaml",
        "version: 1\nlocations: [{ name: Trondheim Clinic, networks: [{ name: TRD Lab, displayName: X }] }]\n",
    );
    let fault_at = Some((env.counters().requests + 2, RequestFault::Status(400)));
    env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
    assert_eq!(env.run(&["apply", "d.yaml", "--yes"]).code, Some(3));
    let undo = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undo.code, Some(1));
    assert!(undo.stderr.contains("no run that has changed this organization in"), "{}", undo.stderr);
}

#[test]
fn what_the_server_has_normalized_is_as_the_run_has_left_it() {
    let env = TestEnv::new();
    let lab = network_id(&env, "TRD Lab");
    let before = live_names(&env);
    env.set_faults(FaultConfig { quirks: vec![Quirk::Trimmed], ..FaultConfig::default() });
    env.write(
        "d.yaml",
        &format!(
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks:\n      - {{ id: {lab}, name: 'TRD X ' }}\n      \
             - {{ name: 'TRD New ', model: DBS210, defaultAccessCode: \"7310\" }}\n"
        ),
    );
    let applied = env.run(&["apply", "d.yaml", "--yes"]);
    assert_eq!(applied.code, Some(3), "{}{}", applied.stdout, applied.stderr);
    assert!(applied.stdout.contains("found \"TRD X\""), "{}", applied.stdout);
    let undo = env.run(&["undo", "last", "--yes", "--max-deletes", "1"]);
    assert_eq!(undo.code, Some(0), "{}{}", undo.stdout, undo.stderr);
    assert_eq!(live_names(&env), before);
}

#[test]
fn what_the_server_has_normalized_twice_is_undone_at_once() {
    let env = TestEnv::new();
    let lab = network_id(&env, "TRD Lab");
    let before = live_names(&env);
    env.set_faults(FaultConfig { quirks: vec![Quirk::Trimmed], ..FaultConfig::default() });
    env.write(
        "d.yaml",
        &format!(
            "version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ id: {lab}, name: 'TRD X ' }}] }}]\n"
        ),
    );
    for _ in 0..2 {
        let applied = env.run(&["apply", "d.yaml", "--yes"]);
        assert_eq!(applied.code, Some(3), "{}{}", applied.stdout, applied.stderr);
        assert!(applied.stdout.contains("shows other values"), "{}", applied.stdout);
    }
    let undo = env.run(&["undo", "last", "--yes"]);
    assert_eq!(undo.code, Some(0), "{}{}", undo.stdout, undo.stderr);
    assert_eq!(live_names(&env), before);
}

/// What another client changes between a write and the final list is not how the run has left it.
#[test]
fn what_another_client_has_changed_before_the_final_list_is_left_alone() {
    let env = TestEnv::new();
    env.write("d.yaml", "version: 1\nlocations: [{ name: Oslo, networks: [{ id: net0001, name: Ward 2 }] }]\n");
    let ward = Mutex::new(network(1, "Oslo", "Ward 1", "1001"));
    let base = serve(move |method, target, _| {
        let mut ward = ward.lock().expect("the network");
        if method == "PUT" {
            ward["name"] = json!("Ward 2");
            ward["defaultAccessCode"] = json!("7777");
            return response("204 No Content", "", &json!({}));
        }
        if !target.contains("/telephony/config/dectNetworks") {
            return response("403 Forbidden", "", &json!({ "message": "not allowed" }));
        }
        response("200 OK", "", &json!({ "dectNetworks": [ward.clone()] }))
    });
    let applied = env.run(&["apply", "d.yaml", "--yes", "--api-url", &base]);
    assert_eq!(applied.code, Some(3), "{}{}", applied.stdout, applied.stderr);
    let undo = env.run(&["undo", "last", "--yes", "--api-url", &base]);
    assert!(undo.code == Some(1) && undo.stdout.contains("changed since the run"), "{}{}", undo.stdout, undo.stderr);
}

/// Whichever request of it is refused once: a base station that was put back is the one that was to be replaced.
#[test]
fn an_undo_of_a_replacement_that_was_refused_once_is_finished_by_the_next_one() {
    for refused in 1..8 {
        let env = TestEnv::new();
        let before = env.run(&["export", "--include", "base-stations"]).stdout;
        env.write(
            "d.yaml",
            "version: 1\nlocations:\n  - name: Trondheim Clinic\n    networks: [{ name: TRD Lab, baseStations: [{ mac: \
             AC7A56330001, replaces: AC7A5600002D }] }]\n",
        );
        let applied = env.run(&["apply", "d.yaml", "--yes", "--max-deletes", "9"]);
        assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
        let undo = || env.run(&["undo", "last", "--yes", "--max-deletes", "9"]);
        let fault_at = Some((env.counters().requests + refused, RequestFault::Status(400)));
        env.set_faults(FaultConfig { fault_at, ..FaultConfig::default() });
        let first = undo();
        env.set_faults(FaultConfig::default());
        let exported = || env.run(&["export", "--include", "base-stations"]).stdout;
        if exported() != before {
            let second = undo();
            let whole = format!("{}{}{}{}", first.stdout, first.stderr, second.stdout, second.stderr);
            assert_eq!(second.code, Some(0), "request {refused}: {whole}");
        }
        assert_eq!(exported(), before, "request {refused}");
    }
}

#[test]
fn an_undo_says_of_a_handset_without_an_id_that_it_is_not_there_as_it_was_added() {
    let env = TestEnv::new();
    let file = |env: &TestEnv, name: &str, handset: &str| {
        env.write(
            name,
            &format!("version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ name: TRD Lab, handsets: [{handset}] }}] }}]\n"),
        );
    };
    file(&env, "d.yaml", "{ line1: \"1541\", customDisplayName: New A }");
    let applied = env.run(&["apply", "d.yaml", "--yes", "--no-verify"]);
    assert_eq!(applied.code, Some(0), "{}{}", applied.stdout, applied.stderr);
    file(&env, "e.yaml", "{ line1: \"1541\", customDisplayName: Renamed }");
    let renamed = env.run(&["apply", "e.yaml", "--yes", "--journal", "other", "--handset-interval", "0s"]);
    assert_eq!(renamed.code, Some(0), "{}{}", renamed.stdout, renamed.stderr);
    let undo = env.run(&["undo", "last", "--yes", "--handset-interval", "0s"]);
    assert_eq!(undo.code, Some(1), "{}{}", undo.stdout, undo.stderr);
    assert!(undo.stdout.contains("it is not there as it was added"), "{}{}", undo.stdout, undo.stderr);
}

#[test]
fn a_network_that_a_list_still_shows_is_gone_if_it_is_not_found() {
    let env = TestEnv::new();
    let id = network_id(&env, "TRD Lab");
    env.set_faults(FaultConfig { read_lag: Duration::from_secs(2), ..FaultConfig::default() });
    env.write(
        "d.yaml",
        &format!("version: 1\nlocations: [{{ name: Trondheim Clinic, networks: [{{ id: {id}, state: absent }}] }}]\n"),
    );
    let apply = |journal: &str| {
        env.run(&["apply", "d.yaml", "--yes", "--no-verify", "--max-deletes", "99", "--journal", journal])
    };
    assert_eq!(apply("other").code, Some(0));
    let again = apply("this");
    assert!(again.code == Some(0) && again.stdout.contains("nothing to do"), "{}{}", again.stdout, again.stderr);
}
