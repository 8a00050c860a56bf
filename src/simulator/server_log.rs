//! What the simulator remembers of its clients: every request, and what a careful client would not have done.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::request::{Operation, Request};
use crate::runtime::Instant;

/// So many requests, and so many broken expectations, are remembered: the newest.
const MAX_ENTRIES: usize = 10_000;

/// What a careful client does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientRule {
    /// Nothing is sent before a `Retry-After` has passed.
    RetryAfter,
    /// A location has one write at a time.
    SerializedWrites,
    /// An update carries all settings, since it replaces them.
    FullUpdate,
    /// A name or code is free before somebody gets it.
    NoDuplicate,
    ValidToken,
}

impl ClientRule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAfter => "silence",
            Self::SerializedWrites => "oneWriteAtATime",
            Self::FullUpdate => "completeUpdate",
            Self::NoDuplicate => "freeValue",
            Self::ValidToken => "knownToken",
        }
    }
}

/// A request and its answer. No body is kept: it may hold an access code.
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
        let violations =
            |(number, rule): &(u64, ClientRule)| json!({ "request": number, "expectation": rule.as_str() });
        json!({ "broken": self.violations.iter().map(violations).collect::<Vec<_>>() })
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() == MAX_ENTRIES {
        queue.pop_front();
    }
    queue.push_back(value);
}

/// Whether an update leaves a setting to the server's defaults.
pub(super) fn is_incomplete(operation: &Operation) -> bool {
    let Operation::Update { body, .. } = operation else { return false };
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    ["name", "displayName", "defaultAccessCodeEnabled", "defaultAccessCode"].iter().any(|field| value[field].is_null())
}
