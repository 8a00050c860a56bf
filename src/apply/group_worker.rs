//! One group of steps: in the order of the plan, one write at a time.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use futures::future::select;

use super::admission::{Admission, GroupId, Verdict};
use super::context::{Precedence, RunContext};
use super::event::Event;
use super::observe::observe_for_a_while;
use super::operation::OperationRequest;
use super::outcome::{ChangeResult, ChangeStatus, Failure};
use super::write_result::{StepState, WriteRequest, WriteResult, is_lock};
use crate::client::Priority;
use crate::model::{HandsetId, NetworkId, Settings};
use crate::plan::model::{
    ChangeAction, ChangeIndex, NetworkRef, Operation, ResourceKind, ResourceState, Standing, Step, StepIndex, StepItem,
    is_spaced,
};
use crate::runtime::Instant;
use crate::webex::{ApiError, MaybeApplied};

pub(super) struct GroupWorker<'a, 's> {
    pub(super) run: &'a RunContext<'s>,
    pub(super) group: GroupId,
    pub(super) steps: Vec<StepIndex>,
    /// What became of each item of each step.
    pub(super) progress: HashMap<(StepIndex, ChangeIndex), StepState>,
    /// The settings of networks after acknowledged writes; `None` once a network is deleted.
    pub(super) current_settings: HashMap<ChangeIndex, Option<Settings>>,
    /// The steps that are sent in the way for a Webex that refuses two lines at once.
    split: HashSet<StepIndex>,
    /// Handsets that were added with their first line, and whose second line is still to be looked after.
    halves: HashSet<ChangeIndex>,
    /// Changes that were taken back: the values that they had released may be theirs again.
    pub(super) reverted: HashSet<ChangeIndex>,
}

enum Next {
    /// The open step with this index.
    Step(usize),
    /// Everything waits, at least until then.
    Wait(Instant),
}

