//! Whom a plan or a run concerns whose licence may decide about calling in the Webex apps.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::plural;
use super::sanitize::first_names;
use crate::model::{Handset, Member, MemberId, MemberKind};
use crate::plan::model::{ChangeIndex, Plan, ResourceState};

/// People who get their first handset with them on line 1, or lose their last one, as far as the handsets of the affected
/// networks show. With a Standard licence, which is not visible here, their calling in the Webex apps is switched off or on
/// ("Update DECT Network Handset").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenceNote {
    /// Line and name of each person who is new on line 1 of a handset.
    pub people_added: Vec<String>,
    /// Line and name of each person who is taken from line 1 of a handset.
    pub people_removed: Vec<String>,
}

/// So many people are named in a note.
const MAX_NAMES: usize = 20;

/// On line 1 of how many handsets a person is.
#[derive(Default)]
struct Count {
    label: String,
    listed: usize,
    before: usize,
    after: usize,
}

/// In the order of their first mention.
#[derive(Default)]
struct Counts<'a> {
    counts: Vec<Count>,
    positions: HashMap<&'a MemberId, usize>,
}

impl<'a> Counts<'a> {
    fn of(&mut self, handset: Option<&'a Handset>) -> Option<&mut Count> {
        let person = handset?.line1.as_ref().filter(|member| may_have_standard_licence(member))?;
        let new = self.counts.len();
        let at = *self.positions.entry(person.id.as_ref()?).or_insert(new);
        if at == new {
            self.counts.push(Count { label: person.label(), ..Count::default() });
        }
        self.counts.get_mut(at)
    }
}

fn may_have_standard_licence(member: &Member) -> bool {
    member.kind != MemberKind::VirtualLine && member.kind != MemberKind::Workspace
}

impl LicenceNote {
    /// The note about some changes of a plan.
    pub(super) fn of(plan: &Plan, is_included: impl Fn(ChangeIndex) -> bool) -> Self {
        let mut people = Counts::default();
        for (_, change) in plan.indexed_changes().filter(|(at, _)| is_included(*at)) {
            let contents = change.contents.iter().filter_map(ResourceState::handset);
            for handset in change.handset_before().into_iter().chain(contents) {
                people.of(Some(handset)).into_iter().for_each(|count| count.before += 1);
            }
            people.of(change.handset_after()).into_iter().for_each(|count| count.after += 1);
        }
        for handset in plan.devices.iter().flat_map(|devices| devices.devices.handsets.iter().flatten()) {
            people.of(Some(handset)).into_iter().for_each(|count| count.listed += 1);
        }
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for Count { label, listed, before, after } in people.counts {
            let kept = listed.saturating_sub(before);
            match (kept + before > 0, kept + after > 0) {
                (false, true) => added.push(label),
                (true, false) => removed.push(label),
                _ => {}
            }
        }
        Self { people_added: added, people_removed: removed }
    }

    /// The notes for people, at most two sentences.
    pub fn describe(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.people_added.is_empty() {
            notes.push(format!(
                "{} on line 1 of a handset: those with a Webex Calling Standard licence can no longer call in the \
                 Webex apps (licences are not visible here): {}",
                plural(self.people_added.len(), "person"),
                first_names(&self.people_added, MAX_NAMES)
            ));
        }
        if !self.people_removed.is_empty() {
            notes.push(format!(
                "{} no longer on line 1 of a handset: calling in the Webex apps is switched on again with a Standard \
                 licence: {}",
                plural(self.people_removed.len(), "person"),
                first_names(&self.people_removed, MAX_NAMES)
            ));
        }
        notes
    }
}
