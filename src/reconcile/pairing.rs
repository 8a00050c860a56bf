//! What an installer needs to pair handsets: the networks of a site with their base stations and handsets.

use super::error::{Error, UnreadDevices};
use super::read_devices::{read_all, read_readable_devices, unread};
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{BaseStation, CodeText, Handset, LiveState, Network, NetworkIndex};
use crate::plan::model::{LocationRef, ResourceKind};
use crate::plan::{RequiredReads, Scope};
use crate::resources::calls;
use crate::webex::NetworkPath;

/// A network with what is paired with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingNetwork {
    pub location: LocationRef,
    pub network: Network,
    /// `None` if they were not asked for, or cannot be read.
    pub base_stations: Option<Vec<BaseStation>>,
    /// Each with its own access code, where the list has one; `None` as above.
    pub handsets: Option<Vec<(Handset, Option<CodeText>)>>,
}

/// The networks in scope, by location and name, with devices of these kinds; and the devices that cannot be read.
///
/// # Errors
/// If the list cannot be read, the scope matches nothing, or the run is stopped.
pub async fn read_pairing(
    scope: &Scope,
    kinds: &[ResourceKind],
    client: &ApiClient,
) -> Result<(Vec<PairingNetwork>, Vec<UnreadDevices>), Error> {
    let mut live = client.list_networks(Priority::Normal).await?;
    Error::check_scope(scope, &live, [])?;
    let networks: Vec<NetworkIndex> = live
        .locations()
        .filter(|(_, location)| scope.includes_location(&location.name))
        .flat_map(|(at, _)| live.networks_of(at).map(|(at, _)| at))
        .collect();
    let mut reads = RequiredReads::of_kinds(kinds, &networks, &live);
    let with_handsets = reads.of(ResourceKind::Handset).to_vec();
    reads.retain(ResourceKind::Handset, |_| false);
    let mut failed = read_readable_devices(&mut live, reads, client).await?;
    let mut handsets = read_handsets(with_handsets, &live, client, &mut failed).await?;
    let sheet = networks.into_iter().map(|at| {
        let (network, location) = (live.network(at), live.location(live.location_of(at)));
        // One without devices is not asked for them.
        let has_none = |kind: ResourceKind, count: Option<u64>| kinds.contains(&kind) && count == Some(0);
        let base_stations = live.base_stations(at).map(<[BaseStation]>::to_vec);
        let no_base_stations = has_none(ResourceKind::BaseStation, network.base_stations).then(Vec::new);
        let no_handsets = has_none(ResourceKind::Handset, network.handsets).then(Vec::new);
        PairingNetwork {
            location: LocationRef { id: location.id.clone(), name: location.name.clone() },
            network: network.clone(),
            base_stations: base_stations.or(no_base_stations),
            handsets: handsets.remove(&at).or(no_handsets),
        }
    });
    Ok((sheet.collect(), failed))
}

type Handsets = std::collections::HashMap<NetworkIndex, Vec<(Handset, Option<CodeText>)>>;

/// The handsets of networks with their access codes, which no other command reads.
async fn read_handsets(
    networks: Vec<NetworkIndex>,
    live: &LiveState,
    client: &ApiClient,
    failed: &mut Vec<UnreadDevices>,
) -> Result<Handsets, Error> {
    let read = |at: NetworkIndex| async move {
        let call = calls::list_handsets_with_codes(NetworkPath::of(live.network(at)));
        match client.read(&call, Priority::Normal).await {
            Err(SendError::Failed(error)) if error.status != Some(401) => Ok((at, Err(error))),
            read => read.map(|handsets| (at, Ok(handsets))),
        }
    };
    let mut all = Handsets::new();
    for (at, handsets) in read_all(networks.into_iter().map(read), client).await.map_err(Error::reading)? {
        match handsets {
            Ok(handsets) => {
                all.insert(at, handsets);
            }
            Err(error) => failed.push(unread(live, at, ResourceKind::Handset, error)),
        }
    }
    Ok(all)
}
