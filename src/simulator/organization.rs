//! The state machine: maps a request at a point in time to a response and a new state.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::faults::{ExclusiveWrites, FaultConfig, RequestFault, RetryAfterHeader};
use super::limiter::{LimitKind, Limiter};
use super::network::SimNetwork;
use super::request::{NetworkOperation, Operation, Request, handset_ids};
use super::response_quirks;
use super::responses::{ApiErrorResponse, SimulatedResponse};
use super::server_log::{ClientRule, ServerLog, is_incomplete};
use super::state::SimulatedState;
use super::tokens::Tokens;
use crate::model::{LocationId, NetworkId};
use crate::runtime::{Instant, SeededRng};

/// Default id of an organization.
const ID: &str = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8wMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA";

/// A request in flight; its latency and fault are decided when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlightRequest {
    /// Number of the request, 1-based.
    pub number: u64,
    /// Latency to the server.
    pub outbound: Duration,
    /// Latency of the response.
    pub inbound: Duration,
    pub fault: RequestFault,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub requests: u64,
    pub arrived: u64,
    pub lists: u64,
    pub writes: u64,
    /// 429 responses.
    pub refused: u64,
    /// 423 responses.
    pub locked: u64,
    /// 409 responses.
    pub conflicts: u64,
    /// Tokens issued to the service app.
    pub granted: u64,
    pub admitted: u64,
    /// Requests sent within the `Retry-After` of a delivered 429.
    pub inside_retry_after: u64,
    pub in_flight: u64,
    /// The largest number of requests in flight.
    pub max_in_flight: u64,
}

/// A simulated organization. Clones accept the same tokens.
#[derive(Clone, Debug)]
pub struct SimulatedOrganization {
    pub(super) state: SimulatedState,
    pub(super) id: String,
    /// The ids of the organizations that are served with it.
    pub(super) others: Vec<String>,
    pub(super) faults: FaultConfig,
    /// In the order of the limits in `faults`.
    limiters: Vec<Limiter>,
    /// Until when everything is refused.
    penalty_until: Instant,
    rng: SeededRng,
    pub(super) tokens: Tokens,
    pub(super) counters: Counters,
    log: ServerLog,
    /// Number of received updates that were not rejected early.
    updates: u64,
    pub(super) external_edits: u64,
    locks: HashMap<LocationId, Instant>,
    /// The writes in progress: number of the request, location, and network unless it creates one.
    writing: HashMap<u64, (LocationId, Option<NetworkId>)>,
    /// Deferred writes by due time.
    pub(super) deferred: BTreeMap<(Instant, u64), Operation>,
    /// What networks were like before each write that a list may not show yet, the oldest first; nothing where they
    /// were not there.
    pub(super) before: Vec<(Instant, NetworkId, Option<SimNetwork>)>,
    retry_after_windows: Vec<RetryAfterWindow>,
    /// When and by which request the handsets or lines of a network were last changed.
    handset_changes: HashMap<NetworkId, (Instant, Operation)>,
}

#[derive(Clone, Debug)]
struct RetryAfterWindow {
    /// The request that was refused.
    request: u64,
    /// Whether its client has received the response; one that was cancelled knows of no wait.
    is_delivered: bool,
    /// When the response was delivered.
    known: Instant,
    until: Instant,
    /// The locked location; `None` for a 429.
    location: Option<LocationId>,
}

impl SimulatedOrganization {
    /// Creates an organization with a state and faults.
    pub fn new(state: SimulatedState, faults: FaultConfig) -> Self {
        Self {
            state,
            id: ID.to_owned(),
            others: Vec::new(),
            limiters: faults.limits.iter().map(|limit| Limiter::new(limit.kind)).collect(),
            penalty_until: Instant::START,
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
            handset_changes: HashMap::new(),
        }
    }

