//! How serviceability passwords are enabled and disabled.

use std::time::Duration;

use super::calls;
use super::state::PasswordStatus;
use crate::apply::operation::{OperationRequest, OperationSpec, POLL_INTERVALS, Response, unknown};
use crate::client::{ApiClient, SendError};
use crate::plan::model::ResourceState;
use crate::webex::calls::Call;

/// `PUT …/serviceabilityPassword`, which can reboot the entire network: a lost response is settled by reads, and it is never sent
/// again for that.
pub(crate) struct SetServiceabilityPassword;

impl OperationSpec for SetServiceabilityPassword {
    fn call<'a>(&self, request: &OperationRequest<'a>) -> Result<Call<'a, Response>, SendError> {
        let is_enabled = match request.items[0].to.as_ref().and_then(ResourceState::serviceability_password) {
            Some(PasswordStatus::Enabled) => true,
            Some(PasswordStatus::Disabled) => false,
            Some(PasswordStatus::Unknown) | None => {
                return Err(unknown("the serviceability password is to be neither"));
            }
        };
        Ok(calls::set_serviceability_password(request.network()?, is_enabled).map(Response::Acknowledged))
    }

    fn observation_time(&self, _client: &ApiClient) -> Option<Duration> {
        Some(POLL_INTERVALS.into_iter().sum())
    }
}
