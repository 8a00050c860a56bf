//! The API over HTTP, on reqwest with its own retries and redirects off: what happens is what was asked for, once.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use futures::FutureExt;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Method, Url};
use tracing::info;

use super::answer::{self, Head};
use super::api::{Acceptance, DectApi, Renewal, Reply};
use super::credentials::Token;
use super::error::{Applied, CallError, ErrorClass};
use crate::model::{LocationId, Network, NetworkId, Organization, Settings};

const TRACKING_ID: HeaderName = HeaderName::from_static("trackingid");

/// The list of 100,000 networks has about 48 MB; this is what no honest answer exceeds.
const LARGEST_LIST: usize = 1 << 30;

/// The same for everything else, which is about one network.
const LARGEST_ANSWER: usize = 1 << 20;

/// Where the API is and how to speak to it.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The base with its version path, `https://webexapis.com/v1`.
    pub base: String,
    /// The organization, where the token may reach several.
    pub org: Option<String>,
    /// The token.
    pub token: Token,
    /// What every tracking id of this run begins with.
    pub run: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long the answer may be silent.
    pub idle_timeout: Duration,
    /// How long a read or write of one network may take in all.
    pub request_timeout: Duration,
    /// How long the list may take in all.
    pub list_timeout: Duration,
}

impl HttpConfig {
    /// The stated defaults, for a base and a token.
    pub fn new(base: impl Into<String>, token: Token, run: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            org: None,
            token,
            run: run.into(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            list_timeout: Duration::from_secs(300),
        }
    }
}

/// Why no request can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The base is no URL.
    #[error("the API address {0:?} is not a URL such as https://webexapis.com/v1")]
    NotAnAddress(String),
    /// A token would travel in the clear.
    #[error("the API address {0} is not https: a token is sent over plain http to this machine only")]
    Insecure(Url),
    /// The HTTP library cannot be set up.
    #[error("HTTP cannot be set up: {0}")]
    Client(String),
}

/// The API over HTTP.
#[derive(Debug)]
pub struct HttpApi {
    client: Client,
    base: Url,
    config: HttpConfig,
    next_request: std::cell::Cell<u64>,
}

impl HttpApi {
    /// Sets up connections; nothing is sent yet.
    ///
    /// # Errors
    /// If the base is no URL or would carry the token in the clear to another machine.
    pub fn new(config: HttpConfig) -> Result<Self, HttpSetupError> {
        let base = Url::parse(&config.base)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| HttpSetupError::NotAnAddress(config.base.clone()))?;
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(HttpSetupError::Insecure(base));
        }
        // Fails only if it was installed before, by an earlier client of this process.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("dectl/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.idle_timeout);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| HttpSetupError::Client(chain(&error)))?;
        Ok(Self { client, base, config, next_request: std::cell::Cell::new(1) })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if let Some(org) = &self.config.org {
            url.query_pairs_mut().append_pair("orgId", org);
        }
        url
    }

    /// Sends a request and reads its answer with `read`. Whatever comes back, the token is not in it, and what goes
    /// wrong has a tracking id.
    async fn call<T>(
        &self,
        request: Request<'_>,
        read: impl FnOnce(&Head, &[u8]) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let number = self.next_request.get();
        self.next_request.set(number + 1);
        let tracking_id = format!("{}_{number}", self.config.run);
        let sent = std::time::Instant::now();
        let took_ms = || sent.elapsed().as_millis() as u64;
        let answered = self.send(request, &tracking_id).await.and_then(|(head, body)| {
            let value = read(&head, &body)?;
            let tracking_id = head.tracking_id.map(|theirs| self.config.token.hidden_in(theirs));
            info!(status = head.status, took_ms = took_ms(), tracking_id, "answered");
            Ok(value)
        });
        answered.map_err(|mut error| {
            error.message = self.config.token.hidden_in(error.message);
            let tracking_id = match error.tracking_id.take() {
                Some(theirs) => self.config.token.hidden_in(theirs),
                None => tracking_id,
            };
            info!(status = error.status, took_ms = took_ms(), tracking_id, reason = %error.message, "failed");
            error.tracking_id = Some(tracking_id);
            error
        })
    }

    async fn send(&self, request: Request<'_>, tracking_id: &str) -> Result<(Head, BytesMut), CallError> {
        let authorization = self.config.token.header().ok_or_else(|| {
            CallError::unanswered(ErrorClass::Final, "the token cannot stand in a header", Applied::No)
        })?;
        let mut builder = self
            .client
            .request(request.method, request.url)
            .timeout(request.timeout)
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, "application/json")
            .header(TRACKING_ID, tracking_id);
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = builder.send().await.map_err(|error| lost(&error, request.what))?;
        let mut head = read_head(response.status().as_u16(), response.headers());
        head.tracking_id.get_or_insert_with(|| tracking_id.to_owned());
        let mut body = BytesMut::with_capacity(response.content_length().unwrap_or(0).min(1 << 26) as usize);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= request.largest_answer => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    return Err(CallError::unanswered(ErrorClass::Final, "the answer does not end", Applied::Perhaps));
                }
                Ok(None) => return Ok((head, body)),
                Err(error) => {
                    return Err(CallError {
                        status: Some(head.status),
                        tracking_id: head.tracking_id,
                        applied: Applied::Perhaps,
                        ..lost(&error, "reading the answer")
                    });
                }
            }
        }
    }
}

