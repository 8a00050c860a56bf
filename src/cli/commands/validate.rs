//! `dectl validate`: is the file right? No token, no network.

use dectl::desired::Surroundings;
use dectl::reconcile::{InputOptions, Inputs, Resolve};
use dectl::report::{self, json};

use crate::cli::args::{Common, Format, Validate};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;

pub(super) fn run(flags: &Validate, common: &Common, printer: &Printer) -> Result<Exit, Failed> {
    let resolve = if flags.resolve { Resolve::With(&Surroundings) } else { Resolve::FormOnly };
    let options = InputOptions { strict: common.strict, resolve };
    let inputs = Inputs::read(&flags.files.files, &mut std::io::stdin(), options)?;
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
