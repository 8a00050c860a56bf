//! The JSON form of settings in plans and journals. Includes access codes, since undoing a run needs them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{CodeText, Settings};
use crate::storage::encryption::CodeCipher;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SettingsJson {
    name: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_access_code_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_access_code: Option<String>,
}

impl SettingsJson {
    /// The same with its code encrypted. A code that cannot be encrypted is omitted rather than stored in plain text.
    pub(super) fn encrypted(mut self, cipher: Option<&CodeCipher>) -> Self {
        if let Some(cipher) = cipher {
            self.default_access_code = self.default_access_code.and_then(|code| cipher.encrypt(&code));
        }
        self
    }

    /// The same with its code decrypted; `None` if that fails.
    pub(super) fn decrypted(mut self, cipher: &CodeCipher) -> Option<Self> {
        if let Some(code) = self.default_access_code.take() {
            self.default_access_code = Some(cipher.decrypt(&code)?);
        }
        Some(self)
    }
}

impl From<&Settings> for SettingsJson {
    fn from(settings: &Settings) -> Self {
        Self {
            name: Arc::clone(&settings.name),
            display_name: settings.display_name.clone(),
            default_access_code_enabled: settings.code_enabled,
            default_access_code: settings.code.as_ref().map(|code| code.expose_secret().to_owned()),
        }
    }
}

impl From<SettingsJson> for Settings {
    fn from(document: SettingsJson) -> Self {
        Self {
            name: document.name,
            display_name: document.display_name,
            code_enabled: document.default_access_code_enabled,
            code: document.default_access_code.map(CodeText::new),
        }
    }
}
