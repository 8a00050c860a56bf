//! The fields of each kind: one list that reports, tables and documents read.

use std::borrow::Cow;
use std::fmt;

use super::{ResourceKind, ResourceState};
use crate::model::{CodeText, Handset, Member, Setting, Settings, same_text};

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text whose differing words are of interest.
    Name,
    Boolean,
    Code,
    /// Any other text.
    Other,
}

/// A value of a field.
#[derive(Clone, Debug)]
pub enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Boolean(bool),
    Code(&'a CodeText),
    /// The member of a line.
    Line(&'a Member),
}

impl PartialEq for FieldValue<'_> {
    /// Canonically equivalent texts are equal.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => same_text(one, other),
            (Self::Boolean(one), Self::Boolean(other)) => one == other,
            (Self::Code(one), Self::Code(other)) => one == other,
            (Self::Line(one), Self::Line(other)) => one.is_same(other),
            _ => false,
        }
    }
}

impl FieldValue<'_> {
    /// It as text, a code in the clear.
    pub fn expose_secret(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Code(code) => code.expose_secret().to_owned(),
            Self::Line(member) => member.label(),
        }
    }
}

/// A field of a kind.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name in files and in the API.
    pub name: &'static str,
    pub kind: FieldKind,
    value: for<'a> fn(&'a ResourceState) -> Option<FieldValue<'a>>,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Field {}

impl Field {
    /// The value that it has in `state`, if it has one.
    pub fn of<'a>(&self, state: Option<&'a ResourceState>) -> Option<FieldValue<'a>> {
        (self.value)(state?)
    }
}

impl ResourceKind {
    /// The fields of its things, in display order.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Network => &NETWORK,
            Self::BaseStation => &BASE_STATION,
            Self::Handset => &HANDSET,
            Self::ServiceabilityPassword => &SERVICEABILITY_PASSWORD,
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

const fn text(text: &str) -> FieldValue<'_> {
    FieldValue::Text(Cow::Borrowed(text))
}

fn setting(state: &ResourceState, value: for<'s> fn(&'s Settings) -> Option<FieldValue<'s>>) -> Option<FieldValue<'_>> {
    state.settings().and_then(value)
}

fn handset(state: &ResourceState, value: for<'s> fn(&'s Handset) -> Option<FieldValue<'s>>) -> Option<FieldValue<'_>> {
    state.handset().and_then(value)
}

const NETWORK: [Field; 5] = [
    Field {
        name: "model",
        kind: FieldKind::Other,
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

const BASE_STATION: [Field; 1] = [Field {
    name: "mac",
    kind: FieldKind::Other,
    value: |state| state.base_station().map(|station| FieldValue::Text(station.label().into())),
}];

const SERVICEABILITY_PASSWORD: [Field; 1] = [Field {
    name: "serviceabilityPassword",
    kind: FieldKind::Other,
    value: |state| state.serviceability_password().map(|status| text(status.as_str())),
}];

const HANDSET: [Field; 3] = [
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
