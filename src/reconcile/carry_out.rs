//! A journal, the executor, the outcome; wave by wave, if that is asked for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, LocalBoxFuture, select};
use secrecy::SecretString;

use super::error::Error;
use crate::apply::{Event, Failure, NetworkResult, Options, Outcome, Status, Verification, run};
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{LocationId, NetworkId};
use crate::plan::plan::Plan;
use crate::plan::{self, Moved};
use crate::proof::{Proven, prove};
use crate::record::{Entry, Journal, SavedPlan};
use crate::runtime::ShutdownReason;

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    /// What became of the plan.
    pub outcome: Outcome,
    /// Where its journal is.
    pub journal: Option<PathBuf>,
}

/// Where a run leaves what it did.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// The folder of journals.
    pub folder: &'a Path,
    /// The name of the run.
    pub run: &'a str,
    /// The plan as it is kept beside the journal.
    pub saved: &'a SavedPlan,
    /// What it is sealed with.
    pub key: Option<&'a SecretString>,
}

/// Whether the next wave may begin.
pub type Gate<'a> = &'a dyn Fn(NextWave) -> LocalBoxFuture<'a, bool>;

/// The wave that would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWave {
    /// Its number, from 1.
    pub number: usize,
    /// How many waves there are.
    pub of: usize,
    /// How many locations are done.
    pub locations_done: usize,
    /// How many locations are left, this wave and all after it.
    pub locations_left: usize,
    /// How many networks are left.
    pub networks_left: usize,
}

/// In which pieces a plan is carried out.
#[derive(Clone, Copy)]
pub struct Pieces<'a> {
    /// The locations of each wave.
    pub waves: &'a [Vec<LocationId>],
    /// How long to wait after a wave before the next one is thought of.
    pub soak: Duration,
    /// Asked before every wave but the first, when all is well with those before.
    pub gate: Gate<'a>,
}

/// Carries out a proven plan with a journal, and its saved plan beside it. With nothing to do there is neither journal
/// nor request.
///
/// # Errors
/// If the journal cannot be begun; nothing was written then.
pub async fn carry_out(
    proven: &Proven,
    client: &ApiClient,
    records: Records<'_>,
    options: Options,
    pieces: Pieces<'_>,
    tell: &dyn Fn(&Event),
) -> Result<Run, Error> {
    let Records { folder, run: name, saved, key } = records;
    let plan = proven.plan();
    if plan.changes.is_empty() {
        let outcome = run(proven, client, &Journal::in_memory(), Options { verify: false, ..options }, tell).await;
        return Ok(Run { outcome, journal: None });
    }
    // The plan first: a journal without it could not be gone on from.
    Journal::prepare(folder)?;
    let beside = folder.join(format!("{name}.plan.json"));
    saved.write(&beside, key)?;
    let journal = Journal::create(folder, name, key).inspect_err(|_| {
        let _of_no_use = std::fs::remove_file(&beside);
    })?;
    let clock = client.clock();
    journal.append(Entry::begin(name, plan), clock.to_timestamp(clock.now())).await?;
    let outcome = match pieces.waves {
        [] | [_] => run(proven, client, &journal, options, tell).await,
        waves => Course { plan, client, journal: &journal, options, pieces, tell }.run(waves).await,
    };
    let end = Entry::End { outcome: outcome.class(plan).end() };
    // The run is over; a last line that cannot be written changes nothing for anybody.
    let _recorded = journal.append(end, clock.to_timestamp(clock.now())).await;
    Ok(Run { outcome, journal: journal.path().map(Path::to_path_buf) })
}

/// One wave after the other.
struct Course<'a, 'p> {
    plan: &'a Plan,
    client: &'a ApiClient,
    journal: &'a Journal,
    options: Options,
    pieces: Pieces<'p>,
    tell: &'a dyn Fn(&Event),
}

/// Why the next wave does not begin.
enum Halt {
    Because(ShutdownReason),
    /// Somebody else has changed something meanwhile.
    Moved(Vec<Moved>),
    /// What became of the list tells by itself.
    NotListed(SendError),
}

impl Course<'_, '_> {
    async fn run(&self, waves: &[Vec<LocationId>]) -> Outcome {
        let started = self.client.clock().now();
        let mut whole = Outcome {
            results: vec![NetworkResult::new(Status::NotStarted); self.plan.changes.len()],
            verification: Verification::NotDone,
            stopped: None,
            replaced_codes: Vec::new(),
            statistics: self.client.statistics(),
            elapsed: Duration::ZERO,
        };
        for (at, wave) in waves.iter().enumerate() {
            let last = at + 1 == waves.len();
            // Whether the next wave may begin is told by the list.
            let options = Options { verify: self.options.verify || !last, ..self.options };
            let (part, places) = (plan::part(self.plan, wave), self.places(wave));
            let halted = match self.prepared(part, at == 0).await {
                Ok(proven) => {
                    (self.tell)(&Event::Wave { number: at + 1, of: waves.len(), locations: wave.len() });
                    let outcome = run(&proven, self.client, self.journal, options, self.tell).await;
                    let well = outcome.is_complete();
                    merge(&mut whole, outcome, &places, &proven, self.plan);
                    self.passes(waves, at, well, last).await.err()
                }
                Err(halt) => Some(halt),
            };
            if let Some(halt) = halted {
                self.halt(&mut whole, halt);
                break;
            }
        }
        whole.statistics = self.client.statistics();
        whole.elapsed = self.client.clock().now().duration_since(started);
        whole
    }

