//! Validates writes as documented by Webex. Rules apply only to values that a
//! request changes.

use serde_json::Value;

use super::network::SimNetwork;
use super::responses::ApiErrorResponse;
use super::state::SimulatedState;
use crate::model::{LocationId, NetworkId};

#[derive(Debug)]
pub(super) struct ValidatedFields {
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    pub(super) code_enabled: bool,
    pub(super) code: String,
    pub(super) model: Option<String>,
}

const MODELS: [(&str, &str); 4] = [
    ("DMS Cisco DBS110", "DMS Cisco DBS110"),
    ("DMS Cisco DBS210", "DMS Cisco DBS210"),
    ("Cisco DECT 110 Base", "DMS Cisco DBS110"),
    ("Cisco DECT 210 Base", "DMS Cisco DBS210"),
];

/// Checks the body of an update of `current`, or of a creation where there is none.
pub(super) fn check(
    body: &[u8],
    location: &LocationId,
    current: Option<&SimNetwork>,
    state: &SimulatedState,
) -> Result<ValidatedFields, ApiErrorResponse> {
    let bad = |words: &str| ApiErrorResponse::new(400, 25_008, words);
    let value: Value = serde_json::from_slice(body).map_err(|_| bad("the body is not JSON"))?;
    if !value.is_object() {
        return Err(bad("the body is not an object"));
    }
    let text = |field: &str| match &value[field] {
        Value::String(text) => Ok(Some(text.clone())),
        Value::Null => Ok(None),
        _ => Err(bad(&format!("{field} is not a string"))),
    };
    let name = text("name")?.ok_or_else(|| bad("name is missing"))?;
    let display_name = text("displayName")?;
    let code = text("defaultAccessCode")?.ok_or_else(|| bad("defaultAccessCode is missing"))?;
    let code_enabled =
        value["defaultAccessCodeEnabled"].as_bool().ok_or_else(|| bad("defaultAccessCodeEnabled is missing"))?;

    let keeps_name = current.is_some_and(|current| current.name == name);
    if !keeps_name && !(1..=40).contains(&name.chars().count()) {
        return Err(bad("name must have 1 to 40 characters"));
    }
    let keeps_code = current.is_some_and(|current| current.code.as_deref() == Some(&code));
    let four_digits = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !keeps_code && !four_digits {
        return Err(bad("defaultAccessCode must be 4 digits"));
    }
    let model = match (text("model")?, current) {
        (_, Some(_)) => None,
        (None, None) => return Err(bad("model is missing")),
        (Some(model), None) => {
            if display_name.as_ref().is_some_and(|name| name.chars().count() > 11) {
                return Err(bad("displayName must have at most 11 characters"));
            }
            let known = MODELS.iter().find(|(given, _)| *given == model).map(|(_, stored)| (*stored).to_owned());
            Some(known.ok_or_else(|| bad("unknown model"))?)
        }
    };
    let own: Option<&NetworkId> = current.map(|current| &current.id);
    if !keeps_name && state.holds_name(location, &name, own) {
        return Err(ApiErrorResponse::new(
            409,
            27_453,
            format!("a DECT network with the name {name} exists in this location"),
        ));
    }
    if !keeps_code && state.holds_code(location, &code, own) {
        return Err(ApiErrorResponse::new(
            409,
            27_454,
            "the access code is used by another DECT network in this location",
        ));
    }
    Ok(ValidatedFields { name, display_name, code_enabled, code, model })
}
