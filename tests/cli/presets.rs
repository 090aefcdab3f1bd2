//! Exports of other tools: recognized by their headers, and read without flags.
//!
//! `tests/fixtures/exports` has a file for each: the headers of the tool, and invented values.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{CliTest, assert_output, some_of};

/// The files whose names are not those of their presets.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("entra-users-older", "entra-users"),
    ("intune-devices-entra", "intune-devices"),
    ("okta-users-default", "okta-users"),
    ("snipe-it-assets-german", "snipe-it-assets"),
];

/// The presets that have to be asked for.
const NOT_RECOGNIZED: &[&str] = &["bluetally", "snipe-it"];

/// A file of `tests/fixtures/exports`, as a table.
pub struct Export {
    file: String,
    pub preset: String,
    pub rows: Vec<Vec<String>>,
}

impl Export {
    fn read(path: &Path) -> Self {
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let preset = OTHER_NAMES.iter().find(|(other, _)| *other == file).map_or(file.as_str(), |(_, preset)| preset);
        let text = fs::read_to_string(path).unwrap();
        let text = text.trim_start_matches('\u{feff}');
        let delimiter = if text.lines().next().unwrap().contains(';') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
        Self { preset: preset.to_owned(), rows: rows.collect(), file }
    }

    pub fn named(name: &str) -> Self {
        Self::read(&fixture(name))
    }

    pub fn all() -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exports");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut exports: Vec<Self> = files.map(|path| Self::read(&path)).collect();
        exports.sort_by(|one, other| one.file.cmp(&other.file));
        exports
    }

    pub fn path(&self) -> PathBuf {
        fixture(&self.file)
    }

    pub fn headers(&self) -> &[String] {
        &self.rows[0]
    }

    /// The columns in another order, with two that the tool does not write.
    fn reordered(&self) -> String {
        let rows = self.rows.iter().enumerate().map(|(index, row)| {
            let more = if index == 0 { ["Shoe size", "Nmae (old)"] } else { ["42", "x"] };
            row.iter().rev().map(String::as_str).chain(more).collect()
        });
        csv(rows)
    }

    /// Without the columns of those headers.
    fn without(&self, headers: &[&str]) -> String {
        let kept: Vec<usize> =
            (0..self.headers().len()).filter(|column| !headers.contains(&self.headers()[*column].as_str())).collect();
        csv(self.rows.iter().map(|row| kept.iter().map(|column| row[*column].as_str()).collect()))
    }

    /// With another header instead of one.
    fn renamed(&self, from: &str, to: &str) -> String {
        let rename = |cell: &String| if cell == from { to.to_owned() } else { cell.clone() };
        let header: Vec<String> = self.headers().iter().map(rename).collect();
        let rows = [&header].into_iter().chain(&self.rows[1..]);
        csv(rows.map(|row| row.iter().map(String::as_str).collect()))
    }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exports").join(name).with_extension("csv")
}

