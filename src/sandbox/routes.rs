//! The endpoints of the guide: their methods and paths, and the store operation of each.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body as RawBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, any, on};
use futures::StreamExt;
use serde_json::json;

use super::access::AccessControl;
use super::body::{BODY_TIME, JsonBody};
use super::faults::{CONTROL_PATH, FaultControl, FaultLayer};
use super::query::{Query, integer};
use super::refusal::Refusal;
use super::store::{AccountId, CheckoutAction, Job, StoreQueue, StoreReply};
use crate::schema::{ACTIONS, ACTIVITY, COLLECTIONS, Entity, TENANTS};

/// The base path of the API. Guide: "The base link of the API".
pub(super) const BASE: &str = "/api/v1";

/// More than any documented body needs.
const LARGEST_BODY: usize = 1 << 20;

/// How much of a larger body is read and discarded before it is refused.
const LARGEST_DISCARDED: usize = 64 << 20;

pub(super) struct SandboxService {
    pub(super) access: AccessControl,
    pub(super) queue: StoreQueue,
    pub(super) page_limit: u32,
    pub(super) faults: FaultLayer,
    pub(super) control: FaultControl,
}

#[derive(Debug, Clone, Copy)]
enum Route {
    /// An operation on the records of an account.
    Records(Operation),
    Tenants,
    /// A path that is not in the guide.
    NoPath,
    /// A path of the guide with another method.
    NoMethod,
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    List(&'static Entity),
    Create(&'static Entity),
    Read(&'static Entity),
    Update(&'static Entity),
    Delete(&'static Entity),
    Act(CheckoutAction),
    Activity,
}

/// Every endpoint of the guide: its method, its path below the base path, and its route.
fn routes() -> Vec<(MethodFilter, String, Route)> {
    let collections = COLLECTIONS.iter().flat_map(|entity| {
        let (many, one) = (entity.path.to_owned(), format!("{}/{{id}}", entity.path));
        [
            (MethodFilter::GET, many.clone(), Operation::List(entity)),
            (MethodFilter::POST, many, Operation::Create(entity)),
            (MethodFilter::GET, one.clone(), Operation::Read(entity)),
            (MethodFilter::PUT, one.clone(), Operation::Update(entity)),
            (MethodFilter::DELETE, one, Operation::Delete(entity)),
        ]
    });
    let actions = ACTIONS.iter().filter_map(|entity| CheckoutAction::of(entity));
    let actions = actions.map(|action| (MethodFilter::POST, action.entity.path.to_owned(), Operation::Act(action)));
    let activity = (MethodFilter::GET, ACTIVITY.path.to_owned(), Operation::Activity);
    let records = collections.chain(actions).chain([activity]);
    let tenants = (MethodFilter::GET, TENANTS.path.to_owned(), Route::Tenants);
    records.map(|(method, path, operation)| (method, path, Route::Records(operation))).chain([tenants]).collect()
}

pub(super) fn router(service: SandboxService) -> Router {
    let by = |route| move |service: State<Arc<SandboxService>>, request: Request| answer(service, route, request);
    let mut router = Router::new();
    for (method, path, route) in routes() {
        router = router.route(&format!("{BASE}/{path}"), on(method, by(route)));
    }
    if service.control == FaultControl::On {
        router = router.route(CONTROL_PATH, any(control));
    }
    router.fallback(by(Route::NoPath)).method_not_allowed_fallback(by(Route::NoMethod)).with_state(Arc::new(service))
}

async fn answer(State(service): State<Arc<SandboxService>>, route: Route, request: Request) -> Response {
    let headers = match service.access.admit(request.headers(), Instant::now()) {
        Ok(headers) => headers,
        Err(rejection) => return respond(rejection.refusal.into(), rejection.headers),
    };
    let serving = service.clone();
    let serve = |request| async move { respond(serving.serve(route, request).await, HeaderMap::new()) };
    let mut response = service.faults.handle(request, serve).await;
    response.headers_mut().extend(headers);
    response
}

/// The control endpoint, which requires the key and does not count towards the quota.
async fn control(State(service): State<Arc<SandboxService>>, request: Request) -> Response {
    if let Err(rejection) = service.access.authenticate(request.headers()) {
        return respond(rejection.refusal.into(), rejection.headers);
    }
    let (method, body) = (request.method().clone(), request.into_body());
    let answered = read_whole(body).await.and_then(|bytes| service.faults.control(&method, &bytes));
    respond(answered.unwrap_or_else(StoreReply::from), HeaderMap::new())
}

fn respond(reply: StoreReply, mut headers: HeaderMap) -> Response {
    if !reply.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut response = Response::new(RawBody::from(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(headers);
    response
}

/// A request whose body was read.
struct ParsedRequest {
    method: Method,
    path: String,
    query: Query,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl SandboxService {
    async fn serve(&self, route: Route, request: Request) -> StoreReply {
        // The router handles HEAD like GET, but the guide does not document HEAD.
        let route = if request.method() == Method::HEAD { Route::NoMethod } else { route };
        let served = match ParsedRequest::read(request).await {
            Ok(request) => self.try_serve(route, request).await,
            Err(refusal) => Err(refusal),
        };
        served.unwrap_or_else(StoreReply::from)
    }

    async fn try_serve(&self, route: Route, mut request: ParsedRequest) -> Result<StoreReply, Refusal> {
        match route {
            Route::NoPath => {
                let message = format!("there is no `{}` here, the API is below `{BASE}`", request.path);
                Err(Refusal::new(StatusCode::NOT_FOUND, message))
            }
            Route::NoMethod => {
                let message = format!("`{}` cannot be called by `{}`", request.path, request.method);
                Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message))
            }
            Route::Tenants => self.tenants(&request),
            Route::Records(operation) => {
                let account = self.access.account(&mut request.query)?;
                let answered = self.queue.run(self.job(operation, account, &request)?).await;
                answered.map_err(|stopped| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, stopped.to_string()))
            }
        }
    }

    /// Parses the request, and returns what the store is to do.
    fn job(&self, operation: Operation, account: AccountId, request: &ParsedRequest) -> Result<Job, Refusal> {
        Ok(match operation {
            Operation::List(entity) => {
                let query = request.without_body()?.query.list_query(entity, self.page_limit)?;
                Box::new(move |store| store.list(account, entity, &query))
            }
            Operation::Activity => {
                let query = request.without_body()?.query.list_query(&ACTIVITY, self.page_limit)?;
                Box::new(move |store| store.activity(account, &query))
            }
            Operation::Read(entity) => {
                let id = request.without_body()?.id(entity)?;
                Box::new(move |store| store.read(account, entity, id))
            }
            Operation::Delete(entity) => {
                let id = request.without_body()?.id(entity)?;
                Box::new(move |store| store.delete(account, entity, id))
            }
            Operation::Create(entity) => {
                let body = request.body()?;
                Box::new(move |store| store.create(account, entity, &body))
            }
            Operation::Update(entity) => {
                let (id, body) = (request.id(entity)?, request.body()?);
                Box::new(move |store| store.update(account, entity, id, &body))
            }
            Operation::Act(action) => {
                let body = request.body()?;
                Box::new(move |store| store.act(account, action, &body))
            }
        })
    }

    /// Field notes: an object with a `tenants` key, no paging, no parameters.
    fn tenants(&self, request: &ParsedRequest) -> Result<StoreReply, Refusal> {
        request.without_body()?.query.refuse_any()?;
        let tenants = self.access.tenants.iter().map(|(id, name)| json!({"tenant_id": id, "name": name}));
        let body = json!({"tenants": tenants.collect::<Vec<_>>()});
        Ok(StoreReply { status: StatusCode::OK, body: body.to_string().into_bytes() })
    }
}

impl ParsedRequest {
    async fn read(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(body).await?;
        let (path, query) = (parts.uri.path().to_owned(), Query::parse(parts.uri.query()));
        Ok(Self { method: parts.method, path, query, headers: parts.headers, bytes })
    }

    /// The parsed body of an operation that takes no query parameters.
    fn body(&self) -> Result<JsonBody, Refusal> {
        self.query.refuse_any()?;
        JsonBody::read(&self.headers, &self.bytes)
    }

    fn without_body(&self) -> Result<&Self, Refusal> {
        match self.bytes.is_empty() {
            true => Ok(self),
            false => Err(Refusal::new(StatusCode::BAD_REQUEST, "this call takes no body")),
        }
    }

    /// The id in the path of an operation that takes no query parameters. An invalid id is a record that does not
    /// exist.
    fn id(&self, entity: &Entity) -> Result<i64, Refusal> {
        self.query.refuse_any()?;
        let last = self.path.rsplit('/').next().unwrap_or_default();
        integer(last, 1)
            .map_err(|_| Refusal::new(StatusCode::NOT_FOUND, format!("there is no {} `{last}`", entity.singular)))
    }
}

/// Reads the whole body. If it is too large, more of it is read and discarded, since a client that is still writing
/// would see a connection reset instead of the refusal.
async fn read_whole(body: RawBody) -> Result<Vec<u8>, Refusal> {
    let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    tokio::time::timeout(BODY_TIME, read_to_end(body)).await.map_err(late)?
}

async fn read_to_end(body: RawBody) -> Result<Vec<u8>, Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_91_endpoints() {
        assert_eq!(routes().len(), 91);
    }
}
