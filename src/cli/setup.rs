//! From flags and environment to something that sends requests.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use dectl::send::pacer::Pacer;
use dectl::send::{Bounds, Sender};
use dectl::simulator::http::Server;
use dectl::simulator::{Misbehaviour, Simulated, State, TOKEN};
use dectl::time::{Chance, Clock, Stop};
use dectl::webex::credentials::Token;
use dectl::webex::{HttpApi, HttpConfig};
use secrecy::SecretString;

use super::args::{Common, Pace};
use super::exit::Failed;

/// Everything that a command needs to talk to an organization.
pub(crate) struct Connection {
    pub(crate) sender: Sender,
    /// The name of this run: of its journal and in its tracking ids.
    pub(crate) run: String,
}

/// Connects to the organization that the flags name; an embedded one is started for `--simulate`.
pub(crate) async fn connect(common: &Common, pace: Pace, stop: Stop) -> Result<Connection, Failed> {
    let clock = Clock::real();
    let run = run_name(&clock);
    let config = match &common.simulate {
        Some(state) => HttpConfig::new(serve_embedded(state.as_deref()).await?, token(TOKEN, "")?, &run),
        None => {
            let mut config = HttpConfig::new(&common.api_url, real_token(common)?, &run);
            config.org = common.org.clone();
            config
        }
    };
    let api = HttpApi::new(config).map_err(|error| Failed::of(error.to_string()))?;
    let pacer = Pacer::new(pace.concurrency.into(), pace.rate);
    let sender = Sender::new(Rc::new(api), clock, Chance::from_surroundings(), pacer, bounds(pace), stop);
    Ok(Connection { sender, run })
}

/// When to give up.
pub(crate) fn bounds(pace: Pace) -> Bounds {
    Bounds { max_attempts: pace.max_attempts, lock_timeout: pace.lock_timeout, ..Bounds::default() }
}

/// Reads the state that a simulated organization begins with.
pub(crate) fn simulated_state(path: Option<&Path>) -> Result<State, Failed> {
    let Some(path) = path else { return Ok(State::built_in()) };
    if let Some(state) = path.to_str().and_then(State::of_size) {
        return Ok(state);
    }
    let text = fs::read_to_string(path)
        .map_err(|error| Failed::of(format!("the state {} cannot be read: {error}", path.display())))?;
    State::from_list(&text).map_err(|error| Failed::of(format!("{}: {error}", path.display())))
}

async fn serve_embedded(state: Option<&Path>) -> Result<String, Failed> {
    let simulated = Simulated::new(simulated_state(state)?, Misbehaviour::default());
    let server = Server::bind(Arc::new(Mutex::new(simulated)), 0)
        .await
        .map_err(|error| Failed::of(format!("the simulated organization cannot listen on loopback: {error}")))?;
    let base = server.base();
    tokio::spawn(server.serve());
    Ok(base)
}

fn real_token(common: &Common) -> Result<Token, Failed> {
    if let Some(path) = &common.token_file {
        let text = fs::read_to_string(path)
            .map_err(|error| Failed::of(format!("the token file {} cannot be read: {error}", path.display())))?;
        return token(&text, &format!(" in {}", path.display()));
    }
    match std::env::var("WEBEX_ACCESS_TOKEN") {
        Ok(text) => token(&text, " in WEBEX_ACCESS_TOKEN"),
        Err(_) => Err(Failed::of(
            "there is no access token: set WEBEX_ACCESS_TOKEN or give --token-file FILE \
             (or try --simulate, which needs none)",
        )),
    }
}

fn token(text: &str, place: &str) -> Result<Token, Failed> {
    Token::new(text).map_err(|error| Failed::of(format!("{error}{place}")))
}

/// What saved plans are sealed with, if anything.
pub(crate) fn plan_key() -> Option<SecretString> {
    std::env::var("DECTL_PLAN_KEY").ok().filter(|key| !key.is_empty()).map(SecretString::from)
}

/// A name that sorts by time and that no other run has.
fn run_name(clock: &Clock) -> String {
    let time = clock.wall(clock.now()).strftime("%Y%m%dT%H%M%S.%3fZ").to_string();
    format!("{time}-{:06x}", Chance::from_surroundings().below(1 << 24))
}
