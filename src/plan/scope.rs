//! Limits a run to some locations and networks, without breaking dependencies.

use std::collections::HashMap;

use super::compare::NetworkChange;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{LiveState, LocationIndex, NamePattern, Setting, Settings};

/// The locations and networks of a run. Patterns are case-insensitive.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    locations: Vec<NamePattern>,
    networks: Vec<NamePattern>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid pattern {pattern:?}: {reason}")]
pub struct ScopeError {
    pattern: String,
    reason: String,
}

impl Scope {
    /// Includes locations and networks (by old or new name) that match one of the patterns. Without patterns, all.
    ///
    /// # Errors
    /// If a pattern is invalid.
    pub fn new(locations: &[String], networks: &[String]) -> Result<Self, ScopeError> {
        Ok(Self { locations: set(locations)?, networks: set(networks)? })
    }

    /// Whether a location with this name is in scope.
    pub fn includes_location(&self, name: &str) -> bool {
        self.locations.is_empty() || self.locations.iter().any(|pattern| pattern.matches(name))
    }

    /// The first pattern that matches no live location, or no network of the locations in scope by its live or requested
    /// name: the option and the pattern. Such a pattern is probably misspelled, and would make a run a success that has
    /// looked at nothing.
    pub fn unmatched<'a>(
        &self,
        live: &LiveState,
        requested_names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<(&'static str, &str)> {
        let location = self
            .locations
            .iter()
            .find(|pattern| !live.locations().any(|(_, location)| pattern.matches(&location.name)))
            .map(|pattern| ("--location", pattern.as_str()));
        let in_scope = || live.locations().filter(|(_, location)| self.includes_location(&location.name));
        let matches = |pattern: &NamePattern| {
            requested_names.clone().any(|name| pattern.matches(name))
                || in_scope()
                    .any(|(at, _)| live.networks_of(at).any(|(_, network)| pattern.matches(&network.settings.name)))
        };
        let network = || {
            let pattern = self.networks.iter().find(|pattern| !matches(pattern))?;
            Some(("--network", pattern.as_str()))
        };
        location.or_else(network)
    }

    /// Whether a network with these old and new settings is in scope, regardless of its location.
    pub fn includes_network(&self, before: &Settings, after: &Settings) -> bool {
        self.networks.is_empty()
            || self.networks.iter().any(|pattern| pattern.matches(&before.name) || pattern.matches(&after.name))
    }
}

fn set(patterns: &[String]) -> Result<Vec<NamePattern>, ScopeError> {
    let read =
        |pattern: &String| NamePattern::new(pattern).map_err(|reason| ScopeError { pattern: pattern.clone(), reason });
    patterns.iter().map(read).collect()
}

/// Returns the moves in scope and the number of others. Reports every move that depends on one out of scope,
/// since it could never be made.
pub(super) fn apply_scope<'a>(
    location: LocationIndex,
    changes: Vec<NetworkChange<'a>>,
    scope: &Scope,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> (Vec<NetworkChange<'a>>, usize) {
    let before = |change: &NetworkChange<'_>| &live.network(change.network).settings;
    let in_location = scope.includes_location(&live.location(location).name);
    let (kept, out_of_scope): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| in_location && scope.includes_network(before(change), &change.after));
    let mut names = HashMap::new();
    let mut codes = HashMap::new();
    for change in &out_of_scope {
        names.insert(before(change).name_key(), change);
        if let Some(code) = &before(change).code {
            codes.insert(code, change);
        }
    }
    for change in &kept {
        let takes_name = change.after.name_key() != before(change).name_key();
        let takes_code = change.changed_settings.has(Setting::Code);
        let name_holder = names.get(&change.after.name_key()).filter(|_| takes_name);
        let code_holder = change.after.code.as_ref().and_then(|code| codes.get(code)).filter(|_| takes_code);
        if let Some(holder) = name_holder.or(code_holder) {
            let (name, missing) = (&before(change).name, &before(holder).name);
            diagnostics.push(
                Diagnostic::error(
                    DiagnosticCode::DependencyOutOfScope,
                    format!("{name:?} depends on {missing:?}, which is excluded by --location/--network"),
                )
                .with_span(change.entry.span())
                .help(format!("include it: --network {missing:?}")),
            );
        }
    }
    (kept, out_of_scope.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_patterns_everything_is_in_scope() {
        let scope = Scope::new(&["oslo*".to_owned()], &[]).expect("a pattern");
        assert!(scope.includes_location("Oslo HQ") && !scope.includes_location("Bergen"));
        assert!(Scope::default().includes_location("Bergen"));
        assert!(Scope::new(&["[".to_owned()], &[]).is_err());
    }
}
