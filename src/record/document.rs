//! The JSON of settings as they are kept: codes in the clear, since undoing a run needs them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::seal::CodeSeal;
use crate::model::{CodeText, Settings};

/// Settings as they are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SettingsDocument {
    name: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_access_code_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_access_code: Option<String>,
}

impl SettingsDocument {
    /// The same with its code sealed. A code that cannot be sealed is left out rather than kept in the clear.
    pub(super) fn sealed(mut self, seal: Option<&CodeSeal>) -> Self {
        if let Some(seal) = seal {
            self.default_access_code = self.default_access_code.and_then(|code| seal.seal(&code));
        }
        self
    }

    /// The same with its code opened; nothing if it does not open.
    pub(super) fn opened(mut self, seal: &CodeSeal) -> Option<Self> {
        if let Some(code) = self.default_access_code.take() {
            self.default_access_code = Some(seal.open(&code)?);
        }
        Some(self)
    }
}

impl From<&Settings> for SettingsDocument {
    fn from(settings: &Settings) -> Self {
        Self {
            name: Arc::clone(&settings.name),
            display_name: settings.display_name.clone(),
            default_access_code_enabled: settings.code_enabled,
            default_access_code: settings.code.as_ref().map(|code| code.expose_secret().to_owned()),
        }
    }
}

impl From<SettingsDocument> for Settings {
    fn from(document: SettingsDocument) -> Self {
        Self {
            name: document.name,
            display_name: document.display_name,
            code_enabled: document.default_access_code_enabled,
            code: document.default_access_code.map(CodeText::new),
        }
    }
}
