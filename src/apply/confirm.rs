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
