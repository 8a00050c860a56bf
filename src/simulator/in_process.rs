//! Implements the client's API trait on the simulated organization, in virtual time and without sockets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;

use super::faults::RequestFault;
use super::organization::SimulatedOrganization;
use super::request::{Operation, Query, Request};
use super::tokens::TOKEN;
use crate::runtime::Clock;
use crate::webex::{ApiError, ApiRequest, DectApi, ErrorClass, MaybeApplied, ResponseReader, TokenRefresh};
use crate::webex::{ResponseHead, response};

/// Timeout of a client.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct InProcessApi {
    simulated: Rc<RefCell<SimulatedOrganization>>,
    clock: Clock,
    token: Rc<RefCell<String>>,
    /// The next token, if the credentials can be refreshed.
    next_token: Option<String>,
    refresh_count: Rc<Cell<u32>>,
}

impl InProcessApi {
    /// Creates an API for `simulated` on `clock`.
    pub fn new(simulated: Rc<RefCell<SimulatedOrganization>>, clock: Clock) -> Self {
        let token = Rc::new(RefCell::new(TOKEN.to_owned()));
        Self { simulated, clock, token, next_token: None, refresh_count: Rc::default() }
    }

    /// Like [`Self::new`], with credentials that can be refreshed once to this token.
    #[must_use]
    pub fn with_next_token(mut self, token: impl Into<String>) -> Self {
        self.next_token = Some(token.into());
        self
    }

    /// Number of token refreshes.
    pub fn refresh_count(&self) -> u32 {
        self.refresh_count.get()
    }

    /// Sends one request; returns the response, and the offset of the next page.
    async fn exchange(&self, operation: Operation) -> Result<(ResponseHead, Vec<u8>, Option<usize>), ApiError> {
        let request = Request::new(operation, Some(self.token.borrow().clone()));
        let in_flight = self.simulated.borrow_mut().begin_request(&request, self.clock.now());
        let _at_work = CallGuard { simulated: &self.simulated, number: in_flight.number };
        self.clock.sleep(in_flight.outbound).await;
        let answer = self.simulated.borrow_mut().handle(&request, &in_flight, self.clock.now());
        let lost = |words: &str, applied| ApiError::no_response(ErrorClass::Transient, words, applied);
        let Some(answer) = answer else {
            if in_flight.fault == RequestFault::NoResponse {
                self.clock.sleep(TIMEOUT).await;
                return Err(lost("request timed out", MaybeApplied::Unknown));
            }
            self.clock.sleep(in_flight.inbound).await;
            return Err(lost("the connection was reset", MaybeApplied::Unknown));
        };
        self.clock.sleep(in_flight.inbound).await;
        self.simulated.borrow_mut().response_delivered(in_flight.number);
        if answer.is_cut {
            return Err(ApiError { status: Some(answer.status), ..lost("response truncated", MaybeApplied::Unknown) });
        }
        let head = ResponseHead {
            status: answer.status,
            tracking_id: Some(answer.tracking_id),
            retry_after: answer.retry_after,
            date: None,
            link: None,
            header_names: Vec::new(),
        };
        Ok((head, answer.body, answer.next))
    }

    fn timestamp(&self) -> jiff::Timestamp {
        self.clock.to_timestamp(self.clock.now())
    }
}

#[async_trait(?Send)]
impl DectApi for InProcessApi {
    async fn send(&self, request: ApiRequest, read: ResponseReader<'_>) -> Result<(), ApiError> {
        if let Some(segment) = request.invalid_segment() {
            let message = format!("invalid id {segment:?} in a path");
            return Err(ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No));
        }
        let segments: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let mut query = Query::from_pairs(&request.query);
        let mut pages = Vec::new();
        loop {
            let body = request.body.clone().unwrap_or_default();
            let operation = Operation::of(request.method.as_str(), &segments, &query, body);
            let (head, body, next) = self.exchange(operation).await?;
            let (Some(key), true) = (request.list, next.is_some() || !pages.is_empty()) else {
                return read(&head, &body, self.timestamp());
            };
            pages.push(body);
            match next {
                Some(start) => query = Query::of(&query.with("start", &start.to_string())),
                None => return read(&head, &response::join_pages(key, &pages)?, self.timestamp()),
            }
        }
    }

    async fn refresh_token(&self) -> Result<TokenRefresh, ApiError> {
        let Some(next) = &self.next_token else { return Ok(TokenRefresh::NotRefreshable) };
        self.refresh_count.set(self.refresh_count.get() + 1);
        self.clock.sleep(std::time::Duration::from_millis(200)).await;
        self.token.replace(next.clone());
        Ok(TokenRefresh::Refreshed)
    }
}

/// An in-flight request; releases its lock when it completes or its future is dropped.
struct CallGuard<'a> {
    simulated: &'a RefCell<SimulatedOrganization>,
    number: u64,
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        self.simulated.borrow_mut().end_request(self.number);
    }
}
