//! What the simulated organization looks like on the wire: every operation, every refusal, every fault.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use dectl::simulator::{FaultConfig, LimitKind, RequestFault, SimulatedState, Snapshot, TOKEN};
use serde_json::{Value, json};

use crate::harness::TestEnv;

/// An answer, as it came.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request with a token, on a connection of its own.
fn ask(env: &TestEnv, method: &str, target: &str, body: &str) -> io::Result<Answer> {
    ask_with(env, method, target, &format!("authorization: Bearer {TOKEN}\r\n"), body)
}

fn ask_with(env: &TestEnv, method: &str, target: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(env.address())?;
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let answer = Answer {
        status: head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    };
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| length != answer.body.len() && method_has_body(&answer)) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}

/// The answer to a HEAD says how long it would be.
fn method_has_body(answer: &Answer) -> bool {
    !answer.body.is_empty()
}

const LIST: &str = "/v1/telephony/config/dectNetworks";

/// Paths of the first network of a stage.
fn first(env: &TestEnv) -> (String, String) {
    let network = &env.networks()[0];
    let location = network["location"]["id"].as_str().expect("an id");
    let networks = format!("/v1/telephony/config/locations/{location}/dectNetworks");
    (networks.clone(), format!("{networks}/{}", network["id"].as_str().expect("an id")))
}

fn update(name: &str, code: &str) -> String {
    json!({ "name": name, "displayName": "x", "defaultAccessCodeEnabled": true, "defaultAccessCode": code }).to_string()
}

fn env(faults: FaultConfig) -> TestEnv {
    TestEnv::with(SimulatedState::generated(2, 2), faults)
}

