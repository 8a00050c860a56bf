//! A simulated network.

use crate::model::{LocationId, NetworkId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimNetwork {
    pub(super) id: NetworkId,
    pub(super) location: LocationId,
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    pub(super) code_enabled: bool,
    pub(super) code: Option<String>,
    pub(super) model: String,
    pub(super) chain_id: u64,
    pub(super) base_stations: u64,
    pub(super) handsets: u64,
    pub(super) lines: u64,
}
