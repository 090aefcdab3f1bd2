//! The reference server itself, with plain requests.

use serde_json::{Value, json};

use std::io::{Read, Write};
use std::net::TcpStream;

use super::faults::LATEST;
use super::{Fault, Faults, KEY, ReceivedRequest, ReferenceServer, Shapes, Side};
use crate::harness::request;

impl ReferenceServer {
    fn ask(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        request(self.address(), KEY, method, path, (!body.is_null()).then_some(&body))
    }

    fn asked(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, Value::Null);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Opens a connection and sends a request.
    fn connection(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} /api/v1/{path} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }

    /// The whole response, head and body.
    fn raw(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let mut reply = String::new();
        self.connection(method, path, body).read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
        (format!("{head}\r\n").trim_start().to_owned(), body.to_owned())
    }

    /// Creates an asset with its references, two employees, and ten of an accessory.
    fn with_lookups(self) -> Self {
        self.holds("categories", json!({"name": "Laptops", "type": "asset"}));
        self.holds("categories", json!({"name": "Mice", "type": "accessory"}));
        self.holds("products", json!({"name": "X1", "category_id": 1}));
        self.holds("statuses", json!({"name": "Ready", "type": "deployable"}));
        self.holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}));
        self.holds("employees", json!({"name": "Ada", "email": "ada@example.com"}));
        self.holds("employees", json!({"name": "Bob", "email": "bob@example.com"}));
        self.holds("accessories", json!({"name": "Mouse", "quantity": 10, "category_id": 2}));
        self
    }
}

#[test]
fn every_shape_replies_to_a_create_differently() {
    let answers = Shapes::ALL.map(|shapes| {
        let server = ReferenceServer::start(shapes);
        let (status, body) = server.ask("POST", "statuses", json!({"name": "Ready", "type": "deployable"}));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(server.records("statuses").len(), 1, "{shapes:?}");
        (status, ["/data/id", "/status/id", "/0/id", "/statuses/0/id", "/id"].map(|at| body.pointer(at).is_some()))
    });
    assert_eq!(
        answers,
        [
            (200, [true, false, false, false, false]),
            (201, [false, true, false, false, false]),
            (200, [false, false, true, false, false]),
            (201, [false, false, false, true, false]),
            (200, [false, false, false, false, true]),
            (200, [false, false, false, false, false]),
            (200, [false, false, true, false, false]),
        ]
    );
}

#[test]
fn invalid_requests_are_refused_in_every_shape() {
    let body = json!({"type": "odd", "colour": "red"});
    for shapes in Shapes::ALL {
        let server = ReferenceServer::start(shapes);
        let (status, answer) = server.ask("POST", "categories", body.clone());
        assert_eq!(status, 422, "{answer}");
        for part in ["name", "is required", "type", "must be one of accessory"] {
            assert!(answer.contains(part), "{shapes:?}: {answer}");
        }
        assert!(server.records("categories").is_empty());
    }
}

#[test]
fn references_and_tags_are_checked() {
    let server = ReferenceServer::start(Shapes::Data).with_lookups();
    let asset = |tag: &str, product: i64| json!({"asset_id": tag, "product_id": product, "status_id": 1});
    assert_eq!(server.ask("POST", "assets", asset("A-2", 9)).0, 422);
    assert_eq!(server.ask("POST", "assets", asset("A-1", 1)).0, 422);
    assert_eq!(server.ask("POST", "assets", asset("A-2", 1)).0, 200);
    assert_eq!(server.ask("PUT", "assets/2", json!({"asset_id": "A-1"})).0, 422);
    assert_eq!(server.ask("PUT", "assets/2", json!({"asset_id": null})).0, 422);
    assert_eq!(server.ask("PUT", "assets/2", json!({"notes": "x"})), (204, String::new()));
    assert_eq!(server.ask("DELETE", "products/1", Value::Null).0, 422);
    assert_eq!(server.ask("DELETE", "assets/2", Value::Null).0, 200);
    assert_eq!(server.ask("GET", "assets/2", Value::Null).0, 404);
    assert_eq!(request(server.address(), "other", "GET", "assets", None).0, 401);
}

#[test]
fn long_pages_are_cut_silently() {
    for shapes in Shapes::ALL {
        let server = ReferenceServer::start(shapes);
        let longest = shapes.longest_page();
        for number in 0..=longest {
            server.holds("manufacturers", json!({"name": format!("M{number}")}));
        }
        let length = |path: &str| server.asked(path).as_array().unwrap().len();
        assert_eq!(length("manufacturers"), 50);
        assert_eq!(length("manufacturers?limit=5000"), longest);
        assert_eq!(length(&format!("manufacturers?limit=5000&offset={longest}")), 1);
    }
}

#[test]
fn searches_are_exact_or_ignore_case_by_shape() {
    for shapes in Shapes::ALL {
        let server = ReferenceServer::start(shapes);
        for name in ["Straße & Co", "STRASSE & CO"] {
            server.holds("suppliers", json!({"name": name}));
        }
        let found = |path: &str| server.asked(path).as_array().unwrap().len();
        assert_eq!(found("suppliers?name=Stra%C3%9Fe+%26+Co"), 1);
        assert_eq!(found("suppliers?name=stra%C3%9Fe%20%26%20co"), usize::from(shapes.folds_case()));
        assert_eq!(found("suppliers?logo=x"), 2, "no parameter of the guide");
    }
}

