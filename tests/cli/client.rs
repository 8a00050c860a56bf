//! Fidelity: a client that was written for Webex cannot tell the simulated organization apart, and everything that is
//! sent and answered is as Cisco's description of the API says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dectl::simulator::{FaultConfig, LimitKind, SimulatedState};
use serde_json::{Value, json};

use crate::harness::{TestEnv, copy_example, skipped};

/// A client for Webex by others, in Python.
struct Client {
    /// The package, as it is imported, and what pip installs.
    package: &'static str,
    requirement: &'static str,
    /// Names a Python that has it.
    variable: &'static str,
    script: &'static str,
}

const WXC_SDK: Client = Client {
    package: "wxc_sdk",
    requirement: "wxc_sdk==1.41.0",
    variable: "WXC_SDK_PYTHON",
    script: "tests/wxc_sdk_client.py",
};

/// Not maintained any more; its later versions are empty.
const WXCADM: Client = Client {
    package: "wxcadm",
    requirement: "wxcadm==4.6.1",
    variable: "WXCADM_PYTHON",
    script: "tests/wxcadm_client.py",
};

impl Client {
    /// A Python that has the package: that of the variable, or one that is set up beside the tests.
    fn python(&self) -> Option<PathBuf> {
        let has_package = |python: &Path| {
            let import = format!("import {}.common", self.package);
            let imported = Command::new(python).args(["-W", "ignore", "-c", &import]).output();
            imported.is_ok_and(|ended| ended.status.success())
        };
        if let Some(python) = std::env::var_os(self.variable) {
            return Some(PathBuf::from(python));
        }
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.package.replace('_', "-"));
        let python = dir.join("bin/python");
        if has_package(&python) {
            return Some(python);
        }
        let run = |command: &mut Command| command.output().is_ok_and(|ended| ended.status.success());
        let install = ["-m", "pip", "install", "--quiet", "--retries", "0", self.requirement];
        let made =
            run(Command::new("python3").args(["-m", "venv"]).arg(&dir)) && run(Command::new(&python).args(install));
        (made && has_package(&python)).then_some(python)
    }

    /// Runs its script against an organization of 3 locations with 4 networks each; what went over the wire.
    fn run(&self) -> Option<Vec<Exchange>> {
        let Some(python) = self.python() else {
            skipped(&format!("there is no Python with {}, and none can be set up", self.package));
            return None;
        };
        let env = TestEnv::with(SimulatedState::generated(3, 4), FaultConfig::default());
        let (port, kept) = recorder(&env);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.script);
        let mut command = Command::new(python);
        command.arg(script).env("WEBEX_API_URL", format!("http://127.0.0.1:{port}/v1"));
        let ended = command.env("WEBEX_ACCESS_TOKEN", dectl::simulator::TOKEN).output().expect("python runs");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(said.ends_with("ok\n"), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
        Some(std::mem::take(&mut *kept.lock().expect("no panic")))
    }
}

#[cfg(unix)]
#[test]
fn a_client_of_another_hand_works_with_the_simulator() {
    let Some(exchanges) = WXCADM.run() else { return };
    let Some(description) = Description::of_environment() else { return };
    for exchange in exchanges.iter().filter(|exchange| description.is_about(exchange)) {
        description.check(exchange);
    }
}

#[cfg(unix)]
#[test]
fn wxc_sdk_works_with_the_simulator() {
    let Some(exchanges) = WXC_SDK.run() else { return };
    // Where the description is there, what went over the wire is held against it, too.
    if let Some(description) = Description::of_environment() {
        let described = exchanges.iter().filter(|exchange| description.is_about(exchange));
        let statuses: Vec<u16> = described.map(|exchange| description.check(exchange)).collect();
        assert!([200, 201, 204, 400, 401, 404, 409].iter().all(|status| statuses.contains(status)), "{statuses:?}");
    }
}

/// A request and its answer, as they went over the wire.
#[derive(Debug)]
struct Exchange {
    method: String,
    path: String,
    body: Vec<u8>,
    status: u16,
    tracking_id: Option<String>,
    answer: Vec<u8>,
}

