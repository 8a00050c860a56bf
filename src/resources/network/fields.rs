//! The fields of a network.

use super::settings::{Setting, Settings};
use crate::resources::field::{Field, FieldKind, FieldValue, text};
use crate::resources::resource::ResourceState;

pub(in crate::resources) const FIELDS: [Field; 5] = [
    Field {
        name: "model",
        kind: FieldKind::Model,
        value: |state| match state {
            ResourceState::Network { model, .. } => model.as_deref().map(text),
            _ => None,
        },
    },
    Field {
        name: Setting::Name.api_name(),
        kind: FieldKind::Name,
        value: |state| setting(state, |settings| Some(text(&settings.name))),
    },
    Field {
        name: Setting::DisplayName.api_name(),
        kind: FieldKind::Name,
        value: |state| setting(state, |settings| settings.display_name.as_deref().map(text)),
    },
    Field {
        name: Setting::CodeEnabled.api_name(),
        kind: FieldKind::Boolean,
        value: |state| setting(state, |settings| settings.code_enabled.map(FieldValue::Boolean)),
    },
    Field {
        name: Setting::Code.api_name(),
        kind: FieldKind::Code,
        value: |state| setting(state, |settings| settings.code.as_ref().map(FieldValue::Code)),
    },
];

fn setting(state: &ResourceState, value: for<'s> fn(&'s Settings) -> Option<FieldValue<'s>>) -> Option<FieldValue<'_>> {
    state.settings().and_then(value)
}
