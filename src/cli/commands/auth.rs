//! `dectl auth check`: what the credentials are good for, as far as reading can tell.

use dectl::client::{Priority, SendError};
use dectl::report::{AuthView, json, text};
use dectl::runtime::Shutdown;

use super::rendering::text_or_json;
use crate::cli::args::{Common, Pace};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, describe_source};

pub(super) async fn check(common: &Common, printer: &Printer, shutdown: Shutdown) -> Result<Exit, Failed> {
    let connection = connect(common, Pace::default(), shutdown).await?;
    let source = describe_source(common)?;
    let me = connection.api.me().await;
    let list = match connection.client.list(Priority::Normal).await {
        Ok(live) => Ok((live.len(), live.locations().len())),
        Err(SendError::Cancelled) => return Err(dectl::reconcile::Error::Stopped.into()),
        Err(SendError::Failed(error)) => Err(error),
    };
    let view = AuthView { source, me, list, expires: connection.api.token_expires() };
    text_or_json(printer, || text::auth(&view), || json::text(&json::auth(&view)));
    Ok(if view.list.is_ok() { Exit::Done } else { Exit::Error })
}
