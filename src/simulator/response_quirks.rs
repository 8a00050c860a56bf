//! Unusual but valid responses: nulls, missing and unknown fields, numbers in place of strings.

use std::str::FromStr;

use serde_json::Value;

use crate::model::OperationShape;

/// A quirk of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quirk {
    Nulls,
    /// Models, counts and chain ids are missing.
    Missing,
    /// Codes are numbers, booleans are strings.
    Numbers,
    /// There are unknown fields.
    Unknown,
    /// Spaces around names are gone.
    Trimmed,
}

impl FromStr for Quirk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "nulls" => Ok(Self::Nulls),
            "missing" => Ok(Self::Missing),
            "numbers" => Ok(Self::Numbers),
            "unknown" => Ok(Self::Unknown),
            "trimmed" => Ok(Self::Trimmed),
            _ => Err("expected nulls, missing, numbers, unknown or trimmed".to_owned()),
        }
    }
}

pub(super) fn apply(quirks: &[Quirk], body: Vec<u8>) -> Vec<u8> {
    if quirks.is_empty() {
        return body;
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else { return body };
    match value.get_mut("dectNetworks").and_then(Value::as_array_mut) {
        Some(networks) => networks.iter_mut().for_each(|network| distort(quirks, network)),
        None => distort(quirks, &mut value),
    }
    let handsets = value.get_mut("handsets").and_then(Value::as_array_mut).filter(|_| quirks.contains(&Quirk::Trimmed));
    for handset in handsets.into_iter().flatten().filter_map(Value::as_object_mut) {
        trim(handset, "customDisplayName");
    }
    serde_json::to_vec(&value).unwrap_or(body)
}

/// A body that takes on the shape that an operation has elsewhere.
pub(super) fn imitate(shapes: &[OperationShape], operation: &str, body: Vec<u8>) -> Vec<u8> {
    let Some(shape) = shapes.iter().find(|shape| shape.name == operation) else { return body };
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else { return body };
    shape.shape.imitate(&mut value);
    serde_json::to_vec(&value).unwrap_or(body)
}

fn distort(quirks: &[Quirk], network: &mut Value) {
    const COUNTS: [&str; 3] = ["numberOfBaseStations", "numberOfHandsetsAssigned", "numberOfLines"];
    let Some(fields) = network.as_object_mut() else { return };
    for quirk in quirks {
        match quirk {
            Quirk::Nulls => {
                for field in COUNTS.into_iter().chain(["model"]) {
                    fields.insert(field.to_owned(), Value::Null);
                }
            }
            Quirk::Missing => {
                for field in COUNTS.into_iter().chain(["model", "chainId"]) {
                    fields.remove(field);
                }
            }
            Quirk::Numbers => {
                // Numbers have no leading zeros, so only codes without them are converted.
                let code = fields.get("defaultAccessCode").and_then(Value::as_str);
                if let Some(number) =
                    code.filter(|code| !code.starts_with('0')).and_then(|code| code.parse::<u64>().ok())
                {
                    fields.insert("defaultAccessCode".to_owned(), number.into());
                }
                if let Some(enabled) = fields.get("defaultAccessCodeEnabled").and_then(Value::as_bool) {
                    fields.insert("defaultAccessCodeEnabled".to_owned(), enabled.to_string().into());
                }
            }
            Quirk::Trimmed => {
                for name in ["name", "displayName"] {
                    trim(fields, name);
                }
            }
            Quirk::Unknown => {
                fields.insert("futureSetting".to_owned(), serde_json::json!({ "enabled": true, "list": [1, null] }));
            }
        }
    }
}

fn trim(fields: &mut serde_json::Map<String, Value>, name: &str) {
    if let Some(Value::String(text)) = fields.get_mut(name) {
        *text = text.trim().to_owned();
    }
}
