//! `dectl orgs`: lists the organizations that a token reaches, as the files of docs/scale.md have them.

use clap::Args as ClapArgs;
use dectl::client::{Priority, SendError};
use dectl::desired::unique_file_stems;
use dectl::reconcile::Error;
use dectl::report::{OrganizationView, json, text};
use dectl::runtime::Shutdown;
use dectl::webex::calls;

use super::output::text_or_json;
use crate::cli::args::ReadOptions;
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
pub(crate) struct OrgsArgs {
    #[command(flatten)]
    pub(crate) read: ReadOptions,
}

pub(super) async fn run(args: &OrgsArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    let organizations = connection.client.read(&calls::list_organizations(), Priority::Normal).await;
    let organizations = organizations.map_err(|error| match error {
        SendError::Cancelled => CliError::from(Error::Stopped),
        SendError::Failed(error) => CliError::failed("cannot list the organizations".to_owned(), error),
    })?;
    let slug = |name: &str| unique_file_stems(std::iter::once(name)).remove(0);
    let organizations = OrganizationView::list(organizations, slug);
    text_or_json(printer, || text::organizations(&organizations), || json::text(&json::organizations(&organizations)));
    Ok(ExitStatus::Success)
}
