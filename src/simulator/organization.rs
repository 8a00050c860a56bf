//! The state machine behind both faces: a request and a moment become an answer, and a changed state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::answers::{Answer, Refusal};
use super::limiter::{LimitKind, Limiter};
use super::log::{Expectation, Log, is_incomplete};
use super::misbehaviour::{Fate, Misbehaviour};
use super::network::SimNetwork;
use super::quirks;
use super::request::{Operation, Request};
use super::state::State;
use super::tokens::Tokens;
use crate::model::{LocationId, NetworkId};
use crate::runtime::{Instant, SeededRng};

/// The id of an organization that was given none.
const ID: &str = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA";

/// How a request travels: decided when it sets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Its number, from 1.
    pub number: u64,
    /// How long it is under way to the server.
    pub there: Duration,
    /// How long the answer is under way.
    pub back: Duration,
    /// What becomes of it.
    pub fate: Fate,
}

/// What the simulator has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Requests in all.
    pub requests: u64,
    /// Requests that have arrived.
    pub arrived: u64,
    /// Lists.
    pub lists: u64,
    /// Writes that were carried out.
    pub writes: u64,
    /// Answers 429.
    pub refused: u64,
    /// Answers 423.
    pub locked: u64,
    /// Answers 409.
    pub conflicts: u64,
    /// Tokens that were granted to the service app.
    pub granted: u64,
    /// Requests that used up quota.
    pub admitted: u64,
    /// Requests that set out although the `Retry-After` of a 429 that had been delivered was still running.
    pub inside_retry_after: u64,
}

/// A simulated organization. A clone of it knows the same tokens.
#[derive(Clone, Debug)]
pub struct Simulated {
    pub(super) state: State,
    pub(super) id: String,
    pub(super) misbehaviour: Misbehaviour,
    limiter: Option<Limiter>,
    rng: SeededRng,
    pub(super) tokens: Tokens,
    pub(super) ledger: Ledger,
    log: Log,
    /// Updates that have arrived and were not refused outright.
    updates: u64,
    pub(super) others_edits: u64,
    locks: HashMap<LocationId, Instant>,
    /// The write that is at work in a location, by the number of its request.
    at_work: HashMap<LocationId, u64>,
    /// What was put off, by when it is due.
    pub(super) later: BTreeMap<(Instant, u64), Operation>,
    /// What networks were like before each write that a list may not show yet, the oldest first; nothing where they
    /// were not there.
    pub(super) before: Vec<(Instant, NetworkId, Option<SimNetwork>)>,
    silences: Vec<Silence>,
}

/// A silence that was asked for.
#[derive(Clone, Debug)]
struct Silence {
    /// From when on the client knows of it.
    known: Instant,
    until: Instant,
    /// Of the writes of one location only, if it is locked.
    location: Option<LocationId>,
}

impl Simulated {
    /// An organization in this state that behaves like this.
    pub fn new(state: State, misbehaviour: Misbehaviour) -> Self {
        Self {
            state,
            id: ID.to_owned(),
            limiter: misbehaviour.limit.map(Limiter::new),
            rng: SeededRng::from_seed(misbehaviour.seed),
            misbehaviour,
            tokens: Tokens::default(),
            ledger: Ledger::default(),
            log: Log::default(),
            updates: 0,
            others_edits: 0,
            locks: HashMap::new(),
            at_work: HashMap::new(),
            later: BTreeMap::new(),
            before: Vec::new(),
            silences: Vec::new(),
        }
    }

    /// The same with an id of its own.
    #[must_use]
    pub fn called(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Accepts this token instead of the usual one.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.tokens.set(token.into());
    }

    /// The tokens that it knows.
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Knows these tokens from now on, and whatever becomes of them.
    pub fn share_tokens(&mut self, tokens: Tokens) {
        self.tokens = tokens;
    }

    /// What it has counted.
    pub const fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Every request, the newest last: a document for whoever asserts on it.
    pub fn requests(&self) -> serde_json::Value {
        self.log.requests()
    }

