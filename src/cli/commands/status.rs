//! `dectl status`: drift per location.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use dectl::plan::Missing;
use dectl::reconcile::{
    Baseline, DriftReport, Error, PreparedStatus, UnreadDevices, expect_last_run, prepare_status, status,
};
use dectl::report::{json, markdown, metrics, plural, sanitize, text};
use dectl::runtime::Shutdown;
use dectl::storage::write_public_file;

use super::inputs::{RESOLVE_CODES, in_organization, read, scope};
use super::output::{check_metrics, write_metrics};
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
    /// Leave out the differences that FILE has: those that were accepted
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write all differences of today to the file of --baseline
    #[arg(long, requires = "baseline", hide_short_help = true)]
    accept: bool,
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
    if args.accept && !args.filter.is_empty() {
        return Err(CliError::refused(
            "--accept writes all differences: it cannot be combined with --location or --network",
        ));
    }
    check_metrics(args.metrics.as_deref())?;
    let baseline = match &args.baseline {
        Some(path) => read_baseline(path, args.accept)?,
        None => None,
    };
    let inputs = read(&args.files.paths()?, args.files.strict, RESOLVE_CODES, shutdown).await?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let mut inputs = in_organization(inputs, &connection).await?;
    expect_last_run(&args.journal.journal, &connection.target, &connection.client);
    let prepared = prepare_status(&mut inputs, &scope, &connection.client).await?;
    let PreparedStatus { missing, unread, .. } = &prepared;
    note_what_is_not_there(missing, unread, printer);
    let (journal, target) = (&args.journal.journal, &connection.target);
    let mut status = status(&prepared, &scope, journal, target, key.as_ref());
    match (&args.baseline, baseline) {
        (Some(path), _) if args.accept => accept(path, &mut status, unread, printer)?,
        (_, Some(baseline)) => status.mark_known(&baseline),
        _ => {}
    }
    let plan = prepared.prepared.checked.plan();
    for warning in &plan.warnings {
        printer.note(&format!("warning: {}\n", sanitize(&warning.message)));
    }
    let managed = Error::check_managed(plan, args.fail_on_unmanaged);
    status.problems.extend(managed.as_ref().err().map(ToString::to_string));
    if let Some(path) = &args.metrics {
        write_metrics(path, &metrics::status(&status, unread.is_empty(), jiff::Timestamp::now()))?;
    }
    printer.result(&match printer.format() {
        Format::Json => json::text(&json::status(&status)),
        Format::Markdown => markdown::status(&status),
        _ => text::status(&status),
    });
    managed?;
    // A comparison that is incomplete is no answer, not even that something has drifted.
    Ok(match status.drifted() {
        _ if !unread.is_empty() => ExitStatus::Error,
        0 => ExitStatus::Success,
        _ => ExitStatus::Drift,
    })
}

/// Names what the inputs ask for and does not exist, and what cannot be read.
fn note_what_is_not_there(missing: &[Missing], unread: &[UnreadDevices], printer: &Printer) {
    for Missing { location_name, network, handset, .. } in missing {
        let (network, location) = (sanitize(network), sanitize(location_name));
        printer.note(&match handset {
            None => format!("warning: network {network} of {location} does not exist any more\n"),
            Some(handset) => format!(
                "warning: handset {} of {network} ({location}) does not exist any more, or one of its lines\n",
                sanitize(handset)
            ),
        });
    }
    for devices in unread {
        printer.note(&format!("error: {}; they are not compared\n", sanitize(&devices.to_string())));
    }
}

/// Writes all differences to the baseline, unless some are not known.
fn accept(path: &Path, status: &mut DriftReport, unread: &[UnreadDevices], printer: &Printer) -> Result<(), CliError> {
    if !unread.is_empty() {
        printer.note(&format!("error: {} was not written, since not everything could be read\n", path.display()));
        return Ok(());
    }
    let baseline = status.to_baseline();
    write_baseline(path, &baseline)?;
    status.mark_known(&baseline);
    printer.note(&format!("accepted {}\n", plural(baseline.differences.len(), "difference")));
    if status.not_acceptable() > 0 {
        let codes = plural(status.not_acceptable(), "difference");
        printer.note(&format!("{codes} of access codes not accepted: a baseline holds no codes\n"));
    }
    Ok(())
}

/// Reads the accepted differences; a file that is to be written may be new, but is none of another kind.
fn read_baseline(path: &Path, may_be_new: bool) -> Result<Option<Baseline>, CliError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if may_be_new {
                return Ok(None);
            }
            let message = format!("the baseline {} does not exist; `--accept` writes it", path.display());
            return Err(CliError::refused(message));
        }
        Err(error) => return Err(CliError::failed(format!("cannot read the baseline {}", path.display()), error)),
    };
    let parsed = Baseline::parse(&text);
    parsed.map(Some).map_err(|reason| CliError::refused(format!("cannot use {}: {reason}", path.display())))
}

fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("cannot write the baseline to {}", path.display()), error);
    write_public_file(path, json::text(baseline).as_bytes()).map_err(failed)
}
