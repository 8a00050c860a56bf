//! Rules and the live organization as entries: what each network that matches is to be like.
//!
//! Rules are applied in order, each to what those before it have made of a network. An entry wins: a network that one
//! speaks of is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;
use regex::Regex;

use super::rules::{COUNTER, whole};
use super::template::{Templates, Variables};
use super::wish::{Cause, Desired, Entry, LocationWish, Placed, Rule, RuleUse};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Span, quoted_list, suggest};
use crate::model::{
    DISPLAY_NAME_RECOMMENDED_MAX, DesiredSettings, DisplayName, LiveState, Location, LocationIndex, NamePattern,
    NetworkIndex, NetworkName, Setting, SettingSet, Settings,
};

/// What rules are applied to.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The organization as it is live.
    pub live: &'a LiveState,
    /// Whether an entry speaks of a network already.
    pub has_entry: &'a dyn Fn(NetworkIndex) -> bool,
    /// Whether a location is in the scope of the run.
    pub has_location: &'a dyn Fn(&str) -> bool,
    /// Whether a network with these settings before and after is in the scope of the run.
    pub has_network: &'a dyn Fn(&Settings, &Settings) -> bool,
    /// Whether a network stands aside under this name: its own cannot be told.
    pub stands_aside: &'a dyn Fn(&str) -> bool,
}

/// Adds to `desired` an entry for every network that its rules match; what does not fit is in `diagnostics`.
pub fn expand(desired: &mut Desired, ground: Ground<'_>, diagnostics: &mut Diagnostics) {
    let rules = std::mem::take(&mut desired.rules);
    let Some(first) = rules.first() else { return };
    let mut expansion = Expansion {
        rules: Compiled::all(&rules),
        templates: Templates::new(),
        ground,
        diagnostics,
        unstable: BTreeSet::new(),
    };
    let mut matched = 0;
    for (at, location) in ground.live.locations() {
        let entries = expansion.location(at, location);
        matched += entries.len();
        if !entries.is_empty() {
            let id = Some(Placed { value: location.id.clone(), span: first.span });
            desired.locations.push(LocationWish { span: first.span, name: None, id, entries });
        }
    }
    for rule in &rules {
        let names = || ground.live.locations().map(|(_, location)| &*location.name);
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
    if matched == 0 && first.repeats == RuleUse::Once && !diagnostics.has_errors() {
        let help = "a pattern is matched against the whole value, and case counts: try '.*Ward.*' or '(?i)ward.*'";
        let message = "no network of this run matches";
        diagnostics.push(Diagnostic::warning(DiagnosticCode::NoMatch, message).with_span(first.span).help(help));
    }
}

/// Whether one of the rules is about locations of this name.
pub fn concerns(rules: &[Rule], location: &str) -> bool {
    rules.iter().any(|rule| match &rule.location {
        Some(pattern) => NamePattern::new(&pattern.value).is_ok_and(|pattern| pattern.matches(location)),
        None => true,
    })
}

/// A rule whose patterns have been compiled.
struct Compiled<'a> {
    rule: &'a Rule,
    location: Option<NamePattern>,
    patterns: Vec<(Setting, Regex)>,
}

impl<'a> Compiled<'a> {
    /// All rules; those whose patterns do not compile have been reported when they were read.
    fn all(rules: &'a [Rule]) -> Vec<Self> {
        rules.iter().filter_map(Self::new).collect()
    }

    fn new(rule: &'a Rule) -> Option<Self> {
        let location = match &rule.location {
            Some(location) => Some(NamePattern::new(&location.value).ok()?),
            None => None,
        };
        let patterns = rule.patterns.iter().map(|(setting, pattern)| Some((*setting, whole(&pattern.value).ok()?)));
        Some(Self { rule, location, patterns: patterns.collect::<Option<_>>()? })
    }

    /// What the groups of its patterns hold, if all of them match.
    fn groups(&self, settings: &Settings) -> Option<Variables> {
        let mut groups = Variables::new();
        for (setting, pattern) in &self.patterns {
            let captures = pattern.captures(text_of(settings, *setting)?)?;
            for name in pattern.capture_names().flatten() {
                let text = captures.name(name).map_or("", |group| group.as_str());
                groups.insert(name.to_owned(), Value::from(text));
            }
        }
        Some(groups)
    }
}

fn text_of(settings: &Settings, setting: Setting) -> Option<&str> {
    match setting {
        Setting::Name => Some(&settings.name),
        Setting::DisplayName => settings.display_name.as_deref(),
        Setting::CodeEnabled | Setting::Code => None,
    }
}

