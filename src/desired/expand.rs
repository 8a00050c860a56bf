//! Expands rules into entries: the desired settings of every live network that matches.
//!
//! Rules are applied in order, each to the result of the previous ones. Entries take precedence: a network with an entry
//! is not touched by rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;
use regex::Regex;

use super::model::{Desired, DesiredLocation, NetworkEntry, Origin, Rule, RuleMode, Spanned};
use super::rules::{COUNTER, captured, full_match_regex};
use super::template::{Templates, Variables};
use super::yaml::unusual_spaces;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, quoted_list, suggest};
use crate::model::{
    DISPLAY_NAME_RECOMMENDED_MAX, DesiredSettings, DisplayName, LiveState, Location, LocationIndex, NamePattern,
    NaturalName, NetworkIndex, NetworkName, Setting, SettingSet, Settings, nfc, quotes_hint,
};

const SPACES_HELP: &str =
    "remove it with the filter `trim` or in the pattern; a server that removes it would differ from the rule for ever";

#[derive(Clone, Copy)]
pub struct RuleContext<'a> {
    pub live: &'a LiveState,
    /// Whether an entry already manages a network.
    pub is_managed: &'a dyn Fn(NetworkIndex) -> bool,
    /// Whether a location is in the scope of the run.
    pub has_location: &'a dyn Fn(&str) -> bool,
    /// Whether a network with these settings before and after is in the scope of the run.
    pub has_network: &'a dyn Fn(&Settings, &Settings) -> bool,
    /// Whether this is a temporary name; the original name is then unknown.
    pub is_temporary_name: &'a dyn Fn(&str) -> bool,
}

/// Adds an entry to `desired` for every network that its rules match; reports invalid results in `diagnostics`.
pub fn expand(desired: &mut Desired, context: RuleContext<'_>, diagnostics: &mut Diagnostics) {
    let rules = std::mem::take(&mut desired.rules);
    let Some(first) = rules.first() else { return };
    let mut expander = RuleExpander {
        rules: CompiledRule::all(&rules),
        templates: Templates::new(),
        context,
        diagnostics,
        non_idempotent: BTreeSet::new(),
    };
    let mut matched = 0;
    for (at, location) in context.live.locations() {
        let entries = expander.location(at, location);
        matched += entries.iter().filter(|entry| entry.has_own_settings).count();
        if !entries.is_empty() {
            let id = Some(Spanned { value: location.id.clone(), span: first.span });
            desired.locations.push(DesiredLocation {
                span: first.span,
                name: None,
                id,
                guards: Vec::new(),
                guarded: Vec::new(),
                entries,
            });
        }
    }
    for rule in &rules {
        let names = || context.live.locations().map(|(_, location)| &*location.name);
        let Some(location) = &rule.location else { continue };
        if let Ok(pattern) = NamePattern::new(&location.value)
            && !names().any(|name| pattern.matches(name))
        {
            let near = suggest(&location.value, names());
            let help = if near.is_empty() {
                format!("locations with DECT networks: {}", quoted_list(names(), 8))
            } else {
                format!("did you mean {}?", quoted_list(near, 3))
            };
            let message = "no location matches this rule";
            diagnostics.warning(DiagnosticCode::NoMatch, location.span, message).help(help);
        }
    }
    if matched == 0 && first.mode == RuleMode::OneShot && !diagnostics.has_errors() {
        let in_scope = |at: LocationIndex| (context.has_location)(&context.live.location(at).name);
        let networks = context.live.locations().filter(|(at, _)| in_scope(*at));
        let networks = networks.flat_map(|(at, _)| context.live.networks_of(at)).map(|(_, network)| network);
        let values = networks.filter_map(|network| match first.patterns.first() {
            Some((setting, _)) => string_value(&network.settings, *setting),
            None => Some(&network.settings.name),
        });
        let patterns: Vec<&str> = first.patterns.iter().map(|(_, pattern)| &*pattern.value).collect();
        diagnostics.push(nothing_matches("network", &patterns, values).with_span(first.span));
    }
}

