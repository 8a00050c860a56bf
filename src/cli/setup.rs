//! From flags and environment to something that sends requests.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy, SendError};
use dectl::runtime::{Clock, SeededRng, Shutdown};
use dectl::simulator::http::Server;
use dectl::simulator::{Kept, Misbehaviour, Simulated, State, TOKEN};
use dectl::webex::credentials::{ServiceApp, Token, TokenSource};
use dectl::webex::{DectApi, HttpApi, HttpConfig};
use secrecy::SecretString;

use super::args::{Common, Pace};
use super::exit::Failed;

/// Everything that a command needs to talk to an organization.
pub(crate) struct Connection {
    pub(crate) client: ApiClient,
    /// The name of this run: of its journal and in its tracking ids.
    pub(crate) run: String,
    /// For what only credentials are about.
    pub(crate) api: Rc<HttpApi>,
}

/// Connects to the organization that the flags name; an embedded one is started for `--simulate`. From here on there is
/// a token.
pub(crate) async fn connect(common: &Common, pace: Pace, shutdown: Shutdown) -> Result<Connection, Failed> {
    let clock = Clock::real();
    let run = run_name(&clock);
    let api = Rc::new(build_api(common, &run).await?);
    let rate_limiter = RateLimiter::new(pace.concurrency.into(), pace.rate);
    let client = ApiClient::new(
        Rc::clone(&api) as Rc<dyn DectApi>,
        clock,
        SeededRng::from_entropy(),
        rate_limiter,
        retry_policy(pace),
        shutdown,
    );
    match client.acquire_token().await {
        Ok(_) => Ok(Connection { client, run, api }),
        Err(SendError::Cancelled) => Err(dectl::reconcile::Error::Stopped.into()),
        Err(SendError::Failed(error)) => Err(Failed::of(format!("there is no access token: {error}"))),
    }
}

async fn build_api(common: &Common, run: &str) -> Result<HttpApi, Failed> {
    let mut config = match &common.simulate {
        Some(state) => HttpConfig::new(serve_embedded(state.as_deref()).await?, literal_token(TOKEN)?, run),
        None => HttpConfig::new(&common.api_url, token_source(common)?, run),
    };
    if common.simulate.is_none() {
        config.org = common.org.clone();
    }
    if let Some(path) = &common.ca_file {
        let pem = fs::read(path);
        let failed = |error| Failed::of(format!("the certificates in {} cannot be read: {error}", path.display()));
        config.ca_certificates = Some(pem.map_err(failed)?);
    }
    config.connect_timeout = common.connect_timeout;
    config.request_timeout = common.timeout;
    config.idle_timeout = common.timeout;
    config.list_timeout = common.list_timeout;
    HttpApi::new(config).map_err(|error| Failed::of(error.to_string()))
}

/// When to give up.
pub(crate) fn retry_policy(pace: Pace) -> RetryPolicy {
    RetryPolicy { max_attempts: pace.max_attempts, lock_timeout: pace.lock_timeout, ..RetryPolicy::default() }
}

/// Reads the state that a simulated organization begins with.
pub(crate) fn simulated_state(path: Option<&Path>) -> Result<State, Failed> {
    simulated_organizations(path).map(|kept| kept.first)
}

/// The same with the other organizations of a file that `dectl simulate --save` has written.
pub(crate) fn simulated_organizations(path: Option<&Path>) -> Result<Kept, Failed> {
    let alone = |first: State| Ok(Kept { first, ..Kept::default() });
    let Some(path) = path else { return alone(State::built_in()) };
    if let Some(state) = path.to_str().and_then(State::of_size) {
        return alone(state);
    }
    let text = fs::read_to_string(path)
        .map_err(|error| Failed::of(format!("the state {} cannot be read: {error}", path.display())))?;
    Kept::read(&path.display().to_string(), text).map_err(|error| Failed::of(format!("{}: {error}", path.display())))
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

/// Where the token comes from: a file, a command, the environment, or a service app, in this order.
fn token_source(common: &Common) -> Result<TokenSource, Failed> {
    if let Some(path) = &common.token_file {
        return Ok(TokenSource::File(path.clone()));
    }
    if let Some(command) = &common.token_command {
        return Ok(TokenSource::Command(command.clone()));
    }
    if let Some(text) = env_var("WEBEX_ACCESS_TOKEN") {
        return literal_token(&text);
    }
    let [id, secret, refresh] = ["SERVICE_APP_CLIENT_ID", "SERVICE_APP_CLIENT_SECRET", "SERVICE_APP_REFRESH_TOKEN"]
        .map(|name| (name, env_var(name)));
    match (id, secret, refresh) {
        ((_, Some(client_id)), (_, Some(secret)), (_, Some(refresh))) => Ok(TokenSource::ServiceApp(ServiceApp {
            client_id,
            client_secret: secret.into(),
            refresh_token: refresh.into(),
        })),
        ((_, None), (_, None), (_, None)) => Err(Failed::of(
            "there is no access token: set WEBEX_ACCESS_TOKEN, give --token-file FILE or --token-command COMMAND, or set \
             the three SERVICE_APP variables (or try --simulate, which needs none)",
        )),
        (id, secret, refresh) => {
            let missing = [id, secret, refresh].into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
            let missing: Vec<&str> = missing.collect();
            Err(Failed::of(format!("a service app needs {} as well", missing.join(" and "))))
        }
    }
}

/// Where the token comes from, in words.
pub(crate) fn describe_source(common: &Common) -> Result<String, Failed> {
    match &common.simulate {
        Some(_) => Ok("the simulated organization".to_owned()),
        None => Ok(token_source(common)?.describe()),
    }
}

/// A variable that is set to something.
fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn literal_token(text: &str) -> Result<TokenSource, Failed> {
    let failed = |error| Failed::of(format!("WEBEX_ACCESS_TOKEN: {error}"));
    Token::new(text).map(TokenSource::Literal).map_err(failed)
}

/// What saved plans are sealed with, if anything. A variable that is set to nothing is a secret that a pipeline does not
/// have: who set it counts on the seal.
pub(crate) fn plan_key() -> Result<Option<SecretString>, Failed> {
    match std::env::var("DECTL_PLAN_KEY") {
        Ok(key) if key.trim().is_empty() => Err(Failed::of(
            "DECTL_PLAN_KEY is set, but empty: give it the passphrase, or unset it to keep plans and journals unsealed",
        )),
        Ok(key) => Ok(Some(SecretString::from(key))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failed::of("DECTL_PLAN_KEY is not text")),
    }
}

/// A name that sorts by time and that no other run has.
fn run_name(clock: &Clock) -> String {
    let time = clock.to_timestamp(clock.now()).strftime("%Y%m%dT%H%M%S.%3fZ").to_string();
    format!("{time}-{:06x}", SeededRng::from_entropy().gen_below(1 << 24))
}
