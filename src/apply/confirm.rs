//! Determines whether an unacknowledged write was applied (202, timeout, 5xx).

use std::time::Duration;

use crate::client::{ApiClient, Priority, RequestContext, SendError};
use crate::model::{NetworkId, Setting, Settings};
use crate::plan::model::LocationRef;
use crate::runtime::ShutdownLevel;
use crate::webex::{ApiError, ErrorClass, MaybeApplied, WriteAck};

pub(super) enum Confirmation {
    Applied,
    Failed(ApiError),
    NotSent,
    Unknown(ApiError),
}

/// Intervals at which a network is read again until an accepted write (202) or a lagging read shows its new settings.
pub(super) const POLL_INTERVALS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Determines from the response, or else by reading the network, whether a write was applied.
pub(super) async fn confirm_write(
    answer: Result<WriteAck, SendError>,
    client: &ApiClient,
    location: &LocationRef,
    network: &NetworkId,
    before: &Settings,
    sent: &Settings,
    context: RequestContext<'_>,
) -> Confirmation {
    // A read resolves the uncertainty, so it is still sent during a shutdown.
    let context = RequestContext { priority: Priority::Cleanup, ..context };
    match answer {
        Ok(WriteAck::Applied) => Confirmation::Applied,
        Ok(WriteAck::Accepted) => poll_until_applied(client, location, network, before, sent, context).await,
        Err(SendError::Cancelled) => Confirmation::NotSent,
        Err(SendError::Failed(error)) if error.applied == MaybeApplied::No => Confirmation::Failed(error),
        // An unanswered write that is not visible yet may still be applied, so only success can be observed.
        Err(SendError::Failed(error)) => match client.get(&location.id, network, context).await {
            Ok(live) if is_observed(&live.settings, before, sent) => Confirmation::Applied,
            _ => Confirmation::Unknown(error),
        },
    }
}

async fn poll_until_applied(
    client: &ApiClient,
    location: &LocationRef,
    network: &NetworkId,
    before: &Settings,
    sent: &Settings,
    context: RequestContext<'_>,
) -> Confirmation {
    for wait in POLL_INTERVALS {
        match client.get(&location.id, network, context).await {
            Ok(live) if is_observed(&live.settings, before, sent) => return Confirmation::Applied,
            Err(SendError::Failed(error)) if error.class != ErrorClass::Transient => {
                return Confirmation::Unknown(error);
            }
            _ if client.shutdown().level() == ShutdownLevel::Immediate => break,
            _ => client.wait(wait).await,
        }
    }
    Confirmation::Unknown(ApiError {
        status: Some(202),
        ..ApiError::no_response(
            ErrorClass::Permanent,
            "accepted (202), but not applied within the polling time",
            MaybeApplied::Unknown,
        )
    })
}

/// Whether the live settings show that an update from `before` to `sent` was applied: every setting that it changes is
/// visible with its new value. A setting that Webex hides shows nothing.
pub(super) fn is_observed(live: &Settings, before: &Settings, sent: &Settings) -> bool {
    let unseen = live.diff(sent);
    let mut changed = before.diff(sent).iter().filter(|setting| !is_hidden_code(before, sent, *setting));
    matches_live(live, sent) && changed.all(|setting| !unseen.has(setting))
}

/// A code that was hidden before the update and stays disabled; no read can show it.
fn is_hidden_code(before: &Settings, sent: &Settings, setting: Setting) -> bool {
    setting == Setting::Code && before.code.is_none() && sent.code_enabled == Some(false)
}

/// Whether the live settings match `sent`. Values that Webex hides or fills in by itself do not count.
pub fn matches_live(live: &Settings, sent: &Settings) -> bool {
    mismatched(live, sent).next().is_none()
}

/// The settings in which the live state differs from `sent`.
pub(super) fn mismatched<'a>(live: &'a Settings, sent: &'a Settings) -> impl Iterator<Item = Setting> + 'a {
    live.diff(sent).iter().filter(|setting| match setting {
        Setting::Name | Setting::CodeEnabled => true,
        // Without a display name in the request, Webex chooses its own.
        Setting::DisplayName => sent.display_name.is_some(),
        // A disabled code may be hidden.
        Setting::Code => live.code.is_some() || sent.code_enabled != Some(false),
    })
}
