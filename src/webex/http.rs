//! The API over HTTP. Retries and redirects of reqwest are disabled: one call sends exactly one request.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Url};
use secrecy::ExposeSecret;
use tracing::info;

use super::api::{ApiRequest, DectApi, Method, ResponseHead, ResponseReader, TokenRefresh};
use super::credentials::{
    ServiceApp, SourceError, TokenResponse, TokenSource, TokenStore, read_token_file, run_token_command,
};
use super::error::{ApiError, ErrorClass, MaybeApplied};
use super::response;

const TRACKING_ID: HeaderName = HeaderName::from_static("trackingid");

/// Size limit of a list; 100,000 networks take about 48 MB.
const MAX_LIST_LEN: usize = 256 << 20;

/// Maximum number of pages of a list.
const MAX_PAGES: usize = 1_000;

/// Size limit of every other response.
const MAX_BODY_LEN: usize = 1 << 20;

/// Configuration of the HTTP client.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Base URL including the version path, e.g. `https://webexapis.com/v1`.
    pub base: String,
    /// Organization id, for tokens with access to several.
    pub org: Option<String>,
    pub source: TokenSource,
    /// Prefix of the tracking ids of this run.
    pub run: String,
    /// Additional trusted CA certificates (PEM).
    pub ca_certificates: Option<Vec<u8>>,
    pub connect_timeout: Duration,
    /// Idle timeout while reading a response.
    pub idle_timeout: Duration,
    /// Total timeout of a request for one network.
    pub request_timeout: Duration,
    /// Total timeout of the list.
    pub list_timeout: Duration,
}

impl HttpConfig {
    /// Default configuration for a base URL and a token source.
    pub fn new(base: impl Into<String>, source: TokenSource, run: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            org: None,
            source,
            run: run.into(),
            ca_certificates: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            list_timeout: Duration::from_secs(300),
        }
    }
}

/// Why the HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    #[error("invalid API address {0:?}; expected a URL such as https://webexapis.com/v1")]
    InvalidUrl(String),
    /// Credentials in the URL would be sent, and could appear in messages.
    #[error("the API address must not contain credentials; the token is sent in a header")]
    CredentialsInUrl,
    /// The token would be sent unencrypted.
    #[error("refusing to send a token to {0} over plain HTTP; use https (http is allowed for loopback only)")]
    PlainHttp(Url),
    #[error("cannot use the CA certificates: {0}")]
    Certificates(String),
    /// The system has no usable CA certificates.
    #[error("no CA certificates for https: {0}; install the package ca-certificates, or use --ca-file")]
    NoCertificates(String),
    /// The HTTP library failed to initialize.
    #[error("cannot initialize the HTTP client: {0}")]
    Client(String),
}

#[derive(Debug)]
pub struct HttpApi {
    client: Client,
    base: Url,
    config: HttpConfig,
    token_store: TokenStore,
    next_request: std::cell::Cell<u64>,
    /// Host, port and proxy, for errors.
    destination: String,
}

