//! The layer that applies faults to requests, and its control endpoint, which lists and changes faults at run time.
//!
//! | request | effect |
//! |---|---|
//! | `GET /_control/faults` | lists the rules, and how many requests each has matched and fired on |
//! | `PUT /_control/faults` | replaces the rules by those in the body; counts and random draws restart |
//! | `POST /_control/faults` | appends the rules in the body |
//! | `DELETE /_control/faults` | removes all rules |
//!
//! A body is the text of rules, one per line, with any content type. All but `DELETE` reply like `GET`. The API key is
//! required. These requests do not count towards the quota, and faults do not apply to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body as RawBody;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::body::BODY_TIME;
use super::super::refusal::Refusal;
use super::super::store::StoreReply;
use super::apply::{apply_fault, cut_connection};
use super::connection::ConnectionControl;
use super::error::FaultsError;
use super::grammar::Faults;
use super::rule::Fault;
use super::selector::{FaultSelector, RuleState};

/// More than the largest body that the sandbox reads before refusing it.
const LARGEST_BODY: usize = 128 << 20;

/// Whether faults can be listed and changed at run time, at `/_control/faults` outside the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FaultControl {
    /// That path does not exist.
    #[default]
    Off,
    /// By clients with the API key.
    On,
}

/// The layer between access control and the execution of requests.
#[derive(Debug)]
pub(in crate::sandbox) struct FaultLayer {
    /// The base path of the API.
    base: &'static str,
    selector: Mutex<FaultSelector>,
}

impl FaultLayer {
    pub(in crate::sandbox) fn new(faults: Faults, base: &'static str) -> Self {
        Self { base, selector: Mutex::new(FaultSelector::new(faults.seed, faults.rules)) }
    }

    /// Replies to a request with `serve`, or according to a fault.
    pub(in crate::sandbox) async fn handle<F>(&self, request: Request, serve: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let Some(fault) = self.select(&request) else { return serve(request).await };
        let connection = ConnectionControl::of(&request);
        match tokio::time::timeout(BODY_TIME, read_body(request)).await {
            Ok(Ok(request)) => apply_fault(fault, connection, serve(request)).await,
            // An incomplete request is not executed.
            _ => cut_connection(&connection),
        }
    }

    fn select(&self, request: &Request) -> Option<Fault> {
        let path = request.uri().path().strip_prefix(self.base)?.strip_prefix('/')?;
        self.selector().select(request.method(), path)
    }

    pub(super) fn selector(&self) -> MutexGuard<'_, FaultSelector> {
        // A panic while the lock was held cannot have left a count half done.
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request with its whole body in memory.
async fn read_body(request: Request) -> Result<Request, axum::Error> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await?;
    Ok(Request::from_parts(parts, RawBody::from(bytes)))
}

impl ConnectionControl {
    fn of(request: &Request) -> Self {
        let info = request.extensions().get::<ConnectInfo<ConnectionControl>>();
        info.map(|ConnectInfo(connection)| connection.clone()).unwrap_or_default()
    }
}

/// The path of the endpoint, outside the API.
pub(in crate::sandbox) const CONTROL_PATH: &str = "/_control/faults";

impl FaultLayer {
    pub(in crate::sandbox) fn control(&self, method: &Method, body: &[u8]) -> Result<StoreReply, Refusal> {
        let mut selector = self.selector();
        match *method {
            Method::GET => {}
            Method::PUT => selector.replace(read(body)?.rules),
            Method::POST => selector.add(read(body)?.rules),
            Method::DELETE => {
                selector.replace(Vec::new());
                return Ok(StoreReply { status: StatusCode::NO_CONTENT, body: Vec::new() });
            }
            _ => {
                let message = format!("`{CONTROL_PATH}` cannot be called by `{method}`: use GET, PUT, POST or DELETE");
                return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
            }
        }
        Ok(StoreReply { status: StatusCode::OK, body: list_rules(&selector).to_string().into_bytes() })
    }
}

fn read(body: &[u8]) -> Result<Faults, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the body is not UTF-8 text: send one rule per line"))?;
    text.parse().map_err(|error: FaultsError| {
        let message = format!("line {}: {error}; {}", error.line, error.hint());
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })
}

fn list_rules(selector: &FaultSelector) -> Value {
    let listed =
        |state: &RuleState| json!({"rule": state.rule.to_string(), "matched": state.matched, "fired": state.fired});
    json!({"seed": selector.seed(), "rules": selector.rules().iter().map(listed).collect::<Vec<_>>()})
}
