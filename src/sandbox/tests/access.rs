//! Who gets in, by which path and method, how often, for which tenant, and with what kind of body.

use super::*;
use crate::schema::{ACTIONS, COLLECTIONS};

#[test]
fn only_the_key_as_a_bearer_token_opens() {
    let api = Api::new();
    let authorizations = ["", "sandbox", "Bearer", "Bearer ", "Bearer wrong", "Basic sandbox", "Bearer  sandbox"];
    for authorization in authorizations {
        let request = api.stranger(Method::GET, "/assets").header(header::AUTHORIZATION, authorization);
        let answer = api.send(request);
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "`{authorization}`");
        assert!(answer.body["message"].is_string());
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(api.send(api.stranger(Method::GET, "/assets")).status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.get("/assets").status, StatusCode::OK);
    let lower = api.stranger(Method::GET, "/assets").header(header::AUTHORIZATION, "bearer sandbox");
    assert_eq!(api.send(lower).status, StatusCode::OK, "schemes have no case");
    let twice = api.ask(Method::GET, "/assets").header(header::AUTHORIZATION, "Bearer sandbox");
    assert_eq!(api.send(twice).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn unknown_paths_methods_and_ids_are_told_apart() {
    let api = Api::new();
    for path in ["", "/", "/asset", "/assets/", "/assets/1/2", "/Assets", "/users", "/checkin", "/checkin/consumable"] {
        let answer = api.get(path);
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body["message"].is_string());
    }
    for (method, path) in [
        (Method::PUT, "/assets"),
        (Method::DELETE, "/assets"),
        (Method::PATCH, "/assets/1"),
        (Method::POST, "/assets/1"),
        (Method::HEAD, "/assets"),
        (Method::GET, "/checkout/asset"),
        (Method::POST, "/activity"),
        (Method::POST, "/tenants"),
    ] {
        let answer = api.send(api.ask(method.clone(), path));
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
    for id in ["999999", "0", "-1", "01", "one", "1.0", "99999999999999999999"] {
        for method in [Method::GET, Method::DELETE] {
            let answer = api.send(api.ask(method.clone(), &format!("/statuses/{id}")));
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {id}");
        }
        assert_eq!(api.put(&format!("/statuses/{id}"), json!({})).status, StatusCode::NOT_FOUND, "PUT {id}");
    }
}

#[test]
fn bodies_are_json_objects_and_say_so() {
    let api = Api::new();
    let send = |kind: Option<&str>, body: &str| {
        let request = api.ask(Method::POST, "/statuses").body(body.to_owned());
        let request = match kind {
            Some(kind) => request.header(header::CONTENT_TYPE, kind),
            None => request,
        };
        api.send(request).status
    };
    let good = r#"{"name": "Parked", "type": "pending"}"#;
    assert_eq!(send(Some("application/json"), good), StatusCode::CREATED);
    assert_eq!(send(Some("application/json; charset=utf-8"), good), StatusCode::CREATED);
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")] {
        assert_eq!(send(kind, good), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind:?}");
    }
    for body in ["", "[]", "null", "1", "{", "{'name': 1}", "name=Parked", r#"[{"name": "Parked"}]"#] {
        assert_eq!(send(Some("application/json"), body), StatusCode::BAD_REQUEST, "{body}");
    }
    let large = json!({"name": "x".repeat(2 << 20), "type": "pending"}).to_string();
    assert_eq!(send(Some("application/json"), &large), StatusCode::PAYLOAD_TOO_LARGE);
    for method in [Method::GET, Method::DELETE] {
        let answer = api.send(api.with_body(method, "/statuses/1", json!({})));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[test]
fn a_query_has_no_place_beside_a_body_or_an_id() {
    let api = Api::new();
    assert_eq!(api.get("/statuses/1?limit=1").blamed(), ["limit"]);
    assert_eq!(api.delete("/statuses/1?force=true").blamed(), ["force"]);
    assert_eq!(api.put("/statuses/1?name=x", json!({})).blamed(), ["name"]);
    for path in COLLECTIONS.iter().chain(ACTIONS).map(|entity| entity.path) {
        assert_eq!(api.post(&format!("/{path}?name=x"), json!({})).blamed(), ["name"], "{path}");
    }
}

#[test]
fn the_quota_is_counted_told_and_kept() {
    let api = Api::with(SandboxOptions { quota: Some(3), ..SandboxOptions::default() });
    assert_eq!(api.send(api.stranger(Method::GET, "/assets")).status, StatusCode::UNAUTHORIZED);
    for remaining in ["2", "1", "0"] {
        let answer = api.get("/assets");
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(remaining));
    }
    let answer = api.post("/statuses", json!({"name": "Parked", "type": "pending"}));
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((3590..=3600).contains(&wait), "{wait}");
    assert!(answer.body["message"].is_string());
    assert_eq!(api.get("/nowhere").status, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn no_quota_says_nothing_of_one() {
    let answer = Api::new().get("/assets");
    assert_eq!(answer.header("x-ratelimit-limit"), None);
}

fn two_tenants() -> Api {
    let tenants = vec![(3, "North".to_owned()), (8, "South".to_owned())];
    Api::with(SandboxOptions { tenants, quota: None, ..SandboxOptions::default() })
}

#[test]
fn tenants_are_listed_without_parameters() {
    let api = two_tenants();
    let expected = json!({"tenants": [{"tenant_id": 3, "name": "North"}, {"tenant_id": 8, "name": "South"}]});
    assert_eq!(api.get("/tenants").accepted(), expected);
    for parameter in ["tenant_id=3", "limit=1", "offset=0"] {
        assert_eq!(api.get(&format!("/tenants?{parameter}")).status, StatusCode::UNPROCESSABLE_ENTITY, "{parameter}");
    }
    assert_eq!(Api::new().get("/tenants").accepted(), json!({"tenants": []}));
}

#[test]
fn with_tenants_every_request_names_one() {
    let api = two_tenants();
    for path in COLLECTIONS.iter().map(|entity| entity.path).chain(["activity"]) {
        assert_eq!(api.get(&format!("/{path}")).blamed(), ["tenant_id"], "{path}");
        assert_eq!(api.get(&format!("/{path}?tenant_id=3")).status, StatusCode::OK, "{path}");
    }
    for path in COLLECTIONS.iter().chain(ACTIONS).map(|entity| entity.path) {
        assert_eq!(api.post(&format!("/{path}"), json!({})).blamed(), ["tenant_id"], "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(api.send(api.with_body(method, "/statuses/1", json!({}))).blamed(), ["tenant_id"]);
    }
    for given in ["tenant_id=", "tenant_id=North", "tenant_id=03", "tenant_id=3&tenant_id=3"] {
        assert_eq!(api.get(&format!("/assets?{given}")).blamed(), ["tenant_id"], "{given}");
    }
    assert_eq!(api.get("/assets?tenant_id=4").status, StatusCode::FORBIDDEN);
    let body = json!({"name": "Parked", "type": "pending", "tenant_id": 3});
    assert_eq!(api.post("/statuses?tenant_id=3", body).blamed(), ["tenant_id"], "not in the body");
}

#[test]
fn without_tenants_the_parameter_is_unknown() {
    let api = Api::new();
    assert_eq!(api.get("/assets?tenant_id=1").blamed(), ["tenant_id"]);
    assert_eq!(api.post("/statuses?tenant_id=1", json!({})).blamed(), ["tenant_id"]);
}

#[test]
fn no_tenant_sees_or_touches_another() {
    let api = two_tenants();
    let names = |tenant: i64| {
        let rows = api.list(&format!("/statuses?tenant_id={tenant}&sort=created_at"));
        rows.iter().map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(3), names(8), "each has the samples");
    let body = json!({"name": "Parked", "type": "pending"});
    let id = api.post("/statuses?tenant_id=3", body).accepted()["id"].as_i64().unwrap();
    let theirs = format!("/statuses/{id}?tenant_id=8");
    assert_eq!(api.get(&theirs).status, StatusCode::NOT_FOUND);
    assert_eq!(api.put(&theirs, json!({"name": "Mine"})).status, StatusCode::NOT_FOUND);
    assert_eq!(api.delete(&theirs).status, StatusCode::NOT_FOUND);
    let product = api.list("/products?tenant_id=8")[0]["id"].clone();
    let asset = |status: i64, product: &Json| json!({"asset_id": "A-1", "status_id": status, "product_id": product});
    assert_eq!(api.post("/assets?tenant_id=8", asset(id, &product)).blamed(), ["status_id"]);
    let product = api.list("/products?tenant_id=3")[0]["id"].clone();
    assert_eq!(api.post("/assets?tenant_id=3", asset(id, &product)).status, StatusCode::CREATED);
    let product = api.list("/products?tenant_id=8")[0]["id"].clone();
    let status = api.list("/statuses?tenant_id=8")[0]["id"].as_i64().unwrap();
    assert_eq!(
        api.post("/assets?tenant_id=8", asset(status, &product)).status,
        StatusCode::CREATED,
        "tags are unique per tenant"
    );
    assert!(api.list("/activity?tenant_id=8&type=Asset").len() == 1);
}

#[test]
fn requests_to_other_host_names_are_refused() {
    let api = Api::new();
    let port = api.sandbox.address().port();
    let asked = |host: &str| {
        api.send(api.ask(Method::GET, "/locations").header(header::HOST, host.replace("PORT", &port.to_string())))
    };
    for host in ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST", "[::1]:PORT", "127.9.9.9"] {
        assert_eq!(asked(host).status, StatusCode::OK, "{host}");
    }
    for host in ["attacker.example:PORT", "127.0.0.1.attacker.example", "localhost.attacker.example", "10.0.0.1", ""] {
        assert_eq!(asked(host).status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[test]
fn requests_that_stop_halfway_keep_nobody_out() {
    use std::io::Write;
    let api = Api::new();
    let stuck: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(api.sandbox.address()).unwrap();
            stream.write_all(b"POST /api/v1/locations HTTP/1.1\r\nHost: localhost\r\nContent-Le").unwrap();
            stream
        })
        .collect();
    assert_eq!(api.get("/locations").status, StatusCode::OK);
    drop(stuck);
}
