//! Where something is, and what an installer needs.

use std::io::{Read, Write};
use std::net::TcpStream;

use dectl::simulator::TOKEN;
use serde_json::Value;

use crate::harness::TestEnv;

fn found(env: &TestEnv, what: &str) -> Vec<Value> {
    let ended = env.run(&["find", what, "-o", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr));
    let found = json["found"].as_array().expect("a list").clone();
    assert_eq!(ended.code, Some(i32::from(found.is_empty())), "{what}: {}", ended.stderr);
    found
}

/// The answer of the API to a plain request.
fn get(env: &TestEnv, path: &str) -> Value {
    let mut stream = TcpStream::connect(env.address()).expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let body = &answer[answer.find('{').expect("a body")..=answer.rfind('}').expect("its end")];
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A handset of the table of handsets: its id, line, name, and the name of the person.
fn a_handset(env: &TestEnv) -> (String, String, String, String) {
    let table = env.run(&["export", "-o", "csv", "--include", "handsets"]).stdout;
    let row: Vec<&str> = table.lines().nth(1).expect("a handset").split(',').collect();
    (row[4].to_owned(), row[5].to_owned(), row[9].to_owned(), row[10].to_owned())
}

#[test]
fn a_handset_is_found_by_whatever_is_known_of_it() {
    let env = TestEnv::new();
    let (id, extension, name, person) = a_handset(&env);
    for (what, field) in [(&id, "id"), (&extension, "line1"), (&name, "customDisplayName"), (&person, "line1")] {
        let found = found(&env, what);
        let it = found.iter().find(|one| one["handset"]["id"] == id.as_str());
        let it = it.unwrap_or_else(|| panic!("{what} finds {found:?}"));
        assert!(it["matched"].as_array().expect("fields").contains(&field.into()), "{what}: {it}");
        assert_eq!(it["network"]["name"], "BGO Cold store");
    }
    let text = env.run(&["find", &name]).stdout;
    assert!(text.starts_with(&format!("Bergen Warehouse / BGO Cold store  handset {name}")), "{text}");
}

#[test]
fn a_network_is_found_with_one_request_by_its_id_and_never_shows_its_code() {
    let env = TestEnv::new();
    let by_name = found(&env, "cold STORE");
    assert_eq!(by_name.len(), 1);
    let id = by_name[0]["network"]["id"].as_str().expect("an id");
    let before = env.counters().requests;
    let by_id = found(&env, id);
    assert_eq!(env.counters().requests, before + 1);
    assert_eq!(by_id[0]["matched"], serde_json::json!(["id"]));
    assert!(!by_id[0].to_string().contains("2203"), "{by_id:?}");
    assert_eq!(found(&env, &format!("{id}==")).len(), 1, "padding does not matter");
}

#[test]
fn a_base_station_is_found_by_its_address_in_any_notation() {
    let env = TestEnv::new();
    let before = env.counters().requests;
    for what in ["AC7A56000009", "ac:7a:56:00:00:09", "AC-7A-56-00-00-09"] {
        let found = found(&env, what);
        assert_eq!(found.len(), 1, "{what}");
        assert_eq!(found[0]["baseStation"]["mac"], "AC7A56000009");
        assert_eq!(found[0]["network"]["name"], "BGO Gate");
    }
    let of_handsets = (env.counters().requests - before) / 3;
    assert!(of_handsets <= 14, "the list and the base stations of 13 networks: {of_handsets}");
}

#[test]
fn the_id_of_a_person_is_looked_up_in_two_requests() {
    let env = TestEnv::new();
    let network = &found(&env, "BGO Cold store")[0];
    let path = format!(
        "/v1/telephony/config/locations/{}/dectNetworks/{}/handsets",
        network["location"]["id"].as_str().expect("an id"),
        network["network"]["id"].as_str().expect("an id")
    );
    let listed = get(&env, &path);
    let member = listed["handsets"][0]["lines"][0]["memberId"].as_str().expect("a member").to_owned();
    let before = env.counters().requests;
    let found = found(&env, &member);
    assert!(!found.is_empty());
    assert!(found.iter().all(|one| one["matched"] == serde_json::json!(["line1"])), "{found:?}");
    // The list, the networks of the person, and the handsets of each of these.
    assert!(env.counters().requests - before <= 2 + found.len() as u64);
}

#[test]
fn kinds_and_scope_limit_what_is_read_and_nothing_found_ends_with_1() {
    let env = TestEnv::new();
    let before = env.counters().requests;
    let ended = env.run(&["find", "Nobody at all", "--kind", "networks"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("nothing found: looked at the list of networks"), "{}", ended.stderr);
    assert_eq!(env.counters().requests, before + 1);
    assert_eq!(env.run(&["find", "BGO", "--location", "Oslo*", "--kind", "networks"]).code, Some(1));
    assert_eq!(env.run(&["find", "BGO", "--location", "Nowhere"]).code, Some(1));
    assert_eq!(env.run(&["find", " "]).code, Some(1));
}

#[test]
fn the_sheet_of_an_installer_has_codes_on_request_only() {
    let env = TestEnv::new();
    let plain = env.run(&["export", "--pairing", "--include", "handsets,base-stations", "-o", "csv"]);
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    assert!(!plain.stdout.contains(",2203,") && !plain.stdout.contains("secret"), "{}", plain.stdout);
    assert!(plain.stdout.contains("BGO Gate,AC7A56000009"), "{}", plain.stdout);
    let handsets = env.run(&["export", "--pairing", "--include", "handsets", "-o", "csv"]);
    assert!(!handsets.stdout.contains("AC7A56000009") && handsets.stdout.contains(",never"), "{}", handsets.stdout);
    let page = env.run(&["export", "--pairing", "--include", "handsets", "-o", "html"]).stdout;
    assert_eq!(page.matches("<dt>Base stations</dt><dd>not on this sheet</dd>").count(), 13, "{page}");
    let secret = env.run(&["export", "--pairing", "-o", "csv", "--show-codes", "--location", "Bergen*"]);
    assert!(secret.stdout.contains("network access code (secret)"), "{}", secret.stdout);
    assert!(secret.stdout.contains("BGO Cold store,2203,AC7A5600"), "{}", secret.stdout);
    let page = env.run(&["export", "--pairing", "-o", "html", "--show-codes"]);
    assert_eq!(page.stdout.matches("<section>").count(), 13, "a page for each network");
    assert!(page.stdout.contains("Destroy this page"), "{}", page.stdout);
    assert!(page.stdout.contains(">2203<"), "{}", page.stdout);
    assert!(!env.run(&["export", "--pairing", "-o", "html"]).stdout.contains(">2203<"));
    for arguments in [&["export", "--pairing"][..], &["export", "-o", "html"], &["export", "--pairing", "-o", "json"]] {
        assert_eq!(env.run(arguments).code, Some(1), "{arguments:?}");
    }
}

#[test]
fn brackets_are_a_glob_and_the_id_of_a_location_names_its_networks() {
    let env = TestEnv::new();
    let found = env.run(&["find", "BGO Dock [12]", "--kind", "networks"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(found.stdout.contains("BGO Dock 1") && found.stdout.contains("BGO Dock 2"), "{}", found.stdout);
    let list = env.run(&["export", "-o", "json"]).json();
    let id = list["dectNetworks"][0]["location"]["id"].as_str().expect("an id");
    let found = env.run(&["find", id, "--kind", "networks", "-o", "json"]);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    let networks = list["dectNetworks"].as_array().expect("a list").iter();
    let expected = networks.filter(|network| network["location"]["id"] == id).count();
    assert_eq!(found.json()["found"].as_array().expect("a list").len(), expected);
}
