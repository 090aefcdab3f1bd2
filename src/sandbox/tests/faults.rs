//! Every fault as a client on the raw socket meets it, and what the sandbox holds afterwards.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::sandbox::{FaultControl, Faults};

fn with(faults: &str) -> Api {
    with_seed(faults, 0)
}

fn with_seed(faults: &str, seed: u64) -> Api {
    let faults = faults.parse::<Faults>().unwrap().seeded(seed);
    Api::with(SandboxOptions {
        quota: None,
        seed: Seed::Empty,
        faults,
        control: FaultControl::On,
        ..Default::default()
    })
}

/// A client that shows what comes, and how it ends.
struct Raw(TcpStream);

/// How the server's side of a connection ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// In order, with a FIN.
    Closed,
    /// With a RST.
    Reset,
}

impl Raw {
    /// Sends one request on a connection of its own.
    fn send(api: &Api, method: &str, path: &str, body: &str) -> Self {
        let address = api.sandbox.address();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sandbox\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Raw(stream)
    }

    /// Everything that comes until the end, and the end.
    fn read(mut self) -> (String, End) {
        let mut bytes = Vec::new();
        let end = match self.0.read_to_end(&mut bytes) {
            Ok(_) => End::Closed,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Err(error) => panic!("{error}"),
        };
        (String::from_utf8(bytes).unwrap(), end)
    }

    /// Status, head and body of an answer that ends in order.
    fn answer(self) -> (u16, String, String) {
        let (text, end) = self.read();
        assert_eq!(end, End::Closed, "{text}");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }
}

/// Far more than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

const PARKED: &str = r#"{"name": "Parked", "type": "pending"}"#;

/// Sends the creation of a status.
fn park(api: &Api) -> Raw {
    Raw::send(api, "POST", "statuses", PARKED)
}

fn parked(api: &Api) -> usize {
    api.list("/statuses").len()
}

/// Asks until the store holds so many statuses: work that a client no longer waits for ends when it ends.
fn wait_for_parked(api: &Api, count: usize) {
    wait_until(|| parked(api) == count);
}

/// A change of the faults, or a look at them, with the right key.
fn control(api: &Api, method: Method, rules: &str) -> Answer {
    let request = api.http.request(method, api.sandbox.control_url()).bearer_auth("sandbox");
    api.send(request.body(rules.to_owned()))
}

/// How often the first rule has struck.
fn fired(api: &Api) -> u64 {
    control(api, Method::GET, "").accepted()["rules"][0]["fired"].as_u64().unwrap()
}

fn wait_for_fired(api: &Api) {
    wait_until(|| fired(api) > 0);
}

/// Asks again and again. What would never come fails the test instead of holding it up.
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it never came");
    }
}

#[test]
fn a_refusal_looks_like_any_other_and_does_nothing() {
    let api = with(
        "POST statuses nth=1 refuse\nPOST statuses nth=2 refuse=409 message=\"no more of these\"\n\
         POST statuses nth=3 refuse=200 message=\"no more of these\"",
    );
    let (status, head, body) = park(&api).answer();
    assert_eq!(status, 422);
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({"message": "a fault of the sandbox: this request is refused"}));
    let (status, _, body) = park(&api).answer();
    assert_eq!((status, &*body), (409, r#"{"message":"no more of these"}"#));
    let (status, _, body) = park(&api).answer();
    assert_eq!((status, &*body), (200, r#"{"success":false,"error":"no more of these"}"#));
    assert_eq!(parked(&api), 0);
    assert_eq!(park(&api).answer().0, 201);
    assert_eq!(parked(&api), 1);
}

#[test]
fn a_reset_sends_nothing_before_or_after_the_change() {
    let api = with("POST statuses nth=1 reset before\nPOST statuses nth=2 reset after");
    assert_eq!(park(&api).read(), (String::new(), End::Reset));
    assert_eq!(parked(&api), 0);
    assert_eq!(park(&api).read(), (String::new(), End::Reset));
    assert_eq!(parked(&api), 1);
}

#[test]
fn a_reset_spares_the_answers_before_it_on_its_connection() {
    let api = with("GET statuses nth=2 reset after");
    let address = api.sandbox.address();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /api/v1/statuses HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sandbox\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"\r\n\r\n[]") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        first.extend(byte);
    }
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(Raw(stream).read(), (String::new(), End::Reset));
}

#[test]
fn statuses_of_trouble_come_before_or_after_the_change() {
    for status in [500, 502, 503, 504, 429] {
        let api = with(&format!("POST statuses nth=1 {status} before\nPOST statuses nth=2 {status} after"));
        for stored in [0, 1] {
            let (got, head, body) = park(&api).answer();
            assert_eq!(got, status);
            assert!(!head.contains("retry-after"), "{head}");
            assert!(serde_json::from_str::<Json>(&body).unwrap()["message"].is_string());
            assert_eq!(parked(&api), stored, "{status}");
        }
    }
}

#[test]
fn retry_after_is_told_with_429_and_503() {
    let api = with("* statuses nth=1 429 retry-after=7\n* statuses nth=2 503 retry-after=0");
    assert!(park(&api).answer().1.contains("retry-after: 7"));
    assert!(park(&api).answer().1.contains("retry-after: 0"));
}

#[test]
fn a_delayed_answer_is_the_usual_one() {
    for timing in ["before", "after"] {
        let api = with(&format!("POST statuses nth=1 delay=30 {timing}"));
        let (status, _, body) = park(&api).answer();
        assert_eq!(status, 201);
        assert_eq!(serde_json::from_str::<Json>(&body).unwrap()["name"], "Parked");
        assert_eq!((parked(&api), fired(&api)), (1, 1));
    }
}

#[test]
fn a_change_that_is_delayed_is_made_though_the_client_hung_up() {
    let api = with("POST statuses delay=400 before");
    let client = park(&api);
    wait_for_fired(&api);
    drop(client);
    wait_for_parked(&api, 1);
}

#[test]
fn a_change_that_is_delayed_is_not_made_before_its_time_and_does_not_hold_a_sandbox_that_stops() {
    let api = with("POST statuses delay=3600000 before");
    let client = park(&api);
    wait_for_fired(&api);
    assert_eq!(parked(&api), 0);
    drop(client);
    drop(api);
}

#[test]
fn a_change_whose_answer_is_delayed_is_made_at_once() {
    // Longer than the test may take: only a change that does not wait for it can be seen.
    let api = with("POST statuses delay=3600000 after");
    let client = park(&api);
    wait_for_parked(&api, 1);
    drop(client);
    wait_for_parked(&api, 1);
}

#[test]
fn a_client_that_hangs_gets_nothing_before_or_after_the_change() {
    for (timing, stored) in [("before", 0), ("after", 1)] {
        let api = with(&format!("POST statuses hang {timing}"));
        let client = park(&api);
        wait_for_fired(&api);
        wait_for_parked(&api, stored);
        client.0.set_nonblocking(true).unwrap();
        let read = (&client.0).read(&mut [0; 1]).unwrap_err();
        assert_eq!(read.kind(), ErrorKind::WouldBlock, "neither a byte nor an end");
        client.0.set_nonblocking(false).unwrap();
        client.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read().0, "", "and nothing when it gives up");
        assert_eq!(parked(&api), stored);
    }
}

