//! A DECT network as Webex lists it.

use std::sync::Arc;

use super::network_model::NetworkModel;
use super::settings::{Setting, Settings};
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

    /// Whether it is as a creation makes it: with its name, and with its settings and model as far as a read shows them.
    pub fn is_created_as(&self, settings: &Settings, model: Option<&str>) -> bool {
        let model = model.and_then(NetworkModel::parse);
        let mut differing = self.settings.diff(settings).iter().filter(|setting| match setting {
            // Where the request has none, Webex chooses one.
            Setting::DisplayName => settings.display_name.is_some(),
            Setting::Code => self.settings.code.is_some() && settings.code_enabled != Some(false),
            Setting::Name => self.settings.name_key() != settings.name_key(),
            Setting::CodeEnabled => self.settings.code_enabled.is_some(),
        });
        differing.next().is_none()
            && self.settings.name_key() == settings.name_key()
            && (self.known_model().is_none() || self.known_model() == model)
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
