//! One request of any kind: announced in the journal, guarded, sent, and settled from its response or from a read.

use std::cell::RefCell;
use std::time::Duration;

use futures::FutureExt;

use super::admission::{Admission, Obstacle, Verdict};
use super::context::RunContext;
use super::event::Event;
use super::group_worker::GroupWorker;
use super::observe::{observe, observe_for_a_while, observe_late};
use super::operation::{GuardVerdict, OperationRequest, OperationSpec, Refusal, Response};
use super::outcome::Failure;
use super::write_result::{StepState, WriteRequest, WriteResult, is_lock};
use crate::client::{Priority, RequestContext, RetryEvent, SendError};
use crate::model::NetworkId;
use crate::plan::model::{ChangeIndex, ResourceState, Standing, StepItem, StepKind, is_spaced};
use crate::resources::operations::spec;
use crate::runtime::{ShutdownLevel, ShutdownReason};
use crate::storage::journal::{JournalEntry, JournalItem, JournalItemResult, WriteKind, WriteOutcome};
use crate::webex::{ApiError, ErrorClass, ItemResult, MaybeApplied, WriteAck};

/// A lock that is longer is not that of another write of this run.
const LONG_LOCK: Duration = Duration::from_secs(3);

/// What has become of one item of a request.
enum Settled {
    Applied {
        /// The id of what was created, if known.
        id: Option<String>,
    },
    Failed(ApiError),
    NotSent,
    /// A limit that ends the run has refused it.
    Refused(ApiError),
    Unknown(ApiError),
    /// The request was lost, and a read shows nothing of it: it is sent again.
    Repeat(ApiError),
    /// Webex has refused it in this way; another one is tried.
    Deferred,
}

impl Settled {
    /// The result; `None` if the item is sent again.
    fn result(self) -> Option<WriteResult> {
        Some(match self {
            Self::Applied { id } => WriteResult::applied(id),
            Self::Failed(error) => WriteResult::failed(error),
            Self::NotSent => WriteResult::not_started(None),
            Self::Refused(error) => WriteResult::refused(error),
            Self::Unknown(error) => WriteResult::unknown(error),
            Self::Deferred => WriteResult { is_deferred: true, ..WriteResult::not_started(None) },
            Self::Repeat(_) => return None,
        })
    }
}

impl GroupWorker<'_, '_> {
    /// Sends a request and determines what became of each of its items.
    pub(super) async fn write(&mut self, write: WriteRequest<'_>) -> Vec<(ChangeIndex, WriteResult)> {
        let run = self.run;
        // Admission, journal, request: what is announced is sent, as far as this run decides.
        if self.wait_for_turn(write.is_late, write.priority).await != Verdict::Go {
            return write.items.iter().map(|item| (item.change, WriteResult::not_started(None))).collect();
        }
        // The settings of a network are what the last write has made of them, whatever was planned; and a handset that was
        // added with its first line has an id by now.
        let as_known = |item: &StepItem| {
            let mut item = item.clone();
            match (&mut item.from, self.current(item.change), run.added_handsets.borrow().get(&item.change)) {
                (Some(ResourceState::Network { settings, .. }), Some(current), _) => settings.clone_from(current),
                (Some(ResourceState::Handset(handset)), _, Some(id)) => handset.id = Some(id.clone()),
                _ => {}
            }
            item
        };
        let items: Vec<StepItem> = write.items.iter().map(as_known).collect();
        let change = &run.plan[items[0].change];
        let network = run.network_id(change);
        let written = self.write_in_turn(WriteRequest { items: &items, ..write }, network.as_ref()).await;
        if run.admission.borrow_mut().settle(self.group) {
            run.note_exclusive(&change.location.id);
        }
        if let Some(error) = written.iter().filter_map(|(_, result)| result.error.as_ref()).find(|error| is_lock(error))
        {
            let failure = Failure { message: "the location stayed locked".to_owned(), ..error.into() };
            run.lock_failures.borrow_mut().entry(change.location.id.clone()).or_insert(failure);
            run.admission.borrow_mut().give_up(self.group, write.priority == Priority::Cleanup);
        }
        run.notify_turns();
        written
    }

