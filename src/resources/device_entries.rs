//! What an entry of a network says of what belongs to it, of each kind.

use super::base_station::entry::BaseStationEntry;
use super::handset::entry::HandsetEntry;
use super::kind::ResourceKind;
use super::serviceability_password::state::PasswordStatus;
use crate::desired::spanned::Spanned;

/// What an entry says of what belongs to its network; `None` of a kind that it does not speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceEntries {
    /// The base stations that are there or are removed.
    pub base_stations: Option<Vec<BaseStationEntry>>,
    /// The handsets that are there or are removed.
    pub handsets: Option<Vec<HandsetEntry>>,
    /// Whether its serviceability password is enabled.
    pub serviceability_password: Option<Spanned<PasswordStatus>>,
}

impl DeviceEntries {
    /// Whether they speak of any kind.
    pub fn speak(&self) -> bool {
        ResourceKind::OF_NETWORK.into_iter().any(|kind| self.speak_of(kind))
    }

    pub const fn speak_of(&self, kind: ResourceKind) -> bool {
        match kind {
            ResourceKind::Network => false,
            ResourceKind::BaseStation => self.base_stations.is_some(),
            ResourceKind::Handset => self.handsets.is_some(),
            ResourceKind::ServiceabilityPassword => self.serviceability_password.is_some(),
        }
    }
}
