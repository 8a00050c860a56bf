//! The four settings of a DECT network that can be updated.

use std::sync::Arc;

use super::code::CodeText;
use super::name_key::NameKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// `name`
    Name,
    /// `displayName`
    DisplayName,
    /// `defaultAccessCodeEnabled`
    CodeEnabled,
    /// `defaultAccessCode`
    Code,
}

impl Setting {
    /// All settings, in display order.
    pub const ALL: [Self; 4] = [Self::Name, Self::DisplayName, Self::CodeEnabled, Self::Code];

    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::DisplayName => "displayName",
            Self::CodeEnabled => "defaultAccessCodeEnabled",
            Self::Code => "defaultAccessCode",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SettingSet(u8);

impl SettingSet {
    pub const NONE: Self = Self(0);

    /// This set and `setting`.
    #[must_use]
    pub const fn with(self, setting: Setting) -> Self {
        Self(self.0 | 1 << setting as u8)
    }

    /// Whether `setting` is in the set.
    pub const fn has(self, setting: Setting) -> bool {
        self.0 & (1 << setting as u8) != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its settings, in display order.
    pub fn iter(self) -> impl Iterator<Item = Setting> {
        Setting::ALL.into_iter().filter(move |setting| self.has(*setting))
    }
}

impl FromIterator<Setting> for SettingSet {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> Self {
        settings.into_iter().fold(Self::NONE, Self::with)
    }
}

/// Settings as read or as sent. Any value is legal: live values are kept and sent back unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// `name`; empty if the response has none.
    pub name: Arc<str>,
    /// `displayName`, if the response has one.
    pub display_name: Option<Arc<str>>,
    /// `defaultAccessCodeEnabled`, if the response has it.
    pub code_enabled: Option<bool>,
    /// `defaultAccessCode`, if the response has one: it may be hidden while it is disabled.
    pub code: Option<CodeText>,
}

impl Settings {
    pub fn name_key(&self) -> NameKey {
        NameKey::of(&self.name)
    }

    pub fn diff(&self, other: &Self) -> SettingSet {
        Setting::ALL
            .into_iter()
            .filter(|setting| match setting {
                Setting::Name => self.name != other.name,
                Setting::DisplayName => self.display_name != other.display_name,
                Setting::CodeEnabled => self.code_enabled != other.code_enabled,
                Setting::Code => self.code != other.code,
            })
            .collect()
    }
}
