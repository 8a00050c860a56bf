//! Resolves access codes from `env` and `file` sources, for commands that need them (`plan`, `apply`).

use std::path::Path;
use std::{fs, io};

use super::model::{CodeSource, Desired, Spanned};
use crate::diagnostic::{DiagnosticCode, Diagnostics};
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
        let read = match &source.value {
            CodeSource::Literal => continue,
            // A code that was written as its source stays a secret.
            CodeSource::Env(name) if AccessCode::new(name).is_ok() => Err(written_as_source("env")),
            CodeSource::File(path)
                if path.file_name().and_then(|name| AccessCode::new(name.to_str()?).ok()).is_some() =>
            {
                Err(written_as_source("file"))
            }
            CodeSource::Env(name) => {
                let help = || format!("set {name} to four digits, e.g. from the pipeline's secrets");
                let unset = || (format!("environment variable {name} is not set"), help());
                lookup.variable(name).map(|value| (value, format!("environment variable {name}"))).ok_or_else(unset)
            }
            CodeSource::File(path) => {
                let help = "the path is relative to the desired-state file; the file must contain four digits";
                let unreadable = |error| (format!("cannot read {}: {error}", path.display()), help.to_owned());
                lookup.file(path).map(|text| (text, format!("file {}", path.display()))).map_err(unreadable)
            }
        };
        match read {
            Ok((text, context)) => entry.desired.code = accept(&text, &context, source, diagnostics),
            Err((message, help)) => {
                diagnostics.error(DiagnosticCode::CodeSourceUnavailable, source.span, message).help(help);
            }
        }
    }
}

fn written_as_source(kind: &str) -> (String, String) {
    let message = format!("four digits are no source of an access code (`{kind}`)");
    (message, "write the code itself in quotes, or the name of its source".to_owned())
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
            diagnostics
                .error(DiagnosticCode::InvalidCode, source.span, format!("access code in {context} {error}"))
                .help("it must contain exactly four digits, and nothing else but white space around them");
        })
        .ok()
}