    async fn write_in_turn(
        &mut self,
        write: WriteRequest<'_>,
        network: Option<&NetworkId>,
    ) -> Vec<(ChangeIndex, WriteResult)> {
        let run = self.run;
        if let Err(failure) = run.record(self.announcement(&write, network)).await {
            let failed = |item: &StepItem| (item.change, WriteResult::not_started(Some(failure.clone())));
            return write.items.iter().map(failed).collect();
        }
        if !write.is_revert {
            let kind = self.kind_of(write.items);
            (run.on_event)(&Event::Writing { subject: self.subject(write.items), kind });
        }
        let (results, is_refused) = self.send_until_settled(write, network).await;
        for (_, result) in &results {
            self.abort_if_fatal(result);
        }
        let was_sent =
            |(_, result): &(ChangeIndex, WriteResult)| result.progress != StepState::NotSent || result.is_deferred;
        if let Some(network) = network.filter(|_| !is_refused && is_spaced(write.items))
            && results.iter().any(was_sent)
        {
            run.client.record_handset_change(network);
        }
        if !write.is_revert {
            let ends = results.iter().map(|(change, result)| (*change, (result.outcome(), result.result.id.clone())));
            run.recorded.borrow_mut().extend(ends);
        }
        // If this line is lost, the next run reads the state from the list.
        let _recorded = run.record(self.record_of(&results, is_refused)).await;
        results
    }

