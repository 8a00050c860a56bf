//! The JSON of the API. Reading accepts nulls, missing and unknown fields, and numbers in place of strings;
//! writing is strict.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::api::{ItemResult, Organization, TokenOwner};
use super::credentials::{Token, TokenResponse};
use crate::model::LocationId;

/// A string, number or boolean; null, lists and objects are treated as missing.
#[derive(Default)]
pub(crate) struct LenientString<'a>(pub(crate) Option<Cow<'a, str>>, pub(crate) JsonKind);

/// JSON type of a value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum JsonKind {
    #[default]
    Other,
    Number,
}

impl<'de: 'a, 'a> Deserialize<'de> for LenientString<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientStringVisitor(PhantomData))
    }
}

struct LenientStringVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for LenientStringVisitor<'a> {
    type Value = LenientString<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Borrowed(text)), JsonKind::Other))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(text.to_owned())), JsonKind::Other))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Borrowed(if value { "true" } else { "false" })), JsonKind::Other))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<LenientString<'a>, E> {
        Ok(LenientString(Some(Cow::Owned(value.to_string())), JsonKind::Number))
    }

    fn visit_unit<E: de::Error>(self) -> Result<LenientString<'a>, E> {
        Ok(LenientString(None, JsonKind::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LenientString<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientString(None, JsonKind::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LenientString<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LenientString(None, JsonKind::Other))
    }
}

/// Why a body is not a list or a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("response truncated after {0} bytes")]
    Cut(usize),
    #[error("unexpected response: {0}")]
    Malformed(String),
}

impl WireError {
    pub(crate) fn of(error: &serde_json::Error, body: &[u8]) -> Self {
        if error.is_eof() {
            return Self::Cut(body.len());
        }
        // serde_json includes the unexpected value, which may be secret.
        let text = error.to_string();
        let kind = text.split_once(':').map_or(text.as_str(), |(kind, _)| kind);
        let kind = kind.split_once(" at line ").map_or(kind, |(kind, _)| kind);
        Self::Malformed(format!("{kind} at line {} column {}", error.line(), error.column()))
    }
}

#[derive(Deserialize)]
struct WireGranted<'a> {
    #[serde(borrow, default)]
    access_token: LenientString<'a>,
    #[serde(borrow, default)]
    refresh_token: LenientString<'a>,
    #[serde(default)]
    expires_in: Option<f64>,
}

/// Parses the response of a token endpoint.
pub(super) fn parse_token_response(body: &[u8], now: Timestamp) -> Result<TokenResponse, WireError> {
    let wire: WireGranted<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let token = wire.access_token.0.as_deref().and_then(|token| Token::new(token).ok());
    let token = token.ok_or_else(|| WireError::Malformed("no `access_token`".to_owned()))?;
    let life = wire.expires_in.filter(|seconds| (0.0..1e10).contains(seconds)).map(Duration::from_secs_f64);
    Ok(TokenResponse {
        token,
        refresh_token: wire
            .refresh_token
            .0
            .filter(|text| !text.is_empty())
            .map(|text| SecretString::from(text.as_ref())),
        expires: life.and_then(|life| now.checked_add(life).ok()),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMe<'a> {
    #[serde(borrow, default)]
    display_name: LenientString<'a>,
    #[serde(borrow, default)]
    org_id: LenientString<'a>,
    #[serde(borrow, default)]
    emails: Option<Vec<LenientString<'a>>>,
}

pub(crate) fn me(body: &[u8]) -> Result<TokenOwner, WireError> {
    let wire: WireMe<'_> = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let text = |text: LenientString<'_>| text.0.map(Cow::into_owned);
    let email = wire.emails.into_iter().flatten().next().and_then(text);
    Ok(TokenOwner { name: text(wire.display_name), email, org: text(wire.org_id) })
}

/// A string, or a number in its place; null, empty strings, lists and objects are treated as missing.
pub(crate) fn lenient_text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The items of a short list, each read by `read`. One that cannot be read makes the list unreadable: what it is about would be
/// taken for missing.
pub(crate) fn items<T>(
    body: &[u8],
    key: &str,
    read: impl Fn(&serde_json::Value) -> Option<T>,
) -> Result<Vec<T>, WireError> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| WireError::of(&error, body))?;
    let list = value[key].as_array().ok_or_else(|| WireError::Malformed(format!("no list `{key}`")))?;
    let mut items = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let lacks = || WireError::Malformed(format!("item {} of `{key}` has no key", at + 1));
        items.push(read(item).ok_or_else(lacks)?);
    }
    Ok(items)
}

pub(crate) fn locations(body: &[u8]) -> Result<Vec<(LocationId, Arc<str>)>, WireError> {
    items(body, "items", |item| {
        let id = LocationId::non_empty(lenient_text(&item["id"])?)?;
        Some((id, lenient_text(&item["name"]).unwrap_or_default().into()))
    })
}

pub(crate) fn organizations(body: &[u8]) -> Result<Vec<Organization>, WireError> {
    items(body, "items", |item| {
        let id = lenient_text(&item["id"]).filter(|id| !id.trim().is_empty())?;
        Some(Organization { id, name: lenient_text(&item["displayName"]).unwrap_or_default() })
    })
}

pub(crate) fn item_results(body: &[u8], list: &str, key: &str) -> Vec<ItemResult> {
    let result = |item: &serde_json::Value| {
        let result = &item["result"];
        let error = if result["error"].is_null() { &item["error"] } else { &result["error"] };
        let message = lenient_text(&error["message"]).or_else(|| lenient_text(error)).unwrap_or_default();
        // A number, or a text.
        let code = lenient_text(&error["errorCode"]).or_else(|| lenient_text(&error["code"]));
        let number = code.as_ref().and_then(|code| code.parse().ok());
        let text = code.filter(|code| number.is_none() && !message.contains(code.as_str()));
        Some(ItemResult {
            item: lenient_text(&item[key])?,
            status: lenient_text(&result["status"])?.parse().ok()?,
            id: lenient_text(&result["id"]),
            message: text.map_or(message.clone(), |code| format!("{message} (code {code})").trim().to_owned()),
            code: number,
        })
    };
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    value[list].as_array().into_iter().flatten().filter_map(result).collect()
}
