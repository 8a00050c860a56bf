//! Writes whether serviceability passwords are enabled into a desired-state file.

use super::state::PasswordStatus;
use crate::desired::yaml_writer::{Purpose, YamlWriter};

impl YamlWriter {
    /// Adds whether the serviceability password of the last network is enabled, if that is known.
    pub(in crate::resources) fn serviceability_password(&mut self, status: PasswordStatus, purpose: Purpose<'_>) {
        let remark = match status {
            PasswordStatus::Unknown => return,
            // What is enabled may not exist ("Get DECT Serviceability Password status").
            PasswordStatus::Enabled if purpose.has_remarks() => " # whether one was ever generated cannot be read",
            PasswordStatus::Enabled | PasswordStatus::Disabled => "",
        };
        self.text.push_str(&format!("        serviceabilityPassword: {}{remark}\n", status.as_str()));
    }
}
