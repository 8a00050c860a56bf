//! The shape of JSON: which fields there are and of which types, without any value.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The shapes of the responses of an API, as `dectl auth check --probe` records them. No names, ids, numbers or codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiShapes {
    pub kind: ShapesKind,
    pub format_version: u32,
    /// The version of dectl that has recorded them.
    pub generator: String,
    pub operations: Vec<OperationShape>,
}

/// What tells shapes from other documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ShapesKind {
    Shapes,
}

/// The version of shapes that this version reads and writes.
pub const SHAPES_VERSION: u32 = 1;

/// What an operation answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationShape {
    /// `networks`, `handsets` and so on.
    pub name: String,
    /// The request, ids left out.
    pub request: String,
    /// Statuses with their numbers; 0 for no response.
    pub statuses: BTreeMap<u16, u64>,
    /// Names of the headers.
    pub headers: BTreeSet<String>,
    /// The time of each request in milliseconds, sorted.
    pub latencies_ms: Vec<u64>,
    /// The size of the largest body in bytes.
    pub bytes: usize,
    /// The most items in one response of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// The shape of its bodies.
    pub shape: Shape,
}

/// The shape of a value, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Shape {
    /// How often it was of a type of JSON.
    pub types: BTreeMap<String, u64>,
    /// How often a text or number was of a form, such as `digits 4`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub forms: BTreeMap<String, u64>,
    /// The fields of objects.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldShape>,
    /// The items of arrays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Self>>,
}

/// A field of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldShape {
    /// How many objects lacked it.
    pub absent: u64,
    #[serde(flatten)]
    pub shape: Shape,
}

