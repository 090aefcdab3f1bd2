//! Imports against the reference server: the reply shapes that the field notes leave open make no difference.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{CommandOutput, sheet_rows, some_of, tallyport};
use crate::reference_server::{KEY, Record, ReferenceServer, Shapes};

/// Every collection, each with two rows.
pub const EVERY_COLLECTION: [(&str, &str); 16] = [
    ("locations", "name|city|country|custom:Floor\nZürich Süd|Zürich|Switzerland|3\nR&D + Lab|Bonn|Germany|"),
    ("departments", "name|email|phone\nSales|sales@example.com|+1 1\nR&D|rd@example.com|+1 2"),
    ("manufacturers", "name|url\nLenovo|https://lenovo.example\nApple|"),
    ("suppliers", "name|city\nInsight|Paris\nBechtle, Inc.|Bonn"),
    ("categories", "name|type\nLaptops|asset\nMice|accessory\nParts|component\nPaper|consumable\nSoftware|license"),
    ("depreciations", "name|months|minimum_value\nThree years|36|10\nFour years|48|"),
    ("statuses", "name|type|show_in_nav\nReady|deployable|yes\nStored|pending|no"),
    (
        "products",
        "name|model_number|category|manufacturer|default_purchase_cost|custom:Rack\nX1|G11|Laptops|Lenovo|1299|B4\n\
         X1|G12|Laptops|Lenovo|1399|\nMacBook|M3|Laptops|Apple||",
    ),
    (
        "employees",
        "name|email|title|location|department|archived\nAda|ada@example.com|CTO|Zürich Süd|R&D|no\n\
         Bob|bob@example.com||R&D + Lab|Sales|no",
    ),
    (
        "assets",
        "asset_id|asset_name|product|status|location|purchase_cost|purchase_date|custom:MAC\n\
         0001|Ada's|MacBook|Ready|Zürich Süd|1299|2024-05-01|aa\n0002|Bob's|MacBook|Ready||1399||",
    ),
    ("accessories", "name|quantity|category|purchase_cost\nMouse|10|Mice|25\nTrackball|5|Mice|"),
    ("components", "name|quantity|category\nRAM 16|8|Parts\nSSD 1T|4|Parts"),
    ("consumables", "name|quantity|category\nPaper A4|100|Paper\nToner|9|Paper"),
    ("licenses", "name|number_of_seats|category|purchase_cost\nOffice|20|Software|99\nCAD|3|Software|"),
    (
        "maintenances",
        "type|name|start_date|asset_id|cost\nhardware support|Battery|2024-06-01|0001|80\nrepair|Screen|2024-06-02|0002|",
    ),
    ("audits", "audit_date|scheduled|completed|asset_id|user_id\n2024-06-01|no|yes|0001|1\n2024-06-02|yes|no|0002|1"),
];

/// Every checkout.
pub const CHECKOUTS: [(&str, &str); 5] = [
    ("checkout_asset", "asset_id|employee|checkout_date\n0001|ada@example.com|2024-06-03\n0002|Bob|2024-06-03"),
    ("checkout_accessory", "accessory|employee|quantity|checkout_date\nMouse|Ada|2|2024-06-03\nMouse|Bob|3|2024-06-03"),
    ("checkout_component", "component|asset_id|quantity|checkout_date\nRAM 16|0001|2|2024-06-03"),
    ("checkout_consumable", "consumable|employee|quantity|checkout_date\nPaper A4|Ada|5|2024-06-03"),
    ("checkout_license", "license|employee|quantity|checkout_date\nOffice|Ada|1|2024-06-03"),
];

/// Every check-in.
pub const CHECKINS: [(&str, &str); 4] = [
    ("checkin_asset", "asset_id|checkin_date|status\n0001|2024-07-01|Stored"),
    ("checkin_accessory", "accessory|employee|checkin_date\nMouse|Ada|2024-07-01"),
    ("checkin_component", "component|asset_id|checkin_date\nRAM 16|0001|2024-07-01"),
    ("checkin_license", "license|employee|checkin_date\nOffice|Ada|2024-07-01"),
];

/// A folder and a reference server to import into.
pub struct ShapeTest {
    folder: TempDir,
    pub server: ReferenceServer,
    pub shapes: Shapes,
}

