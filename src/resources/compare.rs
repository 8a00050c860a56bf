//! What must change of each kind of what belongs to networks.

use super::base_station::compare as base_station;
use super::base_station::places::Addresses;
use super::handset::compare as handset;
use super::handset::members::Members;
use super::network::compare::NetworkChange;
use super::serviceability_password::compare as password;
use crate::diagnostic::Diagnostics;
use crate::model::LiveState;
use crate::plan::Scope;
use crate::plan::location_planner::DeviceChanges;
use crate::plan::matching::Managed;

/// What is known of all locations, whatever the one that is compared.
pub(crate) struct KnownDevices<'a> {
    addresses: Addresses,
    members: Members<'a>,
}

impl<'a> KnownDevices<'a> {
    pub(crate) fn of(live: &'a LiveState) -> Self {
        Self { addresses: Addresses::of(live), members: Members::of(live) }
    }
}

/// What must change of each kind in a location, in the order of the requests.
pub(crate) fn compare_devices(
    managed: &Managed<'_>,
    networks: &[NetworkChange<'_>],
    scope: &Scope,
    live: &LiveState,
    known: &mut KnownDevices<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Box<dyn DeviceChanges>> {
    let KnownDevices { addresses, members } = known;
    vec![
        Box::new(base_station::compare(managed, networks, scope, live, addresses, diagnostics)),
        Box::new(handset::compare(managed, networks, scope, live, members, diagnostics)),
        Box::new(password::compare(managed, networks, scope, live, diagnostics)),
    ]
}
