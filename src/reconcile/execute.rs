//! Executes a checked plan: creates the journal, runs the executor, combines the outcome of all waves.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, LocalBoxFuture, select};
use secrecy::SecretString;

use super::error::Error;
use super::read_devices::{add_planned_locations, read_devices};
use crate::apply::{ChangeResult, ChangeStatus, Event, Failure, Options, Outcome, Timeline, Verification, run};
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{LocationId, NetworkId};
use crate::plan::model::{ChangeIndex, Plan};
use crate::plan::{self, Drift};
use crate::plan_check::{CheckedPlan, check_plan};
use crate::runtime::ShutdownReason;
use crate::storage::{Journal, JournalEntry, RunDirectory, RunIdentity, RunTarget, SavedPlan};

#[derive(Debug)]
pub struct Run {
    pub outcome: Outcome,
    pub journal: Option<PathBuf>,
}

/// Where a run is recorded.
#[derive(Clone, Debug)]
pub struct RunFiles<'a> {
    pub journal_dir: &'a Path,
    pub run: &'a str,
    /// The plan saved next to the journal.
    pub saved: &'a SavedPlan,
    pub identity: RunIdentity,
    pub key: Option<&'a SecretString>,
}

pub type WaveApproval<'a> = &'a dyn Fn(NextWave) -> LocalBoxFuture<'a, bool>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWave {
    /// Number of the wave, 1-based.
    pub number: usize,
    pub of: usize,
    pub locations_done: usize,
    /// Remaining locations, including this wave.
    pub locations_left: usize,
    pub networks_left: usize,
}

/// How a plan is split into waves.
#[derive(Clone, Copy)]
pub struct Rollout<'a> {
    pub waves: &'a [Vec<LocationId>],
    /// Wait time between waves.
    pub soak: Duration,
    /// Confirms every wave but the first, after the previous waves succeeded.
    pub approve_wave: WaveApproval<'a>,
}

/// Executes a checked plan with a journal and a saved plan next to it. An empty plan creates no journal and sends no
/// request.
///
/// # Errors
/// If the journal cannot be created; nothing was written then.
pub async fn execute(
    checked: &CheckedPlan,
    client: &ApiClient,
    records: RunFiles<'_>,
    options: Options,
    rollout: Rollout<'_>,
    on_event: &dyn Fn(&Event),
) -> Result<Run, Error> {
    let RunFiles { journal_dir, run: name, saved, identity, key } = records;
    let plan = checked.plan();
    if plan.changes.is_empty() {
        let outcome = run(checked, client, &Journal::in_memory(), Options { verify: false, ..options }, on_event).await;
        return Ok(Run { outcome, journal: None });
    }
    // The plan first: a journal without a plan cannot be resumed.
    Journal::prepare(journal_dir)?;
    refuse_second_run(journal_dir, &identity.target, name)?;
    let beside = journal_dir.join(format!("{name}.plan.json"));
    saved.write(&beside, key)?;
    let journal = Journal::create(journal_dir, name, key).inspect_err(|_| {
        let _of_no_use = std::fs::remove_file(&beside);
    })?;
    let clock = client.clock();
    journal.append(JournalEntry::run_started(name, plan, identity), clock.to_timestamp(clock.now())).await?;
    let outcome = match rollout.waves {
        [] | [_] => run(checked, client, &journal, options, on_event).await,
        waves => WaveRunner { plan, client, journal: &journal, options, rollout, on_event }.run(waves).await,
    };
    let end = JournalEntry::RunFinished { outcome: outcome.class(plan).end() };
    // The run is over; a failure to write the last entry has no consequences.
    let _recorded = journal.append(end, clock.to_timestamp(clock.now())).await;
    Ok(Run { outcome, journal: journal.path().map(Path::to_path_buf) })
}

/// Two runs would each find the changes of the other unexpected.
fn refuse_second_run(journal_dir: &Path, target: &RunTarget, name: &str) -> Result<(), Error> {
    let runs = RunDirectory::open(journal_dir);
    match runs.as_ref().ok().and_then(|runs| runs.running(target)).filter(|run| *run != name) {
        Some(run) => Err(Error::AnotherRun { run: run.to_owned() }),
        None => Ok(()),
    }
}

struct WaveRunner<'a, 'p> {
    plan: &'a Plan,
    client: &'a ApiClient,
    journal: &'a Journal,
    options: Options,
    rollout: Rollout<'p>,
    on_event: &'a dyn Fn(&Event),
}

/// Why the next wave is not started.
enum WaveError {
    ChangeSource(ShutdownReason),
    Drift(Vec<Drift>),
    /// The outcome describes the failed verification.
    ListFailed(SendError),
}

impl WaveRunner<'_, '_> {
    async fn run(&self, waves: &[Vec<LocationId>]) -> Outcome {
        let started = self.client.clock().now();
        let mut whole = Outcome {
            results: vec![ChangeResult::new(ChangeStatus::NotStarted); self.plan.changes.len()],
            verification: Verification::Skipped,
            stopped: None,
            server_generated_codes: Vec::new(),
            statistics: self.client.statistics(),
            elapsed: Duration::ZERO,
            timeline: Timeline::default(),
        };
        for (at, wave) in waves.iter().enumerate() {
            let last = at + 1 == waves.len();
            // The verification decides whether the next wave is started.
            let options = Options { verify: self.options.verify || !last, ..self.options };
            let (part, places) = (plan::restrict_to_locations(self.plan, wave), self.places(wave));
            let stopped_by = match self.prepare_wave(part, at == 0).await {
                Ok(checked) => {
                    (self.on_event)(&Event::Wave { number: at + 1, of: waves.len(), locations: wave.len() });
                    let outcome = run(&checked, self.client, self.journal, options, self.on_event).await;
                    let well = outcome.is_complete();
                    merge(&mut whole, outcome, &places, &checked, self.plan);
                    self.wait_for_next_wave(waves, at, well, last).await.err()
                }
                Err(record_stop) => Some(record_stop),
            };
            if let Some(record_stop) = stopped_by {
                self.record_stop(&mut whole, record_stop);
                break;
            }
        }
        whole.statistics = self.client.statistics();
        whole.elapsed = self.client.clock().now().duration_since(started);
        whole
    }