    /// Sends a request, and again for the items of which a read shows nothing; their results, and whether it was refused before it was
    /// sent.
    async fn send_until_settled(
        &self,
        write: WriteRequest<'_>,
        network: Option<&NetworkId>,
    ) -> (Vec<(ChangeIndex, WriteResult)>, bool) {
        let (run, first) = (self.run, write.items[0].change);
        let spec = spec(write.items[0].operation());
        let mut open = write.items.to_vec();
        // Why each of them is sent again.
        let mut first_attempts: Vec<ApiError> = Vec::new();
        let mut results = Vec::new();
        for sent in 1.. {
            let request = OperationRequest {
                location: &run.plan[first].location.id,
                network,
                items: &open,
                change: &run.plan[first],
                was_written: self.current_settings.contains_key(&first),
                reread: run.options.reread,
            };
            let (settled, refusal) = self.send(spec, request, write, sent > 1).await;
            if let Some(refusal) = refusal {
                if let Refusal::StopRun(_) = refusal {
                    run.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::UnexpectedChange));
                }
                results.extend(open.iter().map(|item| (item.change, WriteResult::of(refusal.clone()))));
                return (results, true);
            }
            let (mut repeated, mut lost) = (Vec::new(), Vec::new());
            for (at, (item, settled)) in open.into_iter().zip(settled).enumerate() {
                let settled = after_first_attempt(settled, first_attempts.get(at));
                match settled {
                    Settled::Repeat(error) => {
                        repeated.push(item);
                        lost.push(error);
                    }
                    settled => results.extend(settled.result().map(|result| (item.change, result))),
                }
            }
            (open, first_attempts) = (repeated, lost);
            let Some(error) = first_attempts.first() else { break };
            let wait = run.client.wait_before_repeat(sent, error);
            if let Some(wait) = wait {
                run.client.wait_as(write.priority, wait).await;
            }
            if wait.is_none() || run.client.is_stopped(write.priority) {
                let unknown = |(item, error): (StepItem, ApiError)| (item.change, WriteResult::unknown(error));
                results.extend(open.into_iter().zip(first_attempts).map(unknown));
                break;
            }
        }
        (results, false)
    }

    /// Sends a request once, and settles it; or says why it must not be sent.
    async fn send(
        &self,
        spec: &'static dyn OperationSpec,
        request: OperationRequest<'_>,
        write: WriteRequest<'_>,
        is_repeated: bool,
    ) -> (Vec<Settled>, Option<Refusal>) {
        let run = self.run;
        let (first, settings) = (request.items[0].change, request.items[0].settings());
        let on_event = |event: RetryEvent| {
            if let (RetryEvent::Retrying { maybe_applied: MaybeApplied::Unknown, .. }, Some(settings)) =
                (event, settings)
            {
                run.note_unanswered(first, settings);
            }
            self.on_call_event(first, event);
        };
        let refusal: RefCell<Option<Refusal>> = RefCell::new(None);
        let is_cleanup = write.priority == Priority::Cleanup;
        let after_lock = || async move { self.wait_for_turn_again(is_cleanup).await != Verdict::GivenUp }.boxed_local();
        let quiet =
            RequestContext { priority: write.priority, on_event: &on_event, before_send: None, after_lock: None };
        let guard = || {
            let refusal = &refusal;
            async move {
                let verdict = spec.guard(request, run.client, quiet).await;
                refusal.replace(self.record_verdict(request, verdict).await);
                refusal.borrow().is_none()
            }
            .boxed_local()
        };
        let context = RequestContext { before_send: Some(&guard), after_lock: Some(&after_lock), ..quiet };
        let send = || async {
            let call = spec.call(&request)?;
            run.client.send(&call, context).await
        };
        let mut answer = send().await;
        if is_conflict(&answer) && !is_repeated && run.admission.borrow().overlaps(self.group) {
            answer = match self.wait_until_alone(request, is_cleanup).await {
                Verdict::Go => send().await,
                // It was not applied, and is not sent again.
                Verdict::Wait | Verdict::GivenUp => Err(SendError::Cancelled),
            };
            if is_conflict(&answer) {
                run.admission.borrow_mut().acquit(self.group);
            }
        }
        // The response may have raised the number of workers that the rate limiter has a use for.
        run.slots_changed.notify_waiters();
        if let (Err(SendError::Failed(ApiError { applied: MaybeApplied::Unknown, .. })), Some(settings)) =
            (&answer, settings)
        {
            run.note_unanswered(first, settings);
        }
        let settled = if refusal.borrow().is_some() {
            Vec::new()
        } else {
            settle(run, spec, request, answer, is_repeated, write.priority).await
        };
        (settled, refusal.into_inner())
    }

    /// Records what the next run must know of a request that is sent now; what is not recorded is not sent.
    async fn record_verdict(&self, request: OperationRequest<'_>, verdict: GuardVerdict) -> Option<Refusal> {
        let entry = match verdict {
            GuardVerdict::Go => return None,
            GuardVerdict::Refuse(refusal) => return Some(refusal),
            GuardVerdict::GoChangingHandsets => JournalEntry::HandsetsChanging { network: request.network?.clone() },
            GuardVerdict::GoWithContents(contents) => {
                let item = JournalItem::of(request.change, &request.items[0], WriteKind::Final);
                JournalEntry::WriteStarted {
                    location: request.change.location.clone(),
                    network: request.network.cloned(),
                    items: vec![JournalItem { contents, ..item }],
                }
            }
        };
        self.run.record(entry).await.err().map(|_| Refusal::Cancelled)
    }

    async fn wait_for_turn_again(&self, is_cleanup: bool) -> Verdict {
        let priority = if is_cleanup { Priority::Cleanup } else { Priority::Normal };
        let begin = |admission: &mut Admission| admission.begin_again(self.group, is_cleanup);
        self.run.wait_for_turn(priority, begin).await
    }

    /// What was in the way of a request may be another write of this run.
    async fn wait_until_alone(&self, request: OperationRequest<'_>, is_cleanup: bool) -> Verdict {
        let now = self.run.client.clock().now();
        self.run.note_refused(self.group, Obstacle::Conflict, request.location, now);
        self.wait_for_turn_again(is_cleanup).await
    }

    fn subject(&self, items: &[StepItem]) -> String {
        let first = &self.run.plan[items[0].change];
        match items.len() {
            1 => first.subject(),
            many => format!("{}: {many} {}s", first.network_name, first.kind().noun()),
        }
    }

    fn kind_of(&self, items: &[StepItem]) -> StepKind {
        let is_final = items.iter().all(|item| self.run.plan.is_final(item));
        if is_final { StepKind::Final } else { StepKind::Interim }
    }

    fn announcement(&self, write: &WriteRequest<'_>, network: Option<&NetworkId>) -> JournalEntry {
        let plan = self.run.plan;
        let item = |item: &StepItem| {
            let kind = match plan.is_final(item) {
                _ if write.is_revert => WriteKind::Revert,
                true => WriteKind::Final,
                false => WriteKind::Interim,
            };
            JournalItem::of(&plan[item.change], item, kind)
        };
        JournalEntry::WriteStarted {
            location: plan[write.items[0].change].location.clone(),
            network: network.cloned(),
            items: write.items.iter().map(item).collect(),
        }
    }

    fn record_of(&self, results: &[(ChangeIndex, WriteResult)], is_refused: bool) -> JournalEntry {
        let result = |(change, result): &(ChangeIndex, WriteResult)| JournalItemResult {
            key: self.run.plan[*change].key(),
            end: if is_refused { WriteOutcome::NotSent } else { result.outcome() },
            id: result.result.id.clone(),
        };
        JournalEntry::WriteFinished { results: results.iter().map(result).collect() }
    }

    /// Aborts the run on errors that affect all locations: auth failures and an excessive Retry-After.
    fn abort_if_fatal(&self, written: &WriteResult) {
        match written.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::Unauthorized) => self.run.abort(ShutdownReason::Unauthorized),
            Some(ErrorClass::RateLimited) => self.run.abort(ShutdownReason::RetryAfterTooLong),
            Some(_) if self.run.options.fail_fast => {
                self.run.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::FailFast));
            }
            Some(_) | None => {}
        }
    }

    fn on_call_event(&self, change: ChangeIndex, event: RetryEvent) {
        let run = self.run;
        let change = &run.plan[change];
        match event {
            RetryEvent::Locked { until, is_refusal } => {
                run.waiting.set(run.waiting.get() + 1);
                let is_long = until.duration_since(run.client.clock().now()) > LONG_LOCK;
                let obstacle = if is_refusal { Obstacle::Lock { is_long } } else { Obstacle::LockOfAnother };
                run.note_refused(self.group, obstacle, &change.location.id, until);
            }
            RetryEvent::Unlocked => run.waiting.set(run.waiting.get().saturating_sub(1)),
            RetryEvent::Retrying { attempts, until, .. } => {
                (run.on_event)(&Event::Retrying { subject: change.subject(), attempts, until });
            }
        }
    }
}

