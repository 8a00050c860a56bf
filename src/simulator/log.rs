//! What the simulator remembers of its clients: every request, and what a careful client would not have done.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::request::{Operation, Request};
use crate::runtime::Instant;

/// So many requests, and so many broken expectations, are remembered: the newest.
const KEPT: usize = 10_000;

/// What a careful client does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// Nothing is sent before a `Retry-After` has passed.
    Silence,
    /// A location has one write at a time.
    OneWriteAtATime,
    /// An update carries all settings, since it replaces them.
    CompleteUpdate,
    /// A name or code is free before somebody gets it.
    FreeValue,
    /// A token is known.
    KnownToken,
}

impl Expectation {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::OneWriteAtATime => "oneWriteAtATime",
            Self::CompleteUpdate => "completeUpdate",
            Self::FreeValue => "freeValue",
            Self::KnownToken => "knownToken",
        }
    }
}

/// A request and its answer. No body is kept: it may hold an access code.
#[derive(Clone, Debug)]
struct Noted {
    number: u64,
    at: Instant,
    method: Cow<'static, str>,
    target: String,
    status: Option<u16>,
    tracking_id: String,
}

/// The memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    requests: VecDeque<Noted>,
    broken: VecDeque<(u64, Expectation)>,
}

impl Log {
    pub(super) fn note(
        &mut self,
        number: u64,
        request: &Request,
        status: Option<u16>,
        tracking_id: String,
        at: Instant,
    ) {
        let (method, target) = (request.method.clone(), request.target.clone());
        push(&mut self.requests, Noted { number, at, method, target, status, tracking_id });
    }

    pub(super) fn breaks(&mut self, number: u64, expectation: Expectation) {
        push(&mut self.broken, (number, expectation));
    }

    pub(super) fn requests(&self) -> Value {
        let request = |noted: &Noted| {
            json!({
                "number": noted.number,
                "atMs": noted.at.elapsed().as_millis() as u64,
                "method": noted.method,
                "path": noted.target,
                "status": noted.status,
                "trackingId": noted.tracking_id,
            })
        };
        json!({ "requests": self.requests.iter().map(request).collect::<Vec<_>>() })
    }

    pub(super) fn broken(&self) -> Value {
        let broken = |(number, expectation): &(u64, Expectation)| json!({ "request": number, "expectation": expectation.as_str() });
        json!({ "broken": self.broken.iter().map(broken).collect::<Vec<_>>() })
    }
}

fn push<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() == KEPT {
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
