//! Writes that are applied after the writes that followed them.
//!
//! A request that is answered with 504 is sent again and acknowledged; a later step changes the same network; then the
//! first request is executed and puts the network back. Nothing but another look, some seconds later, can show that.

use super::context::{RunContext, UnansweredWrite};
use super::event::Event;
use super::outcome::{ChangeResult, ChangeStatus};
use crate::client::{LATE_WRITE_WINDOW, Priority, RequestContext};
use crate::plan::model::{ResourceState, StepItem};
use crate::resources::calls;
use crate::storage::journal::{JournalEntry, JournalItem, JournalItemResult, WriteKind, WriteOutcome};
use crate::webex::NetworkPath;

/// Waits for the writes that may still be applied and would undo a later one, and sends the final update again where that
/// has happened. Returns whether the list is to be verified again.
pub(super) async fn repair(run: &RunContext<'_>, results: &[ChangeResult]) -> bool {
    let superseded: Vec<UnansweredWrite> = run
        .unanswered
        .take()
        .into_iter()
        .filter(|write| results[write.change.0].status == ChangeStatus::Applied)
        .filter(|write| {
            let after = run.plan[write.change].settings_after();
            after.is_some_and(|after| !after.diff(&write.settings).is_empty())
        })
        .collect();
    let Some(last) = superseded.iter().map(|write| write.at).max() else { return false };
    let (clock, shutdown) = (run.client.clock(), run.client.shutdown());
    let left = (last + LATE_WRITE_WINDOW).duration_since(clock.now());
    if shutdown.is_requested() {
        return false;
    }
    (run.on_event)(&Event::AwaitingLateWrites { networks: superseded.len(), until: clock.now() + left });
    futures::future::select(std::pin::pin!(clock.sleep(left)), std::pin::pin!(shutdown.requested())).await;
    let mut has_read = false;
    for UnansweredWrite { change, settings, .. } in superseded {
        let planned = &run.plan[change];
        let (Some(network), Some(after)) = (planned.network.id(), planned.settings_after()) else { continue };
        let context = RequestContext { priority: Priority::Cleanup, ..RequestContext::QUIET };
        let path = NetworkPath { location: &planned.location.id, network };
        let Ok(live) = run.client.send(&calls::get_network(path), context).await else { continue };
        has_read = true;
        let is_late = live.settings.matches(&settings) && !live.settings.matches(after);
        if !is_late {
            continue;
        }
        (run.on_event)(&Event::LateWrite { subject: planned.subject() });
        let from = Some(ResourceState::Network { settings: live.settings, model: None });
        let item = StepItem { change, from, to: planned.after.clone() };
        let announcement = JournalEntry::WriteStarted {
            location: planned.location.clone(),
            network: Some(network.clone()),
            items: vec![JournalItem::of(planned, &item, WriteKind::Final)],
        };
        if run.record(announcement).await.is_err() {
            return true;
        }
        let end = match run.client.send(&calls::update_network(path, after), context).await {
            Ok(_) => WriteOutcome::Applied,
            Err(_) => WriteOutcome::Unknown,
        };
        let results = vec![JournalItemResult { key: planned.key(), end, id: None }];
        let _recorded = run.record(JournalEntry::WriteFinished { results }).await;
    }
    has_read
}
