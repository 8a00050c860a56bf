//! Generates serviceability passwords: an act, not a state. Each is announced in a journal, which never knows it, is asked for
//! once, and is handed over as soon as it is there.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;

use super::error::Error;
use crate::client::{ApiClient, Priority, RequestContext, SendError};
use crate::model::{NetworkId, ServiceabilityPassword};
use crate::plan::Scope;
use crate::plan::model::LocationRef;
use crate::resources::calls;
use crate::storage::journal::WriteOutcome;
use crate::storage::{Journal, JournalEntry, RunDirectory, RunIdentity, RunOutcome, RunTarget};
use crate::webex::{ApiError, MaybeApplied, NetworkPath};

/// A network that gets a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordTarget {
    pub location: LocationRef,
    pub network: NetworkId,
    pub name: Arc<str>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordResult {
    Generated(ServiceabilityPassword),
    /// It has the password that it had.
    Failed(ApiError),
    /// A new one may have been generated, which is lost. Another one is to be generated.
    Unknown(ApiError),
    /// The run was stopped before.
    NotSent,
}

impl PasswordResult {
    const fn outcome(&self) -> WriteOutcome {
        match self {
            Self::Generated(_) => WriteOutcome::Applied,
            Self::Failed(_) => WriteOutcome::Failed,
            Self::Unknown(_) => WriteOutcome::Unknown,
            Self::NotSent => WriteOutcome::NotSent,
        }
    }
}

/// The networks in scope, by location and name.
///
/// # Errors
/// If the list cannot be read, or the scope matches nothing.
pub async fn password_targets(scope: &Scope, client: &ApiClient) -> Result<Vec<PasswordTarget>, Error> {
    let live = client.list_networks(Priority::Normal).await?;
    Error::check_scope(scope, &live, [])?;
    let mut targets = Vec::new();
    for (at, location) in live.locations().filter(|(_, location)| scope.includes_location(&location.name)) {
        let networks = live.networks_of(at).map(|(_, network)| network);
        for network in networks.filter(|network| scope.includes_network(&network.settings, &network.settings)) {
            targets.push(PasswordTarget {
                location: LocationRef { id: location.id.clone(), name: location.name.clone() },
                network: network.id.clone(),
                name: network.settings.name.clone(),
            });
        }
    }
    Ok(targets)
}

/// How passwords are generated.
#[derive(Clone, Copy, Debug)]
pub struct PasswordOptions<'a> {
    pub journal_dir: &'a Path,
    /// The name of the run, of its journal.
    pub run: &'a str,
    pub target: &'a RunTarget,
    /// How many networks may reboot at once.
    pub at_once: usize,
}

/// Generates a password for each network; `keep` gets each result as soon as it is there, and nothing more is sent once it
/// fails. Returns the results in the order of `targets`.
///
/// # Errors
/// If the journal cannot be created, or another run is in progress. Nothing was sent then.
pub async fn generate_passwords<E>(
    targets: &[PasswordTarget],
    options: PasswordOptions<'_>,
    client: &ApiClient,
    keep: impl FnMut(&PasswordTarget, &PasswordResult) -> Result<(), E>,
) -> Result<(Vec<PasswordResult>, Option<E>), Error> {
    Journal::prepare(options.journal_dir)?;
    let one_at_a_time = Journal::hold_directory(options.journal_dir)?;
    let runs = RunDirectory::open(options.journal_dir).ok();
    if let Some(run) = runs.as_ref().and_then(|runs| runs.running(options.target)) {
        return Err(Error::AnotherRun { run: run.to_owned() });
    }
    let run = runs.map_or_else(|| options.run.to_owned(), |runs| runs.next_name(options.run));
    let time = || client.clock().to_timestamp(client.clock().now());
    let mut locations: Vec<Arc<str>> = targets.iter().map(|target| target.location.name.clone()).collect();
    locations.dedup();
    let command = "password generate".to_owned();
    let identity = RunIdentity { target: options.target.clone(), command, locations, ..RunIdentity::default() };
    let (changes, steps) = (targets.len(), targets.len());
    let entry = JournalEntry::RunStarted { run: run.clone(), changes, steps, identity };
    let journal = Journal::begin(options.journal_dir, &run, None, entry, time()).await?;
    drop(one_at_a_time);

    let (keep, lost) = (RefCell::new(keep), RefCell::new(None));
    let generate = async |target: &PasswordTarget| {
        let announcement = JournalEntry::PasswordRequested {
            location: target.location.clone(),
            network: target.network.clone(),
            name: target.name.clone(),
        };
        let is_stopped = || client.is_stopped(Priority::Normal) || lost.borrow().is_some();
        if is_stopped() || journal.append(announcement, time()).await.is_err() {
            return PasswordResult::NotSent;
        }
        let path = NetworkPath { location: &target.location.id, network: &target.network };
        let result = match client.send(&calls::generate_password(path), RequestContext::QUIET).await {
            Ok(password) => PasswordResult::Generated(password),
            Err(SendError::Cancelled) => PasswordResult::NotSent,
            Err(SendError::Failed(error)) if error.applied == MaybeApplied::No => PasswordResult::Failed(error),
            Err(SendError::Failed(error)) => PasswordResult::Unknown(error),
        };
        if let Err(error) = (keep.borrow_mut())(target, &result) {
            lost.borrow_mut().get_or_insert(error);
        }
        let ended = JournalEntry::PasswordEnded { network: target.network.clone(), end: result.outcome() };
        // What it says is said to the user, too.
        let _recorded = journal.append(ended, time()).await;
        result
    };
    let results = futures::stream::iter(targets.iter().map(generate)).buffered(options.at_once.max(1));
    let results: Vec<PasswordResult> = results.collect().await;
    let outcome = outcome(&results);
    let _recorded = journal.append(JournalEntry::RunFinished { outcome, is_verified: false }, time()).await;
    Ok((results, lost.into_inner()))
}

fn outcome(results: &[PasswordResult]) -> RunOutcome {
    let generated = results.iter().filter(|result| matches!(result, PasswordResult::Generated(_))).count();
    let is_stopped = results.iter().any(|result| matches!(result, PasswordResult::NotSent));
    let is_lost = results.iter().any(|result| matches!(result, PasswordResult::Unknown(_)));
    match generated {
        _ if is_stopped => RunOutcome::Interrupted,
        all if all == results.len() => RunOutcome::Applied,
        0 if !is_lost => RunOutcome::Failed,
        _ => RunOutcome::Partial,
    }
}
