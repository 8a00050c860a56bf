//! `dectl report`: one page over the documents of many runs and organizations.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use dectl::report::{Overview, ReadDocument, html, json, markdown, text};

use crate::cli::args::{Format, OutputOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// Documents of `-o json` (plans, results, drift reports, errors), or directories of them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// A larger file is no document of one run.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

pub(super) fn run(args: &ReportArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut documents: Vec<ReadDocument> = Vec::new();
    for path in &args.files {
        collect(path, &mut documents);
    }
    // The same file named twice, as by a directory and by itself, is one document.
    let mut seen = HashSet::new();
    documents.retain(|(path, _)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let overview = Overview::of(&documents);
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::overview(&overview)),
        Format::Markdown => markdown::overview(&overview),
        Format::Html => html::overview(&overview),
        _ => text::overview(&overview),
    });
    Ok(ExitStatus::Success)
}

/// Reads a document, or all of a directory in the order of their names. What cannot be read is part of the report.
fn collect(path: &Path, documents: &mut Vec<ReadDocument>) {
    if !path.is_dir() {
        return documents.push((path.to_path_buf(), read(path)));
    }
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => return documents.push((path.to_path_buf(), Err(error.to_string()))),
    };
    paths.sort();
    let known = documents.len();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_document = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let is_link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
        // A link to a directory may lead back.
        if !is_hidden && (is_document || path.is_dir() && !is_link) {
            collect(&path, documents);
        }
    }
    if documents.len() == known {
        documents.push((path.to_path_buf(), Err("the directory has no document (.json)".to_owned())));
    }
}

fn read(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => error.to_string(),
    })?;
    // Nothing may block the report, or never end.
    if !length.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if length.len() > MAX_BYTES {
        return Err("it is too large for a document".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not a text: perhaps an encrypted plan".to_owned())
}