impl Shape {
    /// Adds a value.
    pub fn add(&mut self, value: &Value) {
        let objects = self.types.get("object").copied().unwrap_or(0);
        *self.types.entry(type_of(value).to_owned()).or_default() += 1;
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let absent = objects;
                    let field = self
                        .fields
                        .entry(field_name(name))
                        .or_insert_with(|| FieldShape { absent, ..FieldShape::default() });
                    field.shape.add(value);
                }
                let lacks = |name: &str| !object.keys().any(|key| field_name(key) == name);
                for (_, field) in self.fields.iter_mut().filter(|(name, _)| lacks(name)) {
                    field.absent += 1;
                }
            }
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item));
            }
            Value::String(text) => *self.forms.entry(form(text)).or_default() += 1,
            Value::Number(number) => *self.forms.entry(form(&number.to_string())).or_default() += 1,
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn is_always(&self, name: &str) -> bool {
        self.types.len() == 1 && self.types.contains_key(name)
    }

    /// Makes a value that has this shape of one that may have another: fields that were never there are left out, those that
    /// always were are added, and types are as they were.
    pub fn imitate(&self, value: &mut Value) {
        if self.types.is_empty() {
            return;
        }
        if self.is_always("null") {
            *value = Value::Null;
        } else if self.is_always("string") && (value.is_number() || value.is_boolean()) {
            *value = value.to_string().into();
        } else if self.is_always("number")
            && let Some(number) = value.as_str().and_then(|text| text.parse::<u64>().ok())
        {
            *value = number.into();
        }
        match value {
            Value::Object(object) if !self.fields.is_empty() => {
                object.retain(|name, _| self.fields.contains_key(name));
                for (name, field) in &self.fields {
                    if let Some(value) = object.get_mut(name) {
                        field.shape.imitate(value);
                    } else if field.absent == 0 {
                        object.insert(name.clone(), field.shape.sample());
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    if let Some(shape) = &self.items {
                        shape.imitate(item);
                    }
                }
            }
            _ => {}
        }
    }

    /// A value of its first type.
    fn sample(&self) -> Value {
        match self.types.keys().next().map(String::as_str) {
            Some("boolean") => Value::Bool(false),
            Some("number") => 0.into(),
            Some("string") => "".into(),
            Some("array") => Value::Array(Vec::new()),
            Some("object") => Value::Object(serde_json::Map::new()),
            _ => Value::Null,
        }
    }
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The name of a field; what may be data is not repeated. The fields of the API begin with a small letter.
fn field_name(name: &str) -> String {
    let is_name = name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let begins_small = name.starts_with(|c: char| c.is_ascii_lowercase());
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if is_name && begins_small && digits < 3 { name.to_owned() } else { "(another key)".to_owned() }
}

/// Words of the API that say nothing about an organization.
const KNOWN_WORDS: [&str; 9] = [
    "PEOPLE",
    "PLACE",
    "VIRTUAL_LINE",
    "PRIMARY",
    "SHARED_CALL_APPEARANCE",
    "DMS Cisco DBS110",
    "DMS Cisco DBS210",
    "true",
    "false",
];

/// The form of a text, which says nothing of what it is.
fn form(text: &str) -> String {
    let is_all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    let length = text.chars().count();
    if KNOWN_WORDS.contains(&text) {
        return format!("the word {text}");
    }
    if let Some(kind) = kind_of_id(text) {
        return format!("id of {kind}");
    }
    match text {
        "" => "empty".to_owned(),
        _ if is_all(|c| c.is_ascii_digit()) => format!("digits {length}"),
        _ if text.starts_with('+') && text[1..].bytes().all(|byte| byte.is_ascii_digit()) => "phone number".to_owned(),
        _ if length == 12 && is_all(|c| c.is_ascii_hexdigit()) => "hexadecimal 12".to_owned(),
        _ if text.parse::<jiff::Timestamp>().is_ok() => "time".to_owned(),
        _ if text.parse::<std::net::IpAddr>().is_ok() => "address".to_owned(),
        _ if text.trim() != text => "text with spaces around it".to_owned(),
        _ => "text".to_owned(),
    }
}

/// What an id of Webex says about itself: `PEOPLE`, `DECT_DEV_NET`.
pub fn kind_of_id(text: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=').replace('-', "+").replace('_', "/")).ok()?;
    let uri = String::from_utf8(bytes).ok()?;
    let kind = uri.strip_prefix("ciscospark://")?.split('/').nth(1)?;
    let is_kind =
        !kind.is_empty() && kind.len() <= 30 && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    Some(if is_kind { kind.to_owned() } else { "another kind".to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(values: &[Value]) -> Shape {
        let mut shape = Shape::default();
        values.iter().for_each(|value| shape.add(value));
        shape
    }

    #[test]
    fn a_shape_has_no_value_in_it() {
        let id = STANDARD_NO_PAD.encode("ciscospark://us/PEOPLE/96abc2aa-3dcc-11e5-a152-fe34819cdc9a");
        let shape = shape(&[
            json!({ "name": "Emergency", "code": "4821", "mac": "AC7A5611A001", "number": "+4722551200", "n": null }),
            json!({ "name": " Ward", "id": id, "4722551200": 1, "count": 12345, "at": "2026-11-20T10:11:12Z" }),
        ]);
        let text = serde_json::to_string(&shape).expect("JSON");
        for value in ["Emergency", "4821", "AC7A", "4722551200", "Ward", "96abc", "12345", "2026"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
        assert_eq!(shape.fields["code"].shape.forms, [("digits 4".to_owned(), 1)].into());
        assert_eq!(shape.fields["id"].shape.forms, [("id of PEOPLE".to_owned(), 1)].into());
        assert_eq!((shape.fields["id"].absent, shape.fields["code"].absent, shape.fields["name"].absent), (1, 1, 0));
        assert!(shape.fields.contains_key("(another key)"));
    }

    #[test]
    fn a_value_takes_on_a_shape() {
        let seen = shape(&[
            json!({ "list": [{ "name": "x", "code": 1234, "on": "true", "gone": null, "new": true }] }),
            json!({ "list": [{ "name": "y", "code": 42, "on": "false", "gone": null, "new": false, "rare": 1 }] }),
        ]);
        let mut value =
            json!({ "list": [{ "name": "A", "code": "0042", "on": true, "gone": 5, "old": 1 }], "more": 1 });
        seen.imitate(&mut value);
        assert_eq!(value, json!({ "list": [{ "name": "A", "code": 42, "on": "true", "gone": null, "new": false }] }));
    }
}
