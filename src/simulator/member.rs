//! A member: a person, a workspace or a virtual line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::json::without_nulls;
use crate::model::LocationId;

const FIRST_NAMES: [&str; 12] =
    ["Nora", "Jakob", "Emma", "Noah", "Ella", "Oskar", "Maja", "Filip", "Sofie", "Aksel", "Ada", "Henrik"];

const LAST_NAMES: [&str; 10] =
    ["Hansen", "Johansen", "Olsen", "Larsen", "Andersen", "Berg", "Haugen", "Hagen", "Bakke", "Lie"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SimMember {
    pub(super) id: String,
    /// `PEOPLE`, `PLACE` or `VIRTUAL_LINE`.
    pub(super) kind: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) extension: Option<String>,
    pub(super) number: Option<String>,
    pub(super) location: LocationId,
}

impl SimMember {
    pub(super) fn made_up(kind: &str, location: &LocationId, extension: u32) -> Self {
        let digest: [u8; 32] = Sha256::digest(format!("{location}/{kind}/{extension}")).into();
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let (first, last) = match kind {
            "PEOPLE" => {
                let first = FIRST_NAMES[usize::from(digest[16]) % FIRST_NAMES.len()];
                (first.to_owned(), LAST_NAMES[usize::from(digest[17]) % LAST_NAMES.len()].to_owned())
            }
            "PLACE" => ("Desk".to_owned(), extension.to_string()),
            _ => ("Queue".to_owned(), extension.to_string()),
        };
        let area = u32::from(digest[18]) * 39 % 10_000;
        Self {
            id: STANDARD_NO_PAD.encode(format!("ciscospark://us/{kind}/{hex}")),
            kind: kind.to_owned(),
            first_name: first,
            last_name: last,
            extension: Some(extension.to_string()),
            number: (kind != "VIRTUAL_LINE").then(|| format!("+47{area:04}{extension:04}")),
            location: location.clone(),
        }
    }

    /// A member of a snapshot.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        Some(Self {
            id: text("id")?,
            kind: text("memberType")?,
            first_name: text("firstName").unwrap_or_default(),
            last_name: text("lastName").unwrap_or_default(),
            extension: text("extension"),
            number: text("phoneNumber"),
            location: LocationId::new(value["location"]["id"].as_str()?),
        })
    }

    /// As `availableMembers` lists it.
    pub(super) fn json(&self, location_name: &str) -> Value {
        without_nulls(json!({
            "id": self.id,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "phoneNumber": self.number,
            "extension": self.extension,
            "lineType": "PRIMARY",
            "memberType": self.kind,
            "location": { "id": self.location.as_str(), "name": location_name },
        }))
    }
}
