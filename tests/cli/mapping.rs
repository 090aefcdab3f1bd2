//! Mapping rules: what one row needs to become a record, said by flags and files.

use serde_json::json;

use crate::harness::{CliTest, assert_output, sheet_rows};
use crate::values::codes;

const DEVICES: &str = "Device name,Serial number,Manufacturer,Model,Device state,Enrolled,Ownership\n\
                       PC-1,S1,Apple,MacBook Pro 14,managed,03.04.2026,Company\n\
                       PC-2,S2,Apple,MacBook Pro 14,lost,04.04.2026,Company\n\
                       PC-3,S3,Apple,MacBook Pro 14,managed,05.04.2026,Personal\n";

const RULES: &str = "entity = \"assets\"\n\
                     [fields.asset_id]\nfirst_of = [\"Asset tag\", \"Serial number\"]\n\
                     [fields.status_id]\ncolumn = \"Device state\"\nvalues = { managed = \"Ready\" }\notherwise = \"error\"\n\
                     [fields.purchase_date]\ncolumn = \"Enrolled\"\nformat = \"DD.MM.YYYY\"\n\
                     [[skip]]\ncolumn = \"Ownership\"\nis = [\"personal\"]\n";

#[test]
fn a_mapping_file_makes_records_of_another_tools_rows() {
    let account = CliTest::new().with_lookups().sheet("devices.csv", DEVICES).sheet("m.toml", RULES);
    let import = ["import", "devices.csv", "--mapping", "m.toml", "--result", "result.xlsx"];
    let (code, summary) = account.json(&import);
    assert_eq!((code, codes(&summary, "problems")), (1, vec![String::from("value.unlisted")]), "{summary}");
    let counts = &summary["counts"];
    assert_eq!((&counts["created"], &counts["failed"], &counts["skipped"]), (&json!(1), &json!(1), &json!(1)));
    let assets = account.records("assets");
    let asset = assets.first().unwrap();
    assert_eq!(
        (&asset["asset_id"], &asset["asset_serial"], &asset["status_id"]),
        (&json!("S1"), &json!("S1"), &json!(1))
    );
    assert_eq!(asset["purchase_date"], json!("2026-04-03"));
    let example = &summary["problems"][0]["examples"][0];
    assert_eq!((&example["cell"], &example["found"]), (&json!("E3"), &json!("lost")));
    assert!(example["message"].as_str().unwrap().starts_with("status_id from Device state, E3: "), "{example}");
    let rows = sheet_rows(&account.path("result.xlsx"), "devices");
    let messages: Vec<&str> = rows.iter().skip(1).map(|row| row[2].as_str()).collect();
    assert!(messages[1].contains("it knows `managed`"), "{messages:?}");
    assert_eq!(messages[2], "left out by the mapping: `Ownership` is `Personal`".replace("Personal", "personal"));

    let (_, again) = account.json(&import[..4]);
    assert_eq!((&again["counts"]["unchanged"], &again["counts"]["created"]), (&json!(1), &json!(0)), "{again}");
    let status = ["import", "devices.csv", "--mapping", "m.toml", "--value", "status:lost=Ready"];
    let (code, completed) = account.json(&status);
    assert_eq!((code, &completed["counts"]["created"]), (0, &json!(1)), "{completed}");
}

#[test]
fn flags_say_what_a_mapping_file_says() {
    let account = CliTest::new().with_lookups().sheet("devices.csv", DEVICES);
    let import = [
        "import", "devices.csv", "--entity", "assets", "--map", "Device name|Serial number=asset_id", "--map",
        "Device state=status", "--map", "{Manufacturer}: {Model}=notes", "--map", "Enrolled=purchase_date", "--value",
        "status:managed=Ready", "--value", "status:lost=", "--default", "status=Ready", "--skip-where",
        "Ownership=Personal", "--date-format", "DD.MM.YYYY", "--save-mapping", "saved.toml",
    ];
    let (code, summary) = account.json(&[&import[..], &["--create-missing"]].concat());
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(2)), "{summary}");
    let asset = account.record("assets", "asset_id", "PC-2");
    assert_eq!((&asset["notes"], &asset["status_id"]), (&json!("Apple: MacBook Pro 14"), &json!(1)));
    let (code, again) = account.json(&[
        "import", "devices.csv", "--mapping", "saved.toml", "--date-format", "DD.MM.YYYY", "--entity", "assets",
    ]);
    assert_eq!((code, &again["counts"]["unchanged"]), (0, &json!(2)), "{again}");
    let shown = |summary: &serde_json::Value| {
        let columns = summary["mapping"][0]["columns"].as_array().unwrap().iter();
        let used = columns.filter(|column| !column["field"].is_null());
        let mut used: Vec<String> = used.map(|column| format!("{} {}", column["header"], column["field"])).collect();
        used.sort();
        used
    };
    assert_eq!(shown(&again), shown(&summary));
}

