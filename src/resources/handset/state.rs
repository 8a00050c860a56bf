//! A handset as Webex lists it.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::member::{Member, same_member};
use crate::model::{HandsetId, MemberId, same_text};

/// The time between two changes of the handsets of a network that Cisco asks for ("Add a List of Handsets to a DECT
/// Network"): within it, base stations may keep an old configuration until they are rebooted.
pub const HANDSET_INTERVAL: Duration = Duration::from_secs(90);

/// A handset of a network. Its access code is never read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handset {
    /// Its id; none if the list has none, or before it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HandsetId>,
    /// Its own name, if it has one.
    #[serde(rename = "customDisplayName", default, skip_serializing_if = "Option::is_none")]
    pub custom_name: Option<Arc<str>>,
    /// What it shows without one of its own.
    #[serde(rename = "defaultDisplayName", default, skip_serializing_if = "Option::is_none")]
    pub default_name: Option<Arc<str>>,
    /// The first line. Position is all that tells the lines apart in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<Member>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<Member>,
    /// When a line was last registered, in milliseconds since 1970, as listed; `None` if never or unknown. Not stored.
    #[serde(skip)]
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
