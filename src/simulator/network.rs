//! A simulated network with its devices.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

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

/// The handsets of a network: as they were loaded, or as many as its list counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SimHandsets {
    Counted(u64),
    Listed(Vec<SimHandset>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimHandset {
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) extension: String,
}

impl SimHandsets {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Counted(count) => *count,
            Self::Listed(handsets) => handsets.len() as u64,
        }
    }

    /// The handsets of the network `id`. Those that are only counted are the same at every call.
    pub(super) fn list(&self, id: &NetworkId) -> Vec<SimHandset> {
        let count = match self {
            Self::Counted(count) => *count,
            Self::Listed(handsets) => return handsets.clone(),
        };
        let handset = |number: u64| {
            let digest: [u8; 32] = Sha256::digest(format!("{id}/{number}")).into();
            let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            SimHandset {
                id: STANDARD_NO_PAD.encode(format!("ciscospark://us/DECT_DEV_HANDSET/{hex}")),
                display_name: format!("Handset {number}"),
                extension: (2_000 + number).to_string(),
            }
        };
        (1..=count).map(handset).collect()
    }
}
