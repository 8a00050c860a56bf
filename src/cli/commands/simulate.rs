//! `dectl simulate`: serves simulated organizations on loopback.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args as ClapArgs;
use dectl::model::{ApiShapes, SHAPES_VERSION};
use dectl::report::plural;
use dectl::runtime::Shutdown;
use dectl::simulator::http::{Server, ServerClock, SharedOrganization};
use dectl::simulator::{
    DurationSpec, ExclusiveWrites, Fault, FaultConfig, HeaderSpec, Latency, LatencySpec, LimiterSpec, LockSpec,
    Probability, Quirk, Scenario, SimulatedOrganization, Snapshot,
};
use dectl::storage::{IfExists, write_private_file};

use crate::cli::args::{bearer_token, file_to_write, organization, request_fault};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::read_text;
use crate::cli::setup::simulated_organizations;

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// List of networks as returned by Webex, an export, or a size such as 500x4 [default: a built-in organization]
    #[arg(value_name = "STATE")]
    state: Option<PathBuf>,
    /// Port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Save the state of all organizations to this file after every change
    ///
    /// Without STATE, an existing file is the state to start from.
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    state_file: Option<PathBuf>,
    /// Serve another organization with this ID and state (repeatable)
    #[arg(long = "organization", value_name = "ID=STATE", value_parser = organization)]
    organizations: Vec<(String, PathBuf)>,
    /// Access token to accept
    #[arg(long, value_name = "TOKEN", default_value = dectl::simulator::TOKEN, value_parser = bearer_token)]
    accept_token: String,
    #[command(flatten)]
    faults: FaultOptions,
}

/// Fault injection options.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Fault injection")]
struct FaultOptions {
    /// Read fault injection from this YAML file; options override it
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Random seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Request latency: 150ms, or 150ms..1.5s for the median and the 99th percentile
    #[arg(long, value_name = "DURATION")]
    latency: Option<LatencySpec>,
    /// Rate limiter: bucket:5/s,10, window:300/60s, sliding:300/60s or in-flight:4, writes: before it; several joined by +
    #[arg(long, value_name = "LIMITER")]
    limit: Option<LimiterSpec>,
    /// `Retry-After` of 429 responses: exact, missing, half, 0.5, or a number of whole seconds
    #[arg(long, value_name = "HEADER", hide_short_help = true)]
    limit_retry_after: Option<HeaderSpec>,
    /// Probability that a write finds its location locked, e.g. 5%
    #[arg(long, value_name = "PROBABILITY")]
    locks: Option<Probability>,
    /// Duration of a lock
    #[arg(long, value_name = "DURATION")]
    lock_duration: Option<DurationSpec>,
    /// Omit `Retry-After` from 423 responses
    #[arg(long)]
    locks_without_retry_after: bool,
    /// Which of two writes at once are refused with 423: no, network (of one network) or location
    #[arg(long, value_name = "WHICH", hide_short_help = true)]
    exclusive_writes: Option<ExclusiveWrites>,
    /// Fault and its probability, e.g. 503=5% or resetAfter=0.01 (repeatable)
    #[arg(long, value_name = "FAULT=PROBABILITY", value_parser = request_fault)]
    fault: Vec<(Fault, Probability)>,
    /// Lifetime of service app tokens
    #[arg(long, value_name = "DURATION")]
    token_ttl: Option<DurationSpec>,
    /// Edit the network before this update, counted from 1, as another client would (repeatable)
    #[arg(long, value_name = "N")]
    concurrent_edit_at: Vec<u64>,
    /// Take on the shapes and the median latency of a file of `auth check --probe`
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    shapes: Option<PathBuf>,
    /// Response quirk: nulls, missing, numbers, unknown, trimmed (repeatable)
    #[arg(long, value_name = "QUIRK")]
    quirk: Vec<Quirk>,
}

/// Interval of checks for unsaved changes.
const SAVE_INTERVAL: Duration = Duration::from_millis(200);

pub(super) async fn run(args: &SimulateArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let scenario = scenario(&args.faults)?;
    let has_latency = scenario.latency.is_some();
    let mut faults = scenario.faults().map_err(CliError::refused)?;
    if let Some(path) = &args.faults.shapes {
        take_on(path, &mut faults, has_latency)?;
    }
    let Snapshot { default, additional } = organizations(args)?;
    let networks = default.len();
    let mut default = SimulatedOrganization::new(default, faults.clone());
    // The server shares the tokens of the default organization with all others.
    default.set_token(args.accept_token.as_str());
    let share = |simulated: SimulatedOrganization| -> SharedOrganization { Arc::new(Mutex::new(simulated)) };
    let additional: BTreeMap<String, SharedOrganization> = additional
        .into_iter()
        .map(|(id, state)| (id.clone(), share(SimulatedOrganization::new(state, faults.clone()).with_id(id))))
        .collect();
    let default = share(default);
    let server = Server::bind_organizations(default.clone(), additional.clone(), args.port)
        .await
        .map_err(|error| CliError::failed(format!("cannot bind port {}", args.port), error))?;
    let path = args.state_file.as_deref();
    let mut saver = StateSaver { path, default, additional, clock: server.clock(), saved_at: None };
    saver.save_if_changed()?;
    printer.result(&format!(
        "Serving a simulated organization with {}. Press Ctrl-C to stop.\n\n\
         export WEBEX_API_URL={}\n\
         export WEBEX_ACCESS_TOKEN={}\n",
        plural(networks, "DECT network"),
        server.base(),
        // A shell expands an unquoted tilde.
        if args.accept_token.contains('~') { format!("'{}'", args.accept_token) } else { args.accept_token.clone() }
    ));
    let ended = tokio::select! {
        served = server.serve() => match served {
            Ok(()) => Ok(ExitStatus::Success),
            Err(error) => Err(CliError::failed("the simulated organization stopped", error)),
        },
        failed = saver.run_forever() => Err(failed),
        _ = shutdown.requested() => Ok(ExitStatus::Success),
    };
    saver.apply_due_writes();
    let saved = saver.save();
    ended.and_then(|exit| saved.map(|()| exit))
}

