//! Request log and client-rule violations, for test assertions.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::request::{NetworkOperation, Operation, Request};
use crate::runtime::Instant;

/// Maximum number of logged requests and violations; older ones are dropped.
const MAX_ENTRIES: usize = 10_000;

/// A rule that a careful client follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientRule {
    /// No request is sent within a `Retry-After`.
    RetryAfter,
    /// A network has at most one write in flight.
    SerializedWrites,
    /// An update carries all settings, since it replaces them.
    FullUpdate,
    /// A name or code is only assigned while it is free.
    NoDuplicate,
    ValidToken,
    /// Devices are removed one by one, never all at once.
    NoCollectionDeletion,
    /// Handsets and lines of a network change at least 90 seconds apart, as Cisco asks.
    HandsetInterval,
}

impl ClientRule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAfter => "retryAfter",
            Self::SerializedWrites => "serializedWrites",
            Self::FullUpdate => "fullUpdate",
            Self::NoDuplicate => "noDuplicate",
            Self::ValidToken => "validToken",
            Self::NoCollectionDeletion => "collectionDeletion",
            Self::HandsetInterval => "handsetInterval",
        }
    }
}

/// A logged request. Bodies are not logged, since they may contain access codes.
#[derive(Clone, Debug)]
struct LoggedRequest {
    number: u64,
    at: Instant,
    method: Cow<'static, str>,
    target: String,
    status: Option<u16>,
    tracking_id: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ServerLog {
    requests: VecDeque<LoggedRequest>,
    violations: VecDeque<(u64, ClientRule)>,
}

impl ServerLog {
    pub(super) fn record(
        &mut self,
        number: u64,
        request: &Request,
        status: Option<u16>,
        tracking_id: String,
        at: Instant,
    ) {
        let (method, target) = (request.method.clone(), request.target.clone());
        push(&mut self.requests, LoggedRequest { number, at, method, target, status, tracking_id });
    }

    pub(super) fn record_violation(&mut self, number: u64, rule: ClientRule) {
        push(&mut self.violations, (number, rule));
    }

    pub(super) fn requests(&self) -> Value {
        let request = |request: &LoggedRequest| {
            json!({
                "number": request.number,
                "atMs": request.at.elapsed().as_millis() as u64,
                "method": request.method,
                "path": request.target,
                "status": request.status,
                "trackingId": request.tracking_id,
            })
        };
        json!({ "requests": self.requests.iter().map(request).collect::<Vec<_>>() })
    }

    pub(super) fn violations(&self) -> Value {
        let violations = |(number, rule): &(u64, ClientRule)| json!({ "request": number, "rule": rule.as_str() });
        json!({ "violations": self.violations.iter().map(violations).collect::<Vec<_>>() })
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() == MAX_ENTRIES {
        queue.pop_front();
    }
    queue.push_back(value);
}

/// Whether an update lacks a setting, which the server would set to a default.
pub(super) fn is_incomplete(operation: &Operation) -> bool {
    let Operation::OfNetwork(_, NetworkOperation::Update(body)) = operation else { return false };
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    ["name", "displayName", "defaultAccessCodeEnabled", "defaultAccessCode"].iter().any(|field| value[field].is_null())
}