    /// What a careful client would not have done.
    pub fn broken(&self) -> serde_json::Value {
        self.log.broken()
    }

    /// How often its state has changed: writes, deletions, and the edits of others.
    pub const fn changes(&self) -> u64 {
        self.ledger.writes + self.others_edits
    }

    /// The networks as they are now.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Behaves like this from now on.
    pub fn behave(&mut self, misbehaviour: Misbehaviour) {
        match (&mut self.limiter, misbehaviour.limit) {
            (Some(limiter), Some(kind)) => limiter.change(kind),
            (limiter, kind) => *limiter = kind.map(Limiter::new),
        }
        self.misbehaviour = misbehaviour;
    }

    /// Changes the limiter's figures from now on.
    pub fn change_limit(&mut self, kind: LimitKind) {
        if let Some(limiter) = &mut self.limiter {
            limiter.change(kind);
        }
    }

    /// Somebody else uses quota.
    pub fn someone_else_sends(&mut self, now: Instant) {
        if let Some(limiter) = &mut self.limiter {
            let _full = limiter.take(now);
        }
    }

    /// A request sets out.
    pub fn sets_out(&mut self, request: &Request, now: Instant) -> Journey {
        self.ledger.requests += 1;
        let number = self.ledger.requests;
        self.silences.retain(|silence| silence.until > now);
        let location = request.operation.written_location().map(LocationId::new);
        let of_limit = |silence: &Silence| silence.location.is_none();
        let of_lock = |silence: &Silence| silence.location.is_some() && silence.location == location;
        let known = || self.silences.iter().filter(|silence| silence.known <= now);
        let (limited, locked) = (known().any(of_limit), known().any(of_lock));
        if limited {
            self.ledger.inside_retry_after += 1;
        }
        if limited || locked {
            self.log.breaks(number, Expectation::Silence);
        }
        let latency = self.misbehaviour.latency.draw(&mut self.rng);
        let drawn = self.misbehaviour.fate(request.operation.is_write(), &mut self.rng);
        let fate = self.misbehaviour.fate_at.filter(|(at, _)| *at == number).map_or(drawn, |(_, fate)| fate);
        Journey { number, there: latency / 2, back: latency / 2, fate }
    }

    /// A request arrives; `None` where nobody will ever answer it.
    pub fn arrives(&mut self, request: &Request, journey: &Journey, now: Instant) -> Option<Answer> {
        self.catch_up(now);
        let number = journey.number;
        let tracking_id = request.tracking_id.clone().unwrap_or_else(|| format!("SIMULATED_{number}"));
        let answer = self.answer(request, journey, now, tracking_id.clone());
        self.ledger.arrived += 1;
        let status = answer.as_ref().map(|answer| answer.status);
        match status {
            Some(429) => self.ledger.refused += 1,
            Some(423) => self.ledger.locked += 1,
            Some(409) => self.ledger.conflicts += 1,
            _ => {}
        }
        self.log.note(number, request, status, tracking_id, now);
        if is_incomplete(&request.operation) {
            self.log.breaks(number, Expectation::CompleteUpdate);
        }
        answer
    }