impl HttpApi {
    /// Creates the client; sends nothing.
    ///
    /// # Errors
    /// If the base URL is invalid or would send the token unencrypted to another host.
    pub fn new(config: HttpConfig) -> Result<Self, HttpSetupError> {
        let base = Url::parse(&config.base)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| HttpSetupError::InvalidUrl(config.base.clone()))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(HttpSetupError::CredentialsInUrl);
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(HttpSetupError::PlainHttp(base));
        }
        // Fails only if an earlier client of this process installed it.
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
        // Without TLS, the certificates of the system are not needed, and may be missing.
        if base.scheme() == "http" {
            builder = builder.tls_certs_only(std::iter::empty());
        }
        if let Some(pem) = &config.ca_certificates {
            let error = |error: reqwest::Error| HttpSetupError::Certificates(innermost_cause(&error));
            let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(error)?;
            if certificates.is_empty() {
                return Err(HttpSetupError::Certificates("the file contains no certificate".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| {
            let cause = innermost_cause(&error);
            if cause.to_ascii_lowercase().contains("certificate") {
                HttpSetupError::NoCertificates(cause)
            } else {
                HttpSetupError::Client(cause)
            }
        })?;
        let token_store = TokenStore::of(config.source.clone());
        let destination = destination(&base);
        Ok(Self { client, base, config, token_store, next_request: std::cell::Cell::new(1), destination })
    }

    fn url(&self, path: &[String]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        // The list of organizations is that of the token, whichever of them is meant.
        let is_list = path.first().is_some_and(|first| first == "organizations");
        if let Some(org) = self.config.org.as_ref().filter(|_| !is_list) {
            url.query_pairs_mut().append_pair("orgId", org);
        }
        url
    }

    /// Sends a request and reads the response with `read`. The token is redacted from every result, and every error
    /// has a tracking id.
    async fn call<T>(
        &self,
        request: HttpRequest<'_>,
        read: impl FnOnce(&ResponseHead, &[u8]) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let number = self.next_request.get();
        self.next_request.set(number + 1);
        let tracking_id = format!("{}_{number}", self.config.run);
        let sent = std::time::Instant::now();
        let took_ms = || sent.elapsed().as_millis() as u64;
        let answered = self.send(request, &tracking_id).await.and_then(|(head, body)| {
            let value = read(&head, &body)?;
            let tracking_id = head.tracking_id.map(|theirs| self.token_store.redact(theirs));
            info!(status = head.status, took_ms = took_ms(), tracking_id, "answered");
            Ok(value)
        });
        answered.map_err(|error| {
            let theirs = error.tracking_id.map(|theirs| self.token_store.redact(theirs));
            let message = self.token_store.redact(error.message);
            let error = ApiError { message, tracking_id: theirs.or(Some(tracking_id)), ..error }.truncated();
            info!(status = error.status, took_ms = took_ms(), tracking_id = error.tracking_id, reason = %error.message, "failed");
            error
        })
    }

    async fn send(&self, request: HttpRequest<'_>, tracking_id: &str) -> Result<(ResponseHead, BytesMut), ApiError> {
        let mut builder = self
            .client
            .request(request.method, request.url)
            .timeout(request.timeout)
            .header(ACCEPT, "application/json")
            .header(TRACKING_ID, tracking_id);
        builder = match request.body {
            // A token request carries no token.
            RequestBody::Form(form) => builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form),
            RequestBody::Nothing => builder.header(AUTHORIZATION, self.authorization()?),
            RequestBody::Json(json) => {
                builder.header(AUTHORIZATION, self.authorization()?).header(CONTENT_TYPE, "application/json").body(json)
            }
        };
        let mut response =
            builder.send().await.map_err(|error| transport_error(&error, request.what, &self.destination))?;
        let mut head = read_head(response.status().as_u16(), response.headers());
        head.tracking_id.get_or_insert_with(|| tracking_id.to_owned());
        let mut body = BytesMut::with_capacity(response.content_length().unwrap_or(0).min(1 << 26) as usize);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= request.max_body_len => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    return Err(ApiError::no_response(
                        ErrorClass::Permanent,
                        "response exceeds the maximum size",
                        MaybeApplied::Unknown,
                    ));
                }
                Ok(None) => return Ok((head, body)),
                Err(error) => {
                    return Err(ApiError {
                        status: Some(head.status),
                        tracking_id: head.tracking_id,
                        applied: MaybeApplied::Unknown,
                        ..transport_error(&error, "reading the response", &self.destination)
                    });
                }
            }
        }
    }
}

struct HttpRequest<'a> {
    what: &'a str,
    method: reqwest::Method,
    url: Url,
    body: RequestBody,
    timeout: Duration,
    max_body_len: usize,
}

enum RequestBody {
    Nothing,
    Json(Vec<u8>),
    Form(String),
}

