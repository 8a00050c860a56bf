//! Progress output: a bar on a terminal, plain lines in a pipeline.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plural;
use super::sanitize::sanitize;
use super::summary::seconds;
use super::text::stop_reason;
use crate::apply::Event;
use crate::model::LocationId;
use crate::plan::model::{ChangeAction, Operation, Plan, ResourceKind, Step};
use crate::runtime::{Clock, Instant, ShutdownReason};

pub struct ProgressDisplay {
    clock: Clock,
    locations: HashMap<LocationId, String>,
    /// What the requests are called.
    noun: &'static str,
    mode: ProgressMode,
    state: RefCell<ProgressState>,
}

enum ProgressMode {
    Bar(ProgressBar),
    Lines(Box<dyn Fn(&str)>),
    Hidden,
}

#[derive(Default)]
struct ProgressState {
    steps: usize,
    written: usize,
    started_at: Option<Instant>,
    last_line: Option<Instant>,
    locked_until: Option<Instant>,
    handsets_until: Option<Instant>,
    soaking_until: Option<Instant>,
    /// A prompt is open; do not draw over it.
    asked: bool,
}

impl ProgressState {
    fn follow(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Wave { .. } => self.asked = false,
            Event::Started { steps, .. } => {
                // Every wave sends `Started`; the bar continues.
                self.steps = self.written + *steps;
                self.started_at.get_or_insert(now);
                self.last_line = Some(now);
            }
            Event::Written { .. } => self.written += 1,
            Event::Locked { until, .. } => self.locked_until = Some(*until),
            Event::AwaitingHandsetInterval { until, .. } => {
                self.handsets_until = Some(self.handsets_until.map_or(*until, |known| known.max(*until)));
            }
            Event::Soaking { until } | Event::AwaitingLateWrites { until, .. } => self.soaking_until = Some(*until),
            _ => {}
        }
    }
}

/// What is printed, and where.
enum Words {
    /// Beside a bar as well.
    Said(String),
    /// Only where lines are printed instead of a bar.
    Logged(String),
}

const MIN_REPORTED_WAIT: Duration = Duration::from_secs(5);

/// Minimum interval between lines in a pipeline.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

