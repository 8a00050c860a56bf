//! Members: the people, workspaces and virtual lines whose lines handsets have.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{LocationId, MemberId};

/// What a member is. A virtual line can only be the second line of a handset (Cisco, "Update DECT Network Handset").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MemberKind {
    #[serde(rename = "PEOPLE")]
    Person,
    #[serde(rename = "PLACE")]
    Workspace,
    #[serde(rename = "VIRTUAL_LINE")]
    VirtualLine,
    /// The list does not say, or says something new.
    #[default]
    #[serde(rename = "", other)]
    Unknown,
}

impl MemberKind {
    /// The kind with this name in the API.
    pub fn parse(text: &str) -> Self {
        match text {
            "PEOPLE" => Self::Person,
            "PLACE" => Self::Workspace,
            "VIRTUAL_LINE" => Self::VirtualLine,
            _ => Self::Unknown,
        }
    }

    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Its name in the API.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Person => "PEOPLE",
            Self::Workspace => "PLACE",
            Self::VirtualLine => "VIRTUAL_LINE",
            Self::Unknown => "",
        }
    }
}

/// A member as Webex lists it: on a line of a handset, or among those that are available for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its id; none if the list has none.
    #[serde(rename = "memberId", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MemberId>,
    #[serde(rename = "memberType", default, skip_serializing_if = "MemberKind::is_unknown")]
    pub kind: MemberKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Arc<str>>,
    /// Unique in its location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Arc<str>>,
    /// `external` or `phoneNumber`: its primary number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_name: Option<Arc<str>>,
}

impl Member {
    /// A member of which only the id is known.
    pub const fn of_id(id: MemberId) -> Self {
        Self {
            id: Some(id),
            kind: MemberKind::Unknown,
            first_name: None,
            last_name: None,
            extension: None,
            number: None,
            location: None,
            location_name: None,
        }
    }

    /// The extension, or else the number, or else the id.
    pub fn line(&self) -> &str {
        let id = || self.id.as_ref().map_or("(unknown line)", MemberId::as_str);
        self.extension.as_deref().or(self.number.as_deref()).unwrap_or_else(id)
    }

    /// First and last name, as far as known.
    pub fn name(&self) -> String {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(|part| &**part).collect();
        parts.join(" ")
    }

    /// The line and the name: `1551 Nora Berg`.
    pub fn label(&self) -> String {
        format!("{} {}", self.line(), self.name()).trim_end().to_owned()
    }

    /// Whether both are the same member.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(one), Some(other)) => one == other,
            _ => self == other,
        }
    }
}

/// Whether two lines are the same: that of one member, or none.
pub fn same_member(one: Option<&Member>, other: Option<&Member>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
