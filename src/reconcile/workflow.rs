//! The apply workflow: prepare a plan, show it, ask for approval, execute it. Output and prompts go through
//! [`UserInterface`].

use std::collections::HashSet;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, LocalBoxFuture, select};
use secrecy::SecretString;

use super::error::Error;
use super::execute::{NextWave, Rollout, Run, RunFiles, execute};
use super::handset_interval::heed_earlier_runs;
use super::inputs::Inputs;
use super::prepare::{PreparedPlan, plan_from_live, read_details, resume_saved_plan};
use super::resume::{Interrupted, find_run_for, inputs_digest, networks_at_temporary_names};
use crate::apply::{Event, Options, Waves};
use crate::client::{ApiClient, Priority};
use crate::desired::any_rule_matches_location;
use crate::diagnostic::plural;
use crate::model::{LiveState, LocationId, NetworkId};
use crate::plan::model::{Plan, ResourceKind};
use crate::plan::{self, MaxChanges, Scope, check_change_limit, check_deletions, describe_deletions};
use crate::runtime::{Instant, ShutdownLevel, ShutdownReason};
use crate::storage::{RunIdentity, RunTarget, SavedPlan};

/// If the confirmation took longer than this, the list is read again.
const MAX_LIST_AGE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub enum PlanSource {
    /// Compute the plan from files or rules.
    Inputs(Inputs),
    SavedPlan(Box<SavedPlan>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    Prompt,
    /// No prompt; the change limit applies.
    AutoApprove(Option<MaxChanges>),
}

/// Output and prompts of the workflow.
pub trait UserInterface {
    /// Shows a plan, and its waves if there is more than one.
    fn show_plan(&self, plan: &Plan, waves: &[Vec<LocationId>]);

    fn note(&self, text: &str);

    /// Asks a question; true if the answer is `expected`.
    fn confirm<'a>(&'a self, question: &'a str, expected: &'a str) -> LocalBoxFuture<'a, bool>;

    /// The execution of a plan starts.
    fn run_started(&self, plan: &Plan);

    fn on_event(&self, event: &Event);

    /// The execution has ended.
    fn run_finished(&self);
}

#[derive(Clone, Debug)]
pub struct ApplyOptions<'a> {
    pub scope: Scope,
    pub approval: Approval,
    /// Fails if a live network is in no file.
    pub fail_on_unmanaged: bool,
    pub options: Options,
    /// Resume an interrupted run first if its temporary names affect these rules.
    pub resume_interrupted: bool,
    pub waves: Waves,
    /// Wait time between waves.
    pub soak: Duration,
    pub until: Option<Instant>,
    pub journal_dir: &'a Path,
    pub run: &'a str,
    pub target: RunTarget,
    /// The run that this one resumes.
    pub resumes: Option<String>,
    /// The run that this one undoes.
    pub undoes: Option<String>,
    /// Key that encrypts plans and journals.
    pub key: Option<&'a SecretString>,
    pub org: Option<String>,
    /// The value of `--max-changes`, saved with the plan.
    pub max_changes: Option<MaxChanges>,
    /// The value of `--max-deletes`, saved with the plan.
    pub max_deletes: Option<usize>,
}

#[derive(Debug)]
pub struct CompletedRun {
    pub plan: Plan,
    pub run: Run,
}

#[derive(Clone, Copy)]
pub struct ApplyWorkflow<'a> {
    pub client: &'a ApiClient,
    pub options: &'a ApplyOptions<'a>,
    pub ui: &'a dyn UserInterface,
}