#[async_trait(?Send)]
impl DectApi for HttpApi {
    async fn send(&self, request: ApiRequest, read: ResponseReader<'_>) -> Result<(), ApiError> {
        let list = request.list;
        let request = self.http_request(request)?;
        let (first, purpose) = (request.url.clone(), request.what);
        let mut read = Some(read);
        let mut read_all = |head: &ResponseHead, body: &[u8]| match read.take() {
            Some(read) => read(head, body, Timestamp::now()),
            None => Ok(()),
        };
        let paged = |head: &ResponseHead| {
            let key = list.filter(|_| (200..300).contains(&head.status))?;
            Some((key, next_page(head)?))
        };
        let more = self.call(request, |head, body| match paged(head) {
            Some((key, next)) => Ok(Some((key, body.to_vec(), next))),
            None => read_all(head, body).map(|()| None),
        });
        let Some((key, body, next)) = more.await? else { return Ok(()) };
        let head = ResponseHead { status: 200, ..ResponseHead::default() };
        read_all(&head, &self.join_with_next(purpose, key, first, body, next).await?)
    }

    async fn refresh_token(&self) -> Result<TokenRefresh, ApiError> {
        let none =
            |error: SourceError| ApiError::no_response(ErrorClass::Unauthorized, error.to_string(), MaybeApplied::No);
        let is_new = match self.token_store.source() {
            TokenSource::Literal { .. } => false,
            TokenSource::File(path) => self.token_store.take(read_token_file(&path).await.map_err(none)?),
            TokenSource::Command(command) => self.token_store.take(run_token_command(&command).await.map_err(none)?),
            TokenSource::ServiceApp(app) => self.token_store.accept_response(self.exchange(&app).await?),
        };
        Ok(if is_new { TokenRefresh::Refreshed } else { TokenRefresh::NotRefreshable })
    }
}

impl HttpApi {
    /// Expiry of the token, if known.
    pub fn token_expires(&self) -> Option<Timestamp> {
        self.token_store.expires()
    }

    /// Exchanges a refresh token for an access token.
    async fn exchange(&self, app: &ServiceApp) -> Result<TokenResponse, ApiError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("access_token");
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", app.client_id.as_str()),
            ("client_secret", app.client_secret.expose_secret()),
            ("refresh_token", app.refresh_token.expose_secret()),
        ];
        // A URL query is encoded like a form.
        let mut encoder = Url::parse("form:").map_err(|_| self.no_token())?;
        encoder.query_pairs_mut().extend_pairs(form);
        let request = HttpRequest {
            what: "requesting an access token for the service app",
            method: reqwest::Method::POST,
            url,
            body: RequestBody::Form(encoder.query().unwrap_or_default().to_owned()),
            timeout: self.config.request_timeout,
            max_body_len: MAX_BODY_LEN,
        };
        self.call(request, |head, body| response::parse_token_response(head, body, Timestamp::now())).await
    }

    fn authorization(&self) -> Result<reqwest::header::HeaderValue, ApiError> {
        self.token_store.header().ok_or_else(|| self.no_token())
    }

    fn no_token(&self) -> ApiError {
        ApiError::no_response(ErrorClass::Permanent, "the token cannot be sent in a header", MaybeApplied::No)
    }

    /// The request as it is sent.
    fn http_request(&self, request: ApiRequest) -> Result<HttpRequest<'static>, ApiError> {
        if let Some(segment) = request.invalid_segment() {
            let message = format!("refusing to send a request with an invalid id {segment:?} in its path");
            return Err(ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No));
        }
        let mut url = self.url(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(HttpRequest {
            what: request.purpose,
            method: match request.method {
                Method::Get => reqwest::Method::GET,
                Method::Put => reqwest::Method::PUT,
                Method::Post => reqwest::Method::POST,
                Method::Delete => reqwest::Method::DELETE,
            },
            url,
            body: request.body.map_or(RequestBody::Nothing, RequestBody::Json),
            timeout: if request.list.is_some() { self.config.list_timeout } else { self.config.request_timeout },
            max_body_len: if request.list.is_some() { MAX_LIST_LEN } else { MAX_BODY_LEN },
        })
    }

    /// Reads the pages after the first one and joins all of them into one body. The API documents no pages for most lists,
    /// but a page that is not read would make what is on it invisible.
    async fn join_with_next(
        &self,
        what: &'static str,
        key: &str,
        mut current: Url,
        first: Vec<u8>,
        next: String,
    ) -> Result<Vec<u8>, ApiError> {
        let invalid = |message: &str| ApiError::no_response(ErrorClass::Permanent, message, MaybeApplied::No);
        let mut total = first.len();
        let mut pages = vec![first];
        let mut next = Some(next);
        while let Some(target) = next.take() {
            let url = current.join(&target).ok().filter(|url| url.origin() == self.base.origin()).ok_or_else(|| {
                invalid("the next page of the list is on another server (not followed, to protect the token)")
            })?;
            if url == current {
                return Err(invalid("a page of the list links to itself as the next one"));
            }
            if pages.len() == MAX_PAGES {
                return Err(invalid("the list has more than 1000 pages"));
            }
            current = url.clone();
            let request = HttpRequest {
                what,
                method: reqwest::Method::GET,
                url,
                body: RequestBody::Nothing,
                timeout: self.config.list_timeout,
                max_body_len: MAX_LIST_LEN,
            };
            let read = |head: &ResponseHead, body: &[u8]| {
                response::success(head, body, Timestamp::now())?;
                Ok((body.to_vec(), next_page(head)))
            };
            let (body, after) = self.call(request, read).await?;
            total += body.len();
            if total > MAX_LIST_LEN {
                return Err(invalid("response exceeds the maximum size"));
            }
            pages.push(body);
            next = after;
        }
        response::join_pages(key, &pages)
    }
}

