//! What was looked for and found.

use super::CodeVisibility;
use super::view::{DeviceView, FieldView};
use crate::model::registration_time;
use crate::plan::model::{LocationRef, ResourceKind};
use crate::reconcile::Found;

/// Something that was found, access codes masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundView {
    pub location: LocationRef,
    pub network_id: String,
    pub network_name: String,
    pub kind: ResourceKind,
    /// The device, if it is one.
    pub device: Option<DeviceView>,
    pub fields: Vec<FieldView>,
    /// The names of the fields that match.
    pub matched: Vec<&'static str>,
    /// When a line of a handset was last registered, if ever.
    pub last_registration: Option<jiff::Timestamp>,
}

impl FoundView {
    pub fn of(found: &Found) -> Self {
        let kind = found.thing.kind();
        let fields = FieldView::all(kind.fields(), None, Some(&found.thing), CodeVisibility::Masked);
        Self {
            location: found.location.clone(),
            network_id: found.network.to_string(),
            network_name: found.network_name.clone(),
            kind,
            device: DeviceView::of(&found.thing, &Default::default()),
            fields: fields.into_iter().filter(|field| field.to.is_some()).collect(),
            matched: found.matched.clone(),
            last_registration: found.thing.handset().and_then(registration_time),
        }
    }

    /// Its id, if it has one.
    pub fn id(&self) -> &str {
        match &self.device {
            Some(device) => device.id.as_deref().unwrap_or_default(),
            None => &self.network_id,
        }
    }
}
