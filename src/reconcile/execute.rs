//! Executes an approved plan: creates the journal, runs the executor, combines the outcome of all waves.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};

use super::error::Error;
use super::last_run::MAX_RUNS;
use super::prepare::PreparedPlan;
use super::read_devices::read_for_plan;
use super::resume::inputs_digest;
use super::run_config::Approval;
use super::workflow::{ApplyWorkflow, CompletedRun, PlanSource};
use crate::apply::{ChangeResult, ChangeStatus, Event, Failure, Options, Outcome, Timeline, Verification, run};
use crate::diagnostic::plural;
use crate::model::LocationId;
use crate::plan::model::{ChangeIndex, ChangeKey, Plan, can_reboot, count_changes};
use crate::plan::{self, Drift};
use crate::plan_check::{CheckedPlan, check_plan};
use crate::runtime::{Instant, ShutdownReason};
use crate::storage::{Journal, JournalEntry, RunDirectory, RunHistory, RunIdentity, SavedPlan};

impl ApplyWorkflow<'_> {
    /// Executes an approved plan with a journal and a saved plan next to it. An empty plan creates no journal and sends no
    /// request.
    pub(super) async fn execute(
        &self,
        prepared: PreparedPlan,
        plan_source: &PlanSource,
    ) -> Result<CompletedRun, Error> {
        let PreparedPlan { checked, listed, .. } = prepared;
        let Self { client, config, ui } = *self;
        let on_event = |event: &Event| ui.on_event(event);
        let plan = checked.plan();
        let journal = match plan.changes.is_empty() {
            true => Journal::in_memory(),
            false => self.create_journal(plan, plan_source, listed).await?,
        };
        ui.run_started(plan);
        let outcome = match &config.waves.partition(plan)[..] {
            [] => run(&checked, client, &journal, Options { verify: false, ..config.options }, &on_event).await,
            [_] => run(&checked, client, &journal, config.options, &on_event).await,
            waves => WaveRunner { workflow: self, plan, journal: &journal, waves, on_event: &on_event }.run().await,
        };
        ui.run_finished();
        let end = JournalEntry::RunFinished { outcome: outcome.class(plan), is_verified: outcome.is_verified() };
        // The run is over; a failure to write the last entry has no consequences.
        let _recorded = journal.append(end, self.timestamp()).await;
        Ok(CompletedRun { outcome, journal: journal.path().map(Path::to_path_buf), plan: checked.into_plan() })
    }

    /// Creates the journal of a run, with its plan beside it.
    async fn create_journal(&self, plan: &Plan, plan_source: &PlanSource, listed: Instant) -> Result<Journal, Error> {
        let config = self.config;
        let saved = SavedPlan {
            plan: plan.clone(),
            created: self.timestamp(),
            org: config.org.clone(),
            max_changes: config.max_changes.map(|limit| limit.to_string()),
            max_deletes: config.max_deletes,
            undoes: config.undoes.clone(),
            undoes_with: config.undoes_with.clone(),
            sources: match plan_source {
                PlanSource::Inputs(inputs) => inputs.source_digests(),
                PlanSource::SavedPlan(saved) => saved.sources.clone(),
            },
        };
        let identity = RunIdentity {
            target: config.target.clone(),
            inputs: inputs_digest(&saved.sources),
            scope: config.scope.as_options(),
            command: config.command.clone(),
            locations: location_names(plan),
            resumes: config.resumes.clone(),
            undoes: config.undoes.clone(),
            undoes_with: config.undoes_with.clone(),
        };
        // The plan first: a journal without a plan cannot be resumed.
        Journal::prepare(config.journal_dir)?;
        let _one_at_a_time = Journal::hold_directory(config.journal_dir)?;
        let runs = RunDirectory::open(config.journal_dir);
        let name = runs.map_or_else(|_| config.run.to_owned(), |runs| runs.next_name(config.run));
        self.refuse_second_run(&name, listed)?;
        let beside = config.journal_dir.join(format!("{name}.plan.json"));
        saved.write(&beside, config.key)?;
        let entry = JournalEntry::run_started(&name, plan, identity);
        let begun = Journal::begin(config.journal_dir, &name, config.key, entry, self.timestamp()).await;
        let journal = begun.inspect_err(|_| {
            let _of_no_use = std::fs::remove_file(&beside);
        })?;
        if !journal.is_locked() {
            let dir = config.journal_dir.display();
            self.ui.note(&format!(
                "The file system of {dir} has no locks: make sure that nothing else applies plans to this organization"
            ));
        }
        Ok(journal)
    }

    /// Two runs at once would each find the changes of the other unexpected, and a run that has ended since the state was
    /// read has changed what this plan was made from.
    fn refuse_second_run(&self, name: &str, listed: Instant) -> Result<(), Error> {
        let (target, clock) = (&self.config.target, self.client.clock());
        let Ok(runs) = RunDirectory::open(self.config.journal_dir) else { return Ok(()) };
        if let Some(run) = runs.running(target).filter(|run| *run != name) {
            return Err(Error::AnotherRun { run: run.to_owned() });
        }
        // What lies in the future was written under another clock.
        let (listed, now) = (clock.to_timestamp(listed), self.timestamp());
        let is_newer = |run: &RunHistory| run.last_entry_at > listed && run.last_entry_at <= now && run.has_written();
        match runs.histories().take(MAX_RUNS).find(|run| run.identity.target.may_be_same(target) && is_newer(run)) {
            Some(RunHistory { run, .. }) => Err(Error::StateIsOutdated { run }),
            None => Ok(()),
        }
    }

    fn timestamp(&self) -> jiff::Timestamp {
        self.client.clock().to_timestamp(self.client.clock().now())
    }
}

