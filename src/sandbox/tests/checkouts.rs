//! Check-in and checkout: things really move.

use super::*;

const DAY: &str = "2024-05-01";

impl Api {
    fn out(&self, what: &str, body: Json) -> Answer {
        self.post(&format!("/checkout/{what}"), with(body, "checkout_date"))
    }

    fn back(&self, what: &str, body: Json) -> Answer {
        self.post(&format!("/checkin/{what}"), with(body, "checkin_date"))
    }

    fn ready(&self) -> i64 {
        self.id_of("statuses", "name", "Ready to Deploy")
    }

    fn keyed_license(&self) -> i64 {
        self.id_of("licenses", "name", "Office Home & Business 2024")
    }

    fn seats(&self, seats: i64) -> i64 {
        let category = self.id_of("categories", "name", "Design Software");
        self.made("licenses", json!({"name": "Draw", "category_id": category, "number_of_seats": seats}))
    }
}

fn with(mut body: Json, day: &str) -> Json {
    body[day] = json!(DAY);
    body
}

#[test]
fn an_asset_goes_out_once_and_comes_back_once() {
    let api = Api::new();
    let (asset, ada, ready) = (api.made_asset("A-1"), api.employee(), api.ready());
    let out =
        json!({"asset_id": "A-1", "employee_id": ada, "checkin_date": "2024-06-01", "condition": 4, "notes": "new"});
    let record = api.out("asset", out.clone()).accepted();
    assert_eq!(record["id"], asset);
    assert_eq!(record["deployed_to"], json!([{"employee_id": ada, "checkout_date": DAY}]));
    assert_eq!(record["checkout_date"], DAY);
    let holder = api.record("employees", ada);
    assert_eq!((&holder["assets"], &holder["number_of_assets"]), (&json!([asset]), &json!(1)));
    assert_eq!(api.out("asset", out).blamed(), ["asset_id"]);
    assert_eq!(api.delete(&format!("/assets/{asset}")).blamed(), ["id"]);
    assert_eq!(api.delete(&format!("/employees/{ada}")).blamed(), ["id"]);

    let back = json!({"asset_id": asset, "status_id": ready, "condition": 3});
    let record = api.back("asset", back.clone()).accepted();
    assert_eq!((&record["deployed_to"], &record["checkout_date"]), (&json!([]), &Json::Null));
    assert_eq!(api.back("asset", back).blamed(), ["asset_id"]);
    assert_eq!(api.record("employees", ada)["number_of_assets"], 0);
    api.delete(&format!("/assets/{asset}")).accepted();
}

#[test]
fn checkout_takes_the_tag_and_checkin_the_system_id() {
    let api = Api::new();
    let (asset, ada, ready) = (api.made_asset("A-1"), api.employee(), api.ready());
    assert_eq!(api.out("asset", json!({"asset_id": asset, "employee_id": ada})).blamed(), ["asset_id"]);
    assert_eq!(api.out("asset", json!({"asset_id": asset.to_string(), "employee_id": ada})).blamed(), ["asset_id"]);
    api.out("asset", json!({"asset_id": "A-1", "employee_id": ada})).accepted();
    assert_eq!(api.back("asset", json!({"asset_id": "A-1", "status_id": ready})).blamed(), ["asset_id"]);
    api.back("asset", json!({"asset_id": asset, "status_id": ready})).accepted();
    let component = api.made_stock("components", "Memory", 3);
    assert_eq!(
        api.out("component", json!({"component_id": component, "asset_id": asset, "quantity": 1})).blamed(),
        ["asset_id"]
    );
    api.out("component", json!({"component_id": component, "asset_id": "A-1", "quantity": 1})).accepted();
    assert_eq!(api.back("component", json!({"component_id": component, "asset_id": "A-1"})).blamed(), ["asset_id"]);
    api.back("component", json!({"component_id": component, "asset_id": asset})).accepted();
}

#[test]
fn the_asset_belongs_where_the_action_says() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    let (berlin, it) = (api.id_of("locations", "name", "Berlin"), api.id_of("departments", "name", "IT"));
    let london = api.id_of("locations", "name", "London");
    let repair = api.id_of("statuses", "name", "In Repair");
    let body =
        json!({"asset_id": "A-1", "location_id": london, "asset_location_id": berlin, "asset_department_id": it});
    let record = api.out("asset", body).accepted();
    assert_eq!((&record["location_id"], &record["department_id"]), (&json!(berlin), &json!(it)));
    assert_eq!(record["deployed_to"], json!([{"location_id": london, "checkout_date": DAY}]));
    let body = json!({"asset_id": asset, "status_id": repair, "asset_location_id": london});
    let record = api.back("asset", body).accepted();
    let told = ["status_id", "location_id", "department_id"].map(|name| record[name].clone());
    assert_eq!(told, [json!(repair), json!(london), json!(it)]);
    let answer = api.out("asset", json!({"asset_id": "A-1", "location_id": london}));
    assert_eq!(answer.blamed(), ["asset_id"], "in repair is not deployable");
}

