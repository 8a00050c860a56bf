//! The fields of a base station.

use crate::resources::field::{Field, FieldKind, FieldValue};

pub(in crate::resources) const FIELDS: [Field; 1] = [Field {
    name: "mac",
    kind: FieldKind::Address,
    value: |state| state.base_station().map(|station| FieldValue::Text(station.label().into())),
}];
