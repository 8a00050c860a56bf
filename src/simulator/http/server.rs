//! Maps HTTP requests to operations of the simulated organization.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LINK, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::connection::{CloseHandle, Connections};
use crate::runtime::Instant;
use crate::simulator::{Operation, Query, Request, RequestFault, SimulatedOrganization, SimulatedResponse};

/// Size limit of a request body.
const MAX_BODY_LEN: usize = 1 << 20;

/// A body that is too large is drained up to this size, since a client that is still writing does not read the response.
const MAX_DRAINED_LEN: usize = 1 << 26;

const TRACKING_ID: HeaderName = HeaderName::from_static("trackingid");

#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    listener: tokio::net::TcpListener,
    state: AppState,
}

/// A simulated organization shared with its owner.
pub type SharedOrganization = Arc<Mutex<SimulatedOrganization>>;

#[derive(Clone, Debug)]
struct AppState {
    simulated: SharedOrganization,
    /// Additional organizations by id.
    others: Arc<BTreeMap<String, SharedOrganization>>,
    clock: ServerClock,
    base: Arc<str>,
}

/// The clock of a server: time since its start.
#[derive(Clone, Copy, Debug)]
pub struct ServerClock(tokio::time::Instant);

impl ServerClock {
    pub fn now(self) -> Instant {
        Instant::from_elapsed(self.0.elapsed())
    }
}

impl Server {
    /// Listens on loopback; port 0 takes any free one.
    ///
    /// # Errors
    /// If the port cannot be bound.
    pub async fn bind(simulated: SharedOrganization, port: u16) -> io::Result<Self> {
        Self::bind_organizations(simulated, BTreeMap::new(), port).await
    }

    /// Like [`Self::bind`], with additional organizations, selected by `orgId`. All of them accept the same tokens.
    ///
    /// # Errors
    /// If the port cannot be bound.
    pub async fn bind_organizations(
        simulated: SharedOrganization,
        others: BTreeMap<String, SharedOrganization>,
        port: u16,
    ) -> io::Result<Self> {
        let tokens = lock(&simulated).tokens();
        for other in others.values() {
            lock(other).share_tokens(tokens.clone());
        }
        lock(&simulated).set_others(others.keys().cloned().collect());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let base = format!("http://{address}/v1").into();
        let clock = ServerClock(tokio::time::Instant::now());
        Ok(Self { address, listener, state: AppState { simulated, others: Arc::new(others), clock, base } })
    }

    /// The value for `--api-url`.
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub const fn clock(&self) -> ServerClock {
        self.state.clock
    }

    /// Serves until the future is dropped.
    ///
    /// # Errors
    /// If accepting connections fails.
    pub async fn serve(self) -> io::Result<()> {
        let router = Router::new().fallback(handle_request).with_state(self.state).layer(from_fn(close));
        let service = router.into_make_service_with_connect_info::<CloseHandle>();
        axum::serve(Connections(self.listener), service).await
    }
}

/// Entry point of every request, so that each one is counted, rate limited and logged.
async fn handle_request(Shared(state): Shared<AppState>, request: HttpRequest) -> Response {
    let (head, body) = request.into_parts();
    let (path, query) = (head.uri.path(), Query::of(head.uri.query().unwrap_or_default()));
    if let Some(what) = path.strip_prefix("/__simulator/") {
        return state.introspection(what, &query);
    }
    let operation = match to_bytes(body, MAX_DRAINED_LEN).await {
        Ok(body) if body.len() <= MAX_BODY_LEN => Operation::parse(head.method.as_str(), path, &query, body.into()),
        Ok(_) | Err(_) => Operation::Unknown(413),
    };
    let text = |name: &HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Request {
        operation,
        token: text(&AUTHORIZATION).as_deref().and_then(bearer),
        tracking_id: text(&TRACKING_ID),
        method: head.method.as_str().to_owned().into(),
        target: head.uri.to_string(),
    };
    state.answer(request, &query).await
}

/// The token of an `Authorization` header; scheme names are case-insensitive (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<String> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}

