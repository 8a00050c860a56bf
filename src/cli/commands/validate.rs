//! `dectl validate`: validates files offline.

use clap::Args as ClapArgs;
use dectl::reconcile::{CodeResolution, Inputs};
use dectl::report::{self, json, plural};
use dectl::runtime::Shutdown;

use super::inputs::{RESOLVE_CODES, read};
use crate::cli::args::{FileOptions, Format, OutputOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::{Printer, repository};

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
    let counts = [plural(files, "file"), plural(locations, "location"), plural(networks, "network")];
    if printer.format() != Format::Json {
        printer.warnings(warnings, sources);
    }
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::validation(files, locations, networks, warnings, sources)),
        Format::Codequality => report::annotations::code_quality(warnings, sources, repository().as_deref()),
        _ => format!("Valid: {}\n", counts.join(", ")),
    });
    Ok(ExitStatus::Success)
}
