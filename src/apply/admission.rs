//! Which group of a location may start, and which may write now. It sends nothing and reads no clock.
//!
//! It is not published whether Webex takes two writes of one location at once, so it is found out. Groups write side by side
//! until a write is refused (423, or a 409) while another one of its location was under way. Then that one is sent again
//! alone, which proves nothing, since the lock of another client is over by then as well; so two are sent at once after it. If
//! one of them is refused and the other one is not, the location is exclusive: one group at a time holds it. Two at once every so
//! many writes find out that this has ended. If neither is refused, and this was not the first time, the location takes as many
//! at once as were let in beside the refused ones; one more is tried every so many writes. Until it is known, one location at a
//! time finds out, and the others have one write under way.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::groups::Group;
use crate::model::LocationId;

/// A location is tried with more writes at once after so many.
const WRITES_BEFORE_PROBE: u32 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupId(pub(super) usize);

/// Whether a write may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    Wait,
    /// The location has stayed locked for too long.
    GivenUp,
}

/// Why a write is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// 423; whether the lock is longer than another write takes.
    Lock { is_long: bool },
    /// 409, which may be a conflict as well.
    Conflict,
    /// The lock that another write has met: it was not sent at all.
    LockOfAnother,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    SideBySide,
    /// A write was refused while another one was under way; what was refused is sent again alone.
    Suspected,
    /// Two at once show whether it was the lock of another client; so many of them were sent, and let in or refused with a lock.
    Testing {
        sent: u8,
        let_in: u8,
        refused: u8,
    },
    /// One group at a time.
    Exclusive {
        /// Whether it was found out in other locations.
        is_inferred: bool,
    },
}

impl Mode {
    const TESTING: Self = Self::Testing { sent: 0, let_in: 0, refused: 0 };
}

/// How many writes of a location may be under way at once, where they are side by side.
#[derive(Clone, Copy, Debug)]
struct Width {
    most: usize,
    /// How many were under way at the last refusal, and how many of them were refused.
    crowd: usize,
    refused: usize,
    /// How often it was not explained by one at a time.
    unexplained: u32,
    /// Whether one more is being tried, after so many writes; so many were let in since the last time.
    is_tried: bool,
    probe_after: u32,
    let_in: u32,
}

impl Width {
    const UNLIMITED: Self = Self {
        most: usize::MAX,
        crowd: 0,
        refused: 0,
        unexplained: 0,
        is_tried: false,
        probe_after: WRITES_BEFORE_PROBE,
        let_in: 0,
    };

    /// A write was let in: one more is tried now and then.
    fn settle(&mut self) {
        self.let_in += 1;
        if self.most < usize::MAX && self.let_in >= self.probe_after {
            (self.most, self.is_tried, self.let_in) = (self.most + 1, true, 0);
        }
    }

    /// One more was too much: it is tried half as often.
    fn narrow(&mut self) {
        (self.most, self.is_tried, self.let_in) = (self.most.saturating_sub(1).max(1), false, 0);
        self.probe_after = self.probe_after.saturating_mul(2);
    }

