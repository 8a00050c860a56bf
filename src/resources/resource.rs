//! The state of one thing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{
    BaseStation, BaseStationId, Devices, Handset, HandsetId, Network, PasswordStatus, ResourceKind, Settings,
};

/// The state of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceState {
    Network {
        settings: Settings,
        /// In the spelling of Webex; recorded where the network is created or deleted.
        model: Option<Arc<str>>,
    },
    BaseStation(BaseStation),
    Handset(Box<Handset>),
    ServiceabilityPassword(PasswordStatus),
}

impl From<Handset> for ResourceState {
    fn from(handset: Handset) -> Self {
        Self::Handset(Box::new(handset))
    }
}

impl FromIterator<ResourceState> for Devices {
    /// The things of a network, of the kinds that there are some of.
    fn from_iter<I: IntoIterator<Item = ResourceState>>(things: I) -> Self {
        let mut devices = Self::UNREAD;
        for thing in things {
            match thing {
                ResourceState::Network { .. } => {}
                ResourceState::BaseStation(station) => devices.base_stations.get_or_insert_default().push(station),
                ResourceState::Handset(handset) => devices.handsets.get_or_insert_default().push(*handset),
                ResourceState::ServiceabilityPassword(status) => devices.serviceability_password = Some(status),
            }
        }
        devices
    }
}

impl ResourceState {
    /// What belongs to a network, of one kind, as far as it was read.
    pub fn all_of(devices: &Devices, kind: ResourceKind) -> Vec<Self> {
        match kind {
            ResourceKind::Network => Vec::new(),
            ResourceKind::BaseStation => {
                devices.base_stations.iter().flatten().cloned().map(Self::BaseStation).collect()
            }
            ResourceKind::Handset => devices.handsets.iter().flatten().cloned().map(Self::from).collect(),
            ResourceKind::ServiceabilityPassword => {
                devices.serviceability_password.into_iter().map(Self::ServiceabilityPassword).collect()
            }
        }
    }

    /// The devices of a network, as far as they were read.
    pub fn all(devices: &Devices) -> Vec<Self> {
        ResourceKind::DEVICES.into_iter().flat_map(|kind| Self::all_of(devices, kind)).collect()
    }

    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Network { .. } => ResourceKind::Network,
            Self::BaseStation(_) => ResourceKind::BaseStation,
            Self::Handset(_) => ResourceKind::Handset,
            Self::ServiceabilityPassword(_) => ResourceKind::ServiceabilityPassword,
        }
    }

    /// What identifies it to a reader; nothing where a network has one of its kind.
    pub fn label(&self) -> String {
        match self {
            Self::Network { settings, .. } => settings.name.to_string(),
            Self::BaseStation(station) => station.label(),
            Self::Handset(handset) => handset.label(),
            Self::ServiceabilityPassword(_) => String::new(),
        }
    }

    /// The id that it has in Webex, if it has one and that is known; that of a network is not part of its state.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::BaseStation(station) => station.id.as_ref().map(BaseStationId::as_str),
            Self::Handset(handset) => handset.id.as_ref().map(HandsetId::as_str),
            Self::Network { .. } | Self::ServiceabilityPassword(_) => None,
        }
    }

    /// What tells it from all others of its kind, whatever network it is in: the address of a base station, the id of a handset.
    pub fn identity(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::BaseStation(station) => Some(station.label().into()),
            Self::Handset(handset) => handset.id.as_ref().map(|id| id.as_str().into()),
            Self::Network { .. } | Self::ServiceabilityPassword(_) => None,
        }
    }

    /// Whether both are states of one thing of a network: they have one identity, or else one label.
    pub fn is_same_thing(&self, other: &Self) -> bool {
        let is_one = match (self.identity(), other.identity()) {
            (Some(one), Some(other)) => one == other,
            _ => self.label() == other.label(),
        };
        self.kind() == other.kind() && is_one
    }

    /// Gives it another id, if it has one.
    pub fn set_id(&mut self, id: &str) {
        match self {
            Self::BaseStation(station) => station.id = Some(BaseStationId::new(id)),
            Self::Handset(handset) => handset.id = Some(HandsetId::new(id)),
            Self::Network { .. } | Self::ServiceabilityPassword(_) => {}
        }
    }

    /// Whether both are one thing, created twice: a network by its name, a device by all that requests say of it.
    pub fn is_same_but_for_id(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network { settings, .. }, Self::Network { settings: other, .. }) => settings.name == other.name,
            (Self::BaseStation(station), Self::BaseStation(other)) => station.label() == other.label(),
            (Self::Handset(handset), Self::Handset(other)) => handset.is_equivalent(other),
            _ => false,
        }
    }

    /// Whether it is the same thing as before in the same state, as far as requests say.
    pub fn is_unchanged_since(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Handset(handset), Self::Handset(before)) => handset.id == before.id && handset.is_equivalent(before),
            _ => self == before,
        }
    }

    /// Whether nothing can be said of it, since its network is still to be created.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::ServiceabilityPassword(PasswordStatus::Unknown))
    }

    /// Whether it is a network that is to be created, and this one is as it is then.
    pub fn matches_created(&self, network: &Network) -> bool {
        matches!(self, Self::Network { settings, model } if network.is_created_as(settings, model.as_deref()))
    }

    /// Whether it is one of the base stations that the same plan adds elsewhere.
    pub fn is_moved(&self, added_base_stations: &HashSet<String>) -> bool {
        match self {
            Self::BaseStation(station) => added_base_stations.contains(&station.label()),
            Self::Network { .. } | Self::Handset(_) | Self::ServiceabilityPassword(_) => false,
        }
    }

    /// What it is and what identifies it, in words.
    pub fn describe(&self) -> String {
        self.kind().describe(&self.label())
    }

    /// The handset, if it is one.
    pub const fn handset(&self) -> Option<&Handset> {
        match self {
            Self::Handset(handset) => Some(handset),
            _ => None,
        }
    }

    /// The base station, if it is one.
    pub const fn base_station(&self) -> Option<&BaseStation> {
        match self {
            Self::BaseStation(station) => Some(station),
            _ => None,
        }
    }

    /// The settings, if it is a network.
    pub const fn settings(&self) -> Option<&Settings> {
        match self {
            Self::Network { settings, .. } => Some(settings),
            _ => None,
        }
    }

    /// Whether the serviceability password is enabled, if it is one.
    pub const fn serviceability_password(&self) -> Option<PasswordStatus> {
        match self {
            Self::ServiceabilityPassword(status) => Some(*status),
            _ => None,
        }
    }
}
