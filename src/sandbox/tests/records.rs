//! What a record may be: unique, well linked, deleted only when nothing hangs on it.

use super::*;

#[test]
fn all_errors_of_a_body_come_at_once() {
    let api = Api::new();
    let body = json!({
        "asset_id": "A-1", "purchase_date": "yesterday", "purchase_cost": 12.5, "currency": "eur", "product_id": 999,
        "location_id": "Berlin", "logo": "logo.png", "custom_fields": "{}", "colour": "red",
    });
    let answer = api.post("/assets", body);
    let expected = [
        "purchase_date", "purchase_cost", "currency", "location_id", "logo", "custom_fields", "colour", "status_id",
        "product_id",
    ];
    assert_eq!(answer.blamed(), expected);
    assert_eq!(answer.body["errors"]["product_id"], json!(["there is no product `999`"]));
    assert_eq!(answer.body["errors"]["status_id"], json!(["is required"]));
    assert_eq!(api.list("/assets"), Vec::<Json>::new(), "nothing of it is done");
}

#[test]
fn a_name_given_twice_is_refused() {
    let api = Api::new();
    let request = api.ask(Method::POST, "/statuses").header(header::CONTENT_TYPE, "application/json");
    let answer = api.send(request.body(r#"{"name": "A", "type": "pending", "name": "B"}"#));
    assert_eq!(answer.blamed(), ["name"]);
}

#[test]
fn asset_tags_are_unique_exactly() {
    let api = Api::new();
    let first = api.made_asset("LAP-1");
    let (product, status) = (api.id_of("products", "name", "iPhone 16"), api.id_of("statuses", "name", "In Use"));
    let body = |tag: &str| json!({"asset_id": tag, "product_id": product, "status_id": status});
    assert_eq!(api.post("/assets", body("LAP-1")).blamed(), ["asset_id"]);
    let second = api.made("assets", body("lap-1"));
    assert_eq!(api.put(&format!("/assets/{second}"), json!({"asset_id": "LAP-1"})).blamed(), ["asset_id"]);
    api.put(&format!("/assets/{first}"), json!({"asset_id": "LAP-1"})).accepted();
    api.delete(&format!("/assets/{first}")).accepted();
    api.put(&format!("/assets/{second}"), json!({"asset_id": "LAP-1"})).accepted();
}

#[test]
fn employees_addresses_are_unique_whatever_their_case() {
    let api = Api::new();
    let body = json!({"name": "Ada", "email": "ADA.Byron@Example.com"});
    assert_eq!(api.post("/employees", body).blamed(), ["email"]);
    let body = json!({"name": "Ada Byron", "email": "ada.b@example.com"});
    assert_eq!(api.post("/employees", body).status, StatusCode::CREATED, "names need not be unique");
}

#[test]
fn other_names_need_not_be_unique() {
    let api = Api::new();
    for _ in 0..2 {
        api.made("locations", json!({"name": "Berlin"}));
        api.made("statuses", json!({"name": "In Use", "type": "pending"}));
    }
    assert_eq!(api.list("/locations?name=Berlin").len(), 3);
}

#[test]
fn an_id_in_an_updates_body_is_the_paths() {
    let api = Api::new();
    api.put("/statuses/1", json!({"id": 1, "notes": "x"})).accepted();
    for id in [json!(2), json!("1"), json!(1.0), Json::Null] {
        assert_eq!(api.put("/statuses/1", json!({"id": id})).blamed(), ["id"], "{id}");
    }
    assert_eq!(api.post("/statuses", json!({"id": 99, "name": "A", "type": "pending"})).blamed(), ["id"]);
}

#[test]
fn an_update_changes_what_it_carries_and_nothing_else() {
    let api = Api::new();
    let id = api.made("locations", json!({"name": "Depot", "city": "Köln", "zip": "50667"}));
    let before = api.record("locations", id);
    let after = api.put(&format!("/locations/{id}"), json!({"city": null, "zip": "04109"})).accepted();
    let mut expected = before.clone();
    expected["city"] = Json::Null;
    expected["zip"] = json!("04109");
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    let again = api.put(&format!("/locations/{id}"), json!({})).accepted();
    assert!(again["updated_at"].as_str() > after["updated_at"].as_str(), "an update without fields is one");
}

#[test]
fn text_is_kept_as_sent() {
    let api = Api::new();
    for name in
        ["  spaced  ", "0042", "=1+1", "Größe \"quoted\" \\ / \u{1F4BB} \t\n", "null", "x'); DROP TABLE assets;--"]
    {
        let id = api.made("locations", json!({"name": name}));
        assert_eq!(api.record("locations", id)["name"], name);
    }
    for blank in ["", "   ", "\u{a0}"] {
        assert_eq!(api.post("/locations", json!({"name": blank})).blamed(), ["name"]);
        assert_eq!(api.put("/locations/1", json!({"name": blank})).blamed(), ["name"]);
    }
}

#[test]
fn categories_are_of_the_type_that_is_needed_and_stay_so() {
    let api = Api::new();
    let (laptops, mice) =
        (api.id_of("categories", "name", "Laptops"), api.id_of("categories", "name", "Keyboards and Mice"));
    let answer = api.post("/accessories", json!({"name": "Mouse", "quantity": 1, "category_id": laptops}));
    assert_eq!(answer.blamed(), ["category_id"]);
    assert_eq!(api.post("/products", json!({"name": "Mouse", "category_id": mice})).blamed(), ["category_id"]);
    api.put(&format!("/categories/{mice}"), json!({"type": "component"})).accepted();
    assert_eq!(api.put(&format!("/categories/{laptops}"), json!({"type": "component"})).blamed(), ["type"]);
    api.put(&format!("/categories/{laptops}"), json!({"type": "asset"})).accepted();
}

#[test]
fn what_others_refer_to_stays() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    let status = api.id_of("statuses", "name", "Ready to Deploy");
    let maintenance = api.made(
        "maintenances",
        json!({"type": "repair", "name": "Screen", "start_date": "2024-05-01", "asset_id": "A-1"}),
    );
    for path in
        [format!("/assets/{asset}"), format!("/statuses/{status}"), "/categories/1".into(), "/locations/1".into()]
    {
        assert_eq!(api.delete(&path).blamed(), ["id"], "{path}");
        assert_eq!(api.get(&path).status, StatusCode::OK);
    }
    for path in [format!("/maintenances/{maintenance}"), format!("/assets/{asset}"), format!("/statuses/{status}")] {
        let answer = api.delete(&path);
        assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, Json::Null), "{path}");
        assert_eq!(api.get(&path).status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(api.delete(&path).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn ids_are_never_used_again() {
    let api = Api::empty();
    let first = api.made("locations", json!({"name": "A"}));
    api.delete(&format!("/locations/{first}")).accepted();
    assert_eq!(api.made("locations", json!({"name": "B"})), first + 1);
}

#[test]
fn references_by_tag_follow_the_asset() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    let maintenance = api.made(
        "maintenances",
        json!({"type": "repair", "name": "Screen", "start_date": "2024-05-01", "asset_id": "A-1"}),
    );
    api.put(&format!("/assets/{asset}"), json!({"asset_id": "A-9"})).accepted();
    assert_eq!(api.record("maintenances", maintenance)["asset_id"], "A-9");
}

#[test]
fn replies_carry_what_the_service_adds() {
    let api = Api::new();
    let asset = api.record("assets", api.made_asset("A-1"));
    assert_eq!(asset["category_id"], api.id_of("categories", "name", "Laptops"));
    assert_eq!(asset["manufacturer_id"], api.id_of("manufacturers", "name", "Dell"));
    let names = ["category_name", "product_name", "manufacturer_name"].map(|name| asset[name].as_str().unwrap());
    assert_eq!(names, ["Laptops", "Latitude 5450", "Dell"]);
    assert_eq!((&asset["checkout_date"], &asset["deployed_to"]), (&Json::Null, &json!([])));

    let employees = api.list("/employees?sort=created_at");
    let ada = &employees[0];
    assert_eq!(employees[1]["manager_id"], ada["id"]);
    assert_eq!((&ada["manager_id"], &ada["assets"], &ada["number_of_licenses"]), (&Json::Null, &json!([]), &json!(0)));
    assert_eq!(api.list("/employees?name=Tom Former")[0]["archived"], true);

    let category = api.id_of("categories", "name", "Design Software");
    let body = json!({"name": "Draw", "category_id": category, "number_of_seats": 4, "purchase_cost": 10});
    let license = api.record("licenses", api.made("licenses", body));
    let told = ["license_type", "unit_cost", "available", "number_of_seats"].map(|name| license[name].clone());
    assert_eq!(told, [json!("Dynamic"), json!(2.5), json!(4), json!(4)]);
    let body = json!({"name": "Draw", "category_id": category});
    let license = api.record("licenses", api.made("licenses", body));
    assert_eq!((&license["unit_cost"], &license["available"]), (&Json::Null, &json!(0)));
    assert_eq!(api.record("accessories", api.made_stock("accessories", "Cables and Adapters", 7))["available"], 7);
}

#[test]
fn custom_fields_are_replaced_as_a_whole() {
    let api = Api::new();
    let pairs = |text: &str| json!({"custom_fields": text});
    let id = api.made(
        "locations",
        json!({"name": "A", "custom_fields": r#"[{"name":"Rack","value":"B4"},{"name":"Öl","value":""}]"#}),
    );
    let expected = json!([{"name": "Rack", "value": "B4"}, {"name": "Öl", "value": ""}]);
    assert_eq!(api.record("locations", id)["custom_fields"], expected);
    let after = api.put(&format!("/locations/{id}"), pairs(r#"[{"value":"2","name":"Floor"}]"#)).accepted();
    assert_eq!(after["custom_fields"], json!([{"name": "Floor", "value": "2"}]));
    assert_eq!(api.put(&format!("/locations/{id}"), pairs("[]")).accepted()["custom_fields"], json!([]));
}

#[test]
fn the_samples_are_the_same_every_time() {
    let rows = |api: &Api| -> Vec<(Json, Json)> {
        let collections = crate::schema::COLLECTIONS.iter();
        let rows = collections.flat_map(|entity| api.list(&format!("/{}?sort=created_at&limit=100", entity.path)));
        rows.map(|row| (row["id"].clone(), row["name"].clone())).collect()
    };
    let (first, second) = (rows(&Api::new()), rows(&Api::new()));
    assert_eq!(first, second);
    assert!(first.len() > 50);
    assert_eq!(rows(&Api::empty()), []);
}
