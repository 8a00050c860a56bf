//! Rules and the live organization as entries: what each network that matches is to be like.
//!
//! Rules are applied in order, each to what those before it have made of a network. An entry wins: a network that one
//! speaks of is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;
use regex::Regex;

use super::model::{Desired, DesiredLocation, NetworkEntry, Origin, Rule, RuleMode, Spanned};
use super::rules::{COUNTER, full_match_regex};
use super::template::{Templates, Variables};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, quoted_list, suggest};
use crate::model::{
    DISPLAY_NAME_RECOMMENDED_MAX, DesiredSettings, DisplayName, LiveState, Location, LocationIndex, NamePattern,
    NetworkIndex, NetworkName, Setting, SettingSet, Settings,
};

#[derive(Clone, Copy)]
pub struct RuleContext<'a> {
    pub live: &'a LiveState,
    /// Whether an entry speaks of a network already.
    pub is_managed: &'a dyn Fn(NetworkIndex) -> bool,
    /// Whether a location is in the scope of the run.
    pub has_location: &'a dyn Fn(&str) -> bool,
    /// Whether a network with these settings before and after is in the scope of the run.
    pub has_network: &'a dyn Fn(&Settings, &Settings) -> bool,
    /// Whether a network stands aside under this name: its own cannot be told.
    pub is_temporary_name: &'a dyn Fn(&str) -> bool,
}

/// Adds to `desired` an entry for every network that its rules match; what does not fit is in `diagnostics`.
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
        matched += entries.len();
        if !entries.is_empty() {
            let id = Some(Spanned { value: location.id.clone(), span: first.span });
            desired.locations.push(DesiredLocation { span: first.span, name: None, id, entries });
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
                format!("locations with DECT networks are {}", quoted_list(names(), 8))
            } else {
                format!("did you mean {}?", quoted_list(near, 3))
            };
            let message = "no location matches this rule";
            diagnostics.push(Diagnostic::warning(DiagnosticCode::NoMatch, message).with_span(location.span).help(help));
        }
    }
    if matched == 0 && first.mode == RuleMode::OneShot && !diagnostics.has_errors() {
        let help = "a pattern is matched against the whole value, and case counts: try '.*Ward.*' or '(?i)ward.*'";
        let message = "no network of this run matches";
        diagnostics.push(Diagnostic::warning(DiagnosticCode::NoMatch, message).with_span(first.span).help(help));
    }
}

