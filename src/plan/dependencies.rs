//! Dependency graph of a location: A depends on B if A's new name or code is currently used by B.

use std::collections::HashMap;

use super::compare::NetworkChange;
use crate::model::{LiveState, NameKey, Setting};

/// Dependencies of each move: the move that currently holds the requested value, and the setting.
#[derive(Debug)]
pub(super) struct Dependencies(pub(super) Vec<Vec<(usize, Setting)>>);

impl Dependencies {
    pub(super) fn of(changes: &[NetworkChange<'_>], live: &LiveState) -> Self {
        let mut by_name: HashMap<NameKey, Vec<usize>> = HashMap::new();
        let mut by_code = HashMap::new();
        let before = |at: usize| &live.network(changes[at].network).settings;
        for at in 0..changes.len() {
            by_name.entry(before(at).name_key()).or_default().push(at);
            if let Some(code) = &before(at).code {
                by_code.entry(code.clone()).or_insert_with(Vec::new).push(at);
            }
        }
        let dependencies = changes.iter().enumerate().map(|(at, change)| {
            let name = Some(change.after.name_key()).filter(|key| *key != before(at).name_key());
            let code = change.after.code.as_ref().filter(|_| change.changed_settings.has(Setting::Code));
            let name_holders = name.and_then(|key| by_name.get(&key)).into_iter().flatten();
            let code_holders = code.and_then(|code| by_code.get(code)).into_iter().flatten();
            name_holders
                .map(|holder| (*holder, Setting::Name))
                .chain(code_holders.map(|holder| (*holder, Setting::Code)))
                .filter(|(holder, _)| *holder != at)
                .collect()
        });
        Self(dependencies.collect())
    }

    pub(super) fn targets(&self) -> Vec<Vec<usize>> {
        self.0.iter().map(|dependencies| dependencies.iter().map(|(holder, _)| *holder).collect()).collect()
    }

    /// Whether the requested value of `setting` is available immediately.
    pub(super) fn is_free(&self, of: usize, setting: Setting) -> bool {
        !self.0[of].iter().any(|(_, by)| *by == setting)
    }
}