#[test]
fn a_mapping_is_saved_over_no_file_of_others_without_force() {
    let account = CliTest::new().sheet("devices.csv", DEVICES).sheet("m.toml", RULES).sheet("mine.toml", "mine");
    let save = |path: &str, flags: &[&str]| {
        let check = ["check", "devices.csv", "--mapping", "m.toml", "--save-mapping", path];
        let output = account.run(&[&check, flags].concat());
        output.stderr.lines().find(|line| line.starts_with("error")).unwrap_or_default().to_owned()
    };
    let foreign = |path: &str| format!("error: `{path}` exists already, and tallyport did not write it");
    assert_eq!(save("mine.toml", &[]), foreign("mine.toml"));
    assert_eq!(save("m.toml", &[]), foreign("m.toml"));
    let input = "error: the mapping would overwrite the input `devices.csv`";
    assert_eq!(save("./devices.csv", &["--force"]), input);
    let both = save("saved.xlsx", &["--result", "saved.xlsx"]);
    assert_eq!(both, "error: the result would overwrite the saved mapping `saved.xlsx`");
    assert_eq!(
        [account.path("mine.toml"), account.path("m.toml")].map(|path| std::fs::read_to_string(path).unwrap()),
        ["mine", RULES]
    );
    assert_eq!(std::fs::read_to_string(account.path("devices.csv")).unwrap(), DEVICES);
    // What tallyport wrote is replaced, until somebody edits it.
    assert_eq!([save("saved.toml", &[]), save("saved.toml", &[]), save("m.toml", &["--force"])], [""; 3]);
    assert_eq!(save("m.toml", &[]), "");
    std::fs::write(account.path("saved.toml"), "edited").unwrap();
    assert_eq!(save("saved.toml", &[]), "error: `saved.toml` was edited since tallyport wrote it");
}

#[test]
fn a_header_that_one_file_lacks_does_not_leave_that_file_out() {
    let account = CliTest::new()
        .sheet("a.csv", "Tag No,Model,Status\nA-1,Mac,Ready\n")
        .sheet("b.csv", "Asset Tag,Model,Status\nB-1,Mac,Ready\n");
    let check = ["check", "a.csv", "b.csv", "--entity", "assets", "--map", "Tag No=asset_id"];
    let (code, summary) = account.json(&check);
    assert_eq!((code, &summary["rows"]), (0, &json!(2)), "{summary}");
}

