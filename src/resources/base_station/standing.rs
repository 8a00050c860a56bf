//! Where a change of a base station stands in what is listed now.

use super::state::BaseStation;
use crate::plan::model::{Found, Standing};

/// A base station is known by its address, and by its id if it is to be removed: one with another id was added since.
pub(crate) fn standing(station: &BaseStation, is_added: bool, stations: &[BaseStation]) -> Standing {
    let at = stations.iter().position(|listed| listed.label() == station.label());
    let found = at.map(|at| Found { at, id: stations[at].id.as_ref().map(ToString::to_string) });
    let is_other = |found: &Found| stations[found.at].id.is_some() && stations[found.at].id != station.id;
    match found {
        Some(found) if is_added => Standing::after(found),
        None if is_added => Standing::Before,
        Some(found) if !is_other(&found) => Standing::Before,
        Some(_) | None => Standing::GONE,
    }
}
