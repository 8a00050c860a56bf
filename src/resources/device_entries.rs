//! What an entry of a network says of what belongs to it, of each kind.

use super::base_station::entry::BaseStationEntry;
use super::handset::entry::HandsetEntry;
use super::kind::ResourceKind;
use super::serviceability_password::state::PasswordStatus;
use crate::desired::spanned::Spanned;
use crate::diagnostic::Span;

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

    /// What fields of the entry itself ask for, as text.
    pub(crate) fn asked(&self) -> [(&'static str, Option<String>); 1] {
        let password = self.serviceability_password.as_ref().map(|status| status.value.as_str().to_owned());
        [("serviceabilityPassword", password)]
    }

    /// The same of things with an entry of their own, each where it stands.
    pub(crate) fn asked_of_things(&self) -> impl Iterator<Item = (Span, Vec<(&'static str, Option<String>)>)> {
        self.handsets.iter().flatten().map(|handset| (handset.span, handset.asked().into()))
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
