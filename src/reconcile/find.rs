//! Finds networks, base stations and handsets by whatever is known of them.

use super::error::{Error, UnreadDevices};
use super::read_devices::read_readable_devices;
use crate::client::{ApiClient, Priority, SendError};
use crate::model::{
    LiveState, Mac, Member, MemberId, MemberKind, NamePattern, NetworkId, NetworkIndex, kind_of_id, nfc,
};
use crate::plan::model::{FieldKind, FieldValue, LocationRef, ResourceKind, ResourceState};
use crate::plan::{RequiredReads, Scope};
use crate::resources::calls;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub location: LocationRef,
    pub network: NetworkId,
    pub network_name: String,
    pub thing: ResourceState,
    /// The names of the fields that match.
    pub matched: Vec<&'static str>,
}

/// What was found, and where could not be looked.
#[derive(Debug, Default)]
pub struct SearchResult {
    pub found: Vec<Found>,
    pub unread: Vec<UnreadDevices>,
    /// Number of networks whose devices were read.
    pub networks_read: usize,
}

/// What is looked for: a part of a name, a number, an address or an id.
struct Wanted {
    text: String,
    lower: String,
    glob: Option<NamePattern>,
    mac: Option<Mac>,
    /// The digits of an extension or a phone number.
    digits: Option<String>,
}

/// So many digits of a phone number are enough to find it by its end.
const LEAST_DIGITS: usize = 6;

impl Wanted {
    fn new(text: &str) -> Self {
        let text = text.trim().to_owned();
        let is_number = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '/'));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let has_wildcard = text.contains(['*', '?', '[', '{']);
        Self {
            lower: nfc(&text).to_lowercase(),
            glob: NamePattern::new(&text).ok().filter(|_| has_wildcard),
            mac: Mac::new(&text).ok(),
            digits: Some(digits).filter(|digits| is_number && !digits.is_empty()),
            text,
        }
    }

    /// Whether it can only be a MAC address: twelve digits may be a phone number, and twelve letters a name.
    fn is_surely_an_address(&self) -> bool {
        let has = |is: fn(char) -> bool| self.text.chars().any(is);
        let is_mixed = has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_alphabetic());
        self.mac.is_some() && (is_mixed || has(|c| matches!(c, ':' | '.' | '-')))
    }

    /// Whether a name contains it as it is, or is matched by it as a glob.
    fn is_in(&self, name: &str) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.matches(name)) || nfc(name).to_lowercase().contains(&self.lower)
    }

    fn is_id<'i>(&self, id: impl Into<Option<&'i str>>) -> bool {
        // Padding and alphabet do not tell ids apart.
        id.into().is_some_and(|id| NetworkId::new(id) == NetworkId::new(self.text.as_str()))
    }

    fn is_number_of(&self, member: &Member) -> bool {
        let Some(digits) = &self.digits else { return false };
        let is_extension = member.extension.as_deref() == Some(digits);
        let number: String =
            member.number.iter().flat_map(|number| number.chars()).filter(char::is_ascii_digit).collect();
        is_extension || number == *digits || digits.len() >= LEAST_DIGITS && number.ends_with(digits.as_str())
    }

    fn in_line(&self, member: &Member) -> bool {
        self.is_number_of(member) || self.is_in(&member.name()) || self.is_id(member.id.as_ref().map(MemberId::as_str))
    }

    /// The names of what matches of a thing: its id and its fields.
    fn in_thing(&self, thing: &ResourceState) -> Vec<&'static str> {
        let id = self.is_id(thing.id()).then_some("id");
        let fields = thing.kind().fields().iter().filter(|field| match field.of(Some(thing)) {
            Some(FieldValue::Text(name)) if field.kind == FieldKind::Name => self.is_in(&name),
            Some(FieldValue::Text(address)) if field.kind == FieldKind::Address => {
                self.mac.is_some() && Mac::new(&address).ok() == self.mac
            }
            Some(FieldValue::Line(member)) => self.in_line(member),
            _ => false,
        });
        id.into_iter().chain(fields.map(|field| field.name)).collect()
    }

    /// Whether things of a kind that belong to networks can match, before they are read.
    fn can_be_in(&self, kind: ResourceKind) -> bool {
        let is_device_id = self.text.len() > 24 && !self.text.contains(' ') && self.digits.is_none();
        kind.fields().iter().any(|field| match field.kind {
            FieldKind::Address => self.mac.is_some() || is_device_id,
            FieldKind::Name => !self.is_surely_an_address(),
            FieldKind::Boolean | FieldKind::Code | FieldKind::Model | FieldKind::Other => false,
        })
    }

    /// The member whose id it is, as the id says itself.
    fn member(&self) -> Option<(MemberKind, MemberId)> {
        let kind = match kind_of_id(&self.text)?.as_str() {
            "PEOPLE" => MemberKind::Person,
            "PLACE" => MemberKind::Workspace,
            _ => return None,
        };
        Some((kind, MemberId::new(self.text.as_str())))
    }
}

