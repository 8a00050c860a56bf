//! Limits a run to some locations and networks, without breaking dependencies.

use std::collections::HashMap;

use crate::diagnostic::{DiagnosticCode, Diagnostics};
use crate::model::{LiveState, LocationIndex, NamePattern, Network, NetworkIndex, Settings};
use crate::resources::network::compare::NetworkChange;

/// The locations and networks of a run. Patterns are case-insensitive.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    locations: Patterns,
    networks: Patterns,
}

/// Names that are included, all of them if there are none, and those that are excluded all the same: written `!GLOB`.
#[derive(Clone, Debug, Default)]
struct Patterns {
    included: Vec<NamePattern>,
    excluded: Vec<NamePattern>,
    /// As given, in the same order.
    texts: Vec<String>,
}

impl Patterns {
    fn new(patterns: &[String]) -> Result<Self, ScopeError> {
        let mut read = Self::default();
        for text in patterns {
            let glob = text.strip_prefix('!');
            let invalid = |reason: String| ScopeError { pattern: text.clone(), reason };
            if glob.is_some_and(|glob| glob.is_empty() || glob.starts_with('!')) {
                return Err(invalid("one `!` stands before the glob of what is excluded".to_owned()));
            }
            let pattern = NamePattern::new(glob.unwrap_or(text)).map_err(invalid)?;
            if glob.is_some() { &mut read.excluded } else { &mut read.included }.push(pattern);
            read.texts.push(text.clone());
        }
        Ok(read)
    }

    /// Whether something with these names is included: the old one and the new one.
    fn include<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> bool {
        let names: Vec<&str> = names.into_iter().collect();
        let any = |patterns: &[NamePattern]| names.iter().any(|name| patterns.iter().any(|one| one.matches(name)));
        !any(&self.excluded) && (self.included.is_empty() || any(&self.included))
    }

    /// The first pattern, as given, that does not match anything.
    fn unmatched(&self, matches: impl Fn(&NamePattern) -> bool) -> Option<&str> {
        let pattern = self.included.iter().chain(&self.excluded).find(|pattern| !matches(pattern))?;
        let is_it = |text: &&String| text.strip_prefix('!').unwrap_or(text) == pattern.as_str();
        self.texts.iter().find(is_it).map(String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid pattern {pattern:?}: {reason}")]
pub struct ScopeError {
    pattern: String,
    reason: String,
}

impl Scope {
    /// Includes locations and networks (by old or new name) that match one of the patterns, or all without patterns; but none
    /// that match one that begins with `!`.
    ///
    /// # Errors
    /// If a pattern is invalid.
    pub fn new(locations: &[String], networks: &[String]) -> Result<Self, ScopeError> {
        Ok(Self { locations: Patterns::new(locations)?, networks: Patterns::new(networks)? })
    }

    /// The options that say the same, sorted; `None` without patterns.
    pub fn as_options(&self) -> Option<String> {
        let option = |name: &str, patterns: &Patterns| {
            let mut options: Vec<String> = patterns.texts.iter().map(|text| format!("{name} {text:?}")).collect();
            options.sort();
            options
        };
        let options = [option("--location", &self.locations), option("--network", &self.networks)].concat();
        (!options.is_empty()).then(|| options.join(" "))
    }

    /// Whether a location with this name is in scope.
    pub fn includes_location(&self, name: &str) -> bool {
        self.locations.include([name])
    }

    /// The first pattern that matches no live location, or no network of the locations in scope by its live or requested
    /// name: the option and the pattern. Such a pattern is probably misspelled, and would make a run a success that has
    /// looked at nothing.
    pub fn unmatched<'a>(
        &self,
        live: &LiveState,
        requested_names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<(&'static str, &str)> {
        let has_location =
            |pattern: &NamePattern| live.locations().any(|(_, location)| pattern.matches(&location.name));
        let location = self.locations.unmatched(has_location).map(|pattern| ("--location", pattern));
        let in_scope = || live.locations().filter(|(_, location)| self.includes_location(&location.name));
        let matches = |pattern: &NamePattern| {
            requested_names.clone().any(|name| pattern.matches(name))
                || in_scope()
                    .any(|(at, _)| live.networks_of(at).any(|(_, network)| pattern.matches(&network.settings.name)))
        };
        let network = || self.networks.unmatched(matches).map(|pattern| ("--network", pattern));
        location.or_else(network)
    }

    /// Whether a network with these old and new settings is in scope, regardless of its location.
    pub fn includes_network(&self, before: &Settings, after: &Settings) -> bool {
        self.networks.include([&*before.name, &*after.name])
    }

    /// Whether a network of this location is in scope by one of its names: the old and the new ones.
    pub fn includes_any_name<'n>(&self, location: &str, names: impl IntoIterator<Item = &'n str>) -> bool {
        self.includes_location(location) && self.networks.include(names)
    }

    /// The live networks in scope by the names that they have.
    pub fn networks<'l>(&'l self, live: &'l LiveState) -> impl Iterator<Item = NetworkIndex> + 'l {
        let is_in_scope = |(at, network): &(NetworkIndex, &Network)| {
            self.includes_any_name(&live.location(live.location_of(*at)).name, [&*network.settings.name])
        };
        live.networks().filter(is_in_scope).map(|(at, _)| at)
    }

    /// Whether a network with this name is in scope, regardless of its location.
    pub fn includes_name(&self, name: &str) -> bool {
        self.networks.include([name])
    }
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
    let location = &live.location(location).name;
    let in_scope = |change: &NetworkChange<'_>| {
        let settings = change.settings_before().into_iter().chain(&change.after);
        scope.includes_any_name(location, settings.map(|settings| &*settings.name))
    };
    let (kept, out_of_scope): (Vec<_>, Vec<_>) = changes.into_iter().partition(in_scope);
    let mut names = HashMap::new();
    let mut codes = HashMap::new();
    for change in &out_of_scope {
        names.extend(change.held_name().map(|name| (name, change)));
        codes.extend(change.held_code().map(|code| (code, change)));
    }
    for change in &kept {
        let name_holder = change.taken_name().and_then(|name| names.get(&name));
        let code_holder = change.taken_code().and_then(|code| codes.get(code));
        if let Some(holder) = name_holder.or(code_holder) {
            let (name, missing) = (change.name(), holder.name());
            diagnostics
                .error(
                    DiagnosticCode::DependencyOutOfScope,
                    change.entry.span(),
                    format!("{name:?} depends on {missing:?}, which is excluded by --location/--network"),
                )
                .help(match scope.locations.excluded.is_empty() && scope.networks.excluded.is_empty() {
                    true => format!("include it: --network {missing:?}"),
                    false => format!("include it: drop the `!` pattern that excludes {missing:?}"),
                });
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
        let but_oslo =
            Scope::new(&["!oslo*".to_owned()], &["*Ward*".to_owned(), "!*Old*".to_owned()]).expect("patterns");
        assert!(!but_oslo.includes_location("Oslo HQ") && but_oslo.includes_location("Bergen"));
        assert!(but_oslo.includes_any_name("Bergen", ["Ward 1"]) && !but_oslo.includes_any_name("Bergen", ["Lab"]));
        assert!(!but_oslo.includes_any_name("Bergen", ["Old Ward", "Ward 2"]), "by its name before");
        assert_eq!(
            but_oslo.as_options().as_deref(),
            Some(r#"--location "!oslo*" --network "!*Old*" --network "*Ward*""#)
        );
        assert!(Scope::new(&["[".to_owned()], &[]).is_err());
    }
}
