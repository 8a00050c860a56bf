//! `dectl schema`, `dectl completions` and `dectl man`: files for editors, shells and readers.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Command, ValueEnum};
use dectl::desired::SCHEMA;
use dectl::report::{self, json};

use crate::cli::args::file_to_write;
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR", value_parser = file_to_write)]
    write: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SchemaArgs {
    /// What is described
    #[arg(value_name = "KIND", value_enum, default_value_t = Kind::Networks)]
    kind: Kind,
    /// Write it to this file, replacing an earlier one
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    write: Option<PathBuf>,
}

/// The usual name of the schema of desired-state files.
pub(super) const SCHEMA_FILE: &str = "networks.schema.json";

/// The comment that tells an editor the schema of a file.
pub(super) fn modeline(schema: &str) -> String {
    format!("# yaml-language-server: $schema={schema}")
}

/// A kind of file or document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A desired-state file
    Networks,
    /// Result of `auth check`
    Auth,
    /// An error
    Error,
    /// Result of `find`
    Found,
    /// List of `orgs`
    Organizations,
    /// A plan
    Plan,
    /// Result of `rehearse`
    Rehearsal,
    /// Result of `report`
    Report,
    /// Result of `apply`
    Result,
    /// List of `runs`
    Runs,
    /// A file of `--out`
    SavedPlan,
    /// Result of `status`
    Status,
    /// Result of `validate`
    Validation,
}

impl Kind {
    /// The schema as text.
    fn schema(self) -> String {
        let kind = self.to_possible_value().map(|kind| kind.get_name().to_owned()).unwrap_or_default();
        report::schema(&kind).map_or_else(|| SCHEMA.to_owned(), |schema| json::text(&schema))
    }
}

pub(super) fn schema(args: &SchemaArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    let text = args.kind.schema();
    let path = match &args.write {
        Some(path) => {
            // An earlier version is replaced, nothing else.
            let is_schema = |old: Vec<u8>| {
                let id = serde_json::from_slice::<serde_json::Value>(&old).map(|old| old["$id"].clone());
                id.is_ok_and(|id| id.as_str().is_some_and(|id| id.starts_with("urn:dectl:schema:")))
            };
            if path.symlink_metadata().is_ok() && !std::fs::read(path).is_ok_and(is_schema) {
                let path = path.display();
                let message = format!("{path} already exists and is not a schema of dectl; nothing was written");
                return Err(CliError::refused(message));
            }
            let written = std::fs::write(path, text);
            written.map_err(|error| CliError::failed(format!("cannot write {}", path.display()), error))?;
            path.as_path()
        }
        None => {
            printer.result(&text);
            Path::new(SCHEMA_FILE)
        }
    };
    if args.kind == Kind::Networks {
        let line = modeline(&path.display().to_string());
        printer.note(&format!("Next: as the first line of a file, for editors: {line}\n"));
    }
    Ok(ExitStatus::Success)
}

pub(super) fn completions(args: &CompletionsArgs, mut command: Command, printer: &Printer) -> ExitStatus {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "dectl", &mut text);
    printer.result(&String::from_utf8_lossy(&text));
    ExitStatus::Success
}

pub(super) fn man(args: &ManArgs, command: Command, printer: &Printer) -> Result<ExitStatus, CliError> {
    if let Some(dir) = &args.write {
        let failed = |error| CliError::failed(format!("cannot write the manual pages to {}", dir.display()), error);
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(command, dir).map_err(failed)?;
        return Ok(ExitStatus::Success);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::failed("cannot render the manual page", error))?;
    printer.result(&String::from_utf8_lossy(&text));
    Ok(ExitStatus::Success)
}
