//! Rules: what every network that matches is to be like. Patterns and templates are checked before anything is live.

use std::sync::Arc;

use regex::Regex;

use super::mapping::MappingReader;
use super::model::{Rule, RuleMode, Spanned};
use super::template::{OWN_FILTERS, Templates};
use super::yaml::Node;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Sources, Span, quoted_list, suggest};
use crate::model::{NamePattern, Setting};

const RULE_FIELDS: &[&str] = &["match", "set"];
const MATCH_FIELDS: &[&str] = &["location", "name", "displayName"];
const SET_FIELDS: &[&str] = &["name", "displayName", "defaultAccessCodeEnabled"];

/// The settings that patterns look at and templates make.
const TEMPLATABLE_SETTINGS: [Setting; 2] = [Setting::Name, Setting::DisplayName];

/// What every template may speak of, beside the groups of the patterns.
pub(super) const BUILTIN_VARIABLES: [&str; 4] = ["location", "name", "displayName", COUNTER];

/// Counts the networks of a location that match.
pub(super) const COUNTER: &str = "n";

/// A pattern that must match as a whole.
pub(super) fn full_match_regex(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}

pub(super) fn rule(node: &Node<'_>, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Rule> {
    let before = diagnostics.len();
    let fields = MappingReader::of(node, "a rule", RULE_FIELDS, diagnostics)?;
    let matches = fields.required("match", "say which networks it is about: `match: { name: 'Ward .*' }`", diagnostics);
    let set = fields.required("set", "say what they are to be: `set: { name: '{{ name|upper }}' }`", diagnostics);
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
    if diagnostics.len() == before {
        for (fields, field) in [(&matches, "match"), (&set, "set")] {
            if fields.is_empty() {
                let message = format!("`{field}` of a rule is empty");
                let help = "`match` takes a location, a name or a displayName; `set` what they are to be";
                diagnostics
                    .push(Diagnostic::error(DiagnosticCode::MissingField, message).with_span(fields.span()).help(help));
            }
        }
    }
    check(&rule, diagnostics);
    (diagnostics.len() == before).then_some(rule)
}

/// What `dectl rename` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRequest {
    /// The settings whose value is looked at and replaced.
    pub settings: Vec<Setting>,
    /// What their value must match, as a whole.
    pub pattern: String,
    pub template: String,
    /// What the display name becomes of a network whose name matches.
    pub display_name: Option<String>,
}

/// The rules of a command, with a text of their own that findings point into.
pub fn rename_rules(request: &RenameRequest, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Vec<Rule> {
    const COMMAND: &str = "rename";
    let mut text = String::new();
    let mut line = |context: &str, value: &str| {
        text.push_str(context);
        let start = text.len() as u32;
        text.push_str(value);
        let end = text.len() as u32;
        text.push('\n');
        (start, end)
    };
    let fields: Vec<&str> = request.settings.iter().map(|setting| setting.api_name()).collect();
    let pattern = line(&format!("PATTERN for {}: ", fields.join(" and ")), &request.pattern);
    let template = line("TEMPLATE: ", &request.template);
    let display_name = request.display_name.as_ref().map(|template| (line("--display-name: ", template), template));
    let source = sources.add_non_secret(COMMAND, text);
    let placed = |(start, end): (u32, u32), value: &str| Spanned {
        value: Arc::from(value),
        span: Span { source, start, end: end.max(start + 1) },
    };
    let rule = |setting: Setting| {
        let mut templates = vec![(setting, placed(template, &request.template))];
        if let (Setting::Name, Some((span, text))) = (setting, display_name) {
            templates.push((Setting::DisplayName, placed(span, text)));
        }
        let pattern = placed(pattern, &request.pattern);
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
    // All have the same pattern and template; the first has the display name, too.
    if let Some(first) = rules.first() {
        check(first, diagnostics);
    }
    rules
}

/// Reports patterns that are none, and templates that are none or speak of what there is not.
fn check(rule: &Rule, diagnostics: &mut Diagnostics) {
    if let Some(location) = &rule.location
        && let Err(reason) = NamePattern::new(&location.value)
    {
        let message = format!("this is no pattern for locations: {reason}");
        let help = "write the name of a location; * stands for any characters";
        diagnostics
            .push(Diagnostic::error(DiagnosticCode::InvalidPattern, message).with_span(location.span).help(help));
    }
    let mut known: Vec<String> = BUILTIN_VARIABLES.map(str::to_owned).to_vec();
    for (_, pattern) in &rule.patterns {
        match Regex::new(&pattern.value).and_then(|_| full_match_regex(&pattern.value)) {
            Ok(regex) => {
                for group in regex.capture_names().flatten() {
                    if known.iter().any(|other| other == group) {
                        let (message, help) = if BUILTIN_VARIABLES.contains(&group) {
                            let given = quoted_list(BUILTIN_VARIABLES, 8);
                            let help = format!("{given} are there in every rule; choose another name");
                            (format!("the group {group:?} has a name that is taken"), help)
                        } else {
                            let message = format!("two patterns of this rule have a group {group:?}");
                            (message, "give one of them another name".to_owned())
                        };
                        diagnostics.push(
                            Diagnostic::error(DiagnosticCode::InvalidPattern, message)
                                .with_span(pattern.span)
                                .help(help),
                        );
                    }
                    known.push(group.to_owned());
                }
            }
            Err(error) => {
                let message = format!("this is no regular expression: {}", regex_error_summary(&error.to_string()));
                let help = "it is matched against the whole name; groups are written (?<ward>…)";
                diagnostics.push(
                    Diagnostic::error(DiagnosticCode::InvalidPattern, message).with_span(pattern.span).help(help),
                );
                // Which groups there are meant to be cannot be said.
                return;
            }
        }
    }
    let templates = Templates::new();
    for (_, template) in &rule.templates {
        match templates.variables_of(&template.value) {
            Ok(variables) => {
                for variable in variables {
                    if let Some(diagnostic) = unknown_variable(&variable, rule, &known) {
                        diagnostics.push(diagnostic.with_span(template.span));
                    }
                }
            }
            Err(words) => {
                let message = format!("this is no template: {words}");
                let help =
                    format!("write {{{{ name }}}} or {{{{ name|upper }}}}; filters of this tool are {OWN_FILTERS}");
                diagnostics.push(
                    Diagnostic::error(DiagnosticCode::InvalidTemplate, message).with_span(template.span).help(help),
                );
            }
        }
    }
}

fn unknown_variable(variable: &str, rule: &Rule, known: &[String]) -> Option<Diagnostic> {
    if variable == COUNTER && rule.mode == RuleMode::Persistent {
        let message = "a rule of a file cannot count: whenever a network comes or goes, the others would be renamed";
        return Some(
            Diagnostic::error(DiagnosticCode::NonIdempotentRule, message)
                .help("count once, with `dectl rename`, or write an entry for each network"),
        );
    }
    if known.iter().any(|name| name == variable) {
        return None;
    }
    // What a rule may not use is no suggestion for it.
    let is_of_use = |name: &&str| *name != COUNTER || rule.mode == RuleMode::OneShot;
    let names = || known.iter().map(String::as_str).filter(is_of_use);
    let help = match suggest(variable, names()).first() {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("there are {}", quoted_list(names(), 12)),
    };
    Some(Diagnostic::error(DiagnosticCode::InvalidTemplate, format!("there is no variable {variable:?}")).help(help))
}

/// What a regular expression's error comes to; the lines before it draw the expression again.
fn regex_error_summary(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
