//! In which of its states a thing can be, and what is listed of its network.

use super::{Change, ResourceState, StepItem};
use crate::model::{BaseStation, Devices, Handset, Network, SettingSet};

/// The states that a thing may be found in.
#[derive(Clone, Copy, Debug)]
pub struct States<'a> {
    /// `None` if it is added.
    pub before: Option<&'a ResourceState>,
    /// On the way: with a temporary name, or with its first line only, whether it is added or gives up the second one.
    pub interim: Option<&'a ResourceState>,
    /// `None` if it is taken away.
    pub after: Option<&'a ResourceState>,
}

impl<'a> States<'a> {
    /// Those of a request.
    pub fn of_item(item: &'a StepItem) -> Self {
        Self { before: item.from.as_ref(), interim: None, after: item.to.as_ref() }
    }

    /// Those of a change.
    pub fn of_change(change: &'a Change, interim: Option<&'a ResourceState>) -> Self {
        Self { before: change.before.as_ref(), interim, after: change.after.as_ref() }
    }
}

/// What was listed of one network. One that is gone has empty lists.
#[derive(Clone, Debug, Default)]
pub struct Listed<'a> {
    /// The network; or, of one that is to be created, those that may be it; `None` if they were not read.
    pub networks: Option<Vec<&'a Network>>,
    /// What belongs to it; `None` if nothing was read.
    pub devices: Option<&'a Devices>,
}

impl Listed<'_> {
    pub(crate) fn base_stations(&self) -> Option<&[BaseStation]> {
        self.devices?.base_stations.as_deref()
    }

    pub(crate) fn handsets(&self) -> Option<&[Handset]> {
        self.devices?.handsets.as_deref()
    }
}

/// Where a change stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As before it.
    Before,
    Interim(Found),
    After {
        /// `None` if it was taken away.
        found: Option<Found>,
        /// The settings that it changes and that a read does not show.
        unseen: SettingSet,
    },
    /// It is there, in none of its states.
    Changed(Found),
    /// It should be there and is not.
    Missing,
    /// What would show it was not read.
    CannotTell,
}

/// What was found in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place in the list.
    pub at: usize,
    pub id: Option<String>,
}

impl Standing {
    pub(crate) const GONE: Self = Self::After { found: None, unseen: SettingSet::NONE };

    pub(crate) const fn after(found: Found) -> Self {
        Self::After { found: Some(found), unseen: SettingSet::NONE }
    }

    /// Whether a read shows that it was applied.
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::After { unseen, .. } if unseen.is_empty())
    }

    /// The id of what was found.
    pub fn id(&self) -> Option<String> {
        self.found()?.id.clone()
    }

    /// What was found, in whichever state.
    pub const fn found(&self) -> Option<&Found> {
        match self {
            Self::Interim(found) | Self::Changed(found) | Self::After { found: Some(found), .. } => Some(found),
            Self::Before | Self::After { found: None, .. } | Self::Missing | Self::CannotTell => None,
        }
    }
}
