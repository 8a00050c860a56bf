//! The serviceability password of a network: whether it is enabled, and one that was generated.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the serviceability password of a network is enabled. It may be although none was ever generated ("Get DECT
/// Serviceability Password status").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PasswordStatus {
    Enabled,
    Disabled,
    /// That of a network which is created: it is set, whatever it is.
    Unknown,
}

impl PasswordStatus {
    pub const fn of(is_enabled: bool) -> Self {
        if is_enabled { Self::Enabled } else { Self::Disabled }
    }

    /// One that a file may ask for.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|status| status.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown",
        }
    }
}

/// A password that Webex has generated and shows this once. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceabilityPassword(Arc<str>);

impl ServiceabilityPassword {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The password in the clear: for a terminal, and for encrypted files.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServiceabilityPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}
