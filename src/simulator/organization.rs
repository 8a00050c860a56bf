//! The state machine behind both faces: a request and a moment become an answer, and a changed state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::faults::{FaultConfig, RequestFault};
use super::limiter::{LimitKind, Limiter};
use super::network::SimNetwork;
use super::request::{Operation, Request};
use super::response_quirks;
use super::responses::{ApiErrorResponse, SimulatedResponse};
use super::server_log::{ClientRule, ServerLog, is_incomplete};
use super::state::SimulatedState;
use super::tokens::Tokens;
use crate::model::{LocationId, NetworkId};
use crate::runtime::{Instant, SeededRng};

/// The id of an organization that was given none.
const ID: &str = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA";

/// How a request travels: decided when it sets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlightRequest {
    /// Its number, from 1.
    pub number: u64,
    /// How long it is under way to the server.
    pub outbound: Duration,
    /// How long the answer is under way.
    pub inbound: Duration,
    pub fault: RequestFault,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub requests: u64,
    pub arrived: u64,
    pub lists: u64,
    pub writes: u64,
    /// Answers 429.
    pub refused: u64,
    /// Answers 423.
    pub locked: u64,
    /// Answers 409.
    pub conflicts: u64,
    /// Tokens that were granted to the service app.
    pub granted: u64,
    pub admitted: u64,
    /// Requests that set out although the `Retry-After` of a 429 that had been delivered was still running.
    pub inside_retry_after: u64,
}

/// A simulated organization. A clone of it knows the same tokens.
#[derive(Clone, Debug)]
pub struct SimulatedOrganization {
    pub(super) state: SimulatedState,
    pub(super) id: String,
    pub(super) faults: FaultConfig,
    limiter: Option<Limiter>,
    rng: SeededRng,
    pub(super) tokens: Tokens,
    pub(super) counters: Counters,
    log: ServerLog,
    /// Updates that have arrived and were not refused outright.
    updates: u64,
    pub(super) external_edits: u64,
    locks: HashMap<LocationId, Instant>,
    /// The write that is at work in a location, by the number of its request.
    writing: HashMap<LocationId, u64>,
    /// What was put off, by when it is due.
    pub(super) deferred: BTreeMap<(Instant, u64), Operation>,
    /// What networks were like before each write that a list may not show yet, the oldest first; nothing where they
    /// were not there.
    pub(super) before: Vec<(Instant, NetworkId, Option<SimNetwork>)>,
    retry_after_windows: Vec<RetryAfterWindow>,
}

#[derive(Clone, Debug)]
struct RetryAfterWindow {
    /// From when on the client knows of it.
    known: Instant,
    until: Instant,
    /// Of the writes of one location only, if it is locked.
    location: Option<LocationId>,
}

impl SimulatedOrganization {
    /// An organization in this state that behaves like this.
    pub fn new(state: SimulatedState, faults: FaultConfig) -> Self {
        Self {
            state,
            id: ID.to_owned(),
            limiter: faults.limit.map(Limiter::new),
            rng: SeededRng::from_seed(faults.seed),
            faults,
            tokens: Tokens::default(),
            counters: Counters::default(),
            log: ServerLog::default(),
            updates: 0,
            external_edits: 0,
            locks: HashMap::new(),
            writing: HashMap::new(),
            deferred: BTreeMap::new(),
            before: Vec::new(),
            retry_after_windows: Vec::new(),
        }
    }

