//! The pacer: asked before every request, told of every answer.

use std::time::Duration;

use super::ceiling::{Ceiling, Rate};
use crate::time::{Chance, Moment};
use crate::webex::RetryAfter;

/// Whether a request may go.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may; the ticket comes back with the answer.
    Go(Ticket),
    /// Not before this moment.
    NotBefore(Moment),
    /// Not before an answer has come.
    AfterAnAnswer,
}

/// The permission to send one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    sent: Moment,
}

/// How a request was answered, as far as a limiter is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was let in and used quota, whatever came of it.
    Admitted,
    /// 429.
    Refused(Option<RetryAfter>),
    /// No answer: nobody knows.
    Lost,
}

/// Decides when the next request may go.
#[derive(Debug)]
pub struct Pacer {
    concurrency: usize,
    in_flight: usize,
    /// How many may be in the air after a pause; grows with every success.
    width: usize,
    ceiling: Option<Ceiling>,
    silent_until: Moment,
    refusals_in_a_row: u32,
}

/// The first pause after a 429 that names none.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a 429 that names none.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Pacer {
    /// At most `concurrency` requests in the air, never faster than `ceiling`.
    pub fn new(concurrency: usize, ceiling: Option<Rate>) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            concurrency,
            in_flight: 0,
            width: concurrency,
            ceiling: ceiling.and_then(Ceiling::new),
            silent_until: Moment::START,
            refusals_in_a_row: 0,
        }
    }

    /// Until when everybody must be silent, if that is later than `now`.
    pub fn paused_until(&self, now: Moment) -> Option<Moment> {
        (self.silent_until > now).then_some(self.silent_until)
    }

    /// Asks for a place.
    pub fn ask(&mut self, now: Moment) -> Turn {
        if self.silent_until > now {
            return Turn::NotBefore(self.silent_until);
        }
        if self.in_flight >= self.width {
            return Turn::AfterAnAnswer;
        }
        if let Some(Err(until)) = self.ceiling.as_ref().map(|ceiling| ceiling.take(now)) {
            return Turn::NotBefore(until);
        }
        self.in_flight += 1;
        Turn::Go(Ticket { sent: now })
    }

    /// Gives a place back.
    pub fn answered(&mut self, ticket: Ticket, answer: Answer, now: Moment, chance: &mut Chance) {
        self.in_flight -= 1;
        match answer {
            Answer::Admitted => {
                self.width = (self.width + 1).min(self.concurrency);
                if ticket.sent >= self.silent_until {
                    self.refusals_in_a_row = 0;
                }
            }
            Answer::Refused(retry_after) => {
                if ticket.sent >= self.silent_until {
                    self.refusals_in_a_row += 1;
                }
                let pause = retry_after.and_then(RetryAfter::wait).unwrap_or_else(|| self.own_pause(chance));
                self.silent_until = self.silent_until.max(now + pause);
                self.width = 1;
            }
            Answer::Lost => {}
        }
    }

    /// Exponential with full jitter, and never quite zero.
    fn own_pause(&self, chance: &mut Chance) -> Duration {
        let bound = FIRST_PAUSE.saturating_mul(1 << self.refusals_in_a_row.clamp(1, 10)).min(LONGEST_PAUSE);
        bound / 4 + chance.up_to(bound - bound / 4)
    }
}
