//! Templates of rules. Rendering is bounded in time and memory, since a template may come from an untrusted
//! pull request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::model::quotes_hint;

/// Instruction budget per rendering; a typical template needs a hundredth of it.
const TEMPLATE_FUEL: u64 = 20_000;

/// Results are truncated to this length; longer ones are rejected in any case.
const MAX_RENDERED_LEN: usize = 400;

pub(crate) type Variables = BTreeMap<String, Value>;

pub(crate) struct Templates {
    environment: Environment<'static>,
    /// Whether `truncate` has shortened something.
    was_cut: Arc<AtomicBool>,
}

impl Templates {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(TEMPLATE_FUEL));
        environment.add_filter("slug", |text: String| slug::slugify(text));
        let was_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&was_cut);
        environment.add_filter("truncate", move |text: String, length: usize| {
            if text.trim_end().chars().count() > length {
                cut.store(true, Ordering::Relaxed);
            }
            truncated(&text, length)
        });
        environment.add_filter("pad", |value: Value, width: usize| {
            let text = value.to_string();
            format!("{}{text}", "0".repeat(width.min(MAX_RENDERED_LEN).saturating_sub(text.chars().count())))
        });
        Self { environment, was_cut }
    }

    /// Returns the variables that a template references; `names` are those that it may use, and `has_groups` says whether its
    /// pattern has groups, with or without a name.
    ///
    /// # Errors
    /// If the template is invalid or uses an unknown filter.
    pub(crate) fn variables_of(&self, text: &str, names: &[&str], has_groups: bool) -> Result<Vec<String>, String> {
        if let Some(hint) = quotes_hint(text) {
            return Err(hint.to_owned());
        }
        let template = self.environment.template_from_str(text).map_err(|error| error_text(&error))?;
        if let Some(group) = foreign_group(text, names, has_groups) {
            let name = group.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
            return Err(match names.contains(&name) {
                true => format!("{group} would be taken literally: write {{{{ {name} }}}}"),
                false => format!("{group} is no group here: name it in the pattern, (?<x>…), and write {{{{ x }}}}"),
            });
        }
        let globals: Vec<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let mut variables: Vec<String> =
            template.undeclared_variables(false).into_iter().filter(|name| !globals.contains(&name.as_str())).collect();
        variables.sort();
        // Filters are resolved during rendering, so it is rendered once with a value for every variable.
        let sample: Variables = variables.iter().map(|name| (name.clone(), Value::from("1"))).collect();
        match template.render(Value::from(sample)) {
            Err(error) if is_misspelt(error.kind()) => Err(error_text(&error)),
            _ => Ok(variables),
        }
    }

    /// The fields of a variable that a template uses: `line1.extension`.
    pub(crate) fn fields_of(&self, text: &str, variable: &str) -> Vec<String> {
        let Ok(template) = self.environment.template_from_str(text) else { return Vec::new() };
        let used = template.undeclared_variables(true).into_iter();
        let is_field = |name: &String| name.strip_prefix(variable).is_some_and(|rest| rest.starts_with('.'));
        let mut fields: Vec<String> = used.filter(is_field).collect();
        fields.sort();
        fields
    }

    /// Renders a template with these variables.
    ///
    /// # Errors
    /// If rendering fails.
    pub(crate) fn render(&self, text: &str, variables: Variables) -> Result<String, String> {
        let template = self.environment.template_from_str(text).map_err(|error| error_text(&error))?;
        let rendered = template.render(Value::from(variables)).map_err(|error| error_text(&error))?;
        Ok(rendered.nfc().take(MAX_RENDERED_LEN).collect())
    }
}

impl Templates {
    /// The same; also whether `truncate` has shortened something.
    ///
    /// # Errors
    /// If rendering fails.
    pub(crate) fn render_noting_cuts(&self, text: &str, variables: Variables) -> Result<(String, bool), String> {
        self.was_cut.store(false, Ordering::Relaxed);
        let rendered = self.render(text, variables)?;
        Ok((rendered, self.was_cut.load(Ordering::Relaxed)))
    }
}

/// Filters in addition to those of the template language.
pub(crate) const OWN_FILTERS: &str = "slug, truncate(length), pad(width)";

fn truncated(text: &str, length: usize) -> String {
    let cut: String = text.chars().take(length).collect();
    cut.trim_end().to_owned()
}

const fn is_misspelt(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod
    )
}

