//! `dectl explain`: what a field of a desired-state file means, from its JSON Schema; and what a diagnostic does.

use clap::Args as ClapArgs;
use dectl::desired::SCHEMA;
use dectl::diagnostic::{DiagnosticCode, quoted_list, suggest};
use serde_json::Value;

use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// Field, such as line1 or locations.networks.handsets [default: the file]; or the code of a diagnostic, such as
    /// unknown-network
    #[arg(value_name = "FIELD|CODE", default_value = "")]
    field: String,
}

pub(super) fn run(args: &ExplainArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    // The schema is compiled in; tests parse it.
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let fields = Fields::of(&schema);
    if let Some(text) = describe_code(args.field.trim()) {
        printer.result(&text);
        return Ok(ExitStatus::Success);
    }
    let asked: Vec<&str> = args.field.split('.').map(str::trim).filter(|part| !part.is_empty()).collect();
    let found: Vec<&Field<'_>> = fields.0.iter().filter(|field| field.ends_with(&asked)).collect();
    // A whole path means that field, also where others end with it.
    let exact: Vec<&Field<'_>> = found.iter().copied().filter(|field| field.path.len() == asked.len()).collect();
    match (&exact[..], &found[..]) {
        ([field], _) | ([], [field]) => {
            printer.result(&fields.describe(field));
            Ok(ExitStatus::Success)
        }
        (_, []) => Err(fields.unknown(&args.field)),
        (_, several) => {
            // Fields that are described alike are one field in several places.
            let text = |field: &Field<'_>| fields.describe(field).lines().skip(1).collect::<Vec<_>>().join("\n");
            let mut groups: Vec<(String, &Field<'_>)> = Vec::new();
            for field in several {
                if !groups.iter().any(|(known, _)| *known == text(field)) {
                    groups.push((text(field), field));
                }
            }
            let texts: Vec<String> = groups.iter().map(|(_, field)| fields.describe(field)).collect();
            printer.result(&texts.join("\n"));
            Ok(ExitStatus::Success)
        }
    }
}

/// What docs/errors.md says about the code of a diagnostic.
fn describe_code(code: &str) -> Option<String> {
    // As it is printed: `error[unknown-network]`.
    let printed = code.strip_suffix(']').and_then(|code| code.split_once('['));
    let code = printed.map_or(code, |(_, code)| code);
    let code = DiagnosticCode::ALL.iter().map(|known| known.as_str()).find(|known| known.eq_ignore_ascii_case(code))?;
    let row = ERRORS.lines().find_map(|line| line.strip_prefix(&format!("| `{code}` | ")))?;
    let meaning = row.split(" | ").next()?;
    Some(format!("CODE      {code}\n\n{meaning}\n"))
}

/// The page about diagnostics.
const ERRORS: &str = include_str!("../../../docs/errors.md");

/// A field with its place in a file.
struct Field<'a> {
    path: Vec<&'a str>,
    node: &'a Value,
    is_required: bool,
}

impl Field<'_> {
    fn ends_with(&self, asked: &[&str]) -> bool {
        let same = |(one, other): (&&str, &&str)| one.eq_ignore_ascii_case(other);
        let tail = self.path.len().checked_sub(asked.len());
        match (asked, tail) {
            ([], _) => self.path.is_empty(),
            (_, Some(from)) => self.path[from..].iter().zip(asked).all(same),
            (_, None) => false,
        }
    }
}

/// All fields of the schema.
struct Fields<'a>(Vec<Field<'a>>, &'a Value);

impl<'a> Fields<'a> {
    fn of(schema: &'a Value) -> Self {
        let mut fields = Self(Vec::new(), schema);
        fields.visit(Vec::new(), schema, true);
        fields
    }

