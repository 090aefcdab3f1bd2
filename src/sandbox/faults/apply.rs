//! What becomes of a request that a fault strikes.
//!
//! Work that is begun is finished, whoever hangs up meanwhile, and a change that a delay puts off comes when the
//! delay is over: a server does not take back what it was asked to do because nobody listens any more.

use std::time::Duration;

use axum::body::Body as RawBody;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::json;

use super::connection::ConnectionControl;
use super::rule::{Fault, FaultTiming, MalformedReply};

/// Answers instead of `work`, the sandbox's usual answer, or with something else made of it.
pub(super) async fn apply_fault<F>(fault: Fault, connection: ConnectionControl, work: F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    match fault {
        Fault::Refuse { status, message } => {
            told(status, &message.unwrap_or_else(|| "a fault of the sandbox: this request is refused".into()))
        }
        Fault::Reset(timing) => {
            done(timing, work).await;
            broken_off(&connection)
        }
        Fault::Status { status, retry_after, timing } => {
            done(timing, work).await;
            trouble(status, retry_after)
        }
        Fault::Delay { by, timing: FaultTiming::Before } => to_its_end(delayed(by, work)).await,
        Fault::Delay { by, timing: FaultTiming::After } => {
            let answer = to_its_end(work).await;
            tokio::time::sleep(by).await;
            answer
        }
        Fault::Hang(timing) => {
            done(timing, work).await;
            std::future::pending().await
        }
        Fault::Truncate => truncated(to_its_end(work).await, connection).await,
        Fault::Html { status, timing } => {
            done(timing, work).await;
            page(status)
        }
        Fault::MalformedReply(shape) => shape.of(to_its_end(work).await).await,
    }
}

async fn done<F: Future<Output = Response> + Send + 'static>(timing: FaultTiming, work: F) {
    if timing == FaultTiming::After {
        to_its_end(work).await;
    }
}

async fn delayed<F: Future<Output = Response>>(by: Duration, work: F) -> Response {
    tokio::time::sleep(by).await;
    work.await
}

/// Does the work on a task of its own, since this one ends with the connection.
async fn to_its_end<F: Future<Output = Response> + Send + 'static>(work: F) -> Response {
    let finished = tokio::spawn(work).await;
    finished.unwrap_or_else(|_| told(StatusCode::SERVICE_UNAVAILABLE, "the sandbox is stopping"))
}

/// Never seen by the client, as its connection is cut before anything of it is sent.
pub(super) fn broken_off(connection: &ConnectionControl) -> Response {
    connection.cut();
    told(StatusCode::INTERNAL_SERVER_ERROR, "a fault of the sandbox: the connection should have been dropped")
}

fn trouble(status: StatusCode, retry_after: Option<u32>) -> Response {
    let mut response = told(status, "a fault of the sandbox, as it was told to make one");
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A message as the sandbox's own refusals have it.
fn told(status: StatusCode, message: &str) -> Response {
    answer(status, "application/json", json!({ "message": message }).to_string().into())
}

/// A page such as a content delivery network or a proxy puts before a service.
fn page(status: StatusCode) -> Response {
    let title = status.to_string();
    let html = format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n<p>A fault of the sandbox.</p>\n</body>\n</html>\n"
    );
    answer(status, "text/html; charset=utf-8", html.into())
}

fn answer(status: StatusCode, kind: &'static str, body: RawBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The first half of the body under the length of the whole. An answer without a body has nothing to halve, and is
/// lost like one that is reset.
async fn truncated(answer: Response, connection: ConnectionControl) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = whole(body).await;
    if whole.is_empty() {
        return broken_off(&connection);
    }
    parts.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let half = stream::iter([Ok::<_, std::io::Error>(whole.slice(..whole.len() / 2))]);
    // Asked for more, the half is on its way.
    let end = stream::poll_fn(move |_| {
        connection.end();
        std::task::Poll::Pending
    });
    Response::from_parts(parts, RawBody::from_stream(half.chain(end)))
}

impl MalformedReply {
    /// A success in this shape. A refusal stays what it is.
    async fn of(self, answer: Response) -> Response {
        if !answer.status().is_success() {
            return answer;
        }
        let (mut parts, body) = answer.into_parts();
        let shaped = match self {
            MalformedReply::Empty => b"{}".to_vec(),
            MalformedReply::Buried => match &whole(body).await[..] {
                b"" => br#"{"result":{"payload":null}}"#.to_vec(),
                json => [br#"{"result":{"payload":"#, json, b"}}"].concat(),
            },
        };
        // No content would be no place for any.
        if parts.status == StatusCode::NO_CONTENT {
            parts.status = StatusCode::OK;
        }
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Response::from_parts(parts, shaped.into())
    }
}

/// The sandbox's answers lie in memory, so that none of them can fail to be read.
async fn whole(body: RawBody) -> axum::body::Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
