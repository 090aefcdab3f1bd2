#![allow(clippy::unwrap_used, clippy::expect_used)]

use hashbrown::HashMap;
use jiff::civil::date;
use serde_json::json;

use super::*;

struct Held(HashMap<(&'static str, i64), JsonRecord>);

impl RecordLookup for Held {
    fn record(&self, collection: &str, id: i64) -> Option<&JsonRecord> {
        self.0.iter().find(|((name, own), _)| *name == collection && *own == id).map(|(_, record)| record)
    }
}

fn object(value: Json) -> JsonRecord {
    value.as_object().unwrap().clone()
}

fn account() -> Held {
    let records = [
        ("products", 1, json!({"name": "MacBook Pro 14", "category_id": 1, "depreciation_id": 1})),
        ("products", 2, json!({"name": "Desk", "category_id": 2, "depreciation_id": null})),
        ("products", 3, json!({"name": "Lost", "depreciation_id": 99})),
        ("products", 4, json!({"name": "Odd", "depreciation_id": 2})),
        ("categories", 1, json!({"name": "Laptops"})),
        ("categories", 2, json!({"name": "Furniture"})),
        ("depreciations", 1, json!({"name": "3 years", "months": 36, "minimum_value": 100})),
        ("depreciations", 2, json!({"name": "None", "months": 0})),
        ("statuses", 1, json!({"name": "In Use", "type": "deployable"})),
        ("statuses", 2, json!({"name": "Retired", "type": "archived"})),
        ("locations", 1, json!({"name": "Berlin", "currency": "EUR"})),
        ("departments", 1, json!({"name": "Finance"})),
        ("suppliers", 1, json!({"name": "CDW"})),
    ];
    Held(records.into_iter().map(|(collection, id, record)| ((collection, id), object(record))).collect())
}

fn asset(record: Json) -> RegisterItem {
    RegisterItem::asset(&object(record), &account()).unwrap()
}

#[test]
fn an_asset_takes_its_category_and_depreciation_from_its_product() {
    let item = asset(json!({
        "id": 7, "asset_id": "LAP-7", "asset_serial": "S1", "product_id": 1, "status_id": 1, "location_id": 1,
        "department_id": 1, "supplier_id": 1, "purchase_cost": "1299.50", "purchase_date": "2024-01-31T00:00:00.000Z",
        "warranty_expiration_date": "2027-01-31", "currency": null,
    }));
    assert_eq!((item.kind, item.id, &*item.tag, &*item.title), (ItemKind::Asset, 7, "LAP-7", "MacBook Pro 14"));
    assert_eq!([&*item.category, &*item.department, &*item.location], ["Laptops", "Finance", "Berlin"]);
    assert_eq!([&*item.supplier, &*item.status, &*item.serial], ["CDW", "In Use", "S1"]);
    assert_eq!(&*item.currency.code, "EUR", "that of the location");
    assert_eq!(item.cost, Ok(Decimal::new(129_950, 2)));
    assert_eq!(item.purchase_date, Ok(date(2024, 1, 31)));
    let schedule = DepreciationSchedule { name: "3 years".into(), months: 36, minimum: Decimal::from(100) };
    assert_eq!(item.schedule, Ok(schedule));
    assert_eq!((item.disposal, item.expires_on), (Disposal::None, Some(date(2027, 1, 31))));
}

#[test]
fn a_category_in_the_list_counts_only_where_no_product_says_one() {
    let category = |product: i64| {
        asset(json!({"id": 7, "product_id": product, "category_id": 2, "category_name": "Old"})).category
    };
    // Its product; a product without a category; one that is not there.
    assert_eq!([category(1), category(3), category(9)], ["Laptops", "", "Furniture"]);
}

#[test]
fn what_is_missing_is_a_gap_with_a_reason() {
    let bare = asset(json!({"id": 1, "product_id": 2, "status_id": 2}));
    assert_eq!(bare.disposal, Disposal::Archived);
    assert!(bare.currency.is_unstated());
    let reasons = [bare.cost.unwrap_err(), bare.purchase_date.unwrap_err(), bare.schedule.unwrap_err()];
    assert_eq!(
        reasons.map(|missing_figure| missing_figure.to_string()),
        ["no purchase cost", "no purchase date", "its product `Desk` has no depreciation"]
    );
    let reason = |record| asset(record).schedule.unwrap_err().to_string();
    assert_eq!(
        reason(json!({"id": 1, "product_id": 3})),
        "it refers to record 99 of depreciations, which does not exist"
    );
    assert_eq!(reason(json!({"id": 1, "product_id": 9})), "it refers to record 9 of products, which does not exist");
    assert_eq!(reason(json!({"id": 1})), "it has no product, so it has no depreciation");
    assert_eq!(reason(json!({"id": 1, "product_id": 4})), "the months `0` of the depreciation `None` are invalid");
    let wrong = asset(json!({"id": 1, "purchase_cost": "n/a", "purchase_date": "soon", "department_id": 5}));
    assert_eq!(wrong.cost.unwrap_err().to_string(), "purchase cost `n/a` is not an amount");
    assert_eq!(wrong.purchase_date.unwrap_err().to_string(), "purchase date `soon` is not a date");
    assert_eq!(wrong.department, "#5");
    let negative = asset(json!({"id": 1, "purchase_cost": -5}));
    assert_eq!(negative.cost.unwrap_err().to_string(), "purchase cost `-5` is negative");
}

#[test]
fn a_depreciation_that_cannot_be_used_is_told_with_what_it_says() {
    let schedule = |depreciation: Json| {
        let held = Held(HashMap::from([(("depreciations", 1), object(depreciation))]));
        let license = object(json!({"id": 3, "name": "L", "depreciation_id": 1}));
        let schedule = RegisterItem::license(&license, &held).unwrap().schedule;
        schedule.map(|schedule| schedule.months).map_err(|error| error.to_string())
    };
    for months in [json!(-12), json!(12.5), json!(5_000_000_000_u64), json!("a year"), json!([36])] {
        let found = months.as_str().map_or_else(|| months.to_string(), str::to_owned);
        let expected = format!("the months `{found}` of the depreciation `D` are invalid");
        assert_eq!(schedule(json!({"name": "D", "months": months})), Err(expected));
    }
    for depreciation in
        [json!({"name": "D"}), json!({"name": "D", "months": null}), json!({"name": "D", "months": " "})]
    {
        assert_eq!(schedule(depreciation), Err("the depreciation `D` has no number of months".into()));
    }
    let minimum = |minimum: Json| schedule(json!({"name": "D", "months": "36", "minimum_value": minimum}));
    assert_eq!(minimum(json!(-5)), Err("the minimum value `-5` of the depreciation `D` is negative".into()));
    assert_eq!(minimum(json!("n/a")), Err("the minimum value `n/a` of the depreciation `D` is not an amount".into()));
    assert_eq!([minimum(json!("0.00")), minimum(Json::Null)], [Ok(36), Ok(36)]);
}

#[test]
fn a_license_has_its_own_depreciation_and_end() {
    let license = json!({
        "id": 3, "name": "Creative Cloud", "category_id": 1, "depreciation_id": 1, "purchase_cost": 4800,
        "currency": "usd", "purchase_date": "2024-01-01", "expiration_date": "2026-12-31",
        "termination_date": "2025-06-30",
    });
    let item = RegisterItem::license(&object(license), &account()).unwrap();
    assert_eq!((item.kind, &*item.tag, &*item.category), (ItemKind::License, "Creative Cloud", "Laptops"));
    assert_eq!((&*item.currency.code, item.expires_on), ("USD", Some(date(2026, 12, 31))));
    assert_eq!(item.disposal, Disposal::Terminated(date(2025, 6, 30)));
    assert!(item.schedule.is_ok());
}

#[test]
fn what_cannot_be_read_of_standing_and_expiry_is_kept() {
    let unusable = |item: RegisterItem| item.unusable.iter().map(UnusableValue::to_string).collect::<Vec<_>>();
    let gone = asset(json!({"id": 1, "status_id": 99, "warranty_expiration_date": "June"}));
    assert_eq!((gone.disposal, &*gone.status, gone.expires_on), (Disposal::None, "#99", None));
    assert_eq!(
        unusable(gone),
        [
            "its status refers to record 99 of statuses, which does not exist: counted as held",
            "warranty expiration date `June` is not a date: not listed under Running out",
        ]
    );
    let license = |record| RegisterItem::license(&object(record), &account()).unwrap();
    let ended = license(json!({"id": 3, "name": "L", "termination_date": "31/12/2024", "expiration_date": 45000}));
    assert_eq!((ended.disposal, ended.expires_on), (Disposal::None, None));
    assert_eq!(
        unusable(ended),
        [
            "termination date `31/12/2024` is not a date: counted as held",
            "expiration date `45000` is not a date: not listed under Running out",
        ]
    );
    let none: [&str; 0] = [];
    assert_eq!(unusable(asset(json!({"id": 1, "status_id": 1, "warranty_expiration_date": null}))), none);
    assert_eq!(unusable(asset(json!({"id": 1}))), none);
    assert_eq!(unusable(license(json!({"id": 3, "termination_date": ""}))), none);
}

#[test]
fn a_record_without_an_id_is_refused() {
    let error = RegisterItem::asset(&object(json!({"asset_id": "A"})), &account()).unwrap_err();
    assert_eq!(error.to_string(), r#"a record of assets has no id: {"asset_id":"A"}"#);
}
