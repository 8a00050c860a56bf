//! Requests become operations of the simulated organization, answers become responses.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, RawQuery, State as Shared};
use axum::http::header::{CONTENT_TYPE, LINK, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};

use super::connection::{Breaker, Connections};
use crate::simulator::{Answer, Fate, Operation, Request, Simulated};
use crate::time::Moment;

/// A simulated organization that listens.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    listener: tokio::net::TcpListener,
    face: Face,
}

/// An organization that somebody else may look at and change meanwhile.
pub type Served = Arc<Mutex<Simulated>>;

#[derive(Clone, Debug)]
struct Face {
    simulated: Served,
    /// Organizations that are asked for by their id.
    others: Arc<BTreeMap<String, Served>>,
    start: tokio::time::Instant,
    base: Arc<str>,
}

impl Server {
    /// Listens on loopback; port 0 takes any free one.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn bind(simulated: Served, port: u16) -> io::Result<Self> {
        Self::bind_several(simulated, BTreeMap::new(), port).await
    }

    /// The same with more organizations, which are asked for by their id (`orgId`).
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn bind_several(simulated: Served, others: BTreeMap<String, Served>, port: u16) -> io::Result<Self> {
        let others = Arc::new(others);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let base = format!("http://{address}/v1").into();
        Ok(Self { address, listener, face: Face { simulated, others, start: tokio::time::Instant::now(), base } })
    }

    /// What to give as `--api-url`.
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Serves until the future is dropped.
    ///
    /// # Errors
    /// If connections cannot be accepted any more.
    pub async fn serve(self) -> io::Result<()> {
        let network = "/v1/telephony/config/locations/{location}/dectNetworks/{network}";
        let router = Router::new()
            .route("/v1/telephony/config/dectNetworks", get(list))
            .route("/v1/telephony/config/locations/{location}/dectNetworks", get(unknown).post(create))
            .route(network, get(read).put(update).delete(delete))
            .route("/v1/locations", get(locations))
            .route("/v1/people/me", get(me))
            .route("/v1/access_token", post(access_token))
            .route("/__simulator/counts", get(counts))
            .route("/__simulator/requests", get(requests))
            .route("/__simulator/broken", get(broken_expectations))
            .fallback(unknown)
            .with_state(self.face)
            .layer(from_fn(break_off));
        let service = router.into_make_service_with_connect_info::<Breaker>();
        axum::serve(Connections(self.listener), service).await
    }
}

async fn list(Shared(face): Shared<Face>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = Query::of(query);
    face.answer(Operation::List { location: query.get("locationId"), name: query.get("name") }, &headers, &query).await
}

