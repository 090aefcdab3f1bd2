//! The fixed-asset register; its figures are recomputed here in whole cents, month by month.

use std::fs;

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed};

use crate::harness::{CliTest, KEY, assert_output, request, sheet_rows};

/// Year, month and day.
type Day = (i64, i64, i64);
/// Tag, cost, salvage value, months, purchase date.
type Thing = (&'static str, i64, i64, i64, Day);

const THINGS: &[Thing] = &[
    ("A-1", 1_300, 100, 36, (2024, 5, 15)),
    ("A-2", 999, 0, 36, (2024, 1, 31)),
    ("A-3", 2_000, 500, 48, (2019, 2, 28)),
    ("A-4", 100, 250, 12, (2025, 6, 1)),
    ("A-5", 1_000, 0, 7, (2025, 10, 30)),
];

fn account() -> CliTest {
    let mut account = CliTest::new()
        .holds("categories", json!({"name": "Laptops", "type": "asset"}))
        .holds("categories", json!({"name": "Desks", "type": "asset"}))
        .holds("statuses", json!({"name": "Ready", "type": "deployable"}))
        .holds("statuses", json!({"name": "Scrapped", "type": "archived"}));
    for (place, (tag, cost, minimum, months, (year, month, day))) in THINGS.iter().enumerate() {
        let id = place + 1;
        account = account
            .holds("depreciations", json!({"name": format!("D{id}"), "months": months, "minimum_value": minimum}))
            .holds("products", json!({"name": format!("P{id}"), "category_id": place % 2 + 1, "depreciation_id": id}))
            .holds(
                "assets",
                json!({
                    "asset_id": tag, "product_id": id, "status_id": 1, "purchase_cost": cost, "currency": "EUR",
                    "purchase_date": format!("{year}-{month:02}-{day:02}"),
                }),
            );
    }
    account
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The depreciation in cents up to a date; a month counts from its day of purchase.
fn written_off(cost: i64, minimum: i64, months: i64, bought: Day, on: Day) -> i64 {
    let mut elapsed = 0;
    let (mut year, mut month) = (bought.0, bought.1);
    while elapsed < months {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        if (year, month, bought.2.min(days_of(year, month))) > on {
            break;
        }
        elapsed += 1;
    }
    let base = (cost - minimum).max(0) * 100;
    // Half cents are rounded up.
    (base * elapsed * 2 + months) / (months * 2)
}

fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The rows of the register's CSV with these columns.
fn columns(account: &CliTest, path: &str, headers: &[&str]) -> Vec<Vec<String>> {
    let text = fs::read_to_string(account.path(path)).unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let known = reader.headers().unwrap().clone();
    let places: Vec<usize> = headers
        .iter()
        .map(|header| known.iter().position(|known| known == *header).unwrap_or_else(|| panic!("{header}: {known:?}")))
        .collect();
    reader.records().map(|row| places.iter().map(|place| row.as_ref().unwrap()[*place].to_owned()).collect()).collect()
}

fn same(one: &str, other: &str) -> bool {
    let cents = |text: &str| (text.parse::<f64>().unwrap() * 100.0).round() as i64;
    cents(one) == cents(other)
}

#[test]
fn every_book_value_is_exact_to_the_cent() {
    let account = account();
    for on in [(2024, 12, 31), (2025, 2, 28), (2025, 5, 14), (2025, 5, 15), (2026, 11, 30), (2035, 1, 1)] {
        let day = format!("{}-{:02}-{:02}", on.0, on.1, on.2);
        account.run(&["export", "register", "-o", "register.csv", "--as-of", &day]).exits(0);
        let rows = columns(&account, "register.csv", &["tag", "accumulated_depreciation", "book_value", "standing"]);
        assert_eq!(rows.len(), THINGS.len());
        for (row, (tag, cost, minimum, months, bought)) in rows.iter().zip(THINGS) {
            assert_eq!(row[0], *tag);
            if *bought > on {
                assert_eq!(row[3], "not yet bought");
                continue;
            }
            let off = written_off(*cost, *minimum, *months, *bought, on);
            assert!(same(&row[1], &amount(off)), "{tag} on {day}: {row:?}, {}", amount(off));
            assert!(same(&row[2], &amount(cost * 100 - off)), "{tag} on {day}: {row:?}");
        }
    }
}

#[test]
fn a_roll_forward_balances_and_the_manifest_lists_its_files() {
    let account = account();
    account.run(&["export", "register", "-o", "old/", "--as-of", "2026-10-31"]).exits(0);
    account.request("PUT", "assets/1", Some(&json!({"status_id": 2})));
    account.request("DELETE", "assets/3", None);
    let account = account.holds(
        "assets",
        json!({
            "asset_id": "A-6", "product_id": 2, "status_id": 1, "purchase_cost": 500, "currency": "EUR",
            "purchase_date": "2026-11-05",
        }),
    );
    let (code, document) =
        account.json(&["export", "register", "-o", "new/", "--as-of", "2026-11-30", "--previous", "old/register.xlsx"]);
    assert_eq!((code, &document["rolled_forward_from"]), (0, &json!("2026-10-31")));
    let names = ["register.xlsx", "register.csv", "roll-forward.csv", "manifest.json"];
    assert!(names.iter().all(|name| account.path("new").join(name).exists()));
    let manifest: Value = serde_json::from_slice(&fs::read(account.path("new/manifest.json")).unwrap()).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let bytes = fs::read(account.path("new").join(file["name"].as_str().unwrap())).unwrap();
        assert_eq!(file["bytes"], bytes.len());
    }
    assert!(!sheet_rows(&account.path("new/register.xlsx"), "Roll-forward").is_empty());
    assert_output!(account.run(&["export", "register", "-o", "new/", "--previous", "none.csv"]), @"
    exit code 2
    --- stderr
    error: `none.csv`: file not found
      hint: check the name and the folder
    ");
}

/// An asset in each of two tenants.
fn two_tenants() -> CliTest {
    let tenants = vec![(7, String::from("North")), (8, String::from("South"))];
    let account = CliTest::with(SandboxOptions { seed: Seed::Empty, tenants, ..SandboxOptions::default() });
    for tenant in ["7", "8"] {
        let create = |collection: &str, record: Value| {
            let path = format!("{collection}?tenant_id={tenant}");
            let (status, body) = request(account.address(), KEY, "POST", &path, Some(&record));
            assert!(status < 300, "{collection}: {body}");
            serde_json::from_str::<Value>(&body).unwrap()["id"].clone()
        };
        let category = create("categories", json!({"name": "Laptops", "type": "asset"}));
        let plan = create("depreciations", json!({"name": "D", "months": 36}));
        let product = json!({"name": "P", "category_id": category, "depreciation_id": plan});
        let (product, status) =
            (create("products", product), create("statuses", json!({"name": "Ready", "type": "deployable"})));
        create(
            "assets",
            json!({
                "asset_id": format!("T-{tenant}"), "product_id": product, "status_id": status, "purchase_cost": 1000,
                "currency": "EUR", "purchase_date": "2024-01-15",
            }),
        );
    }
    account
}

fn manifest(account: &CliTest, name: &str) -> Value {
    serde_json::from_slice(&fs::read(account.path(name)).unwrap()).unwrap()
}

#[test]
fn the_account_of_a_register_is_its_link_and_its_tenant() {
    let account = two_tenants();
    account.run(&["export", "register", "-o", "r.xlsx", "--as-of", "2025-06-30", "--tenant", "7"]).exits(0);
    let link = format!("http://{}/api/v1", account.address());
    assert_eq!(manifest(&account, "r.xlsx.manifest.json")["account"], json!({"base_url": link, "tenant": "7"}));
    let summary = sheet_rows(&account.path("r.xlsx"), "Summary");
    let account_row = summary.iter().find(|row| row[0] == "Account").unwrap();
    assert_eq!(account_row[1], format!("{link}, tenant 7"));
}

#[test]
fn the_opening_is_an_unedited_register_of_this_account() {
    let account = two_tenants();
    let export = |output: &str, tenant: &str, more: &[&str]| {
        account.run(&[&["export", "register", "-o", output, "--tenant", tenant], more].concat())
    };
    export("old/", "7", &["--as-of", "2025-06-30"]).exits(0);
    let roll = |tenant: &str, previous: &str| {
        export("new.csv", tenant, &["--as-of", "2025-12-31", "--previous", previous, "--json"])
    };
    for previous in ["old/register.xlsx", "old/register.csv"] {
        let refused = roll("8", previous).exits(2);
        let link = format!("http://{}/api/v1", account.address());
        let message =
            format!("cannot roll forward from `{previous}`: it is of {link}, tenant 7, not of {link}, tenant 8");
        assert!(refused.stderr.contains(&message), "{}", refused.stderr);
    }
    roll("7", "old/register.csv").exits(0);
    let written = manifest(&account, "new.csv.manifest.json");
    let file = &manifest(&account, "old/manifest.json")["files"][1];
    assert_eq!((&written["rolled_forward_from_file"], &file["name"]), (file, &json!("register.csv")));
    // Another item, whose figures agree with each other.
    let text = fs::read_to_string(account.path("old/register.csv")).unwrap();
    let row = text.lines().nth(1).unwrap();
    fs::write(account.path("old/register.csv"), format!("{text}{}\r\n", row.replacen(",1,", ",9,", 1))).unwrap();
    let refused = roll("7", "old/register.csv").exits(2);
    assert!(
        refused.stderr.contains("it was edited: its rows do not have the digest in `manifest.json`"),
        "{}",
        refused.stderr
    );
    // Only saved again.
    fs::write(account.path("old/register.csv"), text.replace("\r\n", "\n")).unwrap();
    let accepted = roll("7", "old/register.csv").exits(0);
    assert!(accepted.stdout.contains("previous_saved_again"), "{}", accepted.stdout);
}

#[test]
fn a_register_without_a_roll_forward_has_none_beside_it() {
    let account = account();
    let export = |output: &str, more: &[&str]| account.run(&[&["export", "register", "-o", output], more].concat());
    export("old/", &["--as-of", "2026-10-31"]).exits(0);
    for (output, roll) in [("new/", "new/roll-forward.csv"), ("r.csv", "r.roll-forward.csv")] {
        let rolled = ["--as-of", "2026-11-30", "--previous", "old/register.csv"];
        export(output, &rolled).exits(0);
        assert!(account.path(roll).exists());
        export(output, &["--as-of", "2026-12-31"]).exits(0);
        assert!(!account.path(roll).exists(), "{roll}");
        // One that somebody edited is not replaced, and with --force it stays.
        export(output, &rolled).exits(0);
        fs::write(account.path(roll), "edited").unwrap();
        let plain = ["--as-of", "2026-12-31"];
        assert!(export(output, &plain).exits(2).stderr.contains("was edited since tallyport wrote it"));
        let forced = export(output, &[&plain[..], &["--force"]].concat()).exits(0);
        assert!(forced.stderr.contains(&format!("`{roll}` is of an earlier register")), "{}", forced.stderr);
        assert_eq!(fs::read_to_string(account.path(roll)).unwrap(), "edited");
    }
}

#[test]
fn a_register_replaces_nothing_that_it_is_made_from() {
    let account = account().sheet("rates.csv", "currency,rate\nUSD,1\nEUR,1.10\n");
    let export = |output: &str, more: &[&str]| {
        account.run(&[&["export", "register", "--as-of", "2026-10-31", "-o", output], more].concat())
    };
    export("old/", &[]).exits(0);
    export("june.xlsx", &[]).exits(0);
    let before = fs::read(account.path("june.xlsx")).unwrap();
    for (output, input, role) in [
        ("june.xlsx", ["--previous", "june.xlsx"], "earlier register"),
        ("june.xlsx", ["--previous", "old/../june.xlsx"], "earlier register"),
        ("old/", ["--previous", "old/register.csv"], "earlier register"),
        ("rates.csv", ["--rates", "rates.csv"], "exchange rates"),
    ] {
        // Nothing was read: there is no service.
        let more = [&input[..], &["--force", "--base-url", "http://127.0.0.1:1/api/v1"]].concat();
        let expected = format!(
            "error: the register would overwrite the {role} `{}`\n  hint: name another file with -o\n",
            input[1]
        );
        assert_eq!(export(output, &more).exits(2).stderr, expected);
    }
    assert_eq!(fs::read(account.path("june.xlsx")).unwrap(), before);
    export("july.xlsx", &["--previous", "june.xlsx"]).exits(0);
}

#[test]
fn converted_totals_are_in_the_manifest_whatever_the_file() {
    let account = account()
        .sheet("rates.csv", "currency,rate\nUSD,1\nEUR,1.10\n")
        .sheet("tied.csv", "currency,rate\nBMD,1\nUSD,1\n");
    let export = ["export", "register", "-o", "r.csv", "--as-of", "2026-10-31", "--rates"];
    let (_, report) = account.json(&[&export[..], &["rates.csv"]].concat());
    let conversion = &manifest(&account, "r.csv.manifest.json")["conversion"];
    assert_eq!((&conversion["base"], &conversion["held"]["cost"]), (&json!("USD"), &json!("5938.90")));
    assert_eq!(conversion["rates"][1], json!({"currency": "EUR", "rate": "1.1"}));
    assert_eq!(conversion, &report["conversion"]);
    assert_output!(account.run(&[&export[..], &["tied.csv"]].concat()), @"
    exit code 2
    --- stderr
    error: invalid exchange rates in `tied.csv`: the base currency is not clear: BMD and USD have the rate 1
      hint: add a column `base` with the code of the base currency
    ");
}

/// Its headers are those of assets, and its names are those of products.
#[test]
fn a_register_is_no_table_of_records() {
    let account = account();
    account.run(&["export", "register", "-o", "out/"]).exits(0);
    for (file, place) in
        [("out/register.csv", "register.csv"), ("out/register.xlsx", "register.xlsx, sheet `Register`")]
    {
        for command in ["check", "import", "verify"] {
            let refused = account.run(&[command, file]).exits(2);
            assert!(refused.stderr.contains("is a fixed-asset register: it holds figures"), "{}", refused.stderr);
            assert!(refused.stderr.contains(place), "{place}: {}", refused.stderr);
        }
    }
}

#[test]
fn invalid_register_options_are_rejected() {
    let account = account();
    insta::assert_snapshot!(account.transcript(&[
        &["export", "register"],
        &["export", "register", "-o", "-"],
        &["export", "register", "-o", "r.jsonl"],
        &["export", "register", "-o", "new/", "--format", "csv"],
        &["export", "register", "-o", "r-{tenant}.csv"],
        &["export", "register", "assets", "-o", "r.xlsx"],
        &["export", "register", "-o", "r.xlsx", "--as-of", "31.12.2026"],
        &["export", "register", "-o", "r.xlsx", "--as-of", "2025-12-31T10:00"],
        &["export", "register", "-o", "r.xlsx", "--where", "status=Ready"],
        &["export", "register", "-o", "r.xlsx", "--since", "2026-01-01"],
        &["export", "register", "-o", "r.xlsx", "--verify"],
        &["export", "register", "-o", "r.csv", "--event", "Checkout", "--bom"],
    ]), @"
    $ tallyport export register
    exit code 2
    --- stderr
    error: no output given
      hint: pass -o with a file, a folder, or - for stdout
    $ tallyport export register -o -
    exit code 2
    --- stderr
    error: the register is several files
      hint: name an .xlsx or .csv file, or a folder
    $ tallyport export register -o r.jsonl
    exit code 2
    --- stderr
    error: the register is a workbook or a CSV file
      hint: name an .xlsx or .csv file, or a folder
    $ tallyport export register -o new/ --format csv
    exit code 2
    --- stderr
    error: --format has no effect on a folder, which gets the register as a workbook and as a CSV file
      hint: leave it out, or name an .xlsx or .csv file
    $ tallyport export register -o r-{tenant}.csv
    exit code 2
    --- stderr
    error: {tenant} needs a tenant, and none is selected
      hint: pass --tenant, or leave {tenant} out
    $ tallyport export register assets -o r.xlsx
    exit code 2
    --- stderr
    error: the register cannot be exported together with collections
      hint: export it separately
    $ tallyport export register -o r.xlsx --as-of 31.12.2026
    exit code 2
    --- stderr
    error: invalid date `31.12.2026`
      hint: use YYYY-MM-DD, such as 2025-12-31
    $ tallyport export register -o r.xlsx --as-of 2025-12-31T10:00
    exit code 2
    --- stderr
    error: invalid date `2025-12-31T10:00`
      hint: use YYYY-MM-DD, such as 2025-12-31
    $ tallyport export register -o r.xlsx --where status=Ready
    exit code 2
    --- stderr
    error: --where cannot be used with the register
      hint: leave it out
    $ tallyport export register -o r.xlsx --since 2026-01-01
    exit code 2
    --- stderr
    error: --since cannot be used with the register
      hint: leave it out
    $ tallyport export register -o r.xlsx --verify
    exit code 2
    --- stderr
    error: --verify cannot be used with the register
      hint: leave it out
    $ tallyport export register -o r.csv --event Checkout --bom
    exit code 2
    --- stderr
    error: --event cannot be used with the register
      hint: leave it out
    ");
}

#[test]
fn flags_of_the_register_are_refused_elsewhere() {
    let account = account();
    for flag in [["--as-of", "2025-12-31"], ["--as-of", "foo"], ["--rates", "none.csv"], ["--previous", "none.csv"]] {
        let refused = account.run(&[&["export", "assets", "-o", "a.csv"], &flag[..]].concat()).exits(2);
        let expected =
            format!("error: {} works only with the register\n  hint: leave it out, or export `register`\n", flag[0]);
        assert_eq!(refused.stderr, expected);
    }
    fs::create_dir_all(account.path("config/tallyport")).unwrap();
    let config = "[exports.year]\ncollections = [\"assets\"]\noutput = \"a.csv\"\nas_of = \"2025-12-31\"\n";
    fs::write(account.path("config/tallyport/config.toml"), config).unwrap();
    assert_output!(account.run(&["export", "--name", "year"]), @"
    exit code 2
    --- stderr
    error: `as_of` of [exports.year] in config.toml works only with the register
      hint: leave it out, or export `register`
    ");
    assert!(!account.path("a.csv").exists());
}