/// Whether one of the rules is about locations of this name.
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
    /// All rules; those whose patterns do not compile have been reported when they were read.
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

    /// What the groups of its patterns hold, if all of them match.
    fn groups(&self, settings: &Settings) -> Option<Variables> {
        let mut groups = Variables::new();
        for (setting, pattern) in &self.patterns {
            let captures = pattern.captures(string_value(settings, *setting)?)?;
            for name in pattern.capture_names().flatten() {
                let text = captures.name(name).map_or("", |group| group.as_str());
                groups.insert(name.to_owned(), Value::from(text));
            }
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

/// A network and what rules have made of it so far.
#[derive(Clone)]
struct RuleTarget<'a> {
    network: NetworkIndex,
    live: &'a Settings,
    settings: Settings,
    /// The rules that match, and whether each changed something.
    matching_rules: Vec<(usize, bool)>,
    /// Where the template stands that made each text.
    template_spans: Vec<(Setting, Span)>,
}

struct RuleExpander<'a, 'r> {
    rules: Vec<CompiledRule<'r>>,
    templates: Templates,
    context: RuleContext<'a>,
    diagnostics: &'r mut Diagnostics,
    /// One example of a rule that would go on for ever is enough.
    non_idempotent: BTreeSet<usize>,
}

impl<'a> RuleExpander<'a, '_> {
    fn location(&mut self, at: LocationIndex, location: &Location) -> Vec<NetworkEntry> {
        if !(self.context.has_location)(&location.name) || !self.rules.iter().any(|rule| rule.applies_to(location)) {
            return Vec::new();
        }
        let live = self.context.live;
        let mut targets: Vec<RuleTarget<'a>> = live
            .networks_of(at)
            .filter(|(network, _)| !(self.context.is_managed)(*network))
            .map(|(network, found)| RuleTarget {
                network,
                live: &found.settings,
                settings: found.settings.clone(),
                matching_rules: Vec::new(),
                template_spans: Vec::new(),
            })
            .collect();
        targets.sort_by(|one, other| natural_order(&one.live.name, &other.live.name));
        self.report_temporary_names(&targets, location);
        targets.retain(|target| !(self.context.is_temporary_name)(&target.live.name));
        let results = self.apply(targets, location);
        self.report_non_idempotent(&results, location);
        results.into_iter().filter_map(|target| self.entry(target, location)).collect()
    }

    /// What all rules make of the networks of a location, in the order in which those are counted.
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
                        // A network that this run leaves out may be as it likes.
                        Err(_) if !(self.context.has_network)(target.live, target.live) => {}
                        Err(words) => {
                            let message = format!("this template fails for {:?}: {words}", target.live.name);
                            self.diagnostics.push(
                                Diagnostic::error(DiagnosticCode::InvalidTemplate, message).with_span(template.span),
                            );
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

    /// A network that stands aside has no name of its own to compute with.
    fn report_temporary_names(&mut self, targets: &[RuleTarget<'_>], location: &Location) {
        for target in targets {
            let name = &target.live.name;
            if (self.context.is_temporary_name)(name) && (self.context.has_network)(target.live, target.live) {
                let id = &self.context.live.network(target.network).id;
                let message = format!("a network of {:?} stands on the temporary name {name:?}", location.name);
                let help = format!(
                    "an interrupted run left it there: run its command again, apply the plan beside its journal, or write \
                     an entry with the id {id}"
                );
                self.diagnostics.push(Diagnostic::error(DiagnosticCode::LeftoverTemporaryName, message).help(help));
            }
        }
    }

    /// Applies the rules to their own result.
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
        again.sort_by(|one, other| natural_order(&one.live.name, &other.live.name));
        let known = self.diagnostics.len();
        let again = self.apply(again, location);
        // What fails the second time has failed the first time, or would only fail on a result that is refused below.
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
                    format!("this rule would change its own result: {was:?} gets {becomes}, and the next run makes it {then}"),
                )
                .help("let its pattern leave out what it has made; for a change that is made once there is `dectl rename`"),
                RuleMode::OneShot => Diagnostic::warning(
                    DiagnosticCode::NonIdempotentRule,
                    format!("the same command again would change its own result: {was:?} gets {becomes}, then {then}"),
                )
                .help("run it once, or let the pattern leave out what it has made"),
            };
            self.diagnostics.push(diagnostic.with_span(rule.span));
        }
    }

    fn entry(&mut self, target: RuleTarget<'_>, location: &Location) -> Option<NetworkEntry> {
        let in_scope = (self.context.has_network)(target.live, &target.settings);
        let rule = self.rules[target.matching_rules.first()?.0].rule;
        if !in_scope {
            return None;
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
            origin: Origin::Rule { span: rule.span, label },
            id: Some(Spanned { value: id, span: rule.span }),
            renamed_from: None,
            name_span: template_spans(Setting::Name).filter(|_| changed.has(Setting::Name)),
            desired,
            code: None,
        })
    }

    /// What changes, held to the rules; what does not fit is a finding about this network.
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
                Err(error) => invalid_results.push(format!("the name {:?}, which {error}", target.settings.name)),
            }
        }
        if let Some(display_name) =
            target.settings.display_name.as_deref().filter(|_| changed.has(Setting::DisplayName))
        {
            let longer_than = |limit: usize| display_name.chars().count() > limit;
            // Where Webex holds a longer one already it takes longer ones.
            let held = target.live.display_name.as_deref().map_or(0, |live| live.chars().count());
            match DisplayName::new(display_name) {
                Ok(_) if longer_than(DISPLAY_NAME_RECOMMENDED_MAX.max(held)) => invalid_results.push(format!(
                    "the display name {display_name:?}, which has {} characters, Webex promises to take \
                     {DISPLAY_NAME_RECOMMENDED_MAX}",
                    display_name.chars().count()
                )),
                Ok(name) => desired.display_name = Some(name),
                Err(error) => invalid_results.push(format!("the display name {display_name:?}, which {error}")),
            }
        }
        if changed.has(Setting::CodeEnabled) {
            desired.code_enabled = target.settings.code_enabled;
        }
        let fits = invalid_results.is_empty();
        for invalid_result in invalid_results {
            let message = format!("{:?} of {:?} would get {invalid_result}", target.live.name, location.name);
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

/// Numbers in names by their value: `Ward 2` before `Ward 10`.
fn natural_order(one: &str, other: &str) -> std::cmp::Ordering {
    let key = |text: &str| -> Vec<(bool, String, usize)> {
        let mut parts: Vec<(bool, String, usize)> = Vec::new();
        for character in text.chars().flat_map(char::to_lowercase) {
            let is_digit = character.is_ascii_digit();
            match parts.last_mut().filter(|(digits, ..)| *digits == is_digit) {
                Some((_, part, _)) => part.push(character),
                None => parts.push((is_digit, character.to_string(), 0)),
            }
        }
        for (digits, part, length) in &mut parts {
            if *digits {
                *part = part.trim_start_matches('0').to_owned();
                *length = part.len();
            }
        }
        parts
    };
    let compare = |(one, other): (&(bool, String, usize), &(bool, String, usize))| {
        // Of two numbers the one with more digits is larger; numbers stand before letters.
        other.0.cmp(&one.0).then_with(|| one.2.cmp(&other.2)).then_with(|| one.1.cmp(&other.1))
    };
    let (one_key, other_key) = (key(one), key(other));
    let parts = one_key.iter().zip(&other_key).map(compare).find(|order| order.is_ne());
    parts.unwrap_or_else(|| one_key.len().cmp(&other_key.len()).then_with(|| one.cmp(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        let mut names = ["Ward 10", "ward 2", "Ward 2b", "Annex", "Ward 02", "2", "10", "Ward"];
        names.sort_by(|one, other| natural_order(one, other));
        assert_eq!(names, ["2", "10", "Annex", "Ward", "Ward 02", "ward 2", "Ward 2b", "Ward 10"]);
    }
}