    /// Indexes of the changes of each location in the whole plan.
    fn places(&self, locations: &[LocationId]) -> Vec<usize> {
        let locations: HashSet<&LocationId> = locations.iter().collect();
        let changes = self.plan.changes.iter().enumerate();
        changes.filter(|(_, change)| locations.contains(&change.location.id)).map(|(at, _)| at).collect()
    }

    /// The plan of a wave, checked on the current state.
    async fn prepare_wave(&self, part: Plan, first: bool) -> Result<CheckedPlan, WaveError> {
        let unsafe_now = |_| WaveError::ChangeSource(ShutdownReason::UnexpectedChange);
        if first {
            // The whole plan was checked on the list, and its parts are independent.
            let recorded = plan::reconstruct_base_state(&part);
            return check_plan(part, &recorded).map_err(unsafe_now);
        }
        let mut live = self.client.list(Priority::Normal).await.map_err(WaveError::ListFailed)?;
        add_planned_locations(&mut live, &part);
        let reads = plan::resume_reads(&part, &live);
        read_devices(&mut live, reads, self.client).await.map_err(WaveError::ListFailed)?;
        let rest = plan::resume(&part, &live).map_err(WaveError::Drift)?;
        check_plan(rest, &live).map_err(unsafe_now)
    }

    /// Waits and asks for confirmation before the next wave.
    async fn wait_for_next_wave(
        &self,
        waves: &[Vec<LocationId>],
        at: usize,
        well: bool,
        last: bool,
    ) -> Result<(), WaveError> {
        if last {
            return Ok(());
        }
        let shutdown = self.client.shutdown();
        if let Some(reason) = shutdown.reason() {
            return Err(WaveError::ChangeSource(reason));
        }
        if !well {
            return Err(WaveError::ChangeSource(ShutdownReason::WaveFailed));
        }
        let stopped = || WaveError::ChangeSource(shutdown.reason().unwrap_or(ShutdownReason::Declined));
        let clock = self.client.clock();
        if !self.rollout.soak.is_zero() {
            (self.on_event)(&Event::Soaking { until: clock.now() + self.rollout.soak });
            if let Either::Right(_) = select(clock.sleep(self.rollout.soak), pin!(shutdown.requested())).await {
                return Err(stopped());
            }
        }
        let left = &waves[at + 1..];
        let next = NextWave {
            number: at + 2,
            of: waves.len(),
            locations_done: waves[..=at].iter().map(Vec::len).sum(),
            locations_left: left.iter().map(Vec::len).sum(),
            networks_left: self.places(&left.concat()).len(),
        };
        match select((self.rollout.approve_wave)(next), pin!(shutdown.requested())).await {
            Either::Left((true, _)) => Ok(()),
            Either::Left((false, _)) => Err(WaveError::ChangeSource(ShutdownReason::Declined)),
            Either::Right(_) => Err(stopped()),
        }
    }

    fn record_stop(&self, whole: &mut Outcome, record_stop: WaveError) {
        match record_stop {
            WaveError::ChangeSource(reason) => whole.stopped = Some(reason),
            WaveError::ListFailed(SendError::Cancelled) => whole.stopped = self.client.shutdown().reason(),
            WaveError::ListFailed(SendError::Failed(error)) => {
                whole.stopped = Some(ShutdownReason::WaveFailed);
                whole.verification = Verification::Failed(Failure::from(&error));
            }
            WaveError::Drift(moved) => {
                whole.stopped = Some(ShutdownReason::UnexpectedChange);
                let moved: HashMap<&NetworkId, &Drift> =
                    moved.iter().filter_map(|moved| Some((moved.network()?, moved))).collect();
                for (change, result) in self.plan.changes.iter().zip(&mut whole.results) {
                    if let Some(moved) = change.network.id().and_then(|id| moved.get(id)) {
                        result.error = Some(Failure::new(moved.describe()));
                    }
                }
            }
        }
    }
}

/// Merges the outcome of a wave. Changes that the wave skipped were already applied.
fn merge(whole: &mut Outcome, wave: Outcome, places: &[usize], checked: &CheckedPlan, plan: &Plan) {
    let place: HashMap<String, usize> = places.iter().map(|at| (plan.changes[*at].key(), *at)).collect();
    let at_of = |part: usize| place.get(&checked.plan().changes[part].key()).copied();
    for at in places {
        whole.results[*at] = ChangeResult { verified: Some(true), ..ChangeResult::new(ChangeStatus::Applied) };
    }
    whole.server_generated_codes.extend(wave.server_generated_codes.iter().filter_map(|part| at_of(*part)));
    whole.stopped = wave.stopped;
    whole.timeline.add_wave(wave.timeline);
    if !matches!(whole.verification, Verification::Failed(_)) {
        whole.verification = wave.verification;
    }
    for (part, result) in wave.results.into_iter().enumerate() {
        if let Some(at) = at_of(part) {
            let blocked_by = result.blocked_by.and_then(|blocking| at_of(blocking.0)).map(ChangeIndex);
            whole.results[at] = ChangeResult { blocked_by, ..result };
        }
    }
}