    /// Sets the id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Names the organizations that are served with it, for the list of all that a token reaches.
    pub fn set_others(&mut self, others: Vec<String>) {
        self.others = others;
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Accepts this token instead of the default one.
    pub fn set_token(&mut self, token: impl Into<String>) {
        self.tokens.set(token.into());
    }

    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Shares the tokens of another organization.
    pub fn share_tokens(&mut self, tokens: Tokens) {
        self.tokens = tokens;
    }

    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// The request log, oldest first, as JSON for test assertions.
    pub fn requests(&self) -> serde_json::Value {
        self.log.requests()
    }

    /// Client-rule violations as JSON.
    pub fn violations(&self) -> serde_json::Value {
        self.log.violations()
    }

    /// Number of state changes, including external edits.
    pub const fn changes(&self) -> u64 {
        self.counters.writes + self.external_edits
    }

    pub const fn state(&self) -> &SimulatedState {
        &self.state
    }

    pub fn set_faults(&mut self, faults: FaultConfig) {
        self.limiters.truncate(faults.limits.len());
        for (at, limit) in faults.limits.iter().enumerate() {
            match self.limiters.get_mut(at) {
                Some(limiter) => limiter.change(limit.kind),
                None => self.limiters.push(Limiter::new(limit.kind)),
            }
        }
        self.faults = faults;
    }

    /// Admits a request if every limit does, or returns the longest wait. A refused request uses no quota.
    fn take_quota(&mut self, number: u64, is_write: bool, now: Instant) -> Result<(), Duration> {
        let limiters = self.limiters.iter_mut().zip(&self.faults.limits);
        let mut limiters: Vec<_> =
            limiters.filter(|(_, limit)| is_write || !limit.writes_only).map(|(limiter, _)| limiter).collect();
        let taken = match self.penalty_until > now && !limiters.is_empty() {
            true => Err(Duration::ZERO),
            false => Limiter::take_all(&mut limiters, number, now),
        };
        if taken.is_err() && self.faults.limit_share < 1.0 && self.rng.next_f64() >= self.faults.limit_share {
            return Ok(());
        }
        let Some(penalty) = self.faults.limit_penalty else { return taken };
        taken.map_err(|wait| {
            let wait = wait.max(penalty);
            self.penalty_until = now + wait;
            wait
        })
    }

    /// Changes the parameters of the first limiter.
    pub fn change_limit(&mut self, kind: LimitKind) {
        if let Some((limiter, limit)) = self.limiters.first_mut().zip(self.faults.limits.first_mut()) {
            limit.kind = kind;
            limiter.change(kind);
        }
    }

    pub fn external_request(&mut self, now: Instant) {
        let limiters = self.limiters.iter_mut().zip(&self.faults.limits);
        for (limiter, _) in limiters.filter(|(_, limit)| !matches!(limit.kind, LimitKind::InFlight(_))) {
            let _full = limiter.take(0, now);
        }
    }

    pub fn begin_request(&mut self, request: &Request, now: Instant) -> InFlightRequest {
        self.counters.requests += 1;
        self.counters.in_flight += 1;
        self.counters.max_in_flight = self.counters.max_in_flight.max(self.counters.in_flight);
        let number = self.counters.requests;
        self.retry_after_windows.retain(|retry_after_window| retry_after_window.until > now);
        let location = request.operation.written_location().cloned();
        let of_limit = |retry_after_window: &RetryAfterWindow| retry_after_window.location.is_none();
        let of_lock = |retry_after_window: &RetryAfterWindow| {
            retry_after_window.location.is_some() && retry_after_window.location == location
        };
        let known = || self.retry_after_windows.iter().filter(|window| window.is_delivered && window.known <= now);
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
        // A limit in flight counts while a request is worked on, which is most of the time.
        let counts_in_flight = self.faults.limits.iter().any(|limit| matches!(limit.kind, LimitKind::InFlight(_)));
        let outbound = latency / if counts_in_flight { 10 } else { 2 };
        InFlightRequest { number, outbound, inbound: latency - outbound, fault }
    }

    /// Handles a request; `None` if it is never answered.
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
        let is_collection = match &request.operation {
            Operation::OfNetwork(_, NetworkOperation::RemoveAllBaseStations) => true,
            Operation::OfNetwork(_, NetworkOperation::RemoveHandsets(body)) => handset_ids(body).is_none(),
            _ => false,
        };
        if is_collection {
            self.log.record_violation(number, ClientRule::NoCollectionDeletion);
        }
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
        if let Err(wait) = self.take_quota(in_flight.number, request.operation.is_write(), now) {
            return Some(self.refused_by_limit(in_flight, wait, now, tracking_id));
        }
        self.counters.admitted += 1;
        if !matches!(request.operation, Operation::AccessToken { .. })
            && !self.tokens.accepts(request.token.as_deref(), now)
        {
            self.log.record_violation(in_flight.number, ClientRule::ValidToken);
            return Some(refused(401, 401, "invalid access token"));
        }
        match in_flight.fault {
            RequestFault::Status(status) => return Some(refused(status, 1, "service unavailable")),
            RequestFault::HtmlPage => return Some(SimulatedResponse::page(502, tracking_id)),
            RequestFault::DelayedWrite(delay) => {
                let network = self.changed_handset_network(&request.operation);
                self.record_handset_change(network, &request.operation, in_flight.number, now);
                self.deferred.insert((now + delay, in_flight.number), request.operation.clone());
                return Some(refused(504, 1, "gateway timeout"));
            }
            _ => {}
        }
        if let Some(answer) = self.locked(request, in_flight, now, &tracking_id) {
            return Some(answer);
        }
        self.apply_scheduled_edit(&request.operation);
        let changed_handsets = self.changed_handset_network(&request.operation);
        let mut answer = match self.handle_operation(&request.operation, in_flight.number, tracking_id.clone(), now) {
            Ok(answer) => {
                self.record_handset_change(changed_handsets, &request.operation, in_flight.number, now);
                answer
            }
            Err(error) => {
                if error.status == 409 {
                    self.log.record_violation(in_flight.number, ClientRule::NoDuplicate);
                }
                SimulatedResponse::refused(&error, tracking_id.clone())
            }
        };
        if matches!(request.operation.shape_name(), Some("networks" | "network" | "handsets")) {
            answer.body = response_quirks::apply(&self.faults.quirks, answer.body);
        }
        if let Some(name) = request.operation.shape_name().filter(|_| answer.status < 300) {
            answer.body = response_quirks::imitate(&self.faults.shapes, name, answer.body);
        }
        match in_flight.fault {
            RequestFault::ResetAfter | RequestFault::NoResponse => None,
            RequestFault::AppliedThenStatus(status) => Some(refused(status, 1, "internal error after the write")),
            RequestFault::Truncated => Some(SimulatedResponse { is_cut: true, ..answer }),
            _ => Some(answer),
        }
    }

