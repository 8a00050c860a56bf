//! A handset as a file asks for it, and how a file names the member on a line.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::member::Member;
use crate::desired::spanned::Spanned;
use crate::diagnostic::Span;
use crate::model::{HandsetId, HandsetName, LiveState, LocationId, MemberId};

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

/// Most digits of an extension.
pub(crate) const MAX_EXTENSION_DIGITS: usize = 10;

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

/// How the members of an organization are named in files.
#[derive(Debug, Default)]
pub struct LineNames<'a> {
    /// Extensions that several members of a location have, so that they name none of them.
    shared: HashSet<(&'a LocationId, &'a str)>,
}

impl<'a> LineNames<'a> {
    /// For members that are on handsets which were read, or available for some.
    pub fn of(live: &'a LiveState) -> Self {
        let (mut ids, mut shared) = (HashMap::new(), HashSet::new());
        for member in live.known_members() {
            if let Member { id: Some(id), extension: Some(extension), location: Some(location), .. } = member {
                let key = (location, &**extension);
                if ids.insert(key, id).is_some_and(|other| other != id) {
                    shared.insert(key);
                }
            }
        }
        Self { shared }
    }

    /// How a member is named in a network of the location `home`: by its extension, or else by its id.
    pub fn name(&self, member: &Member, home: &LocationId) -> Option<LineRef> {
        let location = member.location.as_ref().unwrap_or(home);
        let is_writable = |extension: &&Arc<str>| {
            let is_number = extension.bytes().all(|byte| byte.is_ascii_digit());
            let is_long = extension.is_empty() || extension.len() > MAX_EXTENSION_DIGITS;
            is_number && !is_long && !self.shared.contains(&(location, &***extension))
        };
        match member.extension.as_ref().filter(is_writable) {
            Some(extension) => {
                let location = (location != home).then(|| location.as_str().into());
                Some(LineRef::Extension { extension: extension.clone(), location })
            }
            None => member.id.clone().map(LineRef::Member),
        }
    }
}

impl HandsetEntry {
    /// What it asks for: its fields as text.
    pub(in crate::resources) fn asked(&self) -> [(&'static str, Option<String>); 3] {
        let line = |line: Option<&LineRef>| line.map(|line| format!("{line:?}"));
        [
            ("customDisplayName", self.name.as_ref().map(|name| name.value.as_str().to_owned())),
            ("line1", line(self.line1.as_ref().map(|line| &line.value))),
            ("line2", self.line2.as_ref().map(|second| format!("{:?}", line(second.value.as_ref())))),
        ]
    }

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
