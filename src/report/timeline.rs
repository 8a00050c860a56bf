//! The time line of a run as a picture: what a template draws as SVG.

use std::time::Duration;

use serde::Serialize;

use super::summary::seconds;
use crate::apply::{Outcome, Timeline};
use crate::runtime::Instant;

/// The edges of the picture, in its units.
const LEFT: f64 = 44.0;
const WIDTH: f64 = 632.0;
const BOTTOM: f64 = 150.0;
const HEIGHT: f64 = 126.0;

/// At most this many bars and marks of a kind, so that a page of a long run stays small.
const MOST_BARS: usize = 158;
const MOST_MARKS: usize = 600;

#[derive(Debug, Serialize)]
pub(super) struct TimelinePicture {
    description: String,
    /// Writes per second.
    bars: Vec<Bar>,
    /// The highest bar, in words.
    most: String,
    pauses: Vec<Period>,
    locks: Vec<Period>,
    waves: Vec<Mark>,
    /// The points of a line: how many locations are done.
    done: String,
    locations: usize,
    duration: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Debug, Serialize)]
struct Period {
    x: f64,
    width: f64,
}

#[derive(Debug, Serialize)]
struct Mark {
    x: f64,
}

/// A shorter run has no picture: there is nothing to see.
const SHORTEST: Duration = Duration::from_secs(3);

/// The picture of a run that has written something.
pub(super) fn picture(outcome: &Outcome) -> Option<TimelinePicture> {
    let timeline = &outcome.timeline;
    if timeline.writes.is_empty() || outcome.elapsed < SHORTEST {
        return None;
    }
    let scale = Scale { timeline, whole: outcome.elapsed.max(Duration::from_millis(1)) };
    let (bars, most) = bars(timeline, &scale);
    let periods = |all: &[(Instant, Instant)]| thinned(all).map(|(from, until)| scale.period(*from, *until)).collect();
    let done = done_line(timeline, &scale);
    let count = |count: usize, noun: &str| super::plural(count, noun);
    Some(TimelinePicture {
        description: format!(
            "{} in {}, at most {most}; {}, {}, {} done",
            count(timeline.writes.len(), "write"),
            seconds(outcome.elapsed),
            count(timeline.pauses.len(), "pause"),
            count(timeline.locks.len(), "lock"),
            count(timeline.locations.len(), "location"),
        ),
        bars,
        most,
        pauses: periods(&timeline.pauses),
        locks: periods(&timeline.locks),
        waves: timeline.waves.iter().map(|at| Mark { x: scale.x(*at) }).collect(),
        done,
        locations: timeline.locations.len(),
        duration: seconds(outcome.elapsed),
    })
}

/// Every so many of a long list.
fn thinned<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(MOST_MARKS).max(1))
}

struct Scale<'a> {
    timeline: &'a Timeline,
    whole: Duration,
}

impl Scale<'_> {
    fn x(&self, at: Instant) -> f64 {
        let share = self.timeline.since_start(at).as_secs_f64() / self.whole.as_secs_f64();
        tenths(LEFT + WIDTH * share.min(1.0))
    }

    fn period(&self, from: Instant, until: Instant) -> Period {
        let x = self.x(from);
        Period { x, width: tenths((self.x(until) - x).max(0.5)) }
    }
}

/// Bars as wide as a second where there is room, and the highest rate in words.
fn bars(timeline: &Timeline, scale: &Scale<'_>) -> (Vec<Bar>, String) {
    let count = (scale.whole.as_secs_f64().ceil() as usize).clamp(1, MOST_BARS);
    let length = scale.whole.as_secs_f64() / count as f64;
    let mut writes = vec![0_usize; count];
    for at in &timeline.writes {
        let bar = (timeline.since_start(*at).as_secs_f64() / length) as usize;
        writes[bar.min(count - 1)] += 1;
    }
    // A run shorter than a second has no more writes per second than writes.
    let rate = |writes: usize| writes as f64 / length.max(1.0);
    let most = writes.iter().copied().max().map_or(0.0, rate);
    let width = WIDTH / count as f64;
    let bars = writes.iter().enumerate().filter(|(_, writes)| **writes > 0).map(|(at, writes)| {
        let height = tenths(HEIGHT * rate(*writes) / most);
        let x = tenths(LEFT + width * at as f64);
        Bar { x, y: tenths(BOTTOM - height), width: tenths((width - 0.5).max(0.5)), height }
    });
    (bars.collect(), format!("{:.1}/s", most))
}

/// The points of the line that rises with every location that is done.
fn done_line(timeline: &Timeline, scale: &Scale<'_>) -> String {
    let mut at: Vec<Instant> = timeline.locations.clone();
    at.sort_unstable();
    let height = |done: usize| tenths(BOTTOM - HEIGHT * done as f64 / at.len().max(1) as f64);
    let mut points = vec![format!("{LEFT},{BOTTOM}")];
    let step = at.len().div_ceil(MOST_MARKS).max(1);
    for done in (step..=at.len()).step_by(step) {
        let x = scale.x(at[done - 1]);
        points.push(format!("{x},{}", height(done - step)));
        points.push(format!("{x},{}", height(done)));
    }
    points.push(format!("{},{}", tenths(LEFT + WIDTH), height(at.len())));
    points.join(" ")
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Clock;

    fn outcome(seconds: u64, writes: &[u64], locations: &[u64]) -> Outcome {
        let start = Clock::virtual_clock().now();
        let at = |second: &u64| start + Duration::from_secs(*second);
        let timeline = Timeline {
            started: Some(start),
            writes: writes.iter().map(at).collect(),
            locations: locations.iter().map(at).collect(),
            pauses: vec![(at(&2), at(&4))],
            ..Timeline::default()
        };
        Outcome { timeline, elapsed: Duration::from_secs(seconds), ..Outcome::unchanged() }
    }

    #[test]
    fn bars_are_writes_per_second_and_the_line_ends_with_all_locations() {
        let picture = picture(&outcome(10, &[0, 0, 0, 5, 9], &[5, 9])).expect("a picture");
        assert_eq!((picture.bars.len(), picture.most.as_str()), (3, "3.0/s"));
        assert_eq!(picture.bars[0].height, HEIGHT);
        assert_eq!(picture.bars[1].x, tenths(LEFT + WIDTH / 2.0));
        assert_eq!((picture.pauses[0].x, picture.pauses[0].width), (170.4, 126.4));
        assert!(picture.done.starts_with("44,150 ") && picture.done.ends_with("676,24"), "{}", picture.done);
    }

    #[test]
    fn a_run_without_writes_has_no_picture_and_a_long_one_a_small_one() {
        assert!(picture(&outcome(10, &[], &[])).is_none());
        let writes: Vec<u64> = (0..50_000).collect();
        let picture = picture(&outcome(50_000, &writes, &writes)).expect("a picture");
        assert!(picture.bars.len() <= MOST_BARS && picture.done.len() < 30_000, "{}", picture.done.len());
        assert_eq!(picture.most, "1.0/s");
    }
}
