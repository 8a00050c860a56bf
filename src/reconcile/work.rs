//! From wishes to an outcome: proposed, shown, agreed to, carried out. Who shows and asks comes in as an argument.

use std::collections::HashSet;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, LocalBoxFuture, select};
use secrecy::SecretString;

use super::carry_out::{NextWave, Pieces, Records, Run, carry_out};
use super::error::Error;
use super::inputs::Inputs;
use super::interrupted::{Interrupted, stranded, that_left_behind};
use super::propose::{Proposal, go_on_with, plan_for};
use crate::apply::{Event, Options, Waves};
use crate::client::{ApiClient, Priority};
use crate::desired::any_rule_matches_location;
use crate::model::{LiveState, LocationId, NetworkId};
use crate::plan::plan::Plan;
use crate::plan::{self, MaxChanges, Scope, check_size};
use crate::record::SavedPlan;
use crate::runtime::{Instant, ShutdownLevel, ShutdownReason};

/// A list that is older than this when the answer comes is read again.
const FRESH: Duration = Duration::from_secs(30);

/// Where a plan comes from.
#[derive(Debug)]
pub enum Wishes {
    /// It is made for what files or rules ask for.
    Made(Inputs),
    /// It was made before.
    Saved(Box<SavedPlan>),
}

/// Who has to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Somebody is asked.
    Asked,
    /// Everybody agrees to a plan of an ordinary size, or of this one.
    Given(Option<MaxChanges>),
}

/// Who is shown what would be done, and asked.
pub trait Audience {
    /// Shows a plan, and the locations of its waves if there is more than one.
    fn plan(&self, plan: &Plan, waves: &[Vec<LocationId>]);

    /// Says something.
    fn remark(&self, text: &str);

    /// Asks something.
    fn confirm<'a>(&'a self, question: &'a str) -> LocalBoxFuture<'a, bool>;

    /// A plan is carried out from here on.
    fn begins(&self, plan: &Plan);

    /// Something happened.
    fn event(&self, event: &Event);

    /// The plan has been carried out as far as it goes.
    fn ends(&self);
}

/// How work is to be done.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// Some locations and networks only.
    pub scope: Scope,
    /// Who has to agree.
    pub consent: Consent,
    /// Fails if a live network is in no file.
    pub complete: bool,
    /// How the plan is carried out.
    pub options: Options,
    /// Whether the plan of another run is brought to its end where rules meet what it left behind.
    pub finishes_others: bool,
    /// In which waves.
    pub waves: Waves,
    /// How long to wait after a wave.
    pub soak: Duration,
    /// When the maintenance window ends.
    pub until: Option<Instant>,
    /// The folder of journals.
    pub folder: &'a Path,
    /// The name of the run.
    pub run: &'a str,
    /// What plans and journals are sealed with.
    pub key: Option<&'a SecretString>,
    /// The organization, if it was named.
    pub org: Option<String>,
    /// The word about the plan's size, to be kept with it.
    pub max_changes: Option<MaxChanges>,
}

/// What has been done.
#[derive(Debug)]
pub struct Done {
    /// The plan.
    pub plan: Plan,
    /// What became of it.
    pub run: Run,
}

/// Proposes, shows, asks, carries out.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Sends.
    pub client: &'a ApiClient,
    /// How.
    pub terms: &'a Terms<'a>,
    /// To whom.
    pub audience: &'a dyn Audience,
}

