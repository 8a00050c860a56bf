//! How a run goes: a bar on a terminal, plain lines in a pipeline.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::stop_reason;
use super::view::seconds;
use super::visible::visible;
use crate::apply::Event;
use crate::model::NetworkId;
use crate::plan::plan::Plan;
use crate::runtime::{Clock, Instant};

/// Follows a run.
pub struct Progress {
    clock: Clock,
    names: HashMap<NetworkId, String>,
    face: Face,
    state: RefCell<State>,
}

enum Face {
    Bar(ProgressBar),
    /// Lines go to this sink.
    Lines(Box<dyn Fn(&str)>),
    Nothing,
}

#[derive(Default)]
struct State {
    steps: usize,
    written: usize,
    began: Option<Instant>,
    last_line: Option<Instant>,
    locked_until: Option<Instant>,
    soaking_until: Option<Instant>,
    /// A question stands on the terminal: nothing is drawn over it.
    asked: bool,
}

/// Shorter waits go by unnoticed.
const WORTH_A_LINE: Duration = Duration::from_secs(5);

/// In a pipeline, a line at most so often.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl Progress {
    /// A bar on the terminal behind standard error.
    pub fn bar(plan: &Plan, clock: Clock) -> Self {
        let bar = ProgressBar::with_draw_target(Some(plan.steps.len() as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::new(plan, clock, Face::Bar(bar))
    }

    /// Plain lines.
    pub fn lines(plan: &Plan, clock: Clock, print: impl Fn(&str) + 'static) -> Self {
        Self::new(plan, clock, Face::Lines(Box::new(print)))
    }

    /// Nothing at all.
    pub fn quiet(plan: &Plan, clock: Clock) -> Self {
        Self::new(plan, clock, Face::Nothing)
    }

    fn new(plan: &Plan, clock: Clock, face: Face) -> Self {
        let name = |name: &str| visible(name).into_owned();
        let names = plan.changes.iter().map(|change| (change.network.clone(), name(&change.before.name))).collect();
        Self { clock, names, face, state: RefCell::default() }
    }

    /// Takes in what the run tells.
    pub fn event(&self, event: &Event) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        match event {
            Event::Wave { number, of, locations } => {
                state.asked = false;
                self.say(&format!("wave {number} of {of}: {locations} locations"));
            }
            Event::Soaking { until } => {
                state.soaking_until = Some(*until);
                self.say(&format!("all is well; waiting for {}", seconds(until.duration_since(now))));
            }
            Event::Started { steps, locations } => {
                // Every wave starts, and the bar goes on.
                state.steps = state.written + *steps;
                state.began.get_or_insert(now);
                state.last_line = Some(now);
                if *steps > 0 {
                    self.line(&format!("writing {steps} updates in {locations} locations"));
                }
            }
            Event::Written { .. } => {
                state.written += 1;
                if let Face::Bar(bar) = &self.face {
                    bar.set_position(state.written as u64);
                }
                self.now_and_then(&mut state, now);
            }
            Event::Failed { network, reason } => {
                self.say(&format!("{}: failed: {}", self.name(network), visible(reason)))
            }
            Event::Skipped { network, because_of } => {
                self.say(&format!("{}: skipped, since it waits for {}", self.name(network), self.name(because_of)));
            }
            Event::Locked { until, .. } => state.locked_until = Some(*until),
            Event::Retrying { network, attempts, until } if until.duration_since(now) >= WORTH_A_LINE => {
                let wait = seconds(until.duration_since(now));
                self.say(&format!("{}: attempt {attempts} failed, trying again in {wait}", self.name(network)));
            }
            Event::Retrying { .. } | Event::Writing { .. } => {}
            Event::Stopping { reason } => {
                self.say(&format!("stopping: {}; waiting for writes in flight", stop_reason(*reason)));
            }
            Event::Homeward { network } => self.say(&format!("{}: bringing it home", self.name(network))),
            Event::Verifying { differing } => self.line(&match differing {
                0 => "verifying".to_owned(),
                many => format!("verifying {many} networks"),
            }),
        }
    }

    /// Shows what the run waits for at this moment.
    pub fn tick(&self, paused_until: Option<Instant>) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        if state.asked {
            return;
        }
        if let Face::Bar(bar) = &self.face {
            bar.set_message(message(&state, now, paused_until));
            bar.tick();
        } else if let Some(until) = paused_until
            && state.last_line.is_none_or(|last| now.duration_since(last) >= BETWEEN_LINES)
        {
            state.last_line = Some(now);
            self.line(&format!("rate limited, resuming in {}", seconds(until.duration_since(now))));
        }
    }

    /// Somebody is asked something on the same terminal.
    pub fn pause(&self) {
        if let Face::Bar(bar) = &self.face {
            bar.set_message("");
            bar.println("");
        }
        self.state.borrow_mut().asked = true;
    }

    /// The run is over.
    pub fn finish(&self) {
        if let Face::Bar(bar) = &self.face {
            bar.finish_and_clear();
        }
    }

    fn now_and_then(&self, state: &mut State, now: Instant) {
        if state.last_line.is_none_or(|last| now.duration_since(last) >= BETWEEN_LINES) {
            state.last_line = Some(now);
            self.line(&format!("{}/{} written{}", state.written, state.steps, time_left(state, now)));
        }
    }

    fn name(&self, network: &NetworkId) -> String {
        self.names.get(network).cloned().unwrap_or_else(|| network.to_string())
    }

    /// Something that is worth a line on a terminal too.
    fn say(&self, text: &str) {
        match &self.face {
            Face::Bar(bar) => bar.println(text),
            Face::Lines(print) => print(text),
            Face::Nothing => {}
        }
    }

    /// Something that a bar shows by itself.
    fn line(&self, text: &str) {
        if let Face::Lines(print) = &self.face {
            print(text);
        }
    }
}

fn message(state: &State, now: Instant, paused_until: Option<Instant>) -> String {
    if let Some(until) = paused_until {
        return format!("rate limited, resuming in {}", seconds(until.duration_since(now)));
    }
    if let Some(until) = state.soaking_until.filter(|until| *until > now) {
        return format!("waiting for {}", seconds(until.duration_since(now)));
    }
    let rate = state.began.map(|began| state.written as f64 / now.duration_since(began).as_secs_f64().max(0.001));
    let rate = rate.filter(|_| state.written > 0).map(|rate| format!("{rate:.1}/s")).unwrap_or_default();
    let locked = match state.locked_until.filter(|until| *until > now) {
        Some(until) => format!(", a location is locked, trying again in {}", seconds(until.duration_since(now))),
        None => String::new(),
    };
    format!("{rate}{}{locked}", time_left(state, now))
}

fn time_left(state: &State, now: Instant) -> String {
    let Some(began) = state.began.filter(|_| state.written > 0 && state.written < state.steps) else {
        return String::new();
    };
    let each = now.duration_since(began).as_secs_f64() / state.written as f64;
    format!(", about {} left", seconds(Duration::from_secs_f64(each * (state.steps - state.written) as f64)))
}
