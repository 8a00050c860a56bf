//! The fields of each kind: one list that reports, tables and documents read.

use super::field::{Field, FieldKind};
use super::kind::ResourceKind;
use super::resource::ResourceState;
use crate::model::Setting;

impl ResourceKind {
    /// The fields of its things, in display order.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Network => &super::network::fields::FIELDS,
            Self::BaseStation => &super::base_station::fields::FIELDS,
            Self::Handset => &super::handset::fields::FIELDS,
            Self::ServiceabilityPassword => &super::serviceability_password::fields::FIELDS,
        }
    }
}

/// The fields of a thing that differ between two of its states; of one that is created or deleted those that it has. A
/// code that Webex hides before and after is sent, but does not differ.
pub fn changed_fields(before: Option<&ResourceState>, after: Option<&ResourceState>) -> Vec<&'static Field> {
    let Some(state) = before.or(after) else { return Vec::new() };
    let hidden = match (before.and_then(ResourceState::settings), after.and_then(ResourceState::settings)) {
        (Some(before), Some(after)) => before.hides(after, Setting::Code),
        _ => false,
    };
    let fields = state.kind().fields().iter();
    fields.filter(|field| field.of(before) != field.of(after) && !(hidden && field.kind == FieldKind::Code)).collect()
}
