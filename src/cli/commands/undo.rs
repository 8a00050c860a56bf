//! `dectl undo`: applies the state before a run.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use dectl::client::Priority;
use dectl::plan::Scope;
use dectl::plan::model::Plan;
use dectl::reconcile::{
    Error, Inputs, PlanSource, RunConfig, Undo, UndoChoice, choose_undo, complete_if_done, prepare_from_list,
    prepare_undo,
};
use dectl::report::{plural, sanitize};
use dectl::runtime::Shutdown;
use dectl::storage::journal::RunHistoryError;
use dectl::storage::{CodeAccess, PlanKey, RunDirectory, RunHistory, RunTarget, SavedPlan};

use super::inputs::{save_plan, scope};
use super::output::{saved_plan_hint, show_next_step, show_plan};
use super::run_plan::{Apply, leaves_something, preflight, run_config};
use crate::cli::args::{WriteOptions, file_to_write};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{Connection, connect, plan_key, run_target};

#[derive(Debug, ClapArgs)]
pub(crate) struct UndoArgs {
    /// Run as listed by `dectl runs`, a unique prefix of its name, or `last`
    #[arg(value_name = "RUN")]
    name: String,
    /// Save the plan to FILE for `apply --plan` (contains access codes) instead of applying it
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) apply: WriteOptions,
}

impl UndoArgs {
    /// Whether the plan is saved and nothing applied.
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.out.is_some()
    }
}

pub(super) async fn run(args: &UndoArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    if Path::new(&args.name).is_file() {
        return Err(CliError::refused(format!(
            "{} is a file; name a run, as `dectl runs` lists them, or `last`",
            args.name
        )));
    }
    let key = if args.is_dry_run() { plan_key()? } else { preflight(&args.apply.run, ", or --out")? };
    let runs = RunDirectory::open(&args.apply.run.journal.journal)?;
    let target = run_target(&args.apply.connection);
    let decrypt = |path: &Path| RunHistory::read(path, CodeAccess::Decrypt(key.as_ref()));
    let scope = scope(&args.apply.run.scope.filter)?;
    let wanted = wanted(args, &scope, &runs, &target, decrypt)?;
    let connection = connect(&args.apply.connection, args.apply.rate, args.apply.output, shutdown).await?;
    let client = &connection.client;
    let mut live = client.list_networks(Priority::Normal).await.map_err(Error::from)?;
    let mut history = match choose_undo(&runs, &target, wanted.as_deref(), &live, decrypt)? {
        UndoChoice::Begin(history) => *history,
        UndoChoice::Continue { run, undo } if !args.is_dry_run() => {
            match resume(args, &scope, (&undo, &run), &runs, key.as_ref(), &connection, printer).await? {
                Some(status) => return Ok(status),
                None => decrypt(&runs.journal_path(&run))?,
            }
        }
        nothing => return Err(refused(nothing, args, &runs, &target)),
    };
    let undo = prepare_undo(&mut history, &runs, &target, key.as_ref(), &scope, &mut live, client).await?;
    show_extent(&history.run, &undo, printer);
    if let Some(path) = &args.out {
        let prepared = prepare_from_list(&undo.inputs, &scope, live, client.clock().now(), client).await?;
        let undoes = (Some(history.run), undo.joined);
        return save(args, path, undoes, prepared.checked.plan(), &undo.inputs, key.as_ref(), printer);
    }
    let config = run_config(&args.apply, &connection, key.as_ref(), printer)?;
    let apply = Apply {
        config: RunConfig {
            command: format!("undo {}", history.run),
            undoes: Some(history.run),
            undoes_with: undo.joined,
            ..config
        },
        plan_source: PlanSource::Inputs(undo.inputs),
        listed: Some(live),
        metrics: None,
        recreated: &undo.recreated,
        client,
        quiet: args.apply.output.is_quiet(),
        printer,
    };
    apply.run().await
}

