//! Parses rules and checks their patterns and templates offline.

use std::sync::Arc;

use minijinja::Value;
use regex::Regex;

use super::mapping::MappingReader;
use super::model::{Rule, RuleMode, Spanned};
use super::template::{OWN_FILTERS, Templates, Variables};
use super::yaml::Node;
use crate::diagnostic::{
    Diagnostic, DiagnosticCode, Diagnostics, Severity, SourceLines, Sources, Span, quoted_list, suggest,
};
use crate::model::{NamePattern, Setting, nfc};

const RULE_FIELDS: &[&str] = &["match", "set"];
const MATCH_FIELDS: &[&str] = &["location", "name", "displayName"];
const SET_FIELDS: &[&str] = &["name", "displayName", "defaultAccessCodeEnabled"];

/// Settings that patterns match and templates set.
const TEMPLATABLE_SETTINGS: [Setting; 2] = [Setting::Name, Setting::DisplayName];

/// Variables available in every template, besides the capture groups.
pub(crate) const BUILTIN_VARIABLES: [&str; 4] = ["location", "name", "displayName", COUNTER];

/// Counts the matching networks of a location.
pub(crate) const COUNTER: &str = "n";

/// Compiles a pattern that must match the whole value.
pub(crate) fn full_match_regex(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{})\z", nfc(pattern)))
}

pub(crate) fn rule(node: &Node<'_>, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Rule> {
    let before = diagnostics.count(Severity::Error);
    let fields = MappingReader::of(node, "a rule", RULE_FIELDS, diagnostics)?;
    let matches = fields.required("match", "select networks, e.g. `match: { name: 'Ward .*' }`", diagnostics);
    let set = fields.required("set", "set values, e.g. `set: { name: '{{ name|upper }}' }`", diagnostics);
    let matches = matches.and_then(|node| MappingReader::of(node, "`match`", MATCH_FIELDS, diagnostics));
    let set = set.and_then(|node| MappingReader::of(node, "`set`", SET_FIELDS, diagnostics));
    let (matches, set) = (matches?, set?);
    let place = sources.resolve(fields.span());
    let texts = |fields: &MappingReader<'_>, diagnostics: &mut Diagnostics| -> Vec<(Setting, Spanned<Arc<str>>)> {
        let text = |setting: Setting| Some((setting, fields.text(setting.api_name(), diagnostics)?));
        TEMPLATABLE_SETTINGS.into_iter().filter_map(text).collect()
    };
    let rule = Rule {
        span: fields.span(),
        label: format!("{}:{}", place.file, place.line).into(),
        mode: RuleMode::Persistent,
        location: matches.text("location", diagnostics),
        patterns: texts(&matches, diagnostics),
        templates: texts(&set, diagnostics),
        code_enabled: set.bool("defaultAccessCodeEnabled", diagnostics),
    };
    if diagnostics.count(Severity::Error) == before {
        for (fields, field) in [(&matches, "match"), (&set, "set")] {
            if fields.is_empty() {
                let message = format!("`{field}` of a rule is empty");
                let help = "`match` requires a location, a name or a displayName; `set` requires at least one setting";
                diagnostics.error(DiagnosticCode::MissingField, fields.span(), message).help(help);
            }
        }
    }
    check(&rule, diagnostics);
    (diagnostics.count(Severity::Error) == before).then_some(rule)
}

/// The arguments of `dectl rename`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRequest {
    /// The settings to match and replace.
    pub settings: Vec<Setting>,
    /// The pattern that must match the whole value.
    pub pattern: String,
    pub template: String,
    /// Template of the display name of a network whose name matches.
    pub display_name: Option<String>,
}

/// Converts the arguments into rules, with a source text that diagnostics point into.
pub fn rename_rules(request: &RenameRequest, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Vec<Rule> {
    const COMMAND: &str = "rename";
    let mut lines = SourceLines::new(sources, COMMAND);
    let fields: Vec<&str> = request.settings.iter().map(|setting| setting.api_name()).collect();
    let mut argument = |introduction: &str, value: &str| Spanned {
        value: Arc::<str>::from(value),
        span: lines.line(introduction, value),
    };
    let pattern = argument(&format!("PATTERN for {}: ", fields.join(" and ")), &request.pattern);
    let template = argument("TEMPLATE: ", &request.template);
    let display_name = request.display_name.as_ref().map(|template| argument("--display-name: ", template));
    lines.finish();
    let rule = |setting: Setting| {
        let mut templates = vec![(setting, template.clone())];
        if let (Setting::Name, Some(template)) = (setting, &display_name) {
            templates.push((Setting::DisplayName, template.clone()));
        }
        let pattern = pattern.clone();
        Rule {
            span: pattern.span,
            label: COMMAND.into(),
            mode: RuleMode::OneShot,
            location: None,
            patterns: vec![(setting, pattern)],
            templates,
            code_enabled: None,
        }
    };
    let rules: Vec<Rule> = request.settings.iter().copied().map(rule).collect();
    // All rules share the pattern and template; the first also sets the display name.
    if let Some(first) = rules.first() {
        check(first, diagnostics);
    }
    rules
}

fn check(rule: &Rule, diagnostics: &mut Diagnostics) {
    if let Some(location) = &rule.location
        && let Err(reason) = NamePattern::new(&location.value)
    {
        let message = format!("invalid location pattern: {reason}");
        let help = "write the name of a location; * matches any characters";
        diagnostics.error(DiagnosticCode::InvalidPattern, location.span, message).help(help);
    }
    let vocabulary =
        Vocabulary { variables: &BUILTIN_VARIABLES, line_fields: &[], has_counter: rule.mode == RuleMode::OneShot };
    let patterns: Vec<&Spanned<Arc<str>>> = rule.patterns.iter().map(|(_, pattern)| pattern).collect();
    let templates: Vec<&Spanned<Arc<str>>> = rule.templates.iter().map(|(_, template)| template).collect();
    vocabulary.check(&patterns, &templates, diagnostics);
}

/// What templates may use besides the groups of their patterns.
pub(crate) struct Vocabulary {
    pub(crate) variables: &'static [&'static str],
    /// The fields of the variable `line1`.
    pub(crate) line_fields: &'static [&'static str],
    /// Whether they may count.
    pub(crate) has_counter: bool,
}