#[test]
fn a_truncated_body_is_half_of_what_its_length_announces() {
    let api = with("POST statuses truncate");
    let (status, head, body) = park(&api).answer();
    assert_eq!(status, 201);
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let announced: usize = announced.parse().unwrap();
    let whole = api.record("statuses", 1).to_string();
    assert_eq!(announced, whole.len());
    assert_eq!(body, whole[..whole.len() / 2]);
}

#[test]
fn a_large_body_is_truncated_at_its_half_too() {
    let api = with("");
    for _ in 0..30 {
        api.made("statuses", json!({"name": "x".repeat(100_000), "type": "pending"}));
    }
    let whole = api.get("/statuses").accepted().to_string();
    control(&api, Method::PUT, "GET statuses truncate").accepted();
    let (_, head, body) = Raw::send(&api, "GET", "statuses", "").answer();
    assert!(whole.len() > 3_000_000);
    assert!(head.contains(&format!("content-length: {}", whole.len())), "{head}");
    assert_eq!(body.len(), whole.len() / 2);
}

#[test]
fn an_answer_without_a_body_is_lost_where_it_should_be_truncated() {
    let api = with("DELETE * truncate");
    park(&api).answer();
    assert_eq!(Raw::send(&api, "DELETE", "statuses/1", "").read(), (String::new(), End::Reset));
    assert_eq!(parked(&api), 0);
}

#[test]
fn a_page_comes_before_or_after_the_change() {
    let api = with("POST statuses nth=1 html\nPOST statuses nth=2 html=200 after\nPOST statuses nth=3 html=502 before");
    for (expected, stored) in [(403, 0), (200, 1), (502, 1)] {
        let (status, head, body) = park(&api).answer();
        assert_eq!(status, expected);
        assert!(head.contains("content-type: text/html"), "{head}");
        assert!(body.starts_with("<!DOCTYPE html>"), "{body}");
        assert_eq!(parked(&api), stored);
    }
}

#[test]
fn a_wrong_shape_is_a_success_of_a_change_that_was_made() {
    let api = with("POST statuses nth=1 shape\nPOST statuses nth=2 shape=empty\nDELETE * shape");
    let (status, _, body) = park(&api).answer();
    let body: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 201);
    assert_eq!(body["result"]["payload"], api.record("statuses", 1));
    let (status, _, body) = park(&api).answer();
    assert_eq!((status, &*body), (201, "{}"));
    assert_eq!(parked(&api), 2);
    let (status, _, body) = Raw::send(&api, "DELETE", "statuses/1", "").answer();
    assert_eq!((status, &*body), (200, r#"{"result":{"payload":null}}"#));
    assert_eq!(parked(&api), 1);
}

#[test]
fn a_list_of_the_wrong_shape_is_an_object_and_a_refusal_stays_one() {
    let api = with("* * shape");
    let list = api.get("/statuses").accepted();
    assert_eq!(list, json!({"result": {"payload": []}}));
    assert_eq!(api.post("/statuses", json!({"name": "Parked"})).blamed(), ["type"]);
}

#[test]
fn strangers_are_refused_as_ever_and_the_quota_counts_what_is_struck() {
    let faults = "* * 500".parse().unwrap();
    let api = Api::with(SandboxOptions { quota: Some(2), faults, control: FaultControl::On, ..Default::default() });
    assert_eq!(api.send(api.stranger(Method::GET, "/assets")).status, StatusCode::UNAUTHORIZED);
    assert_eq!(fired(&api), 0);
    for remaining in ["1", "0"] {
        let answer = api.get("/assets");
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(remaining));
    }
    assert_eq!(api.get("/assets").status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fired(&api), 2);
}