fn error_text(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "rendering exceeds the time limit".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

/// A group or variable as sed, editors, shells and format strings write it, outside of the expressions of a template: `$1`,
/// `${ward}`, `\1`, `\g<ward>`, `%{ward}`; what may be meant as text if there is such a name (`{ward}`, `$ward`), or any group
/// (`{1}`, `%1`).
fn foreign_group<'a>(text: &'a str, names: &[&str], has_groups: bool) -> Option<&'a str> {
    // The braces of an expression keep a deliberate `{{ "$1" }}` out; a number in them is no group.
    static GROUP: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?s)(?<sure>\{\{-?\s*\d+\s*-?\}\})|\{\{.*?\}\}|\{%.*?%\}",
            r"|(?<always>\$\d+|\$\{\w+\}|\$<\w+>|\$&|\\\d+|\\[gk][<{]\w+[>}]|[%#]\{\w+\})",
            r"|(?<named>(?:\$|%|[$%#]?\{\s*|<)(?<name>\w+)(?:\s*\}|>)?)",
        ))
    });
    let is_group = |name: &str| names.contains(&name) || has_groups && name.parse::<u8>().is_ok();
    GROUP.as_ref().ok()?.captures_iter(text).find_map(|found| {
        let named = || found.name("named").filter(|_| found.name("name").is_some_and(|name| is_group(name.as_str())));
        found.name("sure").or_else(|| found.name("always")).or_else(named).map(|group| group.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Result<String, String> {
        let variables =
            [("location", Value::from("Ålesund Sjukehus")), ("n", Value::from(7)), ("ward", Value::from("3 øst"))];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Templates::new().render(text, variables.into_iter().collect())
    }

    #[test]
    fn filters_do_what_they_say() {
        assert_eq!(rendered("{{ location|slug }}").as_deref(), Ok("alesund-sjukehus"));
        assert_eq!(rendered("{{ location|upper|truncate(8) }}").as_deref(), Ok("ÅLESUND"));
        assert_eq!(rendered("{{ n|pad(3) }}").as_deref(), Ok("007"));
        assert_eq!(rendered("{{ ward|replace(' ', '')|title }}").as_deref(), Ok("3øst"));
        assert_eq!(rendered("<{{ ward }}> & so on").as_deref(), Ok("<3 øst> & so on"), "nothing is escaped");
    }

    #[test]
    fn unbounded_template_is_rejected() {
        for hostile in [
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 99999999999 }}",
            "{{ 'x'|pad(99999999999) }}{{ undefined }}",
        ] {
            assert!(rendered(hostile).is_err(), "{hostile}");
        }
        assert_eq!(rendered("{{ 'x' * 9999 }}").map(|text| text.len()), Ok(MAX_RENDERED_LEN));
    }

    #[test]
    fn variables_and_misspelt_filters_are_known_before_anything_is_rendered() {
        let templates = Templates::new();
        assert_eq!(
            templates.variables_of("{{ location }} {{ n|pad(2) }}", &[], false),
            Ok(vec!["location".into(), "n".into()])
        );
        assert!(
            templates.variables_of("{{ n|uper }}", &[], false).is_err_and(|error_text| error_text.contains("uper"))
        );
        assert!(templates.variables_of("{{ n", &[], false).is_err());
    }

    #[test]
    fn groups_of_other_tools_are_named() {
        for (text, expected) in [
            ("ICU $1", Some("$1")),
            ("ICU ${1}", Some("${1}")),
            ("ICU ${ward}", Some("${ward}")),
            (r"\2 ICU", Some(r"\2")),
            ("ICU $ward", Some("$ward")),
            ("ICU $<ward>", Some("$<ward>")),
            (r"ICU \g<1>", Some(r"\g<1>")),
            (r"ICU \k<ward>", Some(r"\k<ward>")),
            ("ICU $&", Some("$&")),
            ("ICU { ward }", Some("{ ward }")),
            ("ICU {1}", Some("{1}")),
            ("ICU {{1}}", Some("{{1}}")),
            ("ICU %1", Some("%1")),
            ("ICU %{ward}", Some("%{ward}")),
            ("ICU #{1}", Some("#{1}")),
            ("ICU <ward>", Some("<ward>")),
            ("ICU <bed> {bed} $bed 100 %", None),
            ("{{ ward }} 1", None),
            ("ICU {{ ward }}", None),
            (r#"{{ "$1" }} {% if a %}x{% endif %}"#, None),
            ("5 $ a day", None),
        ] {
            assert_eq!(foreign_group(text, &["ward"], true), expected, "{text}");
        }
        // Without a group a number is text; a variable is there without any.
        for (text, expected) in [("ICU {1} %1", None), ("ICU $1", Some("$1")), ("ICU {name}", Some("{name}"))] {
            assert_eq!(foreign_group(text, &["name"], false), expected, "{text}");
        }
        let checked = Templates::new().variables_of("ICU $name", &["name"], false);
        assert!(checked.is_err_and(|error| error.contains("write {{ name }}")));
    }
}
