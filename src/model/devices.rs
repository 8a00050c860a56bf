//! What a network consists of: base stations and handsets as Webex lists them.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{BaseStationId, HandsetId, MemberId};
use super::kind::ResourceKind;
use super::mac::Mac;
use super::member::Member;
use super::name_key::same_text;
use super::password::PasswordStatus;

/// The time between two changes of the handsets of a network that Cisco asks for ("Add a List of Handsets to a DECT
/// Network"): within it, base stations may keep an old configuration until they are rebooted.
pub const HANDSET_INTERVAL: Duration = Duration::from_secs(90);

/// A base station of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BaseStation {
    /// Its id; none if the list has none, or before it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<BaseStationId>,
    /// Its address as listed, which need not be valid.
    #[serde(rename = "mac")]
    pub address: Arc<str>,
}

impl BaseStation {
    /// A base station that is to be added.
    pub fn new(mac: Mac) -> Self {
        Self { id: None, address: mac.to_string().into() }
    }

    /// Its address, if it is a valid one.
    pub fn mac(&self) -> Option<Mac> {
        Mac::new(&self.address).ok()
    }

    /// Its address for display and comparison.
    pub fn label(&self) -> String {
        self.mac().map_or_else(|| self.address.to_string(), |mac| mac.to_string())
    }
}

/// A handset of a network. Its access code is never read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handset {
    /// Its id; `None` if the list has none, or before it was added.
    pub id: Option<HandsetId>,
    /// `customDisplayName`, if it has one.
    pub custom_name: Option<Arc<str>>,
    /// `defaultDisplayName`: what it shows without one of its own.
    pub default_name: Option<Arc<str>>,
    /// The first line. Position is all that tells the lines apart in a list.
    pub line1: Option<Member>,
    pub line2: Option<Member>,
    /// When a line was last registered, in milliseconds since 1970, as listed; `None` if never or unknown.
    pub last_registration: Option<Arc<str>>,
}

impl Handset {
    /// The name that it shows.
    pub fn display_name(&self) -> Option<&Arc<str>> {
        self.custom_name.as_ref().or(self.default_name.as_ref())
    }

    /// Its name and lines for display: `W7 Nurse A (1551, 1552)`.
    pub fn label(&self) -> String {
        let name = self.display_name().map_or("(unnamed)", |name| &**name);
        let lines: Vec<&str> = self.lines().map(Member::line).collect();
        if lines.is_empty() { name.to_owned() } else { format!("{name} ({})", lines.join(", ")) }
    }

    pub fn lines(&self) -> impl Iterator<Item = &Member> {
        self.line1.iter().chain(&self.line2)
    }

    /// The members of its lines, as far as they are known.
    pub fn member_ids(&self) -> impl Iterator<Item = &MemberId> {
        self.lines().filter_map(|line| line.id.as_ref())
    }

    /// Whether this is its `customDisplayName` (canonically equivalent texts are equal).
    pub fn is_named(&self, name: &str) -> bool {
        self.custom_name.as_deref().is_some_and(|own| same_text(own, name))
    }

    /// The same with its first line only, as it is before the second one is added.
    #[must_use]
    pub fn first_line_only(&self) -> Self {
        Self { line2: None, ..self.clone() }
    }

    /// Whether it has the same `customDisplayName` (canonically equivalent texts are equal).
    pub fn has_same_name(&self, other: &Self) -> bool {
        match (&self.custom_name, &other.custom_name) {
            (Some(one), Some(other)) => same_text(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Whether both have the same members on both lines.
    pub fn has_same_lines(&self, other: &Self) -> bool {
        same_member(self.line1.as_ref(), other.line1.as_ref()) && same_member(self.line2.as_ref(), other.line2.as_ref())
    }

    /// Whether what can be sent is the same: the name and both lines.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.has_same_name(other) && self.has_same_lines(other)
    }
}

/// When a line of a handset was last registered; `None` if never, or if the list says something else.
pub fn registration_time(handset: &Handset) -> Option<jiff::Timestamp> {
    let milliseconds = handset.last_registration.as_deref()?.parse().ok()?;
    jiff::Timestamp::from_millisecond(milliseconds).ok()
}

/// Whether two lines are the same: that of one member, or none.
pub fn same_member(one: Option<&Member>, other: Option<&Member>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Everything that belongs to a network and goes with it, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Its base stations; `None` if they were not read.
    pub base_stations: Option<Vec<BaseStation>>,
    /// Its handsets; `None` if they were not read.
    pub handsets: Option<Vec<Handset>>,
    /// Its serviceability password; `None` if it was not read.
    pub serviceability_password: Option<PasswordStatus>,
}

/// What one read has shown of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceList {
    BaseStations(Vec<BaseStation>),
    Handsets(Vec<Handset>),
    ServiceabilityPassword(PasswordStatus),
}

impl Devices {
    /// Of which nothing was read.
    pub const UNREAD: Self = Self { base_stations: None, handsets: None, serviceability_password: None };

    /// Those of a network that is gone: none.
    pub fn gone() -> &'static Self {
        static GONE: Devices =
            Devices { base_stations: Some(Vec::new()), handsets: Some(Vec::new()), serviceability_password: None };
        &GONE
    }

    /// Records what was read.
    pub fn set(&mut self, list: DeviceList) {
        match list {
            DeviceList::BaseStations(stations) => self.base_stations = Some(stations),
            DeviceList::Handsets(handsets) => self.handsets = Some(handsets),
            DeviceList::ServiceabilityPassword(status) => self.serviceability_password = Some(status),
        }
    }

    /// Everything that was read.
    pub fn into_lists(self) -> impl Iterator<Item = DeviceList> {
        let Self { base_stations, handsets, serviceability_password } = self;
        let lists = [
            base_stations.map(DeviceList::BaseStations),
            handsets.map(DeviceList::Handsets),
            serviceability_password.map(DeviceList::ServiceabilityPassword),
        ];
        lists.into_iter().flatten()
    }

    /// How many there are of a kind; `None` if they were not read.
    pub fn count(&self, kind: ResourceKind) -> Option<usize> {
        match kind {
            ResourceKind::Network => None,
            ResourceKind::BaseStation => self.base_stations.as_ref().map(Vec::len),
            ResourceKind::Handset => self.handsets.as_ref().map(Vec::len),
            ResourceKind::ServiceabilityPassword => self.serviceability_password.map(|_| 1),
        }
    }
}

impl From<DeviceList> for Devices {
    fn from(list: DeviceList) -> Self {
        let mut devices = Self::UNREAD;
        devices.set(list);
        devices
    }
}