/// Why there is nothing to undo.
fn refused(choice: UndoChoice, args: &UndoArgs, runs: &RunDirectory, target: &RunTarget) -> CliError {
    CliError::refused(match choice {
        UndoChoice::Begin(_) | UndoChoice::NoRun => return no_run(runs, &args.apply.run.journal.journal, target),
        UndoChoice::Continue { run, undo } => format!(
            "the undo {undo} of run {run} is unfinished; `dectl undo {}` resumes it with its own plan",
            args.name
        ),
        UndoChoice::AlreadyUndone { run, undo, in_part } => format!(
            "run {run} is already {}undone by run {undo}; use `dectl undo {run}` for what that left out, \
             `dectl undo {undo}` to apply it again, or `dectl runs` to choose an earlier run",
            if in_part { "partly " } else { "" }
        ),
        UndoChoice::Elsewhere { run } => {
            format!("none of the networks of run {run} exists in this organization; no changes were made")
        }
    })
}

/// The run that the command names; `None` for the last one, of which there is one.
fn wanted(
    args: &UndoArgs,
    scope: &Scope,
    runs: &RunDirectory,
    target: &RunTarget,
    decrypt: impl Fn(&Path) -> Result<RunHistory, RunHistoryError>,
) -> Result<Option<String>, CliError> {
    let has_generated = |history: &RunHistory, what_to_do: &str| {
        let run = &history.run;
        CliError::refused(format!("run {run} has generated passwords, which cannot be taken back; {what_to_do}"))
    };
    if args.name == "last" {
        let mut ours = runs.histories().filter(|history| history.identity.target.is_same(target));
        let is_about_scope = |history: &RunHistory| {
            let mut locations = history.identity.locations.iter();
            history.has_written() || locations.len() == 0 || locations.any(|name| scope.includes_location(name))
        };
        let newest = ours
            .find(|history| history.identity.undoes.is_none() && history.may_have_changed() && is_about_scope(history));
        return match newest {
            Some(history) if history.passwords > 0 => {
                Err(has_generated(&history, "name another run to undo that one, as `dectl runs` lists them"))
            }
            Some(_) => Ok(None),
            None => Err(no_run(runs, &args.apply.run.journal.journal, target)),
        };
    }
    let history = decrypt(&runs.find(&args.name)?)?;
    if history.passwords > 0 {
        return Err(has_generated(&history, "`dectl password generate` makes new ones"));
    }
    refuse_another_organization(&history, target)?;
    Ok(Some(history.run))
}

/// Says which runs the undo of `run` is about beside it, and which not, and what protects that it was allowed to change.
fn show_extent(run: &str, undo: &Undo, printer: &Printer) {
    if !undo.joined.is_empty() {
        let (them, are) = (undo.joined.join(", "), if undo.joined.len() == 1 { "is" } else { "are" });
        printer.note(&format!("note: run {run} continued {them}, which {are} undone together with it\n"));
    }
    for left in &undo.left {
        printer.note(&format!(
            "warning: run {left} was interrupted before; what it has changed is not undone (`dectl undo {left}` undoes it)\n"
        ));
    }
    if let Some(later) = &undo.continued_by {
        printer.note(&format!(
            "warning: run {later} continued run {run} and is not undone with it; `dectl undo {later}` undoes both\n"
        ));
    }
    for protection in &undo.inputs.protections.met {
        printer.note(&format!("note: {}, which was allowed in run {run}\n", sanitize(&protection.to_string())));
    }
}

/// Saves the plan of an undo. A plan of nothing that leaves something is an error.
fn save(
    args: &UndoArgs,
    path: &Path,
    undoes: (Option<String>, Vec<String>),
    plan: &Plan,
    inputs: &Inputs,
    key: Option<&PlanKey>,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    let (org, limits) = (args.apply.connection.org.clone(), &args.apply.run.scope);
    save_plan(plan, inputs, undoes, path, org, limits, key)?;
    show_plan(plan, limits.max_deletes, printer);
    show_next_step(&saved_plan_hint(path, plan, limits), plan, args.apply.output, printer);
    let is_nothing = plan.changes.is_empty() && leaves_something(plan);
    Ok(if is_nothing { ExitStatus::Error } else { ExitStatus::Success })
}

