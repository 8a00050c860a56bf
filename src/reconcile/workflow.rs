//! The apply workflow: prepare a plan, show it, ask for approval, execute it. Output and prompts go through
//! [`UserInterface`].

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};

use super::error::Error;
use super::handset_interval::heed_earlier_runs;
use super::inputs::Inputs;
use super::last_run::expect_last_run;
use super::prepare::{PreparedPlan, prepare_when_ready, resume_saved_plan};
use super::resume::{Interrupted, find_run_for, networks_at_temporary_names};
use super::run_config::{Approval, RunConfig};
use crate::apply::{Event, Outcome, Waves};
use crate::client::{ApiClient, Priority};
use crate::desired::any_rule_matches_location;
use crate::model::{LiveState, Location, LocationId, LocationIndex, NetworkId};
use crate::plan::model::{Plan, ResourceKind, can_reboot};
use crate::plan::{Matches, RequiredReads, check_deletions, describe_deletions, restrict_to_locations};
use crate::runtime::{Instant, ShutdownLevel, ShutdownReason, alongside};
use crate::storage::SavedPlan;

/// If the confirmation took longer than this, the list is read again.
const MAX_LIST_AGE: Duration = Duration::from_secs(30);

/// The time between two looks for handsets that no list shows yet.
const LATE_HANDSETS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub enum PlanSource {
    /// Compute the plan from files or rules.
    Inputs(Inputs),
    SavedPlan(Box<SavedPlan>),
}

/// Output and prompts of the workflow.
#[async_trait(?Send)]
pub trait UserInterface {
    /// Shows a plan, and its waves if there is more than one.
    fn show_plan(&self, plan: &Plan, waves: &[Vec<LocationId>]);

    fn note(&self, text: &str);

    /// Asks a question; true if the answer is `expected`.
    async fn confirm(&self, question: &str, expected: &str) -> bool;

    /// The execution of a plan starts.
    fn run_started(&self, plan: &Plan);

    fn on_event(&self, event: &Event);

    /// The execution has ended.
    fn run_finished(&self);
}

/// An executed plan.
#[derive(Debug)]
pub struct CompletedRun {
    pub plan: Plan,
    pub outcome: Outcome,
    /// Its journal; an empty plan has none.
    pub journal: Option<PathBuf>,
}

/// What a workflow has executed.
#[derive(Debug)]
pub enum Executed {
    Run(Box<CompletedRun>),
    /// The interrupted run that was resumed first, and the run itself, unless the resumed one is incomplete or nothing
    /// could be planned after it.
    Resumed(Box<CompletedRun>, Option<Box<CompletedRun>>),
}

#[derive(Clone, Copy)]
pub struct ApplyWorkflow<'a> {
    pub client: &'a ApiClient,
    pub config: &'a RunConfig<'a>,
    pub ui: &'a dyn UserInterface,
}