    fn answer(&mut self, request: &Request, journey: &Journey, now: Instant, tracking_id: String) -> Option<Answer> {
        if journey.fate == Fate::LostBefore {
            return None;
        }
        let refused =
            |status, code, words: &str| Answer::refused(&Refusal::new(status, code, words), tracking_id.clone());
        if let Some(Err(wait)) = self.limiter.as_mut().map(|limiter| limiter.take(now)) {
            let retry_after = Some(self.silence(wait, None, now + journey.back));
            return Some(Answer { retry_after, ..refused(429, 429, "too many requests") });
        }
        self.ledger.admitted += 1;
        if !matches!(request.operation, Operation::AccessToken { .. })
            && !self.tokens.knows(request.token.as_deref(), now)
        {
            self.log.breaks(journey.number, Expectation::KnownToken);
            return Some(refused(401, 401, "the access token is not valid"));
        }
        match journey.fate {
            Fate::Status(status) => return Some(refused(status, 1, "the service is not available")),
            Fate::Page => return Some(Answer::page(502, tracking_id)),
            Fate::Late(delay) => {
                self.later.insert((now + delay, journey.number), request.operation.clone());
                return Some(refused(504, 1, "the service did not answer in time"));
            }
            _ => {}
        }
        if let Some(answer) = self.locked(request, journey, now, &tracking_id) {
            return Some(answer);
        }
        self.edit_before(&request.operation);
        let mut answer = match self.carry_out(&request.operation, journey.number, tracking_id.clone(), now) {
            Ok(answer) => answer,
            Err(refusal) => {
                if refusal.status == 409 {
                    self.log.breaks(journey.number, Expectation::FreeValue);
                }
                Answer::refused(&refusal, tracking_id.clone())
            }
        };
        if matches!(request.operation, Operation::List { .. } | Operation::Get { .. }) {
            answer.body = quirks::with(&self.misbehaviour.quirks, answer.body);
        }
        match journey.fate {
            Fate::LostAfter | Fate::Silence => None,
            Fate::StatusAfter(status) => Some(refused(status, 1, "something went wrong afterwards")),
            Fate::Cut => Some(Answer { is_cut: true, ..answer }),
            _ => Some(answer),
        }
    }

    /// Asks for silence; the header that says so.
    fn silence(&mut self, wait: Duration, location: Option<LocationId>, known: Instant) -> String {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.silences.push(Silence { known, until: known + Duration::from_secs(seconds), location });
        seconds.to_string()
    }

    /// Somebody else is a moment faster, if that is what was asked for.
    fn edit_before(&mut self, operation: &Operation) {
        let Operation::Update { network, .. } = operation else { return };
        self.updates += 1;
        if self.misbehaviour.edits_at.contains(&self.updates) {
            self.someone_else_edits(&NetworkId::new(&**network), |edit| edit.display_name = Some("Edited".to_owned()));
        }
    }

    /// Whether a write finds its location locked; if not, it is at work there from now on.
    fn locked(&mut self, request: &Request, journey: &Journey, now: Instant, tracking_id: &str) -> Option<Answer> {
        let location = LocationId::new(request.operation.written_location()?);
        self.locks.retain(|_, until| *until > now);
        if journey.fate == Fate::Locked {
            self.locks.entry(location.clone()).or_insert(now + self.misbehaviour.lock_time);
        }
        let lock = self.locks.get(&location).map(|until| until.duration_since(now));
        let is_crowded = self.at_work.get(&location).is_some_and(|holder| *holder != journey.number);
        if is_crowded {
            self.log.breaks(journey.number, Expectation::OneWriteAtATime);
        }
        let Some(wait) = lock.or(is_crowded.then_some(Duration::from_secs(1))) else {
            self.at_work.insert(location, journey.number);
            return None;
        };
        let answer = Answer::refused(&Refusal::new(423, 423, "the location is locked"), tracking_id.to_owned());
        let says_when = self.misbehaviour.lock_says_when;
        let retry_after = says_when.then(|| self.silence(wait, Some(location), now + journey.back));
        Some(Answer { retry_after, ..answer })
    }

    /// The answer to a request has been delivered, or its connection is gone: its location is free.
    pub fn is_over(&mut self, number: u64) {
        self.at_work.retain(|_, holder| *holder != number);
    }

    /// Carries out what was put off until now.
    pub fn catch_up(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((when, _), operation) = entry.remove_entry();
            // What the rules refuse by now is refused without anybody hearing of it.
            let _refused = self.write(&operation, when);
        }
        let lag = self.misbehaviour.reads_lag;
        self.before.retain(|(when, ..)| *when + lag > now);
    }
}