    /// Two at once are let in although more were refused: the first time that may have been the lock of another client.
    fn learn(&mut self) {
        let let_in = self.crowd.saturating_sub(self.refused);
        self.unexplained += 1;
        if self.unexplained > 1 && let_in > 1 {
            (self.most, self.is_tried, self.let_in) = (let_in.min(self.most), false, 0);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    UnderWay {
        overlaps: bool,
        is_again: bool,
    },
    /// Refused; it is sent again in its turn.
    Refused,
}

/// What is known of a location.
struct Place {
    mode: Mode,
    /// Groups that have not started, the longest first.
    waiting: VecDeque<GroupId>,
    /// The same, of groups that only delete.
    late: VecDeque<GroupId>,
    flights: HashMap<GroupId, Flight>,
    /// The group that holds an exclusive location.
    holder: Option<GroupId>,
    /// Started groups that do not wait for the interval between changes of handsets.
    active: usize,
    /// Groups that have not ended.
    left: usize,
    /// Groups that have something to do beside deletions that nothing depends on.
    busy: usize,
    /// Groups that have begun to put networks at interim settings, and have not ended.
    open: usize,
    /// How often it was found to be exclusive.
    found_exclusive: u32,
    /// Two at once have met a conflict.
    has_failed_test: bool,
    width: Width,
    is_given_up: bool,
    /// It was locked even for what restores.
    is_restored_in_vain: bool,
    /// Where it stands among the locations that can start a group.
    turn: Option<Turn>,
}

/// The longest group first; of equal ones that of the location with most left.
type Turn = (Reverse<Duration>, Reverse<usize>, usize);

struct Member {
    place: usize,
    time: Duration,
    has_interim: bool,
    is_busy: bool,
    is_active: bool,
    /// Whether it has begun to put networks at interim settings.
    is_open: bool,
    /// Whether it counts as a cycle that is under way.
    is_cycle: bool,
}

pub(super) struct Admission {
    places: Vec<Place>,
    groups: Vec<Member>,
    /// Locations that can start a group, by whether that group puts networks at interim settings.
    turns: [BTreeSet<Turn>; 2],
    /// Most groups of a location at once.
    ceiling: usize,
    /// Started groups with interim settings on the way.
    open_cycles: usize,
    is_exclusive_everywhere: bool,
    /// Writes in exclusive locations since the last two at once.
    exclusive_writes: u32,
    exploration: Exploration,
}

/// Whether it is known that two writes of a location may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exploration {
    /// No location has tried it.
    Open,
    /// This location tries it; so many writes were answered that were under way with another one.
    In {
        place: usize,
        answered: u32,
    },
    Known,
}

impl Place {
    fn under_way(&self) -> usize {
        self.flights.values().filter(|flight| **flight != Flight::Refused).count()
    }

    fn refused(&self) -> usize {
        self.flights.len() - self.under_way()
    }

    fn is_sent_again(&self) -> bool {
        self.flights.values().any(|flight| matches!(flight, Flight::UnderWay { is_again: true, .. }))
    }

    fn is_held_by_another(&self, group: GroupId) -> bool {
        matches!(self.mode, Mode::Exclusive { .. }) && self.holder.is_some_and(|holder| holder != group)
    }

    /// Whether no further write is tried, or none that restores.
    const fn is_closed(&self, is_cleanup: bool) -> bool {
        self.is_given_up && (!is_cleanup || self.is_restored_in_vain)
    }

    /// Most groups that may be active.
    fn most_active(&self, ceiling: usize) -> usize {
        match self.mode {
            _ if self.is_given_up => usize::MAX,
            _ if self.refused() > 0 => 0,
            Mode::SideBySide => ceiling.min(self.width.most),
            Mode::Suspected => 0,
            Mode::Testing { .. } => ceiling.min(2),
            Mode::Exclusive { .. } => 1,
        }
    }