/// An error about a pattern that matches nothing, with values that it may mean.
pub(crate) fn nothing_matches<'a>(
    noun: &str,
    patterns: &[&str],
    values: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    const MOST_SHOWN: usize = 5;
    let shown: Vec<String> = patterns
        .iter()
        .map(|pattern| match quotes_hint(pattern) {
            Some(hint) => format!("{pattern} ({hint})"),
            None => (*pattern).to_owned(),
        })
        .collect();
    let values: BTreeSet<&str> = values.into_iter().collect();
    // The words of a pattern, which are seldom wrong, or else the whole without its groups and repetitions.
    let pattern = patterns.join(" ").to_lowercase();
    let words = || pattern.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 2);
    let has_word = |value: &&&str| words().any(|word| value.to_lowercase().contains(word));
    let mut near: Vec<&str> = values.iter().filter(has_word).copied().collect();
    if near.is_empty() {
        let literal: String = pattern.chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
        near = suggest(&literal, values.iter().copied());
    }
    let like = if near.is_empty() { quoted_list(values, MOST_SHOWN) } else { quoted_list(near, MOST_SHOWN) };
    let there = if like.is_empty() { format!("no {noun} is in scope") } else { format!("there are {like}") };
    let message = format!("no {noun} matches: {}", shown.join(", "));
    Diagnostic::error(DiagnosticCode::NoMatch, message).help(format!(
        "{there}; patterns match the whole value and are case-sensitive, as in \".*Ward.*\" or \"(?i)ward.*\""
    ))
}

/// Whether a rule applies to a location with this name.
pub fn any_rule_matches_location(rules: &[Rule], location: &str) -> bool {
    rules.iter().any(|rule| match &rule.location {
        Some(pattern) => NamePattern::new(&pattern.value).is_ok_and(|pattern| pattern.matches(location)),
        None => true,
    })
}

/// A rule whose patterns have been compiled.
struct CompiledRule<'a> {
    rule: &'a Rule,
    location: Option<NamePattern>,
    patterns: Vec<(Setting, Regex)>,
}

impl<'a> CompiledRule<'a> {
    /// Compiles all rules; invalid patterns were reported when the rules were parsed.
    fn all(rules: &'a [Rule]) -> Vec<Self> {
        rules.iter().filter_map(Self::new).collect()
    }

    fn new(rule: &'a Rule) -> Option<Self> {
        let location = match &rule.location {
            Some(location) => Some(NamePattern::new(&location.value).ok()?),
            None => None,
        };
        let patterns =
            rule.patterns.iter().map(|(setting, pattern)| Some((*setting, full_match_regex(&pattern.value).ok()?)));
        Some(Self { rule, location, patterns: patterns.collect::<Option<_>>()? })
    }

    /// Returns the capture groups if all patterns match.
    fn groups(&self, settings: &Settings) -> Option<Variables> {
        let mut groups = Variables::new();
        for (setting, pattern) in &self.patterns {
            let composed = nfc(string_value(settings, *setting)?);
            groups.extend(captured(pattern, &composed)?);
        }
        Some(groups)
    }
}

fn string_value(settings: &Settings, setting: Setting) -> Option<&str> {
    match setting {
        Setting::Name => Some(&settings.name),
        Setting::DisplayName => settings.display_name.as_deref(),
        Setting::CodeEnabled | Setting::Code => None,
    }
}

/// A network with the result of the rules applied so far.
#[derive(Clone)]
struct RuleTarget<'a> {
    network: NetworkIndex,
    live: &'a Settings,
    settings: Settings,
    /// The matching rules, and whether each changed something.
    matching_rules: Vec<(usize, bool)>,
    /// Spans of the templates that produced each value.
    template_spans: Vec<(Setting, Span)>,
}

struct RuleExpander<'a, 'r> {
    rules: Vec<CompiledRule<'r>>,
    templates: Templates,
    context: RuleContext<'a>,
    diagnostics: &'r mut Diagnostics,
    /// Limits non-idempotent rules to one report each.
    non_idempotent: BTreeSet<usize>,
}

