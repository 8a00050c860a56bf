//! Where a change of a serviceability password stands.

use super::state::PasswordStatus;
use crate::plan::model::{Found, ResourceState, Standing, States};

pub(crate) fn standing(states: &States<'_>, now: PasswordStatus) -> Standing {
    match states.after.and_then(ResourceState::serviceability_password) == Some(now) {
        true => Standing::after(Found { at: 0, id: None }),
        false => Standing::Before,
    }
}
