//! The desired settings of one network: the four settings, each optional and valid.

use super::settings::{Setting, SettingSet, Settings};
use crate::model::{AccessCode, CodeError, DisplayName, NameError, NetworkName};

/// Desired settings. `None` keeps the live value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredSettings {
    /// `name`
    pub name: Option<NetworkName>,
    /// `displayName`
    pub display_name: Option<DisplayName>,
    /// `defaultAccessCodeEnabled`
    pub code_enabled: Option<bool>,
    /// `defaultAccessCode`
    pub code: Option<AccessCode>,
}

/// Why a live value is not valid as a desired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Code(#[from] CodeError),
}

impl DesiredSettings {
    /// Requests the value that a setting has in `live`, if it has one.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn set_from(&mut self, live: &Settings, setting: Setting) -> Result<(), SettingError> {
        match setting {
            Setting::Name => self.name = Some(NetworkName::as_listed(&live.name)?),
            Setting::DisplayName => {
                self.display_name = live.display_name.as_deref().map(DisplayName::as_listed).transpose()?
            }
            Setting::CodeEnabled => self.code_enabled = live.code_enabled,
            Setting::Code => {
                self.code = live.code.as_ref().map(|code| AccessCode::new(code.expose_secret())).transpose()?;
            }
        }
        Ok(())
    }

    /// The settings to send to a network with the settings `live`, and which of them change.
    ///
    /// A code that the list hides while codes are disabled is part of the request, since the schema requires one, but
    /// not a difference: no read could ever show it as equal.
    pub fn merge_into(&self, live: &Settings) -> (Settings, SettingSet) {
        let after = Settings {
            name: self.name.as_ref().map_or_else(|| live.name.clone(), NetworkName::shared),
            display_name: self.display_name.as_ref().map(DisplayName::shared).or_else(|| live.display_name.clone()),
            code_enabled: self.code_enabled.or(live.code_enabled),
            code: self.code.map(AccessCode::to_code_text).or_else(|| live.code.clone()),
        };
        let changed = live.changed_in(&after);
        // An equivalent text is sent back as it is.
        let name = if changed.has(Setting::Name) { after.name } else { live.name.clone() };
        let display_name =
            if changed.has(Setting::DisplayName) { after.display_name } else { live.display_name.clone() };
        (Settings { name, display_name, ..after }, changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CodeText;

    fn live() -> Settings {
        Settings {
            name: "Ward 1".into(),
            display_name: Some("W1".into()),
            code_enabled: Some(true),
            code: Some(CodeText::new("12345")),
        }
    }

    #[test]
    fn omitted_settings_keep_live_values() {
        let (after, changed) = DesiredSettings::default().merge_into(&live());
        assert_eq!(after, live());
        assert!(changed.is_empty());
    }

    #[test]
    fn a_hidden_code_is_sent_and_is_no_difference() {
        let live = Settings { code_enabled: Some(false), code: None, ..live() };
        let desired = DesiredSettings { code: AccessCode::new("0042").ok(), ..DesiredSettings::default() };
        let (after, changed) = desired.merge_into(&live);
        assert_eq!(after.code, Some(CodeText::new("0042")));
        assert!(changed.is_empty());

        let enabling = DesiredSettings { code_enabled: Some(true), ..desired };
        assert_eq!(enabling.merge_into(&live).1, SettingSet::NONE.with(Setting::CodeEnabled).with(Setting::Code));
    }
}
