//! The guide's endpoints: what is called by which method and path, and what each hands to the store.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body as RawBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use futures::StreamExt;
use serde_json::json;

use super::Control;
use super::body::Body;
use super::faults::{CONTROL, FaultLayer};
use super::gate::Gate;
use super::query::{Query, integer};
use super::refusal::Refusal;
use super::store::{Account, Action, Desk, Reply, Stopped};
use crate::schema::{ACTIONS, ACTIVITY, COLLECTIONS, Entity, TENANTS};

/// Where the API lives on its server. Guide: "The base link of the API".
pub(super) const BASE: &str = "/api/v1";

/// More than any documented body needs.
const LARGEST_BODY: usize = 1 << 20;

/// As much of a larger one is read before its refusal.
const LARGEST_DISCARDED: usize = 64 << 20;

/// What every request needs.
pub(super) struct Service {
    pub(super) gate: Gate,
    pub(super) desk: Desk,
    pub(super) page_limit: u32,
    pub(super) faults: FaultLayer,
    pub(super) control: Control,
}

/// The store's answer, when it comes.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Stopped>> + Send + 'a>>;

/// What a path and a method stand for.
#[derive(Debug, Clone, Copy)]
enum Endpoint {
    /// A call that works on the records of an account.
    Records(Call),
    Tenants,
    /// A path the guide does not know.
    NoPath,
    /// A path it knows, by a method it does not.
    NoMethod,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    List(&'static Entity),
    Create(&'static Entity),
    Read(&'static Entity),
    Update(&'static Entity),
    Delete(&'static Entity),
    Act(Action),
    Activity,
}

/// Every endpoint of the guide: its method, its path below the base, what it stands for.
fn endpoints() -> Vec<(MethodFilter, String, Endpoint)> {
    let collections = COLLECTIONS.iter().flat_map(|entity| {
        let (many, one) = (entity.path.to_owned(), format!("{}/{{id}}", entity.path));
        [
            (MethodFilter::GET, many.clone(), Call::List(entity)),
            (MethodFilter::POST, many, Call::Create(entity)),
            (MethodFilter::GET, one.clone(), Call::Read(entity)),
            (MethodFilter::PUT, one.clone(), Call::Update(entity)),
            (MethodFilter::DELETE, one, Call::Delete(entity)),
        ]
    });
    let actions = ACTIONS.iter().filter_map(|entity| Action::of(entity));
    let actions = actions.map(|action| (MethodFilter::POST, action.entity.path.to_owned(), Call::Act(action)));
    let activity = (MethodFilter::GET, ACTIVITY.path.to_owned(), Call::Activity);
    let calls = collections.chain(actions).chain([activity]);
    let tenants = (MethodFilter::GET, TENANTS.path.to_owned(), Endpoint::Tenants);
    calls.map(|(method, path, call)| (method, path, Endpoint::Records(call))).chain([tenants]).collect()
}

pub(super) fn router(service: Service) -> Router {
    let mut router = Router::new();
    for (method, path, endpoint) in endpoints() {
        router = router.route(&format!("{BASE}/{path}"), answering(method, endpoint));
    }
    if service.control == Control::On {
        router = router.route(CONTROL, any(control));
    }
    let missing = |endpoint| move |service: State<Arc<Service>>, request: Request| answer(service, endpoint, request);
    router
        .fallback(missing(Endpoint::NoPath))
        .method_not_allowed_fallback(missing(Endpoint::NoMethod))
        .with_state(Arc::new(service))
}

fn answering(method: MethodFilter, endpoint: Endpoint) -> MethodRouter<Arc<Service>> {
    on(method, move |service: State<Arc<Service>>, request: Request| answer(service, endpoint, request))
}

async fn answer(State(service): State<Arc<Service>>, endpoint: Endpoint, request: Request) -> Response {
    let headers = match service.gate.admit(request.headers(), Instant::now()) {
        Ok(headers) => headers,
        Err(turned_away) => return respond(turned_away.refusal.into(), turned_away.headers),
    };
    let serving = service.clone();
    let serve = |request| async move { respond(serving.serve(endpoint, request).await, HeaderMap::new()) };
    let mut response = service.faults.around(request, serve).await;
    response.headers_mut().extend(headers);
    response
}

/// The control endpoint, which asks for the key and counts nothing.
async fn control(State(service): State<Arc<Service>>, request: Request) -> Response {
    if let Err(turned_away) = service.gate.recognise(request.headers()) {
        return respond(turned_away.refusal.into(), turned_away.headers);
    }
    let (method, body) = (request.method().clone(), request.into_body());
    let answered = read_whole(body).await.and_then(|bytes| service.faults.control(&method, &bytes));
    respond(answered.unwrap_or_else(Reply::from), HeaderMap::new())
}

fn respond(reply: Reply, mut headers: HeaderMap) -> Response {
    if !reply.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut response = Response::new(RawBody::from(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(headers);
    response
}

/// A request taken apart.
struct Asked {
    method: Method,
    path: String,
    query: Query,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Service {
    async fn serve(&self, endpoint: Endpoint, request: Request) -> Reply {
        // The router answers HEAD like GET; the guide knows no HEAD.
        let endpoint = if request.method() == Method::HEAD { Endpoint::NoMethod } else { endpoint };
        let served = match Asked::read(request).await {
            Ok(asked) => self.try_serve(endpoint, asked).await,
            Err(refusal) => Err(refusal),
        };
        served.unwrap_or_else(Reply::from)
    }

    async fn try_serve(&self, endpoint: Endpoint, mut asked: Asked) -> Result<Reply, Refusal> {
        match endpoint {
            Endpoint::NoPath => Err(no_path(&asked)),
            Endpoint::NoMethod => Err(no_method(&asked)),
            Endpoint::Tenants => self.tenants(&asked),
            Endpoint::Records(call) => {
                let account = self.gate.account(&mut asked.query)?;
                let answered = self.call(call, account, asked)?.await;
                answered.map_err(|stopped| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, stopped.to_string()))
            }
        }
    }

    /// Reads what the call was sent, and hands it to the store.
    fn call(&self, call: Call, account: Account, asked: Asked) -> Result<Answer<'_>, Refusal> {
        let desk = &self.desk;
        Ok(match call {
            Call::List(entity) => {
                let listing = asked.without_body()?.query.listing(entity, self.page_limit)?;
                Box::pin(desk.ask(move |store| store.list(account, entity, &listing)))
            }
            Call::Activity => {
                let listing = asked.without_body()?.query.listing(&ACTIVITY, self.page_limit)?;
                Box::pin(desk.ask(move |store| store.activity(account, &listing)))
            }
            Call::Read(entity) => {
                let id = asked.without_body()?.id(entity)?;
                Box::pin(desk.ask(move |store| store.read(account, entity, id)))
            }
            Call::Delete(entity) => {
                let id = asked.without_body()?.id(entity)?;
                Box::pin(desk.ask(move |store| store.delete(account, entity, id)))
            }
            Call::Create(entity) => {
                let body = asked.body()?;
                Box::pin(desk.ask(move |store| store.create(account, entity, &body)))
            }
            Call::Update(entity) => {
                let (id, body) = (asked.id(entity)?, asked.body()?);
                Box::pin(desk.ask(move |store| store.update(account, entity, id, &body)))
            }
            Call::Act(action) => {
                let body = asked.body()?;
                Box::pin(desk.ask(move |store| store.act(account, action, &body)))
            }
        })
    }

    /// Field notes: an object with a `tenants` key, no paging, no parameters.
    fn tenants(&self, asked: &Asked) -> Result<Reply, Refusal> {
        asked.without_body()?.query.refuse_any()?;
        let tenants = self.gate.tenants.iter().map(|(id, name)| json!({"tenant_id": id, "name": name}));
        let body = json!({"tenants": tenants.collect::<Vec<_>>()});
        Ok(Reply { status: StatusCode::OK, body: body.to_string().into_bytes() })
    }
}

impl Asked {
    async fn read(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(body).await?;
        let (path, query) = (parts.uri.path().to_owned(), Query::parse(parts.uri.query()));
        Ok(Self { method: parts.method, path, query, headers: parts.headers, bytes })
    }

    /// The body of a call whose query carries nothing.
    fn body(&self) -> Result<Body, Refusal> {
        self.query.refuse_any()?;
        Body::read(&self.headers, &self.bytes)
    }

    fn without_body(&self) -> Result<&Self, Refusal> {
        match self.bytes.is_empty() {
            true => Ok(self),
            false => Err(Refusal::new(StatusCode::BAD_REQUEST, "this call takes no body")),
        }
    }

    /// The id in the path, in a call whose query carries nothing. What is no id names no record.
    fn id(&self, entity: &Entity) -> Result<i64, Refusal> {
        self.query.refuse_any()?;
        let last = self.path.rsplit('/').next().unwrap_or_default();
        integer(last, 1)
            .map_err(|_| Refusal::new(StatusCode::NOT_FOUND, format!("there is no {} `{last}`", entity.singular)))
    }
}

/// The whole body. One that is too large is read on for a while, since a client that is still writing would see its
/// connection reset instead of the refusal.
async fn read_whole(body: RawBody) -> Result<Vec<u8>, Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let broken = |error| Refusal::new(StatusCode::BAD_REQUEST, format!("the body could not be read: {error}"));
        let chunk = chunk.map_err(broken)?;
        length += chunk.len();
        if length <= LARGEST_BODY {
            bytes.extend_from_slice(&chunk);
        } else if length > LARGEST_DISCARDED {
            break;
        }
    }
    match length <= LARGEST_BODY {
        true => Ok(bytes),
        false => {
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {LARGEST_BODY} bytes")))
        }
    }
}

fn no_path(asked: &Asked) -> Refusal {
    let message = format!("there is no `{}` here, the API is below `{BASE}`", asked.path);
    Refusal::new(StatusCode::NOT_FOUND, message)
}

fn no_method(asked: &Asked) -> Refusal {
    let message = format!("`{}` cannot be called by `{}`", asked.path, asked.method);
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_91_endpoints() {
        assert_eq!(endpoints().len(), 91);
    }
}
