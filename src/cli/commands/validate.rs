//! `dectl validate`: is the file right? No token, no network.

use dectl::report::{self, json};
use dectl::time::Stop;

use super::{Codes, read};
use crate::cli::args::{Common, Format, Validate};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;

pub(super) async fn run(flags: &Validate, common: &Common, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    let codes = if flags.resolve { Codes::LookedUp } else { Codes::FormOnly };
    let inputs = read(&flags.files.files, common, codes, &stop).await?;
    let (files, locations) = (inputs.sources.iter().count(), inputs.desired.locations.len());
    let networks = inputs.desired.entries().count();
    match printer.format() {
        Format::Json => {
            printer.result(&json::text(&json::validation(
                files,
                locations,
                networks,
                &inputs.warnings,
                &inputs.sources,
            )));
        }
        Format::Text => {
            printer.remark(&report::findings_text(&inputs.warnings, &inputs.sources, printer.width()));
            printer.result(&format!("Valid: {files} files, {locations} locations, {networks} networks\n"));
        }
    }
    Ok(Exit::Done)
}
