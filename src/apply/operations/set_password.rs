//! `PUT …/serviceabilityPassword`, which can reboot the entire network: a lost response is settled by reads, and it is never sent
//! again for that.

use std::time::Duration;

use super::spec::{OperationRequest, OperationSpec, Response, unknown};
use crate::apply::confirm;
use crate::apply::context::RunContext;
use crate::client::SendError;
use crate::model::PasswordStatus;
use crate::plan::model::ResourceState;
use crate::webex::calls::{self, Call};

pub(super) struct SetServiceabilityPassword;

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

    fn observation_time(&self, _run: &RunContext<'_>) -> Option<Duration> {
        Some(confirm::POLL_INTERVALS.into_iter().sum())
    }
}