fn next_page(head: &ResponseHead) -> Option<String> {
    head.link.as_deref().and_then(response::next_page).map(str::to_owned)
}

fn read_head(status: u16, headers: &HeaderMap) -> ResponseHead {
    let text = |name: &HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    ResponseHead {
        status,
        tracking_id: text(&TRACKING_ID),
        retry_after: text(&RETRY_AFTER),
        date: text(&reqwest::header::DATE),
        link: {
            let links: Vec<&str> =
                headers.get_all(reqwest::header::LINK).iter().filter_map(|link| link.to_str().ok()).collect();
            (!links.is_empty()).then(|| links.join(", "))
        },
        header_names: headers.keys().map(|name| name.as_str().to_owned()).collect(),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Host and port of the API and, if there is one, of the proxy, without credentials.
fn destination(base: &Url) -> String {
    let host_and_port = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    };
    let variables: &[&str] = if base.scheme() == "https" {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let proxy = variables.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.trim().is_empty());
    let proxy = proxy.filter(|_| !is_loopback(base)).and_then(|text| {
        let text = if text.contains("://") { text } else { format!("http://{text}") };
        Url::parse(&text).ok()
    });
    match proxy {
        Some(proxy) => format!("{} via proxy {}", host_and_port(base), host_and_port(&proxy)),
        None => host_and_port(base),
    }
}

/// Converts a request without a complete response into an error.
fn transport_error(error: &reqwest::Error, what: &str, destination: &str) -> ApiError {
    let cause = innermost_cause(error);
    let applied = if error.is_connect() || error.is_builder() { MaybeApplied::No } else { MaybeApplied::Unknown };
    // A retry does not make a certificate valid, nor a proxy accept the same credentials.
    let rejected_by_proxy = cause.contains("proxy auth") || cause.contains("407");
    let class = if error.is_builder()
        || cause.contains("certificate")
        || cause.contains("InvalidContentType")
        || rejected_by_proxy
    {
        ErrorClass::Permanent
    } else {
        ErrorClass::Transient
    };
    // What a server answers that knows no TLS looks like a damaged record.
    let is_plain = cause.contains("InvalidContentType");
    let cause = if is_plain {
        "the server does not speak TLS on this port; use http:// or another port".to_owned()
    } else {
        cause
    };
    let cause = if error.is_timeout() { "request timed out".to_owned() } else { cause };
    let reason = if error.is_connect() || error.is_timeout() { format!("{cause} ({destination})") } else { cause };
    let reason =
        if rejected_by_proxy { format!("{reason}; set the user and password of the proxy in its URL") } else { reason };
    ApiError::no_response(class, format!("{what}: {reason}"), applied)
}

/// Returns the innermost causes; the outer ones repeat the address.
fn innermost_cause(error: &dyn std::error::Error) -> String {
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
