//! The serviceability password of a network.

use std::fmt;
use std::sync::Arc;

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