impl<'a, 's> GroupWorker<'a, 's> {
    pub(super) fn new(run: &'a RunContext<'s>, group: GroupId, steps: Vec<StepIndex>) -> Self {
        Self {
            run,
            group,
            steps,
            progress: HashMap::new(),
            current_settings: HashMap::new(),
            split: HashSet::new(),
            halves: HashSet::new(),
            reverted: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut open = self.steps.clone();
        while !self.run.client.shutdown().is_requested() && self.lock_failure().is_none() {
            match self.next(&open) {
                Some(Next::Step(place)) => {
                    let at = open.remove(place);
                    self.execute(at, &mut open).await;
                }
                Some(Next::Wait(until)) if self.run.options.until.is_none_or(|window| until <= window) => {
                    self.wait_for_handsets(&open, until).await;
                }
                Some(Next::Wait(_)) => {
                    self.leave_handsets(&open);
                    break;
                }
                None => break,
            }
        }
        self.restore().await;
        self.finalize_results();
        self.note_removals_in_vain();
    }

    /// Why nothing further is sent in the location of the group, if it has stayed locked for too long.
    fn lock_failure(&self) -> Option<Failure> {
        let location = &self.run.plan[self.step(*self.steps.first()?).change()].location.id;
        self.run.lock_failures.borrow().get(location).cloned()
    }

    /// What can be done next, in the order of the plan: a step whose prerequisites were tried, and whose network may be changed
    /// again. Other networks go on meanwhile.
    fn next(&self, open: &[StepIndex]) -> Option<Next> {
        let mut earliest = None;
        let mut busy: Vec<(&NetworkRef, ResourceKind)> = Vec::new();
        let is_late = |at: &StepIndex| self.run.late.contains(at);
        let is_late_only = open.iter().all(is_late);
        for (place, at) in open.iter().enumerate().filter(|(_, at)| is_late_only || !is_late(at)) {
            let step = self.step(*at);
            let network = &self.run.plan[step.change()].network;
            let is_ready =
                step.depends_on.iter().all(|needed| self.progress.contains_key(&(needed.step, needed.change)));
            let kind = step.operation().kind;
            if !is_ready || busy.iter().any(|(other, earlier)| *other == network && kind.waits_for(*earlier)) {
                busy.push((network, kind));
                continue;
            }
            match self.free_at(step) {
                None => return Some(Next::Step(place)),
                Some(free_at) => {
                    earliest = Some(earliest.map_or(free_at, |known: Instant| known.min(free_at)));
                    busy.push((network, kind));
                }
            }
        }
        // A dependency that was never tried blocks for good, which the steps themselves find out.
        earliest.map(Next::Wait).or_else(|| (!open.is_empty()).then_some(Next::Step(0)))
    }

    /// From when on the handsets of the network may be changed; `None` if at once.
    fn free_at(&self, step: &Step) -> Option<Instant> {
        let network = self.run.network_id(&self.run.plan[step.change()]).filter(|_| is_spaced(&step.items))?;
        self.run.client.handsets_free_at(&network)
    }

    /// Leaves the location to other groups while this one waits.
    fn park(&self, is_parked: bool) {
        self.run.admission.borrow_mut().set_parked(self.group, is_parked);
        self.run.notify_turns();
    }

    /// Waits until this group may write in its location.
    pub(super) async fn wait_for_turn(&self, is_late: bool, priority: Priority) -> Verdict {
        if is_late {
            self.run.admission.borrow_mut().set_late(self.group);
            self.park(true);
        }
        let is_cleanup = priority == Priority::Cleanup;
        let begin = |admission: &mut Admission| admission.begin(self.group, is_late, is_cleanup);
        let verdict = self.run.wait_for_turn(priority, begin).await;
        if is_late {
            self.park(false);
        }
        verdict
    }

    /// Waits without a slot.
    async fn wait_for_handsets(&self, open: &[StepIndex], until: Instant) {
        let run = self.run;
        let name = |at: &StepIndex| run.plan[self.step(*at).change()].network_name.to_string();
        let subject = open.first().map(name).unwrap_or_default();
        (run.on_event)(&Event::AwaitingHandsetInterval { subject, until });
        run.waiting.set(run.waiting.get() + 1);
        self.park(true);
        let shutdown = run.client.shutdown().requested();
        select(pin!(run.client.clock().sleep_until(until)), pin!(shutdown)).await;
        run.waiting.set(run.waiting.get().saturating_sub(1));
        self.park(false);
    }

    /// The window closes before the handsets of the remaining networks may be changed again.
    fn leave_handsets(&self, open: &[StepIndex]) {
        let failure = Failure::new("the wait between changes of handsets would pass --until");
        for item in open.iter().flat_map(|at| self.step(*at).changes()) {
            let result = ChangeResult { error: Some(failure.clone()), ..ChangeResult::new(ChangeStatus::NotStarted) };
            self.run.set_result(item, result, Precedence::First);
        }
    }

    async fn execute(&mut self, at: StepIndex, open: &mut Vec<StepIndex>) {
        let run = self.run;
        let has_two_lines = self.has_two_lines(at);
        if has_two_lines {
            self.wait_for_two_lines().await;
            if run.one_line_at_a_time.get() {
                self.split.insert(at);
            }
        }
        let is_first = has_two_lines && !self.split.contains(&at) && run.tries_two_lines.get() == Some(false);
        if is_first {
            run.tries_two_lines.set(Some(true));
        }
        let (deferred, _) = self.send_step(at, Priority::Normal).await;
        if is_first {
            let is_accepted = deferred.is_empty() && self.is_done(at);
            run.tries_two_lines.set(if is_accepted { None } else { Some(false) });
        }
        if !deferred.is_empty() {
            run.one_line_at_a_time.set(true);
            self.split.insert(at);
            open.insert(0, at);
        } else if self.split.contains(&at) {
            let second_lines = self.after_first_lines(at).await;
            open.splice(0..0, second_lines);
        }
        run.notify_turns();
    }

    /// Whether a step adds handsets with two lines.
    fn has_two_lines(&self, at: StepIndex) -> bool {
        let steps = self.run.plan.steps.get(at.0).zip(self.run.single_lines.get(at.0));
        steps.is_some_and(|(planned, single)| planned != single)
    }

    /// Waits until it is known whether Webex takes two lines at once, if another group finds it out.
    async fn wait_for_two_lines(&self) {
        let run = self.run;
        let is_under_way = || run.tries_two_lines.get() == Some(true);
        // That group may wait for the cycle of this one.
        if is_under_way() && !run.admission.borrow().is_open(self.group) {
            self.park(true);
            let verdict = |_: &mut Admission| if is_under_way() { Verdict::Wait } else { Verdict::Go };
            run.wait_for_turn(Priority::Normal, verdict).await;
            self.park(false);
        }
    }

    /// Handsets were added with their first lines; returns the steps that add the second ones.
    async fn after_first_lines(&mut self, at: StepIndex) -> Vec<StepIndex> {
        let added = std::mem::take(&mut self.halves);
        let is_half = |item: &&StepItem| added.contains(&item.change);
        let halves: Vec<StepItem> = self.step(at).items.iter().filter(is_half).cloned().collect();
        if halves.is_empty() {
            return Vec::new();
        }
        let ids = self.find_added(&halves).await;
        let incomplete = Failure::new("added with its first line only; run the same command again for the second one");
        let mut next = Vec::new();
        for (half, id) in halves.into_iter().zip(ids) {
            let failed = ChangeResult { error: Some(incomplete.clone()), ..ChangeResult::new(ChangeStatus::Failed) };
            self.run.set_result(half.change, ChangeResult { id: id.clone(), ..failed }, Precedence::First);
            if let Some(id) = id.and_then(HandsetId::non_empty) {
                self.run.added_handsets.borrow_mut().insert(half.change, id);
                next.extend(self.run.second_line(half.change));
            }
        }
        next
    }

    /// The ids of handsets that were just added with their first line; one list for all of them.
    async fn find_added(&self, items: &[StepItem]) -> Vec<Option<String>> {
        let change = &self.run.plan[items[0].change];
        let network = self.run.network_id(change);
        let (location, network) = (&change.location.id, network.as_ref());
        let request = OperationRequest { location, network, items, change, was_written: true, reread: false };
        match observe_for_a_while(self.run, request, Priority::Normal).await {
            Ok(standings) => standings.iter().map(Standing::id).collect(),
            Err(_) => vec![None; items.len()],
        }
    }

    /// Sends a step for those of its items whose dependencies are done. Returns the error of the write, if it failed.
    pub(super) async fn execute_step(&mut self, at: StepIndex, priority: Priority) -> Option<ApiError> {
        self.send_step(at, priority).await.1
    }

    /// The same; also returns the items that must be tried in another way.
    async fn send_step(&mut self, at: StepIndex, priority: Priority) -> (Vec<ChangeIndex>, Option<ApiError>) {
        let step = self.step(at);
        let mut items = Vec::new();
        for item in &step.items {
            match self.blocked_by(step, item.change) {
                Some(blocked_by) => self.skip(at, item.change, blocked_by),
                None => match self.progress.get(&(at, item.change)) {
                    None | Some(StepState::NotSent | StepState::Locked) => items.push(item.clone()),
                    Some(StepState::Done | StepState::Failed | StepState::Unknown | StepState::Skipped(_)) => {}
                },
            }
        }
        if items.is_empty() {
            return (Vec::new(), None);
        }
        let results = self
            .write(WriteRequest {
                items: &items,
                is_revert: false,
                priority,
                // What a stop must complete does not wait for groups that will not start.
                is_late: priority == Priority::Normal && self.run.late.contains(&at),
            })
            .await;
        let is_any_done = results.iter().any(|(_, result)| result.progress == StepState::Done);
        if is_any_done {
            let (subject, kind) = (self.run.plan[items[0].change].subject(), self.run.plan.step_kind(step));
            self.run.note_written();
            (self.run.on_event)(&Event::Written { subject, kind });
        }
        let (mut error, mut deferred) = (None, Vec::new());
        for (change, result) in results {
            let Some(item) = items.iter().find(|item| item.change == change) else { continue };
            if result.is_deferred {
                deferred.push(change);
            } else {
                error = error.or(self.record(at, item, result));
            }
        }
        (deferred, error)
    }

    /// Records the result of one item of a step; returns its error.
    fn record(&mut self, at: StepIndex, item: &StepItem, written: WriteResult) -> Option<ApiError> {
        let (run, change) = (self.run, item.change);
        let WriteResult { mut progress, mut result, error, .. } = written;
        let is_locked = |error: &ApiError| is_lock(error) && error.applied == MaybeApplied::No;
        if progress == StepState::Failed && error.as_ref().is_some_and(is_locked) {
            progress = StepState::Locked;
        }
        let was_locked = self.progress.get(&(at, change)) == Some(&StepState::Locked);
        match (&progress, &result.error) {
            (StepState::Done, _) => self.record_state(item, &result),
            // It was said before.
            (StepState::Locked | StepState::NotSent, _) if was_locked => {}
            (_, Some(failure)) => {
                let subject = run.plan[change].subject();
                (run.on_event)(&Event::Failed { subject, reason: failure.to_string() });
            }
            (_, None) => {}
        }
        let is_settled = match progress {
            StepState::Done => run.plan.is_final(item),
            // It may still be sent as a prerequisite of a restore.
            StepState::NotSent => result.error.is_some(),
            StepState::Failed | StepState::Locked | StepState::Unknown | StepState::Skipped(_) => true,
        };
        let addition = Operation::new(ResourceKind::Handset, ChangeAction::Create);
        let is_half = item.operation() == addition && !run.plan.is_final(item);
        if progress == StepState::Done && is_half {
            self.halves.insert(change);
        }
        // What completes an addition is known better than that it was incomplete.
        let completes = item.from.is_some() && run.plan[change].before.is_none();
        if completes {
            result.id = run.added_handsets.borrow().get(&change).map(ToString::to_string);
        }
        if is_settled && !(completes && progress == StepState::NotSent) {
            let is_newer = completes || was_locked && progress != StepState::NotSent;
            run.set_result(change, result, if is_newer { Precedence::Latest } else { Precedence::First });
        }
        self.progress.insert((at, change), progress);
        error
    }

    /// The state after an acknowledged write.
    fn record_state(&mut self, item: &StepItem, result: &ChangeResult) {
        let Operation { kind, action } = item.operation();
        if kind == ResourceKind::Network {
            self.current_settings.insert(item.change, item.settings().cloned());
            if let (ChangeAction::Create, Some(id)) = (action, result.id.clone().and_then(NetworkId::non_empty)) {
                self.run.created.borrow_mut().insert(item.change, id);
            }
        }
    }

    fn skip(&mut self, at: StepIndex, item: ChangeIndex, blocked_by: ChangeIndex) {
        if self.has_no_result(item) {
            let (subject, because_of) = (self.run.plan[item].subject(), self.run.plan[blocked_by].subject());
            (self.run.on_event)(&Event::Skipped { subject, because_of });
            let result = ChangeResult { blocked_by: Some(blocked_by), ..ChangeResult::new(ChangeStatus::Skipped) };
            self.run.set_result(item, result, Precedence::First);
        }
        self.progress.insert((at, item), StepState::Skipped(blocked_by));
    }

    /// The change whose failure blocks an item of a step, if any.
    fn blocked_by(&self, step: &Step, item: ChangeIndex) -> Option<ChangeIndex> {
        let needed = step.depends_on.iter().filter(|dependency| dependency.item == item);
        needed.into_iter().find_map(|dependency| match self.progress.get(&(dependency.step, dependency.change)) {
            Some(StepState::Done) if self.reverted.contains(&dependency.change) => Some(dependency.change),
            Some(StepState::Done) => None,
            Some(StepState::Skipped(root)) => Some(*root),
            Some(_) | None => Some(dependency.change),
        })
    }

    /// Whether every item of a step is done.
    pub(super) fn is_done(&self, at: StepIndex) -> bool {
        self.step(at).changes().all(|change| self.progress.get(&(at, change)) == Some(&StepState::Done))
    }

    /// Whether some item of a step was not tried yet.
    pub(super) fn is_open(&self, at: StepIndex) -> bool {
        let state = |change| self.progress.get(&(at, change));
        self.step(at)
            .changes()
            .any(|change| matches!(state(change), None | Some(StepState::NotSent | StepState::Locked)))
    }

    /// The settings of the network of a change, as far as this run knows them; `None` if it does not exist.
    pub(super) fn current(&self, change: ChangeIndex) -> Option<&Settings> {
        match self.current_settings.get(&change) {
            Some(current) => current.as_ref(),
            None => self.run.plan[change].settings_before(),
        }
    }

    pub(super) fn step(&self, at: StepIndex) -> &'s Step {
        let planned = self.run.plan.steps.get(at.0).filter(|_| !self.split.contains(&at));
        planned.unwrap_or_else(|| &self.run.single_lines[at.0])
    }

