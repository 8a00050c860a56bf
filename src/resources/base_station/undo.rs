//! Undoes changes of base stations: added ones are removed, and removed ones added again.

use std::collections::HashSet;

use super::entry::BaseStationEntry;
use super::mac::Mac;
use super::state::BaseStation;
use crate::desired::model::Spanned;
use crate::diagnostic::Span;
use crate::model::NetworkId;
use crate::plan::model::ChangeAction::Delete;
use crate::plan::model::{Operation, ResourceKind as Kind, ResourceState};
use crate::reconcile::undo_builder::UndoBuilder;
use crate::storage::journal::RecordedItem;

impl<'a> UndoBuilder<'a> {
    /// The base stations of the entry about the devices of a network.
    pub(crate) fn base_stations(
        &mut self,
        item: &'a RecordedItem,
        id: &NetworkId,
        span: Span,
    ) -> &mut Vec<BaseStationEntry> {
        self.devices(item, id, span).devices.base_stations.get_or_insert_default()
    }

    /// The address of a base station; leaves one alone that no request can name.
    pub(crate) fn mac(&mut self, label: &str) -> Option<Mac> {
        match Mac::new(label) {
            Ok(mac) => Some(mac),
            Err(error) => {
                self.leave_alone(format!("base station {label}"), format!("its address {error}"));
                None
            }
        }
    }

    /// A base station that the run has added is removed if its id is the recorded one.
    pub(crate) fn remove_added(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::BaseStation(station)), Some(network)) = (&item.after, &item.network) else { return };
        let label = station.label();
        // The run has put it back where it had removed it, so it was there before the run.
        if self.recorded.contains(&(Operation::new(Kind::BaseStation, Delete), network, label.clone())) {
            return;
        }
        let Some(at) = self.live.find(network) else { return };
        let listed = self.live.base_stations(at).unwrap_or_default();
        let Some(listed) = listed.iter().find(|other| other.label() == label) else { return };
        let name = || format!("base station {label} of {:?}", self.live.network(at).settings.name);
        match (&item.id, &listed.id) {
            (Some(recorded), Some(id)) if recorded == id.as_str() => {
                let Some(mac) = self.mac(&label) else { return };
                let span = self.line(&item.location, "remove base station ", &label);
                let entry = BaseStationEntry { is_absent: true, ..base_station(mac, span) };
                self.base_stations(item, network, span).push(entry);
            }
            (Some(_), _) => self.leave_alone(name(), "it was removed and added again since the run"),
            (None, _) => self.leave_alone(name(), "its id was not recorded, so it may not be the run's"),
        }
    }

    /// A base station that the run has removed is added again.
    pub(crate) fn add_removed(&mut self, item: &'a RecordedItem) {
        if let Some(ResourceState::BaseStation(station)) = &item.before {
            self.add_base_station(item, station);
        }
    }

    /// Adds a base station to the network of an item.
    pub(crate) fn add_base_station(&mut self, item: &'a RecordedItem, station: &BaseStation) {
        let (Some(network), label) = (&item.network, station.label()) else { return };
        let Some(at) = self.live.find(network) else {
            self.displaced.stations.extend(station.mac());
            return self.leave_alone(format!("base station {label}"), "its network no longer exists");
        };
        let listed = self.live.base_stations(at).unwrap_or_default();
        // The removal was not applied, or was taken back.
        if listed.iter().any(|other| other.label() == label) {
            return;
        }
        let Some(mac) = self.mac(&label) else { return };
        let span = self.line(&item.location, "add base station ", &label);
        let replaces = item.replaced_by.as_deref().and_then(|label| Mac::new(label).ok());
        let replaces = replaces.map(|value| Spanned { value, span });
        self.base_stations(item, network, span).push(BaseStationEntry { replaces, ..base_station(mac, span) });
    }
}

pub(crate) const fn base_station(mac: Mac, span: Span) -> BaseStationEntry {
    BaseStationEntry { span, mac: Spanned { value: mac, span }, replaces: None, is_absent: false }
}

/// A base station that is added again replaces the one that had replaced it, if that one is removed for good. If it goes
/// back to another network, it is moved, which `added` knows.
pub(crate) fn join_replacements(stations: &mut Vec<BaseStationEntry>, added: &HashSet<Mac>) {
    let removed: HashSet<Mac> =
        stations.iter().filter(|station| station.is_absent).map(|station| station.mac.value).collect();
    let is_replaced = |mac: &Spanned<Mac>| removed.contains(&mac.value) && !added.contains(&mac.value);
    for station in stations.iter_mut() {
        station.replaces = station.replaces.take().filter(is_replaced);
    }
    let replaced: HashSet<Mac> = stations.iter().filter_map(|station| Some(station.replaces.as_ref()?.value)).collect();
    stations.retain(|station| !(station.is_absent && replaced.contains(&station.mac.value)));
}
