//! Reads what a plan needs beside the list of networks: locations without networks, base stations, handsets.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use super::error::{Error, UnreadDevices};
use crate::client::{ApiClient, Priority, SendError};
use crate::desired::model::Desired;
use crate::model::{LiveState, LocationId, Member, NameKey, NetworkIndex};
use crate::plan::model::{Plan, ResourceKind};
use crate::plan::{RequiredReads, locations_without_networks, resume_reads, unknown_line_locations};
use crate::resources::calls;
use crate::runtime::Instant;
use crate::webex::calls::list_locations;
use crate::webex::{ApiError, ErrorClass, NetworkPath};

/// Lists may lag behind writes for so long: twice as long as a run itself waits for them.
pub(super) const LIST_LAG: Duration = Duration::from_secs(12);

/// The time between two lists.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Looks up the locations that are to get their first network, with one list: those that are known by their name alone, and whether
/// those exist that are known by their id, as far as the token may list locations.
pub(super) async fn read_locations(
    live: &mut LiveState,
    desired: &Desired,
    client: &ApiClient,
) -> Result<(), SendError> {
    let mut added: BTreeMap<LocationId, Arc<str>> = BTreeMap::new();
    // Names that stand for a location, and those beside an id, which may be of another one.
    let (mut names, mut checked): (HashSet<NameKey>, HashSet<NameKey>) = Default::default();
    for location in locations_without_networks(desired, live) {
        let name = location.name.as_ref();
        match &location.id {
            Some(id) if live.has_listed(&id.value) => {
                checked.extend(name.map(|name| NameKey::of(&name.value)));
                let name = name.map_or_else(|| id.value.as_str().into(), |name| name.value.clone());
                added.insert(id.value.clone(), name);
            }
            Some(_) => {}
            None => names.extend(name.map(|name| NameKey::of(&name.value))),
        }
    }
    names.extend(unknown_line_locations(desired, live).into_iter().map(NameKey::of));
    let found = match (names.is_empty(), added.is_empty()) {
        (true, true) => None,
        // Without the scope for locations, those that are known by their id are taken as they are.
        (true, false) => list_locations_if_allowed(client).await?,
        (false, _) => Some(client.read(&list_locations(), Priority::Normal).await?),
    };
    if let Some(found) = found {
        let existing: HashSet<NameKey> = found.iter().map(|(_, name)| NameKey::of(name)).collect();
        let ids: HashSet<&LocationId> = found.iter().map(|(id, _)| id).collect();
        added.retain(|id, _| ids.contains(id));
        // A name that no location has is an error; all of them are what may have been meant.
        let is_wrong = !names.is_subset(&existing);
        // The listed name of a location takes the place of the one that a file gives it, or of its id.
        let is_needed = |id: &LocationId, name: &str| {
            let name = NameKey::of(name);
            is_wrong || added.contains_key(id) || names.contains(&name) || checked.contains(&name)
        };
        let found = found.into_iter().filter(|(id, name)| live.has_listed(id) && is_needed(id, name));
        let found: Vec<_> = found.collect();
        added.extend(found);
    }
    live.add_locations(added.into_iter().collect());
    Ok(())
}

