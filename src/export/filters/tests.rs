#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::super::names::{FormerCollection, FormerRecord};
use super::*;
use crate::catalog::Catalog;
use crate::schema::collection;

fn names() -> ReferenceNames {
    let mut catalog = Catalog::default();
    for (id, name) in [(1, "Ready"), (2, "In repair"), (3, "ready")] {
        let record = json!({"id": id, "name": name, "type": "deployable"}).as_object().unwrap().clone();
        catalog.insert_known(collection("statuses").unwrap(), id, record);
    }
    let moved = json!({"id": 1, "name": "P", "category_id": 2}).as_object().unwrap().clone();
    catalog.insert_known(collection("products").unwrap(), 1, moved);
    ReferenceNames::new(catalog)
}

fn filter(text: &str) -> Result<Filter, FilterError> {
    let mut shape = ObservedFields::default();
    shape.observe_json(r#"{"id":1,"shelf":"a"}"#);
    FilterArg::parse(text)?.resolve(collection("assets").unwrap(), &shape, &names())
}

#[test]
fn names_and_ids_resolve_to_records() {
    for text in ["status=In repair", "status_id=2", "status_id=#2", "status_name=in  repair", "assets.status=#2"] {
        let filter = filter(text).unwrap();
        assert_eq!(
            (filter.applied_by(), filter.query_parameter()),
            (AppliedBy::Server, Some(("status_id", String::from("2")))),
            "{text}"
        );
    }
    assert!(matches!(filter("status=Lost"), Err(FilterError::NoRecord { .. })));
    assert_eq!(filter("status=Ready").unwrap().query_parameter().unwrap().1, "1", "an exact name wins");
    assert!(matches!(filter("status=READY"), Err(FilterError::Ambiguous { .. })));
}

#[test]
fn other_filters_are_applied_by_the_client() {
    let record = RawFields::of(
        r#"{"id":7,"shelf":"B4","currency":"EUR","notes":null,"created_at":"2026-12-01T09:00:00.000Z","custom_fields":"[{\"name\":\"Rack\",\"value\":\"9\"}]"}"#,
    )
    .unwrap();
    for (text, matches_record) in [
        ("currency=eur", true),
        ("currency=USD", false),
        ("notes=", true),
        ("custom:Rack=9", true),
        ("custom:Rack=", false),
        ("custom:rack =9", true),
        ("custom:RACK=8", false),
        ("custom:Other=", true),
        ("custom_fields=", false),
        ("deployed_to=", true),
        ("created_at=2026-12-01", true),
        ("created_at=2026-11-30", false),
        ("created_at=2026-12-01T10:00:00+01:00", true),
        ("updated_at=2026-12-01", false),
        ("shelf=B4", true),
        ("id=#7", true),
        ("id=8", false),
    ] {
        let filter = filter(text).unwrap();
        assert_eq!(
            (filter.applied_by(), filter.matches_record(&record, &names())),
            (AppliedBy::Client, matches_record),
            "{text}"
        );
    }
}

#[test]
fn null_is_found_as_false() {
    let found = |text: &str, record: &str| {
        let filter = FilterArg::parse(text).unwrap();
        let filter = filter.resolve(collection("employees").unwrap(), &ObservedFields::default(), &names()).unwrap();
        filter.matches_record(&RawFields::of(record).unwrap(), &names())
    };
    assert!(found("archived=no", r#"{"archived":null}"#) && found("archived=no", r#"{"archived":false}"#));
    assert!(!found("archived=no", r#"{"id":1}"#) && !found("archived=yes", r#"{"archived":null}"#));
}

#[test]
fn a_record_shows_that_the_service_ignored_a_filter() {
    let contradicts = |filter: &str, record: &str| {
        super::Filter::is_contradicted_by(&self::filter(filter).unwrap(), &RawFields::of(record).unwrap(), &names())
    };
    assert!(contradicts("status=In repair", r#"{"status_id":1}"#));
    assert!(contradicts("status=In repair", r#"{"status_id":null}"#));
    assert!(!contradicts("status=In repair", r#"{"status_id":"2"}"#));
    // A record without the field shows nothing.
    assert!(!contradicts("status=In repair", r#"{"id":1}"#));
    let on_log = |text: &str, entry: &str| {
        let filter = FilterArg::parse(text).unwrap();
        let filter = filter.resolve(&schema::ACTIVITY, &ObservedFields::default(), &names()).unwrap();
        let entry = RawFields::of(entry).unwrap();
        (filter.is_contradicted_by(&entry, &names()), filter.matches_record(&entry, &names()))
    };
    let asset = r#"{"type":"Asset","event":"Create","item_id":2,"timestamp":"2026-11-02T10:00:00.000Z"}"#;
    let license = r#"{"type":"License","event":"Create","item_id":7,"timestamp":"2026-11-02T10:00:00.000Z"}"#;
    for (text, entry, expected) in [
        ("date_from=2026-11-02", asset, (false, true)),
        // The days before and after are asked for too, in whatever time zone the service has its days.
        ("date_from=2026-11-03", asset, (false, false)),
        ("date_from=2026-11-05", asset, (true, false)),
        ("date_to=2026-11-01", asset, (false, false)),
        ("date_to=2026-10-30", asset, (true, false)),
        ("event=Delete", asset, (true, false)),
        ("asset_id=2", asset, (false, true)),
        ("asset_id=7", asset, (true, false)),
        // An entry about something else may have to do with the asset, unless the filter is known to be ignored.
        ("asset_id=7", license, (false, false)),
        ("employee_id=4", asset, (false, true)),
    ] {
        assert_eq!(on_log(text, entry), expected, "{text} {entry}");
    }
}

#[test]
fn the_log_is_asked_for_a_day_more_on_both_sides() {
    let parameter = |text: &str| {
        let filter = FilterArg::parse(text).unwrap();
        let filter = filter.resolve(&schema::ACTIVITY, &ObservedFields::default(), &names()).unwrap();
        (filter.query_parameter().unwrap().1, filter.is_asked_wider(), filter.to_string() == text)
    };
    assert_eq!(parameter("date_from=2026-12-01"), (String::from("2026-11-30"), true, true));
    assert_eq!(parameter("date_to=2026-12-31"), (String::from("2027-01-01"), true, true));
    assert_eq!(parameter("event=Create"), (String::from("Create"), false, true));
}

#[test]
fn a_category_is_that_of_the_product_whatever_the_list_says() {
    for (text, record, is_match) in [
        ("category=#2", r#"{"product_id":1,"category_id":1}"#, true),
        ("category=#1", r#"{"product_id":1,"category_id":1}"#, false),
        ("category=#1", r#"{"product_id":9,"category_id":1}"#, true),
        ("manufacturer=", r#"{"product_id":1,"manufacturer_id":1}"#, true),
    ] {
        let record = RawFields::of(record).unwrap();
        assert_eq!(filter(text).unwrap().matches_record(&record, &names()), is_match, "{text}");
    }
}

#[test]
fn a_category_was_that_of_the_product_then() {
    let product = |category: i64| json!({"id": 1, "category_id": category}).as_object().cloned();
    let was = |record| FormerRecord { record, seen_at: String::new() };
    let changed = |id, record| FormerCollection::Changed([(id, was(record))].into());
    for (former, category) in [
        (changed(1, product(3)), 3),
        (changed(1, None), 1),
        (changed(7, product(3)), 2),
        // Of an export that did not record it, the copy is all that is known.
        (FormerCollection::Unknown, 1),
    ] {
        let record = RawFields::of(r#"{"product_id":1,"category_id":1}"#).unwrap();
        let names = names().as_of([("products", former)].into());
        for known in 1..4 {
            let is_match = filter(&format!("category=#{known}")).unwrap().matches_record(&record, &names);
            assert_eq!(is_match, known == category, "{known} {category}");
        }
    }
}

#[test]
fn an_invalid_filter_has_a_hint() {
    for (text, hint) in [
        ("status", "write FIELD=VALUE, such as 'status=In Use'"),
        ("asset_serail=7", "did you mean `asset_serial`?"),
        ("qqq=7", "`tallyport schema assets` lists its fields"),
        ("purchase_date=1/2/24", "use a date such as 2026-01-31"),
        ("purchase_date=2026-01-31T10:00", "use a date such as 2026-01-31"),
        ("created_at=2026-01-31T10:00", "use a date such as 2026-01-31, or a timestamp such as 2026-01-31T09:30:00Z"),
        ("status=In repar", "did you mean `In repair`?"),
        ("id=HF-1", "use a whole number"),
        ("created_at=yesterday", "use a date such as 2026-01-31, or a timestamp such as 2026-01-31T09:30:00Z"),
        (
            "custom_fields=x",
            "name one custom field, as in 'custom:NAME=VALUE'; `custom_fields=` finds records without any",
        ),
        (
            "deployed_to=Ada",
            "export without it: the column `deployed_to_name` has the names; `deployed_to=` finds records without any",
        ),
        (
            "deployed_to_name=Ada",
            "export without it: the column `deployed_to_name` has the names; `deployed_to=` finds records without any",
        ),
        ("deployed_tos=Ada", "`tallyport schema assets` lists its fields"),
    ] {
        assert_eq!(filter(text).unwrap_err().hint().as_deref(), Some(hint), "{text}");
    }
}

#[test]
fn a_custom_field_that_no_record_has_is_missing() {
    let assets = collection("assets").unwrap();
    let mut shape = ObservedFields::default();
    shape.observe_json(r#"{"id":1,"custom_fields":[{"name":"IMEI","value":"1"}]}"#);
    let missing = |text: &str| filter(text).unwrap().missing_custom(assets, &shape);
    assert_eq!(missing("custom:imei=1").or(missing("id=1")), None);
    let error = missing("custom:Nope=").unwrap();
    assert_eq!(error.to_string(), "no record of assets has a custom field `Nope`");
    assert_eq!(error.hint().unwrap(), "choose from custom:IMEI");
}

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_where() {
    let inputs: [&[u8]; 4] =
        [b"status=Deployed", b"assets.asset_id = A 1", b"created_at=2024-05-01", b"custom:Rack=B4"];
    crate::fuzz::each_mutation(&inputs, &["=", ".", "assets", "custom:", "status_id", ":"], 1, |bytes| {
        let Ok(filter) = FilterArg::parse(&String::from_utf8_lossy(bytes)) else { return };
        for entity in schema::COLLECTIONS {
            let _ = filter.applies_to(entity);
        }
    });
}