    /// The same with an id of its own.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Accepts this token instead of the usual one.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.tokens.set(token.into());
    }

    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Knows these tokens from now on, and whatever becomes of them.
    pub fn share_tokens(&mut self, tokens: Tokens) {
        self.tokens = tokens;
    }

    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Every request, the newest last: a document for whoever asserts on it.
    pub fn requests(&self) -> serde_json::Value {
        self.log.requests()
    }

    /// What a careful client would not have done.
    pub fn violations(&self) -> serde_json::Value {
        self.log.violations()
    }

    /// How often its state has changed: writes, deletions, and the edits of others.
    pub const fn changes(&self) -> u64 {
        self.counters.writes + self.external_edits
    }

    pub const fn state(&self) -> &SimulatedState {
        &self.state
    }

    pub fn set_faults(&mut self, faults: FaultConfig) {
        match (&mut self.limiter, faults.limit) {
            (Some(limiter), Some(kind)) => limiter.change(kind),
            (limiter, kind) => *limiter = kind.map(Limiter::new),
        }
        self.faults = faults;
    }

    /// Changes the limiter's figures from now on.
    pub fn change_limit(&mut self, kind: LimitKind) {
        if let Some(limiter) = &mut self.limiter {
            limiter.change(kind);
        }
    }

    pub fn external_request(&mut self, now: Instant) {
        if let Some(limiter) = &mut self.limiter {
            let _full = limiter.take(now);
        }
    }

    pub fn begin_request(&mut self, request: &Request, now: Instant) -> InFlightRequest {
        self.counters.requests += 1;
        let number = self.counters.requests;
        self.retry_after_windows.retain(|retry_after_window| retry_after_window.until > now);
        let location = request.operation.written_location().map(LocationId::new);
        let of_limit = |retry_after_window: &RetryAfterWindow| retry_after_window.location.is_none();
        let of_lock = |retry_after_window: &RetryAfterWindow| {
            retry_after_window.location.is_some() && retry_after_window.location == location
        };
        let known = || self.retry_after_windows.iter().filter(|retry_after_window| retry_after_window.known <= now);
        let (limited, locked) = (known().any(of_limit), known().any(of_lock));
        if limited {
            self.counters.inside_retry_after += 1;
        }
        if limited || locked {
            self.log.record_violation(number, ClientRule::RetryAfter);
        }
        let latency = self.faults.latency.draw(&mut self.rng);
        let drawn = self.faults.fault(request.operation.is_write(), &mut self.rng);
        let fault = self.faults.fault_at.filter(|(at, _)| *at == number).map_or(drawn, |(_, fault)| fault);
        InFlightRequest { number, outbound: latency / 2, inbound: latency / 2, fault }
    }

    /// A request arrives; `None` where nobody will ever answer it.
    pub fn handle(
        &mut self,
        request: &Request,
        in_flight: &InFlightRequest,
        now: Instant,
    ) -> Option<SimulatedResponse> {
        self.apply_due_writes(now);
        let number = in_flight.number;
        let tracking_id = request.tracking_id.clone().unwrap_or_else(|| format!("SIMULATED_{number}"));
        let answer = self.answer(request, in_flight, now, tracking_id.clone());
        self.counters.arrived += 1;
        let status = answer.as_ref().map(|answer| answer.status);
        match status {
            Some(429) => self.counters.refused += 1,
            Some(423) => self.counters.locked += 1,
            Some(409) => self.counters.conflicts += 1,
            _ => {}
        }
        self.log.record(number, request, status, tracking_id, now);
        if is_incomplete(&request.operation) {
            self.log.record_violation(number, ClientRule::FullUpdate);
        }
        answer
    }

    fn answer(
        &mut self,
        request: &Request,
        in_flight: &InFlightRequest,
        now: Instant,
        tracking_id: String,
    ) -> Option<SimulatedResponse> {
        if in_flight.fault == RequestFault::ResetBefore {
            return None;
        }
        let refused = |status, code, words: &str| {
            SimulatedResponse::refused(&ApiErrorResponse::new(status, code, words), tracking_id.clone())
        };
        if let Some(Err(wait)) = self.limiter.as_mut().map(|limiter| limiter.take(now)) {
            let retry_after = Some(self.open_retry_after_window(wait, None, now + in_flight.inbound));
            return Some(SimulatedResponse { retry_after, ..refused(429, 429, "too many requests") });
        }
        self.counters.admitted += 1;
        if !matches!(request.operation, Operation::AccessToken { .. })
            && !self.tokens.accepts(request.token.as_deref(), now)
        {
            self.log.record_violation(in_flight.number, ClientRule::ValidToken);
            return Some(refused(401, 401, "the access token is not valid"));
        }
        match in_flight.fault {
            RequestFault::Status(status) => return Some(refused(status, 1, "the service is not available")),
            RequestFault::HtmlPage => return Some(SimulatedResponse::page(502, tracking_id)),
            RequestFault::DelayedWrite(delay) => {
                self.deferred.insert((now + delay, in_flight.number), request.operation.clone());
                return Some(refused(504, 1, "the service did not answer in time"));
            }
            _ => {}
        }
        if let Some(answer) = self.locked(request, in_flight, now, &tracking_id) {
            return Some(answer);
        }
        self.apply_scheduled_edit(&request.operation);
        let mut answer = match self.handle_operation(&request.operation, in_flight.number, tracking_id.clone(), now) {
            Ok(answer) => answer,
            Err(error) => {
                if error.status == 409 {
                    self.log.record_violation(in_flight.number, ClientRule::NoDuplicate);
                }
                SimulatedResponse::refused(&error, tracking_id.clone())
            }
        };
        if matches!(request.operation, Operation::List { .. } | Operation::Get { .. }) {
            answer.body = response_quirks::apply(&self.faults.quirks, answer.body);
        }
        match in_flight.fault {
            RequestFault::ResetAfter | RequestFault::NoResponse => None,
            RequestFault::AppliedThenStatus(status) => Some(refused(status, 1, "something went wrong afterwards")),
            RequestFault::Truncated => Some(SimulatedResponse { is_cut: true, ..answer }),
            _ => Some(answer),
        }
    }

    /// Asks for silence; the header that says so.
    fn open_retry_after_window(&mut self, wait: Duration, location: Option<LocationId>, known: Instant) -> String {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after_windows.push(RetryAfterWindow {
            known,
            until: known + Duration::from_secs(seconds),
            location,
        });
        seconds.to_string()
    }

    /// Somebody else is a moment faster, if that is what was asked for.
    fn apply_scheduled_edit(&mut self, operation: &Operation) {
        let Operation::Update { network, .. } = operation else { return };
        self.updates += 1;
        if self.faults.concurrent_edits_at.contains(&self.updates) {
            self.external_edit(&NetworkId::new(&**network), |edit| edit.display_name = Some("Edited".to_owned()));
        }
    }

    /// Whether a write finds its location locked; if not, it is at work there from now on.
    fn locked(
        &mut self,
        request: &Request,
        in_flight: &InFlightRequest,
        now: Instant,
        tracking_id: &str,
    ) -> Option<SimulatedResponse> {
        let location = LocationId::new(request.operation.written_location()?);
        self.locks.retain(|_, until| *until > now);
        if in_flight.fault == RequestFault::Locked {
            self.locks.entry(location.clone()).or_insert(now + self.faults.lock_duration);
        }
        let lock = self.locks.get(&location).map(|until| until.duration_since(now));
        let is_crowded = self.writing.get(&location).is_some_and(|holder| *holder != in_flight.number);
        if is_crowded {
            self.log.record_violation(in_flight.number, ClientRule::SerializedWrites);
        }
        let Some(wait) = lock.or(is_crowded.then_some(Duration::from_secs(1))) else {
            self.writing.insert(location, in_flight.number);
            return None;
        };
        let answer = SimulatedResponse::refused(
            &ApiErrorResponse::new(423, 423, "the location is locked"),
            tracking_id.to_owned(),
        );
        let says_when = self.faults.lock_retry_after;
        let retry_after =
            says_when.then(|| self.open_retry_after_window(wait, Some(location), now + in_flight.inbound));
        Some(SimulatedResponse { retry_after, ..answer })
    }

    /// The answer to a request has been delivered, or its connection is gone: its location is free.
    pub fn end_request(&mut self, number: u64) {
        self.writing.retain(|_, holder| *holder != number);
    }

    /// Carries out what was put off until now.
    pub fn apply_due_writes(&mut self, now: Instant) {
        while let Some(entry) = self.deferred.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((when, _), operation) = entry.remove_entry();
            // What the rules refuse by now is refused without anybody hearing of it.
            let _refused = self.write(&operation, when);
        }
        let lag = self.faults.read_lag;
        self.before.retain(|(when, ..)| *when + lag > now);
    }
}
