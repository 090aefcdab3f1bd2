//! Saved mappings and printed presets: the file that they were made from is read by them as it was read before.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{CliTest, some_of};
use crate::presets::Export;

const PEOPLE: &str =
    "Name,Email,Company,Phone,Address\nAda B,ada@example.com,ACME,1,St 1\nBob C,bob@example.com,ACME,2,St 2\n";

const IGNORED: [&str; 8] = ["--entity", "employees", "--ignore", "Company", "--ignore", "Phone", "--ignore", "Address"];

/// What feeds what, in every sheet.
fn used(summary: &Value) -> Vec<String> {
    let columns = summary["mapping"].as_array().unwrap().iter().flat_map(|sheet| sheet["columns"].as_array().unwrap());
    let header = |column: &Value| column["header"].as_str().unwrap().replace("--default ", "default of ");
    let used = columns.filter_map(|column| Some(format!("{} -> {}", header(column), column["field"].as_str()?)));
    let mut used: Vec<String> = used.collect();
    used.sort();
    used
}

#[test]
fn a_saved_mapping_knows_what_the_file_holds() {
    let account = CliTest::new().sheet("g.csv", PEOPLE);
    let (code, first) = account.json(&[&["check", "g.csv", "--save-mapping", "g.toml"][..], &IGNORED].concat());
    assert_eq!(code, 0, "{first}");
    let (code, again) = account.json(&["check", "g.csv", "--mapping", "g.toml"]);
    assert_eq!((code, used(&again)), (0, used(&first)), "{again}");
    let (code, summary) = account.json(&["import", "g.csv", "--mapping", "g.toml", "--yes"]);
    assert_eq!((code, account.records("employees").len()), (0, 2), "{summary}");
    assert_eq!(account.records("suppliers").len(), 0);
}

#[test]
fn the_tables_of_a_mapping_file_tell_what_each_file_holds() {
    let devices = "Name,Label,Supplier,Model,Status\nNB-1,L-1,Dell,XPS 13,Ready\n";
    let account = CliTest::new().sheet("g.csv", PEOPLE).sheet("suppliers.csv", devices);
    let tables = "[employees]\nName = \"name\"\nEmail = \"email\"\nCompany = \"\"\nPhone = \"\"\nAddress = \"\"\n\
                  [assets]\nLabel = \"asset_id\"\nName = \"asset_name\"\nSupplier = \"supplier_id\"\n\
                  Model = \"product_id\"\nStatus = \"status_id\"\n";
    let account = account.sheet("m.toml", tables);
    let check = ["check", "g.csv", "suppliers.csv", "--mapping", "m.toml", "--save-mapping", "saved.toml"];
    let (code, first) = account.json(&check);
    assert_eq!((code, used(&first).len()), (0, 7), "{first}");
    assert!(used(&first).contains(&String::from("Label -> asset_id")), "{first}");
    let saved = fs::read_to_string(account.path("saved.toml")).unwrap();
    assert!(!saved.contains("entity"), "{saved}");
    let (code, again) = account.json(&["check", "g.csv", "suppliers.csv", "--mapping", "saved.toml"]);
    assert_eq!((code, used(&again)), (0, used(&first)), "{again}");
    // The name of a file goes before a table that was made for another one.
    let renamed = account.sheet("suppliers.csv", "Name,Email,Company,Fax\nDell,x@example.com,D,1\n");
    let refused = renamed.run(&["check", "suppliers.csv", "--mapping", "m.toml"]).exits(2).stderr;
    assert!(refused.contains("it is for `employees`, `assets`, and what is read is `suppliers`"), "{refused}");
}

#[test]
fn a_mapping_file_of_which_nothing_is_used_is_told() {
    let account = CliTest::new()
        .sheet("locations.csv", "Name,City\nHQ,Berlin\n")
        .sheet("assets.toml", "[assets]\n\"Tag No\" = \"asset_id\"\n")
        .sheet("other.toml", "ignore = [\"Row\"]\n");
    let refused = account.run(&["check", "locations.csv", "--mapping", "assets.toml"]).exits(2).stderr;
    let error =
        "error: nothing of the mapping file `assets.toml` is used: it is for `assets`, and what is read is `locations`";
    assert!(refused.contains(error) && refused.contains("--entity assets"), "{refused}");
    let told = account.run(&["check", "locations.csv", "--mapping", "other.toml"]).exits(0).stderr;
    let note = "nothing of the mapping file `other.toml` is used: no sheet has a header that it names";
    assert!(told.contains(note), "{told}");
}