/// Whatever became of the second attempt, the first one may still be applied.
fn after_first_attempt(settled: Settled, first: Option<&ApiError>) -> Settled {
    match (settled, first) {
        (Settled::NotSent | Settled::Refused(_), Some(first)) => Settled::Unknown(first.clone()),
        (Settled::Failed(error), Some(_)) => Settled::Unknown(ApiError { applied: MaybeApplied::Unknown, ..error }),
        (settled, _) => settled,
    }
}

/// What is in the way of a request may be another write of this run. A response that says so was not applied.
fn is_conflict(answer: &Result<Response, SendError>) -> bool {
    matches!(answer, Err(SendError::Failed(ApiError { status: Some(409), applied: MaybeApplied::No, .. })))
}

/// What a response says of all items of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Applied {
        /// The id of what was created, if known.
        id: Option<String>,
    },
    /// It has a result for each item.
    ByItem(Vec<ItemResult>),
    NotSent,
    /// It was refused in this way; another one is tried.
    Deferred,
    Failed(ApiError),
    /// Reads tell whether it was applied, within some seconds. What is not there by then has this error.
    ReadTells(ApiError),
    /// It may still be applied, so that a read can only show that it was.
    Lost(ApiError),
}

/// What kind of request was answered.
#[derive(Clone, Copy, Debug)]
struct Asked {
    is_repeated: bool,
    /// Whether one item may be why all of it was refused, and there is another way.
    has_another_way: bool,
    /// Whether the error says that it is done already.
    is_already_done: bool,
}

/// Decides from the response alone, and from what was asked. A read is needed where the response leaves it open.
fn told(answer: Result<Response, SendError>, asked: Asked) -> Told {
    match answer {
        Ok(Response::Acknowledged(WriteAck::Applied)) => Told::Applied { id: None },
        Ok(Response::Created(Some(id))) => Told::Applied { id: Some(id.to_string()) },
        Ok(Response::Acknowledged(WriteAck::Accepted)) => {
            Told::ReadTells(not_observed(202, "accepted (202), but not applied within the polling time"))
        }
        Ok(Response::Created(None)) => Told::ReadTells(not_observed(201, "created, but not found in the list")),
        Ok(Response::Items(results)) => Told::ByItem(results),
        Err(SendError::Cancelled) => Told::NotSent,
        Err(SendError::Failed(error)) if error.applied != MaybeApplied::No => Told::Lost(error),
        Err(SendError::Failed(_)) if asked.has_another_way && !asked.is_repeated => Told::Deferred,
        Err(SendError::Failed(error)) => {
            // The first attempt may have been applied, which is why the second one is refused.
            let is_why = asked.is_repeated && matches!(error.class, ErrorClass::Conflict | ErrorClass::Permanent);
            if asked.is_already_done || is_why { Told::ReadTells(error) } else { Told::Failed(error) }
        }
    }
}

