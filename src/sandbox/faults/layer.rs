//! The layer that applies faults to requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body as RawBody;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;

use super::apply::{apply_fault, cut_connection};
use super::connection::ConnectionControl;
use super::rule::Fault;
use super::rule_list::Faults;
use super::selector::FaultSelector;

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
        match read_body(request).await {
            Ok(request) => apply_fault(fault, connection, serve(request)).await,
            // An incomplete request is not executed.
            Err(_) => cut_connection(&connection),
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
    /// The connection of a request.
    fn of(request: &Request) -> Self {
        let info = request.extensions().get::<ConnectInfo<ConnectionControl>>();
        info.map(|ConnectInfo(connection)| connection.clone()).unwrap_or_default()
    }
}
