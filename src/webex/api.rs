//! The API operations as a trait.

use futures::future::LocalBoxFuture;

use super::error::ApiError;
use crate::model::{LiveState, LocationId, Network, NetworkId, Settings};

pub type ApiFuture<'a, T> = LocalBoxFuture<'a, Result<T, ApiError>>;

/// The DECT networks of one organization. One call is one HTTP request: no waiting, no retry.
pub trait DectApi {
    /// Lists all networks of the organization ("Get the List of DECT Networks for an organization").
    fn list(&self) -> ApiFuture<'_, LiveState>;

    /// Returns the list exactly as received, once it has been checked to be a list.
    fn list_raw(&self) -> ApiFuture<'_, Vec<u8>>;

    /// Gets one network ("Get DECT Network Details").
    fn get<'a>(&'a self, location: &'a LocationId, network: &'a NetworkId) -> ApiFuture<'a, Network>;

    /// Replaces the settings of one network ("Update DECT Network"). This is not a patch, so all four settings are sent.
    fn update<'a>(
        &'a self,
        location: &'a LocationId,
        network: &'a NetworkId,
        settings: &'a Settings,
    ) -> ApiFuture<'a, UpdateAck>;

    /// Obtains a new access token after one was rejected, if the credentials allow it. Concurrent calls share one request
    /// and its result.
    fn refresh_token(&self) -> ApiFuture<'_, TokenRefresh>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateAck {
    /// Applied: any 2xx except 202.
    Applied,
    /// Accepted (202): reading the network shows when it is applied.
    Accepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    /// A new token is available; the request can be retried.
    Refreshed,
    NotRefreshable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenOwner {
    pub name: Option<String>,
    pub email: Option<String>,
    pub org: Option<String>,
}