impl Work<'_> {
    /// Does everything that `wishes` ask for; `listed` is the organization, if it has just been read.
    ///
    /// Where rules meet a network on a temporary name, the run that left it there is brought to its end first: then two
    /// things have been done.
    ///
    /// # Errors
    /// If nothing was written.
    pub async fn run(&self, wishes: Wishes, listed: Option<LiveState>) -> Result<Vec<Done>, Error> {
        let window = async {
            match self.terms.until {
                Some(until) => self.client.clock().sleep_until(until).await,
                None => std::future::pending().await,
            }
            self.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
            std::future::pending::<std::convert::Infallible>().await
        };
        match select(pin!(self.both(wishes, listed)), pin!(window)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn both(&self, mut wishes: Wishes, listed: Option<LiveState>) -> Result<Vec<Done>, Error> {
        let mut done = Vec::new();
        let live = match (&wishes, listed) {
            (Wishes::Saved(_), _) => None,
            (Wishes::Made(_), Some(live)) => Some((live, self.client.clock().now())),
            (Wishes::Made(_), None) => Some(self.list().await?),
        };
        let mut live = live;
        if let (Wishes::Made(inputs), Some((organization, _)), true) = (&wishes, &live, self.terms.finishes_others)
            && let Some((run, saved)) = self.left_behind(inputs, organization)
        {
            self.audience.remark(&format!(
                "The run {run} has left networks on temporary names, and rules cannot compute with those: its plan for \
                 their locations is brought to its end first."
            ));
            done.push(self.once(&mut Wishes::Saved(Box::new(saved)), None).await?);
            live = match done.last() {
                Some(first) if first.run.outcome.is_complete() => Some(self.list().await?),
                _ => return Ok(done),
            };
        }
        let before = self.client.statistics();
        match self.once(&mut wishes, live).await {
            Ok(mut second) => {
                if !done.is_empty() {
                    second.run.outcome.statistics = second.run.outcome.statistics.since(before);
                }
                done.push(second);
            }
            // What was done first is not hidden by what cannot be done then.
            Err(error) if !done.is_empty() => self.audience.remark(&format!("After that: {error}")),
            Err(error) => return Err(error),
        }
        Ok(done)
    }

    /// The plan of the run that left networks on temporary names, for the locations that this run is about. What it
    /// said about its size was said about the whole of it.
    fn left_behind(&self, inputs: &Inputs, live: &LiveState) -> Option<(String, SavedPlan)> {
        let scope = &self.terms.scope;
        let stranded = stranded(live, |location, settings| {
            any_rule_matches_location(&inputs.desired.rules, location)
                && scope.has_location(location)
                && scope.has_network(settings, settings)
        });
        let networks: HashSet<NetworkId> = stranded.iter().map(|(network, _)| network.clone()).collect();
        let Interrupted { run, saved, .. } = that_left_behind(self.terms.folder, self.terms.key, &networks)?;
        let locations: Vec<LocationId> = stranded.into_iter().map(|(_, location)| location).collect();
        Some((run, SavedPlan { plan: plan::part(&saved.plan, &locations), max_changes: None, ..saved }))
    }

    async fn list(&self) -> Result<(LiveState, Instant), Error> {
        let live = self.client.list(Priority::Normal).await?;
        Ok((live, self.client.clock().now()))
    }

    async fn once(&self, wishes: &mut Wishes, live: Option<(LiveState, Instant)>) -> Result<Done, Error> {
        let mut proposal = self.propose(wishes, live).await?;
        let plan = proposal.proven.plan();
        if self.terms.complete && plan.counts.unmanaged > 0 {
            return Err(Error::Unmanaged(plan.counts.unmanaged));
        }
        if self.terms.waves.misses(plan) {
            return Err(Error::NoCanary);
        }
        self.show(&proposal);
        match self.terms.consent {
            Consent::Given(said) => {
                let saved = match wishes {
                    Wishes::Saved(saved) => saved.max_changes.as_deref().and_then(|word| word.parse().ok()),
                    Wishes::Made(_) => None,
                };
                check_size(proposal.proven.plan(), said.or(saved))?;
            }
            Consent::Asked => {
                while !proposal.proven.plan().changes.is_empty() {
                    self.ask("Apply this plan?").await?;
                    if self.client.clock().now().duration_since(proposal.listed) <= FRESH {
                        break;
                    }
                    let newer = self.propose(wishes, None).await?;
                    let same = newer.proven.plan() == proposal.proven.plan();
                    proposal = newer;
                    if same {
                        break;
                    }
                    self.audience.remark("The organization has changed meanwhile. This is the plan now:\n");
                    self.show(&proposal);
                }
            }
        }
        self.carry_out(proposal, wishes).await
    }

    async fn propose(&self, wishes: &mut Wishes, live: Option<(LiveState, Instant)>) -> Result<Proposal, Error> {
        match wishes {
            Wishes::Made(inputs) => {
                let (live, listed) = match live {
                    Some(live) => live,
                    None => self.list().await?,
                };
                plan_for(inputs, &self.terms.scope, live, listed)
            }
            Wishes::Saved(saved) => go_on_with(saved, self.client).await,
        }
    }

    fn show(&self, proposal: &Proposal) {
        let plan = proposal.proven.plan();
        self.audience.plan(plan, &self.terms.waves.of(plan));
    }

    async fn ask(&self, question: &str) -> Result<(), Error> {
        match select(self.audience.confirm(question), pin!(self.client.shutdown().requested())).await {
            Either::Left((true, _)) => Ok(()),
            Either::Left((false, _)) => Err(Error::NotConfirmed),
            Either::Right(_) => Err(Error::Stopped),
        }
    }

    async fn carry_out(&self, proposal: Proposal, wishes: &Wishes) -> Result<Done, Error> {
        let plan = proposal.proven.plan();
        let saved = SavedPlan {
            plan: plan.clone(),
            created: self.client.clock().to_timestamp(self.client.clock().now()),
            org: self.terms.org.clone(),
            max_changes: self.terms.max_changes.map(|word| word.to_string()),
            sources: match wishes {
                Wishes::Made(inputs) => inputs.digests(),
                Wishes::Saved(saved) => saved.sources.clone(),
            },
        };
        let terms = self.terms;
        let records = Records { folder: terms.folder, run: &self.unused_name(), saved: &saved, key: terms.key };
        let waves = terms.waves.of(plan);
        let gate = |next: NextWave| -> LocalBoxFuture<'_, bool> {
            Box::pin(async move {
                let NextWave { number, of, locations_done, locations_left, networks_left } = next;
                match terms.consent {
                    Consent::Given(_) => true,
                    Consent::Asked => {
                        let question = format!(
                            "All is well in {locations_done} locations. Go on with wave {number} of {of} \
                             ({locations_left} locations and {networks_left} networks are left)?"
                        );
                        self.audience.confirm(&question).await
                    }
                }
            })
        };
        let pieces = Pieces { waves: &waves, soak: terms.soak, gate: &gate };
        self.audience.begins(plan);
        let tell = |event: &Event| self.audience.event(event);
        let run = carry_out(&proposal.proven, self.client, records, terms.options, pieces, &tell).await;
        self.audience.ends();
        Ok(Done { run: run?, plan: proposal.proven.into_plan() })
    }

    /// The second run of a command needs a name of its own.
    fn unused_name(&self) -> String {
        let taken = self.terms.folder.join(format!("{}.jsonl", self.terms.run)).exists();
        if taken { format!("{}-2", self.terms.run) } else { self.terms.run.to_owned() }
    }
}
