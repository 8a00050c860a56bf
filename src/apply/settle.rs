//! What became of a write that was not simply acknowledged.

use std::time::Duration;

use crate::client::{ApiClient, Priority, RequestContext, SendError};
use crate::model::{NetworkId, Setting, Settings};
use crate::plan::plan::Where;
use crate::runtime::ShutdownLevel;
use crate::webex::{ApiError, ErrorClass, MaybeApplied, UpdateAck};

/// The end of a write.
pub(super) enum Settled {
    Applied,
    Failed(ApiError),
    NotSent,
    Unknown(ApiError),
}

/// How often and how far apart an accepted write (202) is looked for.
const LOOKS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Finds out whether a write was applied: from its answer, or else by reading.
pub(super) async fn settle(
    answer: Result<UpdateAck, SendError>,
    client: &ApiClient,
    location: &Where,
    network: &NetworkId,
    before: &Settings,
    sent: &Settings,
    context: RequestContext<'_>,
) -> Settled {
    // Reading settles a doubt, so it still happens when a stop is asked for.
    let context = RequestContext { priority: Priority::Cleanup, ..context };
    match answer {
        Ok(UpdateAck::Applied) => Settled::Applied,
        Ok(UpdateAck::Accepted) => wait_until_shown(client, location, network, sent, context).await,
        Err(SendError::Cancelled) => Settled::NotSent,
        Err(SendError::Failed(error)) if error.applied == MaybeApplied::No => Settled::Failed(error),
        Err(SendError::Failed(error)) => match client.get(&location.id, network, context).await {
            Ok(live) if same(&live.settings, sent) => Settled::Applied,
            Ok(live) if same(&live.settings, before) => Settled::Failed(error),
            _ => Settled::Unknown(error),
        },
    }
}

async fn wait_until_shown(
    client: &ApiClient,
    location: &Where,
    network: &NetworkId,
    sent: &Settings,
    context: RequestContext<'_>,
) -> Settled {
    for wait in LOOKS {
        match client.get(&location.id, network, context).await {
            Ok(live) if same(&live.settings, sent) => return Settled::Applied,
            Err(SendError::Failed(error)) if error.class != ErrorClass::Transient => return Settled::Unknown(error),
            _ if client.shutdown().level() == ShutdownLevel::Immediate => break,
            _ => client.wait(wait).await,
        }
    }
    Settled::Unknown(ApiError {
        status: Some(202),
        ..ApiError::no_response(ErrorClass::Permanent, "accepted, but not shown as done", MaybeApplied::Unknown)
    })
}

/// Whether a network that reads `live` is as `sent`: what Webex hides or fills in by itself does not count.
pub fn same(live: &Settings, sent: &Settings) -> bool {
    differing(live, sent).next().is_none()
}

/// The settings in which `live` is not as `sent`.
pub(super) fn differing<'a>(live: &'a Settings, sent: &'a Settings) -> impl Iterator<Item = Setting> + 'a {
    live.diff(sent).iter().filter(|setting| match setting {
        Setting::Name | Setting::CodeEnabled => true,
        // Without one in the request, Webex chooses its own.
        Setting::DisplayName => sent.display_name.is_some(),
        // A disabled code may be hidden.
        Setting::Code => live.code.is_some() || sent.code_enabled != Some(false),
    })
}
