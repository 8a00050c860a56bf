//! `dectl validate`: is the file right? No token, no network.

use dectl::reconcile::Inputs;
use dectl::report::{self, json};
use dectl::runtime::Shutdown;

use super::inputs::{Codes, read};
use super::rendering::text_or_json;
use crate::cli::args::{Common, Validate};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;

pub(super) async fn run(
    flags: &Validate,
    common: &Common,
    printer: &Printer,
    shutdown: Shutdown,
) -> Result<Exit, Failed> {
    let codes = if flags.resolve { Codes::LookedUp } else { Codes::FormOnly };
    let inputs = read(&flags.files.files, common, codes, &shutdown).await?;
    let (files, locations) = (inputs.sources.iter().count(), inputs.desired.locations.len());
    let networks = inputs.desired.entries().count();
    let Inputs { warnings, sources, .. } = &inputs;
    let text = || {
        printer.remark(&report::findings_text(warnings, sources, printer.width()));
        format!("Valid: {files} files, {locations} locations, {networks} networks\n")
    };
    text_or_json(printer, text, || json::text(&json::validation(files, locations, networks, warnings, sources)));
    Ok(Exit::Done)
}
