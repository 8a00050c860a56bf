//! How an answer may look that is still an answer: nulls, missing and unknown fields, numbers where texts should be.

use std::str::FromStr;

use serde_json::Value;

/// One way in which answers are odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quirk {
    Nulls,
    /// Models, counts and chain ids are missing.
    Missing,
    /// Codes are numbers, truth values are texts.
    Numbers,
    /// There are fields that nobody has heard of.
    Unknown,
}

impl FromStr for Quirk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "nulls" => Ok(Self::Nulls),
            "missing" => Ok(Self::Missing),
            "numbers" => Ok(Self::Numbers),
            "unknown" => Ok(Self::Unknown),
            _ => Err("there are nulls, missing, numbers and unknown".to_owned()),
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
                // A number has no zeros at its front, so only codes without them can be one.
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
            Quirk::Unknown => {
                fields.insert("futureSetting".to_owned(), serde_json::json!({ "enabled": true, "list": [1, null] }));
            }
        }
    }
}