#[test]
fn every_refusal_has_one_of_the_two_shapes_and_a_tracking_id() {
    let env = env(FaultConfig::default());
    let (networks, network) = first(&env);
    let large = "x".repeat(2 << 20);
    for (method, target, body, status) in [
        ("PUT", &*network, "{", 400),
        ("PUT", &network, "[]", 400),
        ("PUT", &network, "{\"name\":\"a\"}", 400),
        ("PUT", &network, &*update("", "1001"), 400),
        ("PUT", &network, &update(&"n".repeat(41), "1001"), 400),
        ("PUT", &network, &update("a", "100"), 400),
        ("PUT", &network, &update("a", "１００１"), 400),
        ("PUT", &network, &update("h001 WARD 2", "1001"), 409),
        ("PUT", &network, &update("a", "1002"), 409),
        ("POST", &networks, &update("a", "7777"), 400),
        ("GET", &format!("{networks}/unknown"), "", 404),
        ("DELETE", &format!("{networks}/unknown"), "", 404),
        ("GET", "/v1/telephony", "", 404),
        ("GET", "/v1/telephony/config/locations/%FF/dectNetworks/n", "", 400),
        ("PATCH", &network, "", 405),
        ("POST", LIST, "{}", 405),
        ("PUT", &network, &large, 413),
        ("GET", "/v1/locations?max=0", "", 400),
        ("GET", "/v1/locations?start=99999999999999999999", "", 400),
    ] {
        let answer = ask(&env, method, target, body).expect("an answer");
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
        let document = answer.json();
        let tracking_id = document["trackingId"].as_str();
        assert!(tracking_id.is_some() && answer.header("trackingid") == tracking_id, "{answer:?}");
        let one = document["errors"][0]["description"].is_string() && document["message"].is_string();
        let other = document["error"][0]["message"][0]["description"].is_string();
        assert!(one || other, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let stranger = ask_with(&env, "GET", LIST, "authorization: Bearer wrong\r\n", "").expect("an answer");
    assert_eq!(stranger.status, 401);
    let unauthorized = ask_with(&env, "GET", LIST, "", "").expect("an answer");
    assert_eq!(unauthorized.status, 401);
    let small = ask_with(&env, "GET", LIST, &format!("authorization: bearer {TOKEN}\r\n"), "").expect("an answer");
    assert_eq!(small.status, 200, "a scheme is the same in small letters");
    // Every one of them is remembered as it was written.
    let told = ask(&env, "GET", "/__simulator/requests", "").expect("an answer").json();
    let told = told["requests"].as_array().expect("a list");
    assert_eq!(told.len(), 22);
    assert!(
        told.iter()
            .any(|request| request["method"] == "PATCH" && request["path"] == *network && request["status"] == 405)
    );
    assert!(told.iter().any(|request| request["path"] == "/v1/locations?max=0"));
    let violations = ask(&env, "GET", "/__simulator/violations", "").expect("an answer").json();
    let count = |what: &str| {
        violations["violations"].as_array().expect("a list").iter().filter(|entry| entry["rule"] == what).count()
    };
    assert_eq!((count("validToken"), count("noDuplicate")), (2, 2));
    assert_eq!(ask(&env, "GET", "/__simulator/nothing", "").expect("an answer").status, 404);
}

#[test]
fn networks_come_and_go_and_no_id_comes_twice() {
    let env = env(FaultConfig::default());
    let (networks, network) = first(&env);
    let create = |name: &str, code: &str| {
        let body = json!({ "name": name, "model": "Cisco DECT 210 Base", "defaultAccessCodeEnabled": true,
            "defaultAccessCode": code });
        let answer = ask(&env, "POST", &networks, &body.to_string()).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["dectNetworkId"].as_str().expect("an id").to_owned()
    };
    let mut ids = vec![create("A", "7001"), create("B", "7002")];
    assert_eq!(ask(&env, "DELETE", &network, "").expect("an answer").status, 204);
    assert_eq!(ask(&env, "GET", &network, "").expect("an answer").status, 404);
    ids.extend([create("C", "7003"), create("D", "7004")]);
    // The same after a restart, also when the newest is gone by then.
    let newest = format!("{networks}/{}", ids[3]);
    assert_eq!(ask(&env, "DELETE", &newest, "").expect("an answer").status, 204);
    let kept = Snapshot::text(env.simulated.lock().expect("no panic").state(), []);
    let again =
        TestEnv::with(Snapshot::read("kept.json", kept).expect("what was kept").default, FaultConfig::default());
    for (name, code) in [("E", "7005"), ("F", "7006"), ("G", "7007"), ("H", "7008")] {
        let body = json!({ "name": name, "model": "DMS Cisco DBS110", "defaultAccessCodeEnabled": true,
            "defaultAccessCode": code });
        let answer = ask(&again, "POST", &networks, &body.to_string()).expect("an answer");
        ids.push(answer.json()["dectNetworkId"].as_str().expect("an id").to_owned());
    }
    assert_eq!(again.networks().len(), 3 + 3 + 4);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn pages_keep_what_was_asked_for() {
    let env = TestEnv::with(SimulatedState::generated(12, 1), FaultConfig::default());
    let mut target = "/v1/locations?name=hospital%2001&max=2&orgId=any".to_owned();
    let mut names = Vec::new();
    loop {
        let answer = ask(&env, "GET", &target, "").expect("an answer");
        let items = answer.json()["items"].as_array().expect("a list").clone();
        names.extend(items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()));
        let Some(link) = answer.header("link") else { break };
        let (url, relation) = link.split_once(">; ").expect("a link");
        assert_eq!(relation, "rel=\"next\"");
        target = format!("/v1/{}", url.split_once("/v1/").expect("a path").1);
        assert!(target.contains("orgId=any"), "{target}");
    }
    assert_eq!(names, ["Hospital 010", "Hospital 011", "Hospital 012"]);
}

#[test]
fn of_two_writes_at_once_an_exclusive_location_takes_the_first() {
    let latency = dectl::simulator::Latency::Fixed(Duration::from_millis(400));
    let exclusive_writes = dectl::simulator::ExclusiveWrites::Location;
    let env = env(FaultConfig { latency, exclusive_writes, ..FaultConfig::default() });
    let (networks, network) = first(&env);
    let other = format!("{networks}/{}", env.networks()[1]["id"].as_str().expect("an id"));
    let statuses = std::thread::scope(|scope| {
        let threads = [(&network, "1001"), (&other, "1002")].map(|(target, code)| {
            let body = update(&format!("new {code}"), code);
            let env = &env;
            scope.spawn(move || ask(env, "PUT", target, &body).expect("an answer").status)
        });
        let mut statuses = threads.map(|thread| thread.join().expect("no panic"));
        statuses.sort_unstable();
        statuses
    });
    assert_eq!(statuses, [204, 423]);
}

#[test]
fn a_certain_lock_is_one_every_time_and_knocking_is_noticed() {
    let locks = FaultConfig { locks: 1.0, lock_duration: Duration::from_millis(1), ..FaultConfig::default() };
    let env = env(locks);
    let (_, network) = first(&env);
    for _ in 0..4 {
        let answer = ask(&env, "PUT", &network, &update("a", "1001")).expect("an answer");
        assert_eq!((answer.status, answer.header("retry-after")), (423, Some("1")));
    }
    let counters = env.counters();
    assert_eq!((counters.locked, counters.writes), (4, 0));
    // Reads carry no `Retry-After`.
    assert_eq!(ask(&env, "GET", LIST, "").expect("an answer").status, 200);
    let violations = ask(&env, "GET", "/__simulator/violations", "").expect("an answer").json();
    assert_eq!(violations["violations"].as_array().map(Vec::len), Some(3), "{violations}");
}

/// A fault at the next request: what a client sees, and whether its write was carried out.
fn outcome_of(fault: RequestFault) -> (TestEnv, io::Result<Answer>, bool) {
    let env = env(FaultConfig { fault_at: Some((1, fault)), ..FaultConfig::default() });
    let (_, network) = first(&env);
    let answer = ask(&env, "PUT", &network, &update("networksWritten", "1001"));
    let written = env.networks()[0]["name"] == "networksWritten";
    (env, answer, written)
}

#[test]
fn every_fault_has_its_effect_on_the_wire() {
    let answered = |fault: RequestFault| {
        let (_, answer, written) = outcome_of(fault);
        let answer = answer.expect("an answer");
        (answer.status, answer.body.starts_with('<'), written)
    };
    assert_eq!(answered(RequestFault::Status(503)), (503, false, false));
    assert_eq!(answered(RequestFault::AppliedThenStatus(503)), (503, false, true));
    assert_eq!(answered(RequestFault::HtmlPage), (502, true, false));
    assert_eq!(answered(RequestFault::Locked), (423, false, false));
    for (fault, carried_out) in
        [(RequestFault::ResetBefore, false), (RequestFault::ResetAfter, true), (RequestFault::Truncated, true)]
    {
        let (_, answer, written) = outcome_of(fault);
        let error = answer.expect_err("no answer");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{fault:?}");
        assert_eq!(written, carried_out, "{fault:?}");
    }
}

#[test]
fn an_answer_that_is_cut_ends_in_its_middle() {
    let env = env(FaultConfig { truncated: 1.0, ..FaultConfig::default() });
    let mut stream = TcpStream::connect(env.address()).expect("it listens");
    let request = format!("GET {LIST} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut bytes = Vec::new();
    let _reset = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert_eq!(length.parse::<usize>().ok(), Some(body.len() * 2), "{head}");
}

#[test]
fn no_response_is_executed_and_never_answered() {
    let env = env(FaultConfig { fault_at: Some((1, RequestFault::NoResponse)), ..FaultConfig::default() });
    let (_, network) = first(&env);
    let mut stream = TcpStream::connect(env.address()).expect("it listens");
    let body = update("networksWritten", "1001");
    let request = format!(
        "PUT {network} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it listens");
    while env.counters().arrived < 1 {
        std::thread::yield_now();
    }
    assert_eq!(env.networks()[0]["name"], "networksWritten");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    assert!(stream.read(&mut [0]).is_err_and(|error| error.kind() != io::ErrorKind::ConnectionReset));
}

#[test]
fn a_limit_sends_retry_after_and_logs_violations() {
    let period = Duration::from_secs(3_600);
    let env = env(FaultConfig::default().with_limit(LimitKind::Sliding { count: 1, period }));
    let statuses: Vec<_> = (0..3).map(|_| ask(&env, "GET", LIST, "").expect("an answer")).collect();
    assert_eq!(statuses.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 429, 429]);
    assert_eq!(statuses[1].header("retry-after"), Some("3600"));
    let violations = ask(&env, "GET", "/__simulator/violations", "").expect("an answer").json();
    assert_eq!(violations, json!({ "violations": [{ "request": 3, "rule": "retryAfter" }] }));
}

#[test]
fn handsets_and_members_answer_as_documented() {
    let env = env(FaultConfig::default());
    let (_, network) = first(&env);
    let location = network.split('/').nth(5).expect("a location").to_owned();
    let members = |query: &str| {
        let path = format!("/v1/telephony/config/devices/availableMembers?locationId={location}{query}");
        let answer = ask(&env, "GET", &path, "").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["members"].as_array().expect("a list").clone()
    };
    let all = members("");
    assert!(all.len() > 70 && members("&excludeVirtualLine=true").len() == all.len() - 4);
    assert_eq!((members("&max=10&start=5").len(), members("&extension=1541").len()), (10, 1));
    assert_eq!(members("&start=100000").len(), 0);
    let id = |extension: &str| {
        let member = all.iter().find(|member| member["extension"] == extension).expect("a member");
        member["id"].as_str().expect("an id").to_owned()
    };
    let handsets = format!("{network}/handsets");
    let list =
        || ask(&env, "GET", &handsets, "").expect("an answer").json()["handsets"].as_array().expect("a list").clone();
    let before = list().len();
    let one = json!({ "line1MemberId": id("1541"), "customDisplayName": "One" });
    assert_eq!(ask(&env, "POST", &handsets, &one.to_string()).expect("an answer").status, 201);
    // A virtual line cannot be the first one, and a name occurs once in a request.
    let queue = json!({ "line1MemberId": id("1651"), "customDisplayName": "Queue" });
    let items = |items: &[&Value]| json!({ "items": items }).to_string();
    let bulk = format!("{handsets}/bulk");
    let partial = ask(
        &env,
        "POST",
        &bulk,
        &items(&[&json!({ "line1MemberId": id("1542"), "customDisplayName": "Two" }), &queue]),
    );
    let partial = partial.expect("an answer");
    assert_eq!((partial.status, &partial.json()["items"][1]["result"]["error"]["errorCode"]), (206, &json!(4516)));
    assert_eq!(ask(&env, "POST", &bulk, &items(&[&one, &one])).expect("an answer").status, 400);
    let many: Vec<Value> =
        (0..51).map(|at| json!({ "line1MemberId": id("1541"), "customDisplayName": format!("N {at}") })).collect();
    assert_eq!(ask(&env, "POST", &bulk, &items(&many.iter().collect::<Vec<_>>())).expect("an answer").status, 400);
    assert_eq!(list().len(), before + 2);
    let added = list().last().expect("a handset")["id"].as_str().expect("an id").to_owned();
    let path = format!("{handsets}/{added}");
    let update = json!({ "line1MemberId": id("1542"), "line2MemberId": id("1651"), "customDisplayName": "Three" });
    assert_eq!(ask(&env, "PUT", &path, &update.to_string()).expect("an answer").status, 204);
    assert_eq!(ask(&env, "GET", &path, "").expect("an answer").json()["lines"].as_array().map(Vec::len), Some(2));
    // Leaving out the second line removes it.
    let without = json!({ "line1MemberId": id("1542"), "customDisplayName": "Three" });
    assert_eq!(ask(&env, "PUT", &path, &without.to_string()).expect("an answer").status, 204);
    assert_eq!(ask(&env, "GET", &path, "").expect("an answer").json()["lines"].as_array().map(Vec::len), Some(1));
    assert_eq!(ask(&env, "DELETE", &path, "").expect("an answer").status, 204);
    assert_eq!(ask(&env, "GET", &path, "").expect("an answer").status, 404);
    let all = json!({ "handsetIds": [], "deleteAll": true });
    assert_eq!(ask(&env, "DELETE", &handsets, &all.to_string()).expect("an answer").status, 204);
    assert_eq!(list().len(), 0);
    let violations = ask(&env, "GET", "/__simulator/violations", "").expect("an answer").json();
    let rules: Vec<&Value> =
        violations["violations"].as_array().expect("a list").iter().map(|one| &one["rule"]).collect();
    assert!(rules.contains(&&json!("collectionDeletion")) && rules.contains(&&json!("handsetInterval")), "{rules:?}");
}
