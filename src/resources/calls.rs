//! The requests about all kinds; and that which reads what a network has of one.

pub use super::base_station::calls::{add_base_stations, list_base_stations, remove_base_station};
use super::devices::DeviceList;
pub use super::handset::calls::{
    add_handsets, list_handsets, list_handsets_with_codes, list_members, list_networks_of_member, remove_handsets,
    update_handset,
};
use super::kind::ResourceKind;
pub use super::network::calls::{
    create_network, delete_network, get_network, list_networks, list_networks_of_location, list_networks_raw,
    update_network,
};
pub use super::serviceability_password::calls::{
    generate_password, get_serviceability_password, set_serviceability_password,
};
use crate::webex::NetworkPath;
use crate::webex::calls::Call;

/// Reads what a network has of one kind; `None` of networks themselves.
pub fn list_devices(kind: ResourceKind, network: NetworkPath<'_>) -> Option<Call<'_, DeviceList>> {
    match kind {
        ResourceKind::Network => None,
        ResourceKind::BaseStation => Some(list_base_stations(network).map(DeviceList::BaseStations)),
        ResourceKind::Handset => Some(list_handsets(network).map(DeviceList::Handsets)),
        ResourceKind::ServiceabilityPassword => {
            Some(get_serviceability_password(network).map(DeviceList::ServiceabilityPassword))
        }
    }
}