impl ShapeTest {
    pub fn new(shapes: Shapes) -> Self {
        Self { folder: TempDir::new().unwrap(), server: ReferenceServer::start(shapes), shapes }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `tallyport` with these arguments in the folder, against the server.
    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = tallyport(self.folder.path(), arguments);
        command.env("BLUETALLY_BASE_URL", format!("http://{}/api/v1", self.server.address()));
        CommandOutput::run(command.env("BLUETALLY_API_KEY", KEY))
    }

    /// Writes a workbook with these sheets.
    pub fn workbook(&self, name: &str, sheets: &[(&str, &str)]) {
        write_workbook(&self.path(name), sheets);
    }

    /// Imports a workbook with these sheets and returns the exit code and the summary.
    fn imports(&self, name: &str, sheets: &[(&str, &str)]) -> (i32, Value) {
        self.workbook(name, sheets);
        self.json(&["import", name, "--yes"])
    }

    /// Runs a command with `--json` and returns its exit code and document.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat());
        let summary = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}\n{}", ran.stdout, ran.stderr));
        (ran.code, summary)
    }

    /// Imports and expects this status for every row.
    #[track_caller]
    pub fn ends(&self, name: &str, sheets: &[(&str, &str)], status: &str) {
        let rows: usize = sheets.iter().map(|(_, text)| text.lines().count() - 1).sum();
        let (code, summary) = self.imports(name, sheets);
        let messages = || self.messages(name, sheets);
        assert_eq!((code, &summary["counts"][status]), (0, &json!(rows)), "{:?} {summary} {}", self.shapes, messages());
    }

    fn messages(&self, name: &str, sheets: &[(&str, &str)]) -> String {
        let path = self.path(&name.replace(".xlsx", ".result.xlsx"));
        let mut messages = Vec::new();
        for (sheet, _) in sheets {
            messages.extend(sheet_rows(&path, sheet).into_iter().map(|row| format!("{sheet}: {}", row.join(" | "))));
        }
        messages.join("\n")
    }

    fn record(&self, name: &str, field: &str, text: &str) -> Record {
        let mut found: Vec<Record> =
            self.server.records(name).into_iter().filter(|record| record[field] == text).collect();
        assert_eq!(found.len(), 1, "{name} with {field} {text}");
        found.remove(0)
    }
}

/// Writes a workbook with these sheets: a line is a row, and `|` stands between its cells.
pub fn write_workbook(path: &Path, sheets: &[(&str, &str)]) {
    let cells: Vec<(&str, Vec<Vec<&str>>)> = sheets
        .iter()
        .map(|(name, text)| (*name, text.lines().map(|line| line.trim().split('|').collect()).collect()))
        .collect();
    let rows: Vec<(&str, Vec<&[&str]>)> =
        cells.iter().map(|(name, rows)| (*name, rows.iter().map(Vec::as_slice).collect())).collect();
    let borrowed: Vec<(&str, &[&[&str]])> = rows.iter().map(|(name, rows)| (*name, rows.as_slice())).collect();
    crate::import::workbook(path, &borrowed);
}

#[test]
fn every_collection_is_created_once_with_every_reply_shape() {
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let sent = test.server.received().len();
        test.ends("again.xlsx", &EVERY_COLLECTION, "unchanged");
        assert!(test.server.received()[sent..].iter().all(|seen| seen.method == "GET"), "{shapes:?}");
        let asset = test.record("assets", "asset_id", "0001");
        assert_eq!(asset["custom_fields"], json!([{"name": "MAC", "value": "aa"}]));
        assert_eq!((&asset["purchase_cost"], &asset["product_name"]), (&json!(1299), &json!("MacBook")));
        assert_eq!(asset["location_id"], test.record("locations", "name", "Zürich Süd")["id"]);
    }
}

