//! The activity log.

use super::*;

/// Each entry as `Type Event item_id`.
fn told(rows: &[Json]) -> Vec<String> {
    let text = |row: &Json, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{} {} {}", text(row, "type"), text(row, "event"), row["item_id"])).collect()
}

/// An account in which something of everything happened.
fn lively() -> (Api, i64) {
    let api = Api::new();
    let (asset, ada) = (api.made_asset("A-1"), api.employee());
    let ready = api.id_of("statuses", "name", "Ready to Deploy");
    api.put(&format!("/assets/{asset}"), json!({"notes": "seen"})).accepted();
    let body = json!({"asset_id": "A-1", "employee_id": ada, "checkout_date": "2024-05-01", "notes": "for travel"});
    api.post("/checkout/asset", body).accepted();
    let body = json!({"asset_id": asset, "status_id": ready, "checkin_date": "2024-05-02"});
    api.post("/checkin/asset", body).accepted();
    let item = api.made_stock("components", "Memory", 4);
    let body = json!({"component_id": item, "asset_id": "A-1", "quantity": 2, "checkout_date": "2024-05-03"});
    api.post("/checkout/component", body).accepted();
    let audit =
        json!({"audit_date": "2024-05-01", "scheduled": true, "completed": false, "asset_id": "A-1", "user_id": 1});
    let audit = api.made("audits", audit);
    api.put(&format!("/audits/{audit}"), json!({"completed": true})).accepted();
    api.delete(&format!("/audits/{audit}")).accepted();
    (api, asset)
}

#[test]
fn whatever_happens_is_told_newest_first() {
    let (api, asset) = lively();
    let expected = [
        "Audit Delete 1", "Audit Complete 1", "Audit Update 1", "Audit Schedule 1", "Audit Create 1",
        "Component Checkout 1", "Component Create 1", "Asset Checkin 1", "Asset Checkout 1", "Asset Update 1",
        "Asset Create 1", "License Update 1", "License Create 1",
    ];
    let rows = api.list("/activity");
    assert_eq!(told(&rows), expected);
    let mut oldest_first = expected;
    oldest_first.reverse();
    assert_eq!(told(&api.list("/activity?sort=created_at&order=asc")), oldest_first);
    assert_eq!(told(&api.list("/activity?limit=2&offset=5")), expected[5..7]);
    let checkout = &rows[8];
    assert!(checkout.get("id").is_none());
    assert_eq!(checkout["asset_id"], asset);
    assert_eq!(checkout["employee_id"], api.employee());
    assert_eq!(checkout["employee_email"], "ada.byron@example.com");
    assert_eq!((&checkout["user_id"], &checkout["user_email"]), (&json!(1), &json!("admin@example.com")));
    assert_eq!(checkout["notes"], "for travel");
}

#[test]
fn entries_are_found_by_every_documented_filter() {
    let (api, asset) = lively();
    let ada = api.employee();
    let found = |query: &str| told(&api.list(&format!("/activity?order=asc&{query}")));
    assert_eq!(found("type=License"), ["License Create 1", "License Update 1"]);
    assert_eq!(found("event=Checkout"), ["Asset Checkout 1", "Component Checkout 1"]);
    assert_eq!(found("event=Recover"), Vec::<String>::new());
    assert_eq!(found("user_id=2"), ["License Update 1"]);
    assert_eq!(found("user_email=technician@example.com"), ["License Update 1"]);
    assert_eq!(found("user_email=nobody@example.com"), Vec::<String>::new());
    assert_eq!(found(&format!("employee_id={ada}")), ["Asset Checkout 1", "Asset Checkin 1"]);
    assert_eq!(found("employee_email=ada.byron@example.com&event=Checkin"), ["Asset Checkin 1"]);
    assert_eq!(found(&format!("asset_id={asset}&type=Component")), ["Component Checkout 1"]);
    assert_eq!(found("component_id=1"), ["Component Create 1", "Component Checkout 1"]);
    assert_eq!(found("license_id=1").len(), 2);
    assert_eq!(found("accessory_id=1"), Vec::<String>::new());
    assert_eq!(found("consumable_id=1"), Vec::<String>::new());
    assert_eq!(found("date_from=2999-01-01"), Vec::<String>::new());
    assert_eq!(found("date_to=1999-01-01"), Vec::<String>::new());
    assert_eq!(found("date_from=1999-01-01&date_to=2999-01-01").len(), 13);
}

#[test]
fn parameters_of_the_log_are_of_their_type() {
    let api = Api::new();
    for parameter in [
        "type=asset", "type=Status", "type=", "event=create", "event=Moved", "sort=timestamp", "sort=name",
        "order=newest", "user_id=admin", "asset_id=A-1", "date_from=2024-02-30", "date_to=yesterday", "item_id=1",
        "timestamp=2024-05-01",
    ] {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(api.get(&format!("/activity?{parameter}")).blamed(), [name], "{parameter}");
    }
}

#[test]
fn only_the_documented_types_are_told_of() {
    let api = Api::new();
    let before = api.list("/activity").len();
    api.made("locations", json!({"name": "Depot"}));
    api.put("/statuses/1", json!({"notes": "x"})).accepted();
    assert_eq!(api.list("/activity").len(), before);
}

#[test]
fn no_two_entries_are_alike() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    for number in 0..40 {
        api.put(&format!("/assets/{asset}"), json!({"notes": number.to_string()})).accepted();
    }
    let rows = api.list("/activity?limit=1000");
    let identity = |row: &Json| ["timestamp", "type", "event", "item_id", "user_id"].map(|name| row[name].to_string());
    let distinct: std::collections::HashSet<_> = rows.iter().map(identity).collect();
    assert_eq!(distinct.len(), rows.len());
}
