//! What reads show of a request whose response does not tell.

use std::time::Duration;

use super::context::RunContext;
use super::operation::{OperationRequest, POLL_INTERVALS};
use crate::client::{Priority, RequestContext, SendError};
use crate::model::Devices;
use crate::plan::model::{ChangeAction, Listed, Operation, ResourceKind, Standing, States};
use crate::resources::calls;
use crate::resources::standing::standings;
use crate::webex::ErrorClass;

/// Reads once where the items of a request stand.
pub(super) async fn observe(run: &RunContext<'_>, request: OperationRequest<'_>) -> Result<Vec<Standing>, SendError> {
    let Operation { kind, action } = request.items[0].operation();
    let states: Vec<States<'_>> = request.items.iter().map(States::of_item).collect();
    let client = run.client;
    let known = request.network.map(|network| run.known_handsets(network)).unwrap_or_default();
    let tell = |listed: &Listed<'_>| standings(&states, listed, &known);
    // A network that is gone has been deleted, and so has all that it held.
    let is_gone = |error: &SendError| {
        let is_not_found = matches!(error, SendError::Failed(error) if error.class == ErrorClass::NotFound);
        action == ChangeAction::Delete && is_not_found
    };
    let gone = Listed { networks: Some(Vec::new()), devices: Some(Devices::gone()) };
    // A read resolves the uncertainty, so it is still sent during a shutdown.
    let priority = Priority::Cleanup;
    Ok(match kind {
        ResourceKind::Network if action == ChangeAction::Create => {
            let live = client.list_networks(priority).await?;
            let known = run.plan.known_networks();
            tell(&Listed { networks: Some(request.change.candidates(&known, &live)), ..Listed::default() })
        }
        ResourceKind::Network => {
            let context = RequestContext { priority, ..RequestContext::QUIET };
            match client.send(&calls::get_network(request.network()?), context).await {
                Ok(network) => tell(&Listed { networks: Some(vec![&network]), ..Listed::default() }),
                Err(error) if is_gone(&error) => tell(&gone),
                Err(error) => return Err(error),
            }
        }
        kind => {
            let Some(call) = calls::list_devices(kind, request.network()?) else { return Ok(tell(&Listed::default())) };
            match client.read(&call, priority).await {
                Ok(list) => tell(&Listed { devices: Some(&list.into()), ..Listed::default() }),
                Err(error) if is_gone(&error) => tell(&gone),
                Err(error) => return Err(error),
            }
        }
    })
}

/// For some seconds: a lagging read, or a write that was accepted and is applied later.
pub(super) async fn observe_for_a_while(
    run: &RunContext<'_>,
    request: OperationRequest<'_>,
    priority: Priority,
) -> Result<Vec<Standing>, SendError> {
    observe_until(run, request, POLL_INTERVALS, priority).await
}

/// For as long as a lost request may still be executed, without a slot.
pub(super) async fn observe_late(
    run: &RunContext<'_>,
    request: OperationRequest<'_>,
    time: Duration,
) -> Result<Vec<Standing>, SendError> {
    const LONGEST_WAIT: Duration = Duration::from_secs(15);
    run.waiting.set(run.waiting.get() + 1);
    run.slots_changed.notify_waiters();
    let mut left = time;
    let waits = POLL_INTERVALS.into_iter().chain(std::iter::repeat(LONGEST_WAIT)).map_while(|wait| {
        let wait = wait.min(left);
        left -= wait;
        (!wait.is_zero()).then_some(wait)
    });
    let standings = observe_until(run, request, waits, Priority::Normal).await;
    run.waiting.set(run.waiting.get().saturating_sub(1));
    standings
}

/// Reads until everything is applied, until the waits are over, or until the run stops. A read that fails for a moment is
/// no answer.
async fn observe_until(
    run: &RunContext<'_>,
    request: OperationRequest<'_>,
    waits: impl IntoIterator<Item = Duration>,
    priority: Priority,
) -> Result<Vec<Standing>, SendError> {
    let client = run.client;
    let mut waits = waits.into_iter();
    let mut last = vec![Standing::CannotTell; request.items.len()];
    loop {
        match observe(run, request).await {
            Ok(standings) => last = standings,
            Err(SendError::Failed(error)) if error.class != ErrorClass::Transient => {
                return Err(SendError::Failed(error));
            }
            Err(_) => {}
        }
        if client.is_stopped(priority) || last.iter().all(Standing::is_applied) {
            return Ok(last);
        }
        let Some(wait) = waits.next() else { return Ok(last) };
        client.wait_as(priority, wait).await;
    }
}
