//! What reads show of an update.

use std::time::Duration;

use crate::model::{Setting, Settings};

/// Intervals at which something is read again until an accepted write (202) or a lagging read shows its new state.
pub(super) const POLL_INTERVALS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

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
