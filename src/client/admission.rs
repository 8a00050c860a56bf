//! Admission control: waits for a permit from the rate limiter; the permit is returned when the response arrives.

use std::pin::pin;

use futures::future::{Either, select};
use tracing::debug;

use super::api_client::ApiClient;
use super::rate_limiter::{Admission, Permit, RequestClass, ResponseKind};
use super::request::{RequestContext, SendError};
use crate::model::LocationId;
use crate::webex::{ApiError, ErrorClass, MaybeApplied};

impl ApiClient {
    /// Waits until the rate limiter grants a permit; `None` if the location was locked meanwhile, which takes none.
    pub(super) async fn acquire_permit(
        &self,
        class: RequestClass,
        location: Option<&LocationId>,
        context: RequestContext<'_>,
        maybe_applied: MaybeApplied,
    ) -> Result<Option<InFlight<'_>>, SendError> {
        let _first_in_line = match select(pin!(self.queue.lock()), pin!(self.stopped(context.priority))).await {
            Either::Left((place, _)) => place,
            Either::Right(_) => return Err(self.cancellation_error(maybe_applied)),
        };
        loop {
            if self.is_stopped(context.priority) {
                return Err(self.cancellation_error(maybe_applied));
            }
            let now = self.clock.now();
            // Nothing is awaited between this and the sending.
            if location.is_some_and(|location| self.locks.borrow_mut().active(now, location).is_some()) {
                return Ok(None);
            }
            let acquire_permit = self.rate_limiter.borrow_mut().try_acquire(class, now);
            let until = match acquire_permit {
                Admission::Granted(permit) => return Ok(Some(InFlight { client: self, permit: Some(permit) })),
                Admission::RetryAt(until) if until.duration_since(now) > self.retry_policy.max_retry_after => {
                    let message = "Retry-After exceeds the maximum";
                    return Err(SendError::Failed(ApiError::no_response(
                        ErrorClass::RateLimited,
                        message,
                        maybe_applied,
                    )));
                }
                Admission::RetryAt(until) => {
                    debug!(wait_ms = until.duration_since(now).as_millis() as u64, "waiting for the rate limiter");
                    if let Some(paused_until) = self.paused_until() {
                        self.report_pause(paused_until);
                    }
                    Some(until)
                }
                Admission::AfterNextResponse => None,
            };
            let response = pin!(self.response_received.notified());
            let stopped = pin!(self.stopped(context.priority));
            let woken = select(response, stopped);
            match until {
                Some(until) => {
                    select(woken, self.clock.sleep_until(until)).await;
                }
                None => {
                    woken.await;
                }
            }
        }
    }
}

/// A request in flight. The permit is returned however the wait for its response ends.
pub(super) struct InFlight<'a> {
    client: &'a ApiClient,
    permit: Option<Permit>,
}

impl InFlight<'_> {
    /// Reports the response; `is_refused` if it refuses the request for all that is going on, whatever its class.
    pub(super) fn complete<T>(mut self, response: &Result<T, ApiError>, is_refused: bool) {
        let kind = match response {
            Ok(_) => ResponseKind::Accepted,
            Err(error) if is_refused => ResponseKind::Throttled(error.retry_after),
            Err(ApiError { status: Some(_), class, .. }) if *class != ErrorClass::Transient => ResponseKind::Accepted,
            Err(_) => ResponseKind::NoResult,
        };
        if kind == ResponseKind::Accepted {
            self.client.circuit_breaker.borrow_mut().record_success();
        }
        self.finish(kind);
    }

    fn finish(&mut self, response: ResponseKind) {
        if let Some(permit) = self.permit.take() {
            let now = self.client.clock.now();
            let before = self.client.paused_until();
            self.client.rate_limiter.borrow_mut().record_response(
                permit,
                response,
                now,
                &mut self.client.rng.borrow_mut(),
            );
            if let Some(until) = self.client.paused_until() {
                let mut pauses = self.client.pauses.borrow_mut();
                match pauses.last_mut().filter(|_| before.is_some()) {
                    Some(pause) => pause.1 = until,
                    None => pauses.push((now, until)),
                }
                self.client.count(|statistics| {
                    statistics.pauses += u64::from(before.is_none());
                    statistics.paused += until.duration_since(before.unwrap_or(now));
                });
            }
            self.client.response_received.notify_waiters();
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.finish(ResponseKind::NoResult);
    }
}
