//! What the files ask for: data only, each wish with the place where it stands.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::Span;
use crate::model::{DesiredSettings, LocationId, NameKey, NetworkId, Setting};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Locations in the order of the files; one may come several times.
    pub locations: Vec<DesiredLocation>,
    /// Rules for networks that no entry speaks of, in the order in which they apply.
    pub rules: Vec<Rule>,
}

impl Desired {
    pub fn entries(&self) -> impl Iterator<Item = &NetworkEntry> {
        self.locations.iter().flat_map(|location| &location.entries)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredLocation {
    pub span: Span,
    pub name: Option<Spanned<Arc<str>>>,
    pub id: Option<Spanned<LocationId>>,
    pub entries: Vec<NetworkEntry>,
}

impl DesiredLocation {
    pub fn label(&self) -> &str {
        match (&self.name, &self.id) {
            (Some(name), _) => &name.value,
            (None, Some(id)) => id.value.as_str(),
            (None, None) => "",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEntry {
    pub origin: Origin,
    pub id: Option<Spanned<NetworkId>>,
    /// The name it has until the rename has happened.
    pub renamed_from: Option<Spanned<Arc<str>>>,
    /// The settings asked for. The code is there once it has been looked up.
    pub desired: DesiredSettings,
    pub name_span: Option<Span>,
    pub code: Option<Spanned<CodeSource>>,
}

impl NetworkEntry {
    pub const fn span(&self) -> Span {
        match &self.origin {
            Origin::File(span) | Origin::Rule { span, .. } => *span,
        }
    }

    pub fn label(&self) -> &str {
        match (&self.desired.name, &self.id) {
            (Some(name), _) => name.as_str(),
            (None, Some(id)) => id.value.as_str(),
            (None, None) => "",
        }
    }

    /// What its wanted name is compared by.
    pub fn name_key(&self) -> Option<NameKey> {
        self.desired.name.as_ref().map(|name| NameKey::of(name.as_str()))
    }
}

/// What every network that matches is to be like. Its patterns and templates have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub span: Span,
    pub label: Arc<str>,
    /// Whether it is applied again and again.
    pub mode: RuleMode,
    /// Only locations whose name matches this glob.
    pub location: Option<Spanned<Arc<str>>>,
    /// Only networks whose values match these regular expressions as a whole.
    pub patterns: Vec<(Setting, Spanned<Arc<str>>)>,
    pub templates: Vec<(Setting, Spanned<Arc<str>>)>,
    /// Whether the default access code is to be used.
    pub code_enabled: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleMode {
    /// Whenever its file is: what it makes, it must leave alone the next time.
    Persistent,
    OneShot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An entry of a file says so.
    File(Span),
    Rule {
        span: Span,
        label: Arc<str>,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub enum CodeSource {
    /// It stands in the file; the wish holds it already.
    Literal,
    Env(Arc<str>),
    /// From a file of its own, already relative to the file that names it.
    File(PathBuf),
}

impl std::fmt::Debug for CodeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal => f.write_str("Literal"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}