#[test]
fn a_chance_strikes_the_same_requests_with_the_same_seed() {
    let struck = |seed| {
        let api = with_seed("GET statuses p=0.5 500", seed);
        (0..40).map(|_| api.get("/statuses").status.is_success()).collect::<Vec<_>>()
    };
    let first = struck(1);
    assert!(first.contains(&true) && first.contains(&false));
    assert_eq!(struck(1), first);
    assert_ne!(struck(2), first);
}

#[test]
fn a_request_that_never_arrives_whole_does_nothing() {
    let api = with("POST statuses reset after");
    let address = api.sandbox.address();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sandbox\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{PARKED}"
    )
    .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Raw(stream).read().0, "");
    assert_eq!(parked(&api), 0);
}

#[test]
fn faults_are_seen_added_replaced_and_taken_away() {
    let api = with("POST statuses nth=2 500");
    park(&api).answer();
    let rule = |rule: &str, matched: u64, fired: u64| json!({"rule": rule, "matched": matched, "fired": fired});
    let expected = json!({"seed": 0, "rules": [rule("POST statuses nth=2 500 before", 1, 0)]});
    assert_eq!(control(&api, Method::GET, "").accepted(), expected);

    let added = control(&api, Method::POST, "# more\nGET assets/* hang\n\n* * p=0.25 reset after # less\n").accepted();
    let expected = json!({"seed": 0, "rules": [
        rule("POST statuses nth=2 500 before", 1, 0),
        rule("GET assets/* hang before", 0, 0),
        rule("* * p=0.25 reset after", 0, 0),
    ]});
    assert_eq!(added, expected);

    let replaced = control(&api, Method::PUT, "POST statuses count=1 502 after").accepted();
    let expected = json!({"seed": 0, "rules": [rule("POST statuses count=1 502 after", 0, 0)]});
    assert_eq!(replaced, expected);
    assert_eq!(park(&api).answer().0, 502);
    assert_eq!(fired(&api), 1);

    let gone = control(&api, Method::DELETE, "");
    assert_eq!((gone.status, gone.body), (StatusCode::NO_CONTENT, Json::Null));
    assert_eq!(park(&api).answer().0, 201);
    assert_eq!(control(&api, Method::GET, "").accepted(), json!({"seed": 0, "rules": []}));
}

#[test]
fn the_control_endpoint_refuses_slips_whole_and_other_methods() {
    let api = with("POST statuses 500");
    let before = control(&api, Method::GET, "").accepted();
    for method in [Method::PUT, Method::POST] {
        let answer = control(&api, method, "GET * hang\nGET asets hang");
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.starts_with("line 2: invalid fault `GET asets hang`: "), "{message}");
        assert!(message.contains("did you mean `assets`?"), "{message}");
        assert_eq!(control(&api, Method::GET, "").accepted(), before);
    }
    assert_eq!(control(&api, Method::PATCH, "").status, StatusCode::METHOD_NOT_ALLOWED);
    let bytes = api.http.put(api.sandbox.control_url()).bearer_auth("sandbox").body(vec![0xff]);
    assert_eq!(api.send(bytes).status, StatusCode::BAD_REQUEST);
}

#[test]
fn the_control_endpoint_wants_the_key_costs_no_quota_and_meets_no_fault() {
    let faults = "* * 500".parse().unwrap();
    let api = Api::with(SandboxOptions { quota: Some(1), faults, control: FaultControl::On, ..Default::default() });
    assert_eq!(api.send(api.http.get(api.sandbox.control_url())).status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.send(api.http.put(api.sandbox.control_url())).status, StatusCode::UNAUTHORIZED);
    assert_eq!(fired(&api), 0);
    assert_eq!(control(&api, Method::GET, "").header("x-ratelimit-remaining"), None);
    assert_eq!(api.get("/assets").header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(fired(&api), 1);
}

#[test]
fn off_the_control_endpoint_is_an_unknown_path() {
    let api = Api::with(SandboxOptions { quota: Some(10), ..Default::default() });
    for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
        let answer = control(&api, method, "");
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.body["message"].as_str().unwrap().contains("the API is below `/api/v1`"));
    }
    assert_eq!(api.get("/assets").header("x-ratelimit-remaining"), Some("5"));
}
