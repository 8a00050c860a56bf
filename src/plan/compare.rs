//! Compares the desired with the current settings of each managed network.

use super::matching::Managed;
use crate::desired::model::NetworkEntry;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{LiveState, Network, NetworkIndex, Setting, SettingSet, Settings};

#[derive(Debug)]
pub(super) struct NetworkChange<'a> {
    pub(super) network: NetworkIndex,
    pub(super) entry: &'a NetworkEntry,
    pub(super) after: Settings,
    pub(super) changed_settings: SettingSet,
}

/// The networks of a location that change, and the number of unchanged ones.
pub(super) fn compare<'a>(
    managed: &Managed<'a>,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> (Vec<NetworkChange<'a>>, usize) {
    let mut changes = Vec::new();
    for (network, entry) in &managed.networks {
        let (after, changed) = entry.desired.merge_into(&live.network(*network).settings);
        if changed.is_empty() {
            continue;
        }
        for setting in missing(&after) {
            diagnostics.push(missing_required_setting(entry, live.network(*network), setting));
        }
        changes.push(NetworkChange { network: *network, entry, after, changed_settings: changed });
    }
    let unchanged = managed.networks.len() - changes.len();
    (changes, unchanged)
}

/// Required settings that are neither requested nor known.
fn missing(after: &Settings) -> impl Iterator<Item = Setting> {
    [
        (Setting::Name, after.name.trim().is_empty()),
        (Setting::CodeEnabled, after.code_enabled.is_none()),
        (Setting::Code, after.code.as_ref().is_none_or(|code| code.expose_secret().is_empty())),
    ]
    .into_iter()
    .filter(|(_, missing)| *missing)
    .map(|(setting, _)| setting)
}

fn missing_required_setting(entry: &NetworkEntry, network: &Network, setting: Setting) -> Diagnostic {
    let field = setting.api_name();
    let label = if network.settings.name.is_empty() { network.id.as_str() } else { &network.settings.name };
    Diagnostic::error(
        DiagnosticCode::MissingSetting,
        format!("the update of {label:?} requires `{field}`, and the API does not return the current value"),
    )
    .with_span(entry.span())
    .help(format!("add `{field}` to this entry"))
}
