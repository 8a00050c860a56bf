//! The order of the requests about handsets of a location: what gives up a line comes before what takes it.
//!
//! A removal only gives and an addition only takes, so removals come first and additions last. Updates do both: they are in
//! depth-first topological order. Where lines go round, every cycle is cut, by the first of these that is possible:
//!
//! 1. An edge within a network that is not about two first lines: nothing depends on that order.
//! 2. A handset gives up its second line in an interim step.
//! 3. A handset takes its new first line in an interim step, and the second one later.
//! 4. An edge within a network.
//! 5. An edge between networks: a line is on two handsets until the second of both updates, since no handset can be without
//!    a first line meanwhile. The plan warns of it.
//!
//! What a later cut has made needless is taken back at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::diagnostic::{DiagnosticCode, Diagnostics, Span};
use crate::model::{Handset, MemberId};
use crate::plan::model::ChangeAction;
use crate::plan::owner::Owner;

/// A handset that is added, updated or removed.
#[derive(Debug)]
pub(crate) struct HandsetChange {
    pub(crate) owner: Owner,
    /// `None` if it is added.
    pub(crate) before: Option<Handset>,
    /// `None` if it is removed.
    pub(crate) after: Option<Handset>,
    pub(crate) span: Span,
}

impl HandsetChange {
    pub(crate) const fn action(&self) -> ChangeAction {
        ChangeAction::between(self.before.as_ref(), self.after.as_ref())
    }
}

/// A request about a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// The handset change with this index, or what an interim step leaves of it.
    Whole(usize),
    /// Its interim step.
    Interim(usize),
}

impl Part {
    /// The handset change.
    pub(crate) const fn change(self) -> usize {
        match self {
            Self::Whole(at) | Self::Interim(at) => at,
        }
    }
}

/// What gives up a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Giver {
    Handset(Part),
    /// The deletion of a network: the network change with this index.
    Network(usize),
}

impl Giver {
    /// The handset change, if it is one.
    const fn handset(self) -> Option<usize> {
        match self {
            Self::Handset(part) => Some(part.change()),
            Self::Network(_) => None,
        }
    }
}

/// In which state an interim step leaves a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    /// With the first line that it had.
    Former,
    /// With the first line that it is to have.
    New,
}

/// In which order the handsets of a location change.
#[derive(Debug)]
pub(crate) struct LineOrder {
    pub(crate) parts: Vec<Part>,
    graph: Graph,
    /// Changes that take a first line which the other one still has.
    exchanged: BTreeSet<(usize, usize)>,
}

