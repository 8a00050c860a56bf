//! Which locations are locked (423), since when, and until when they ask to be left alone.
//!
//! A lock is a matter of the location, not of the request that met it: whoever writes there next waits, too.

use std::collections::HashMap;

use crate::model::LocationId;
use crate::time::Moment;
use crate::webex::{CallError, ErrorClass};

#[derive(Debug, Default)]
pub(super) struct Locks(HashMap<LocationId, Lock>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    /// When it was first met.
    pub(super) since: Moment,
    /// When it may be tried again.
    pub(super) until: Moment,
    /// How often it was met.
    pub(super) met: u32,
}

impl Locks {
    /// The lock of a location, if one was met and nothing else was heard from there since.
    pub(super) fn of(&self, location: Option<&LocationId>) -> Option<Lock> {
        location.and_then(|location| self.0.get(location)).copied()
    }

    pub(super) fn met(&mut self, location: Option<&LocationId>, lock: Lock) {
        if let Some(location) = location {
            self.0.insert(location.clone(), lock);
        }
    }

    /// Whatever a location answers but a lock, it is open. What others say on the way, a limiter or a proxy, tells nothing.
    pub(super) fn heard<T>(&mut self, location: Option<&LocationId>, answer: &Result<T, CallError>) {
        let is_open = match answer {
            Ok(_) => true,
            Err(error) => match error.class {
                ErrorClass::Gone | ErrorClass::Conflict | ErrorClass::Final => true,
                ErrorClass::Lock | ErrorClass::Rate | ErrorClass::Auth | ErrorClass::Transient => false,
            },
        };
        if let Some(location) = location.filter(|_| is_open) {
            self.0.remove(location);
        }
    }
}
