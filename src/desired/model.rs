//! The desired state as data, each value with its span.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use super::spanned::Spanned;
use crate::diagnostic::Span;
use crate::model::{DesiredSettings, LiveState, LocationId, NameKey, NetworkId, NetworkModel, Setting};
pub use crate::resources::base_station::entry::BaseStationEntry;
pub use crate::resources::device_entries::DeviceEntries;
pub use crate::resources::handset::entry::{HandsetEntry, LineNames, LineRef};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The organization that the files are for, by its id or name.
    pub organization: Option<Spanned<Arc<str>>>,
    /// Locations in file order; a location may occur more than once.
    pub locations: Vec<DesiredLocation>,
    /// Rules for networks without an entry, in order of application.
    pub rules: Vec<Rule>,
}

impl Desired {
    pub fn entries(&self) -> impl Iterator<Item = &NetworkEntry> + Clone {
        self.locations.iter().flat_map(|location| &location.entries)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredLocation {
    pub span: Span,
    pub name: Option<Spanned<Arc<str>>>,
    pub id: Option<Spanned<LocationId>>,
    /// What keeps the networks of the location from being changed.
    pub guards: Vec<Guard>,
    /// Networks of which an entry says only that they are protected. They are not managed by it.
    pub guarded: Vec<GuardedNetwork>,
    pub entries: Vec<NetworkEntry>,
}

/// A network of which an entry says only that it is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedNetwork {
    pub span: Span,
    pub id: Option<Spanned<NetworkId>>,
    pub name: Option<Spanned<Arc<str>>>,
    pub guards: Vec<Guard>,
}

/// `protected: true` or `frozen`: what keeps something from being changed unless it is allowed by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub span: Span,
    /// When a freeze ends; `None` for what is protected.
    pub until: Option<jiff::Timestamp>,
    /// Why it is frozen.
    pub reason: Option<Arc<str>>,
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
    /// The names before renames.
    pub renamed_from: Vec<Spanned<Arc<str>>>,
    /// The requested settings. An external code is set once it is resolved.
    pub desired: DesiredSettings,
    pub name_span: Option<Span>,
    pub code: Option<Spanned<CodeSource>>,
    /// The model, with which the network is created if it does not exist.
    pub model: Option<Spanned<NetworkModel>>,
    /// `state: absent`: the network is deleted.
    pub absent: Option<Span>,
    /// What it says of what belongs to the network.
    pub devices: DeviceEntries,
    /// What keeps the network from being changed.
    pub guards: Vec<Guard>,
    /// Whether the entry itself sets something, apart from what `defaults` add.
    pub has_own_settings: bool,
    /// Whether its name only says which network is meant, as in a table of devices and beside the id of a network that is
    /// deleted. Otherwise it is the name that the network is to have.
    pub name_is_check: bool,
    /// Whether it comes from a journal, which knows what happened. Guards against mistakes in files do not hold for it.
    pub is_recorded: bool,
}

impl NetworkEntry {
    /// An entry that says nothing yet.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            id: None,
            renamed_from: Vec::new(),
            desired: DesiredSettings::default(),
            name_span: None,
            code: None,
            model: None,
            absent: None,
            devices: DeviceEntries::default(),
            guards: Vec::new(),
            has_own_settings: false,
            name_is_check: false,
            is_recorded: false,
        }
    }

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

    /// What messages call its network: by its live name if there is one.
    pub(crate) fn live_label<'a>(&'a self, live: &'a LiveState) -> &'a str {
        match self.id.as_ref().and_then(|id| live.find(&id.value)) {
            Some(at) => &live.network(at).settings.name,
            None => self.label(),
        }
    }

    /// Whether it says nothing but the name that the network with its id is to have.
    pub fn has_name_alone(&self) -> bool {
        let DesiredSettings { name, display_name, code_enabled, code } = &self.desired;
        let sets_more = display_name.is_some() || code_enabled.is_some() || code.is_some() || self.code.is_some();
        let is_more = self.devices.speak() || self.model.is_some() || self.absent.is_some();
        self.id.is_some() && name.is_some() && !sets_more && !is_more && self.renamed_from.is_empty()
    }

    /// Whether it only lists devices, of a network whose settings another entry may set.
    pub fn is_list_only(&self) -> bool {
        self.devices.speak()
            && !self.has_own_settings
            && self.renamed_from.is_empty()
            && self.model.is_none()
            && self.absent.is_none()
    }

    /// What it names its network by.
    pub(crate) fn key(&self) -> Option<NetworkKey> {
        let id = self.id.as_ref().map(|id| NetworkKey::Id(id.value.clone()));
        id.or_else(|| self.name_key().map(NetworkKey::Name))
    }

    /// Comparison key of the requested name.
    pub fn name_key(&self) -> Option<NameKey> {
        self.desired.name.as_ref().map(|name| NameKey::of(name.as_str()))
    }
}

/// What an entry names its network by, within its location.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NetworkKey {
    Id(NetworkId),
    Name(NameKey),
}

/// A network by the number of its location, and by what an entry names it by there.
pub(crate) type NetworkPlace = (usize, NetworkKey);

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

impl fmt::Debug for CodeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal => f.write_str("Literal"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}
