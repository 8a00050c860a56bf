//! What belongs to a network, of each kind, as far as it was read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::base_station::state::BaseStation;
use super::handset::state::Handset;
use super::kind::ResourceKind;
use super::serviceability_password::state::PasswordStatus;

/// Everything that belongs to a network and goes with it, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// Its base stations; none if they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_stations: Option<Vec<BaseStation>>,
    /// Its handsets; none if they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handsets: Option<Vec<Handset>>,
    /// Its serviceability password; none if it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serviceability_password: Option<PasswordStatus>,
}

/// What one read has shown of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceList {
    BaseStations(Vec<BaseStation>),
    Handsets(Vec<Handset>),
    ServiceabilityPassword(PasswordStatus),
}

impl Devices {
    /// Of which nothing was read.
    pub const UNREAD: Self = Self { base_stations: None, handsets: None, serviceability_password: None };

    /// Those of a network that is gone: none.
    pub fn gone() -> &'static Self {
        static GONE: Devices =
            Devices { base_stations: Some(Vec::new()), handsets: Some(Vec::new()), serviceability_password: None };
        &GONE
    }

    /// Records what was read.
    pub fn set(&mut self, list: DeviceList) {
        match list {
            DeviceList::BaseStations(stations) => self.base_stations = Some(stations),
            DeviceList::Handsets(handsets) => self.handsets = Some(handsets),
            DeviceList::ServiceabilityPassword(status) => self.serviceability_password = Some(status),
        }
    }

    /// Everything that was read.
    pub fn into_lists(self) -> impl Iterator<Item = DeviceList> {
        let Self { base_stations, handsets, serviceability_password } = self;
        let lists = [
            base_stations.map(DeviceList::BaseStations),
            handsets.map(DeviceList::Handsets),
            serviceability_password.map(DeviceList::ServiceabilityPassword),
        ];
        lists.into_iter().flatten()
    }

    /// What a network has one of, which is a field of its entry: the name, and the value as far as it was read.
    pub fn entry_fields(&self) -> [(&'static str, Option<&'static str>); 1] {
        [("serviceabilityPassword", self.serviceability_password.map(PasswordStatus::as_str))]
    }

    /// How many there are of a kind; `None` if they were not read.
    pub fn count(&self, kind: ResourceKind) -> Option<usize> {
        match kind {
            ResourceKind::Network => None,
            ResourceKind::BaseStation => self.base_stations.as_ref().map(Vec::len),
            ResourceKind::Handset => self.handsets.as_ref().map(Vec::len),
            ResourceKind::ServiceabilityPassword => self.serviceability_password.map(|_| 1),
        }
    }
}

impl From<DeviceList> for Devices {
    fn from(list: DeviceList) -> Self {
        let mut devices = Self::UNREAD;
        devices.set(list);
        devices
    }
}