#[test]
fn updates_send_only_differences_with_every_reply_shape() {
    let changes = [
        ("locations", "name|city|custom:Floor\nZürich Süd|Zug|\nR&D + Lab|Bonn|"),
        ("products", "name|model_number|default_purchase_cost|custom:Shelf\nX1|G12|1400|7\nX1|G11|1299|2"),
        ("assets", "asset_id|asset_name|purchase_cost|custom:MAC\n0001|Ada's|1299|bb\n0002|Bob's|1400|"),
        ("maintenances", "type|name|start_date|asset_id|cost|notes\nhardware support|Battery|2024-06-01|0001|80|done"),
        ("audits", "audit_date|scheduled|completed|asset_id|user_id\n2024-06-02|yes|yes|0002|admin@example.com"),
    ];
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let (code, summary) = test.imports("changes.xlsx", &changes);
        let counts = (&summary["counts"]["updated"], &summary["counts"]["unchanged"]);
        let messages = test.messages("changes.xlsx", &changes);
        assert_eq!((code, counts), (0, (&json!(7), &json!(1))), "{shapes:?} {summary} {messages}");
        let product = test.record("products", "model_number", "G11");
        let fields = json!([{"name": "Rack", "value": "B4"}, {"name": "Shelf", "value": "2"}]);
        assert_eq!(product["custom_fields"], fields, "{shapes:?}");
        assert_eq!(test.record("assets", "asset_id", "0002")["purchase_cost"], 1400);
        assert_eq!(test.record("locations", "city", "Zug")["custom_fields"][0]["value"], "3");
    }
}

#[test]
fn an_update_of_which_the_service_ignores_a_field_is_no_success() {
    let before = [("suppliers", "name|city|notes\nInsight|Paris|old\nBechtle|Bonn|old\nComputacenter|Ulm|old")];
    let changes =
        [("suppliers", "name|city|notes\nInsight|Paris|<clear>\nBechtle|Mainz|<clear>\nComputacenter|Jena|old")];
    for shapes in [Shapes::ListOfOne, Shapes::MessageOnly] {
        let test = ShapeTest::new(shapes);
        test.ends("before.xlsx", &before, "created");
        test.server.ignores(&["notes"]);
        let (code, summary) = test.imports("changes.xlsx", &changes);
        let counts = ["updated", "failed", "unknown"].map(|status| summary["counts"][status].as_u64().unwrap());
        if shapes == Shapes::MessageOnly {
            // The reply shows nothing.
            assert_eq!((code, counts), (0, [3, 0, 0]), "{summary}");
            continue;
        }
        let messages = test.messages("changes.xlsx", &changes);
        assert_eq!((code, counts), (1, [1, 1, 1]), "{summary} {messages}");
        let problem = &summary["problems"][0];
        assert_eq!((&problem["code"], &problem["count"]), (&json!("service.refused"), &json!(2)), "{summary}");
        assert_eq!(problem["examples"][0]["cell"], "C2");
        let message = "the service reported success, but `notes` is still `old`";
        assert_eq!(problem["examples"][0]["message"], message, "{summary}");
        assert_eq!(test.record("suppliers", "name", "Bechtle")["city"], "Mainz", "{messages}");
    }
}

#[test]
fn a_stock_that_no_reply_reports_is_sent_if_it_is_another_than_was_sent_last() {
    some_of(Shapes::ALL, 1).into_iter().for_each(keep_unreported_stock);
}

