//! What earlier runs mean for handsets: from when on a network may be changed again, and which lists may not be complete.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use super::last_run::{MAX_RUNS, expect_last_run};
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{DeviceList, LocationId, NetworkId};
use crate::plan::model::{Listed, ResourceState, Standing, States};
use crate::resources::calls;
use crate::resources::standing::standings;
use crate::runtime::Instant;
use crate::storage::journal::RecordedItem;
use crate::storage::{RunDirectory, RunTarget};
use crate::webex::{ErrorClass, NetworkPath};

/// A network to which an earlier run has added handsets without seeing them in a list.
#[derive(Debug)]
pub struct LateHandsets {
    location: LocationId,
    /// Until then a list may lack them.
    pub(super) until: Instant,
    /// The acknowledged ones: a list that shows all of them is complete. `None` if one may never have been added.
    added: Option<Vec<ResourceState>>,
}

/// Tells the client what lists must show of the newest run, and how long the handsets of each network must be left alone, as far as
/// journals record it. Returns the
/// networks that an earlier run may have added handsets to without seeing them: a list is complete only after that time.
pub fn heed_earlier_runs(
    journal_dir: &Path,
    target: &RunTarget,
    client: &ApiClient,
) -> HashMap<NetworkId, LateHandsets> {
    expect_last_run(journal_dir, target, client);
    let mut late: HashMap<NetworkId, LateHandsets> = HashMap::new();
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
            let Some(left) = client.lost_handset_time().checked_sub(passed) else { continue };
            let is_of_network = |item: &&RecordedItem| item.network.as_ref() == Some(network);
            let items = history.items.iter().filter(is_of_network).filter(|item| item.is_unlisted_handset());
            let location = history.items.iter().find(is_of_network).map(|item| item.location.clone());
            let added: Vec<ResourceState> = items.filter_map(|item| item.after.clone()).collect();
            let Some(location) = location.filter(|_| change.may_come_late || !added.is_empty()) else { continue };
            let added = Some(added).filter(|_| !change.may_come_late);
            let of_network = late.entry(network.clone());
            let known = of_network.or_insert(LateHandsets { location, until: now, added: Some(Vec::new()) });
            known.until = known.until.max(now + left);
            known.added = known.added.take().zip(added).map(|(known, added)| [known, added].concat());
        }
    }
    late
}

impl LateHandsets {
    /// Whether a list shows all of them by now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) async fn are_listed(&self, network: &NetworkId, client: &ApiClient) -> Result<bool, SendError> {
        let Some(added) = &self.added else { return Ok(false) };
        let path = NetworkPath { location: &self.location, network };
        let devices = match client.read(&calls::list_handsets(path), Priority::Normal).await {
            Ok(handsets) => DeviceList::Handsets(handsets).into(),
            // With its network they are gone.
            Err(SendError::Failed(error)) if error.class == ErrorClass::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        let states: Vec<States<'_>> =
            added.iter().map(|after| States { before: None, interim: None, after: Some(after) }).collect();
        let listed = Listed { networks: None, devices: Some(&devices) };
        Ok(!standings(&states, &listed, &HashSet::new()).contains(&Standing::Before))
    }
}
