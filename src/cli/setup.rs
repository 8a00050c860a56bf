//! Creates the API client from options and environment.

use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy, SendError, WaitReason};
use dectl::model::LocationId;
use dectl::model::{secret_text, utf8_text};
use dectl::runtime::{Clock, SeededRng, Shutdown};
use dectl::simulator::http::Server;
use dectl::simulator::{FaultConfig, SimulatedOrganization, SimulatedState, Snapshot, TOKEN};
use dectl::storage::journal::time_in_name;
use dectl::storage::{PlanKey, RunTarget};
use dectl::webex::credentials::{ServiceApp, Token, TokenSource};
use dectl::webex::{DectApi, HttpApi, HttpConfig};

use super::args::{CodeOptions, ConnectionOptions, OutputOptions, RateOptions};
use super::exit::CliError;
use super::printer::Printer;

/// Everything that a command needs to send requests to an organization.
pub(crate) struct Connection {
    pub(crate) client: ApiClient,
    /// Name of this run, of its journal and in its tracking ids.
    pub(crate) run: String,
    /// The organization, for the journal.
    pub(crate) target: RunTarget,
    /// For requests about the credentials themselves.
    pub(crate) api: Rc<HttpApi>,
}

/// Connects to the organization of the options and acquires a token; starts an embedded organization for `--simulate`.
pub(crate) async fn connect(
    options: &ConnectionOptions,
    rate: RateOptions,
    output: OutputOptions,
    shutdown: &Shutdown,
) -> Result<Connection, CliError> {
    let clock = Clock::real();
    let run = run_name(&clock);
    let api = Rc::new(build_api(options, &run).await?);
    let rate_limiter = RateLimiter::new(rate.concurrency.map(usize::from), rate.read.rate);
    let client = ApiClient::new(
        Rc::clone(&api) as Rc<dyn DectApi>,
        clock,
        SeededRng::from_entropy(),
        rate_limiter,
        retry_policy(rate),
        shutdown.clone(),
    );
    if !output.is_quiet() {
        let printer = Printer::new(output, CodeOptions::default());
        client.report_waits(Rc::new(move |wait| {
            let (reason, until) = match wait.reason {
                WaitReason::RateLimited => ("rate limited", "retrying in"),
                WaitReason::Locked => ("location locked (423)", "retrying in"),
                WaitReason::Failed => ("request failed", "retrying in"),
                WaitReason::Lagging => {
                    ("the list does not show yet what the last run has written", "waiting for up to")
                }
            };
            printer.note(&format!("{reason}, {until} {} s\n", wait.duration.as_secs()));
        }));
    }
    let locations = options.location_id.iter().map(|id| LocationId::new(id.as_str())).collect::<Vec<_>>();
    client.list_only(&locations);
    match client.acquire_token().await {
        Ok(_) => Ok(Connection { client, run, target: run_target(options), api }),
        Err(SendError::Cancelled) => Err(dectl::reconcile::Error::Stopped.into()),
        Err(SendError::Failed(error)) => {
            let command = options.token_command.as_deref().filter(|_| options.token_file.is_none());
            let variable = of_variable(command, "DECTL_TOKEN_COMMAND");
            Err(CliError::failed(format!("cannot obtain an access token{variable}"), error))
        }
    }
}

async fn build_api(options: &ConnectionOptions, run: &str) -> Result<HttpApi, CliError> {
    let mut config = match &options.simulate {
        Some(state) => HttpConfig::new(
            serve_embedded(state.as_deref()).await?,
            literal_token("the simulated organization", TOKEN)?,
            run,
        ),
        None => HttpConfig::new(&options.api_url, token_source(options)?, run),
    };
    if options.simulate.is_none() {
        config.org = options.org.clone();
    }
    if let Some(path) = &options.ca_file {
        let pem = fs::read(path);
        let failed = |error| CliError::failed(format!("cannot read the CA certificates in {}", path.display()), error);
        config.ca_certificates = Some(pem.map_err(failed)?);
    }
    config.connect_timeout = options.connect_timeout;
    config.request_timeout = options.timeout;
    config.idle_timeout = options.timeout;
    config.list_timeout = options.list_timeout;
    HttpApi::new(config).map_err(|error| match of_variable(Some(&options.api_url), "WEBEX_API_URL") {
        variable if variable.is_empty() => error.into(),
        variable => CliError::failed(format!("cannot connect{variable}"), error),
    })
}

/// Says that a value is that of an environment variable, if it is.
fn of_variable(value: Option<&str>, name: &str) -> String {
    let is_same = value.is_some_and(|value| env_var(name).as_deref() == Some(value));
    if is_same { format!(" (environment variable {name})") } else { String::new() }
}

/// The organization of the options, as journals record it.
pub(crate) fn run_target(options: &ConnectionOptions) -> RunTarget {
    match &options.simulate {
        Some(_) => RunTarget { api: "simulated".to_owned(), org: None, simulated: true },
        None => {
            // One machine, whatever it is called.
            let api = options.api_url.trim_end_matches('/').replace("//localhost", "//127.0.0.1");
            RunTarget { api, org: options.org.clone(), simulated: false }
        }
    }
}

pub(crate) fn retry_policy(rate: RateOptions) -> RetryPolicy {
    RetryPolicy {
        max_attempts: rate.read.max_attempts,
        lock_timeout: rate.lock_timeout,
        rate_limit_timeout: rate.read.rate_limit_timeout,
        handset_interval: rate.handset_interval,
        ..RetryPolicy::default()
    }
}

