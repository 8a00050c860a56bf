//! What earlier runs mean for handsets: from when on a network may be changed again, and which lists may not be complete.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crate::client::ApiClient;
use crate::model::NetworkId;
use crate::runtime::Instant;
use crate::storage::{RunDirectory, RunTarget};

/// So many of the newest runs are looked at.
pub(super) const MAX_RUNS: usize = 20;

/// Tells the client how long the handsets of each network must be left alone, as far as journals record it. Returns the
/// networks that an earlier run may have added handsets to without seeing them: a list is complete only after that time.
pub fn heed_earlier_runs(journal_dir: &Path, target: &RunTarget, client: &ApiClient) -> HashMap<NetworkId, Instant> {
    let mut late = HashMap::new();
    let Ok(runs) = RunDirectory::open(journal_dir) else { return late };
    let clock = client.clock();
    let now = clock.now();
    for history in runs.histories().take(MAX_RUNS).filter(|history| history.identity.target.may_be_same(target)) {
        for (network, change) in &history.handset_changes {
            // A change in the future means that a clock was set back: how long ago it was is not known, so it counts as
            // just made, and the wait is never longer than the interval.
            let passed = Duration::try_from(clock.to_timestamp(now).duration_since(change.at)).unwrap_or_default();
            if let Some(left) = client.handset_interval().checked_sub(passed) {
                client.hold_handsets_until(network, now + left);
            }
            if let Some(left) = client.lost_handset_time().checked_sub(passed).filter(|_| change.may_come_late) {
                late.insert(network.clone(), now + left);
            }
        }
    }
    late
}
