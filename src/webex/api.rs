//! The API as a transport: one call sends one request.

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::ApiError;

/// Turns a response into a value or an error. It runs where the token is redacted from errors.
pub type ResponseReader<'a> = Box<dyn FnOnce(&ResponseHead, &[u8], Timestamp) -> Result<(), ApiError> + 'a>;

/// The API of one organization. One call is one HTTP request, but for lists that are returned in pages: no waiting, no
/// retry. What can be requested is in `calls`.
#[async_trait(?Send)]
pub trait DectApi {
    /// Sends a request and passes the response to `read`.
    async fn send(&self, request: ApiRequest, read: ResponseReader<'_>) -> Result<(), ApiError>;

    /// Obtains a new access token after one was rejected, if the credentials allow it. Concurrent calls share one request
    /// and its result.
    async fn refresh_token(&self) -> Result<TokenRefresh, ApiError>;
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// What it is for, in errors: "updating a DECT network".
    pub purpose: &'static str,
    pub method: Method,
    /// The segments of the path, not encoded. None of them is ever empty: an empty one would turn the path of one thing
    /// into that of the collection.
    pub path: Vec<String>,
    pub query: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<Vec<u8>>,
    /// The field with the items, if the response is a list that may be returned in pages.
    pub list: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl ApiRequest {
    /// The segment that no path may have: an empty one, or one that a URL would resolve.
    pub fn invalid_segment(&self) -> Option<&str> {
        self.path.iter().map(String::as_str).find(|segment| segment.trim().is_empty() || matches!(*segment, "." | ".."))
    }
}

/// Status and relevant headers of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    pub status: u16,
    /// The header `trackingid`.
    pub tracking_id: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The header `Date`.
    pub date: Option<String>,
    /// The headers `Link`, joined by commas.
    pub link: Option<String>,
    /// The names of all headers.
    pub header_names: Vec<String>,
}

/// A response as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawResponse {
    pub status: u16,
    pub header_names: Vec<String>,
    pub body: Vec<u8>,
}

/// How a write was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteAck {
    /// Applied: any 2xx except 202.
    Applied,
    /// Accepted (202): reading the network shows when it is applied.
    Accepted,
}

/// The result of one item of a request about several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemResult {
    /// What the item is called: the MAC address of a base station, or the name of a handset.
    pub item: String,
    /// Its own HTTP status.
    pub status: u16,
    pub id: Option<String>,
    /// Why it was refused; empty if the response does not say.
    pub message: String,
    /// The error code of Webex, if the response has one.
    pub code: Option<u32>,
}

impl ItemResult {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    /// A new token is available; the request can be retried.
    Refreshed,
    NotRefreshable,
}

/// An organization that a token reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenOwner {
    pub name: Option<String>,
    pub email: Option<String>,
    pub org: Option<String>,
}
