//! Resolves access codes from `env` and `file` sources, for commands that need them (`plan`, `apply`).

use std::path::Path;
use std::{fs, io};

use super::model::{CodeSource, Desired, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{AccessCode, secret_text, utf8_text};

/// Upper bound for reading a code file: four digits, a line ending, and enough to recognize other content.
const MAX_BYTES: u64 = 64;

pub trait CodeSourceResolver: Sync {
    /// Returns the value of an environment variable; `None` if it is unset or not Unicode.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns the content of a file.
    ///
    /// # Errors
    /// If it cannot be read as text.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// Looks up codes in the process environment and the file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl CodeSourceResolver for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, MAX_BYTES), &mut bytes)?;
        utf8_text(&bytes).map(str::to_owned).map_err(|error| io::Error::other(format!("it {error}")))
    }
}

/// Fills in every code with an external source; reports each unavailable one at its entry.
pub fn resolve_codes(desired: &mut Desired, lookup: &dyn CodeSourceResolver, diagnostics: &mut Diagnostics) {
    for entry in desired.locations.iter_mut().flat_map(|location| &mut location.entries) {
        let Some(source) = &entry.code else { continue };
        match &source.value {
            CodeSource::Literal => {}
            CodeSource::Env(name) => match lookup.variable(name) {
                Some(value) => {
                    entry.desired.code = accept(&value, &format!("environment variable {name}"), source, diagnostics)
                }
                None => diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::CodeSourceUnavailable,
                        format!("environment variable {name} is not set"),
                    )
                    .with_span(source.span)
                    .help(format!("set {name} to four digits, e.g. from the pipeline's secrets")),
                ),
            },
            CodeSource::File(path) => match lookup.file(path) {
                Ok(text) => {
                    let context = format!("file {}", path.display());
                    entry.desired.code = accept(&text, &context, source, diagnostics);
                }
                Err(error) => diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::CodeSourceUnavailable,
                        format!("cannot read {}: {error}", path.display()),
                    )
                    .with_span(source.span)
                    .help("the path is relative to the desired-state file; the file must contain four digits"),
                ),
            },
        }
    }
}

fn accept(
    value: &str,
    context: &str,
    source: &Spanned<CodeSource>,
    diagnostics: &mut Diagnostics,
) -> Option<AccessCode> {
    let code = secret_text(value).map_err(|error| error.to_string());
    code.and_then(|code| AccessCode::new(code).map_err(|error| error.to_string()))
        .map_err(|error| {
            diagnostics.push(
                Diagnostic::error(DiagnosticCode::InvalidCode, format!("access code in {context} {error}"))
                    .with_span(source.span)
                    .help("it must contain exactly four digits, and nothing else but a line ending"),
            );
        })
        .ok()
}
