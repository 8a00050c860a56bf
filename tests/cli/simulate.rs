//! `dectl simulate` as a tool of its own: states, several organizations, misbehaviour, and what it remembers.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{Ended, plain_command};

/// A running `dectl simulate`; ends with the test.
struct Simulator {
    child: Child,
    base: String,
}

impl Simulator {
    fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut command = plain_command(dir, &[&["simulate"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let base = lines.find_map(|line| line.ok()?.strip_prefix("export WEBEX_API_URL=").map(str::to_owned));
        let base = base.unwrap_or_else(|| {
            let mut said = String::new();
            let _read = std::io::Read::read_to_string(&mut child.stderr.take().expect("stderr"), &mut said);
            panic!("it does not serve: {said}")
        });
        Self { child, base }
    }

    fn run(&self, dir: &Path, arguments: &[&str]) -> Ended {
        let mut command = plain_command(dir, arguments);
        command.env("WEBEX_API_URL", &self.base).env("WEBEX_ACCESS_TOKEN", dectl::simulator::TOKEN);
        command.output().expect("the binary runs").into()
    }

    fn tells(&self, what: &str) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = format!("{}/__simulator/{what}", self.base.trim_end_matches("/v1"));
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let text = runtime.block_on(async { reqwest::get(address).await.expect("an answer").text().await });
        serde_json::from_str(&text.expect("a text")).expect("JSON")
    }

    /// Stops it as Ctrl-C does, so that its state is kept.
    fn shutdown(mut self) {
        let kill = std::process::Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[test]
fn an_export_is_a_state_and_what_it_lacks_is_made_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    let run = |arguments: &[&str]| -> Ended { plain_command(here, arguments).output().expect("it runs").into() };
    for arguments in [
        &["export", "--simulate=20x3", "--write", "all.yaml"][..],
        &["export", "--simulate=20x3", "--write", "quiet.yaml", "--no-codes"],
        &["export", "--simulate=20x3", "-o", "csv", "--show-codes", "--write", "all.csv"],
        &["export", "--simulate=20x3", "-o", "json", "--write", "list.json"],
    ] {
        assert_eq!(run(arguments).code, Some(0));
    }
    for state in ["all.yaml", "quiet.yaml", "all.csv", "list.json"] {
        let ended = run(&["plan", "all.yaml", &format!("--simulate={state}"), "-o", "json"]);
        let document = ended.json();
        let unchanged = document["summary"]["unchanged"].as_u64();
        // Codes that were left out are made up: others than before.
        assert!(unchanged == Some(60) || state == "quiet.yaml", "{state}: {}", document["summary"]);
        assert_eq!(document["summary"]["networks"], 60, "{state}");
    }
    std::fs::write(here.join("wrong.yaml"), "version: 1\nlocations: [{nam: x}]\n").expect("a file");
    std::fs::write(here.join("wrong.json"), "{\"networks\": []}").expect("a file");
    for (state, words) in [("wrong.yaml", "line 2"), ("wrong.json", "no list"), ("nowhere", "cannot read")] {
        let ended = run(&["export", &format!("--simulate={state}")]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains(words), "{state}: {}", ended.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_state_file_is_resumed() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    let rename = ["rename", "H(?<x>.*)", "K{{ x }}", "--yes"];
    let first = Simulator::start(here, &["2x2", "--state-file", "state.json"]);
    assert_eq!(first.run(here, &rename).code, Some(0));
    first.shutdown();
    let second = Simulator::start(here, &["--state-file", "state.json"]);
    let export = second.run(here, &["export"]).stdout;
    assert!(export.contains("name: K001 Ward 1") && !export.contains("name: H001"), "{export}");
}

#[cfg(unix)]
#[test]
fn a_state_file_resumes_all_organizations_and_follows_links() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    std::os::unix::fs::symlink("real.json", here.join("link.json")).expect("a link");
    let simulator = Simulator::start(here, &["1x1", "--organization", "acme=2x2", "--state-file", "link.json"]);
    let rename = ["rename", "H(?<x>.*)", "K{{ x }}", "--yes", "--org", "acme"];
    assert_eq!(simulator.run(here, &rename).code, Some(0));
    simulator.shutdown();
    assert!(std::fs::symlink_metadata(here.join("link.json")).expect("there").is_symlink());
    // What was there can be deleted while it serves: it is kept at the end all the same.
    let again = Simulator::start(here, &["--organization", "globex=1x3", "--state-file", "link.json"]);
    std::fs::remove_file(here.join("real.json")).expect("it was there");
    again.shutdown();
    let third = Simulator::start(here, &["--state-file", "link.json"]);
    for (org, names) in [("acme", ["K001 Ward 1", "K002 Ward 2"]), ("globex", ["H001 Ward 1", "H001 Ward 3"])] {
        let export = third.run(here, &["export", "--org", org]).stdout;
        assert!(names.iter().all(|name| export.contains(name)), "{org}: {export}");
    }
}

#[test]
fn a_desired_state_file_as_the_state_is_what_it_asks_for() {
    let env = crate::harness::TestEnv::new();
    crate::harness::copy_example(&env);
    let ended = env.run(&["plan", "networks.yaml", "--simulate=networks.yaml"]);
    assert!(
        ended.stdout.ends_with("Plan: nothing to do, 12 unchanged, 0 unmanaged\n"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    env.write("rules.yaml", "version: 1\nrules: [{ match: { name: a }, set: { name: b } }]\n");
    let ended = env.run(&["export", "--simulate=rules.yaml"]);
    assert!(ended.stderr.contains("it contains no network"), "{}", ended.stderr);
}

#[test]
fn organizations_are_selected_by_id() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    let simulator = Simulator::start(here, &["1x1", "--organization", "acme=2x2", "--organization", "globex=3x3"]);
    let networks = |org: &[&str]| {
        let ended = simulator.run(here, &[&["export", "-o", "json"], org].concat());
        ended.json()["dectNetworks"].as_array().map(Vec::len)
    };
    assert_eq!(networks(&[]), Some(1));
    assert_eq!(networks(&["--org", "acme"]), Some(4));
    assert_eq!(networks(&["--org", "globex"]), Some(9));
    let stranger = simulator.run(here, &["export", "--org", "initech"]);
    assert_eq!(stranger.code, Some(1));
    assert!(stranger.stderr.contains("status 404"), "{}", stranger.stderr);
    // A plan finds none of its networks in another organization.
    let rename = ["rename", "H001 Ward 2", "X", "--org", "acme", "--out", "plan.json"];
    assert_eq!(simulator.run(here, &rename).code, Some(0));
    let elsewhere = simulator.run(here, &["apply", "--plan", "plan.json", "--yes", "--org", "nowhere"]);
    assert_eq!(elsewhere.code, Some(1));
    assert_eq!(simulator.tells("counts?orgId=globex")["lists"], 1);
    assert!(simulator.tells("counts?orgId=initech")["lists"].is_null(), "a misspelt id proves nothing");
}

#[test]
fn all_organizations_know_the_tokens_of_the_service_app_and_have_an_id() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulator = Simulator::start(dir.path(), &["1x1", "--organization", "acme=2x2"]);
    let check = |org: Option<&str>| {
        let mut command = plain_command(dir.path(), &["auth", "check", "-o", "json"]);
        command.env("WEBEX_API_URL", &simulator.base).env("SERVICE_APP_CLIENT_ID", dectl::simulator::CLIENT_ID);
        command.env("SERVICE_APP_CLIENT_SECRET", dectl::simulator::CLIENT_SECRET);
        command.env("SERVICE_APP_REFRESH_TOKEN", dectl::simulator::REFRESH_TOKEN);
        if let Some(org) = org {
            command.args(["--org", org]);
        }
        let document = Ended::from(command.output().expect("it runs")).json();
        let id = document["owner"]["organization"].as_str().expect("an id").to_owned();
        (id, document["read"]["networks"].clone())
    };
    assert_eq!(check(Some("acme")), ("acme".to_owned(), 4.into()));
    let (first, networks) = check(None);
    assert_eq!(networks, 1);
    assert_eq!(check(Some(&first)), (first, 1.into()), "it can be asked for by its own id, too");
}

#[test]
fn a_state_file_never_replaces_other_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    std::fs::write(here.join("precious.yaml"), "version: 1\n").expect("a file");
    for (arguments, words) in [
        (&["1x1", "--state-file", "precious.yaml"][..], "would be overwritten"),
        (&["precious.yaml", "--state-file", "precious.yaml"], "would be overwritten"),
        (&["--state-file", "precious.yaml"], "precious.yaml"),
        (&["--state-file", "no/such/dir/new.json"], "cannot save the state"),
        (&["1x1", "--organization", "acme=1x1", "--organization", "acme=2x2"], "duplicate organization"),
        (&["1x1", "--accept-token", "a b; echo hi"], "expected letters, digits"),
        (&["1x1", "--lock-duration", "3s"], "require a probability"),
        (&["1x1", "--concurrent-edit-at", "0"], "counted from 1"),
    ] {
        let ended: Ended = plain_command(here, &[&["simulate"], arguments].concat()).output().expect("it runs").into();
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_to_string(here.join("precious.yaml")).expect("a file"), "version: 1\n");
}

#[cfg(unix)]
#[test]
fn deferred_writes_are_saved_without_further_requests() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    std::fs::write(here.join("slow.yaml"), "asyncUpdateDelay: 1ms\n").expect("a file");
    let simulator = Simulator::start(here, &["1x1", "--scenario", "slow.yaml", "--state-file", "state.json"]);
    let rename = ["rename", "H(?<x>.*)", "K{{ x }}", "--yes", "--no-verify"];
    assert_eq!(simulator.run(here, &rename).code, Some(0));
    simulator.shutdown();
    assert!(std::fs::read_to_string(here.join("state.json")).expect("a file").contains("K001 Ward 1"));
}

#[test]
fn a_scenario_and_options_inject_faults_and_requests_are_logged() {
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path();
    std::fs::write(
        here.join("bad-day.yaml"),
        "seed: 4\nlimit: bucket:40/s,5\nlocks: { probability: 5%, time: 100ms }\nfaults: { 503: 20%, resetAfter: 2% }\n\
         quirks: [nulls, numbers, unknown]\nconcurrentEditsAt: [9]\n",
    )
    .expect("a file");
    let arguments = ["10x4", "--scenario", "bad-day.yaml", "--latency", "1ms..8ms", "--fault", "truncated=1%"];
    let simulator = Simulator::start(here, &arguments);
    let ended = simulator.run(here, &["rename", "H(?<x>.*)", "K{{ x }}", "--yes", "--max-changes", "all"]);
    // Another client has changed a display name meanwhile; the update sets it back.
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counts = simulator.tells("counts");
    assert!(counts["refused"].as_u64() > Some(0), "{counts}");
    let requests = simulator.tells("requests");
    let requests = requests["requests"].as_array().expect("a list");
    assert!(requests.len() >= 42, "{}", requests.len());
    assert!(requests.iter().any(|request| request["status"] == 503), "{requests:?}");
    assert!(requests.iter().all(|request| request["trackingId"].is_string()));
    let text = serde_json::to_string(requests).expect("JSON");
    assert!(!text.contains("\"1001\"") && !text.contains("simulated-token"), "{text}");
    // A request may cross the answer that carries `Retry-After`; no other rule is violated.
    let violations = simulator.tells("violations");
    let violations = violations["violations"].as_array().expect("a list");
    assert!(violations.len() <= 8 && violations.iter().all(|entry| entry["rule"] == "retryAfter"), "{violations:?}");
    let stranger = plain_command(here, &["export"])
        .env("WEBEX_API_URL", &simulator.base)
        .env("WEBEX_ACCESS_TOKEN", "wrong")
        .output()
        .expect("it runs");
    assert_eq!(stranger.status.code(), Some(1));
    let violations = simulator.tells("violations")["violations"].clone();
    assert_eq!(violations.as_array().and_then(|all| Some(all.last()?["rule"].clone())), Some("validToken".into()));
}

#[test]
fn invalid_scenarios_are_rejected_with_a_message() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |arguments: &[&str]| -> Ended {
        plain_command(dir.path(), &[&["simulate"], arguments].concat()).output().expect("it runs").into()
    };
    std::fs::write(dir.path().join("wrong.yaml"), "seed: 1\nlimt: often\n").expect("a file");
    for (arguments, words) in [
        (&["--scenario", "wrong.yaml"][..], "limt"),
        (&["--scenario", "nowhere.yaml"], "cannot read"),
        (&["--limit", "often"], "bucket:RATE"),
        (&["--fault", "503"], "503=5%"),
        (&["--fault", "200=1%"], "unknown fault"),
        (&["--fault", "503=60%", "--fault", "truncated=60%"], "more than 1"),
        (&["--lock-duration", "1s"], "--locks 5%"),
        (&["--latency", "2s..1s"], "MEDIAN..P99"),
        (&["--quirk", "strange"], "nulls"),
        (&["--organization", "acme"], "acme=acme.json"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_scenario_that_the_documentation_shows_is_one() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulator.md")).expect("a page");
    let block = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let scenario = dectl::simulator::Scenario::parse(block).expect("a scenario");
    assert!(scenario.faults().is_ok());
}