impl ApplyWorkflow<'_> {
    /// Applies `plan_source`; `listed` is the live state, if it was just read.
    ///
    /// If rules match a network with a temporary name, the interrupted run is resumed first.
    ///
    /// # Errors
    /// If nothing was written.
    pub async fn run(&self, plan_source: &PlanSource, listed: Option<LiveState>) -> Result<Executed, Error> {
        expect_last_run(self.config.journal_dir, &self.config.target, self.client);
        alongside(self.end_with_window(), self.resume_and_run(plan_source, listed)).await
    }

    /// Requests a shutdown when the maintenance window ends.
    async fn end_with_window(&self) {
        if let Some(until) = self.config.options.until {
            self.client.clock().sleep_until(until).await;
            self.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
        }
    }

    async fn resume_and_run(&self, plan_source: &PlanSource, listed: Option<LiveState>) -> Result<Executed, Error> {
        let listed = listed.map(|live| (live, self.client.clock().now()));
        let (live, interrupted) = match plan_source {
            PlanSource::Inputs(inputs) if self.config.resume_interrupted => {
                let listed = match listed {
                    Some(listed) => listed,
                    None => self.list().await?,
                };
                let interrupted = self.interrupted_plan(inputs, &listed.0);
                (Some(listed), interrupted)
            }
            PlanSource::Inputs(_) => (listed, None),
            PlanSource::SavedPlan(_) => (None, None),
        };
        let Some((run, saved)) = interrupted else {
            return Ok(Executed::Run(Box::new(self.run_once(plan_source, live).await?)));
        };
        self.ui.note(&format!("Resuming interrupted run {run} first: some networks still have temporary names"));
        // What this command says about its own plan is not about that of the interrupted run.
        let config = RunConfig {
            fail_on_unmanaged: false,
            waves: Waves::default(),
            resumes: Some(run),
            undoes: saved.undoes.clone(),
            undoes_with: saved.undoes_with.clone(),
            ..self.config.clone()
        };
        let resuming = ApplyWorkflow { config: &config, ..*self };
        let resumed = Box::new(resuming.run_once(&PlanSource::SavedPlan(Box::new(saved)), None).await?);
        if !resumed.outcome.is_complete() {
            return Ok(Executed::Resumed(resumed, None));
        }
        let before = self.client.statistics();
        let run = match self.run_once(plan_source, None).await {
            Ok(mut run) => {
                run.outcome.statistics = run.outcome.statistics.since(before);
                Some(Box::new(run))
            }
            // The outcome of the resumed run is still reported.
            Err(error) => {
                self.ui.note(&format!("After resuming: {error}"));
                None
            }
        };
        Ok(Executed::Resumed(resumed, run))
    }

    /// The plan of the run that left networks on temporary names, for the locations that this run is about. What it
    /// said about its size was said about the whole of it.
    fn interrupted_plan(&self, inputs: &Inputs, live: &LiveState) -> Option<(String, SavedPlan)> {
        let scope = &self.config.scope;
        let networks_at_temporary_names = networks_at_temporary_names(live, |location, settings| {
            any_rule_matches_location(&inputs.desired.rules, location)
                && scope.includes_location(location)
                && scope.includes_network(settings, settings)
        });
        let networks: HashSet<NetworkId> =
            networks_at_temporary_names.iter().map(|(network, _)| network.clone()).collect();
        let Interrupted { run, saved, .. } =
            find_run_for(self.config.journal_dir, self.config.key, &self.config.target, &networks)?;
        let locations: Vec<LocationId> =
            networks_at_temporary_names.into_iter().map(|(_, location)| location).collect();
        Some((
            run,
            SavedPlan {
                plan: restrict_to_locations(&saved.plan, &locations),
                max_changes: None,
                max_deletes: None,
                ..saved
            },
        ))
    }

    async fn list(&self) -> Result<(LiveState, Instant), Error> {
        let live = self.client.list_networks(Priority::Normal).await?;
        Ok((live, self.client.clock().now()))
    }

    async fn run_once(
        &self,
        plan_source: &PlanSource,
        live: Option<(LiveState, Instant)>,
    ) -> Result<CompletedRun, Error> {
        let prepared = self.prepare_plan(plan_source, live).await?;
        let plan = prepared.checked.plan();
        let fail_on_unmanaged = self.config.fail_on_unmanaged;
        if self.config.approval == Approval::Prompt {
            Error::check_managed(plan, fail_on_unmanaged)?;
        }
        self.check_canary(plan, plan_source, &prepared.live)?;
        self.show(plan);
        if self.config.options.until.is_some() && plan.reboots() > 0 {
            self.ui.note(
                "A network that reboots shortly before the window ends is down beyond it: a reboot cannot be seen",
            );
        }
        let approved = match self.config.approval {
            Approval::Automatic => {
                let saved = match plan_source {
                    PlanSource::SavedPlan(saved) => saved.max_changes.as_deref().and_then(|text| text.parse().ok()),
                    PlanSource::Inputs(_) => None,
                };
                let max_changes = self.config.max_changes.or(saved);
                let limits =
                    Error::check_unattended(plan, max_changes, self.max_deletes(plan_source), fail_on_unmanaged);
                Error::all(limits.err().into_iter().chain(Error::check_protections(plan).err()))?;
                prepared
            }
            Approval::Prompt => self.confirm(prepared, plan_source).await?,
        };
        self.execute(approved, plan_source).await
    }

    /// Checks that the canary is one of the locations of which something in scope is asked for. Its changes may have been made
    /// already, as by an interrupted run.
    fn check_canary(&self, plan: &Plan, plan_source: &PlanSource, live: &LiveState) -> Result<(), Error> {
        let waves = &self.config.waves;
        let of_plan = |plan: &Plan| waves.canary_misses(plan.changes.iter().map(|change| &*change.location.name));
        if plan.changes.is_empty() || !of_plan(plan) {
            return Ok(());
        }
        let is_unknown = match plan_source {
            PlanSource::SavedPlan(saved) => of_plan(&saved.plan),
            PlanSource::Inputs(inputs) => {
                let (desired, scope) = (&inputs.desired, &self.config.scope);
                let with_entry = Matches::of(desired, live).locations_with(|at, entry| {
                    scope.includes_any_name(&live.location(at).name, entry.names(entry.live_label(live)))
                });
                let in_scope: HashSet<LocationIndex> = scope.networks(live).map(|at| live.location_of(at)).collect();
                let is_asked_for = |(at, location): &(LocationIndex, &Location)| {
                    let has_rule = || any_rule_matches_location(&desired.rules, &location.name);
                    with_entry.contains(at) || in_scope.contains(at) && has_rule()
                };
                let asked_for = live.locations().filter(is_asked_for).map(|(_, location)| location);
                waves.canary_misses(asked_for.map(|location| &*location.name))
            }
        };
        if is_unknown {
            return Err(Error::CanaryMatchesNothing);
        }
        self.ui.note("Nothing is left to change in the locations of --canary");
        Ok(())
    }

    /// Asks for approval until a plan is confirmed that is not out of date.
    async fn confirm(&self, mut prepared: PreparedPlan, plan_source: &PlanSource) -> Result<PreparedPlan, Error> {
        while !prepared.checked.plan().changes.is_empty() {
            self.approve(prepared.checked.plan(), plan_source).await?;
            if self.client.clock().now().duration_since(prepared.listed) <= MAX_LIST_AGE {
                break;
            }
            let newer = self.prepare_plan(plan_source, None).await?;
            let (new, old) = (newer.checked.plan(), prepared.checked.plan());
            let is_same = (&new.changes, &new.steps) == (&old.changes, &old.steps);
            prepared = newer;
            if is_same {
                break;
            }
            self.ui.note("The live state has changed. Updated plan:\n");
            self.show(prepared.checked.plan());
        }
        Ok(prepared)
    }

    /// How much may be deleted: what this command says, or else what the saved plan says.
    const fn max_deletes(&self, plan_source: &PlanSource) -> Option<usize> {
        match (self.config.max_deletes, plan_source) {
            (None, PlanSource::SavedPlan(saved)) => saved.max_deletes,
            (said, _) => said,
        }
    }

    async fn prepare_plan(
        &self,
        plan_source: &PlanSource,
        live: Option<(LiveState, Instant)>,
    ) -> Result<PreparedPlan, Error> {
        match plan_source {
            PlanSource::Inputs(inputs) => {
                let (live, listed) = match live {
                    Some(live) => live,
                    None => self.list().await?,
                };
                let are_handsets_listed = async |reads: &RequiredReads, live: &LiveState| {
                    let handsets = reads.of(ResourceKind::Handset);
                    if handsets.is_empty() {
                        return Ok(());
                    }
                    let networks: HashSet<_> = handsets.iter().map(|at| &live.network(*at).id).collect();
                    self.wait_for_late_handsets(|network| networks.contains(network)).await
                };
                prepare_when_ready(inputs, &self.config.scope, live, listed, self.client, are_handsets_listed).await
            }
            PlanSource::SavedPlan(saved) => {
                let changes = saved.plan.changes.iter().filter(|change| change.kind() == ResourceKind::Handset);
                let changes: Vec<_> = changes.collect();
                if !changes.is_empty() {
                    let networks: HashSet<_> = changes.iter().map(|change| change.network.id()).collect();
                    // The plan does not know the id of a network that an earlier run of it has created.
                    let is_its = |network: &NetworkId| networks.contains(&Some(network)) || networks.contains(&None);
                    self.wait_for_late_handsets(is_its).await?;
                }
                resume_saved_plan(saved, self.client).await
            }
        }
    }

    /// Waits until a list shows all handsets that an earlier run may have added to these networks.
    async fn wait_for_late_handsets(&self, is_affected: impl Fn(&NetworkId) -> bool) -> Result<(), Error> {
        let (late, client) =
            (heed_earlier_runs(self.config.journal_dir, &self.config.target, self.client), self.client);
        let mut late: Vec<_> = late.into_iter().filter(|(network, _)| is_affected(network)).collect();
        let mut is_told = false;
        loop {
            let now = client.clock().now();
            let mut open = Vec::new();
            for (network, handsets) in late {
                if handsets.until > now && !handsets.are_listed(&network, client).await? {
                    open.push((network, handsets));
                }
            }
            let Some(until) = open.iter().map(|(_, handsets)| handsets.until).max() else { return Ok(()) };
            if !std::mem::replace(&mut is_told, true) {
                let wait = until.duration_since(now).as_secs_f64().ceil();
                self.ui.note(&format!(
                    "Waiting for up to {wait} s: an earlier run may have added handsets that no list shows yet"
                ));
            }
            client.wait_as(Priority::Normal, LATE_HANDSETS_INTERVAL).await;
            if client.is_stopped(Priority::Normal) {
                return Err(Error::Stopped);
            }
            late = open;
        }
    }

    fn show(&self, plan: &Plan) {
        self.ui.show_plan(plan, &self.config.waves.partition(plan));
    }

    /// Asks for approval. What is deleted must be counted: its number is the answer, unless `--max-deletes` has said it.
    async fn approve(&self, plan: &Plan, plan_source: &PlanSource) -> Result<(), Error> {
        Error::check_protections(plan)?;
        let named = plan.organization.as_ref().map(|organization| format!(" in {:?}", organization.label()));
        let place = named.unwrap_or_default();
        match check_deletions(plan, self.max_deletes(plan_source)) {
            Ok(()) => self.ask(&format!("Apply this plan{place}{}?", can_reboot(&plan.changes)), "yes").await,
            Err(_) => {
                let deleted = describe_deletions(plan);
                let reboots = can_reboot(&plan.changes);
                let question =
                    format!("This plan deletes {deleted}{place}{reboots}. Type the number of deletions to apply it:");
                self.ask(&question, &plan.deleted().len().to_string()).await
            }
        }
    }

    async fn ask(&self, question: &str, expected: &str) -> Result<(), Error> {
        match select(self.ui.confirm(question, expected), pin!(self.client.shutdown().requested())).await {
            Either::Left((true, _)) => Ok(()),
            Either::Left((false, _)) => Err(Error::NotConfirmed),
            Either::Right(_) => Err(Error::Stopped),
        }
    }
}
