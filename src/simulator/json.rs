//! JSON as Webex writes it.

use serde_json::Value;

/// Webex leaves out what a thing does not have.
pub(super) fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