impl ProgressDisplay {
    /// A bar on standard error.
    pub fn bar(plan: &Plan, clock: Clock) -> Self {
        let bar = ProgressBar::with_draw_target(Some(plan.steps.len() as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::new(plan, clock, ProgressMode::Bar(bar))
    }

    pub fn lines(plan: &Plan, clock: Clock, print: impl Fn(&str) + 'static) -> Self {
        Self::new(plan, clock, ProgressMode::Lines(Box::new(print)))
    }

    pub fn hidden(plan: &Plan, clock: Clock) -> Self {
        Self::new(plan, clock, ProgressMode::Hidden)
    }

    fn new(plan: &Plan, clock: Clock, mode: ProgressMode) -> Self {
        let name = |name: &str| sanitize(name).into_owned();
        let locations =
            plan.changes.iter().map(|change| (change.location.id.clone(), name(&change.location.name))).collect();
        let is_update = |step: &Step| step.operation() == Operation::new(ResourceKind::Network, ChangeAction::Update);
        let noun = if plan.steps.iter().all(is_update) { "update" } else { "write" };
        Self { clock, locations, noun, mode, state: RefCell::default() }
    }

    pub fn event(&self, event: &Event) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        state.follow(event, now);
        match self.words(event, now) {
            Some(Words::Said(text)) => self.println(&text),
            Some(Words::Logged(text)) => self.log_line(&text),
            None => {}
        }
        if let Event::Written { .. } = event {
            if let ProgressMode::Bar(bar) = &self.mode {
                bar.set_position(state.written as u64);
            }
            self.print_periodically(&mut state, now);
        }
    }

    /// What an event says to a reader, if anything.
    fn words(&self, event: &Event, now: Instant) -> Option<Words> {
        let wait = |until: Instant| until.duration_since(now);
        let in_location = |location: &LocationId| self.locations.get(location).map_or("a location", String::as_str);
        Some(match event {
            Event::Wave { number, of, locations } => {
                Words::Said(format!("wave {number} of {of}: {}", plural(*locations, "location")))
            }
            Event::Soaking { until } => Words::Said(format!("wave succeeded; waiting for {}", seconds(wait(*until)))),
            Event::Started { steps: 0, .. } | Event::Written { .. } | Event::Writing { .. } => return None,
            Event::Started { steps, locations } => {
                let (steps, locations) = (plural(*steps, self.noun), plural(*locations, "location"));
                Words::Logged(format!("sending {steps} in {locations}"))
            }
            Event::Failed { subject, reason } => {
                Words::Said(format!("{}: failed: {}", sanitize(subject), sanitize(reason)))
            }
            Event::Skipped { subject, because_of } => {
                Words::Said(format!("{}: skipped, depends on {}", sanitize(subject), sanitize(because_of)))
            }
            Event::Locked { until, .. } | Event::Retrying { until, .. } if wait(*until) < MIN_REPORTED_WAIT => {
                return None;
            }
            Event::Locked { until, location } => {
                let wait = seconds(wait(*until));
                Words::Logged(format!("{}: locked (423), retrying in {wait}", in_location(location)))
            }
            Event::WritesOneByOne { location } => {
                let location = in_location(location);
                Words::Logged(format!("{location}: refuses two writes at once; they are sent one by one there"))
            }
            Event::AwaitingHandsetInterval { subject, until } => {
                let (subject, wait) = (sanitize(subject), seconds(wait(*until)));
                Words::Logged(format!("{subject}: waiting for {wait} between changes of handsets"))
            }
            Event::Retrying { subject, attempts, until } => {
                let (subject, wait) = (sanitize(subject), seconds(wait(*until)));
                Words::Said(format!("{subject}: attempt {attempts} failed, retrying in {wait}"))
            }
            Event::Stopping { reason } => {
                let again = if *reason == ShutdownReason::Interrupt { "; Ctrl-C again stops at once" } else { "" };
                Words::Said(format!("stopping: {}; waiting for in-flight writes{again}", stop_reason(*reason)))
            }
            Event::Restoring { subject } => Words::Said(format!("{}: restoring its former state", sanitize(subject))),
            Event::AwaitingLateWrites { networks, until } => {
                let (networks, wait) = (plural(*networks, "unanswered write"), seconds(wait(*until)));
                Words::Said(format!("{networks} may still be applied; reading the networks again in {wait}"))
            }
            Event::LateWrite { subject } => {
                let name = sanitize(subject);
                Words::Said(format!("{name}: an unanswered write was applied late; sending the final update again"))
            }
            Event::Verifying { mismatched } => Words::Logged(match mismatched {
                0 => "verifying".to_owned(),
                many if self.noun == "update" => format!("verifying {}", plural(*many, "network")),
                many => format!("verifying {}", plural(*many, "change")),
            }),
        })
    }

    /// Shows what the run is waiting for, and the rate limit that the API is assumed to have.
    pub fn tick(&self, paused_until: Option<Instant>, limit: Option<&str>) {
        let now = self.clock.now();
        let state = self.state.borrow();
        if state.asked {
            return;
        }
        if let ProgressMode::Bar(bar) = &self.mode {
            let limit = limit.map(|limit| format!(", limit {limit}")).unwrap_or_default();
            bar.set_message(format!("{}{limit}", message(&state, now, paused_until)));
            bar.tick();
        }
    }

    /// Suspends drawing for a prompt on the same terminal.
    pub fn pause(&self) {
        if let ProgressMode::Bar(bar) = &self.mode {
            bar.set_message("");
            bar.println("");
        }
        self.state.borrow_mut().asked = true;
    }

    pub fn finish(&self) {
        if let ProgressMode::Bar(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }

    fn print_periodically(&self, state: &mut ProgressState, now: Instant) {
        if state.last_line.is_none_or(|last| now.duration_since(last) >= LINE_INTERVAL) {
            state.last_line = Some(now);
            self.log_line(&format!("{}/{} written{}", state.written, state.steps, time_left(state, now)));
        }
    }

    /// Prints a line, also on a terminal.
    fn println(&self, text: &str) {
        match &self.mode {
            ProgressMode::Bar(bar) => bar.println(text),
            ProgressMode::Lines(print) => print(text),
            ProgressMode::Hidden => {}
        }
    }

    /// Prints a line unless there is a bar.
    fn log_line(&self, text: &str) {
        if let ProgressMode::Lines(print) = &self.mode {
            print(text);
        }
    }
}

fn message(state: &ProgressState, now: Instant, paused_until: Option<Instant>) -> String {
    if let Some(until) = paused_until {
        return format!("rate limited, resuming in {}", seconds(until.duration_since(now)));
    }
    if let Some(until) = state.soaking_until.filter(|until| *until > now) {
        return format!("waiting for {}", seconds(until.duration_since(now)));
    }
    let rate = state
        .started_at
        .map(|started_at| state.written as f64 / now.duration_since(started_at).as_secs_f64().max(0.001));
    let rate = rate.filter(|_| state.written > 0).map(|rate| format!("{rate:.1}/s")).unwrap_or_default();
    let locked = match state.locked_until.filter(|until| *until > now) {
        Some(until) => format!(", a location is locked, retrying in {}", seconds(until.duration_since(now))),
        None => String::new(),
    };
    let handsets = match state.handsets_until.filter(|until| *until > now) {
        Some(until) => format!(", next handsets in {}", seconds(until.duration_since(now))),
        None => String::new(),
    };
    format!("{rate}{}{locked}{handsets}", time_left(state, now))
}

fn time_left(state: &ProgressState, now: Instant) -> String {
    let Some(started_at) = state.started_at.filter(|_| state.written > 0 && state.written < state.steps) else {
        return String::new();
    };
    let each = now.duration_since(started_at).as_secs_f64() / state.written as f64;
    format!(", about {} left", seconds(Duration::from_secs_f64(each * (state.steps - state.written) as f64)))
}