impl<'a> RuleExpander<'a, '_> {
    fn location(&mut self, at: LocationIndex, location: &Location) -> Vec<NetworkEntry> {
        if !self.rules.iter().any(|rule| rule.applies_to(location)) {
            return Vec::new();
        }
        let live = self.context.live;
        let networks = live.networks_of(at).filter(|(network, _)| !(self.context.is_managed)(*network));
        if !(self.context.has_location)(&location.name) {
            let first = |settings: &Settings| {
                let matches = |rule: &&CompiledRule<'_>| rule.applies_to(location) && rule.groups(settings).is_some();
                self.rules.iter().find(matches)
            };
            return networks.filter_map(|(at, found)| self.bare_entry(first(&found.settings)?.rule, at)).collect();
        }
        let mut targets: Vec<RuleTarget<'a>> = networks
            .map(|(network, found)| RuleTarget {
                network,
                live: &found.settings,
                settings: found.settings.clone(),
                matching_rules: Vec::new(),
                template_spans: Vec::new(),
            })
            .collect();
        targets.sort_by_cached_key(|target| NaturalName::of(&target.live.name));
        self.report_temporary_names(&targets, location);
        targets.retain(|target| !(self.context.is_temporary_name)(&target.live.name));
        let results = self.apply(targets, location);
        self.report_non_idempotent(&results, location);
        results.into_iter().filter_map(|target| self.entry(target, location)).collect()
    }

    /// Applies all rules to the networks of a location, in counting order.
    fn apply<'s>(&mut self, mut targets: Vec<RuleTarget<'s>>, location: &Location) -> Vec<RuleTarget<'s>> {
        for (at, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.applies_to(location)) {
            let mut count = 0;
            for target in &mut targets {
                let Some(mut variables) = rule.groups(&target.settings) else { continue };
                count += 1;
                variables.insert("location".to_owned(), Value::from(&*location.name));
                variables.insert("name".to_owned(), Value::from(&*target.settings.name));
                let display_name = target.settings.display_name.as_deref().unwrap_or_default();
                variables.insert("displayName".to_owned(), Value::from(display_name));
                variables.insert(COUNTER.to_owned(), Value::from(count));
                let before = target.settings.clone();
                for (setting, template) in &rule.rule.templates {
                    match self.templates.render(&template.value, variables.clone()) {
                        Ok(text) => {
                            match setting {
                                Setting::Name => target.settings.name = text.into(),
                                _ => target.settings.display_name = Some(text.into()),
                            }
                            target.template_spans.retain(|(made, _)| made != setting);
                            target.template_spans.push((*setting, template.span));
                        }
                        // Networks out of scope are not checked.
                        Err(_) if !(self.context.has_network)(target.live, target.live) => {}
                        Err(words) => {
                            let message = format!("template failed for {:?}: {words}", target.live.name);
                            self.diagnostics.error(DiagnosticCode::InvalidTemplate, template.span, message);
                        }
                    }
                }
                if let Some(enabled) = rule.rule.code_enabled {
                    target.settings.code_enabled = Some(enabled);
                }
                target.matching_rules.push((at, target.settings != before));
            }
        }
        targets
    }

    /// A temporary name is no input for rules.
    fn report_temporary_names(&mut self, targets: &[RuleTarget<'_>], location: &Location) {
        for target in targets {
            let name = &target.live.name;
            if (self.context.is_temporary_name)(name) && (self.context.has_network)(target.live, target.live) {
                let id = &self.context.live.network(target.network).id;
                let message = format!("a network in {:?} has the temporary name {name:?}", location.name);
                let help = format!(
                    "an interrupted run left it; re-run that command, apply the plan next to its journal, or add \
                     an entry with id {id}"
                );
                self.diagnostics.push(Diagnostic::error(DiagnosticCode::LeftoverTemporaryName, message).help(help));
            }
        }
    }

    /// Checks idempotence: applies the rules to their own result.
    fn report_non_idempotent(&mut self, results: &[RuleTarget<'_>], location: &Location) {
        let mut again: Vec<RuleTarget<'_>> = results
            .iter()
            .map(|target| RuleTarget {
                network: target.network,
                live: &target.settings,
                settings: target.settings.clone(),
                matching_rules: Vec::new(),
                template_spans: Vec::new(),
            })
            .collect();
        again.sort_by_cached_key(|target| NaturalName::of(&target.live.name));
        let known = self.diagnostics.len();
        let again = self.apply(again, location);
        // A failure here was reported the first time, or concerns a result that is rejected below.
        self.diagnostics.truncate(known);
        let in_scope = |target: &&RuleTarget<'_>| (self.context.has_network)(target.live, &target.settings);
        let again: Vec<&RuleTarget<'_>> = again.iter().filter(in_scope).collect();
        for target in again.into_iter().filter(|target| target.settings != *target.live) {
            let Some((at, _)) = target.matching_rules.iter().find(|(_, changed)| *changed) else { continue };
            let rule = self.rules[*at].rule;
            let first = results.iter().find(|first| first.network == target.network);
            let Some(first) = first.filter(|_| self.non_idempotent.insert(*at)) else { continue };
            let change = |before: &Settings, after: &Settings| {
                let setting = before.diff(after).iter().next().unwrap_or(Setting::Name);
                format!("{:?}", string_value(after, setting).unwrap_or_default())
            };
            let (becomes, then) = (change(first.live, target.live), change(target.live, &target.settings));
            let was = &first.live.name;
            let diagnostic = match rule.mode {
                RuleMode::Persistent => Diagnostic::error(
                    DiagnosticCode::NonIdempotentRule,
                    format!("rule is not idempotent: {was:?} becomes {becomes}, and the next run changes it to {then}"),
                )
                .help("make the pattern exclude its own results, or use `dectl rename` for a one-time change"),
                RuleMode::OneShot => Diagnostic::warning(
                    DiagnosticCode::NonIdempotentRule,
                    format!(
                        "running the command twice would change its own result: {was:?} becomes {becomes}, then {then}"
                    ),
                )
                .help("run it once, or make the pattern exclude its own results"),
            };
            self.diagnostics.push(diagnostic.with_span(rule.span));
        }
    }

    /// The entry of a network out of scope, which a rule manages as well; that of a command is about its scope alone.
    fn bare_entry(&self, rule: &Rule, network: NetworkIndex) -> Option<NetworkEntry> {
        let id = self.context.live.network(network).id.clone();
        (rule.mode == RuleMode::Persistent).then(|| NetworkEntry {
            id: Some(Spanned { value: id, span: rule.span }),
            ..NetworkEntry::new(Origin::Rule { span: rule.span, label: rule.label.clone() })
        })
    }

    fn entry(&mut self, target: RuleTarget<'_>, location: &Location) -> Option<NetworkEntry> {
        let in_scope = (self.context.has_network)(target.live, &target.settings);
        let rule = self.rules[target.matching_rules.first()?.0].rule;
        if !in_scope {
            return self.bare_entry(rule, target.network);
        }
        let changed = target.live.diff(&target.settings);
        let desired = self.checked(&target, changed, location)?;
        let labels =
            target.matching_rules.iter().filter(|(_, changed)| *changed).map(|(at, _)| &*self.rules[*at].rule.label);
        let label: Arc<str> = labels.collect::<Vec<_>>().join(", ").into();
        let label = if label.is_empty() { rule.label.clone() } else { label };
        let id = self.context.live.network(target.network).id.clone();
        let template_spans =
            |setting| target.template_spans.iter().find(|(made, _)| *made == setting).map(|(_, span)| *span);
        Some(NetworkEntry {
            id: Some(Spanned { value: id, span: rule.span }),
            name_span: template_spans(Setting::Name).filter(|_| changed.has(Setting::Name)),
            desired,
            has_own_settings: true,
            ..NetworkEntry::new(Origin::Rule { span: rule.span, label })
        })
    }

    /// Validates the changed settings; reports invalid ones for this network.
    fn checked(
        &mut self,
        target: &RuleTarget<'_>,
        changed: SettingSet,
        location: &Location,
    ) -> Option<DesiredSettings> {
        let mut desired = DesiredSettings::default();
        let mut invalid_results = Vec::new();
        if changed.has(Setting::Name) {
            match NetworkName::new(&target.settings.name) {
                Ok(name) => desired.name = Some(name),
                Err(error) => invalid_results.push(("name", format!("{:?} {error}", target.settings.name))),
            }
        }
        if let Some(display_name) =
            target.settings.display_name.as_deref().filter(|_| changed.has(Setting::DisplayName))
        {
            let longer_than = |limit: usize| display_name.chars().count() > limit;
            // If the live display name is already longer, Webex accepts longer ones.
            let held = target.live.display_name.as_deref().map_or(0, |live| live.chars().count());
            match DisplayName::new(display_name) {
                Ok(_) if longer_than(DISPLAY_NAME_RECOMMENDED_MAX.max(held)) => invalid_results.push((
                    "display name",
                    format!(
                        "{display_name:?} has {} characters (recommended maximum {DISPLAY_NAME_RECOMMENDED_MAX})",
                        display_name.chars().count()
                    ),
                )),
                Ok(name) => desired.display_name = Some(name),
                Err(error) => invalid_results.push(("display name", format!("{display_name:?} {error}"))),
            }
        }
        if changed.has(Setting::CodeEnabled) {
            desired.code_enabled = target.settings.code_enabled;
        }
        for (what, text) in [
            ("name", desired.name.as_ref().map(|name| name.as_str())),
            ("display name", desired.display_name.as_ref().map(|name| name.as_str())),
        ] {
            // A value that is not changed is no result of the rule.
            let live = [Some(&target.live.name), target.live.display_name.as_ref()];
            let is_live = live.into_iter().flatten().any(|live| text == Some(&**live));
            if let Some(reason) = text.filter(|_| !is_live).and_then(unusual_spaces) {
                let message = format!("rule gives {:?}/{:?} a {what} with {reason}", location.name, target.live.name);
                self.diagnostics.push(Diagnostic::warning(DiagnosticCode::UnusualSpaces, message).help(SPACES_HELP));
            }
        }
        let fits = invalid_results.is_empty();
        for (what, reason) in invalid_results {
            let message =
                format!("rule produces an invalid {what} for {:?}/{:?}: {reason}", location.name, target.live.name);
            self.diagnostics.push(Diagnostic::error(DiagnosticCode::InvalidRuleResult, message));
        }
        fits.then_some(desired)
    }
}

impl CompiledRule<'_> {
    fn applies_to(&self, location: &Location) -> bool {
        self.location.as_ref().is_none_or(|pattern| pattern.matches(&location.name))
    }
}