/// The organizations to start with. An existing state file is resumed and never overwritten by another state.
fn organizations(args: &SimulateArgs) -> Result<Snapshot, CliError> {
    let mut snapshot = match (&args.state, args.state_file.as_deref().filter(|path| path.exists())) {
        (None, Some(saved)) => simulated_organizations(Some(saved))?,
        (Some(_), Some(saved)) => {
            return Err(CliError::refused(format!(
                "{} already exists and would be overwritten; omit STATE to resume from it, or delete it",
                saved.display()
            )));
        }
        (state, None) => simulated_organizations(state.as_deref())?,
    };
    for (id, state) in &args.organizations {
        let Snapshot { default, additional } = simulated_organizations(Some(state))?;
        if !additional.is_empty() {
            let path = state.display();
            let message = format!("{path} has several organizations; use it as STATE or --state-file instead");
            return Err(CliError::refused(message));
        }
        if snapshot.additional.insert(id.clone(), default).is_some() {
            let message = format!("duplicate organization {id:?}: it is in the state file or another --organization");
            return Err(CliError::refused(message));
        }
    }
    Ok(snapshot)
}

/// The scenario of the file, overridden by the options.
fn scenario(args: &FaultOptions) -> Result<Scenario, CliError> {
    let overrides = Scenario {
        seed: args.seed,
        latency: args.latency,
        limit: args.limit.clone(),
        limit_retry_after: args.limit_retry_after,
        exclusive_writes: args.exclusive_writes,
        locks: LockSpec {
            probability: args.locks,
            time: args.lock_duration,
            retry_after: args.locks_without_retry_after.then_some(false),
        },
        faults: args.fault.iter().copied().collect(),
        token_ttl: args.token_ttl,
        concurrent_edits_at: args.concurrent_edit_at.clone(),
        quirks: args.quirk.clone(),
        ..Scenario::default()
    };
    let Some(path) = &args.scenario else { return Ok(overrides) };
    let failed = |reason: String| CliError::refused(format!("scenario {}: {reason}", path.display()));
    let text = read_text(path).map_err(|error| failed(format!("cannot read the file: {error}")))?;
    Ok(Scenario::parse(&text).map_err(failed)?.override_with(overrides))
}

/// Takes on recorded shapes, and the median of the recorded latencies unless another one was asked for.
fn take_on(path: &Path, faults: &mut FaultConfig, has_latency: bool) -> Result<(), CliError> {
    let failed = |reason: String| CliError::refused(format!("shapes {}: {reason}", path.display()));
    let text = read_text(path).map_err(|error| failed(format!("cannot read the file: {error}")))?;
    let shapes: ApiShapes =
        serde_json::from_str(&text).map_err(|error| failed(format!("no file of `auth check --probe`: {error}")))?;
    if shapes.format_version != SHAPES_VERSION {
        return Err(failed(format!("format version {} is not supported", shapes.format_version)));
    }
    let mut latencies: Vec<u64> = shapes.operations.iter().flat_map(|one| one.latencies_ms.iter().copied()).collect();
    latencies.sort_unstable();
    if let Some(median) = latencies.get(latencies.len() / 2).filter(|_| !has_latency) {
        faults.latency = Latency::Fixed(Duration::from_millis(*median));
    }
    faults.shapes = shapes.operations;
    Ok(())
}

/// Saves the state of organizations to a file.
struct StateSaver<'a> {
    path: Option<&'a Path>,
    default: SharedOrganization,
    additional: BTreeMap<String, SharedOrganization>,
    clock: ServerClock,
    /// The number of changes that the saved state has.
    saved_at: Option<u64>,
}

impl StateSaver<'_> {
    /// Saves after every change; returns only when saving fails.
    async fn run_forever(&mut self) -> CliError {
        loop {
            if let Err(error) = self.save_if_changed() {
                return error;
            }
            tokio::time::sleep(SAVE_INTERVAL).await;
        }
    }

    /// Applies due deferred writes and returns the number of changes.
    fn apply_due_writes(&self) -> u64 {
        let changes = |organization: &SharedOrganization| {
            let mut simulated = lock(organization);
            simulated.apply_due_writes(self.clock.now());
            simulated.changes()
        };
        std::iter::once(&self.default).chain(self.additional.values()).map(changes).sum()
    }

    fn save_if_changed(&mut self) -> Result<(), CliError> {
        let changes = self.apply_due_writes();
        if self.saved_at == Some(changes) {
            return Ok(());
        }
        self.save()?;
        self.saved_at = Some(changes);
        Ok(())
    }

    fn save(&self) -> Result<(), CliError> {
        let Some(path) = self.path else { return Ok(()) };
        let default = lock(&self.default);
        let additional: Vec<_> = self.additional.iter().map(|(id, other)| (id.as_str(), lock(other))).collect();
        let text = Snapshot::text(default.state(), additional.iter().map(|(id, other)| (*id, other.state())));
        drop((default, additional));
        write_private_file(path, text.as_bytes(), IfExists::Overwrite)
            .map_err(|error| CliError::failed(format!("cannot save the state to {}", path.display()), error))
    }
}

fn lock(organization: &SharedOrganization) -> MutexGuard<'_, SimulatedOrganization> {
    organization.lock().unwrap_or_else(PoisonError::into_inner)
}
