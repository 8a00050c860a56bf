//! An apply on a simulated copy.

use crate::harness::{TestEnv, copy_example};

#[test]
fn a_rehearsal_writes_nothing_and_reports_the_simulated_result() {
    let env = TestEnv::new();
    copy_example(&env);
    let ended = env.run(&["rehearse", "networks.yaml", "--limit", "5/60s", "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counters = env.counters();
    assert_eq!((counters.requests, counters.lists, counters.writes), (1, 1, 0));
    let rehearsal = ended.json();
    assert_eq!(rehearsal["kind"], "rehearsal");
    assert_eq!(rehearsal["plan"]["summary"]["writes"], 9);
    assert!(rehearsal["summary"]["pauses"].as_u64() >= Some(1), "{rehearsal}");
    assert!(rehearsal["summary"]["elapsedMs"].as_u64() > Some(60_000), "five requests a minute take a while");

    assert_eq!(env.run(&["plan", "networks.yaml", "--out", "plan.json"]).code, Some(0));
    let of_saved = env.run(&["rehearse", "--plan", "plan.json"]);
    assert_eq!(of_saved.code, Some(0), "{}", of_saved.stderr);
    assert!(of_saved.stdout.contains("Simulated with a limit of 300 requests per 60 s"), "{}", of_saved.stdout);
    assert_eq!(env.counters().writes, 0);
    for wrong in ["300", "0/60s", "x"] {
        assert_eq!(env.run(&["rehearse", "networks.yaml", "--limit", wrong]).code, Some(1));
    }
}