fn keep_unreported_stock(shapes: Shapes) {
    let test = ShapeTest::new(shapes);
    test.server.leaves_out(&["quantity", "number_of_seats"]);
    let sheets: Vec<(&str, &str)> = EVERY_COLLECTION.iter().chain(&CHECKOUTS).copied().collect();
    test.ends("all.xlsx", &sheets, "created");
    let remarks = |summary: &Value, code: &str| {
        let remarks = summary["remarks"].as_array().unwrap().iter().filter(|remark| remark["code"] == code);
        remarks.map(|remark| remark["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sent = test.server.received().len();
    let (code, summary) = test.imports("again.xlsx", &EVERY_COLLECTION);
    assert_eq!((code, &summary["counts"]["unchanged"]), (0, &json!(36)), "{summary}");
    assert!(test.server.received()[sent..].iter().all(|seen| seen.method == "GET"));
    let remarked = remarks(&summary, "value.not_reported");
    assert_eq!(remarked.len(), 4, "{remarked:?}");
    let remark = "consumables: `quantity`: 2 values, such as `100`, `9`, not sent again: the service does not report this field, \
                  and the last run of this machine that wrote it sent the same (first B2)";
    assert!(remarked.contains(&String::from(remark)), "{remarked:?}");

    let more = [("consumables", "name|quantity|category\nPaper A4|120|Paper\nToner|9|Paper")];
    for counts in [(1, 1), (0, 2)] {
        let (_, summary) = test.imports("more.xlsx", &more);
        let found = ["updated", "unchanged"].map(|status| summary["counts"][status].as_i64().unwrap());
        assert_eq!((found[0], found[1]), counts, "{summary}");
        assert_eq!(test.record("consumables", "name", "Paper A4")["quantity"], 120);
    }

    // What no run of this machine has made: the first import sets it.
    test.server.holds("consumables", json!({"name": "Ink", "quantity": 4, "category_id": 4}));
    let ink = [("consumables", "name|quantity\nInk|5")];
    test.ends("ink.xlsx", &ink, "updated");
    test.ends("ink.xlsx", &ink, "unchanged");
    assert_eq!(test.record("consumables", "name", "Ink")["quantity"], 5);

    let (code, found) = test.json(&["verify", "more.xlsx"]);
    assert_eq!((code, &found["differences"]), (0, &json!([])), "{found:#}");
    assert_eq!(found["counts"]["equal"], 4, "{found:#}");
    assert_eq!(remarks(&found, "note"), ["columns of consumables that are not compared: quantity"]);
    let (_, runs) = test.json(&["runs"]);
    let first = runs["runs"].as_array().unwrap().last().unwrap()["run_id"].as_str().unwrap();
    let (_, found) = test.json(&["verify", first]);
    assert_eq!(found["differences"], json!([]), "{found:#}");
    let notes = remarks(&found, "note");
    let note = "`quantity` of consumables: the service does not report it, so not compared";
    assert!(notes.contains(&String::from(note)), "{notes:?}");
}

#[test]
fn checkouts_and_checkins_work_with_every_reply_shape() {
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        test.ends("out.xlsx", &CHECKOUTS, "created");
        let held = || test.server.assignments().iter().map(|held| (held.of, held.quantity)).collect::<Vec<_>>();
        let all = [
            ("assets", 1),
            ("assets", 1),
            ("accessories", 2),
            ("accessories", 3),
            ("components", 2),
            ("consumables", 5),
            ("licenses", 1),
        ];
        let sorted = |mut held: Vec<(&'static str, i64)>| {
            held.sort_unstable();
            held
        };
        assert_eq!(sorted(held()), sorted(all.to_vec()), "{shapes:?}");
        test.ends("back.xlsx", &CHECKINS, "created");
        assert_eq!(sorted(held()), [("accessories", 3), ("assets", 1), ("consumables", 5)], "{shapes:?}");
    }
}

#[test]
fn one_workbook_creates_and_checks_out_with_every_reply_shape() {
    let sheets: Vec<(&str, &str)> = EVERY_COLLECTION.iter().chain(&CHECKOUTS).copied().collect();
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("all.xlsx", &sheets, "created");
        assert_eq!(test.server.assignments().len(), 7, "{shapes:?}");
    }
}

#[test]
fn deletes_work_with_every_reply_shape() {
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let deletes = [("assets", "_action|asset_id\ndelete|0002"), ("suppliers", "_action|name\ndelete|Insight")];
        let (code, summary) = test.imports("deletes.xlsx", &deletes);
        assert_eq!(code, 0, "{shapes:?} {summary} {}", test.messages("deletes.xlsx", &deletes));
        let left = |name| test.server.records(name).len();
        assert_eq!((left("assets"), left("suppliers")), (1, 1), "{shapes:?}");
    }
}

#[test]
fn a_refusal_is_quoted_at_the_cell_that_caused_it() {
    let sheets = [("checkin_accessory", "accessory|employee|checkin_date\nTrackball|Ada|2024-06-03")];
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let (code, summary) = test.imports("out.xlsx", &sheets);
        assert_eq!((code, &summary["counts"]["failed"]), (1, &json!(1)), "{shapes:?} {summary}");
        let messages = test.messages("out.xlsx", &sheets);
        assert!(messages.contains("is not checked out"), "{shapes:?} {messages}");
    }
}

#[test]
fn a_short_page_does_not_end_a_list() {
    let names: String = (0..250).map(|number| format!("\nPlace {number:03}")).collect();
    let sheet = format!("name{names}");
    let test = ShapeTest::new(Shapes::Data);
    test.ends("places.xlsx", &[("locations", &sheet)], "created");
    test.ends("again.xlsx", &[("locations", &sheet)], "unchanged");
    assert_eq!(test.server.records("locations").len(), 250);
}

