//! Loads the files as one desired state, or reports everything that is wrong with them.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::desired::model::Desired;
use crate::desired::{
    CodeSourceResolver, Input, RenameRequest, SourceFormat, load_sources, read, rename_handsets, rename_rules,
    resolve_codes,
};
use crate::diagnostic::{Diagnostics, Severity, Sources, plural};
use crate::model::{LiveState, Location, Network};
use crate::plan::Scope;
use crate::plan::model::{OrganizationRef, Protections};
use crate::storage::sha256;

/// Whether external access codes are resolved.
#[derive(Clone, Copy)]
pub enum CodeResolution<'a> {
    Resolve(&'a dyn CodeSourceResolver),
    SyntaxOnly,
}

#[derive(Clone, Copy)]
pub struct InputOptions<'a> {
    pub strict: bool,
    pub resolve: CodeResolution<'a>,
}

/// A valid desired state.
#[derive(Debug)]
pub struct Inputs {
    pub desired: Desired,
    /// The organization that the files name, once it was compared with the one that is reached.
    pub organization: Option<OrganizationRef>,
    /// What is protected beside what these files protect, and what is allowed all the same.
    pub protections: Protections,
    pub sources: Arc<Sources>,
    pub warnings: Diagnostics,
    /// Whether warnings about files that the live state shows are errors, too.
    pub strict: bool,
}

/// Diagnostics of invalid input, with their sources.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .diagnostics.iter().next().map(|first| format!("{}; ", first.message)).unwrap_or_default(), self.summary())]
pub struct InvalidInput {
    /// The diagnostics; at least one is an error.
    pub diagnostics: Diagnostics,
    pub sources: Arc<Sources>,
}

impl InvalidInput {
    /// The number of errors and warnings in one line.
    pub fn summary(&self) -> String {
        let count = |severity, noun: &str| match self.diagnostics.count(severity) {
            0 => None,
            count => Some(plural(count, noun)),
        };
        let counts: Vec<String> =
            [count(Severity::Error, "error"), count(Severity::Warning, "warning")].into_iter().flatten().collect();
        format!("{}; no changes were made", counts.join(" and "))
    }
}

impl Inputs {
    /// A desired state that has no errors.
    pub(super) fn new(desired: Desired, sources: Sources, warnings: Diagnostics) -> Self {
        let (organization, protections) = (None, Protections::default());
        Self { desired, organization, protections, sources: sources.into(), warnings, strict: false }
    }

    /// The same with names that are allowed although they are protected.
    #[must_use]
    pub fn allowing(mut self, names: &[String]) -> Self {
        self.protections.allow(names);
        self
    }

    /// Parses a text without a file; `name` is its name in messages.
    ///
    /// # Errors
    /// All diagnostics at once.
    pub fn from_text(name: &str, text: String, options: InputOptions<'_>) -> Result<Self, InvalidInput> {
        Self::from_format(name, text, SourceFormat::Yaml, options)
    }

    /// Like [`Self::from_text`], for another format.
    ///
    /// # Errors
    /// All diagnostics at once.
    pub fn from_format(
        name: &str,
        text: String,
        format: SourceFormat,
        options: InputOptions<'_>,
    ) -> Result<Self, InvalidInput> {
        let input = Input { name: name.to_owned(), text, format, base_dir: PathBuf::from(".") };
        Self::check(vec![input], Diagnostics::new(), options)
    }

    /// Loads the files in `paths`; `-` is `stdin`.
    ///
    /// # Errors
    /// All diagnostics at once.
    pub fn read(paths: &[PathBuf], stdin: &mut dyn Read, options: InputOptions<'_>) -> Result<Self, InvalidInput> {
        let mut diagnostics = Diagnostics::new();
        let texts = load_sources(paths, stdin, &mut diagnostics);
        Self::check(texts, diagnostics, options)
    }

    /// Parses texts that were loaded; the diagnostics of loading come first.
    ///
    /// # Errors
    /// All diagnostics at once.
    pub fn from_texts(
        texts: Vec<Input>,
        loading: Diagnostics,
        options: InputOptions<'_>,
    ) -> Result<Self, InvalidInput> {
        Self::check(texts, loading, options)
    }

    /// Converts the arguments of `dectl rename`.
    ///
    /// # Errors
    /// If a pattern or template is invalid.
    pub fn from_rename(asked: &RenameRequest) -> Result<Self, InvalidInput> {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let rules = rename_rules(asked, &mut sources, &mut diagnostics);
        if diagnostics.has_errors() {
            return Err(InvalidInput { diagnostics, sources: sources.into() });
        }
        let desired = Desired { rules, ..Desired::default() };
        Ok(Self::new(desired, sources, diagnostics))
    }

    /// Converts the arguments of `dectl rename --field customDisplayName`, for the handsets that were read.
    ///
    /// # Errors
    /// If the pattern or the template is invalid, or a new name is.
    pub fn from_handset_rename(request: &RenameRequest, live: &LiveState, scope: &Scope) -> Result<Self, InvalidInput> {
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let is_in_scope =
            |location: &Location, network: &Network| scope.includes_any_name(&location.name, [&*network.settings.name]);
        let desired = rename_handsets(request, live, is_in_scope, &mut sources, &mut diagnostics);
        if diagnostics.has_errors() {
            return Err(InvalidInput { diagnostics, sources: sources.into() });
        }
        Ok(Self::new(desired, sources, diagnostics))
    }

    /// The sources by name, each with its SHA-256.
    pub fn source_digests(&self) -> Vec<(String, String)> {
        self.sources.iter().map(|(id, name)| (name.to_string(), sha256(self.sources.text(id)))).collect()
    }

    fn check(texts: Vec<Input>, mut diagnostics: Diagnostics, options: InputOptions<'_>) -> Result<Self, InvalidInput> {
        let mut sources = Sources::new();
        let mut desired = read(texts, &mut sources, &mut diagnostics);
        if let CodeResolution::Resolve(lookup) = options.resolve {
            resolve_codes(&mut desired, lookup, &mut diagnostics);
        }
        diagnostics.sort();
        diagnostics.prefix_csv_cells(&sources);
        if options.strict {
            diagnostics.promote_warnings();
        }
        if diagnostics.has_errors() {
            return Err(InvalidInput { diagnostics, sources: sources.into() });
        }
        Ok(Self { strict: options.strict, ..Self::new(desired, sources, diagnostics) })
    }
}
