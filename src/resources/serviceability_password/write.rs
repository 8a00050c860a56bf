//! Writes whether serviceability passwords are enabled into a desired-state file.

use super::state::PasswordStatus;
use crate::desired::yaml_writer::{YamlWriter, one_line};

impl YamlWriter {
    /// Adds whether the serviceability password of the last network is enabled.
    pub fn serviceability_password(&mut self, status: PasswordStatus, remark: Option<&str>) {
        let remark = remark.map(|remark| format!(" # {}", one_line(remark))).unwrap_or_default();
        self.text.push_str(&format!("        serviceabilityPassword: {}{remark}\n", status.as_str()));
    }
}
