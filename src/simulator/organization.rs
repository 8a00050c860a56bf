//! The state machine behind both faces: a request and a moment become an answer, and a changed state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::json;

use super::answers::{self, Answer, Refusal, Shown, ShownList};
use super::limiter::{LimitKind, Limiter};
use super::misbehaviour::{Fate, Misbehaviour};
use super::request::{Operation, Request};
use super::rules;
use super::state::{SimNetwork, State};
use crate::model::{LocationId, NetworkId};
use crate::time::{Chance, Moment};

/// The token that is accepted unless another one is set.
pub const TOKEN: &str = "simulated-token";

/// The service app that is known, its secret, and its refresh token.
pub const CLIENT_ID: &str = "simulated-client";
/// The secret of the service app.
pub const CLIENT_SECRET: &str = "simulated-secret";
/// The refresh token of the service app.
pub const REFRESH_TOKEN: &str = "simulated-refresh-token";

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
    token: String,
    /// Tokens that were granted to the service app, and until when they are good.
    granted: HashMap<String, Option<Moment>>,
    ledger: Ledger,
    next_tracking_id: u64,
    locks: HashMap<LocationId, Moment>,
    writing: HashMap<LocationId, u32>,
    later: BTreeMap<(Moment, u64), (LocationId, NetworkId, Vec<u8>)>,
    /// What lists show while they lag behind.
    stale: Vec<(Moment, State)>,
    /// Silences that have been asked for: from when they are known, until when.
    silences: Vec<(Moment, Moment)>,
}

/// A field of a form.
fn form_field(form: &[u8], name: &str) -> Option<String> {
    let query = format!("http://localhost/?{}", std::str::from_utf8(form).ok()?);
    let url = reqwest::Url::parse(&query).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl Simulated {
    /// An organization in this state that behaves like this.
    pub fn new(state: State, misbehaviour: Misbehaviour) -> Self {
        Self {
            state,
            limiter: misbehaviour.limit.map(Limiter::new),
            chance: Chance::from_seed(misbehaviour.seed),
            misbehaviour,
            token: TOKEN.to_owned(),
            granted: HashMap::new(),
            ledger: Ledger::default(),
            next_tracking_id: 1,
            locks: HashMap::new(),
            writing: HashMap::new(),
            later: BTreeMap::new(),
            stale: Vec::new(),
            silences: Vec::new(),
        }
    }

    /// Accepts this token instead of the usual one.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// What it has counted.
    pub const fn ledger(&self) -> Ledger {
        self.ledger
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
        let answer = self.answer(request, journey, now, tracking_id);
        self.ledger.arrived += 1;
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
        if !matches!(request.operation, Operation::AccessToken { .. }) && !self.knows(request.token.as_deref(), now) {
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
        let mut answer = self.carry_out(request, tracking_id.clone(), now);
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

    fn knows(&self, token: Option<&str>, now: Moment) -> bool {
        let Some(token) = token else { return false };
        token == self.token || self.granted.get(token).is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Grants an access token to the service app.
    fn grant(&mut self, form: &[u8], now: Moment) -> Result<serde_json::Value, Refusal> {
        let field = |name: &str| form_field(form, name).unwrap_or_default();
        if field("grant_type") != "refresh_token" {
            return Err(Refusal::new(400, 400, "the grant type is not supported"));
        }
        if (field("client_id").as_str(), field("client_secret").as_str()) != (CLIENT_ID, CLIENT_SECRET) {
            return Err(Refusal::new(401, 401, "the client is not known"));
        }
        if field("refresh_token") != REFRESH_TOKEN {
            return Err(Refusal::new(400, 400, "the refresh token is not known"));
        }
        let token = format!("granted-token-{}", self.granted.len() + 1);
        let life = self.misbehaviour.token_life;
        self.granted.insert(token.clone(), life.map(|life| now + life));
        self.ledger.granted += 1;
        Ok(json!({
            "access_token": token,
            "expires_in": life.map_or(1_209_600, |life| life.as_secs()),
            "refresh_token": REFRESH_TOKEN,
            "refresh_token_expires_in": 7_776_000,
        }))
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
        while self.stale.len() > 1 && self.stale[1].0 + lag <= now {
            self.stale.remove(0);
        }
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
                self.grant(form, now).map(|granted| Answer::json(200, tracking_id.clone(), &granted))
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
        let shown = self.stale.iter().rev().find(|(since, _)| *since + lag > now).map_or(&self.state, |_| {
            // The newest state that is old enough to be seen.
            &self.stale[0].1
        });
        let location = location.map(LocationId::new);
        let networks: Vec<SimNetwork> = shown
            .networks
            .values()
            .filter(|network| location.as_ref().is_none_or(|location| network.location == *location))
            .filter(|network| name.is_none_or(|name| network.name.contains(name)))
            .map(|network| self.visible(network))
            .collect();
        let dect_networks =
            networks.iter().map(|network| Shown::of(network, &shown.locations[&network.location])).collect();
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
            self.stale.push((now, self.state.clone()));
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
