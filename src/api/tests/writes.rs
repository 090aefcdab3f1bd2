use serde_json::{Value, json as value};

use super::server::{Play, Server, json};
use super::{body, client, entity};
use crate::api::{FailureScope, WriteOutcome, WriteReply};

fn written(id: Option<i64>, record: Option<&Value>) -> WriteReply {
    WriteReply { id, record: record.map(|record| record.as_object().unwrap().clone()) }
}

#[tokio::test]
async fn a_create_is_understood_in_every_shape() {
    let record = value!({ "id": 5, "name": "Berlin" });
    let whole = || written(Some(5), Some(&record));
    let cases = [
        (json(201, record.to_string()), whole()),
        (json(200, record.to_string()), whole()),
        (json(201, value!([record]).to_string()), whole()),
        (json(201, value!({ "data": record }).to_string()), whole()),
        (json(201, value!({ "data": [record] }).to_string()), whole()),
        (json(201, value!({ "location": record, "message": "Created" }).to_string()), whole()),
        (json(201, value!({ "locations": [record] }).to_string()), whole()),
        (json(201, value!([{ "location": record }]).to_string()), whole()),
        (json(201, value!({ "data": { "location": record } }).to_string()), whole()),
        (json(201, r#"{"success":true,"data":{"id":5}}"#), written(Some(5), None)),
        (json(201, r#"{"id":5}"#), written(Some(5), None)),
        (json(201, r#"{"id":5,"message":"Created"}"#), written(Some(5), None)),
        (json(201, r#"{"id":"5"}"#), written(Some(5), None)),
        (json(201, "5"), written(Some(5), None)),
        (json(201, r#""5""#), written(Some(5), None)),
        (json(201, "[5]"), written(Some(5), None)),
        (json(201, r#"{"message":"Created"}"#), written(None, None)),
        (json(201, r#""Created""#), written(None, None)),
        (json(201, "Created"), written(None, None)),
        (json(201, "{}"), written(None, None)),
        (json(201, "null"), written(None, None)),
        (json(201, "[]"), written(None, None)),
        (json(201, ""), written(None, None)),
        (json(204, ""), written(None, None)),
        (json(201, r#"{"id":5,"error":null,"errors":[]}"#), written(Some(5), None)),
    ];
    for (play, expected) in cases {
        let server = Server::plays(vec![play.clone()]).await;
        let created = client(&server).create(entity("locations"), &body(value!({ "name": "Berlin" }))).await;
        assert_eq!(created, Ok(expected), "{play:?}");
        let asked = &server.asked()[0];
        assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST /api/v1/locations", r#"{"name":"Berlin"}"#));
        assert!(asked.headers.contains(&"content-type: application/json".to_owned()));
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_unknown() {
    let cases = [
        (json(201, r#"{"id":5,"#), "the service responded 201 with truncated JSON"),
        (json(200, "<html><title>Log in</title>"), "the service responded 200 with an HTML page"),
        (json(200, r#"[{"id":5},{"id":6}]"#), "the service responded with a list of 2 to a write of one record"),
    ];
    for (play, message) in cases {
        let server = Server::plays(vec![play]).await;
        let failure = client(&server).create(entity("locations"), &body(value!({}))).await.unwrap_err();
        assert_eq!(
            (failure.outcome, failure.scope, failure.message.as_str()),
            (WriteOutcome::Unknown, FailureScope::Row, message)
        );
    }
}

#[tokio::test]
async fn a_success_that_says_it_failed_is_told_in_its_words() {
    let none = "the service reported a failure with a success status";
    let cases = [
        (r#"{"success":false,"message":"no seats"}"#, "no seats"),
        (r#"{"ok":false,"reason":"no seats"}"#, "no seats"),
        (r#"{"error":"no seats"}"#, "no seats"),
        (r#"[{"error":{"message":"no seats","code":12}}]"#, "no seats"),
        (r#"{"data":{"errors":["no seats"]}}"#, "no seats"),
        (r#"{"title":"Conflict","status":409,"detail":"no seats"}"#, "Conflict; no seats"),
        (r#"{"error":"mail failed","location":{"id":5,"name":"Berlin"}}"#, "mail failed"),
        (r#"{"status":"error"}"#, none),
        (r#"{"success":false}"#, none),
    ];
    for (body_of_reply, message) in cases {
        let server = Server::plays(vec![json(200, body_of_reply); 3]).await;
        let client = client(&server);
        let failures = [
            client.create(entity("locations"), &body(value!({}))).await.unwrap_err(),
            client.update(entity("locations"), 5, &body(value!({}))).await.unwrap_err(),
            client.delete(entity("locations"), 5).await.unwrap_err(),
        ];
        for failure in failures {
            assert_eq!(
                (failure.outcome, failure.scope, failure.status, failure.message.as_str()),
                (WriteOutcome::ReportedFailure, FailureScope::Row, Some(200), message),
                "{body_of_reply}"
            );
        }
    }
    let server = Server::plays(vec![json(200, r#"{"errors":{"name":["is taken"]}}"#)]).await;
    let failure = client(&server).create(entity("locations"), &body(value!({}))).await.unwrap_err();
    assert_eq!(failure.fields, [("name".to_owned(), "is taken".to_owned())]);
    for done in [r#"{"message":"Created","error":null,"errors":0}"#, r#"{"success":true,"status":201}"#] {
        let server = Server::plays(vec![json(200, done)]).await;
        assert!(client(&server).create(entity("locations"), &body(value!({}))).await.is_ok(), "{done}");
    }
}

#[tokio::test]
async fn an_update_knows_its_id() {
    let record = value!({ "id": 5, "name": "Berlin" });
    let cases = [
        (json(200, record.to_string()), written(Some(5), Some(&record))),
        (json(200, value!({ "data": record }).to_string()), written(Some(5), Some(&record))),
        (json(204, ""), written(Some(5), None)),
        (json(200, r#"{"message":"Updated"}"#), written(Some(5), None)),
        // One record changed, not record 1.
        (json(200, "[1]"), written(Some(5), None)),
    ];
    for (play, expected) in cases {
        let server = Server::plays(vec![play.clone()]).await;
        let updated = client(&server).update(entity("locations"), 5, &body(value!({ "name": "Berlin" }))).await;
        assert_eq!(updated, Ok(expected), "{play:?}");
        assert_eq!(server.lines(), ["PUT locations/5"]);
    }
    let server = Server::plays(vec![json(200, r#"{"id":6,"name":"Berlin"}"#)]).await;
    let failure = client(&server).update(entity("locations"), 5, &body(value!({}))).await.unwrap_err();
    assert_eq!(
        (failure.outcome, failure.message.as_str()),
        (WriteOutcome::Unknown, "the response is about record 6, not 5")
    );
}

#[tokio::test]
async fn an_action_is_a_post_to_its_path() {
    let server = Server::plays(vec![json(200, r#"{"asset":{"id":9,"asset_id":"A-1"}}"#)]).await;
    let client = client(&server);
    let done = client.create(entity("checkout_asset"), &body(value!({ "asset_id": "A-1" }))).await.unwrap();
    assert_eq!(done.id, Some(9));
    assert_eq!(server.lines(), ["POST checkout/asset"]);
    assert_eq!(client.requests().by_kind.keys().map(ToString::to_string).collect::<Vec<_>>(), ["POST checkout/asset"]);
}

#[tokio::test]
async fn a_repeated_delete_that_finds_nothing_has_done_its_work() {
    let gone = || json(404, r#"{"message":"no such location"}"#);
    for script in [
        vec![json(204, "")],
        vec![json(200, r#"{"message":"Deleted"}"#)],
        vec![Play::HangUp, gone()],
        vec![json(500, ""), gone()],
    ] {
        let server = Server::plays(script.clone()).await;
        assert_eq!(client(&server).delete(entity("locations"), 5).await, Ok(()), "{script:?}");
        assert_eq!(server.lines()[0], "DELETE locations/5");
    }
    let server = Server::plays(vec![gone()]).await;
    let failure = client(&server).delete(entity("locations"), 5).await.unwrap_err();
    assert_eq!((failure.outcome, failure.status, failure.scope), (WriteOutcome::Refused, Some(404), FailureScope::Row));
}

#[tokio::test]
async fn an_update_is_repeated_after_a_lost_answer_and_a_create_is_not() {
    let server = Server::plays(vec![Play::HangUp, json(200, "")]).await;
    assert!(client(&server).update(entity("locations"), 5, &body(value!({}))).await.is_ok());
    for play in [Play::HangUp, Play::BreakOff] {
        let server = Server::plays(vec![play]).await;
        let failure = client(&server).create(entity("locations"), &body(value!({}))).await.unwrap_err();
        assert_eq!((failure.outcome, failure.status, failure.scope), (WriteOutcome::Unknown, None, FailureScope::Row));
        assert_eq!(server.lines().len(), 1);
    }
}
