//! `dectl auth check`: checks the token, its scopes and its expiry with read requests only.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use dectl::client::{Priority, SendError};
use dectl::reconcile::probe;
use dectl::report::{AuthView, json, plural, text};
use dectl::runtime::Shutdown;
use dectl::storage::write_public_file;
use dectl::webex::calls;

use super::output::{check_replaced, text_or_json};
use crate::cli::args::{ReadOptions, file_to_write};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, describe_token_source};

#[derive(Debug, ClapArgs)]
pub(crate) struct AuthCheckArgs {
    /// Record what the organization answers to about fifteen reads in FILE: fields, types, headers, sizes and times, and no
    /// names, ids or codes
    #[arg(long, value_name = "FILE", value_parser = file_to_write, hide_short_help = true)]
    probe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadOptions,
}

pub(super) async fn check(
    args: &AuthCheckArgs,
    printer: &Printer,
    shutdown: &Shutdown,
) -> Result<ExitStatus, CliError> {
    let are_shapes = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("\"kind\": \"shapes\"");
    check_replaced(args.probe.as_deref(), "--probe", "the shapes of an API", are_shapes)?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let source = describe_token_source(&args.read.connection)?;
    let me = calls::get_token_owner().send_once(&*connection.api).await;
    let list = match connection.client.list_networks(Priority::Normal).await {
        Ok(live) => Ok((live.len(), live.locations().len())),
        Err(SendError::Cancelled) => return Err(dectl::reconcile::Error::Stopped.into()),
        Err(SendError::Failed(error)) => Err(error),
    };
    let locations = match connection.client.read(&calls::list_locations(), Priority::Normal).await {
        Ok(locations) => Ok(locations.len()),
        Err(SendError::Cancelled) => return Err(dectl::reconcile::Error::Stopped.into()),
        Err(SendError::Failed(error)) => Err(error),
    };
    if let Some(path) = &args.probe {
        let shapes = probe(&*connection.api, connection.client.clock()).await;
        let failed = |error| CliError::failed(format!("cannot write {}", path.display()), error);
        write_public_file(path, json::text(&shapes).as_bytes()).map_err(failed)?;
        let operations = plural(shapes.operations.len(), "operation");
        printer.note(&format!("wrote the shapes of {operations} to {}; read it before you share it\n", path.display()));
    }
    let view = AuthView { source, me, list, locations, expires: connection.api.token_expires() };
    text_or_json(printer, || text::auth(&view), || json::text(&json::auth(&view)));
    Ok(if view.list.is_ok() { ExitStatus::Success } else { ExitStatus::Error })
}
