//! The order of the requests about handsets of a location: what gives up a line comes before what takes it.
//!
//! A removal only gives and an addition only takes, so removals come first and additions last. Updates do both: they are in
//! depth-first topological order. Where lines go round, every cycle is cut once:
//!
//! - within a network nothing depends on the order, so any of its edges will do;
//! - between networks a handset gives up its second line in an interim step;
//! - a first line cannot be given up for a moment, since no handset is without one: there a line is on two handsets until the
//!   second of both updates, which the plan warns of.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::handsets::HandsetChange;
use super::model::ChangeAction;
use crate::diagnostic::{DiagnosticCode, Diagnostics};
use crate::model::{Handset, MemberId};

/// What gives up a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Giver {
    /// The handset change with this index.
    Handset(usize),
    /// The interim step of this handset change.
    SecondLine(usize),
    /// The deletion of a network: the network change with this index.
    Network(usize),
}

/// A part of a request: a handset change, or its interim step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Whole(usize),
    /// Only the second line is given up.
    Interim(usize),
}

impl Part {
    /// The handset change.
    pub(super) const fn change(self) -> usize {
        match self {
            Self::Whole(at) | Self::Interim(at) => at,
        }
    }
}

/// In which order the handsets of a location change.
#[derive(Debug, Default)]
pub(super) struct LineOrder {
    pub(super) parts: Vec<Part>,
    /// What must have given up a line before these changes take it.
    givers: HashMap<usize, BTreeSet<Giver>>,
    /// Changes that take a first line which the other one still has.
    pub(super) exchanged: Vec<(usize, usize)>,
}

impl LineOrder {
    /// What must be done before a change, each once.
    pub(super) fn givers(&self, at: usize) -> impl Iterator<Item = Giver> {
        self.givers.get(&at).into_iter().flatten().copied()
    }

