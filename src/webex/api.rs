//! The operations that everything else is built on.

use futures::future::LocalBoxFuture;

use super::error::ApiError;
use crate::model::{LiveState, LocationId, Network, NetworkId, Settings};

pub type ApiFuture<'a, T> = LocalBoxFuture<'a, Result<T, ApiError>>;

/// The DECT networks of one organization. One call is one HTTP request: nobody waits, nothing is tried again.
pub trait DectApi {
    /// Reads every network of the organization ("Get the List of DECT Networks for an organization").
    fn list(&self) -> ApiFuture<'_, LiveState>;

    /// The same, byte by byte as it was sent, once it is clear that it is a list.
    fn list_raw(&self) -> ApiFuture<'_, Vec<u8>>;

    /// Reads one network ("Get DECT Network Details").
    fn get<'a>(&'a self, location: &'a LocationId, network: &'a NetworkId) -> ApiFuture<'a, Network>;

    /// Replaces the settings of one network ("Update DECT Network"). It is not a patch, so `settings` are all four.
    fn update<'a>(
        &'a self,
        location: &'a LocationId,
        network: &'a NetworkId,
        settings: &'a Settings,
    ) -> ApiFuture<'a, UpdateAck>;

    /// Gets a new access token after one was refused, if the credentials can. Calls that come while one is under way
    /// share its answer.
    fn refresh_token(&self) -> ApiFuture<'_, TokenRefresh>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateAck {
    /// It is done: any 2xx but 202.
    Applied,
    /// It will be done (202): only reading tells when.
    Accepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    /// There is: the request may be sent again.
    Refreshed,
    NotRefreshable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenOwner {
    pub name: Option<String>,
    pub email: Option<String>,
    pub org: Option<String>,
}
