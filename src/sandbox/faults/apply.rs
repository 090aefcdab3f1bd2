//! Applies a fault to a request.
//!
//! Execution that has begun is finished even if the client disconnects, and a delayed change is still made when the
//! delay is over: a server does not revoke a request because nobody is waiting for the reply.

use axum::body::Body as RawBody;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::json;

use super::connection::ConnectionControl;
use super::rule::{Effect, Fault, FaultTiming, MalformedReply};

/// Replies according to the fault. `execution` executes the request and returns the usual reply.
pub(super) async fn apply_fault<F>(fault: Fault, connection: ConnectionControl, execution: F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    if let Effect::Delay(by) = fault.effect
        && fault.timing == FaultTiming::Before
    {
        return run_detached(async move {
            tokio::time::sleep(by).await;
            execution.await
        })
        .await;
    }
    let usual = match fault.timing {
        // Never sent: an effect before the execution does not use the usual reply.
        FaultTiming::Before => message_reply(StatusCode::INTERNAL_SERVER_ERROR, "the request was not executed"),
        FaultTiming::After => run_detached(execution).await,
    };
    match fault.effect {
        Effect::Refuse { status, message } => {
            let message = message.as_deref().unwrap_or("a fault of the sandbox: this request is refused");
            if status.is_success() { failed_success(status, message) } else { message_reply(status, message) }
        }
        Effect::Reset => cut_connection(&connection),
        Effect::Status { status, retry_after } => error_reply(status, retry_after),
        Effect::Delay(by) => {
            tokio::time::sleep(by).await;
            usual
        }
        Effect::Hang => std::future::pending().await,
        Effect::Truncate => truncate(usual, connection).await,
        Effect::Html(status) => html_reply(status),
        Effect::Malformed(malformed) => malformed.replace_body(usual).await,
    }
}

/// Runs on a task of its own, since the request's task ends with the connection.
async fn run_detached<F: Future<Output = Response> + Send + 'static>(execution: F) -> Response {
    let finished = tokio::spawn(execution).await;
    finished.unwrap_or_else(|_| message_reply(StatusCode::SERVICE_UNAVAILABLE, "the sandbox is stopping"))
}

/// Cuts the connection before anything is sent, so that the client never sees the reply.
pub(super) fn cut_connection(connection: &ConnectionControl) -> Response {
    connection.cut();
    message_reply(StatusCode::INTERNAL_SERVER_ERROR, "a fault of the sandbox: the connection should have been dropped")
}

fn error_reply(status: StatusCode, retry_after: Option<u32>) -> Response {
    let mut response = message_reply(status, "a fault of the sandbox, as requested");
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A reply in the format of the sandbox's refusals.
fn message_reply(status: StatusCode, message: &str) -> Response {
    reply(status, "application/json", json!({ "message": message }).to_string().into())
}

/// A reply with a success status whose body says that the request failed.
fn failed_success(status: StatusCode, message: &str) -> Response {
    reply(status, "application/json", json!({ "success": false, "error": message }).to_string().into())
}

/// A page as a content delivery network or a proxy would send.
fn html_reply(status: StatusCode) -> Response {
    let title = status.to_string();
    let html = format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n<p>A fault of the sandbox.</p>\n</body>\n</html>\n"
    );
    reply(status, "text/html; charset=utf-8", html.into())
}

fn reply(status: StatusCode, kind: &'static str, body: RawBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Sends the first half of the body with the full length, then closes the connection. A reply without a body is
/// dropped, as by `reset`.
async fn truncate(reply: Response, connection: ConnectionControl) -> Response {
    let (mut parts, body) = reply.into_parts();
    let whole = read_all(body).await;
    if whole.is_empty() {
        return cut_connection(&connection);
    }
    parts.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let half = stream::iter([Ok::<_, std::io::Error>(whole.slice(..whole.len() / 2))]);
    // When more is requested, the half has been sent.
    let end = stream::poll_fn(move |_| {
        connection.end();
        std::task::Poll::Pending
    });
    Response::from_parts(parts, RawBody::from_stream(half.chain(end)))
}

impl MalformedReply {
    /// Replaces the body of a success. A refusal is unchanged.
    async fn replace_body(self, reply: Response) -> Response {
        if !reply.status().is_success() {
            return reply;
        }
        let (mut parts, body) = reply.into_parts();
        let json = match self {
            MalformedReply::Empty => b"{}".to_vec(),
            MalformedReply::Buried => match &read_all(body).await[..] {
                b"" => br#"{"result":{"payload":null}}"#.to_vec(),
                usual => [br#"{"result":{"payload":"#, usual, b"}}"].concat(),
            },
        };
        // 204 cannot have a body.
        if parts.status == StatusCode::NO_CONTENT {
            parts.status = StatusCode::OK;
        }
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Response::from_parts(parts, json.into())
    }
}

/// The sandbox's bodies are in memory, so reading them cannot fail.
async fn read_all(body: RawBody) -> axum::body::Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
