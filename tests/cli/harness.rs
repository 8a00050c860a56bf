//! A directory of its own, a simulated organization that listens, and the binary.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use dectl::simulator::http::Server;
use dectl::simulator::{Counters, FaultConfig, RequestFault, SimulatedOrganization, SimulatedState, Snapshot, TOKEN};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where a test plays.
pub(crate) struct TestEnv {
    pub(crate) dir: TempDir,
    base: String,
    pub(crate) simulated: Arc<Mutex<SimulatedOrganization>>,
}

impl TestEnv {
    /// The built-in organization, behaving well.
    pub(crate) fn new() -> Self {
        Self::with(SimulatedState::built_in(), FaultConfig::default())
    }

    pub(crate) fn with(state: SimulatedState, faults: FaultConfig) -> Self {
        Self::with_organizations(SimulatedOrganization::new(state, faults), BTreeMap::new())
    }

    /// The same with further organizations, by their ids.
    pub(crate) fn with_organizations(
        simulated: SimulatedOrganization,
        others: BTreeMap<String, SimulatedOrganization>,
    ) -> Self {
        let simulated = Arc::new(Mutex::new(simulated));
        let others = others.into_iter().map(|(id, other)| (id, Arc::new(Mutex::new(other)))).collect();
        let (send, receive) = std::sync::mpsc::channel();
        let served = Arc::clone(&simulated);
        // The thread ends with the test process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind_organizations(served, others, 0).await.expect("a port");
                send.send(server.base()).expect("the test waits");
                server.serve().await.expect("it serves");
            });
        });
        let base = receive.recv().expect("the server starts");
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, base, simulated }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.simulated.lock().expect("no panic in the server").counters()
    }

    /// The networks as they are, whatever anybody says of them.
    pub(crate) fn networks(&self) -> Vec<serde_json::Value> {
        let list = Snapshot::text(self.simulated.lock().expect("no panic in the server").state(), []);
        let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
        list["dectNetworks"].as_array().expect("a list").clone()
    }

    /// Where the organization listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        let address = self.base.trim_start_matches("http://").trim_end_matches("/v1");
        address.parse().expect("an address")
    }

    /// Behaves like this from now on.
    pub(crate) fn set_faults(&self, faults: FaultConfig) {
        self.simulated.lock().expect("no panic in the server").set_faults(faults);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }

    /// The binary in this stage's directory, talking to this stage's organization.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = plain_command(self.dir.path(), arguments);
        command.env("WEBEX_API_URL", &self.base).env("WEBEX_ACCESS_TOKEN", TOKEN);
        command
    }

    /// Lets the binary run until the `k`-th request from now on has reached the organization, and kills it then; the
    /// answer to that request never comes. How it ended if it ended before.
    #[cfg(unix)]
    pub(crate) fn kill_at(&self, k: u64, fault: RequestFault, signal: &str, arguments: &[&str]) -> KillResult {
        let at = self.counters().requests + k;
        self.set_faults(FaultConfig { fault_at: Some((at, fault)), ..FaultConfig::default() });
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        while self.counters().arrived < at {
            if child.try_wait().expect("it can be asked").is_some() {
                self.set_faults(FaultConfig::default());
                return KillResult::Never(child.wait_with_output().expect("it has ended").into());
            }
            std::thread::yield_now();
        }
        // At once, before a request is repeated.
        match signal {
            "-KILL" => child.kill().expect("it is killed"),
            _ => {
                let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
                assert!(status.expect("kill runs").success());
            }
        }
        let ended = child.wait_with_output().expect("it is gone");
        self.set_faults(FaultConfig::default());
        KillResult::Killed(ended)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("the binary runs").into()
    }
}

/// What became of a run that was to be killed at a request.
pub(crate) enum KillResult {
    /// It was.
    Killed(std::process::Output),
    /// It had ended before.
    Never(Ended),
}

