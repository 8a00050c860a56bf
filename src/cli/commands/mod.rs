//! One file a command: set up, call the library, print.

mod apply;
mod manual;
mod plan;
mod runs;
mod show;
mod simulate;
mod undo;
mod validate;

use std::path::PathBuf;

use dectl::desired::Surroundings;
use dectl::plan::Scope;
use dectl::plan::plan::Plan;
use dectl::reconcile::{InputOptions, Inputs, Resolve};
use dectl::record::{SavedPlan, sha256};
use dectl::report::{self, PlanView, ResultView, json};
use dectl::time::Stop;

use super::args::{Args, Command, Common, Format, Limits};
use super::exit::{Exit, Failed};
use super::printer::Printer;
use super::signals;

/// Runs a command until it ends or a signal has ended it.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failed> {
    let stop = Stop::new();
    let command = async {
        match args.command {
            Command::Validate(flags) => validate::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Plan(flags) => plan::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Apply(flags) => apply::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Show(flags) => show::run(&flags, printer),
            Command::Runs(flags) => runs::run(&flags, printer),
            Command::Undo(flags) => undo::run(&flags, &args.common, printer, stop.clone()).await,
            Command::Schema => Ok(manual::schema(printer)),
            Command::Completions(flags) => Ok(manual::completions(&flags, printer)),
            Command::Man => manual::man(printer),
            Command::Simulate(flags) => simulate::run(&flags, printer, stop.clone()).await,
        }
    };
    tokio::select! {
        exit = command => exit,
        () = signals::listen(stop.clone()) => Ok(Exit::Interrupted),
    }
}

/// Whether codes that stand elsewhere are looked up.
#[derive(Clone, Copy)]
enum Codes {
    LookedUp,
    FormOnly,
}

/// Reads the files. A pipe may keep its reader waiting, so that happens on a thread of its own, and a signal gets
/// through.
async fn read(files: &[PathBuf], common: &Common, codes: Codes, stop: &Stop) -> Result<Inputs, Failed> {
    let (files, strict) = (files.to_vec(), common.strict);
    let reading = tokio::task::spawn_blocking(move || {
        let resolve = match codes {
            Codes::LookedUp => Resolve::With(&Surroundings),
            Codes::FormOnly => Resolve::FormOnly,
        };
        Inputs::read(&files, &mut std::io::stdin(), InputOptions { strict, resolve })
    });
    tokio::select! {
        inputs = reading => match inputs {
            Ok(inputs) => Ok(inputs?),
            Err(error) => Err(Failed::of(format!("the files could not be read: {error}"))),
        },
        _ = stop.asked() => Err(Failed::stopped(stop.reason())),
    }
}

/// The locations and networks that a run is narrowed to.
fn scope(limits: &Limits) -> Result<Scope, Failed> {
    Scope::new(&limits.location, &limits.network).map_err(|error| Failed::of(error.to_string()))
}

/// Refuses a plan that leaves networks unmanaged, for those who want their files to be complete.
fn refuse_unmanaged(plan: &Plan, limits: &Limits) -> Result<(), Failed> {
    match plan.counts.unmanaged {
        unmanaged if unmanaged > 0 && limits.fail_on_unmanaged => {
            Err(Failed::of(format!("{unmanaged} live networks are in no file (--fail-on-unmanaged)")))
        }
        _ => Ok(()),
    }
}

/// A plan as it is saved.
fn saved(plan: &Plan, inputs: Option<&Inputs>, common: &Common, limits: &Limits) -> SavedPlan {
    let sources = inputs.map_or_else(Vec::new, |inputs| {
        let digest = |(id, name): (_, &std::sync::Arc<str>)| (name.to_string(), sha256(inputs.sources.text(id)));
        inputs.sources.iter().map(digest).collect()
    });
    SavedPlan {
        plan: plan.clone(),
        created: jiff::Timestamp::now(),
        org: common.org.clone(),
        max_changes: limits.max_changes.map(|max_changes| max_changes.to_string()),
        sources,
    }
}

fn plan_text(view: &PlanView, format: Format) -> String {
    match format {
        Format::Text => report::text::plan(view),
        Format::Json => json::text(&json::plan(view)),
        Format::Markdown => report::markdown::plan(view),
        Format::Html => report::html::plan(view),
        Format::Diff => report::diff::plan(view),
    }
}

fn result_text(view: &ResultView, format: Format) -> String {
    match format {
        Format::Text => report::text::result(view),
        Format::Json => json::text(&json::result(view)),
        Format::Markdown => report::markdown::result(view),
        Format::Html => report::html::result(view),
        // Refused before anything was read.
        Format::Diff => report::diff::plan(&view.plan),
    }
}

/// For commands that have text and a document, and nothing else.
fn text_or_json(
    printer: &Printer,
    text: impl FnOnce() -> String,
    document: impl FnOnce() -> String,
) -> Result<(), Failed> {
    match printer.format() {
        Format::Text => printer.result(&text()),
        Format::Json => printer.result(&document()),
        Format::Markdown | Format::Html | Format::Diff => {
            return Err(Failed::of("this command has the formats text and json only"));
        }
    }
    Ok(())
}
