//! Killed at every single request of an apply with rings, the same command ends in the desired state.

#![cfg(unix)]

use dectl::simulator::{Misbehaviour, State};
use serde_json::json;

use crate::stage::Stage;

/// 60 networks in 6 locations; in each, names and codes go round in rings of two, three and five.
fn rings() -> Stage {
    let list = serde_json::from_str::<serde_json::Value>(&State::generated(6, 10).to_list()).expect("JSON");
    let networks = list["dectNetworks"].as_array().expect("a list");
    let mut file = String::from("version: 1\nlocations:\n");
    for location in networks.chunks(10) {
        file.push_str(&format!("  - id: {}\n    networks:\n", location[0]["location"]["id"].as_str().expect("an id")));
        for (at, network) in location.iter().enumerate() {
            let (start, length) =
                [(0, 2), (2, 3), (5, 5)].into_iter().rfind(|(start, _)| *start <= at).expect("a ring");
            let next = &location[start + (at - start + 1) % length];
            let entry = json!({
                "id": network["id"], "name": next["name"], "defaultAccessCode": next["defaultAccessCode"],
            });
            file.push_str(&format!("      - {entry}\n"));
        }
    }
    let stage = Stage::with(State::generated(6, 10), Misbehaviour::default());
    stage.write("rings.yaml", &file);
    stage
}

/// The request that is never answered would be waited for as long as the grace of a stop lasts.
const APPLY: [&str; 5] = ["apply", "rings.yaml", "--yes", "--max-changes=all", "--grace=50ms"];

/// One kill: at the k-th request, with this signal, and perhaps without the journal afterwards.
fn kill(k: u64, signal: &str, keeps_journal: bool) -> bool {
    let stage = rings();
    if let Some(ended) = stage.kill_at(k, signal, &APPLY) {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        return false;
    }
    if !keeps_journal {
        let _none = std::fs::remove_dir_all(stage.folder.path().join(".dectl"));
    }
    let again = stage.run(&APPLY);
    assert_eq!(again.code, Some(0), "{signal} at {k}: {}", again.stderr);
    let plan = stage.run(&["plan", "rings.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{signal} at {k}: {}", plan.stdout);
    true
}

/// Every request is a place to be killed at; by which signal, and whether the journal survives, takes turns.
/// `DECTL_KILLS=all` tries every signal with and without the journal at every request.
#[test]
fn killed_at_every_request_the_same_command_ends_in_the_desired_state() {
    const SIGNALS: [&str; 3] = ["-KILL", "-TERM", "-INT"];
    let all = std::env::var("DECTL_KILLS").is_ok_and(|value| value == "all");
    for k in 1.. {
        let turn = (SIGNALS[k as usize % 3], (k / 3) % 2 == 0);
        let ways: Vec<(&str, bool)> = if all {
            SIGNALS.into_iter().flat_map(|signal| [(signal, true), (signal, false)]).collect()
        } else {
            vec![turn]
        };
        if !ways.into_iter().all(|(signal, keeps_journal)| kill(k, signal, keeps_journal)) {
            // A list, 60 updates, 18 interim ones, a list.
            assert_eq!(k, 81, "the run has {} requests", k - 1);
            return;
        }
    }
}