/// A network and what rules have made of it so far.
#[derive(Clone)]
struct Subject<'a> {
    network: NetworkIndex,
    live: &'a Settings,
    settings: Settings,
    /// The rules that match, and whether each changed something.
    matched_by: Vec<(usize, bool)>,
    /// Where the template stands that made each text.
    made_at: Vec<(Setting, Span)>,
}

struct Expansion<'a, 'r> {
    rules: Vec<Compiled<'r>>,
    templates: Templates,
    ground: Ground<'a>,
    diagnostics: &'r mut Diagnostics,
    /// One example of a rule that would go on for ever is enough.
    unstable: BTreeSet<usize>,
}

impl<'a> Expansion<'a, '_> {
    fn location(&mut self, at: LocationIndex, location: &Location) -> Vec<Entry> {
        if !(self.ground.has_location)(&location.name) || !self.rules.iter().any(|rule| rule.is_about(location)) {
            return Vec::new();
        }
        let live = self.ground.live;
        let mut subjects: Vec<Subject<'a>> = live
            .networks_of(at)
            .filter(|(network, _)| !(self.ground.has_entry)(*network))
            .map(|(network, found)| Subject {
                network,
                live: &found.settings,
                settings: found.settings.clone(),
                matched_by: Vec::new(),
                made_at: Vec::new(),
            })
            .collect();
        subjects.sort_by(|one, other| natural_order(&one.live.name, &other.live.name));
        self.report_stranded(&subjects, location);
        subjects.retain(|subject| !(self.ground.stands_aside)(&subject.live.name));
        let made = self.apply(subjects, location);
        self.report_unstable(&made, location);
        made.into_iter().filter_map(|subject| self.entry(subject, location)).collect()
    }

    /// What all rules make of the networks of a location, in the order in which those are counted.
    fn apply<'s>(&mut self, mut subjects: Vec<Subject<'s>>, location: &Location) -> Vec<Subject<'s>> {
        for (at, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.is_about(location)) {
            let mut count = 0;
            for subject in &mut subjects {
                let Some(mut variables) = rule.groups(&subject.settings) else { continue };
                count += 1;
                variables.insert("location".to_owned(), Value::from(&*location.name));
                variables.insert("name".to_owned(), Value::from(&*subject.settings.name));
                let display_name = subject.settings.display_name.as_deref().unwrap_or_default();
                variables.insert("displayName".to_owned(), Value::from(display_name));
                variables.insert(COUNTER.to_owned(), Value::from(count));
                let before = subject.settings.clone();
                for (setting, template) in &rule.rule.templates {
                    match self.templates.render(&template.value, variables.clone()) {
                        Ok(text) => {
                            match setting {
                                Setting::Name => subject.settings.name = text.into(),
                                _ => subject.settings.display_name = Some(text.into()),
                            }
                            subject.made_at.retain(|(made, _)| made != setting);
                            subject.made_at.push((*setting, template.span));
                        }
                        // A network that this run leaves out may be as it likes.
                        Err(_) if !(self.ground.has_network)(subject.live, subject.live) => {}
                        Err(words) => {
                            let message = format!("this template fails for {:?}: {words}", subject.live.name);
                            self.diagnostics.push(
                                Diagnostic::error(DiagnosticCode::InvalidTemplate, message).with_span(template.span),
                            );
                        }
                    }
                }
                if let Some(enabled) = rule.rule.code_enabled {
                    subject.settings.code_enabled = Some(enabled);
                }
                subject.matched_by.push((at, subject.settings != before));
            }
        }
        subjects
    }

    /// A network that stands aside has no name of its own to compute with.
    fn report_stranded(&mut self, subjects: &[Subject<'_>], location: &Location) {
        for subject in subjects {
            let name = &subject.live.name;
            if (self.ground.stands_aside)(name) && (self.ground.has_network)(subject.live, subject.live) {
                let id = &self.ground.live.network(subject.network).id;
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
    fn report_unstable(&mut self, made: &[Subject<'_>], location: &Location) {
        let mut again: Vec<Subject<'_>> = made
            .iter()
            .map(|subject| Subject {
                network: subject.network,
                live: &subject.settings,
                settings: subject.settings.clone(),
                matched_by: Vec::new(),
                made_at: Vec::new(),
            })
            .collect();
        again.sort_by(|one, other| natural_order(&one.live.name, &other.live.name));
        let known = self.diagnostics.len();
        let again = self.apply(again, location);
        // What fails the second time has failed the first time, or would only fail on a result that is refused below.
        self.diagnostics.truncate(known);
        let in_scope = |subject: &&Subject<'_>| (self.ground.has_network)(subject.live, &subject.settings);
        let again: Vec<&Subject<'_>> = again.iter().filter(in_scope).collect();
        for subject in again.into_iter().filter(|subject| subject.settings != *subject.live) {
            let Some((at, _)) = subject.matched_by.iter().find(|(_, changed)| *changed) else { continue };
            let rule = self.rules[*at].rule;
            let first = made.iter().find(|first| first.network == subject.network);
            let Some(first) = first.filter(|_| self.unstable.insert(*at)) else { continue };
            let change = |before: &Settings, after: &Settings| {
                let setting = before.diff(after).iter().next().unwrap_or(Setting::Name);
                format!("{:?}", text_of(after, setting).unwrap_or_default())
            };
            let (becomes, then) = (change(first.live, subject.live), change(subject.live, &subject.settings));
            let was = &first.live.name;
            let diagnostic = match rule.repeats {
                RuleUse::Standing => Diagnostic::error(
                    DiagnosticCode::NonIdempotentRule,
                    format!("this rule would change its own result: {was:?} gets {becomes}, and the next run makes it {then}"),
                )
                .help("let its pattern leave out what it has made; for a change that is made once there is `dectl rename`"),
                RuleUse::Once => Diagnostic::warning(
                    DiagnosticCode::NonIdempotentRule,
                    format!("the same command again would change its own result: {was:?} gets {becomes}, then {then}"),
                )
                .help("run it once, or let the pattern leave out what it has made"),
            };
            self.diagnostics.push(diagnostic.with_span(rule.span));
        }
    }

    fn entry(&mut self, subject: Subject<'_>, location: &Location) -> Option<Entry> {
        let in_scope = (self.ground.has_network)(subject.live, &subject.settings);
        let rule = self.rules[subject.matched_by.first()?.0].rule;
        if !in_scope {
            return None;
        }
        let changed = subject.live.diff(&subject.settings);
        let desired = self.checked(&subject, changed, location)?;
        let labels =
            subject.matched_by.iter().filter(|(_, changed)| *changed).map(|(at, _)| &*self.rules[*at].rule.label);
        let label: Arc<str> = labels.collect::<Vec<_>>().join(", ").into();
        let label = if label.is_empty() { rule.label.clone() } else { label };
        let id = self.ground.live.network(subject.network).id.clone();
        let made_at = |setting| subject.made_at.iter().find(|(made, _)| *made == setting).map(|(_, span)| *span);
        Some(Entry {
            cause: Cause::Rule { span: rule.span, label },
            id: Some(Placed { value: id, span: rule.span }),
            renamed_from: None,
            name_span: made_at(Setting::Name).filter(|_| changed.has(Setting::Name)),
            desired,
            code: None,
        })
    }

    /// What changes, held to the rules; what does not fit is a finding about this network.
    fn checked(&mut self, subject: &Subject<'_>, changed: SettingSet, location: &Location) -> Option<DesiredSettings> {
        let mut desired = DesiredSettings::default();
        let mut misfits = Vec::new();
        if changed.has(Setting::Name) {
            match NetworkName::new(&subject.settings.name) {
                Ok(name) => desired.name = Some(name),
                Err(error) => misfits.push(format!("the name {:?}, which {error}", subject.settings.name)),
            }
        }
        if let Some(display_name) =
            subject.settings.display_name.as_deref().filter(|_| changed.has(Setting::DisplayName))
        {
            let longer_than = |limit: usize| display_name.chars().count() > limit;
            // Where Webex holds a longer one already it takes longer ones.
            let held = subject.live.display_name.as_deref().map_or(0, |live| live.chars().count());
            match DisplayName::new(display_name) {
                Ok(_) if longer_than(DISPLAY_NAME_RECOMMENDED_MAX.max(held)) => misfits.push(format!(
                    "the display name {display_name:?}, which has {} characters, Webex promises to take \
                     {DISPLAY_NAME_RECOMMENDED_MAX}",
                    display_name.chars().count()
                )),
                Ok(name) => desired.display_name = Some(name),
                Err(error) => misfits.push(format!("the display name {display_name:?}, which {error}")),
            }
        }
        if changed.has(Setting::CodeEnabled) {
            desired.code_enabled = subject.settings.code_enabled;
        }
        let fits = misfits.is_empty();
        for misfit in misfits {
            let message = format!("{:?} of {:?} would get {misfit}", subject.live.name, location.name);
            self.diagnostics.push(Diagnostic::error(DiagnosticCode::InvalidRuleResult, message));
        }
        fits.then_some(desired)
    }
}

impl Compiled<'_> {
    fn is_about(&self, location: &Location) -> bool {
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
