//! Edits by another client, as an admin would make them in Control Hub.

use super::organization::SimulatedOrganization;
use crate::model::NetworkId;

/// An edit by another client.
#[derive(Clone, Debug)]
pub struct ExternalEdit {
    pub name: String,
    pub display_name: Option<String>,
    pub code: Option<String>,
}

impl SimulatedOrganization {
    /// Edits a network as another client would, within the rules.
    pub fn external_edit(&mut self, network: &NetworkId, edit: impl FnOnce(&mut ExternalEdit)) {
        let Some(mut changed) = self.state.remove(network) else { return };
        self.external_edits += 1;
        let mut seen = ExternalEdit {
            name: changed.name.clone(),
            display_name: changed.display_name.clone(),
            code: changed.code.clone(),
        };
        edit(&mut seen);
        let free = !self.state.holds_name(&changed.location, &seen.name, None)
            && !seen.code.as_ref().is_some_and(|code| self.state.holds_code(&changed.location, code, None));
        if free {
            (changed.name, changed.display_name, changed.code) = (seen.name, seen.display_name, seen.code);
        }
        self.state.insert(changed);
    }

    pub fn external_delete(&mut self, network: &NetworkId) {
        if self.state.remove(network).is_some() {
            self.external_edits += 1;
        }
    }
}
