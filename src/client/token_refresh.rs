//! Token refresh: one new token for all requests that were rejected with the old one.

use std::pin::pin;

use futures::future::{Either, select};

use super::api_client::ApiClient;
use super::request::{AttemptState, RefreshOutcome, RequestContext, SendError};
use super::retry::backoff_delay;
use crate::webex::{ErrorClass, TokenRefresh};

/// A request that is rejected with a new token as well will not succeed with the next one.
const MAX_TOKEN_REJECTIONS: u32 = 2;

impl ApiClient {
    /// Refreshes the token once for all requests that were rejected with the old one.
    pub(super) async fn refresh_token_once(
        &self,
        context: RequestContext<'_>,
        state: &mut AttemptState,
    ) -> RefreshOutcome {
        state.token_rejections += 1;
        if state.token_rejections > MAX_TOKEN_REJECTIONS {
            return RefreshOutcome::Unavailable;
        }
        let _alone = self.refresh_lock.lock().await;
        if self.token_generation.get() > state.token_generation {
            // Another request has refreshed it since this one was sent.
            return RefreshOutcome::Refreshed;
        }
        match self.new_token(context).await {
            Ok(TokenRefresh::Refreshed) => {
                self.token_generation.set(self.token_generation.get() + 1);
                RefreshOutcome::Refreshed
            }
            Ok(TokenRefresh::NotRefreshable) => RefreshOutcome::Unavailable,
            Err(SendError::Cancelled) => RefreshOutcome::Cancelled,
            Err(SendError::Failed(error)) => RefreshOutcome::Failed(error),
        }
    }

    /// Acquires a token from its source.
    ///
    /// # Errors
    /// If no attempt succeeded, or a shutdown was requested first.
    pub async fn acquire_token(&self) -> Result<TokenRefresh, SendError> {
        self.new_token(RequestContext::QUIET).await
    }

    /// A token for a request; cleanup after a shutdown may need one, too.
    async fn new_token(&self, context: RequestContext<'_>) -> Result<TokenRefresh, SendError> {
        let mut attempts = 0;
        loop {
            let error = match select(self.api.refresh_token(), pin!(self.stopped(context.priority))).await {
                Either::Left((Ok(renewal), _)) => return Ok(renewal),
                Either::Left((Err(error), _)) => error,
                Either::Right(_) => return Err(SendError::Cancelled),
            };
            attempts += 1;
            let again = matches!(error.class, ErrorClass::Transient | ErrorClass::RateLimited);
            let wait = backoff_delay(attempts, error.retry_after, &mut self.rng.borrow_mut());
            if !again || attempts >= self.retry_policy.max_attempts || wait > self.retry_policy.max_retry_after {
                return Err(SendError::Failed(error));
            }
            if let Either::Right(_) = select(self.clock.sleep(wait), pin!(self.stopped(context.priority))).await {
                return Err(SendError::Cancelled);
            }
        }
    }
}
