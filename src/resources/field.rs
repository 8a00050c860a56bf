//! A field of a kind, and its values.

use std::borrow::Cow;
use std::fmt;

use super::resource::ResourceState;
use crate::model::{CodeText, Member, same_text};

/// The type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text whose differing words are of interest.
    Name,
    Boolean,
    Code,
    /// A MAC address, which never changes.
    Address,
    /// The hardware of a network, which never changes.
    Model,
    /// Any other value.
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
    pub(super) value: for<'a> fn(&'a ResourceState) -> Option<FieldValue<'a>>,
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
    /// Whether a thing can have another value of it and be the same thing.
    pub const fn can_change(&self) -> bool {
        !matches!(self.kind, FieldKind::Address | FieldKind::Model)
    }

    /// The value that it has in `state`, if it has one.
    pub fn of<'a>(&self, state: Option<&'a ResourceState>) -> Option<FieldValue<'a>> {
        (self.value)(state?)
    }
}

pub(super) const fn text(text: &str) -> FieldValue<'_> {
    FieldValue::Text(Cow::Borrowed(text))
}