/// Determines what became of each item from the response, or else from a read.
async fn settle(
    run: &RunContext<'_>,
    spec: &'static dyn OperationSpec,
    request: OperationRequest<'_>,
    answer: Result<Response, SendError>,
    is_repeated: bool,
    priority: Priority,
) -> Vec<Settled> {
    let error = match &answer {
        Err(SendError::Failed(error)) => Some(error),
        Ok(_) | Err(SendError::Cancelled) => None,
    };
    let mut items = request.items.iter().filter_map(StepItem::state);
    let asked = Asked {
        is_repeated,
        has_another_way: error.is_some_and(|error| items.any(|item| spec.is_deferred(item, error.code))),
        // Such an error is believed only if a read shows the same.
        is_already_done: error.is_some_and(|error| spec.is_already_done(error)),
    };
    let all = |settle: &dyn Fn() -> Settled| request.items.iter().map(|_| settle()).collect();
    match told(answer, asked) {
        Told::Applied { id } => all(&|| Settled::Applied { id: id.clone() }),
        Told::ByItem(results) => settle_items(run, spec, request, &results, is_repeated).await,
        Told::NotSent => all(&|| Settled::NotSent),
        Told::Deferred => all(&|| Settled::Deferred),
        Told::Failed(error) if error.class == ErrorClass::RateLimited => all(&|| Settled::Refused(error.clone())),
        Told::Failed(error) => all(&|| Settled::Failed(error.clone())),
        Told::ReadTells(error) => failed_unless_applied(poll(run, request, vec![error; request.items.len()]).await),
        Told::Lost(error) => {
            let observed = match spec.observation_time(run.client) {
                Some(time) => observe_late(run, request, time).await,
                None => observe(run, request).await,
            };
            let repeats = spec.is_repeated_if_unseen() && !run.client.is_stopped(priority);
            let settled = |standing: Standing| match standing.is_applied() {
                true => Settled::Applied { id: standing.id() },
                false if repeats => Settled::Repeat(error.clone()),
                false => Settled::Unknown(error.clone()),
            };
            match observed {
                Ok(standings) => standings.into_iter().map(settled).collect(),
                Err(_) => all(&|| Settled::Unknown(error.clone())),
            }
        }
    }
}

/// Settles a request with a result for each item. What the response does not mention is read.
async fn settle_items(
    run: &RunContext<'_>,
    spec: &'static dyn OperationSpec,
    request: OperationRequest<'_>,
    results: &[ItemResult],
    is_repeated: bool,
) -> Vec<Settled> {
    let (mut open, mut errors) = (Vec::new(), Vec::new());
    let mut settled: Vec<Option<Settled>> = Vec::new();
    for item in request.items {
        let Some(state) = item.state() else { continue };
        let error = match results.iter().find(|result| spec.is_result_of(state, result)) {
            Some(result) if spec.is_deferred(state, result.code) => {
                settled.push(Some(Settled::Deferred));
                continue;
            }
            Some(result) if result.is_success() => {
                settled.push(Some(Settled::Applied { id: result.id.clone() }));
                continue;
            }
            Some(result) => {
                let message = if result.message.is_empty() { "refused by Webex" } else { result.message.as_str() };
                let hint = spec.hint(result.status).map(|hint| format!("; {hint}")).unwrap_or_default();
                let about = spec.refused_item(state).map(|about| format!(" ({about})")).unwrap_or_default();
                let message = format!("{message}{about}{hint}");
                ApiError {
                    status: Some(result.status),
                    ..ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No)
                }
            }
            None => not_observed(200, "the response has no result for it, and it is not listed"),
        };
        // The first attempt may have been applied, which is why the second one is refused.
        if error.applied == MaybeApplied::Unknown || is_repeated {
            settled.push(None);
            open.push(item.clone());
            errors.push(error);
        } else {
            settled.push(Some(Settled::Failed(error)));
        }
    }
    if open.is_empty() {
        return settled.into_iter().flatten().collect();
    }
    let observed = poll(run, OperationRequest { items: &open, ..request }, errors).await;
    let mut observed = failed_unless_applied(observed).into_iter();
    settled.into_iter().filter_map(|settled| settled.or_else(|| observed.next())).collect()
}

