//! Where changes of handsets stand in what is listed now.

use std::collections::HashSet;

use super::state::Handset;
use crate::model::HandsetId;
use crate::plan::model::{Found, ResourceState, Standing, States};

/// Where one change stands; an added handset is still to be found.
pub(crate) fn standing(states: &States<'_>, handsets: &[Handset]) -> Standing {
    let Some(before) = handset(states.before) else { return Standing::Before };
    updated(before, handset(states.interim), handset(states.after), handsets)
}

/// Finds the added handsets: whole ones first, so that none of them is taken for the half of another one. `known` are the
/// handsets that no addition has made.
pub(crate) fn find_added(
    asked: &[States<'_>],
    standings: &mut [Standing],
    handsets: &[Handset],
    known: &HashSet<HandsetId>,
) {
    let mut taken = known.clone();
    for is_whole in [true, false] {
        for (states, standing) in asked.iter().zip(standings.iter_mut()) {
            let (None, Some(after)) = (states.before, handset(states.after)) else { continue };
            if *standing != Standing::Before {
                continue;
            }
            let half = after.first_line_only();
            let wanted = if is_whole { after } else { &half };
            let is_free = |listed: &Handset| listed.id.as_ref().is_none_or(|id| !taken.contains(id));
            let Some(at) = handsets.iter().position(|listed| is_free(listed) && listed.is_equivalent(wanted)) else {
                continue;
            };
            taken.extend(handsets[at].id.clone());
            let found = Found { at, id: handsets[at].id.as_ref().map(ToString::to_string) };
            *standing = if is_whole { Standing::after(found) } else { Standing::Interim(found) };
        }
    }
}

fn updated(before: &Handset, interim: Option<&Handset>, after: Option<&Handset>, handsets: &[Handset]) -> Standing {
    let at = handsets.iter().position(|listed| listed.id == before.id);
    match (at.map(|at| (&handsets[at], Found { at, id: before.id.as_ref().map(ToString::to_string) })), after) {
        (Some(_), None) => Standing::Before,
        (None, None) => Standing::GONE,
        (None, Some(_)) => Standing::Missing,
        (Some((now, found)), Some(after)) if now.is_equivalent(after) => Standing::after(found),
        (Some((now, _)), Some(_)) if now.is_equivalent(before) => Standing::Before,
        (Some((now, found)), Some(_)) if interim.is_some_and(|half| now.is_equivalent(half)) => {
            Standing::Interim(found)
        }
        (Some((_, found)), Some(_)) => Standing::Changed(found),
    }
}

fn handset(state: Option<&ResourceState>) -> Option<&Handset> {
    state.and_then(ResourceState::handset)
}
