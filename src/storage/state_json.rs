//! The JSON form of states in plans and journals. Includes access codes, since undoing a run needs them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{BaseStation, CodeText, Handset, PasswordStatus, Settings};
use crate::plan::model::ResourceState;
use crate::storage::encryption::PlanKey;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
    pub(super) fn encrypted(mut self, key: Option<&PlanKey>) -> Self {
        if let Some(key) = key {
            self.default_access_code = self.default_access_code.and_then(|code| key.encrypt_code(&code));
        }
        self
    }

    /// The same with its code decrypted; `None` if that fails.
    pub(super) fn decrypted(mut self, key: &PlanKey) -> Option<Self> {
        if let Some(code) = self.default_access_code.take() {
            self.default_access_code = Some(key.decrypt_code(&code)?);
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

/// The state of one thing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum StateJson {
    Network {
        settings: SettingsJson,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<Arc<str>>,
    },
    BaseStation(BaseStation),
    Handset(Box<Handset>),
    ServiceabilityPassword {
        status: PasswordStatus,
    },
}

impl StateJson {
    /// The same with its code encrypted.
    pub(super) fn encrypted(self, key: Option<&PlanKey>) -> Self {
        match self {
            Self::Network { settings, model } => Self::Network { settings: settings.encrypted(key), model },
            other => other,
        }
    }

    /// The same with its code decrypted; `None` if that fails.
    pub(super) fn decrypted(self, key: &PlanKey) -> Option<Self> {
        Some(match self {
            Self::Network { settings, model } => Self::Network { settings: settings.decrypted(key)?, model },
            other => other,
        })
    }
}

impl From<&ResourceState> for StateJson {
    fn from(state: &ResourceState) -> Self {
        match state {
            ResourceState::Network { settings, model } => {
                Self::Network { settings: settings.into(), model: model.clone() }
            }
            ResourceState::BaseStation(station) => Self::BaseStation(station.clone()),
            ResourceState::Handset(handset) => Self::Handset(handset.clone()),
            ResourceState::ServiceabilityPassword(status) => Self::ServiceabilityPassword { status: *status },
        }
    }
}

impl From<StateJson> for ResourceState {
    fn from(document: StateJson) -> Self {
        match document {
            StateJson::Network { settings, model } => Self::Network { settings: settings.into(), model },
            StateJson::BaseStation(station) => Self::BaseStation(station),
            StateJson::Handset(handset) => Self::Handset(handset),
            StateJson::ServiceabilityPassword { status } => Self::ServiceabilityPassword(status),
        }
    }
}
