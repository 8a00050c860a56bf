//! Shared by `apply`, `rename` and `undo`: configures a run from options and implements its user interface.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use dectl::apply::{Event, Options, Waves};
use dectl::client::ApiClient;
use dectl::diagnostic::DiagnosticCode;
use dectl::model::{LiveState, LocationId};
use dectl::plan::model::Plan;
use dectl::reconcile::{
    ApplyWorkflow, Approval, CompletedRun, Executed, PlanSource, RecreatedNetwork, RunConfig, UserInterface,
};
use dectl::report::progress::ProgressDisplay;
use dectl::report::{PlanView, ResultView, metrics as report_metrics, text};
use dectl::runtime::{Clock, Instant, alongside};
use dectl::storage::PlanKey;

use super::inputs::scope;
use super::output::{result_text, write_metrics};
use crate::cli::args::{Format, LogFormat, RunOptions, WindowEnd, WriteOptions};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::log_line::eprint_json;
use crate::cli::printer::{Printer, without_commands};
use crate::cli::prompt;
use crate::cli::setup::{Connection, plan_key};

/// Checks that need no file and no request: a prompt is possible, options fit together, the key is there.
pub(super) fn preflight(args: &RunOptions, alternative: &str) -> Result<Option<PlanKey>, CliError> {
    if !args.yes && !prompt::is_interactive() {
        return Err(CliError::refused(format!(
            "cannot prompt for confirmation: stdin is not a terminal (use --yes{alternative})"
        )));
    }
    if !args.rollout.soak.is_zero() && args.rollout.canary.is_none() && args.rollout.batch.is_none() {
        return Err(CliError::refused("--soak requires --canary or --batch"));
    }
    plan_key()
}

/// The configuration of a run that resumes and undoes nothing.
pub(super) fn run_config<'a>(
    args: &'a WriteOptions,
    connection: &'a Connection,
    key: Option<&'a PlanKey>,
    printer: &Printer,
) -> Result<RunConfig<'a>, CliError> {
    let run = &args.run;
    let default_grace_period = || (!prompt::is_interactive()).then_some(Duration::from_secs(5));
    let until = run.rollout.until.map(|until| deadline(until, connection.client.clock(), printer)).transpose()?;
    Ok(RunConfig {
        scope: scope(&run.scope.filter)?,
        fail_on_unmanaged: run.scope.fail_on_unmanaged,
        resume_interrupted: false,
        approval: if run.yes { Approval::Automatic } else { Approval::Prompt },
        max_changes: run.scope.max_changes,
        max_deletes: run.scope.max_deletes,
        options: Options {
            fail_fast: run.fail_fast,
            reread: run.reread,
            verify: !run.no_verify,
            grace_period: run.grace_period.or_else(default_grace_period),
            until,
            writes_per_location: args.rate.writes_per_location.map(usize::from),
        },
        waves: Waves { canary: run.rollout.canary.clone(), batch: run.rollout.batch.map(|batch| batch as usize) },
        soak: run.rollout.soak,
        journal_dir: &run.journal.journal,
        run: &connection.run,
        command: String::new(),
        target: connection.target.clone(),
        org: args.connection.org.clone(),
        resumes: None,
        undoes: None,
        undoes_with: Vec::new(),
        key,
    })
}

/// Shows a plan, asks for confirmation, applies it and prints the result.
pub(super) struct Apply<'a> {
    pub(super) config: RunConfig<'a>,
    pub(super) plan_source: PlanSource,
    /// The live state, if it has just been listed.
    pub(super) listed: Option<LiveState>,
    /// Deleted networks that this run creates again.
    pub(super) recreated: &'a [RecreatedNetwork],
    /// Where metrics of the run are written.
    pub(super) metrics: Option<&'a Path>,
    pub(super) client: &'a ApiClient,
    pub(super) quiet: bool,
    pub(super) printer: &'a Printer,
}

impl Apply<'_> {
    pub(super) async fn run(self) -> Result<ExitStatus, CliError> {
        let Self { config, plan_source, listed, recreated, metrics, client, quiet, printer } = self;
        let terminal = TerminalUi { quiet, printer, client, progress: RefCell::default() };
        let workflow = ApplyWorkflow { client, config: &config, ui: &terminal };
        let executed = alongside(terminal.redraw_loop(), workflow.run(&plan_source, listed)).await?;
        Ok(show_result(executed, recreated, metrics, printer))
    }
}

/// When the window ends, on the clock of the run.
fn deadline(until: WindowEnd, clock: &Clock, printer: &Printer) -> Result<Instant, CliError> {
    let now = jiff::ZonedDateTime::now();
    // Without TZ a container is in UTC; with a zone that it does not know it is nowhere.
    if !until.has_offset()
        && let Some(zone) = std::env::var("TZ").ok().filter(|zone| !zone.is_empty())
        && now.time_zone().is_unknown()
    {
        return Err(CliError::refused(format!(
            "--until: the time zone TZ={zone} is not known here; install the time zone data (tzdata), or give the offset from UTC, \
             e.g. --until 05:30+01:00"
        )));
    }
    let end = until.after(&now).map_err(|error| CliError::failed("--until", error))?;
    printer.note(&format!("note: the maintenance window ends at {}\n", end.strftime("%Y-%m-%d %H:%M %Z (%:z)")));
    let left = end.timestamp().duration_since(now.timestamp());
    Ok(clock.now() + left.try_into().unwrap_or_default())
}

