//! What cells are taken for: no value is sent that the user did not mean.

use serde_json::json;

use crate::harness::{CliTest, assert_output};

/// The codes of a summary's problems or remarks.
pub fn codes(summary: &serde_json::Value, list: &str) -> Vec<String> {
    let codes = summary[list].as_array().unwrap().iter();
    codes.map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn error_values_in_csv_create_nothing() {
    let account = CliTest::new().with_lookups().sheet(
        "assets.csv",
        "Asset Tag,Model,Status,Location\n#REF!,MacBook Pro 14,Ready,#WERT!\nA-2,MacBook Pro 14,Ready,Err:502\n",
    );
    let (code, summary) = account.json(&["import", "assets.csv", "--create-missing"]);
    assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("cell.error"); 2]), "{summary}");
    assert_eq!((account.records("locations").len(), account.records("assets").len()), (0, 0));
}

#[test]
fn a_default_fills_what_rows_and_columns_lack() {
    let account =
        CliTest::new().with_lookups().holds("statuses", json!({"name": "Broken", "type": "undeployable"})).sheet(
            "assets.csv",
            "Asset Tag,Model,Status,Purchase Cost\nA-1,MacBook Pro 14,,$1299\nA-2,MacBook Pro 14,Broken,€5\n",
        );
    let import = ["import", "assets.csv", "--default", "status=Ready", "--default", "currency=CAD"];
    account.run(&import).exits(0);
    let assets = ["A-1", "A-2"].map(|tag| account.record("assets", "asset_id", tag));
    let field = |name: &str| assets.iter().map(|asset| asset[name].clone()).collect::<Vec<_>>();
    assert_eq!((field("status_id"), field("currency")), (vec![json!(1), json!(2)], vec![json!("CAD"), json!("EUR")]));
    let (_, again) = account.json(&import);
    assert_eq!((&again["counts"]["unchanged"], &again["remarks"]), (&json!(2), &json!([])), "{again}");
    let (_, planned) = account.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(planned["next"][0], "tallyport import assets.csv --default status=Ready --default currency=CAD");
}

#[test]
fn a_default_that_makes_no_sense_stops_before_anything_is_read() {
    let account = CliTest::new().sheet("assets.csv", "Asset Tag,Model,Status\nA-1,Mac,Ready\n");
    assert_output!(account.run(&["check", "assets.csv", "--default", "currency=EURO"]), @"
    exit code 2
    --- stderr
    error: --default 'currency=EURO': invalid currency; expected a code such as `EUR` or `USD`
      hint: write `EUR`
    ");
    assert_output!(account.run(&["check", "assets.csv", "--default", "colour=red"]), @"
    exit code 2
    --- stderr
    error: --default 'colour=red': `assets` has no field `colour`
      hint: `tallyport schema assets` lists the fields
    ");
    assert_output!(account.run(&["check", "assets.csv", "--default", "asset_id=A-1"]), @"
    exit code 2
    --- stderr
    error: --default 'asset_id=A-1' would give several rows the same key
      hint: fill in the column; `asset_id` tells the records of assets apart
    ");
    assert_output!(account.run(&["check", "assets.csv", "--default", "status"]), @"
    exit code 2
    --- stderr
    error: --default 'status' does not say a value
      hint: write it as --default 'field=VALUE', such as --default currency=EUR
    ");
}

#[test]
fn a_default_that_the_account_lacks_is_a_problem_without_a_cell() {
    let account =
        CliTest::new().with_lookups().sheet("assets.csv", "Asset Tag,Model,Status\nA-1,MacBook Pro 14,Ready\n");
    let (code, summary) = account.json(&["import", "assets.csv", "--default", "location=HQ"]);
    let example = &summary["problems"][0]["examples"][0];
    assert_eq!((code, &summary["problems"][0]["code"]), (1, &json!("name.not_found")), "{summary}");
    assert_eq!((&example["cell"], &example["found"]), (&json!("row 2"), &json!("HQ")));
}

#[test]
fn a_shared_sign_is_settled_by_the_location_or_remarked() {
    let sheet = |tag: &str, location: &str| {
        format!("Asset Tag,Model,Status,Location,Purchase Cost\n{tag},MacBook Pro 14,Ready,{location},$1299\n")
    };
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Toronto", "currency": "CAD"}))
        .holds("locations", json!({"name": "Berlin", "currency": "EUR"}))
        .holds("locations", json!({"name": "Nowhere"}))
        .sheet("toronto.csv", &sheet("A-1", "Toronto"))
        .sheet("berlin.csv", &sheet("A-2", "Berlin"))
        .sheet("nowhere.csv", &sheet("A-3", "Nowhere"));
    let run = |file: &str| {
        let (code, summary) = account.json(&["import", file, "--entity", "assets"]);
        (code, codes(&summary, "problems"), codes(&summary, "remarks"))
    };
    let some = |code: &str| vec![String::from(code)];
    assert_eq!(run("toronto.csv"), (0, vec![], vec![]));
    assert_eq!(run("berlin.csv"), (1, some("money.currency"), vec![]));
    assert_eq!(run("nowhere.csv"), (0, vec![], some("money.symbol")));
}

#[test]
fn a_header_may_say_currency_and_thousands() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("assets.csv", "Asset Tag,Model,Status,Cost in k EUR\nA-1,MacBook Pro 14,Ready,2\n");
    let (code, summary) = account.json(&["import", "assets.csv", "--map", "Cost in k EUR=purchase_cost"]);
    assert_eq!((code, codes(&summary, "remarks")), (0, vec![String::from("money.multiplied")]), "{summary}");
    let asset = account.record("assets", "asset_id", "A-1");
    assert_eq!((&asset["purchase_cost"], &asset["currency"]), (&json!(2000), &json!("EUR")));
}

#[test]
fn a_checkout_to_nobody_fails_before_anything_is_sent() {
    let account = CliTest::new()
        .with_lookups()
        .holds("assets", json!({"asset_id": "A-1", "product_id": 1, "status_id": 1}))
        .sheet("checkout_asset.csv", "Asset Tag,Employee,Checkout Date\nA-1,,2026-03-02\n");
    for command in [&["check", "checkout_asset.csv"][..], &["import", "checkout_asset.csv", "--dry-run"]] {
        let (code, summary) = account.json(command);
        assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("required.missing")]), "{summary}");
    }
}

