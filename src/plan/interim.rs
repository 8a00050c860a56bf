//! Settings of an interim step: only what must be released is temporary, every other setting is already final
//! where possible.

use std::collections::{HashMap, HashSet};

use super::dependencies::Dependencies;
use super::temporary;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{AccessCode, CodeText, LiveState, LocationIndex, NameKey, Setting, Settings};
use crate::resources::network::compare::NetworkChange;

/// A move that must release some settings before its final step.
#[derive(Debug)]
pub(super) struct InterimNeed {
    pub(super) of: usize,
    pub(super) settings: Vec<Setting>,
}

#[derive(Debug, Default)]
pub(super) struct InterimStates(HashMap<usize, (Settings, Vec<Setting>)>);

impl InterimStates {
    /// Chooses temporary names and codes that are valid, free and not requested by any network; reports and returns `None`
    /// if there are none.
    pub(super) fn choose(
        location: LocationIndex,
        changes: &[NetworkChange<'_>],
        dependencies: &Dependencies,
        interim_needs: &[InterimNeed],
        live: &LiveState,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        if interim_needs.is_empty() {
            return Some(Self::default());
        }
        let mut used = UsedValues::of(location, changes, live);
        let mut interim_states = HashMap::new();
        for need in interim_needs {
            let change = &changes[need.of];
            // Only an update both holds and takes something, so that it can be part of a cycle.
            let (Some(before), Some(after)) = (change.settings_before(), &change.after) else { continue };
            let must_move = |setting| need.settings.contains(&setting);
            let may_be_final = |setting| dependencies.is_free(need.of, setting);

            let mut interim = after.clone();
            // A code that is disabled on the way may be hidden from the run that continues this one.
            if after.code_enabled == Some(false) {
                interim.code_enabled = before.code_enabled;
            }
            if !may_be_final(Setting::Name) {
                interim.name = if must_move(Setting::Name) {
                    used.temporary_name(location, &after.name, live)?
                } else {
                    before.name.clone()
                };
            }
            if !may_be_final(Setting::Code) {
                // One that Webex hides cannot be sent again.
                interim.code = if must_move(Setting::Code) || before.code.is_none() {
                    match used.temporary_code(&after.name) {
                        Some(code) => Some(code),
                        None => {
                            diagnostics.push(no_free_code(location, live));
                            return None;
                        }
                    }
                } else {
                    before.code.clone()
                };
                // While codes are disabled, Webex generates the code, so it cannot be released.
                interim.code_enabled = before.code_enabled;
            }
            let releases = [
                (Setting::Name, interim.name_key() != before.name_key()),
                (Setting::Code, interim.code != before.code),
            ];
            let releases = releases.into_iter().filter(|(_, moved)| *moved).map(|(setting, _)| setting).collect();
            interim_states.insert(need.of, (interim, releases));
        }
        Some(Self(interim_states))
    }

    pub(super) fn settings(&self, of: usize) -> Option<&Settings> {
        self.0.get(&of).map(|(settings, _)| settings)
    }

    /// Whether the interim step of a move already releases its current value.
    pub(super) fn releases(&self, of: usize, setting: Setting) -> bool {
        self.0.get(&of).is_some_and(|(_, released)| released.contains(&setting))
    }
}

/// Names and codes of a location that are in use or requested.
struct UsedValues {
    names: HashSet<NameKey>,
    codes: HashSet<CodeText>,
}

impl UsedValues {
    fn of(location: LocationIndex, changes: &[NetworkChange<'_>], live: &LiveState) -> Self {
        let settings = || {
            let held = live.networks_of(location).map(|(_, network)| &network.settings);
            held.chain(changes.iter().filter_map(|change| change.after.as_ref()))
        };
        Self {
            names: settings().map(Settings::name_key).collect(),
            codes: settings().filter_map(|settings| settings.code.clone()).collect(),
        }
    }

    fn temporary_name(
        &mut self,
        location: LocationIndex,
        desired: &str,
        live: &LiveState,
    ) -> Option<std::sync::Arc<str>> {
        let location = &live.location(location).id;
        // As many attempts as there are names, so one is free.
        (0..=self.names.len())
            .filter_map(|attempt| temporary::temporary_name(location, desired, attempt))
            .find(|name| self.names.insert(NameKey::of(name.as_str())))
            .map(|name| name.shared())
    }

    /// Finds a free code. The start of the search is derived from the network, so it is stable across runs.
    fn temporary_code(&mut self, desired: &str) -> Option<CodeText> {
        let seed = desired.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let start = (seed % u32::from(AccessCode::COUNT)) as u16;
        (start..AccessCode::COUNT)
            .chain(0..start)
            .filter_map(AccessCode::from_number)
            .map(AccessCode::to_code_text)
            .find(|code| self.codes.insert(code.clone()))
    }
}

fn no_free_code(location: LocationIndex, live: &LiveState) -> Diagnostic {
    Diagnostic::error(
        DiagnosticCode::NoFreeCode,
        format!("{:?} has no free access code for a temporary one", live.location(location).name),
    )
    .help("10,000 codes are in use, requested, or needed for a moment; exchange fewer codes in one run (`--network`)")
}