    /// Warns of first lines that are taken before they are given up.
    pub(super) fn warn(&self, changes: &[HandsetChange], diagnostics: &mut Diagnostics) {
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

    /// Orders `changes`; `deleted` are what networks hold that go, with the indexes of their changes.
    pub(super) fn of<'a>(changes: &'a [HandsetChange], deleted: &[(usize, &'a [Handset])]) -> Self {
        let mut edges = Edges::of(changes, deleted);
        let updates: Vec<usize> =
            (0..changes.len()).filter(|at| changes[*at].action() == ChangeAction::Update).collect();
        let exchanged = edges.cut_cycles(&updates);
        let of_action = |action| (0..changes.len()).filter(move |at| changes[*at].action() == action).map(Part::Whole);
        let removals = of_action(ChangeAction::Delete);
        let parts = removals.chain(edges.in_order(&updates)).chain(of_action(ChangeAction::Create)).collect();
        Self { parts, givers: edges.givers(), exchanged }
    }
}

/// That a change takes a line which something else gives up.
#[derive(Clone, Copy, Debug)]
struct Edge {
    giver: Giver,
    /// Whether the line is the second one of the handset that gives it up.
    is_second: bool,
    /// Whether both are in one network, where the order is only tidy.
    is_soft: bool,
}

/// What the changes of a location wait for.
struct Edges(Vec<Vec<Edge>>);

impl Edges {
    fn of<'a>(changes: &'a [HandsetChange], deleted: &[(usize, &'a [Handset])]) -> Self {
        let mut givers: HashMap<&MemberId, Vec<Giver>> = HashMap::new();
        for (network, handsets) in deleted {
            for line in handsets.iter().flat_map(Handset::member_ids).collect::<BTreeSet<_>>() {
                givers.entry(line).or_default().push(Giver::Network(*network));
            }
        }
        for (at, change) in changes.iter().enumerate() {
            for line in difference(change.before.as_ref(), change.after.as_ref()) {
                givers.entry(line).or_default().push(Giver::Handset(at));
            }
        }
        let edge = |taker: usize, line: &MemberId, giver: Giver| {
            let Giver::Handset(at) = giver else { return Some(Edge { giver, is_second: false, is_soft: false }) };
            let is_soft = changes[at].owner == changes[taker].owner;
            let has_order =
                changes[at].action() == ChangeAction::Update && changes[taker].action() == ChangeAction::Update;
            let first = changes[at].before.as_ref().and_then(|before| before.line1.as_ref()?.id.as_ref());
            (!is_soft || has_order).then_some(Edge { giver, is_second: first != Some(line), is_soft })
        };
        let edges = changes.iter().enumerate().map(|(taker, change)| {
            let taken = difference(change.after.as_ref(), change.before.as_ref());
            let given = taken
                .into_iter()
                .flat_map(|line| givers.get(line).into_iter().flatten().map(move |giver| (line, *giver)));
            given.filter_map(|(line, giver)| edge(taker, line, giver)).collect()
        });
        Self(edges.collect())
    }

    /// Cuts all cycles; returns who takes a first line from whom that is not given up before.
    fn cut_cycles(&mut self, updates: &[usize]) -> Vec<(usize, usize)> {
        let mut exchanged = Vec::new();
        let mut done = HashSet::new();
        for start in updates {
            while let Some(cycle) = self.find_cycle(*start, &mut done) {
                let edges = || cycle.iter().map(|(taker, place)| (*taker, *place, self.0[*taker][*place]));
                let soft = edges().find(|(.., edge)| edge.is_soft);
                let second = edges().find(|(.., edge)| edge.is_second);
                let Some((taker, place, edge)) = soft.or(second).or_else(|| edges().next()) else { break };
                let Giver::Handset(giver) = edge.giver else { break };
                if !edge.is_soft && edge.is_second {
                    self.release_second_line(giver);
                } else {
                    self.0[taker].remove(place);
                    exchanged.extend((!edge.is_soft).then_some((taker, giver)));
                }
            }
        }
        exchanged
    }

    /// The handset gives up its second line in an interim step, which is what all wait for that take it.
    fn release_second_line(&mut self, at: usize) {
        for edge in self.0.iter_mut().flatten().filter(|edge| edge.giver == Giver::Handset(at) && edge.is_second) {
            edge.giver = Giver::SecondLine(at);
        }
    }

    /// A cycle that can be reached from `start`, as edges; depth first. What leads to none is remembered in `done`.
    fn find_cycle(&self, start: usize, done: &mut HashSet<usize>) -> Option<Vec<(usize, usize)>> {
        // The path, each with the place of the edge that is followed.
        let mut path: Vec<(usize, usize)> = if done.contains(&start) { Vec::new() } else { vec![(start, 0)] };
        let mut on_path: HashSet<usize> = path.iter().map(|(at, _)| *at).collect();
        while let Some((at, place)) = path.last().copied() {
            match self.0[at].get(place).map(|edge| edge.giver) {
                Some(Giver::Handset(next)) if on_path.contains(&next) => {
                    let first = path.iter().position(|(at, _)| *at == next)?;
                    return Some(path.split_off(first));
                }
                Some(Giver::Handset(next)) if !done.contains(&next) => {
                    on_path.insert(next);
                    path.push((next, 0));
                    continue;
                }
                Some(_) => {}
                None => {
                    done.insert(at);
                    on_path.remove(&at);
                    path.pop();
                }
            }
            if let Some((_, place)) = path.last_mut() {
                *place += 1;
            }
        }
        None
    }

    /// The updates, each behind what it waits for; depth first.
    fn in_order(&self, updates: &[usize]) -> Vec<Part> {
        let released: HashSet<usize> = self.0.iter().flatten().filter_map(|edge| edge.giver.second_line()).collect();
        let updated: HashSet<usize> = updates.iter().copied().collect();
        let needs = |part: Part| {
            let Part::Whole(at) = part else { return Vec::new() };
            let own = released.contains(&at).then_some(Part::Interim(at));
            let others = self.0[at].iter().filter_map(|edge| match edge.giver {
                Giver::Handset(other) => updated.contains(&other).then_some(Part::Whole(other)),
                Giver::SecondLine(other) => Some(Part::Interim(other)),
                Giver::Network(_) => None,
            });
            own.into_iter().chain(others).collect()
        };
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        for start in updates {
            let mut stack = vec![(Part::Whole(*start), false)];
            while let Some((part, is_left)) = stack.pop() {
                if is_left {
                    order.push(part);
                } else if seen.insert(part) {
                    stack.push((part, true));
                    stack.extend(needs(part).into_iter().rev().map(|need| (need, false)));
                }
            }
        }
        order
    }

    fn givers(self) -> HashMap<usize, BTreeSet<Giver>> {
        let hard = |edges: Vec<Edge>| edges.into_iter().filter(|edge| !edge.is_soft).map(|edge| edge.giver).collect();
        self.0.into_iter().map(hard).enumerate().collect()
    }
}

impl Giver {
    const fn second_line(self) -> Option<usize> {
        match self {
            Self::SecondLine(at) => Some(at),
            Self::Handset(_) | Self::Network(_) => None,
        }
    }
}

/// The members that one handset has on a line and the other one does not.
fn difference<'a>(one: Option<&'a Handset>, other: Option<&'a Handset>) -> BTreeSet<&'a MemberId> {
    let lines =
        |handset: Option<&'a Handset>| handset.into_iter().flat_map(Handset::member_ids).collect::<BTreeSet<_>>();
    lines(one).difference(&lines(other)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Sources, Span};
    use crate::model::{Member, NetworkIndex};
    use crate::plan::base_stations::Owner;

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
            let giver = |giver: Giver| match giver {
                Giver::Handset(at) => format!("<{at}"),
                Giver::SecondLine(at) => format!("<{at}'"),
                Giver::Network(at) => format!("<network {at}"),
            };
            let part = |part: &Part| match *part {
                Part::Interim(at) => format!("{at}'"),
                Part::Whole(at) => format!("{at}{}", order.givers(at).map(giver).collect::<String>()),
            };
            let parts: Vec<String> = order.parts.iter().map(part).collect();
            assert_eq!((parts.join(" ").as_str(), &order.exchanged[..]), (*expected, *exchanged), "{texts:?}");
        }
    }

    #[test]
    fn a_network_that_goes_gives_up_its_lines() {
        let changes = [change("1: a > b"), change("2: > c")];
        let held = [a_handset("b c").expect("a handset")];
        let order = LineOrder::of(&changes, &[(7, &held)]);
        let givers = |at: usize| order.givers(at).collect::<Vec<_>>();
        assert_eq!((givers(0), givers(1)), (vec![Giver::Network(7)], vec![Giver::Network(7)]));
    }
}
