//! One group of steps: in the order of the plan, one write at a time.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use futures::future::select;

use super::admission::{Admission, GroupId, Verdict};
use super::context::{Precedence, RunContext};
use super::event::Event;
use super::operations::{self, Observation, OperationRequest};
use super::outcome::{ChangeResult, ChangeStatus, Failure};
use super::write::{self, WriteRequest, WriteResult};
use crate::client::Priority;
use crate::model::{HandsetId, NetworkId, Settings};
use crate::plan::model::{ChangeIndex, NetworkRef, Operation, Step, StepIndex, StepKind};
use crate::runtime::Instant;
use crate::webex::{ApiError, ErrorClass};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Done,
    Failed,
    NotSent,
    Unknown,
    /// Skipped, since the change with this index failed.
    Skipped(ChangeIndex),
}

pub(super) struct GroupWorker<'a, 's> {
    pub(super) run: &'a RunContext<'s>,
    pub(super) group: GroupId,
    pub(super) steps: Vec<StepIndex>,
    /// What became of each item of each step.
    pub(super) progress: HashMap<(StepIndex, ChangeIndex), StepState>,
    /// The settings of networks after acknowledged writes; `None` once a network is deleted.
    pub(super) current_settings: HashMap<ChangeIndex, Option<Settings>>,
    /// Changes that were taken back: the values that they had released may be theirs again.
    pub(super) reverted: HashSet<ChangeIndex>,
}

/// What is left to do in a group.
enum Work {
    Step(StepIndex),
    /// Handsets of a step that Webex has refused with two lines: first with one.
    FirstLines(StepIndex, Vec<ChangeIndex>),
    /// The second line of a handset that was added with one.
    SecondLine(StepIndex, ChangeIndex),
}

impl Work {
    const fn step(&self) -> StepIndex {
        match self {
            Self::Step(at) | Self::FirstLines(at, _) | Self::SecondLine(at, _) => *at,
        }
    }

    /// The first change that it is about.
    fn item(&self, worker: &GroupWorker<'_, '_>) -> ChangeIndex {
        match self {
            Self::Step(at) => worker.step(*at).change(),
            Self::FirstLines(_, items) => items[0],
            Self::SecondLine(_, item) => *item,
        }
    }

    fn items(&self, worker: &GroupWorker<'_, '_>) -> Vec<ChangeIndex> {
        match self {
            Self::Step(at) => worker.step(*at).items.clone(),
            Self::FirstLines(_, items) => items.clone(),
            Self::SecondLine(_, item) => vec![*item],
        }
    }
}

enum Next {
    /// The open work with this index.
    Work(usize),
    /// Everything waits, at least until then.
    Wait(Instant),
}

impl<'a, 's> GroupWorker<'a, 's> {
    pub(super) fn new(run: &'a RunContext<'s>, group: GroupId, steps: Vec<StepIndex>) -> Self {
        Self { run, group, steps, progress: HashMap::new(), current_settings: HashMap::new(), reverted: HashSet::new() }
    }

