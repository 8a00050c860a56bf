//! Whose turn it is: a request waits here until the pacer lets it go, and gives its place back when it lands.

use std::pin::pin;

use futures::future::{Either, select};
use tracing::debug;

use super::call::{Call, GaveUp};
use super::pacer::{Answer, Ticket, Turn};
use super::sender::Sender;
use crate::webex::{ApiError, ErrorClass, MaybeApplied};

impl Sender {
    /// Waits until the pacer lets one more request go.
    pub(super) async fn turn(&self, call: Call<'_>, maybe_applied: MaybeApplied) -> Result<InFlight<'_>, GaveUp> {
        let _first_in_line = match select(pin!(self.queue.lock()), pin!(self.called_off(call, maybe_applied))).await {
            Either::Left((place, _)) => place,
            Either::Right(_) => return Err(self.not_sent(maybe_applied)),
        };
        loop {
            if self.is_called_off(call, maybe_applied) {
                return Err(self.not_sent(maybe_applied));
            }
            let now = self.clock.now();
            let turn = self.pacer.borrow_mut().ask(now);
            let until = match turn {
                Turn::Go(ticket) => return Ok(InFlight { sender: self, ticket: Some(ticket) }),
                Turn::NotBefore(until) if until.duration_since(now) > self.bounds.longest_pause => {
                    let words = "the API asks for a longer pause than is respected";
                    return Err(GaveUp::Failed(ApiError::no_response(ErrorClass::RateLimited, words, maybe_applied)));
                }
                Turn::NotBefore(until) => {
                    debug!(wait_ms = until.duration_since(now).as_millis() as u64, "waiting for the pace");
                    Some(until)
                }
                Turn::AfterAnAnswer => None,
            };
            let heard = pin!(self.answers.notified());
            let called_off = pin!(self.called_off(call, maybe_applied));
            let woken = select(heard, called_off);
            match until {
                Some(until) => {
                    select(woken, self.clock.sleep_until(until)).await;
                }
                None => {
                    woken.await;
                }
            }
        }
    }
}

/// A request in the air. However its wait ends, the pacer gets its place back.
pub(super) struct InFlight<'a> {
    sender: &'a Sender,
    ticket: Option<Ticket>,
}

impl InFlight<'_> {
    pub(super) fn landed<T>(mut self, answer: &Result<T, ApiError>) {
        let verdict = match answer {
            Ok(_) => Answer::Admitted,
            Err(error) => match (error.class, error.status) {
                (ErrorClass::RateLimited, _) => Answer::Refused(error.retry_after),
                (_, Some(_)) => Answer::Admitted,
                (_, None) => Answer::Lost,
            },
        };
        if matches!(verdict, Answer::Admitted) && !matches!(answer, Err(error) if error.class == ErrorClass::Transient)
        {
            self.sender.breaker.borrow_mut().works();
        }
        self.land(verdict);
    }

    fn land(&mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            let now = self.sender.clock.now();
            let before = self.sender.paused_until();
            self.sender.pacer.borrow_mut().answered(ticket, answer, now, &mut self.sender.rng.borrow_mut());
            if let Some(until) = self.sender.paused_until() {
                self.sender.count(|statistics| {
                    statistics.pauses += u64::from(before.is_none());
                    statistics.paused += until.duration_since(before.unwrap_or(now));
                });
            }
            self.sender.answers.notify_all();
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.land(Answer::Lost);
    }
}
