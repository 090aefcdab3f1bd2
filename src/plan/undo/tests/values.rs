//! Values of replies as they are sent, and what is known of the account.

use super::super::compare::{WriteMethod, as_sent, is_empty};
use super::*;

#[test]
fn values_of_replies_are_sent_in_the_form_that_requests_have() {
    let mut current = CurrentState::default();
    current.add(entity("assets"), object(json!({"id": 8, "asset_id": "T-8"})));
    current.add(entity("assets"), object(json!({"id": 7, "asset_id": "90121"})));
    let sent = |name: &str, field: &str, value: Json, method| {
        as_sent(entity(name).field(field).unwrap(), &value, method, &current)
    };
    for (name, field, value, wanted) in [
        ("assets", "asset_name", json!("Laptop"), json!("Laptop")),
        ("assets", "asset_name", json!(12), json!("12")),
        ("assets", "asset_name", json!("  "), json!(null)),
        ("assets", "purchase_cost", json!("12.00"), json!(12)),
        ("assets", "purchase_cost", json!(" 12.5 "), json!(12.5)),
        ("assets", "purchase_cost", json!("many"), json!("many")),
        ("assets", "purchase_date", json!("2026-01-02T00:00:00Z"), json!("2026-01-02")),
        ("assets", "purchase_date", json!("2026"), json!("")),
        ("assets", "currency", json!("EUR"), json!("EUR")),
        ("assets", "product_id", json!({"id": 4, "name": "X"}), json!(4)),
        ("assets", "product_id", json!("4"), json!(4)),
        ("assets", "product_id", json!("odd"), json!("odd")),
        ("maintenances", "asset_id", json!(8), json!("T-8")),
        ("maintenances", "asset_id", json!("T-8"), json!("T-8")),
        ("maintenances", "asset_id", json!(9), json!(9)),
        ("maintenances", "asset_id", json!(90121), json!("90121")),
        ("audits", "completed", json!("Yes"), json!(true)),
        ("audits", "completed", json!(1), json!(true)),
        ("audits", "completed", json!("TRUE"), json!(true)),
        ("audits", "completed", json!(false), json!(false)),
        ("audits", "completed", json!("0"), json!(false)),
        ("audits", "user_id", json!("3"), json!(3)),
        ("accessories", "quantity", json!("5"), json!(5)),
        ("assets", "custom_fields", json!([]), json!(null)),
        ("assets", "custom_fields", json!("{}"), json!(null)),
        ("assets", "custom_fields", json!({"Rack": "A"}), json!([{"name": "Rack", "value": "A"}])),
    ] {
        for method in [WriteMethod::Create, WriteMethod::Update] {
            assert_eq!(sent(name, field, value.clone(), method), wanted, "{name} {field} {value}");
        }
    }
    for spelled in ["hardware support", "Hardware_Support"] {
        assert_eq!(sent("maintenances", "type", json!(spelled), WriteMethod::Create), json!("hardware support"));
        assert_eq!(sent("maintenances", "type", json!(spelled), WriteMethod::Update), json!("hardware_support"));
    }
    assert_eq!(sent("maintenances", "type", json!("odd"), WriteMethod::Create), json!("odd"));
    let empty = [json!(null), json!(""), json!(" "), json!([]), json!({}), json!(0), json!(false), json!([1])];
    assert_eq!(empty.map(|value| is_empty(&value)), [true, true, true, true, false, false, false, false]);
}

#[test]
fn a_record_holds_a_value_unless_its_reply_says_another() {
    let mut current = CurrentState::default();
    current.add(entity("assets"), object(json!({"id": 8, "asset_id": "T-8", "notes": "x", "location_id": null})));
    let held = object(json!({"id": 8, "notes": "x", "product_id": {"id": 4}}));
    let assets = entity("assets");
    let holds = |field: &str, value: Json| current.holds(assets, assets.field(field).unwrap(), &value, &held);
    assert!(holds("notes", json!("x")) && !holds("notes", json!("y")));
    assert!(holds("product_id", json!(4)) && !holds("product_id", json!(5)));
    assert!(!holds("location_id", json!(1)) && holds("location_id", json!(null)), "a reply of another record has it");
    assert!(holds("order_number", json!("anything")), "no reply has it");
    let works = entity("maintenances");
    let by_tag = |value: Json, asset: Json| {
        current.holds(works, works.field("asset_id").unwrap(), &value, &object(json!({"id": 1, "asset_id": asset})))
    };
    assert!(by_tag(json!("T-8"), json!(8)) && by_tag(json!("T-8"), json!("T-8")));
    assert!(!by_tag(json!("T-8"), json!(9)));
}

#[test]
fn records_are_known_by_id_tag_and_name() {
    let mut current = CurrentState::default();
    let (assets, locations) = (entity("assets"), entity("locations"));
    current.add(assets, object(json!({"id": 8, "asset_id": "T-8", "odd": 1, "notes": null})));
    current.add(assets, object(json!({"asset_id": "T-9"})));
    current.add(locations, object(json!({"id": 3, "name": " ", "updated_at": MADE})));
    assert_eq!(Json::from(current.record(("assets", 8)).unwrap().clone()), json!({"id": 8, "asset_id": "T-8"}));
    assert!(current.record(("locations", 3)).unwrap().contains_key("updated_at"));
    assert!(current.carries(assets, "notes") && !current.carries(assets, "asset_name"));
    assert!(!current.carries(entity("products"), "name"));
    assert_eq!((current.tagged(" T-8 "), current.tagged("T-9"), current.of("assets").count()), (Some(8), None, 1));
    let told = object(json!({"name": "Told", "asset_id": "T"}));
    assert_eq!(current.title(assets, 8, &Record::new()), "T-8");
    assert_eq!(current.title(assets, 7, &told), "Told");
    assert_eq!(current.title(locations, 3, &Record::new()), "#3");
    let by_id = assets.field("product_id").unwrap().reference_to().unwrap();
    let by_tag = entity("maintenances").field("asset_id").unwrap().reference_to().unwrap();
    let id = |reference, value: Json| current.id_of(reference, &value);
    assert_eq!([id(by_id, json!(4)), id(by_id, json!("4")), id(by_id, json!({"id": 4}))], [Some(4); 3]);
    assert_eq!([id(by_tag, json!("T-8")), id(by_tag, json!(8)), id(by_tag, json!({"id": 8}))], [Some(8); 3]);
    assert_eq!([id(by_tag, json!("8")), id(by_id, json!("x")), id(by_id, json!(null))], [None; 3]);
    assert_eq!(
        (current.wire(by_id, 4), current.wire(by_tag, 8), current.wire(by_tag, 9)),
        (Some(json!(4)), Some(json!("T-8")), None)
    );
}