/// Whether an undo leaves something alone.
pub(super) fn leaves_something(plan: &Plan) -> bool {
    [DiagnosticCode::NotUndone, DiagnosticCode::ChangedSinceRun].into_iter().any(|code| plan.has_warning(code))
}

/// Prints the result. That of a resumed run is a note, unless nothing followed it.
fn show_result(
    executed: Executed,
    recreated: &[RecreatedNetwork],
    metrics: Option<&Path>,
    printer: &Printer,
) -> ExitStatus {
    let is_half = matches!(executed, Executed::Resumed(_, None));
    let (note, result) = match executed {
        Executed::Run(run) => (None, *run),
        Executed::Resumed(resumed, Some(run)) if !run.plan.changes.is_empty() => (Some(*resumed), *run),
        Executed::Resumed(resumed, _) => (None, *resumed),
    };
    let view = |CompletedRun { plan, outcome, journal }: CompletedRun| {
        let journal = journal.map(|path| path.display().to_string());
        ResultView::of(&plan, outcome, journal, printer.codes()).with_former_ids(recreated)
    };
    if let Some(resumed) = note {
        printer.note(&format!("{}\n", result_text(&view(resumed), Format::Text)));
    }
    let exit = match ExitStatus::of(&result.outcome, &result.plan) {
        // What the command was about was not done.
        ExitStatus::Success if is_half => ExitStatus::Incomplete,
        // An undo that leaves something alone is none of the whole run.
        ExitStatus::Success if leaves_something(&result.plan) => {
            if result.outcome.statistics.writes > 0 {
                ExitStatus::Incomplete
            } else {
                ExitStatus::Error
            }
        }
        exit => exit,
    };
    let view = view(result);
    // What was written stays written, whatever becomes of its metrics.
    if let Some(Err(error)) =
        metrics.map(|path| write_metrics(path, &report_metrics::result(&view, jiff::Timestamp::now())))
    {
        printer.note(&format!("warning: {error}\n"));
    }
    printer.result(&result_text(&view, printer.format()));
    if printer.format() == Format::Junit {
        // The file is for the forge; people read the log.
        printer.note(&format!("{}\n", result_text(&view, Format::Text)));
    }
    match view.outcome.statistics.writes {
        0 => exit,
        _ => printer.exit_status_after_writes(exit),
    }
}

/// Prints a line to standard error; a failure to write is ignored.
fn eprint_line(line: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{}", without_commands(line, Format::Text));
}

/// The user interface on a terminal or in a log.
struct TerminalUi<'a> {
    quiet: bool,
    printer: &'a Printer,
    client: &'a ApiClient,
    progress: RefCell<Option<ProgressDisplay>>,
}

impl TerminalUi<'_> {
    /// Redraws the progress while the run waits.
    async fn redraw_loop(&self) {
        loop {
            if let Some(progress) = &*self.progress.borrow() {
                progress.tick(self.client.paused_until(), self.client.estimated_limit().as_deref());
            }
            self.client.clock().sleep(Duration::from_millis(100)).await;
        }
    }
}

#[async_trait(?Send)]
impl UserInterface for TerminalUi<'_> {
    fn show_plan(&self, plan: &Plan, waves: &[Vec<LocationId>]) {
        self.printer.preview(&text::plan(&PlanView::of(plan, self.printer.codes())));
        self.printer.preview(&text::waves(plan, waves));
    }

    fn note(&self, text: &str) {
        self.printer.note(&format!("{text}\n"));
    }

    async fn confirm(&self, question: &str, expected: &str) -> bool {
        if let Some(progress) = &*self.progress.borrow() {
            progress.pause();
        }
        prompt::confirm(question, expected).await
    }

    fn run_started(&self, plan: &Plan) {
        let clock = self.client.clock().clone();
        let is_json = self.printer.log_format() == LogFormat::Json;
        let progress = match (self.quiet, std::io::stderr().is_terminal() && !is_json) {
            (true, _) => ProgressDisplay::hidden(plan, clock),
            (false, true) => {
                // The bar shows what is waited for.
                self.client.stop_reporting_waits();
                ProgressDisplay::bar(plan, clock)
            }
            (false, false) if is_json => ProgressDisplay::lines(plan, clock, |line| eprint_json("INFO", line)),
            (false, false) => ProgressDisplay::lines(plan, clock, eprint_line),
        };
        self.progress.replace(Some(progress));
    }

    fn on_event(&self, event: &Event) {
        if let Some(progress) = &*self.progress.borrow() {
            progress.event(event);
        }
    }

    fn run_finished(&self) {
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
    }
}
