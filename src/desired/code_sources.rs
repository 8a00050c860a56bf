//! Access codes that do not stand in the desired-state file: looked up when they are needed, by `plan` and `apply`.

use std::path::Path;
use std::{fs, io};

use super::model::{CodeSource, Desired, Spanned};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::AccessCode;

/// A code file holds four digits and a line ending; reading more than this tells that it is none.
const MAX_BYTES: u64 = 64;

pub trait CodeSourceResolver: Sync {
    /// The value of a variable of the environment; `None` if it is not set or not text.
    fn variable(&self, name: &str) -> Option<String>;

    /// What a file holds.
    ///
    /// # Errors
    /// If it cannot be read as text.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// The environment and the files of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl CodeSourceResolver for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(fs::File::open(path)?, MAX_BYTES), &mut text)?;
        Ok(text)
    }
}

/// Fills in every code that stands elsewhere; what cannot be had is a finding at the entry that wants it.
pub fn resolve_codes(desired: &mut Desired, lookup: &dyn CodeSourceResolver, diagnostics: &mut Diagnostics) {
    for entry in desired.locations.iter_mut().flat_map(|location| &mut location.entries) {
        let Some(source) = &entry.code else { continue };
        match &source.value {
            CodeSource::Literal => {}
            CodeSource::Env(name) => match lookup.variable(name) {
                Some(value) => {
                    entry.desired.code = accept(&value, &format!("the variable {name}"), source, diagnostics)
                }
                None => diagnostics.push(
                    Diagnostic::error(DiagnosticCode::CodeSourceUnavailable, format!("the variable {name} is not set"))
                        .with_span(source.span)
                        .help(format!("set {name} to the four digits, for example from the secrets of the pipeline")),
                ),
            },
            CodeSource::File(path) => match lookup.file(path) {
                Ok(text) => {
                    let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.trim_end_matches('\r'));
                    let context = format!("the file {}", path.display());
                    entry.desired.code = accept(value, &context, source, diagnostics);
                }
                Err(error) => diagnostics.push(
                    Diagnostic::error(
                        DiagnosticCode::CodeSourceUnavailable,
                        format!("{} cannot be read: {error}", path.display()),
                    )
                    .with_span(source.span)
                    .help("the path is relative to the file that names it; it must hold the four digits"),
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
    AccessCode::new(value)
        .map_err(|error| {
            diagnostics.push(
                Diagnostic::error(DiagnosticCode::InvalidCode, format!("the access code in {context} {error}"))
                    .with_span(source.span)
                    .help("it must hold exactly four digits and nothing else but one line ending"),
            );
        })
        .ok()
}
