//! A simulated network with its devices.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::member::SimMember;
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
    pub(super) base_stations: Vec<SimBaseStation>,
    pub(super) handsets: SimHandsets,
    pub(super) lines: u64,
}

impl SimNetwork {
    /// The largest number of base stations of its model.
    pub(super) fn max_base_stations(&self) -> usize {
        if self.model.contains("110") { 1 } else { 254 }
    }

    /// The largest number of lines of its model.
    pub(super) fn max_lines(&self) -> usize {
        if self.model.contains("110") { 30 } else { 1_000 }
    }

    /// The number of lines of all handsets.
    pub(super) fn line_count(&self) -> usize {
        self.lines as usize
    }

    /// Counts the lines again after its handsets have changed.
    pub(super) fn count_lines(&mut self) {
        self.lines = self.handsets.listed().iter().map(|handset| 1 + u64::from(handset.line2.is_some())).sum();
    }
}

/// A base station: an address of 48 bits and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimBaseStation {
    pub(super) mac: u64,
    id: StationId,
}

/// Most ids are made from a number, which keeps large organizations small.
#[derive(Clone, Debug, PartialEq, Eq)]
enum StationId {
    Number(u64),
    Given(Box<str>),
}

impl SimBaseStation {
    pub(super) const fn numbered(mac: u64, number: u64) -> Self {
        Self { mac, id: StationId::Number(number) }
    }

    pub(super) fn with_id(mac: u64, id: &str) -> Self {
        Self { mac, id: StationId::Given(id.into()) }
    }

    pub(super) fn id(&self) -> String {
        match &self.id {
            StationId::Number(number) => {
                let uuid = format!("{number:08x}-0000-4000-8000-000000000000");
                STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_STATION/{uuid}"))
            }
            StationId::Given(id) => id.to_string(),
        }
    }

    pub(super) fn address(&self) -> String {
        format!("{:012X}", self.mac)
    }
}

/// The 48 bits of an address in any usual spelling.
pub(super) fn parse_mac(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let is_valid = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_valid.then(|| u64::from_str_radix(&digits, 16).ok()).flatten()
}

/// The handsets of a network: as they were loaded, or as many as its list counts until something asks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SimHandsets {
    Counted(u64),
    Listed(Vec<SimHandset>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimHandset {
    pub(super) id: String,
    pub(super) index: u64,
    pub(super) default_name: String,
    pub(super) custom_name: Option<String>,
    pub(super) access_code: String,
    /// The ids of the members.
    pub(super) line1: String,
    pub(super) line2: Option<String>,
    /// When it was last registered, in milliseconds since 1970.
    pub(super) registered: Option<u64>,
}

impl SimHandset {
    /// The handset as JSON, with its lines as `line` writes those of a member id.
    pub(super) fn json(&self, line: impl Fn(&String) -> Value) -> Value {
        let lines: Vec<Value> = std::iter::once(&self.line1).chain(&self.line2).map(line).collect();
        serde_json::json!({
            "id": self.id,
            "index": self.index.to_string(),
            "defaultDisplayName": self.default_name,
            "customDisplayName": self.custom_name,
            "accessCode": self.access_code,
            "lines": lines,
        })
    }

    /// A handset of a made-up member. One in eight has never registered.
    pub(super) fn made_up(network: &NetworkId, index: u64, member: &SimMember) -> Self {
        let digest: [u8; 32] = Sha256::digest(format!("{network}/{index}")).into();
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("Handset {}", member.extension.as_deref().unwrap_or_default());
        Self {
            id: STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_HANDSET/{hex}")),
            index,
            default_name: name.clone(),
            custom_name: Some(name),
            access_code: format!("{:04}", u16::from_be_bytes([digest[16], digest[17]]) % 10_000),
            line1: member.id.clone(),
            line2: None,
            registered: (!digest[18].is_multiple_of(8))
                .then(|| 1_790_000_000_000 + u64::from(digest[19]) * 86_400_000 / 8),
        }
    }

    /// A handset of a snapshot.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let number = |field: &str| value[field].as_str().and_then(|text| text.parse().ok());
        let line = |at: usize| value["lines"][at]["memberId"].as_str().map(str::to_owned);
        Some(Self {
            id: text("id").filter(|id| !id.is_empty())?,
            index: number("index").unwrap_or(0),
            default_name: text("defaultDisplayName").unwrap_or_default(),
            custom_name: text("customDisplayName"),
            access_code: text("accessCode").unwrap_or_default(),
            line1: line(0)?,
            line2: line(1),
            registered: value["lines"][0]["lastRegistrationTime"].as_str().and_then(|text| text.parse().ok()),
        })
    }
}

impl SimHandsets {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Counted(count) => *count,
            Self::Listed(handsets) => handsets.len() as u64,
        }
    }

    /// Those that exist as such; none of them before the location is populated.
    pub(super) fn listed(&self) -> &[SimHandset] {
        match self {
            Self::Counted(_) => &[],
            Self::Listed(handsets) => handsets,
        }
    }

    pub(super) fn listed_mut(&mut self) -> &mut Vec<SimHandset> {
        loop {
            match self {
                Self::Listed(handsets) => return handsets,
                Self::Counted(_) => *self = Self::Listed(Vec::new()),
            }
        }
    }
}
