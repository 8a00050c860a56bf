//! A DECT network as Webex lists it.

use std::sync::Arc;

use super::network_model::NetworkModel;
use super::settings::Settings;
use crate::model::{LocationId, NetworkId};
use crate::resources::kind::ResourceKind;

/// A live DECT network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub id: NetworkId,
    pub location: LocationId,
    pub settings: Settings,
    /// The model of its base stations, in the spelling of Webex.
    pub model: Option<Arc<str>>,
    pub base_stations: Option<u64>,
    pub handsets: Option<u64>,
    pub lines: Option<u64>,
}

impl Network {
    /// A network of which only the settings are known.
    pub const fn new(id: NetworkId, location: LocationId, settings: Settings, model: Option<Arc<str>>) -> Self {
        Self { id, location, settings, model, base_stations: None, handsets: None, lines: None }
    }

    /// Its model, if it is a known one.
    pub fn known_model(&self) -> Option<NetworkModel> {
        self.model.as_deref().and_then(NetworkModel::parse)
    }

    /// How many things of a kind it has, if the list says so.
    pub const fn number_of(&self, kind: ResourceKind) -> Option<u64> {
        match kind {
            ResourceKind::BaseStation => self.base_stations,
            ResourceKind::Handset => self.handsets,
            ResourceKind::Network | ResourceKind::ServiceabilityPassword => None,
        }
    }
}