    /// The state of a handset whose second line another one waits for, if the step takes it there.
    fn second_line_given_up(&self, at: StepIndex, change: ChangeIndex) -> Option<&ResourceState> {
        let update = Operation::new(ResourceKind::Handset, ChangeAction::Update);
        let item = self.step(at).items.iter().find(|item| item.change == change && item.operation() == update)?;
        item.to.as_ref().filter(|_| !self.run.plan.is_final(item))
    }

    fn has_no_result(&self, change: ChangeIndex) -> bool {
        self.run.results.borrow()[change.0].is_none()
    }

    /// Records in which state things are that did not reach their final one.
    fn finalize_results(&self) {
        let mut results = self.run.results.borrow_mut();
        for (at, item) in self.steps.iter().flat_map(|at| self.step(*at).changes().map(move |item| (*at, item))) {
            let result = results[item.0].get_or_insert_with(|| ChangeResult {
                error: self.lock_failure(),
                ..ChangeResult::new(ChangeStatus::NotStarted)
            });
            if let Some(Some(current)) = self.current_settings.get(&item)
                && result.status != ChangeStatus::Applied
                && self.run.plan[item].settings_before() != Some(current)
            {
                result.left_as = Some(ResourceState::Network { settings: current.clone(), model: None });
            }
            if result.status != ChangeStatus::Applied
                && self.progress.get(&(at, item)) == Some(&StepState::Done)
                && let Some(half) = self.second_line_given_up(at, item)
            {
                result.left_as = Some(half.clone());
            }
        }
    }
}
