//! Which locations are locked (423), and until when.
//!
//! A lock belongs to the location, not to the request that met it: all writes to the location wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::LocationId;
use crate::runtime::Instant;
use crate::webex::ApiError;

#[derive(Debug, Default)]
pub(super) struct LocationLocks(HashMap<LocationId, Lock>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    /// When the location may be retried.
    pub(super) until: Instant,
    /// The 423 response.
    pub(super) response: ApiError,
}

impl LocationLocks {
    /// The lock of a location that is still active at `now`.
    pub(super) fn active(&mut self, now: Instant, location: &LocationId) -> Option<Lock> {
        let lock = self.0.get(location)?;
        if lock.until > now {
            return Some(lock.clone());
        }
        self.0.remove(location);
        None
    }

    /// A lock only grows: a shorter one does not say that a longer one is over.
    pub(super) fn record(&mut self, location: &LocationId, lock: Lock) {
        match self.0.entry(location.clone()) {
            Entry::Vacant(place) => {
                place.insert(lock);
            }
            Entry::Occupied(mut known) if known.get().until < lock.until => {
                known.insert(lock);
            }
            Entry::Occupied(_) => {}
        }
    }
}
