//! What all workers share during a run.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::pin::pin;

use futures::future::select;

use super::admission::{Admission, GroupId, Obstacle, Verdict};
use super::event::Event;
use super::options::Options;
use super::outcome::{ChangeResult, Failure};
use super::timeline::Timeline;
use crate::client::{ApiClient, Priority};
use crate::model::{HandsetId, LocationId, NetworkId, Settings};
use crate::plan::model::{Change, ChangeIndex, NetworkRef, Plan, Step, StepIndex};
use crate::runtime::{Instant, Notify, ShutdownLevel, ShutdownReason};
use crate::storage::journal::WriteOutcome;
use crate::storage::{Journal, JournalEntry};

pub(super) struct RunContext<'a> {
    pub(super) plan: &'a Plan,
    /// The steps for a Webex that refuses two lines at once, see `CheckedPlan::single_lines`.
    pub(super) single_lines: &'a [Step],
    /// Which of them adds the second line of a handset.
    pub(super) second_lines: HashMap<ChangeIndex, StepIndex>,
    pub(super) client: &'a ApiClient,
    pub(super) journal: &'a Journal,
    pub(super) options: Options,
    pub(super) on_event: &'a dyn Fn(&Event),
    pub(super) timeline: RefCell<Timeline>,
    pub(super) results: RefCell<Vec<Option<ChangeResult>>>,
    /// The networks that this run has created.
    pub(super) created: RefCell<HashMap<ChangeIndex, NetworkId>>,
    /// The handsets that this run has added, as far as their ids are known.
    pub(super) added_handsets: RefCell<HashMap<ChangeIndex, HandsetId>>,
    /// Webex has refused two lines at once: second lines are added by updates.
    pub(super) one_line_at_a_time: Cell<bool>,
    /// Whether a first addition of handsets with two lines is under way. The others wait for its answer, since a refusal costs
    /// a network the interval between changes of handsets; `None` once two lines were accepted.
    pub(super) tries_two_lines: Cell<Option<bool>>,
    /// Workers that wait for a lock or for the handset interval; each leaves its slot to another location meanwhile.
    pub(super) waiting: Cell<usize>,
    pub(super) slots_changed: Notify,
    pub(super) admission: RefCell<Admission>,
    /// Notified when another group may be able to write.
    pub(super) turns_changed: Notify,
    /// Why nothing further is sent in these locations.
    pub(super) lock_failures: RefCell<HashMap<LocationId, Failure>>,
    /// The steps that delete what nothing depends on.
    pub(super) late: HashSet<StepIndex>,
    /// No further write can succeed, whatever reason the shutdown was requested for.
    pub(super) aborted: Cell<bool>,
    /// What the journal has of each change at last: how a write ended, and the id.
    pub(super) recorded: RefCell<HashMap<ChangeIndex, (WriteOutcome, Option<String>)>>,
    /// Writes that were not answered and may still be applied.
    pub(super) unanswered: RefCell<Vec<UnansweredWrite>>,
}

/// A write that may be applied later than the writes that followed it.
#[derive(Clone, Debug)]
pub(super) struct UnansweredWrite {
    pub(super) change: ChangeIndex,
    pub(super) settings: Settings,
    pub(super) at: Instant,
}

/// Which result of a change is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precedence {
    /// What is known already: the first failure is the cause, and what follows from it is not reported instead.
    First,
    /// The new one: it is about a later write of the same change, so it describes what is there now.
    Latest,
}