impl KillResult {
    pub(crate) const fn is_killed(&self) -> bool {
        matches!(self, Self::Killed(_))
    }
}

/// Says that a test cannot be made here. On standard error itself, since what a test prints is hidden when it passes.
/// `DECTL_TEST_NO_SKIP=1` makes it a failure.
pub(crate) fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("DECTL_TEST_NO_SKIP").is_none(), "{why}");
    // A failure to write is ignored.
    let _gone = std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {name}: {why}\n").as_bytes());
}

/// The binary without any environment that could matter, and without a terminal.
pub(crate) fn plain_command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dectl"));
    command.current_dir(dir).args(arguments).stdin(Stdio::null());
    for name in [
        "WEBEX_ACCESS_TOKEN",
        "WEBEX_TOKEN",
        "WEBEX_API_URL",
        "WEBEX_ORG_ID",
        "SERVICE_APP_CLIENT_ID",
        "SERVICE_APP_CLIENT_SECRET",
        "SERVICE_APP_REFRESH_TOKEN",
        "NO_COLOR",
        "DECTL_PLAN_KEY",
        "DECTL_JOURNAL",
        "DECTL_FILES",
        "DECTL_OUTPUT",
        "DECTL_RATE",
        "DECTL_TOKEN_COMMAND",
        "DECTL_LOG",
        "GITHUB_ACTIONS",
        "GITHUB_WORKSPACE",
        "CI_PROJECT_DIR",
    ] {
        command.env_remove(name);
    }
    command
}

/// How the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Ended {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The example of the repository, in a stage's directory.
pub(crate) fn copy_example(env: &TestEnv) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["networks.yaml", "codes/hq-ward-2"] {
        env.write(name, &std::fs::read_to_string(example.join(name)).expect("the example"));
    }
}

pub(crate) fn network(id: usize, location: &str, name: &str, code: &str) -> Value {
    json!({
        "id": format!("net{id:04}"),
        "name": name,
        "displayName": name,
        "chainId": id + 1,
        "model": "DMS Cisco DBS210",
        "defaultAccessCodeEnabled": true,
        "defaultAccessCode": code,
        "numberOfBaseStations": 2,
        "numberOfHandsetsAssigned": 7,
        "numberOfLines": 7,
        "location": { "id": format!("loc-{location}"), "name": location },
    })
}

pub(crate) fn stage_of(networks: Vec<Value>) -> TestEnv {
    let list = json!({ "dectNetworks": networks }).to_string();
    TestEnv::with(SimulatedState::from_list(&list).expect("a state"), FaultConfig::default())
}

pub(crate) fn live_names(env: &TestEnv) -> Vec<String> {
    let list = env.run(&["export", "-o", "json"]).json();
    let mut names: Vec<String> = list["dectNetworks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|network| format!("{}: {}", network["location"]["name"], network["name"]).replace('"', ""))
        .collect();
    names.sort();
    names
}

/// Starts a command and returns once it has written something.
#[cfg(unix)]
pub(crate) fn until_written(env: &TestEnv, mut command: Command) -> std::process::Child {
    let before = env.counters().writes;
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    while env.counters().writes == before {
        std::thread::yield_now();
    }
    child
}

#[cfg(unix)]
pub(crate) fn signal(child: &std::process::Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Three networks of one location.
pub(crate) fn three_networks() -> TestEnv {
    stage_of(vec![
        network(1, "Oslo", "A 1", "0001"),
        network(2, "Oslo", "A 2", "0002"),
        network(3, "Oslo", "A 3", "0003"),
    ])
}

/// A server that answers each request with what `answer` makes of its method, its target and the number of earlier ones.
pub(crate) fn serve(answer: impl Fn(&str, &str, usize) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let _body = reader.read_exact(&mut vec![0; length.unwrap_or(0)]);
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let _gone = stream.write_all(answer(method, target, count).as_bytes());
        }
    });
    base
}

pub(crate) fn response(status: &str, headers: &str, body: &serde_json::Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}
