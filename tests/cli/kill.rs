//! Killed at every single request of an apply, with rings of renames or with sites that open and close, the same command
//! ends in the desired state.

#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;

use dectl::simulator::{FaultConfig, RequestFault, SimulatedState};
use serde_json::{Value, json};

use crate::harness::{KillResult, TestEnv};

/// Name and code of each network, by its id.
type Names = BTreeMap<String, (Value, Value)>;

fn names<'a>(networks: impl IntoIterator<Item = (&'a Value, &'a Value)>) -> Names {
    let entry = |(of, like): (&Value, &Value)| {
        (of["id"].to_string(), (like["name"].clone(), like["defaultAccessCode"].clone()))
    };
    networks.into_iter().map(entry).collect()
}

/// 60 networks in 6 locations; in each, names and codes go round in rings of two, three and five. Also what each is to
/// be called in the end.
fn rings() -> (TestEnv, Names) {
    let env = TestEnv::with(SimulatedState::generated(6, 10), FaultConfig::default());
    let networks = env.networks();
    let mut expected = Vec::new();
    let mut file = String::from("version: 1\nlocations:\n");
    for location in networks.chunks(10) {
        file.push_str(&format!("  - id: {}\n    networks:\n", location[0]["location"]["id"].as_str().expect("an id")));
        for (at, network) in location.iter().enumerate() {
            let (start, length) =
                [(0, 2), (2, 3), (5, 5)].into_iter().rfind(|(start, _)| *start <= at).expect("a cycle");
            let next = &location[start + (at - start + 1) % length];
            expected.push((network, next));
            let entry = json!({
                "id": network["id"], "name": next["name"], "defaultAccessCode": next["defaultAccessCode"],
            });
            file.push_str(&format!("      - {entry}\n"));
        }
    }
    env.write("cycles.yaml", &file);
    let expected = names(expected);
    (env, expected)
}

/// A site that opens, base stations that are replaced and moved, a network that is deleted and one that gets its name,
/// code and base station. Also which networks and base stations there are in the end.
fn sites() -> (TestEnv, Inventory) {
    let env = TestEnv::new();
    let networks = env.networks();
    let find = |name: &str| networks.iter().find(|network| network["name"] == name).expect("a network");
    let lab = find("TRD Lab");
    let station =
        |name: &str, at: usize| find(name)["baseStations"][at]["mac"].as_str().expect("an address").to_owned();
    let many: String = (0..55).map(|at| format!("          - AC7A5622{at:04X}\n")).collect();
    let file = format!(
        "version: 1\nlocations:\n  - name: Stavanger Clinic\n    networks:\n      - name: SVG Wards\n        model: DBS210\n        \
         defaultAccessCode: \"7310\"\n        baseStations:\n{many}        handsets:\n          \
         - {{line1: \"1541\", line2: \"1651\", customDisplayName: Kill A}}\n  - name: Bergen Warehouse\n    networks:\n      \
         - name: BGO Gate\n        baseStations: [{{mac: AC7A5611B001, replaces: \"{}\"}}]\n  - name: Oslo HQ\n    networks:\n      \
         - {{name: HQ Ward 1, baseStations: [{{mac: \"{moved}\", state: absent}}]}}\n      \
         - {{name: HQ Ward 3, baseStations: [\"{moved}\", {{mac: \"{gone}\", state: absent}}]}}\n      \
         - name: HQ Kitchen\n        handsets:\n          - {{line1: \"1541\", customDisplayName: Kill B}}\n          \
         - {{line1: \"1542\", line2: \"1541\", customDisplayName: Kill C}}\n          \
         - {{line1: \"2001\", customDisplayName: Kill D}}\n          - {{line1: \"2002\", state: absent}}\n  - name: Trondheim Clinic\n    \
         networks:\n      - {{id: {}, state: absent}}\n      - name: TRD Lab\n        model: DBS210\n        \
         defaultAccessCode: {}\n        baseStations: [\"{}\"]\n",
        station("BGO Gate", 0),
        lab["id"].as_str().expect("an id"),
        lab["defaultAccessCode"],
        station("TRD Lab", 0),
        moved = station("HQ Ward 1", 0),
        gone = station("HQ Ward 3", 0),
    );
    env.write("sites.yaml", &file);
    let mut expected = inventory(&networks);
    let mut put = |name: &str, macs: &[String]| {
        expected.get_mut(name).expect("a network").1.extend(macs.iter().cloned());
    };
    put("HQ Ward 3", &[station("HQ Ward 1", 0)]);
    put("BGO Gate", &["AC7A5611B001".to_owned()]);
    for (name, at) in [("HQ Ward 1", 0), ("HQ Ward 3", 0), ("BGO Gate", 0)] {
        expected.get_mut(name).expect("a network").1.remove(&station(name, at));
    }
    expected.get_mut("TRD Lab").expect("a network").0 = json!("DMS Cisco DBS210");
    let macs = (0..55).map(|at| format!("AC7A5622{at:04X}")).collect();
    expected.insert("SVG Wards".to_owned(), (json!("DMS Cisco DBS210"), macs));
    (env, expected)
}

/// Model and base stations of each network, by its name.
type Inventory = BTreeMap<String, (Value, BTreeSet<String>)>;

