//! The field of a serviceability password.

use crate::resources::field::{Field, FieldKind, text};

pub(in crate::resources) const FIELDS: [Field; 1] = [Field {
    name: "serviceabilityPassword",
    kind: FieldKind::Other,
    value: |state| state.serviceability_password().map(|status| text(status.as_str())),
}];
