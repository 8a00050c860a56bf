//! `dectl find`: where something is.

use clap::Args as ClapArgs;
use dectl::plan::model::ResourceKind;
use dectl::reconcile::{SearchResult, find};
use dectl::report::{FoundView, json, plural, sanitize, text};
use dectl::runtime::Shutdown;

use super::inputs::scope;
use super::output::text_or_json;
use crate::cli::args::{FilterOptions, ReadOptions, kinds};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
pub(crate) struct FindArgs {
    /// Part of a name of a network, handset or person, or a glob; an extension, a phone number or its end, a MAC address, an
    /// id
    #[arg(value_name = "WHAT")]
    what: String,
    /// Look at one kind of thing only (comma-separated)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds::one_of(&FOUND))]
    kind: Vec<ResourceKind>,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    pub(crate) read: ReadOptions,
}

/// The kinds of things that have something to find them by.
const FOUND: [ResourceKind; 3] = [ResourceKind::Network, ResourceKind::BaseStation, ResourceKind::Handset];

pub(super) async fn run(args: &FindArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    if args.what.trim().is_empty() {
        return Err(CliError::refused("nothing to find: WHAT is empty"));
    }
    let scope = scope(&args.filter)?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let result = find(&args.what, &args.kind, &scope, &connection.client).await?;
    let SearchResult { found, unread, networks_read } = &result;
    for devices in unread {
        printer.note(&format!("error: {}; nothing was looked for there\n", sanitize(&devices.to_string())));
    }
    let views: Vec<FoundView> = found.iter().map(FoundView::of).collect();
    text_or_json(printer, || text::found(&views), || json::text(&json::found(&views)));
    if found.is_empty() {
        let looked = match networks_read {
            0 => "the list of networks".to_owned(),
            read => format!("the list of networks and the devices of {}", plural(*read, "network")),
        };
        printer.note(&format!("nothing found: looked at {looked}\n"));
    }
    Ok(if found.is_empty() || !unread.is_empty() { ExitStatus::Error } else { ExitStatus::Success })
}
