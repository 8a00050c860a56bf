//! Shared by `apply`, `rename` and `undo`: configures a run from options and implements its user interface.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use dectl::apply::{Event, Options, Waves};
use dectl::client::ApiClient;
use dectl::model::{LiveState, LocationId};
use dectl::plan::model::Plan;
use dectl::reconcile::{
    ApplyOptions, ApplyWorkflow, Approval, CompletedRun, PlanSource, RecreatedNetwork, UserInterface,
};
use dectl::report::progress::ProgressDisplay;
use dectl::report::{PlanView, ResultView, text};
use dectl::runtime::{Clock, Instant};
use futures::future::LocalBoxFuture;
use secrecy::SecretString;

use super::inputs::scope;
use super::output::{plan_text, result_text};
use crate::cli::args::{Format, LogFormat, RunOptions, WindowEnd};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::{Printer, eprint_json};
use crate::cli::prompt;
use crate::cli::setup::{Connection, plan_key};

/// Checks that need no file and no request: a prompt is possible, options fit together, the key is there.
pub(super) fn preflight(args: &RunOptions, alternative: &str) -> Result<Option<SecretString>, CliError> {
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

/// A plan that is about to be shown, confirmed and applied.
pub(super) struct PlanRun<'a> {
    pub(super) plan_source: PlanSource,
    /// The live state, if it has just been listed.
    pub(super) listed: Option<LiveState>,
    pub(super) args: &'a RunOptions,
    /// Resume an interrupted run first if its temporary names affect these rules.
    pub(super) resume_interrupted: bool,
    /// The run that this one resumes.
    pub(super) resumes: Option<String>,
    /// The run that this one undoes.
    pub(super) undoes: Option<String>,
    /// Deleted networks that this run creates again.
    pub(super) recreated: Vec<RecreatedNetwork>,
    /// Encrypts the saved plan and the codes in the journal.
    pub(super) key: Option<SecretString>,
}

impl PlanRun<'_> {
    /// Shows the plan, asks for confirmation, applies it and prints the result.
    pub(super) async fn run(
        self,
        connection: Connection,
        org: Option<String>,
        quiet: bool,
        printer: &Printer,
    ) -> Result<ExitStatus, CliError> {
        let Connection { client, run, target, .. } = connection;
        let Self { plan_source, listed, args, resume_interrupted, resumes, undoes, recreated, key } = self;
        let clock = client.clock();
        let options = ApplyOptions {
            scope: scope(&args.scope.filter)?,
            approval: if args.yes { Approval::AutoApprove(args.scope.max_changes) } else { Approval::Prompt },
            fail_on_unmanaged: args.scope.fail_on_unmanaged,
            options: Options {
                fail_fast: args.fail_fast,
                reread: args.reread,
                verify: !args.no_verify,
                grace_period: args
                    .grace_period
                    .or_else(|| (!prompt::is_interactive()).then_some(Duration::from_secs(5))),
                until: None,
            },
            resume_interrupted,
            waves: Waves { canary: args.rollout.canary.clone(), batch: args.rollout.batch.map(|batch| batch as usize) },
            soak: args.rollout.soak,
            until: args.rollout.until.map(|until| deadline(until, clock, printer)).transpose()?,
            journal_dir: &args.journal.journal,
            run: &run,
            target,
            resumes,
            undoes,
            key: key.as_ref(),
            org,
            max_changes: args.scope.max_changes,
            max_deletes: args.scope.max_deletes,
        };
        let terminal = TerminalUi { quiet, printer, client: &client, progress: RefCell::default() };
        let work = ApplyWorkflow { client: &client, options: &options, ui: &terminal };
        let done = tokio::select! {
            done = work.run(plan_source, listed) => done?,
            () = terminal.redraw_loop() => return Err(CliError::refused("internal error: the progress display ended; please report this bug")),
        };
        Ok(result(done, &recreated, printer))
    }
}

/// When the window ends, on the clock of the run.
fn deadline(until: WindowEnd, clock: &Clock, printer: &Printer) -> Result<Instant, CliError> {
    let now = jiff::ZonedDateTime::now();
    let end = until.after(&now).map_err(|error| CliError::failed("--until", error))?;
    printer.note(&format!("note: the maintenance window ends at {}\n", end.strftime("%Y-%m-%d %H:%M %Z")));
    let left = end.timestamp().duration_since(now.timestamp());
    Ok(clock.now() + left.try_into().unwrap_or_default())
}

/// Prints the results: the last run is the result, earlier ones are notes.
fn result(mut done: Vec<CompletedRun>, recreated: &[RecreatedNetwork], printer: &Printer) -> ExitStatus {
    if done.len() > 1 && done.last().is_some_and(|last| last.plan.changes.is_empty()) {
        done.pop();
    }
    let mut exit = ExitStatus::Success;
    let last = done.len().saturating_sub(1);
    for (at, CompletedRun { plan, run }) in done.into_iter().enumerate() {
        exit = ExitStatus::of(&run.outcome, &plan);
        let journal = run.journal.map(|path| path.display().to_string());
        let view = ResultView::of(&plan, run.outcome, journal, printer.codes()).with_former_ids(recreated);
        if at < last {
            printer.note(&format!("{}\n", result_text(&view, Format::Text)));
            continue;
        }
        printer.result(&result_text(&view, printer.format()));
        if printer.format() == Format::Junit {
            // The file is for the forge; people read the log.
            printer.note(&format!("{}\n", result_text(&view, Format::Text)));
        }
        if view.outcome.statistics.writes > 0 {
            exit = printer.exit_status_after_writes(exit);
        }
    }
    exit
}

/// Prints a line to standard error; a failure to write is ignored.
fn eprint_line(line: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
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

impl UserInterface for TerminalUi<'_> {
    fn show_plan(&self, plan: &Plan, waves: &[Vec<LocationId>]) {
        let view = PlanView::of(plan, self.printer.codes());
        self.printer.preview(&plan_text(&view, Format::Text));
        self.printer.preview(&text::waves(plan, waves));
    }

    fn note(&self, text: &str) {
        self.printer.note(&format!("{text}\n"));
    }

    fn confirm<'a>(&'a self, question: &'a str, expected: &'a str) -> LocalBoxFuture<'a, bool> {
        if let Some(progress) = &*self.progress.borrow() {
            progress.pause();
        }
        Box::pin(prompt::confirm(question, expected))
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