    /// The refusal of a request that a limit does not let in before `wait`.
    fn refused_by_limit(
        &mut self,
        in_flight: &InFlightRequest,
        wait: Duration,
        now: Instant,
        tracking_id: String,
    ) -> SimulatedResponse {
        let (request, known) = (in_flight.number, now + in_flight.inbound);
        let said = match self.faults.limit_retry_after {
            RetryAfterHeader::Missing | RetryAfterHeader::Fraction => None,
            RetryAfterHeader::Exact => Some(wait),
            RetryAfterHeader::Fixed(seconds) => Some(Duration::from_secs(seconds)),
            RetryAfterHeader::Half => Some(Duration::from_secs(wait.as_secs() / 2)),
        };
        let mut retry_after = said.map(|said| self.open_retry_after_window(request, said, None, known));
        if matches!(self.faults.limit_retry_after, RetryAfterHeader::Fraction) {
            let until = known + Duration::from_millis(500);
            let window = RetryAfterWindow { request, is_delivered: false, known, until, location: None };
            self.retry_after_windows.push(window);
            retry_after = Some("0.5".to_owned());
        }
        let status = self.faults.limit_status;
        // A 429 is counted where it is answered.
        self.counters.refused += u64::from(status != 429);
        let error = ApiErrorResponse::new(status, 429, "too many requests");
        SimulatedResponse { retry_after, ..SimulatedResponse::refused(&error, tracking_id) }
    }