#[test]
fn what_was_imported_is_verified_with_every_reply_shape() {
    let sheets: Vec<(&str, &str)> = EVERY_COLLECTION.iter().chain(&CHECKOUTS).copied().collect();
    let changes = [("assets", "asset_id|asset_name|purchase_cost|custom:MAC\n0001|Ada's|1300|bb\n0002|Bobs|1400|")];
    for shapes in some_of(Shapes::ALL, 1) {
        let test = ShapeTest::new(shapes);
        let (_, imported) = test.imports("all.xlsx", &sheets);
        let run = imported["run_id"].as_str().unwrap();
        let nothing = json!([]);
        for target in ["all.xlsx", run] {
            let sent = test.server.received().len();
            let (code, found) = test.json(&["verify", target]);
            assert_eq!((code, &found["differences"]), (0, &nothing), "{shapes:?} {target} {found:#}");
            assert!(found["counts"]["equal"].as_u64() > Some(90), "{shapes:?} {}", found["counts"]);
            assert!(test.server.received()[sent..].iter().all(|seen| seen.method == "GET"), "{shapes:?}");
        }
        let (_, updated) = test.imports("changes.xlsx", &changes);
        let (code, found) = test.json(&["verify", updated["run_id"].as_str().unwrap()]);
        assert_eq!((code, &found["differences"]), (0, &nothing), "{shapes:?} {found:#}");
        // What the first file and its run say is outdated now.
        for target in ["all.xlsx", run] {
            let (code, found) = test.json(&["verify", target]);
            assert_eq!((code, &found["counts"]["different"]), (1, &json!(4)), "{shapes:?} {target} {found:#}");
        }
    }
}

#[test]
fn the_log_of_a_day_is_whole_however_the_service_takes_days() {
    for shapes in [Shapes::Data, Shapes::Loose] {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let log = test.server.log();
        let [first, last] = [log.first(), log.last()].map(|entry| entry.unwrap().timestamp[..10].to_owned());
        let rows = |from: &str, to: &str| {
            let export = ["export", "activity", "-o", "log.csv", "--force", "--from", from, "--to", to];
            let (code, report) = test.json(&export);
            assert_eq!((code, &report["warnings"]), (0, &json!([])), "{report}");
            report["sheets"][0]["rows"].as_u64().unwrap() as usize
        };
        assert_eq!(rows(&first, &last), log.len(), "{shapes:?}");
        assert_eq!(rows("2020-01-01", "2020-01-31"), 0, "{shapes:?}");
        let before: jiff::civil::Date = first.parse().unwrap();
        let before = before.yesterday().unwrap().to_string();
        assert_eq!(rows(&before, &before), 0, "{shapes:?}: the days beside are asked for and left out");
    }
}

#[test]
fn tags_of_digits_are_sent_as_text() {
    let assets = [("assets", "asset_id|product|status\n90121|X1|Ready\n90122|X1|Ready")];
    let others = [
        ("maintenances", "type|name|start_date|asset_id\nrepair|Screen|2024-06-02|90121"),
        ("checkout_component", "component|asset_id|quantity|checkout_date\nRAM|90121|1|2024-06-03"),
        ("checkout_asset", "asset_id|employee|checkout_date\n90122|ada@example.com|2024-06-03"),
    ];
    let test = ShapeTest::new(Shapes::Loose);
    for (name, record) in [
        ("categories", json!({"name": "Laptops", "type": "asset"})),
        ("categories", json!({"name": "Parts", "type": "component"})),
        ("products", json!({"name": "X1", "category_id": 1})),
        ("statuses", json!({"name": "Ready", "type": "deployable"})),
        ("employees", json!({"name": "Ada", "email": "ada@example.com"})),
        ("components", json!({"name": "RAM", "category_id": 2, "quantity": 4})),
    ] {
        test.server.holds(name, record);
    }
    test.ends("assets.xlsx", &assets, "created");
    test.ends("others.xlsx", &others, "created");
    test.ends("again.xlsx", &[&assets[..], &others].concat(), "unchanged");
    let (code, found) = test.json(&["verify", "others.xlsx"]);
    assert_eq!((code, &found["differences"]), (0, &json!([])), "{found:#}");
    let moved = [("maintenances", "type|name|start_date|asset_id\nrepair|Screen|2024-06-02|90122")];
    test.workbook("moved.xlsx", &moved);
    test.run(&["import", "moved.xlsx", "--match-on", "name", "--yes"]).exits(0);
    assert_eq!(test.record("maintenances", "name", "Screen")["asset_id"], "90122");
    test.run(&["undo", "--last", "--yes"]).exits(0);
    assert_eq!(test.record("maintenances", "name", "Screen")["asset_id"], "90121");
}