    pub(super) async fn run(mut self) {
        let mut open: Vec<Work> = self.steps.iter().copied().map(Work::Step).collect();
        while !self.run.client.shutdown().is_requested() && self.lock_failure().is_none() {
            match self.next(&open) {
                Some(Next::Work(at)) => {
                    let work = open.remove(at);
                    self.execute(&work, &mut open).await;
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
    }

    /// Why nothing further is sent in the location of the group, if it has stayed locked for too long.
    fn lock_failure(&self) -> Option<Failure> {
        let location = &self.run.plan[self.step(*self.steps.first()?).change()].location.id;
        self.run.lock_failures.borrow().get(location).cloned()
    }

    /// What can be done next, in the order of the plan: work whose prerequisites were tried, and whose network may be changed
    /// again. Other networks go on meanwhile.
    fn next(&self, open: &[Work]) -> Option<Next> {
        let mut earliest = None;
        let mut busy: Vec<&NetworkRef> = Vec::new();
        let is_late = |work: &Work| self.run.late.contains(&work.step());
        let is_late_only = open.iter().all(is_late);
        for (at, work) in open.iter().enumerate().filter(|(_, work)| is_late_only || !is_late(work)) {
            let step = self.step(work.step());
            let network = &self.run.plan[work.item(self)].network;
            let is_ready =
                step.depends_on.iter().all(|needed| self.progress.contains_key(&(needed.step, needed.change)));
            let is_about_handsets = step.operation.is_about_handsets();
            // The handsets of a network are changed in the order of the plan.
            if !is_ready || is_about_handsets && busy.contains(&network) {
                busy.extend(is_about_handsets.then_some(network));
                continue;
            }
            match self.free_at(work) {
                None => return Some(Next::Work(at)),
                Some(free_at) => {
                    earliest = Some(earliest.map_or(free_at, |known: Instant| known.min(free_at)));
                    busy.push(network);
                }
            }
        }
        // A dependency that was never tried blocks for good, which the steps themselves find out.
        earliest.map(Next::Wait).or_else(|| (!open.is_empty()).then_some(Next::Work(0)))
    }

    /// From when on the handsets of the network may be changed; `None` if at once.
    fn free_at(&self, work: &Work) -> Option<Instant> {
        let is_spaced = match work {
            Work::Step(at) => self.run.plan.is_spaced(self.step(*at).operation, &self.step(*at).items),
            Work::FirstLines(..) | Work::SecondLine(..) => true,
        };
        let network = self.run.network_id(&self.run.plan[work.item(self)]).filter(|_| is_spaced)?;
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
    async fn wait_for_handsets(&self, open: &[Work], until: Instant) {
        let run = self.run;
        let subject = open.first().map(|work| run.plan[work.item(self)].network_name.to_string()).unwrap_or_default();
        (run.on_event)(&Event::AwaitingHandsetInterval { subject, until });
        run.waiting.set(run.waiting.get() + 1);
        self.park(true);
        let shutdown = run.client.shutdown().requested();
        select(pin!(run.client.clock().sleep_until(until)), pin!(shutdown)).await;
        run.waiting.set(run.waiting.get().saturating_sub(1));
        self.park(false);
    }

    /// The window closes before the handsets of the remaining networks may be changed again.
    fn leave_handsets(&self, open: &[Work]) {
        let failure = Failure::new("the wait between changes of handsets would pass --until");
        for item in open.iter().flat_map(|work| work.items(self)) {
            let result = ChangeResult { error: Some(failure.clone()), ..ChangeResult::new(ChangeStatus::NotStarted) };
            self.run.set_result(item, result, Precedence::First);
        }
    }

    async fn execute(&mut self, work: &Work, open: &mut Vec<Work>) {
        let at = match work {
            Work::Step(at) => *at,
            Work::FirstLines(at, items) => return self.add_first_lines(*at, items, open).await,
            Work::SecondLine(at, item) => return self.add_second_line(*at, *item).await,
        };
        let run = self.run;
        let has_second = |item: &ChangeIndex| run.plan[*item].handset().is_some_and(|handset| handset.line2.is_some());
        let step = self.step(at);
        let has_two_lines = step.operation == Operation::AddHandsets && step.items.iter().any(has_second);
        if has_two_lines {
            self.wait_for_two_lines().await;
            if run.one_line_at_a_time.get() {
                return self.add_first_lines(at, &step.items, open).await;
            }
        }
        let is_first = has_two_lines && run.tries_two_lines.get() == Some(false);
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
            open.insert(0, Work::FirstLines(at, deferred));
        }
        run.notify_turns();
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

    /// Adds handsets with their first lines; the second ones follow one by one.
    async fn add_first_lines(&mut self, at: StepIndex, items: &[ChangeIndex], open: &mut Vec<Work>) {
        let mut ready = Vec::new();
        for item in items {
            match self.blocked_by(self.step(at), *item) {
                Some(blocked_by) => self.skip(at, *item, blocked_by),
                None => ready.push(*item),
            }
        }
        if ready.is_empty() {
            return;
        }
        let request = WriteRequest {
            operation: Operation::AddHandsets,
            items: &ready,
            kind: StepKind::Final.into(),
            settings: None,
            priority: Priority::Normal,
            first_line_only: true,
            is_late: false,
        };
        let results = self.write(request).await;
        let mut halves = Vec::new();
        for (item, result) in results {
            let is_half = self.run.plan[item].handset().is_some_and(|handset| handset.line2.is_some());
            if is_half && result.progress == StepState::Done {
                halves.push(item);
            } else {
                self.record(at, item, result);
            }
        }
        if halves.is_empty() {
            return;
        }
        let ids = self.find_added(&halves).await;
        let incomplete = Failure::new("added with its first line only; run the same command again for the second one");
        for (place, (item, id)) in halves.into_iter().zip(ids).enumerate() {
            let failed = ChangeResult { error: Some(incomplete.clone()), ..ChangeResult::new(ChangeStatus::Failed) };
            self.run.set_result(item, ChangeResult { id: id.clone(), ..failed }, Precedence::First);
            self.progress.insert((at, item), StepState::Failed);
            if let Some(id) = id.and_then(HandsetId::non_empty) {
                self.run.added_handsets.borrow_mut().insert(item, id);
                open.insert(place, Work::SecondLine(at, item));
            }
        }
    }

    /// The ids of handsets that were just added with their first line; one list for all of them.
    async fn find_added(&self, items: &[ChangeIndex]) -> Vec<Option<String>> {
        let change = &self.run.plan[items[0]];
        let network = self.run.network_id(change);
        let request = OperationRequest {
            run: self.run,
            location: &change.location.id,
            network: network.as_ref(),
            items,
            settings: None,
            before: None,
            was_written: true,
            first_line_only: true,
        };
        let spec = operations::spec(Operation::AddHandsets);
        let observations = write::observe_until_shown(spec, request).await;
        let id = |observation: Observation| match observation {
            Observation::Applied { id } => id,
            Observation::NotApplied => None,
        };
        observations.into_iter().map(id).collect()
    }

    async fn add_second_line(&mut self, at: StepIndex, item: ChangeIndex) {
        let items = [item];
        let written = self.write(WriteRequest {
            operation: Operation::UpdateHandset,
            items: &items,
            kind: StepKind::Final.into(),
            settings: None,
            priority: Priority::Normal,
            first_line_only: false,
            is_late: false,
        });
        let Some((_, result)) = written.await.pop() else { return };
        if result.progress == StepState::NotSent {
            return;
        }
        let id = self.run.added_handsets.borrow().get(&item).map(ToString::to_string);
        self.run.set_result(item, ChangeResult { id, ..result.result.clone() }, Precedence::Latest);
        if result.progress == StepState::Done {
            let subject = self.run.plan[item].subject();
            self.run.note_written();
            (self.run.on_event)(&Event::Written { subject, kind: StepKind::Final });
        }
        self.record(at, item, result);
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
            match self.blocked_by(step, *item) {
                Some(blocked_by) => self.skip(at, *item, blocked_by),
                None if self.progress.get(&(at, *item)).is_none_or(|state| *state == StepState::NotSent) => {
                    items.push(*item);
                }
                None => {}
            }
        }
        if items.is_empty() {
            return (Vec::new(), None);
        }
        let results = self
            .write(WriteRequest {
                operation: step.operation,
                items: &items,
                kind: step.kind.into(),
                settings: step.settings.as_ref(),
                priority,
                first_line_only: false,
                // What a stop must complete does not wait for groups that will not start.
                is_late: priority == Priority::Normal && self.run.late.contains(&at),
            })
            .await;
        let is_any_done = results.iter().any(|(_, result)| result.progress == StepState::Done);
        if is_any_done {
            let subject = self.run.plan[items[0]].subject();
            self.run.note_written();
            (self.run.on_event)(&Event::Written { subject, kind: step.kind });
        }
        let (mut error, mut deferred) = (None, Vec::new());
        for (item, result) in results {
            if result.is_deferred {
                deferred.push(item);
            } else {
                error = error.or(self.record(at, item, result));
            }
        }
        (deferred, error)
    }

    /// Records the result of one item of a step; returns its error.
    fn record(&mut self, at: StepIndex, item: ChangeIndex, written: WriteResult) -> Option<ApiError> {
        let step = self.step(at);
        let WriteResult { progress, result, error, .. } = written;
        match (&progress, &result.error) {
            (StepState::Done, _) => self.record_state(step, item, &result),
            (_, Some(failure)) => {
                let subject = self.run.plan[item].subject();
                (self.run.on_event)(&Event::Failed { subject, reason: failure.to_string() });
            }
            (_, None) => {}
        }
        let is_settled = match progress {
            StepState::Done => step.kind == StepKind::Final,
            // It may still be sent as a prerequisite of a restore.
            StepState::NotSent => result.error.is_some(),
            StepState::Failed | StepState::Unknown | StepState::Skipped(_) => true,
        };
        if is_settled {
            self.run.set_result(item, result, Precedence::First);
        }
        self.progress.insert((at, item), progress);
        error
    }

    /// The state after an acknowledged write.
    fn record_state(&mut self, step: &Step, item: ChangeIndex, result: &ChangeResult) {
        match step.operation {
            Operation::CreateNetwork | Operation::UpdateNetwork | Operation::DeleteNetwork => {
                self.current_settings.insert(item, step.settings.clone());
            }
            Operation::AddBaseStations
            | Operation::RemoveBaseStation
            | Operation::AddHandsets
            | Operation::UpdateHandset
            | Operation::RemoveHandsets => {}
        }
        if step.operation == Operation::CreateNetwork
            && let Some(id) = result.id.clone().and_then(NetworkId::non_empty)
        {
            self.run.created.borrow_mut().insert(item, id);
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
        self.step(at).items.iter().all(|item| self.progress.get(&(at, *item)) == Some(&StepState::Done))
    }

    /// Whether some item of a step was not tried yet.
    pub(super) fn is_open(&self, at: StepIndex) -> bool {
        let state = |item: &ChangeIndex| self.progress.get(&(at, *item));
        self.step(at).items.iter().any(|item| matches!(state(item), None | Some(StepState::NotSent)))
    }

    /// The settings of the network of a change, as far as this run knows them; `None` if it does not exist.
    pub(super) fn current(&self, change: ChangeIndex) -> Option<&Settings> {
        match self.current_settings.get(&change) {
            Some(current) => current.as_ref(),
            None => self.run.plan[change].settings_before(),
        }
    }

    pub(super) fn step(&self, at: StepIndex) -> &'s Step {
        &self.run.plan.steps[at.0]
    }

    fn has_no_result(&self, change: ChangeIndex) -> bool {
        self.run.results.borrow()[change.0].is_none()
    }

    /// Records the current settings of networks that did not reach their final state.
    fn finalize_results(&self) {
        let mut results = self.run.results.borrow_mut();
        for item in self.steps.iter().flat_map(|at| &self.step(*at).items) {
            let result = results[item.0].get_or_insert_with(|| ChangeResult {
                error: self.lock_failure(),
                ..ChangeResult::new(ChangeStatus::NotStarted)
            });
            if let Some(Some(current)) = self.current_settings.get(item)
                && result.status != ChangeStatus::Applied
                && self.run.plan[*item].settings_before() != Some(current)
            {
                result.current_settings = Some(current.clone());
            }
        }
    }
}

pub(super) fn is_lock(error: &ApiError) -> bool {
    error.class == ErrorClass::Locked
}
