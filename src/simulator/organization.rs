//! The state machine behind both faces: a request and a moment become an answer, and a changed state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::json;

use super::answers::{self, Answer, Refusal, Shown, ShownList};
use super::limiter::{LimitKind, Limiter};
use super::log::{Expectation, Log, is_incomplete};
use super::misbehaviour::{Fate, Misbehaviour};
use super::quirks;
use super::request::{Operation, Request};
use super::rules;
use super::state::{SimNetwork, State};
use super::tokens::Tokens;
use crate::model::{LocationId, NetworkId};
use crate::time::{Chance, Moment};

/// The organization's id.
const ORG: &str = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA";

/// How a request travels: decided when it sets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journey {
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
    /// Requests that set out although a `Retry-After` that had been delivered was still running.
    pub inside_retry_after: u64,
}

/// A simulated organization.
#[derive(Clone, Debug)]
pub struct Simulated {
    state: State,
    misbehaviour: Misbehaviour,
    limiter: Option<Limiter>,
    chance: Chance,
    tokens: Tokens,
    ledger: Ledger,
    log: Log,
    next_tracking_id: u64,
    /// Updates that have arrived and were not refused outright.
    updates: u64,
    others_edits: u64,
    locks: HashMap<LocationId, Moment>,
    writing: HashMap<LocationId, u32>,
    later: BTreeMap<(Moment, u64), (LocationId, NetworkId, Vec<u8>)>,
    /// What networks were like before each write that a list may not show yet, the oldest first.
    replaced: Vec<(Moment, SimNetwork)>,
    /// Silences that have been asked for: from when they are known, until when.
    silences: Vec<(Moment, Moment)>,
}

impl Simulated {
    /// An organization in this state that behaves like this.
    pub fn new(state: State, misbehaviour: Misbehaviour) -> Self {
        Self {
            state,
            limiter: misbehaviour.limit.map(Limiter::new),
            chance: Chance::from_seed(misbehaviour.seed),
            misbehaviour,
            tokens: Tokens::new(),
            ledger: Ledger::default(),
            log: Log::default(),
            next_tracking_id: 1,
            updates: 0,
            others_edits: 0,
            locks: HashMap::new(),
            writing: HashMap::new(),
            later: BTreeMap::new(),
            replaced: Vec::new(),
            silences: Vec::new(),
        }
    }

    /// Accepts this token instead of the usual one.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.tokens.set(token.into());
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
    pub fn someone_else_sends(&mut self, now: Moment) {
        if let Some(limiter) = &mut self.limiter {
            let _full = limiter.take(now);
        }
    }

    /// Somebody else changes a network in Control Hub, within the rules.
    pub fn someone_else_edits(&mut self, network: &NetworkId, edit: impl FnOnce(&mut SimEdit)) {
        let Some(mut changed) = self.state.remove(network) else { return };
        self.others_edits += 1;
        let mut seen = SimEdit {
            name: changed.name.clone(),
            display_name: changed.display_name.clone(),
            code: changed.code.clone(),
        };
        edit(&mut seen);
        let free = !self.state.holds_name(&changed.location, &seen.name, None)
            && !seen.code.as_ref().is_some_and(|code| self.state.holds_code(&changed.location, code, None));
        if free {
            (changed.name, changed.display_name, changed.code) = (seen.name, seen.display_name, seen.code);
        }
        self.state.insert(changed);
    }

    /// Somebody else deletes a network.
    pub fn someone_else_deletes(&mut self, network: &NetworkId) {
        self.state.remove(network);
    }

    /// A request sets out.
    pub fn sets_out(&mut self, request: &Request, now: Moment) -> Journey {
        self.ledger.requests += 1;
        self.silences.retain(|(_, until)| *until > now);
        if self.silences.iter().any(|(known, _)| *known <= now) {
            self.ledger.inside_retry_after += 1;
            self.log.breaks(self.ledger.arrived + 1, Expectation::Silence);
        }
        let latency = self.misbehaviour.latency.draw(&mut self.chance);
        let fate = self.misbehaviour.fate(request.operation.is_write(), &mut self.chance);
        let fate = if self.misbehaviour.silent_at == Some(self.ledger.requests) { Fate::Silence } else { fate };
        Journey { there: latency / 2, back: latency / 2, fate }
    }