    fn next(&self) -> Option<GroupId> {
        let late = || self.late.front().filter(|_| self.busy == 0 || self.is_given_up);
        self.waiting.front().or_else(late).copied()
    }
}

impl Admission {
    /// Lets at most `ceiling` groups of a location write at once.
    pub(super) fn new(groups: &[Group], ceiling: usize) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut place_of: HashMap<&LocationId, usize> = HashMap::new();
        let mut members = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let place = *place_of.entry(&group.location).or_insert_with(|| {
                places.push(Place {
                    mode: Mode::SideBySide,
                    waiting: VecDeque::new(),
                    late: VecDeque::new(),
                    flights: HashMap::new(),
                    holder: None,
                    active: 0,
                    left: 0,
                    busy: 0,
                    open: 0,
                    found_exclusive: 0,
                    has_failed_test: false,
                    width: Width::UNLIMITED,
                    is_given_up: false,
                    is_restored_in_vain: false,
                    turn: None,
                });
                places.len() - 1
            });
            let known = &mut places[place];
            known.left += 1;
            known.busy += usize::from(!group.is_late);
            if group.is_late { &mut known.late } else { &mut known.waiting }.push_back(GroupId(at));
            members.push(Member {
                place,
                time: group.time,
                has_interim: group.has_interim,
                is_busy: !group.is_late,
                is_active: false,
                is_open: false,
                is_cycle: false,
            });
        }
        for place in &mut places {
            for queue in [&mut place.waiting, &mut place.late] {
                // Stable: equal ones stay in the order of the plan.
                queue.make_contiguous().sort_by_key(|group| Reverse(members[group.0].time));
            }
        }
        let mut admission = Self {
            places,
            groups: members,
            turns: [BTreeSet::new(), BTreeSet::new()],
            ceiling: ceiling.max(1),
            open_cycles: 0,
            is_exclusive_everywhere: false,
            exclusive_writes: 0,
            exploration: Exploration::Open,
        };
        (0..admission.places.len()).for_each(|place| admission.refresh(place));
        admission
    }

    /// The group that starts next, if one can; at most `most_cycles` groups with interim settings are open at once.
    pub(super) fn start(&mut self, most_cycles: usize) -> Option<GroupId> {
        let [plain, cycles] = &self.turns;
        let cycle = cycles.first().filter(|_| self.open_cycles < most_cycles.max(1));
        let (_, _, place) = *plain.first().into_iter().chain(cycle).min()?;
        let known = &mut self.places[place];
        let group = known.next()?;
        if known.waiting.pop_front().is_none() {
            known.late.pop_front();
        }
        known.active += 1;
        let is_second = known.active > 1;
        let member = &mut self.groups[group.0];
        member.is_active = true;
        member.is_cycle = member.has_interim;
        self.open_cycles += usize::from(member.is_cycle);
        if is_second && self.exploration == Exploration::Open {
            self.explore(Exploration::In { place, answered: 0 });
        }
        self.refresh(place);
        Some(group)
    }

    fn explore(&mut self, exploration: Exploration) {
        self.exploration = exploration;
        (0..self.places.len()).for_each(|place| self.refresh(place));
    }

    /// Asks for a write of a group, and notes it as under way if it may be sent. `is_late` is a deletion that nothing depends
    /// on; `is_cleanup` a write that restores something, also in a location that was given up.
    pub(super) fn begin(&mut self, group: GroupId, is_late: bool, is_cleanup: bool) -> Verdict {
        let Member { place, is_open, .. } = self.groups[group.0];
        let known = &self.places[place];
        if known.is_closed(is_cleanup) {
            return Verdict::GivenUp;
        }
        let most = match known.mode {
            Mode::SideBySide => self.ceiling.min(known.width.most),
            Mode::Testing { sent: ..2, .. } => self.ceiling.min(2),
            // Both must be answered first.
            Mode::Testing { .. } => 0,
            Mode::Suspected | Mode::Exclusive { .. } => 1,
        };
        // What was refused waits for the holder and for what is at interim settings, not the other way round.
        let is_in_turn = known.refused() == 0 || known.is_given_up || known.holder == Some(group) || is_open;
        let is_in_turn = is_in_turn && !self.waits_for_a_cycle(group);
        if !is_in_turn || known.under_way() >= most || known.is_held_by_another(group) || is_late && known.busy > 0 {
            return Verdict::Wait;
        }
        self.depart(group, false);
        Verdict::Go
    }

    /// The same for a write that was refused.
    pub(super) fn begin_again(&mut self, group: GroupId, is_cleanup: bool) -> Verdict {
        let known = &self.places[self.groups[group.0].place];
        let is_alone = match known.mode {
            // After a lock one write shows whether it is over.
            Mode::SideBySide => !known.is_sent_again(),
            Mode::Suspected | Mode::Testing { .. } | Mode::Exclusive { .. } => known.under_way() == 0,
        };
        if known.is_closed(is_cleanup) {
            Verdict::GivenUp
        } else if !is_alone || self.waits_for_a_cycle(group) || known.is_held_by_another(group) {
            Verdict::Wait
        } else {
            self.depart(group, true);
            Verdict::Go
        }
    }

    /// Where writes are not side by side, one cycle of names after the other is open, so that a stop has few to close.
    fn waits_for_a_cycle(&self, group: GroupId) -> bool {
        let member = &self.groups[group.0];
        let known = &self.places[member.place];
        member.has_interim && !member.is_open && known.open > 0 && known.mode != Mode::SideBySide
    }

    fn depart(&mut self, group: GroupId, is_again: bool) {
        let known = &mut self.places[self.groups[group.0].place];
        let mut overlaps = false;
        for flight in known.flights.values_mut() {
            if let Flight::UnderWay { overlaps: of_other, .. } = flight {
                *of_other = true;
                overlaps = true;
            }
        }
        known.flights.insert(group, Flight::UnderWay { overlaps, is_again });
        match &mut known.mode {
            Mode::Exclusive { .. } => {
                known.holder = Some(group);
                self.exclusive_writes += 1;
            }
            Mode::Testing { sent, .. } if !is_again => *sent += 1,
            Mode::Testing { .. } | Mode::SideBySide | Mode::Suspected => {}
        }
    }

    /// Whether a group has networks at interim settings, as far as known here.
    pub(super) fn is_open(&self, group: GroupId) -> bool {
        self.groups[group.0].is_open
    }

    /// Whether the write of a group was under way together with another one of its location.
    pub(super) fn overlaps(&self, group: GroupId) -> bool {
        let known = &self.places[self.groups[group.0].place];
        matches!(known.flights.get(&group), Some(Flight::UnderWay { overlaps: true, .. }))
    }

    /// The write of a group was refused since its location is locked, and will be sent again. Returns whether this is news,
    /// and whether the location was found to be exclusive by it.
    pub(super) fn refuse(&mut self, group: GroupId, obstacle: Obstacle) -> (bool, bool) {
        let place = self.groups[group.0].place;
        let known = &mut self.places[place];
        let (is_news, crowd) = (known.refused() == 0, known.under_way());
        let flight = known.flights.insert(group, Flight::Refused);
        let is_answer = obstacle != Obstacle::LockOfAnother;
        let overlaps = is_answer && matches!(flight, Some(Flight::UnderWay { overlaps: true, .. }));
        if known.holder == Some(group) {
            known.holder = None;
        }
        let mut is_found = false;
        match &mut known.mode {
            // One more was tried, and was too much. A conflict is sent again alone all the same.
            Mode::SideBySide if overlaps && known.width.is_tried && obstacle != Obstacle::Conflict => {
                known.width.narrow();
            }
            Mode::SideBySide if overlaps => {
                if known.width.is_tried {
                    known.width.narrow();
                }
                known.mode = Mode::Suspected;
                (known.width.crowd, known.width.refused) = (crowd, 1);
            }
            Mode::Suspected if overlaps => known.width.refused += 1,
            // A conflict is one only if it is there when the write is sent alone.
            Mode::Testing { .. } if overlaps && obstacle == Obstacle::Conflict => {
                known.mode = Mode::Suspected;
                known.has_failed_test = true;
            }
            Mode::Testing { let_in: 1.., .. } if overlaps => is_found = true,
            // Both were refused: by a lock of another client.
            Mode::Testing { refused: 1.., .. } if overlaps => known.mode = Mode::Suspected,
            Mode::Testing { refused, .. } if overlaps => *refused += 1,
            _ => {}
        }
        let is_of_another = matches!(obstacle, Obstacle::Lock { is_long } if is_long || !overlaps);
        if is_found {
            self.find_exclusive(place);
        } else if is_of_another
            && matches!(self.exploration, Exploration::In { place: explored, .. } if explored == place)
        {
            // Another location finds it out meanwhile.
            self.explore(Exploration::Open);
        }
        self.refresh(place);
        (is_news, is_found)
    }

    /// A write that was sent again alone was answered with the same conflict: no other write was in its way.
    pub(super) fn acquit(&mut self, group: GroupId) {
        let known = &mut self.places[self.groups[group.0].place];
        if known.mode == Mode::Suspected && known.refused() == 0 {
            known.mode = Mode::SideBySide;
            known.has_failed_test = false;
        }
    }

    /// The write of a group was answered in another way, or is not sent again. Returns whether its location was found to be exclusive
    /// by it.
    pub(super) fn settle(&mut self, group: GroupId) -> bool {
        let place = self.groups[group.0].place;
        let known = &mut self.places[place];
        let Some(flight) = known.flights.remove(&group) else { return false };
        let member = &mut self.groups[group.0];
        if member.has_interim && flight != Flight::Refused && !std::mem::replace(&mut member.is_open, true) {
            known.open += 1;
        }
        if let (Exploration::In { place: explored, answered }, Mode::SideBySide) = (&mut self.exploration, known.mode)
            && *explored == place
            && matches!(flight, Flight::UnderWay { overlaps: true, .. })
        {
            *answered += 1;
            // The first answer may be that of the one that was let in.
            if *answered > 1 {
                self.explore(Exploration::Known);
            }
        }
        let known = &mut self.places[place];
        let (mut is_known, mut is_found) = (false, false);
        let was_let_in_beside_another = matches!(flight, Flight::UnderWay { overlaps: true, is_again: false });
        match &mut known.mode {
            Mode::Suspected if known.flights.is_empty() => {
                known.mode = Mode::TESTING;
                is_found = std::mem::take(&mut known.has_failed_test);
            }
            // One of two was let in, the other one was not.
            Mode::Testing { refused: 1.., .. } if was_let_in_beside_another => is_found = true,
            Mode::Testing { sent, let_in, .. } => {
                *let_in += u8::from(was_let_in_beside_another);
                if known.flights.is_empty() {
                    // Both were under way at once, and neither was refused.
                    is_known = *sent > 1 && *let_in > 1;
                    known.mode = if is_known { Mode::SideBySide } else { Mode::TESTING };
                }
            }
            Mode::Exclusive { .. } if self.exclusive_writes >= WRITES_BEFORE_PROBE => {
                self.exclusive_writes = 0;
                known.mode = Mode::TESTING;
                known.holder = None;
            }
            Mode::SideBySide => known.width.settle(),
            Mode::Suspected | Mode::Exclusive { .. } => {}
        }
        if is_found {
            self.find_exclusive(place);
        }
        if is_known {
            self.find_side_by_side(place);
        }
        self.refresh(place);
        is_found
    }

    /// Two writes of a location were under way at once, and neither was refused: what was found in it, and in others
    /// because of it, is over.
    fn find_side_by_side(&mut self, place: usize) {
        self.places[place].found_exclusive = 0;
        self.places[place].width.learn();
        self.is_exclusive_everywhere = false;
        for known in &mut self.places {
            if known.mode == (Mode::Exclusive { is_inferred: true }) {
                known.mode = Mode::SideBySide;
                known.holder = None;
            }
        }
        self.explore(Exploration::Known);
    }

    fn find_exclusive(&mut self, place: usize) {
        let is_exclusive = |place: &Place| matches!(place.mode, Mode::Exclusive { .. });
        let known = &mut self.places[place];
        known.mode = Mode::Exclusive { is_inferred: false };
        known.found_exclusive += 1;
        let is_found_again = known.found_exclusive > 1;
        if self.exploration != Exploration::Known {
            self.explore(Exploration::Open);
        }
        let is_certain = is_found_again || self.places.iter().filter(|place| is_exclusive(place)).count() > 1;
        if is_certain && !self.is_exclusive_everywhere {
            self.is_exclusive_everywhere = true;
            for at in 0..self.places.len() {
                if !is_exclusive(&self.places[at]) {
                    self.places[at].mode = Mode::Exclusive { is_inferred: true };
                    self.refresh(at);
                }
            }
        }
    }

    /// A group waits for the interval between changes of handsets, or goes on after it.
    pub(super) fn set_parked(&mut self, group: GroupId, is_parked: bool) {
        let member = &mut self.groups[group.0];
        if member.is_active == is_parked {
            member.is_active = !is_parked;
            let place = member.place;
            let known = &mut self.places[place];
            if is_parked {
                known.active -= 1;
                self.open_cycles -= usize::from(std::mem::take(&mut member.is_cycle));
            } else {
                known.active += 1;
                member.is_cycle = member.has_interim;
                self.open_cycles += usize::from(member.is_cycle);
            }
            self.release(group);
        }
    }

    /// Only deletions that nothing depends on are left of a group.
    pub(super) fn set_late(&mut self, group: GroupId) {
        let member = &mut self.groups[group.0];
        let known = &mut self.places[member.place];
        known.busy -= usize::from(std::mem::take(&mut member.is_busy));
        known.open -= usize::from(std::mem::take(&mut member.is_open));
        self.open_cycles -= usize::from(std::mem::take(&mut member.is_cycle));
        // Nothing more of it is at interim settings.
        member.has_interim = false;
        self.release(group);
    }

    fn release(&mut self, group: GroupId) {
        let place = self.groups[group.0].place;
        let known = &mut self.places[place];
        if known.holder == Some(group) {
            known.holder = None;
        }
        self.refresh(place);
    }

    /// The location of a group has stayed locked for too long. Restoring is tried once more: `is_cleanup` says that it was.
    pub(super) fn give_up(&mut self, group: GroupId, is_cleanup: bool) {
        let place = self.groups[group.0].place;
        let known = &mut self.places[place];
        known.is_given_up = true;
        known.is_restored_in_vain |= is_cleanup;
        self.refresh(place);
    }

    /// A group has ended; returns whether it was the last one of its location.
    pub(super) fn end(&mut self, group: GroupId) -> bool {
        self.settle(group);
        self.set_late(group);
        self.set_parked(group, true);
        let member = &self.groups[group.0];
        let (place, known) = (member.place, &mut self.places[member.place]);
        known.left -= 1;
        let (is_last, is_alone) = (known.left == 0, known.active < 2);
        if is_alone && matches!(self.exploration, Exploration::In { place: explored, .. } if explored == place) {
            self.explore(Exploration::Open);
        }
        self.refresh(place);
        is_last
    }

    /// Brings the place of a location among those that can start a group up to date.
    fn refresh(&mut self, place: usize) {
        let ceiling = match self.exploration {
            Exploration::In { place: explored, .. } if explored != place => 1,
            Exploration::In { .. } | Exploration::Open | Exploration::Known => self.ceiling,
        };
        let known = &mut self.places[place];
        if let Some(turn) = known.turn.take() {
            self.turns.iter_mut().for_each(|turns| {
                turns.remove(&turn);
            });
        }
        if let Some(group) = known.next().filter(|_| known.active < known.most_active(ceiling)) {
            let member = &self.groups[group.0];
            let turn = (Reverse(member.time), Reverse(known.left), place);
            known.turn = Some(turn);
            self.turns[usize::from(member.has_interim)].insert(turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededRng;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Server {
        TakesAll,
        /// Refuses a write while so many others of the location are under way.
        AtMost(usize),
        /// One location is locked by another client for some time.
        LockedByAnother,
    }

    /// A group in the model: writes that are left, and its write under way if the server has let it in.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Running {
        Idle,
        UnderWay { is_let_in: bool },
        Refused,
        Ended,
    }

    struct Model {
        admission: Admission,
        groups: Vec<Group>,
        writes: Vec<usize>,
        /// Whether the last write of a group is a deletion that nothing depends on.
        ends_late: Vec<bool>,
        running: HashMap<GroupId, Running>,
        server: Server,
        refusals: usize,
        /// How many more answers the other client keeps its lock.
        lock: usize,
    }

    impl Model {
        fn new(server: Server, rng: &mut SeededRng) -> Self {
            let locations = 1 + rng.gen_below(4);
            let groups: Vec<Group> = (0..1 + rng.gen_below(40))
                .map(|_| Group {
                    location: LocationId::new(format!("location-{}", rng.gen_below(locations))),
                    steps: Vec::new(),
                    time: Duration::from_secs(rng.gen_below(4)),
                    has_interim: rng.gen_bool(0.3),
                    is_late: rng.gen_bool(0.2),
                })
                .collect();
            let writes = groups.iter().map(|_| 1 + rng.gen_below(6) as usize).collect();
            let ends_late = groups.iter().map(|group| group.is_late || rng.gen_bool(0.3)).collect();
            let admission = Admission::new(&groups, if rng.gen_bool(0.2) { 3 } else { usize::MAX });
            let lock = if server == Server::LockedByAnother { 30 } else { 0 };
            Self { admission, groups, writes, ends_late, running: HashMap::new(), server, refusals: 0, lock }
        }

        /// Whether only deletions that nothing depends on are left of a group.
        fn is_at_late(&self, group: GroupId) -> bool {
            self.groups[group.0].is_late || self.ends_late[group.0] && self.writes[group.0] <= 1
        }

        fn depart(&mut self, group: GroupId) {
            let location = &self.groups[group.0].location;
            let is_let_in = match self.server {
                Server::TakesAll => true,
                Server::LockedByAnother => self.lock == 0 || location.as_str() != "location-0",
                Server::AtMost(most) => {
                    let at_work = self.running.iter().filter(|(other, running)| {
                        let is_here = self.groups[other.0].location == *location;
                        is_here && **running == Running::UnderWay { is_let_in: true }
                    });
                    at_work.count() < most
                }
            };
            self.running.insert(group, Running::UnderWay { is_let_in });
        }

        /// Lets one group do what it can; whether that was something.
        fn advance(&mut self, group: GroupId) -> bool {
            match self.running[&group] {
                Running::Ended => return false,
                Running::Idle if self.writes[group.0] == 0 => {
                    self.admission.end(group);
                    self.running.insert(group, Running::Ended);
                }
                Running::Idle => {
                    let is_late = self.is_at_late(group);
                    if is_late {
                        self.admission.set_late(group);
                        self.admission.set_parked(group, true);
                    }
                    if self.admission.begin(group, is_late, false) != Verdict::Go {
                        return false;
                    }
                    self.admission.set_parked(group, false);
                    let busy = |at: usize| {
                        let is_over = self.running.get(&GroupId(at)) == Some(&Running::Ended);
                        let is_here = self.groups[at].location == self.groups[group.0].location;
                        is_here && !self.is_at_late(GroupId(at)) && !is_over
                    };
                    assert!(!is_late || !(0..self.groups.len()).any(busy), "a deletion is last in its location");
                    self.depart(group);
                }
                Running::Refused => {
                    if self.admission.begin_again(group, false) != Verdict::Go {
                        return false;
                    }
                    self.depart(group);
                }
                Running::UnderWay { is_let_in: true } => {
                    self.admission.settle(group);
                    self.writes[group.0] -= 1;
                    self.running.insert(group, Running::Idle);
                }
                Running::UnderWay { is_let_in: false } => {
                    self.refusals += 1;
                    self.lock = self.lock.saturating_sub(1);
                    self.admission.refuse(group, Obstacle::Lock { is_long: false });
                    self.running.insert(group, Running::Refused);
                }
            }
            true
        }

        /// Runs to the end, one thing after the other in a random order.
        fn run(&mut self, rng: &mut SeededRng) {
            let mut idle = 0;
            let is_over = |running: &Running| *running == Running::Ended;
            while self.running.len() < self.groups.len() || !self.running.values().all(is_over) {
                let mut is_any = false;
                if rng.gen_bool(0.7)
                    && let Some(group) = self.admission.start(3)
                {
                    assert!(self.running.insert(group, Running::Idle).is_none(), "a group starts once");
                    is_any = true;
                }
                let mut all: Vec<GroupId> = self.running.keys().copied().collect();
                all.sort_unstable();
                let from = (rng.next_u64() as usize).checked_rem(all.len()).unwrap_or_default();
                all.rotate_left(from);
                is_any |= all.into_iter().any(|group| self.advance(group));
                idle = if is_any { 0 } else { idle + 1 };
                assert!(idle < 100, "nothing can go on");
            }
        }
    }

    #[test]
    fn every_group_ends_on_every_sort_of_server() {
        for seed in 0..3_000 {
            let rng = &mut SeededRng::from_seed(seed);
            for server in [Server::TakesAll, Server::AtMost(1), Server::AtMost(4), Server::LockedByAnother] {
                let mut model = Model::new(server, rng);
                let writes: usize = model.writes.iter().sum();
                model.run(rng);
                match server {
                    Server::TakesAll => assert_eq!(model.refusals, 0),
                    // Those under way at the first refusal, two for each location that is found out, and the probes.
                    Server::AtMost(1) => {
                        assert!(model.refusals <= 12 + 2 * 4 + writes / 20, "seed {seed}: {}", model.refusals);
                    }
                    Server::AtMost(_) => {
                        let is_exclusive = |place: &Place| matches!(place.mode, Mode::Exclusive { .. });
                        assert!(!model.admission.places.iter().any(is_exclusive), "seed {seed}: four are let in");
                    }
                    Server::LockedByAnother => {
                        let exclusive =
                            model.admission.places.iter().any(|place| matches!(place.mode, Mode::Exclusive { .. }));
                        assert!(
                            !exclusive || model.lock > 0,
                            "seed {seed}: the lock of another client teaches nothing"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_group_starts_first_and_equal_ones_are_spread_over_locations() {
        let group = |location: &str, seconds| Group {
            location: LocationId::new(location),
            steps: Vec::new(),
            time: Duration::from_secs(seconds),
            has_interim: false,
            is_late: false,
        };
        let groups = [group("a", 1), group("b", 1), group("b", 1), group("b", 1), group("a", 9)];
        let mut admission = Admission::new(&groups, usize::MAX);
        let order: Vec<usize> = std::iter::from_fn(|| admission.start(1)).map(|group| group.0).collect();
        assert_eq!(order[..2], [4, 1]);
        let mut admission = Admission::new(&groups, 1);
        let order: Vec<usize> = std::iter::from_fn(|| admission.start(1)).map(|group| group.0).collect();
        assert_eq!(order, [4, 1], "one of each location");
    }
}