#[test]
fn null_may_stand_for_false() {
    let sheets = [("employees", "name|email|archived\nAda|ada@example.com|no\nBob|bob@example.com|yes")];
    let changed = [("employees", "name|email|archived\nAda|ada@example.com|yes\nBob|bob@example.com|no")];
    let test = ShapeTest::new(Shapes::Loose);
    test.ends("first.xlsx", &sheets, "created");
    test.ends("again.xlsx", &sheets, "unchanged");
    let (code, imported) = test.imports("changed.xlsx", &changed);
    assert_eq!((code, &imported["counts"]["updated"]), (0, &json!(2)), "{imported}");
    for target in ["changed.xlsx", imported["run_id"].as_str().unwrap()] {
        let (code, found) = test.json(&["verify", target]);
        assert_eq!((code, &found["differences"]), (0, &json!([])), "{target} {found:#}");
    }
    test.run(&["undo", "--last", "--yes"]).exits(0);
    test.ends("restored.xlsx", &sheets, "unchanged");
    let ran = test.run(&["export", "employees", "-o", "-", "--columns", "name", "--where", "archived=no"]).exits(0);
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), ["name", "Ada"], "{}", ran.stderr);
}

#[test]
fn undo_empties_custom_fields_that_a_service_keeps() {
    for shapes in [Shapes::Singular, Shapes::Loose] {
        let test = ShapeTest::new(shapes);
        test.ends("first.xlsx", &[("locations", "name|custom:Floor\nUlm|3\nBonn|")], "created");
        let (code, _) = test.imports("more.xlsx", &[("locations", "name|custom:Room|custom:Floor\nUlm|12|4\nBonn|7|")]);
        assert_eq!(code, 0, "{shapes:?}");
        let undone = test.run(&["undo", "--last", "--yes"]);
        assert_eq!(undone.code, 0, "{shapes:?} {}", undone.text());
        let filled = |name: &str| {
            let mut pairs =
                test.record("locations", "name", name)["custom_fields"].as_array().cloned().unwrap_or_default();
            pairs.retain(|pair| pair["value"] != "");
            Value::from(pairs)
        };
        assert_eq!(filled("Ulm"), json!([{"name": "Floor", "value": "3"}]), "{shapes:?}");
        assert_eq!(filled("Bonn"), json!([]), "{shapes:?}");
    }
}

#[test]
fn a_key_that_may_not_read_the_log_exports_and_checks_out() {
    let test = ShapeTest::new(Shapes::Data);
    test.ends("first.xlsx", &EVERY_COLLECTION, "created");
    test.server.closes_log();
    let export = ["export", "accessories", "assets", "-o", "out/", "--format", "csv"];
    for cost in [1299, 1300] {
        test.server.holds("assets", json!({"asset_id": format!("C-{cost}"), "product_id": 3, "status_id": 1}));
        let exported = test.run(&export).exits(0);
        let warning = "this API key may not read the activity log; lists were read without it";
        assert_eq!(exported.stderr.matches(warning).count(), 1, "{}", exported.text());
        let written = std::fs::read_to_string(test.path("out/assets.csv")).unwrap();
        assert!(written.contains(&format!("C-{cost}")), "{written}");
    }
    let refused = test.run(&["export", "activity", "-o", "log.csv"]).exits(3);
    assert!(refused.stderr.contains("forbidden for this API key: `GET activity` (403)"), "{}", refused.stderr);

    test.ends("out.xlsx", &CHECKOUTS[..1], "created");
    test.ends("again.xlsx", &CHECKOUTS[..1], "unchanged");
    // Of stock nobody but the log knows who has it.
    let (code, asked) = test.imports("stock.xlsx", &CHECKOUTS[1..2]);
    assert_eq!((code, &asked["problems"][0]["code"]), (1, &json!("checkout.repeated")), "{asked}");
    let message =
        "this API key may not read the activity log, so it is not known whether this check-out was made before";
    assert_eq!(asked["problems"][0]["examples"][0]["message"], message);
    test.run(&["import", "stock.xlsx", "--repeat", "--yes"]).exits(0);
    test.ends("more.xlsx", &CHECKOUTS[1..2], "unchanged");
    let (code, found) = test.json(&["verify", "first.xlsx"]);
    assert_eq!((code, &found["counts"]["missing"]), (0, &json!(0)), "{found:#}");
    test.workbook("costs.xlsx", &[("assets", "asset_id|purchase_cost\n0001|1\n0002|1399")]);
    let (code, found) = test.json(&["verify", "costs.xlsx"]);
    assert_eq!((code, &found["differences"][0]["changed_by"]), (1, &Value::Null), "{found:#}");
    test.ends("back.xlsx", &CHECKINS[..1], "created");
    test.run(&["undo", "--last", "--yes"]).exits(0);
    assert_eq!(test.server.assignments().iter().filter(|held| held.of == "assets").count(), 2);
}