impl LineOrder {
    /// Orders `changes`; `deleted` are what networks hold that go, with the indexes of their changes.
    pub(crate) fn of<'a>(changes: &'a [HandsetChange], deleted: &[(usize, &'a [Handset])]) -> Self {
        let mut graph = Graph::of(changes, deleted);
        graph.cut_cycles();
        graph.take_back_needless_cuts();
        let of_action = |action| (0..changes.len()).filter(move |at| changes[*at].action() == action).map(Part::Whole);
        let (removals, additions) = (of_action(ChangeAction::Delete), of_action(ChangeAction::Create));
        let parts = removals.chain(graph.in_order()).chain(additions).collect();
        let cut = graph.cut.iter().map(|need| &graph.needs[*need]).filter(|need| !need.is_soft);
        let exchanged = cut.filter_map(|need| Some((need.taker, need.from.handset()?))).collect();
        Self { parts, graph, exchanged }
    }

    /// What must be done before a request, each once.
    pub(crate) fn givers(&self, part: Part) -> BTreeSet<Giver> {
        self.graph.needs_of(part).filter(|need| !need.is_soft).map(|need| self.graph.giver(need)).collect()
    }

    /// The state that an interim step of an update leaves its handset in.
    pub(crate) fn interim(&self, at: usize, change: &HandsetChange) -> Option<Handset> {
        let whole = match self.graph.interims.get(&at)? {
            Half::Former => &change.before,
            Half::New => &change.after,
        };
        whole.as_ref().map(Handset::first_line_only)
    }

    /// Whether no order has fewer interim steps, as far as that is known.
    pub(crate) fn is_minimal(&self) -> bool {
        self.graph.interims.len() < 2
    }

    /// Warns of first lines that are taken before they are given up.
    pub(crate) fn warn(&self, changes: &[HandsetChange], diagnostics: &mut Diagnostics) {
        for (taker, giver) in self.exchanged.iter().map(|(taker, giver)| (&changes[*taker], &changes[*giver])) {
            let label = |change: &HandsetChange| change.before.as_ref().map(Handset::label).unwrap_or_default();
            let message =
                format!("{} takes the first line of {} before that has another one", label(taker), label(giver));
            diagnostics
                .warning(DiagnosticCode::FirstLinesExchanged, taker.span, message)
                .with_related(giver.span, "the other handset")
                .help("should Webex refuse that, give one of them another first line in a run of its own");
        }
    }
}

/// That a change takes a line which something else gives up.
#[derive(Clone, Debug)]
struct Need {
    taker: usize,
    /// The handset change or the network change that gives it up.
    from: Giver,
    /// Whether the line is the first one of the handset that gives it up.
    is_first_before: bool,
    /// Whether the line is to be the first one of the handset that takes it.
    is_first_after: bool,
    /// Whether both are in one network, where the order is only tidy.
    is_soft: bool,
}

/// What the changes of a location wait for: the nodes are requests, the edges are needs.
#[derive(Debug)]
struct Graph {
    needs: Vec<Need>,
    /// The needs of each change, by index.
    of_taker: Vec<Vec<usize>>,
    updates: Vec<usize>,
    /// The updates that have an interim step.
    interims: BTreeMap<usize, Half>,
    /// The needs that are not heeded.
    cut: BTreeSet<usize>,
}

impl Graph {
    fn of<'a>(changes: &'a [HandsetChange], deleted: &[(usize, &'a [Handset])]) -> Self {
        let mut givers: HashMap<&MemberId, Vec<Giver>> = HashMap::new();
        for (network, handsets) in deleted {
            for line in handsets.iter().flat_map(Handset::member_ids).collect::<BTreeSet<_>>() {
                givers.entry(line).or_default().push(Giver::Network(*network));
            }
        }
        for (at, change) in changes.iter().enumerate() {
            for line in difference(change.before.as_ref(), change.after.as_ref()) {
                givers.entry(line).or_default().push(Giver::Handset(Part::Whole(at)));
            }
        }
        let is_update = |at: usize| changes[at].action() == ChangeAction::Update;
        let is_first = |state: &Option<Handset>, line: &MemberId| {
            state.as_ref().and_then(|handset| handset.line1.as_ref()?.id.as_ref()) == Some(line)
        };
        let (mut needs, mut of_taker) = (Vec::new(), vec![Vec::new(); changes.len()]);
        for (taker, change) in changes.iter().enumerate() {
            for line in difference(change.after.as_ref(), change.before.as_ref()) {
                for from in givers.get(line).into_iter().flatten().copied() {
                    let giver = from.handset();
                    let is_soft = giver.is_some_and(|giver| changes[giver].owner == change.owner);
                    // Within a network removals are first and additions last anyway.
                    if is_soft && !(is_update(taker) && giver.is_some_and(is_update)) {
                        continue;
                    }
                    of_taker[taker].push(needs.len());
                    let is_first_before = giver.is_some_and(|giver| is_first(&changes[giver].before, line));
                    let is_first_after = is_first(&change.after, line);
                    needs.push(Need { taker, from, is_first_before, is_first_after, is_soft });
                }
            }
        }
        let updates = (0..changes.len()).filter(|at| is_update(*at)).collect();
        Self { needs, of_taker, updates, interims: BTreeMap::new(), cut: BTreeSet::new() }
    }

    /// The needs that a request must heed.
    fn needs_of(&self, part: Part) -> impl Iterator<Item = &Need> {
        self.indexes_of(part).map(|need| &self.needs[need])
    }

    fn indexes_of(&self, part: Part) -> impl Iterator<Item = usize> {
        let half = self.interims.get(&part.change()).copied();
        self.of_taker[part.change()].iter().copied().filter(move |need| {
            let takes = match (part, half) {
                (Part::Whole(_), Some(Half::New)) => !self.needs[*need].is_first_after,
                (Part::Interim(_), Some(Half::New)) => self.needs[*need].is_first_after,
                (Part::Whole(_), _) => true,
                (Part::Interim(_), _) => false,
            };
            takes && !self.cut.contains(need)
        })
    }

    /// What gives up the line of a need: the interim step of a handset, if that does.
    fn giver(&self, need: &Need) -> Giver {
        match (need.from, need.from.handset().and_then(|at| self.interims.get(&at))) {
            (Giver::Handset(part), Some(half)) if *half == Half::New || !need.is_first_before => {
                Giver::Handset(Part::Interim(part.change()))
            }
            (from, _) => from,
        }
    }

    /// The requests that come before one, with the need if there is one.
    fn before(&self, part: Part) -> Vec<(Part, Option<usize>)> {
        let at = part.change();
        let own = matches!(part, Part::Whole(_)) && self.interims.contains_key(&at);
        let others = self.indexes_of(part).filter_map(|need| match self.giver(&self.needs[need]) {
            Giver::Handset(giver) => Some((giver, Some(need))),
            Giver::Network(_) => None,
        });
        own.then_some((Part::Interim(at), None)).into_iter().chain(others).collect()
    }

    fn cut_cycles(&mut self) {
        // What leads to no cycle never does later on: what is cut only leads to less.
        let mut done = HashSet::new();
        for start in self.updates.clone() {
            while let Some(cycle) = self.find_cycle(Part::Whole(start), &mut done) {
                self.cut(&cycle);
            }
        }
    }

    /// Cuts a cycle in the least costly way; see the list at the top.
    fn cut(&mut self, cycle: &[usize]) {
        let find = |is_it: &dyn Fn(&Need) -> bool| cycle.iter().copied().find(|need| is_it(&self.needs[*need]));
        let has_interim = |at: Option<usize>| at.is_none_or(|at| self.interims.contains_key(&at));
        let tidy = find(&|need| need.is_soft && !(need.is_first_before && need.is_first_after));
        let former = find(&|need| !need.is_first_before && !has_interim(need.from.handset()));
        let new = find(&|need| !need.is_first_after && !has_interim(Some(need.taker)));
        let soft = find(&|need| need.is_soft);
        match (tidy, former, new) {
            (Some(need), ..) => {
                self.cut.insert(need);
            }
            (None, Some(need), _) => {
                self.interims.extend(self.needs[need].from.handset().map(|giver| (giver, Half::Former)));
            }
            (None, None, Some(need)) => {
                self.interims.insert(self.needs[need].taker, Half::New);
            }
            (None, None, None) => self.cut.extend(soft.or_else(|| cycle.first().copied())),
        }
    }

    /// There is no cycle, and what is taken back can only close one through the change that it was done to.
    fn take_back_needless_cuts(&mut self) {
        for at in self.interims.keys().copied().collect::<Vec<_>>() {
            let half = self.interims.remove(&at);
            if self.leads_to_cycle(at) {
                self.interims.extend(half.map(|half| (at, half)));
            }
        }
        for need in self.cut.iter().copied().filter(|need| !self.needs[*need].is_soft).collect::<Vec<_>>() {
            self.cut.remove(&need);
            if self.leads_to_cycle(self.needs[need].taker) {
                self.cut.insert(need);
            }
        }
    }

    fn leads_to_cycle(&self, at: usize) -> bool {
        self.find_cycle(Part::Whole(at), &mut HashSet::new()).is_some()
    }

    /// The needs of a cycle that can be reached from `start`; depth first. What leads to none is remembered in `done`.
    fn find_cycle(&self, start: Part, done: &mut HashSet<Part>) -> Option<Vec<usize>> {
        if done.contains(&start) {
            return None;
        }
        // The path: each request with what is still to be followed from it, and the need that led to it.
        let mut path = vec![(start, self.before(start), None)];
        let mut on_path = HashSet::from([start]);
        while let Some((part, open, _)) = path.last_mut() {
            match open.pop() {
                Some((next, need)) if on_path.contains(&next) => {
                    let first = path.iter().position(|(part, ..)| *part == next)?;
                    let needs = path[first + 1..].iter().map(|(.., need)| *need);
                    return Some(needs.chain([need]).flatten().collect());
                }
                Some((next, need)) if !done.contains(&next) => {
                    on_path.insert(next);
                    path.push((next, self.before(next), need));
                }
                Some(_) => {}
                None => {
                    done.insert(*part);
                    on_path.remove(part);
                    path.pop();
                }
            }
        }
        None
    }

    /// The updates, each behind what it waits for; depth first.
    fn in_order(&self) -> Vec<Part> {
        let is_update: HashSet<usize> = self.updates.iter().copied().collect();
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        for start in &self.updates {
            let mut stack = vec![(Part::Whole(*start), false)];
            while let Some((part, is_left)) = stack.pop() {
                if is_left {
                    order.push(part);
                } else if is_update.contains(&part.change()) && seen.insert(part) {
                    stack.push((part, true));
                    stack.extend(self.before(part).into_iter().rev().map(|(needed, _)| (needed, false)));
                }
            }
        }
        order
    }
}

/// The members that one handset has on a line and the other one does not.
fn difference<'a>(one: Option<&'a Handset>, other: Option<&'a Handset>) -> BTreeSet<&'a MemberId> {
    let lines = |handset: Option<&'a Handset>| -> BTreeSet<&'a MemberId> {
        handset.into_iter().flat_map(Handset::member_ids).collect()
    };
    lines(one).difference(&lines(other)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Sources, Span};
    use crate::model::{Member, NetworkIndex};
    use crate::plan::owner::Owner;

    fn a_handset(lines: &str) -> Option<Handset> {
        let mut lines = lines.split_whitespace().map(|line| Member::of_id(MemberId::new(line)));
        let line1 = lines.next()?;
        let (custom_name, default_name, last_registration) = (None, None, None);
        Some(Handset {
            id: None,
            custom_name,
            default_name,
            line1: Some(line1),
            line2: lines.next(),
            last_registration,
        })
    }

    /// `network: lines before > lines after`.
    fn change(text: &str) -> HandsetChange {
        let (network, lines) = text.split_once(':').expect("a network");
        let (before, after) = lines.split_once('>').expect("a change");
        HandsetChange {
            owner: Owner::Live(NetworkIndex(network.parse().expect("a number"))),
            before: a_handset(before),
            after: a_handset(after),
            span: Span { source: Sources::new().add("t", ""), start: 0, end: 0 },
        }
    }

    #[test]
    fn lines_are_given_up_before_they_are_taken() {
        type Case<'a> = (&'a [&'a str], &'a str, &'a [(usize, usize)]);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            // changes, the order (' is an interim step, < what it waits for), exchanged first lines
            (&["1: > a", "1: a >", "2: b >"], "1 2 0", &[]),
            (&["1: > a", "2: a >"], "1 0<1", &[]),
            // A chain over three networks, whichever comes first.
            (&["1: a > b", "2: b > c", "3: c > d"], "2 1<2 0<1", &[]),
            (&["3: c > d", "2: b > c", "1: a > b"], "0 1<0 2<1", &[]),
            // Two networks take from each other, no two handsets do.
            (&["1: a > x", "1: b > c", "2: c > y", "2: d > a"], "0 2 1<2 3<0", &[]),
            // Second lines are exchanged.
            (&["1: a x > a y", "2: b y > b x"], "1' 0<1' 1<0", &[]),
            // A second line for a first one.
            (&["1: a x > a b", "2: b > x"], "0' 1<0' 0<1", &[]),
            (&["2: b > x", "1: a x > a b"], "1' 0<1' 1<0", &[]),
            // One interim step is enough for three, and for two who want the same line.
            (&["1: a x > a y", "2: b y > b z", "3: c z > c x"], "1' 0<1' 2<0 1<2", &[]),
            (&["1: a x > a y", "2: b y > b x", "3: > x"], "1' 0<1' 1<0 2<0", &[]),
            // A first line is given up for a new one, and the second line comes later.
            (&["1: a > z b", "2: b > a"], "0' 1<0' 0<1", &[]),
            (&["1: a z > z b", "2: b > a"], "0' 1<0' 0<1", &[]),
            (&["2: b > a", "1: a > c b", "3: c >"], "2 1'<2 0<1' 1<0", &[]),
            // One interim step makes another one needless.
            (&["1: a x > y b", "2: b y > a z", "3: c z > c y"], "1' 0'<1' 2<1' 1<2<0' 0<1", &[]),
            // Two cycles of first lines share a change.
            (&["1: a > b", "2: b > c", "3: c > a d", "4: d > b"], "0 2'<0 1<2' 3<1 2<3", &[(0, 1)]),
            // No handset is without a first line.
            (&["1: a > b", "2: b > a"], "0 1<0", &[(0, 1)]),
            // Within a network the order is only tidy.
            (&["1: a > b", "1: b > c"], "1 0", &[]),
            (&["1: a > b", "1: b > a"], "0 1", &[]),
            (&["1: a x > a y", "1: b y > b x"], "0 1", &[]),
        ];
        for (texts, expected, exchanged) in cases {
            let changes: Vec<HandsetChange> = texts.iter().map(|text| change(text)).collect();
            let order = LineOrder::of(&changes, &[]);
            let name = |part: Part| match part {
                Part::Interim(at) => format!("{at}'"),
                Part::Whole(at) => at.to_string(),
            };
            let giver = |giver: Giver| match giver {
                Giver::Handset(part) => format!("<{}", name(part)),
                Giver::Network(at) => format!("<network {at}"),
            };
            let givers = |part: Part| order.givers(part).into_iter().map(giver).collect::<String>();
            let parts: Vec<String> = order.parts.iter().map(|part| name(*part) + &givers(*part)).collect();
            let found: Vec<_> = order.exchanged.iter().copied().collect();
            assert_eq!((parts.join(" ").as_str(), &found[..]), (*expected, *exchanged), "{texts:?}");
        }
    }

    #[test]
    fn a_network_that_goes_gives_up_its_lines() {
        let changes = [change("1: a > b"), change("2: > c")];
        let held = [a_handset("b c").expect("a handset")];
        let order = LineOrder::of(&changes, &[(7, &held)]);
        let gone = BTreeSet::from([Giver::Network(7)]);
        assert_eq!([0, 1].map(|at| order.givers(Part::Whole(at))), [gone.clone(), gone]);
    }
}
