//! The four settings of a DECT network that can be updated.

use std::sync::Arc;

use crate::model::{CodeText, NameKey, same_text};

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

    /// The settings that an update to `after` changes: what is hidden before and after it is sent, but not changed.
    pub fn changed_in(&self, after: &Self) -> SettingSet {
        self.diff(after).iter().filter(|setting| !self.hides(after, *setting)).collect()
    }

    /// Whether a setting is hidden here and stays so in `after`: a disabled code, which no read can show.
    pub fn hides(&self, after: &Self, setting: Setting) -> bool {
        setting == Setting::Code && self.code.is_none() && after.code_enabled == Some(false)
    }

    /// The settings whose values differ. Canonically equivalent Unicode texts (composed and decomposed letters) are
    /// equal: a server may return either form of what it was sent.
    pub fn diff(&self, other: &Self) -> SettingSet {
        Setting::ALL
            .into_iter()
            .filter(|setting| match setting {
                Setting::Name => !same_text(&self.name, &other.name),
                Setting::DisplayName => match (&self.display_name, &other.display_name) {
                    (Some(one), Some(other)) => !same_text(one, other),
                    (one, other) => one.is_some() != other.is_some(),
                },
                Setting::CodeEnabled => self.code_enabled != other.code_enabled,
                Setting::Code => self.code != other.code,
            })
            .collect()
    }

    /// The settings in which the live state differs from `sent`. What Webex hides or fills in by itself does not count.
    pub fn mismatched<'a>(&'a self, sent: &'a Self) -> impl Iterator<Item = Setting> + 'a {
        self.diff(sent).iter().filter(|setting| match setting {
            Setting::Name | Setting::CodeEnabled => true,
            // Without a display name in the request, Webex chooses its own.
            Setting::DisplayName => sent.display_name.is_some(),
            // A disabled code may be hidden.
            Setting::Code => self.code.is_some() || sent.code_enabled != Some(false),
        })
    }

    /// Whether the live settings are those that were sent, as far as a read shows.
    pub fn matches(&self, sent: &Self) -> bool {
        self.mismatched(sent).next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_texts_are_equal() {
        let settings = |name: &str, display_name: &str| Settings {
            name: name.into(),
            display_name: Some(display_name.into()),
            code_enabled: None,
            code: None,
        };
        let composed = settings("\u{c5}lesund", "S\u{f8}r \u{e9}");
        assert!(composed.diff(&settings("A\u{30a}lesund", "S\u{f8}r e\u{301}")).is_empty());
        assert_eq!(composed.diff(&settings("Alesund", "S\u{f8}r \u{e9}")), SettingSet::NONE.with(Setting::Name));
        assert_eq!(composed.diff(&settings("\u{e5}lesund", "S\u{f8}r \u{e9}")), SettingSet::NONE.with(Setting::Name));
    }
}
