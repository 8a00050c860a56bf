//! The requests about base stations of a location: additions of one network in batches, in the order of their changes.

use super::places::{BaseStationChange, Need};
use crate::diagnostic::Diagnostics;
use crate::plan::MAX_BATCH;
use crate::plan::location_planner::{DeviceChange, DeviceChanges, LocationPlanner};
use crate::plan::model::{ChangeIndex, ResourceKind, ResourceState};

/// The changes of a location in the order of their requests.
pub(crate) struct BaseStationChanges {
    pub(crate) changes: Vec<BaseStationChange>,
    /// Listed base stations that no file names.
    pub(crate) unmanaged: usize,
}

impl DeviceChanges for BaseStationChanges {
    fn kind(&self) -> ResourceKind {
        ResourceKind::BaseStation
    }

    fn unmanaged(&self) -> usize {
        self.unmanaged
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn changes(&self) -> Vec<DeviceChange> {
        let changes = self.changes.iter().map(|change| {
            let station = Some(ResourceState::BaseStation(change.station.clone()));
            let (before, after) = if change.is_removal { (station, None) } else { (None, station) };
            let replaced_by = change.replaced_by.map(|mac| mac.to_string().into());
            DeviceChange { owner: change.owner, before, after, span: change.span, replaced_by }
        });
        changes.collect()
    }

    fn add_steps(&self, first: ChangeIndex, planner: &mut LocationPlanner<'_, '_>, _: &mut Diagnostics) {
        let index = |at: usize| ChangeIndex(first.0 + at);
        let mut at = 0;
        while let Some(head) = self.changes.get(at) {
            let same_batch =
                |change: &&BaseStationChange| !change.is_removal && change.owner == head.owner && !head.is_removal;
            let batch = self.changes[at..].iter().take_while(same_batch).count().clamp(1, MAX_BATCH);
            let mut depends_on = Vec::new();
            for place in at..at + batch {
                for need in &self.changes[place].needs {
                    depends_on.extend(match need {
                        Need::BaseStation(needed) => planner.needs(index(place), index(*needed)),
                        Need::Network(needed) => planner.needs_network(index(place), *needed),
                    });
                }
            }
            let items = (at..at + batch).map(|place| planner.whole(index(place))).collect();
            planner.push_step(items, depends_on);
            at += batch;
        }
    }
}