    fn visit(&mut self, path: Vec<&'a str>, node: &'a Value, is_required: bool) {
        self.0.push(Field { path: path.clone(), node, is_required });
        let Some(object) = self.object_of(node) else { return };
        let required: Vec<&str> =
            object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, node) in object["properties"].as_object().into_iter().flatten() {
            let mut path = path.clone();
            path.push(name);
            self.visit(path, node, required.contains(&name.as_str()));
        }
    }

    /// What a reference leads to.
    fn resolved(&self, node: &'a Value) -> &'a Value {
        let target = node["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/"));
        target.map_or(node, |name| &self.1["$defs"][name])
    }

    /// The mapping that a field is, or whose items a list has, or that it may be.
    fn object_of(&self, node: &'a Value) -> Option<&'a Value> {
        let node = self.resolved(node);
        if node["properties"].is_object() {
            return Some(node);
        }
        if node["items"].is_object() {
            return self.object_of(&node["items"]);
        }
        let ways = node["anyOf"].as_array().or_else(|| node["oneOf"].as_array());
        ways.into_iter().flatten().find_map(|way| self.object_of(way))
    }

    /// A description of a node: its own, or that of what it refers to.
    fn description(&self, node: &'a Value) -> &'a str {
        let own = node["description"].as_str();
        own.or_else(|| self.resolved(node)["description"].as_str()).unwrap_or_default()
    }

    /// Its type in words.
    fn type_of(&self, node: &'a Value) -> String {
        let node = self.resolved(node);
        if let Some(value) = node.get("const") {
            return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        }
        if let Some(ways) = node["anyOf"].as_array().or_else(|| node["oneOf"].as_array())
            && node["type"].is_null()
        {
            let mut types: Vec<String> = Vec::new();
            for way in ways.iter().map(|way| self.type_of(way)).filter(|way| !way.is_empty()) {
                if !types.contains(&way) {
                    types.push(way);
                }
            }
            return types.join(", or ");
        }
        let name = |kind: &str| match kind {
            "array" => format!("list of: {}", self.type_of(&node["items"])),
            "object" => {
                let names = node["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
                let names: Vec<&str> = names.collect();
                if names.len() < 3 { format!("{{ {} }}", names.join(", ")) } else { "mapping".to_owned() }
            }
            "integer" => "number".to_owned(),
            "boolean" => "true or false".to_owned(),
            "string" => "text".to_owned(),
            other => other.to_owned(),
        };
        match &node["type"] {
            Value::String(kind) => name(kind),
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(", or "),
            _ => String::new(),
        }
    }

    /// Its limits in words.
    fn limits(&self, node: &'a Value) -> Vec<String> {
        let node = self.resolved(node);
        let number = |key: &str| node[key].as_u64();
        let mut limits = Vec::new();
        match (number("minLength"), number("maxLength")) {
            (Some(least), Some(most)) => limits.push(format!("{least} to {most} characters")),
            (Some(1), None) => limits.push("not empty".to_owned()),
            _ => {}
        }
        if let (Some(least), Some(most)) = (number("minimum"), number("maximum")) {
            limits.push(format!("{least} to {most}"));
        }
        limits.extend(node["pattern"].as_str().map(|pattern| format!("matches {pattern}")));
        limits
    }

    fn describe(&self, field: &Field<'a>) -> String {
        let node = self.resolved(field.node);
        let path = if field.path.is_empty() { "(the file)".to_owned() } else { field.path.join(".") };
        let mut text = format!("FIELD     {path}\nTYPE      {}\n", self.type_of(field.node));
        let mut limits = self.limits(field.node);
        if field.is_required && !field.path.is_empty() {
            limits.insert(0, "required".to_owned());
        }
        if !limits.is_empty() {
            text.push_str(&format!("LIMITS    {}\n", limits.join("; ")));
        }
        text.push_str(&format!("\n{}\n", self.description(field.node)));
        if let Some(object) = self.object_of(field.node)
            && !node["properties"].is_null() | !node["items"].is_null()
        {
            text.push_str("\nFIELDS\n");
            let properties = object["properties"].as_object();
            let width = properties.into_iter().flatten().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, node) in properties.into_iter().flatten() {
                text.push_str(&format!("  {name:width$}  {}\n", self.description(node)));
            }
        }
        let examples = node["examples"].as_array().or_else(|| field.node["examples"].as_array());
        if let (Some(examples), Some(name)) = (examples, field.path.last()) {
            text.push_str("\nEXAMPLES\n");
            for example in examples {
                text.push_str(&format!("  {name}: {}\n", yaml(example)));
            }
        }
        text
    }

    fn unknown(&self, asked: &str) -> CliError {
        let mut names: Vec<&str> = self.0.iter().filter_map(|field| field.path.last().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let last = asked.rsplit('.').next().unwrap_or_default();
        let codes = DiagnosticCode::ALL.iter().map(|code| code.as_str());
        let near = suggest(last, names.iter().copied().chain(codes));
        let help = if near.is_empty() {
            format!("fields: {}", quoted_list(names, 40))
        } else {
            format!("did you mean {}?", quoted_list(near, 3))
        };
        CliError::refused(format!("a desired-state file has no field {asked:?}; {help}"))
    }
}

/// An example as it is written in a file.
fn yaml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", yaml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::String(text) if text.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '_')) => text.clone(),
        other => other.to_string(),
    }
}
