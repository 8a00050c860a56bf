//! `dectl export --update`: takes live values over into files where they stand.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use dectl::desired::load_sources;
use dectl::diagnostic::Diagnostics;
use dectl::plan::model::ResourceKind;
use dectl::reconcile::{Accepted, CodeResolution, InputOptions, Inputs, accept_live};
use dectl::report::{CodeVisibility, diff, plural, sanitize};
use dectl::runtime::Shutdown;
use dectl::storage::rewrite_files;

use super::inputs::{in_organization, scope};
use crate::cli::args::{FilterOptions, LocationOptions, ReadOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::prompt;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Updating files")]
pub(crate) struct UpdateOptions {
    /// Take live values over into FILE or the files of a directory, where they stand, instead of writing a new file
    /// (repeatable)
    ///
    /// Only values that differ are rewritten; comments, order and quotes stay. Shows the change and asks.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = NEW_FILE_OPTIONS
    )]
    pub(super) update: Vec<PathBuf>,
    /// With --update: take over this field only, such as displayName (repeatable)
    #[arg(long, value_name = "FIELD", requires = "update", conflicts_with_all = NEW_FILE_OPTIONS, value_parser = PossibleValuesParser::new(fields()), hide_short_help = true)]
    field: Vec<String>,
    /// With --update: limit to networks by a glob for the old or new name, or !GLOB (repeatable)
    #[arg(long, value_name = "GLOB", requires = "update", conflicts_with_all = NEW_FILE_OPTIONS, hide_short_help = true)]
    network: Vec<String>,
    /// With --update: skip the confirmation prompt
    #[arg(long, short, requires = "update", conflicts_with_all = NEW_FILE_OPTIONS, hide_short_help = true)]
    yes: bool,
}

/// Options of an export that writes something new. What `--update` needs is refused beside them, too: an option that requires
/// another one is let through where that one is excluded.
const NEW_FILE_OPTIONS: [&str; 7] = ["write", "split", "force", "no_codes", "no_remarks", "include", "pairing"];

/// The fields that an edit can take over.
fn fields() -> impl Iterator<Item = &'static str> {
    let fields = ResourceKind::ALL.into_iter().flat_map(|kind| kind.fields());
    fields.filter(|field| field.can_change()).map(|field| field.name)
}

pub(super) async fn run(
    options: &UpdateOptions,
    locations: &LocationOptions,
    show_codes: bool,
    read: &ReadOptions,
    printer: &Printer,
    shutdown: &Shutdown,
) -> Result<ExitStatus, CliError> {
    if options.update.iter().any(|path| path.as_os_str() == "-") {
        return Err(CliError::refused("--update edits files where they stand; standard input has no place"));
    }
    if !options.yes && !prompt::is_interactive() {
        return Err(CliError::refused("cannot prompt for confirmation: stdin is not a terminal (use --yes)"));
    }
    let filter = FilterOptions { locations: locations.clone(), network: options.network.clone() };
    let scope = scope(&filter)?;
    let mut loading = Diagnostics::new();
    let texts = load_sources(&options.update, &mut std::io::empty(), &mut loading);
    let input_options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    let inputs = Inputs::from_texts(texts.clone(), loading, input_options)?;
    let connection = connect(&read.connection, read.rate.into(), read.output, shutdown).await?;
    let inputs = in_organization(inputs, &connection).await?;
    let accepted = accept_live(&texts, &inputs, &options.field, &scope, &connection.client).await?;
    let codes = if show_codes { CodeVisibility::Shown } else { CodeVisibility::Masked };
    printer.result(&diff::files(&accepted.files, codes));
    for left in &accepted.left {
        printer.note(&format!("not taken over: {}\n", sanitize(left)));
    }
    let exit = if accepted.left.is_empty() { ExitStatus::Success } else { ExitStatus::Drift };
    if accepted.files.is_empty() {
        let is_limited = !options.field.is_empty() || !filter.is_empty();
        let what = if is_limited { "nothing differs in what was asked for" } else { "the files are as the live state" };
        if accepted.left.is_empty() && !read.output.is_quiet() {
            printer.note(&format!("Nothing to take over: {what}.\n"));
        }
        return Ok(exit);
    }
    let (values, files) = (plural(accepted.values, "live value"), plural(accepted.files.len(), "file"));
    let question = format!("Take over {values} into {files}?");
    if !options.yes && !prompt::confirm(&question, "yes").await {
        return Err(CliError::refused("not confirmed; no file was changed"));
    }
    write(&accepted)?;
    printer.note(&format!("wrote {values} into {files}\n"));
    Ok(exit)
}

/// Writes all files, or none if one of them was changed since it was read.
fn write(accepted: &Accepted) -> Result<(), CliError> {
    for file in &accepted.files {
        let now = std::fs::read(&file.name);
        let now = now.map_err(|error| CliError::failed(format!("cannot read {}", file.name), error))?;
        if std::fs::metadata(&file.name).is_ok_and(|data| data.permissions().readonly()) {
            return Err(CliError::refused(format!("{} is read-only; no file was changed", file.name)));
        }
        if now != file.before.as_bytes() {
            return Err(CliError::refused(format!("{} was changed meanwhile; no file was changed", file.name)));
        }
    }
    let files: Vec<(&Path, &[u8])> =
        accepted.files.iter().map(|file| (Path::new(&file.name), file.after.as_bytes())).collect();
    rewrite_files(&files).map_err(|(path, replaced, error)| {
        let others = match replaced {
            0 => "no file was changed".to_owned(),
            replaced => format!("{} before it were changed", plural(replaced, "file")),
        };
        CliError::failed(format!("cannot write {}; {others}", path.display()), error)
    })
}