struct Request<'a> {
    what: &'a str,
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    timeout: Duration,
    largest_answer: usize,
}

impl DectApi for HttpApi {
    fn list(&self) -> Reply<'_, Organization> {
        self.call(self.list_request(), |head, body| answer::list(head, body, Timestamp::now())).boxed_local()
    }

    fn list_as_sent(&self) -> Reply<'_, Vec<u8>> {
        let read = |head: &Head, body: &[u8]| answer::list(head, body, Timestamp::now()).map(|_| body.to_vec());
        self.call(self.list_request(), read).boxed_local()
    }

    fn get<'a>(&'a self, location: &'a LocationId, network: &'a NetworkId) -> Reply<'a, Network> {
        let request = Request {
            what: "reading a DECT network",
            method: Method::GET,
            url: self.network_url(location, network),
            body: None,
            timeout: self.config.request_timeout,
            largest_answer: LARGEST_ANSWER,
        };
        self.call(request, |head, body| answer::network(head, body, Timestamp::now(), location)).boxed_local()
    }

    fn update<'a>(
        &'a self,
        location: &'a LocationId,
        network: &'a NetworkId,
        settings: &'a Settings,
    ) -> Reply<'a, Acceptance> {
        let request = Request {
            what: "updating a DECT network",
            method: Method::PUT,
            url: self.network_url(location, network),
            body: Some(answer::update_body(settings)),
            timeout: self.config.request_timeout,
            largest_answer: LARGEST_ANSWER,
        };
        self.call(request, |head, body| answer::update(head, body, Timestamp::now(), settings)).boxed_local()
    }

    fn renew(&self) -> Reply<'_, Renewal> {
        async { Ok(Renewal::Impossible) }.boxed_local()
    }
}

impl HttpApi {
    fn list_request(&self) -> Request<'static> {
        Request {
            what: "listing DECT networks",
            method: Method::GET,
            url: self.url(&["telephony", "config", "dectNetworks"]),
            body: None,
            timeout: self.config.list_timeout,
            largest_answer: LARGEST_LIST,
        }
    }

    fn network_url(&self, location: &LocationId, network: &NetworkId) -> Url {
        self.url(&["telephony", "config", "locations", location.as_str(), "dectNetworks", network.as_str()])
    }
}

fn read_head(status: u16, headers: &HeaderMap) -> Head {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(200).collect())
    };
    Head {
        status,
        tracking_id: text(&TRACKING_ID),
        retry_after: text(&RETRY_AFTER),
        date: text(&reqwest::header::DATE),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// A request that got no whole answer.
fn lost(error: &reqwest::Error, what: &str) -> CallError {
    let cause = chain(error);
    let applied = if error.is_connect() || error.is_builder() { Applied::No } else { Applied::Perhaps };
    // A certificate does not become valid by asking again.
    let class =
        if error.is_builder() || cause.contains("certificate") { ErrorClass::Final } else { ErrorClass::Transient };
    let reason = if error.is_timeout() { "no answer in time".to_owned() } else { cause };
    CallError::unanswered(class, format!("{what}: {reason}"), applied)
}

/// The innermost causes, which say what happened; the outer ones repeat the address.
fn chain(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    match &causes[..] {
        [] => error.to_string(),
        [.., before, last] if !before.contains(last.as_str()) => format!("{before}: {last}"),
        [.., last] => last.clone(),
    }
}