#[test]
fn how_dates_and_amounts_are_written_is_saved_and_remembered() {
    let sheet = |label: &str| format!("Label,Model,Gekauft,Preis\n{label},MacBook Pro 14,01/02/2024,\"1,299\"\n");
    let flags = ["--map", "Label=asset_id", "--map", "Gekauft=purchase_date", "--map", "Preis=purchase_cost"];
    let formats = ["--date-format", "DD/MM/YYYY", "--decimal", ".", "--default", "status_id=Ready"];
    let default = ["--entity", "assets", "--default", "warranty_expiration_date=03/04/2027"];
    let account = CliTest::new().with_lookups().sheet("d.csv", &sheet("L-1")).sheet("e.csv", &sheet("L-2"));
    let check =
        [&["check", "d.csv", "--remember", "--save-mapping", "d.toml"][..], &flags, &formats, &default].concat();
    let (code, first) = account.json(&check);
    assert_eq!(code, 0, "{first}");
    let saved = fs::read_to_string(account.path("d.toml")).unwrap();
    assert!(saved.contains("[assets.formats]\ndate = \"DD/MM/YYYY\"\ndecimal = \".\"\n"), "{saved}");
    for import in [&["import", "d.csv", "--mapping", "d.toml"][..], &["import", "e.csv"]] {
        let (code, summary) = account.json(import);
        assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
        assert_eq!(used(&summary), used(&first));
    }
    for label in ["L-1", "L-2"] {
        let asset = account.record("assets", "asset_id", label);
        assert_eq!((&asset["purchase_date"], &asset["purchase_cost"]), (&json!("2024-02-01"), &json!(1299)));
        assert_eq!(asset["warranty_expiration_date"], json!("2027-04-03"));
    }
    // A flag goes before the file.
    let (_, summary) = account.json(&["check", "e.csv", "--mapping", "d.toml", "--date-format", "MM/DD/YYYY"]);
    assert_eq!(summary["mapping"][0]["columns"][2]["reading"], "MM/DD/YYYY", "{summary}");
}

#[test]
fn a_format_alone_is_worth_remembering() {
    let account = CliTest::new()
        .with_lookups()
        .sheet("d.csv", "Asset Tag,Model,Status,Purchase Date\nL-1,MacBook Pro 14,Ready,01/02/2024\n");
    account.run(&["check", "d.csv"]).exits(1);
    account.run(&["check", "d.csv", "--date-format", "DD/MM/YYYY", "--remember"]).exits(0);
    account.run(&["check", "d.csv"]).exits(0);
}

#[test]
fn formats_of_a_mapping_file_are_checked() {
    let account = CliTest::new().sheet("locations.csv", "Name,City\nHQ,Berlin\n");
    for (text, message) in [
        ("[formats]\ndate = \"soon\"\n", "`date` of the mapping's formats: "),
        ("[formats]\ndecimal = \"x\"\n", "m.toml, line 1: not a decimal mark"),
        ("formats = \"DD.MM.YYYY\"\n", "m.toml, line 1: `formats` is not written like that"),
        ("copy_of = \"entra\"\n", "m.toml, line 1: no such preset"),
    ] {
        fs::write(account.path("m.toml"), text).unwrap();
        let refused = account.run(&["check", "locations.csv", "--mapping", "m.toml"]).exits(2).stderr;
        assert!(refused.contains(message), "{refused}");
    }
}

#[test]
fn a_printed_preset_and_a_mapping_saved_with_it_are_read_as_the_preset() {
    for export in some_of(Export::all(), 8) {
        let account = CliTest::new();
        fs::copy(export.path(), account.path("x.csv")).unwrap();
        let import = ["import", "x.csv", "--create-missing=all", "--dry-run"];
        let (code, first) = account.json(&import);
        account.run(&["check", "x.csv", "--save-mapping", "saved.toml"]).exits(0);
        let printed = account.run(&["presets", &export.preset]).exits(0).stdout;
        fs::write(account.path("printed.toml"), printed).unwrap();
        for file in ["printed.toml", "saved.toml"] {
            let (again_code, again) = account.json(&[&import[..], &["--mapping", file]].concat());
            let name = format!("{} {file}: {again:#}", export.preset);
            assert_eq!((again_code, &again["counts"]), (code, &first["counts"]), "{name}");
            assert_eq!((used(&again), &again["mapping"][0]["preset"]), (used(&first), &json!(export.preset)), "{name}");
        }
    }
}

#[test]
fn names_that_an_export_cannot_make_are_left_out_as_by_the_preset() {
    let sheet = "AssetName,AssetTypename,Branchoffice,OSname,Statename,Serialnumber,Manufacturer,Model,Department\n\
                 PC-1,Windows,,,Active,S1,Dell,OptiPlex 7010,IT\n";
    let account = CliTest::new().sheet("lansweeper.csv", sheet);
    let import = ["import", "lansweeper.csv", "--create-missing=all", "--dry-run"];
    account.run(&["check", "lansweeper.csv", "--save-mapping", "saved.toml"]).exits(0);
    let printed = account.run(&["presets", "lansweeper-assets"]).exits(0).stdout;
    fs::write(account.path("printed.toml"), &printed).unwrap();
    fs::write(account.path("based.toml"), "preset = \"lansweeper-assets\"\n").unwrap();
    for file in ["saved.toml", "printed.toml", "based.toml"] {
        let (code, summary) = account.json(&[&import[..], &["--mapping", file]].concat());
        assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{file}: {summary:#}");
        account.run(&["check", "lansweeper.csv", "--mapping", file, "--remember"]).exits(0);
        let (code, summary) = account.json(&import);
        assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{file} remembered: {summary:#}");
    }
    // What somebody adds is theirs, and has to be there.
    let added = "\n[custom.Room]\ncolumn = \"Descripton\"\n";
    fs::write(account.path("printed.toml"), printed + added).unwrap();
    let refused = account.run(&[&import[..], &["--mapping", "printed.toml"]].concat()).exits(2).stderr;
    assert!(refused.contains("`Descripton`"), "{refused}");
}