#[test]
fn broken_quotes_fail_their_row_and_other_dialects_are_read() {
    let account = CliTest::new()
        .sheet("broken.csv", "name,city\n\"HQ \\\"North, wing B\\\"\",\"Oslo\"\nDepot,Ulm\n")
        .sheet("blanks.csv", "name, city\n\"HQ, North\", \"Oslo\"\n")
        .sheet("curly.csv", "name,city\n“Mill, South”,“Bergen”\n");
    let (code, summary) = account.json(&["import", "broken.csv", "--entity", "locations"]);
    assert_eq!((code, &summary["counts"]["created"]), (1, &json!(1)), "{summary}");
    assert!(codes(&summary, "problems").contains(&String::from("cell.quotes")), "{summary}");
    account.run(&["import", "blanks.csv", "--entity", "locations"]).exits(0);
    account.run(&["import", "curly.csv", "--entity", "locations"]).exits(0);
    let places = account.records("locations");
    let places: Vec<_> = places.iter().map(|place| [&place["name"], &place["city"]]).collect();
    assert_eq!(places, [["Depot", "Ulm"], ["HQ, North", "Oslo"], ["Mill, South", "Bergen"]]);
}

#[test]
fn ids_and_texts_that_other_programs_write_are_understood() {
    let account = CliTest::new()
        .with_lookups()
        .holds("locations", json!({"name": "Berlin"}))
        .holds("locations", json!({"name": "Ulm"}))
        .sheet("assets.csv", "asset_id,product_id,status_id,location_id,notes\n=\"00123\",1.0,1.0,2.0,\\N\n");
    let (code, summary) = account.json(&["import", "assets.csv", "--create-missing"]);
    assert_eq!(code, 0, "{summary}");
    let asset = account.record("assets", "asset_id", "00123");
    assert_eq!((&asset["location_id"], &asset["notes"]), (&json!(2), &json!(null)));
    assert_eq!(account.records("locations").len(), 2);
    let (_, again) = account.json(&["import", "assets.csv"]);
    assert_eq!(again["counts"]["unchanged"], 1, "{again}");
}

#[test]
fn months_of_life_take_effect() {
    let account = CliTest::new()
        .holds("categories", json!({"name": "Laptops", "type": "asset"}))
        .sheet("products.csv", "name,category,end of life months\nMac,Laptops,48\n");
    account.run(&["import", "products.csv"]).exits(0);
    let product = account.record("products", "name", "Mac");
    assert_eq!(
        (&product["end_of_life_months"], &product["end_of_life_type"]),
        (&json!(48), &json!("Months from Asset Purchase Date"))
    );
    let (_, again) = account.json(&["import", "products.csv"]);
    assert_eq!(again["counts"]["unchanged"], 1, "{again}");
}

#[test]
fn a_tag_with_empty_decimals_is_another_tag() {
    let account = CliTest::new()
        .with_lookups()
        .holds("employees", json!({"name": "Ada", "email": "ada@example.com"}))
        .sheet("assets.csv", "asset_id,product,status\n8,MacBook Pro 14,Ready\n8.0,MacBook Pro 14,Ready\n")
        .sheet("out.csv", "asset_id,employee,checkout_date\n8.0,ada@example.com,2024-01-01\n");
    account.run(&["import", "assets.csv", "--yes"]).exits(0);
    account.run(&["import", "out.csv", "--entity", "checkout_asset", "--yes"]).exits(0);
    let holder = |tag: &str| account.record("assets", "asset_id", tag)["deployed_to"].clone();
    assert_ne!(holder("8.0"), holder("8"));
    let other = holder("8");
    assert!(other.is_null() || other == json!([]), "{other}");
    account.run(&["export", "assets", "-o", "all.xlsx"]).exits(0);
    let (code, again) = account.json(&["import", "all.xlsx", "--dry-run"]);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(2)), "{again:#}");
}