#[test]
fn values_are_formatted_as_the_shape_says() {
    let custom = json!([{"name": "Rack", "value": "B4"}]);
    let spelt = Shapes::ALL.map(|shapes| {
        let server = ReferenceServer::start(shapes).with_lookups();
        let given = json!({"purchase_cost": 1299, "custom_fields": custom.to_string()});
        assert!(server.ask("PUT", "assets/1", given).0 < 300);
        let asset = server.asked("assets/1");
        (asset["purchase_cost"].clone(), asset["custom_fields"].clone())
    });
    let (text, object) = (Value::String(custom.to_string()), json!({"Rack": "B4"}));
    assert_eq!(
        spelt,
        [
            (json!("1299.00"), text.clone()),
            (json!(1299), custom.clone()),
            (json!(1299), object.clone()),
            (json!(1299), object),
            (json!("1299.00"), text),
            (json!(1299), custom.clone()),
            (json!(1299), custom),
        ]
    );
}

#[test]
fn stock_is_counted_and_the_log_is_newest_first() {
    let server = ReferenceServer::start(Shapes::Data).with_lookups();
    let take = |employee: i64, quantity: i64| {
        let body = json!({
            "accessory_id": 1, "employee_id": employee, "quantity": quantity, "checkout_date": "2024-06-01",
        });
        server.ask("POST", "checkout/accessory", body).0
    };
    assert_eq!([take(1, 4), take(2, 7), take(2, 6)], [200, 422, 200]);
    assert_eq!(server.asked("accessories/1")["available"], 0);
    let to = |holder: i64| server.asked(&format!("activity?event=Checkout&accessory_id=1&employee_id={holder}"));
    assert_eq!((to(1).as_array().unwrap().len(), to(2)[0]["employee_id"].clone()), (1, json!(2)));
    assert_eq!(server.asked("activity?order=desc&limit=1")[0]["event"], "Checkout");
    let back = json!({"accessory_id": 1, "employee_id": 1, "checkin_date": "2024-06-02"});
    assert_eq!(server.ask("POST", "checkin/accessory", back.clone()).0, 200);
    assert_eq!(server.ask("POST", "checkin/accessory", back).0, 422);
    assert_eq!(server.asked("accessories/1")["available"], 4);
}

#[test]
fn an_asset_has_one_holder() {
    let server = ReferenceServer::start(Shapes::Singular).with_lookups();
    let out = |employee: i64| json!({"asset_id": "A-1", "employee_id": employee, "checkout_date": "2024-06-01"});
    assert_eq!(server.ask("POST", "checkout/asset", out(1)).0, 201);
    assert_eq!(server.ask("POST", "checkout/asset", out(2)).0, 422);
    let asset = server.asked("assets/1");
    assert_eq!(asset["deployed_to"], json!([{"employee_id": 1, "checkout_date": "2024-06-01"}]));
    assert_eq!(server.asked("employees/1")["assets"], json!([1]));
    let back = json!({"asset_id": 1, "checkin_date": "2024-06-02", "status_id": 1});
    assert_eq!(server.ask("POST", "checkin/asset", back).0, 201);
    assert_eq!(server.asked("assets/1")["deployed_to"], json!([]));
}

#[test]
fn a_fault_happens_before_or_after_the_commit() {
    for (side, records) in [(Side::BeforeCommit, 0), (Side::AfterCommit, 1)] {
        for fault in [Fault::Drop(side), Fault::Status(side, 502), Fault::Page(side, 200)] {
            let server = ReferenceServer::start(Shapes::Data);
            server.set_faults(Faults::Always(fault));
            let (head, body) = server.raw("POST", "locations", r#"{"name": "Berlin"}"#);
            assert_eq!((head.is_empty(), body.contains("Berlin")), (fault == Fault::Drop(side), false), "{fault:?}");
            assert_eq!(server.records("locations").len(), records, "{fault:?}");
        }
    }
    let server = ReferenceServer::start(Shapes::Data);
    server.set_faults(Faults::Always(Fault::Truncate));
    let (head, body) = server.raw("POST", "locations", r#"{"name": "Berlin"}"#);
    assert!(!head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    assert_eq!(server.records("locations").len(), 1);
}

#[test]
fn a_late_commit_happens_even_if_the_client_is_gone() {
    let server = ReferenceServer::start(Shapes::Data);
    server.set_faults(Faults::Always(Fault::LateCommit(LATEST)));
    drop(server.connection("POST", "locations", r#"{"name": "Berlin"}"#));
    server.settled(1);
    assert_eq!(server.records("locations").len(), 1);
    let expected = ReceivedRequest { method: "POST".into(), path: "locations".into(), query: Vec::new() };
    assert_eq!(server.received(), [expected]);
}

#[test]
fn a_seed_produces_the_same_faults_of_every_kind() {
    let draw = |seed: u64| {
        let mut faults = Faults::seeded(seed, 50);
        (0..200).map(|_| faults.draw()).collect::<Vec<_>>()
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
    let drawn: Vec<Fault> = draw(7).into_iter().flatten().collect();
    assert!((60..140).contains(&drawn.len()), "{}", drawn.len());
    let kinds: std::collections::HashSet<_> = drawn.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), 6);
}
