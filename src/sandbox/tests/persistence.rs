//! Starting, stopping, keeping records in a file, and many clients at once.

use std::net::TcpStream;

use futures::future::join_all;

use super::*;
use crate::error::Diagnostic;
use crate::sandbox::{SandboxError, StoreLocation};

#[test]
fn a_dropped_sandbox_is_gone() {
    let api = Api::new();
    let address = api.sandbox.address();
    assert_eq!(api.sandbox.base_url(), format!("http://{address}/api/v1"));
    assert_eq!(api.get("/statuses").status, StatusCode::OK);
    drop(api);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_client_that_never_finishes_does_not_hold_it() {
    use std::io::Write;
    let api = Api::new();
    let mut stuck = TcpStream::connect(api.sandbox.address()).unwrap();
    stuck.write_all(b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox\r\nContent-Length: 99\r\n\r\n{").unwrap();
    assert_eq!(api.get("/statuses").status, StatusCode::OK);
    drop(api);
}

#[test]
fn a_port_in_use_is_told() {
    let first = Api::new();
    let options = SandboxOptions { listen: first.sandbox.address(), ..SandboxOptions::default() };
    let error = Sandbox::start(options).unwrap_err();
    assert!(matches!(error, SandboxError::Listen { .. }), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn options_that_no_sandbox_can_have_are_refused() {
    let tenants = |ids: &[i64]| ids.iter().map(|id| (*id, format!("T{id}"))).collect();
    let refused = [
        SandboxOptions { api_key: String::new(), ..SandboxOptions::default() },
        SandboxOptions { api_key: "two words".into(), ..SandboxOptions::default() },
        SandboxOptions { page_limit: 0, ..SandboxOptions::default() },
        SandboxOptions { tenants: tenants(&[0]), ..SandboxOptions::default() },
        SandboxOptions { tenants: tenants(&[3, 4, 3]), ..SandboxOptions::default() },
    ];
    for options in refused {
        let error = Sandbox::start(options.clone()).expect_err(&format!("{options:?}"));
        assert!(error.hint().is_some(), "{error}");
    }
}

fn kept(path: &std::path::Path) -> SandboxOptions {
    SandboxOptions { store: StoreLocation::File(path.into()), quota: None, ..SandboxOptions::default() }
}

#[test]
fn a_file_keeps_everything_and_is_seeded_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("practice.db");
    let api = Api::with(kept(&path));
    let asset = api.made_asset("A-1");
    let ada = api.employee();
    let body = json!({"asset_id": "A-1", "employee_id": ada, "checkout_date": "2024-05-01"});
    let record = api.post("/checkout/asset", body).accepted();
    let (statuses, log) = (api.list("/statuses"), api.list("/activity"));
    assert!(matches!(Sandbox::start(kept(&path)), Err(SandboxError::InUse { .. })));
    drop(api);

    let api = Api::with(kept(&path));
    assert_eq!(api.record("assets", asset), record);
    assert_eq!(api.list("/statuses"), statuses);
    assert_eq!(api.list("/activity"), log);
    let after = api.put(&format!("/assets/{asset}"), json!({"notes": "x"})).accepted();
    assert!(after["updated_at"].as_str() > record["updated_at"].as_str());
    assert!(!folder.path().join("practice.db-shm").exists(), "nobody else may look in");
}

#[test]
fn a_file_gains_tenants_with_their_own_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("practice.db");
    let tenants = |ids: &[i64]| ids.iter().map(|id| (*id, format!("T{id}"))).collect();
    drop(Api::with(SandboxOptions { tenants: tenants(&[1]), ..kept(&path) }));
    let api = Api::with(SandboxOptions { tenants: tenants(&[1, 2]), ..kept(&path) });
    let count = |tenant: i64| api.list(&format!("/statuses?tenant_id={tenant}")).len();
    assert_eq!(count(1), count(2));
}

#[test]
fn of_many_who_want_the_same_one_gets_it() {
    let api = Api::new();
    let (product, status) = (api.id_of("products", "name", "iPhone 16"), api.id_of("statuses", "name", "In Use"));
    let body = json!({"asset_id": "A-1", "product_id": product, "status_id": status});
    let requests = (0..32).map(|_| api.with_body(Method::POST, "/assets", body.clone()).send());
    let statuses = api.runtime.block_on(async {
        join_all(requests).await.into_iter().map(|response| response.unwrap().status()).collect::<Vec<_>>()
    });
    let count = |wanted: StatusCode| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(StatusCode::CREATED), count(StatusCode::UNPROCESSABLE_ENTITY)), (1, 31));
    assert_eq!(api.list("/assets").len(), 1);

    let item = api.made_stock("accessories", "Cables and Adapters", 10);
    let body =
        json!({"accessory_id": item, "employee_id": api.employee(), "quantity": 1, "checkout_date": "2024-05-01"});
    let requests = (0..32).map(|_| api.with_body(Method::POST, "/checkout/accessory", body.clone()).send());
    let statuses = api.runtime.block_on(async {
        join_all(requests).await.into_iter().map(|response| response.unwrap().status()).collect::<Vec<_>>()
    });
    assert_eq!(statuses.iter().filter(|status| status.is_success()).count(), 10);
    assert_eq!(api.record("accessories", item)["available"], 0);
}