/// Reads until everything is applied, or for some seconds; what is not by then has this error.
async fn poll(run: &RunContext<'_>, request: OperationRequest<'_>, errors: Vec<ApiError>) -> Vec<Settled> {
    match observe_for_a_while(run, request, Priority::Cleanup).await {
        Ok(standings) => {
            let settled = standings.into_iter().zip(errors).map(|(standing, error)| match standing.is_applied() {
                true => Settled::Applied { id: standing.id() },
                false => Settled::Unknown(error),
            });
            settled.collect()
        }
        Err(SendError::Failed(error)) => request.items.iter().map(|_| Settled::Unknown(error.clone())).collect(),
        Err(SendError::Cancelled) => errors.into_iter().map(Settled::Unknown).collect(),
    }
}

/// What was refused and is not there has failed for good.
fn failed_unless_applied(settled: Vec<Settled>) -> Vec<Settled> {
    let failed = settled.into_iter().map(|settled| match settled {
        Settled::Unknown(error) if error.applied == MaybeApplied::No => Settled::Failed(error),
        other => other,
    });
    failed.collect()
}

fn not_observed(status: u16, message: &str) -> ApiError {
    ApiError { status: Some(status), ..ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::Unknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: Option<u16>, class: ErrorClass, applied: MaybeApplied) -> Result<Response, SendError> {
        let error = ApiError { status, ..ApiError::no_response(class, "words".to_owned(), applied) };
        Err(SendError::Failed(error))
    }

    #[test]
    fn a_response_tells_or_a_read_does() {
        use MaybeApplied::{No, Unknown};
        let created = |id: Option<&str>| Ok(Response::Created(id.map(NetworkId::new)));
        let acknowledged = |ack: WriteAck| Ok(Response::Acknowledged(ack));
        let permanent = || failed(Some(400), ErrorClass::Permanent, No);
        let conflict = || failed(Some(409), ErrorClass::Conflict, No);
        type Case<'a> = (Result<Response, SendError>, &'a str, &'a str);
        #[rustfmt::skip]
        let cases: Vec<Case<'_>> = vec![
            // response, what was asked (r: repeated, w: there is another way, d: it says that it is done), what it tells
            (acknowledged(WriteAck::Applied), "", "applied"),
            (created(Some("n")), "", "applied n"),
            (created(None), "", "read"),
            (acknowledged(WriteAck::Accepted), "", "read"),
            (Ok(Response::Items(Vec::new())), "", "by item"),
            (Err(SendError::Cancelled), "", "not sent"),
            (failed(Some(503), ErrorClass::Transient, Unknown), "", "lost"),
            (failed(None, ErrorClass::Transient, Unknown), "rwd", "lost"),
            (permanent(), "", "failed"),
            (permanent(), "w", "deferred"),
            (permanent(), "d", "read"),
            // The first attempt may be the reason.
            (permanent(), "r", "read"),
            (conflict(), "r", "read"),
            (permanent(), "rw", "read"),
            (failed(Some(401), ErrorClass::Unauthorized, No), "r", "failed"),
        ];
        for (answer, about, expected) in cases {
            let is = |letter: char| about.contains(letter);
            let asked = Asked { is_repeated: is('r'), has_another_way: is('w'), is_already_done: is('d') };
            let words = format!("{answer:?} {about}");
            let found = match told(answer, asked) {
                Told::Applied { id: None } => "applied".to_owned(),
                Told::Applied { id: Some(id) } => format!("applied {id}"),
                Told::ByItem(_) => "by item".to_owned(),
                Told::NotSent => "not sent".to_owned(),
                Told::Deferred => "deferred".to_owned(),
                Told::Failed(_) => "failed".to_owned(),
                Told::ReadTells(_) => "read".to_owned(),
                Told::Lost(_) => "lost".to_owned(),
            };
            assert_eq!(found, expected, "{words}");
        }
    }
}
