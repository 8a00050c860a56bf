//! `dectl status`: drift per location.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use dectl::plan::Missing;
use dectl::reconcile::{Error, PreparedStatus, prepare_status, status};
use dectl::report::{json, markdown, metrics, sanitize, text};
use dectl::runtime::Shutdown;

use super::inputs::{RESOLVE_CODES, in_organization, read, scope};
use super::output::write_metrics;
use crate::cli::args::{FileOptions, FilterOptions, Format, JournalOptions, ReadOptions, file_to_write};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

#[derive(Debug, ClapArgs)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    files: FileOptions,
    /// Fail if a live network is not in any file
    #[arg(long)]
    fail_on_unmanaged: bool,
    /// Also write metrics to FILE, in the OpenMetrics text format, for a collector
    #[arg(long, value_name = "FILE", value_parser = file_to_write, hide_short_help = true)]
    metrics: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalOptions,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    pub(crate) read: ReadOptions,
}

pub(super) async fn run(args: &StatusArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let key = plan_key()?;
    let scope = scope(&args.filter)?;
    let inputs = read(&args.files.paths()?, args.files.strict, RESOLVE_CODES, shutdown).await?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let mut inputs = in_organization(inputs, &connection).await?;
    let PreparedStatus { prepared, missing, unread } = prepare_status(&mut inputs, &scope, &connection.client).await?;
    for Missing { location_name, network, handset, .. } in &missing {
        let (network, location) = (sanitize(network), sanitize(location_name));
        printer.note(&match handset {
            None => format!("warning: network {network} of {location} does not exist any more\n"),
            Some(handset) => format!(
                "warning: handset {} of {network} ({location}) does not exist any more, or one of its lines\n",
                sanitize(handset)
            ),
        });
    }
    for devices in &unread {
        printer.note(&format!("error: {}; they are not compared\n", sanitize(&devices.to_string())));
    }
    let status = status(&prepared, &missing, &inputs, &scope, &args.journal.journal, &connection.target, key.as_ref());
    for warning in &prepared.checked.plan().warnings {
        printer.note(&format!("warning: {}\n", sanitize(&warning.message)));
    }
    if let Some(path) = &args.metrics {
        write_metrics(path, &metrics::status(&status, unread.is_empty(), jiff::Timestamp::now()))?;
    }
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::status(&status)),
        Format::Markdown => markdown::status(&status),
        _ => text::status(&status),
    });
    Error::check_managed(prepared.checked.plan(), args.fail_on_unmanaged)?;
    // A comparison that is incomplete is no answer, not even that something has drifted.
    Ok(match status.drifted() {
        _ if !unread.is_empty() => ExitStatus::Error,
        0 => ExitStatus::Success,
        _ => ExitStatus::Drift,
    })
}