fn inventory(networks: &[Value]) -> Inventory {
    let mut found = Inventory::new();
    for network in networks {
        let stations = network["baseStations"].as_array().expect("a list");
        let macs = stations.iter().map(|station| station["mac"].as_str().expect("an address").to_owned()).collect();
        let before =
            found.insert(network["name"].as_str().expect("a name").to_owned(), (network["model"].clone(), macs));
        assert_eq!(before, None, "no network twice");
    }
    found
}

const APPLY_SITES: [&str; 7] = [
    "apply",
    "sites.yaml",
    "--yes",
    "--max-changes=all",
    "--max-deletes=11",
    "--grace-period=50ms",
    "--handset-interval=0s",
];

/// The handsets that the file names: each once, with both of its lines.
fn assert_handsets(env: &TestEnv, way: Way, k: u64) {
    let export = env.run(&["export", "--include", "handsets", "-o", "csv"]).stdout;
    for (name, lines) in
        [("Kill A", ",1541,,1651,"), ("Kill B", ",1541,,,"), ("Kill C", ",1542,,1541,"), ("Kill D", ",2001,")]
    {
        let rows: Vec<&str> = export.lines().filter(|row| row.contains(name)).collect();
        assert!(rows.len() == 1 && rows[0].contains(lines), "{way:?} at {k}: {name} {rows:?}");
    }
    assert!(!export.contains("HQ Kitchen,,2002,"), "{way:?} at {k}: {export}");
}

/// One more run of the same command finishes, and the one after it has nothing to do.
#[test]
fn killed_at_every_request_of_a_site_the_same_command_ends_in_the_desired_state() {
    for k in 1.. {
        for way in Way::for_request(k) {
            let (env, expected) = sites();
            if !way.kill(&env, k, &APPLY_SITES) {
                assert_eq!(inventory(&env.networks()), expected);
                assert!(k > 20, "the run has {} requests", k - 1);
                return;
            }
            let again = env.run(&APPLY_SITES);
            assert_eq!(again.code, Some(0), "{way:?} at {k}: {}\n{}", again.stdout, again.stderr);
            assert_eq!(inventory(&env.networks()), expected, "{way:?} at {k}");
            assert_handsets(&env, way, k);
            let last = env.run(&APPLY_SITES);
            assert!(last.stdout.contains("nothing to do"), "{way:?} at {k}: {}", last.stdout);
            let violations = env.simulated.lock().expect("no panic in the server").violations();
            let rules: Vec<&Value> = violations["violations"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|violation| &violation["rule"])
                .collect();
            assert!(!rules.contains(&&json!("collectionDeletion")), "{rules:?}");
        }
    }
}

/// The request that is never answered would be waited for as long as the grace of a stop lasts.
const APPLY: [&str; 5] = ["apply", "cycles.yaml", "--yes", "--max-changes=all", "--grace-period=50ms"];

/// A way to be killed.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Whether the request was carried out.
    fault: RequestFault,
    signal: &'static str,
    keeps_journal: bool,
}

impl Way {
    fn all() -> Vec<Self> {
        let mut ways = Vec::new();
        for signal in ["-KILL", "-TERM", "-INT"] {
            for fault in [RequestFault::NoResponse, RequestFault::ResetBefore] {
                ways.extend([true, false].map(|keeps_journal| Self { fault, signal, keeps_journal }));
            }
        }
        ways
    }

    /// The ways that the `k`-th request is tried in: they take turns, unless all are asked for.
    fn for_request(k: u64) -> Vec<Self> {
        let ways = Self::all();
        if std::env::var("DECTL_TEST_KILLS").is_ok_and(|value| value == "all") {
            return ways;
        }
        // Five is prime to the number of ways, so that each meets every kind of request.
        vec![ways[5 * k as usize % ways.len()]]
    }

    /// Kills a run at its `k`-th request; false if it has none, and ended well.
    fn kill(self, env: &TestEnv, k: u64, arguments: &[&str]) -> bool {
        let killed = match env.kill_at(k, self.fault, self.signal, arguments) {
            KillResult::Killed(killed) => killed.status,
            KillResult::Never(ended) => {
                assert_eq!(ended.code, Some(0), "{}", ended.stderr);
                return false;
            }
        };
        match self.signal {
            "-KILL" => assert_eq!(killed.signal(), Some(9), "{self:?} at {k}"),
            "-TERM" => assert_eq!(killed.code(), Some(143), "{self:?} at {k}"),
            _ => assert_eq!(killed.code(), Some(130), "{self:?} at {k}"),
        }
        if !self.keeps_journal {
            let _none = std::fs::remove_dir_all(env.dir.path().join(".dectl"));
        }
        true
    }
}

/// Every request is a place to be killed at; by which signal, before or after it was carried out, and whether the
/// journal survives, takes turns. `DECTL_TEST_KILLS=all` tries every way at every request.
#[test]
fn killed_at_every_request_the_same_command_ends_in_the_desired_state() {
    for k in 1.. {
        for way in Way::for_request(k) {
            let (env, expected) = rings();
            if !way.kill(&env, k, &APPLY) {
                // A list, 60 updates, 18 interim ones, a list.
                assert_eq!(k, 81, "the run has {} requests", k - 1);
                return;
            }
            let again = env.run(&APPLY);
            assert_eq!(again.code, Some(0), "{way:?} at {k}: {}", again.stderr);
            let networks = env.networks();
            assert_eq!(names(networks.iter().map(|network| (network, network))), expected, "{way:?} at {k}");
        }
    }
}
