use serde_json::json as value;

use super::server::{Play, Server, json};
use super::{client, entity, options, records};
use crate::api::{ApiError, Client};
use crate::schema::ACTIVITY;

const STEADY: &str = "sort=created_at&order=asc";

#[tokio::test]
async fn a_page_asks_with_documented_parameters_and_the_tenant() {
    let server =
        Server::plays(vec![json(200, records(1, 2)), json(200, "[]"), json(200, "[]"), json(200, r#"{"tenants":[]}"#)])
            .await;
    let client = Client::new(super::ClientOptions { tenant: Some(7), ..options(&server) }).unwrap();
    let page = client.raw_page(entity("assets"), &[("asset_id", "A 1")], 20, 10).await.unwrap();
    assert_eq!(page.records().map(|record| record.id).collect::<Vec<_>>(), [Some(1), Some(2)]);
    client.raw_page(entity("assets"), &[("sort", "updated_at"), ("order", "desc")], 0, 5).await.unwrap();
    client.activity(&[("user_email", "ada@example.com")], 1).await.unwrap();
    client.tenants().await.unwrap();
    let expected = [
        format!("GET assets?asset_id=A+1&limit=10&offset=20&{STEADY}&tenant_id=7"),
        "GET assets?sort=updated_at&order=desc&limit=5&offset=0&tenant_id=7".to_owned(),
        "GET activity?user_email=ada%40example.com&sort=created_at&order=desc&limit=1&offset=0&tenant_id=7".to_owned(),
        "GET tenants".to_owned(),
    ];
    assert_eq!(server.lines(), expected);
    let counts = client.requests();
    assert_eq!(counts.total, 4);
    assert_eq!(
        counts.by_kind.iter().map(|(kind, count)| (kind.to_string(), *count)).collect::<Vec<_>>(),
        [("GET activity".to_owned(), 1), ("GET assets".to_owned(), 2), ("GET tenants".to_owned(), 1)]
    );
}

#[tokio::test]
async fn the_key_is_a_bearer_token() {
    let server = Server::plays(vec![json(200, "[]")]).await;
    client(&server).raw_page(entity("assets"), &[], 0, 1).await.unwrap();
    let headers = &server.asked()[0].headers;
    for line in [format!("authorization: Bearer {}", super::KEY), "accept: application/json".to_owned()] {
        assert!(headers.contains(&line), "{headers:?}");
    }
}

#[tokio::test]
async fn what_is_no_list_of_records_is_a_breach_of_contract() {
    let html = Play::Response(200, vec![("Content-Type", "text/html".to_owned())], "<p>hello".to_owned());
    let cases = [
        (json(200, r#"{"data":[]}"#), "an object with `data`"),
        (json(200, r#"{"id":1,"asset_id":"A"}"#), "an object with `id`, `asset_id`"),
        (json(200, "null"), "null"),
        (json(200, r#"[{"id":1},2]"#), "a list whose item 2 is not a record"),
        (json(200, r#"[{"id":1"#), "truncated JSON"),
        (json(200, ""), "empty"),
        (json(204, ""), "empty"),
        (json(200, "ok"), "not JSON"),
        (html, "an HTML page"),
    ];
    for (play, found) in cases {
        let server = Server::plays(vec![play; 4]).await;
        let error = client(&server).raw_page(entity("assets"), &[], 0, 1).await.unwrap_err();
        let detail = format!("expected a list of records, got {found}");
        assert_eq!(error, ApiError::Contract { what: "GET assets".to_owned(), detail });
    }
}

#[tokio::test]
async fn a_record_is_found_in_every_shape() {
    let record = value!({ "id": 5, "asset_id": "A-5", "unheard_of": true });
    let bodies = [
        record.to_string(),
        value!([record]).to_string(),
        value!({ "data": record }).to_string(),
        value!({ "asset": record }).to_string(),
        value!({ "assets": [record] }).to_string(),
    ];
    for body in bodies {
        let server = Server::plays(vec![json(200, &*body)]).await;
        assert_eq!(client(&server).get(entity("assets"), 5).await, Ok(record.as_object().cloned()), "{body}");
    }
    for play in [json(404, r#"{"message":"Not found"}"#), json(200, "null"), json(200, "[]"), json(404, "")] {
        let server = Server::plays(vec![play.clone()]).await;
        assert_eq!(client(&server).get(entity("assets"), 5).await, Ok(None), "{play:?}");
        assert_eq!(server.lines(), ["GET assets/5"]);
    }
}

#[tokio::test]
async fn tenants_lie_under_their_key() {
    for body in [r#"{"tenants":[{"tenant_id":3,"name":"Acme"}]}"#, r#"[{"tenant_id":3,"name":"Acme"}]"#] {
        let server = Server::plays(vec![json(200, body)]).await;
        let tenants = client(&server).tenants().await.unwrap();
        assert_eq!(tenants[0]["tenant_id"], 3);
    }
    let server = Server::plays(vec![json(200, r#"{"rows":[]}"#)]).await;
    assert!(matches!(client(&server).tenants().await, Err(ApiError::Contract { .. })));
}

#[tokio::test]
async fn a_short_page_is_followed_by_one_more_request() {
    let script = vec![json(200, records(1, 1_000)), json(200, records(1_001, 50)), json(200, "[]")];
    let server = Server::plays(script).await;
    let all = client(&server).all(entity("assets"), &[]).await.unwrap();
    assert_eq!(all.len(), 1_050);
    let page = |offset| format!("GET assets?limit=1000&offset={offset}&{STEADY}");
    assert_eq!(server.lines(), [page(0), page(1_000), page(1_050)]);
    // A record of the first page was hidden after it was cut.
    let script = vec![json(200, records(2, 999)), json(200, records(1_000, 501)), json(200, "[]")];
    let server = Server::plays(script).await;
    assert_eq!(client(&server).all(entity("assets"), &[]).await.unwrap().len(), 1_499);
    // A service that ignores the offset.
    let server = Server::plays(vec![json(200, records(1, 7)), json(200, records(1, 7))]).await;
    assert_eq!(client(&server).all(entity("assets"), &[]).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_list_ends_with_an_empty_page() {
    let server = Server::plays(vec![json(200, records(1, 1_000)), json(200, "[]")]).await;
    assert_eq!(client(&server).all(entity("assets"), &[]).await.unwrap().len(), 1_000);
    let server = Server::plays(vec![json(200, "[]")]).await;
    assert_eq!(client(&server).all(entity("assets"), &[]).await.unwrap().len(), 0);
}

#[tokio::test]
async fn pages_cut_without_a_word_lose_nothing() {
    let script =
        vec![json(200, records(1, 500)), json(200, records(501, 500)), json(200, records(1_001, 7)), json(200, "[]")];
    let server = Server::plays(script).await;
    assert_eq!(client(&server).all(entity("assets"), &[]).await.unwrap().len(), 1_007);
    let offsets: Vec<_> = server.lines().iter().map(|line| line.contains("offset=500&")).collect();
    assert_eq!(offsets, [false, true, false, false]);
}

#[tokio::test]
async fn a_refused_limit_is_learnt_once() {
    let refusal = || json(422, r#"{"message":"limit must not exceed 100"}"#);
    let pages = [json(200, records(1, 100)), json(200, records(101, 3)), json(200, "[]"), json(200, "[]")];
    let script = [refusal(), refusal()].into_iter().chain(pages).collect();
    let server = Server::plays(script).await;
    let client = client(&server);
    assert_eq!(client.page_limit(), 1_000);
    assert_eq!(client.all(entity("assets"), &[]).await.unwrap().len(), 103);
    assert_eq!(client.page_limit(), 100);
    client.raw_page(entity("locations"), &[], 0, 1_000).await.unwrap();
    let limits: Vec<_> = server.lines().iter().map(|line| line.split(['=', '&']).nth(1).unwrap().to_owned()).collect();
    assert_eq!(limits, ["1000", "500", "100", "100", "100", "100"]);
}

#[tokio::test]
async fn a_refused_filter_is_not_taken_for_a_refused_limit() {
    let server = Server::plays(vec![json(400, r#"{"message":"no such filter"}"#); 4]).await;
    let client = client(&server);
    let error = client.raw_page(entity("assets"), &[], 0, 1_000).await.unwrap_err();
    assert_eq!(error.to_string(), "the service refused `GET assets` (400): no such filter");
    assert_eq!((client.page_limit(), server.lines().len()), (1_000, 4));
    let server = Server::plays(vec![json(400, "{}")]).await;
    assert!(super::client(&server).raw_page(entity("assets"), &[], 0, 1).await.is_err());
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_service_that_ignores_the_offset_ends_in_an_error() {
    let server = Server::plays(vec![json(200, records(1, 1_000)), json(200, records(1, 1_000))]).await;
    let error = client(&server).all(entity("assets"), &[]).await.unwrap_err();
    assert!(matches!(error, ApiError::Contract { .. }), "{error:?}");
}

#[tokio::test]
async fn reads_are_repeated_after_a_lost_answer() {
    for play in [Play::HangUp, Play::BreakOff, json(502, "bad gateway")] {
        let server = Server::plays(vec![play, json(200, records(1, 1))]).await;
        let client = client(&server);
        assert_eq!(client.raw_page(&ACTIVITY, &[], 0, 10).await.unwrap().len(), 1);
        assert_eq!(client.requests().total, 2);
    }
}

#[tokio::test]
async fn a_probe_tells_clock_and_limits() {
    let headers = vec![
        ("Date", "Sat, 01 Jan 2000 00:00:00 GMT".to_owned()),
        ("X-RateLimit-Limit", "10000".to_owned()),
        ("X-RateLimit-Remaining", "9990".to_owned()),
    ];
    let server = Server::plays(vec![Play::Response(200, headers, "[]".to_owned())]).await;
    let probe = client(&server).probe(entity("statuses")).await.unwrap();
    assert_eq!((probe.limit, probe.remaining), (Some(10_000), Some(9_990)));
    assert!(probe.clock_ahead.unwrap() < -800_000_000);
    assert_eq!(server.lines(), ["GET statuses?limit=1"]);
}