impl RunContext<'_> {
    /// Sets the result of a change.
    pub(super) fn set_result(&self, change: ChangeIndex, result: ChangeResult, precedence: Precedence) {
        let known = &mut self.results.borrow_mut()[change.0];
        if known.is_none() || precedence == Precedence::Latest {
            *known = Some(result);
        }
    }

    /// The network of a change, if it exists.
    pub(super) fn network_id(&self, change: &Change) -> Option<NetworkId> {
        match &change.network {
            NetworkRef::Live(id) => Some(id.clone()),
            NetworkRef::Created(creation) => self.created.borrow().get(creation).cloned(),
        }
    }

    /// The handsets of a network that were there before the plan, or that this run has added: none of them is a new one.
    pub(super) fn known_handsets(&self, network: &NetworkId) -> HashSet<HandsetId> {
        let mut known = self.plan.listed_handsets(network);
        known.extend(self.added_handsets.borrow().values().cloned());
        known
    }

    /// The step that adds the second line of a handset.
    pub(super) fn second_line(&self, change: ChangeIndex) -> Option<StepIndex> {
        self.second_lines.get(&change).copied()
    }

    /// Appends a journal line; if that fails, the run is aborted.
    pub(super) async fn record(&self, entry: JournalEntry) -> Result<(), Failure> {
        let clock = self.client.clock();
        let time = clock.to_timestamp(clock.now());
        self.journal.append(entry, time).await.map_err(|error| {
            self.abort(ShutdownReason::JournalWriteFailed);
            Failure::new(error.to_string())
        })
    }

    /// Waits without a slot until a group may write: `verdict` asks for it, and is asked again whenever something changes.
    /// `Verdict::Wait` means that the run stops.
    pub(super) async fn wait_for_turn(
        &self,
        priority: Priority,
        verdict: impl Fn(&mut Admission) -> Verdict,
    ) -> Verdict {
        let mut is_waiting = false;
        let end = loop {
            match verdict(&mut self.admission.borrow_mut()) {
                Verdict::Wait => {}
                end => break end,
            }
            if self.client.is_stopped(priority) {
                break Verdict::Wait;
            }
            if !std::mem::replace(&mut is_waiting, true) {
                self.waiting.set(self.waiting.get() + 1);
                self.slots_changed.notify_waiters();
            }
            select(pin!(self.turns_changed.notified()), pin!(self.client.stopped(priority))).await;
        };
        if is_waiting {
            self.waiting.set(self.waiting.get().saturating_sub(1));
        }
        end
    }

    /// Tells the groups that wait, and the queue of those that have not started, that something has changed.
    pub(super) fn notify_turns(&self) {
        self.turns_changed.notify_waiters();
        self.slots_changed.notify_waiters();
    }

    /// The write of a group was refused since its location is locked.
    pub(super) fn note_refused(&self, group: GroupId, obstacle: Obstacle, location: &LocationId, until: Instant) {
        let (is_news, is_exclusive) = self.admission.borrow_mut().refuse(group, obstacle);
        if is_news {
            self.timeline.borrow_mut().locks.push((self.client.clock().now(), until));
            (self.on_event)(&Event::Locked { location: location.clone(), until });
        }
        if is_exclusive {
            self.note_exclusive(location);
        }
        self.notify_turns();
    }

    /// A location was found to take one write at a time.
    pub(super) fn note_exclusive(&self, location: &LocationId) {
        let mut timeline = self.timeline.borrow_mut();
        if !timeline.one_write_at_a_time.contains(location) {
            timeline.one_write_at_a_time.push(location.clone());
        }
        drop(timeline);
        (self.on_event)(&Event::WritesOneByOne { location: location.clone() });
    }

    pub(super) fn note_written(&self) {
        self.timeline.borrow_mut().writes.push(self.client.clock().now());
    }

    pub(super) fn note_unanswered(&self, change: ChangeIndex, settings: &Settings) {
        let at = self.client.clock().now();
        let mut unanswered = self.unanswered.borrow_mut();
        match unanswered.iter_mut().find(|write| write.change == change && write.settings == *settings) {
            Some(earlier) => earlier.at = at,
            None => unanswered.push(UnansweredWrite { change, settings: settings.clone(), at }),
        }
    }

    /// Aborts the run without resolving temporary names.
    pub(super) fn abort(&self, reason: ShutdownReason) {
        self.aborted.set(true);
        self.client.shutdown().request(ShutdownLevel::Graceful(reason));
    }
}