async fn read(
    Shared(face): Shared<Face>,
    Path((location, network)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    face.answer(Operation::Get { location, network }, &headers, &Query::of(query)).await
}

async fn update(
    Shared(face): Shared<Face>,
    Path((location, network)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    face.answer(Operation::Update { location, network, body: body.to_vec() }, &headers, &Query::of(query)).await
}

async fn create(
    Shared(face): Shared<Face>,
    Path(location): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    face.answer(Operation::Create { location, body: body.to_vec() }, &headers, &Query::of(query)).await
}

async fn delete(
    Shared(face): Shared<Face>,
    Path((location, network)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    face.answer(Operation::Delete { location, network }, &headers, &Query::of(query)).await
}

async fn locations(Shared(face): Shared<Face>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = Query::of(query);
    let number = |name: &str, default| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let operation =
        Operation::Locations { name: query.get("name"), max: number("max", 100), start: number("start", 0) };
    face.answer(operation, &headers, &query).await
}

async fn me(Shared(face): Shared<Face>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    face.answer(Operation::Me, &headers, &Query::of(query)).await
}

async fn access_token(Shared(face): Shared<Face>, headers: HeaderMap, body: Bytes) -> Response {
    face.answer(Operation::AccessToken { form: body.to_vec() }, &headers, &Query::of(None)).await
}

async fn unknown(Shared(face): Shared<Face>, _method: Method, headers: HeaderMap) -> Response {
    face.answer(Operation::Unknown, &headers, &Query::of(None)).await
}

async fn counts(Shared(face): Shared<Face>, RawQuery(query): RawQuery) -> Response {
    face.control(&Query::of(query), |simulated| {
        let ledger = simulated.ledger();
        serde_json::json!({
            "requests": ledger.requests,
            "lists": ledger.lists,
            "writes": ledger.writes,
            "refused": ledger.refused,
            "locked": ledger.locked,
            "conflicts": ledger.conflicts,
            "insideRetryAfter": ledger.inside_retry_after,
            "granted": ledger.granted,
        })
    })
}

async fn requests(Shared(face): Shared<Face>, RawQuery(query): RawQuery) -> Response {
    face.control(&Query::of(query), Simulated::requests)
}

async fn broken_expectations(Shared(face): Shared<Face>, RawQuery(query): RawQuery) -> Response {
    face.control(&Query::of(query), Simulated::broken)
}

impl Face {
    async fn answer(&self, operation: Operation, headers: &HeaderMap, query: &Query) -> Response {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let token = text("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
        // An organization that is not here is asked for in vain, and everything else is as always.
        let served = self.organization(query);
        let operation = if served.is_some() { operation } else { Operation::Unknown };
        let served = served.unwrap_or(&self.simulated).clone();
        let request = Request { operation, token, tracking_id: text("trackingid") };
        let journey = lock(&served).sets_out(&request, self.now());
        let _writing = Writing::begin(served.clone(), request.clone());
        tokio::time::sleep(journey.there).await;
        let answer = lock(&served).arrives(&request, &journey, self.now());
        let Some(answer) = answer else {
            if journey.fate == Fate::Silence {
                std::future::pending::<()>().await;
            }
            return reset();
        };
        tokio::time::sleep(journey.back).await;
        self.response(answer)
    }

    fn organization(&self, query: &Query) -> Option<&Served> {
        match query.get("orgId") {
            // Whoever has one organization only need not know its id.
            Some(id) if !self.others.is_empty() => self.others.get(&id),
            _ => Some(&self.simulated),
        }
    }

    /// A document about an organization, for whoever asserts on it.
    fn control(&self, query: &Query, look: impl FnOnce(&Simulated) -> serde_json::Value) -> Response {
        let document = look(&lock(self.organization(query).unwrap_or(&self.simulated)));
        let mut response = Response::new(Body::from(document.to_string()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn response(&self, answer: Answer) -> Response {
        let content = if answer.body.starts_with(b"<") { "text/html" } else { "application/json" };
        let is_empty = answer.body.is_empty();
        let mut response = Response::new(Body::from(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut set = |name: axum::http::HeaderName, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        };
        set(axum::http::HeaderName::from_static("trackingid"), answer.tracking_id);
        if !is_empty {
            set(CONTENT_TYPE, content.to_owned());
        }
        if let Some(retry_after) = answer.retry_after {
            set(RETRY_AFTER, retry_after);
        }
        if let Some(next) = answer.next {
            set(LINK, format!("<{}{next}>; rel=\"next\"", self.base));
        }
        response
    }

    fn now(&self) -> Moment {
        Moment::after_start(self.start.elapsed())
    }
}

fn lock(served: &Served) -> MutexGuard<'_, Simulated> {
    served.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stands in for an answer that nobody will ever get.
#[derive(Clone, Copy)]
struct NoAnswer;

/// No answer: the client sees its connection reset.
fn reset() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(NoAnswer);
    response
}

/// Breaks the connection of a request that gets no answer.
async fn break_off(
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<NoAnswer>().is_some() {
        breaker.break_off();
    }
    response
}

/// A write in the air; its location is free again when it is answered, or when the client hangs up.
struct Writing {
    served: Served,
    request: Request,
}

impl Writing {
    fn begin(served: Served, request: Request) -> Self {
        lock(&served).begins_writing(&request);
        Self { served, request }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        lock(&self.served).ends_writing(&self.request);
    }
}

struct Query(Vec<(String, String)>);

impl Query {
    fn of(query: Option<String>) -> Self {
        let query = query.unwrap_or_default();
        let parsed = reqwest::Url::parse(&format!("http://localhost/?{query}"));
        Self(parsed.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}
