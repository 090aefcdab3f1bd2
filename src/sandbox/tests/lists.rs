//! Lists: bare arrays, pages, order, filters.

use super::*;

fn names(rows: &[Json]) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

fn with_manufacturers(count: usize) -> Api {
    let api = Api::empty();
    for number in 0..count {
        api.made("manufacturers", json!({"name": format!("M{number:03}"), "notes": (number % 2).to_string()}));
    }
    api
}

#[test]
fn a_list_is_a_bare_array_of_fifty_unless_told() {
    let api = with_manufacturers(60);
    assert_eq!(api.list("/manufacturers").len(), 50);
    assert_eq!(api.list("/manufacturers?limit=60").len(), 60);
    assert_eq!(api.list("/manufacturers?limit=1000").len(), 60);
    assert_eq!(api.list("/manufacturers?offset=55").len(), 5);
    assert_eq!(api.list("/manufacturers?offset=60"), Vec::<Json>::new());
    assert_eq!(names(&api.list("/manufacturers?offset=10&limit=2")), ["M010", "M011"]);
}

#[test]
fn pages_end_at_the_page_limit() {
    let api = Api::with(SandboxOptions { page_limit: 20, ..SandboxOptions::default() });
    assert_eq!(api.get("/statuses?limit=21").blamed(), ["limit"]);
    assert_eq!(api.get("/activity?limit=21").blamed(), ["limit"]);
    assert_eq!(api.get("/statuses?limit=20").status, StatusCode::OK);
    for _ in 0..30 {
        api.made("manufacturers", json!({"name": "Same"}));
    }
    assert_eq!(api.list("/manufacturers").len(), 20, "fifty would be too many here");
}

#[test]
fn parameters_of_lists_are_of_their_type() {
    let api = Api::new();
    for parameter in [
        "limit=0", "limit=-1", "limit=ten", "limit=", "limit=1001", "limit=99999999999", "limit=+5", "limit=05",
        "offset=-1", "offset=x", "offset=1.5", "sort=", "sort=Name", "sort=id", "sort=nonsense", "order=up",
        "order=ASC", "purchase_cost=12.5", "purchase_cost=x", "product_id=Latitude", "purchase_date=2024-13-01",
        "purchase_date=01/02/2024", "nonsense=1", "id=1", "currency=EUR", "custom_fields=x",
    ] {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(api.get(&format!("/assets?{parameter}")).blamed(), [name], "{parameter}");
    }
    for parameter in ["checkout_email=1", "checkout_email=yes", "checkout_email=True", "type=Asset", "type="] {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(api.get(&format!("/categories?{parameter}")).blamed(), [name], "{parameter}");
    }
    let answer = api.get("/assets?limit=0&colour=red&sort=size&limit=5");
    assert_eq!(answer.blamed(), ["limit", "colour", "sort"], "all at once");
    assert_eq!(answer.body["errors"]["limit"].as_array().unwrap().len(), 2, "wrong, and given twice");
}

#[test]
fn order_is_by_the_key_and_then_by_id_and_can_be_turned_round() {
    let api = Api::empty();
    for (name, notes) in [("B", "x"), ("A", "y"), ("B", "z"), ("C", "w"), ("B", "a")] {
        api.made("manufacturers", json!({"name": name, "notes": notes}));
    }
    let notes = |query: &str| {
        let rows = api.list(&format!("/manufacturers?{query}"));
        rows.iter().map(|row| row["notes"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(notes(""), "yxzaw");
    assert_eq!(notes("order=asc"), "yxzaw");
    assert_eq!(notes("sort=name&order=desc"), "wazxy");
    assert_eq!(notes("sort=created_at"), "xyzwa");
    assert_eq!(notes("sort=created_at&order=desc"), "awzyx");
    api.put("/manufacturers/2", json!({"url": "https://example.com"})).accepted();
    assert_eq!(notes("sort=updated_at&order=desc&limit=1"), "y");
    let pages: String = (0..5).map(|offset| notes(&format!("limit=1&offset={offset}"))).collect();
    assert_eq!(pages, notes(""), "pages are cut from one order");
}

#[test]
fn filters_are_exact_and_all_must_hold() {
    let api = with_manufacturers(6);
    assert_eq!(names(&api.list("/manufacturers?name=M001")), ["M001"]);
    assert_eq!(names(&api.list("/manufacturers?name=m001")), Vec::<&str>::new());
    assert_eq!(names(&api.list("/manufacturers?name=M00")), Vec::<&str>::new());
    assert_eq!(names(&api.list("/manufacturers?notes=1")), ["M001", "M003", "M005"]);
    assert_eq!(names(&api.list("/manufacturers?notes=1&name=M003")), ["M003"]);
    assert_eq!(names(&api.list("/manufacturers?notes=0&name=M003")), Vec::<&str>::new());
    api.made("manufacturers", json!({"name": "Größe & Söhne 100%+"}));
    assert_eq!(api.id_of("manufacturers", "name", "Größe & Söhne 100%+"), 7);
}

#[test]
fn things_are_found_by_who_has_them() {
    let api = Api::new();
    let (asset, ada) = (api.made_asset("A-1"), api.employee());
    api.made_asset("A-2");
    let accessory = api.made_stock("accessories", "Keyboards and Mice", 5);
    api.post("/checkout/asset", json!({"asset_id": "A-1", "employee_id": ada, "checkout_date": "2024-05-01"}))
        .accepted();
    let body = json!({"accessory_id": accessory, "employee_id": ada, "quantity": 2, "checkout_date": "2024-05-01"});
    api.post("/checkout/accessory", body).accepted();
    let ids = |path: &str| api.list(path).iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(ids("/assets?employee_email=ada.byron@example.com"), [asset]);
    assert_eq!(ids("/accessories?employee_email=ada.byron@example.com"), [accessory]);
    assert_eq!(ids("/licenses?employee_email=ada.byron@example.com"), Vec::<i64>::new());
    assert_eq!(ids("/assets?employee_email=mei.tanaka@example.com"), Vec::<i64>::new());
    assert_eq!(api.get("/consumables?employee_email=ada.byron@example.com").blamed(), ["employee_email"]);
}

#[test]
fn assets_are_found_by_their_products_category_and_audits_by_the_tag() {
    let api = Api::new();
    let asset = api.made_asset("A-1");
    let (laptops, phones) = (api.id_of("categories", "name", "Laptops"), api.id_of("categories", "name", "Phones"));
    assert_eq!(api.list(&format!("/assets?category_id={laptops}")).len(), 1);
    assert_eq!(api.list(&format!("/assets?category_id={phones}")).len(), 0);
    let audit =
        json!({"audit_date": "2024-05-01", "scheduled": false, "completed": true, "asset_id": "A-1", "user_id": 1});
    api.made("audits", audit);
    assert_eq!(api.list("/audits?asset_id=A-1").len(), 1);
    assert_eq!(api.list(&format!("/audits?asset_id={asset}")).len(), 0, "the system id is not the tag");
    let consumable = api.made_stock("consumables", "Printer Supplies", 4);
    assert_eq!(api.list("/consumables?available=4")[0]["id"], consumable);
    assert_eq!(api.list("/consumables?sort=available&order=desc").len(), 1);
    assert_eq!(api.get("/consumables?quantity=4").blamed(), ["quantity"], "the guide filters by `available` only");
}
