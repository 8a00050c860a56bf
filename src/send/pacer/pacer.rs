//! The pacer: asked before every request, told of every answer.
//!
//! Free until the first refusal: small jobs are then as fast as concurrency allows, which no fixed rate is. A refusal
//! silences everybody until the API may be asked again. From then on one of two models says when the next request may
//! go; a later refusal may show that the other one is right.

use std::time::Duration;

use super::bucket::Bucket;
use super::ceiling::{Ceiling, Rate};
use super::episode::{Episode, Reset};
use super::sends::Sends;
use super::window::{Room, Window};
use crate::runtime::{Instant, SeededRng};
use crate::webex::RetryAfter;

/// Whether a request may go.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may; the ticket comes back with the answer.
    Go(Ticket),
    /// Not before this moment.
    NotBefore(Instant),
    /// Not before an answer has come.
    AfterAnAnswer,
}

/// The permission to send one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    id: u64,
    epoch: u32,
}

/// How a request was answered, as far as a limiter is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was let in and used quota, whatever came of it.
    Admitted,
    /// 429.
    Refused(Option<RetryAfter>),
    /// No answer: nobody knows. It counts as let in.
    Lost,
}

/// Decides when the next request may go.
#[derive(Debug)]
pub struct Pacer {
    concurrency: usize,
    /// How many may be in the air; few after a pause, one more with every success.
    width: usize,
    ceiling: Option<Ceiling>,
    sends: Sends,
    model: Model,
    silent_until: Instant,
    /// Counts pauses: an answer to a request from before the last one tells nothing new.
    epoch: u32,
    episode: Option<Episode>,
    last_reset: Option<Reset>,
    unexplained: u32,
}

#[derive(Debug)]
enum Model {
    /// Nothing was refused yet.
    Free,
    Window(Window),
    Bucket(Bucket),
}

/// The first pause after a 429 that names none.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a 429 that names none.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A pause of zero would let the next request run into the same refusal.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// How many go at once after a pause, at most and never all, and how many more with every success.
const WIDTH_AFTER_A_PAUSE: usize = 4;
const WIDER_BY: usize = 2;

impl Pacer {
    /// At most `concurrency` requests in the air, never faster than `ceiling`.
    pub fn new(concurrency: usize, ceiling: Option<Rate>) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            concurrency,
            width: concurrency,
            ceiling: ceiling.and_then(Ceiling::new),
            sends: Sends::default(),
            model: Model::Free,
            silent_until: Instant::START,
            epoch: 0,
            episode: None,
            last_reset: None,
            unexplained: 0,
        }
    }

    /// Until when everybody must be silent, if that is later than `now`.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        (self.silent_until > now).then_some(self.silent_until)
    }

    /// Asks for a place.
    pub fn ask(&mut self, now: Instant) -> Turn {
        if self.silent_until > now {
            return Turn::NotBefore(self.silent_until);
        }
        if let Some(episode) = self.episode.take() {
            self.learn(&episode, now);
        }
        if self.sends.in_the_air() >= self.width {
            return Turn::AfterAnAnswer;
        }
        let room = match &mut self.model {
            Model::Free => Room::Now,
            Model::Window(window) => window.room(&self.sends, now),
            Model::Bucket(bucket) => bucket.room(&self.sends, now),
        };
        match room {
            Room::At(until) => return Turn::NotBefore(until),
            Room::AfterAnAnswer => return Turn::AfterAnAnswer,
            Room::Now => {}
        }
        if let Some(Err(until)) = self.ceiling.as_ref().map(|ceiling| ceiling.take(now)) {
            return Turn::NotBefore(until);
        }
        if let Model::Bucket(bucket) = &mut self.model {
            bucket.spend(now);
        }
        Turn::Go(Ticket { id: self.sends.sent(now), epoch: self.epoch })
    }

    /// Gives a place back.
    pub fn answered(&mut self, ticket: Ticket, answer: Answer, now: Instant, rng: &mut SeededRng) {
        let current = ticket.epoch == self.epoch;
        let Answer::Refused(retry_after) = answer else {
            self.sends.admitted(ticket.id, now);
            if current && self.episode.is_none() {
                self.admitted();
            }
            return;
        };
        let decided = self.sends.refused(ticket.id, now);
        let named = retry_after.and_then(RetryAfter::wait);
        if current && self.episode.is_none() {
            self.unexplained = if named.is_some() { 0 } else { self.unexplained + 1 };
        }
        let pause = named.unwrap_or_else(|| self.own_pause(rng)).max(SHORTEST_PAUSE);
        self.silent_until = self.silent_until.max(now + pause);
        if current {
            let episode = self.episode.get_or_insert_with(|| Episode::begin(decided));
            episode.refused(decided, named);
        }
    }

    fn admitted(&mut self) {
        self.width = (self.width + WIDER_BY).min(self.concurrency);
        match &mut self.model {
            Model::Free => {}
            Model::Window(window) => window.admitted(&self.sends),
            Model::Bucket(bucket) => bucket.admitted(),
        }
    }

    /// The pause is over: what has it taught?
    fn learn(&mut self, episode: &Episode, now: Instant) {
        self.epoch += 1;
        self.width = (self.concurrency / 2).clamp(1, WIDTH_AFTER_A_PAUSE);
        match (&mut self.model, episode.long(), episode.reset) {
            (Model::Window(window), _, Some(reset)) => {
                if !window.refused(episode.began, reset, &self.sends) {
                    self.model = Model::Bucket(Bucket::found_empty(episode.began));
                }
            }
            (Model::Free, Some(reset), _) => self.model = Model::Window(Window::from_first(reset, &self.sends, now)),
            // A window that was first met near its end looked like a bucket.
            (Model::Bucket(_), Some(reset), _) => {
                let window = match self.last_reset {
                    Some(before) => Window::between(before, reset, &self.sends),
                    None => Window::from_first(reset, &self.sends, now),
                };
                self.model = Model::Window(window);
            }
            (Model::Bucket(bucket), None, _) => {
                bucket.refused(episode.began, &self.sends, now, self.concurrency);
            }
            (Model::Free | Model::Window(_), None, _) | (Model::Window(_), Some(_), None) => {
                self.model = Model::Bucket(Bucket::found_empty(episode.began));
            }
        }
        self.last_reset = match &self.model {
            Model::Window(window) => Some(window.reset()),
            _ => episode.reset.or(self.last_reset),
        };
    }

    /// Exponential with full jitter, and never quite zero.
    fn own_pause(&self, rng: &mut SeededRng) -> Duration {
        let bound = FIRST_PAUSE.saturating_mul(1 << self.unexplained.clamp(1, 10)).min(LONGEST_PAUSE);
        bound / 4 + rng.full_jitter(bound - bound / 4)
    }
}