#[test]
fn an_item_whose_log_is_refused_is_asked_about_alone() {
    for status in [403, 404] {
        let test = ShapeTest::new(Shapes::Data);
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        let trackball = test.record("accessories", "name", "Trackball")["id"].as_i64().unwrap();
        test.server.refuses_log_of("accessory_id", trackball, status);
        let rows = "accessory|employee|quantity|checkout_date\nTrackball|Ada|1|2024-06-03\nMouse|Ada|2|2024-06-03";
        let (code, summary) = test.imports("out.xlsx", &[("checkout_accessory", rows)]);
        assert_eq!((code, &summary["counts"]["created"]), (1, &json!(1)), "{summary:#}");
        let problems = summary["problems"].as_array().unwrap();
        assert_eq!((problems.len(), &problems[0]["code"]), (1, &json!("checkout.repeated")), "{summary:#}");
        let message = format!(
            "the service does not give the activity log of `Trackball` ({status}), so it is not known whether this check-out \
             was made before"
        );
        assert_eq!(problems[0]["examples"][0]["message"], message);
        let result = summary["result"].as_str().unwrap();
        test.run(&["import", result, "--only-failed", "--repeat", "--yes"]).exits(0);
        assert_eq!(test.server.assignments().len(), 2);
    }
}

#[test]
fn an_asset_at_a_place_that_is_not_listed_is_not_checked_out_again() {
    let test = ShapeTest::new(Shapes::Data);
    test.ends("first.xlsx", &EVERY_COLLECTION, "created");
    test.server.lists_people_only();
    let place = [("checkout_asset", "asset_id|location|checkout_date\n0001|R&D + Lab|2024-06-03")];
    let (code, placed) = test.imports("place.xlsx", &place);
    assert_eq!((code, &placed["counts"]["created"]), (0, &json!(1)), "{placed:#}");
    test.ends("again.xlsx", &place, "unchanged");
    let (code, found) = test.json(&["verify", placed["run_id"].as_str().unwrap()]);
    assert_eq!((code, &found["counts"]["different"]), (0, &json!(0)), "{found:#}");
    let told = "1 move of items: the account does not say who has them now, so not compared";
    assert_eq!(found["remarks"][0]["message"], told, "{found:#}");

    let (code, asked) =
        test.imports("ada.xlsx", &[("checkout_asset", "asset_id|employee|checkout_date\n0001|Ada|2024-06-04")]);
    assert_eq!((code, &asked["problems"][0]["code"]), (1, &json!("checkout.repeated")), "{asked:#}");
    let message = "`0001` is checked out, and the account does not say to whom";
    assert_eq!(asked["problems"][0]["examples"][0]["message"], message);
    let (code, sent) = test.json(&["import", "ada.xlsx", "--repeat", "--yes"]);
    let refused = "asset_id is checked out already";
    assert_eq!((code, sent["problems"][0]["examples"][0]["message"].as_str()), (1, Some(refused)), "{sent:#}");
    assert_eq!(test.server.assignments().len(), 1);

    // So it is where the row of the asset says where it is.
    let inventory = |place: &str| {
        let row = format!("asset_id|product|status|Place|Since\n0002|MacBook|Ready|{place}|2024-06-03");
        test.workbook("inventory.xlsx", &[("assets", &row)]);
        let mapped = ["--entity", "assets", "--map", "Place=assigned_to", "--map", "Since=checkout_date"];
        test.json(&[&["import", "inventory.xlsx"], mapped.as_slice()].concat())
    };
    let (code, placed) = inventory("R&D + Lab");
    assert_eq!((code, test.server.assignments().len()), (0, 2), "{placed:#}");
    let (code, again) = inventory("R&D + Lab");
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(1)), "{again:#}");
    let (code, moved) = inventory("Zürich Süd");
    assert_eq!((code, &moved["problems"][0]["code"]), (1, &json!("checkout.repeated")), "{moved:#}");
    assert_eq!(test.server.assignments().len(), 2);
}
