//! The kinds of things that networks consist of, and something for each of them.

use std::ops::{Index, IndexMut};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResourceKind {
    Network,
    BaseStation,
    Handset,
    ServiceabilityPassword,
}

impl ResourceKind {
    /// All kinds, in display order.
    pub const ALL: [Self; 4] = [Self::Network, Self::BaseStation, Self::Handset, Self::ServiceabilityPassword];

    /// The kinds of what belongs to a network.
    pub const OF_NETWORK: [Self; 3] = [Self::BaseStation, Self::Handset, Self::ServiceabilityPassword];

    /// Those of them that are lists of things, which go with a network.
    pub const DEVICES: [Self; 2] = [Self::BaseStation, Self::Handset];

    pub const fn noun(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::BaseStation => "base station",
            Self::Handset => "handset",
            Self::ServiceabilityPassword => "serviceability password",
        }
    }

    /// Its things as a value of an option.
    pub const fn option_value(self) -> &'static str {
        match self {
            Self::Network => "networks",
            Self::BaseStation => "base-stations",
            Self::Handset => "handsets",
            Self::ServiceabilityPassword => "serviceability-passwords",
        }
    }

    /// What counts say instead of the noun, where devices need not be told apart.
    pub const fn counted_as(self) -> &'static str {
        match self {
            Self::BaseStation | Self::Handset => "device",
            Self::Network | Self::ServiceabilityPassword => self.noun(),
        }
    }

    /// Whether a change of it can reboot the entire network, as Cisco warns of enabling and disabling the serviceability password
    /// ("Update DECT Serviceability Password status").
    pub const fn can_reboot(self) -> bool {
        matches!(self, Self::ServiceabilityPassword)
    }

    /// Whether a step of it waits for an earlier step in its network, about that kind, which cannot be sent yet: the handsets of a
    /// network are changed in the order of the plan, and what may reboot it comes last.
    pub const fn waits_for(self, earlier: Self) -> bool {
        match self {
            Self::Network | Self::BaseStation => false,
            Self::Handset => matches!(earlier, Self::Handset),
            Self::ServiceabilityPassword => true,
        }
    }

    /// What it is called where it has this label; there is one serviceability password in a network, which has none.
    pub fn describe(self, label: &str) -> String {
        if label.is_empty() { self.noun().to_owned() } else { format!("{} {label}", self.noun()) }
    }
}

/// Something for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de> + Default"))]
#[schemars(bound = "T: JsonSchema + Serialize + Default")]
pub struct PerKind<T> {
    pub network: T,
    pub base_station: T,
    pub handset: T,
    #[serde(default)]
    pub serviceability_password: T,
}

impl<T> PerKind<T> {
    pub fn from_fn(mut of: impl FnMut(ResourceKind) -> T) -> Self {
        Self {
            network: of(ResourceKind::Network),
            base_station: of(ResourceKind::BaseStation),
            handset: of(ResourceKind::Handset),
            serviceability_password: of(ResourceKind::ServiceabilityPassword),
        }
    }
}

impl<T> Index<ResourceKind> for PerKind<T> {
    type Output = T;

    fn index(&self, kind: ResourceKind) -> &T {
        match kind {
            ResourceKind::Network => &self.network,
            ResourceKind::BaseStation => &self.base_station,
            ResourceKind::Handset => &self.handset,
            ResourceKind::ServiceabilityPassword => &self.serviceability_password,
        }
    }
}

impl<T> IndexMut<ResourceKind> for PerKind<T> {
    fn index_mut(&mut self, kind: ResourceKind) -> &mut T {
        match kind {
            ResourceKind::Network => &mut self.network,
            ResourceKind::BaseStation => &mut self.base_station,
            ResourceKind::Handset => &mut self.handset,
            ResourceKind::ServiceabilityPassword => &mut self.serviceability_password,
        }
    }
}
