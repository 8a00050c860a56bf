//! `dectl orgs`.

use std::collections::BTreeMap;

use dectl::simulator::{FaultConfig, SimulatedOrganization, SimulatedState};

use crate::harness::TestEnv;

#[test]
fn every_organization_of_the_token_is_listed_with_a_directory() {
    let organization = || SimulatedOrganization::new(SimulatedState::generated(1, 1), FaultConfig::default());
    let others: BTreeMap<String, _> = ["acme", "globex"].map(|id| (id.to_owned(), organization().with_id(id))).into();
    let env = TestEnv::with_organizations(organization(), others);
    let listed = env.run(&["orgs"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(lines[1..], ["acme organization-2", "globex organization-3"]);
    let document = env.run(&["orgs", "-o", "json"]).json();
    assert_eq!(document["organizations"].as_array().map(Vec::len), Some(3));
    // Each id is one that `--org` takes.
    for organization in document["organizations"].as_array().into_iter().flatten() {
        let id = organization["org"].as_str().expect("an id");
        assert_eq!(env.run(&["export", "--org", id, "-o", "json"]).code, Some(0), "{id}");
    }
    let refused = env.run(&["orgs", "--token", "wrong"]);
    assert_ne!(refused.code, Some(0));
}