    /// Records a change of the handsets of a network, and whether it came too early. The same request sent again is the
    /// same change.
    fn record_handset_change(&mut self, network: Option<NetworkId>, operation: &Operation, number: u64, now: Instant) {
        let Some(network) = network else { return };
        let last = self.handset_changes.insert(network, (now, operation.clone()));
        let is_early = last
            .is_some_and(|(when, last)| last != *operation && now.duration_since(when) < self.faults.handset_interval);
        if is_early {
            self.log.record_violation(number, ClientRule::HandsetInterval);
        }
    }

    /// Opens a `Retry-After` window and returns the header value.
    fn open_retry_after_window(
        &mut self,
        request: u64,
        wait: Duration,
        location: Option<LocationId>,
        known: Instant,
    ) -> String {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after_windows.push(RetryAfterWindow {
            request,
            is_delivered: false,
            known,
            until: known + Duration::from_secs(seconds),
            location,
        });
        seconds.to_string()
    }

    /// Applies a configured external edit just before an update.
    fn apply_scheduled_edit(&mut self, operation: &Operation) {
        let Operation::OfNetwork(place, NetworkOperation::Update(_)) = operation else { return };
        self.updates += 1;
        if self.faults.concurrent_edits_at.contains(&self.updates) {
            self.external_edit(&place.network, |edit| edit.display_name = Some("Edited".to_owned()));
        }
    }

    /// Whether location locked; if not, the write locks it.
    fn locked(
        &mut self,
        request: &Request,
        in_flight: &InFlightRequest,
        now: Instant,
        tracking_id: &str,
    ) -> Option<SimulatedResponse> {
        let (location, network) = request.operation.written()?;
        let (location, network) = (location.clone(), network.cloned());
        self.locks.retain(|_, until| *until > now);
        if in_flight.fault == RequestFault::Locked {
            self.locks.entry(location.clone()).or_insert(now + self.faults.lock_duration);
        }
        let lock = self.locks.get(&location).map(|until| until.duration_since(now));
        let others = || self.writing.iter().filter(|(number, _)| **number != in_flight.number).map(|(_, place)| place);
        let is_same_network = network.is_some() && others().any(|(_, other)| *other == network);
        let is_crowded = match self.faults.exclusive_writes {
            ExclusiveWrites::No => false,
            ExclusiveWrites::Network => is_same_network,
            ExclusiveWrites::Location => others().any(|(other, _)| *other == location),
        };
        if is_same_network {
            self.log.record_violation(in_flight.number, ClientRule::SerializedWrites);
        }
        let Some(wait) = lock.or(is_crowded.then_some(Duration::from_secs(1))) else {
            self.writing.insert(in_flight.number, (location, network));
            return None;
        };
        let answer =
            SimulatedResponse::refused(&ApiErrorResponse::new(423, 423, "location locked"), tracking_id.to_owned());
        let says_when = self.faults.lock_retry_after;
        let retry_after = says_when.then(|| {
            let delivered = now + in_flight.inbound;
            self.open_retry_after_window(in_flight.number, wait, Some(location), delivered)
        });
        Some(SimulatedResponse { retry_after, ..answer })
    }

    /// The client has received the response.
    pub fn response_delivered(&mut self, number: u64) {
        for window in self.retry_after_windows.iter_mut().filter(|window| window.request == number) {
            window.is_delivered = true;
        }
    }

    /// The response was delivered or the connection closed; releases the location.
    pub fn end_request(&mut self, number: u64) {
        self.retry_after_windows.retain(|window| window.is_delivered || window.request != number);
        self.writing.remove(&number);
        self.counters.in_flight -= 1;
        for limiter in &mut self.limiters {
            limiter.release(number);
        }
    }

    /// Applies deferred writes that are due.
    pub fn apply_due_writes(&mut self, now: Instant) {
        while let Some(entry) = self.deferred.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((when, _), operation) = entry.remove_entry();
            // A deferred write that has become invalid is dropped silently.
            let _refused = self.write(&operation, when);
        }
        let lag = self.faults.read_lag;
        self.before.retain(|(when, ..)| *when + lag > now);
    }
}