impl ApplyWorkflow<'_> {
    /// Applies `plan_source`; `listed` is the live state, if it was just read.
    ///
    /// If rules match a network with a temporary name, the interrupted run is resumed first; the result then has two
    /// parts.
    ///
    /// # Errors
    /// If nothing was written.
    pub async fn run(&self, plan_source: PlanSource, listed: Option<LiveState>) -> Result<Vec<CompletedRun>, Error> {
        let window = async {
            match self.options.until {
                Some(until) => self.client.clock().sleep_until(until).await,
                None => std::future::pending().await,
            }
            self.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
            std::future::pending::<std::convert::Infallible>().await
        };
        match select(pin!(self.run_with_resume(plan_source, listed)), pin!(window)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn run_with_resume(
        &self,
        mut plan_source: PlanSource,
        listed: Option<LiveState>,
    ) -> Result<Vec<CompletedRun>, Error> {
        let mut done = Vec::new();
        let live = match (&plan_source, listed) {
            (PlanSource::SavedPlan(_), _) => None,
            (PlanSource::Inputs(_), Some(live)) => Some((live, self.client.clock().now())),
            (PlanSource::Inputs(_), None) => Some(self.list().await?),
        };
        let mut live = live;
        if let (PlanSource::Inputs(inputs), Some((organization, _)), true) =
            (&plan_source, &live, self.options.resume_interrupted)
            && let Some((run, saved)) = self.interrupted_plan(inputs, organization)
        {
            self.ui.note(&format!("Resuming interrupted run {run} first: some networks still have temporary names"));
            done.push(self.run_once(&mut PlanSource::SavedPlan(Box::new(saved)), None, Some(run)).await?);
            live = match done.last() {
                Some(first) if first.run.outcome.is_complete() => Some(self.list().await?),
                _ => return Ok(done),
            };
        }
        let before = self.client.statistics();
        match self.run_once(&mut plan_source, live, self.options.resumes.clone()).await {
            Ok(mut second) => {
                if !done.is_empty() {
                    second.run.outcome.statistics = second.run.outcome.statistics.since(before);
                }
                done.push(second);
            }
            // The outcome of the resumed run is still reported.
            Err(error) if !done.is_empty() => self.ui.note(&format!("After resuming: {error}")),
            Err(error) => return Err(error),
        }
        Ok(done)
    }

    /// The plan of the run that left networks on temporary names, for the locations that this run is about. What it
    /// said about its size was said about the whole of it.
    fn interrupted_plan(&self, inputs: &Inputs, live: &LiveState) -> Option<(String, SavedPlan)> {
        let scope = &self.options.scope;
        let networks_at_temporary_names = networks_at_temporary_names(live, |location, settings| {
            any_rule_matches_location(&inputs.desired.rules, location)
                && scope.includes_location(location)
                && scope.includes_network(settings, settings)
        });
        let networks: HashSet<NetworkId> =
            networks_at_temporary_names.iter().map(|(network, _)| network.clone()).collect();
        let Interrupted { run, saved, .. } =
            find_run_for(self.options.journal_dir, self.options.key, &self.options.target, &networks)?;
        let locations: Vec<LocationId> =
            networks_at_temporary_names.into_iter().map(|(_, location)| location).collect();
        Some((
            run,
            SavedPlan {
                plan: plan::restrict_to_locations(&saved.plan, &locations),
                max_changes: None,
                max_deletes: None,
                ..saved
            },
        ))
    }

    async fn list(&self) -> Result<(LiveState, Instant), Error> {
        let live = self.client.list(Priority::Normal).await?;
        Ok((live, self.client.clock().now()))
    }

    async fn run_once(
        &self,
        plan_source: &mut PlanSource,
        live: Option<(LiveState, Instant)>,
        resumes: Option<String>,
    ) -> Result<CompletedRun, Error> {
        let mut prepare_wave = self.prepare_plan(plan_source, live).await?;
        let plan = prepare_wave.checked.plan();
        if self.options.fail_on_unmanaged && plan.counts.unmanaged > 0 {
            return Err(Error::Unmanaged(plan.counts.unmanaged));
        }
        if self.options.waves.canary_matches_nothing(plan) {
            return Err(Error::CanaryMatchesNothing);
        }
        self.show(&prepare_wave);
        match self.options.approval {
            Approval::AutoApprove(said) => {
                let (max_changes, max_deletes) = match plan_source {
                    PlanSource::SavedPlan(saved) => {
                        (saved.max_changes.as_deref().and_then(|word| word.parse().ok()), saved.max_deletes)
                    }
                    PlanSource::Inputs(_) => (None, None),
                };
                let plan = prepare_wave.checked.plan();
                check_deletions(plan, self.options.max_deletes.or(max_deletes))?;
                check_change_limit(plan, said.or(max_changes))?;
            }
            Approval::Prompt => {
                while !prepare_wave.checked.plan().changes.is_empty() {
                    self.approve(prepare_wave.checked.plan(), plan_source).await?;
                    if self.client.clock().now().duration_since(prepare_wave.listed) <= MAX_LIST_AGE {
                        break;
                    }
                    let newer = self.prepare_plan(plan_source, None).await?;
                    let same = newer.checked.plan() == prepare_wave.checked.plan();
                    prepare_wave = newer;
                    if same {
                        break;
                    }
                    self.ui.note("The live state has changed. Updated plan:\n");
                    self.show(&prepare_wave);
                }
            }
        }
        self.execute(prepare_wave, plan_source, resumes).await
    }

    async fn prepare_plan(
        &self,
        plan_source: &mut PlanSource,
        live: Option<(LiveState, Instant)>,
    ) -> Result<PreparedPlan, Error> {
        match plan_source {
            PlanSource::Inputs(inputs) => {
                let (live, listed) = match live {
                    Some(live) => live,
                    None => self.list().await?,
                };
                let reads = plan::required_reads(&self.options.scope, &inputs.desired, &live);
                if !reads.handsets.is_empty() {
                    let networks: HashSet<_> = reads.handsets.iter().map(|at| &live.network(*at).id).collect();
                    self.wait_for_late_handsets(|network| networks.contains(network)).await?;
                }
                let live = read_details(inputs, &self.options.scope, live, self.client).await?;
                Ok(plan_from_live(inputs, &self.options.scope, live, listed)?.with_handset_interval(self.client))
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
        let late = heed_earlier_runs(self.options.journal_dir, &self.options.target, self.client);
        let until = late.into_iter().filter(|(network, _)| is_affected(network)).map(|(_, until)| until).max();
        let Some(until) = until else { return Ok(()) };
        let clock = self.client.clock();
        let wait = until.duration_since(clock.now()).as_secs_f64().ceil();
        self.ui.note(&format!("Waiting {wait} s: an earlier run may have added handsets that no list shows yet"));
        match select(clock.sleep_until(until), pin!(self.client.shutdown().requested())).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(Error::Stopped),
        }
    }

    fn show(&self, prepare_wave: &PreparedPlan) {
        let plan = prepare_wave.checked.plan();
        self.ui.show_plan(plan, &self.options.waves.partition(plan));
    }

    /// Asks for approval. What is deleted must be counted: its number is the answer, unless `--max-deletes` has said it.
    async fn approve(&self, plan: &Plan, plan_source: &PlanSource) -> Result<(), Error> {
        let saved = match plan_source {
            PlanSource::SavedPlan(saved) => saved.max_deletes,
            PlanSource::Inputs(_) => None,
        };
        match check_deletions(plan, self.options.max_deletes.or(saved)) {
            Ok(()) => self.ask("Apply this plan?", "yes").await,
            Err(_) => {
                let deleted = describe_deletions(plan);
                let question = format!("This plan deletes {deleted}. Type the number of deletions to apply it:");
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

    async fn execute(
        &self,
        prepare_wave: PreparedPlan,
        plan_source: &PlanSource,
        resumes: Option<String>,
    ) -> Result<CompletedRun, Error> {
        let plan = prepare_wave.checked.plan();
        let saved = SavedPlan {
            plan: plan.clone(),
            created: self.client.clock().to_timestamp(self.client.clock().now()),
            org: self.options.org.clone(),
            max_changes: self.options.max_changes.map(|word| word.to_string()),
            max_deletes: self.options.max_deletes,
            undoes: self.options.undoes.clone(),
            sources: match plan_source {
                PlanSource::Inputs(inputs) => inputs.source_digests(),
                PlanSource::SavedPlan(saved) => saved.sources.clone(),
            },
        };
        let options = self.options;
        let records = RunFiles {
            journal_dir: options.journal_dir,
            run: &self.unique_run_name(),
            saved: &saved,
            identity: RunIdentity {
                target: options.target.clone(),
                inputs: inputs_digest(&saved.sources),
                resumes,
                undoes: options.undoes.clone(),
            },
            key: options.key,
        };
        let waves = options.waves.partition(plan);
        let approve_wave = |next: NextWave| -> LocalBoxFuture<'_, bool> {
            Box::pin(async move {
                let NextWave { number, of, locations_done, locations_left, networks_left } = next;
                match options.approval {
                    Approval::AutoApprove(_) => true,
                    Approval::Prompt => {
                        let question = format!(
                            "Wave {} succeeded ({}). Continue with wave {number} of {of} ({}, {} remaining)?",
                            number - 1,
                            plural(locations_done, "location"),
                            plural(locations_left, "location"),
                            plural(networks_left, "network"),
                        );
                        self.ui.confirm(&question, "yes").await
                    }
                }
            })
        };
        let rollout = Rollout { waves: &waves, soak: options.soak, approve_wave: &approve_wave };
        self.ui.run_started(plan);
        let run_options = Options { until: options.until, ..options.options };
        let on_event = |event: &Event| self.ui.on_event(event);
        let run = execute(&prepare_wave.checked, self.client, records, run_options, rollout, &on_event).await;
        self.ui.run_finished();
        Ok(CompletedRun { run: run?, plan: prepare_wave.checked.into_plan() })
    }

    /// The second run of a command gets its own id.
    fn unique_run_name(&self) -> String {
        let taken = self.options.journal_dir.join(format!("{}.jsonl", self.options.run)).exists();
        if taken { format!("{}-2", self.options.run) } else { self.options.run.to_owned() }
    }
}
