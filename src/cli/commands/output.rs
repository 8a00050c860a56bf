//! Output of commands: a plan or a result in the requested format.

use std::path::Path;

use dectl::apply::Outcome;
use dectl::plan::model::Plan;
use dectl::report::{self, CodeVisibility, PlanView, ResultView, json, sanitize};
use dectl::storage::write_public_file;

use crate::cli::args::{Format, OutputOptions, ScopeOptions};
use crate::cli::exit::CliError;
use crate::cli::printer::Printer;

/// Refuses a format that the options of a command leave out.
pub(super) fn check_format(format: Format, formats: Option<&[Format]>) -> Result<(), CliError> {
    let Some(formats) = formats.filter(|formats| !formats.contains(&format)) else { return Ok(()) };
    let supported: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    let (name, supported) = (format.name(), supported.join(", "));
    Err(CliError::refused(format!("`-o {name}` is not supported with these options (supported: {supported})")))
}

/// Shows a plan that is not applied now; `max_deletes` is the number of deletions that was allowed.
pub(super) fn show_plan(plan: &Plan, max_deletes: Option<usize>, printer: &Printer) {
    show_plan_as(plan, max_deletes, printer, |view| plan_text(plan, view, printer.format(), printer.codes()));
}

/// The same with another text.
pub(super) fn show_plan_as(
    plan: &Plan,
    max_deletes: Option<usize>,
    printer: &Printer,
    text: impl FnOnce(&PlanView) -> String,
) {
    printer.annotate_plan(plan);
    let view = PlanView::of(plan, printer.codes());
    let must_allow_deletions = view.summary.deletions > max_deletes.unwrap_or(0);
    printer.result(&text(&PlanView { must_allow_deletions, ..view }));
}

/// Says on standard error what to do with a plan that was shown to a person.
pub(super) fn show_next_step(next: &str, plan: &Plan, output: OutputOptions, printer: &Printer) {
    let is_shown = printer.format() == Format::Text && !printer.has_failed();
    if !plan.changes.is_empty() && !output.is_quiet() && is_shown {
        printer.note(&format!("Next: {next}.\n"));
    }
}

/// How a saved plan is applied; deletions and changes of what is protected that were not allowed when it was saved must be
/// then.
pub(super) fn saved_plan_hint(path: &Path, plan: &Plan, limits: &ScopeOptions) -> String {
    let allowed = match plan.deleted().len() {
        0 => String::new(),
        _ if limits.max_deletes.is_some() => String::new(),
        deleted => format!(" --max-deletes {deleted}"),
    };
    let names = plan.protections.refused_names(&plan.changes);
    let allowances: String =
        names.into_iter().map(|name| format!(" --allow {}", shell_word(Path::new(name)))).collect();
    format!("apply exactly this plan with `dectl apply --plan {}{allowed}{allowances}`", shell_word(path))
}

/// A path as one word of a shell.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '\\');
    let text = sanitize(&text);
    if text.chars().all(is_plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

pub(super) fn plan_text(plan: &Plan, view: &PlanView, format: Format, codes: CodeVisibility) -> String {
    match format {
        Format::Text => report::text::plan(view),
        Format::Json => json::text(&json::plan(view)),
        Format::Markdown => report::markdown::plan(view),
        Format::Html => report::html::plan(view),
        Format::Diff => report::diff::plan(plan, view, codes),
        // Refused before anything was read.
        Format::Csv | Format::Junit | Format::Codequality => String::new(),
    }
}

pub(super) fn result_text(view: &ResultView, format: Format) -> String {
    match format {
        Format::Text => report::text::result(view),
        Format::Json => json::text(&json::result(view)),
        Format::Markdown => report::markdown::result(view),
        Format::Html => report::html::result(view),
        Format::Junit => report::junit::result(view),
        // Refused before anything was read.
        Format::Diff | Format::Csv | Format::Codequality => String::new(),
    }
}

/// Prints the result of a run that had nothing to do.
pub(super) fn show_unchanged(printer: &Printer) {
    let view = ResultView::of(&Plan::default(), Outcome::unchanged(), None, printer.codes());
    printer.result(&result_text(&view, printer.format()));
}

/// Refuses to replace a file of something else by metrics: a desired-state file, named by mistake.
pub(super) fn check_metrics(path: Option<&Path>) -> Result<(), CliError> {
    let are_metrics = |text: &[u8]| text.starts_with(b"# TYPE ") || text.starts_with(b"# HELP ");
    check_replaced(path, "--metrics", "metrics", are_metrics)
}

/// Refuses to let `option` replace a file that is not empty and not `what` it writes.
pub(super) fn check_replaced(
    path: Option<&Path>,
    option: &str,
    what: &str,
    is_it: impl Fn(&[u8]) -> bool,
) -> Result<(), CliError> {
    let existing = path.filter(|path| path.is_file()).and_then(|path| Some((path, std::fs::read(path).ok()?)));
    match existing {
        Some((path, bytes)) if !bytes.is_empty() && !is_it(&bytes) => {
            let path = path.display();
            Err(CliError::refused(format!("{path} has something else than {what}; {option} would replace it")))
        }
        _ => Ok(()),
    }
}

/// Writes metrics for a collector, which another user may run.
pub(super) fn write_metrics(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("cannot write the metrics to {}", path.display()), error);
    write_public_file(path, text.as_bytes()).map_err(failed)
}

/// For commands that support text and JSON only.
pub(super) fn text_or_json(printer: &Printer, text: impl FnOnce() -> String, document: impl FnOnce() -> String) {
    match printer.format() {
        Format::Json => printer.result(&document()),
        _ => printer.result(&text()),
    }
}