/// All locations of the organization; `None` if the token may not list them.
async fn list_locations_if_allowed(client: &ApiClient) -> Result<Option<Vec<(LocationId, Arc<str>)>>, SendError> {
    match client.read(&list_locations(), Priority::Normal).await {
        Ok(found) => Ok(Some(found)),
        Err(SendError::Failed(error)) if error.status == Some(403) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads as many at a time as the rate limiter lets through, which grows with what succeeds.
pub(super) async fn read_all<T>(
    reads: impl Iterator<Item = impl Future<Output = Result<T, SendError>>>,
    client: &ApiClient,
) -> Result<Vec<T>, SendError> {
    stream::iter(reads).buffer_unordered(client.most_concurrent()).try_collect().await
}

/// Reads the members of locations whose lines are on no handset that was read, once per location.
///
/// # Errors
/// If a request fails.
pub(super) async fn read_members(
    live: &mut LiveState,
    locations: Vec<LocationId>,
    client: &ApiClient,
) -> Result<(), SendError> {
    let read = |location: LocationId| async move {
        let members = list_members(&location, client).await?;
        Ok((location, members))
    };
    for (location, members) in read_all(locations.into_iter().map(read), client).await? {
        live.set_members(location, members);
    }
    Ok(())
}

/// Lists the members of a location that are available for handsets: pages until one has nothing new. Rows with the same id
/// are one member.
async fn list_members(location: &LocationId, client: &ApiClient) -> Result<Vec<Member>, SendError> {
    let (mut members, mut seen) = (Vec::new(), HashSet::new());
    let mut start = 0;
    loop {
        let page = client.read(&calls::list_members(location, start), Priority::Normal).await?;
        let (length, known) = (page.len(), seen.len());
        let is_new = |member: &Member| member.id.as_ref().is_some_and(|id| seen.insert(id.clone()));
        members.extend(page.into_iter().filter(is_new));
        start += length;
        // A server may cut pages shorter than asked for, so a short page is not the last one. One that does not know
        // `start` returns the same page again.
        if seen.len() == known {
            return Ok(members);
        }
    }
}

/// Reads what a plan that was made before is compared with: the networks, what it changes of them, and whether locations that it
/// knows are still there.
///
/// # Errors
/// If something of it cannot be read.
pub(super) async fn read_for_plan(plan: &Plan, client: &ApiClient) -> Result<LiveState, Error> {
    let mut patience = Patience::default();
    loop {
        let mut live = client.list_networks(Priority::Normal).await?;
        add_planned_locations(&mut live, plan, client).await.map_err(Error::reading)?;
        let reads = resume_reads(plan, &live);
        let unread = read_readable_devices(&mut live, reads, client).await?;
        if !patience.lists_again(&unread, client).await {
            return if unread.is_empty() { Ok(live) } else { Err(Error::DevicesUnreadable(unread)) };
        }
    }
}

/// A list may still show what is gone, or already what cannot be read yet: it is read again for some seconds.
#[derive(Debug, Default)]
pub(super) struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Whether to list the networks again because of devices that were not found; waits a moment then.
    pub(super) async fn lists_again(&mut self, unread: &[UnreadDevices], client: &ApiClient) -> bool {
        let now = client.clock().now();
        let until = *self.until.get_or_insert(now + LIST_LAG);
        let is_missing = unread.iter().any(|devices| devices.error.class == ErrorClass::NotFound);
        if is_missing && now < until {
            client.wait_as(Priority::Normal, POLL_INTERVAL).await;
        }
        is_missing && now < until
    }
}

/// Adds the locations of a plan to a list, which lacks those that are still without networks; not those that were removed since
/// and that are to get some.
async fn add_planned_locations(live: &mut LiveState, plan: &Plan, client: &ApiClient) -> Result<(), SendError> {
    let is_unlisted = |location: &&LocationId| live.find_location(location).is_none();
    let creations = plan.changes.iter().filter(|change| change.is_network_creation());
    let mut missing: HashSet<LocationId> =
        creations.map(|change| &change.location.id).filter(is_unlisted).cloned().collect();
    let found = if missing.is_empty() { None } else { list_locations_if_allowed(client).await? };
    match found {
        Some(found) => {
            let found: HashSet<LocationId> = found.into_iter().map(|(id, _)| id).collect();
            missing.retain(|id| !found.contains(id));
        }
        None => missing.clear(),
    }
    let planned = plan.changes.iter().map(|change| &change.location).filter(|location| !missing.contains(&location.id));
    live.add_locations(planned.map(|location| (location.id.clone(), location.name.clone())).collect());
    Ok(())
}

/// Reads the devices of networks.
///
/// # Errors
/// If those of a network cannot be read; all such networks are named.
pub async fn read_devices(live: &mut LiveState, reads: RequiredReads, client: &ApiClient) -> Result<(), Error> {
    let unread = read_readable_devices(live, reads, client).await?;
    if unread.is_empty() { Ok(()) } else { Err(Error::DevicesUnreadable(unread)) }
}

/// Reads the devices of networks and returns those that cannot be read, in the order of the networks; again while that lags behind what
/// was written before.
///
/// # Errors
/// If the access token is rejected, or the run is stopped.
pub async fn read_readable_devices(
    live: &mut LiveState,
    reads: RequiredReads,
    client: &ApiClient,
) -> Result<Vec<UnreadDevices>, Error> {
    loop {
        let unread = read_once(live, &reads, client).await?;
        if reads.iter().next().is_none() || !client.lags(live).await {
            return Ok(unread);
        }
    }
}

async fn read_once(
    live: &mut LiveState,
    reads: &RequiredReads,
    client: &ApiClient,
) -> Result<Vec<UnreadDevices>, Error> {
    let listed = &*live;
    let requests = reads.iter().filter_map(|(kind, at)| {
        let call = calls::list_devices(kind, NetworkPath::of(listed.network(at)))?;
        Some(async move {
            match client.read(&call, Priority::Normal).await {
                // Without a token nothing can be read.
                Err(SendError::Failed(error)) if error.status != Some(401) => Ok((at, kind, Err(error))),
                read => read.map(|list| (at, kind, Ok(list))),
            }
        })
    });
    let mut unread = Vec::new();
    for (at, kind, read) in read_all(requests, client).await.map_err(Error::reading)? {
        match read {
            Ok(list) => live.set_devices(at, list),
            Err(error) => unread.push((at, kind, error)),
        }
    }
    unread.sort_by_key(|(network, kind, _)| (*network, *kind));
    Ok(unread.into_iter().map(|(at, kind, error)| self::unread(live, at, kind, error)).collect())
}

/// Devices of a network that cannot be read.
pub(super) fn unread(live: &LiveState, at: NetworkIndex, kind: ResourceKind, error: ApiError) -> UnreadDevices {
    let (network, location) = (live.network(at), live.location(live.location_of(at)));
    UnreadDevices { kind, network: format!("{:?} ({})", &*network.settings.name, location.name), error }
}
