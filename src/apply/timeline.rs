//! When what happened during a run, for a picture of it.

use std::time::Duration;

use crate::model::LocationId;
use crate::runtime::Instant;

/// Instants and periods of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    pub started: Option<Instant>,
    /// When each write was acknowledged.
    pub writes: Vec<Instant>,
    /// When the rate limit let nothing in.
    pub pauses: Vec<(Instant, Instant)>,
    /// When a location was locked; of each attempt to write to it.
    pub locks: Vec<(Instant, Instant)>,
    /// When each wave started; empty without waves.
    pub waves: Vec<Instant>,
    /// When nothing was left to do in each location.
    pub locations: Vec<Instant>,
    /// Locations that were found to take one write at a time.
    pub one_write_at_a_time: Vec<LocationId>,
}

impl Timeline {
    /// Adds a wave.
    pub fn add_wave(&mut self, wave: Self) {
        self.started = self.started.or(wave.started);
        self.waves.extend(wave.started);
        self.writes.extend(wave.writes);
        self.pauses.extend(wave.pauses);
        self.locks.extend(wave.locks);
        self.locations.extend(wave.locations);
        let known = |location: &LocationId| self.one_write_at_a_time.contains(location);
        let new: Vec<LocationId> = wave.one_write_at_a_time.into_iter().filter(|location| !known(location)).collect();
        self.one_write_at_a_time.extend(new);
    }

    /// The time from the start to an instant.
    pub fn since_start(&self, at: Instant) -> Duration {
        self.started.map_or(Duration::ZERO, |started| at.duration_since(started))
    }
}
