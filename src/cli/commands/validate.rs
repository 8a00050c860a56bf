//! `dectl validate`: validates files offline.

use clap::Args as ClapArgs;
use dectl::reconcile::{CodeResolution, Inputs};
use dectl::report::{self, json, plural};
use dectl::runtime::Shutdown;

use super::inputs::{RESOLVE_CODES, read};
use super::output::text_or_json;
use crate::cli::args::{FileOptions, OutputOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    files: FileOptions,
    /// Also resolve access codes from `env` and `file` sources
    #[arg(long)]
    resolve: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(super) async fn run(args: &ValidateArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let codes = if args.resolve { RESOLVE_CODES } else { CodeResolution::SyntaxOnly };
    let inputs = read(&args.files.paths()?, args.files.strict, codes, shutdown).await?;
    let (files, locations) = (inputs.sources.iter().count(), inputs.desired.locations.len());
    let networks = inputs.desired.entries().count();
    let Inputs { warnings, sources, .. } = &inputs;
    let text = || {
        printer.note(&report::diagnostics_text(warnings, sources, printer.width()));
        let counts = [plural(files, "file"), plural(locations, "location"), plural(networks, "network")];
        format!("Valid: {}\n", counts.join(", "))
    };
    text_or_json(printer, text, || json::text(&json::validation(files, locations, networks, warnings, sources)));
    Ok(ExitStatus::Success)
}