    /// Which changes of the whole plan belong to locations.
    fn places(&self, locations: &[LocationId]) -> Vec<usize> {
        let locations: HashSet<&LocationId> = locations.iter().collect();
        let changes = self.plan.changes.iter().enumerate();
        changes.filter(|(_, change)| locations.contains(&change.location.id)).map(|(at, _)| at).collect()
    }

    /// The plan of a wave, proved on the state as it is now.
    async fn prepared(&self, part: Plan, first: bool) -> Result<Proven, Halt> {
        let unsafe_now = |_| Halt::Because(ShutdownReason::UnexpectedChange);
        if first {
            // The whole plan has just been proved on the list, and its parts depend on nothing else.
            let recorded = plan::recorded_state(&part);
            return prove(part, &recorded).map_err(unsafe_now);
        }
        let live = self.client.list(Priority::Normal).await.map_err(Halt::NotListed)?;
        let rest = plan::resume(&part, &live).map_err(Halt::Moved)?;
        prove(rest, &live).map_err(unsafe_now)
    }

    /// Waits and asks, if another wave is to follow.
    async fn passes(&self, waves: &[Vec<LocationId>], at: usize, well: bool, last: bool) -> Result<(), Halt> {
        if last {
            return Ok(());
        }
        let shutdown = self.client.shutdown();
        if let Some(reason) = shutdown.reason() {
            return Err(Halt::Because(reason));
        }
        if !well {
            return Err(Halt::Because(ShutdownReason::WaveFailed));
        }
        let stopped = || Halt::Because(shutdown.reason().unwrap_or(ShutdownReason::Declined));
        let clock = self.client.clock();
        if !self.pieces.soak.is_zero() {
            (self.tell)(&Event::Soaking { until: clock.now() + self.pieces.soak });
            if let Either::Right(_) = select(clock.sleep(self.pieces.soak), pin!(shutdown.requested())).await {
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
        match select((self.pieces.gate)(next), pin!(shutdown.requested())).await {
            Either::Left((true, _)) => Ok(()),
            Either::Left((false, _)) => Err(Halt::Because(ShutdownReason::Declined)),
            Either::Right(_) => Err(stopped()),
        }
    }

    fn halt(&self, whole: &mut Outcome, halt: Halt) {
        match halt {
            Halt::Because(reason) => whole.stopped = Some(reason),
            Halt::NotListed(SendError::Cancelled) => whole.stopped = self.client.shutdown().reason(),
            Halt::NotListed(SendError::Failed(error)) => {
                whole.stopped = Some(ShutdownReason::WaveFailed);
                whole.verification = Verification::Impossible(Failure::from(&error));
            }
            Halt::Moved(moved) => {
                whole.stopped = Some(ShutdownReason::UnexpectedChange);
                let moved: HashMap<&NetworkId, &Moved> = moved.iter().map(|moved| (moved.network(), moved)).collect();
                for (change, result) in self.plan.changes.iter().zip(&mut whole.results) {
                    if let Some(moved) = moved.get(&change.network) {
                        result.error = Some(Failure::of(moved.describe()));
                    }
                }
            }
        }
    }
}

/// Puts what became of a wave into the whole. What the wave left out was as planned already.
fn merge(whole: &mut Outcome, wave: Outcome, places: &[usize], proven: &Proven, plan: &Plan) {
    let place: HashMap<&NetworkId, usize> = places.iter().map(|at| (&plan.changes[*at].network, *at)).collect();
    let at_of = |part: usize| place.get(&proven.plan().changes[part].network).copied();
    for at in places {
        whole.results[*at] = NetworkResult { verified: Some(true), ..NetworkResult::new(Status::Applied) };
    }
    whole.replaced_codes.extend(wave.replaced_codes.iter().filter_map(|part| at_of(*part)));
    whole.stopped = wave.stopped;
    if !matches!(whole.verification, Verification::Impossible(_)) {
        whole.verification = wave.verification;
    }
    for (part, result) in wave.results.into_iter().enumerate() {
        if let Some(at) = at_of(part) {
            whole.results[at] = result;
        }
    }
}