/// A run about another organization cannot be undone in this one.
fn refuse_another_organization(history: &RunHistory, target: &RunTarget) -> Result<(), CliError> {
    let about = &history.identity.target;
    if about.api.is_empty() || about.is_same(target) {
        return Ok(());
    }
    Err(CliError::refused(format!(
        "run {} was applied to another organization ({}); no changes were made",
        history.run,
        describe(about)
    )))
}

/// Continues the undo `undo` of the run `last` with the plan beside its journal. `None` if what is left is to be undone by a new
/// plan: all of that one is applied, or its networks were changed since and the run was named.
async fn resume(
    args: &UndoArgs,
    scope: &Scope,
    (undo, last): (&str, &str),
    runs: &RunDirectory,
    key: Option<&PlanKey>,
    connection: &Connection,
    printer: &Printer,
) -> Result<Option<ExitStatus>, CliError> {
    let saved = SavedPlan::read(&runs.plan_path(undo), key).map_err(|error| {
        CliError::failed(format!("the undo {undo} of run {last} is unfinished, and its plan cannot be read"), error)
    })?;
    let begun = RunHistory::read(&runs.journal_path(undo), CodeAccess::Skip)?;
    let asked = scope.as_options();
    if asked.is_some() && asked != begun.identity.scope {
        let options = begun.identity.scope.map(|options| format!(" of {}", sanitize(&options))).unwrap_or_default();
        return Err(CliError::refused(format!(
            "the undo {undo} of run {last}{options} is unfinished; `dectl undo {}` without --location and --network resumes it",
            args.name
        )));
    }
    let is_done = match complete_if_done(&runs.journal_path(undo), &saved, &connection.client).await {
        Err(Error::Drift(_)) if args.name != "last" => {
            printer.note(&format!(
                "note: the undo {undo} of run {last} cannot be resumed, since its networks were changed; undoing what is left\n"
            ));
            return Ok(None);
        }
        Err(error @ Error::Drift(_)) => {
            printer.note(&format!("note: `dectl undo {last}` undoes what is left and was not changed since\n"));
            return Err(error.into());
        }
        is_done => is_done?,
    };
    if is_done {
        // It may have left something, or have been about a part.
        printer
            .note(&format!("note: undo {undo} of run {last} was interrupted after its last write; it is complete\n"));
        return Ok(None);
    }
    let limit = match &begun.identity.scope {
        Some(options) => format!(", which was limited to {}; `dectl undo {last}` undoes the rest", sanitize(options)),
        None => String::new(),
    };
    printer.note(&format!("note: resuming the unfinished undo {undo} of run {last}{limit}\n"));
    let config = run_config(&args.apply, connection, key, printer)?;
    let apply = Apply {
        config: RunConfig {
            command: format!("undo {last}"),
            resumes: Some(undo.to_owned()),
            undoes: Some(last.to_owned()),
            undoes_with: begun.identity.undoes_with,
            ..config
        },
        plan_source: PlanSource::SavedPlan(Box::new(saved)),
        listed: None,
        metrics: None,
        recreated: &[],
        client: &connection.client,
        quiet: args.apply.output.is_quiet(),
        printer,
    };
    apply.run().await.map(Some)
}

/// No run in the directory has changed anything in this organization.
fn no_run(runs: &RunDirectory, dir: &Path, target: &RunTarget) -> CliError {
    let (ours, others): (Vec<RunHistory>, Vec<RunHistory>) =
        runs.all().flatten().partition(|history| history.identity.target.is_same(target));
    let others = match others.len() {
        0 => String::new(),
        others => format!(" ({} of other or simulated organizations)", plural(others, "run")),
    };
    let what =
        if ours.is_empty() { "no run of this organization" } else { "no run that has changed this organization" };
    CliError::refused(format!("{what} in {}{others}; list runs with `dectl runs`", dir.display()))
}

fn describe(target: &RunTarget) -> String {
    match (&target.org, target.simulated) {
        (_, true) => "simulated".to_owned(),
        (Some(org), false) => format!("{} at {}", sanitize(org), sanitize(&target.api)),
        (None, false) => sanitize(&target.api).into_owned(),
    }
}