#[test]
fn exactly_one_holder_is_named() {
    let api = Api::new();
    api.made_asset("A-1");
    let (ada, berlin) = (api.employee(), api.id_of("locations", "name", "Berlin"));
    let both = ["employee_id", "location_id"];
    assert_eq!(api.out("asset", json!({"asset_id": "A-1"})).blamed(), both);
    assert_eq!(api.out("asset", json!({"asset_id": "A-1", "employee_id": ada, "location_id": berlin})).blamed(), both);
    assert_eq!(api.out("asset", json!({"asset_id": "A-1", "employee_id": 999})).blamed(), ["employee_id"]);
    for (what, category) in [("accessory", "Cables and Adapters"), ("consumable", "Printer Supplies")] {
        let collection = if what == "accessory" { "accessories" } else { "consumables" };
        let item = api.made_stock(collection, category, 5);
        let body = json!({format!("{what}_id"): item, "quantity": 1});
        assert_eq!(api.out(what, body).blamed(), both, "{what}");
    }
    let license = api.seats(2);
    let either = ["employee_id", "asset_id"];
    assert_eq!(api.out("license", json!({"license_id": license, "quantity": 1})).blamed(), either);
    let body = json!({"license_id": license, "quantity": 1, "employee_id": ada, "asset_id": 1});
    assert_eq!(api.out("license", body).blamed(), either);
    assert_eq!(api.back("license", json!({"license_id": license})).blamed(), either);
}

#[test]
fn nothing_goes_to_those_who_left() {
    let api = Api::new();
    api.made_asset("A-1");
    let former = api.id_of("employees", "email", "tom.former@example.com");
    assert_eq!(api.out("asset", json!({"asset_id": "A-1", "employee_id": former})).blamed(), ["employee_id"]);
    let license = api.seats(2);
    let body = json!({"license_id": license, "employee_id": former, "quantity": 1});
    assert_eq!(api.out("license", body).blamed(), ["employee_id"]);
}

#[test]
fn stock_runs_out_and_comes_back_by_the_checkout() {
    let api = Api::new();
    let (item, ada) = (api.made_stock("accessories", "Cables and Adapters", 5), api.employee());
    let berlin = api.id_of("locations", "name", "Berlin");
    let give =
        |quantity: i64| api.out("accessory", json!({"accessory_id": item, "employee_id": ada, "quantity": quantity}));
    assert_eq!(give(3).accepted()["available"], 2);
    assert_eq!(give(3).blamed(), ["quantity"]);
    assert_eq!(give(0).blamed(), ["quantity"]);
    assert_eq!(give(2).accepted()["available"], 0);
    assert_eq!(give(1).blamed(), ["quantity"]);
    assert_eq!(api.record("employees", ada)["number_of_accessories"], 5);
    let path = format!("/accessories/{item}");
    assert_eq!(api.put(&path, json!({"quantity": 4})).blamed(), ["quantity"], "less than is out");
    assert_eq!(api.put(&path, json!({"quantity": 6})).accepted()["available"], 1);
    assert_eq!(api.delete(&path).blamed(), ["id"]);

    assert_eq!(api.back("accessory", json!({"accessory_id": item, "location_id": berlin})).blamed(), ["location_id"]);
    let take = || api.back("accessory", json!({"accessory_id": item, "employee_id": ada}));
    assert_eq!(take().accepted()["available"], 3, "the newest checkout, as a whole");
    assert_eq!(take().accepted()["available"], 6);
    assert_eq!(take().blamed(), ["employee_id"]);
    api.delete(&path).accepted();
}

#[test]
fn components_are_built_into_assets() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    let item = api.made_stock("components", "Memory", 4);
    let record = api.out("component", json!({"component_id": item, "asset_id": "A-1", "quantity": 4})).accepted();
    assert_eq!(record["available"], 0);
    assert_eq!(api.delete(&format!("/assets/{asset}")).blamed(), ["id"], "it holds components");
    let record = api.back("component", json!({"component_id": item, "asset_id": asset})).accepted();
    assert_eq!(record["available"], 4);
    assert_eq!(api.back("component", json!({"component_id": item, "asset_id": asset})).blamed(), ["asset_id"]);
    api.delete(&format!("/assets/{asset}")).accepted();
}