struct WaveRunner<'a> {
    workflow: &'a ApplyWorkflow<'a>,
    plan: &'a Plan,
    journal: &'a Journal,
    /// The locations of each wave.
    waves: &'a [Vec<LocationId>],
    on_event: &'a dyn Fn(&Event),
}

/// Why the next wave is not started.
enum WaveError {
    Stopped(ShutdownReason),
    Drift(Vec<Drift>),
    /// What it would change cannot be read.
    Unread(Error),
}

impl WaveRunner<'_> {
    async fn run(&self) -> Outcome {
        let client = self.workflow.client;
        let started = client.clock().now();
        let mut whole = Outcome {
            results: vec![ChangeResult::new(ChangeStatus::NotStarted); self.plan.changes.len()],
            verification: Verification::Skipped,
            stopped: None,
            server_generated_codes: Vec::new(),
            statistics: self.workflow.client.statistics(),
            elapsed: Duration::ZERO,
            timeline: Timeline::default(),
        };
        for (at, wave) in self.waves.iter().enumerate() {
            if let Err(error) = self.run_wave(at, wave, &mut whole).await {
                self.record_stop(&mut whole, error);
                break;
            }
        }
        whole.statistics = client.statistics();
        whole.elapsed = client.clock().now().duration_since(started);
        whole
    }

    /// Executes one wave, and waits for the next one if there is one.
    async fn run_wave(&self, at: usize, wave: &[LocationId], whole: &mut Outcome) -> Result<(), WaveError> {
        let is_last = at + 1 == self.waves.len();
        let options = self.workflow.config.options;
        // The verification decides whether the next wave is started.
        let options = Options { verify: options.verify || !is_last, ..options };
        let places = self.places(wave);
        let checked = self.prepare_wave(plan::restrict_to_locations(self.plan, wave), at == 0).await?;
        (self.on_event)(&Event::Wave { number: at + 1, of: self.waves.len(), locations: wave.len() });
        let outcome = run(&checked, self.workflow.client, self.journal, options, self.on_event).await;
        let is_complete = outcome.is_complete();
        merge(whole, outcome, &places, &checked, self.plan);
        if is_last {
            return Ok(());
        }
        if let Some(reason) = self.workflow.client.shutdown().reason() {
            return Err(WaveError::Stopped(reason));
        }
        if !is_complete {
            return Err(WaveError::Stopped(ShutdownReason::WaveFailed));
        }
        self.wait_for_wave(at + 1).await
    }

    /// Indexes of the changes of each location in the whole plan.
    fn places(&self, locations: &[LocationId]) -> Vec<usize> {
        let locations: HashSet<&LocationId> = locations.iter().collect();
        let changes = self.plan.changes.iter().enumerate();
        changes.filter(|(_, change)| locations.contains(&change.location.id)).map(|(at, _)| at).collect()
    }

    /// The plan of a wave, checked on the current state.
    async fn prepare_wave(&self, part: Plan, first: bool) -> Result<CheckedPlan, WaveError> {
        let unsafe_now = |_| WaveError::Stopped(ShutdownReason::UnexpectedChange);
        if first {
            // The whole plan was checked on the list, and its parts are independent.
            let recorded = plan::reconstruct_base_state(&part);
            return check_plan(part, &recorded).map_err(unsafe_now);
        }
        let live = read_for_plan(&part, self.workflow.client).await.map_err(WaveError::Unread)?;
        let rest = plan::resume(&part, &live).map_err(WaveError::Drift)?;
        check_plan(rest, &live).map_err(unsafe_now)
    }

    /// Waits, and asks for confirmation of the wave `next`.
    async fn wait_for_wave(&self, next: usize) -> Result<(), WaveError> {
        let ApplyWorkflow { client, config, ui } = *self.workflow;
        let (clock, shutdown) = (client.clock(), client.shutdown());
        let stopped = || WaveError::Stopped(shutdown.reason().unwrap_or(ShutdownReason::Declined));
        if !config.soak.is_zero() {
            (self.on_event)(&Event::Soaking { until: clock.now() + config.soak });
            if let Either::Right(_) = select(clock.sleep(config.soak), pin!(shutdown.requested())).await {
                return Err(stopped());
            }
        }
        if config.approval == Approval::Automatic {
            return Ok(());
        }
        let locations: HashSet<&LocationId> = self.waves[next].iter().collect();
        let changes = || self.plan.changes.iter().filter(|change| locations.contains(&change.location.id));
        let counted = format!("{}{}", count_changes(changes()), can_reboot(changes()));
        let (number, of, locations) = (next + 1, self.waves.len(), plural(locations.len(), "location"));
        let question = format!("Wave {next} succeeded. Continue with wave {number} of {of} ({counted}, {locations})?");
        match select(ui.confirm(&question, "yes"), pin!(shutdown.requested())).await {
            Either::Left((true, _)) => Ok(()),
            Either::Left((false, _)) => Err(WaveError::Stopped(ShutdownReason::Declined)),
            Either::Right(_) => Err(stopped()),
        }
    }

    fn record_stop(&self, whole: &mut Outcome, error: WaveError) {
        match error {
            WaveError::Stopped(reason) => whole.stopped = Some(reason),
            WaveError::Unread(Error::Stopped) => whole.stopped = self.workflow.client.shutdown().reason(),
            WaveError::Unread(error) => {
                whole.stopped = Some(ShutdownReason::WaveFailed);
                whole.verification = Verification::Failed(error.failed_read());
            }
            WaveError::Drift(drift) => {
                whole.stopped = Some(ShutdownReason::UnexpectedChange);
                let open = |result: &ChangeResult| result.status == ChangeStatus::NotStarted;
                let results = self.plan.changes.iter().zip(&mut whole.results);
                for (change, result) in results.filter(|(_, result)| open(result)) {
                    if let Some(drift) = drift.iter().find(|drift| drift.is_about(change)) {
                        result.error = Some(Failure::new(drift.describe()));
                    }
                }
            }
        }
    }
}

/// The locations that a plan changes, each once.
fn location_names(plan: &Plan) -> Vec<Arc<str>> {
    let locations: BTreeSet<(&Arc<str>, &LocationId)> =
        plan.changes.iter().map(|change| (&change.location.name, &change.location.id)).collect();
    locations.into_iter().map(|(name, _)| Arc::clone(name)).collect()
}

/// Merges the outcome of a wave. Changes that the wave skipped were already applied.
fn merge(whole: &mut Outcome, wave: Outcome, places: &[usize], checked: &CheckedPlan, plan: &Plan) {
    let place: HashMap<ChangeKey, usize> = places.iter().map(|at| (plan.changes[*at].key(), *at)).collect();
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