impl Vocabulary {
    /// Reports invalid patterns, invalid templates and unknown variables.
    pub(crate) fn check(
        &self,
        patterns: &[&Spanned<Arc<str>>],
        templates: &[&Spanned<Arc<str>>],
        diagnostics: &mut Diagnostics,
    ) {
        let mut known: Vec<String> = self.variables.iter().map(|name| (*name).to_owned()).collect();
        let mut has_groups = false;
        for pattern in patterns {
            match Regex::new(&pattern.value).and_then(|_| full_match_regex(&pattern.value)) {
                Ok(regex) => {
                    has_groups |= regex.captures_len() > 1;
                    self.check_groups(&regex, pattern.span, &mut known, diagnostics);
                }
                Err(error) => {
                    let message = format!("invalid regular expression: {}", regex_error_summary(&error.to_string()));
                    let help = "the pattern matches the whole value; write groups as (?<ward>…)";
                    diagnostics.error(DiagnosticCode::InvalidPattern, pattern.span, message).help(help);
                    // The intended groups are unknown.
                    return;
                }
            }
        }
        let engine = Templates::new();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        for template in templates {
            match engine.variables_of(&template.value, &names, has_groups) {
                Ok(variables) => {
                    let unknown = variables.iter().filter_map(|name| self.unknown_variable(name, &names));
                    let fields = engine.fields_of(&template.value, "line1");
                    let fields = fields.iter().filter_map(|field| self.unknown_field(field));
                    unknown.chain(fields).for_each(|diagnostic| diagnostics.push(diagnostic.with_span(template.span)));
                }
                Err(words) => {
                    let message = format!("invalid template: {words}");
                    let help =
                        format!("write e.g. {{{{ name }}}} or {{{{ name|upper }}}}; additional filters: {OWN_FILTERS}");
                    diagnostics.error(DiagnosticCode::InvalidTemplate, template.span, message).help(help);
                }
            }
        }
    }

    /// Adds the groups of a pattern to the known names; reports those that are taken.
    fn check_groups(&self, regex: &Regex, span: Span, known: &mut Vec<String>, diagnostics: &mut Diagnostics) {
        for group in regex.capture_names().flatten() {
            if known.iter().any(|other| other == group) {
                let (message, help) = if self.variables.contains(&group) {
                    let given = quoted_list(self.variables.iter().copied(), 8);
                    let help = format!("{given} are predefined in every rule; choose another name");
                    (format!("group name {group:?} is reserved"), help)
                } else {
                    let message = format!("duplicate group {group:?} in the patterns of this rule");
                    (message, "rename one of them".to_owned())
                };
                diagnostics.error(DiagnosticCode::InvalidPattern, span, message).help(help);
            }
            known.push(group.to_owned());
        }
    }

    fn unknown_variable(&self, variable: &str, known: &[&str]) -> Option<Diagnostic> {
        if variable == COUNTER && !self.has_counter {
            let message = "a rule in a file cannot use a counter: adding or removing a network would rename the others";
            return Some(
                Diagnostic::error(DiagnosticCode::NonIdempotentRule, message)
                    .help("number the networks once with `dectl rename`, or write an entry for each network"),
            );
        }
        if known.contains(&variable) {
            return None;
        }
        // Variables that a rule may not use are not suggested.
        let names = || known.iter().copied().filter(|name| *name != COUNTER || self.has_counter);
        let fields = match self.line_fields {
            [] => String::new(),
            fields => format!("; of a line: {}", fields.join(", ")),
        };
        let help = match suggest(variable, names()).first() {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("available variables: {}{fields}", quoted_list(names(), 12)),
        };
        Some(Diagnostic::error(DiagnosticCode::InvalidTemplate, format!("unknown variable {variable:?}")).help(help))
    }

    fn unknown_field(&self, field: &str) -> Option<Diagnostic> {
        if self.line_fields.is_empty() || self.line_fields.contains(&field) {
            return None;
        }
        let help = match suggest(field, self.line_fields.iter().copied()).first() {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("fields of a line: {}", self.line_fields.join(", ")),
        };
        Some(Diagnostic::error(DiagnosticCode::InvalidTemplate, format!("unknown field {field:?}")).help(help))
    }
}

/// The named groups of a pattern in a text as variables; `None` if it does not match.
pub(crate) fn captured(pattern: &Regex, text: &str) -> Option<Variables> {
    let captures = pattern.captures(text)?;
    let text = |name| captures.name(name).map_or("", |group| group.as_str());
    Some(pattern.capture_names().flatten().map(|name| (name.to_owned(), Value::from(text(name)))).collect())
}

/// Returns the last line of a regex error; the lines before it repeat the expression.
fn regex_error_summary(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
