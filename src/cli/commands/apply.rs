//! `dectl apply`: shows what would change, asks, and changes it.

use std::time::Duration;

use dectl::apply::{Event, Options};
use dectl::model::Organization;
use dectl::plan::{MaxChanges, Scope, check_size};
use dectl::reconcile::{Error, Inputs, Proposal, Records, carry_out, go_on_with, plan_for, propose};
use dectl::record::SavedPlan;
use dectl::report::progress::Progress;
use dectl::report::{PlanView, ResultView};
use dectl::send::Sender;
use dectl::time::Stop;

use super::inputs::{Codes, read, refuse_unmanaged, saved, scope};
use super::rendering::{plan_text, result_text};
use crate::cli::args::{Apply, Common, Format, Pace, RunFlags};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::prompt;
use crate::cli::setup::{Connection, connect, plan_key};

/// A list that is older than this when the answer comes is read again.
const FRESH: Duration = Duration::from_secs(30);

pub(super) async fn run(flags: &Apply, common: &Common, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    refuse_without_terminal(&flags.run)?;
    if common.output == Format::Diff {
        return Err(Failed::of("what an apply did is no diff: use text, json, markdown or html"));
    }
    let scope = scope(&flags.run.limits)?;
    let wishes = match &flags.plan {
        Some(path) => {
            let saved = SavedPlan::read(path, plan_key().as_ref()).map_err(|error| Failed::of(error.to_string()))?;
            Wishes::Saved(Box::new(saved))
        }
        None => Wishes::Files(read(&flags.files, common, Codes::LookedUp, &stop).await?),
    };
    let connection = connect(common, flags.pace, stop).await?;
    let job = Job { wishes, scope, connection, flags: &flags.run, pace: flags.pace, listed: None };
    job.confirm_and_execute(common, printer).await
}

/// Without a terminal and without `--yes` nothing is even read.
pub(super) fn refuse_without_terminal(flags: &RunFlags) -> Result<(), Failed> {
    if flags.yes || prompt::possible() {
        return Ok(());
    }
    Err(Failed::of("there is no terminal to ask on: give --yes, or make a plan first"))
}

/// Where a plan comes from.
pub(super) enum Wishes {
    Files(Inputs),
    Saved(Box<SavedPlan>),
}

/// What is to be proposed, confirmed and carried out.
pub(super) struct Job<'a> {
    pub(super) wishes: Wishes,
    pub(super) scope: Scope,
    pub(super) connection: Connection,
    pub(super) flags: &'a RunFlags,
    pub(super) pace: Pace,
    /// The state that was listed already, if it was.
    pub(super) listed: Option<Organization>,
}

impl Job<'_> {
    /// Shows what would change, asks, and changes it.
    pub(super) async fn confirm_and_execute(mut self, common: &Common, printer: &Printer) -> Result<Exit, Failed> {
        let mut proposal = self.propose().await?;
        refuse_unmanaged(proposal.proven.plan(), &self.flags.limits)?;
        preview(&proposal, printer);
        if self.flags.yes {
            check_size(proposal.proven.plan(), self.max_changes()?).map_err(Error::from)?;
        } else {
            while !proposal.proven.plan().changes.is_empty() {
                self.ask().await?;
                if self.connection.sender.clock().now().since(proposal.listed) <= FRESH {
                    break;
                }
                let newer = self.propose().await?;
                let same = newer.proven.plan() == proposal.proven.plan();
                proposal = newer;
                if same {
                    break;
                }
                printer.remark("The organization has changed meanwhile. This is the plan now:\n\n");
                preview(&proposal, printer);
            }
        }
        self.execute(&proposal, common, printer).await
    }

    async fn propose(&mut self) -> Result<Proposal, Failed> {
        let sender = &self.connection.sender;
        Ok(match (&mut self.wishes, self.listed.take()) {
            (Wishes::Files(inputs), Some(live)) => plan_for(inputs, &self.scope, live, sender.clock().now())?,
            (Wishes::Files(inputs), None) => propose(inputs, &self.scope, sender).await?,
            (Wishes::Saved(saved), _) => go_on_with(saved, sender).await?,
        })
    }

    async fn ask(&self) -> Result<(), Failed> {
        let stop = self.connection.sender.stop();
        let answer = tokio::select! {
            answer = prompt::confirm("Apply this plan?") => answer,
            _ = stop.asked() => return Err(Failed::stopped(stop.reason())),
        };
        if answer { Ok(()) } else { Err(Failed::of("not confirmed: nothing was changed")) }
    }

    /// The word about the plan's size: said now, or when it was saved.
    fn max_changes(&self) -> Result<Option<MaxChanges>, Failed> {
        let saved = match &self.wishes {
            Wishes::Saved(saved) => saved.max_changes.as_deref().map(str::parse).transpose().map_err(Failed::of)?,
            Wishes::Files(_) => None,
        };
        Ok(self.flags.limits.max_changes.or(saved))
    }

    async fn execute(&self, proposal: &Proposal, common: &Common, printer: &Printer) -> Result<Exit, Failed> {
        let Connection { sender, run } = &self.connection;
        let plan = proposal.proven.plan();
        let options = Options {
            concurrency: self.pace.concurrency.into(),
            fail_fast: self.flags.fail_fast,
            reread: self.flags.reread,
            verify: !self.flags.no_verify,
            grace: self.flags.grace.or_else(|| (!prompt::possible()).then_some(Duration::from_secs(5))),
        };
        let inputs = match &self.wishes {
            Wishes::Files(inputs) => Some(inputs),
            Wishes::Saved(_) => None,
        };
        let saved = saved(plan, inputs, common, &self.flags.limits);
        let key = plan_key();
        let records = Records { folder: &self.flags.journal, run, saved: &saved, key: key.as_ref() };
        let progress = match (common.quiet, std::io::IsTerminal::is_terminal(&std::io::stderr())) {
            (true, _) => Progress::quiet(plan, sender.clock().clone()),
            (false, true) => Progress::bar(plan, sender.clock().clone()),
            (false, false) => Progress::lines(plan, sender.clock().clone(), |line| eprintln!("{line}")),
        };
        let tell = |event: &Event| progress.event(event);
        let carried_out = tokio::select! {
            run = carry_out(&proposal.proven, sender, records, options, &tell) => run,
            () = tick(&progress, sender) => return Err(Failed::of("the progress display ended")),
        };
        progress.finish();
        let carried_out = carried_out?;
        let exit = Exit::of(&carried_out.outcome, plan);
        let journal = carried_out.journal.map(|path| path.display().to_string());
        let view = ResultView::of(plan, carried_out.outcome, journal, printer.codes());
        printer.result(&result_text(&view, printer.format()));
        Ok(if view.outcome.statistics.writes > 0 { printer.finish_after_writes(exit) } else { exit })
    }
}

fn preview(proposal: &Proposal, printer: &Printer) {
    printer.preview(&plan_text(&PlanView::of(proposal.proven.plan(), printer.codes()), Format::Text));
}

/// Keeps the display moving while the run waits.
async fn tick(progress: &Progress, sender: &Sender) {
    loop {
        progress.tick(sender.paused_until());
        sender.clock().sleep(Duration::from_millis(100)).await;
    }
}
