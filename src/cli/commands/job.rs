//! What `apply`, `rename` and `undo` have in common: the flags of a run become terms, and a terminal is the audience.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use dectl::apply::{Event, Options, Waves};
use dectl::client::ApiClient;
use dectl::model::{LiveState, LocationId};
use dectl::plan::plan::Plan;
use dectl::reconcile::{Audience, Consent, Done, Terms, Wishes, Work};
use dectl::report::progress::Progress;
use dectl::report::{PlanView, ResultView, waves_text};
use dectl::runtime::{Clock, Instant};
use futures::future::LocalBoxFuture;
use secrecy::SecretString;

use super::inputs::scope;
use super::rendering::{plan_text, result_text};
use crate::cli::args::{Common, Format, Pace, RunFlags, TimeOfDay};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::prompt;
use crate::cli::setup::{Connection, plan_key};

/// Without a terminal and without `--yes` nothing is even read, and what is to be sealed has its key before that.
pub(super) fn refuse_early(flags: &RunFlags) -> Result<Option<SecretString>, Failed> {
    if !flags.yes && !prompt::possible() {
        return Err(Failed::of("there is no terminal to ask on: give --yes, or make a plan first"));
    }
    if !flags.waves.soak.is_zero() && flags.waves.canary.is_none() && flags.waves.batch.is_none() {
        return Err(Failed::of("--soak waits between waves: give --canary or --batch as well"));
    }
    plan_key()
}

/// A job that is about to be done.
pub(super) struct Job<'a> {
    pub(super) wishes: Wishes,
    /// The organization, if it has just been listed.
    pub(super) listed: Option<LiveState>,
    pub(super) flags: &'a RunFlags,
    pub(super) pace: Pace,
    /// Whether the plan of another run is brought to its end where rules meet what it left behind.
    pub(super) finishes_others: bool,
    /// What seals its saved plan and the codes in its journal.
    pub(super) key: Option<SecretString>,
}

impl Job<'_> {
    /// Shows what would change, asks, changes it, and says what became of it.
    pub(super) async fn run(self, connection: Connection, common: &Common, printer: &Printer) -> Result<Exit, Failed> {
        let Connection { client, run, .. } = connection;
        let Self { wishes, listed, flags, pace, finishes_others, key } = self;
        let clock = client.clock();
        let terms = Terms {
            scope: scope(&flags.limits.location, &flags.limits.network)?,
            consent: if flags.yes { Consent::Given(flags.limits.max_changes) } else { Consent::Asked },
            complete: flags.limits.fail_on_unmanaged,
            options: Options {
                concurrency: pace.concurrency.into(),
                fail_fast: flags.fail_fast,
                reread: flags.reread,
                verify: !flags.no_verify,
                grace: flags.grace.or_else(|| (!prompt::possible()).then_some(Duration::from_secs(5))),
            },
            finishes_others,
            waves: Waves { canary: flags.waves.canary.clone(), batch: flags.waves.batch.map(|batch| batch as usize) },
            soak: flags.waves.soak,
            until: flags.waves.until.map(|until| deadline(until, clock, printer)).transpose()?,
            folder: &flags.journal,
            run: &run,
            key: key.as_ref(),
            org: common.org.clone(),
            max_changes: flags.limits.max_changes,
        };
        let terminal = Terminal { common, printer, client: &client, progress: RefCell::default() };
        let work = Work { client: &client, terms: &terms, audience: &terminal };
        let done = tokio::select! {
            done = work.run(wishes, listed) => done?,
            () = terminal.keep_moving() => return Err(Failed::of("the progress display ended")),
        };
        Ok(result(done, printer))
    }
}

/// When the window ends, on the clock of the run.
fn deadline(until: TimeOfDay, clock: &Clock, printer: &Printer) -> Result<Instant, Failed> {
    let now = jiff::ZonedDateTime::now();
    let end = until.next_after(&now).map_err(|error| Failed::of(format!("--until: {error}")))?;
    printer.remark(&format!("The window ends at {}.\n", end.strftime("%Y-%m-%d %H:%M %Z")));
    let left = end.timestamp().duration_since(now.timestamp());
    Ok(clock.now() + left.try_into().unwrap_or_default())
}

/// Prints what became of it: the last thing that was done is the result, what was done before it a remark.
fn result(mut done: Vec<Done>, printer: &Printer) -> Exit {
    if done.len() > 1 && done.last().is_some_and(|last| last.plan.changes.is_empty()) {
        done.pop();
    }
    let mut exit = Exit::Done;
    let last = done.len().saturating_sub(1);
    for (at, Done { plan, run }) in done.into_iter().enumerate() {
        exit = Exit::of(&run.outcome, &plan);
        let journal = run.journal.map(|path| path.display().to_string());
        let view = ResultView::of(&plan, run.outcome, journal, printer.codes());
        if at < last {
            printer.remark(&format!("{}\n", result_text(&view, Format::Text)));
            continue;
        }
        printer.result(&result_text(&view, printer.format()));
        if view.outcome.statistics.writes > 0 {
            exit = printer.finish_after_writes(exit);
        }
    }
    exit
}

/// A line on standard error. Nobody can be told that it is gone, and a run does not end for it.
fn said(line: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
}

/// Somebody in front of a terminal, or a log.
struct Terminal<'a> {
    common: &'a Common,
    printer: &'a Printer,
    client: &'a ApiClient,
    progress: RefCell<Option<Progress>>,
}

impl Terminal<'_> {
    /// Keeps the display moving while the run waits.
    async fn keep_moving(&self) {
        loop {
            if let Some(progress) = &*self.progress.borrow() {
                progress.tick(self.client.paused_until());
            }
            self.client.clock().sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Audience for Terminal<'_> {
    fn plan(&self, plan: &Plan, waves: &[Vec<LocationId>]) {
        let view = PlanView::of(plan, self.printer.codes());
        self.printer.preview(&plan_text(&view, Format::Text));
        self.printer.preview(&waves_text(plan, waves));
    }

    fn remark(&self, text: &str) {
        self.printer.remark(&format!("{text}\n"));
    }

    fn confirm<'a>(&'a self, question: &'a str) -> LocalBoxFuture<'a, bool> {
        if let Some(progress) = &*self.progress.borrow() {
            progress.pause();
        }
        Box::pin(prompt::confirm(question))
    }

    fn begins(&self, plan: &Plan) {
        let clock = self.client.clock().clone();
        let progress = match (self.common.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Progress::quiet(plan, clock),
            (false, true) => Progress::bar(plan, clock),
            (false, false) => Progress::lines(plan, clock, said),
        };
        self.progress.replace(Some(progress));
    }

    fn event(&self, event: &Event) {
        if let Some(progress) = &*self.progress.borrow() {
            progress.event(event);
        }
    }

    fn ends(&self) {
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
    }
}
