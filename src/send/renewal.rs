//! A new token, once for everybody whose request was refused with the one before.

use std::pin::pin;

use futures::future::{Either, select};

use super::call::{Call, GaveUp, Progress, Renewed};
use super::retries::pause;
use super::sender::Sender;
use crate::webex::{ErrorClass, MaybeApplied, TokenRefresh};

/// A request whose new tokens are refused as well will not succeed with the next one.
const MAX_REFUSALS: u32 = 2;

impl Sender {
    /// One new token for everybody whose request was refused with the one before.
    pub(super) async fn renew(&self, call: Call<'_>, progress: &mut Progress) -> Renewed {
        progress.refused += 1;
        if progress.refused > MAX_REFUSALS {
            return Renewed::No;
        }
        let _alone = self.renewing.lock().await;
        if self.tokens.get() > progress.sent_with {
            // Somebody else has renewed it since this request was sent.
            return Renewed::Yes;
        }
        match self.new_token(call, progress.maybe_applied).await {
            Ok(TokenRefresh::Refreshed) => {
                self.tokens.set(self.tokens.get() + 1);
                Renewed::Yes
            }
            Ok(TokenRefresh::NotRefreshable) => Renewed::No,
            Err(GaveUp::NotSent) => Renewed::CalledOff,
            Err(GaveUp::Failed(error)) => Renewed::Refused(error),
        }
    }

    /// Gets a token from wherever it comes from.
    ///
    /// # Errors
    /// When no attempt succeeded, or a stop was asked for first.
    pub async fn sign_in(&self) -> Result<TokenRefresh, GaveUp> {
        self.new_token(Call::QUIET, MaybeApplied::No).await
    }

    /// A token for a call: whoever still goes home after a stop may need one.
    async fn new_token(&self, call: Call<'_>, maybe_applied: MaybeApplied) -> Result<TokenRefresh, GaveUp> {
        let mut attempts = 0;
        loop {
            let error = match select(self.api.refresh_token(), pin!(self.called_off(call, maybe_applied))).await {
                Either::Left((Ok(renewal), _)) => return Ok(renewal),
                Either::Left((Err(error), _)) => error,
                Either::Right(_) => return Err(GaveUp::NotSent),
            };
            attempts += 1;
            let again = matches!(error.class, ErrorClass::Transient | ErrorClass::RateLimited);
            let wait = pause(attempts, error.retry_after, &mut self.rng.borrow_mut());
            if !again || attempts >= self.bounds.max_attempts || wait > self.bounds.longest_pause {
                return Err(GaveUp::Failed(error));
            }
            if let Either::Right(_) = select(self.clock.sleep(wait), pin!(self.called_off(call, maybe_applied))).await {
                return Err(GaveUp::NotSent);
            }
        }
    }
}
