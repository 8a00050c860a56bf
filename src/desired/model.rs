//! The desired state as data, each value with its span.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::Span;
use crate::model::{DesiredSettings, LocationId, Mac, NameKey, NetworkId, NetworkModel, Setting};

/// A value with its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Locations in file order; a location may occur more than once.
    pub locations: Vec<DesiredLocation>,
    /// Rules for networks without an entry, in order of application.
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
    /// The name before the rename.
    pub renamed_from: Option<Spanned<Arc<str>>>,
    /// The requested settings. An external code is set once it is resolved.
    pub desired: DesiredSettings,
    pub name_span: Option<Span>,
    pub code: Option<Spanned<CodeSource>>,
    /// The model, with which the network is created if it does not exist.
    pub model: Option<Spanned<NetworkModel>>,
    /// `state: absent`: the network is deleted.
    pub absent: Option<Span>,
    /// The base stations that are there or are removed; `None` if the entry does not speak of them.
    pub base_stations: Option<Vec<BaseStationEntry>>,
    /// Whether the entry itself sets something, apart from what `defaults` add.
    pub has_own_settings: bool,
    /// Whether its name only says which network is meant, as in a table of devices and beside the id of a network that is
    /// deleted. Otherwise it is the name that the network is to have.
    pub name_is_check: bool,
}

/// A base station that is there, or that is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseStationEntry {
    pub span: Span,
    pub mac: Spanned<Mac>,
    /// The base station that is removed as soon as this one is there.
    pub replaces: Option<Spanned<Mac>>,
    /// `state: absent`: it is removed.
    pub is_absent: bool,
}

impl NetworkEntry {
    /// The names by which it is in scope: the live one of its network, and the desired one.
    pub fn names<'a>(&'a self, live: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(live).chain(self.desired.name.as_ref().map(|name| name.as_str()))
    }

    pub const fn span(&self) -> Span {
        match &self.origin {
            Origin::File(span) | Origin::Rule { span, .. } => *span,
        }
    }

    /// The settings that the network is to have.
    pub fn requested_settings(&self) -> DesiredSettings {
        let name = self.desired.name.clone().filter(|_| !self.name_is_check);
        DesiredSettings { name, ..self.desired.clone() }
    }

    pub fn label(&self) -> &str {
        match (&self.desired.name, &self.id) {
            (Some(name), _) => name.as_str(),
            (None, Some(id)) => id.value.as_str(),
            (None, None) => "",
        }
    }

    /// Whether it only lists devices, of a network whose settings another entry may set.
    pub const fn is_list_only(&self) -> bool {
        self.base_stations.is_some()
            && !self.has_own_settings
            && self.renamed_from.is_none()
            && self.model.is_none()
            && self.absent.is_none()
    }

    /// Comparison key of the requested name.
    pub fn name_key(&self) -> Option<NameKey> {
        self.desired.name.as_ref().map(|name| NameKey::of(name.as_str()))
    }
}

/// A rule that sets the settings of every matching network. Its patterns and templates are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub span: Span,
    pub label: Arc<str>,
    /// Whether the rule is applied on every run.
    pub mode: RuleMode,
    /// Only locations whose name matches this glob.
    pub location: Option<Spanned<Arc<str>>>,
    /// Only networks whose values match these regular expressions as a whole.
    pub patterns: Vec<(Setting, Spanned<Arc<str>>)>,
    pub templates: Vec<(Setting, Spanned<Arc<str>>)>,
    /// Whether the default access code is enabled.
    pub code_enabled: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleMode {
    /// Applied on every run, so it must be idempotent.
    Persistent,
    OneShot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From an entry of a file.
    File(Span),
    Rule {
        span: Span,
        label: Arc<str>,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub enum CodeSource {
    /// A literal in the file, already part of the desired settings.
    Literal,
    Env(Arc<str>),
    /// From a separate file; the path is already resolved.
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