#[test]
fn consumables_are_used_up() {
    let api = Api::new();
    let (item, ada) = (api.made_stock("consumables", "Printer Supplies", 2), api.employee());
    let give = || api.out("consumable", json!({"consumable_id": item, "employee_id": ada, "quantity": 1}));
    assert_eq!(give().accepted()["available"], 1);
    let record = give().accepted();
    assert_eq!((&record["available"], &record["quantity"]), (&json!(0), &json!(2)));
    assert_eq!(give().blamed(), ["quantity"]);
    assert_eq!(api.record("employees", ada)["number_of_consumables"], 2);
    assert_eq!(api.delete(&format!("/employees/{ada}")).blamed(), ["id"]);
    api.delete(&format!("/consumables/{item}")).accepted();
    assert_eq!(api.record("employees", ada)["number_of_consumables"], 0);
}

#[test]
fn dynamic_licenses_count_seats() {
    let api = Api::new();
    let (license, ada, asset) = (api.seats(3), api.employee(), api.made_asset("A-1"));
    let to_ada = |extra: Json| {
        let mut body = json!({"license_id": license, "employee_id": ada});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        api.out("license", body)
    };
    assert_eq!(to_ada(json!({})).blamed(), ["quantity"]);
    assert_eq!(to_ada(json!({"quantity": 1, "product_key": "K"})).blamed(), ["product_key"]);
    assert_eq!(to_ada(json!({"quantity": 4})).blamed(), ["quantity"]);
    assert_eq!(to_ada(json!({"quantity": 2})).accepted()["available"], 1);
    let body = json!({"license_id": license, "asset_id": asset, "quantity": 1});
    assert_eq!(api.out("license", body).accepted()["available"], 0);
    assert_eq!(api.put(&format!("/licenses/{license}"), json!({"number_of_seats": 2})).blamed(), ["number_of_seats"]);
    assert_eq!(api.record("employees", ada)["number_of_licenses"], 2);
    let answer = api.back("license", json!({"license_id": license, "employee_id": ada, "product_key": "K"}));
    assert_eq!(answer.blamed(), ["product_key"]);
    assert_eq!(api.back("license", json!({"license_id": license, "employee_id": ada})).accepted()["available"], 2);
    assert_eq!(api.back("license", json!({"license_id": license, "asset_id": asset})).accepted()["available"], 3);
    assert_eq!(api.back("license", json!({"license_id": license, "asset_id": asset})).blamed(), ["asset_id"]);
}

#[test]
fn product_keys_go_one_by_one() {
    let api = Api::new();
    let (license, ada) = (api.keyed_license(), api.employee());
    let keys = super::super::seed::PRODUCT_KEYS;
    let record = api.record("licenses", license);
    assert_eq!((&record["license_type"], &record["available"]), (&json!("Product Key"), &json!(keys.len())));
    let give = |extra: Json| {
        let mut body = json!({"license_id": license, "employee_id": ada});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        api.out("license", body)
    };
    assert_eq!(give(json!({})).blamed(), ["product_key"]);
    assert_eq!(give(json!({"product_key": "no such key"})).blamed(), ["product_key"]);
    assert_eq!(give(json!({"product_key": keys[0], "quantity": 1})).blamed(), ["quantity"]);
    assert_eq!(give(json!({"product_key": keys[0]})).accepted()["available"], keys.len() - 1);
    assert_eq!(give(json!({"product_key": keys[0]})).blamed(), ["product_key"]);
    give(json!({"product_key": keys[1]})).accepted();
    assert_eq!(api.put(&format!("/licenses/{license}"), json!({"number_of_seats": 9})).blamed(), ["number_of_seats"]);
    assert_eq!(api.back("license", json!({"license_id": license, "employee_id": ada})).blamed(), ["product_key"]);
    let body = json!({"license_id": license, "employee_id": ada, "product_key": keys[2]});
    assert_eq!(api.back("license", body).blamed(), ["employee_id"], "that key is not out");
    let body = json!({"license_id": license, "employee_id": ada, "product_key": keys[0]});
    assert_eq!(api.back("license", body).accepted()["available"], keys.len() - 1);
    give(json!({"product_key": keys[0]})).accepted();
}

#[test]
fn a_refused_action_moves_nothing() {
    let api = Api::new();
    let (item, ada) = (api.made_stock("accessories", "Cables and Adapters", 5), api.employee());
    let before = api.record("accessories", item);
    let body = json!({"accessory_id": item, "employee_id": ada, "quantity": 2, "checkout_date": "soon", "colour": 1});
    assert_eq!(api.post("/checkout/accessory", body).blamed(), ["checkout_date", "colour"]);
    assert_eq!(api.record("accessories", item), before);
    assert_eq!(api.list("/activity?event=Checkout"), Vec::<Json>::new());
}
