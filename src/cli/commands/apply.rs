//! `dectl apply`: shows what would change, asks, and changes it.

use std::time::Duration;

use dectl::apply::{Event, Options};
use dectl::model::Organization;
use dectl::reconcile::{Inputs, Proposal, carry_out, plan_for, propose};
use dectl::report::progress::Progress;
use dectl::report::{PlanView, ResultView, json, text};
use dectl::send::Sender;
use dectl::time::Stop;

use super::{Codes, plan_text, read};
use crate::cli::args::{Apply, Common, Format, Pace, RunFlags};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::prompt;
use crate::cli::setup::{Connection, connect};

/// A list that is older than this when the answer comes is read again.
const FRESH: Duration = Duration::from_secs(30);

pub(super) async fn run(flags: &Apply, common: &Common, printer: &Printer, stop: Stop) -> Result<Exit, Failed> {
    refuse_without_terminal(&flags.run)?;
    let inputs = read(&flags.files.files, common, Codes::LookedUp, &stop).await?;
    let connection = connect(common, flags.pace, stop).await?;
    confirm_and_execute(Job { inputs, connection, flags: &flags.run, pace: flags.pace, listed: None }, common, printer)
        .await
}

/// Without a terminal and without `--yes` nothing is even read.
pub(super) fn refuse_without_terminal(flags: &RunFlags) -> Result<(), Failed> {
    if flags.yes || prompt::possible() {
        return Ok(());
    }
    Err(Failed::of("there is no terminal to ask on: give --yes, or make a plan first"))
}

/// What is to be proposed, confirmed and carried out.
pub(super) struct Job<'a> {
    pub(super) inputs: Inputs,
    pub(super) connection: Connection,
    pub(super) flags: &'a RunFlags,
    pub(super) pace: Pace,
    /// The state that was listed already, if it was.
    pub(super) listed: Option<Organization>,
}

/// Shows what would change, asks, and changes it.
pub(super) async fn confirm_and_execute(job: Job<'_>, common: &Common, printer: &Printer) -> Result<Exit, Failed> {
    let Job { mut inputs, connection, flags, pace, listed } = job;
    let sender = &connection.sender;
    let mut proposal = match listed {
        Some(live) => plan_for(&mut inputs, live, sender.clock().now())?,
        None => propose(&mut inputs, sender).await?,
    };
    printer.preview(&plan_text(&PlanView::of(proposal.proven.plan(), printer.codes()), Format::Text));
    while !proposal.proven.plan().changes.is_empty() && !flags.yes {
        let answer = tokio::select! {
            answer = prompt::confirm("Apply this plan?") => answer,
            _ = sender.stop().asked() => return Err(Failed::stopped(sender.stop().reason())),
        };
        if !answer {
            return Err(Failed::of("not confirmed: nothing was changed"));
        }
        if sender.clock().now().since(proposal.listed) <= FRESH {
            break;
        }
        let newer = propose(&mut inputs, sender).await?;
        let same = newer.proven.plan() == proposal.proven.plan();
        proposal = newer;
        if same {
            break;
        }
        printer.remark("The organization has changed meanwhile. This is the plan now:\n\n");
        printer.preview(&plan_text(&PlanView::of(proposal.proven.plan(), printer.codes()), Format::Text));
    }
    execute(&proposal, &connection, flags, pace.concurrency.into(), common, printer).await
}

async fn execute(
    proposal: &Proposal,
    connection: &Connection,
    flags: &RunFlags,
    concurrency: usize,
    common: &Common,
    printer: &Printer,
) -> Result<Exit, Failed> {
    let Connection { sender, run } = connection;
    let plan = proposal.proven.plan();
    let options = Options {
        concurrency,
        fail_fast: flags.fail_fast,
        reread: flags.reread,
        verify: !flags.no_verify,
        grace: flags.grace.or_else(|| (!prompt::possible()).then_some(Duration::from_secs(5))),
    };
    let progress = match (common.quiet, std::io::IsTerminal::is_terminal(&std::io::stderr())) {
        (true, _) => Progress::quiet(plan, sender.clock().clone()),
        (false, true) => Progress::bar(plan, sender.clock().clone()),
        (false, false) => Progress::lines(plan, sender.clock().clone(), |line| eprintln!("{line}")),
    };
    let tell = |event: &Event| progress.event(event);
    let carried_out = tokio::select! {
        run = carry_out(&proposal.proven, sender, &flags.journal, run, options, &tell) => run,
        () = tick(&progress, sender) => return Err(Failed::of("the progress display ended")),
    };
    progress.finish();
    let carried_out = carried_out?;
    let exit = Exit::of(&carried_out.outcome, plan);
    let journal = carried_out.journal.map(|path| path.display().to_string());
    let view = ResultView::of(plan, carried_out.outcome, journal, printer.codes());
    printer.result(&match printer.format() {
        Format::Text => text::result(&view),
        Format::Json => json::text(&json::result(&view)),
    });
    Ok(exit)
}

/// Keeps the display moving while the run waits.
async fn tick(progress: &Progress, sender: &Sender) {
    loop {
        progress.tick(sender.paused_until());
        sender.clock().sleep(Duration::from_millis(100)).await;
    }
}