#[test]
fn mistakes_in_rules_are_named_before_anything_is_read() {
    let account = CliTest::new().sheet("devices.csv", DEVICES);
    for (name, file) in [
        ("value.toml", "[fields.currency]\nvalues = { a = \"EURO\" }\ncolumn = \"Model\"\n"),
        ("key.toml", "[fields.asset_id]\ncolumn = \"Serial number\"\ndefault = \"A\"\n"),
        (
            "format.toml",
            "[fields.asset_id]\ncolumn = \"Serial number\"\n[fields.purchase_date]\ncolumn = \"Enrolled\"\nformat = \"soon\"\n",
        ),
        ("header.toml", "[fields.asset_id]\ncolumn = \"Seriel number\"\n[fields.status_id]\ndefault = \"Ready\"\n"),
        ("key-by-mistake.toml", "sk-live-0123456789\n"),
    ] {
        std::fs::write(account.path(name), file).unwrap();
    }
    let check = |file: &str| account.run(&["check", "devices.csv", "--entity", "assets", "--mapping", file]);
    assert_output!(check("value.toml"), @"
    exit code 2
    --- stderr
    error: value.toml, line 1: `EURO` for currency: invalid currency; expected a code such as `EUR` or `USD`
      hint: write `EUR`
    ");
    assert_output!(check("key.toml"), @"
    exit code 2
    --- stderr
    error: key.toml, line 1: the default of asset_id would give several rows the same key
      hint: fill in the column; `asset_id` tells the records of assets apart
    ");
    assert_output!(check("format.toml"), @"
    exit code 2
    --- stderr
    error: format.toml, line 3: the date format `soon` contains `s`, which is not recognized
      hint: write it with D, M and Y, such as DD.MM.YYYY, MM/DD/YY or D MMM YYYY
    ");
    assert_output!(check("header.toml"), @"
    exit code 2
    --- stderr
    error: the headers do not fit
      devices.csv: header.toml, line 1: no column `Seriel number`
        did you mean `Serial number`?
      devices.csv: no column is mapped to `asset_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Enrolled=asset_id'
    ");
    assert_output!(check("key-by-mistake.toml"), @r#"
    exit code 2
    --- stderr
    error: key-by-mistake.toml, line 1: key with no value, expected `=`
      hint: a mapping file is TOML: a line is `key = "text"`, a group begins with `[fields.NAME]`
    "#);
    let flags = |flags: &[&str]| account.run(&[&["check", "devices.csv", "--entity", "assets"][..], flags].concat());
    assert_output!(flags(&["--value", "status=Ready"]), @"
    exit code 2
    --- stderr
    error: --value 'status=Ready' does not say what means what
      hint: write it as --value 'field:FROM=TO', such as --value 'status:managed=In use'
    ");
    assert_output!(flags(&["--value", "colour:a=b"]), @"
    exit code 2
    --- stderr
    error: the headers do not fit
      devices.csv: no column is mapped to `asset_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Enrolled=asset_id'
      devices.csv: no column is mapped to `status_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Device state=status_id'
    ");
    assert_output!(flags(&["--skip-where", "Ownership"]), @"
    exit code 2
    --- stderr
    error: --skip-where 'Ownership' does not say a value
      hint: write it as --skip-where 'Header=Value'; without a value it leaves out the rows where the cell is blank
    ");
    assert_output!(flags(&["--skip-where", "Owner=x"]), @"
    exit code 2
    --- stderr
    error: the headers do not fit
      devices.csv: --skip-where 'Owner=x': no column `Owner`
        write the header as it is in the sheet
      devices.csv: no column is mapped to `asset_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Enrolled=asset_id'
      devices.csv: no column is mapped to `status_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Device state=status_id'
    ");
    assert_output!(flags(&["--map", "Tag|Serial number=asset_id"]), @"
    exit code 2
    --- stderr
    error: the headers do not fit
      devices.csv: --map 'Tag|Serial number=asset_id': no column `Tag`
        write the header as it is in the sheet
      devices.csv: no column is mapped to `asset_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Enrolled=asset_id'
      devices.csv: no column is mapped to `status_id` (required); not understood: `Device state`, `Enrolled`, `Ownership`
        say which: --map 'Device state=status_id'
    ");
}

#[test]
fn a_column_ignored_by_a_flag_stays_part_of_a_join() {
    let rules = |ignore: &str| {
        format!("entity = \"assets\"\n{ignore}[fields.asset_name]\njoin = \"{{Site}} {{Device name}}\"\n")
    };
    let sheet = "Asset Tag,Model,Status,Site,Building,Device name\nA-1,MacBook Pro 14,Ready,North,Tower,PC-1\n";
    let account = CliTest::new().with_lookups().sheet("d.csv", sheet);
    let account = account.sheet("m.toml", &rules("")).sheet("own.toml", &rules("ignore = [\"Site\"]\n"));
    let flag = ["import", "d.csv", "--mapping", "m.toml", "--ignore", "Site", "--create-missing=all"];
    let (code, summary) = account.json(&flag);
    assert_eq!((code, &summary["counts"]["created"]), (0, &json!(1)), "{summary}");
    assert_eq!(account.record("assets", "asset_id", "A-1")["asset_name"], json!("North PC-1"));
    let (code, same) = account.json(&["import", "d.csv", "--mapping", "own.toml", "--create-missing=all"]);
    assert_eq!((code, &same["counts"]["unchanged"]), (0, &json!(1)), "{same}");
}

#[test]
fn a_skip_may_list_a_blank_text_but_not_nothing() {
    let skip = |is: &str| format!("{RULES}[[skip]]\ncolumn = \"Device state\"\nis = {is}\n");
    let sheet = DEVICES.replace("lost", "");
    let account = CliTest::new().with_lookups().sheet("devices.csv", &sheet);
    let account = account.sheet("m.toml", &skip("[\"\", \"broken\"]")).sheet("none.toml", &skip("[]"));
    let (code, summary) = account.json(&["import", "devices.csv", "--mapping", "m.toml", "--result", "result.xlsx"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &json!(2)), "{summary}");
    let rows = sheet_rows(&account.path("result.xlsx"), "devices");
    let shown = rows
        .iter()
        .any(|row| row.contains(&String::from("left out by the mapping: `Device state` is blank or `broken`")));
    assert!(shown, "{rows:?}");
    let ran = account.run(&["check", "devices.csv", "--mapping", "none.toml"]).exits(2);
    assert!(ran.text().contains("a skip whose `is` lists nothing"), "{}", ran.text());
}

#[test]
fn a_row_with_a_problem_is_not_told_to_lack_what_it_would_make_itself() {
    let mapping = "entity = \"assets\"\n[fields.location_id]\ncolumn = \"Building\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n\
                   [also.locations]\nname = { column = \"Building\" }\n\
                   [also.employees]\nname = { column = \"Person\" }\nemail = { column = \"Holder\" }\n";
    let rows = "asset_id,product,status,Building,Holder,Person\nA-1,Nope,Ready,East,zb@example.com,Zoe Bell\n";
    let account = CliTest::new().with_lookups().sheet("m.toml", mapping).sheet("assets.csv", rows);
    let (code, summary) = account.json(&["import", "assets.csv", "--mapping", "m.toml", "--yes"]);
    let problems = summary["problems"].as_array().unwrap().iter();
    let messages: Vec<&str> = problems.map(|problem| problem["examples"][0]["message"].as_str().unwrap()).collect();
    assert_eq!((code, messages), (1, vec!["`Nope` not found in products"]), "{summary}");
    assert!(account.records("locations").iter().all(|place| place["name"] != "East"));
}

#[test]
fn a_row_that_is_not_sent_takes_no_stock_and_one_that_asks_for_too_much_says_so() {
    let mapping = "entity = \"checkout_accessory\"\n[also.manufacturers]\nname = { column = \"Maker\" }\nurl = { column = \"Web\" }\n\
                   [fields.accessory_id]\ncolumn = \"Item\"\n[fields.employee_id]\ncolumn = \"Who\"\n\
                   [fields.quantity]\ncolumn = \"Out\"\n[fields.checkout_date]\ndefault = \"2026-12-01\"\n";
    let rows = |first: &str| {
        format!(
            "Item,Maker,Web,Who,Out\nMouse,M1,{first},ada@example.com,2\nMouse,M2,https://m2.example,bob@example.com,2\n"
        )
    };
    let account = CliTest::new()
        .holds("categories", json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", json!({"name": "Mouse", "category_id": 1, "quantity": 2}))
        .holds("employees", json!({"name": "Ada", "email": "ada@example.com"}))
        .holds("employees", json!({"name": "Bob", "email": "bob@example.com"}))
        .sheet("m.toml", mapping)
        .sheet("bad.csv", &rows("no address"))
        .sheet("good.csv", &rows("https://m1.example"));
    let codes_of = |file: &str| {
        let (code, summary) = account.json(&["import", file, "--mapping", "m.toml", "--dry-run", "--force"]);
        let problems = summary["problems"].as_array().unwrap().iter();
        let codes: Vec<String> = problems.map(|problem| problem["code"].as_str().unwrap().to_owned()).collect();
        (code, summary["counts"]["failed"].clone(), codes)
    };
    assert_eq!(codes_of("bad.csv"), (1, json!(1), vec![String::from("url.invalid")]));
    assert_eq!(codes_of("good.csv"), (1, json!(1), vec![String::from("checkout.refused")]));
}