/// Reads the state that a simulated organization starts with.
pub(crate) fn simulated_state(path: Option<&Path>) -> Result<SimulatedState, CliError> {
    simulated_organizations(path).map(|kept| kept.default)
}

/// The same with the additional organizations of a file that `dectl simulate --state-file` has written.
pub(crate) fn simulated_organizations(path: Option<&Path>) -> Result<Snapshot, CliError> {
    let alone = |default: SimulatedState| Ok(Snapshot { default, ..Snapshot::default() });
    let Some(path) = path else { return alone(SimulatedState::built_in()) };
    if let Some(state) = path.to_str().filter(|_| !path.exists()).and_then(SimulatedState::from_size) {
        return state.map_err(|error| CliError::failed(path.display().to_string(), error)).and_then(alone);
    }
    let text = read_text(path)
        .map_err(|error| CliError::failed(format!("cannot read the state {}", path.display()), error))?;
    Snapshot::read(&path.display().to_string(), text)
        .map_err(|error| CliError::failed(format!("{}", path.display()), error))
}

/// The text of a file, without a byte order mark.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    utf8_text(&bytes).map(str::to_owned).map_err(|error| io::Error::other(format!("it {error}")))
}

async fn serve_embedded(state: Option<&Path>) -> Result<String, CliError> {
    let simulated = SimulatedOrganization::new(simulated_state(state)?, FaultConfig::default());
    let server = Server::bind(Arc::new(Mutex::new(simulated)), 0)
        .await
        .map_err(|error| CliError::failed("the simulated organization cannot listen on loopback", error))?;
    let base = server.base();
    tokio::spawn(server.serve());
    Ok(base)
}

/// The token source: a file, a command, the environment, or a service app, in this order.
fn token_source(options: &ConnectionOptions) -> Result<TokenSource, CliError> {
    if let Some(path) = &options.token_file {
        return Ok(TokenSource::File(path.clone()));
    }
    if let Some(command) = &options.token_command {
        return Ok(TokenSource::Command(command.clone()));
    }
    for variable in ["WEBEX_ACCESS_TOKEN", "WEBEX_TOKEN"] {
        if let Some(text) = env_var(variable) {
            return literal_token(&format!("environment variable {variable}"), &text);
        }
    }
    let [id, secret, refresh] = ["SERVICE_APP_CLIENT_ID", "SERVICE_APP_CLIENT_SECRET", "SERVICE_APP_REFRESH_TOKEN"]
        .map(|name| (name, env_var(name)));
    match (id, secret, refresh) {
        ((_, Some(client_id)), (_, Some(secret)), (_, Some(refresh))) => Ok(TokenSource::ServiceApp(ServiceApp {
            client_id: plain_secret("SERVICE_APP_CLIENT_ID", &client_id)?,
            client_secret: plain_secret("SERVICE_APP_CLIENT_SECRET", &secret)?.into(),
            refresh_token: plain_secret("SERVICE_APP_REFRESH_TOKEN", &refresh)?.into(),
        })),
        ((_, None), (_, None), (_, None)) => Err(CliError::refused(
            "no access token: set WEBEX_ACCESS_TOKEN, use --token-file FILE or --token-command COMMAND, or set the three \
             SERVICE_APP variables (--simulate needs none)",
        )),
        (id, secret, refresh) => {
            let missing = [id, secret, refresh].into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
            let missing: Vec<&str> = missing.collect();
            Err(CliError::refused(format!("incomplete service app credentials: {} is not set", missing.join(" and "))))
        }
    }
}

/// The token source, for display.
pub(crate) fn describe_token_source(options: &ConnectionOptions) -> Result<String, CliError> {
    match &options.simulate {
        Some(_) => Ok("the simulated organization".to_owned()),
        None => Ok(token_source(options)?.describe()),
    }
}

/// An environment variable that is set and not blank.
fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The secret in an environment variable, without what was pasted around it.
fn plain_secret(variable: &str, text: &str) -> Result<String, CliError> {
    let refused = |error| CliError::refused(format!("environment variable {variable} {error}"));
    secret_text(text).map(str::to_owned).map_err(refused)
}

fn literal_token(origin: &str, text: &str) -> Result<TokenSource, CliError> {
    let token = Token::new(text).map_err(|error| CliError::failed(origin, error))?;
    Ok(TokenSource::Literal { token, origin: origin.to_owned() })
}

/// What encrypts saved plans and journals. A variable that is set but empty is an error: it is usually a
/// secret that the pipeline lacks, and its plans are expected to be encrypted.
pub(crate) fn plan_key() -> Result<Option<PlanKey>, CliError> {
    match std::env::var("DECTL_PLAN_KEY") {
        Ok(key) if key.trim().is_empty() => Err(CliError::refused(
            "DECTL_PLAN_KEY is set but empty: set it to an age identity or a passphrase, or unset it to leave plans and journals unencrypted",
        )),
        Ok(key) => {
            // What `age-keygen` writes has two lines of comments.
            let identity = key.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-"));
            let key = plain_secret("DECTL_PLAN_KEY", identity.unwrap_or(&key))?;
            PlanKey::new(&key).map(Some).map_err(|error| CliError::refused(format!("DECTL_PLAN_KEY: {error}")))
        }
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(CliError::refused("DECTL_PLAN_KEY is not valid UTF-8")),
    }
}

/// A unique name that sorts by time.
fn run_name(clock: &Clock) -> String {
    let time = time_in_name(clock.to_timestamp(clock.now()));
    format!("{time}-{:06x}", SeededRng::from_entropy().gen_below(1 << 24))
}