/// Forwards requests one by one, and keeps them with their answers.
fn recorder(env: &TestEnv) -> (u16, Arc<Mutex<Vec<Exchange>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (behind, keep) = (env.address(), Arc::clone(&kept));
    std::thread::spawn(move || {
        for front in listener.incoming() {
            let (Ok(mut front), keep) = (front, Arc::clone(&keep)) else { return };
            std::thread::spawn(move || {
                let mut back = TcpStream::connect(behind).expect("the organization listens");
                while let Some((head, body)) = message(&mut front) {
                    back.write_all(head.as_bytes()).and_then(|()| back.write_all(&body)).expect("it listens");
                    let Some((answer_head, answer)) = message(&mut back) else { return };
                    let words: Vec<&str> = head.split(' ').collect();
                    let status = answer_head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
                    keep.lock().expect("no panic").push(Exchange {
                        method: words[0].to_owned(),
                        path: words[1].to_owned(),
                        body,
                        status,
                        tracking_id: header(&answer_head, "trackingid").map(str::to_owned),
                        answer: answer.clone(),
                    });
                    let sent = front.write_all(answer_head.as_bytes()).and_then(|()| front.write_all(&answer));
                    if sent.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, kept)
}

/// One message of HTTP/1.1 with a length.
fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn header<'a>(head: &'a str, expected: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(expected).then_some(value.trim())
    })
}

/// Cisco's description, with the schemas of an operation ready to be used.
struct Description(Value);

impl Description {
    /// The one whose file the environment names.
    fn of_environment() -> Option<Self> {
        let text = std::fs::read_to_string(std::env::var_os("DECT_OPENAPI")?).expect("the description");
        let value = if text.starts_with('{') { serde_json::from_str(&text).expect("JSON") } else { yaml(&text) };
        Some(Self(value))
    }

    /// Whether the operation of an exchange is described.
    fn is_about(&self, exchange: &Exchange) -> bool {
        self.operation(&exchange.method, &exchange.path).is_some()
    }

    /// Holds an exchange against the operation that it is about; its status.
    fn check(&self, exchange: &Exchange) -> u16 {
        let what = format!("{} {} {}", exchange.method, exchange.path, exchange.status);
        let operation = self.operation(&exchange.method, &exchange.path).unwrap_or_else(|| panic!("{what}"));
        let known: Vec<&str> =
            operation["parameters"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
        for parameter in exchange.path.split_once('?').into_iter().flat_map(|(_, query)| query.split('&')) {
            let name = parameter.split('=').next().unwrap_or_default();
            assert!(known.contains(&name), "{what}: {name} is not described: {known:?}");
        }
        assert!(exchange.tracking_id.as_ref().is_some_and(|id| !id.is_empty()), "{what}: no tracking id");
        let request = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(request.is_object(), !exchange.body.is_empty(), "{what}");
        // What is wrong on purpose is no request of ours.
        if request.is_object() && exchange.status != 400 {
            let mut body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
            // Null for no second line is what the public SDKs send; the description only knows leaving it out.
            if body["line2MemberId"].is_null() {
                body.as_object_mut().expect("an object").remove("line2MemberId");
            }
            self.assert_fits(request, &body, &what);
        }
        let answer = &operation["responses"][exchange.status.to_string()];
        assert!(answer.is_object(), "{what}: this status is not described");
        let schema = answer["content"].as_object().and_then(|content| content.values().next()).map(|of| &of["schema"]);
        match schema.filter(|schema| schema.is_object()) {
            Some(schema) => {
                // The text of the description knows virtual lines, its list of member types does not.
                let answer = String::from_utf8(exchange.answer.clone()).expect("text").replace("VIRTUAL_LINE", "PLACE");
                self.assert_fits(schema, &serde_json::from_str(&answer).expect("JSON"), &what);
            }
            None if exchange.status < 300 => assert!(exchange.answer.is_empty(), "{what}"),
            // The description gives refusals no content; the developer pages show two shapes of it.
            None => {
                let error: Value = serde_json::from_slice(&exchange.answer).expect("JSON");
                let one = error["errors"][0]["description"].is_string();
                let other = error["error"][0]["message"][0]["description"].is_string();
                assert!((one || other) && error["trackingId"].is_string(), "{what}: {error}");
            }
        }
        exchange.status
    }

    /// The operation of a request, if it is described.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next()?.strip_prefix("/v1")?;
        let parts: Vec<&str> = path.split('/').collect();
        let paths = self.0["paths"].as_object()?;
        let fits = |template: &&String| {
            let template: Vec<&str> = template.trim_end_matches('/').split('/').collect();
            template.len() == parts.len()
                && template.iter().zip(&parts).all(|(expected, part)| expected.starts_with('{') || expected == part)
        };
        // The deletion of several handsets is described with a slash at the end.
        let operation_of = |template: &String| &paths[template][method.to_ascii_lowercase()];
        paths.keys().filter(fits).map(operation_of).find(|operation| operation.is_object())
    }

    fn assert_fits(&self, schema: &Value, document: &Value, what: &str) {
        let mut whole = json!({ "allOf": [schema], "components": self.0["components"] });
        nullable(&mut whole);
        let validator = jsonschema::validator_for(&whole).expect("a schema");
        let errors: Vec<String> =
            validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {}\n{document:#}", errors.join("\n"));
    }
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

/// What OpenAPI 3.0 calls nullable is a second type in JSON Schema; its examples are none of our business.
fn nullable(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("nullable") == Some(&Value::Bool(true))
                && let Some(kind) = fields.get("type").cloned()
            {
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            fields.remove("example");
            fields.values_mut().for_each(nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(nullable),
        _ => {}
    }
}

#[test]
fn requests_and_responses_match_the_openapi_description() {
    let Some(description) = Description::of_environment() else {
        skipped("DECT_OPENAPI names no description of the API");
        return;
    };
    let env = TestEnv::new();
    copy_example(&env);
    env.write("swap.yaml", include_str!("../../examples/swap.yaml"));
    let (port, kept) = recorder(&env);
    let base = format!("http://127.0.0.1:{port}/v1");
    env.write("open-site.yaml", include_str!("../../examples/open-site.yaml"));
    env.write("handsets.yaml", include_str!("../../examples/handsets.yaml"));
    for arguments in [
        &["apply", "networks.yaml", "--yes", "--reread"][..],
        &["apply", "swap.yaml", "--yes"],
        &["apply", "open-site.yaml", "--yes"],
        &["apply", "handsets.yaml", "--yes", "--max-deletes", "1", "--handset-interval", "0s"],
    ] {
        let ended = env.run(&[arguments, &["--api-url", &base]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    // What dectl does not do is asked for by hand: a creation, a deletion, and refusals.
    let location = "Y2lzY29zcGFyazovL3VzL0xPQ0FUSU9OLzE2NTk5MWUwLTQ3ZWEtNDdlNy05YzFiLTNhZTEyZTE0ZDBhZA";
    let networks = format!("/v1/telephony/config/locations/{location}/dectNetworks");
    let create = json!({ "name": "New", "displayName": "New", "model": "DMS Cisco DBS210",
        "defaultAccessCodeEnabled": true, "defaultAccessCode": "7777" });
    let by_hand = |method: &str, path: &str, body: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the recorder listens");
        let token = dectl::simulator::TOKEN;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it listens");
        message(&mut stream).expect("an answer").1
    };
    let made: Value = serde_json::from_slice(&by_hand("POST", &networks, &create.to_string())).expect("JSON");
    let made = format!("{networks}/{}", made["dectNetworkId"].as_str().expect("an id"));
    by_hand("GET", &made, "");
    by_hand("GET", &format!("/v1/telephony/config/dectNetworks?locationId={location}&name=ward"), "");
    // Refused, since the code is too short, since the name is taken, since it is not there, since it is done to a list.
    let update = |name: &str, code: &str| json!({ "name": name, "displayName": "x", "defaultAccessCodeEnabled": true, "defaultAccessCode": code });
    by_hand("PUT", &made, &update("New", "777").to_string());
    by_hand("PUT", &made, &update("HQ Kitchen", "7777").to_string());
    by_hand("DELETE", &made, "");
    by_hand("GET", &made, "");
    by_hand("PUT", &made, &update("New", "7777").to_string());
    // And what is answered on a bad day.
    let first = format!("{networks}/{}", env.networks()[0]["id"].as_str().expect("an id"));
    let limit = LimitKind::Window { count: 1, period: Duration::from_secs(60), phase: Duration::ZERO };
    for bad_day in [
        FaultConfig { locks: 1.0, ..FaultConfig::default() },
        FaultConfig { statuses: vec![(503, 1.0)], ..FaultConfig::default() },
        FaultConfig::default().with_limit(limit),
    ] {
        env.set_faults(bad_day);
        for _ in 0..2 {
            by_hand("PUT", &first, &update("New", "7777").to_string());
        }
    }

    let exchanges = kept.lock().expect("no panic");
    // Locations are described elsewhere.
    let described = exchanges.iter().filter(|exchange| !exchange.path.starts_with("/v1/locations"));
    let seen: Vec<(&str, u16)> =
        described.map(|exchange| (exchange.method.as_str(), description.check(exchange))).collect();
    for expected in [
        ("GET", 200),
        ("PUT", 204),
        ("POST", 201),
        ("DELETE", 204),
        ("PUT", 400),
        ("PUT", 409),
        ("GET", 404),
        ("PUT", 404),
        ("PUT", 423),
        ("PUT", 429),
        ("PUT", 503),
    ] {
        assert!(seen.contains(&expected), "{expected:?} was not tried: {seen:?}");
    }
}
