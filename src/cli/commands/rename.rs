//! `dectl rename`: a rule that is applied once, planned, confirmed and carried out like everything else.

use dectl::apply::Outcome;
use dectl::client::Priority;
use dectl::desired::RenameRequest;
use dectl::model::Setting;
use dectl::plan::plan::Plan;
use dectl::reconcile::{GoingOn, Inputs, Wishes, as_file, going_on, plan_for};
use dectl::record::{Existing, write_private};
use dectl::report::{ResultView, visible};
use dectl::runtime::Shutdown;

use super::inputs::{save, scope};
use super::job::{Job, refuse_early};
use super::rendering::{result_text, show_plan};
use crate::cli::args::{Common, Field, Rename};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::{connect, plan_key};

pub(super) async fn run(
    flags: &Rename,
    common: &Common,
    printer: &Printer,
    shutdown: Shutdown,
) -> Result<Exit, Failed> {
    let only_shows = flags.only_shows();
    let key = if only_shows { plan_key()? } else { refuse_early(&flags.run)? };
    let scope = scope(&flags.run.limits.location, &flags.run.limits.network)?;
    let asked = asked(flags);
    if asked.display_name.is_some() && !asked.settings.contains(&Setting::Name) {
        return Err(Failed::of("--display-name belongs to networks whose name matches: leave out --field displayName"));
    }
    let mut inputs = Inputs::of_rename(&asked).map_err(|rejected| {
        let mut failed = Failed::from(rejected);
        failed.message = "the pattern or the template is not right".to_owned();
        failed
    })?;
    let connection = connect(common, flags.pace, shutdown).await?;
    if !only_shows && !flags.anew {
        let earlier = going_on(&flags.run.journal, key.as_ref(), &inputs, &scope, &connection.client).await;
        match earlier.map_err(|error| explained(error, flags))? {
            GoingOn::Nothing => {}
            GoingOn::Finished { run } => {
                printer.remark(&format!("The run {run} of this rename was interrupted after its last write.\n"));
                let plan = Plan::default();
                let outcome = Outcome::unchanged();
                printer.result(&result_text(&ResultView::of(&plan, outcome, None, printer.codes()), printer.format()));
                return Ok(Exit::Done);
            }
            GoingOn::With { run, saved } => {
                printer.remark(&format!("The run {run} of this rename was not finished: going on with its plan.\n"));
                let wishes = Wishes::Saved(saved);
                let job =
                    Job { wishes, listed: None, flags: &flags.run, pace: flags.pace, finishes_others: false, key };
                let exit = job.run(connection, common, printer).await?;
                if exit == Exit::Done {
                    printer.remark("That was the rest of that run; the same command again computes the rename anew.\n");
                }
                return Ok(exit);
            }
        }
    }
    let live = connection.client.list(Priority::Normal).await.map_err(dectl::reconcile::Error::from)?;
    if !only_shows {
        let wishes = Wishes::Made(inputs);
        let finishes_others = !flags.anew;
        let job = Job { wishes, listed: Some(live), flags: &flags.run, pace: flags.pace, finishes_others, key };
        return job.run(connection, common, printer).await;
    }
    let proposal = plan_for(&mut inputs, &scope, live, connection.client.clock().now())?;
    let plan = proposal.proven.plan();
    if let Some(path) = flags.write.as_ref().filter(|path| path.exists() && !flags.force) {
        return Err(super::export::not_written(path, &std::io::ErrorKind::AlreadyExists.into()));
    }
    if let Some(path) = &flags.out {
        save(plan, &inputs, path, common, &flags.run.limits, key.as_ref())?;
    }
    if let Some(path) = &flags.write {
        let remark = format!("What `dectl rename {:?} {:?}` makes.", flags.pattern, flags.template);
        let text = as_file(plan, &remark);
        let existing = if flags.force { Existing::Replaced } else { Existing::Kept };
        write_private(path, text.as_bytes(), existing).map_err(|error| super::export::not_written(path, &error))?;
    }
    show_plan(plan, printer);
    Ok(Exit::Done)
}

fn asked(flags: &Rename) -> RenameRequest {
    let mut settings: Vec<Setting> = flags
        .field
        .iter()
        .map(|field| match field {
            Field::Name => Setting::Name,
            Field::DisplayName => Setting::DisplayName,
        })
        .collect();
    settings.sort();
    settings.dedup();
    RenameRequest {
        settings,
        pattern: flags.pattern.clone(),
        template: flags.template.clone(),
        display_name: flags.display_name.clone(),
    }
}

fn explained(error: dectl::reconcile::Error, flags: &Rename) -> Failed {
    let moved = matches!(error, dectl::reconcile::Error::Moved(_));
    let mut failed = Failed::from(error);
    if moved {
        let folder = flags.run.journal.display().to_string();
        failed.message = format!(
            "an earlier run of this rename in {} was not finished, and its plan does not fit any more: {}. To compute \
             the rename anew, give --anew",
            visible(&folder),
            failed.message
        );
    }
    failed
}
