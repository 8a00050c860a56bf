//! Diagnostics for a forge: annotations of GitHub Actions, and a code-quality report of GitLab.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::sanitize::sanitize;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Sources};
use crate::plan::model::Warning;

/// One workflow command of GitHub Actions for each diagnostic, each on its own line. `root` is the directory that a file
/// is named from: that of the repository.
pub fn github(diagnostics: &Diagnostics, sources: &Sources, root: Option<&Path>) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = diagnostic.span.map(|span| sources.resolve(span));
        let place = place.map(|place| {
            let file = property(&from_root(&place.file, root));
            format!("file={file},line={},col={},", place.line, place.column)
        });
        let title = property(&format!("dectl: {}", diagnostic.code.as_str()));
        let text = data(&message(diagnostic, "\n"));
        lines.push_str(&format!("::{level} {}title={title}::{text}\n", place.unwrap_or_default()));
    }
    lines
}

/// The same for the warnings of a plan.
pub fn github_plan(warnings: &[Warning], root: Option<&Path>) -> String {
    let lines = warnings.iter().map(|warning| {
        let place = warning.file.as_ref().map(|file| {
            let line = warning.line.map(|line| format!(",line={line}")).unwrap_or_default();
            format!("file={}{line},", property(&from_root(file, root)))
        });
        let title = property(&format!("dectl: {}", warning.code));
        format!("::warning {}title={title}::{}\n", place.unwrap_or_default(), data(&sanitize(&warning.message)))
    });
    lines.collect()
}

/// An error that is about no file.
pub fn github_error(message: &str) -> String {
    format!("::error title=dectl::{}\n", data(&sanitize(message)))
}

/// A code-quality report: a JSON list of issues.
pub fn code_quality(diagnostics: &Diagnostics, sources: &Sources, root: Option<&Path>) -> String {
    // Equal texts in a file are told apart by their number, so that a fingerprint survives a move to another line.
    let mut seen: HashMap<String, usize> = HashMap::new();
    let issues = diagnostics.iter().map(|diagnostic| {
        let place = diagnostic.span.map(|span| sources.resolve(span));
        let first = || sources.iter().next().map(|(_, name)| name.to_string()).unwrap_or_default();
        let (file, line) = place.map_or_else(|| (first(), 1), |place| (place.file.to_string(), place.line));
        let path = from_root(&file, root);
        let text = format!("{}\n{path}\n{}", diagnostic.code.as_str(), diagnostic.message);
        let number = seen.entry(text.clone()).or_default();
        *number += 1;
        json!({
            "description": message(diagnostic, "; "),
            "check_name": diagnostic.code.as_str(),
            "fingerprint": crate::storage::sha256(&format!("{text}\n{number}")),
            "severity": match diagnostic.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
            },
            "location": { "path": path, "lines": { "begin": line } },
        })
    });
    super::json::text(&Value::Array(issues.collect()))
}

/// A file as the forge names it: from the root of the repository, with slashes.
fn from_root(file: &str, root: Option<&Path>) -> String {
    let absolute = std::path::absolute(file).unwrap_or_default();
    let root = root.map_or_else(|| std::env::current_dir().unwrap_or_default(), Path::to_path_buf);
    let path = absolute.strip_prefix(root).unwrap_or(Path::new(file));
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn message(diagnostic: &Diagnostic, separator: &str) -> String {
    let help = diagnostic.help.as_deref().map(|help| format!("{separator}{}", sanitize(help)));
    format!("{}{}", sanitize(&diagnostic.message), help.unwrap_or_default())
}

/// Escapes the text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(&sanitize(text)).replace(':', "%3A").replace(',', "%2C")
}