pub fn csv<'c>(rows: impl Iterator<Item = Vec<&'c str>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The remarks of a summary.
fn remarks(summary: &Value) -> Vec<&str> {
    summary["remarks"].as_array().unwrap().iter().map(|remark| remark["message"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_recognized(summary: &Value, code: i32, preset: &str) {
    assert_eq!((code, &summary["counts"]["failed"]), (0, &json!(0)), "{preset}: {summary:#}");
    assert_eq!(summary["mapping"][0]["preset"], preset, "{summary:#}");
}

#[test]
fn each_export_is_recognized_and_passes_without_flags() {
    for export in some_of(Export::all(), 10) {
        // The file's name says something else.
        let account = CliTest::new().sheet("x.csv", &export.reordered());
        fs::copy(fixture(&export.file), account.path("departments.csv")).unwrap();
        let (code, summary) = account.json(&["check", "departments.csv"]);
        assert_recognized(&summary, code, &export.preset);
        let all = format!(", {0} of {0} columns known (preset {1})", export.headers().len(), export.preset);
        let remark = remarks(&summary)[0];
        assert!(remark.starts_with("departments: recognized: ") && remark.ends_with(&all), "{remark}");
        let (code, summary) = account.json(&["check", "x.csv"]);
        assert_recognized(&summary, code, &export.preset);
        let ignored: Vec<&Value> =
            summary["mapping"][0]["columns"].as_array().unwrap().iter().filter(|it| it["field"].is_null()).collect();
        assert!(ignored.iter().any(|column| column["header"] == "Shoe size"), "{ignored:?}");
    }
}

#[test]
fn a_snipe_it_export_is_recognized_in_every_language() {
    let exports = snipe_it_exports();
    assert!(exports.len() > 60);
    let exports = some_of(exports, 20);
    let account = exports.iter().fold(CliTest::new(), |account, (language, headers, row)| {
        account.sheet(
            &format!("{language}.csv"),
            &csv([headers, row].map(|row| row.iter().map(String::as_str).collect()).into_iter()),
        )
    });
    let files: Vec<String> = exports.iter().map(|(language, ..)| format!("{language}.csv")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, summary) = account.json(&[&["check"][..], &files].concat());
    assert_eq!((code, &summary["counts"]["failed"]), (0, &json!(0)), "{summary:#}");
    let (code, asked) = account.json(&[&["check", "--preset", "snipe-it-assets"][..], &files].concat());
    assert_eq!((code, &asked["counts"]["failed"]), (0, &json!(0)), "{asked:#}");
    for (index, (language, headers, _)) in exports.iter().enumerate() {
        let mapping = &summary["mapping"][index];
        assert_eq!((&mapping["sheet"], &mapping["preset"]), (&json!(language), &json!("snipe-it-assets")));
        assert_eq!(mapping["columns"], asked["mapping"][index]["columns"], "{language}");
        // Some languages have one word for two columns, of which the first is read.
        let words: HashSet<&String> = headers.iter().collect();
        let known = (words.len()..=headers.len()).map(|known| format!(" {known} of {} columns known", headers.len()));
        let remark = remarks(&summary).into_iter().find(|remark| remark.starts_with(&format!("{language}: "))).unwrap();
        assert!(known.into_iter().any(|known| remark.contains(&known)), "{remark}");
        let fields: Vec<&str> =
            mapping["columns"].as_array().unwrap().iter().filter_map(|column| column["field"].as_str()).collect();
        for field in ["asset_id", "asset_serial", "product_id", "status_id", "purchase_date"] {
            assert!(fields.contains(&field), "{language}: {fields:?}");
        }
    }
}

/// The export of one asset in each language but English: the language, the headers, and a row.
fn snipe_it_exports() -> Vec<(String, Vec<String>, Vec<String>)> {
    let table = include_str!("../../src/mapping/presets/snipe-it-assets.languages.tsv");
    let english = Export::named("snipe-it-assets");
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<&str>>());
    let headers = lines.next().unwrap();
    let cell = |header: &str, language: &str| {
        let column = english.headers().iter().position(|known| known == header).unwrap();
        // Each asset has a tag and a serial number of its own.
        if ["Asset Tag", "Serial"].contains(&header) { language.to_owned() } else { english.rows[1][column].clone() }
    };
    let export = |words: Vec<&str>| {
        let language = words[0].to_owned();
        let pairs = headers.iter().zip(&words).skip(1);
        let row = pairs.clone().map(|(header, _)| cell(header, &language)).collect();
        let local = pairs.map(|(header, word)| if word.is_empty() { header } else { word }.to_string());
        (language, local.collect(), row)
    };
    lines.map(export).collect()
}

#[test]
fn an_export_may_lack_columns_and_have_others() {
    for (file, missing) in [
        ("intune-devices", &["Primary user UPN", "IMEI"][..]),
        ("intune-devices", &["Device ID", "EID"]),
        ("jamf-computers", &["JSS Computer ID", "Vendor"]),
        ("snipe-it-assets", &["Default Location", "Model No."]),
        ("snipe-it-assets-german", &["Standard-Standort", "Modellnummer"]),
        ("google-chromeos", &["annotatedAssetId"]),
        ("freshservice-assets", &["Impact", "Workspace"]),
        ("glpi-computers", &["Alternate username"]),
    ] {
        let export = Export::named(file);
        assert!(missing.iter().all(|header| export.headers().iter().any(|known| known == header)), "{file}");
        let account = CliTest::new().sheet("assets.csv", &export.without(missing));
        let (code, summary) = account.json(&["check", "assets.csv"]);
        assert_recognized(&summary, code, &export.preset);
    }
    let export = Export::named("jamf-mobile");
    let account = CliTest::new().sheet("assets.csv", &export.renamed("Capacity MB", "Total Capacity"));
    let (code, summary) = account.json(&["check", "assets.csv"]);
    assert_recognized(&summary, code, "jamf-mobile");
    assert!(remarks(&summary)[0].contains("34 of 35 columns known"), "{summary:#}");
}

#[test]
fn only_columns_that_the_preset_names_count_as_known() {
    let header = "JSS Computer ID,Computer Name,Serial Number,Model,Status,Location,Purchase Date,Notes,Assigned To";
    let account =
        CliTest::new().sheet("list.csv", &format!("{header}\n1,PC1,S1,Mac mini,Ready,Berlin,2024-01-01,x,\n"));
    let (_, summary) = account.json(&["check", "list.csv"]);
    assert!(remarks(&summary)[0].contains("Jamf Pro computers, 4 of 9 columns known"), "{summary:#}");
}

#[test]
fn the_mapping_shows_the_values_of_defaults() {
    let header = "JSS Computer ID,Computer Name,Serial Number,Model,Platform";
    let account = CliTest::new().sheet("list.csv", &format!("{header}\n1,PC1,S1,Mac mini,\n"));
    let (_, summary) = account.json(&["check", "list.csv"]);
    let columns = summary["mapping"][0]["columns"].as_array().unwrap();
    let reading = |field: &str| &columns.iter().find(|column| column["field"] == field).unwrap()["reading"];
    assert_eq!(reading("product_id.manufacturer_id"), "`Apple`", "{summary:#}");
    assert_eq!(reading("product_id.category_id"), "`Computers` where blank", "{summary:#}");
    let shown = account.run(&["check", "list.csv", "--result", "result.xlsx"]).exits(0).stdout;
    assert!(shown.contains("product_id.manufacturer_id (`Apple`)"), "{shown}");
    assert!(shown.contains("Platform → product_id.category_id (`Computers` where blank)"), "{shown}");
}

/// Headers of sheets that no tool exported.
const OTHER_SHEETS: &[(&str, &str)] = &[
    ("timesheet", "Employee,Date,Project,Start,End,Break,Hours,Approved"),
    ("invoice", "Invoice No.,Item,Quantity,Unit price,VAT,Total,Due date"),
    ("loan", "Payment No.,Payment date,Beginning balance,Payment,Principal,Interest,Ending balance"),
    ("contacts", "First name,Last name,Account name,Title,Email,Phone,Lead source,Owner"),
    ("accounts", "Account name,Type,Industry,Annual revenue,Employees,Billing city,Owner"),
    ("budget", "Category,January,February,March,Q1,Variance"),
    ("grades", "Student,Class,Teacher,Test 1,Test 2,Final,Grade"),
    ("tickets", "Ticket ID,Subject,Status,Priority,Requester,Assignee,Created at,Updated at"),
    ("orders", "Order,SKU,Product,Quantity,Price,Customer,Shipping address,Status"),
    ("network", "Hostname,IP address,MAC address,VLAN,Switch,Port"),
    ("vehicles", "Plate,Make,Model,Year,Odometer,Driver,Fuel"),
    ("log", "Time,Level,Source,Event ID,Computer,User,Message"),
    ("register", "Asset Tag,Serial Number,Model,Status,Location,Assigned To,Purchase Date,Warranty Expiration"),
    ("people", "Full Name,Email Address,Username,Department,Position,Building,Room,Phone Number"),
    ("formulas", "Asset,Cost,Salvage value,Useful life,Depreciation per year,Book value"),
    // Their words are also in exports.
    ("computers", "Computer Name,Managed,Asset Tag,Serial Number,Model,Status,Location,Purchase Date,Notes"),
    ("macs", "Computer Name,Last Check-in,Model Identifier,Asset Tag,Status"),
    ("phones", "Display Name,Wi-Fi MAC Address,Asset Tag,Serial Number,Model,Status"),
    ("school", "Asset Tag,Location Name,Owner Email,Serial Number,Model"),
    ("purchases", "Serial No,Model Name,Purchase Source,Price"),
    ("tablets", "Device UDID,Serial Number,Model"),
    ("mdm", "Device name,Enrollment date,Last check-in,Serial number"),
    ("entities", "Inventory number,Entity,Last inventory date,Model,Value"),
    ("states", "Asset Name,Asset Type Name,State Name,Serial Number"),
    ("logins", "Username,Primary email,Department"),
    ("staff", "First Name,Last Name,Username,Active,Email"),
    ("directory", "Username,Login Enabled,Groups,Email"),
    ("accessories", "Accessory Name,Model No.,QTY,Purchase Cost"),
    ("parts", "Component Name,Purchase Cost,QTY"),
    ("supplies", "Consumable Name,Item No.,QTY"),
    ("stock", "Accessory Name,Category Name,Supplier Name,Minimum Quantity,Quantity"),
    ("depreciation", "Asset Name,Purchased,Current Value,Checked Out,Fully Depreciated"),
    ("remarks", "Asset Tag,Asset Notes,Model Notes"),
];

#[test]
fn other_sheets_are_no_exports() {
    let account = OTHER_SHEETS.iter().fold(CliTest::new(), |account, (name, header)| {
        let row = header.split(',').map(|_| "1").collect::<Vec<&str>>().join(",");
        account.sheet(&format!("{name}.csv"), &format!("{header}\n{row}\n"))
    });
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = OTHER_SHEETS.iter().map(|(name, _)| account.path(&format!("{name}.csv"))).collect();
    for folder in ["templates", "samples"] {
        files.extend(fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let is_sheet = |path: &PathBuf| {
        path.extension().is_some_and(|extension| ["csv", "xlsx"].contains(&extension.to_str().unwrap()))
    };
    let sheets: Vec<PathBuf> = files.into_iter().filter(is_sheet).collect();
    assert!(sheets.len() > 40);
    for path in sheets {
        let (_, summary) = account.json(&["check", path.to_str().unwrap()]);
        for mapping in summary["mapping"].as_array().into_iter().flatten() {
            let is_template = path.ends_with("samples/bluetally-template.xlsx");
            let preset = mapping["preset"].as_str();
            assert!(
                preset.is_none() || (is_template && preset.is_some_and(|preset| preset.starts_with("bluetally-"))),
                "{}: {mapping:#}",
                path.display()
            );
        }
    }
}

#[test]
fn what_an_export_cannot_hold_is_asked_for_once() {
    let autopilot = Export::named("autopilot");
    let account = CliTest::new()
        .sheet("hashes.csv", &autopilot.without(&["Manufacturer name", "Device model"]))
        .sheet("jamf.csv", &Export::named("jamf-computers").without(&["Model"]))
        .sheet("snipe.csv", &Export::named("snipe-it-assets").without(&["Model", "Status"]));
    assert_output!(account.run(&["check", "hashes.csv"]), @"
    exit code 2
    --- stderr
    error: hashes.csv: recognized as Windows Autopilot hardware hashes, but no column is mapped to `product_id` (required)
      hint: say what all rows have: --default 'product=VALUE'; or pass --mode update to change only records that are there
    ");
    assert_output!(account.run(&["check", "snipe.csv"]), @"
    exit code 2
    --- stderr
    error: snipe.csv: recognized as Snipe-IT assets (list export), but no column is mapped to `product_id` and `status_id` (required)
      hint: say what all rows have: --default 'product=VALUE' --default 'status=VALUE'; or pass --mode update to change only records that are there
    ");
    account.run(&["check", "hashes.csv", "--default", "product=Surface Laptop 6"]).exits(0);
    account.run(&["check", "jamf.csv", "--default", "product=MacBook Air"]).exits(0);
    account.run(&["check", "snipe.csv", "--default", "product=XPS 13", "--default", "status=Ready"]).exits(0);
    // Assets that are there need no model.
    account.run(&["check", "hashes.csv", "--mode", "update"]).exits(0);
}

#[test]
fn what_is_not_recognized_says_what_came_close() {
    let account = CliTest::new()
        .sheet("loan.csv", "Monthly payment,Cost,Notes\n1,2,x\n")
        .sheet("export.csv", "Device,Enrollment date,Last check-in\nNB-1,2026-01-02,2026-01-03\n")
        .sheet("numbers.csv", "a,b,c\n1,2,3\n");
    assert_output!(account.run(&["check", "loan.csv"]), @"
    exit code 2
    --- stderr
    error: loan.csv: cannot tell from its name or headers what it contains; closest: `products` (`Cost`, `Notes`), `assets` (`Cost`, `Notes`), `licenses` (`Cost`, `Notes`)
      hint: say what it holds, such as --entity products
    ");
    assert_output!(account.run(&["check", "export.csv"]), @"
    exit code 2
    --- stderr
    error: export.csv: cannot tell from its name or headers what it contains
      hint: its headers resemble an export; if it is one, pass --preset intune-devices for Intune devices (portal export)
    ");
    assert_output!(account.run(&["check", "numbers.csv"]), @"
    exit code 2
    --- stderr
    error: numbers.csv: cannot tell from its name or headers what it contains
      hint: say what it holds with --entity, such as --entity assets
    ");
}

#[test]
fn headers_go_before_the_name_of_the_file() {
    let account = CliTest::new().sheet("locations.csv", "Asset Tag,Model,Status,Location\nA-1,XPS 13,Ready,Berlin\n");
    assert_output!(account.run(&["check", "locations.csv"]), @"
    exit code 0
    --- stdout
    Check of locations.csv: the one row passed, in 0.5 s
      1 row: 1 good (assets)
      read      locations.csv as UTF-8, comma
      header    row 1: Asset Tag → asset_id, Model → product_id, Status → status_id,
                Location → location_id
      note      locations: read as assets: its headers say so, though its name says locations; --entity says otherwise
      next      tallyport import locations.csv --dry-run
    ");
    let (_, summary) = account.json(&["check", "locations.csv", "--entity", "locations"]);
    assert_eq!(summary["entity"], "locations", "{summary:#}");
}

#[test]
fn an_export_that_fits_several_presets_equally_is_none_of_them() {
    let header = "serial_number,date_app_info,deviceudid,percent_disk,blueprint_name";
    let account = CliTest::new().sheet("assets.csv", &format!("{header},asset_id,product,status\na,b,c,d,e,f,g,h\n"));
    let (_, summary) = account.json(&["check", "assets.csv"]);
    assert_eq!(summary["mapping"][0]["preset"], "mosyle-devices", "more of its headers are there: {summary:#}");
    let header = "date_app_info,serial_number,blueprint_name";
    let account = CliTest::new().sheet("assets.csv", &format!("{header},asset_id,product,status\na,b,c,d,e,f\n"));
    let (code, summary) = account.json(&["check", "assets.csv"]);
    assert_eq!((code, &summary["mapping"][0]["preset"]), (0, &Value::Null), "{summary:#}");
    assert_eq!(
        remarks(&summary),
        ["assets: its headers fit several presets: kandji-devices, mosyle-devices; --preset NAME says which"]
    );
}

#[test]
fn what_an_export_says_becomes_records() {
    let export = Export::named("entra-users");
    let mut rows = export.rows.clone();
    let column = |header: &str| export.headers().iter().position(|known| known == header).unwrap();
    rows.truncate(3);
    rows[2][column("userPrincipalName")] = String::from("bob_example.org#EXT#@corp.example");
    rows[2][column("userType")] = String::from("Guest");
    let text = csv(rows.iter().map(|row| row.iter().map(String::as_str).collect()));
    let finance = json!({"name": "Finance", "email": "finance@example.com", "phone": "1"});
    let account = CliTest::new()
        .holds("departments", finance)
        .holds("locations", json!({"name": "Berlin"}))
        .sheet("users.csv", &text);
    let (code, summary) = account.json(&["import", "users.csv"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(1)), "{summary:#}");
    let ada = account.record("employees", "email", "ada.byron@example.com");
    assert_eq!((&ada["name"], &ada["archived"]), (&json!("Ada Byron"), &json!(false)));
    assert_eq!(account.records("employees").len(), 1);
    let (_, again) = account.json(&["import", "users.csv"]);
    assert_eq!(again["counts"]["unchanged"], 1, "{again}");
}

#[test]
fn a_product_that_is_made_gets_its_end_of_life() {
    let account = CliTest::new().sheet(
        "export.csv",
        "Asset Tag,Model,Category,Status,Checked Out To,Default Location,EOL Rate\n\
         A-1,XPS 13,Laptops,Ready to Deploy (deployable),,,36 months\n",
    );
    let account = account.holds("statuses", json!({"name": "Ready to Deploy", "type": "deployable"}));
    account.run(&["import", "export.csv", "--create-missing", "--yes"]).exits(0);
    let product = account.record("products", "name", "XPS 13");
    assert_eq!(
        (&product["end_of_life_months"], &product["end_of_life_type"]),
        (&json!(36), &json!("Months from Asset Purchase Date"))
    );
    // It is not what tells one product from another.
    let (code, again) = account
        .sheet(
            "export.csv",
            "Asset Tag,Model,Category,Status,Checked Out To,Default Location,EOL Rate\n\
         A-2,XPS 13,Laptops,Ready to Deploy (deployable),,,48 months\n",
        )
        .json(&["import", "export.csv", "--yes"]);
    assert_eq!((code, &again["counts"]["created"]), (0, &json!(1)), "{again:#}");
}

#[test]
fn recognition_gives_way_to_what_the_user_says() {
    let account = CliTest::new();
    fs::copy(fixture("google-users"), account.path("users.csv")).unwrap();
    let preset = |flags: &[&str]| {
        let (_, summary) = account.json(&[&["check", "users.csv"][..], flags].concat());
        summary["mapping"][0]["preset"].clone()
    };
    assert_eq!(preset(&[]), "google-users");
    assert_eq!(preset(&["--preset", "google-users"]), "google-users");
    assert_eq!(preset(&["--map", "Employee ID=notes"]), "google-users");
    assert_eq!(
        preset(&[
            "--preset",
            "none",
            "--map",
            "Email Address [Required]=email",
            "--map",
            "{First Name [Required]} {Last Name [Required]}=name",
            "--map",
            "Building ID=location",
            "--ignore",
            "Employee Type"
        ]),
        Value::Null
    );
}

#[test]
fn the_presets_for_several_collections_do_not_stop_on_columns_of_later_versions() {
    let account = CliTest::new();
    for (file, preset) in [("snipe-it-assets", "snipe-it"), ("bluetally-accessories", "bluetally")] {
        fs::copy(fixture(file), account.path("assets.csv")).unwrap();
        let entity = if preset == "snipe-it" { "assets" } else { "accessories" };
        let (code, summary) = account.json(&["check", "assets.csv", "--entity", entity, "--preset", preset]);
        assert_eq!((code, &summary["counts"]["failed"]), (0, &json!(0)), "{summary:#}");
    }
}

#[test]
fn presets_are_listed_and_printed_as_mapping_files() {
    let account = CliTest::new();
    let list = account.run(&["presets"]).exits(0).stdout;
    let exports = Export::all();
    for export in &exports {
        let Export { file, preset, .. } = export;
        assert!(list.lines().any(|line| line.starts_with(&format!("{preset} "))), "{list}");
        fs::write(account.path("preset.toml"), account.run(&["presets", preset]).exits(0).stdout).unwrap();
        fs::copy(fixture(file), account.path("x.csv")).unwrap();
        account.run(&["check", "x.csv", "--mapping", "preset.toml"]).exits(0);
    }
    let all: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let is_tested =
        |name: &&&str| exports.iter().any(|export| export.preset == **name) || NOT_RECOGNIZED.contains(name);
    assert_eq!(all.iter().filter(is_tested).count(), all.len(), "a preset that no test reads");
    let unknown = account.run(&["presets", "entra"]).exits(2).stderr;
    assert!(
        unknown.contains("unknown preset `entra`") && unknown.contains("`entra-devices` or `entra-users`"),
        "{unknown}"
    );
}

#[test]
fn people_of_snipe_it_who_may_not_sign_in_are_archived() {
    let account = CliTest::new().holds("departments", json!({"name": "R&D", "email": "rd@example.com", "phone": "1"}));
    fs::copy(fixture("snipe-it-people"), account.path("people.csv")).unwrap();
    let (code, summary) = account.json(&["import", "people.csv", "--create-missing=all", "--yes"]);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(2)), "{summary:#}");
    let archived = |email: &str| account.record("employees", "email", email)["archived"].clone();
    assert_eq!((archived("ada@example.com"), archived("bob@example.com")), (json!(false), json!(true)));
    assert_eq!(account.record("employees", "email", "ada@example.com")["department_id"], 1, "`R&amp;D` in the file");
    // The importer's file need not have all columns of its template.
    let account = CliTest::new()
        .sheet("users.csv", "First Name,Last Name,Email,Username,Activated\nBob,Stone,bob@example.com,bob,0\n");
    let (code, summary) = account.json(&["import", "users.csv", "--yes"]);
    assert_recognized(&summary, code, "snipe-it-users");
    assert_eq!(account.record("employees", "email", "bob@example.com")["archived"], true);
}

#[test]
fn deleted_assets_of_a_report_are_left_out() {
    let report = Export::named("snipe-it-report");
    let mut rows = report.rows.clone();
    let deleted = report.headers().iter().position(|header| header == "Deleted").unwrap();
    rows[1][deleted] = String::from("2025-01-01 10:00:00");
    let text = csv(rows.iter().map(|row| row.iter().map(String::as_str).collect()));
    let account = CliTest::new().sheet("report.csv", &text);
    let (code, summary) = account.json(&["check", "report.csv"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(1)), "{summary:#}");
}

#[test]
fn a_person_with_a_sign_in_name_is_not_made_twice() {
    let header = "Device ID,Device name,OS,Primary user UPN,Primary user email address,Primary user display name,\
                  Enrollment date,Serial number,Manufacturer,Model\n";
    let devices = "d1,NB-2,Windows,bob@acme.example,bob.stone@acme.example,Bob Stone,2025-01-14,5CG2,HP,EliteBook\n\
                   d2,NB-3,Windows,,,Bob Stone,2025-01-14,Default string,HP,EliteBook\n\
                   d3,NB-4,Windows,cy@acme.example,cy.young@acme.example,Cy Young,2025-01-14,Default string,HP,EliteBook\n\
                   d4,NB-5,Windows,0000-0000,,Somebody,2025-01-14,5CG5,HP,EliteBook\n";
    let account = CliTest::new()
        .holds("statuses", json!({"name": "Archive", "type": "deployable"}))
        .holds("statuses", json!({"name": "Ready to Deploy", "type": "deployable"}))
        .holds("employees", json!({"name": "Bob Stone", "email": "bob.stone@acme.example"}))
        .sheet("intune.csv", &format!("{header}{devices}"));
    let import = ["import", "intune.csv", "--create-missing=all", "--yes"];
    let (code, summary) = account.json(&import);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(4)), "{summary:#}");
    let people: Vec<Value> = account.records("employees").iter().map(|person| person["email"].clone()).collect();
    assert_eq!(people, ["bob.stone@acme.example", "cy.young@acme.example"]);
    let holder = |tag: &str| account.record("assets", "asset_id", tag)["deployed_to"][0]["employee_id"].clone();
    assert_eq!(
        [holder("5CG2"), holder("NB-3"), holder("NB-4"), holder("5CG5")],
        [json!(1), json!(1), json!(2), Value::Null]
    );
    let asset = account.record("assets", "asset_id", "NB-3");
    assert_eq!((&asset["asset_serial"], &asset["status_id"]), (&Value::Null, &json!(2)), "{asset}");
    let said = remarks(&summary).join("\n");
    assert!(said.contains("`0000-0000` not found in employees or locations"), "{said}");
    assert!(said.contains("2 cells with `Default string` read as empty"), "{said}");
    assert!(said.contains("(the deployable status that the mapping names)"), "{said}");
    let (code, again) = account.json(&import);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(4)), "{again:#}");
}

#[test]
fn a_person_has_the_first_and_last_name_where_there_is_no_other() {
    let account = CliTest::new().sheet(
        "okta.csv",
        "User Id,Username,Primary email,Display name,First name,Last name,Status\n\
         1,ada@example.com,ada@example.com,,Ada,Byron,ACTIVE\n2,bob@example.com,bob@example.com,Bob S.,Bob,Stone,ACTIVE\n",
    );
    let (code, summary) = account.json(&["import", "okta.csv", "--yes"]);
    assert_recognized(&summary, code, "okta-users");
    let name = |email: &str| account.record("employees", "email", email)["name"].clone();
    assert_eq!((name("ada@example.com"), name("bob@example.com")), (json!("Ada Byron"), json!("Bob S.")));
}

#[test]
fn a_holder_of_whom_only_the_name_is_filled_gets_the_asset() {
    for (file, columns, header) in [
        (
            "jamf-computers",
            "Computer Name,Asset Tag,Serial Number,Model,Username,Full Name,Email Address,JSS Computer ID",
            "M1,L1,C1,MacBook Pro 14,gmurray,Grace Murray,,1",
        ),
        (
            "jamf-school",
            "Name,AssetTag,SerialNumber,Model,LocationName,OwnerEmail,OwnerFirstName,OwnerLastName,DeviceUDID",
            "M1,L1,C1,iPad,,,Grace,Murray,u1",
        ),
        (
            "snipe-it-asset-template",
            "Asset Tag,Model Name,Category,Status,Checkout Type,Checked Out to: Email,Checked Out to: First Name,Checked Out to: Last Name",
            "L1,X1,Laptops,Ready,user,,Grace,Murray",
        ),
    ] {
        let account = CliTest::new()
            .holds("employees", json!({"name": "Grace Murray", "email": "grace@example.com"}))
            .sheet("export.csv", &format!("{columns}\n{header}\n"));
        let (code, summary) = account.json(&["import", "export.csv", "--create-missing=all", "--yes"]);
        assert_recognized(&summary, code, file);
        let asset = account.record("assets", "asset_id", "L1");
        assert_eq!(asset["deployed_to"][0]["employee_id"], 1, "{file}: {asset}");
    }
}

#[test]
fn notes_in_html_stay_readable() {
    let account = CliTest::new().holds("statuses", json!({"name": "Ready", "type": "deployable"})).sheet(
        "snipe.csv",
        "Asset Tag,Model,Category,Status,Checked Out To,Default Location,EOL Rate,Notes\n\
             T1,X1,Laptops,Ready (deployable),,,,<p>First</p><p>Call <bob@acme.example></p>\n",
    );
    account.run(&["import", "snipe.csv", "--create-missing=all", "--yes"]).exits(0);
    assert_eq!(account.record("assets", "asset_id", "T1")["notes"], "First\nCall <bob@acme.example>");
}
