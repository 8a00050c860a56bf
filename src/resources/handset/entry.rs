//! A handset as a file asks for it, and how a file names the member on a line.

use std::fmt;
use std::sync::Arc;

use super::member::Member;
use crate::desired::spanned::Spanned;
use crate::diagnostic::Span;
use crate::model::{HandsetId, HandsetName, LocationId, MemberId};

/// A handset that is there, or that is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandsetEntry {
    pub span: Span,
    /// The handset, whatever its lines.
    pub id: Option<Spanned<HandsetId>>,
    pub line1: Option<Spanned<LineRef>>,
    /// `None` keeps the live second line; a value of `None` removes it.
    pub line2: Option<Spanned<Option<LineRef>>>,
    /// The first line that this handset has until it is updated.
    pub reassigned_from: Option<Spanned<LineRef>>,
    /// `customDisplayName`; `None` keeps the live one.
    pub name: Option<Spanned<HandsetName>>,
    /// `state: absent`: it is removed.
    pub is_absent: bool,
    /// Whether it comes from a journal: without an `id` it is gone and added again, whatever handsets are like it.
    pub is_recorded: bool,
}

/// How a file names the member on a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineRef {
    Extension {
        extension: Arc<str>,
        /// The name or id of the location; `None` for that of the network.
        location: Option<Arc<str>>,
    },
    /// The digits of a phone number.
    Number(Arc<str>),
    Member(MemberId),
}

impl fmt::Display for LineRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension { extension, location: None } => f.write_str(extension),
            Self::Extension { extension, location: Some(location) } => write!(f, "{extension} of {location}"),
            Self::Number(digits) => write!(f, "+{digits}"),
            Self::Member(id) => write!(f, "{id}"),
        }
    }
}

impl LineRef {
    /// How a member is named in a network of the location `home`: by its extension, or else by its id.
    pub fn of(member: &Member, home: &LocationId) -> Option<Self> {
        let is_writable = |extension: &&Arc<str>| {
            !extension.is_empty() && extension.len() <= 10 && extension.bytes().all(|byte| byte.is_ascii_digit())
        };
        match member.extension.as_ref().filter(is_writable) {
            Some(extension) => {
                let elsewhere = member.location.as_ref().filter(|location| *location != home);
                let location = elsewhere.map(|location| location.as_str().into());
                Some(Self::Extension { extension: extension.clone(), location })
            }
            None => member.id.clone().map(Self::Member),
        }
    }
}

impl HandsetEntry {
    /// An entry that names no handset yet.
    pub const fn new(span: Span) -> Self {
        Self {
            span,
            id: None,
            line1: None,
            line2: None,
            reassigned_from: None,
            name: None,
            is_absent: false,
            is_recorded: false,
        }
    }

    /// All lines that it names.
    pub fn lines(&self) -> impl Iterator<Item = &LineRef> {
        let second = self.line2.as_ref().and_then(|line| line.value.as_ref());
        self.line1.iter().chain(&self.reassigned_from).map(|line| &line.value).chain(second)
    }
}
