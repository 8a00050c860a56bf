//! The fields of a handset.

use super::state::Handset;
use crate::resources::field::{Field, FieldKind, FieldValue, text};
use crate::resources::resource::ResourceState;

pub(in crate::resources) const FIELDS: [Field; 3] = [
    Field {
        name: "customDisplayName",
        kind: FieldKind::Name,
        value: |state| handset(state, |handset| handset.display_name().map(|name| text(name))),
    },
    Field {
        name: "line1",
        kind: FieldKind::Other,
        value: |state| handset(state, |handset| handset.line1.as_ref().map(FieldValue::Line)),
    },
    Field {
        name: "line2",
        kind: FieldKind::Other,
        value: |state| handset(state, |handset| handset.line2.as_ref().map(FieldValue::Line)),
    },
];

fn handset(state: &ResourceState, value: for<'s> fn(&'s Handset) -> Option<FieldValue<'s>>) -> Option<FieldValue<'_>> {
    state.handset().and_then(value)
}
