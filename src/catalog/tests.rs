#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use super::collection_index::Coverage;
use super::{Catalog, CollectionIndex, KeyValue, LookupResult, Record, RecordRef, ReferenceSyntax};
use crate::schema;

fn fields(value: Value) -> Record {
    value.as_object().unwrap().clone()
}

/// A catalog of whole collections.
fn catalog(collections: &[(&'static str, Value)]) -> Catalog {
    let mut catalog = Catalog::default();
    for (name, records) in collections {
        let entity = schema::collection(name).unwrap();
        let mut index = CollectionIndex::new(entity, entity.key);
        index.coverage = Coverage::Whole;
        for record in records.as_array().unwrap() {
            index.insert(RecordRef::Known(record["id"].as_i64().unwrap()), fields(record.clone()));
        }
        catalog.indexes.insert(entity.name, index);
    }
    catalog
}

fn named(catalog: &Catalog, collection: &str, text: &str) -> LookupResult {
    catalog.as_planned().find(collection, text, ReferenceSyntax::Marked, None)
}

fn one(id: i64) -> LookupResult {
    LookupResult::One(RecordRef::Known(id))
}

fn targets(found: &LookupResult) -> Vec<RecordRef> {
    match found {
        LookupResult::Many(several) => several.iter().map(|(target, _)| *target).collect(),
        other => panic!("several expected, not {other:?}"),
    }
}

const NO_NAMES: LookupResult = LookupResult::None { nearest: Vec::new() };

#[test]
fn an_exact_name_wins_over_a_folded_one() {
    let catalog = catalog(&[(
        "locations",
        json!([
            {"id": 1, "name": "Berlin", "city": "Berlin", "country": "DE"},
            {"id": 2, "name": "BERLIN", "city": "Berlin", "country": "US"},
            {"id": 3, "name": "Ulm"},
        ]),
    )]);
    assert_eq!(named(&catalog, "locations", "Berlin"), one(1));
    assert_eq!(named(&catalog, "locations", " BERLIN "), one(2));
    assert_eq!(named(&catalog, "locations", "ulm"), one(3));
    let LookupResult::Many(several) = named(&catalog, "locations", "berlin") else { panic!("many") };
    let lines: Vec<_> = several.into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["Berlin (#1, country DE)", "BERLIN (#2, country US)"]);
    assert_eq!(
        named(&catalog, "locations", "Berlni"),
        LookupResult::None { nearest: vec!["BERLIN".into(), "Berlin".into()] }
    );
}

#[test]
fn numbers_are_ids_or_names_as_the_column_says() {
    let catalog = catalog(&[
        ("locations", json!([{"id": 12, "name": "Ulm"}, {"id": 5, "name": "12"}])),
        ("assets", json!([{"id": 12, "asset_id": "LAP-1"}, {"id": 5, "asset_id": "12"}, {"id": 7, "asset_id": "#5"}])),
    ]);
    let find = |collection, text, syntax| catalog.as_planned().find(collection, text, syntax, None);
    assert_eq!(find("locations", "#12", ReferenceSyntax::Marked), one(12));
    assert_eq!(find("locations", "12", ReferenceSyntax::Marked), one(5));
    assert_eq!(find("locations", "12", ReferenceSyntax::Bare), one(12));
    assert_eq!(find("locations", "#12", ReferenceSyntax::Bare), one(12));
    assert_eq!(find("locations", "ULM", ReferenceSyntax::Bare), one(12));
    assert_eq!(find("assets", "12", ReferenceSyntax::TagOrId), one(5));
    assert_eq!(find("assets", "#12", ReferenceSyntax::TagOrId), one(12));
    assert_eq!(find("assets", "#5", ReferenceSyntax::TagOrId), one(7));
    assert_eq!(find("assets", "7", ReferenceSyntax::TagOrId), one(7));
    assert_eq!(find("assets", "99", ReferenceSyntax::Bare), NO_NAMES);
}

#[test]
fn employees_are_found_by_name_and_by_address() {
    let catalog = catalog(&[(
        "employees",
        json!([
            {"id": 1, "name": "Ada Byron", "email": "ada@example.com"},
            {"id": 2, "name": "Ada Byron", "email": "ada.b@example.com"},
        ]),
    )]);
    assert_eq!(named(&catalog, "employees", "ADA@example.com"), one(1));
    let several = named(&catalog, "employees", "ada byron");
    assert_eq!(targets(&several), [RecordRef::Known(1), RecordRef::Known(2)]);
    let LookupResult::Many(several) = several else { panic!("many") };
    assert_eq!(several[0].1, "Ada Byron (#1, email ada@example.com)");
}

#[test]
fn narrowing_excludes_and_descriptions_choose() {
    let catalog = catalog(&[
        (
            "categories",
            json!([
                {"id": 1, "name": "Phones", "type": "asset"},
                {"id": 2, "name": "phones", "type": "accessory"},
                {"id": 3, "name": "Cables"},
            ]),
        ),
        (
            "products",
            json!([
                {"id": 1, "name": "ProBook", "model_number": "G8", "category_id": 1},
                {"id": 2, "name": "ProBook", "model_number": "G9", "category_id": 3},
            ]),
        ),
    ]);
    let category =
        |text, kind| catalog.as_planned().find("categories", text, ReferenceSyntax::Marked, Some(("type", kind)));
    assert_eq!(category("Phones", "accessory"), one(2));
    assert_eq!(category("phones", "asset"), one(1));
    assert_eq!(category("cables", "license"), one(3));
    assert_eq!(category("#1", "accessory"), NO_NAMES);
    let product = |said: &[(&str, &str)]| {
        catalog.as_planned().find_described("products", "probook", ReferenceSyntax::Marked, None, said)
    };
    assert_eq!(product(&[("model_number", "g9")]), Ok(one(2)));
    assert_eq!(product(&[("category_id", "phones")]), Ok(one(1)));
    let other = product(&[("model_number", "G7")]).unwrap_err();
    assert_eq!((other.field.as_str(), other.tells_apart), ("model number", true));
    assert_eq!(other.candidates, ["ProBook (#1, model number G8)", "ProBook (#2, model number G9)"]);
    let other = product(&[("model_number", "G8"), ("category_id", "Cables")]).unwrap_err();
    assert_eq!(
        (other.candidates.as_slice(), other.tells_apart),
        (&[String::from("ProBook (#1, category Phones)")][..], false)
    );
    let Ok(LookupResult::Many(several)) = product(&[]) else { panic!("many") };
    assert_eq!(several[0].1, "ProBook (#1, model number G8, category Phones)");
}

#[test]
fn planned_records_are_found_like_others() {
    let mut catalog = catalog(&[("locations", json!([{"id": 1, "name": "Berlin"}]))]);
    catalog.insert_planned("locations", 4, fields(json!({"name": "Ulm"})));
    catalog.insert_planned("suppliers", 5, fields(json!({"name": "Acme"})));
    catalog.insert_planned("locations", 6, fields(json!({"name": "Berlin"})));
    assert_eq!(named(&catalog, "locations", "ULM"), LookupResult::One(RecordRef::Planned(4)));
    assert_eq!(named(&catalog, "suppliers", "acme"), LookupResult::One(RecordRef::Planned(5)));
    assert_eq!(targets(&named(&catalog, "locations", "berlin")), [RecordRef::Known(1), RecordRef::Planned(6)]);
    let matched = catalog.match_record("locations", &["name"], &[KeyValue::Text("ulm")]);
    assert_eq!(matched, LookupResult::One(RecordRef::Planned(4)));
    assert_eq!(catalog.planned_fields("locations", 4).unwrap()["name"], "Ulm");
    assert_eq!(catalog.describe("locations", RecordRef::Planned(4)), "Ulm");
    assert_eq!(catalog.describe("locations", RecordRef::Known(99)), "#99");
    assert_eq!(catalog.describe("locations", RecordRef::Planned(99)), "new location");
    assert!(catalog.is_whole("locations") && !catalog.is_whole("suppliers"));
}

#[test]
fn composite_keys_compare_each_field_in_its_own_way() {
    let catalog = catalog(&[
        ("assets", json!([{"id": 7, "asset_id": "LAP-1"}, {"id": 8, "asset_id": "7"}])),
        (
            "maintenances",
            json!([
                {"id": 1, "asset_id": "lap-1", "type": "hardware_support", "name": "Fan", "start_date": "2026-01-31T00:00:00.000Z"},
                {"id": 2, "asset_id": 7, "type": "repair", "name": "Fan", "start_date": "2026-01-31"},
                {"id": 3, "asset_id": "7", "type": "repair", "name": "fan", "start_date": "2026-01-31"},
                {"id": 4, "asset_id": null, "type": "repair", "name": "Fan", "start_date": "2026-01-31"},
            ]),
        ),
    ]);
    let key = ["asset_id", "type", "name", "start_date"];
    let matched = |asset, kind, name, day| {
        let values = [KeyValue::Reference(RecordRef::Known(asset)), KeyValue::Text(kind), KeyValue::Text(name), day];
        catalog.match_record("maintenances", &key, &values)
    };
    let day = KeyValue::Text("2026-01-31");
    assert_eq!(matched(7, "Hardware Support", "fan", day), one(1));
    assert_eq!(matched(7, "repair", "FAN", day), one(2));
    assert_eq!(matched(8, "repair", "Fan", day), one(3));
    assert_eq!(matched(8, "repair", "Fan", KeyValue::Missing), one(3));
    assert_eq!(matched(7, "repair", "Fan", KeyValue::Text("2026-02-01")), NO_NAMES);
    assert_eq!(matched(9, "repair", "Fan", day), NO_NAMES);
}

#[test]
fn a_missing_column_is_ignored_and_a_blank_cell_is_a_value() {
    let catalog = catalog(&[(
        "products",
        json!([
            {"id": 1, "name": "ProBook", "model_number": "G8"},
            {"id": 2, "name": "ProBook", "model_number": null},
            {"id": 3, "name": "PROBOOK", "model_number": "G8"},
        ]),
    )]);
    let key = ["name", "model_number"];
    let matched = |values: [KeyValue<'_>; 2]| catalog.match_record("products", &key, &values);
    assert_eq!(targets(&matched([KeyValue::Text("ProBook"), KeyValue::Text("g8")])), [1, 3].map(RecordRef::Known));
    assert_eq!(matched([KeyValue::Text("PROBOOK"), KeyValue::Text("G8")]), one(3));
    assert_eq!(matched([KeyValue::Text("ProBook"), KeyValue::Text("")]), one(2));
    assert_eq!(targets(&matched([KeyValue::Text("ProBook"), KeyValue::Missing])), [1, 2].map(RecordRef::Known));
    assert_eq!(matched([KeyValue::Text(" "), KeyValue::Missing]), NO_NAMES);
    assert_eq!(matched([KeyValue::Missing, KeyValue::Missing]), NO_NAMES);
}

#[test]
fn records_are_listed_and_described_as_far_as_they_are_known() {
    let mut catalog = catalog(&[(
        "employees",
        json!([
            {"id": 1, "name": "Ada", "email": "ada@example.com", "title": "Lead"},
            {"id": 2, "name": " ", "email": "bob@example.com"},
            {"id": 3, "title": "Lead"},
        ]),
    )]);
    catalog.insert_planned("employees", 9, fields(json!({"name": "Ada", "email": "new@example.com"})));
    catalog.insert_planned("nonsense", 9, fields(json!({"name": "Ada"})));
    let known: Vec<i64> = catalog.known_records("employees").map(|(id, _)| id).collect();
    assert_eq!((known, catalog.known_records("nonsense").count()), (vec![1, 2, 3], 0));
    let names: Vec<(i64, &str)> = catalog.names("employees").collect();
    assert_eq!(names, [(1, "Ada"), (2, "bob@example.com")]);
    assert_eq!(catalog.names("locations").count(), 0);
    assert_eq!(catalog.with_text("employees", "email", "ADA@example.com"), [1]);
    assert_eq!(catalog.with_text("employees", "email", "new@example.com"), [0; 0]);
    assert_eq!(catalog.with_text("locations", "name", "Ulm"), [0; 0]);
    let described = |collection, target| catalog.describe(collection, target);
    assert_eq!(described("employees", RecordRef::Known(1)), "Ada");
    assert_eq!(described("employees", RecordRef::Known(3)), "#3");
    assert_eq!(described("locations", RecordRef::Known(8)), "#8");
    assert_eq!(described("employees", RecordRef::Planned(9)), "Ada");
    assert_eq!(described("employees", RecordRef::Planned(8)), "new employee");
    assert_eq!(described("nonsense", RecordRef::Planned(8)), "new record");
    assert_eq!(catalog.record("employees", 1).unwrap()["title"], "Lead");
    assert_eq!((catalog.record("employees", 9), catalog.record("locations", 1)), (None, None));
    assert_eq!(catalog.planned_fields("employees", 9).unwrap()["email"], "new@example.com");

    let location = schema::collection("locations").unwrap();
    catalog.insert_known(location, 5, fields(json!({"id": 5, "name": "Ulm", "city": "Ulm", "junk": 1})));
    assert_eq!(catalog.describe("locations", RecordRef::Known(5)), "Ulm");
    assert!(!catalog.record("locations", 5).unwrap().contains_key("junk"));
}

#[test]
fn planned_records_are_forgotten_for_another_plan() {
    let mut catalog = catalog(&[("locations", json!([{"id": 1, "name": "Ulm"}]))]);
    catalog.insert_planned("locations", 0, fields(json!({"name": "Bonn"})));
    catalog.insert_planned("locations", 1, fields(json!({"name": "Ulm", "city": "x"})));
    catalog.insert_planned("suppliers", 2, fields(json!({"name": "Acme"})));
    assert_eq!(named(&catalog, "locations", "Bonn"), LookupResult::One(RecordRef::Planned(0)));
    assert_eq!(targets(&named(&catalog, "locations", "Ulm")).len(), 2);
    catalog.forget_planned();
    assert_eq!((named(&catalog, "locations", "Bonn"), named(&catalog, "locations", "Ulm")), (NO_NAMES, one(1)));
    assert_eq!(named(&catalog, "suppliers", "Acme"), NO_NAMES);
    assert_eq!((catalog.planned_fields("locations", 0), catalog.record("locations", 1).is_some()), (None, true));
    catalog.insert_planned("locations", 0, fields(json!({"name": "Kiel"})));
    assert_eq!(named(&catalog, "locations", "Kiel"), LookupResult::One(RecordRef::Planned(0)));
    catalog.forget_planned();
    catalog.forget_planned();
    assert_eq!(named(&catalog, "locations", "Ulm"), one(1));
}

#[test]
fn records_of_one_name_are_told_apart_by_what_differs() {
    let mut catalog = catalog(&[
        ("manufacturers", json!([{"id": 4, "name": "Dell"}])),
        (
            "products",
            json!([
                {"id": 1, "name": "X1", "model_number": "G9", "manufacturer_id": 4, "category_id": 1, "notes": "a"},
                {"id": 2, "name": "X1", "manufacturer_id": 77, "category_id": 1, "notes": "b", "default_purchase_cost": 7},
            ]),
        ),
    ]);
    catalog.insert_planned("products", 6, fields(json!({"name": "X1", "model_number": "G11", "category_id": 1})));
    let LookupResult::Many(several) = named(&catalog, "products", "X1") else { panic!("many") };
    let lines: Vec<&str> = several.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("X1 (#1, ") && lines[0].contains("model number G9"), "{lines:?}");
    assert!(lines[0].contains("manufacturer Dell") && lines[1].contains("manufacturer #77"), "{lines:?}");
    assert!(lines[1].contains("no model number") && lines[2].starts_with("X1 (new in this run, "), "{lines:?}");
    assert!(lines.iter().all(|line| line.matches(", ").count() <= 3), "{lines:?}");
}

#[test]
fn a_link_says_which_record_is_meant() {
    for target in [RecordRef::Known(7), RecordRef::Planned(3)] {
        assert_eq!(RecordRef::from_link(&target.link()), Some(target));
    }
    for other in
        [json!("7"), json!(null), json!({"other": 3}), json!({"planned": -1}), json!({"planned": 5_000_000_000_u64})]
    {
        assert_eq!(RecordRef::from_link(&other), None, "{other}");
    }
}

#[test]
fn planned_updates_change_what_is_found_and_not_what_is_held() {
    let mut catalog = catalog(&[(
        "products",
        json!([{"id": 1, "name": "X1", "model_number": "G9"}, {"id": 2, "name": "X2", "notes": "n"}]),
    )]);
    let mut update =
        |id, field, value: &str| catalog.plan_update("products", (id, 0, 2), [(field, &json!(value))].into_iter());
    assert!(!update(2, "notes", "m"), "nothing is found by it");
    assert!(update(1, "name", "Pro") && update(2, "name", "X1") && update(1, "name", "Pro 2"));
    let found = |text: &str| {
        let (planned, held) = (catalog.as_planned(), catalog.as_held());
        [planned, held].map(|state| match state.find("products", text, ReferenceSyntax::Marked, None) {
            LookupResult::One(RecordRef::Known(id)) => id,
            _ => 0,
        })
    };
    assert_eq!([found("x1"), found("X2"), found("Pro"), found("pro 2")], [[2, 1], [0, 2], [0, 0], [1, 0]]);
    assert_eq!(catalog.record("products", 1).unwrap()["name"], "X1");
    let former = |text| catalog.as_planned().change_of_former("products", text, ReferenceSyntax::Marked, None, &[]);
    assert_eq!(
        (former("X2").map(|(record, change)| (record, &change.value)), former("Pro")),
        (Some((RecordRef::Known(2), &json!("X1"))), None)
    );
    let key = [KeyValue::Text("Pro 2"), KeyValue::Missing];
    assert_eq!(catalog.match_record("products", &["name", "model_number"], &key), one(1));
    catalog.forget_planned();
    assert_eq!((named(&catalog, "products", "X1"), named(&catalog, "products", "X2")), (one(1), one(2)));
}