    /// A request arrives; `None` where nobody will ever answer it.
    pub fn arrives(&mut self, request: &Request, journey: &Journey, now: Moment) -> Option<Answer> {
        self.catch_up(now);
        let tracking_id = request.tracking_id.clone().unwrap_or_else(|| format!("SIMULATED_{}", self.next_tracking_id));
        self.next_tracking_id += 1;
        let answer = self.answer(request, journey, now, tracking_id.clone());
        self.ledger.arrived += 1;
        let number = self.ledger.arrived;
        let status = answer.as_ref().map(|answer| answer.status);
        self.log.note(number, request, status, tracking_id, now);
        match status {
            Some(401) => self.log.breaks(number, Expectation::KnownToken),
            Some(409) => self.log.breaks(number, Expectation::FreeValue),
            _ => {}
        }
        if is_incomplete(&request.operation) {
            self.log.breaks(number, Expectation::CompleteUpdate);
        }
        answer
    }

    fn answer(&mut self, request: &Request, journey: &Journey, now: Moment, tracking_id: String) -> Option<Answer> {
        if journey.fate == Fate::LostBefore {
            return None;
        }
        if let Some(Err(wait)) = self.limiter.as_mut().map(|limiter| limiter.take(now)) {
            self.ledger.refused += 1;
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let delivered = now + journey.back;
            self.silences.push((delivered, delivered + Duration::from_secs(seconds)));
            let answer = Answer::refused(&Refusal::new(429, 429, "too many requests"), tracking_id);
            return Some(Answer { retry_after: Some(seconds.to_string()), ..answer });
        }
        self.ledger.admitted += 1;
        if !matches!(request.operation, Operation::AccessToken { .. })
            && !self.tokens.knows(request.token.as_deref(), now)
        {
            return Some(Answer::refused(&Refusal::new(401, 401, "the access token is not valid"), tracking_id));
        }
        match journey.fate {
            Fate::Status(status) => {
                return Some(Answer::refused(&Refusal::new(status, 1, "the service is not available"), tracking_id));
            }
            Fate::Page => return Some(Answer::page(502, tracking_id)),
            Fate::Late(delay) => {
                if let Operation::Update { location, network, body } = &request.operation {
                    let when = (now + delay, self.next_tracking_id);
                    let what = (LocationId::new(&**location), NetworkId::new(&**network), body.clone());
                    self.later.insert(when, what);
                }
                return Some(Answer::refused(&Refusal::new(504, 1, "the service did not answer in time"), tracking_id));
            }
            _ => {}
        }
        if let Some(answer) = self.locked(request, journey, now, &tracking_id) {
            return Some(answer);
        }
        self.edit_before(&request.operation);
        let mut answer = self.carry_out(request, tracking_id.clone(), now);
        if matches!(request.operation, Operation::List { .. } | Operation::Get { .. }) {
            answer.body = quirks::with(&self.misbehaviour.quirks, answer.body);
        }
        match journey.fate {
            Fate::LostAfter | Fate::Silence => return None,
            Fate::StatusAfter(status) => {
                answer = Answer::refused(&Refusal::new(status, 1, "something went wrong afterwards"), tracking_id);
            }
            Fate::Cut => answer.body.truncate(answer.body.len() / 2),
            _ => {}
        }
        Some(answer)
    }

    /// A write is at work in its location until it is answered.
    pub fn begins_writing(&mut self, request: &Request) {
        if let Some(location) = request.operation.written_location() {
            *self.writing.entry(LocationId::new(location)).or_default() += 1;
        }
    }

    /// The answer of a write has been delivered, or its connection is gone.
    pub fn ends_writing(&mut self, request: &Request) {
        if let Some(location) = request.operation.written_location()
            && let Some(writing) = self.writing.get_mut(&LocationId::new(location))
        {
            *writing = writing.saturating_sub(1);
        }
    }

    /// Somebody else is a moment faster, if that is what was asked for.
    fn edit_before(&mut self, operation: &Operation) {
        let Operation::Update { network, .. } = operation else { return };
        self.updates += 1;
        if self.misbehaviour.edits_at.contains(&self.updates) {
            self.someone_else_edits(&NetworkId::new(&**network), |edit| edit.display_name = Some("Edited".to_owned()));
        }
    }