impl AppState {
    async fn answer(&self, mut request: Request, query: &Query) -> Response {
        // An unknown organization is not found; everything else is unchanged.
        let served = match self.organization(query) {
            Some(served) => served.clone(),
            None => {
                request.operation = Operation::Unknown(404);
                self.simulated.clone()
            }
        };
        let in_flight = lock(&served).begin_request(&request, self.clock.now());
        let _at_work = InFlightGuard { served: served.clone(), number: in_flight.number };
        tokio::time::sleep(in_flight.outbound).await;
        let answer = lock(&served).handle(&request, &in_flight, self.clock.now());
        let Some(answer) = answer else {
            if in_flight.fault == RequestFault::NoResponse {
                std::future::pending::<()>().await;
            }
            return close_connection();
        };
        tokio::time::sleep(in_flight.inbound).await;
        lock(&served).response_delivered(in_flight.number);
        self.response(answer, query)
    }

    /// The organization of a query; the default one has an id, too.
    fn organization(&self, query: &Query) -> Option<&SharedOrganization> {
        match query.get("orgId") {
            // With a single organization, its id is optional.
            Some(id) if !self.others.is_empty() => match self.others.get(&id) {
                Some(other) => Some(other),
                None => (lock(&self.simulated).id() == id).then_some(&self.simulated),
            },
            _ => Some(&self.simulated),
        }
    }

    /// A document about an organization, for test assertions.
    fn introspection(&self, what: &str, query: &Query) -> Response {
        let document = self.organization(query).and_then(|served| {
            let simulated = lock(served);
            match what {
                "counts" => Some(counts(&simulated)),
                "requests" => Some(simulated.requests()),
                "violations" => Some(simulated.violations()),
                _ => None,
            }
        });
        let status = if document.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let document = document.unwrap_or_else(|| json!({ "message": "unknown document or organization" }));
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn response(&self, answer: SimulatedResponse, query: &Query) -> Response {
        let SimulatedResponse { status, tracking_id, retry_after, next, body, is_cut } = answer;
        if is_cut && body.is_empty() {
            return close_connection();
        }
        let content = if body.starts_with(b"<") { "text/html" } else { "application/json" };
        let length = body.len();
        let mut response = Response::new(if is_cut { half(body) } else { Body::from(body) });
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let next = next.map(|start| {
            format!("<{}/locations?{}>; rel=\"next\"", self.base, query.with("start", &start.to_string()))
        });
        let headers = [
            (TRACKING_ID, Some(tracking_id)),
            (CONTENT_TYPE, (length > 0).then(|| content.to_owned())),
            (CONTENT_LENGTH, is_cut.then(|| length.to_string())),
            (RETRY_AFTER, retry_after),
            (LINK, next),
        ];
        for (name, value) in headers {
            if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn counts(simulated: &SimulatedOrganization) -> Value {
    let counters = simulated.counters();
    json!({
        "requests": counters.requests,
        "lists": counters.lists,
        "writes": counters.writes,
        "refused": counters.refused,
        "locked": counters.locked,
        "conflicts": counters.conflicts,
        "insideRetryAfter": counters.inside_retry_after,
        "maxInFlight": counters.max_in_flight,
        "granted": counters.granted,
    })
}

/// A body that breaks off in the middle.
fn half(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let rest = async {
        // Flush what was sent so far.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    Body::from_stream(stream::once(async { Ok(Bytes::from(body)) }).chain(stream::once(rest)))
}

fn lock(served: &SharedOrganization) -> MutexGuard<'_, SimulatedOrganization> {
    served.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Placeholder for a response that is never sent.
#[derive(Clone, Copy)]
struct CloseConnection;

/// No response: the connection is reset.
fn close_connection() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(CloseConnection);
    response
}

/// Resets the connection of a request without a response.
async fn close(ConnectInfo(close_handle): ConnectInfo<CloseHandle>, request: HttpRequest, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<CloseConnection>().is_some() {
        close_handle.close();
    }
    response
}

/// An in-flight request; releases its lock when it is answered or the client disconnects.
struct InFlightGuard {
    served: SharedOrganization,
    number: u64,
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        lock(&self.served).end_request(self.number);
    }
}
