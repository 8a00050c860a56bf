//! What a first contact records, and a simulator that takes it on.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dectl::simulator::{FaultConfig, Quirk, SimulatedState};
use serde_json::Value;

use crate::harness::{Ended, TestEnv, plain_command};

fn probed(env: &TestEnv) -> Value {
    let ended = env.run(&["auth", "check", "--probe", "shapes.json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("read it before you share it"), "{}", ended.stderr);
    serde_json::from_str(&std::fs::read_to_string(env.dir.path().join("shapes.json")).expect("a file")).expect("JSON")
}

#[test]
fn a_probe_reads_a_little_and_holds_nothing_of_the_organization() {
    let env = TestEnv::new();
    let shapes = probed(&env);
    assert!(env.counters().requests < 30, "{}", env.counters().requests);
    assert_eq!(env.counters().writes, 0);
    let names: Vec<&str> =
        shapes["operations"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    for name in ["baseStations", "handsets", "locations", "me", "members", "missingNetwork", "network", "networks"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let text = shapes.to_string();
    let export = env.run(&["export", "-o", "json"]).json();
    for network in export["dectNetworks"].as_array().expect("networks") {
        for field in ["name", "id", "displayName", "defaultAccessCode"] {
            let value = network[field].as_str().expect("a text");
            assert!(!text.contains(&format!("\"{value}\"")), "{field} {value}");
        }
    }
    assert!(!text.contains("Bergen") && !text.contains("AC7A56"), "{text}");
    let networks = shapes["operations"].as_array().expect("a list").iter().find(|one| one["name"] == "networks");
    let networks = networks.expect("the list");
    assert_eq!((&networks["items"], &networks["statuses"]["200"]), (&13.into(), &1.into()), "{networks}");
    let code = &networks["shape"]["fields"]["dectNetworks"]["items"]["fields"]["defaultAccessCode"];
    assert_eq!(code["forms"]["digits 4"], 13, "{code}");
    assert!(networks["headers"].as_array().expect("names").contains(&"content-type".into()), "{networks}");
}

#[test]
fn a_simulator_takes_shapes_on_and_plans_as_before() {
    let quirks = vec![Quirk::Nulls, Quirk::Numbers, Quirk::Unknown];
    let odd = TestEnv::with(SimulatedState::built_in(), FaultConfig { quirks, ..FaultConfig::default() });
    probed(&odd);
    let mut server = plain_command(odd.dir.path(), &["simulate", "--shapes", "shapes.json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
    let base = lines.find_map(|line| {
        let line = line.expect("a line");
        line.split(['=', ' ', '"']).find(|word| word.starts_with("http://")).map(str::to_owned)
    });
    let base = base.expect("its address");
    let run = |arguments: &[&str]| -> Ended {
        let mut command = plain_command(odd.dir.path(), arguments);
        command.env("WEBEX_API_URL", &base).env("WEBEX_ACCESS_TOKEN", dectl::simulator::TOKEN);
        command.output().expect("it runs").into()
    };
    let list = run(&["export", "-o", "json"]).json();
    let network = &list["dectNetworks"][0];
    assert!(network["futureSetting"].is_object() && network["model"].is_null(), "{network}");
    assert!(network["defaultAccessCodeEnabled"].is_string(), "{network}");
    odd.write(
        "net.yaml",
        "version: 1\nlocations: [{ name: Oslo HQ, networks: [{ name: HQ Kitchen, displayName: Galley }] }]\n",
    );
    let applied = run(&["apply", "net.yaml", "--yes"]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    server.kill().expect("it is stopped");
    let _ended = server.wait();
    odd.write("broken.json", "{}");
    let refused = odd.run(&["simulate", "--shapes", "broken.json"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("auth check --probe"), "{}", refused.stderr);
}
