//! Dependency graph of a location: A depends on B if A's new name or code is currently used by B.

use std::collections::HashMap;

use crate::model::{CodeText, NameKey, Setting};
use crate::resources::network::compare::NetworkChange;

/// Dependencies of each move: the move that currently holds the requested value, and the setting.
#[derive(Debug)]
pub(super) struct Dependencies(pub(super) Vec<Vec<(usize, Setting)>>);

impl Dependencies {
    pub(super) fn of(changes: &[NetworkChange<'_>]) -> Self {
        let mut by_name: HashMap<NameKey, Vec<usize>> = HashMap::new();
        let mut by_code: HashMap<&CodeText, Vec<usize>> = HashMap::new();
        for (at, change) in changes.iter().enumerate() {
            if let Some(name) = change.held_name() {
                by_name.entry(name).or_default().push(at);
            }
            if let Some(code) = change.held_code() {
                by_code.entry(code).or_default().push(at);
            }
        }
        let dependencies = changes.iter().enumerate().map(|(at, change)| {
            let name_holders = change.taken_name().and_then(|key| by_name.get(&key)).into_iter().flatten();
            let code_holders = change.taken_code().and_then(|code| by_code.get(code)).into_iter().flatten();
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
