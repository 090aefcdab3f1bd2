//! A network without sockets, for simulations of the engine.

use std::fmt::Debug;

use futures::future::BoxFuture;

use super::attempts::Attempt;
use super::request::Request;
use super::response::Response;
use super::response_headers::ResponseHeaders;
use super::{Method, RequestKind};

/// A request as a network sees it.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedRequest {
    pub(crate) method: Method,
    /// The collection, and the record if it names one.
    pub(crate) path: &'static str,
    pub(crate) record: Option<i64>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// How a request ends, as the client sees it.
#[derive(Debug, Clone)]
pub(crate) enum SimulatedReply {
    Answered { status: u16, retry_after: Option<std::time::Duration>, body: Vec<u8> },
    NotSent,
    Lost,
}

/// Carries requests to a simulated service and brings its replies, or does not.
pub(crate) trait SimulatedNetwork: Debug + Send + Sync {
    fn carry(&self, request: SimulatedRequest) -> BoxFuture<'_, SimulatedReply>;
}

impl dyn SimulatedNetwork {
    pub(super) async fn attempt(&self, request: &Request) -> Attempt {
        let RequestKind { method, path } = request.kind;
        let record = request.url.path_segments().and_then(|mut segments| segments.next_back()?.parse().ok());
        let query = request.url.query_pairs().into_owned().collect();
        let carried = SimulatedRequest { method, path, record, query, body: request.body.clone() };
        match self.carry(carried).await {
            SimulatedReply::Answered { status, retry_after, body } => {
                let headers = ResponseHeaders { retry_after, ..ResponseHeaders::default() };
                Attempt::Answered(Response::new(status, headers, body))
            }
            SimulatedReply::NotSent => Attempt::NotSent(String::from("connection refused")),
            SimulatedReply::Lost => Attempt::Lost(String::from("connection reset")),
        }
    }
}
