//! Output of commands: a plan or a result in the requested format.

use dectl::apply::Outcome;
use dectl::plan::model::Plan;
use dectl::report::{self, PlanView, ResultView, json};

use crate::cli::args::Format;
use crate::cli::printer::Printer;

/// Prints a plan as the result.
pub(super) fn show_plan(plan: &Plan, printer: &Printer) {
    printer.result(&plan_text(&PlanView::of(plan, printer.codes()), printer.format()));
}

pub(super) fn plan_text(view: &PlanView, format: Format) -> String {
    match format {
        Format::Text => report::text::plan(view),
        Format::Json => json::text(&json::plan(view)),
        Format::Markdown => report::markdown::plan(view),
        Format::Html => report::html::plan(view),
        Format::Diff => report::diff::plan(view),
        // Refused before anything was read.
        Format::Csv => String::new(),
    }
}

pub(super) fn result_text(view: &ResultView, format: Format) -> String {
    match format {
        Format::Text => report::text::result(view),
        Format::Json => json::text(&json::result(view)),
        Format::Markdown => report::markdown::result(view),
        Format::Html => report::html::result(view),
        // Refused before anything was read.
        Format::Diff | Format::Csv => String::new(),
    }
}

/// Prints the result of a run that had nothing to do.
pub(super) fn show_unchanged(printer: &Printer) {
    let view = ResultView::of(&Plan::default(), Outcome::unchanged(), None, printer.codes());
    printer.result(&result_text(&view, printer.format()));
}

/// For commands that support text and JSON only.
pub(super) fn text_or_json(printer: &Printer, text: impl FnOnce() -> String, document: impl FnOnce() -> String) {
    match printer.format() {
        Format::Json => printer.result(&document()),
        _ => printer.result(&text()),
    }
}