    fn locked(&mut self, request: &Request, journey: &Journey, now: Moment, tracking_id: &str) -> Option<Answer> {
        let location = LocationId::new(request.operation.written_location()?);
        if journey.fate == Fate::Locked {
            self.locks.entry(location.clone()).or_insert(now + self.misbehaviour.lock_time);
        }
        let until = self.locks.get(&location).copied().filter(|until| *until > now);
        if until.is_none() {
            self.locks.remove(&location);
        }
        let crowded = self.writing.get(&location).is_some_and(|writing| *writing > 1);
        if crowded {
            self.log.breaks(self.ledger.arrived + 1, Expectation::OneWriteAtATime);
        }
        if until.is_none() && !crowded {
            return None;
        }
        self.ledger.locked += 1;
        let answer = Answer::refused(&Refusal::new(423, 423, "the location is locked"), tracking_id.to_owned());
        let wait = until.map_or(Duration::from_secs(1), |until| until.since(now));
        let says_when = self.misbehaviour.lock_says_when;
        let retry_after = says_when.then(|| (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).to_string());
        Some(Answer { retry_after, ..answer })
    }

    /// Carries out what was put off.
    fn catch_up(&mut self, now: Moment) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((when, _), (location, network, body)) = entry.remove_entry();
            // What the rules refuse by now is refused without anybody hearing of it.
            let _refused = self.update(&location, &network, &body, when);
        }
        let lag = self.misbehaviour.reads_lag;
        self.replaced.retain(|(when, _)| *when + lag > now);
    }

    fn carry_out(&mut self, request: &Request, tracking_id: String, now: Moment) -> Answer {
        let result = match &request.operation {
            Operation::List { location, name } => {
                self.ledger.lists += 1;
                Ok(self.list(location.as_deref(), name.as_deref(), &tracking_id, now))
            }
            Operation::Get { location, network } => self.find(location, network).map(|network| {
                let name = &self.state.locations[&network.location];
                Answer::json(200, tracking_id.clone(), &Shown::of(&self.visible(network), name))
            }),
            Operation::Update { location, network, body } => {
                let (location, network) = (LocationId::new(&**location), NetworkId::new(&**network));
                match self.misbehaviour.accepts_for_later {
                    Some(delay) => rules_only(&self.state, &location, &network, body).map(|()| {
                        self.later.insert((now + delay, self.next_tracking_id), (location, network, body.clone()));
                        Answer::empty(202, tracking_id.clone())
                    }),
                    None => {
                        self.update(&location, &network, body, now).map(|()| Answer::empty(204, tracking_id.clone()))
                    }
                }
            }
            Operation::Create { location, body } => self
                .create(location, body)
                .map(|id| Answer::json(201, tracking_id.clone(), &json!({ "dectNetworkId": id }))),
            Operation::Delete { location, network } => {
                let found = self.find(location, network).map(|network| network.id.clone());
                found.map(|id| {
                    self.ledger.writes += 1;
                    self.state.remove(&id);
                    Answer::empty(204, tracking_id.clone())
                })
            }
            Operation::Locations { name, max, start } => {
                Ok(self.locations(name.as_deref(), *max, *start, tracking_id.clone()))
            }
            Operation::Me => Ok(Answer::json(
                200,
                tracking_id.clone(),
                &json!({ "id": "simulated-admin", "displayName": "Simulated Admin", "orgId": ORG, "emails": ["admin@example.com"], "roles": [] }),
            )),
            Operation::AccessToken { form } => {
                let life = self.misbehaviour.token_life;
                self.tokens.grant(form, life, now).map(|granted| {
                    self.ledger.granted += 1;
                    Answer::json(200, tracking_id.clone(), &granted)
                })
            }
            Operation::Unknown => Err(Refusal::new(404, 404, "there is nothing here")),
        };
        result.unwrap_or_else(|refusal| {
            self.ledger.conflicts += u64::from(refusal.status == 409);
            Answer::refused(&refusal, tracking_id)
        })
    }

    fn list(&self, location: Option<&str>, name: Option<&str>, tracking_id: &str, now: Moment) -> Answer {
        let lag = self.misbehaviour.reads_lag;
        let mut lagging: HashMap<&NetworkId, &SimNetwork> = HashMap::new();
        for (when, before) in &self.replaced {
            if *when + lag > now {
                lagging.entry(&before.id).or_insert(before);
            }
        }
        let location = location.map(LocationId::new);
        let networks: Vec<SimNetwork> = self
            .state
            .networks
            .values()
            .map(|network| lagging.get(&network.id).copied().unwrap_or(network))
            .filter(|network| location.as_ref().is_none_or(|location| network.location == *location))
            .filter(|network| name.is_none_or(|name| network.name.contains(name)))
            .map(|network| self.visible(network))
            .collect();
        let dect_networks =
            networks.iter().map(|network| Shown::of(network, &self.state.locations[&network.location])).collect();
        Answer::json(200, tracking_id.to_owned(), &ShownList { dect_networks })
    }

    fn visible(&self, network: &SimNetwork) -> SimNetwork {
        let mut network = network.clone();
        if self.misbehaviour.hides_disabled_codes && !network.code_enabled {
            network.code = None;
        }
        network
    }

    fn find(&self, location: &str, network: &str) -> Result<&SimNetwork, Refusal> {
        find(&self.state, &LocationId::new(location), &NetworkId::new(network))
    }

    fn update(&mut self, location: &LocationId, network: &NetworkId, body: &[u8], now: Moment) -> Result<(), Refusal> {
        let current = find(&self.state, location, network)?.clone();
        let accepted = rules::check(body, location, Some(&current), &self.state)?;
        if !self.misbehaviour.reads_lag.is_zero() {
            self.replaced.push((now, current.clone()));
        }
        self.ledger.writes += 1;
        // PUT replaces: a display name that is left out becomes a default.
        let default_name = || format!("{} {}", current.chain_id, accepted.name).chars().take(11).collect();
        self.state.insert(SimNetwork {
            display_name: Some(accepted.display_name.unwrap_or_else(default_name)),
            name: accepted.name.clone(),
            code_enabled: accepted.code_enabled,
            code: Some(accepted.code),
            ..current
        });
        Ok(())
    }

    fn create(&mut self, location: &str, body: &[u8]) -> Result<String, Refusal> {
        let location = LocationId::new(location);
        if !self.state.locations.contains_key(&location) {
            return Err(Refusal::new(404, 25_003, "there is no such location"));
        }
        let accepted = rules::check(body, &location, None, &self.state)?;
        let id = self.state.next_id();
        self.ledger.writes += 1;
        self.state.insert(SimNetwork {
            id: id.clone(),
            location,
            display_name: accepted.display_name.or_else(|| Some(accepted.name.chars().take(11).collect())),
            name: accepted.name,
            code_enabled: accepted.code_enabled,
            code: Some(accepted.code),
            model: accepted.model.unwrap_or_default(),
            chain_id: 0,
            base_stations: 0,
            handsets: 0,
            lines: 0,
        });
        Ok(id.to_string())
    }

    fn locations(&self, name: Option<&str>, max: usize, start: usize, tracking_id: String) -> Answer {
        let found: Vec<_> = self
            .state
            .locations
            .iter()
            .filter(|(_, shown)| name.is_none_or(|name| shown.contains(name)))
            .map(|(id, name)| answers::location(id.as_str(), name, ORG))
            .collect();
        let page: Vec<_> = found.iter().skip(start).take(max.max(1)).collect();
        let next =
            (start + page.len() < found.len()).then(|| format!("/locations?max={max}&start={}", start + page.len()));
        Answer { next, ..Answer::json(200, tracking_id, &json!({ "items": page })) }
    }
}

/// What of a network somebody else may edit.
#[derive(Clone, Debug)]
pub struct SimEdit {
    /// Its name.
    pub name: String,
    /// Its display name.
    pub display_name: Option<String>,
    /// Its access code.
    pub code: Option<String>,
}

fn find<'a>(state: &'a State, location: &LocationId, network: &NetworkId) -> Result<&'a SimNetwork, Refusal> {
    state
        .networks
        .get(network)
        .filter(|found| found.location == *location)
        .ok_or_else(|| Refusal::new(404, 27_455, "the DECT network does not exist"))
}

fn rules_only(state: &State, location: &LocationId, network: &NetworkId, body: &[u8]) -> Result<(), Refusal> {
    let current = find(state, location, network)?;
    rules::check(body, location, Some(current), state).map(|_| ())
}