/// Finds what `text` may mean: a part of the name of a network, a handset or a person, an extension, a phone number or its
/// end, a MAC address, or an id. Of `kinds` only, unless that is empty.
///
/// One list answers for networks. Base stations are read for a MAC address or an id, handsets for everything else, of all
/// networks in scope that have some; for the id of a person or workspace only of the networks that Webex names for it.
///
/// # Errors
/// If the list or all of a kind of devices cannot be read, or the scope matches nothing.
pub async fn find(
    text: &str,
    kinds: &[ResourceKind],
    scope: &Scope,
    client: &ApiClient,
) -> Result<SearchResult, Error> {
    let wanted = Wanted::new(text);
    let mut live = client.list_networks(Priority::Normal).await?;
    Error::check_scope(scope, &live, [])?;
    let is_asked_for = |kind: ResourceKind| kinds.is_empty() || kinds.contains(&kind);
    let networks: Vec<NetworkIndex> = scope.networks(&live).collect();
    let mut result = SearchResult::default();
    for at in networks.iter().filter(|_| is_asked_for(ResourceKind::Network)) {
        let network = live.network(*at);
        let (settings, model) = (network.settings.clone(), network.model.clone());
        let thing = ResourceState::Network { settings, model };
        let ids = [("id", network.id.as_str()), ("location", network.location.as_str())];
        let ids = ids.into_iter().filter(|(_, id)| wanted.is_id(*id)).map(|(name, _)| name);
        result.add(&live, *at, ids.chain(wanted.in_thing(&thing)).collect(), thing);
    }
    if result.found.iter().any(|found| found.matched.contains(&"id")) {
        return Ok(result);
    }
    let kinds: Vec<ResourceKind> =
        ResourceKind::OF_NETWORK.into_iter().filter(|kind| is_asked_for(*kind) && wanted.can_be_in(*kind)).collect();
    let mut reads = RequiredReads::of_kinds(&kinds, &networks, &live);
    if let Some(member) = wanted.member() {
        let named = networks_of_member(&member, client).await?;
        reads.retain(ResourceKind::BaseStation, |_| false);
        if let Some(named) = named {
            reads.retain(ResourceKind::Handset, |at| named.contains(&live.network(*at).id));
        }
    }
    let numbers = ResourceKind::ALL.into_iter().map(|kind| reads.of(kind).len());
    result.networks_read = numbers.max().unwrap_or_default();
    result.unread = read_readable_devices(&mut live, reads, client).await?;
    for at in networks {
        let devices =
            ResourceKind::OF_NETWORK.into_iter().flat_map(|kind| ResourceState::all_of(live.devices(at), kind));
        for thing in devices {
            result.add(&live, at, wanted.in_thing(&thing), thing);
        }
    }
    Ok(result)
}

/// The networks in which a member has handsets; `None` if Webex does not say.
async fn networks_of_member(
    (kind, id): &(MemberKind, MemberId),
    client: &ApiClient,
) -> Result<Option<Vec<NetworkId>>, Error> {
    match client.read(&calls::list_networks_of_member(*kind, id), Priority::Normal).await {
        Ok(networks) => Ok(Some(networks)),
        // Then all networks are looked at.
        Err(SendError::Failed(error)) if matches!(error.status, Some(400..=499)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl SearchResult {
    fn add(&mut self, live: &LiveState, at: NetworkIndex, matched: Vec<&'static str>, thing: ResourceState) {
        if matched.is_empty() {
            return;
        }
        let (network, location) = (live.network(at), live.location(live.location_of(at)));
        self.found.push(Found {
            location: LocationRef { id: location.id.clone(), name: location.name.clone() },
            network: network.id.clone(),
            network_name: network.settings.name.to_string(),
            thing,
            matched,
        });
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;

    use super::*;

    fn member(extension: &str, number: &str, name: &str) -> Member {
        Member {
            extension: Some(extension.into()),
            number: Some(number.into()),
            first_name: Some(name.into()),
            ..Member::of_id(MemberId::new("m"))
        }
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        let nora = member("1551", "+4722551234", "Nora");
        for (text, expected) in [
            ("1551", true),
            ("155", false),
            ("551", false),
            ("+47 22 55 12 34", true),
            ("22 55 12 34", true),
            ("22-551234", true),
            ("51234", false),
            ("551234", true),
            ("nor", true),
            ("N*a", true),
            ("n*b", false),
            ("m", true),
            ("4722551235", false),
        ] {
            assert_eq!(Wanted::new(text).in_line(&nora), expected, "{text}");
        }
    }

    #[test]
    fn an_id_says_whose_it_is() {
        let id = |uri: &str| STANDARD_NO_PAD.encode(uri);
        assert!(matches!(Wanted::new(&id("ciscospark://us/PEOPLE/1")).member(), Some((MemberKind::Person, _))));
        assert!(matches!(Wanted::new(&id("ciscospark://eu/PLACE/1")).member(), Some((MemberKind::Workspace, _))));
        assert_eq!(Wanted::new(&id("ciscospark://us/DECT_DEV_NET/1")).member(), None);
        assert_eq!(Wanted::new("Nora Berg").member(), None);
    }
}
