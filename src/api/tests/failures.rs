use serde_json::json as value;
use tokio::net::TcpListener;
use url::Url;

use super::server::{Play, Server, json};
use super::{KEY, body, client, entity, options};
use crate::api::{ApiError, Client, ClientOptions, FailureScope, WriteOutcome};

fn page(status: u16, ray: Option<&str>) -> Play {
    let mut headers = vec![("Content-Type", "text/html; charset=UTF-8".to_owned())];
    headers.extend(ray.map(|ray| ("CF-RAY", ray.to_owned())));
    Play::Response(status, headers, "<!DOCTYPE html><title>Attention Required!</title>".to_owned())
}

#[tokio::test]
async fn every_status_of_a_write_has_its_fate_and_scope() {
    let after = |status| Play::Response(status, vec![("Retry-After", "900".to_owned())], String::new());
    let cases = [
        (json(400, r#"{"message":"bad"}"#), WriteOutcome::Refused, FailureScope::Row, "bad"),
        (json(404, ""), WriteOutcome::Refused, FailureScope::Row, "the service refused `POST locations` (404)"),
        (json(409, r#"{"error":"taken"}"#), WriteOutcome::Refused, FailureScope::Row, "taken"),
        (json(422, r#"{"errors":["short","odd"]}"#), WriteOutcome::Refused, FailureScope::Row, "short; odd"),
        (json(413, ""), WriteOutcome::Refused, FailureScope::Row, "the service refused `POST locations` (413)"),
        (
            json(401, r#"{"message":"no"}"#),
            WriteOutcome::Refused,
            FailureScope::Run,
            "the service does not accept the API key (401): no",
        ),
        (json(402, ""), WriteOutcome::Refused, FailureScope::Run, "forbidden for this API key: `POST locations` (402)"),
        (json(403, ""), WriteOutcome::Refused, FailureScope::Run, "forbidden for this API key: `POST locations` (403)"),
        (
            json(403, r#"{"message":"unknown tenant"}"#),
            WriteOutcome::Refused,
            FailureScope::Run,
            "this API key cannot access the tenant (403): unknown tenant",
        ),
        (
            page(403, Some("8f-FRA")),
            WriteOutcome::Refused,
            FailureScope::Run,
            "blocked before reaching the API (403), request id `8f-FRA`",
        ),
        (page(403, None), WriteOutcome::Refused, FailureScope::Run, "blocked before reaching the API (403)"),
        (json(405, ""), WriteOutcome::Refused, FailureScope::Run, "the service refused `POST locations` (405)"),
        (json(301, ""), WriteOutcome::Refused, FailureScope::Run, "`POST locations` was redirected (301)"),
        (json(303, ""), WriteOutcome::Unknown, FailureScope::Run, "`POST locations` was redirected (303)"),
        (json(408, ""), WriteOutcome::Unknown, FailureScope::Row, "the service refused `POST locations` (408)"),
        (json(500, ""), WriteOutcome::Unknown, FailureScope::Row, "server error: `POST locations` (500)"),
        (
            page(502, None),
            WriteOutcome::Unknown,
            FailureScope::Row,
            "server error: `POST locations` (502): an HTML page titled `Attention Required!`",
        ),
        (json(503, ""), WriteOutcome::Unknown, FailureScope::Row, "server error: `POST locations` (503)"),
        (after(503), WriteOutcome::Unknown, FailureScope::Row, "server error: `POST locations` (503)"),
    ];
    for (play, outcome, scope, message) in cases {
        let is_page = matches!(&play, Play::Response(403, _, page) if page.starts_with('<'));
        let attempts = if is_page { 4 } else { 1 };
        let server = Server::plays(vec![play.clone(); attempts]).await;
        let failure = client(&server).create(entity("locations"), &body(value!({}))).await.unwrap_err();
        assert_eq!((failure.outcome, failure.scope, failure.message.as_str()), (outcome, scope, message), "{play:?}");
        assert_eq!(failure.cause.is_some(), scope == FailureScope::Run);
        assert_eq!(server.lines().len(), attempts);
    }
}

#[tokio::test]
async fn what_the_service_says_of_a_field_names_it() {
    let server =
        Server::plays(vec![json(422, r#"{"message":"invalid","errors":{"name":["is taken","is short"]}}"#)]).await;
    let failure = client(&server).create(entity("locations"), &body(value!({}))).await.unwrap_err();
    assert_eq!(failure.fields, [("name".to_owned(), "is taken; is short".to_owned())]);
}

#[tokio::test]
async fn every_status_of_a_read_has_its_error() {
    let what = || "GET assets".to_owned();
    let cases = [
        (json(401, ""), ApiError::Unauthorized { message: String::new(), key_origin: None }),
        (json(403, "no"), ApiError::Forbidden { what: what(), status: 403, message: "no".to_owned() }),
        (page(403, Some("9")), ApiError::Blocked { status: 403, request_id: Some("9".to_owned()) }),
        (
            json(400, "tenant_id is required"),
            ApiError::Tenant { status: 400, message: "tenant_id is required".to_owned() },
        ),
        (json(400, ""), ApiError::Refused { what: what(), status: 400, message: String::new() }),
        (json(501, ""), ApiError::Unavailable { what: what(), status: 501, message: String::new() }),
        (
            Play::Response(302, vec![("Location", "https://x.example/login?next=1".to_owned())], String::new()),
            ApiError::Redirected { what: what(), status: 302, to: Some("https://x.example/login".to_owned()) },
        ),
    ];
    for (play, expected) in cases {
        let attempts = if matches!(expected, ApiError::Blocked { .. }) { 4 } else { 1 };
        let server = Server::plays(vec![play; attempts]).await;
        let error = client(&server).get(entity("assets"), 1).await.unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(server.lines().len(), attempts, "a redirect is not followed");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = Server::plays(Vec::new()).await;
    let base_url = Url::parse(&format!("http://127.0.0.1:{port}/api/v1")).unwrap();
    let client = Client::new(ClientOptions { base_url, ..options(&server) }).unwrap();
    // The waits between the attempts, not the attempts themselves, take time: the clock jumps over them.
    tokio::time::pause();
    let failure = client.create(entity("locations"), &body(value!({}))).await.unwrap_err();
    assert_eq!((failure.outcome, failure.scope, failure.status), (WriteOutcome::NotSent, FailureScope::Run, None));
    assert!(failure.message.starts_with(&format!("could not reach `127.0.0.1:{port}`: ")), "{}", failure.message);
    assert_eq!(client.requests().total, 6);
}

#[tokio::test]
async fn nothing_shown_holds_the_key() {
    let echo = format!(r#"{{"message":"the token {KEY} is not valid","errors":{{"{KEY}":"{KEY}"}}}}"#);
    let server =
        Server::plays(vec![json(401, &*echo), json(422, &*echo), json(200, &*format!(r#"{{"error":"{KEY}"}}"#))]).await;
    let client = client(&server);
    let error = client.get(entity("assets"), 1).await.unwrap_err();
    let refused = client.create(entity("assets"), &body(value!({}))).await.unwrap_err();
    let strange = client.create(entity("assets"), &body(value!({}))).await.unwrap_err();
    let shown = format!("{error} {error:?} {refused:?} {strange:?} {client:?}");
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("the token *** is not valid"));
}

#[tokio::test]
async fn halves_of_the_key_are_not_shown_either() {
    let (one, other) = KEY.split_at(KEY.len() / 2);
    let plays = [
        format!(r#"{{"{one}":1,"{other}":2}}"#),
        format!(r#"{{"success":false,"message":"{one} / {other}"}}"#),
        format!(r#"{{"error":{{"message":"{one}"}},"errors":{{"{one}":"{other}"}}}}"#),
    ];
    let server = Server::plays(plays.iter().map(|body| json(200, body.as_str())).collect()).await;
    let client = client(&server);
    let odd = client.raw_page(entity("assets"), &[], 0, 10).await.unwrap_err();
    let first = client.create(entity("assets"), &body(value!({}))).await.unwrap_err();
    let second = client.create(entity("assets"), &body(value!({}))).await.unwrap_err();
    let shown = format!("{odd} {odd:?} {first:?} {second:?}");
    assert!(!shown.contains(one) && !shown.contains(other), "{shown}");
    assert!(shown.contains("got an object with `***`, `***`"), "{shown}");
}

#[tokio::test]
async fn a_practice_key_spoils_neither_messages_nor_records() {
    let record = r#"{"id":1,"name":"the sandbox"}"#;
    let server = Server::plays(vec![json(404, r#"{"message":"the sandbox has none"}"#), json(200, record)]).await;
    let key = super::Secret::new("sandbox".to_owned()).unwrap();
    let client = Client::new(ClientOptions { key, ..options(&server) }).unwrap();
    let failure = client.create(entity("locations"), &body(value!({}))).await.unwrap_err();
    assert_eq!(failure.message, "the sandbox has none");
    let written = client.create(entity("locations"), &body(value!({}))).await.unwrap();
    assert_eq!(written.record.unwrap()["name"], "the sandbox");
}

#[test]
fn a_client_can_be_shared_and_its_futures_sent() {
    fn is_sent<T: Send>(_: &T) {}
    let key = super::Secret::new(KEY.to_owned()).unwrap();
    let client = Client::new(ClientOptions::new(Url::parse("https://x.example/api/v1").unwrap(), key)).unwrap();
    is_sent(&client.clone());
    let empty = body(value!({}));
    is_sent(&client.create(entity("assets"), &empty));
    is_sent(&client.all(entity("assets"), &[]));
    assert_eq!(client.quota_left(), Some(10_000));
    assert_eq!(client.waiting(), None);
}
